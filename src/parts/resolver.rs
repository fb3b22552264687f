//! The resolver of a population's region: a farm of caches between people's devices and the name servers.

use std::rc::Rc;

use crate::layout;
use crate::observe::{ResolverProbe, System};
use crate::protocol::{Answer, Reason, Records, Reply, Request};
use crate::sim::{Cx, InstanceId, SimTime, Software, nanos};

use super::common::lookup::{Lookups, Upstream};
use super::common::purpose;
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
}

impl Resolver {
    /// A resolver that asks this name server. The first one already holds the answers, each with a part of its life behind it; one that
    /// was started again holds nothing.
    pub fn new(
        cx: &Cx<System>,
        spec: &layout::Dns,
        caches: u32,
        (server, name): (InstanceId, u16),
        zone: &Zone,
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
                    let addresses = zone.at_rest(name, cache as u64);
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
        };
        resolver.show();
        resolver
    }

    fn show(&self) {
        let lives = self.lookups.get(self.name as usize).map(Lookups::lives);
        *self.probe.caches.borrow_mut() = lives.unwrap_or_default();
    }
}

impl Software<System> for Resolver {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let Request::Lookup(name) = request else {
            return Reply::answer(Answer::Fine);
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
