//! Answers that follow from a layout: entry points, hosts, rates, and the utilisation at rest in closed form.

use std::collections::BTreeSet;

use super::model::{Asks, DataCenter, Distribution, Layout, Map, Service, Users, Web};
use super::size::Size;

impl DataCenter {
    /// The entry point: what DNS answers with. The load balancer that no other points to, else the web service; the first by name if
    /// there are several. `None` if there is neither: users cannot connect to this data center.
    pub fn entry(&self) -> Option<(&str, &Service)> {
        let behind: BTreeSet<&str> = self
            .services
            .values()
            .filter_map(|service| match service {
                Service::LoadBalancer(balancer) => Some(balancer.to.as_str()),
                _ => None,
            })
            .collect();
        let is_first = |name: &String, service: &Service| {
            matches!(service, Service::LoadBalancer(_)) && !behind.contains(name.as_str())
        };
        let balancer = self.services.iter().find(|(name, service)| is_first(name, service));
        let web = || {
            self.services
                .iter()
                .find(|(_, service)| matches!(service, Service::Web(_)))
        };
        balancer.or_else(web).map(|(name, service)| (name.as_str(), service))
    }
}

impl Service {
    /// The host that it shares with others, if it does.
    pub fn host(&self) -> Option<&str> {
        match self {
            Service::LoadBalancer(balancer) => balancer.on.as_deref(),
            Service::Web(web) => web.on.as_deref(),
            Service::Database(database) => database.on.as_deref(),
        }
    }

    /// The size of its own machines. Without meaning on a shared host.
    pub fn size(&self) -> &str {
        match self {
            Service::LoadBalancer(balancer) => &balancer.size,
            Service::Web(web) => &web.size,
            Service::Database(database) => &database.size,
        }
    }

    /// How many instances it has at the start.
    pub fn instances(&self) -> u32 {
        match self {
            Service::Web(web) => web.machines,
            Service::LoadBalancer(_) | Service::Database(_) => 1,
        }
    }

    /// How many machines it has for itself: none on a shared host.
    pub fn own_machines(&self) -> u32 {
        if self.host().is_some() { 0 } else { self.instances() }
    }
}

impl Users {
    /// Requests a second of the whole population.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.every.as_secs_f64()
    }
}

impl Asks {
    /// The sum of the weights. Above 0 in a layout that was parsed.
    pub fn total(&self) -> f64 {
        self.page + self.asset + self.writes()
    }

    /// The weight of all that changes rows.
    pub fn writes(&self) -> f64 {
        self.create + self.update + self.delete
    }
}

impl Distribution {
    /// The mean in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Distribution::Constant(mean) | Distribution::Exponential(mean) | Distribution::LogNormal { mean, .. } => {
                mean.as_secs_f64()
            }
        }
    }
}

impl Web {
    /// Mean core time in seconds of a request of these users: HTML for browsers and JSON for apps, a share of it for static files.
    fn demand(&self, users: &Users) -> f64 {
        let asks = &users.asks;
        let page = 1.0 - users.mobile + users.mobile * self.json;
        let per_request = ((asks.page + asks.writes()) * page + asks.asset * self.asset) / asks.total();
        self.work.mean() * per_request
    }
}

impl Layout {
    /// The utilisation of every tier at rest, in closed form: rate times mean demand over cores, by full name (`dc/web`, or the host
    /// `dc/server`, where the demands of all that it hosts add up). The sites that have an entry point share the traffic evenly.
    /// A page reads one row, a create, update or delete writes one, a static file asks no database. Health checks are left out.
    pub fn utilisation_at_rest(&self) -> Map<f64> {
        let sites: Vec<_> = self
            .data_centers
            .iter()
            .filter(|(_, site)| site.entry().is_some())
            .collect();
        let mut busy: Map<f64> = Map::new();
        for (site, data_center) in &sites {
            for users in self.users.values() {
                let rate = users.rate() / sites.len() as f64;
                add_demand(&mut busy, site, data_center, users, rate);
            }
        }
        busy
    }
}

/// Follows the requests of a population from the entry point to the database and adds the share of cores that each tier spends.
fn add_demand(busy: &mut Map<f64>, place: &str, data_center: &DataCenter, users: &Users, rate: f64) {
    let mut add = |name: &str, service: &Service, demand: f64| {
        let (machine, size, count) = match service
            .host()
            .and_then(|host| Some((host, data_center.hosts.get(host)?)))
        {
            Some((name, host)) => (name, host.size.as_str(), 1),
            None => (name, service.size(), service.instances()),
        };
        let cores = Size::named(size).map_or(1, |size| size.cores) * count;
        *busy.entry(format!("{place}/{machine}")).or_default() += rate * demand / f64::from(cores);
    };
    let mut next = data_center.entry();
    while let Some((name, service)) = next {
        let (demand, to) = match service {
            Service::LoadBalancer(balancer) => (balancer.work.mean(), Some(&balancer.to)),
            Service::Web(web) => (web.demand(users), web.database.as_ref()),
            Service::Database(database) => {
                let asks = &users.asks;
                let core_time = asks.page * database.read.mean() + asks.writes() * database.write.mean();
                (core_time / asks.total(), None)
            }
        };
        add(name, service, demand);
        next = to
            .and_then(|to| data_center.services.get_key_value(to))
            .map(|(name, service)| (name.as_str(), service));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    fn read(services: &str) -> Layout {
        let source =
            format!("(title: \"t\", users: {{\"people\": (count: 100, every: \"1s\")}}, services: {{{services}}})");
        layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn the_entry_point_is_the_balancer_that_no_other_points_to() {
        for (services, entry) in [
            (r#""web": Web(), "db": Database()"#, "web"),
            (r#""a": Web(), "lb": LoadBalancer(to: "a")"#, "lb"),
            (
                r#""web": Web(), "inner": LoadBalancer(to: "web"), "outer": LoadBalancer(to: "inner")"#,
                "outer",
            ),
            (r#""b": Web(), "a": Web()"#, "a"),
        ] {
            assert_eq!(
                read(services).data_centers["dc"].entry().map(|(name, _)| name),
                Some(entry),
                "{services}"
            );
        }
    }

    #[test]
    fn utilisation_adds_up_what_every_tier_does_for_the_mix_of_requests() {
        let layout = read(
            r#""lb": LoadBalancer(to: "web", work: Constant("1ms")),
            "web": Web(machines: 2, size: "xs", work: Constant("10ms"), database: "db"),
            "db": Database(size: "s", read: Constant("1ms"), write: Constant("6ms"))"#,
        );
        let busy = layout.utilisation_at_rest();
        // 100 a second; pages cost 0.6 + 0.4 x 0.5 of 10 ms; 80 % reads and 20 % writes.
        for (tier, expected) in [("dc/lb", 0.1 / 4.0), ("dc/web", 0.8 / 2.0), ("dc/db", 0.2 / 2.0)] {
            assert!((busy[tier] - expected).abs() < 1e-12, "{tier}: {}", busy[tier]);
        }
    }
}
