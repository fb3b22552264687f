//! Making pages: who asks, the page itself, the row that it shows. What web servers and functions have in common.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Sessions};
use crate::observe::System;
use crate::protocol::{
    Answer, Ask, Ended, Format, Found, Http, Issue, Operation, Pass, PassNews, Reason, Reply, Request, Revocation,
    SessionRequest, Status, Term,
};
use crate::sim::{Cx, InstanceId, SimTime};

use super::cached::CacheClient;
use super::caller::Caller;
use super::demand::Demand;
use super::publisher::Publisher;
use super::purpose;
use super::router::Router;
use super::shelf::Shelf;
use super::site::Site;

/// Whom a page is made with.
pub struct Backends {
    /// The database.
    pub database: Option<Rc<Router>>,
    /// The cache in front of it.
    pub cache: Option<Rc<CacheClient>>,
    /// The session stores of the data center, by name.
    pub stores: BTreeMap<String, Callee>,
    /// Whoever publishes uploads.
    pub publisher: Option<Rc<Publisher>>,
}

/// A service that is called, and how.
pub struct Callee {
    /// Its address.
    pub to: InstanceId,
    /// How it is treated.
    pub caller: Caller,
}

/// Makes pages.
pub struct Maker {
    work: Demand,
    json: f64,
    asset: f64,
    upload: f64,
    sign_in: Demand,
    verify: Demand,
    session_ttl: Duration,
    /// Where sessions are. It is changed between two windows.
    sessions: Rc<RefCell<Sessions>>,
    backends: Backends,
    site: Rc<Site>,
    /// Sessions in memory.
    local: Shelf,
}

impl Maker {
    /// Makes pages by these settings.
    pub fn new(spec: &layout::Pages, sessions: Rc<RefCell<Sessions>>, backends: Backends, site: Rc<Site>) -> Maker {
        Maker {
            work: Demand::new(spec.work),
            json: spec.json,
            asset: spec.asset,
            upload: spec.upload,
            sign_in: Demand::new(spec.sign_in),
            verify: Demand::new(spec.verify),
            session_ttl: spec.session_ttl,
            sessions,
            backends,
            site,
            local: Shelf::default(),
        }
    }

    /// Begins what it does by itself.
    pub fn start(&self, cx: &Cx<System>) {
        if let Some(publisher) = &self.backends.publisher {
            cx.spawn(Rc::clone(publisher).send_later(cx.detached()));
        }
    }

    /// Sessions in memory.
    pub fn held(&self) -> u64 {
        self.local.len()
    }

    /// Forgets sessions that were revoked.
    pub fn revoke(&self, revocation: &Revocation) {
        self.local.revoke(revocation);
    }

    /// Settings have changed.
    pub fn retune(&self, cx: &Cx<System>) {
        self.backends.database.iter().for_each(|router| router.retune(cx));
        self.backends.cache.iter().for_each(|cache| cache.retune(cx));
        self.backends
            .publisher
            .iter()
            .for_each(|publisher| publisher.retune(cx));
        self.backends
            .stores
            .values()
            .for_each(|callee| callee.caller.retune(cx));
    }

    /// Forgets near copies of a row, or all.
    pub fn purge(&self, key: Option<u64>) {
        self.backends.cache.iter().for_each(|cache| cache.purge(key));
    }

    /// Somebody says that they are primary of a shard.
    pub fn hear(&self, shard: u32, leader: InstanceId, term: Term) {
        if let Some(router) = &self.backends.database {
            router.hear(shard, leader, term);
        }
    }

    /// Answers a request: knows the user, makes the page, asks for the row.
    pub async fn answer(&self, cx: &Cx<System>, http: &Http) -> Reply {
        let news = match self.identify(cx, http).await {
            Ok(news) => news,
            Err(reply) => return reply,
        };
        let form = if http.format == Format::Json { self.json } else { 1.0 };
        let factor = match http.ask {
            Ask::Asset => self.asset,
            Ask::Upload => self.upload,
            _ => form,
        };
        cx.work(self.work.sample(cx.draw(purpose::WEB_WORK), factor)).await;
        let page = |status, retries, remember, copy| Reply {
            outcome: Ok(Answer::Page {
                status,
                format: http.format,
                by: cx.id(),
                cookie: None,
                pass: news,
                remember,
                copy,
                fresh_until: None,
            }),
            retries,
        };
        if http.ask == Ask::Upload {
            // Only a server that was started before there was a queue has nowhere to publish it.
            let Some(publisher) = &self.backends.publisher else {
                return Reply::failure(Reason::Broken, cx.id());
            };
            return match Box::pin(publisher.publish(cx, http)).await {
                Ok(retries) => page(Status::Accepted, retries, false, None),
                Err(reply) => reply,
            };
        }
        let (Some(operation), Some(database)) = (operation(http.ask), &self.backends.database) else {
            let edition = self.site.edition.get();
            return page(Status::Static { edition }, 0, false, None);
        };
        let once = http.once || database.repeats_writes();
        let (reply, copy) = match &self.backends.cache {
            // In a box, to keep it out of the memory of the handlers of those who have no cache.
            Some(cache) => Box::pin(cache.ask(cx, database, http, operation, once)).await,
            None => (database.ask(cx, http, operation, once).await, None),
        };
        match reply.outcome {
            Ok(Answer::Row(status)) => {
                let remember = matches!(status, Status::Written { .. }) && database.remembers();
                page(status, reply.retries, remember, copy)
            }
            Ok(_) => page(Status::Searched, reply.retries, false, None),
            Err(_) => reply,
        }
    }

    /// Finds out who asks, and signs in whom it does not know.
    async fn identify(&self, cx: &Cx<System>, http: &Http) -> Result<PassNews, Reply> {
        if http.ask == Ask::Asset {
            return Ok(PassNews::NotAsked);
        }
        let store = match &*self.sessions.borrow() {
            Sessions::Off => return Ok(PassNews::NotAsked),
            Sessions::Local => None,
            Sessions::Token => Some(None),
            Sessions::Store(name) => Some(self.backends.stores.get(name)),
        };
        match store {
            None => Ok(self.identify_here(cx, http).await),
            Some(None) => Ok(self.identify_by_token(cx, http).await),
            Some(Some(store)) => self.identify_by_store(cx, http, store).await,
        }
    }

    async fn identify_here(&self, cx: &Cx<System>, http: &Http) -> PassNews {
        let found = match http.pass {
            Pass::Session(id) => self.local.find(http.user, id, cx.now(), self.session_ttl),
            _ => Found::Nothing,
        };
        if found == Found::Alive {
            return PassNews::Kept;
        }
        let id = self.sign_in(cx).await;
        self.local.keep(http.user, id, cx.now() + self.session_ttl);
        self.issued(http.pass, found, Pass::Session(id), cx.id())
    }

    async fn identify_by_token(&self, cx: &Cx<System>, http: &Http) -> PassNews {
        cx.work(self.verify.sample(cx.draw(purpose::VERIFY_WORK), 1.0)).await;
        let found = match http.pass {
            Pass::Token { until } if until > cx.now() => return PassNews::Kept,
            Pass::Token { .. } => Found::Expired,
            _ => Found::Nothing,
        };
        self.sign_in(cx).await;
        let until = cx.now() + self.session_ttl;
        self.issued(http.pass, found, Pass::Token { until }, cx.id())
    }

    async fn identify_by_store(&self, cx: &Cx<System>, http: &Http, store: &Callee) -> Result<PassNews, Reply> {
        let ask = async |request| {
            let reply = store.caller.call(cx, store.to, Request::Session(request), true).await;
            match reply.outcome {
                Ok(Answer::Session(found)) => Ok(found),
                Ok(_) => Ok(Found::Nothing),
                Err(_) => Err(reply),
            }
        };
        let (owner, ttl) = (http.user, self.session_ttl);
        let found = match http.pass {
            Pass::Session(id) => ask(SessionRequest::Find { owner, id, ttl }).await?,
            _ => Found::Nothing,
        };
        if found == Found::Alive {
            return Ok(PassNews::Kept);
        }
        let id = self.sign_in(cx).await;
        ask(SessionRequest::Keep { owner, id, ttl }).await?;
        Ok(self.issued(http.pass, found, Pass::Session(id), store.to))
    }

    /// Checks the user's credentials; returns the number of the new session.
    async fn sign_in(&self, cx: &Cx<System>) -> u64 {
        cx.work(self.sign_in.sample(cx.draw(purpose::SIGN_IN_WORK), 1.0)).await;
        cx.draw(purpose::SESSION).0 ^ cx.now().0
    }

    fn issued(&self, shown: Pass, found: Found, pass: Pass, holder: InstanceId) -> PassNews {
        let because = match (shown, found) {
            (Pass::None, _) => Ended::Never,
            (_, Found::Expired) => Ended::Expired,
            _ if kind(shown) != kind(pass) => Ended::OtherScheme,
            _ => Ended::Unknown,
        };
        PassNews::Issued(Box::new(Issue {
            ttl: self.session_ttl,
            pass,
            holder,
            because,
        }))
    }

    /// Forgets what has expired; and everything, once sessions are elsewhere. To be called now and then.
    pub fn sweep(&self, now: SimTime) {
        if *self.sessions.borrow() == Sessions::Local {
            self.local.sweep(now);
        } else {
            self.local.clear();
        }
    }
}

fn kind(pass: Pass) -> std::mem::Discriminant<Pass> {
    std::mem::discriminant(&pass)
}

/// The share of a user in the query that a request makes.
fn operation(ask: Ask) -> Option<Operation> {
    match ask {
        Ask::Page => Some(Operation::Read),
        Ask::Asset | Ask::Upload => None,
        Ask::Create => Some(Operation::Create),
        Ask::Update => Some(Operation::Update),
        Ask::Delete => Some(Operation::Delete),
        Ask::Search => Some(Operation::Search),
    }
}
