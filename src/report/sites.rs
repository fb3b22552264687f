//! Data centers at the end of a run.

use super::model::{DataCenterReport, Report};
use super::table::{Align, Table};
use super::text::Text;
use super::words::{count, dollars, percent};
use crate::layout::printable;
use crate::observe::{Frame, InstanceInfo};

/// The data centers, when there are several.
pub(super) fn data_centers(frame: &Frame) -> Vec<DataCenterReport> {
    let topology = &frame.topology;
    let sites = topology.sites.iter().zip(&frame.sites).enumerate();
    let several = topology.sites.len() > 1;
    let report = sites.filter(|_| several).map(|(site, (info, state))| {
        let here = topology.services.iter().filter(|service| service.site == Some(site));
        let mut machines: Vec<&InstanceInfo> = here.flat_map(|service| &service.instances).collect();
        machines.retain(|instance| !instance.size.is_empty());
        machines.sort_by(|a, b| a.machine.cmp(&b.machine));
        machines.dedup_by(|a, b| a.machine == b.machine);
        DataCenterReport {
            name: info.name.clone(),
            region: info.region.clone(),
            zones: info.zones,
            machines: machines.len() as u64,
            requests_per_s: state.rate,
            share: state.share,
            evacuated: state.evacuated,
            believed_up: state.believed_up,
            // The sum of nothing is -0.
            usd_per_hour: machines.iter().fold(0.0, |sum, machine| sum + machine.price_per_hour),
        }
    });
    report.collect()
}

/// The section about them.
pub(super) fn sites(text: &mut Text, report: &Report) {
    if report.data_centers.is_empty() {
        return;
    }
    let mut table = Table::new(&[
        ("data center", Align::Left),
        ("region", Align::Left),
        ("machines", Align::Right),
        ("cost/h", Align::Right),
        ("requests/s", Align::Right),
        ("share", Align::Right),
        ("dns", Align::Left),
    ]);
    for site in &report.data_centers {
        let dns = match (site.evacuated, site.believed_up) {
            (true, true) => "evacuated",
            (true, false) => "evacuated, down",
            (false, true) => "",
            (false, false) => "left out",
        };
        table.row(vec![
            printable(&site.name),
            site.region.as_deref().map_or_else(String::new, printable),
            count(site.machines),
            dollars(site.usd_per_hour),
            count(site.requests_per_s.round() as u64),
            percent(site.share),
            dns.to_string(),
        ]);
    }
    text.section("data centers at the end");
    text.lines(&table.lines());
}
