//! What a world does by itself on the grid, and what it knows of its own state.

use std::rc::Rc;
use std::time::Duration;

use crate::layout::Target;
use crate::observe::{BackendView, CallsProbe, Circuit, Decision, Event, Health, Limit, LinkInfo, LogLine, Severity};
use crate::sim::{InstanceId, ProcessState, SimTime};

use super::World;
use super::databases::{Standing, standing};
use super::entries::{Edge, Role, ServiceEntry};
use super::settings::{set_count, vacant};
use super::view::refresh_topology;

/// How many decisions of an autoscaler are kept.
const DECISIONS: usize = 20;

impl World {
    /// The factor on the traffic that the layout names: that of all populations together.
    pub(super) fn traffic(&self) -> f64 {
        let (mut planned, mut now) = (0.0, 0.0);
        for service in &self.services {
            if let Role::Users { throttle, .. } = &service.role {
                planned += throttle.rate;
                now += throttle.rate * throttle.factor.get();
            }
        }
        if planned > 0.0 { now / planned } else { 1.0 }
    }

    /// Lets instances go that have answered all they held, or took longer than this.
    pub(super) fn release_drained(&mut self) {
        let now = self.now();
        let mut gone = Vec::new();
        for (service, entry) in self.services.iter().enumerate() {
            let patience = patience(&entry.role);
            for (number, instance) in entry.present() {
                let Some(since) = instance.draining else { continue };
                let idle = is_idle(entry, number);
                if (idle && now > since + Duration::from_secs(1)) || now >= since + patience.max(Duration::from_secs(1))
                {
                    gone.push((service, number));
                }
            }
        }
        for at in &gone {
            let entry = &mut self.services[at.0].instances[at.1];
            entry.left = true;
            let (id, machine, selector) = (entry.id, entry.machine, entry.selector.clone());
            super::links::forget(self, id);
            // Whom it still holds hears that its process ends.
            self.kernel.crash(id);
            super::queues::lose(self, &[*at], true);
            // A host is there for others as well.
            if !self.machines[machine].host {
                self.kernel.destroy(self.machines[machine].id);
                let entry = &mut self.machines[machine];
                entry.left = true;
                entry.offered = (entry.capacity(now), now);
            }
            self.say(Severity::Info, format!("{selector} has left"));
        }
        if !gone.is_empty() {
            refresh_topology(self);
        }
    }

    /// Does what autoscalers asked for.
    pub(super) fn scale_as_wanted(&mut self) {
        for (scaler, decision) in std::mem::take(&mut self.wanted) {
            let Role::Autoscaler { of, fleet, .. } = &self.services[scaler].role else {
                continue;
            };
            let (of, Some(spec)) = (*of, *fleet.spec.borrow()) else {
                continue;
            };
            let count = self.services[of].staying().count();
            let room = vacant(self);
            // Its bounds may have changed since it decided.
            let wanted = decision.to.clamp(spec.min, spec.max) as usize;
            let wanted = wanted.min(count + room);
            if count == wanted {
                continue;
            }
            let done = set_count(self, of, wanted);
            let why = reason(&decision, spec.target);
            let text = format!("{}: {count} to {wanted}, {why}", self.services[of].selector);
            let line = LogLine {
                at: self.now(),
                severity: Severity::Info,
                text: text.clone(),
            };
            if let Role::Autoscaler { decisions, .. } = &mut self.services[scaler].role {
                if decisions.len() == DECISIONS {
                    decisions.pop_front();
                }
                decisions.push_back(line);
            }
            let who = self.services[scaler].selector.clone();
            self.say(Severity::Info, format!("{who} {done}: {why}"));
        }
    }

    /// Whether an instance is as it was before anything was done to it.
    pub(super) fn is_well(&self, id: InstanceId) -> bool {
        let (service, number) = self.places[id.0 as usize];
        let instance = &self.services[service].instances[number];
        if instance.left {
            return true;
        }
        match standing(self, id) {
            Standing::Well => {}
            Standing::Unwell => return false,
            Standing::Replaced => return true,
        }
        #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
        let as_fast = self.kernel.slow(self.machines[instance.machine].id) == 1.0;
        let untouched = self
            .kernel
            .network()
            .rules
            .iter()
            .all(|rule| !rule.to.contains(&id) && !rule.from.contains(&id));
        let trusted = self.is_trusted(id);
        let worked_off = super::queues::is_worked_off(self, service);
        let called = |service: &ServiceEntry| service.edges().iter().all(|edge| self.is_called(service, edge, id));
        let trusted = trusted && self.services.iter().all(called);
        let sound = super::flaws::is_sound(self, id);
        self.kernel.process_state(id) == ProcessState::Up && sound && as_fast && untouched && trusted && worked_off
    }

    /// Whether balancers and the name service believe that an instance is up, as far as they know it.
    pub(super) fn is_trusted(&self, id: InstanceId) -> bool {
        self.services.iter().all(|service| match &service.role {
            Role::LoadBalancer { probes, .. } => {
                let balancers = probes.iter().zip(&service.instances);
                let mut up = balancers.filter(|(_, balancer)| balancer.health == Health::Up);
                up.all(|(probe, _)| is_trusted(&probe.backends.borrow(), id))
            }
            Role::Dns { probe, .. } => is_trusted(&probe.records.borrow(), id),
            _ => true,
        })
    }

    /// What fails at an address where nobody is fails because of who gave that address out: the name service.
    pub(super) fn blame(&self, event: Event) -> Event {
        let dns = || {
            let mut services = self.services.iter();
            let dns = services.find(|entry| matches!(entry.role, Role::Dns { .. }));
            dns.map_or(InstanceId::NOWHERE, |entry| entry.instances[0].id)
        };
        event.moved(InstanceId::NOWHERE, dns)
    }

    /// Whether no breaker keeps calls from an instance.
    fn is_called(&self, caller: &ServiceEntry, edge: &Edge, id: InstanceId) -> bool {
        let to = &self.services[edge.to];
        // Who no longer asks a store keeps the breaker as it was.
        let asked = |link: &LinkInfo| link.to == edge.to && self.services[link.from].full == caller.full;
        edge.name.is_empty()
            || !self.topology.links.iter().any(asked)
            || to.instances.iter().all(|instance| instance.id != id)
            || !is_open(caller, &edge.probes.borrow())
    }

    /// Whether the name service believes that an address is up; one that it does not check is believed up.
    pub(super) fn believed_up(&self, id: InstanceId) -> bool {
        self.services.iter().all(|service| match &service.role {
            Role::Dns { probe, .. } => is_trusted(&probe.records.borrow(), id),
            _ => true,
        })
    }

    /// Since when the world runs, in seconds.
    pub(super) fn age(&self, since: SimTime) -> f64 {
        self.now().since(since).as_secs_f64()
    }
}

/// How long the instances of a service may take to answer what they hold, when they are to end.
pub(super) fn patience(role: &Role) -> Duration {
    match role {
        Role::Web { spec, .. } => spec.borrow().drain,
        Role::Consumer { spec, .. } => spec.borrow().drain,
        Role::Removed { drain, .. } => *drain,
        _ => Duration::ZERO,
    }
}

/// Whether an instance that nobody is to ask has answered all that it held.
pub(super) fn is_idle(entry: &ServiceEntry, number: usize) -> bool {
    let instance = &entry.instances[number];
    match &entry.role {
        Role::Consumer { probes, .. } | Role::Removed { workers: probes, .. } if !probes.is_empty() => {
            probes[number].drained.get() || instance.health != Health::Up
        }
        _ => instance.meter.present.value() == 0,
    }
}

/// What the instances of a service that are up show of their calls.
pub(super) fn live<'a>(
    caller: &'a ServiceEntry,
    probes: &'a [Rc<CallsProbe>],
) -> impl Iterator<Item = &'a CallsProbe> + Clone {
    let up = caller.instances.iter().zip(probes);
    up.filter(|(instance, _)| !instance.left && instance.health == Health::Up)
        .map(|(_, probe)| &**probe)
}

fn is_open(caller: &ServiceEntry, probes: &[Rc<CallsProbe>]) -> bool {
    live(caller, probes).any(|probe| probe.breaker.get() == Circuit::Open)
}

fn is_trusted(views: &[BackendView], id: InstanceId) -> bool {
    views.iter().filter(|view| view.id == id).all(BackendView::is_up)
}

/// Why an autoscaler decided as it did.
fn reason(decision: &Decision, kind: Target) -> String {
    let Decision {
        measured,
        target,
        limit,
        ..
    } = decision;
    let share = |value: &f64| format!("{:.0}%", 100.0 * value);
    let what = match kind {
        Target::Utilisation(_) => format!("{} of the cores in use, {} wanted", share(measured), share(target)),
        Target::Requests(_) => format!("{measured:.1} requests/s each, {target} wanted"),
        Target::Depth(_) => format!("{measured:.1} messages each, {target} wanted"),
        Target::Age(_) => format!("what waits would take {measured:.1}s, {target:.0}s wanted beside what comes"),
    };
    match limit {
        Limit::None => what,
        Limit::Min => format!("{what}; no fewer than its minimum"),
        Limit::Max => format!("{what}; no more than its maximum"),
        Limit::Pace => format!("{what}; no faster at once"),
        Limit::Window => format!("{what}; held by its window"),
    }
}
