//! How much a layout carries: as text, Markdown, CSV, JSON and a picture.

mod plot;
mod sentences;
mod svg;
mod text;

use serde::Serialize;

use super::model::LayoutName;
use super::search::in_words;
use crate::analyze::capacity::{
    Bracket, Demand, Extent, Failure, Found, Manner, Origin, Probed, Question, Tier, own_rate,
};
use crate::layout::Layout;

pub use svg::{IS_OURS, to_svg};
pub use text::{known, to_csv, to_markdown, to_text};

/// The name of the JSON schema.
const SCHEMA: &str = "blastradius.capacity/1";

/// How much a layout carries. Units stand last in a name; a factor is one of the layout's own traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapacityReport {
    /// Always `blastradius.capacity/1`.
    pub schema: &'static str,
    /// Version of the program.
    pub engine: &'static str,
    /// What was run.
    pub layout: LayoutName,
    /// The seed.
    pub seed: u64,
    /// Time for caches to fill.
    pub warm_up_s: f64,
    /// For how long it is watched whether all holds.
    pub watched_s: f64,
    /// From a failure until something is demanded again.
    pub grace_s: f64,
    /// How near the factor that breaks is to the one that holds.
    pub precision: f64,
    /// Requests a second that users make at the factor 1.
    pub own_rate_per_s: f64,
    /// The largest factor that was allowed.
    pub most_factor: f64,
    /// What must hold.
    pub demands: Vec<DemandReport>,
    /// Expectations that are not judged: load has no part in them.
    pub aside: Vec<String>,
    /// What it carries when nothing fails.
    pub undisturbed: CarriedReport,
    /// What it carries when one thing is lost.
    pub with_loss: Option<LossReport>,
    /// The tiers, the one that is full first before the others.
    pub tiers: Vec<TierReport>,
    /// All probes, by failure and factor.
    pub probes: Vec<ProbeReport>,
    /// Whether all was found that was asked: false if it was interrupted.
    pub complete: bool,
}

/// Something that must hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DemandReport {
    /// In words.
    pub text: String,
    /// Who asks for it: `asked` by the layout or by the option, or `default`.
    pub origin: &'static str,
    /// How it is judged: at `each` second, by its `mean`, or by its `growth`.
    pub judged: &'static str,
}

/// What is carried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CarriedReport {
    /// The largest factor that is known to hold; null if none does.
    pub holds_factor: Option<f64>,
    /// The same in requests a second.
    pub holds_per_s: Option<f64>,
    /// The smallest factor that is known to break; null if none was found.
    pub breaks_factor: Option<f64>,
    /// What breaks there, in a sentence.
    pub broken: Option<String>,
    /// The tier that gives first.
    pub first: Option<String>,
    /// That, why it does, and what breaks by it, in a sentence.
    pub why: Option<String>,
}

/// What is carried when one thing is lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossReport {
    /// What is lost: a `machine`, a `zone` or a `data_center`.
    pub lost: &'static str,
    /// What is carried whichever of those is lost that can be.
    pub carried: CarriedReport,
    /// What can be lost, those that are alike once.
    pub failures: Vec<LostReport>,
}

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LostReport {
    /// What it is, as it is named in the layout.
    pub target: String,
    /// What is done, as it would be typed.
    pub commands: Vec<String>,
    /// Others that are like it and were not tried.
    pub alike: Vec<String>,
    /// For how many it stands, itself among them.
    pub stands_for: u64,
    /// How it is borne: `single_point` (breaks under the least traffic that is tried, too), `worst`, `costs` (breaks below what is carried undisturbed), `free`, `not_tried` (what it hits was not there, or the search was interrupted before).
    pub class: &'static str,
    /// The largest factor that was seen to hold.
    pub holds_factor: Option<f64>,
    /// The smallest factor that was seen to break.
    pub breaks_factor: Option<f64>,
}

/// The headroom of a tier, undisturbed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierReport {
    /// Its name.
    pub name: String,
    /// Machines that were up at the end of the probe at capacity.
    pub machines: u32,
    /// To how many its autoscaler may go.
    pub most_machines: u32,
    /// Share of the cores of its busiest machine in use at the layout's own traffic; null if that was not tried.
    pub own_utilisation: Option<f64>,
    /// What is left of the cores of its busiest machine or of its slots at the layout's own traffic, whichever is less.
    pub headroom: Option<f64>,
    /// The same share at capacity.
    pub utilisation: f64,
    /// Which machine that is.
    pub busiest: String,
    /// Mean share of its slots in use at capacity.
    pub slots: f64,
    /// The factor at which its busiest machine or its slots would be full, drawn out from capacity; null if it does nothing.
    pub full_at_factor: Option<f64>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeReport {
    /// The factor on the traffic.
    pub factor: f64,
    /// What was lost; null if nothing was.
    pub lost: Option<String>,
    /// Whether all held.
    pub holds: bool,
    /// Requests a second that users sent.
    pub offered_per_s: f64,
    /// Requests a second that were answered well.
    pub served_per_s: f64,
    /// Share of the ended requests that failed.
    pub failed_ratio: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile of latency.
    pub p99_ms: f64,
    /// For how long it was watched, the ten seconds that measures remember among it: until something broke.
    pub watched_s: f64,
    /// What broke, in a sentence.
    pub broken: Option<String>,
    /// The tier that gave first.
    pub first: Option<String>,
    /// What the tiers did.
    pub tiers: Vec<ProbeTierReport>,
    /// The hash of the whole history.
    pub digest: String,
}

/// A tier in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeTierReport {
    /// Its name.
    pub name: String,
    /// Machines that were up at the end.
    pub machines: u32,
    /// Mean share of its cores in use.
    pub utilisation: f64,
    /// The same of its busiest machine.
    pub busiest_utilisation: f64,
    /// Mean share of its slots in use.
    pub slots: f64,
    /// The most requests that waited for a slot at the end of a second.
    pub backlog: u64,
}

impl CapacityReport {
    /// Tells what was found.
    pub fn new(name: &str, layout: &Layout, question: &Question, found: &Found) -> CapacityReport {
        let rate = own_rate(layout);
        CapacityReport {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            layout: LayoutName {
                name: name.to_owned(),
                title: layout.title.clone(),
            },
            seed: question.seed,
            warm_up_s: question.warm_up.as_secs_f64(),
            watched_s: question.watched.as_secs_f64(),
            grace_s: found.grace.as_secs_f64(),
            precision: question.precision,
            own_rate_per_s: rate,
            most_factor: found.most,
            demands: found.demands.iter().map(demand).collect(),
            aside: found.aside.iter().map(in_words).collect(),
            undisturbed: carried(found, rate, found.alone, None),
            with_loss: loss(found, rate, question),
            tiers: tiers(found),
            probes: found.probes.iter().map(|probed| probe(found, probed)).collect(),
            complete: found.complete,
        }
    }

    /// As JSON, with a line break at the end.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a report is plain data");
        format!("{text}\n")
    }

    /// Whether it carries so much undisturbed: by the run at this factor, if there was one.
    pub fn carries(&self, factor: f64) -> bool {
        if let Some(holds) = self.held(factor, None) {
            return holds;
        }
        self.undisturbed.holds_factor.is_some_and(|holds| holds >= factor)
    }

    /// Whether the run at this factor held; none if there was none.
    fn held(&self, factor: f64, lost: Option<&String>) -> Option<bool> {
        let is_it = |probe: &&ProbeReport| (probe.factor - factor).abs() <= 0.0 && probe.lost.as_ref() == lost;
        self.probes.iter().find(is_it).map(|probe| probe.holds)
    }

    /// The single points of failure, and for how many they stand.
    pub fn single_points(&self) -> (Vec<&str>, u64) {
        let failures = self.with_loss.iter().flat_map(|loss| &loss.failures);
        let points: Vec<&LostReport> = failures.filter(|lost| lost.class == "single_point").collect();
        let names = points.iter().map(|lost| lost.target.as_str()).collect();
        (names, points.iter().map(|lost| lost.stands_for).sum())
    }

    /// Whether it carries so much whichever survivable thing is lost: by the runs at this factor, where there were any.
    pub fn carries_with_loss(&self, factor: f64) -> bool {
        let failures = self.with_loss.iter().flat_map(|loss| &loss.failures);
        let survivable = failures.filter(|lost| !matches!(lost.class, "single_point" | "not_tried"));
        let held: Option<Vec<bool>> = survivable.map(|lost| self.held(factor, Some(&lost.target))).collect();
        if let Some(held) = held.filter(|held| !held.is_empty()) {
            return held.iter().all(|held| *held);
        }
        let holds = self.with_loss.as_ref().and_then(|loss| loss.carried.holds_factor);
        holds.is_some_and(|holds| holds >= factor)
    }
}

fn demand(demand: &Demand) -> DemandReport {
    DemandReport {
        text: demand.text.clone(),
        origin: match demand.origin {
            Origin::Asked => "asked",
            Origin::Default => "default",
        },
        judged: match demand.manner {
            Manner::Each => "each",
            Manner::Mean => "mean",
            Manner::Growth => "growth",
        },
    }
}

fn carried(found: &Found, rate: f64, bracket: Bracket, failure: Option<usize>) -> CarriedReport {
    let broken = bracket.breaks.and_then(|factor| found.reading(factor, failure));
    CarriedReport {
        holds_factor: bracket.holds,
        holds_per_s: bracket.holds.map(|factor| factor * rate),
        breaks_factor: bracket.breaks,
        broken: broken.and_then(|reading| sentences::broken(found, reading)),
        first: broken.and_then(|reading| Some(reading.first.as_ref()?.tier.clone())),
        why: broken
            .zip(bracket.breaks)
            .and_then(|(reading, factor)| sentences::why(found, reading, factor)),
    }
}

fn loss(found: &Found, rate: f64, question: &Question) -> Option<LossReport> {
    let known = found.with_loss.as_ref()?;
    let is_of =
        |probed: &&Probed, index: usize| probed.probe.failure == Some(index) && probed.reading.refused.is_none();
    let one = |(index, failure): (usize, &Failure)| {
        let mut bracket = Bracket::default();
        for Probed { probe, reading } in found.probes.iter().filter(|probed| is_of(probed, index)) {
            match (&reading.broken, bracket.holds, bracket.breaks) {
                (None, holds, _) => bracket.holds = Some(holds.unwrap_or(0.0).max(probe.factor)),
                (Some(_), _, breaks) => bracket.breaks = Some(breaks.unwrap_or(f64::MAX).min(probe.factor)),
            }
        }
        LostReport {
            target: failure.target.clone(),
            commands: failure.commands.iter().map(ToString::to_string).collect(),
            alike: failure.alike.clone(),
            stands_for: failure.stands_for,
            class: if known.not_tried.contains(&index) {
                "not_tried"
            } else if known.single_points.contains(&index) {
                "single_point"
            } else if known.worst.contains(&index) {
                "worst"
            } else if bracket.breaks.is_some() {
                "costs"
            } else if !found.complete {
                // It may not have come to be tried where it would break.
                "not_tried"
            } else {
                "free"
            },
            holds_factor: bracket.holds,
            breaks_factor: bracket.breaks,
        }
    };
    Some(LossReport {
        lost: match question.loss? {
            Extent::Zone => "zone",
            Extent::DataCenter => "data_center",
            _ => "machine",
        },
        carried: carried(found, rate, known.bracket, known.worst.first().copied()),
        failures: found.failures.iter().enumerate().map(one).collect(),
    })
}

fn tiers(found: &Found) -> Vec<TierReport> {
    let Some(factor) = found.alone.holds.or(found.alone.breaks) else {
        return Vec::new();
    };
    let own = found.reading(1.0, None);
    let at = found.reading(factor, None);
    let one = |tier: &Tier| {
        let same = own.and_then(|own| own.tiers.iter().find(|other| other.name == tier.name));
        let used = same.map(|same| same.busiest);
        TierReport {
            name: tier.name.clone(),
            machines: tier.machines,
            most_machines: tier.most_machines,
            own_utilisation: used,
            headroom: same.map(|same| (1.0 - same.tightest()).max(0.0)),
            utilisation: tier.busiest,
            busiest: tier.busiest_machine.clone(),
            slots: tier.slots,
            full_at_factor: tier.room().map(|room| room * factor),
        }
    };
    let mut tiers: Vec<TierReport> = at.iter().flat_map(|reading| reading.tiers.iter().map(one)).collect();
    let full = |tier: &TierReport| tier.full_at_factor.unwrap_or(f64::INFINITY);
    tiers.sort_by(|a, b| full(a).total_cmp(&full(b)));
    tiers
}

fn probe(found: &Found, probed: &Probed) -> ProbeReport {
    let reading = &probed.reading;
    let tier = |tier: &Tier| ProbeTierReport {
        name: tier.name.clone(),
        machines: tier.machines,
        utilisation: tier.utilisation,
        busiest_utilisation: tier.busiest,
        slots: tier.slots,
        backlog: tier.backlog,
    };
    ProbeReport {
        factor: probed.probe.factor,
        lost: probed
            .probe
            .failure
            .map(|failure| found.failures[failure].target.clone()),
        holds: reading.broken.is_none() && reading.refused.is_none(),
        offered_per_s: reading.offered,
        served_per_s: reading.served,
        failed_ratio: reading.failed,
        p50_ms: reading.p50.as_secs_f64() * 1e3,
        p99_ms: reading.p99.as_secs_f64() * 1e3,
        watched_s: reading.watched.as_secs_f64(),
        broken: sentences::broken(found, reading),
        first: reading.first.as_ref().map(|first| first.tier.clone()),
        tiers: reading.tiers.iter().map(tier).collect(),
        digest: reading.digest.to_string(),
    }
}
