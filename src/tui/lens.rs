//! Lenses: what machines on the map are coloured by. What is broken keeps its sign under each of them.
//!
//! One row a lens. Its steps are sign and colour at once, so that it reads without colour, and its legend is the same table.

use crate::observe::{Cause, Frame, Kind};

use super::layers;
use super::nodes;
use super::queues;
use super::text;
use super::theme::Role;

/// What machines on the map are coloured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lens {
    /// Whether it works, and how busy it is.
    #[default]
    Health,
    /// The share of its cores in use, or of its slots if that is more.
    Load,
    /// Mean time from arrival to answer.
    Latency,
    /// The share of what was asked of it that failed, or was tried again elsewhere.
    Errors,
    /// The share of what a cache was asked that it had.
    Hits,
    /// How old the oldest thing is that a node of a database lacks, or that waits in a queue.
    Lag,
    /// What its machine costs.
    Cost,
}

/// Up to which value, exclusive, a sign and a role stand, and how that is written in the legend.
type Step = (f64, char, Role, &'static str);

/// One row of the table.
struct Row {
    lens: Lens,
    name: &'static str,
    unit: &'static str,
    steps: [Step; 5],
}

const MORE: f64 = f64::INFINITY;
/// Of what is counted: nothing at all.
const NONE: f64 = 1e-9;

const ROWS: [Row; 6] = [
    Row {
        lens: Lens::Load,
        name: "load",
        unit: "of cores or slots",
        steps: [
            (0.25, '▁', Role::Calm, "<25%"),
            (0.50, '▃', Role::Calm, "<50%"),
            (0.75, '▅', Role::Busy, "<75%"),
            (0.92, '▇', Role::Hot, "<92%"),
            (MORE, '█', Role::Over, "full"),
        ],
    },
    Row {
        lens: Lens::Latency,
        name: "latency",
        unit: "mean (1s)",
        steps: [
            (0.001, '▁', Role::Calm, "<1ms"),
            (0.01, '▃', Role::Calm, "<10ms"),
            (0.1, '▅', Role::Busy, "<100ms"),
            (1.0, '▇', Role::Hot, "<1s"),
            (MORE, '█', Role::Over, "more"),
        ],
    },
    Row {
        lens: Lens::Errors,
        name: "errors",
        unit: "failed or retried (10s)",
        steps: [
            (NONE, '▁', Role::Calm, "none"),
            (0.001, '▃', Role::Busy, "<0.1%"),
            (0.01, '▅', Role::Hot, "<1%"),
            (0.1, '▇', Role::Over, "<10%"),
            (MORE, '█', Role::Bad, "more"),
        ],
    },
    Row {
        lens: Lens::Hits,
        name: "hit ratio",
        unit: "(10s)",
        steps: [
            (0.25, '▁', Role::Over, "<25%"),
            (0.50, '▃', Role::Hot, "<50%"),
            (0.75, '▅', Role::Busy, "<75%"),
            (0.90, '▇', Role::Calm, "<90%"),
            (MORE, '█', Role::Calm, "more"),
        ],
    },
    Row {
        lens: Lens::Lag,
        name: "lag",
        unit: "of replicas and queues",
        steps: [
            (NONE, '▁', Role::Calm, "none"),
            (0.1, '▃', Role::Calm, "<100ms"),
            (1.0, '▅', Role::Busy, "<1s"),
            (10.0, '▇', Role::Hot, "<10s"),
            (MORE, '█', Role::Over, "more"),
        ],
    },
    Row {
        lens: Lens::Cost,
        name: "cost",
        unit: "US$ an hour",
        steps: [
            (0.05, '▁', Role::Calm, "<0.05"),
            (0.2, '▃', Role::Calm, "<0.20"),
            (1.0, '▅', Role::Busy, "<1"),
            (5.0, '▇', Role::Hot, "<5"),
            (MORE, '█', Role::Over, "more"),
        ],
    },
];

/// The lens through which nothing is measured but health: its legend.
const HEALTH: [(&str, Role); 10] = [
    ("▁", Role::Calm),
    ("▅", Role::Busy),
    ("█", Role::Over),
    (" load  ", Role::Muted),
    ("━", Role::Flow),
    (" traffic  ", Role::Muted),
    ("✖", Role::Bad),
    (" dead  ", Role::Muted),
    ("‖", Role::Bad),
    (" hung", Role::Muted),
];

/// What an instance is like through a lens.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Its sign.
    pub sign: char,
    /// How it looks.
    pub role: Role,
    /// The figure, at several lengths, the longest first.
    pub words: Vec<String>,
}

impl Lens {
    /// All of them, in the order of the key.
    pub const ALL: [Lens; 7] = [
        Lens::Health,
        Lens::Load,
        Lens::Latency,
        Lens::Errors,
        Lens::Hits,
        Lens::Lag,
        Lens::Cost,
    ];

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.lens == self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().map_or("health", |row| row.name)
    }

    /// Its name in a single word, as one types it.
    pub fn word(self) -> &'static str {
        self.name().split(' ').next().unwrap_or_default()
    }

    /// The lens of that word.
    pub fn named(word: &str) -> Option<Lens> {
        Lens::ALL.into_iter().find(|lens| lens.word() == word)
    }

    /// The lens so many further on, round again.
    #[must_use]
    pub fn turned(self, by: isize) -> Lens {
        let here = Lens::ALL.iter().position(|lens| *lens == self).unwrap_or(0);
        let count = Lens::ALL.len().cast_signed();
        Lens::ALL[(here.cast_signed() + by).rem_euclid(count).cast_unsigned()]
    }

    /// What its signs mean, as pieces beside each other.
    pub fn legend(self) -> Vec<(String, Role)> {
        let Some(row) = self.row() else {
            return HEALTH.map(|(words, role)| (words.to_string(), role)).to_vec();
        };
        let steps = row
            .steps
            .iter()
            .flat_map(|(_, sign, role, label)| [(sign.to_string(), *role), (format!(" {label}  "), Role::Muted)]);
        steps.chain([(row.unit.to_string(), Role::Muted)]).collect()
    }

    /// What an instance is like through it; nothing where it has nothing to measure, and of health, which every sign tells.
    pub fn reading(self, frame: &Frame, service: usize, index: usize) -> Option<Reading> {
        let row = self.row()?;
        let (value, words) = measured(self, frame, service, index)?;
        let (_, sign, role, _) = row.steps.iter().find(|step| value < step.0).or(row.steps.last())?;
        Some(Reading {
            sign: *sign,
            role: *role,
            words,
        })
    }
}

/// The value, in the unit of the lens's steps, and the figure in words.
fn measured(lens: Lens, frame: &Frame, service: usize, index: usize) -> Option<(f64, Vec<String>)> {
    let (info, state) = (&frame.topology.services[service], &frame.services[service]);
    let (machine, instance) = (info.instances.get(index)?, state.instances.get(index)?);
    Some(match lens {
        Lens::Health => return None,
        Lens::Load => {
            let slots = f64::from(instance.busy_slots) / f64::from(machine.slots.max(1));
            let busy = instance.utilisation.max(slots);
            let of = if slots > instance.utilisation { "slots" } else { "cores" };
            let waits = match instance.backlog {
                0 => String::new(),
                waiting => format!(" +{}", text::short(f64::from(waiting))),
            };
            let short = text::whole_percent(busy);
            (
                busy,
                vec![format!("{short} of {of}{waits}"), format!("{short}{waits}"), short],
            )
        }
        Lens::Latency if instance.latency.is_zero() => return None,
        Lens::Latency => {
            let seconds = instance.latency.as_secs_f64();
            (seconds, vec![text::latency(instance.latency)])
        }
        Lens::Errors => {
            let here = |cause: &&Cause| cause.at == machine.selector;
            let count: u64 = frame.causes.iter().filter(here).map(|cause| cause.recent).sum();
            let asked = (instance.rate * frame.recent_seconds).max(count as f64);
            if asked < 1.0 {
                return None;
            }
            let share = count as f64 / asked;
            let words = if count == 0 {
                "none".to_string()
            } else {
                text::percent(share)
            };
            (share, vec![words])
        }
        Lens::Hits => {
            let node = state.cache.as_ref()?.nodes.get(index)?;
            let ratio = node.recent.hit_ratio()?;
            let percent = layers::ratio(&node.recent);
            (ratio, vec![format!("{percent} hits"), percent])
        }
        Lens::Lag => lag(frame, service, index)?,
        Lens::Cost => {
            let used = state.serverless.as_ref().map(|functions| {
                let hours = frame.at.elapsed().as_secs_f64() / 3_600.0;
                functions.spent / hours.max(NONE)
            });
            let price = used.unwrap_or(machine.price_per_hour);
            if price <= 0.0 {
                return None;
            }
            // Who shares a host shares its price.
            let shared = if machine.machine == machine.selector { "" } else { "of " };
            let words = format!("{shared}{}/h", text::dollars(price));
            (price, vec![words, text::dollars(price)])
        }
    })
}

/// How far behind a node of a database is, or how long the oldest message has waited.
fn lag(frame: &Frame, service: usize, index: usize) -> Option<(f64, Vec<String>)> {
    if let Some((_, node)) = nodes::at(frame, service, index) {
        let seconds = if node.behind == 0 {
            0.0
        } else {
            node.lag.as_secs_f64().max(NONE)
        };
        let age = nodes::age(node.lag);
        let words = match node.behind {
            0 => vec!["none".to_string()],
            behind => vec![format!("{behind} behind, {age}"), age],
        };
        return Some((seconds, words));
    }
    let queue = queues::of(frame, service).filter(|_| frame.topology.services[service].kind == Kind::Queue)?;
    let oldest = queue.state.oldest;
    let words = queue.oldest().unwrap_or_else(|| "none".to_string());
    Some((oldest.map_or(0.0, |age| age.as_secs_f64().max(NONE)), vec![words]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_round_in_both_directions() {
        for lens in Lens::ALL {
            assert_eq!(lens.turned(1).turned(-1), lens);
            assert_eq!(lens.turned(7), lens);
            assert_eq!(Lens::named(lens.word()), Some(lens));
        }
        assert_eq!(Lens::Health.turned(-1), Lens::Cost);
    }

    #[test]
    fn steps_rise_and_their_signs_differ() {
        for row in &ROWS {
            assert!(row.steps.windows(2).all(|pair| pair[0].0 < pair[1].0), "{}", row.name);
            assert!(row.steps.windows(2).all(|pair| pair[0].1 != pair[1].1), "{}", row.name);
        }
    }
}
