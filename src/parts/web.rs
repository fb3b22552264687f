//! A web server: a slot for each request, held until it has answered, and core time for making the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::layout;
use crate::observe::{System, WebProbe};
use crate::protocol::{Answer, Http, Reason, Reply, Request};
use crate::sim::{Cx, Software};

use super::common::pages::Maker;
use super::common::rate_limit::RateLimiter;
use super::common::shelf::SWEEP;

/// Core time of a health check: a page that does nothing.
const CHECK_NANOS: u64 = 100_000;

/// A web server.
pub struct Web {
    /// Its settings. They are changed between two windows.
    spec: Rc<RefCell<layout::Web>>,
    maker: Maker,
    limiter: RateLimiter,
    probe: Rc<WebProbe>,
    taken: Cell<u64>,
}

impl Web {
    /// A web server with empty memory.
    pub fn new(spec: Rc<RefCell<layout::Web>>, maker: Maker, probe: Rc<WebProbe>) -> Web {
        probe.held.set(0);
        Web {
            spec,
            maker,
            limiter: RateLimiter::default(),
            probe,
            taken: Cell::new(0),
        }
    }

    async fn tidy(self: Rc<Self>, cx: Cx<System>) {
        loop {
            cx.sleep(SWEEP).await;
            self.maker.sweep(cx.now());
            self.probe.held.set(self.maker.held());
        }
    }

    async fn page(&self, cx: &Cx<System>, http: &Http) -> Reply {
        self.taken.set(self.taken.get() + 1);
        let (rate_limit, shed) = {
            let spec = self.spec.borrow();
            (spec.rate_limit, spec.shed)
        };
        if rate_limit.is_some_and(|limit| !self.limiter.passes(limit, cx.now())) {
            return Reply::failure(Reason::RateLimited, cx.id());
        }
        let arrived = cx.now();
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        if shed.is_some_and(|longest| cx.now() - arrived > longest) {
            return Reply::failure(Reason::Shed, cx.id());
        }
        let reply = self.maker.answer(cx, http).await;
        self.probe.held.set(self.maker.held());
        if reply.outcome.is_ok() {
            let sent = &self.probe.sent_bytes;
            sent.set(sent.get() + u64::from(http.bytes));
        }
        reply
    }
}

impl Software<System> for Web {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).tidy(cx.detached()));
        self.maker.start(cx);
    }

    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            match &request {
                Request::Http(http) => self.page(&cx, http).await,
                Request::Revoke(revocation) => {
                    self.maker.revoke(revocation);
                    self.probe.held.set(self.maker.held());
                    Reply::answer(Answer::Fine)
                }
                Request::Purge(key) => {
                    self.maker.purge(*key);
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
                    self.maker.hear(*shard, cx.from(), *term);
                    Reply::answer(Answer::Fine)
                }
                Request::Measure => {
                    let (busy, cores) = cx.processors();
                    Reply::answer(Answer::Load {
                        busy,
                        cores,
                        requests: self.taken.get(),
                    })
                }
                _ => {
                    let Ok(_slot) = cx.admit().await else {
                        return Reply::failure(Reason::Overloaded, cx.id());
                    };
                    cx.work(CHECK_NANOS).await;
                    Reply::answer(Answer::Fine)
                }
            }
        }
    }
}
