//! The web chain, twice.

pub mod floor;
pub mod world;

/// What a run brought.
pub struct Outcome {
    pub requests: u64,
    pub mean_millis: f64,
}

/// Mean work of a web server, in nanoseconds.
pub const WEB: f64 = 5e6;
/// Work of a cache.
pub const CACHE: u64 = 200_000;
/// Mean work of a database.
pub const DATABASE: f64 = 10e6;
/// Cores of a web server and of a database.
pub const WEB_CORES: u32 = 8;
pub const DATABASE_CORES: u32 = 32;
/// Share of requests that the cache answers.
pub const HIT: f64 = 0.8;

/// What a draw is for.
pub mod purpose {
    pub const ARRIVAL: u64 = 1;
    pub const WEB: u64 = 2;
    pub const HIT: u64 = 3;
    pub const DATABASE: u64 = 4;
}
