//! The utilisation at rest in closed form.

mod copies;
mod database;
mod sites;

use copies::hit_ratio;
use database::{Asked, Askers};

use super::model::{Asks, DataCenter, Layout, Map, Pages, Service, Sessions, Users};
use super::queueing::Style;
use super::size::Size;

impl Layout {
    /// The utilisation of every tier at rest, in closed form: rate times mean demand over cores, by full name (`dc/web`, or the host
    /// `dc/server`, where the demands of all that it hosts add up). Functions have no machine of ours, and are not among them.
    ///
    /// The name service sends the populations that have no `site` of their own to data centers as its routing says; in turn means evenly. What a CDN does
    /// not keep goes to the data center that is nearest to its shield, or to its edge. The balancers of a service share evenly too; of a pair with a floating address one has it all. A page reads one row, a create, update or delete
    /// writes one, a static file asks no database, a search costs as much as ten reads on every shard. Where people sign in, all are taken
    /// to be signed in: each of their requests is one look-up in the session store, or one token to verify. Signing in, health checks and
    /// retries are left out.
    ///
    /// Of a database the busiest node of each data center counts, at the start. Shards share evenly: hot rows (`hot`, skewed keys) are
    /// left out. Writes cost the primary `write` and each replica `apply`; several primaries share the writes and pay `apply` for
    /// those of the others. Reads and writes go to nodes of their own data center, as far as some there take them.
    ///
    /// Caches and CDNs are taken to be warm: a cache tier answers what Che's approximation says of LRU, and a CDN fetches each object once in the
    /// time that it may be kept.
    pub fn utilisation_at_rest(&self) -> Map<f64> {
        let mut busy: Map<f64> = Map::new();
        let mut askers = Askers::new(self);
        for users in self.users.values() {
            for (asks, through_cdn) in self.streams(users) {
                for (name, site) in &self.data_centers {
                    let share = self.share_of(users, name, through_cdn);
                    if share <= 0.0 {
                        continue;
                    }
                    let demand = Demand {
                        layout: self,
                        place: name,
                        site,
                        users,
                        asks,
                        share,
                    };
                    demand.add(&mut busy, &mut askers);
                }
            }
        }
        for (place, name, load) in askers.busiest() {
            let service = &self.data_centers[place].services[name];
            add(&mut busy, place, &self.data_centers[place], name, service, load);
        }
        busy
    }
}

/// What a population asks of a data center.
struct Demand<'a> {
    layout: &'a Layout,
    place: &'a str,
    site: &'a DataCenter,
    users: &'a Users,
    /// What it asks of all data centers, in requests a second.
    asks: Asks,
    /// The share of it that comes here.
    share: f64,
}

impl<'a> Demand<'a> {
    /// Follows the requests from the entry point to the end and adds the share of cores that each tier spends; what databases are asked is
    /// noted, since their nodes differ.
    fn add(&self, busy: &mut Map<f64>, askers: &mut Askers<'a>) {
        let rate = self.asks.total() * self.share;
        let mut left: Vec<&str> = self.site.entry().map(|(name, _)| name).into_iter().collect();
        while let Some(name) = left.pop() {
            let Some((name, service)) = self.site.services.get_key_value(name) else {
                continue;
            };
            let demand = match service {
                Service::LoadBalancer(balancer) => {
                    left.push(&balancer.to);
                    balancer.work.mean()
                }
                Service::Web(web) => web.pages.demand(self.users, &self.asks),
                Service::Serverless(functions) => functions.pages.demand(self.users, &self.asks),
                Service::SessionStore(store) => store.work.mean(),
                Service::Cache(_) | Service::Database(_) | Service::Queue(_) | Service::Consumer(_) => continue,
            };
            if let Some(pages) = service.pages() {
                left.extend(pages.store());
                self.add_messages(busy, askers, pages);
                self.add_rows(busy, askers, pages);
            }
            add(busy, self.place, self.site, name, service, rate * demand);
        }
    }

    /// What uploads cost the queue that they are published to, its workers, and the database that those write to. A message is taken in, handed
    /// out and acknowledged; what is tried again is left out.
    fn add_messages(&self, busy: &mut Map<f64>, askers: &mut Askers<'a>, pages: &'a Pages) {
        let rate = self.asks.upload * self.share;
        let Some(publish) = pages.publish.as_ref().filter(|_| rate > 0.0) else {
            return;
        };
        let Some((name, Service::Queue(queue))) = self.site.services.get_key_value(&publish.to) else {
            return;
        };
        let service = &self.site.services[name];
        let consumers: Vec<_> = self.site.consumers_of(name).collect();
        let taken = match queue.style {
            Style::Work => consumers.len().min(1),
            Style::Log => consumers.len(),
        };
        let operations = 1.0 + 2.0 * taken as f64;
        add(
            busy,
            self.place,
            self.site,
            name,
            service,
            rate * operations * queue.work.mean(),
        );
        let machines: f64 = consumers.iter().map(|(_, workers)| workers.power()).sum();
        for (name, workers) in consumers {
            // Those of one queue share by what they can do; each subscriber of a log has it all.
            let share = match queue.style {
                Style::Work if machines > 0.0 => rate * workers.power() / machines,
                _ => rate,
            };
            let service = &self.site.services[name];
            add(busy, self.place, self.site, name, service, share * workers.mean_work());
            if let Some(database) = &workers.database {
                let writes = Asks {
                    update: share,
                    ..Asks::NOTHING
                };
                askers.add(self.place, database, Asked::by(&writes, share));
            }
        }
    }

    /// The rows that pages ask for: of the cache first, and of the database what that lacks.
    fn add_rows(&self, busy: &mut Map<f64>, askers: &mut Askers<'a>, pages: &'a Pages) {
        let mut asks = self.asks;
        if let Some((name, service)) = pages
            .cache
            .as_ref()
            .and_then(|name| self.site.services.get_key_value(name))
            && let Service::Cache(cache) = service
        {
            let all = |of: fn(&Asks) -> f64| -> f64 {
                let populations = self.layout.users.values();
                let here = populations.flat_map(|users| {
                    let streams = self.layout.streams(users).into_iter();
                    streams.map(move |(asks, cdn)| of(&asks) * self.layout.share_of(users, self.place, cdn))
                });
                here.sum()
            };
            let rates = (all(|asks| asks.page), all(Asks::writes));
            let hit = hit_ratio(cache, self.users.keys, &self.layout.content, rates);
            // A look-up for each read, a store for each miss, a change for each write.
            let operations = asks.page * (2.0 - hit) + asks.writes();
            let load = operations * self.share * cache.work.mean();
            add(busy, self.place, self.site, name, service, load);
            asks.page *= 1.0 - hit;
        }
        if let Some(database) = &pages.database {
            askers.add(self.place, database, Asked::by(&asks, asks.total() * self.share));
        }
    }
}

/// Adds what a service spends, in cores, to the machines that it has or shares.
fn add(busy: &mut Map<f64>, place: &str, data_center: &DataCenter, name: &str, service: &Service, load: f64) {
    if let Some((machine, cores)) = machine(data_center, name, service) {
        *busy.entry(format!("{place}/{machine}")).or_default() += load / cores;
    }
}

/// The name of the machine that a service has or shares, and the cores that work for it; of a database those of one node.
fn machine<'a>(data_center: &'a DataCenter, name: &'a str, service: &'a Service) -> Option<(&'a str, f64)> {
    let cores = |size: &str| Size::named(size).map_or(1, |size| size.cores);
    if let Some((host, machine)) = service.host().and_then(|host| data_center.hosts.get_key_value(host)) {
        return Some((host, f64::from(cores(&machine.size))));
    }
    let machines = match service {
        Service::Database(_) => 1,
        _ => service.working(),
    };
    let own = service.own_machines() > 0;
    own.then(|| (name, f64::from(cores(service.size()) * machines)))
}

impl Pages {
    /// Its session store, if it asks one at rest.
    fn store(&self) -> Option<&str> {
        match &self.sessions {
            Sessions::Store(store) => Some(store),
            Sessions::Off | Sessions::Local | Sessions::Token => None,
        }
    }

    /// Mean core time in seconds of a request of these users: HTML for browsers and JSON for apps, a share of it for static files,
    /// and a token to verify.
    fn demand(&self, users: &Users, asks: &Asks) -> f64 {
        let page = 1.0 - users.mobile + users.mobile * self.json;
        let pages = asks.page + asks.search + asks.writes();
        let others = asks.asset * self.asset + asks.upload * self.upload;
        let per_request = (pages * page + others) / asks.total();
        let verify = match self.sessions {
            Sessions::Token => self.verify.mean(),
            Sessions::Off | Sessions::Local | Sessions::Store(_) => 0.0,
        };
        self.work.mean() * per_request + verify
    }
}

#[cfg(test)]
mod tests {
    use crate::layout;

    /// The utilisation by tier of a layout with 100 requests a second: pages cost 0.6 + 0.4 x 0.5 of their work, and there are 80 %
    /// reads and 20 % writes.
    fn expect(layout: &str, expected: &[(&str, f64)]) {
        let layout = layout::parse(layout, "l.ron").unwrap_or_else(|error| panic!("{error}"));
        let busy = layout.utilisation_at_rest();
        let tiers: Vec<&str> = busy.keys().map(String::as_str).collect();
        let named: Vec<&str> = expected.iter().map(|(tier, _)| *tier).collect();
        assert_eq!(tiers, named);
        for (tier, share) in expected {
            assert!((busy[*tier] - share).abs() < 1e-12, "{tier}: {}", busy[*tier]);
        }
    }

    fn expect_of_services(services: &str, expected: &[(&str, f64)]) {
        let layout =
            format!("(title: \"t\", users: {{\"people\": (count: 100, every: \"1s\")}}, services: {{{services}}})");
        expect(&layout, expected);
    }

    #[test]
    fn utilisation_adds_up_what_every_tier_does_for_the_mix_of_requests() {
        expect_of_services(
            r#""lb": LoadBalancer(to: "web", work: Constant("1ms")),
            "web": Web(machines: 2, size: "xs", work: Constant("10ms"), database: "db"),
            "db": Database(size: "s", read: Constant("1ms"), write: Constant("6ms"))"#,
            &[("dc/db", 0.2 / 2.0), ("dc/lb", 0.1 / 4.0), ("dc/web", 0.8 / 2.0)],
        );
    }

    #[test]
    fn several_balancers_share_and_one_of_a_floating_pair_does_all() {
        for (pair, working) in [("Dns", 2.0), ("Floating()", 1.0)] {
            let services = format!(
                r#""lb": LoadBalancer(to: "web", machines: 2, pair: {pair}, size: "xs", work: Constant("1ms")),
                "web": Web(work: Constant("10ms"))"#
            );
            expect_of_services(&services, &[("dc/lb", 0.1 / working), ("dc/web", 0.8 / 4.0)]);
        }
    }

    #[test]
    fn sessions_cost_where_they_are_kept() {
        for (sessions, store, web) in [
            ("Off", 0.0, 0.8),
            ("Local", 0.0, 0.8),
            ("Store(\"sessions\")", 0.1 / 2.0, 0.8),
            ("Token", 0.0, 0.8 + 0.2),
        ] {
            let services = format!(
                r#""web": Web(size: "xs", work: Constant("10ms"), sessions: {sessions}, verify: Constant("2ms")),
                "sessions": SessionStore(work: Constant("1ms"))"#
            );
            let mut expected = vec![("dc/web", web)];
            if store > 0.0 {
                expected.insert(0, ("dc/sessions", store));
            }
            expect_of_services(&services, &expected);
        }
    }

    #[test]
    fn functions_have_no_machine_but_what_they_ask_has() {
        expect_of_services(
            r#""fn": Serverless(database: "db", sessions: Store("sessions")), "db": Database(read: Constant("1ms"), write: Constant("1ms")),
            "sessions": SessionStore(work: Constant("1ms"))"#,
            &[("dc/db", 0.1 / 4.0), ("dc/sessions", 0.1 / 2.0)],
        );
    }

    #[test]
    fn people_with_a_site_of_their_own_go_nowhere_else() {
        expect(
            r#"(title: "t", users: {"many": (count: 100, every: "1s"), "locals": (count: 100, every: "1s", site: "east")},
            data_centers: {"east": (services: {"web": Web(work: Constant("10ms"))}),
                "store": (services: {"db": Database()}), "west": (services: {"web": Web(work: Constant("10ms"))})})"#,
            &[("east/web", 1.2 / 4.0), ("west/web", 0.4 / 4.0)],
        );
    }

    #[test]
    fn the_busiest_node_of_a_primary_and_its_replicas_counts() {
        // 80 reads of 1 ms and 20 writes of 6 ms a second; a change costs 1 ms where it is applied.
        for (replication, expected) in [
            ("PrimaryReplicas()", f64::max(0.12, 0.08 / 2.0 + 0.02)),
            ("PrimaryReplicas(reads: Any)", 0.08 / 3.0 + 0.12),
            ("PrimaryReplicas(reads: Primary)", 0.08 + 0.12),
            (
                "MasterSlaves(reads: Slaves, failover: Manual)",
                f64::max(0.12, 0.08 / 2.0 + 0.02),
            ),
            ("MultiPrimary()", 0.08 / 3.0 + 0.12 / 3.0 + 0.02 * 2.0 / 3.0),
            ("Circular()", 0.08 / 3.0 + 0.12 / 3.0 + 0.02 * 2.0 / 3.0),
        ] {
            let services = format!(
                r#""web": Web(work: Constant("10ms"), database: "db"), "db": Database(size: "xs", read: Constant("1ms"),
                write: Constant("6ms"), apply: Constant("1ms"), replication: {replication})"#
            );
            expect_of_services(&services, &[("dc/db", expected), ("dc/web", 0.8 / 4.0)]);
        }
    }

    #[test]
    fn the_replicas_count_where_they_do_more_than_the_primary() {
        expect_of_services(
            r#""web": Web(work: Constant("10ms"), database: "db"), "db": Database(machines: 2, size: "s", read: Constant("2ms"),
            write: Constant("1ms"), apply: Constant("0.5ms"), replication: PrimaryReplicas())"#,
            &[("dc/db", 0.16 / 2.0 + 0.01 / 2.0), ("dc/web", 0.8 / 4.0)],
        );
    }

    #[test]
    fn shards_share_what_is_asked_and_all_are_searched() {
        for (asks, expected) in [
            ("page: 80, update: 20", (0.08 + 0.12) / 4.0),
            ("page: 70, update: 20, search: 10", (0.07 + 0.12) / 4.0 + 10.0 * 0.01),
        ] {
            let layout = format!(
                r#"(title: "t", users: {{"people": (count: 100, every: "1s", asks: ({asks}), hot: 0.5)}}, services: {{
                "web": Web(work: Constant("10ms"), database: "db"), "db": Database(size: "xs", read: Constant("1ms"),
                write: Constant("6ms"), sharding: (shards: 4, by: Jump))}})"#
            );
            expect(&layout, &[("dc/db", expected), ("dc/web", 0.8 / 4.0)]);
        }
    }

    #[test]
    fn a_database_of_several_data_centers_is_asked_by_all_where_they_are() {
        // The primary is in `a`; `b` has two replicas, `c` asks nothing.
        for (replication, a, b, c) in [
            // `a` has no replica: the primary there is nearer than those elsewhere.
            ("PrimaryReplicas()", 0.04 + 0.12, 0.04 / 2.0 + 0.02, 0.02),
            ("PrimaryReplicas(reads: Primary)", 0.08 + 0.12, 0.02, 0.02),
            ("PrimaryReplicas(reads: Any)", 0.04 + 0.12, 0.04 / 2.0 + 0.02, 0.02),
            ("MultiPrimary()", 0.04 + 0.06 + 0.01, 0.02 + 0.03 + 0.015, 0.02),
        ] {
            let layout = format!(
                r#"(title: "t", users: {{"people": (count: 100, every: "1s")}},
                databases: {{"db": (machines: {{"a": 1, "b": 2, "c": 1}}, size: "xs", read: Constant("1ms"), write: Constant("6ms"),
                    apply: Constant("1ms"), replication: {replication})}},
                data_centers: {{"a": (services: {{"web": Web(work: Constant("10ms"), database: "db")}}),
                    "b": (services: {{"web": Web(work: Constant("10ms"), database: "db")}}), "c": (services: {{}})}})"#
            );
            expect(
                &layout,
                &[
                    ("a/db", a),
                    ("a/web", 0.4 / 4.0),
                    ("b/db", b),
                    ("b/web", 0.4 / 4.0),
                    ("c/db", c),
                ],
            );
        }
    }
}
