//! Every kind of service, one file each, all of one shape: settings, memory, what it serves.
//!
//! Parts never name each other; they meet through the messages of `protocol`, which `sim` carries.

mod database;
mod demand;
mod dns;
mod load_balancer;
mod users;
mod web;
mod zipf;

pub use database::{Database, Disk};
pub use demand::Demand;
pub use dns::{Dns, Zone};
pub use load_balancer::{LoadBalancer, Members};
pub use users::{Population, Throttle};
pub use web::Web;
pub use zipf::KeySpace;

/// What a draw that belongs to a request is for. Each purpose has a number of its own, never used again.
mod purpose {
    pub const ARRIVAL: u64 = 1;
    pub const USER: u64 = 2;
    pub const ASK: u64 = 3;
    pub const KEY: u64 = 4;
    pub const FORMAT: u64 = 5;
    pub const WEB_WORK: u64 = 6;
    pub const QUERY_WORK: u64 = 7;
    pub const BALANCER_WORK: u64 = 8;
}
