//! Where everything stands, and how far apart.

use crate::layout::Layout;
use crate::sim::{Network, Place};

/// The places of a layout: the data centers, the populations with their resolvers, DNS, the edges of all CDNs, their shields.
pub(super) struct Places {
    sites: u16,
    populations: u16,
    edges: u16,
    cdns: u16,
}

impl Places {
    pub(super) fn new(layout: &Layout) -> Places {
        let edges: usize = layout.cdns.values().map(|cdn| cdn.edges.len()).sum();
        Places {
            sites: layout.data_centers.len() as u16,
            populations: layout.users.len() as u16,
            edges: edges as u16,
            cdns: layout.cdns.len() as u16,
        }
    }

    /// Where a population lives; its resolver stands with its provider.
    pub(super) fn users(&self, number: usize) -> Place {
        Place(self.sites + number as u16)
    }

    pub(super) fn dns(&self) -> Place {
        Place(self.sites + self.populations)
    }

    /// Where an edge stands, counted over all CDNs in the order of their names.
    pub(super) fn edge(&self, number: usize) -> Place {
        Place(self.dns().0 + 1 + number as u16)
    }

    /// Where the shield of a CDN stands.
    pub(super) fn shield(&self, cdn: usize) -> Place {
        Place(self.dns().0 + 1 + self.edges + cdn as u16)
    }

    /// The network between them.
    pub(super) fn network(&self, layout: &Layout) -> Network {
        let latency = &layout.network;
        let places = self.dns().0 + 1 + self.edges + self.cdns;
        let mut network = Network::new(places.into(), latency.access);
        for (a, b) in (0..self.sites).flat_map(|a| (0..=a).map(move |b| (a, b))) {
            let between = if a == b { latency.local } else { latency.between };
            network.set_latency(Place(a), Place(b), between);
        }
        for number in 0..layout.users.len() {
            // A resolver stands with the users' provider, half-way.
            network.set_latency(self.users(number), self.users(number), latency.access / 2);
        }
        let mut first = 0;
        for (cdn, spec) in layout.cdns.values().enumerate() {
            for (number, users) in layout.users.values().enumerate() {
                let home = first + nearest(&spec.edges, users.edge.as_deref(), number);
                network.set_latency(self.users(number), self.edge(home), latency.edge);
            }
            for site in 0..self.sites {
                network.set_latency(self.shield(cdn), Place(site), latency.edge);
            }
            first += spec.edges.len();
        }
        network.set_jitter(latency.jitter);
        network.set_loss(latency.loss);
        let services: usize = layout.data_centers.values().map(|site| site.services.len()).sum();
        // A population has its resolver, a tier at most one autoscaler, a database its monitors, a CDN its shield.
        network.set_groups(2 * services + 2 * layout.users.len() + 2 * layout.cdns.len() + 1);
        network
    }
}

/// Which of the edges of a CDN is nearest to a population.
pub(super) fn nearest(edges: &[String], named: Option<&str>, population: usize) -> usize {
    let named = edges.iter().position(|edge| Some(edge.as_str()) == named);
    named.unwrap_or(population % edges.len().max(1))
}
