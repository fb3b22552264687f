//! Look-ups of names, kept for as long as they may be: what stub caches and resolvers have in common.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::observe::System;
use crate::protocol::{Answer, Failure, Reason, Records, Request};
use crate::sim::{Cx, InstanceId, Signal, SimTime};

/// A cache of one answer. Those who ask while it is looked up wait for the same answer.
#[derive(Default)]
struct Cached {
    records: Option<Records>,
    until: SimTime,
    /// Why the last look-up brought nothing.
    failure: Option<Failure>,
    looking: bool,
    found: Rc<Signal>,
}

/// Whom to ask, how long to wait, how often to ask.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// Whom.
    pub server: InstanceId,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How often to ask.
    pub attempts: u32,
}

/// An answer, and whether it came from the cache.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The addresses.
    pub records: Records,
    /// Until when they may be kept.
    pub until: SimTime,
    /// Nobody had to be asked.
    pub cached: bool,
}

/// Caches by number, and where their answers come from.
pub struct Lookups {
    caches: RefCell<Vec<Cached>>,
    upstream: Upstream,
}

impl Lookups {
    /// Empty caches.
    pub fn new(caches: usize, upstream: Upstream) -> Lookups {
        Lookups {
            caches: RefCell::new((0..caches).map(|_| Cached::default()).collect()),
            upstream,
        }
    }

    /// Puts an answer into a cache.
    pub fn seed(&self, cache: usize, records: Records, until: SimTime) {
        let cached = &mut self.caches.borrow_mut()[cache];
        cached.records = Some(records);
        cached.until = until;
    }

    /// Forgets all answers; what is looked up now comes later, and stays.
    pub fn forget(&self) {
        for cached in self.caches.borrow_mut().iter_mut().filter(|cached| !cached.looking) {
            cached.until = SimTime::ZERO;
        }
    }

    /// Until when each cache may use its answer.
    pub fn lives(&self) -> Vec<SimTime> {
        self.caches.borrow().iter().map(|cached| cached.until).collect()
    }

    /// The valid answer that a cache holds.
    #[inline]
    pub fn held(&self, now: SimTime, cache: usize) -> Option<Records> {
        let cached = &self.caches.borrow()[cache];
        cached.records.filter(|_| now < cached.until)
    }

    /// The failure of those who wait for nothing.
    pub fn silence(&self) -> Failure {
        Failure {
            reason: Reason::DnsFailure,
            at: self.upstream.server,
        }
    }

    /// The answer of a cache for a name, or who is to blame that there is none.
    pub async fn find(&self, cx: &Cx<System>, cache: usize, name: u16) -> Result<Found, Failure> {
        loop {
            let found = {
                let cached = &self.caches.borrow()[cache];
                if let Some(records) = cached.records.filter(|_| cx.now() < cached.until) {
                    return Ok(Found {
                        records,
                        until: cached.until,
                        cached: true,
                    });
                }
                if !cached.looking {
                    break;
                }
                Rc::clone(&cached.found)
            };
            found.wait(cx).await;
            let cached = &self.caches.borrow()[cache];
            match (cached.records, cached.failure) {
                // What the look-up brought is theirs who waited for it, even if nobody may keep it (a TTL of 0).
                (Some(records), _) => {
                    return Ok(Found {
                        records,
                        until: cached.until,
                        cached: false,
                    });
                }
                (None, Some(failure)) => return Err(failure),
                // Whoever looked has given up: the next one looks.
                (None, None) => {}
            }
        }
        let looking = Looking::begin(self, cx, cache);
        let answer = self.ask(cx, name).await;
        looking.end(answer);
        answer.map(|(records, until)| Found {
            records,
            until,
            cached: false,
        })
    }

    /// Asks the server, again when no answer comes.
    async fn ask(&self, cx: &Cx<System>, name: u16) -> Result<(Records, SimTime), Failure> {
        let Upstream {
            server,
            timeout,
            attempts,
        } = self.upstream;
        let mut failure = self.silence();
        for _ in 0..attempts {
            let reply = cx.call(server, Request::Lookup(name), timeout).datagram().await;
            match reply.map(|reply| reply.outcome) {
                Ok(Ok(Answer::Addresses { records, until })) => return Ok((records, until)),
                Ok(Err(told)) => failure = told,
                Ok(Ok(_)) | Err(_) => failure = self.silence(),
            }
        }
        Err(failure)
    }
}

/// A look-up in progress. However it ends, those who wait for it go on, or one of them looks.
struct Looking<'a> {
    lookups: &'a Lookups,
    cx: &'a Cx<System>,
    cache: usize,
}

impl<'a> Looking<'a> {
    fn begin(lookups: &'a Lookups, cx: &'a Cx<System>, cache: usize) -> Looking<'a> {
        let cached = &mut lookups.caches.borrow_mut()[cache];
        cached.looking = true;
        cached.records = None;
        cached.failure = None;
        Looking { lookups, cx, cache }
    }

    fn end(self, answer: Result<(Records, SimTime), Failure>) {
        let cached = &mut self.lookups.caches.borrow_mut()[self.cache];
        cached.records = answer.ok().map(|(records, _)| records);
        cached.until = answer.map_or(SimTime::ZERO, |(_, until)| until);
        cached.failure = answer.err();
    }
}

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        let cached = &mut self.lookups.caches.borrow_mut()[self.cache];
        cached.looking = false;
        if cached.records.is_some() || cached.failure.is_some() {
            cached.found.raise(self.cx);
        } else {
            // Whoever looked has given up, and one of those who wait looks: the newest, which has the longest patience left. If all were woken, and the oldest
            // looked, who gives up next, many thousands would be woken for each request while a name service is out.
            cached.found.raise_newest(self.cx);
        }
    }
}
