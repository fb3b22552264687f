//! The one door: build a world from a layout and a seed, apply commands, advance, look at a frame.

mod agenda;
mod apply;
mod build;
mod caches;
mod chaos;
mod condition;
mod databases;
mod discover;
mod entries;
mod evolve;
mod flaws;
mod follow;
mod grow;
mod inject;
mod links;
mod measure;
mod milestones;
mod names;
mod offer;
mod outage;
mod places;
mod queues;
mod repair;
mod rollout;
mod roster;
mod sample;
mod select;
mod sentence;
mod set;
mod settings;
mod sites;
mod software;
mod states;
mod upkeep;
mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::command::{Applied, Command, CommandError};
use crate::layout::Layout;
use crate::observe::{Chronicle, Decision, Event, Severity, System, Topology};
use crate::parts::Site;
use crate::sim::{InstanceId, Kernel, SimTime, mix, nanos};
use crate::trace::Trace;

use databases::DatabaseEntry;
use entries::{Ground, MachineEntry, ServiceEntry};
use places::Geography;

pub use follow::Follow;
pub use offer::can_hit;

/// Conditions are looked at, and counters sampled, on a grid of this width.
const GRID_NANOS: u64 = 100_000_000;
/// Grid steps in a second.
const STEPS_A_SECOND: u64 = 10;

/// A living system. It belongs to one thread; a program may run as many as it likes, each on its own.
pub struct World {
    kernel: Kernel<System>,
    title: String,
    about: String,
    /// What it is, with what was changed since it was built.
    layout: Layout,
    /// Commands that changed what no layout can say.
    unkept: Arc<Vec<String>>,
    sites: Vec<String>,
    /// By data center: where it stands.
    grounds: Vec<Ground>,
    /// Who is how far from whom.
    geography: Geography,
    services: Vec<ServiceEntry>,
    databases: Vec<DatabaseEntry>,
    machines: Vec<MachineEntry>,
    /// Machines by full name.
    machine_names: BTreeMap<String, usize>,
    /// By instance: its service and its place in it.
    places: Vec<(usize, usize)>,
    /// The entry services, by site.
    entries: Vec<Option<usize>>,
    /// What the site is made of.
    site: Rc<Site>,
    /// The trace that says which rows users ask for.
    trace: Option<Arc<Trace>>,
    /// The public addresses of each data center that has an entry point, as CDNs know them.
    origins: Vec<Rc<RefCell<Vec<InstanceId>>>>,
    chronicle: Chronicle,
    topology: Arc<Topology>,
    /// The next step of the grid, as a multiple of its width.
    next_step: u64,
    spent: f64,
    /// Retries up to the last whole second.
    retried_sampled: u64,
    /// Requests a second on each pair of services, and requests up to the last whole second.
    link_rates: Vec<f64>,
    link_totals: Vec<u64>,
    /// What autoscalers asked for since the last step of the grid: the service, and how many machines.
    wanted: Vec<(usize, Decision)>,
    /// A hash of the commands applied.
    commands: u64,
    /// Steps of injections that are still to come, and what goes on.
    agenda: agenda::Agenda,
    /// Chaos, if it is on.
    chaos: Option<chaos::Raging>,
    /// Narrow links that there ever were.
    pipes: u32,
}

impl World {
    /// Brings a layout to life. The layout has been validated: every layout that was parsed has been.
    pub fn build(layout: &Layout, seed: u64) -> World {
        build::build(layout, seed)
    }

    /// Does something to the world, now, before everything else that is due at this moment.
    ///
    /// # Errors
    /// When the target does not exist or the command makes no sense for it. Nothing has changed then.
    pub fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        command.validate()?;
        let applied = apply::apply(self, command)?;
        evolve::keep(self, command);
        self.commands = mix(self.commands ^ crate::sim::name_hash(&command.to_string()) ^ self.now().0);
        Ok(applied)
    }

    /// Lets simulated time pass.
    pub fn advance(&mut self, by: Duration) {
        let end = SimTime(self.now().0.saturating_add(nanos(by)));
        while self.now() < end {
            let step = SimTime(self.next_step * GRID_NANOS);
            let due = self.next_deed().unwrap_or(end);
            self.kernel.advance_to(step.min(end).min(due));
            self.follow_reports();
            if self.now() == step {
                sample::step(self);
                self.next_step += 1;
            }
            if self.now() == due {
                inject::run_due(self);
            }
        }
    }

    /// When a step of an injection, or chaos, is due.
    fn next_deed(&self) -> Option<SimTime> {
        let strike = self.chaos.as_ref().map(|raging| raging.next);
        self.agenda.next().into_iter().chain(strike).min()
    }

    fn follow_reports(&mut self) {
        let reports = self.kernel.take_reports();
        for (at, from, event) in &reports {
            let event = &self.blame(*event);
            if let Event::Scaled(decision) = event {
                self.wanted.push((self.places[from.0 as usize].0, *decision));
            }
            databases::follow(self, *from, event);
            let (places, services) = (&self.places, &self.services);
            self.chronicle.follow(*at, *from, event, |id| {
                let (service, instance) = places[id.0 as usize];
                services[service].instances[instance].selector.clone()
            });
            if !self.chronicle.incidents.news.is_empty() {
                milestones::tell(self);
            }
        }
    }

    /// The moment.
    pub fn now(&self) -> SimTime {
        self.kernel.now()
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.kernel.seed()
    }

    /// A hash of the whole history: equal digests mean equal histories.
    pub fn digest(&self) -> u64 {
        mix(self.kernel.digest() ^ self.commands)
    }

    /// Deliveries that the machines have worked off so far.
    pub fn delivered(&self) -> u64 {
        self.kernel.delivered()
    }

    /// What is kept for all that is under way. It follows the traffic, not the age of the world.
    pub fn under_way(&self) -> usize {
        self.kernel.under_way()
    }

    /// Cuts the kernel's windows shorter, at random. The history must not change: for tests.
    pub fn narrow_windows(&mut self, seed: u64) {
        self.kernel.narrow_windows(seed);
    }

    /// Keeps no ledger from now on. The history must not change: for tests.
    pub fn forget_promises(&mut self) {
        self.chronicle.forget_promises();
    }

    fn say(&mut self, severity: Severity, text: impl Into<String>) {
        let now = self.now();
        self.chronicle.say(now, severity, text);
    }
}
