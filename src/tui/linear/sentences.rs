//! What happens, in sentences with their moments.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::observe::{Frame, Health, Incident, LogLine, Severity, deed};
use crate::sim::SimTime;
use crate::tui::speed::Speed;
use crate::tui::{text, truth};

/// Between two sentences about the same incident that say that users are served, or not any more, on the wall.
const CALM: Duration = Duration::from_secs(1);

/// What can be typed.
pub(super) const HELP: [&str; 7] = [
    "kill web/1, mend web/1, mend all, slow db 10: any command of the screen; blastradius faults lists what can go wrong.",
    "pause: time stands still. go on: it passes again. speed 2: twice as fast; speed max: as fast as it can.",
    "wait 5s: what the next lines say is done 5 simulated seconds later; where time stands still, it passes for so long.",
    "Whoever types while that lasts is heard at once with pause, go on, speed, status, help and quit.",
    "status: how things stand. where: the file that this run is recorded in.",
    "goto 40s, mark NAME, note TEXT, w FILE, branch: the run as a whole.",
    "help: these lines. quit: the end.",
];

/// A sentence behind its moment, with a full stop.
pub(super) fn stamped(at: SimTime, sentence: &str) -> String {
    let stop = if sentence.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{} {sentence}{stop}", clock(at))
}

/// A moment to the tenth of a second.
fn clock(at: SimTime) -> String {
    let mut clock = at.to_string();
    clock.truncate(clock.len().saturating_sub(2));
    clock
}

/// Whether an event is about an incident, which has sentences of its own.
pub(super) fn is_told(line: &LogLine) -> bool {
    line.text.starts_with("incident ")
}

/// Whether nothing among some events is more than for the record.
pub(super) fn is_small_talk(events: &[LogLine]) -> bool {
    events.iter().all(|line| line.severity == Severity::Info)
}

/// The weightiest of some events, the newest of those, and how many others there were, with those that were passed over before.
pub(super) fn of_events(events: &[LogLine], passed: usize) -> Option<String> {
    let told = events.iter().max_by_key(|line| line.severity)?;
    let told = events.iter().rev().find(|line| line.severity == told.severity)?;
    let others = match events.len() - 1 + passed {
        0 => String::new(),
        more => format!("; {} meanwhile", text::plural(more, "other event")),
    };
    Some(stamped(told.at, &format!("{}{others}", told.text)))
}

/// Milestones in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Hurt,
    Noticed,
    Acted,
    Served,
    Healed,
}

const STAGES: [Stage; 5] = [Stage::Hurt, Stage::Noticed, Stage::Acted, Stage::Served, Stage::Healed];

impl Stage {
    fn reached(self, incident: &Incident) -> Option<SimTime> {
        match self {
            Stage::Hurt => incident.hurt,
            Stage::Noticed => incident.noticed.as_ref().map(|milestone| milestone.at),
            Stage::Acted => incident.acted.as_ref().map(|milestone| milestone.at),
            Stage::Served => incident.served,
            Stage::Healed => incident.healed,
        }
    }

    /// The milestone of an incident that has reached it.
    fn sentence(self, incident: &Incident, at: SimTime, frame: &Frame) -> String {
        let after = text::span(at.since(incident.injected));
        let number = incident.number;
        let by = |milestone: &Option<crate::observe::Milestone>| {
            milestone
                .as_ref()
                .map_or(String::new(), |milestone| format!(" by {}", milestone.who))
        };
        let so_far = harm(incident);
        match self {
            Stage::Hurt => {
                let who = incident.first_hurt.as_deref().unwrap_or("users");
                format!(
                    "Incident {number}, hurt after {after}: {who} is the first whose request failed or had to be tried again."
                )
            }
            Stage::Noticed => {
                let by = by(&incident.noticed);
                format!("Incident {number}, noticed after {after}{by}: so far {so_far}.")
            }
            Stage::Acted => {
                let done = incident.acted.as_ref().and_then(|acted| {
                    let done = deed(frame, incident)?;
                    Some(format!(": {} {done}", acted.who))
                });
                let done = done.unwrap_or_else(|| by(&incident.acted));
                format!("Incident {number}, acted on after {after}{done}; so far {so_far}.")
            }
            Stage::Served => {
                format!("Incident {number}, served again after {after}: users are served as before; in all {so_far}.")
            }
            Stage::Healed => format!("Incident {number}, healed after {after}: all is as before; in all {so_far}."),
        }
    }
}

/// What an incident has cost users, in numbers.
fn harm(incident: &Incident) -> String {
    let always = [
        format!("{} failed", requests(incident.failed)),
        format!("{} retried", text::count(incident.retried)),
        format!("{} lost", plural(incident.lost_writes, "write")),
    ];
    let rare = [
        (incident.missing_writes, "write", "missing for a time"),
        (incident.given_up, "write", "given up"),
        (incident.lost_jobs, "job", "lost"),
        (incident.lost_sessions, "user", "signed out"),
    ];
    let rare = rare.into_iter().filter(|(number, ..)| *number > 0);
    let rare = rare.map(|(number, what, fate)| format!("{} {fate}", plural(number, what)));
    always.into_iter().chain(rare).collect::<Vec<_>>().join(", ")
}

fn requests(number: u64) -> String {
    plural(number, "request")
}

fn plural(number: u64, one: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {one}{end}", text::count(number))
}

/// What was told of incidents.
#[derive(Debug, Default)]
pub(super) struct Cases {
    /// By number: the milestones that were told, and when a change of the fourth was.
    told: BTreeMap<u32, ([bool; 5], Option<Instant>)>,
}

impl Cases {
    /// As if all that is known of the incidents of a frame had been told.
    pub(super) fn known(frame: &Frame) -> Cases {
        let told = frame.incidents.iter().map(|incident| {
            let reached = STAGES.map(|stage| stage.reached(incident).is_some());
            (incident.number, (reached, None))
        });
        Cases { told: told.collect() }
    }

    /// What incidents have come to since the last call, in order of time.
    pub(super) fn news(&mut self, frame: &Frame, now: Instant) -> Vec<(SimTime, String)> {
        let mut news = Vec::new();
        for incident in &frame.incidents {
            let number = incident.number;
            let (told, changed) = self.told.entry(number).or_insert_with(|| {
                news.push((
                    incident.injected,
                    format!("Incident {number} begins: {}.", incident.what),
                ));
                ([false; 5], None)
            });
            for (index, stage) in STAGES.into_iter().enumerate() {
                let reached = stage.reached(incident);
                if reached.is_some() == told[index] {
                    continue;
                }
                // Users may be served and hurt in turns, faster than anybody could follow.
                if stage == Stage::Served {
                    if changed.is_some_and(|changed| now < changed + CALM) {
                        continue;
                    }
                    *changed = Some(now);
                }
                told[index] = reached.is_some();
                news.push(match reached {
                    Some(at) => (at, stage.sentence(incident, at, frame)),
                    None => (
                        frame.at,
                        format!("Incident {number}: users are hurt again; so far {}.", harm(incident)),
                    ),
                });
            }
        }
        let oldest = frame.incidents.first().map_or(0, |incident| incident.number);
        self.told.retain(|number, _| *number >= oldest);
        news.sort_by_key(|(at, _)| *at);
        news
    }
}

/// How things stand, in a few lines.
pub(super) fn status(frame: &Frame, running: bool, speed: Speed) -> Vec<String> {
    let pace = if running {
        format!("running at {}", speed.label())
    } else {
        "paused".to_string()
    };
    let users = frame.services.iter().filter_map(|service| service.users.as_ref());
    let rate: f64 = users.map(|users| users.rate).sum();
    let ended = frame.recent.ok + frame.recent.failed;
    let well = if ended == 0 {
        "nothing was answered so far".to_string()
    } else {
        format!(
            "{} of them answered well in the last {:.0} seconds, half within {}, 99 of 100 within {}",
            text::percent(frame.recent.ok_ratio()),
            frame.recent_seconds.round().clamp(1.0, 10.0),
            text::span(frame.recent_latency.p50),
            text::span(frame.recent_latency.p99),
        )
    };
    let mut lines = vec![
        format!("It is {}, {pace}, seed {}.", clock(frame.at), frame.seed),
        format!("Users send {} requests a second; {well}.", text::short(rate)),
        machines(frame),
    ];
    lines.push(match frame.incidents.last() {
        None => "No incident so far.".to_string(),
        Some(incident) if incident.healed.is_some() => {
            format!(
                "The last incident, number {}, is over: {}.",
                incident.number,
                harm(incident)
            )
        }
        Some(incident) => stopped(&format!(
            "Incident {}, {}, {} ago: {}. {}",
            incident.number,
            incident.what,
            text::ago(frame.at.since(incident.injected)),
            harm(incident),
            incident.sentence
        )),
    });
    lines
}

fn stopped(sentence: &str) -> String {
    let sentence = sentence.trim_end();
    if sentence.ends_with('.') {
        sentence.to_string()
    } else {
        format!("{sentence}.")
    }
}

/// Which machines are not well.
fn machines(frame: &Frame) -> String {
    let services = frame.topology.services.iter().zip(&frame.services);
    let machines: Vec<_> = services
        .flat_map(|(service, state)| service.instances.iter().zip(&state.instances))
        .collect();
    let ails = machines.iter().filter(|(_, state)| {
        state.health != Health::Up || state.slow > 1.0 || state.ails.is_some() || state.draining || state.resting
    });
    let ails: Vec<String> = ails
        .map(|(machine, state)| format!("{} {}", machine.selector, truth::of(state, frame.at).words))
        .collect();
    let all = machines.len();
    if ails.is_empty() {
        format!("{} work.", text::plural(all, "instance"))
    } else {
        format!(
            "{} of {} are not well: {}.",
            ails.len(),
            text::plural(all, "instance"),
            ails.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: u64, severity: Severity, text: &str) -> LogLine {
        LogLine {
            at: SimTime(at * 1_000_000_000),
            severity,
            text: text.to_string(),
        }
    }

    #[test]
    fn of_several_events_the_weightiest_is_told() {
        let events = [
            line(1, Severity::Info, "a"),
            line(2, Severity::Warning, "b"),
            line(3, Severity::Warning, "lb took web/1 out"),
            line(4, Severity::Good, "d"),
        ];
        assert_eq!(
            of_events(&events, 0).as_deref(),
            Some("00:03.0 lb took web/1 out; 3 other events meanwhile.")
        );
        assert_eq!(of_events(&events[..1], 0).as_deref(), Some("00:01.0 a."));
        assert_eq!(
            of_events(&events[..1], 1).as_deref(),
            Some("00:01.0 a; 1 other event meanwhile.")
        );
        assert!(is_small_talk(&events[..1]) && !is_small_talk(&events));
        assert_eq!(of_events(&[], 1), None);
    }

    #[test]
    fn a_sentence_has_one_full_stop() {
        assert_eq!(stamped(SimTime(61_250_000_000), "It ends."), "01:01.2 It ends.");
        assert_eq!(stamped(SimTime(0), "It ends"), "00:00.0 It ends.");
        assert_eq!(stopped("a. "), "a.");
    }
}
