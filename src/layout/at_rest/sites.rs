//! To which data center users come at rest.

use std::time::Duration;

use super::copies::behind_cdn;
use crate::layout::model::{Asks, Layout, Routing, Users};

impl Layout {
    /// What a population asks of the data centers, and whether that comes by way of a CDN.
    pub(super) fn streams(&self, users: &Users) -> Vec<(Asks, bool)> {
        let left = behind_cdn(self, users);
        if self.cdns.is_empty() || users.site.is_some() {
            return vec![(left, false)];
        }
        if !self.content.static_domain {
            return vec![(left, true)];
        }
        let files = Asks {
            asset: left.asset,
            ..Asks::NOTHING
        };
        let rest = Asks { asset: 0.0, ..left };
        let streams = [(rest, false), (files, true)];
        streams.into_iter().filter(|(asks, _)| asks.total() > 0.0).collect()
    }

    /// The share of a population's requests that come to a data center, when all is up: as the name service sends them, or what stands before the data
    /// centers, which asks the nearest one.
    pub(super) fn share_of(&self, users: &Users, site: &str, through_cdn: bool) -> f64 {
        let own = |name: &str| users.site.as_deref().is_none_or(|own| own == name);
        let sites = self.data_centers.iter();
        let open = sites.filter(|(name, center)| own(name) && center.entry().is_some());
        let open: Vec<&str> = open.map(|(name, _)| name.as_str()).collect();
        if !open.contains(&site) {
            return 0.0;
        }
        let even = 1.0 / open.len() as f64;
        let only = |chosen: Option<&str>| if chosen == Some(site) { 1.0 } else { 0.0 };
        let way = |from: Option<&str>, to: &str| self.one_way(from, self.data_centers[to].region.as_deref());
        let nearest_to = |from: Option<&str>| open.iter().copied().min_by_key(|to| way(from, to));
        if users.site.is_some() {
            return even;
        }
        if let Some(cdn) = self.cdns.values().find(|cdn| !cdn.standby).filter(|_| through_cdn) {
            let home = |edge: &&String| {
                let named = users.edge.as_ref() != Some(*edge);
                (named, self.one_way(users.resolver.as_deref(), Some(edge)))
            };
            let asker = if cdn.shield {
                cdn.edges.first()
            } else {
                cdn.edges.iter().min_by_key(home)
            };
            return if self.regions.is_empty() {
                even
            } else {
                only(nearest_to(asker.map(String::as_str)))
            };
        }
        let resolver = users.resolver.as_deref();
        match &self.dns.routing {
            Routing::RoundRobin => even,
            Routing::Geo => {
                let region = |name: Option<&str>| name.and_then(|name| self.regions.get(name));
                let km = |to: &str| {
                    let ends = region(resolver).zip(region(self.data_centers[to].region.as_deref()));
                    ends.map_or(0.0, |(a, b)| a.distance_km(b))
                };
                only(open.iter().copied().min_by(|a, b| km(a).total_cmp(&km(b))))
            }
            Routing::Latency => only(nearest_to(resolver)),
            Routing::Weighted(weights) => {
                let weight = |name: &str| weights.get(name).copied().unwrap_or_default();
                let sum: f64 = open.iter().map(|name| weight(name)).sum();
                if sum > 0.0 { weight(site) / sum } else { even }
            }
            Routing::Failover(order) => {
                let rank = |name: &str| order.iter().position(|known| known == name).unwrap_or(order.len());
                only(open.iter().copied().min_by_key(|name| rank(name)))
            }
        }
    }

    /// One way between two data centers that stand in these regions, where the layout says it for all of them and nothing better of these two.
    pub(crate) fn given_between(&self, a: Option<&str>, b: Option<&str>) -> Option<Duration> {
        let ends = a.zip(b).map(|(a, b)| (a.min(b).to_owned(), a.max(b).to_owned()));
        let known = ends.is_some_and(|ends| self.network.round_trips.contains_key(&ends));
        self.network.between.filter(|_| !known)
    }

    /// One way between two regions; nothing where they are one, or unknown.
    pub(crate) fn one_way(&self, a: Option<&str>, b: Option<&str>) -> Duration {
        let (Some(a), Some(b)) = (a, b) else {
            return Duration::ZERO;
        };
        if a == b {
            return Duration::ZERO;
        }
        let ends = (a.min(b).to_owned(), a.max(b).to_owned());
        let given = self.network.round_trips.get(&ends).copied();
        let regions = self.regions.get(a).zip(self.regions.get(b));
        let round_trip = given.or_else(|| regions.map(|(a, b)| a.round_trip(b)));
        round_trip.unwrap_or_default() / 2
    }
}
