//! Queues and workers: what waits, what is lost, what is done twice, and who notices.

use blastradius::layout::Layout;
use blastradius::observe::{JobTally, QueueState, WorkersState};
use blastradius::world::World;

use crate::build::layout;
use crate::story::{advance_to, ok_between, service};

mod delivery;
mod flow;
mod publishing;
mod scaling;

/// So many uploads a second at web servers that never wait, with a queue and its workers.
fn studio(rate: u32, queue: &str, workers: &str, web: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "studio",
            users: {{ "people": (count: {rate}, every: "1s", mobile: 0, asks: (upload: 1), keys: Uniform(count: 10_000), patience: "30s", calls: (timeout: "30s")) }},
            services: {{
                "web": Web(machines: 2, size: "4xl", slots: 10_000, backlog: 0, work: Constant("0.1ms"), queue: "photos", {web}),
                "photos": Queue(size: "xl", {queue}),
                "workers": Consumer(of: "photos", {workers}),
            }})"#
    ))
}

fn queue(world: &World) -> QueueState {
    service(&world.frame(), "photos").queue.clone().expect("a queue")
}

fn workers(world: &World) -> WorkersState {
    service(&world.frame(), "workers").workers.clone().expect("workers")
}

fn jobs(world: &World) -> JobTally {
    queue(world).jobs
}

/// The share of requests that go well between two times.
fn ok_while(world: &mut World, from: f64, to: f64) -> f64 {
    advance_to(world, from);
    let before = world.frame();
    advance_to(world, to);
    ok_between(&before, &world.frame())
}
