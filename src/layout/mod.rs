//! What a system is: the schema of a layout file, its defaults, its validation with line and column.

mod at_rest;
pub(crate) mod bounds;
pub(crate) mod bytes;
mod caching;
mod check;
pub mod duration;
mod edit;
mod entry;
mod evict;
mod expect;
mod expect_text;
mod experiment;
mod geo;
mod model;
mod parse;
mod policies;
mod queueing;
mod raw;
mod references;
mod replication;
mod shipped;
mod size;
pub(crate) mod source;
mod text;
mod validate;

pub use caching::{Cache, Cdn, Content, Invalidate, Near, Strategy};
pub use edit::{Edit, KINDS, service_text};
pub use entry::{autoscaler_of, monitor_of, shield_of};
pub use evict::{Evict, Room};
pub use expect::{Comparison, Expectation, Measure, Quantifier, QueueMeasure};
pub(crate) use expect_text::condition;
pub use experiment::{Ask, Experiment, Typed};
pub use geo::Region;
pub use model::{
    Asks, Balance, DataCenter, Database, Distribution, Dns, Host, Keys, Layout, LoadBalancer, LookBack, Map, Network,
    Pages, Pair, Routing, Serverless, Service, SessionStore, Sessions, Sticky, Users, Web,
};
pub use parse::{LayoutError, Source, parse};
pub use policies::{Autoscaler, Breaker, Calls, HealthCheck, Outlier, RateLimit, Target};
pub use queueing::{Consumer, Delivery, Fallback, Job, Publish, Queue, Style};
pub(crate) use queueing::{longest_block, outbox_room};
pub use raw::RawExpectation;
pub use replication::{Failover, Mode, Peers, PrimaryReplicas, Reads, Replication, Rule, ShardBy, Sharding};
pub use shipped::{SHIPPED, Shipped, find_shipped};
pub use size::{SIZES, Size};
pub use text::{closest, printable};
pub(crate) use text::{grouped, parse_share, percent, suggestion};
