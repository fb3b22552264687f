//! Regions and data centers: who is near, where DNS sends people, and what becomes of them when a data center is lost.

mod loss;
mod steering;
mod zones;

use blastradius::layout::Layout;
use blastradius::observe::{Frame, Tally};
use blastradius::world::World;

use crate::build::layout;
use crate::story::service;

/// Two data centers on both sides of the ocean, each with its people: 40 requests a second in America, 20 in Europe. `dns` and `more` are further fields.
pub fn two_sites(dns: &str, users: &str, more: &str) -> Layout {
    layout(&format!(
        r#"(title: "two sites",
        regions: {{"us": (lat: 39.0, lon: -77.5), "eu": (lat: 53.3, lon: -6.3)}},
        users: {{
            "america": (region: "us", count: 400, patience: "5s", resolvers: 8, stubs: 64, {users}),
            "europe": (region: "eu", count: 200, patience: "5s", resolvers: 8, stubs: 64),
        }},
        dns: ({dns}),
        data_centers: {{
            "east": (region: "us", services: {{"lb": LoadBalancer(to: "web"), "web": Web(machines: 2)}}),
            "west": (region: "eu", services: {{"lb": LoadBalancer(to: "web"), "web": Web(machines: 2)}}),
        }},
        {more}
    )"#
    ))
}

/// Checks every 2 s, of which two must fail, and four pass: a server has booted by then. Answers are kept for `ttl`.
pub fn quick(ttl: u32) -> String {
    format!("ttl: \"{ttl}s\", health: (every: \"2s\", timeout: \"1s\", down_after: 2, up_after: 4)")
}

/// What a population has asked since the start.
pub fn users(frame: &Frame, name: &str) -> Tally {
    service(frame, name).users.as_ref().expect("a population").total
}

/// The share of the data centers, in the order of their names.
pub fn shares(world: &World) -> Vec<f64> {
    world.frame().sites.iter().map(|site| site.share).collect()
}
