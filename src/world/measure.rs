//! The measures of expectations.

use crate::layout::Measure;
use crate::observe::{CacheTally, Health, Recent, SessionTally, Tally};

use super::entries::{InstanceEntry, Role, ServiceEntry};
use super::sample::{add, difference};
use super::{World, caches, databases, queues};

impl World {
    /// The value of a measure now, in the unit that [`Measure`] gives. A service that does not exist measures 0.
    pub fn measure(&self, measure: &Measure) -> f64 {
        match measure {
            Measure::Ok => self.recent().0.ok_ratio(),
            Measure::Failed => self.total().failed as f64,
            Measure::Retried => self.chronicle.retried as f64,
            Measure::Lost => self.chronicle.lost() as f64,
            Measure::Rate => {
                let (tally, seconds) = self.recent();
                if seconds > 0.0 {
                    tally.sent as f64 / seconds
                } else {
                    0.0
                }
            }
            Measure::P50 => self.recent_latency().quantiles().p50.as_secs_f64(),
            Measure::P95 => self.recent_latency().quantiles().p95.as_secs_f64(),
            Measure::P99 => self.recent_latency().quantiles().p99.as_secs_f64(),
            Measure::OkOf(users) => self.population(users).map_or(1.0, |recent| recent.ok_ratio()),
            Measure::SignedOut => self.sessions().lost as f64,
            Measure::Cost => self.price_per_hour(),
            Measure::Machines(service) => self
                .present(service)
                .filter(|instance| instance.draining.is_none())
                .count() as f64,
            Measure::Sessions(service) => self.named(service).map(held).sum::<u64>() as f64,
            Measure::Up(service) => self
                .present(service)
                .filter(|instance| instance.health == Health::Up)
                .count() as f64,
            Measure::Utilisation(service) => {
                let values: Vec<f64> = self
                    .present(service)
                    .map(|instance| instance.sampled.utilisation)
                    .collect();
                values.iter().sum::<f64>() / values.len().max(1) as f64
            }
            Measure::Backlog(service) => self
                .present(service)
                .map(|instance| f64::from(instance.meter.backlog.value()))
                .sum(),
            Measure::Hit(service) => {
                let sum = |sum: CacheTally, entry| sum.plus(&caches::recent(entry));
                let recent = self.named(service).fold(CacheTally::default(), sum);
                recent.hit_ratio().unwrap_or(1.0)
            }
            Measure::Misses(service) => {
                let totals = self.named(service).map(caches::total);
                totals.map(|total| (total.lookups - total.hits) as f64).sum()
            }
            Measure::Stampedes(service) => {
                let totals = self.named(service).map(caches::total);
                totals.map(|total| total.stampedes as f64).sum()
            }
            Measure::Load(service) => self.named(service).map(|entry| entry.rate).sum(),
            Measure::Queue(what, queue) => self.named(queue).map(|entry| queues::measure(self, entry, *what)).sum(),
            Measure::Outbox(web) => {
                let states = self.named(web).filter_map(queues::publisher_state);
                states.map(|state| state.outbox as f64).sum()
            }
            Measure::StaleAssets => {
                let counts = self.services.iter().map(|entry| match &entry.role {
                    Role::Users { probe, .. } => probe.stale_assets.get(),
                    _ => 0,
                });
                counts.sum::<u64>() as f64
            }
            other => databases::measure(self, other).unwrap_or(0.0),
        }
    }

    /// The services of this name, with or without its data center.
    fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a ServiceEntry> {
        self.services
            .iter()
            .filter(move |service| service.full == name || service.name == name)
    }

    /// The instances of the services of this name, with or without its data center.
    fn present<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a InstanceEntry> {
        self.named(name)
            .flat_map(|service| service.present().map(|(_, instance)| instance))
    }

    /// Requests of a population in the last seconds.
    fn population(&self, name: &str) -> Option<Tally> {
        self.named(name).find_map(|service| match &service.role {
            Role::Users { probe, seen, .. } => {
                let mut recent = difference(probe.tally.get(), seen.last);
                seen.seconds.iter().for_each(|second| add(&mut recent, *second));
                Some(recent)
            }
            _ => None,
        })
    }

    /// Sessions of all populations.
    pub(super) fn sessions(&self) -> SessionTally {
        let mut sum = SessionTally::default();
        for service in &self.services {
            if let Role::Users { probe, .. } = &service.role {
                let tally = probe.sessions.get();
                sum.signed_in += tally.signed_in;
                sum.issued += tally.issued;
                sum.lost += tally.lost;
                sum.expired += tally.expired;
                sum.revoked += tally.revoked;
                sum.revoked_served += tally.revoked_served;
            }
        }
        sum
    }

    /// Requests since the start.
    pub(super) fn total(&self) -> Tally {
        let mut sum = Tally::default();
        for service in &self.services {
            if let Role::Users { probe, .. } = &service.role {
                add(&mut sum, probe.tally.get());
            }
        }
        sum.retried = self.chronicle.retried;
        sum
    }

    /// Requests of the last seconds, the running one included, and how many seconds that are.
    pub(super) fn recent(&self) -> (Tally, f64) {
        let (mut sum, seconds) = self.chronicle.recent();
        for service in &self.services {
            if let Role::Users { probe, seen, .. } = &service.role {
                add(&mut sum, difference(probe.tally.get(), seen.last));
            }
        }
        sum.retried += self.chronicle.retried - self.retried_sampled;
        (sum, seconds as f64 + self.now().0 as f64 / 1e9 % 1.0)
    }

    /// Latency of the last seconds over all populations.
    pub(super) fn recent_latency(&self) -> Recent {
        let mut recent = Recent::default();
        for service in &self.services {
            if let Role::Users { probe, .. } = &service.role {
                probe.latencies.borrow().add_recent_to(&mut recent);
            }
        }
        recent
    }
}

/// Sessions that a service holds.
pub(super) fn held(service: &ServiceEntry) -> u64 {
    match &service.role {
        Role::Web { probes, .. } => {
            let up = service.present().filter(|(_, instance)| instance.health == Health::Up);
            up.map(|(number, _)| probes[number].held.get()).sum()
        }
        Role::SessionStore { probe, .. } => {
            let up = service.present().any(|(_, instance)| instance.health == Health::Up);
            if up { probe.held.get() } else { 0 }
        }
        _ => 0,
    }
}
