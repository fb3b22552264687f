//! What the cards of queues and of workers say: a pipe that fills, how old what waits in it is, and how busy those are who work on it.

use crate::tui::queues::{self, Queued};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::draw::Scene;

/// Cells of a pipe, at most and at least.
const CELLS: [u16; 4] = [8, 5, 3, 2];

/// A queue as a pipe with its depth, and how old the oldest message is where no line below tells it.
pub(super) fn pipe(queue: &Queued, room: u16, more_below: bool) -> Vec<(String, Role)> {
    let depth = queues::depth(queue.state.waiting);
    let short = text::short(queue.state.waiting as f64);
    let age = queue.oldest().filter(|_| !more_below);
    let words = |depth: &str, age: &Option<String>| match age {
        Some(age) => format!(" {depth} {age}"),
        None => format!(" {depth}"),
    };
    let options = [
        words(&depth, &age),
        words(&short, &age),
        words(&depth, &None),
        words(&short, &None),
    ];
    let fits = |words: &&String, cells: u16| cells + text::width(words) <= room;
    // The age gives way before the pipe is hard to see.
    let found = CELLS.iter().find_map(|cells| {
        let words = options.iter().find(|words| fits(words, *cells))?;
        Some((*cells, words.clone()))
    });
    let Some((cells, words)) = found else {
        return vec![(text::fitting(&[short], room).to_string(), Role::Text)];
    };
    let role = match (queue.alarms().is_empty(), queue.grows()) {
        (false, _) => Role::Bad,
        (true, true) => Role::Warning,
        (true, false) => Role::Flow,
    };
    vec![(queue.pipe(cells), role), (words, Role::Text)]
}

/// How old the oldest message is and what that comes to, at several lengths.
pub(super) fn age(queue: &Queued) -> Vec<String> {
    let outlook = queue.outlook().map(|(words, _)| words);
    match (queue.oldest(), outlook) {
        (None, _) => vec!["nothing waits".to_string(), "empty".to_string()],
        (Some(age), Some(outlook)) => vec![
            format!("oldest {age}, {outlook}"),
            format!("{age}, {outlook}"),
            outlook,
            format!("oldest {age}"),
            age,
        ],
        (Some(age), None) => vec![format!("oldest {age}"), age],
    }
}

/// What is wrong with a queue, or else what is under way, at several lengths.
pub(super) fn notes(scene: &Scene, service: usize) -> Vec<String> {
    let Some(queue) = queues::of(scene.frame, service) else {
        return Vec::new();
    };
    if let Some(alarm) = queue.alarms().into_iter().next() {
        let first = alarm.split(':').next().unwrap_or_default().to_string();
        return vec![alarm, first];
    }
    match queue.state.in_flight {
        0 => Vec::new(),
        some => vec![format!("{} in flight", text::short(some as f64))],
    }
}

/// How busy workers are, at several lengths.
pub(super) fn busy(scene: &Scene, service: usize) -> Vec<String> {
    let Some(workers) = &scene.frame.services[service].workers else {
        return Vec::new();
    };
    let (busy, slots) = (workers.busy, workers.slots);
    let share = f64::from(busy) / f64::from(slots.max(1));
    vec![
        format!("{busy} of {slots} busy"),
        format!("{busy}/{slots} busy"),
        format!("{busy}/{slots}"),
        text::whole_percent(share),
    ]
}

/// A worker: the load of its machine; of a single one, how busy it is.
pub(super) fn worker(scene: &Scene, service: usize, index: usize, room: u16) -> Vec<(String, Role)> {
    let state = &scene.frame.services[service];
    let instance = &state.instances[index];
    let load = truth::of_second(scene.frame.at, text::whole_percent(instance.utilisation));
    let load = format!("{load:>4} ");
    let left = room.saturating_sub(text::width(&load));
    let slots = scene.frame.topology.services[service].instances[index].slots;
    let options = if state.instances.len() == 1 {
        busy(scene, service)
    } else {
        vec![
            format!("{:>2}/{slots} busy", instance.busy_slots),
            format!("{}/{slots}", instance.busy_slots),
        ]
    };
    let words = text::fitting(&options, left).to_string();
    vec![(load, truth::load(instance.utilisation)), (words, Role::Muted)]
}

/// What workers do badly, at several lengths; nothing of those in good order.
pub(super) fn trouble(scene: &Scene, service: usize) -> Vec<String> {
    let Some(workers) = &scene.frame.services[service].workers else {
        return Vec::new();
    };
    let counts = [(workers.total.crashed, "crashes"), (workers.total.failed, "failed")];
    let found = counts.into_iter().find(|(count, _)| *count > 0);
    found.map_or(Vec::new(), |(count, words)| {
        vec![
            format!("{} {words}", text::count(count)),
            format!("{} {words}", text::short(count as f64)),
        ]
    })
}
