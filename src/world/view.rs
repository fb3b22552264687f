//! Frames: what is seen of a world, put together when somebody looks.

use std::sync::Arc;
use std::time::Duration;

use crate::layout::{Balance, Sessions, duration};
use crate::observe::{
    Cause, Frame, Incident, InstanceInfo, InstanceState, Latencies, LinkInfo, LinkKind, LinkState, ServiceInfo, Site,
    Topology,
};
use crate::protocol::Layer;
use crate::sim::{InstanceId, Place, SimTime, Verdict};

use super::World;
use super::caches::{cdn_policy, tier_policy};
use super::databases::policy;
use super::discover::is_entry;
use super::entries::{Ground, InstanceEntry, Role, ServiceEntry};
use super::names::home;
use super::queues;
use super::sentence::sentence;
use super::states::{session_mode, shown, target};

/// How a policy is called on screens.
pub(super) fn policy_name(policy: Balance) -> &'static str {
    match policy {
        Balance::RoundRobin => "round robin",
        Balance::Weighted => "weighted",
        Balance::SourceHash => "source hash",
        Balance::ConsistentHash => "consistent hash",
        Balance::Random => "random",
        Balance::LeastConnections => "least connections",
        Balance::PowerOfTwo => "power of two choices",
    }
}

/// Draws the shape anew.
pub(super) fn refresh_topology(world: &mut World) {
    let services = (0..world.services.len())
        .map(|service| service_info(world, service))
        .collect();
    let trips = round_trips(world);
    world.topology = Arc::new(Topology {
        title: world.title.clone(),
        about: world.about.clone(),
        version: world.topology.version + 1,
        sites: world
            .sites
            .iter()
            .zip(&world.grounds)
            .zip(trips)
            .map(|((name, ground), round_trips)| Site {
                name: name.clone(),
                region: ground.region.clone(),
                zones: ground.zones,
                round_trips,
            })
            .collect(),
        services,
        links: links(world),
        layout: world.layout.source.shared(),
        unkept: Arc::clone(&world.unkept),
    });
}

/// By data center, then by data center: a round trip.
fn round_trips(world: &World) -> Vec<Vec<Duration>> {
    let network = world.kernel.network();
    let trip = |a: &Ground, b: &Ground| {
        let other_zone = Place(b.place.0 + u16::from(a.place == b.place && b.zones > 1));
        2 * network.latency(a.place, other_zone)
    };
    let from = |a: &Ground| world.grounds.iter().map(|b| trip(a, b)).collect();
    world.grounds.iter().map(from).collect()
}

fn links(world: &World) -> Vec<LinkInfo> {
    let mut links = Vec::new();
    for (from, service) in world.services.iter().enumerate() {
        let requests = |to| LinkInfo {
            from,
            to,
            kind: LinkKind::Requests,
        };
        let messages = |from, to| LinkInfo {
            from,
            to,
            kind: LinkKind::Messages,
        };
        let lookup = |to| LinkInfo {
            from,
            to,
            kind: LinkKind::Lookups,
        };
        match &service.role {
            Role::Users { resolver, name, .. } => {
                links.push(lookup(*resolver));
                let site = (*name as usize).checked_sub(1).filter(|site| *site < world.sites.len());
                // Those of a CDN come to the data centers too, when all CDNs are down.
                if *name == 0 {
                    let cdns = world.services.iter().enumerate();
                    let edges = cdns.filter(|(_, entry)| matches!(entry.role, Role::Cdn { layer: Layer::Edge, .. }));
                    links.extend(edges.map(|(index, _)| requests(index)));
                }
                let entries = world.entries.iter().enumerate();
                let asked = entries.filter(|(index, _)| site.is_none_or(|site| site == *index));
                links.extend(asked.filter_map(|(_, entry)| *entry).map(requests));
            }
            Role::Resolver { dns, .. } => links.push(lookup(*dns)),
            Role::LoadBalancer { edge, .. } => links.push(requests(edge.to)),
            Role::Web { sessions, edges, .. } | Role::Serverless { sessions, edges, .. } => {
                let sessions = sessions.borrow();
                let called = edges.iter().filter_map(|edge| match &world.services[edge.to].role {
                    Role::SessionStore { .. } => matches!(&*sessions, Sessions::Store(name) if *name == edge.name)
                        .then_some(LinkInfo {
                            from,
                            to: edge.to,
                            kind: LinkKind::Sessions,
                        }),
                    Role::Queue { .. } => Some(messages(from, edge.to)),
                    _ => Some(requests(edge.to)),
                });
                links.extend(called);
            }
            Role::Queue { edges, .. } => links.extend(edges.iter().map(|edge| messages(from, edge.to))),
            Role::Consumer { spec, edges, .. } => {
                let spec = spec.borrow();
                links.extend(edges.iter().map(|edge| {
                    if edge.name == spec.of {
                        messages(edge.to, from)
                    } else {
                        requests(edge.to)
                    }
                }));
            }
            Role::Cache { edges, .. } | Role::Cdn { edges, .. } => {
                links.extend(edges.iter().map(|edge| requests(edge.to)));
            }
            Role::Autoscaler { of, .. } => links.push(LinkInfo {
                from,
                to: *of,
                kind: LinkKind::Control,
            }),
            Role::Database { database, .. } => {
                // What travels between nodes of one service is within its card.
                let others = world.databases[*database].services.iter().filter(|to| **to != from);
                links.extend(others.map(|to| LinkInfo {
                    from,
                    to: *to,
                    kind: LinkKind::Replication,
                }));
                let monitors =
                    world.services.iter().enumerate().filter(
                        |(_, entry)| matches!(&entry.role, Role::Monitor { database: of, .. } if of == database),
                    );
                links.extend(monitors.map(|(to, _)| LinkInfo {
                    from,
                    to,
                    kind: LinkKind::Control,
                }));
            }
            Role::Dns { .. } | Role::SessionStore { .. } | Role::Monitor { .. } | Role::Removed { .. } => {}
        }
    }
    links
}

fn service_info(world: &World, service: usize) -> ServiceInfo {
    let entry = &world.services[service];
    ServiceInfo {
        name: entry.name.clone(),
        selector: entry.selector.clone(),
        kind: entry.kind(),
        site: entry.site.filter(|_| !matches!(entry.role, Role::Removed { .. })),
        home: home(world, entry),
        detail: detail(entry),
        instances: shown(entry)
            .map(|(_, instance)| instance_info(world, service, instance))
            .collect(),
    }
}

fn detail(entry: &ServiceEntry) -> String {
    let text = duration::format;
    match &entry.role {
        Role::Users { spec, .. } => format!(
            "one request every {} each, {:.0}% from the mobile app",
            text(spec.every),
            100.0 * spec.mobile
        ),
        Role::Resolver { caches, .. } => format!("{caches} caches"),
        Role::Dns { zone, .. } => match zone.health.get() {
            Some(health) => format!("ttl {}, checks every {}", text(zone.ttl.get()), text(health.every)),
            None => format!("ttl {}", text(zone.ttl.get())),
        },
        Role::LoadBalancer { members, .. } => {
            let spec = members.spec.borrow();
            let sticky = spec.sticky.as_ref().map_or("", |_| ", sticky");
            let policy = policy_name(spec.balance);
            format!("{policy}{sticky}, checks every {}", text(spec.health.every))
        }
        Role::Web { spec, sessions, .. } => {
            let spec = spec.borrow();
            let mode = session_mode(&sessions.borrow()).map_or_else(String::new, |mode| format!(", sessions {mode}"));
            format!("{} slots, backlog {}{mode}", spec.slots, spec.backlog)
        }
        Role::Serverless { spec, .. } => {
            let spec = spec.borrow();
            format!("at most {} at once, kept for {}", spec.limit, text(spec.keep))
        }
        Role::Cache { tier, .. } => tier_policy(&tier.spec.borrow()),
        Role::Cdn { spec, .. } => cdn_policy(&spec.borrow()),
        Role::Queue { spec, .. } => queues::queue_policy(&spec.borrow()),
        Role::Consumer { spec, .. } => queues::workers_policy(&spec.borrow()),
        Role::SessionStore { spec, .. } => {
            let kept = if spec.durable { "on its disk" } else { "in memory" };
            format!("room for {} sessions, {kept}", spec.sessions)
        }
        Role::Database { cluster, .. } => {
            let spec = cluster.spec.borrow();
            match policy(&spec.replication) {
                words if words.is_empty() => format!("{} queries at once, backlog {}", spec.slots, spec.backlog),
                words => words,
            }
        }
        Role::Monitor { cluster, .. } => {
            let spec = cluster.spec.borrow();
            let settings = spec.replication.primary_replicas();
            match settings.and_then(|settings| settings.failover) {
                Some(failover) => format!("leases of {}", text(failover.after)),
                None => "failover is by hand".to_owned(),
            }
        }
        Role::Removed { .. } => String::new(),
        Role::Autoscaler { spec, .. } => format!("{} to {} machines, {}", spec.min, spec.max, target(spec.target)),
    }
}

fn instance_info(world: &World, service: usize, instance: &InstanceEntry) -> InstanceInfo {
    let machine = &world.machines[instance.machine];
    let slots = match &world.services[service].role {
        Role::LoadBalancer { members, .. } => members.spec.borrow().slots,
        Role::Web { spec, .. } => spec.borrow().slots,
        Role::Serverless { spec, .. } => spec.borrow().limit,
        Role::SessionStore { spec, .. } => spec.slots,
        Role::Database { cluster, .. } => cluster.spec.borrow().slots,
        Role::Cache { tier, .. } => tier.spec.borrow().slots,
        Role::Queue { spec, .. } => spec.borrow().slots,
        Role::Consumer { spec, .. } => spec.borrow().slots,
        _ => 0,
    };
    let label = match &world.services[service].role {
        Role::Cdn {
            spec,
            layer: Layer::Edge,
            ..
        } => {
            let places = world.services[service].instances.iter();
            let number = places.take_while(|other| other.id != instance.id).count();
            spec.borrow().edges.get(number).cloned()
        }
        _ => None,
    };
    let several = machine.site.is_some_and(|site| world.grounds[site].zones > 1);
    InstanceInfo {
        label,
        selector: instance.selector.clone(),
        machine: machine.selector.clone(),
        zone: several.then_some(machine.zone + 1),
        address: instance.address.clone(),
        public: machine.site.is_none() || is_entry(world, service),
        size: machine.size.map_or_else(String::new, |size| size.name.to_owned()),
        cores: machine.size.map_or(0, |size| size.cores),
        slots,
        price_per_hour: machine.size.map_or(0.0, |size| size.price_per_hour),
    }
}

impl World {
    /// What all machines cost now, in US dollars an hour; a destroyed one costs nothing.
    pub(super) fn machines_price(&self) -> f64 {
        let paid = self
            .machines
            .iter()
            .filter(|machine| !machine.left && !self.kernel.is_gone(machine.id));
        paid.filter_map(|machine| machine.size)
            .map(|size| size.price_per_hour)
            .sum()
    }

    /// What everything costs now, functions and traffic by what they cost in the last second.
    pub(super) fn price_per_hour(&self) -> f64 {
        let bills = self.services.iter().map(|service| service.bill.per_hour);
        self.machines_price() + bills.sum::<f64>()
    }

    /// All that can be seen now.
    pub fn frame(&self) -> Frame {
        let (recent, recent_seconds) = self.recent();
        Frame {
            topology: Arc::clone(&self.topology),
            at: self.now(),
            seed: self.seed(),
            traffic: self.traffic(),
            chaos: self.chaos.as_ref().map(super::chaos::Raging::words),
            price_per_hour: self.price_per_hour(),
            spent: self.spent,
            total: self.total(),
            recent,
            recent_seconds,
            latency: self.total_latency().total(),
            recent_latency: self.recent_latency().quantiles(),
            lost_writes: self.chronicle.lost(),
            sessions: self.sessions(),
            sites: self.site_states(),
            services: self
                .services
                .iter()
                .map(|service| self.service_state(service))
                .collect(),
            links: self.topology.links.iter().map(|link| self.link_state(link)).collect(),
            causes: self.causes(),
            incidents: self.incidents(),
            log: self.chronicle.log.iter().cloned().collect(),
            log_total: self.chronicle.log_total,
            followed: self.followed().map(Arc::new),
            history: self.chronicle.history.iter().copied().collect(),
        }
    }

    fn total_latency(&self) -> Latencies {
        let mut sum = Latencies::default();
        for service in &self.services {
            if let Role::Users { probe, .. } = &service.role {
                probe.latencies.borrow().add_total_to(&mut sum);
            }
        }
        sum
    }

    fn incidents(&self) -> Vec<Incident> {
        let cases = &self.chronicle.incidents.cases;
        cases
            .iter()
            .map(|case| Incident {
                sentence: sentence(self, case),
                ..case.incident.clone()
            })
            .collect()
    }

    fn causes(&self) -> Vec<Cause> {
        let causes = self.chronicle.causes.iter();
        let mut causes: Vec<Cause> = causes
            .map(|((reason, at), count)| Cause {
                reason: *reason,
                at: self.selector_of(*at),
                count: count.total,
                recent: count.recent(),
            })
            .collect();
        causes.sort_by(|a, b| {
            b.count
                .cmp(&a.count)
                .then_with(|| (a.reason, &a.at).cmp(&(b.reason, &b.at)))
        });
        causes
    }

    pub(super) fn selector_of(&self, id: InstanceId) -> String {
        let (service, number) = self.places[id.0 as usize];
        self.services[service].instances[number].selector.clone()
    }

    pub(super) fn instance_state(&self, instance: &InstanceEntry) -> InstanceState {
        let machine = &self.machines[instance.machine];
        let now = self.now();
        let age = self.age(machine.since);
        let busy = self.kernel.cores_busy(machine.id).integral(now);
        let capacity = machine.capacity(now);
        let meter = &instance.meter;
        InstanceState {
            health: instance.health,
            since: instance.since,
            slow: self.kernel.slow(machine.id),
            ails: super::flaws::ails(self, instance.id),
            draining: instance.draining.is_some(),
            resting: instance.resting,
            active: None,
            sessions: None,
            utilisation: instance.sampled.utilisation,
            mean_utilisation: if capacity > 0.0 { busy / capacity } else { 0.0 },
            busy_slots: meter.slots.value(),
            backlog: meter.backlog.value(),
            peak_backlog: meter.backlog.peak(),
            rate: instance.sampled.rate,
            received: meter.received.get(),
            ok: meter.ok.get(),
            failed: meter.failed.get(),
            latency: instance.sampled.latency,
            mean_latency: Duration::from_nanos(mean_nanos(meter.sojourn.get(), meter.ok.get() + meter.failed.get())),
            mean_present: if age > 0.0 {
                meter.present.integral(now) / age
            } else {
                0.0
            },
            trend: instance.sampled.trend.iter().copied().collect(),
        }
    }

    /// Where an instance stands in the topology.
    pub(super) fn position(&self, id: InstanceId) -> Option<(usize, usize)> {
        let (service, number) = self.places[id.0 as usize];
        self.services[service]
            .present()
            .position(|(present, _)| present == number)
            .map(|place| (service, place))
    }

    fn link_state(&self, link: &LinkInfo) -> LinkState {
        let (from, to) = (&self.services[link.from], &self.services[link.to]);
        let network = self.kernel.network();
        // Workers ask their queue for messages: what travels to them is what they ask for.
        let taken = queues::taken(to).filter(|_| link.kind == LinkKind::Messages);
        let traffic = match taken {
            Some(_) => network.traffic(to.group, from.group),
            None => network.traffic(from.group, to.group),
        };
        let departures: Vec<SimTime> = traffic.departures().collect();
        let pairs: Vec<(InstanceId, InstanceId)> = from
            .present()
            .flat_map(|(_, a)| to.present().map(move |(_, b)| (a.id, b.id)))
            .take(PAIRS)
            .collect();
        let passing = |a: InstanceId, b: InstanceId| {
            network
                .rules
                .iter()
                .filter(|rule| rule.matches(a, b))
                .fold(1.0, |passing, rule| match rule.verdict {
                    Verdict::Drop => 0.0,
                    Verdict::Lose(share) => passing * (1.0 - share),
                    Verdict::Delay(_) | Verdict::Narrow { .. } => passing,
                })
        };
        let hurt = |(a, b): &(InstanceId, InstanceId)| {
            network
                .rules
                .iter()
                .any(|rule| rule.matches(*a, *b) || rule.matches(*b, *a))
        };
        let untouched = network.rules.is_empty();
        LinkState {
            rate: match taken {
                Some(_) => self.link_rate(link),
                None => rate(&departures, self.now(), self.link_rate(link)),
            },
            total: taken.unwrap_or(traffic.total),
            passing: if untouched {
                1.0
            } else {
                pairs.iter().map(|(a, b)| passing(*a, *b)).sum::<f64>() / pairs.len().max(1) as f64
            },
            hurt: !untouched && pairs.iter().any(hurt),
            departures,
        }
    }

    /// Requests a second on a link over the last whole second.
    pub(super) fn link_rate(&self, link: &LinkInfo) -> f64 {
        self.link_rates
            .get(link.from * self.services.len() + link.to)
            .copied()
            .unwrap_or(0.0)
    }
}

/// A mean of nanoseconds; zero of nothing.
pub(super) fn mean_nanos(sum: u128, count: u64) -> u64 {
    sum.checked_div(u128::from(count)).unwrap_or(0) as u64
}

/// How many pairs of instances are looked at to tell whether a link is hurt.
const PAIRS: usize = 10_000;

/// A link that has just fallen silent has no rate, whatever the last whole second says.
fn rate(departures: &[SimTime], now: SimTime, sampled: f64) -> f64 {
    match departures.last() {
        Some(last) if now.since(*last) < Duration::from_secs(1) => sampled,
        _ => 0.0,
    }
}
