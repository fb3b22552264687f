//! Services and data centers at the end of a run.

use super::{Block, Cell, Grid, Section, Tone, dollars, section};
use crate::report::model::{InstanceReport, Report, ServiceReport};
use crate::report::words::{count, percent};

/// Services, what is not up, and data centers where there are several.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    let mut blocks = services(report);
    blocks.extend(ailing(report));
    let sections = [
        section("Services", blocks),
        section("Data centers", data_centers(report)),
    ];
    sections.into_iter().flatten().collect()
}

fn services(report: &Report) -> Vec<Block> {
    let mut grid = Grid::new(
        "Every service at the end of the run; requests are those of the whole run",
        &[
            ("Service", false),
            ("Kind", false),
            ("Up", true),
            ("Cores in use", true),
            ("Longest backlog", true),
            ("Received", true),
            ("Answered well", true),
            ("Failed", true),
        ],
    );
    for service in &report.services {
        grid.row(match &service.requests {
            Some(requests) => {
                let figures = [requests.sent, requests.ok, requests.failed];
                let mut cells = named(service);
                cells.extend([Cell::words(""), Cell::words(""), Cell::words("")]);
                cells.extend(figures.map(|figure| Cell::words(count(figure))));
                cells
            }
            None => machines(service),
        });
    }
    grid.blocks()
}

fn named(service: &ServiceReport) -> Vec<Cell> {
    vec![
        Cell::name(&service.selector),
        Cell::words(service.kind.replace('_', " ")),
    ]
}

/// The row of a service that has machines.
fn machines(service: &ServiceReport) -> Vec<Cell> {
    let instances = &service.instances;
    let all = instances.len();
    let up = instances.iter().filter(|instance| instance.health == "up").count();
    let sum = |of: fn(&InstanceReport) -> u64| instances.iter().map(of).sum::<u64>();
    let used: f64 = instances.iter().map(|instance| instance.mean_utilisation).sum();
    let backlog = instances.iter().map(|instance| instance.peak_backlog).max();
    let tone = if up < all { Tone::Bad } else { Tone::Plain };
    let mut cells = named(service);
    cells.extend([
        Cell::words(format!("{up} of {all}")).tone(tone),
        Cell::words(if all == 0 {
            String::new()
        } else {
            percent(used / all as f64)
        }),
        Cell::words(count(u64::from(backlog.unwrap_or(0)))),
        Cell::words(count(sum(|instance| instance.received))),
        Cell::words(count(sum(|instance| instance.ok))),
        Cell::words(count(sum(|instance| instance.failed))),
    ]);
    cells
}

/// Instances that were not up at the end.
fn ailing(report: &Report) -> Vec<Block> {
    let mut grid = Grid::new(
        "What was not up at the end of the run",
        &[("Instance", false), ("Machine", false), ("State", false)],
    );
    let instances = report.services.iter().flat_map(|service| &service.instances);
    for instance in instances.filter(|instance| instance.health != "up") {
        grid.row(vec![
            Cell::name(&instance.selector),
            Cell::name(&instance.machine),
            Cell::words(instance.health.replace('_', " ")).tone(Tone::Bad),
        ]);
    }
    grid.blocks()
}

fn data_centers(report: &Report) -> Vec<Block> {
    let mut grid = Grid::new(
        "Data centers at the end of the run",
        &[
            ("Data center", false),
            ("Region", false),
            ("Machines", true),
            ("Share of requests", true),
            ("Users sent elsewhere", false),
            ("Believed up", false),
            ("Cost an hour", true),
        ],
    );
    let yes = |is: bool| Cell::words(if is { "yes" } else { "no" });
    for site in &report.data_centers {
        grid.row(vec![
            Cell::name(&site.name),
            site.region
                .as_ref()
                .map_or_else(|| Cell::words(""), |name| Cell::name(name)),
            Cell::words(count(site.machines)),
            Cell::words(percent(site.share)),
            yes(site.evacuated),
            yes(site.believed_up),
            Cell::words(dollars(site.usd_per_hour)),
        ]);
    }
    grid.blocks()
}
