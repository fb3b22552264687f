//! The name service and the network in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::policies::RawHealthCheck;
use crate::layout::model::{Dns, Network, Routing};
use crate::layout::policies::HealthCheck;
use crate::layout::source::{Path, Problem};
use crate::layout::text::{printable, suggestion};
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "Dns", default, deny_unknown_fields)]
pub(super) struct RawDns {
    #[serde(with = "duration")]
    ttl: Duration,
    #[serde(with = "duration")]
    timeout: Duration,
    attempts: u32,
    health: Option<RawHealthCheck>,
    origin_fallback: bool,
    routing: Option<RawRouting>,
}

#[derive(Deserialize)]
#[serde(rename = "Routing")]
enum RawRouting {
    RoundRobin,
    Geo,
    Latency,
    Weighted(BTreeMap<String, f64>),
    Failover(Vec<String>),
}

impl Default for RawDns {
    fn default() -> Self {
        RawDns {
            ttl: Duration::from_secs(60),
            timeout: Duration::from_secs(2),
            attempts: 3,
            health: None,
            origin_fallback: true,
            routing: None,
        }
    }
}

impl RawDns {
    /// A TTL of 0 is legal: nobody keeps the answer. Where users are sent to one of several CDNs or data centers, addresses are checked.
    pub fn model(self, path: &Path, around: &Around) -> Result<Dns, Problem> {
        let routing = match self.routing {
            Some(raw) => raw.model(&path.at("routing"), around)?,
            None if around.regions => Routing::Geo,
            None => Routing::RoundRobin,
        };
        let checked = around.cdns || (around.sites.len() > 1 && routing != Routing::RoundRobin);
        check::span(&path.at("ttl"), self.ttl)?;
        check::interval(&path.at("timeout"), self.timeout)?;
        check::whole(&path.at("attempts"), self.attempts, 1..=100)?;
        let default = checked.then(RawHealthCheck::default);
        let check = |raw: RawHealthCheck| raw.model(&path.at("health"), HealthCheck::of_addresses());
        Ok(Dns {
            ttl: self.ttl,
            timeout: self.timeout,
            attempts: self.attempts,
            health: self.health.or(default).map(check).transpose()?,
            origin_fallback: self.origin_fallback,
            routing,
        })
    }
}

/// What there is beside the name service.
pub(super) struct Around<'a> {
    /// The data centers by name.
    pub sites: &'a [String],
    /// Whether there are regions.
    pub regions: bool,
    /// Whether there are CDNs.
    pub cdns: bool,
}

impl RawRouting {
    fn model(self, path: &Path, around: &Around) -> Result<Routing, Problem> {
        let known = |site: &String, path: Path| {
            if around.sites.contains(site) {
                return Ok(());
            }
            let known = suggestion(site, around.sites.iter().map(String::as_str));
            Err(path.problem(format!("there is no data center \"{}\"{known}", printable(site))))
        };
        Ok(match self {
            RawRouting::RoundRobin => Routing::RoundRobin,
            RawRouting::Geo | RawRouting::Latency if !around.regions => {
                let message =
                    "nobody knows who is near without `regions`; name them, and put data centers and users into them";
                return Err(path.problem(message));
            }
            RawRouting::Geo => Routing::Geo,
            RawRouting::Latency => Routing::Latency,
            RawRouting::Weighted(weights) => {
                for (site, weight) in &weights {
                    known(site, path.key(site))?;
                    check::number(&path.at(site), *weight, 0.0..=bounds::MOST_WEIGHT)?;
                }
                if weights.values().all(|weight| *weight == 0.0) {
                    return Err(path.problem("one of the weights must be above 0"));
                }
                Routing::Weighted(weights)
            }
            RawRouting::Failover(order) => {
                for (index, site) in order.iter().enumerate() {
                    known(site, path.item(index))?;
                    if order[..index].contains(site) {
                        let message = format!("the data center \"{}\" is named twice", printable(site));
                        return Err(path.item(index).problem(message));
                    }
                }
                Routing::Failover(order)
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(rename = "Network", default, deny_unknown_fields)]
pub(super) struct RawNetwork {
    #[serde(with = "duration")]
    local: Duration,
    #[serde(with = "duration")]
    access: Duration,
    #[serde(with = "duration")]
    edge: Duration,
    between: Option<RawTime>,
    #[serde(with = "duration")]
    zone: Duration,
    round_trips: BTreeMap<String, RawTime>,
    #[serde(with = "duration")]
    jitter: Duration,
    loss: f64,
}

impl Default for RawNetwork {
    fn default() -> Self {
        RawNetwork {
            local: Duration::from_micros(250),
            access: Duration::from_millis(20),
            edge: Duration::from_millis(5),
            between: None,
            zone: Duration::from_micros(500),
            round_trips: BTreeMap::new(),
            jitter: Duration::ZERO,
            loss: 0.0,
        }
    }
}

impl RawNetwork {
    /// `regions` are those of the layout.
    pub fn model<'a>(self, path: &Path, regions: impl Iterator<Item = &'a str>) -> Result<Network, Problem> {
        let round_trips = round_trips(&path.at("round_trips"), &self.round_trips, regions)?;
        let latencies = check::SHORTEST_LATENCY..=check::LONGEST_LATENCY;
        check::time(&path.at("local"), self.local, latencies.clone())?;
        check::time(&path.at("access"), self.access, latencies.clone())?;
        check::time(&path.at("edge"), self.edge, latencies.clone())?;
        let between = self.between.map(|RawTime(time)| time);
        if let Some(time) = between {
            check::time(&path.at("between"), time, latencies.clone())?;
        }
        check::time(&path.at("zone"), self.zone, latencies)?;
        check::time(&path.at("jitter"), self.jitter, Duration::ZERO..=check::LONGEST_LATENCY)?;
        check::number(&path.at("loss"), self.loss, 0.0..=0.9)?;
        Ok(Network {
            local: self.local,
            access: self.access,
            edge: self.edge,
            between,
            zone: self.zone,
            round_trips,
            jitter: self.jitter,
            loss: self.loss,
        })
    }
}

/// A duration as the value of a map.
#[derive(Deserialize)]
#[serde(transparent)]
struct RawTime(#[serde(with = "duration")] Duration);

/// Round trips by pairs of regions, written `"us-east <-> eu-west": "75ms"`.
fn round_trips<'a>(
    path: &Path,
    raw: &BTreeMap<String, RawTime>,
    regions: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<(String, String), Duration>, Problem> {
    let regions: Vec<&str> = regions.collect();
    let mut round_trips = BTreeMap::new();
    for (ends, RawTime(time)) in raw {
        let place = path.key(ends);
        let Some((a, b)) = ends.split_once("<->").map(|(a, b)| (a.trim(), b.trim())) else {
            return Err(place.problem("a round trip is between two regions, as in \"us-east <-> eu-west\": \"75ms\""));
        };
        for region in [a, b] {
            if !regions.contains(&region) {
                let known = suggestion(region, regions.iter().copied());
                return Err(place.problem(format!("there is no region \"{}\"{known}", printable(region))));
            }
        }
        if a == b {
            return Err(place.problem("within a region there is no way to go; within a data center it is `local`"));
        }
        let latencies = 2 * check::SHORTEST_LATENCY..=check::LONGEST_LATENCY;
        check::time(&path.at(ends), *time, latencies)?;
        let (first, second) = (a.min(b).to_owned(), a.max(b).to_owned());
        if round_trips.insert((first, second), *time).is_some() {
            return Err(place.problem("the round trip between these two regions is given twice"));
        }
    }
    Ok(round_trips)
}
