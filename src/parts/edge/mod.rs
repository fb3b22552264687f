//! An edge of a content delivery network, or its shield: a cache of whole answers in front of the data centers (RFC 9111, RFC 5861).
//!
//! Kept are static files, and pages if the network is told to. Whatever is of one user only bypasses it: a page whose request shows a session,
//! a balancer's cookie or the user's last write, and one whose answer gives a cookie or says anything of a session. For static files
//! cookies are taken off both ways, as networks are configured for static paths. That there is no such row (404) is kept like
//! the row; failures are not kept.

mod behind;
mod flights;
mod objects;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout;
use crate::observe::{CacheProbe, System};
use crate::protocol::{Answer, Ask, Http, Layer, Pass, PassNews, Reason, Reply, Request, Stamp, Status};
use crate::sim::{Cx, Software};

use super::common::demand::Demand;
use super::common::purpose;
use super::common::site::Site;

use self::behind::Upstream;
use self::flights::{Flight, Flights, Outcome};
use self::objects::{Found, Name, Object, Objects};

pub use self::behind::{Behind, Origin};

/// Objects that an edge fetches anew in the background at once. What is past that is shown as it is.
const REFRESHES: u32 = 1_000;

/// An edge, or a shield.
pub struct Edge {
    layer: Layer,
    /// The settings. They are changed between two windows.
    spec: Rc<RefCell<layout::Cdn>>,
    work: Demand,
    upstream: Upstream,
    site: Rc<Site>,
    probe: Rc<CacheProbe>,
    objects: Objects,
    flights: Flights,
    /// Counts purges: what was asked for before one is not kept after it.
    purges: Cell<u64>,
    /// Objects that are fetched anew in the background.
    refreshing: Cell<u32>,
}

impl Edge {
    /// An edge, or a shield, that holds nothing. The settings are changed between two windows.
    pub fn new(
        cx: &Cx<System>,
        layer: Layer,
        spec: Rc<RefCell<layout::Cdn>>,
        behind: Behind,
        site: Rc<Site>,
        probe: Rc<CacheProbe>,
    ) -> Edge {
        let seed = cx.stream("evictions").draw().0;
        let objects = Objects::new(&spec.borrow(), seed, Rc::clone(&probe));
        let work = Demand::new(spec.borrow().work);
        Edge {
            layer,
            spec,
            work,
            upstream: Upstream::new(behind),
            site,
            probe,
            objects,
            flights: Flights::default(),
            purges: Cell::new(0),
            refreshing: Cell::new(0),
        }
    }

    async fn answer(self: &Rc<Self>, cx: &Cx<System>, http: &mut Http) -> Reply {
        let Ok(_slot) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        let purpose = match self.layer {
            Layer::Shield => purpose::SHIELD_WORK,
            _ => purpose::EDGE_WORK,
        };
        cx.work(self.work.sample(cx.draw(purpose), 1.0)).await;
        take_cookies_off(http);
        let http = &*http;
        let reply = match self.lifetime(http) {
            Some(ttl) => self.look_up(cx, http, ttl).await,
            None => Box::pin(self.pass_on(cx, http)).await,
        };
        if reply.outcome.is_ok() {
            self.probe.count(|tally| tally.served_bytes += u64::from(http.bytes));
        }
        reply
    }

    /// For how long the answer to a request may be kept; `None`: not at all, or nobody else may have it.
    fn lifetime(&self, http: &Http) -> Option<Duration> {
        match http.ask {
            Ask::Asset => Some(self.site.content.asset_ttl).filter(|ttl| !ttl.is_zero()),
            Ask::Page => {
                let shows_who = http.cookie.is_some() || http.pass != Pass::None || http.wrote.1 != Stamp::ORIGINAL;
                self.spec.borrow().pages.filter(|_| !shows_who)
            }
            Ask::Create | Ask::Update | Ask::Delete | Ask::Search | Ask::Upload => None,
        }
    }

    async fn pass_on(&self, cx: &Cx<System>, http: &Http) -> Reply {
        self.probe.count(|tally| tally.bypassed += 1);
        bare(self.upstream.ask(cx, http).await, http)
    }

    async fn look_up(self: &Rc<Self>, cx: &Cx<System>, http: &Http, ttl: Duration) -> Reply {
        let name = Name::of(http);
        let found = self.objects.find(&name, cx.now(), &self.spec.borrow());
        match found {
            Found::Fresh(object) => self.hit(object, http, false),
            Found::Stale(object) => {
                if self.flights.under_way(&name).is_none() && self.refreshing.get() < REFRESHES {
                    self.refreshing.set(self.refreshing.get() + 1);
                    cx.spawn(Rc::clone(self).refresh(cx.under(cx.request()), *http, ttl));
                }
                self.hit(object, http, true)
            }
            Found::Nothing => Box::pin(self.miss(cx, http, (name, ttl))).await,
        }
    }

    /// Answers from what it holds.
    fn hit(&self, object: Object, http: &Http, stale: bool) -> Reply {
        self.probe.count(|tally| {
            tally.lookups += 1;
            tally.hits += 1;
            tally.stale_hits += u64::from(stale);
            tally.negative_hits += u64::from(matches!(object.status, Status::NotFound { .. }));
            tally.hit_bytes += u64::from(http.bytes);
        });
        self.copy(object, http)
    }

    fn copy(&self, object: Object, http: &Http) -> Reply {
        Reply::answer(Answer::Page {
            status: object.status,
            format: http.format,
            by: object.by,
            cookie: None,
            pass: PassNews::NotAsked,
            remember: false,
            copy: Some(self.layer),
            fresh_until: Some(object.until),
        })
    }

    /// Waits for a fetch that is under way, or fetches. What was fetched for somebody else is a copy, too: it may be older than the wish.
    async fn miss(&self, cx: &Cx<System>, http: &Http, (name, ttl): (Name, Duration)) -> Reply {
        while let Some(flight) = self.other_fetch(&name) {
            match flight.end(cx).await {
                Outcome::Found(object) => {
                    self.probe.count(|tally| {
                        tally.lookups += 1;
                        tally.coalesced += 1;
                    });
                    return self.copy(object, http);
                }
                Outcome::Failed(failure) => {
                    let reply = Reply::failure(failure.reason, failure.at);
                    return self.fall_back(cx, reply, (name, http), true);
                }
                Outcome::Private => break,
                Outcome::GivenUp | Outcome::UnderWay => {}
            }
        }
        let (reply, outcome) = self.fetch(cx, http, (name, ttl)).await;
        match outcome {
            Outcome::Failed(_) => return self.fall_back(cx, reply, (name, http), false),
            Outcome::Private => self.probe.count(|tally| tally.bypassed += 1),
            _ => self.probe.count(|tally| tally.lookups += 1),
        }
        reply
    }

    /// The fetch to wait for, if there is one and waiting is allowed.
    fn other_fetch(&self, name: &Name) -> Option<Rc<Flight>> {
        let coalesce = self.spec.borrow().coalesce;
        coalesce.then(|| self.flights.under_way(name)).flatten()
    }

    /// Nothing could be fetched: what it held once may do (RFC 5861, section 4), unless the site only turned the request away.
    fn fall_back(&self, cx: &Cx<System>, reply: Reply, (name, http): (Name, &Http), waited: bool) -> Reply {
        let turned_away = matches!(&reply.outcome, Err(failure) if failure.reason == Reason::RateLimited);
        let most = self.spec.borrow().stale_if_error;
        let old = self.objects.find_old(&name, cx.now(), most).filter(|_| !turned_away);
        if let Some(object) = old {
            let shown = self.hit(object, http, object.until <= cx.now());
            return Reply {
                retries: reply.retries,
                ..shown
            };
        }
        self.probe.count(|tally| {
            tally.lookups += 1;
            tally.coalesced += u64::from(waited);
        });
        reply
    }

    /// Fetches an object and keeps it, if it is for everybody. Its age begins when it was asked for, as far as it has none yet (RFC 9111,
    /// section 4.2.3).
    async fn fetch(&self, cx: &Cx<System>, http: &Http, (name, ttl): (Name, Duration)) -> (Reply, Outcome) {
        let fetching = self.flights.begin(cx, name, &self.probe);
        self.probe.count(|tally| tally.loads += 1);
        let (began, purges) = (cx.now(), self.purges.get());
        let mut reply = bare(self.upstream.ask(cx, http).await, http);
        let outcome = match &mut reply.outcome {
            Err(failure) => {
                self.probe.count(|tally| tally.failed_loads += 1);
                Outcome::Failed(*failure)
            }
            Ok(Answer::Page {
                status: status @ (Status::Read { .. } | Status::NotFound { .. } | Status::Static { .. }),
                by,
                cookie: None,
                pass: PassNews::NotAsked,
                fresh_until,
                ..
            }) => {
                let object = Object {
                    name,
                    status: *status,
                    by: *by,
                    until: *fresh_until.get_or_insert(began + ttl),
                    bytes: http.bytes,
                    expired: false,
                };
                if self.purges.get() == purges {
                    self.objects.keep(object, cx.now(), &self.spec.borrow());
                }
                Outcome::Found(object)
            }
            Ok(_) => Outcome::Private,
        };
        fetching.end(outcome);
        (reply, outcome)
    }

    /// Fetches what is past its time, unless somebody does already.
    async fn refresh(self: Rc<Self>, cx: Cx<System>, http: Http, ttl: Duration) {
        let name = Name::of(&http);
        if self.flights.under_way(&name).is_none() {
            self.probe.count(|tally| tally.refreshes += 1);
            self.fetch(&cx, &http, (name, ttl)).await;
        }
        self.refreshing.set(self.refreshing.get() - 1);
    }

    fn retune(&self, cx: &Cx<System>) {
        self.objects.retune(&self.spec.borrow());
        self.upstream.retune(cx);
    }
}

/// A request for a static file shows nothing of who asks.
fn take_cookies_off(http: &mut Http) {
    if http.ask == Ask::Asset {
        http.cookie = None;
        http.pass = Pass::None;
        http.wrote = (0, Stamp::ORIGINAL);
    }
}

/// Neither does the answer give anything to its user.
fn bare(mut reply: Reply, http: &Http) -> Reply {
    if http.ask == Ask::Asset
        && let Ok(Answer::Page { cookie, pass, .. }) = &mut reply.outcome
    {
        *cookie = None;
        *pass = PassNews::NotAsked;
    }
    reply
}

impl Software<System> for Edge {
    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, mut request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            match &mut request {
                Request::Http(http) => return self.answer(&cx, http).await,
                Request::Purge(key) => {
                    self.purges.set(self.purges.get() + 1);
                    self.objects.purge(*key);
                }
                Request::Expire => self.objects.expire(cx.now()),
                Request::Retune => self.retune(&cx),
                Request::Claim { address } => self.upstream.claim(*address, cx.from()),
                _ => {}
            }
            Reply::answer(Answer::Fine)
        }
    }
}
