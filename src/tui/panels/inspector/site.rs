//! A data center: where it is, who comes, what it holds and costs.

use std::time::Duration;

use crate::observe::{Frame, Kind, LinkKind, Topology};
use crate::tui::app::App;
use crate::tui::map;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::trend::Trend;
use crate::tui::truth;

use super::{Line, line};

const ABOUT: &str = "A data center: its machines share its power and its way to the world. x loses all of them at once; e evacuates it, which is the same move, planned.";

/// Title, lines, trend and explanation.
pub(super) fn lines(app: &App, site: usize) -> (String, Vec<Line>, Option<Trend>, String) {
    let frame = app.frame();
    let topology = &frame.topology;
    let Some(info) = topology.sites.get(site) else {
        return Default::default();
    };
    let mut lines = Vec::new();
    let zones = match info.zones {
        1 => String::new(),
        zones => format!(", {zones} zones, {} apart", text::span(within(topology, site))),
    };
    if let Some(region) = &info.region {
        lines.push(line("region", format!("{region}{zones}")));
    } else if info.zones > 1 {
        lines.push(line(
            "zones",
            format!("{}, {} apart", info.zones, text::span(within(topology, site))),
        ));
    }
    lines.extend(round_trips(topology, site));
    lines.extend(users(frame, site));
    let mut price = 0.0;
    let mut machines: Vec<&str> = Vec::new();
    let mut services = Vec::new();
    for (service, state) in topology
        .services
        .iter()
        .zip(&frame.services)
        .filter(|(one, _)| one.site == Some(site))
    {
        for instance in &service.instances {
            if !instance.size.is_empty() && !machines.contains(&instance.machine.as_str()) {
                machines.push(&instance.machine);
                price += instance.price_per_hour;
            }
        }
        let up = state.instances.iter().filter(|state| truth::serves(state)).count();
        let asked = !matches!(service.kind, Kind::Monitor | Kind::Autoscaler);
        let rate = if asked {
            // What workers do is messages.
            let rate = state.workers.as_ref().map_or(state.rate, |workers| workers.rate);
            format!(", {}", truth::of_second(frame.at, text::rate(rate)))
        } else {
            String::new()
        };
        let role = if up < service.instances.len() {
            Role::Bad
        } else {
            Role::Text
        };
        let value = format!("{up}/{} up{rate}", service.instances.len());
        services.push((service.name.clone(), value, role));
    }
    lines.push(line("machines", machines.len().to_string()));
    lines.push(line("price", format!("{}/h", text::dollars(price))));
    lines.extend(services);
    (info.name.clone(), lines, None, ABOUT.to_string())
}

/// A round trip within it.
fn within(topology: &Topology, site: usize) -> Duration {
    topology.sites[site].round_trips.get(site).copied().unwrap_or_default()
}

fn round_trips(topology: &Topology, site: usize) -> Vec<Line> {
    let trips = topology.sites[site].round_trips.iter().enumerate();
    let others = trips.filter(|(other, _)| *other != site);
    others
        .filter_map(|(other, trip)| {
            let name = &topology.sites.get(other)?.name;
            Some(line(
                &format!("to {name}"),
                format!("{} there and back", text::span(*trip)),
            ))
        })
        .collect()
}

/// Who comes, and what the name service believes.
fn users(frame: &Frame, site: usize) -> Vec<Line> {
    let topology = &frame.topology;
    if !map::has_entry(topology, site) {
        return vec![line("users", "nobody comes here")];
    }
    let mut lines = Vec::new();
    if let Some(state) = frame.sites.get(site).filter(|_| map::are_several(topology)) {
        let known = |words| truth::of_second(frame.at, words);
        let (share, rate) = (known(text::whole_percent(state.share)), known(text::rate(state.rate)));
        lines.push(line("users", format!("{share} of all, {rate}")));
        if state.evacuated {
            lines.push((
                "evacuated".to_string(),
                "e takes its users back".to_string(),
                Role::Warning,
            ));
        }
        if !state.believed_up {
            lines.push(("dns".to_string(), "leaves it out".to_string(), Role::Warning));
        }
    }
    for (link, state) in topology.links.iter().zip(&frame.links) {
        let from = &topology.services[link.from];
        let here = topology.services[link.to].site == Some(site) && link.kind == LinkKind::Requests;
        if here && matches!(from.kind, Kind::Users | Kind::Cdn | Kind::Shield) && state.rate > 0.0 {
            lines.push(line(&format!("  {}", from.name), text::rate(state.rate)));
        }
    }
    lines
}
