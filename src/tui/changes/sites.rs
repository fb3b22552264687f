//! What can be changed about where users are sent: a data center evacuated and taken back, and how the name service chooses.

use crate::command::{Command, Selector, Setting};
use crate::layout::{Map, Routing};
use crate::observe::{Frame, Kind, Topology};
use crate::tui::map;
use crate::tui::menu::Entry;

use super::{Place, change};

/// Of a data center: evacuate it, or take it back.
pub(super) fn site(frame: &Frame, site: usize) -> Vec<Entry> {
    let topology = &frame.topology;
    let (Some(info), Some(state)) = (topology.sites.get(site), frame.sites.get(site)) else {
        return Vec::new();
    };
    if !map::are_several(topology) || !map::has_entry(topology, site) {
        return Vec::new();
    }
    let selector = Selector(info.name.clone());
    let entry = if state.evacuated {
        let detail = "DNS answers it again; its users come back as their answers run out";
        change('v', format!("reopen {}", info.name), detail, Command::Reopen(selector))
    } else {
        let detail = "DNS leaves it out; its users go elsewhere as their answers run out";
        change(
            'v',
            format!("evacuate {}", info.name),
            detail,
            Command::Evacuate(selector),
        )
    };
    vec![entry]
}

/// Of the name service: how it chooses among several data centers.
pub(super) fn routings(place: &Place) -> Vec<Entry> {
    let topology = place.topology;
    let Some(dns) = place.state.dns.as_ref().filter(|_| place.info.kind == Kind::Dns) else {
        return Vec::new();
    };
    if !map::are_several(topology) {
        return Vec::new();
    }
    let entry = |(key, name, words, detail, routing): (char, &str, String, &str, Routing)| {
        let command = Command::Set(Selector(place.info.selector.clone()), Setting::Routing(routing));
        Entry {
            now: dns.routing == name,
            ..change(key, words, detail, command)
        }
    };
    all(topology).into_iter().map(entry).collect()
}

/// A key, the policy's name in frames, words and details, and the policy.
type Row = (char, &'static str, String, &'static str, Routing);

fn all(topology: &Topology) -> Vec<Row> {
    let doors = map::rows(topology)
        .into_iter()
        .filter(|site| map::has_entry(topology, *site));
    let names: Vec<String> = doors.map(|site| topology.sites[site].name.clone()).collect();
    let mut rows: Vec<Row> = Vec::new();
    if topology.sites.iter().any(|site| site.region.is_some()) {
        rows.push((
            'e',
            "geo",
            "routing: geo".to_string(),
            "each to the nearest, as the crow flies",
            Routing::Geo,
        ));
        rows.push((
            'l',
            "latency",
            "routing: latency".to_string(),
            "each to the one that answers its resolver soonest",
            Routing::Latency,
        ));
    }
    let weights: Map<f64> = names.iter().map(|name| (name.clone(), 1.0)).collect();
    rows.push((
        'w',
        "weighted",
        "routing: weighted, all alike".to_string(),
        "the same share for each; `set dns routing weighted:..` for others",
        Routing::Weighted(weights),
    ));
    rows.push((
        'o',
        "failover",
        format!("routing: failover, {}", names.join(" before ")),
        "all to the first one that is up",
        Routing::Failover(names),
    ));
    rows.push((
        'r',
        "in turn",
        "routing: round robin".to_string(),
        "every address in turn, wherever it is",
        Routing::RoundRobin,
    ));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Site;

    #[test]
    fn policies_by_distance_need_regions() {
        let site = |region: Option<&str>| Site {
            name: "a".to_string(),
            region: region.map(str::to_string),
            zones: 1,
            round_trips: Vec::new(),
        };
        let topology = |region| Topology {
            layout: "".into(),
            unkept: std::sync::Arc::default(),
            title: String::new(),
            about: String::new(),
            version: 1,
            sites: vec![site(region)],
            services: Vec::new(),
            links: Vec::new(),
        };
        let names = |region| all(&topology(region)).iter().map(|row| row.1).collect::<Vec<_>>();
        assert_eq!(names(None), ["weighted", "failover", "in turn"]);
        assert_eq!(names(Some("a")), ["geo", "latency", "weighted", "failover", "in turn"]);
        let mut keys: Vec<char> = all(&topology(Some("a"))).iter().map(|row| row.0).collect();
        keys.extend("udjkgGq+-tf123iIxX".chars());
        keys.sort_unstable();
        let count = keys.len();
        keys.dedup();
        assert_eq!(keys.len(), count);
    }
}
