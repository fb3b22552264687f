//! A user's request, followed from its beginning: what each machine did for it, and when.

use crate::sim::{InstanceId, SimTime, Step, What};

/// A user's request that is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Its number.
    pub request: u64,
    /// The messages that it is made of, each behind the one that caused it: the first is the user's wish.
    pub spans: Vec<Span>,
}

/// A message, and what was done for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The instance that it went to, as a selector.
    pub at: String,
    /// Index of its service and of the instance in it; `None` if it is there no more.
    pub place: Option<(usize, usize)>,
    /// What it is for.
    pub title: String,
    /// Index of the span that sent it, and how many there are above it.
    pub parent: Option<usize>,
    /// How many spans there are above it.
    pub depth: usize,
    /// When it was sent.
    pub sent: SimTime,
    /// When it is going to arrive, or has arrived; `None`: it was lost on the way.
    pub arrives: Option<SimTime>,
    /// Whether somebody serves it, or has: `None` until it is there, false if it was turned away.
    pub served: Option<bool>,
    /// What was done on the machine, in the order of time.
    pub phases: Vec<Phase>,
    /// When the answer was sent.
    pub ended: Option<SimTime>,
    /// When the one who asked had the answer, or stopped waiting.
    pub heard: Option<SimTime>,
    /// Whether the one who asked waits for the answer at all.
    pub awaited: bool,
    /// Whether the one who asked stopped waiting before there was an answer.
    pub given_up: bool,
    /// What was answered, in a word or none, or why it failed: as the one who asked sees it, or else who answered.
    pub answer: Option<Result<&'static str, &'static str>>,
}

/// What was done for a message on a machine, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What.
    pub kind: PhaseKind,
    /// From when.
    pub from: SimTime,
    /// Until when; `None` while it goes on.
    pub to: Option<SimTime>,
}

/// See [`Phase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// It waited for a slot.
    Slot,
    /// It waited for a core.
    Core,
    /// It had a core.
    Work,
}

/// How the time of a request was spent, in nanoseconds, along the chain of spans that were open last: at each moment the deepest one
/// counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// On the wire.
    pub wire: u64,
    /// In queues: for a slot, or for a core.
    pub queue: u64,
    /// At work.
    pub work: u64,
    /// Waiting for something else: a disk, a lease, a timer.
    pub other: u64,
}

impl Followed {
    /// Puts the steps of a request together. `named` says what an instance is called, and where it stands.
    pub fn of(
        request: u64,
        steps: &[Step],
        named: impl Fn(InstanceId) -> (String, Option<(usize, usize)>),
    ) -> Followed {
        let mut spans: Vec<(u64, Span)> = Vec::new();
        for step in steps {
            // 0 is no span: what an instance does by itself.
            let find = |spans: &[(u64, Span)], id: u64| {
                let place = spans.iter().rposition(|(other, _)| *other == id);
                place.filter(|_| id != 0)
            };
            match &step.what {
                What::Begins { on, title } => {
                    let mut span = span(named(*on), title, step.at);
                    span.arrives = Some(step.at);
                    span.served = Some(true);
                    spans.push((step.span, span));
                }
                What::Asks {
                    child,
                    to,
                    title,
                    arrives,
                    awaited,
                } => {
                    let parent = find(&spans, step.span);
                    let mut span = span(named(*to), title, step.at);
                    span.parent = parent;
                    span.depth = parent.map_or(0, |parent| spans[parent].1.depth + 1);
                    span.arrives = *arrives;
                    span.awaited = *awaited;
                    spans.push((*child, span));
                }
                What::Hears { child, answer } => {
                    if let Some(at) = find(&spans, *child) {
                        let span = &mut spans[at].1;
                        span.heard = Some(step.at);
                        span.answer = Some(*answer);
                    }
                }
                What::GivesUp { child } => {
                    if let Some(at) = find(&spans, *child) {
                        spans[at].1.heard = Some(step.at);
                        spans[at].1.given_up = true;
                    }
                }
                what => {
                    if let Some(at) = find(&spans, step.span) {
                        within(&mut spans[at].1, what, step.at);
                    }
                }
            }
        }
        Followed {
            request,
            spans: in_order(spans.into_iter().map(|(_, span)| span).collect()),
        }
    }

    /// The user's wish.
    pub fn root(&self) -> Option<&Span> {
        self.spans.first()
    }

    /// When the user had the answer, if there is one.
    pub fn ended(&self) -> Option<SimTime> {
        self.root().and_then(|root| root.ended)
    }

    /// Where the request is at a moment: the deepest span that is open then, of several the one that was opened last.
    pub fn front(&self, at: SimTime) -> Option<&Span> {
        let open = self.spans.iter().filter(|span| span.is_open(at));
        open.max_by_key(|span| (span.depth, span.sent))
    }

    /// How its time was spent up to a moment, or its end.
    pub fn spent(&self, now: SimTime) -> Spent {
        let Some(root) = self.root() else {
            return Spent::default();
        };
        let end = root.ended.unwrap_or(now).min(now);
        // Between two of these moments nothing changes.
        let mut cuts: Vec<SimTime> = self.spans.iter().flat_map(Span::moments).collect();
        cuts.extend([root.sent, end]);
        cuts.retain(|at| *at >= root.sent && *at <= end);
        cuts.sort_unstable();
        cuts.dedup();
        let mut spent = Spent::default();
        for pair in cuts.windows(2) {
            let long = pair[1].0 - pair[0].0;
            let Some(front) = self.front(pair[0]) else { continue };
            match front.doing(pair[0]) {
                Doing::Wire => spent.wire += long,
                Doing::Phase(PhaseKind::Slot | PhaseKind::Core) => spent.queue += long,
                Doing::Phase(PhaseKind::Work) => spent.work += long,
                Doing::Other => spent.other += long,
            }
        }
        spent
    }
}

/// What a span is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// On its way there, or back.
    Wire,
    /// On the machine.
    Phase(PhaseKind),
    /// On the machine, waiting for something else.
    Other,
}

impl Span {
    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<&'static str> {
        self.answer.and_then(Result::err)
    }

    /// Whether it is under way at a moment: from when it was sent until the answer was heard; if nobody waits for that, until it was served.
    pub fn is_open(&self, at: SimTime) -> bool {
        // Nobody knows of a message that was lost, if nobody waits for an answer.
        let lost = self.arrives.is_none() && !self.awaited;
        let end = self.heard.or(self.ended.filter(|_| !self.awaited));
        self.sent <= at && !lost && end.is_none_or(|end| at < end)
    }

    /// What it is at, at a moment at which it is open.
    pub fn doing(&self, at: SimTime) -> Doing {
        let before = self.arrives.is_none_or(|arrives| at < arrives);
        let after = self.served == Some(false) || self.ended.is_some_and(|ended| at >= ended);
        if before || after {
            return Doing::Wire;
        }
        let covers = |phase: &&Phase| phase.from <= at && phase.to.is_none_or(|to| at < to);
        let phase = self.phases.iter().rev().find(covers);
        phase.map_or(Doing::Other, |phase| Doing::Phase(phase.kind))
    }

    /// How much of the way there, or back, is behind it at a moment: from 0 to 1, and whether it is the way back.
    pub fn on_the_way(&self, at: SimTime) -> Option<(f64, bool)> {
        let share = |from: SimTime, to: SimTime| at.since(from).as_secs_f64() / to.since(from).as_secs_f64().max(1e-9);
        let there = self.arrives?;
        if at < there {
            return Some((share(self.sent, there).min(1.0), false));
        }
        let left = self.ended.or((self.served == Some(false)).then_some(there))?;
        // Until the answer is heard, the way back is taken to be as long as the way there.
        let heard = self.heard.unwrap_or(left + there.since(self.sent));
        (at >= left).then(|| (share(left, heard).min(1.0), true))
    }

    /// The moments at which what it is at may change.
    fn moments(&self) -> impl Iterator<Item = SimTime> + '_ {
        let phases = self.phases.iter().flat_map(|phase| [Some(phase.from), phase.to]);
        let own = [Some(self.sent), self.arrives, self.ended, self.heard];
        own.into_iter().chain(phases).flatten()
    }
}

fn span((at, place): (String, Option<(usize, usize)>), title: &str, sent: SimTime) -> Span {
    Span {
        at,
        place,
        title: title.to_string(),
        parent: None,
        depth: 0,
        sent,
        arrives: None,
        served: None,
        phases: Vec::new(),
        ended: None,
        heard: None,
        awaited: false,
        given_up: false,
        answer: None,
    }
}

/// A step on the machine that serves the span.
fn within(span: &mut Span, what: &What, at: SimTime) {
    match what {
        What::Arrives => span.served = Some(true),
        What::TurnedAway => span.served = Some(false),
        What::Queues => begin(span, PhaseKind::Slot, at),
        What::Works { waits: true } => begin(span, PhaseKind::Core, at),
        What::Works { waits: false } => begin(span, PhaseKind::Work, at),
        What::HasCore => {
            end(span, PhaseKind::Core, at);
            begin(span, PhaseKind::Work, at);
        }
        What::Admitted => end(span, PhaseKind::Slot, at),
        What::Worked => end(span, PhaseKind::Work, at),
        What::LetGo => {
            let open = span.phases.iter_mut().filter(|phase| phase.to.is_none());
            open.for_each(|phase| phase.to = Some(at));
        }
        What::Ends { answer } => {
            span.ended = Some(at);
            span.answer.get_or_insert(*answer);
        }
        What::Begins { .. } | What::Asks { .. } | What::Hears { .. } | What::GivesUp { .. } => {}
    }
}

fn begin(span: &mut Span, kind: PhaseKind, from: SimTime) {
    span.phases.push(Phase { kind, from, to: None });
}

/// The phase of this kind that began last ends.
fn end(span: &mut Span, kind: PhaseKind, at: SimTime) {
    let open = span
        .phases
        .iter_mut()
        .rev()
        .find(|phase| phase.kind == kind && phase.to.is_none());
    if let Some(phase) = open {
        phase.to = Some(at);
    }
}

/// Each span behind the one that sent it, and all that came of that, as in a tree that is read from above.
fn in_order(spans: Vec<Span>) -> Vec<Span> {
    fn visit(at: usize, children: &[Vec<usize>], order: &mut Vec<usize>) {
        order.push(at);
        for child in &children[at] {
            visit(*child, children, order);
        }
    }
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    let mut order = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        if let Some(parent) = span.parent {
            children[parent].push(index);
        }
    }
    for root in (0..spans.len()).filter(|index| spans[*index].parent.is_none()) {
        visit(root, &children, &mut order);
    }
    let mut place = vec![0; spans.len()];
    for (index, old) in order.iter().enumerate() {
        place[*old] = index;
    }
    let mut kept: Vec<Option<Span>> = spans.into_iter().map(Some).collect();
    let moved = order.iter().filter_map(|old| kept[*old].take());
    moved
        .map(|span| Span {
            parent: span.parent.map(|parent| place[parent]),
            ..span
        })
        .collect()
}
