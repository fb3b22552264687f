//! Every kind of service, one file each, all of one shape: settings, memory, what it serves.
//!
//! Parts never name each other; they meet through the messages of `protocol`, which `sim` carries. What several of them are made of
//! stands in `common`.

mod autoscaler;
mod cache;
mod common;
mod consumer;
mod database;
mod dns;
mod edge;
mod load_balancer;
mod monitor;
mod peers;
mod queue;
mod resolver;
mod serverless;
mod session_store;
mod users;
mod web;

pub use autoscaler::{Autoscaler, Fleet};
pub use cache::Cache;
pub use common::{
    Backends, CacheClient, Callee, Caller, Cluster, Demand, Door, KeySpace, LONGEST_REST, Maker, Member, Publisher,
    Router, ShardMap, Site, Steering, Store, Tier, Way, Zone,
};
pub use consumer::{Consumer, Supplies};
pub use database::{Database, Disk};
pub use dns::Dns;
pub use edge::{Behind, Edge, Origin};
pub use load_balancer::{Floating, LoadBalancer, Members, ramp};
pub use monitor::Monitor;
pub use peers::{Peer, PeerDisk};
pub use queue::Queue;
pub use resolver::Resolver;
pub use serverless::Serverless;
pub use session_store::SessionStore;
pub use users::{Population, Surroundings, Throttle};
pub use web::Web;
