//! Users: an open-loop Poisson source. Nobody waits for an answer before the next one asks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::layout;
use crate::observe::{Event, System, UsersProbe};
use crate::protocol::{Answer, Ask, Failure, Format, Http, Reason, Reply, Request, Status};
use crate::sim::{Cx, Draw, Either, InstanceId, Signal, SimTime, Software, nanos, race};

use super::purpose;
use super::zipf::KeySpace;

/// Bits of a request's id that count the requests of one population.
const NUMBER_BITS: u32 = 40;

/// The tap of a population: requests a second. It is turned between two windows.
#[derive(Debug)]
pub struct Throttle {
    /// Requests a second that the layout names.
    pub rate: f64,
    /// The factor on it.
    pub factor: Cell<f64>,
}

/// What a population is made of.
pub struct Population {
    count: u64,
    mobile: f64,
    /// What is asked for, with the cumulative weights.
    asks: [(Ask, f64); 5],
    keys: KeySpace,
    patience: Duration,
    dns: InstanceId,
    lookup: layout::Dns,
    throttle: Rc<Throttle>,
    probe: Rc<UsersProbe>,
    resolvers: RefCell<Vec<Resolver>>,
    retuned: Signal,
    /// The high bits of the ids of its requests.
    prefix: u64,
}

/// A resolver's cache: one name, so one answer. Those who ask while it is looked up wait for the same answer.
#[derive(Default)]
struct Resolver {
    address: Option<InstanceId>,
    until: SimTime,
    looking: bool,
    found: Rc<Signal>,
}

impl Population {
    /// A population whose resolvers already hold the address, each with a part of the answer's life behind it.
    pub fn new(
        cx: &Cx<System>,
        spec: &layout::Users,
        lookup: &layout::Dns,
        ends: (InstanceId, Vec<InstanceId>),
        shared: (Rc<Throttle>, Rc<UsersProbe>),
    ) -> Population {
        let (dns, addresses) = ends;
        let (throttle, probe) = shared;
        let mut phases = cx.stream("resolvers");
        let ttl = nanos(lookup.ttl) as f64;
        let resolvers: Vec<Resolver> = (0..spec.resolvers as usize)
            .map(|number| Resolver {
                address: addresses.get(number % addresses.len().max(1)).copied(),
                until: SimTime((phases.draw().unit() * ttl) as u64),
                ..Resolver::default()
            })
            .collect();
        *probe.resolvers.borrow_mut() = resolvers.iter().map(|resolver| resolver.until).collect();
        Population {
            count: spec.count,
            mobile: spec.mobile,
            asks: cumulative(&spec.asks),
            keys: KeySpace::new(spec.keys),
            patience: spec.patience,
            dns,
            lookup: lookup.clone(),
            throttle,
            probe,
            resolvers: RefCell::new(resolvers),
            retuned: Signal::default(),
            prefix: cx.stream("requests").draw().0 >> NUMBER_BITS << NUMBER_BITS,
        }
    }

    /// The next arrival is due when the integral of the rate has reached an exponential draw; so a change of the rate moves
    /// the arrivals and changes nothing else about them.
    async fn arrive(self: Rc<Self>, cx: Cx<System>) {
        let mut number = 0;
        let mut last = cx.now();
        let mut left = self.gap(&cx, number);
        loop {
            let rate = self.throttle.rate * self.throttle.factor.get();
            if rate <= 0.0 {
                self.retuned.wait(&cx).await;
                last = cx.now();
                continue;
            }
            let due = SimTime(last.0.saturating_add((left / rate * 1e9) as u64));
            match race(cx.sleep_until(due), self.retuned.wait(&cx)).await {
                Either::First(()) => {
                    cx.begin(self.prefix | number, Request::Visit);
                    number = (number + 1) & ((1 << NUMBER_BITS) - 1);
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

    /// What this request is: the same in every branch of a run.
    fn wish(&self, cx: &Cx<System>) -> Http {
        let pick = cx.draw(purpose::ASK).unit();
        let ask = self
            .asks
            .iter()
            .find(|(_, weight)| pick < *weight)
            .map_or(Ask::Page, |(ask, _)| *ask);
        let format = if cx.draw(purpose::FORMAT).unit() < self.mobile {
            Format::Json
        } else {
            Format::Html
        };
        Http {
            ask,
            key: self.keys.key(cx.draw(purpose::KEY)),
            format,
        }
    }

    /// The address of the domain, from the resolver of this user.
    async fn resolve(&self, cx: &Cx<System>) -> Result<InstanceId, Failure> {
        let user = cx.draw(purpose::USER).below(self.count);
        let index = (user % self.resolvers.borrow().len() as u64) as usize;
        let failure = Failure {
            reason: Reason::DnsFailure,
            at: self.dns,
        };
        let (held, looking, found) = {
            let resolver = &self.resolvers.borrow()[index];
            let held = resolver.address.filter(|_| cx.now() < resolver.until);
            (held, resolver.looking, Rc::clone(&resolver.found))
        };
        if let Some(address) = held {
            return Ok(address);
        }
        if looking {
            found.wait(cx).await;
            // What the look-up brought is theirs who waited for it, even if nobody may keep it (a TTL of 0).
            return self.resolvers.borrow()[index].address.ok_or(failure);
        }
        let look_up = LookUp::begin(self, cx, index);
        let answer = self.look_up(cx).await;
        look_up.end(answer);
        answer.map(|(address, _)| address).ok_or(failure)
    }

    /// Asks the name server, again when no answer comes; the TTL counts from the moment at which the answer arrives.
    async fn look_up(&self, cx: &Cx<System>) -> Option<(InstanceId, SimTime)> {
        for _ in 0..self.lookup.attempts {
            let reply = cx.call(self.dns, Request::Lookup, self.lookup.timeout).datagram().await;
            if let Ok(Reply {
                outcome: Ok(Answer::Address { to, ttl }),
                ..
            }) = reply
            {
                return Some((to, cx.now() + ttl));
            }
        }
        None
    }

    async fn visit(&self, cx: &Cx<System>, wish: Http) -> Reply {
        let Ok(_under_way) = cx.admit().await else {
            return Reply::failure(Reason::Overloaded, cx.id());
        };
        match self.resolve(cx).await {
            Ok(address) => Reply::of_call(cx.call(address, Request::Http(wish), self.patience).await, address),
            Err(failure) => Reply {
                outcome: Err(failure),
                retries: 0,
            },
        }
    }

    fn conclude(&self, cx: &Cx<System>, key: u64, began: SimTime, reply: &Reply) {
        self.probe.count(|tally| {
            tally.retried += u64::from(reply.retries);
            match reply.outcome {
                Ok(_) => tally.ok += 1,
                Err(_) => tally.failed += 1,
            }
        });
        match reply.outcome {
            Err(Failure { reason, at }) => cx.emit(Event::Failed { reason, at }),
            Ok(answer) => {
                self.probe
                    .latencies
                    .borrow_mut()
                    .record((cx.now() - began).as_nanos() as u64);
                if let Answer::Page { status, format } = answer {
                    let served = if format == Format::Html {
                        &self.probe.html
                    } else {
                        &self.probe.json
                    };
                    served.set(served.get() + 1);
                    if let Status::Written { version, by } = status {
                        cx.emit(Event::Acknowledged { key, version, by });
                    }
                }
            }
        }
    }
}

/// A look-up in progress. However it ends, those who wait for it go on.
struct LookUp<'a> {
    population: &'a Population,
    cx: &'a Cx<System>,
    index: usize,
}

impl<'a> LookUp<'a> {
    fn begin(population: &'a Population, cx: &'a Cx<System>, index: usize) -> LookUp<'a> {
        population.resolvers.borrow_mut()[index].looking = true;
        LookUp { population, cx, index }
    }

    fn end(self, answer: Option<(InstanceId, SimTime)>) {
        let resolver = &mut self.population.resolvers.borrow_mut()[self.index];
        resolver.address = answer.map(|(address, _)| address);
        resolver.until = answer.map_or(SimTime::ZERO, |(_, until)| until);
        self.population.probe.resolvers.borrow_mut()[self.index] = resolver.until;
    }
}

impl Drop for LookUp<'_> {
    fn drop(&mut self) {
        let resolver = &mut self.population.resolvers.borrow_mut()[self.index];
        resolver.looking = false;
        resolver.found.raise(self.cx);
    }
}

fn cumulative(asks: &layout::Asks) -> [(Ask, f64); 5] {
    let weights = [
        (Ask::Page, asks.page),
        (Ask::Asset, asks.asset),
        (Ask::Create, asks.create),
        (Ask::Update, asks.update),
        (Ask::Delete, asks.delete),
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

    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        if request == Request::Retune {
            self.retuned.raise(&cx);
            return Reply::answer(Answer::Fine);
        }
        let began = cx.now();
        self.probe.count(|tally| tally.sent += 1);
        let wish = self.wish(&cx);
        let reply = self.visit(&cx, wish).await;
        self.conclude(&cx, wish.key, began, &reply);
        reply
    }
}
