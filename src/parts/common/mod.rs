//! What several kinds of services are made of. Nothing here names a kind.

pub(super) mod breaker;
pub(super) mod budget;
pub(super) mod caller;
pub(super) mod cluster;
pub(super) mod demand;
pub(super) mod health;
pub(super) mod lookup;
pub(super) mod pages;
pub(super) mod purpose;
pub(super) mod rate_limit;
pub(super) mod router;
pub(super) mod routes;
pub(super) mod shards;
pub(super) mod shelf;
pub(super) mod zipf;

pub use caller::Caller;
pub use cluster::{Cluster, Member};
pub use demand::Demand;
pub use pages::{Backends, Callee, Maker};
pub use router::Router;
pub use shards::ShardMap;
pub use zipf::KeySpace;
