//! Whom an edge asks for what it lacks: the shield, the data centers; and who of them failed of late.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::observe::{Event, System};
use crate::protocol::{Failure, Http, Reason, Reply, Request};
use crate::sim::{CallError, Cx, InstanceId, SimTime};

use super::super::common::caller::{Caller, Targets};
use super::super::common::resting::{Loss, Resting};
use super::super::common::routes::Routes;

/// A data center as an edge knows it.
pub struct Origin {
    /// Its public addresses: what service discovery tells.
    pub addresses: Rc<RefCell<Vec<InstanceId>>>,
    /// How far it is, in nanoseconds one way; 0 where nobody is nearer than another.
    pub far: u64,
    /// How it is treated.
    pub caller: Caller,
}

/// Whom an edge asks for what it lacks.
pub struct Behind {
    /// The shield, which is asked first.
    pub shield: Option<(Rc<Cell<InstanceId>>, Caller)>,
    /// The data centers that have an entry point, in the order of their names.
    pub origins: Vec<Origin>,
}

/// Those who are behind, and what was seen of them.
pub(super) struct Upstream {
    behind: Behind,
    routes: Routes,
    /// Those who failed of late.
    resting: Resting,
    turn: Cell<usize>,
}

/// One of those who are behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Shield,
    /// The data center of this number.
    Origin(usize),
}

/// Whom the tries of one call go to: addresses of one data center, each once; when all were asked the first one again.
struct Tries<'a> {
    upstream: &'a Upstream,
    cx: &'a Cx<System>,
    door: Door,
    first: InstanceId,
    asked: &'a RefCell<Vec<InstanceId>>,
}

impl Upstream {
    pub(super) fn new(behind: Behind) -> Upstream {
        Upstream {
            behind,
            routes: Routes::default(),
            resting: Resting::default(),
            turn: Cell::new(0),
        }
    }

    /// Settings have changed.
    pub(super) fn retune(&self, cx: &Cx<System>) {
        if let Some((_, caller)) = &self.behind.shield {
            caller.retune(cx);
        }
        self.behind.origins.iter().for_each(|origin| origin.caller.retune(cx));
    }

    /// Somebody says that an address is theirs.
    pub(super) fn claim(&self, address: InstanceId, holder: InstanceId) {
        self.routes.claim(address, holder);
    }

    /// Asks one after the other until one answers. The next one is asked where nothing was done: nobody listened there, or it passed nothing
    /// on. If the shield breaks what may be repeated, the data centers are asked themselves.
    pub(super) async fn ask(&self, cx: &Cx<System>, http: &Http) -> Reply {
        let asked: RefCell<Vec<InstanceId>> = RefCell::default();
        let mut retries = 0_u8;
        let (request, safe) = (Request::Http(*http), http.is_repeatable());
        let nobody = Failure {
            reason: Reason::NoHealthyBackend,
            at: cx.id(),
        };
        let mut last = (nobody, 0);
        loop {
            let chosen = self.choose(cx.now(), &asked.borrow(), None);
            let Some((door, to)) = chosen else {
                return Reply {
                    outcome: Err(last.0),
                    retries: last.1,
                };
            };
            asked.borrow_mut().push(to);
            let tries = Tries {
                upstream: self,
                cx,
                door,
                first: to,
                asked: &asked,
            };
            let mut reply = self.caller(door).call_to(cx, tries, &request, safe, None).await;
            reply.retries = reply.retries.saturating_add(retries);
            let Err(Failure { reason, at }) = reply.outcome else {
                return reply;
            };
            let undone = matches!(reason, Reason::Refused | Reason::CircuitOpen | Reason::NoHealthyBackend);
            let broken = matches!(reason, Reason::TimedOut | Reason::Reset) && door == Door::Shield && safe;
            let is_theirs = asked.borrow().contains(&at);
            let all_asked = self.each_door(|(_, node)| asked.borrow().contains(&node));
            if !is_theirs || !(undone || broken) || all_asked {
                return reply;
            }
            cx.emit(Event::Retried {
                reason,
                at,
                later: cx.is_in_background(),
            });
            retries = reply.retries.saturating_add(1);
            last = (Failure { reason, at }, reply.retries);
        }
    }

    fn caller(&self, door: Door) -> &Caller {
        match (door, &self.behind.shield) {
            (Door::Shield, Some((_, caller))) => caller,
            (Door::Shield, None) => &self.behind.origins[0].caller,
            (Door::Origin(number), _) => &self.behind.origins[number].caller,
        }
    }

    /// Looks at all who could be asked, whoever holds each address, until one is not as expected; tells whether all are.
    fn each_door(&self, mut expected: impl FnMut((Door, InstanceId)) -> bool) -> bool {
        let mut shields = self.behind.shield.iter();
        if !shields.all(|(shield, _)| expected((Door::Shield, shield.get()))) {
            return false;
        }
        self.behind.origins.iter().enumerate().all(|(number, origin)| {
            let addresses = origin.addresses.borrow();
            let mut holders = addresses.iter().map(|address| self.routes.holder(*address));
            holders.all(|holder| expected((Door::Origin(number), holder)))
        })
    }

    /// Whom to ask next: the shield before the data centers, of these the nearest, and those that are equally near in turn; who rests only if
    /// there is nobody else.
    fn choose(&self, now: SimTime, asked: &[InstanceId], only: Option<Door>) -> Option<(Door, InstanceId)> {
        let is_fresh = |(door, node)| !asked.contains(&node) && only.is_none_or(|only| only == door);
        let far = |door: Door| match door {
            Door::Shield => 0,
            Door::Origin(number) => self.behind.origins[number].far,
        };
        let rank = |(door, node)| (self.resting.has(node, now), door != Door::Shield, far(door));
        let (mut best, mut equals) = (None, 0);
        self.each_door(|door| {
            if is_fresh(door) {
                let rank = rank(door);
                if best.is_none_or(|best| rank < best) {
                    (best, equals) = (Some(rank), 1);
                } else if best == Some(rank) {
                    equals += 1;
                }
            }
            true
        });
        let best = best?;
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let (mut before, mut chosen) = (turn % equals, None);
        self.each_door(|door| {
            if is_fresh(door) && rank(door) == best {
                if before == 0 {
                    chosen = Some(door);
                    return false;
                }
                before -= 1;
            }
            true
        });
        chosen
    }

    /// Draws a conclusion from the end of a call.
    fn judge(&self, cx: &Cx<System>, node: InstanceId, result: &Result<Reply, CallError>) {
        let failure = broken_by(result, node);
        if failure.is_none() && self.resting.is_empty() {
            return;
        }
        let alone = self.each_door(|(_, door)| door == node);
        let loss = if alone { Loss::Sole } else { Loss::Shared };
        self.resting.judge(cx, node, failure, loss);
    }
}

/// Why somebody did not do their part, if so: nothing came back, or they know nobody who could answer.
fn broken_by(result: &Result<Reply, CallError>, node: InstanceId) -> Option<Reason> {
    match result {
        Err(error) => Some((*error).into()),
        Ok(Reply {
            outcome: Err(Failure { reason, at }),
            ..
        }) if *at == node && *reason == Reason::NoHealthyBackend => Some(*reason),
        Ok(_) => None,
    }
}

impl Targets for Tries<'_> {
    type Stay = ();

    fn next(&mut self, named: u32) -> Option<InstanceId> {
        if named == 0 {
            return Some(self.first);
        }
        let other = {
            let asked = self.asked.borrow();
            self.upstream.choose(self.cx.now(), &asked, Some(self.door))
        };
        let Some((_, other)) = other else {
            return Some(self.first);
        };
        self.asked.borrow_mut().push(other);
        Some(other)
    }

    fn begin(&self, to: InstanceId) {
        self.upstream.resting.begin(to, self.cx.now());
    }

    fn ended(&self, to: InstanceId, result: &Result<Reply, CallError>) {
        self.upstream.judge(self.cx, to, result);
    }
}
