//! A store of sessions in memory, which a tier of stateless servers shares.

use std::rc::Rc;

use crate::layout;
use crate::observe::{StoreProbe, System};
use crate::protocol::{Answer, Found, Reason, Reply, Request, SessionRequest};
use crate::sim::{Cx, SimTime, Software};

use super::common::demand::Demand;
use super::common::purpose;
use super::common::shelf::{SWEEP, Shelf};

/// A session store.
pub struct SessionStore {
    work: Demand,
    most: u64,
    shelf: Rc<Shelf>,
    probe: Rc<StoreProbe>,
}

impl SessionStore {
    /// A store that finds again what is on its disk, if it keeps anything there.
    pub fn new(cx: &Cx<System>, spec: &layout::SessionStore, probe: Rc<StoreProbe>) -> SessionStore {
        let shelf = if spec.durable {
            cx.disk::<Shelf>()
        } else {
            Rc::default()
        };
        probe.held.set(shelf.len());
        SessionStore {
            work: Demand::new(spec.work),
            most: spec.sessions,
            shelf,
            probe,
        }
    }

    async fn tidy(self: Rc<Self>, cx: Cx<System>) {
        loop {
            cx.sleep(SWEEP).await;
            self.shelf.sweep(cx.now());
            self.probe.held.set(self.shelf.len());
        }
    }

    fn obey(&self, now: SimTime, request: SessionRequest) -> Found {
        let found = match request {
            SessionRequest::Find { owner, id, ttl } => self.shelf.find(owner, id, now, ttl),
            SessionRequest::Keep { owner, id, ttl } => {
                let evicted = self.shelf.keep_among(owner, id, now + ttl, self.most);
                self.probe.evicted.set(self.probe.evicted.get() + evicted);
                Found::Alive
            }
        };
        self.probe.held.set(self.shelf.len());
        found
    }
}

impl Software<System> for SessionStore {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).tidy(cx.detached()));
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        if let Request::Revoke(revocation) = request {
            self.shelf.revoke(&revocation);
            self.probe.held.set(self.shelf.len());
            return Reply::answer(Answer::Fine);
        }
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        cx.work(self.work.sample(cx.draw(purpose::STORE_WORK), 1.0)).await;
        match request {
            Request::Session(request) => Reply::answer(Answer::Session(self.obey(cx.now(), request))),
            _ => Reply::answer(Answer::Fine),
        }
    }
}
