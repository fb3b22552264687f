//! Incidents: what was done, how it went on, what it cost, and why.

use super::{Band, Block, Cell, Fact, Grid, Prose, Section, Step, Tone, dollars, span};
use crate::report::model::{IncidentReport, MilestoneReport, Report};
use crate::report::seconds::Seconds;
use crate::report::words::{clock, count, percent, plural};

/// How many events of an incident are told.
const EVENTS: usize = 12;

/// The time of each incident.
pub(super) fn bands(report: &Report) -> Vec<Band> {
    let band = |incident: &IncidentReport| Band {
        number: incident.number,
        what: Prose::default().told(&incident.what),
        from_s: incident.injected_s,
        hurt_until_s: hurt_until(report, incident),
        to_s: incident.healed_s.unwrap_or(report.duration_s),
    };
    report.incidents.iter().map(band).collect()
}

/// Until when users were hurt by it: when it was done, if they were not.
fn hurt_until(report: &Report, incident: &IncidentReport) -> f64 {
    match (incident.hurt_s, incident.served_s) {
        (None, _) => incident.injected_s,
        (Some(_), Some(served)) => served,
        (Some(_), None) => report.duration_s,
    }
}

/// A section for each incident.
pub(super) fn sections(report: &Report, seconds: &Seconds, again: &str) -> Vec<Section> {
    let incidents = report.incidents.iter();
    incidents
        .map(|incident| Section {
            title: Prose::words(format!("Incident {}: ", incident.number)).told(&incident.what),
            blocks: blocks(report, incident, seconds, again),
        })
        .collect()
}

fn blocks(report: &Report, incident: &IncidentReport, seconds: &Seconds, again: &str) -> Vec<Block> {
    let done = Prose::words(format!("At {} of the run this was done: ", clock(incident.injected_s)))
        .told(&incident.what)
        .and(". It hit ")
        .name(&incident.target)
        .and(".");
    let mut facts = vec![detection(report, incident), recovery(report, incident)];
    facts.extend(impact(report, incident, seconds));
    let mut blocks = vec![
        Block::Paragraph(done),
        Block::Timeline(timeline(incident)),
        Block::Facts(facts),
        Block::Paragraph(Prose::words("When the run ended: ").told(&incident.sentence)),
        Block::Paragraph(causes(report, incident)),
    ];
    blocks.extend(events(report, incident));
    blocks.push(Block::Command("To see it again:", again.to_string()));
    blocks
}

/// What was seen from the fault until all was as before: one thing led to another.
fn events(report: &Report, incident: &IncidentReport) -> Vec<Block> {
    let until = incident.healed_s.unwrap_or(report.duration_s);
    let meanwhile = report
        .events
        .iter()
        .filter(|event| event.at_s >= incident.injected_s && event.at_s <= until);
    let mut grid = Grid::new(
        "How it went on: events from the fault until all was as before",
        &[("Since the fault", true), ("Event", false)],
    );
    for event in meanwhile.clone().take(EVENTS) {
        grid.row(vec![
            Cell::words(format!("+{}", span(event.at_s - incident.injected_s))),
            Cell::told(&event.text),
        ]);
    }
    let mut blocks = grid.blocks();
    let more = meanwhile.count().saturating_sub(EVENTS);
    if more > 0 {
        blocks.push(Block::Paragraph(Prose::words(format!(
            "And {} more: they are in the JSON of the run.",
            plural(more as u64, "event")
        ))));
    }
    blocks
}

/// The milestones by time. One that was not reached says so, in its place.
fn timeline(incident: &IncidentReport) -> Vec<Step> {
    let mut reached = incident.injected_s;
    let mut step = |name, at: Option<f64>, what: Prose| {
        reached = at.unwrap_or(reached);
        let when = at.map(|at| (format!("+{}", span(at - incident.injected_s)), clock(at)));
        (reached, Step { name, when, what })
    };
    let unharmed = incident.hurt_s.is_none();
    let hurt = match &incident.first_hurt {
        Some(who) => Prose::words("first ")
            .name(who)
            .and(": a request failed or had to be tried again."),
        None => Prose::words("Not reached: no request failed or had to be tried again."),
    };
    let noticed = by_whom(incident.noticed.as_ref(), ".", "Not reached: nobody noticed.");
    let acted = match (&incident.acted, incident.deed) {
        (Some(milestone), Some(deed)) => Prose::default().name(&milestone.who).and(format!(" {deed}.")),
        (milestone, _) => by_whom(milestone.as_ref(), ".", "Not reached: nobody acted."),
    };
    let served = match incident.served_s {
        Some(_) => "Users were served as before.",
        None if unharmed => "Not reached: there was no need.",
        None => "Not reached: users were not served as before when the run ended.",
    };
    let healed = match incident.healed_s {
        Some(_) => "All was as before.",
        None => "Not reached: not all was as before when the run ended.",
    };
    let at = |milestone: &Option<MilestoneReport>| milestone.as_ref().map(|milestone| milestone.at_s);
    let mut steps = [
        step(
            "Injected",
            Some(incident.injected_s),
            Prose::default().told(&incident.what),
        ),
        step("Hurt", incident.hurt_s, hurt),
        step("Noticed", at(&incident.noticed), noticed),
        step("Acted", at(&incident.acted), acted),
        step("Served", incident.served_s, Prose::words(served)),
        step("Healed", incident.healed_s, Prose::words(healed)),
    ];
    steps.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    steps.map(|(_, step)| step).to_vec()
}

fn by_whom(milestone: Option<&MilestoneReport>, words: &'static str, nobody: &'static str) -> Prose {
    match milestone {
        Some(milestone) => Prose::words("by ").name(&milestone.who).and(words),
        None => Prose::words(nobody),
    }
}

/// How long it took until somebody knew.
fn detection(report: &Report, incident: &IncidentReport) -> Fact {
    if let Some(milestone) = &incident.noticed {
        return Fact::new("Time to detect", span(milestone.at_s - incident.injected_s))
            .note(Prose::words("from the fault until noticed by ").name(&milestone.who));
    }
    let rest = span(report.duration_s - incident.injected_s);
    Fact::new("Time to detect", "not noticed")
        .note(Prose::words(format!("within the {rest} until the end of the run")))
        .tone(Tone::Warning)
}

/// How long it took until users were served as before.
fn recovery(report: &Report, incident: &IncidentReport) -> Fact {
    match (incident.served_s, incident.hurt_s) {
        (Some(served), _) => Fact::new("Time to recover", span(served - incident.injected_s))
            .note(Prose::words("from the fault until users were served as before")),
        (None, None) => Fact::new("Time to recover", "none").note(Prose::words("users felt nothing")),
        (None, Some(_)) => {
            let rest = span(report.duration_s - incident.injected_s);
            Fact::new("Time to recover", "not recovered")
                .note(Prose::words(format!("within the {rest} until the end of the run")))
                .tone(Tone::Bad)
        }
    }
}

/// What it cost: requests always, everything else where there is something to say.
fn impact(report: &Report, incident: &IncidentReport, seconds: &Seconds) -> Vec<Fact> {
    let bad = |number: u64| if number > 0 { Tone::Bad } else { Tone::Plain };
    let until = hurt_until(report, incident);
    let sent = seconds.sent_between(incident.injected_s, until);
    let failed = Fact::new("Requests failed", count(incident.failed)).tone(bad(incident.failed));
    let failed = if incident.failed > 0 && sent > 0 {
        let share = percent((incident.failed as f64 / sent as f64).min(1.0));
        failed.note(Prose::words(format!(
            "{share} of the {} sent until served",
            count(sent)
        )))
    } else {
        failed
    };
    let mut facts = vec![
        failed,
        Fact::new("Requests tried again", count(incident.retried)).note(Prose::words("until served")),
        Fact::new("Writes lost", count(incident.lost_writes))
            .note(Prose::words("users were told that they are safe"))
            .tone(bad(incident.lost_writes)),
    ];
    let more = [
        ("Writes missing", incident.missing_writes, "the most at once"),
        ("Writes replayed", incident.replayed, "put aside, then written anew"),
        ("Writes given up", incident.given_up, "put aside, then others were kept"),
        ("Users signed out", incident.lost_sessions, "their sessions were lost"),
        ("Jobs lost", incident.lost_jobs, "accepted and never done"),
    ];
    let more = more.into_iter().filter(|(_, number, _)| *number > 0);
    facts.extend(more.map(|(name, number, note)| {
        Fact::new(name, count(number))
            .note(Prose::words(note))
            .tone(Tone::Warning)
    }));
    facts.push(cost(incident.extra_spent_usd));
    facts
}

/// What was spent beyond the usual.
fn cost(extra: f64) -> Fact {
    if extra.abs() < 0.005 {
        return Fact::new("Extra cost", "none");
    }
    let (name, note) = if extra < 0.0 {
        ("Spent less", "what is gone costs nothing")
    } else {
        ("Extra cost", "until all was as before")
    };
    Fact::new(name, dollars(extra.abs())).note(Prose::words(note))
}

/// Which failures arose at what was hit.
fn causes(report: &Report, incident: &IncidentReport) -> Prose {
    let target = incident.target.as_str();
    let is_below = |at: &str| {
        let rest = at.strip_prefix(target);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let causes = report
        .failures
        .iter()
        .filter(|failure| failure.count > 0 && is_below(&failure.at));
    let mut prose = Prose::words("Causes that arose there, in the whole run: ");
    let mut told = 0;
    for failure in causes.take(5) {
        let comma = if told > 0 { "; " } else { "" };
        let requests = plural(failure.count, "request");
        prose = prose
            .and(format!("{comma}{requests} “{}” at ", failure.reason))
            .name(&failure.at);
        told += 1;
    }
    if told == 0 {
        return Prose::words("No request failed or was tried again because of ")
            .name(target)
            .and(" itself. The causes of the whole run stand below.");
    }
    prose.and(".")
}
