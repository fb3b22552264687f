//! How an instance treats one callee: timeouts, retries with backoff within a budget, a circuit breaker, a pool of connections
//! and hedged requests.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::Calls;
use crate::observe::{CallsProbe, Circuit, Event, System};
use crate::protocol::{CacheRequest, Failure, Operation, Reason, Reply, Request, SessionRequest};
use crate::sim::{CallError, Cx, Either, InstanceId, Passage, SimTime, Stream, nanos, race};

use super::breaker::{CircuitBreaker, Ticket};
use super::budget::RetryBudget;

/// What an instance knows of one callee and how it calls it. The settings are read anew at each try, so that they can be changed
/// while it works. Each of its futures is safe to drop at any moment.
pub struct Caller {
    settings: Rc<RefCell<Calls>>,
    probe: Rc<CallsProbe>,
    breaker: CircuitBreaker,
    budget: RetryBudget,
    backoff: RefCell<Stream>,
}

/// Whom the calls of one errand go to: always the same, or one of several, which a function can name.
pub trait Targets {
    /// What lasts as long as a call does.
    type Stay;

    /// Names whom to call next, given how many were named before; `None` when nobody is left.
    fn next(&mut self, named: u32) -> Option<InstanceId>;

    /// Whether somebody is left.
    fn any_left(&self) -> bool {
        true
    }

    /// A call is sent.
    fn begin(&self, to: InstanceId) -> Self::Stay;

    /// A call has ended.
    fn ended(&self, _to: InstanceId, _result: &Result<Reply, CallError>) {}
}

impl<F: FnMut(u32) -> InstanceId> Targets for F {
    type Stay = ();

    fn next(&mut self, named: u32) -> Option<InstanceId> {
        Some(self(named))
    }

    fn begin(&self, _: InstanceId) {}
}

/// When a call is to have ended with all its tries: what is left of somebody's patience.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// When the patience began.
    pub began: SimTime,
    /// How long it lasts.
    pub patience: Duration,
}

/// What is asked, whatever the try.
struct Errand<'a, T> {
    cx: &'a Cx<System>,
    request: &'a Request,
    safe: bool,
    deadline: Option<Deadline>,
    targets: T,
    /// How many targets were named.
    named: u32,
}

/// One try.
#[derive(Clone, Copy)]
struct Try {
    to: InstanceId,
    timeout: Duration,
    hedge: Option<Duration>,
    /// When it is over. Never later than its beginning and the timeout.
    until: SimTime,
}

/// How a try ended.
enum End {
    /// With a reply, which may be a failure of the callee.
    Answered(Reply),
    /// On the way.
    Broke(CallError, InstanceId),
    /// Before anything was sent.
    Stopped(Reason, InstanceId),
    /// Nobody is left to be called.
    Nobody,
}

impl Caller {
    /// A caller that has just started: the breaker is closed. The name of the callee tells its draws from those for others.
    pub fn new(cx: &Cx<System>, callee: &str, settings: Rc<RefCell<Calls>>, probe: Rc<CallsProbe>) -> Caller {
        probe.breaker.set(Circuit::Closed);
        let (breaker, budget) = {
            let calls = settings.borrow();
            (CircuitBreaker::new(calls.breaker), RetryBudget::new(calls.budget))
        };
        Caller {
            settings,
            probe,
            breaker,
            budget,
            backoff: RefCell::new(cx.stream(&format!("backoff {callee}"))),
        }
    }

    /// Whether writes are repeated too, with an idempotency key.
    pub fn repeats_writes(&self) -> bool {
        self.settings.borrow().retry_writes
    }

    /// Calls one callee. `safe`: the request may be repeated.
    pub async fn call(&self, cx: &Cx<System>, to: InstanceId, request: Request, safe: bool) -> Reply {
        self.call_to(cx, |_| to, &request, safe, None).await
    }

    /// Calls one of several: `targets` names one for each try and for each second request. With a deadline no try lasts longer and no
    /// other begins later than that. Where nobody is left it ends with what broke last.
    #[inline]
    pub fn call_to<'a, T: Targets + 'a>(
        &'a self,
        cx: &'a Cx<System>,
        targets: T,
        request: &'a Request,
        safe: bool,
        deadline: Option<Deadline>,
    ) -> impl Future<Output = Reply> + 'a {
        // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
        self.run(Errand {
            cx,
            request,
            safe,
            deadline,
            targets,
            named: 0,
        })
    }

    #[allow(clippy::manual_async_fn, reason = "an errand lies in memory once, not twice")]
    fn run<'a, T: Targets + 'a>(&'a self, mut errand: Errand<'a, T>) -> impl Future<Output = Reply> + 'a {
        async move { self.pursue(&mut errand).await }
    }

    async fn pursue(&self, errand: &mut Errand<'_, impl Targets>) -> Reply {
        let cx = errand.cx;
        CallsProbe::count(&self.probe.calls);
        let mut retries = 0;
        let mut broken = Failure {
            reason: Reason::NoHealthyBackend,
            at: cx.id(),
        };
        let mut reply = loop {
            let (error, at) = match self.attempt(errand, retries == 0).await {
                End::Answered(reply) => break reply,
                End::Stopped(reason, at) => break self.stopped(reason, at),
                End::Nobody => break Reply::failure(broken.reason, broken.at),
                End::Broke(error, at) => (error, at),
            };
            let pause = match self.reconsider(errand, retries, error, at) {
                Ok(pause) => pause,
                Err(reply) => break reply,
            };
            if !pause.is_zero() {
                cx.sleep(pause).await;
            }
            if !self.breaker.would_allow(cx.now()) {
                break self.stopped(Reason::CircuitOpen, at);
            }
            CallsProbe::count(&self.probe.retried);
            let reason = Reason::from(error);
            broken = Failure { reason, at };
            cx.emit(Event::Retried {
                reason,
                at,
                later: cx.is_in_background(),
            });
            retries += 1;
        };
        if reply.outcome.is_err() {
            CallsProbe::count(&self.probe.failed);
        }
        reply.retries = reply.retries.saturating_add(u8::try_from(retries).unwrap_or(u8::MAX));
        reply
    }

    /// Lets changed settings take effect for those who wait for a connection; all else takes effect with the next try.
    pub fn retune(&self, cx: &Cx<System>) {
        self.probe.connections.set_limit(cx, self.settings.borrow().connections);
    }

    /// One try: breaker, connection, call. What is rare is put into a box, to keep it out of the memory of every handler.
    #[inline]
    async fn attempt(&self, errand: &mut Errand<'_, impl Targets>, first: bool) -> End {
        let cx = errand.cx;
        let Some(plan) = self.plan(errand, first) else {
            return End::Nobody;
        };
        if plan.until <= cx.now() {
            return End::Broke(CallError::TimedOut, plan.to);
        }
        let Some(mut ticket) = self.ask_breaker(cx, plan.to) else {
            return End::Stopped(Reason::CircuitOpen, plan.to);
        };
        let _connection = if let Some(passage) = self.probe.connections.try_pass(cx) {
            passage
        } else {
            // While it waits it is no probe, and when it has waited the breaker may have opened.
            drop(ticket);
            let Some(passage) = Box::pin(self.wait_for_connection(cx, plan.until)).await else {
                return End::Stopped(Reason::PoolExhausted, cx.id());
            };
            let Some(again) = self.ask_breaker(cx, plan.to) else {
                return End::Stopped(Reason::CircuitOpen, plan.to);
            };
            ticket = again;
            passage
        };
        let stay = errand.targets.begin(plan.to);
        let (result, to) = match plan.hedge {
            Some(after) if !ticket.is_probe() => Box::pin(self.hedged(errand, plan, after)).await,
            _ => (bounded(cx, plan, errand.request).await, plan.to),
        };
        drop(stay);
        errand.targets.ended(to, &result);
        let ok = result.as_ref().is_ok_and(|reply| reply.outcome.is_ok());
        self.show(cx, plan.to, ticket.end(cx.now(), ok));
        match result {
            Ok(reply) => End::Answered(reply),
            Err(error) => End::Broke(error, to),
        }
    }

    /// Reads the settings and makes a try of them.
    #[inline]
    fn plan(&self, errand: &mut Errand<'_, impl Targets>, first: bool) -> Option<Try> {
        let (cx, now) = (errand.cx, errand.cx.now());
        let to = errand.target()?;
        let calls = self.settings.borrow();
        self.probe.connections.set_limit(cx, calls.connections);
        self.budget.tune(calls.budget);
        if first {
            self.budget.deposit(now);
        }
        self.show(cx, to, self.breaker.tune(calls.breaker));
        // The timeout of the call is the same for all who have the same patience, since each other one costs a list.
        let (timeout, until) = match errand.deadline {
            None => (calls.timeout, now + calls.timeout),
            Some(deadline) => {
                let timeout = calls.timeout.min(deadline.patience);
                (timeout, (now + timeout).min(deadline.at()))
            }
        };
        Some(Try {
            to,
            timeout,
            hedge: calls.hedge.filter(|_| errand.safe && is_read(errand.request)),
            until,
        })
    }

    #[inline]
    fn ask_breaker(&self, cx: &Cx<System>, to: InstanceId) -> Option<Ticket<'_>> {
        let verdict = self.breaker.allow(cx.now());
        self.show(cx, to, verdict.change);
        verdict.ticket
    }

    #[inline]
    fn show(&self, cx: &Cx<System>, to: InstanceId, change: Option<Circuit>) {
        if let Some(state) = change {
            self.probe.breaker.set(state);
            cx.emit(Event::Breaker { to, state });
        }
    }

    async fn wait_for_connection<'a>(&'a self, cx: &'a Cx<System>, until: SimTime) -> Option<Passage<'a, System>> {
        match race(self.probe.connections.pass(cx), cx.sleep_until(until)).await {
            Either::First(passage) => Some(passage),
            Either::Second(()) => None,
        }
    }

    /// A call that is made a second time when no answer has come after a while; the first answer wins. The second one needs a
    /// connection of its own, a place in the budget, and ends with the first.
    async fn hedged(
        &self,
        errand: &mut Errand<'_, impl Targets>,
        plan: Try,
        after: Duration,
    ) -> (Result<Reply, CallError>, InstanceId) {
        let (cx, request) = (errand.cx, errand.request);
        let mut first = pin!(bounded(cx, plan, request));
        if let Either::First(result) = race(first.as_mut(), cx.sleep(after)).await {
            return (result, plan.to);
        }
        let Some(_connection) = self.probe.connections.try_pass(cx) else {
            return (first.await, plan.to);
        };
        if !errand.targets.any_left() || !self.afford(cx) {
            return (first.await, plan.to);
        }
        let Some(to) = errand.target() else {
            return (first.await, plan.to);
        };
        CallsProbe::count(&self.probe.hedged);
        let _stay = errand.targets.begin(to);
        let mut second = pin!(cx.call(to, *request, plan.timeout));
        match race(first.as_mut(), second.as_mut()).await {
            Either::First(Ok(reply)) => (Ok(reply), plan.to),
            Either::Second(Ok(reply)) => (Ok(reply), to),
            Either::First(Err(CallError::TimedOut)) => (Err(CallError::TimedOut), plan.to),
            // The other may still answer, until the try is over.
            Either::First(Err(_)) => match race(second, cx.sleep_until(plan.until)).await {
                Either::First(result) => (result, to),
                Either::Second(()) => (Err(CallError::TimedOut), to),
            },
            Either::Second(Err(_)) => (first.await, plan.to),
        }
    }

    fn afford(&self, cx: &Cx<System>) -> bool {
        let affordable = self.budget.take(cx.now());
        if !affordable {
            CallsProbe::count(&self.probe.over_budget);
        }
        affordable
    }

    /// After a call broke on the way: how long to wait before the next try, or the reply if there is none.
    fn reconsider(
        &self,
        errand: &Errand<'_, impl Targets>,
        retries: u32,
        error: CallError,
        at: InstanceId,
    ) -> Result<Duration, Reply> {
        let cx = errand.cx;
        let broken = Err(Reply::failure(error.into(), at));
        if !errand.safe || retries >= self.settings.borrow().retries || !errand.targets.any_left() {
            return broken;
        }
        let pause = self.pause(retries);
        if errand
            .deadline
            .is_some_and(|deadline| cx.now() + pause >= deadline.at())
        {
            return broken;
        }
        if !self.breaker.would_allow(cx.now()) {
            return Err(self.stopped(Reason::CircuitOpen, at));
        }
        if self.afford(cx) { Ok(pause) } else { broken }
    }

    /// Full jitter: uniform from 0 to a bound that doubles with each retry (Brooker, Exponential Backoff and Jitter, AWS
    /// Architecture Blog, 2015).
    fn pause(&self, retries: u32) -> Duration {
        let (backoff, most) = {
            let calls = self.settings.borrow();
            (nanos(calls.backoff), nanos(calls.backoff_most))
        };
        let factor = 1_u64.checked_shl(retries).unwrap_or(u64::MAX);
        match backoff.saturating_mul(factor).min(most) {
            0 => Duration::ZERO,
            bound => Duration::from_nanos(self.backoff.borrow_mut().draw().below(bound)),
        }
    }

    fn stopped(&self, reason: Reason, at: InstanceId) -> Reply {
        if reason == Reason::CircuitOpen {
            CallsProbe::count(&self.probe.stopped);
        }
        Reply::failure(reason, at)
    }
}

impl Deadline {
    /// The moment.
    pub fn at(self) -> SimTime {
        self.began + self.patience
    }
}

impl<T: Targets> Errand<'_, T> {
    #[inline]
    fn target(&mut self) -> Option<InstanceId> {
        let to = self.targets.next(self.named);
        self.named += 1;
        to
    }
}

/// A call that ends with its try. The end mostly is the call's own timeout; only what waited before, or a patience that ends sooner,
/// takes a timer of its own.
#[inline]
fn bounded<'a>(
    cx: &'a Cx<System>,
    plan: Try,
    request: &Request,
) -> impl Future<Output = Result<Reply, CallError>> + use<'a> {
    let mut call = cx.call(plan.to, *request, plan.timeout);
    let sooner = (plan.until != cx.now() + plan.timeout).then_some(plan.until);
    async move {
        let Some(until) = sooner else { return (&mut call).await };
        match Box::pin(race(call, cx.sleep_until(until))).await {
            Either::First(result) => result,
            Either::Second(()) => Err(CallError::TimedOut),
        }
    }
}

/// Whether a request only reads: what may be repeated after a failure need not be fit to be sent twice at once.
fn is_read(request: &Request) -> bool {
    match request {
        Request::Http(http) => http.ask.is_safe(),
        Request::Query(query) => query.operation == Operation::Read,
        Request::Cache(request) => matches!(request, CacheRequest::Get { .. }),
        Request::Session(session) => matches!(session, SessionRequest::Find { .. }),
        Request::Lookup(_) | Request::Check => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
