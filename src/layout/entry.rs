//! Answers that follow from a layout: entry points, hosts, instances, rates, and the names of what the layout does not name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::{Asks, DataCenter, Database, Distribution, Layout, Pages, Pair, Service, Users};
use super::policies::Autoscaler;
use super::queueing::Consumer;
use crate::trace::Trace;

impl Layout {
    /// With the keys of an access trace in place of drawn ones: its records are dealt out among the populations, the number of a key by its first
    /// appearance is the row, and every database has all those rows at the start. What a record does, if the trace says so, is what is asked:
    /// a read a page, a write an update, a delete a delete; without a word all are pages. Static files are drawn as ever and take no record. Its size, if the trace has sizes, is that of the row and of the page. At its end the trace
    /// begins again.
    #[must_use]
    pub fn with_trace(mut self, trace: Arc<Trace>) -> Layout {
        let keys = trace.survey.keys;
        for service in self
            .data_centers
            .values_mut()
            .flat_map(|site| site.services.values_mut())
        {
            if let Service::Database(database) = service {
                database.rows = database.rows.max(keys);
            }
        }
        self.trace = Some(trace);
        self
    }

    /// The name of the resolver that the people of a population ask: `resolver` in a layout with one population, else the name
    /// of the population with `-resolver` behind it. It is a service outside of the data centers.
    pub fn resolver_of(&self, population: &str) -> String {
        match self.users.len() {
            1 => "resolver".to_owned(),
            _ => format!("{population}-resolver"),
        }
    }

    /// The data centers in which a database of this data center has nodes, with the nodes of each shard there: in the order of the nodes, which is
    /// that of the data centers' names behind [`Database::first`]. The first node of a shard is its primary at the start. Nothing if there is no such database.
    pub fn nodes_of<'a>(&'a self, site: &'a str, database: &str) -> Vec<(&'a str, u32)> {
        let here = self.data_centers.get(site).and_then(|site| site.services.get(database));
        match (here, self.databases.get(database)) {
            (Some(Service::Database(here)), Some(nodes)) if nodes.contains_key(site) => {
                let mut nodes: Vec<(&str, u32)> = nodes.iter().map(|(site, count)| (site.as_str(), *count)).collect();
                nodes.sort_by_key(|(site, _)| here.first.as_deref() != Some(site));
                nodes
            }
            (Some(Service::Database(here)), _) => vec![(site, here.machines)],
            _ => Vec::new(),
        }
    }

    /// The databases that have monitors in a data center, with how many. They are one service of it for each database, named as
    /// [`monitor_of`] says. Those of a database stand in the data centers that it names for them, else in its own from the last to the first: the
    /// only one is not beside the first primary, where it could tell nobody of its loss. They run on
    /// machines of others, which cost nothing and count as none.
    pub fn monitors<'a>(&'a self, site: &'a str) -> impl Iterator<Item = (&'a str, u32)> {
        let own = self
            .data_centers
            .get(site)
            .into_iter()
            .flat_map(|data_center| &data_center.services);
        let own = own.filter_map(|(name, service)| match service {
            Service::Database(database) => Some((name.as_str(), database)),
            _ => None,
        });
        // Those that have monitors here and no nodes.
        let others = self.databases.iter().filter(|(_, nodes)| !nodes.contains_key(site));
        let others = others.filter_map(|(name, nodes)| {
            let (first, _) = nodes.first_key_value()?;
            match self.data_centers[first].services.get(name) {
                Some(Service::Database(database)) => Some((name.as_str(), database)),
                _ => None,
            }
        });
        own.chain(others).filter_map(move |(name, database)| {
            let monitors = database.replication.primary_replicas()?.failover?.monitors;
            let places: Vec<&str> = if database.monitors_in.is_empty() {
                let nodes = self.nodes_of(site, name);
                nodes.iter().rev().map(|(site, _)| *site).collect()
            } else {
                database.monitors_in.iter().map(String::as_str).collect()
            };
            let mut turns = places
                .iter()
                .cycle()
                .take(if places.is_empty() { 0 } else { monitors as usize });
            let here = turns.by_ref().filter(|place| **place == site).count();
            (here > 0).then_some((name, here as u32))
        })
    }
}

impl DataCenter {
    /// The entry point: what DNS answers with. The load balancer that no other points to, else the web service, else the functions;
    /// the first by name if there are several. `None` if there is none of them: users cannot connect to this data center.
    pub fn entry(&self) -> Option<(&str, &Service)> {
        let behind: BTreeSet<&str> = self
            .services
            .values()
            .filter_map(|service| match service {
                Service::LoadBalancer(balancer) => Some(balancer.to.as_str()),
                _ => None,
            })
            .collect();
        let first = |fits: &dyn Fn(&str, &Service) -> bool| {
            let mut services = self.services.iter().map(|(name, service)| (name.as_str(), service));
            services.find(|(name, service)| fits(name, service))
        };
        first(&|name, service| matches!(service, Service::LoadBalancer(_)) && !behind.contains(name))
            .or_else(|| first(&|_, service| matches!(service, Service::Web(_))))
            .or_else(|| first(&|_, service| matches!(service, Service::Serverless(_))))
    }

    /// The autoscalers with the names of the web tiers and workers that they scale. Each is a service of the data center, named as
    /// [`autoscaler_of`] says.
    pub fn autoscalers(&self) -> impl Iterator<Item = (&str, &Autoscaler)> {
        self.services.iter().filter_map(|(name, service)| match service {
            Service::Web(web) => Some((name.as_str(), web.scale.as_ref()?)),
            Service::Consumer(consumer) => Some((name.as_str(), consumer.scale.as_ref()?)),
            _ => None,
        })
    }
}

impl DataCenter {
    /// The databases of the pages that use a cache, each once. A layout that was parsed has at most one.
    pub fn databases_behind(&self, cache: &str) -> BTreeSet<&str> {
        let pages = self.services.values().filter_map(Service::pages);
        let of_it = pages.filter(|pages| pages.cache.as_deref() == Some(cache));
        of_it.filter_map(|pages| pages.database.as_deref()).collect()
    }
}

impl DataCenter {
    /// The services of workers that take from a queue.
    pub fn consumers_of<'a>(&'a self, queue: &'a str) -> impl Iterator<Item = (&'a str, &'a Consumer)> {
        self.services.iter().filter_map(move |(name, service)| match service {
            Service::Consumer(consumer) if consumer.of == queue => Some((name.as_str(), consumer)),
            _ => None,
        })
    }
}

/// The name of the autoscaler of a web tier, or of workers: `web-autoscaler`.
pub fn autoscaler_of(web: &str) -> String {
    format!("{web}-autoscaler")
}

/// The name of the shield of a CDN: `cdn-shield`.
pub fn shield_of(cdn: &str) -> String {
    format!("{cdn}-shield")
}

/// The name of the monitors of a database: `db-monitor`.
pub fn monitor_of(database: &str) -> String {
    format!("{database}-monitor")
}

impl Service {
    /// The host that it shares with others, if it does.
    pub fn host(&self) -> Option<&str> {
        match self {
            Service::LoadBalancer(balancer) => balancer.on.as_deref(),
            Service::Web(web) => web.on.as_deref(),
            Service::Serverless(_) => None,
            Service::SessionStore(store) => store.on.as_deref(),
            Service::Database(database) => database.on.as_deref(),
            Service::Cache(cache) => cache.on.as_deref(),
            Service::Queue(queue) => queue.on.as_deref(),
            Service::Consumer(consumer) => consumer.on.as_deref(),
        }
    }

    /// The size of its own machines. Without meaning on a shared host. Functions have no machine; each of their instances has one
    /// core, as the smallest size has.
    pub fn size(&self) -> &str {
        match self {
            Service::LoadBalancer(balancer) => &balancer.size,
            Service::Web(web) => &web.size,
            Service::Serverless(_) => "xs",
            Service::SessionStore(store) => &store.size,
            Service::Database(database) => &database.size,
            Service::Cache(cache) => &cache.size,
            Service::Queue(queue) => &queue.size,
            Service::Consumer(consumer) => &consumer.size,
        }
    }

    /// How many instances it has at the start. Functions count as one: a provider's service at one address. Those of a database are all
    /// nodes of all its shards here.
    pub fn instances(&self) -> u32 {
        match self {
            Service::Web(web) => web.machines,
            Service::LoadBalancer(balancer) => balancer.machines,
            Service::Database(database) => database.shards() * database.machines,
            Service::Cache(cache) => cache.machines,
            Service::Consumer(consumer) => consumer.machines,
            Service::Serverless(_) | Service::SessionStore(_) | Service::Queue(_) => 1,
        }
    }

    /// How many instances it has at most, if nobody but its autoscaler changes that.
    pub fn most_instances(&self) -> u32 {
        match self {
            Service::Web(web) => web.scale.map_or(web.machines, |scale| scale.max),
            Service::Consumer(consumer) => consumer.scale.map_or(consumer.machines, |scale| scale.max),
            _ => self.instances(),
        }
    }

    /// How many instances take requests when all are well: of a pair with a floating address only one.
    pub fn working(&self) -> u32 {
        match self {
            Service::LoadBalancer(balancer) if matches!(balancer.pair, Pair::Floating { .. }) => 1,
            _ => self.instances(),
        }
    }

    /// How many machines it has for itself: none on a shared host, and none for functions.
    pub fn own_machines(&self) -> u32 {
        match self {
            Service::Serverless(_) => 0,
            _ if self.host().is_some() => 0,
            _ => self.instances(),
        }
    }

    /// How it makes pages, if it does.
    pub fn pages(&self) -> Option<&Pages> {
        match self {
            Service::Web(web) => Some(&web.pages),
            Service::Serverless(functions) => Some(&functions.pages),
            _ => None,
        }
    }
}

impl Database {
    /// How many shards it has at the start.
    pub fn shards(&self) -> u32 {
        self.sharding.map_or(1, |sharding| sharding.shards)
    }
}

impl Users {
    /// Requests a second of the whole population.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.every.as_secs_f64()
    }
}

impl Asks {
    /// What each weight is called in a layout.
    pub const NAMES: [&str; 7] = ["page", "asset", "create", "update", "delete", "search", "upload"];

    /// The weights, in the order of [`Asks::NAMES`].
    pub fn weights(&self) -> [f64; 7] {
        let Asks {
            page,
            asset,
            create,
            update,
            delete,
            search,
            upload,
        } = *self;
        [page, asset, create, update, delete, search, upload]
    }

    /// Those with these weights, in the order of [`Asks::NAMES`].
    pub fn of([page, asset, create, update, delete, search, upload]: [f64; 7]) -> Asks {
        Asks {
            page,
            asset,
            create,
            update,
            delete,
            search,
            upload,
        }
    }

    /// Nothing at all.
    pub(super) const NOTHING: Asks = Asks {
        page: 0.0,
        asset: 0.0,
        create: 0.0,
        update: 0.0,
        delete: 0.0,
        search: 0.0,
        upload: 0.0,
    };

    /// The sum of the weights. Above 0 in a layout that was parsed.
    pub fn total(&self) -> f64 {
        self.page + self.asset + self.search + self.upload + self.writes()
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
            (r#""web": Web(), "a": Serverless()"#, "web"),
            (r#""fn": Serverless(), "db": Database()"#, "fn"),
            (r#""lb": LoadBalancer(to: "fn"), "fn": Serverless()"#, "lb"),
        ] {
            assert_eq!(
                read(services).data_centers["dc"].entry().map(|(name, _)| name),
                Some(entry),
                "{services}"
            );
        }
    }

    #[test]
    fn instances_and_machines_follow_the_kind() {
        let layout = read(
            r#""a": LoadBalancer(to: "web", machines: 2, pair: Floating()), "b": LoadBalancer(to: "web", machines: 3),
            "web": Web(machines: 2, scale: (min: 2, max: 9, target: Utilisation(0.6))), "fn": Serverless(),
            "sessions": SessionStore(), "db": Database()"#,
        );
        let site = &layout.data_centers["dc"];
        let counts = |name: &str| {
            let service = &site.services[name];
            [
                service.instances(),
                service.most_instances(),
                service.working(),
                service.own_machines(),
            ]
        };
        assert_eq!(counts("a"), [2, 2, 1, 2]);
        assert_eq!(counts("b"), [3, 3, 3, 3]);
        assert_eq!(counts("web"), [2, 9, 2, 2]);
        assert_eq!(counts("fn"), [1, 1, 1, 0]);
        assert_eq!(counts("sessions"), [1, 1, 1, 1]);
        assert_eq!(counts("db"), [1, 1, 1, 1]);
        let sizes = ["web", "fn", "sessions"].map(|name| site.services[name].size());
        assert_eq!(sizes, ["m", "xs", "s"]);
        let scaled: Vec<&str> = site.autoscalers().map(|(web, _)| web).collect();
        assert_eq!(scaled, ["web"]);
        assert_eq!(autoscaler_of("web"), "web-autoscaler");
        assert_eq!(layout.resolver_of("people"), "resolver");
    }

    #[test]
    fn a_database_has_nodes_in_every_shard_and_monitors_in_its_data_centers_in_turn() {
        let layout = layout::parse(
            r#"(title: "t", users: {"people": (count: 1)},
            databases: {"orders": (machines: {"b": 2, "c": 3}, replication: PrimaryReplicas(), sharding: (shards: 4))},
            data_centers: {
                "a": (services: {"web": Web(), "db": Database(replication: PrimaryReplicas(failover: Automatic(monitors: 5)))}),
                "b": (services: {"db": Database(replication: PrimaryReplicas(failover: Manual), machines: 2)}),
                "c": (services: {"db": Database(replication: Circular(), sharding: (shards: 3))}),
            })"#,
            "l.ron",
        )
        .unwrap_or_else(|error| panic!("{error}"));
        let instances = |site: &str, name: &str| {
            let service = &layout.data_centers[site].services[name];
            [service.instances(), service.most_instances(), service.own_machines()]
        };
        assert_eq!(instances("a", "db"), [3; 3]);
        assert_eq!(instances("b", "db"), [2; 3]);
        assert_eq!(instances("c", "db"), [9; 3]);
        assert_eq!(instances("b", "orders"), [8; 3]);
        assert_eq!(instances("c", "orders"), [12; 3]);
        assert_eq!(layout.nodes_of("b", "orders"), [("b", 2), ("c", 3)]);
        assert_eq!(layout.nodes_of("b", "db"), [("b", 2)]);
        assert_eq!(layout.nodes_of("a", "orders"), []);
        assert_eq!(layout.nodes_of("a", "web"), []);
        let monitors = |site| layout.monitors(site).collect::<Vec<_>>();
        assert_eq!(monitors("a"), [("db", 5)]);
        assert_eq!(monitors("b"), [("orders", 1)]);
        assert_eq!(monitors("c"), [("orders", 2)]);
        assert_eq!(monitor_of("orders"), "orders-monitor");
    }
}
