//! Where everything stands, and how far apart.

use std::time::Duration;

use crate::layout::{self, Layout};
use crate::sim::{Network, Place, nanos};

/// What stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spot {
    /// A zone of a data center.
    Zone { site: usize },
    /// A population.
    Users(usize),
    /// The resolver of a population, at its provider.
    Resolver(usize),
    /// The name servers, which stand everywhere (anycast).
    Dns,
    /// An edge of a CDN.
    Edge { cdn: usize, edge: usize },
    /// The shield of a CDN, where its first edge stands.
    Shield { cdn: usize },
}

/// The places of a layout: the zones of the data centers, the populations, their resolvers, DNS, the edges of all CDNs, their shields.
pub(super) struct Places<'a> {
    layout: &'a Layout,
    spots: Vec<(Spot, Option<&'a str>)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(layout: &'a Layout) -> Places<'a> {
        let mut spots: Vec<(Spot, Option<&str>)> = Vec::new();
        for (site, spec) in layout.data_centers.values().enumerate() {
            let zones = (0..spec.zones).map(|_| (Spot::Zone { site }, spec.region.as_deref()));
            spots.extend(zones);
        }
        for (number, spec) in layout.users.values().enumerate() {
            spots.push((Spot::Users(number), spec.region.as_deref()));
            spots.push((Spot::Resolver(number), spec.resolver.as_deref()));
        }
        spots.push((Spot::Dns, None));
        for (cdn, spec) in layout.cdns.values().enumerate() {
            let region = |edge: &'a String| Some(edge.as_str()).filter(|edge| layout.regions.contains_key(*edge));
            let edges = spec.edges.iter().enumerate();
            spots.extend(edges.map(|(number, edge)| (Spot::Edge { cdn, edge: number }, region(edge))));
            spots.push((Spot::Shield { cdn }, spec.edges.first().and_then(region)));
        }
        Places { layout, spots }
    }

    fn place(&self, spot: Spot) -> Place {
        let index = self.spots.iter().position(|(known, _)| *known == spot);
        Place(index.unwrap_or_default() as u16)
    }

    /// Where the first zone of a data center is; the others follow.
    pub(super) fn site(&self, site: usize) -> Place {
        self.place(Spot::Zone { site })
    }

    /// Where a population lives.
    pub(super) fn users(&self, number: usize) -> Place {
        self.place(Spot::Users(number))
    }

    /// Where the resolver of a population stands.
    pub(super) fn resolver(&self, number: usize) -> Place {
        self.place(Spot::Resolver(number))
    }

    pub(super) fn dns(&self) -> Place {
        self.place(Spot::Dns)
    }

    /// Where an edge stands.
    pub(super) fn edge(&self, cdn: usize, edge: usize) -> Place {
        self.place(Spot::Edge { cdn, edge })
    }

    /// Where the shield of a CDN stands.
    pub(super) fn shield(&self, cdn: usize) -> Place {
        self.place(Spot::Shield { cdn })
    }

    /// The network between them.
    pub(super) fn network(&self) -> Network {
        let layout = self.layout;
        let latency = &layout.network;
        let mut network = Network::new(self.spots.len(), latency.access);
        for (a, (spot, region)) in self.spots.iter().enumerate() {
            for (b, (other, elsewhere)) in self.spots[..=a].iter().enumerate() {
                let ends = if a == b {
                    self.within(*spot)
                } else {
                    self.ends(*spot, *other)
                };
                let ocean = layout.one_way(*region, *elsewhere);
                let given = match (spot, other) {
                    (Spot::Zone { site }, Spot::Zone { site: other }) if site != other => {
                        layout.given_between(*region, *elsewhere)
                    }
                    _ => None,
                };
                network.set_latency(Place(a as u16), Place(b as u16), given.unwrap_or(ends + ocean));
            }
        }
        network.set_jitter(latency.jitter);
        network.set_loss(latency.loss);
        let services: usize = layout.data_centers.values().map(|site| site.services.len()).sum();
        // A population has its resolver, a tier at most one autoscaler, a database its monitors, a CDN its shield.
        network.set_groups(2 * services + 2 * layout.users.len() + 2 * layout.cdns.len() + 1);
        network
    }

    fn within(&self, spot: Spot) -> Duration {
        match spot {
            Spot::Zone { .. } => self.layout.network.local,
            _ => self.layout.network.access,
        }
    }

    /// What the networks at both ends take, one way; between regions the way comes on top of it.
    fn ends(&self, a: Spot, b: Spot) -> Duration {
        let latency = &self.layout.network;
        let abroad = !self.layout.regions.is_empty();
        match (a, b) {
            (Spot::Zone { site }, Spot::Zone { site: other }) if site == other => latency.zone,
            // Between regions the way is all there is.
            (Spot::Zone { .. }, Spot::Zone { .. }) if abroad => latency.zone,
            (Spot::Zone { .. }, Spot::Zone { .. }) => layout::Network::BETWEEN,
            // A resolver stands with the users' provider, half-way.
            (Spot::Users(number), Spot::Resolver(own)) | (Spot::Resolver(own), Spot::Users(number))
                if number == own =>
            {
                latency.access / 2
            }
            (Spot::Users(number), Spot::Edge { cdn, edge }) | (Spot::Edge { cdn, edge }, Spot::Users(number))
                if abroad || edge == self.home(cdn, number) =>
            {
                latency.edge
            }
            (Spot::Shield { .. }, Spot::Zone { .. }) | (Spot::Zone { .. }, Spot::Shield { .. }) => latency.edge,
            (Spot::Edge { .. }, Spot::Zone { .. } | Spot::Shield { .. })
            | (Spot::Zone { .. } | Spot::Shield { .. }, Spot::Edge { .. })
                if abroad =>
            {
                latency.edge
            }
            _ => latency.access,
        }
    }

    fn home(&self, cdn: usize, population: usize) -> usize {
        let edges = self.layout.cdns.values().nth(cdn).map(|cdn| &cdn.edges);
        let users = self.layout.users.values().nth(population);
        edges.map_or(0, |edges| {
            nearest(edges, users.and_then(|users| users.edge.as_deref()), population)
        })
    }
}

/// Which of the edges of a CDN is nearest to a population in a layout without regions.
fn nearest(edges: &[String], named: Option<&str>, population: usize) -> usize {
    let named = edges.iter().position(|edge| Some(edge.as_str()) == named);
    named.unwrap_or(population % edges.len().max(1))
}

/// Who is how far from whom, as the name service and CDNs know it.
#[derive(Default)]
pub(super) struct Geography {
    /// By population, then by data center: from its resolver.
    pub sites: Vec<Vec<Distance>>,
    /// By population, then by CDN: the numbers of the edges, the nearest to its resolver first.
    pub edges: Vec<Vec<Vec<usize>>>,
    /// By place, then by data center: one way, in nanoseconds. Empty where there are no regions: nobody is nearer than another.
    pub ways: Vec<Vec<u64>>,
}

/// How far a data center is from a resolver.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Distance {
    /// On the great circle.
    pub km: f64,
    /// A round trip when nothing is in its way, in nanoseconds.
    pub round_trip: u64,
}

impl Geography {
    pub(super) fn new(places: &Places) -> Geography {
        let layout = places.layout;
        let region = |name: Option<&str>| name.and_then(|name| layout.regions.get(name));
        let sites: Vec<Option<&str>> = layout
            .data_centers
            .values()
            .map(|site| site.region.as_deref())
            .collect();
        let abroad = |from: Option<&str>| {
            let ways = sites.iter().map(|site| nanos(layout.one_way(from, *site)));
            ways.collect::<Vec<u64>>()
        };
        let mut geography = Geography::default();
        if !layout.regions.is_empty() {
            let ways = |(spot, region): &(Spot, Option<&str>)| {
                let mut ways = abroad(*region);
                if let Spot::Zone { site: own } = spot {
                    let others = sites.iter().enumerate().filter(|(site, _)| site != own);
                    for (site, elsewhere) in others {
                        let given = layout.given_between(*region, *elsewhere);
                        ways[site] = given.map_or(ways[site], nanos);
                    }
                }
                ways
            };
            geography.ways = places.spots.iter().map(ways).collect();
        }
        for (number, users) in layout.users.values().enumerate() {
            let resolver = users.resolver.as_deref();
            let ends = nanos(layout.network.access);
            let distances = sites.iter().zip(abroad(resolver)).map(|(site, way)| Distance {
                km: region(resolver)
                    .zip(region(*site))
                    .map_or(0.0, |(a, b)| a.distance_km(b)),
                round_trip: 2 * (ends + way),
            });
            geography.sites.push(distances.collect());
            let edges = layout.cdns.values().map(|cdn| {
                let mut order: Vec<usize> = (0..cdn.edges.len()).collect();
                if layout.regions.is_empty() {
                    order.rotate_left(nearest(&cdn.edges, users.edge.as_deref(), number));
                } else {
                    order.sort_by_key(|edge| {
                        let name = cdn.edges[*edge].as_str();
                        let way = nanos(layout.one_way(resolver, Some(name)));
                        (users.edge.as_deref() != Some(name), way)
                    });
                }
                order
            });
            geography.edges.push(edges.collect());
        }
        geography
    }
}
