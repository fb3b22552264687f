//! Users: an open-loop Poisson source. Nobody waits for an answer before the next one asks.

mod browser;
mod copies;
mod sessions;
mod traced;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::layout;
use crate::observe::{Event, System, UsersProbe};
use crate::protocol::{Answer, Ask, Failure, Format, Http, Owner, Reason, Records, Reply, Request, Revocation, Status};
use crate::sim::{Cx, Draw, Either, InstanceId, Signal, SimTime, Software, nanos, race};
use crate::trace::Trace;

use super::common::caller::{Caller, Deadline};
use super::common::lookup::{Lookups, Upstream};
use super::common::purpose;
use super::common::routes::Routes;
use super::common::site::Site;
use super::common::zipf::KeySpace;
use super::common::zone::Zone;

use self::browser::Browsers;
use self::sessions::Client;
use self::traced::Traced;

/// Bits of a request's id that count the requests of one population.
const NUMBER_BITS: u32 = 40;
/// How many revocations are remembered.
const REVOCATIONS: usize = 100;

/// The tap of a population: requests a second. It is turned between two windows.
#[derive(Debug)]
pub struct Throttle {
    /// Requests a second that the layout names.
    pub rate: f64,
    /// The factor on it.
    pub factor: Cell<f64>,
    /// Share of the requests about rows that are for the first one.
    pub hot: Cell<f64>,
    /// What is asked for.
    pub asks: Cell<layout::Asks>,
}

/// Where a population finds itself.
pub struct Surroundings {
    /// Its number among all populations.
    pub number: u32,
    /// The name that it asks for: 0 is the domain, the others are those of the data centers.
    pub name: u16,
    /// Its resolver.
    pub resolver: InstanceId,
    /// What names lead to at the start.
    pub zone: Rc<Zone>,
    /// What the site is made of.
    pub site: Rc<Site>,
    /// The trace that says which rows are asked for, if there is one, and how many populations share it.
    pub trace: Option<(Arc<Trace>, u64)>,
    /// How its clients treat the site.
    pub caller: Caller,
    /// Its tap.
    pub throttle: Rc<Throttle>,
    /// What it shows.
    pub probe: Rc<UsersProbe>,
}

/// What a population is made of.
pub struct Population {
    count: u64,
    mobile: f64,
    /// What is asked for, with the cumulative weights.
    asks: Cell<[(Ask, f64); 7]>,
    keys: KeySpace,
    assets: KeySpace,
    traced: Option<Traced>,
    /// What their browsers and apps keep, if they keep anything.
    browsers: Option<Browsers>,
    look_back: Option<layout::LookBack>,
    patience: Duration,
    around: Surroundings,
    /// Caches on people's devices, who are spread over them.
    stubs: Lookups,
    /// The same for the name of the static files, if they have one.
    file_stubs: Option<(Lookups, u16)>,
    stub_count: u64,
    routes: Routes,
    /// Clients that hold something, by the number of the person.
    clients: RefCell<FxHashMap<u64, Client>>,
    revocations: RefCell<Vec<Revocation>>,
    retuned: Signal,
    /// The high bits of the ids of its requests.
    prefix: u64,
}

/// In the ids of requests of those who look at what they wrote.
const LOOKING_BACK: u64 = 1 << (NUMBER_BITS - 1);

impl Population {
    /// A population whose stub caches already hold the address, each with a part of the answer's life behind it.
    pub fn new(cx: &Cx<System>, spec: &layout::Users, lookup: &layout::Dns, around: Surroundings) -> Population {
        // A device waits for its resolver for as long as that may try, and a little longer.
        let upstream = Upstream {
            server: around.resolver,
            timeout: lookup.timeout * lookup.attempts + Duration::from_millis(500),
            attempts: 2,
        };
        let stubs = Lookups::new(spec.stubs as usize, upstream);
        let mut phases = cx.stream("stubs");
        let ttl = nanos(lookup.ttl) as f64;
        let known = around.zone.is_known(around.name);
        for stub in (0..spec.stubs as usize).filter(|_| known) {
            let until = SimTime((phases.draw().unit() * ttl) as u64);
            let addresses = around.zone.at_rest(around.name, around.number, stub as u64);
            stubs.seed(stub, Records::new(addresses.into_iter()), until);
        }
        *around.probe.stubs.borrow_mut() = stubs.lives();
        let files = around.zone.files.filter(|_| around.name == 0);
        let file_stubs = files.map(|name| {
            let stubs = Lookups::new(spec.stubs as usize, upstream);
            for stub in 0..spec.stubs as usize {
                let until = SimTime((phases.draw().unit() * ttl) as u64);
                let addresses = around.zone.at_rest(name, around.number, stub as u64);
                stubs.seed(stub, Records::new(addresses.into_iter()), until);
            }
            (stubs, name)
        });
        let browsers = spec.browser.then(|| Browsers::new(Rc::clone(&around.probe.browser)));
        let trace = around.trace.as_ref();
        let traced = trace.map(|(trace, parts)| Traced::open(trace, around.number.into(), *parts));
        Population {
            count: spec.count,
            mobile: spec.mobile,
            asks: Cell::new(cumulative(&around.throttle.asks.get())),
            keys: KeySpace::new(spec.keys),
            assets: KeySpace::new(spec.assets),
            traced,
            browsers,
            look_back: spec.look_back,
            patience: spec.patience,
            stubs,
            file_stubs,
            stub_count: u64::from(spec.stubs),
            routes: Routes::default(),
            clients: RefCell::default(),
            revocations: RefCell::default(),
            retuned: Signal::default(),
            prefix: cx.stream("requests").draw().0 >> NUMBER_BITS << NUMBER_BITS,
            around,
        }
    }

    /// The next arrival is due when the integral of the rate has reached an exponential draw; so a change of the rate moves
    /// the arrivals and changes nothing else about them.
    async fn arrive(self: Rc<Self>, cx: Cx<System>) {
        let mut number = 0;
        let mut last = cx.now();
        let mut left = self.gap(&cx, number);
        loop {
            let rate = self.around.throttle.rate * self.around.throttle.factor.get();
            if rate <= 0.0 {
                self.retuned.wait(&cx).await;
                last = cx.now();
                continue;
            }
            let due = SimTime(last.0.saturating_add((left / rate * 1e9) as u64));
            match race(cx.sleep_until(due), self.retuned.wait(&cx)).await {
                Either::First(()) => {
                    cx.begin(self.prefix | number, Request::Visit);
                    number = (number + 1) & (LOOKING_BACK - 1);
                    left = self.gap(&cx, number);
                    last = due;
                }
                Either::Second(()) => {
                    left -= (cx.now() - last).as_secs_f64() * rate;
                    last = cx.now();
                }
            }
        }
    }

    fn gap(&self, cx: &Cx<System>, number: u64) -> f64 {
        Draw::of(cx.seed(), self.prefix | number, purpose::ARRIVAL).exponential()
    }

    /// What this request is: the same in every branch of a run, but for what the client was given before.
    fn wish(&self, cx: &Cx<System>, person: u64) -> Http {
        let pick = cx.draw(purpose::ASK).unit();
        let ask = self
            .asks
            .get()
            .iter()
            .find(|(_, weight)| pick < *weight)
            .map_or(Ask::Page, |(ask, _)| *ask);
        if let Some(wish) = self.traced_wish(cx, person, ask) {
            return wish;
        }
        let hot = self.around.throttle.hot.get();
        let key = if ask == Ask::Asset {
            self.assets.key(cx.draw(purpose::ASSET))
        } else if hot > 0.0 && cx.draw(purpose::HOT).unit() < hot {
            0
        } else {
            self.keys.key(cx.draw(purpose::KEY))
        };
        self.request(cx, person, ask, key)
    }

    /// The same by the next record of the trace: a page if it does not say what is done.
    fn traced_wish(&self, cx: &Cx<System>, person: u64, ask: Ask) -> Option<Http> {
        // Static files are no rows: they are drawn, and take no record.
        let traced = self.traced.as_ref().filter(|_| ask != Ask::Asset)?;
        let Some(wanted) = traced.next() else {
            if traced.was_lost() {
                cx.emit(Event::TraceLost);
            }
            return None;
        };
        let mut wish = self.request(cx, person, wanted.ask.unwrap_or(Ask::Page), wanted.key);
        if let Some(bytes) = wanted.bytes {
            wish.row = bytes;
            if wish.ask == Ask::Page {
                wish.bytes = bytes;
            }
        }
        Some(wish)
    }

    fn request(&self, cx: &Cx<System>, person: u64, ask: Ask, key: u64) -> Http {
        let site = &self.around.site;
        let format = if cx.draw(purpose::FORMAT).unit() < self.mobile {
            Format::Json
        } else {
            Format::Html
        };
        let client = self.clients.borrow().get(&person).copied().unwrap_or_default();
        Http {
            ask,
            key,
            bytes: site.answer_bytes(ask, format, key),
            // A file is no row.
            row: if ask == Ask::Asset { 0 } else { site.row_bytes(key) },
            edition: if ask == Ask::Asset { site.named_edition() } else { 0 },
            format,
            user: Owner::new(self.around.number, person),
            cookie: client.cookie,
            pass: client.pass,
            once: self.around.caller.repeats_writes(),
            wrote: client.wrote,
        }
    }

    /// Does what others ask of the population; what one of its people wants is returned, to be asked of the site.
    fn take_in(&self, cx: &Cx<System>, request: &Request) -> Option<Http> {
        match *request {
            Request::Visit => {
                let person = cx.draw(purpose::USER).below(self.count);
                self.around.probe.count(|tally| tally.sent += 1);
                return Some(self.wish(cx, person));
            }
            Request::LookBack { person, key } => {
                self.around.probe.count(|tally| tally.sent += 1);
                return Some(self.request(cx, person, Ask::Page, key));
            }
            Request::Retune => {
                self.asks.set(cumulative(&self.around.throttle.asks.get()));
                self.retuned.raise(cx);
                self.around.caller.retune(cx);
            }
            Request::Claim { address } => self.routes.claim(address, cx.from()),
            Request::Purge(file) => {
                self.browsers.iter().for_each(|browsers| browsers.purge(file));
                if file.is_none() {
                    self.forget_addresses();
                }
            }
            Request::Expire => {
                self.browsers.iter().for_each(|browsers| browsers.expire(cx.now()));
                self.forget_addresses();
            }
            Request::Revoke(revocation) => {
                let mut revocations = self.revocations.borrow_mut();
                if revocations.len() == REVOCATIONS {
                    revocations.remove(0);
                }
                revocations.push(revocation);
            }
            _ => {}
        }
        None
    }

    /// Some look at what they have written, a little later.
    fn look_back(&self, cx: &Cx<System>, wish: &Http) {
        let Some(habit) = self.look_back else { return };
        if cx.draw(purpose::LOOK_BACK).unit() >= habit.share {
            return;
        }
        let (person, key, request) = (wish.user.person(), wish.key, cx.request() | LOOKING_BACK);
        let mine = cx.detached();
        cx.spawn(async move {
            mine.sleep(habit.after).await;
            mine.begin(request, Request::LookBack { person, key });
        });
    }

    /// The stub caches for what is asked, and the name that they hold.
    fn stubs_for(&self, ask: Ask) -> (&Lookups, u16) {
        match &self.file_stubs {
            Some((stubs, name)) if ask == Ask::Asset => (stubs, *name),
            _ => (&self.stubs, self.around.name),
        }
    }

    /// The addresses of the domain, or of that of the static files, which a stub cache does not hold.
    async fn resolve(&self, cx: &Cx<System>, stub: usize, ask: Ask, deadline: SimTime) -> Result<Records, Failure> {
        let (stubs, name) = self.stubs_for(ask);
        // Who gives up leaves the look-up to the next one who waits for it.
        let look_up = stubs.find(cx, stub, name);
        let found = match race(look_up, cx.sleep_until(deadline)).await {
            Either::First(found) => found?,
            Either::Second(()) => return Err(stubs.silence()),
        };
        if !found.cached && name == self.around.name {
            self.around.probe.stubs.borrow_mut()[stub] = found.until;
        }
        Ok(found.records)
    }

    fn forget_addresses(&self) {
        self.stubs.forget();
        self.file_stubs.iter().for_each(|(stubs, _)| stubs.forget());
        *self.around.probe.stubs.borrow_mut() = self.stubs.lives();
    }

    /// Looks the name up and asks. Where nobody listens, the next address is tried: nothing was sent yet.
    async fn visit(&self, cx: &Cx<System>, request: &Request, wish: &Http) -> Reply {
        let deadline = Deadline {
            began: cx.now(),
            patience: self.patience,
        };
        let Ok(_under_way) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        let stub = (wish.user.person() % self.stub_count) as usize;
        let records = match self.stubs_for(wish.ask).0.held(cx.now(), stub) {
            Some(held) => held,
            // In a box, to keep what is rare out of the memory of every handler.
            None => match Box::pin(self.resolve(cx, stub, wish.ask, deadline.at())).await {
                Ok(records) => records,
                Err(failure) => return Reply::failure(failure.reason, failure.at),
            },
        };
        let mut retries: u8 = 0;
        let mut addresses = records.iter().peekable();
        while let Some(address) = addresses.next() {
            let holder = self.routes.holder(address);
            let caller = &self.around.caller;
            let mut reply = caller
                .call_to(cx, |_| holder, request, wish.is_repeatable(), Some(deadline))
                .await;
            reply.retries = reply.retries.saturating_add(retries);
            let refused = Failure {
                reason: Reason::Refused,
                at: holder,
            };
            if reply.outcome != Err(refused) || addresses.peek().is_none() {
                return reply;
            }
            cx.emit(Event::Retried {
                reason: Reason::Refused,
                at: holder,
                later: false,
            });
            retries = reply.retries.saturating_add(1);
        }
        Reply::failure(Reason::DnsFailure, self.around.resolver)
    }

    fn conclude(&self, cx: &Cx<System>, wish: &Http, began: SimTime, reply: &Reply) {
        let probe = &self.around.probe;
        probe.count(|tally| {
            tally.retried += u64::from(reply.retries);
            match reply.outcome {
                Ok(_) => tally.ok += 1,
                Err(_) => tally.failed += 1,
            }
        });
        let by_ask = &probe.by_ask[wish.ask as usize];
        let mut ended = by_ask.get();
        match reply.outcome {
            Ok(_) => ended.ok += 1,
            Err(_) => ended.failed += 1,
        }
        by_ask.set(ended);
        match &reply.outcome {
            Err(Failure { reason, at }) => {
                let open = matches!(reason, Reason::TimedOut | Reason::Reset | Reason::NotAcknowledged);
                if open && !wish.ask.is_safe() && wish.ask != Ask::Upload {
                    cx.emit(Event::Unknown { key: wish.key });
                }
                cx.emit(Event::Failed {
                    reason: *reason,
                    at: *at,
                });
            }
            Ok(answer) => {
                probe
                    .latencies
                    .borrow_mut()
                    .record((cx.now() - began).as_nanos() as u64);
                if let Answer::Page {
                    status,
                    format,
                    cookie,
                    ref pass,
                    remember,
                    copy,
                    ..
                } = *answer
                {
                    let served = if format == Format::Html {
                        &probe.html
                    } else {
                        &probe.json
                    };
                    served.set(served.get() + 1);
                    self.look_at_file(wish, status);
                    self.promise(cx, wish, began, (status, copy.is_some()), remember);
                    self.remember(cx, wish, began, (cookie, pass));
                }
            }
        }
    }

    /// A file that is older than it should be: than its name says, or than those of the site.
    fn look_at_file(&self, wish: &Http, status: Status) {
        let Status::Static { edition } = status else { return };
        let wanted = match wish.edition {
            0 => self.around.site.edition.get(),
            named => named,
        };
        if wish.ask == Ask::Asset && edition < wanted {
            let stale = &self.around.probe.stale_assets;
            stale.set(stale.get() + 1);
        }
    }

    /// Asks the person's own device, then the site.
    async fn fetch(&self, cx: &Cx<System>, request: &Request, wish: &Http) -> Reply {
        let browsers = self.browsers.as_ref().filter(|_| wish.ask == Ask::Asset);
        let latest = cx.now() + self.around.site.content.asset_ttl;
        if let Some(reply) = browsers.and_then(|browsers| browsers.find(cx.now(), wish, cx.id())) {
            return reply;
        }
        let reply = self.visit(cx, request, wish).await;
        if let Some(browsers) = browsers {
            browsers.learn(cx.now(), wish, latest, &reply);
        }
        reply
    }

    /// Tells the ledger what the user was told of a row.
    fn promise(&self, cx: &Cx<System>, wish: &Http, began: SimTime, (status, copy): (Status, bool), remember: bool) {
        let (key, user) = (wish.key, wish.user);
        match status {
            Status::Written { version, by } => {
                if remember {
                    let mut clients = self.clients.borrow_mut();
                    let client = clients.entry(user.person()).or_default();
                    if client.wrote.1 < version {
                        client.wrote = (key, version);
                    }
                }
                cx.emit(Event::Acknowledged { key, version, by, user });
                self.look_back(cx, wish);
            }
            Status::Read { version, by } | Status::NotFound { version, by } if wish.ask == Ask::Page => {
                cx.emit(Event::Read {
                    key,
                    version,
                    by,
                    user,
                    began,
                    copy,
                });
            }
            _ => {}
        }
    }
}

fn cumulative(asks: &layout::Asks) -> [(Ask, f64); 7] {
    let weights = [
        (Ask::Page, asks.page),
        (Ask::Asset, asks.asset),
        (Ask::Create, asks.create),
        (Ask::Update, asks.update),
        (Ask::Delete, asks.delete),
        (Ask::Search, asks.search),
        (Ask::Upload, asks.upload),
    ];
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let mut sum = 0.0;
    weights.map(|(ask, weight)| {
        sum += weight / total;
        (ask, sum)
    })
}

impl Software<System> for Population {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).arrive(cx.detached()));
    }

    // An `async fn` would keep its arguments twice in the memory of every handler: as they came, and as they are used.
    #[allow(
        clippy::manual_async_fn,
        reason = "many requests are under way, and all of them wait in memory"
    )]
    fn serve(self: Rc<Self>, cx: Cx<System>, mut request: Request) -> impl Future<Output = Reply> + 'static {
        async move {
            let Some(wish) = self.take_in(&cx, &request) else {
                return Reply::answer(Answer::Fine);
            };
            let began = cx.now();
            request = Request::Http(wish);
            let Request::Http(wish) = &request else {
                return Reply::answer(Answer::Fine);
            };
            let reply = self.fetch(&cx, &request, wish).await;
            self.conclude(&cx, wish, began, &reply);
            reply
        }
    }
}
