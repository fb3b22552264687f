//! The resolver of a population's region: a farm of caches between people's devices and the name servers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Routing};
use crate::observe::{ResolverProbe, System};
use crate::protocol::{Answer, Reason, Records, Reply, Request};
use crate::sim::{CallError, Cx, InstanceId, SimTime, Software, nanos};

use super::common::lookup::{Lookups, Upstream};
use super::common::purpose;
use super::common::routes::Routes;
use super::common::zone::Zone;

/// A resolver. Which of its caches a query meets is chance, as with public resolvers.
pub struct Resolver {
    caches: u64,
    /// By name, then by cache.
    lookups: Vec<Lookups>,
    probe: Rc<ResolverProbe>,
    server: InstanceId,
    /// The name that its people ask for.
    name: u16,
    zone: Rc<Zone>,
    routes: Routes,
    /// When it measures, as a share of the interval.
    phase: f64,
    measuring: Cell<bool>,
}

/// Time between two measurements of the round trips to the data centers, where users are sent by them.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// How long a measurement waits.
const MEASURE_TIMEOUT: Duration = Duration::from_secs(2);

impl Resolver {
    /// A resolver that asks this name server. The first one already holds the answers, each with a part of its life behind it; one that
    /// was started again holds nothing.
    pub fn new(
        cx: &Cx<System>,
        spec: &layout::Dns,
        caches: u32,
        (server, population, name): (InstanceId, u32, u16),
        zone: Rc<Zone>,
        probe: Rc<ResolverProbe>,
    ) -> Resolver {
        let upstream = Upstream {
            server,
            timeout: spec.timeout,
            attempts: spec.attempts,
        };
        let mut phases = cx.stream("caches");
        let ttl = nanos(spec.ttl) as f64;
        let lookups: Vec<Lookups> = (0..zone.names.borrow().len() as u16)
            .map(|name| {
                let lookups = Lookups::new(caches as usize, upstream);
                let full = zone.is_known(name) && cx.now() == SimTime::ZERO;
                for cache in (0..caches as usize).filter(|_| full) {
                    let until = SimTime((phases.draw().unit() * ttl) as u64);
                    let addresses = zone.at_rest(name, population, cache as u64);
                    lookups.seed(cache, Records::new(addresses.into_iter()), until);
                }
                lookups
            })
            .collect();
        let resolver = Resolver {
            caches: u64::from(caches),
            lookups,
            probe,
            server,
            name,
            routes: Routes::default(),
            phase: cx.stream("measurements").draw().unit(),
            measuring: Cell::new(false),
            zone,
        };
        resolver.show();
        resolver
    }

    fn begin_to_measure(self: &Rc<Self>, cx: &Cx<System>) {
        if *self.zone.routing.borrow() == Routing::Latency && !self.measuring.replace(true) {
            cx.spawn(Rc::clone(self).measure(cx.detached()));
        }
    }

    /// Measures the round trips to the data centers as long as users are sent by them, and tells the name server.
    async fn measure(self: Rc<Self>, cx: Cx<System>) {
        cx.sleep(MEASURE_EVERY.mul_f64(self.phase)).await;
        loop {
            let began = cx.now();
            let addresses: Vec<Option<InstanceId>> = {
                let names = self.zone.names.borrow();
                // The domain comes first, and the name of static files last.
                let sites = names.len() - 1 - usize::from(self.zone.files.is_some());
                names
                    .iter()
                    .skip(1)
                    .take(sites)
                    .map(|all| all.first().copied())
                    .collect()
            };
            let measures = *self.zone.routing.borrow() == Routing::Latency;
            for (site, address) in addresses.into_iter().enumerate().filter(|_| measures) {
                let Some(address) = address else { continue };
                let asked = cx.now();
                let holder = self.routes.holder(address);
                // Whoever is there answers at once, or refuses at once. Silence measures nothing: whether somebody is there is for the checks to find.
                let reply = cx.call(holder, Request::Check, MEASURE_TIMEOUT).await;
                if !matches!(reply, Ok(_) | Err(CallError::Refused)) {
                    continue;
                }
                let told = Request::Measured {
                    site: site as u16,
                    round_trip: nanos(cx.now() - asked),
                };
                cx.cast(self.server, told);
            }
            cx.sleep_until(began + MEASURE_EVERY).await;
        }
    }

    fn show(&self) {
        let lives = self.lookups.get(self.name as usize).map(Lookups::lives);
        *self.probe.caches.borrow_mut() = lives.unwrap_or_default();
    }
}

impl Software<System> for Resolver {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        self.begin_to_measure(cx);
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let name = match request {
            Request::Lookup(name) => name,
            Request::Claim { address } => {
                self.routes.claim(address, cx.from());
                return Reply::answer(Answer::Fine);
            }
            Request::Retune => {
                self.begin_to_measure(&cx);
                return Reply::answer(Answer::Fine);
            }
            Request::Purge(None) | Request::Expire => {
                self.lookups.iter().for_each(Lookups::forget);
                self.show();
                return Reply::answer(Answer::Fine);
            }
            _ => return Reply::answer(Answer::Fine),
        };
        let count = |cell: &std::cell::Cell<u64>| cell.set(cell.get() + 1);
        count(&self.probe.lookups);
        let cache = cx.draw(purpose::CACHE).below(self.caches) as usize;
        let Some(lookups) = self.lookups.get(name as usize) else {
            return Reply::failure(Reason::DnsFailure, self.server);
        };
        let found = lookups.find(&cx, cache, name).await;
        match found {
            Ok(found) => {
                if found.cached {
                    count(&self.probe.hits);
                } else if name == self.name {
                    self.probe.caches.borrow_mut()[cache] = found.until;
                }
                Reply::answer(Answer::Addresses {
                    records: found.records,
                    until: found.until,
                })
            }
            Err(failure) => Reply {
                outcome: Err(failure),
                retries: 0,
            },
        }
    }
}
