//! What is seen of a world: counters, histograms, incidents, and the frame that holds all of it.

mod cache;
mod chronicle;
mod deed;
mod event;
mod followed;
mod frame;
mod incident;
mod jobs;
mod latency;
mod ledger;
mod probe;
mod queue;
mod states;
mod told;
mod topology;

pub use crate::sim::Following;
pub use cache::{CacheNodeState, CacheProbe, CacheState, CacheTally, STAMPEDE};
pub use chronicle::{CauseCount, Chronicle};
pub use deed::deed;
pub use event::{Circuit, Decision, Event, Limit, Resolution, System};
pub use followed::{Doing, Followed, Phase, PhaseKind, Span, Spent};
pub use frame::{
    Cause, Frame, Health, Incident, InstanceState, LinkState, LogLine, Milestone, Quantiles, Sample, ServiceState,
    SessionTally, Severity, SiteState, Tally,
};
pub use incident::{Case, Incidents, News, Stage};
pub use jobs::Jobs;
pub use latency::{Latencies, RECENT_SECONDS, Recent};
pub use ledger::{Held, Ledger};
pub use probe::{
    AutoscalerProbe, BackendView, BalancerProbe, CallsProbe, DnsProbe, MonitorProbe, NodeProbe, NodeRole,
    ResolverProbe, ServerlessProbe, StoreProbe, UsersProbe, WebProbe,
};
pub use queue::{
    JobTally, Peek, PublishProbe, PublishTally, PublisherState, QueueProbe, QueueState, QueueTally, SubscriberState,
    Waiting, WorkerProbe, WorkerTally, WorkersState,
};
pub use states::{
    AutoscalerState, BackendState, BalancerState, Belief, CallsState, ConflictLine, DatabaseKind, DatabaseState,
    DnsState, Ended, MigrationState, MonitorState, NodeState, Promises, ResolverState, SentState, ServerlessState,
    SessionsState, ShardState, UsersState,
};
pub use topology::{InstanceInfo, Kind, LinkInfo, LinkKind, ServiceInfo, Site, Topology};
