//! What a world knows of its services, instances and machines.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Size};
use crate::observe::{BalancerProbe, DatabaseProbe, Health, Kind, UsersProbe};
use crate::parts::{Members, Throttle, Zone};
use crate::sim::{Group, InstanceId, MachineId, Meter, Place, SimTime};

/// A service, a population of users or DNS.
pub(super) struct ServiceEntry {
    /// The name in the layout.
    pub name: String,
    /// With its data center: `dc/web`.
    pub full: String,
    /// The shortest selector that names it.
    pub selector: String,
    pub site: Option<usize>,
    pub place: Place,
    pub group: Group,
    pub role: Role,
    /// Its first instance, for those that refer to the service.
    pub front: Rc<Cell<InstanceId>>,
    /// All that there ever were; those that left are marked.
    pub instances: Vec<InstanceEntry>,
    /// Requests received in the last second.
    pub rate: f64,
}

/// What is particular to a kind.
pub(super) enum Role {
    Users {
        spec: layout::Users,
        lookup: layout::Dns,
        zone: Rc<Zone>,
        /// The service that resolves names.
        dns: usize,
        throttle: Rc<Throttle>,
        probe: Rc<UsersProbe>,
        seen: Seen,
    },
    Dns {
        zone: Rc<Zone>,
    },
    LoadBalancer {
        spec: layout::LoadBalancer,
        to: usize,
        members: Rc<Members>,
        probe: Rc<BalancerProbe>,
        shares: Vec<(InstanceId, u64, f64)>,
    },
    Web {
        spec: layout::Web,
        database: Option<usize>,
    },
    Database {
        spec: layout::Database,
        probe: Rc<DatabaseProbe>,
    },
}

/// What was sampled of a population.
#[derive(Default)]
pub(super) struct Seen {
    pub last: crate::observe::Tally,
    /// One tally for each of the last seconds.
    pub seconds: VecDeque<crate::observe::Tally>,
    pub trend: VecDeque<f32>,
}

/// An instance of a service.
pub(super) struct InstanceEntry {
    pub id: InstanceId,
    /// `dc/web/2`.
    pub full: String,
    pub selector: String,
    /// Index of its machine.
    pub machine: usize,
    pub address: String,
    pub boot: Duration,
    pub meter: Rc<Meter>,
    /// It answers what it holds, and then leaves.
    pub draining: Option<SimTime>,
    /// It has left.
    pub left: bool,
    pub health: Health,
    pub since: SimTime,
    pub sampled: Sampled,
}

/// What was sampled of an instance at the last second.
#[derive(Default)]
pub(super) struct Sampled {
    pub received: u64,
    pub answered: u64,
    pub sojourn: u128,
    pub busy: f64,
    pub rate: f64,
    pub latency: Duration,
    pub utilisation: f64,
    pub trend: VecDeque<f32>,
}

/// A machine.
pub(super) struct MachineEntry {
    pub id: MachineId,
    /// `dc/server` or `dc/web/2`.
    pub full: String,
    pub selector: String,
    /// Whether the layout names it as a host.
    pub host: bool,
    pub site: Option<usize>,
    /// `None` for what is not ours: users and DNS cost nothing.
    pub size: Option<&'static Size>,
    /// Since when it is ours, for the mean of its utilisation.
    pub since: SimTime,
    pub left: bool,
    /// Core-seconds that it offered before its last resize, and when that was.
    pub offered: (f64, SimTime),
}

impl MachineEntry {
    /// Core-seconds that it has offered since it is ours. Without bound for what is not ours.
    pub(super) fn capacity(&self, now: SimTime) -> f64 {
        let cores = self.size.map_or(f64::INFINITY, |size| f64::from(size.cores));
        let (before, resized) = self.offered;
        before + cores * now.since(resized.max(self.since)).as_secs_f64()
    }
}

impl ServiceEntry {
    pub(super) fn kind(&self) -> Kind {
        match self.role {
            Role::Users { .. } => Kind::Users,
            Role::Dns { .. } => Kind::Dns,
            Role::LoadBalancer { .. } => Kind::LoadBalancer,
            Role::Web { .. } => Kind::Web,
            Role::Database { .. } => Kind::Database,
        }
    }

    /// Its instances with their places, those that left omitted.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &InstanceEntry)> {
        self.instances.iter().enumerate().filter(|(_, instance)| !instance.left)
    }
}
