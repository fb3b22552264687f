//! What a world does by itself on the grid, and what it knows of its own state.

use std::time::Duration;

use crate::observe::{BackendView, Severity};
use crate::sim::{InstanceId, ProcessState, SimTime};

use super::World;
use super::entries::Role;
use super::view::refresh_topology;

/// How long an instance that leaves may take to answer what it holds.
const DRAIN_PATIENCE: Duration = Duration::from_secs(30);

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
            for (number, instance) in entry.present() {
                let Some(since) = instance.draining else { continue };
                let idle = instance.meter.present.value() == 0;
                if (idle && now > since + Duration::from_secs(1)) || now >= since + DRAIN_PATIENCE {
                    gone.push((service, number));
                }
            }
        }
        for at in &gone {
            let entry = &mut self.services[at.0].instances[at.1];
            entry.left = true;
            let (machine, selector) = (entry.machine, entry.selector.clone());
            self.machines[machine].left = true;
            self.kernel.destroy(self.machines[machine].id);
            self.say(Severity::Info, format!("{selector} has left"));
        }
        if !gone.is_empty() {
            refresh_topology(self);
        }
    }

    /// Whether an instance is as it was before anything was done to it.
    pub(super) fn is_well(&self, id: InstanceId) -> bool {
        let (service, number) = self.places[id.0 as usize];
        let instance = &self.services[service].instances[number];
        if instance.left {
            return true;
        }
        #[allow(clippy::float_cmp, reason = "1 is set, never computed")]
        let as_fast = self.kernel.slow(self.machines[instance.machine].id) == 1.0;
        let untouched = self
            .kernel
            .network()
            .rules
            .iter()
            .all(|rule| !rule.to.contains(&id) && !rule.from.contains(&id));
        let trusted = self.services.iter().all(|service| match &service.role {
            Role::LoadBalancer { probe, .. } => probe
                .backends
                .borrow()
                .iter()
                .filter(|backend| backend.id == id)
                .all(BackendView::is_up),
            _ => true,
        });
        self.kernel.process_state(id) == ProcessState::Up && as_fast && untouched && trusted
    }

    /// Since when the world runs, in seconds.
    pub(super) fn age(&self, since: SimTime) -> f64 {
        self.now().since(since).as_secs_f64()
    }
}
