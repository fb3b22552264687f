//! The ranking as one HTML page.

use super::text::{beyond, figures, groups, standing, title, tried_in_words, worst};
use super::{BlastReport, FailureReport};
use crate::analyze::blast::Class;
use crate::report::document::{Block, Cell, Document, Fact, Grid, Prose, Section, Tone};
use crate::report::html::{Bar, bars, page};
use crate::report::words::{count, dollars, milliseconds, percent, plural};

/// Bars that can still be compared at a look.
const MOST_BARS: usize = 24;

/// The columns of the tables, the failure in front.
const COLUMNS: [(&str, bool); 9] = [
    ("Failure", false),
    ("Still failing", true),
    ("Failed", true),
    ("Retried", true),
    ("In", true),
    ("p99", true),
    ("Lost", true),
    ("Noticed", true),
    ("Served", true),
];

/// What the columns are, for whoever did not run it.
const LEGEND: &str = "Still failing: the share of the requests of the last 10 s. Failed, retried and lost: beyond what happens undisturbed. In: for how long it was watched. \
                      p99: that of the worst second. Noticed, served: time since the failure. Of several ways to fail, the worst of each.";

/// One page that needs nothing beside it.
pub fn to_html(report: &BlastReport) -> String {
    let sections = Class::ALL.into_iter().filter_map(|class| section(report, class));
    let document = Document {
        kind: "Blast radius",
        title: Prose::default().told(&report.layout.title),
        summary: summary(report),
        facts: facts(report),
        sections: sections.collect(),
        bands: Vec::new(),
        duration_s: report.before_s + report.watched_s,
    };
    page(&document, &plot(report))
}

fn summary(report: &BlastReport) -> Prose {
    let watched = format!(
        " Each failure comes after {} s and is watched for up to {} s, less once all is as before, or goes on as it is since nobody is left who would act; all meet the same traffic. ",
        report.before_s, report.watched_s
    );
    let prose = Prose::default().name(&report.layout.name).and(format!(
        ": {}{}.{watched}",
        tried_in_words(report),
        if report.pairs {
            ", pairs of machines among them"
        } else {
            ""
        },
    ));
    let Some(worst) = report.failures.first() else {
        return prose;
    };
    match report.single_points {
        0 => prose.and("No machine, zone, data center or outside service is a single point of failure. The worst that can happen: "),
        1 => prose.and("There is one single point of failure: "),
        several => prose.and(format!("There are {} single points of failure. The worst: ", count(several))),
    }
    .told(&title(&[worst]))
    .and(".")
}

fn facts(report: &BlastReport) -> Vec<Fact> {
    let tone = |is_bad: bool| if is_bad { Tone::Bad } else { Tone::Good };
    let mut facts = vec![
        Fact::new("Single points of failure", count(report.single_points)).tone(tone(report.single_points > 0)),
        Fact::new("Users are served, at most", percent(report.availability.of_users)).note(Prose::words(format!(
            "of the time, if each machine is up {} of it",
            percent(report.availability.of_each_machine)
        ))),
    ];
    if let Some(first) = report.undisturbed.first() {
        facts.extend([
            Fact::new("Undisturbed", plural(first.sent, "request"))
                .note(Prose::words(format!("{} failed", count(first.failed))))
                .tone(if first.failed > 0 { Tone::Warning } else { Tone::Plain }),
            Fact::new("p99 undisturbed", milliseconds(first.worst_p99_ms)).note(Prose::words("in the worst second")),
            Fact::new("Busiest undisturbed", percent(first.busiest_utilisation))
                .note(Prose::default().name(&first.busiest)),
            Fact::new("Cost undisturbed", dollars(first.spent_usd)),
        ]);
        facts.extend(first.unmet.iter().map(|text| {
            Fact::new("Not met undisturbed", "")
                .note(Prose::default().told(text))
                .tone(Tone::Bad)
        }));
    }
    facts
}

/// The failures of a class, each with its figures; those that hurt with the reason, and with the command that reports on them alone.
fn section(report: &BlastReport, class: Class) -> Option<Section> {
    let groups = groups(report, class);
    if groups.is_empty() {
        return None;
    }
    let mut grid = Grid::new(LEGEND, &COLUMNS);
    for group in &groups {
        let mut cells = vec![Cell::told(&title(group))];
        cells.extend(figures(group).into_iter().map(Cell::words));
        if worst(group).failing_ratio >= 0.01 {
            cells[1].tone = Tone::Bad;
        }
        grid.row(cells);
    }
    let mut blocks = grid.blocks();
    if class != Class::Redundant {
        blocks.extend(groups.iter().flat_map(|group| reason(group)));
    }
    Some(Section {
        title: Prose::words(format!("{class}: {}", standing(&groups))),
        blocks,
    })
}

fn reason(group: &[&FailureReport]) -> Vec<Block> {
    let row = group[0];
    let mut prose = Prose::default().told(&format!("{}: ", title(group)));
    if !row.why.is_empty() {
        prose = prose.told(&row.why);
    }
    let way = row.path.join(" -> ");
    if row.path.len() > 1 && !row.why.contains(&way) {
        prose = prose.and(" What users ask for goes ").told(&way).and(".");
    }
    let toll = worst(group);
    if toll.extra_spent_usd >= 0.01 {
        prose = prose.and(format!(" It costs {} more.", dollars(toll.extra_spent_usd)));
    }
    vec![
        Block::Paragraph(prose),
        Block::Command("Its incident report:", row.report.clone()),
    ]
}

/// How many requests fail by the worst failures.
fn plot(report: &BlastReport) -> String {
    let hurting = Class::ALL.into_iter().filter(|class| *class != Class::Redundant);
    let mut all: Vec<Bar> = hurting
        .flat_map(|class| groups(report, class))
        .filter(|group| worst(group).failed > 0)
        .map(|group| {
            let toll = worst(&group);
            Bar {
                name: title(&group),
                value: toll.failed.max(0) as f64,
                label: beyond(toll.failed),
                lasts: toll.failing_ratio >= 0.01 || toll.hurt_s.is_some() && toll.served_s.is_none(),
            }
        })
        .collect();
    all.sort_by(|one, other| other.value.total_cmp(&one.value));
    let left_out = all.len().saturating_sub(MOST_BARS);
    all.truncate(MOST_BARS);
    let more = match left_out {
        0 => String::new(),
        some => format!(" {} that did less are left out.", count(some as u64)),
    };
    let told = format!(
        "Requests that failed beyond those that fail undisturbed, by the failure that did it, each for as long as it was watched.{more}"
    );
    bars(
        ("blast", "Requests that failed"),
        &told,
        ["users fail until it is mended", "users were served again"],
        &all,
    )
}
