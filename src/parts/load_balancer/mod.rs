//! A load balancer: it spreads requests over servers, checks their health, and tries what failed on the way on another one.

mod balance;
mod pair;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Pair};
use crate::observe::{BackendView, BalancerProbe, Belief, CallsProbe, Circuit, Event, System};
use crate::protocol::{Answer, Failure, Http, Reason, Reply, Request};
use crate::sim::{CallError, Cx, Either, InstanceId, Signal, SimTime, Software, Stream, race};

use super::common::breaker::CircuitBreaker;
use super::common::budget::RetryBudget;
use super::common::demand::Demand;
use super::common::health::learn;
use super::common::purpose;
use super::common::rate_limit::RateLimiter;

use self::balance::Chooser;
use self::pair::Watch;

pub use self::balance::ramp;
pub use self::pair::Floating;

/// What can be changed about balancers between two windows: their settings, and their servers (what service discovery tells them).
#[derive(Debug)]
pub struct Members {
    /// The settings.
    pub spec: RefCell<layout::LoadBalancer>,
    /// The servers and their weights.
    pub servers: RefCell<Vec<(InstanceId, f64)>>,
    /// The address that two of them share, if they do.
    pub floating: Floating,
}

/// A load balancer.
pub struct LoadBalancer {
    work: Demand,
    members: Rc<Members>,
    probe: Rc<BalancerProbe>,
    calls: Rc<CallsProbe>,
    chooser: Chooser,
    weights: RefCell<Vec<f64>>,
    phases: RefCell<Stream>,
    jitter: RefCell<Stream>,
    limiter: RateLimiter,
    budget: RetryBudget,
    breaker: CircuitBreaker,
    watch: Watch,
    /// Settings have changed.
    retuned: Signal,
    /// Counts the views of servers, so that the checks of a former one end.
    views: Cell<u64>,
}

impl LoadBalancer {
    /// A balancer that has just started: it believes that all servers are up.
    pub fn new(cx: &Cx<System>, members: Rc<Members>, probe: Rc<BalancerProbe>, calls: Rc<CallsProbe>) -> LoadBalancer {
        let servers: BTreeSet<InstanceId> = members.servers.borrow().iter().map(|(id, _)| *id).collect();
        probe
            .backends
            .borrow_mut()
            .retain(|backend| servers.contains(&backend.id));
        for backend in probe.backends.borrow_mut().iter_mut() {
            *backend = BackendView {
                sent: backend.sent,
                ..BackendView::new(backend.id, Belief::Up { failed: 0 })
            };
        }
        probe.active.set(false);
        calls.breaker.set(Circuit::Closed);
        let work = Demand::new(members.spec.borrow().work);
        LoadBalancer {
            work,
            members,
            probe,
            calls,
            chooser: Chooser::new(cx.stream("choices")),
            weights: RefCell::default(),
            phases: RefCell::new(cx.stream("checks")),
            jitter: RefCell::new(cx.stream("backoff")),
            limiter: RateLimiter::default(),
            budget: RetryBudget::new(None),
            breaker: CircuitBreaker::new(None),
            watch: Watch::default(),
            retuned: Signal::default(),
            views: Cell::new(0),
        }
    }

    /// Takes in servers that have come and forgets those that have gone.
    fn reconcile(self: &Rc<Self>, cx: &Cx<System>, believed: Belief) {
        let given = self.members.servers.borrow();
        let servers: BTreeSet<InstanceId> = given.iter().map(|(id, _)| *id).collect();
        let mut backends = self.probe.backends.borrow_mut();
        backends.retain(|backend| servers.contains(&backend.id));
        let known: BTreeSet<InstanceId> = backends.iter().map(|backend| backend.id).collect();
        for id in servers.difference(&known) {
            self.views.set(self.views.get() + 1);
            backends.push(BackendView {
                number: self.views.get(),
                ..BackendView::new(*id, believed)
            });
            let phase = self.phases.borrow_mut().draw().unit();
            cx.spawn(Rc::clone(self).check(cx.detached(), (*id, self.views.get()), phase));
        }
        self.chooser.reset(&backends);
        let weight = |backend: &BackendView| {
            let given = given.iter().find(|(id, _)| *id == backend.id);
            given.map_or(1.0, |(_, weight)| *weight)
        };
        *self.weights.borrow_mut() = backends.iter().map(weight).collect();
    }

    /// Checks one server for as long as it belongs here.
    async fn check(self: Rc<Self>, cx: Cx<System>, (server, view): (InstanceId, u64), phase: f64) {
        self.pause(&cx, cx.now(), phase).await;
        loop {
            let rules = self.members.spec.borrow().health;
            let began = cx.now();
            let reply = Reply::of_call(cx.call(server, Request::Check, rules.timeout).await, server);
            let news = {
                let mut backends = self.probe.backends.borrow_mut();
                let is_it = |backend: &&mut BackendView| backend.id == server && backend.number == view;
                let Some(backend) = backends.iter_mut().find(is_it) else {
                    return;
                };
                let news = learn(backend, &rules, &reply);
                if matches!(news, Some(Event::TakenIn { .. })) && !self.members.spec.borrow().slow_start.is_zero() {
                    backend.ramping = Some(cx.now());
                }
                news
            };
            if let Some(news) = news {
                cx.emit(news);
            }
            self.pause(&cx, began, 1.0).await;
        }
    }

    /// Waits for a share of the interval. Whoever shortens it means the one that runs, too.
    async fn pause(&self, cx: &Cx<System>, since: SimTime, share: f64) {
        loop {
            let next = since + self.members.spec.borrow().health.every.mul_f64(share);
            if next <= cx.now() {
                return;
            }
            if let Either::First(()) = race(cx.sleep_until(next), self.retuned.wait(cx)).await {
                return;
            }
        }
    }

    /// The place and the address of the next server for a request.
    fn choose(&self, cx: &Cx<System>, http: &Http, tried: &[InstanceId]) -> Option<(usize, InstanceId)> {
        let spec = self.members.spec.borrow();
        let backends = self.probe.backends.borrow();
        let weights = self.weights.borrow();
        let place = self
            .chooser
            .choose(&spec, &weights, &backends, (http, tried), cx.now())?;
        Some((place, backends[place].id))
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

    /// Forwards a request, if the breaker lets it pass and a connection comes free.
    async fn forward(self: &Rc<Self>, cx: &Cx<System>, http: Http) -> Reply {
        let policy = self.members.spec.borrow().calls;
        count(&self.calls.calls);
        self.show(cx, self.breaker.tune(policy.breaker));
        let verdict = self.breaker.allow(cx.now());
        self.show(cx, verdict.change);
        let Some(ticket) = verdict.ticket else {
            count(&self.calls.stopped);
            count(&self.calls.failed);
            return Reply::failure(Reason::CircuitOpen, cx.id());
        };
        let connections = &self.calls.connections;
        connections.set_limit(cx, policy.connections);
        let _connection = match connections.try_pass(cx) {
            Some(connection) => connection,
            None => match race(connections.pass(cx), cx.sleep(policy.timeout)).await {
                Either::First(connection) => connection,
                Either::Second(()) => {
                    count(&self.calls.failed);
                    return Reply::failure(Reason::PoolExhausted, cx.id());
                }
            },
        };
        let reply = self.try_servers(cx, http, &policy).await;
        self.show(cx, ticket.end(cx.now(), reply.outcome.is_ok()));
        reply
    }

    /// Reports that the breaker has changed its state.
    fn show(&self, cx: &Cx<System>, change: Option<Circuit>) {
        if let Some(state) = change {
            self.calls.breaker.set(state);
            let first = self.probe.backends.borrow().first().map(|backend| backend.id);
            cx.emit(Event::Breaker {
                to: first.unwrap_or(cx.id()),
                state,
            });
        }
    }

    /// Asks a server, and another one when that fails on the way.
    async fn try_servers(self: &Rc<Self>, cx: &Cx<System>, mut http: Http, policy: &layout::Calls) -> Reply {
        http.once |= policy.retry_writes;
        let mut tried = Vec::new();
        let mut last = Reply::failure(Reason::NoHealthyBackend, cx.id());
        self.budget.tune(policy.budget);
        self.budget.deposit(cx.now());
        while let Some((place, server)) = self.choose(cx, &http, &tried) {
            if let Err(Failure { reason, at }) = last.outcome
                && !tried.is_empty()
            {
                count(&self.calls.retried);
                cx.emit(Event::Retried { reason, at });
            }
            let retries = tried.len() as u32;
            let (result, server) = self.attempt(cx, http, (place, server), &mut tried, policy).await;
            let broken = result.is_err();
            self.judge(cx, server, broken_by(&result, server));
            last = Reply::of_call(result, server);
            last.retries = last.retries.saturating_add(retries as u8);
            if !broken || !http.is_repeatable() || retries >= policy.retries {
                break;
            }
            if !self.budget.take(cx.now()) {
                count(&self.calls.over_budget);
                break;
            }
            let wait = self.backoff(policy, retries);
            if !wait.is_zero() {
                cx.sleep(wait).await;
            }
            if !tried.contains(&server) {
                tried.push(server);
            }
        }
        if last.outcome.is_err() {
            count(&self.calls.failed);
        }
        self.stick(last, &http)
    }

    fn backoff(&self, policy: &layout::Calls, tries: u32) -> Duration {
        if policy.backoff.is_zero() {
            return Duration::ZERO;
        }
        let most = policy
            .backoff
            .mul_f64(f64::from(1_u32 << tries.min(20)))
            .min(policy.backoff_most);
        most.mul_f64(self.jitter.borrow_mut().draw().unit())
    }

    /// One try. A read that has no answer for long may be asked of a second server as well; the first answer counts.
    async fn attempt(
        &self,
        cx: &Cx<System>,
        http: Http,
        (place, server): (usize, InstanceId),
        tried: &mut Vec<InstanceId>,
        policy: &layout::Calls,
    ) -> (Result<Reply, CallError>, InstanceId) {
        let _first = InFlight::begin(self, server, place);
        let mut call = cx.call(server, Request::Http(http), policy.timeout);
        let Some(hedge) = policy.hedge.filter(|_| http.ask.is_safe()) else {
            return (call.await, server);
        };
        if let Either::First(result) = race(&mut call, cx.sleep(hedge)).await {
            return (result, server);
        }
        tried.push(server);
        let second = self.choose(cx, &http, tried);
        let Some((place, other)) = second.filter(|_| self.budget.take(cx.now())) else {
            return (call.await, server);
        };
        count(&self.calls.hedged);
        let _second = InFlight::begin(self, other, place);
        tried.push(other);
        let mut again = cx.call(other, Request::Http(http), policy.timeout);
        // One that breaks leaves the other its chance.
        match race(&mut call, &mut again).await {
            Either::First(Err(_)) => (again.await, other),
            Either::First(result) => (result, server),
            Either::Second(Err(_)) => (call.await, server),
            Either::Second(result) => (result, other),
        }
    }

    /// Passive checks: what breaks real requests is ejected for a while.
    fn judge(self: &Rc<Self>, cx: &Cx<System>, server: InstanceId, error: Option<Reason>) {
        let Some(outlier) = self.members.spec.borrow().outlier else {
            return;
        };
        let mut backends = self.probe.backends.borrow_mut();
        let ejected = backends.iter().filter(|backend| backend.ejected.is_some()).count();
        let count = backends.len();
        let Some(backend) = backends.iter_mut().find(|backend| backend.id == server) else {
            return;
        };
        let Some(error) = error else {
            backend.broken = 0;
            return;
        };
        backend.broken += 1;
        let room = ejected == 0 || (ejected + 1) as f64 <= outlier.most * count as f64;
        if backend.broken < outlier.errors || backend.ejected.is_some() || !room {
            return;
        }
        backend.ejections += 1;
        let until = cx.now() + outlier.eject * backend.ejections;
        backend.ejected = Some(until);
        cx.emit(Event::Ejected {
            backend: server,
            failed: backend.broken,
            reason: error,
            until,
        });
        backend.broken = 0;
        cx.spawn(Rc::clone(self).pardon(cx.detached(), server, until));
    }

    async fn pardon(self: Rc<Self>, cx: Cx<System>, server: InstanceId, until: SimTime) {
        cx.sleep_until(until).await;
        let mut backends = self.probe.backends.borrow_mut();
        if let Some(backend) = backends.iter_mut().find(|backend| backend.id == server) {
            backend.ejected = None;
            cx.emit(Event::Returned { backend: server });
        }
    }

    /// Gives the client a cookie with the server that answered.
    fn stick(&self, mut reply: Reply, http: &Http) -> Reply {
        if let Ok(Answer::Page { cookie, by, .. }) = &mut reply.outcome
            && self.members.spec.borrow().sticky.is_some()
            && http.cookie != Some(*by)
        {
            *cookie = Some(*by);
        }
        reply
    }

    /// Servers in slow start whose time is over are whole again.
    fn end_ramps(&self, cx: &Cx<System>) {
        let spec = self.members.spec.borrow();
        if spec.slow_start.is_zero() {
            return;
        }
        for backend in self.probe.backends.borrow_mut().iter_mut() {
            if backend.ramping.is_some() && ramp(backend, &spec, cx.now()) >= 1.0 {
                backend.ramping = None;
            }
        }
    }

    /// Of a pair: holds the address and says so, or watches the one who does.
    async fn keep_address(self: Rc<Self>, cx: Cx<System>, every: Duration, down_after: u32) {
        let floating = &self.members.floating;
        loop {
            if self.probe.active.get() {
                floating.announce(&cx);
                cx.sleep(every).await;
                continue;
            }
            // The skew of RFC 9568: of several the one with the highest priority comes first.
            let skew = every.mul_f64(f64::from(256 - floating.priority(cx.id())) / 256.0);
            let deadline = self.watch.heard.get() + every * down_after + skew;
            if cx.now() < deadline {
                cx.sleep_until(deadline).await;
                continue;
            }
            self.probe.active.set(true);
            floating.report(&cx);
        }
    }

    fn hear(&self, cx: &Cx<System>, priority: u32) {
        if priority > self.members.floating.priority(cx.id()) {
            self.probe.active.set(false);
            self.watch.heard.set(cx.now());
        }
    }
}

/// Why a server broke a request, if it did: nothing came back, or it turned the request away itself.
fn broken_by(result: &Result<Reply, CallError>, server: InstanceId) -> Option<Reason> {
    match result {
        Err(error) => Some((*error).into()),
        Ok(Reply {
            outcome: Err(Failure { reason, at }),
            ..
        }) if *at == server => Some(*reason),
        Ok(_) => None,
    }
}

fn count(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
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

impl Software<System> for LoadBalancer {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        let known: Vec<InstanceId> = self.probe.backends.borrow().iter().map(|backend| backend.id).collect();
        for server in known {
            let phase = self.phases.borrow_mut().draw().unit();
            cx.spawn(Rc::clone(self).check(cx.detached(), (server, 0), phase));
        }
        self.reconcile(cx, Belief::Up { failed: 0 });
        if let Pair::Floating { every, down_after } = self.members.spec.borrow().pair {
            let first = self.members.floating.address.get() == Some(cx.id());
            self.probe.active.set(first && cx.now().0 == 0);
            self.watch.heard.set(cx.now());
            cx.spawn(Rc::clone(self).keep_address(cx.detached(), every, down_after));
        }
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Http(http) => {
                let limit = self.members.spec.borrow().rate_limit;
                if limit.is_some_and(|limit| !self.limiter.passes(limit, cx.now())) {
                    return Reply::failure(Reason::RateLimited, cx.id());
                }
                let Ok(_slot) = cx.admit().await else {
                    return Reply::failure(Reason::Overloaded, cx.id());
                };
                cx.work(self.work.sample(cx.draw(purpose::BALANCER_WORK), 1.0)).await;
                self.end_ramps(&cx);
                self.forward(&cx, http).await
            }
            Request::Advertise { priority } => {
                self.hear(&cx, priority);
                Reply::answer(Answer::Fine)
            }
            Request::Retune => {
                self.reconcile(&cx, Belief::Down { passed: 0 });
                self.retuned.raise(&cx);
                Reply::answer(Answer::Fine)
            }
            // Whoever checks a balancer checks what is behind it.
            Request::Check if self.probe.backends.borrow().iter().all(|backend| !backend.is_up()) => {
                Reply::failure(Reason::NoHealthyBackend, cx.id())
            }
            _ => Reply::answer(Answer::Fine),
        }
    }
}
