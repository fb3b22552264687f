//! What a draw that belongs to a request is for. Each purpose has a number of its own, never used again.

pub const ARRIVAL: u64 = 1;
pub const USER: u64 = 2;
pub const ASK: u64 = 3;
pub const KEY: u64 = 4;
pub const FORMAT: u64 = 5;
pub const WEB_WORK: u64 = 6;
pub const QUERY_WORK: u64 = 7;
pub const BALANCER_WORK: u64 = 8;
pub const CACHE: u64 = 9;
pub const SESSION: u64 = 10;
pub const SIGN_IN_WORK: u64 = 11;
pub const VERIFY_WORK: u64 = 12;
pub const STORE_WORK: u64 = 13;
pub const COLD_START: u64 = 14;
pub const VALUE: u64 = 15;
pub const HOT: u64 = 16;
pub const LOOK_BACK: u64 = 17;
pub const CACHE_WORK: u64 = 18;
pub const CACHE_CHANGE_WORK: u64 = 19;
pub const CACHE_TTL: u64 = 20;
pub const EARLY_REFRESH: u64 = 21;
pub const EDGE_WORK: u64 = 23;
pub const SHIELD_WORK: u64 = 24;
pub const ASSET: u64 = 25;
