//! A load balancer: it spreads requests over servers, checks their health, and tries what failed on the way on another one.

mod balance;
mod least;
mod pair;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Pair};
use crate::observe::{BackendView, BalancerProbe, Belief, Event, System};
use crate::protocol::{Answer, Failure, Http, Reason, Reply, Request};
use crate::sim::{CallError, Cx, Either, InstanceId, Signal, SimTime, Software, Stream, race};

use super::common::caller::{Caller, Targets};
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
    caller: Caller,
    chooser: Chooser,
    weights: RefCell<Vec<f64>>,
    phases: RefCell<Stream>,
    limiter: RateLimiter,
    watch: Watch,
    /// Settings have changed.
    retuned: Signal,
    /// Counts the views of servers, so that the checks of a former one end.
    views: Cell<u64>,
}

impl LoadBalancer {
    /// A balancer that has just started: it believes that all servers are up.
    pub fn new(cx: &Cx<System>, members: Rc<Members>, probe: Rc<BalancerProbe>, caller: Caller) -> LoadBalancer {
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
        let work = Demand::new(members.spec.borrow().work);
        LoadBalancer {
            work,
            members,
            probe,
            caller,
            chooser: Chooser::new(cx.stream("choices")),
            weights: RefCell::default(),
            phases: RefCell::new(cx.stream("checks")),
            limiter: RateLimiter::default(),
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
        // Where all are new there is nobody to wait with: they are asked before they have passed a check.
        let believed = if known.is_empty() {
            Belief::Up { failed: 0 }
        } else {
            believed
        };
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
        let mut weights = vec![1.0; backends.len()];
        for (id, weight) in given.iter() {
            if let Some(place) = self.chooser.place(*id) {
                weights[place] = *weight;
            }
        }
        *self.weights.borrow_mut() = weights;
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
                let place = self.chooser.place(server);
                let Some(place) = place.filter(|place| backends[*place].number == view) else {
                    return;
                };
                let backend = &mut backends[place];
                let news = learn(backend, &rules, &reply);
                if matches!(news, Some(Event::TakenIn { .. })) && !self.members.spec.borrow().slow_start.is_zero() {
                    backend.ramping = Some(cx.now());
                }
                self.chooser.note(place, backend);
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

    /// Changes what is known of a server, which stood at this place when last seen.
    fn change(&self, server: InstanceId, place: usize, change: impl Fn(&mut BackendView)) {
        let mut backends = self.probe.backends.borrow_mut();
        let place = match backends.get(place) {
            Some(backend) if backend.id == server => Some(place),
            _ => self.chooser.place(server),
        };
        if let Some(place) = place {
            change(&mut backends[place]);
            self.chooser.note(place, &backends[place]);
        }
    }

    /// Forwards a request, to another server when one fails on the way.
    async fn forward(self: &Rc<Self>, cx: &Cx<System>, request: &Request, http: &Http) -> Reply {
        let servers = Servers {
            balancer: self,
            cx,
            http,
            named: None,
            tried: Vec::new(),
        };
        let reply = self
            .caller
            .call_to(cx, servers, request, http.is_repeatable(), None)
            .await;
        self.stick(reply, http)
    }

    /// Passive checks: what breaks real requests is ejected for a while.
    fn judge(self: &Rc<Self>, cx: &Cx<System>, server: InstanceId, error: Option<Reason>) {
        let Some(outlier) = self.members.spec.borrow().outlier else {
            return;
        };
        let mut backends = self.probe.backends.borrow_mut();
        let Some(place) = self.chooser.place(server) else {
            return;
        };
        let Some(error) = error else {
            backends[place].broken = 0;
            return;
        };
        let ejected = backends.iter().filter(|backend| backend.ejected.is_some()).count();
        let room = ejected == 0 || (ejected + 1) as f64 <= outlier.most * backends.len() as f64;
        let backend = &mut backends[place];
        backend.broken += 1;
        if backend.broken < outlier.errors || backend.ejected.is_some() || !room {
            return;
        }
        backend.ejections += 1;
        let until = cx.now() + outlier.eject * backend.ejections;
        backend.ejected = Some(until);
        self.chooser.note(place, backend);
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
        if let Some(place) = self.chooser.place(server) {
            let backend = &mut backends[place];
            backend.ejected = None;
            self.chooser.note(place, backend);
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
        for (place, backend) in self.probe.backends.borrow_mut().iter_mut().enumerate() {
            if backend.ramping.is_some() && ramp(backend, &spec, cx.now()) >= 1.0 {
                backend.ramping = None;
                self.chooser.note(place, backend);
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

/// The servers for one request: none is named twice.
struct Servers<'a> {
    balancer: &'a Rc<LoadBalancer>,
    cx: &'a Cx<System>,
    http: &'a Http,
    /// The place and the address of the one that was named last.
    named: Option<(usize, InstanceId)>,
    /// Those that were named before.
    tried: Vec<InstanceId>,
}

impl<'a> Targets for Servers<'a> {
    type Stay = InFlight<'a>;

    fn next(&mut self, _: u32) -> Option<InstanceId> {
        self.tried.extend(self.named.take().map(|(_, server)| server));
        self.named = self.balancer.choose(self.cx, self.http, &self.tried);
        self.named.map(|(_, server)| server)
    }

    fn any_left(&self) -> bool {
        let named = self.named.map(|(_, server)| server);
        let backends = self.balancer.probe.backends.borrow();
        let mut up = backends.iter().filter(|backend| backend.is_up());
        up.any(|backend| named != Some(backend.id) && !self.tried.contains(&backend.id))
    }

    fn begin(&self, to: InstanceId) -> InFlight<'a> {
        InFlight::begin(self.balancer, to, self.named.map_or(0, |(place, _)| place))
    }

    fn ended(&self, to: InstanceId, result: &Result<Reply, CallError>) {
        self.balancer.judge(self.cx, to, broken_by(result, to));
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

    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, mut request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            if let Request::Http(http) = &mut request {
                http.once |= self.caller.repeats_writes();
            }
            match &request {
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
                    self.forward(&cx, &request, http).await
                }
                Request::Advertise { priority } => {
                    self.hear(&cx, *priority);
                    Reply::answer(Answer::Fine)
                }
                Request::Retune => {
                    self.reconcile(&cx, Belief::Down { passed: 0 });
                    self.retuned.raise(&cx);
                    self.caller.retune(&cx);
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
}
