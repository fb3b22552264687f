//! A load balancer: it spreads requests over servers, checks their health, and tries a failed read on another one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::layout::{self, Balance, HealthCheck};
use crate::observe::{BackendView, BalancerProbe, Belief, Event, System};
use crate::protocol::{Answer, Failure, Http, Reason, Reply, Request};
use crate::sim::{Cx, InstanceId, Software, Stream};

use super::demand::Demand;
use super::purpose;

/// What can be changed about a balancer between two windows: its policy, and its servers (what service discovery tells it).
#[derive(Debug)]
pub struct Members {
    /// How it chooses.
    pub policy: Cell<Balance>,
    /// The servers.
    pub servers: RefCell<Vec<InstanceId>>,
}

/// A load balancer.
pub struct LoadBalancer {
    spec: layout::LoadBalancer,
    work: Demand,
    members: Rc<Members>,
    probe: Rc<BalancerProbe>,
    turn: Cell<usize>,
    choices: RefCell<Stream>,
    phases: RefCell<Stream>,
}

impl LoadBalancer {
    /// A balancer that has just started: it believes that all servers are up.
    pub fn new(
        cx: &Cx<System>,
        spec: &layout::LoadBalancer,
        members: Rc<Members>,
        probe: Rc<BalancerProbe>,
    ) -> LoadBalancer {
        let servers: BTreeSet<InstanceId> = members.servers.borrow().iter().copied().collect();
        probe
            .backends
            .borrow_mut()
            .retain(|backend| servers.contains(&backend.id));
        for backend in probe.backends.borrow_mut().iter_mut() {
            *backend = BackendView {
                sent: backend.sent,
                ..view(backend.id, Belief::Up { failed: 0 })
            };
        }
        LoadBalancer {
            spec: spec.clone(),
            work: Demand::new(spec.work),
            members,
            probe,
            turn: Cell::new(0),
            choices: RefCell::new(cx.stream("choices")),
            phases: RefCell::new(cx.stream("checks")),
        }
    }

    /// Takes in servers that have come and forgets those that have gone.
    fn reconcile(self: &Rc<Self>, cx: &Cx<System>, believed: Belief) {
        let servers: BTreeSet<InstanceId> = self.members.servers.borrow().iter().copied().collect();
        let mut backends = self.probe.backends.borrow_mut();
        backends.retain(|backend| servers.contains(&backend.id));
        let known: BTreeSet<InstanceId> = backends.iter().map(|backend| backend.id).collect();
        for id in servers.difference(&known) {
            backends.push(view(*id, believed));
            let phase = self.phases.borrow_mut().draw().unit();
            cx.spawn(Rc::clone(self).check(cx.detached(), *id, phase));
        }
    }

    /// Checks one server for as long as it belongs here.
    async fn check(self: Rc<Self>, cx: Cx<System>, server: InstanceId, phase: f64) {
        let HealthCheck { every, timeout, .. } = self.spec.health;
        cx.sleep(every.mul_f64(phase)).await;
        loop {
            let began = cx.now();
            let reply = Reply::of_call(cx.call(server, Request::Check, timeout).await, server);
            if !self.learn(&cx, server, &reply) {
                return;
            }
            cx.sleep_until(began + every).await;
        }
    }

    /// Draws the conclusion of a check. False when the server does not belong here any more.
    fn learn(&self, cx: &Cx<System>, server: InstanceId, check: &Reply) -> bool {
        let HealthCheck {
            down_after, up_after, ..
        } = self.spec.health;
        let mut backends = self.probe.backends.borrow_mut();
        let Some(backend) = backends.iter_mut().find(|backend| backend.id == server) else {
            return false;
        };
        backend.believed = match (backend.believed, check.outcome) {
            (Belief::Up { .. }, Ok(_)) => Belief::Up { failed: 0 },
            (Belief::Down { .. }, Err(_)) => Belief::Down { passed: 0 },
            (Belief::Up { failed }, Err(Failure { reason, .. })) if failed + 1 >= down_after => {
                cx.emit(Event::TakenOut {
                    backend: server,
                    failed: failed + 1,
                    reason,
                });
                Belief::Down { passed: 0 }
            }
            (Belief::Up { failed }, Err(_)) => Belief::Up { failed: failed + 1 },
            (Belief::Down { passed }, Ok(_)) if backend.fresh || passed + 1 >= up_after => {
                backend.fresh = false;
                cx.emit(Event::TakenIn {
                    backend: server,
                    passed: passed + 1,
                });
                Belief::Up { failed: 0 }
            }
            (Belief::Down { passed }, Ok(_)) => Belief::Down { passed: passed + 1 },
        };
        true
    }

    /// Chooses among the servers that are believed up and were not tried yet; its place is returned.
    fn choose(&self, tried: &[InstanceId]) -> Option<usize> {
        let backends = self.probe.backends.borrow();
        let open = |index: &usize| backends[*index].is_up() && !tried.contains(&backends[*index].id);
        let count = backends.len();
        let turn = self.turn.get();
        let mut in_turn = (0..count).map(|step| (turn + step) % count.max(1)).filter(open);
        let chosen = match self.members.policy.get() {
            Balance::RoundRobin => in_turn.next()?,
            Balance::LeastConnections => in_turn.min_by_key(|index| backends[*index].in_flight)?,
            Balance::Random => self.draw_one(in_turn)?,
            Balance::PowerOfTwo => {
                let first = self.draw_one(in_turn.clone())?;
                let second = self.draw_one(in_turn.filter(|index| *index != first)).unwrap_or(first);
                if backends[second].in_flight < backends[first].in_flight {
                    second
                } else {
                    first
                }
            }
        };
        self.turn.set((chosen + 1) % count);
        Some(chosen)
    }

    fn draw_one(&self, open: impl Iterator<Item = usize> + Clone) -> Option<usize> {
        let count = open.clone().count() as u64;
        let mut open = open;
        open.nth(self.choices.borrow_mut().draw().below(count) as usize)
    }

    fn change(&self, server: InstanceId, place: usize, change: impl Fn(&mut BackendView)) {
        let mut backends = self.probe.backends.borrow_mut();
        match backends.get_mut(place) {
            Some(backend) if backend.id == server => change(backend),
            _ => backends
                .iter_mut()
                .filter(|backend| backend.id == server)
                .for_each(change),
        }
    }

    async fn forward(&self, cx: &Cx<System>, http: Http) -> Reply {
        let mut tried = Vec::new();
        let mut last = Reply::failure(Reason::NoHealthyBackend, cx.id());
        loop {
            let Some(place) = self.choose(&tried) else { return last };
            let server = self.probe.backends.borrow()[place].id;
            if let Err(Failure { reason, at }) = last.outcome
                && !tried.is_empty()
            {
                cx.emit(Event::Retried { reason, at });
            }
            let in_flight = InFlight::begin(self, server, place);
            let result = cx.call(server, Request::Http(http), self.spec.timeout).await;
            drop(in_flight);
            let broken = result.is_err();
            last = Reply::of_call(result, server);
            last.retries = last.retries.saturating_add(tried.len() as u8);
            if !broken || !http.ask.is_safe() || tried.len() as u32 >= self.spec.retries {
                return last;
            }
            tried.push(server);
        }
    }
}

/// A request in progress at a server, counted as such until it is dropped.
struct InFlight<'a> {
    balancer: &'a LoadBalancer,
    server: InstanceId,
    place: usize,
}

impl<'a> InFlight<'a> {
    fn begin(balancer: &'a LoadBalancer, server: InstanceId, place: usize) -> InFlight<'a> {
        balancer.change(server, place, |backend| {
            backend.in_flight += 1;
            backend.sent += 1;
        });
        InFlight {
            balancer,
            server,
            place,
        }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.balancer.change(self.server, self.place, |backend| {
            backend.in_flight = backend.in_flight.saturating_sub(1);
        });
    }
}

fn view(id: InstanceId, believed: Belief) -> BackendView {
    BackendView {
        id,
        believed,
        fresh: matches!(believed, Belief::Down { .. }),
        in_flight: 0,
        sent: 0,
    }
}

impl Software<System> for LoadBalancer {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        let known: Vec<InstanceId> = self.probe.backends.borrow().iter().map(|backend| backend.id).collect();
        for server in known {
            let phase = self.phases.borrow_mut().draw().unit();
            cx.spawn(Rc::clone(self).check(cx.detached(), server, phase));
        }
        self.reconcile(cx, Belief::Up { failed: 0 });
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Http(http) => {
                let Ok(_slot) = cx.admit().await else {
                    return Reply::failure(Reason::Overloaded, cx.id());
                };
                cx.work(self.work.sample(cx.draw(purpose::BALANCER_WORK), 1.0)).await;
                self.forward(&cx, http).await
            }
            Request::Retune => {
                self.reconcile(&cx, Belief::Down { passed: 0 });
                Reply::answer(Answer::Fine)
            }
            _ => Reply::answer(Answer::Fine),
        }
    }
}
