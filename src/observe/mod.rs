//! What is seen of a world: counters, histograms, incidents, and the frame that holds all of it.

mod chronicle;
mod event;
mod frame;
mod incident;
mod latency;
mod ledger;
mod probe;

pub use chronicle::{CauseCount, Chronicle};
pub use event::{Event, System};
pub use frame::{
    BackendState, BalancerState, Belief, Cause, DatabaseState, DnsState, Frame, Health, Incident, InstanceInfo,
    InstanceState, Kind, LinkInfo, LinkKind, LinkState, LogLine, Milestone, Quantiles, Sample, ServiceInfo,
    ServiceState, Severity, Site, Tally, Topology, UsersState,
};
pub use incident::{Case, Incidents};
pub use latency::{Latencies, RECENT_SECONDS, Recent};
pub use ledger::Ledger;
pub use probe::{BackendView, BalancerProbe, DatabaseProbe, UsersProbe};
