//! How the name service chooses among data centers, in words: `geo`, `weighted:us-east=3,eu-west=1`.

use crate::layout::{Map, Routing, bounds, printable};

const PLAIN: [(&str, Routing); 3] = [
    ("round-robin", Routing::RoundRobin),
    ("geo", Routing::Geo),
    ("latency", Routing::Latency),
];
const WEIGHTED: &str = "weighted:";
const FAILOVER: &str = "failover:";

/// The policy that is meant; `None` if there is none.
pub(super) fn parse(value: &str) -> Option<Routing> {
    if let Some(weights) = value.strip_prefix(WEIGHTED) {
        let mut all = Map::new();
        for one in weights.split(',') {
            let (site, weight) = one.split_once('=')?;
            let weight: f64 = weight.parse().ok()?;
            if all.insert(site.to_owned(), weight).is_some() {
                return None;
            }
        }
        return Some(Routing::Weighted(all));
    }
    if let Some(order) = value.strip_prefix(FAILOVER) {
        return Some(Routing::Failover(order.split(',').map(str::to_owned).collect()));
    }
    PLAIN
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, routing)| routing.clone())
}

/// The policy as [`parse`] reads it.
pub(super) fn write(routing: &Routing) -> String {
    match routing {
        Routing::Weighted(weights) => {
            let all: Vec<String> = weights
                .iter()
                .map(|(site, weight)| format!("{site}={weight}"))
                .collect();
            format!("{WEIGHTED}{}", all.join(","))
        }
        Routing::Failover(order) => format!("{FAILOVER}{}", order.join(",")),
        plain => PLAIN
            .iter()
            .find(|(_, routing)| routing == plain)
            .map_or_else(String::new, |(name, _)| (*name).to_owned()),
    }
}

/// Checks the bounds that hold in every world.
pub(super) fn check(routing: &Routing) -> Result<(), String> {
    let named = |site: &str| {
        bounds::name(site)?;
        if site.contains([',', '=']) {
            let site = printable(site);
            return Err(format!(
                "\"{site}\" can't be named here: `,` and `=` separate data centers"
            ));
        }
        Ok(())
    };
    match routing {
        Routing::RoundRobin | Routing::Geo | Routing::Latency => Ok(()),
        Routing::Weighted(weights) => {
            for (site, weight) in weights {
                named(site)?;
                bounds::number(*weight, &(0.0..=bounds::MOST_WEIGHT))?;
            }
            if weights.values().all(|weight| *weight == 0.0) {
                return Err("needs a weight above 0".to_owned());
            }
            Ok(())
        }
        Routing::Failover(order) => {
            for (index, site) in order.iter().enumerate() {
                named(site)?;
                if order[..index].contains(site) {
                    return Err(format!("names {site} twice"));
                }
            }
            Ok(())
        }
    }
}

/// The data centers that it names.
pub(super) fn sites(routing: &Routing) -> Vec<&str> {
    match routing {
        Routing::RoundRobin | Routing::Geo | Routing::Latency => Vec::new(),
        Routing::Weighted(weights) => weights.keys().map(String::as_str).collect(),
        Routing::Failover(order) => order.iter().map(String::as_str).collect(),
    }
}
