//! What is offered is not refused for what it is: every fault, for everything that the catalogue says it can hit.

use blastradius::command::{Command, FAULTS, Fault, Hit};
use blastradius::layout::Layout;
use blastradius::world::{World, can_hit};

use super::data::{peers, studio};
use super::shop;
use crate::build::layout;
use crate::story::advance_to;

/// What the other layouts lack: a CDN with a shield, a log, a queue in memory, a browser.
fn edge() -> Layout {
    layout(
        r#"Layout(title: "edge",
            users: { "people": (count: 10, asks: (page: 1, asset: 1, upload: 1)) },
            cdns: { "cdn": (shield: true) },
            services: {
                "web": Web(cache: "cache", database: "db", queue: "photos"),
                "cache": Cache(),
                "db": Database(),
                "photos": Queue(durable: false),
                "resizers": Consumer(of: "photos"),
            })"#,
    )
}

/// All that can be offered at a healthy world: each fault with all its targets.
fn offers(world: &World) -> Vec<(&'static Fault, String)> {
    let frame = world.frame();
    let topology = &frame.topology;
    let mut offers = Vec::new();
    for fault in FAULTS.iter().copied() {
        for (number, service) in topology.services.iter().enumerate() {
            if can_hit(fault, &frame, number) {
                let instances = service.instances.iter().map(|instance| instance.selector.clone());
                let targets = instances.take(1).chain([service.selector.clone()]);
                offers.extend(targets.map(|target| (fault, target)));
            }
        }
        if fault.hits.iter().any(|hit| matches!(hit, Hit::Site | Hit::Process)) {
            offers.extend(topology.sites.iter().map(|site| (fault, site.name.clone())));
        }
        if fault.hits == [Hit::Link] {
            let name = |service: usize| topology.services[service].selector.as_str();
            let links = topology.links.iter().filter(|link| link.from != link.to);
            offers.extend(links.map(|link| (fault, format!("{} <-> {}", name(link.from), name(link.to)))));
        }
    }
    offers
}

#[test]
fn what_is_offered_is_not_refused() {
    let everything = layout(include_str!("../layouts/everything.ron"));
    let mut count = 0;
    let mut refused = Vec::new();
    for layout in [everything, peers(), studio(), edge(), shop("")] {
        let mut world = World::build(&layout, 1);
        advance_to(&mut world, 1.0);
        let mut offers = offers(&world).into_iter().peekable();
        while let Some((fault, target)) = offers.next() {
            let line = fault.line(&target);
            let command = Command::parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
            count += 1;
            if let Err(error) = world.apply(&command) {
                refused.push(format!("{line}: {error}"));
            }
            // What was done to one must not be in the way of the next.
            if offers.peek().is_some() {
                world = World::build(&layout, 1);
                advance_to(&mut world, 1.0);
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(count > 400, "{count}");
}

#[test]
fn what_would_be_refused_is_not_offered() {
    let offered = |layout: &Layout, name: &str, target: &str| {
        let world = World::build(layout, 1);
        let frame = world.frame();
        let services = &frame.topology.services;
        let number = services.iter().position(|service| service.selector == target);
        let fault = Fault::named(name).expect("a fault");
        can_hit(fault, &frame, number.unwrap_or_else(|| panic!("there is no {target}")))
    };
    let shop = shop("");
    for (layout, name, target, expected) in [
        (&shop, "skew", "db", false),
        (&peers(), "skew", "a/orders", true),
        (&edge(), "disk", "photos", false),
        (&studio(), "disk", "photos", true),
        (&shop, "disk", "db", true),
        (&shop, "kill", "people", false),
        (&shop, "outage", "web", false),
        (&shop, "thundering-herd", "people", true),
        (&shop, "cut", "web", false),
    ] {
        assert_eq!(offered(layout, name, target), expected, "{name} {target}");
    }
}
