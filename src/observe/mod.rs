//! What is seen of a world: counters, histograms, incidents, and the frame that holds all of it.

mod chronicle;
mod event;
mod frame;
mod incident;
mod latency;
mod ledger;
mod probe;
mod states;
mod topology;

pub use chronicle::{CauseCount, Chronicle};
pub use event::{Circuit, Decision, Event, Limit, System};
pub use frame::{
    Cause, Frame, Health, Incident, InstanceState, LinkState, LogLine, Milestone, Quantiles, Sample, ServiceState,
    SessionTally, Severity, Tally,
};
pub use incident::{Case, Incidents};
pub use latency::{Latencies, RECENT_SECONDS, Recent};
pub use ledger::Ledger;
pub use probe::{
    AutoscalerProbe, BackendView, BalancerProbe, CallsProbe, DatabaseProbe, DnsProbe, ResolverProbe, ServerlessProbe,
    StoreProbe, UsersProbe, WebProbe,
};
pub use states::{
    AutoscalerState, BackendState, BalancerState, Belief, CallsState, DatabaseState, DnsState, ResolverState,
    ServerlessState, SessionsState, UsersState,
};
pub use topology::{InstanceInfo, Kind, LinkInfo, LinkKind, ServiceInfo, Site, Topology};
