//! The authoritative name server, run by a third party. It may check the addresses that it gives out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::observe::{BackendView, Belief, DnsProbe, System};
use crate::protocol::{Answer, Reason, Records, Reply, Request};
use crate::sim::{Cx, Either, InstanceId, Signal, SimTime, Software, Stream, race};

use super::common::health::learn;
use super::common::routes::Routes;
use super::common::zone::Zone;

/// The name server.
pub struct Dns {
    zone: Rc<Zone>,
    probe: Rc<DnsProbe>,
    turn: Cell<u64>,
    phases: RefCell<Stream>,
    routes: Routes,
    /// Settings have changed.
    retuned: Signal,
    /// Counts the views of addresses, so that the checks of a former one end.
    views: Cell<u64>,
}

impl Dns {
    /// A name server for this zone. It believes at first that all addresses are up.
    pub fn new(cx: &Cx<System>, zone: Rc<Zone>, probe: Rc<DnsProbe>) -> Dns {
        probe.records.borrow_mut().clear();
        Dns {
            zone,
            probe,
            turn: Cell::new(0),
            phases: RefCell::new(cx.stream("checks")),
            routes: Routes::default(),
            retuned: Signal::default(),
            views: Cell::new(0),
        }
    }

    /// Takes in addresses that have come and forgets those that have gone.
    fn reconcile(self: &Rc<Self>, cx: &Cx<System>, believed: Belief) {
        let names = self.zone.names.borrow();
        let mut records = self.probe.records.borrow_mut();
        records.retain(|record| names.iter().any(|name| name.contains(&record.id)));
        let checked = self.zone.health.get().is_some();
        for address in names.iter().flatten() {
            if records.iter().all(|record| record.id != *address) {
                self.views.set(self.views.get() + 1);
                records.push(BackendView {
                    number: self.views.get(),
                    ..BackendView::new(*address, believed)
                });
                if checked {
                    let phase = self.phases.borrow_mut().draw().unit();
                    cx.spawn(Rc::clone(self).check(cx.detached(), (*address, self.views.get()), phase));
                }
            }
        }
    }

    /// Checks one address for as long as it belongs here.
    async fn check(self: Rc<Self>, cx: Cx<System>, (address, view): (InstanceId, u64), phase: f64) {
        self.pause(&cx, cx.now(), phase).await;
        while let Some(rules) = self.zone.health.get() {
            let began = cx.now();
            let holder = self.routes.holder(address);
            let reply = Reply::of_call(cx.call(holder, Request::Check, rules.timeout).await, holder);
            let news = {
                let mut records = self.probe.records.borrow_mut();
                let is_it = |record: &&mut BackendView| record.id == address && record.number == view;
                let Some(record) = records.iter_mut().find(is_it) else {
                    return;
                };
                learn(record, &rules, &reply)
            };
            if let Some(news) = news {
                cx.emit(news);
            }
            self.pause(&cx, began, 1.0).await;
        }
    }

    /// Waits for a share of the interval. Whoever shortens it means the one that runs, too.
    async fn pause(&self, cx: &Cx<System>, since: SimTime, share: f64) {
        while let Some(rules) = self.zone.health.get() {
            let next = since + rules.every.mul_f64(share);
            if next <= cx.now() {
                return;
            }
            if let Either::First(()) = race(cx.sleep_until(next), self.retuned.wait(cx)).await {
                return;
            }
        }
    }

    /// The addresses of a name in turn, those that are believed down left out, unless all are.
    fn answer(&self, cx: &Cx<System>, name: u16) -> Reply {
        let records = self.probe.records.borrow();
        let believed_up = |address: InstanceId| {
            let record = records.iter().find(|record| record.id == address);
            record.is_none_or(BackendView::is_up)
        };
        let turn = self.turn.get();
        let population = self.zone.population(cx.from());
        let shown = self.zone.answer(name, population, turn, believed_up);
        if shown.is_empty() {
            return Reply::failure(Reason::DnsFailure, cx.id());
        }
        self.turn.set(turn.wrapping_add(1));
        Reply::answer(Answer::Addresses {
            records: Records::new(shown.into_iter()),
            until: cx.now() + self.zone.ttl.get(),
        })
    }
}

impl Software<System> for Dns {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        self.reconcile(cx, Belief::Up { failed: 0 });
    }

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        match request {
            Request::Lookup(name) => self.answer(&cx, name),
            Request::Retune => {
                self.reconcile(&cx, Belief::Down { passed: 0 });
                self.retuned.raise(&cx);
                Reply::answer(Answer::Fine)
            }
            Request::Measured { site, round_trip } => {
                let population = self.zone.population(cx.from());
                self.zone.measured(population, site.into(), round_trip);
                Reply::answer(Answer::Fine)
            }
            Request::Claim { address } => {
                self.routes.claim(address, cx.from());
                Reply::answer(Answer::Fine)
            }
            _ => Reply::answer(Answer::Fine),
        }
    }
}
