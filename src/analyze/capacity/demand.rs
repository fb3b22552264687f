//! What must hold of a layout under load, and how each of it is judged.

use std::time::Duration;

use crate::layout::{Comparison, Expectation, Layout, Measure, Quantifier, QueueMeasure};

/// Of the requests, so many are answered well if nobody says otherwise.
const OK: f64 = 0.999;
/// The 99th percentile is at most so many times that of the calm run if nobody says otherwise.
pub const SLOWER: f64 = 5.0;

/// Who asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The layout, or whoever asked.
    Asked,
    /// Nobody: it stands in for a bound that is missing.
    Default,
}

/// How a measure is judged over the time in which it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// At each whole second: it is measured over ten seconds as it is.
    Each,
    /// By its mean: a single moment over the bound is chance.
    Mean,
    /// By how much it has grown: it counts from the start of the run.
    Growth,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What is measured.
    pub measure: Measure,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in the measure's unit.
    pub bound: f64,
    /// How it is judged.
    pub manner: Manner,
    /// In words: `p99 < 200ms`.
    pub text: String,
    /// Who asks for it.
    pub origin: Origin,
}

impl Demand {
    /// Whether a value is as it must be.
    pub(super) fn holds(&self, value: f64) -> bool {
        self.comparison.holds(value, self.bound)
    }

    /// What an expectation demands of a layout under load. Nothing, if it is about something else: what there is, what is asked for, or one moment.
    fn of(expectation: &Expectation) -> Option<Demand> {
        if !matches!(expectation.quantifier, Quantifier::Always | Quantifier::Eventually) {
            return None;
        }
        let manner = manner(&expectation.measure)?;
        let is_limit = matches!(
            expectation.comparison,
            Comparison::Less | Comparison::AtMost | Comparison::Equal
        );
        // What more load breaks is a bound from above, but for the share of good answers. Anything else may break as load falls.
        let is_share = matches!(expectation.measure, Measure::Ok | Measure::OkOf(_));
        if is_limit == is_share && expectation.comparison != Comparison::Equal {
            return None;
        }
        // The grace is kept by the time at which judging begins.
        let text = expectation.text.split(',').next().unwrap_or_default();
        Some(Demand {
            measure: expectation.measure.clone(),
            comparison: expectation.comparison,
            bound: expectation.bound,
            manner,
            text: text.trim().to_owned(),
            origin: Origin::Asked,
        })
    }
}

/// How a measure is judged; nothing if load has no part in it.
fn manner(measure: &Measure) -> Option<Manner> {
    match measure {
        Measure::Ok | Measure::OkOf(_) | Measure::P50 | Measure::P95 | Measure::P99 => Some(Manner::Each),
        Measure::Utilisation(_)
        | Measure::Backlog(_)
        | Measure::Outbox(_)
        | Measure::Lag(_)
        | Measure::Behind(_)
        | Measure::AtRisk
        | Measure::Cost
        | Measure::Queue(QueueMeasure::Waiting | QueueMeasure::InFlight | QueueMeasure::Oldest, _) => {
            Some(Manner::Mean)
        }
        Measure::Failed
        | Measure::Retried
        | Measure::Lost
        | Measure::Unknown
        | Measure::Stale
        | Measure::Unseen
        | Measure::Backwards
        | Measure::Conflicts
        | Measure::DroppedLater
        | Measure::GivenUp
        | Measure::SignedOut
        | Measure::Misses(_)
        | Measure::Stampedes(_)
        | Measure::StaleAssets
        | Measure::Queue(
            QueueMeasure::Redelivered
            | QueueMeasure::Duplicated
            | QueueMeasure::Dead
            | QueueMeasure::LostJobs
            | QueueMeasure::Expired,
            _,
        ) => Some(Manner::Growth),
        Measure::Rate
        | Measure::Hit(_)
        | Measure::Load(_)
        | Measure::Missing
        | Measure::Replayed
        | Measure::Up(_)
        | Measure::Machines(_)
        | Measure::Sessions(_)
        | Measure::Primaries(_)
        | Measure::Diverged(_)
        | Measure::Rows(_)
        | Measure::Moving(_)
        | Measure::Queue(QueueMeasure::Accepted | QueueMeasure::Done, _) => None,
    }
}

/// All that must hold, and what of the expectations is left aside.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Demands {
    pub(super) all: Vec<Demand>,
    /// Expectations that are not judged.
    pub(super) aside: Vec<Expectation>,
    /// The longest time that an expectation gives the system to recover.
    pub(super) grace: Option<Duration>,
}

impl Demands {
    /// What the expectations of a question demand, or else those of the layout. Where nothing bounds failures, a default does.
    pub(super) fn of(layout: &Layout, asked: &[Expectation]) -> Demands {
        let expect = if asked.is_empty() { &layout.expect } else { asked };
        let mut demands = Demands {
            all: Vec::new(),
            aside: Vec::new(),
            grace: None,
        };
        for expectation in expect {
            match Demand::of(expectation) {
                Some(demand) => {
                    demands.all.push(demand);
                    let grace = Some(expectation.grace).filter(|grace| !grace.is_zero());
                    demands.grace = demands.grace.max(grace);
                }
                None => demands.aside.push(expectation.clone()),
            }
        }
        if !demands.all.iter().any(|demand| demand.measure == Measure::Ok) {
            demands.all.push(Demand {
                measure: Measure::Ok,
                comparison: Comparison::AtLeast,
                bound: OK,
                manner: Manner::Each,
                text: "ok >= 99.9%".to_owned(),
                origin: Origin::Default,
            });
        }
        demands
    }

    /// Whether nothing bounds latency.
    pub(super) fn lacks_latency(&self) -> bool {
        let bounds = |measure: &Measure| matches!(measure, Measure::P50 | Measure::P95 | Measure::P99);
        !self.all.iter().any(|demand| bounds(&demand.measure))
    }

    /// Bounds latency by what it is when all is calm.
    pub(super) fn bound_latency(&mut self, calm: Duration) {
        // Rounded up to a tenth of a millisecond: so it is told, too.
        let tenths = (calm.as_secs_f64() * SLOWER * 1e4).ceil().max(1.0) as u64;
        let bound = Duration::from_micros(tenths * 100);
        self.all.push(Demand {
            measure: Measure::P99,
            comparison: Comparison::AtMost,
            bound: bound.as_secs_f64(),
            manner: Manner::Each,
            text: format!("p99 <= {:.1}ms", tenths as f64 / 10.0),
            origin: Origin::Default,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::parse;

    fn layout(expect: &str) -> Layout {
        let text = format!(
            "Layout(title: \"t\", users: {{\"people\": (count: 10)}}, services: {{\"web\": Web()}}, expect: [{expect}])"
        );
        parse(&text, "t").unwrap_or_else(|error| panic!("{}", error.render(&text)))
    }

    fn told(demands: &Demands) -> Vec<(&str, Manner, Origin)> {
        let told = |demand: &'static Demand| (demand.text.as_str(), demand.manner, demand.origin);
        demands.all.clone().leak().iter().map(told).collect()
    }

    #[test]
    fn only_what_is_about_load_is_judged() {
        let layout = layout(
            "Always(\"ok >= 99%, grace 20s\"), Always(\"utilisation(web) < 80%, grace 30s\"), Always(\"failed == 0\"), \
             Eventually(\"p99 < 1s\"), Eventually(\"up(web) >= 1\"), Sometimes(\"p99 > 1ms\"), Eventually(\"failed > 1\"), \
             Always(\"utilisation(web) > 20%\"), Always(\"p50 > 1ms\"), Always(\"ok < 50%\")",
        );
        let demands = Demands::of(&layout, &[]);
        assert_eq!(
            told(&demands),
            [
                ("ok >= 99%", Manner::Each, Origin::Asked),
                ("utilisation(web) < 80%", Manner::Mean, Origin::Asked),
                ("failed == 0", Manner::Growth, Origin::Asked),
                ("p99 < 1s", Manner::Each, Origin::Asked),
            ]
        );
        let aside: Vec<&str> = demands.aside.iter().map(|aside| aside.text.as_str()).collect();
        assert_eq!(
            aside,
            [
                "up(web) >= 1",
                "p99 > 1ms",
                "failed > 1",
                "utilisation(web) > 20%",
                "p50 > 1ms",
                "ok < 50%"
            ]
        );
        assert_eq!(demands.grace, Some(Duration::from_secs(30)));
        assert!(!demands.lacks_latency());
    }

    #[test]
    fn defaults_stand_in_for_what_nobody_bounds() {
        let mut demands = Demands::of(&layout(""), &[]);
        assert!(demands.lacks_latency());
        demands.bound_latency(Duration::from_micros(12_345));
        assert_eq!(
            told(&demands),
            [
                ("ok >= 99.9%", Manner::Each, Origin::Default),
                ("p99 <= 61.8ms", Manner::Each, Origin::Default)
            ]
        );
        let of_people = Demands::of(&layout("Always(\"ok(people) >= 90%\"), Always(\"failed == 0\")"), &[]);
        assert_eq!(told(&of_people)[2], ("ok >= 99.9%", Manner::Each, Origin::Default));
        let asked = layout("Always(\"p50 < 1s\")").expect;
        let demands = Demands::of(&layout("Always(\"ok >= 90%\")"), &asked);
        assert_eq!(
            told(&demands),
            [
                ("p50 < 1s", Manner::Each, Origin::Asked),
                ("ok >= 99.9%", Manner::Each, Origin::Default)
            ]
        );
    }
}
