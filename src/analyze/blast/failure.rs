//! What can fail: every machine, service, zone, data center, link and outside service of a world, those that are alike folded into one.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::{Command, LinkSelector, Selector};
use crate::observe::{Frame, Kind, LinkKind, ServiceInfo, Site};

/// Machines are alike if the one received at least this share of what the other did.
const ALIKE: f64 = 0.75;

/// How much of the system a failure takes. The smaller, the earlier in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// A machine, with all that runs on it.
    Machine,
    /// A zone of a data center.
    Zone,
    /// A data center.
    DataCenter,
    /// What others run: the name service, a resolver, a CDN.
    Outside,
    /// All machines of a service at once: a bad version, an expired key.
    Service,
    /// A link between two services, or two data centers, one way.
    Link,
    /// Two machines at once.
    Pair,
}

/// A failure that is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// How much it takes.
    pub extent: Extent,
    /// What is done, all at the same moment.
    pub commands: Vec<Command>,
    /// What it hits, as it is named in the layout: `web/1`, `lb -> web`.
    pub target: String,
    /// What is done to it, past tense: `crashed`.
    pub what: &'static str,
    /// Others that are like it, of which each would do the same. Of pairs they are not named.
    pub alike: Vec<String>,
    /// For how many failures it stands, itself among them.
    pub stands_for: u64,
    /// The services that it hits, by index in the topology.
    pub services: Vec<usize>,
    /// Whether something of each service that it hits is left, which could stand in.
    pub redundant: bool,
    /// Whether it may be felt only when answers that somebody holds have run out.
    pub late: bool,
    /// Whether caches may have copies of what it takes away, or are what it takes away.
    pub copied: bool,
}

/// A machine, and what is known of it when nothing has failed yet.
struct Machine {
    selector: String,
    /// Service and instance, by index.
    hosts: Vec<(usize, usize)>,
    /// All in which two must be equal to be alike.
    nature: Nature,
    received: u64,
    durable: bool,
}

/// Where it stands, what runs on it, of which size, in which role, and where it listens.
type Nature = Vec<(usize, Option<u32>, String, String, bool)>;

/// All single failures of the world of this frame, in a fixed order.
pub fn singles(frame: &Frame) -> Vec<Failure> {
    let machines = machines(frame);
    let mut all = Vec::new();
    for class in classes(&machines) {
        all.extend(machine_failures(frame, &class));
    }
    all.extend(zones(frame, &machines));
    all.extend(sites(frame));
    all.extend(outside(frame));
    all.extend(services(frame));
    all.extend(links(frame));
    for failure in &mut all {
        failure.late |= failure.services.iter().any(|service| is_copied(frame, *service));
    }
    all
}

/// Whether a CDN stands before a service: people get its copies for a while when it is gone.
fn is_copied(frame: &Frame, service: usize) -> bool {
    let topology = &frame.topology;
    let by_cdn = |from: usize| matches!(topology.services[from].kind, Kind::Cdn | Kind::Shield);
    topology
        .links
        .iter()
        .any(|link| link.to == service && by_cdn(link.from))
}

/// All pairs of machines that crash at once, in a fixed order: of those that are alike, one pair stands for all.
pub fn pairs(frame: &Frame) -> Vec<Failure> {
    let machines = machines(frame);
    let classes = classes(&machines);
    let mut all = Vec::new();
    for (index, class) in classes.iter().enumerate() {
        if let [one, other, ..] = class[..] {
            all.push(pair(
                frame,
                one,
                other,
                class.len() as u64 * (class.len() as u64 - 1) / 2,
            ));
        }
        for other in &classes[index + 1..] {
            all.push(pair(frame, class[0], other[0], class.len() as u64 * other.len() as u64));
        }
    }
    all
}

fn pair(frame: &Frame, one: &Machine, other: &Machine, stands_for: u64) -> Failure {
    let kill = |machine: &Machine| Command::Kill(Selector(machine.selector.clone()));
    let target = format!("{} and {}", one.selector, other.selector);
    let hosts = [one.hosts.as_slice(), &other.hosts].concat();
    Failure {
        commands: vec![kill(one), kill(other)],
        stands_for,
        ..Failure::of(
            frame,
            (Extent::Pair, &target, "crashed"),
            kill(one),
            (hit(&hosts), &hosts),
        )
    }
}

/// The machines that are ours.
fn machines(frame: &Frame) -> Vec<Machine> {
    let mut by_name: BTreeMap<&str, Machine> = BTreeMap::new();
    for (index, service) in frame.topology.services.iter().enumerate() {
        for (number, info) in service.instances.iter().enumerate() {
            if is_outside(service.kind) || service.kind == Kind::Serverless {
                continue;
            }
            let state = &frame.services[index].instances[number];
            let machine = by_name.entry(&info.machine).or_insert_with(|| Machine {
                selector: info.machine.clone(),
                hosts: Vec::new(),
                nature: Vec::new(),
                received: 0,
                durable: false,
            });
            let role = role(frame, index, number);
            let active = state.active.unwrap_or(true);
            machine.nature.push((index, info.zone, info.size.clone(), role, active));
            machine.hosts.push((index, number));
            machine.received += state.received;
            let queue = frame.services[index].queue.as_ref();
            machine.durable |= service.kind == Kind::Database || queue.is_some_and(|queue| queue.durable);
        }
    }
    let mut all: Vec<Machine> = by_name.into_values().collect();
    all.sort_by(|a, b| a.hosts.cmp(&b.hosts));
    all
}

/// What an instance does that others of its service do not: of a database, its shard and its role.
fn role(frame: &Frame, service: usize, number: usize) -> String {
    let database = frame.services[service].database.as_ref();
    let node = database.and_then(|database| {
        database
            .nodes
            .iter()
            .find(|node| node.instance == Some((service, number)))
    });
    node.map_or_else(String::new, |node| {
        format!("{} {:?} {}", node.shard, node.role, node.voter)
    })
}

/// Machines that are alike: the same in kind, size, place and role, and with about the same load.
fn classes(machines: &[Machine]) -> Vec<Vec<&Machine>> {
    let mut classes: Vec<Vec<&Machine>> = Vec::new();
    for machine in machines {
        let is_alike = |class: &&mut Vec<&Machine>| {
            let first = class[0];
            let (less, more) = (
                first.received.min(machine.received),
                first.received.max(machine.received),
            );
            first.nature == machine.nature && less as f64 >= ALIKE * more as f64
        };
        match classes.iter_mut().find(is_alike) {
            Some(class) => class.push(machine),
            None => classes.push(vec![machine]),
        }
    }
    classes
}

fn machine_failures(frame: &Frame, class: &[&Machine]) -> Vec<Failure> {
    let machine = class[0];
    let selector = || Selector(machine.selector.clone());
    let mut ways = vec![
        ("crashed", Command::Kill(selector())),
        ("hung", Command::Hang(selector())),
    ];
    // Without a disk that matters, what is destroyed is as what has crashed.
    if machine.durable {
        ways.push(("destroyed", Command::Destroy(selector())));
    }
    let alike: Vec<String> = class[1..].iter().map(|other| other.selector.clone()).collect();
    let failure = |(what, command)| Failure {
        stands_for: class.len() as u64,
        alike: alike.clone(),
        ..Failure::of(
            frame,
            (Extent::Machine, &machine.selector, what),
            command,
            (hit(&machine.hosts), &machine.hosts),
        )
    };
    ways.into_iter().map(failure).collect()
}

/// The services of these instances.
fn hit(hosts: &[(usize, usize)]) -> Vec<usize> {
    let services: BTreeSet<usize> = hosts.iter().map(|(service, _)| *service).collect();
    services.into_iter().collect()
}

/// Whether of each of these services, or of the same one in another data center, something is left when these instances are gone.
fn is_redundant(frame: &Frame, services: &[usize], hosts: &[(usize, usize)]) -> bool {
    let all = &frame.topology.services;
    let hosts: BTreeSet<&(usize, usize)> = hosts.iter().collect();
    services.iter().all(|service| {
        let is_same = |other: &usize| all[*other].name == all[*service].name && all[*other].kind == all[*service].kind;
        let same: Vec<usize> = (0..all.len()).filter(is_same).collect();
        all_of(frame, &same).iter().any(|instance| !hosts.contains(instance))
    })
}

/// All instances of these services.
fn all_of(frame: &Frame, services: &[usize]) -> Vec<(usize, usize)> {
    let of = |service: &usize| {
        let count = frame.topology.services[*service].instances.len();
        let service = *service;
        (0..count).map(move |number| (service, number))
    };
    services.iter().flat_map(of).collect()
}

fn zones(frame: &Frame, machines: &[Machine]) -> Vec<Failure> {
    let mut all = Vec::new();
    for (index, site) in frame.topology.sites.iter().enumerate() {
        for zone in (1..=site.zones).filter(|_| site.zones > 1) {
            let stands_there = |(service, number): &(usize, usize)| {
                let info = &frame.topology.services[*service];
                info.site == Some(index) && info.instances[*number].zone == Some(zone)
            };
            let hosts = machines.iter().flat_map(|machine| machine.hosts.iter().copied());
            let hosts: Vec<(usize, usize)> = hosts.filter(stands_there).collect();
            let target = format!("{}/zone-{zone}", site.name);
            let kill = Command::Kill(Selector(target.clone()));
            all.push(Failure::of(
                frame,
                (Extent::Zone, &target, "lost"),
                kill,
                (hit(&hosts), &hosts),
            ));
        }
    }
    all
}

fn sites(frame: &Frame) -> Vec<Failure> {
    let site = |(index, site): (usize, &Site)| {
        let stands_there = |service: &usize| frame.topology.services[*service].site == Some(index);
        let services: Vec<usize> = (0..frame.topology.services.len()).filter(stands_there).collect();
        let kill = Command::Kill(Selector(site.name.clone()));
        let hosts = all_of(frame, &services);
        Failure::of(
            frame,
            (Extent::DataCenter, &site.name, "lost"),
            kill,
            (services, &hosts),
        )
    };
    frame.topology.sites.iter().enumerate().map(site).collect()
}

/// Whether others run it: what fails there is the service as a whole.
fn is_outside(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield
    )
}

fn outside(frame: &Frame) -> Vec<Failure> {
    let services = frame.topology.services.iter().enumerate();
    let theirs = services.filter(|(_, info)| is_outside(info.kind) && info.kind != Kind::Users);
    let failure = |(index, info): (usize, &ServiceInfo)| {
        let outage = Command::Outage(Selector(info.selector.clone()));
        let hosts = all_of(frame, &[index]);
        Failure {
            late: true,
            ..Failure::of(
                frame,
                (Extent::Outside, &info.selector, "out"),
                outage,
                (vec![index], &hosts),
            )
        }
    };
    theirs.map(failure).collect()
}

/// Services of several machines, lost as a whole. A service of one machine is lost with it.
fn services(frame: &Frame) -> Vec<Failure> {
    let services = frame.topology.services.iter().enumerate();
    let ours = services.filter(|(_, info)| {
        let several = info.instances.len() > 1 || info.kind == Kind::Serverless;
        several && !is_outside(info.kind)
    });
    let failure = |(index, info): (usize, &ServiceInfo)| {
        let kill = Command::Kill(Selector(info.selector.clone()));
        let hosts = all_of(frame, &[index]);
        Failure::of(
            frame,
            (Extent::Service, &info.selector, "lost"),
            kill,
            (vec![index], &hosts),
        )
    };
    ours.map(failure).collect()
}

/// Links between services and between data centers, each way.
fn links(frame: &Frame) -> Vec<Failure> {
    let info = |service: usize| &frame.topology.services[service];
    let mut ends: BTreeMap<(String, String), (bool, bool)> = BTreeMap::new();
    for link in &frame.topology.links {
        let (from, to) = (&info(link.from).selector, &info(link.to).selector);
        if from != to && !share_a_machine(info(link.from), info(link.to)) {
            for end in [(from.clone(), to.clone()), (to.clone(), from.clone())] {
                let (late, copied) = ends.entry(end).or_default();
                *late |= link.kind == LinkKind::Lookups;
                *copied |= is_data(frame, link.from) || is_data(frame, link.to);
            }
        }
    }
    for one in &frame.topology.sites {
        let others = frame.topology.sites.iter().filter(|other| other.name != one.name);
        ends.extend(others.map(|other| ((one.name.clone(), other.name.clone()), (false, true))));
    }
    let failure = |((from, to), (late, copied)): ((String, String), (bool, bool))| {
        let target = format!("{from} -> {to}");
        let cut = Command::Cut(LinkSelector {
            from: Selector(from),
            to: Selector(to),
            both: false,
        });
        Failure {
            late,
            copied,
            redundant: false,
            ..Failure::of(frame, (Extent::Link, &target, "cut"), cut, (Vec::new(), &[]))
        }
    };
    ends.into_iter().map(failure).collect()
}

/// Whether a service has rows, or copies of them.
fn is_data(frame: &Frame, service: usize) -> bool {
    matches!(frame.topology.services[service].kind, Kind::Database | Kind::Cache)
}

/// Whether all that they say to each other stays on one machine, where no link can be cut.
fn share_a_machine(one: &ServiceInfo, other: &ServiceInfo) -> bool {
    let of = |info: &ServiceInfo| -> BTreeSet<String> {
        let machines = info.instances.iter().map(|instance| instance.machine.clone());
        machines.collect()
    };
    of(one).len() == 1 && of(one) == of(other)
}

impl Failure {
    /// One thing of its kind, which takes these instances of these services.
    fn of(
        frame: &Frame,
        (extent, target, what): (Extent, &str, &'static str),
        command: Command,
        (services, hosts): (Vec<usize>, &[(usize, usize)]),
    ) -> Failure {
        Failure {
            extent,
            commands: vec![command],
            target: target.to_owned(),
            what,
            alike: Vec::new(),
            stands_for: 1,
            redundant: is_redundant(frame, &services, hosts),
            copied: services.iter().any(|service| is_data(frame, *service)),
            services,
            late: false,
        }
    }

    /// What happens, in a few words: `lb crashed`, `web -> db cut`.
    pub fn title(&self) -> String {
        format!("{} {}", self.target, self.what)
    }

    /// A name that no other failure of the same world has: the commands as they would be typed.
    pub fn id(&self) -> String {
        let words: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
        words.join("; ")
    }
}
