//! Queues with those who publish to them and those who work for them: the same words and signs on the map, in the panel and in the
//! inspector.

use std::time::Duration;

use crate::observe::{Frame, JobTally, Kind, PublisherState, QueueState, ServiceInfo, Waiting, WorkersState};
use crate::sim::SimTime;

use super::glyph;
use super::nodes;
use super::text;
use super::theme::Role;
use super::trend;
use super::truth;

/// Words and how they look.
pub type Piece = (String, Role);

/// More comes than leaves, or the other way round, if the rates differ by more than this share of the greater one.
const NOISE: f64 = 0.02;
/// A queue that is full sooner than this is a worry.
const SOON: Duration = Duration::from_secs(600);

/// A queue or a log.
pub struct Queued<'a> {
    /// The frame that it stands in.
    frame: &'a Frame,
    /// The frame of the world where nobody acts.
    pub twin: Option<&'a Frame>,
    /// Index of the service.
    pub service: usize,
    /// The service.
    pub info: &'a ServiceInfo,
    /// What it holds.
    pub state: &'a QueueState,
}

/// Whether there is any queue.
pub fn any(frame: &Frame) -> bool {
    frame.services.iter().any(|state| state.queue.is_some())
}

/// The queue that a service is, if it is one.
pub fn of(frame: &Frame, service: usize) -> Option<Queued<'_>> {
    let info = frame.topology.services.get(service)?;
    let state = frame.services.get(service)?.queue.as_ref()?;
    Some(Queued {
        frame,
        twin: None,
        service,
        info,
        state,
    })
}

/// All queues but those that hold the dead letters of others, beside the world where nobody acts.
pub fn all<'a>(frame: &'a Frame, twin: Option<&'a Frame>) -> Vec<Queued<'a>> {
    let beside = |queue| Queued { twin, ..queue };
    let queues = (0..frame.services.len())
        .filter_map(|service| of(frame, service))
        .map(beside);
    queues.filter(|queue| queue.state.dead_of.is_empty()).collect()
}

/// Messages in as few characters as tell enough: `1,204`, `120k`.
pub fn depth(count: u64) -> String {
    if count < 100_000 {
        text::count(count)
    } else {
        text::short(count as f64)
    }
}

/// How long something will take, in one unit: `45s`, `32m`, `5h`, `3d`.
pub fn eta(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let (value, unit) = match seconds {
        s if s < 99.5 => (s, 's'),
        s if s < 99.5 * 60.0 => (s / 60.0, 'm'),
        s if s < 48.0 * 3600.0 => (s / 3600.0, 'h'),
        s => (s / 86_400.0, 'd'),
    };
    format!("{value:.0}{unit}")
}

/// A message that waits, in words: `row 42, tried 5 times, 2m05s old`.
pub fn message(waiting: &Waiting, at: SimTime) -> String {
    let tried = match waiting.attempts {
        0 => String::new(),
        1 => ", tried once".to_string(),
        more => format!(", tried {more} times"),
    };
    let poison = if waiting.poison { ", poison" } else { "" };
    let age = nodes::age(at.since(waiting.published));
    format!("row {}{tried}, {age} old{poison}", waiting.key)
}

/// What became of jobs: what should not be stands out and comes first behind the whole. What is 0 is left out, but for `all`.
pub fn jobs(jobs: &JobTally, all: bool) -> Vec<Piece> {
    let rows = [
        (jobs.lost, "lost", Role::Bad, Role::Good),
        (jobs.duplicated, "duplicated", Role::Warning, Role::Good),
        (jobs.accepted, "accepted", Role::Text, Role::Muted),
        (jobs.done, "done", Role::Text, Role::Muted),
        (jobs.open(), "open", Role::Text, Role::Muted),
        (jobs.dead, "dead", Role::Warning, Role::Muted),
        (jobs.expired, "expired", Role::Warning, Role::Muted),
        (jobs.absorbed, "absorbed", Role::Text, Role::Muted),
    ];
    let shown = rows.into_iter().filter(|(count, ..)| all || *count > 0);
    shown
        .map(|(count, words, some, none)| {
            let role = if count > 0 { some } else { none };
            (format!("{} {words}", text::count(count)), role)
        })
        .collect()
}

/// Whether anything became of jobs that should not.
pub fn is_worse(jobs: &JobTally) -> bool {
    jobs.lost + jobs.duplicated > 0
}

/// What workers do, the most telling first.
pub fn workers(frame: &Frame, service: usize, state: &WorkersState) -> Vec<Piece> {
    let (up, all) = truth::serving(frame, service);
    let share = f64::from(state.busy) / f64::from(state.slots.max(1));
    let mut pieces = Vec::new();
    match (up, all) {
        (_, 0) => pieces.push(("no machine".to_string(), Role::Muted)),
        (0, _) => pieces.push((format!("all {all} down"), Role::Bad)),
        (up, all) if up < all => pieces.push((format!("{} of {all} down", all - up), Role::Bad)),
        _ => {}
    }
    if up > 0 {
        pieces.push((format!("{}/{} busy", state.busy, state.slots), truth::load(share)));
    }
    let rate = truth::of_second(frame.at, text::rate(state.rate));
    pieces.push((format!("{rate} done"), Role::Text));
    let counts = [
        (state.total.crashed, plural(state.total.crashed, "crash"), Role::Bad),
        (
            state.total.failed,
            format!("{} failed", text::count(state.total.failed)),
            Role::Warning,
        ),
    ];
    pieces.extend(
        counts
            .into_iter()
            .filter(|row| row.0 > 0)
            .map(|(_, words, role)| (words, role)),
    );
    pieces
}

/// What those who publish hold back or lose, the worst first; nothing where all is confirmed.
pub fn publisher(state: &PublisherState) -> Vec<Piece> {
    let total = &state.total;
    let counted =
        |count: u64, words: &str, role: Role| (count > 0).then(|| (format!("{} {words}", text::count(count)), role));
    let outbox = (state.outbox > 0).then(|| {
        let role = if state.outbox >= state.room {
            Role::Bad
        } else {
            Role::Warning
        };
        let (outbox, room) = (text::count(state.outbox), text::short(state.room as f64));
        (format!("outbox {outbox} of {room}"), role)
    });
    [
        counted(state.blocked, "blocked", Role::Warning),
        outbox,
        counted(total.dropped, "dropped", Role::Bad),
        counted(total.refused, "refused", Role::Bad),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A count with its noun: `1 crash`, `3 crashes`.
fn plural(count: u64, noun: &str) -> String {
    let ending = match (count, noun.ends_with("sh")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {noun}{ending}", text::count(count))
}

impl Queued<'_> {
    /// The messages of the last seconds in so many columns.
    pub fn trend(&self, cells: u16) -> Vec<(String, Role)> {
        trend::of_queue(self.frame, self.twin, self.service, cells).words(cells)
    }

    /// Messages a second that come and that leave.
    pub fn rates(&self) -> (String, String) {
        let words = |rate| truth::of_second(self.frame.at, text::rate(rate));
        (words(self.state.rate_in), words(self.state.rate_out))
    }

    /// What it is called.
    pub fn selector(&self) -> &str {
        &self.info.selector
    }

    /// How full it is, by messages or by bytes, whichever is more: from 0 to 1.
    pub fn full(&self) -> f64 {
        let share = |held: u64, room: u64| if room == 0 { 0.0 } else { held as f64 / room as f64 };
        let state = self.state;
        share(state.held, state.room)
            .max(share(state.bytes, state.room_bytes))
            .min(1.0)
    }

    /// Whether more comes than leaves.
    pub fn grows(&self) -> bool {
        let QueueState { rate_in, rate_out, .. } = *self.state;
        self.state.waiting > 0 && rate_in - rate_out > rate_in * NOISE
    }

    /// Whether more leaves than comes, and something waits.
    fn shrinks(&self) -> bool {
        let QueueState { rate_in, rate_out, .. } = *self.state;
        self.state.waiting > 0 && rate_out - rate_in > rate_out * NOISE
    }

    /// A pipe of so many cells that fills from its way out: `░▒▓` while it grows, `░▒▒` else. Something in it is always seen.
    pub fn pipe(&self, cells: u16) -> String {
        let cells = usize::from(cells);
        let held = self.state.held.max(self.state.waiting);
        let exact = (self.full() * cells as f64).ceil() as usize;
        let filled = exact.max(usize::from(held > 0)).min(cells);
        let heavy = if self.grows() { filled.max(2) - 1 } else { 0 };
        let cell = |index: usize| match cells - index {
            place if place > filled => glyph::PIPE[0],
            place if place > heavy => glyph::PIPE[1],
            _ => glyph::PIPE[2],
        };
        (0..cells).map(cell).collect()
    }

    /// How old the oldest message is that waits.
    pub fn oldest(&self) -> Option<String> {
        self.state.oldest.map(nodes::age)
    }

    /// When it will be full or empty, at the present rates.
    pub fn outlook(&self) -> Option<Piece> {
        let full = self.state.full_in.filter(|_| self.grows()).map(|left| {
            let role = if left < SOON { Role::Bad } else { Role::Warning };
            (format!("full in {}", eta(left)), role)
        });
        let drained = self.state.drained_in.filter(|_| self.shrinks());
        let drained = drained.filter(|left| *left >= Duration::from_secs(1));
        full.or_else(|| drained.map(|left| (format!("empty in {}", eta(left)), Role::Good)))
    }

    /// What somebody should know, the worst first.
    pub fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        let state = self.state;
        let (up, all) = truth::serving(self.frame, self.service);
        let first = self.frame.services[self.service].instances.first();
        if let (0, true, Some(first)) = (up, all > 0, first) {
            alarms.push(truth::of(first, self.frame.at).words);
        }
        if state.second.refused > 0 {
            alarms.push(format!("refuses {}", text::rate(state.second.refused as f64)));
        } else if state.room > 0 && state.held >= state.room {
            alarms.push(if state.log { "full: forgets the oldest" } else { "full" }.to_string());
        }
        let workers: Vec<usize> = self.workers().map(|(service, _)| service).collect();
        let idle = workers
            .iter()
            .all(|service| truth::serving(self.frame, *service).0 == 0);
        if state.waiting > 0 && state.dead_of.is_empty() && idle {
            alarms.push("nobody works".to_string());
        }
        alarms
    }

    /// Those who work for it.
    pub fn workers(&self) -> impl Iterator<Item = (usize, &WorkersState)> {
        let services = self.frame.services.iter().enumerate();
        let workers = services.filter_map(|(service, state)| Some((service, state.workers.as_ref()?)));
        workers.filter(|(_, workers)| workers.of == self.service)
    }

    /// Those who publish to it.
    pub fn publishers(&self) -> impl Iterator<Item = (usize, &PublisherState)> {
        let services = self.frame.services.iter().enumerate();
        let publishers = services.filter_map(|(service, state)| Some((service, state.publisher.as_ref()?)));
        publishers.filter(|(_, publisher)| publisher.to == self.service)
    }

    /// Its dead-letter queue, where it is the first one that has it.
    pub fn dead_letters(&self) -> Option<Queued<'_>> {
        let letters = of(self.frame, self.state.dead_letter?)?;
        let first = letters.state.dead_of.first() == Some(&self.service);
        first.then_some(letters)
    }

    /// The name of a service.
    pub fn called(&self, service: usize) -> &str {
        let info = self.frame.topology.services.get(service);
        info.map_or("", |info| &info.selector)
    }

    /// The moment of the frame.
    pub fn at(&self) -> SimTime {
        self.frame.at
    }

    /// The frame.
    pub fn frame(&self) -> &Frame {
        self.frame
    }

    /// Counts since the start, those that are 0 left out: label, count, what was counted, how it looks.
    pub fn counts(&self) -> Vec<(&'static str, u64, &'static str, Role)> {
        let total = &self.state.total;
        let rows = [
            ("published", total.published, "", Role::Text),
            ("copies", total.copies, " of messages that were here", Role::Text),
            ("refused", total.refused, ": there was no room", Role::Bad),
            ("delivered", total.delivered, "", Role::Text),
            ("redelivered", total.redelivered, "", Role::Warning),
            ("acknowledged", total.acknowledged, "", Role::Text),
            ("rejected", total.rejected, " attempts failed", Role::Warning),
            ("returned", total.returned, " untried", Role::Text),
            (
                "timed out",
                total.timed_out,
                ": not acknowledged in time",
                Role::Warning,
            ),
            ("late", total.late, " acknowledgements came too late", Role::Warning),
            ("dead", total.buried, " handed to the dead-letter queue", Role::Warning),
            ("discarded", total.discarded, " dead ones thrown away", Role::Bad),
            ("expired", total.expired, " not done in time", Role::Bad),
            ("emptied", total.purged, " thrown away by hand", Role::Warning),
            ("redriven", total.redriven, " sent back", Role::Text),
        ];
        rows.into_iter().filter(|row| row.1 > 0).collect()
    }
}

/// Whether a service is a dead-letter queue, as far as links tell.
pub fn holds_dead_letters(topology: &crate::observe::Topology, service: usize) -> bool {
    let queue = |service: usize| topology.services[service].kind == Kind::Queue;
    let mut links = topology.links.iter();
    queue(service) && links.any(|link| link.to == service && queue(link.from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_unit() {
        assert_eq!(eta(Duration::from_secs(45)), "45s");
        assert_eq!(eta(Duration::from_secs(1_920)), "32m");
        assert_eq!(eta(Duration::from_secs(5 * 3600)), "5h");
        assert_eq!(eta(Duration::from_secs(86_400 * 3)), "3d");
    }

    #[test]
    fn what_should_not_be_stands_out() {
        let tally = JobTally {
            accepted: 100,
            done: 90,
            lost: 3,
            ..JobTally::default()
        };
        let words = |all| -> Vec<String> { jobs(&tally, all).into_iter().map(|piece| piece.0).collect() };
        assert_eq!(words(false), ["3 lost", "100 accepted", "90 done", "7 open"]);
        assert!(words(true).contains(&"0 duplicated".to_string()));
        assert_eq!(plural(1, "crash"), "1 crash");
        assert_eq!(plural(2, "crash"), "2 crashes");
    }
}
