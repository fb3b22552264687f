//! What several kinds of services are made of. Nothing here names a kind.

pub(super) mod breaker;
pub(super) mod budget;
pub(super) mod cached;
pub(super) mod caller;
pub(super) mod cluster;
pub(super) mod demand;
pub(super) mod eviction;
pub(super) mod flights;
pub(super) mod health;
pub(super) mod lookup;
pub(super) mod pages;
pub(super) mod publisher;
pub(super) mod purpose;
pub(super) mod rate_limit;
pub(super) mod resting;
pub(super) mod ring;
pub(super) mod router;
pub(super) mod routes;
pub(super) mod shards;
pub(super) mod shelf;
pub(super) mod site;
pub(super) mod zipf;
pub(super) mod zone;

pub use cached::{CacheClient, Tier};
pub use caller::Caller;
pub use cluster::{Cluster, Member};
pub use demand::Demand;
pub use eviction::Store;
pub use pages::{Backends, Callee, Maker};
pub use publisher::Publisher;
pub use resting::LONGEST_REST;
pub use router::Router;
pub use shards::ShardMap;
pub use site::Site;
pub use zipf::KeySpace;
pub use zone::{Door, Steering, Way, Zone};
