//! Functions that a provider runs: an instance for each request in progress, started on demand, kept warm for a while.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use crate::layout;
use crate::observe::{ServerlessProbe, System};
use crate::protocol::{Answer, Http, Reason, Reply, Request};
use crate::sim::{Cx, SimTime, Software};

use super::common::demand::Demand;
use super::common::pages::Maker;
use super::common::purpose;

/// The provider's side of a function.
pub struct Serverless {
    limit: Rc<RefCell<layout::Serverless>>,
    keep: Duration,
    cold_start: Demand,
    maker: Maker,
    /// Idle instances: since when. The one that was used last is used next, so that the others can be reclaimed.
    idle: RefCell<VecDeque<SimTime>>,
    probe: Rc<ServerlessProbe>,
}

impl Serverless {
    /// A function of which no instance runs yet.
    pub fn new(spec: Rc<RefCell<layout::Serverless>>, maker: Maker, probe: Rc<ServerlessProbe>) -> Serverless {
        for count in [&probe.busy, &probe.starting, &probe.warm] {
            count.set(0);
        }
        let (keep, cold_start) = {
            let spec = spec.borrow();
            (spec.keep, Demand::new(spec.cold_start))
        };
        Serverless {
            limit: spec,
            keep,
            cold_start,
            maker,
            idle: RefCell::default(),
            probe,
        }
    }

    async fn invoke(&self, cx: &Cx<System>, http: Http) -> Reply {
        let probe = &self.probe;
        let began = cx.now();
        let warm = self.take_warm(began);
        if !warm && probe.busy.get() + probe.starting.get() >= self.limit.borrow().limit {
            add(&probe.throttled, 1);
            return Reply::failure(Reason::Throttled, cx.id());
        }
        add(&probe.invocations, 1);
        if !warm {
            add(&probe.cold_starts, 1);
            probe.starting.set(probe.starting.get() + 1);
            let start = self.cold_start.sample(cx.draw(purpose::COLD_START), 1.0);
            cx.sleep(Duration::from_nanos(start)).await;
            probe.starting.set(probe.starting.get() - 1);
        }
        probe.busy.set(probe.busy.get() + 1);
        let reply = self.maker.answer(cx, &http).await;
        probe.busy.set(probe.busy.get() - 1);
        self.idle.borrow_mut().push_back(cx.now());
        probe.warm.set(self.idle.borrow().len() as u32);
        if reply.outcome.is_ok() {
            add(&probe.sent_bytes, http.bytes.into());
        }
        add(&probe.billed, cx.now().0 - began.0);
        reply
    }

    /// Takes an idle instance, after those have gone that were idle for too long.
    fn take_warm(&self, now: SimTime) -> bool {
        let mut idle = self.idle.borrow_mut();
        while idle.front().is_some_and(|since| *since + self.keep <= now) {
            idle.pop_front();
        }
        let taken = idle.pop_back().is_some();
        self.probe.warm.set(idle.len() as u32);
        taken
    }

    /// Lets instances go that were idle for too long.
    async fn reclaim(self: Rc<Self>, cx: Cx<System>) {
        loop {
            cx.sleep(Duration::from_secs(1)).await;
            let now = cx.now();
            let mut idle = self.idle.borrow_mut();
            while idle.front().is_some_and(|since| *since + self.keep <= now) {
                idle.pop_front();
            }
            self.probe.warm.set(idle.len() as u32);
        }
    }
}

fn add(count: &Cell<u64>, more: u64) {
    count.set(count.get() + more);
}

impl Software<System> for Serverless {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).reclaim(cx.detached()));
        self.maker.start(cx);
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Http(http) => self.invoke(&cx, http).await,
            Request::Purge(key) => {
                self.maker.purge(key);
                Reply::answer(Answer::Fine)
            }
            Request::Expire => {
                self.maker.purge(None);
                Reply::answer(Answer::Fine)
            }
            Request::Retune => {
                self.maker.retune(&cx);
                Reply::answer(Answer::Fine)
            }
            Request::Leads { shard, term } => {
                self.maker.hear(shard, cx.from(), term);
                Reply::answer(Answer::Fine)
            }
            _ => Reply::answer(Answer::Fine),
        }
    }
}
