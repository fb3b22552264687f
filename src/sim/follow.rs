//! Following a user's request: what happens to it, step by step, on every machine that works for it.
//!
//! Following looks and never changes what happens: no step of it draws, sends or waits. While nobody is followed it costs one look at a flag.

use std::collections::BTreeMap;

use super::core::Core;
use super::machine::Handler;
use super::message::{CallError, InstanceId, Wire};
use super::slab::Ref;
use super::time::SimTime;

/// Requests that are looked at together until one of them fits. Others that begin meanwhile are not.
const CANDIDATES: usize = 1_024;
/// Steps of a request that are kept at most.
const STEPS: usize = 4_096;

/// Spans of lost messages are numbered from here on: no machine has so high a rank.
const LOST: u64 = 1 << 63;

/// Which request is to be followed: the first that fits, of those that begin from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One that one of these instances begins or receives; any if there are none.
    Through(Vec<InstanceId>),
    /// One that fails, among those that one of these instances received; among all if there are none.
    Failing(Vec<InstanceId>),
    /// One that is answered after so many nanoseconds at the earliest.
    Slower(u64),
}

/// What happened to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// Within which span: what one instance does for one message.
    pub span: u64,
    /// What.
    pub what: What,
}

/// See [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A user wants something.
    Begins {
        /// The population.
        on: InstanceId,
        /// What.
        title: String,
    },
    /// The span sends a message.
    Asks {
        /// The span that it opens; a lost one has a number of its own.
        child: u64,
        /// To whom.
        to: InstanceId,
        /// What for.
        title: String,
        /// When it arrives; `None`: it is lost.
        arrives: Option<SimTime>,
        /// Whether anybody waits for the answer.
        awaited: bool,
    },
    /// A message has arrived, and is being served.
    Arrives,
    /// A message has arrived where it is not served.
    TurnedAway,
    /// All slots are taken.
    Queues,
    /// It has a slot.
    Admitted,
    /// There is work to do.
    Works {
        /// Whether all cores are taken.
        waits: bool,
    },
    /// It has a core.
    HasCore,
    /// The work is done.
    Worked,
    /// What it waits for, or works at, is given up.
    LetGo,
    /// The answer is on its way.
    Ends {
        /// What is answered, in a word or none; or why it is a failure.
        answer: Result<&'static str, &'static str>,
    },
    /// The answer to a message of the span has come, or there will be none.
    Hears {
        /// The span of the message.
        child: u64,
        /// What was answered, in a word or none; or why it is a failure.
        answer: Result<&'static str, &'static str>,
    },
    /// Nobody waits for the answer to a message of the span any more.
    GivesUp {
        /// The span of the message.
        child: u64,
    },
}

/// A request that is looked at.
#[derive(Debug, Default)]
struct Record {
    root: u64,
    began: SimTime,
    /// Whether it came by where it was to.
    passed: bool,
    steps: Vec<Step>,
}

/// How far the following is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// No request has fitted yet.
    Seeking,
    /// One is under way, and so many steps of it are known.
    UnderWay(usize),
    /// Its user has the answer, or has given up.
    Ended,
}

/// Who follows.
#[derive(Debug)]
pub(super) struct Follower {
    wanted: Wanted,
    /// The request that fits, once there is one, and whether it has ended.
    chosen: Option<(u64, bool)>,
    open: BTreeMap<u64, Record>,
    /// By rank of the machine and handler: the request and the span that it works for.
    handlers: BTreeMap<(u32, Handler), (u64, u64)>,
    /// Messages that were lost: each opens a span, of which nobody hears.
    lost: u64,
    /// By rank of the machine and call: the request, the span that waits, and the one that it waits for.
    calls: BTreeMap<(u32, Ref), (u64, u64, u64)>,
}

impl Follower {
    pub(super) fn new(wanted: Wanted) -> Follower {
        Follower {
            wanted,
            chosen: None,
            open: BTreeMap::default(),
            handlers: BTreeMap::default(),
            lost: 0,
            calls: BTreeMap::default(),
        }
    }

    pub(super) fn state(&self) -> Following {
        match self.chosen {
            None => Following::Seeking,
            Some((request, false)) => {
                Following::UnderWay(self.open.get(&request).map_or(0, |record| record.steps.len()))
            }
            Some((_, true)) => Following::Ended,
        }
    }

    /// The request that is followed, and what has happened to it.
    pub(super) fn steps(&self) -> Option<(u64, &[Step])> {
        let (request, _) = self.chosen?;
        Some((request, &self.open.get(&request)?.steps))
    }

    fn record(&mut self, request: u64, step: Step) {
        let Some(record) = self.open.get_mut(&request) else {
            return;
        };
        // Its end is told whatever came before.
        let ends = step.span == record.root && matches!(step.what, What::Ends { .. });
        if ends || record.steps.len() < STEPS {
            record.steps.push(step);
        }
    }

    fn begins(&mut self, request: u64, span: u64, at: SimTime, on: InstanceId, title: String) {
        if self.chosen.is_some() || self.open.len() >= CANDIDATES {
            return;
        }
        let record = Record {
            root: span,
            began: at,
            ..Record::default()
        };
        // One number may be used for two requests, long after each other.
        self.open.insert(request, record);
        let what = What::Begins { on, title };
        self.record(request, Step { at, span, what });
        self.comes_by(request, on);
    }

    /// The request has come to an instance.
    fn comes_by(&mut self, request: u64, on: InstanceId) {
        let (Wanted::Through(places) | Wanted::Failing(places)) = &self.wanted else {
            return;
        };
        if !places.is_empty() && !places.contains(&on) {
            return;
        }
        let Some(record) = self.open.get_mut(&request) else {
            return;
        };
        record.passed = true;
        if self.chosen.is_none() && matches!(self.wanted, Wanted::Through(_)) {
            self.choose(request, false);
        }
    }

    fn choose(&mut self, request: u64, ended: bool) {
        self.chosen = Some((request, ended));
        self.open.retain(|other, _| *other == request);
        self.handlers.retain(|_, (other, _)| *other == request);
        self.calls.retain(|_, (other, ..)| *other == request);
    }

    /// A span has its answer. That of a user's request decides whether it fits.
    fn ends(&mut self, request: u64, span: u64, at: SimTime, answer: Result<&'static str, &'static str>) {
        let failed = answer.is_err();
        let what = What::Ends { answer };
        self.record(request, Step { at, span, what });
        let Some(record) = self.open.get(&request).filter(|record| record.root == span) else {
            return;
        };
        if let Some((chosen, ended)) = &mut self.chosen {
            *ended |= *chosen == request;
            return;
        }
        let fits = match self.wanted {
            Wanted::Through(_) => false,
            Wanted::Failing(_) => failed && record.passed,
            Wanted::Slower(least) => !failed && at.0 - record.began.0 >= least,
        };
        if fits {
            self.choose(request, true);
        } else {
            self.open.remove(&request);
        }
    }
}

/// Where the machines tell of what they do. Each of these is called only while somebody follows.
impl<W: Wire> Core<W> {
    /// Whether anybody is followed.
    #[inline]
    pub(super) fn follows(&self, request: u64) -> bool {
        self.shared.following.get() && request != 0
    }

    fn follower(&self, tell: impl FnOnce(&mut Follower, SimTime)) {
        if let Some(follower) = &mut *self.shared.follower.borrow_mut() {
            tell(follower, self.now.get());
        }
    }

    /// Something happens within a span.
    #[cold]
    pub(super) fn note(&self, request: u64, span: u64, what: What) {
        self.follower(|follower, at| follower.record(request, Step { at, span, what }));
    }

    /// A user wants something.
    #[cold]
    pub(super) fn note_birth(&self, request: u64, span: u64, on: InstanceId, body: &W::Request) {
        self.follower(|follower, at| follower.begins(request, span, at, on, W::title(body)));
    }

    /// A message is served by a handler from now on.
    #[cold]
    pub(super) fn note_handler(&self, request: u64, span: u64, handler: Handler) {
        self.follower(|follower, _| {
            if follower.open.contains_key(&request) {
                follower.handlers.insert((self.rank, handler), (request, span));
            }
        });
    }

    /// A message is sent, within a call if somebody waits for the answer.
    #[cold]
    pub(super) fn note_message(&self, (request, span): (u64, u64), call: Ref, what: What) {
        self.follower(|follower, at| {
            if !follower.open.contains_key(&request) {
                return;
            }
            let mut what = what;
            if let What::Asks { child, to, arrives, .. } = &mut what {
                if arrives.is_none() {
                    follower.lost += 1;
                    *child = LOST + follower.lost;
                }
                let (child, to) = (*child, *to);
                if call != Ref::NONE {
                    follower.calls.insert((self.rank, call), (request, span, child));
                }
                // Whoever is asked for something may never hear of it.
                follower.comes_by(request, to);
            }
            follower.record(request, Step { at, span, what });
        });
    }

    /// The work of a handler has a core.
    #[cold]
    pub(super) fn note_core(&self, handler: Handler) {
        self.follower(|follower, at| {
            if let Some((request, span)) = follower.handlers.get(&(self.rank, handler)).copied() {
                let what = What::HasCore;
                follower.record(request, Step { at, span, what });
            }
        });
    }

    /// A handler has its answer.
    #[cold]
    pub(super) fn note_end(&self, handler: Handler, reply: &W::Reply) {
        self.follower(|follower, at| {
            if let Some((request, span)) = follower.handlers.remove(&(self.rank, handler)) {
                follower.ends(request, span, at, W::answer(reply));
            }
        });
    }

    /// A call has its outcome, or nobody waits for it any more.
    #[cold]
    pub(super) fn note_outcome(&self, call: Ref, result: Option<&Result<W::Reply, CallError>>) {
        self.follower(|follower, at| {
            let Some((request, span, child)) = follower.calls.remove(&(self.rank, call)) else {
                return;
            };
            let answer = |result: &Result<W::Reply, CallError>| match result {
                Ok(reply) => W::answer(reply),
                Err(error) => Err(error.name()),
            };
            let what = match result {
                Some(result) => What::Hears {
                    child,
                    answer: answer(result),
                },
                None => What::GivesUp { child },
            };
            follower.record(request, Step { at, span, what });
        });
    }
}
