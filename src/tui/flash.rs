//! What has just changed on the map is seen for a moment: what died, what is back and what leads now flashes, and traffic that moves to another
//! target sweeps along its new way.

use std::time::Duration;

use crate::observe::{BackendState, Frame, LinkInfo, LinkKind, NodeRole};

use super::select::Item;
use super::theme::Role;
use super::truth;

/// How long something flashes, on the wall.
const LONG: Duration = Duration::from_millis(700);
/// Of more than this at once none would be seen.
const MOST: usize = 64;

/// Something that flashes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flash {
    /// What.
    pub item: Item,
    /// How it looks.
    pub role: Role,
    left: Duration,
}

/// How long a sweep lasts, on the wall, and how long it takes to the end of its way.
const SWEEP: Duration = Duration::from_secs(1);
const ARRIVES: Duration = Duration::from_millis(500);

/// A way that has taken traffic over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sweep {
    /// Index of the link.
    pub link: usize,
    /// The instance that it leads to, where it leads to one.
    pub branch: Option<usize>,
    left: Duration,
}

impl Sweep {
    /// How far it has come on its way, from 0 to 1.
    pub fn reached(&self) -> f64 {
        let passed = SWEEP.saturating_sub(self.left);
        (passed.as_secs_f64() / ARRIVES.as_secs_f64()).min(1.0)
    }

    /// Whether another one is of the same way.
    pub fn is_of(&self, other: &Sweep) -> bool {
        (self.link, self.branch) == (other.link, other.branch)
    }
}

/// Whether one frame follows another of the same shape: a step back, or a leap, is no event.
fn follows(before: &Frame, after: &Frame) -> bool {
    let leap = after.at < before.at || after.at.since(before.at) > Duration::from_secs(2);
    !leap && before.topology.version == after.topology.version
}

/// The ways that take traffic over after one frame was followed by another: a balancer, the name service or the monitors have given something up.
pub fn takeovers(before: &Frame, after: &Frame) -> Vec<Sweep> {
    if !follows(before, after) {
        return Vec::new();
    }
    let links = || after.topology.links.iter().enumerate();
    let requests = || links().filter(|(_, link)| link.kind == LinkKind::Requests);
    let mut ways: Vec<(usize, Option<usize>)> = Vec::new();
    for (service, (old, new)) in before.services.iter().zip(&after.services).enumerate() {
        let (Some(old), Some(new)) = (&old.balancer, &new.balancer) else {
            continue;
        };
        let used = |instance| {
            let mut known = new.backends.iter().filter(|backend| backend.instance == instance);
            known.any(|backend| truth::used(backend, after.at))
        };
        let given_up = |backend: &&BackendState| truth::used(backend, before.at) && !used(backend.instance);
        if !old.backends.iter().any(|backend| given_up(&backend)) {
            continue;
        }
        for (to, index) in new.backends.iter().filter_map(|backend| backend.instance) {
            let own = requests().filter(|(_, link)| (link.from, link.to) == (service, to) && used(Some((to, index))));
            ways.extend(own.map(|(link, _)| (link, Some(index))));
        }
    }
    ways.extend(of_sites(before, after));
    for (service, instance) in new_leaders(before, after) {
        let into = requests().filter(|(_, link)| link.to == service);
        ways.extend(into.map(|(link, _)| (link, Some(instance))));
    }
    ways.sort_unstable();
    ways.dedup();
    ways.truncate(MOST);
    let sweep = |(link, branch)| Sweep {
        link,
        branch,
        left: SWEEP,
    };
    ways.into_iter().map(sweep).collect()
}

/// The ways to other data centers of those who came to one that is given up.
fn of_sites(before: &Frame, after: &Frame) -> Vec<(usize, Option<usize>)> {
    let topology = &after.topology;
    let open = |frame: &Frame, site: usize| {
        let state = frame.sites.get(site);
        state.is_some_and(|state| state.believed_up && !state.evacuated)
    };
    let given_up = |site: usize| open(before, site) && !open(after, site);
    // Only who is outside is sent from one to another.
    let outside = |link: &&LinkInfo| link.kind == LinkKind::Requests && topology.services[link.from].site.is_none();
    let site = |link: &LinkInfo| topology.services[link.to].site;
    let came = |from: usize| {
        let mut own = topology.links.iter().filter(outside).filter(|link| link.from == from);
        own.any(|link| site(link).is_some_and(given_up))
    };
    let links = topology.links.iter().enumerate();
    let taking =
        links.filter(|(_, link)| outside(link) && came(link.from) && site(link).is_some_and(|site| open(after, site)));
    taking.map(|(link, _)| (link, None)).collect()
}

/// The instances that lead now and did not before: the service of each, and its number there.
fn new_leaders(before: &Frame, after: &Frame) -> Vec<(usize, usize)> {
    let leads = |role: Option<NodeRole>| role == Some(NodeRole::Primary);
    let mut leaders = Vec::new();
    for (service, (old, new)) in before.services.iter().zip(&after.services).enumerate() {
        let (Some(old), Some(new)) = (&old.database, &new.database) else {
            continue;
        };
        for (old, new) in old.nodes.iter().zip(&new.nodes) {
            if let (Some(place), true, false) = (new.instance, leads(new.role), leads(old.role))
                && place.0 == service
            {
                leaders.push(place);
            }
        }
    }
    leaders
}

/// Lets time on the wall pass. True when a sweep has moved on, or has ended.
pub fn sweep_on(sweeps: &mut Vec<Sweep>, passed: Duration) -> bool {
    let any = !sweeps.is_empty();
    for sweep in sweeps.iter_mut() {
        sweep.left = sweep.left.saturating_sub(passed);
    }
    sweeps.retain(|sweep| !sweep.left.is_zero());
    any
}

/// What is to flash after one frame was followed by another of the same shape.
pub fn news(before: &Frame, after: &Frame) -> Vec<Flash> {
    if !follows(before, after) {
        return Vec::new();
    }
    let flash = |item, role| Flash { item, role, left: LONG };
    let mut flashes = Vec::new();
    for (service, (old, new)) in before.services.iter().zip(&after.services).enumerate() {
        for (index, (old, new)) in old.instances.iter().zip(&new.instances).enumerate() {
            let item = Item::Instance(service, index);
            match (truth::serves(old), truth::serves(new)) {
                (true, false) => flashes.push(flash(item, Role::Refusal)),
                (false, true) => flashes.push(flash(item, Role::Notice)),
                _ => {}
            }
        }
    }
    let leaders = new_leaders(before, after).into_iter();
    flashes.extend(leaders.map(|(service, index)| flash(Item::Instance(service, index), Role::Notice)));
    flashes.truncate(MOST);
    flashes
}

/// Lets time on the wall pass. True when something stops flashing by it.
pub fn fade(flashes: &mut Vec<Flash>, passed: Duration) -> bool {
    let count = flashes.len();
    for flash in flashes.iter_mut() {
        flash.left = flash.left.saturating_sub(passed);
    }
    flashes.retain(|flash| !flash.left.is_zero());
    flashes.len() != count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{find_shipped, parse};
    use crate::observe::{Belief, Health};
    use crate::world::World;

    /// A moment of a shipped layout, and the one after it.
    fn moments(name: &str) -> (Frame, Frame) {
        let shipped = find_shipped(name).expect("it is shipped");
        let mut world = World::build(&parse(shipped.source, shipped.file).expect("it is right"), 7);
        world.advance(Duration::from_millis(50));
        let before = world.frame();
        world.advance(Duration::from_millis(5));
        (before, world.frame())
    }

    fn service(frame: &Frame, selector: &str) -> usize {
        let mut services = frame.topology.services.iter();
        services
            .position(|service| service.selector == selector)
            .expect("there is one")
    }

    #[test]
    fn what_dies_and_what_is_back_flashes_and_nothing_else() {
        let (before, after) = moments("04");
        assert_eq!(news(&before, &after), []);
        let web = service(&after, "web");
        let mut dead = after.clone();
        dead.services[web].instances[1].health = Health::Down;
        let item = Item::Instance(web, 1);
        let flash = |role| Flash { item, role, left: LONG };
        assert_eq!(news(&before, &dead), [flash(Role::Refusal)]);
        assert_eq!(news(&dead, &after), [flash(Role::Notice)]);
        assert_eq!(news(&dead, &dead), []);
    }

    #[test]
    fn a_step_back_a_leap_and_another_shape_are_no_events() {
        let (before, mut dead) = moments("04");
        let web = service(&dead, "web");
        dead.services[web].instances[0].health = Health::Down;
        assert_eq!(news(&before, &dead).len(), 1);
        assert_eq!(news(&dead, &before), [], "a step back");
        let mut later = dead.clone();
        later.at += Duration::from_secs(3);
        assert_eq!(news(&before, &later), [], "a leap");
        let mut other = dead.clone();
        let mut topology = (*other.topology).clone();
        topology.version += 1;
        other.topology = topology.into();
        assert_eq!(news(&before, &other), [], "another shape");
        assert_eq!(takeovers(&before, &other), []);
    }

    #[test]
    fn who_leads_now_flashes_and_its_ways_take_over() {
        let (before, mut after) = moments("05");
        let db = service(&after, "db");
        let nodes = &mut after.services[db].database.as_mut().expect("it has nodes").nodes;
        nodes[0].role = Some(NodeRole::Replica);
        nodes[1].role = Some(NodeRole::Primary);
        let items: Vec<Item> = news(&before, &after).iter().map(|flash| flash.item).collect();
        assert_eq!(items, [Item::Instance(db, 1)]);
        let sweeps = takeovers(&before, &after);
        assert!(!sweeps.is_empty());
        for sweep in sweeps {
            assert_eq!((after.topology.links[sweep.link].to, sweep.branch), (db, Some(1)));
        }
    }

    #[test]
    fn what_a_balancer_gives_up_moves_to_those_that_it_keeps() {
        let (before, mut after) = moments("11");
        let (lb, web) = (service(&after, "lb"), service(&after, "web"));
        assert_eq!(takeovers(&before, &after), []);
        let backends = &mut after.services[lb].balancer.as_mut().expect("it balances").backends;
        backends[0].believed = Belief::Down { passed: 0 };
        let ways: Vec<(usize, usize, Option<usize>)> = takeovers(&before, &after)
            .iter()
            .map(|sweep| {
                let link = &after.topology.links[sweep.link];
                (link.from, link.to, sweep.branch)
            })
            .collect();
        assert_eq!(ways, [(lb, web, Some(1))]);
        assert_eq!(takeovers(&after, &before), [], "back in time");
    }

    #[test]
    fn users_of_a_data_center_that_is_given_up_go_to_the_others() {
        let (before, mut after) = moments("13");
        let site = |name: &str| before.topology.sites.iter().position(|site| site.name == name);
        after.sites[site("us-east").expect("it is there")].believed_up = false;
        let sweeps = takeovers(&before, &after);
        assert!(!sweeps.is_empty());
        for sweep in &sweeps {
            let link = &after.topology.links[sweep.link];
            assert_eq!(after.topology.services[link.from].site, None);
            assert_eq!(after.topology.services[link.to].site, site("eu-west"));
        }
    }

    #[test]
    fn flashes_fade_and_sweeps_run_to_their_end() {
        let mut flashes = vec![Flash {
            item: Item::Site(0),
            role: Role::Notice,
            left: LONG,
        }];
        assert!(!fade(&mut flashes, LONG / 2));
        assert!(fade(&mut flashes, LONG / 2));
        assert!(flashes.is_empty() && !fade(&mut flashes, LONG));
        let mut sweeps = vec![Sweep {
            link: 0,
            branch: None,
            left: SWEEP,
        }];
        assert!(sweeps[0].reached() < 0.01);
        assert!(sweep_on(&mut sweeps, ARRIVES / 2));
        assert!((sweeps[0].reached() - 0.5).abs() < 0.01);
        assert!(sweep_on(&mut sweeps, ARRIVES));
        assert!((sweeps[0].reached() - 1.0).abs() < 0.01);
        assert!(sweep_on(&mut sweeps, SWEEP));
        assert!(sweeps.is_empty() && !sweep_on(&mut sweeps, SWEEP));
    }
}
