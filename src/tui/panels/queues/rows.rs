//! The lines below the first one of a queue, and which of them stay where there is not room for all.

use crate::tui::glyph;
use crate::tui::nodes;
use crate::tui::queues::{self, Queued};
use crate::tui::text;
use crate::tui::theme::Role;

use super::{Piece, bar, packed, piece};

/// A line, and how soon it goes where room is scarce: those of the highest rank first.
pub(super) struct Row {
    rank: u8,
    line: Vec<Piece>,
}

impl Row {
    pub(super) fn new(rank: u8, line: Vec<Piece>) -> Row {
        Row { rank, line }
    }
}

/// The lines that stay in a height, in their order.
pub(super) fn trimmed(mut rows: Vec<Row>, height: usize) -> Vec<Vec<Piece>> {
    while rows.len() > height {
        let Some((worst, _)) = rows.iter().enumerate().max_by_key(|(_, row)| row.rank) else {
            break;
        };
        rows.remove(worst);
    }
    rows.into_iter().map(|row| row.line).collect()
}

/// Columns before the words of a line: its sign and the name of whom it is about.
const INDENT: u16 = 2;

/// All that is to be said of a queue beyond its first line; with `all`, as many lines as that takes.
pub(super) fn below(queue: &Queued, width: u16, all: bool) -> Vec<Row> {
    let labels = labels(queue);
    let label = labels.iter().map(|label| text::width(label)).max().unwrap_or(0);
    let label = label.clamp(4, (width / 3).clamp(6, 18));
    let labelled = |rank: u8, sign: char, name: &str, pieces: Vec<Piece>| -> Vec<Row> {
        let room = width.saturating_sub(INDENT + 2 + label + 2);
        let lines = packed(pieces, room).into_iter();
        let rows = lines.enumerate().map(|(index, line)| {
            let (sign, name) = if index == 0 { (sign, name) } else { (' ', "") };
            let name = text::clip_middle(name, label);
            let gap = " ".repeat(usize::from(label - text::width(&name)));
            let mut pieces = vec![piece(format!("  {sign} {name}{gap}  "), Role::Muted)];
            pieces.extend(line);
            Row::new(rank + 3 * u8::from(index > 0), pieces)
        });
        rows.take(if all { usize::MAX } else { 2 }).collect()
    };
    let mut rows = state(queue, width, all);
    for subscriber in &queue.state.subscribers {
        rows.extend(labelled(
            2,
            glyph::HEADS[1],
            queue.called(subscriber.service as usize),
            subscribed(queue, subscriber),
        ));
    }
    for (service, workers) in queue.workers() {
        let pieces = queues::workers(queue.frame(), service, workers);
        rows.extend(labelled(2, glyph::HEADS[1], queue.called(service), pieces));
    }
    if let Some(letters) = queue.dead_letters() {
        let rank = if letters.state.waiting > 0 { 2 } else { 7 };
        rows.extend(labelled(rank, glyph::HEADS[2], letters.selector(), dead(&letters)));
    }
    let jobs = &queue.state.jobs;
    let rank = if queues::is_worse(jobs) { 2 } else { 3 };
    rows.extend(labelled(rank, ' ', JOBS, queues::jobs(jobs, all)));
    for (service, publisher) in queue.publishers() {
        let mut pieces = queues::publisher(publisher);
        let rank = if pieces.is_empty() { 6 } else { 2 };
        pieces.push(piece(publisher.policy.clone(), Role::Muted));
        rows.extend(labelled(rank, glyph::HEADS[3], queue.called(service), pieces));
    }
    let policy = queue.state.policy.split(", ").map(|part| piece(part, Role::Muted));
    let policy = packed(policy.collect(), width.saturating_sub(INDENT));
    rows.extend(policy.into_iter().map(|line| Row::new(8, indented(line))));
    rows
}

/// The label of the line about jobs.
const JOBS: &str = "jobs";

fn labels(queue: &Queued) -> Vec<String> {
    let services = queue.workers().map(|(service, _)| service);
    let services = services.chain(queue.publishers().map(|(service, _)| service));
    let services = services.chain(queue.state.dead_letter);
    services.map(|service| queue.called(service).to_string()).collect()
}

fn indented(mut line: Vec<Piece>) -> Vec<Piece> {
    line.insert(0, piece("  ", Role::Text));
    line
}

/// How it stands: what is wrong, how old and how full, what is under way.
fn state(queue: &Queued, width: u16, all: bool) -> Vec<Row> {
    let state = queue.state;
    let alarms = queue.alarms().into_iter();
    let mut pieces: Vec<Piece> = alarms.map(|words| piece(words, Role::Mismatch)).collect();
    pieces.extend(queue.oldest().map(|age| piece(format!("oldest {age}"), Role::Text)));
    pieces.extend(queue.outlook());
    let full = format!("{} {} full", bar(queue.full()), text::percent(queue.full()));
    pieces.push(piece(full, Role::Text));
    let counted = |count: u64, words: &str, role: Role| {
        (count > 0 || all).then(|| piece(format!("{} {words}", text::count(count)), role))
    };
    pieces.extend(counted(state.in_flight, "in flight", Role::Text));
    pieces.extend(counted(state.delayed, "delayed", Role::Text));
    if state.total.redelivered > 0 {
        let again = text::count(state.total.redelivered);
        pieces.push(match state.second.redelivered {
            0 => piece(format!("{again} redelivered"), Role::Text),
            now => piece(
                format!("{again} redelivered, {}", text::rate(now as f64)),
                Role::Warning,
            ),
        });
    }
    pieces.extend(counted(state.total.refused, "refused", Role::Bad).filter(|_| state.total.refused > 0));
    let lines = packed(pieces, width.saturating_sub(INDENT)).into_iter().enumerate();
    let rank = |index: usize| if index == 0 { 1 } else { 4 };
    lines
        .map(|(index, line)| Row::new(rank(index), indented(line)))
        .collect()
}

/// A subscriber of a log: what it has not been handed yet.
fn subscribed(queue: &Queued, subscriber: &crate::observe::SubscriberState) -> Vec<Piece> {
    let role = if subscriber.waiting > 0 { Role::Text } else { Role::Good };
    let mut pieces = vec![piece(format!("{} behind", queues::depth(subscriber.waiting)), role)];
    if let Some(oldest) = subscriber.oldest {
        let age = nodes::age(queue.at().since(oldest));
        pieces.push(piece(format!("oldest {age}"), Role::Text));
    }
    pieces.push(piece(
        format!("{} in flight", text::count(subscriber.in_flight)),
        Role::Muted,
    ));
    pieces
}

/// A dead-letter queue: how many there are, and the first of them.
fn dead(letters: &Queued) -> Vec<Piece> {
    let mut pieces = match letters.state.waiting {
        0 => vec![piece("no dead letters", Role::Muted)],
        count => vec![piece(format!("{} dead", queues::depth(count)), Role::Warning)],
    };
    let first = letters.state.first.iter();
    pieces.extend(first.map(|message| piece(queues::message(message, letters.at()), Role::Text)));
    pieces
}
