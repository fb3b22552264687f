//! The catalogue of faults: each is injected, seen in figures, undone, and the figures are as before.

mod agenda;
mod catalogue;
mod chaos;
mod composites;
mod data;
mod network;
mod offers;
mod processes;
mod standing;

use std::time::Duration;

use blastradius::layout::Layout;
use blastradius::observe::Frame;
use blastradius::world::World;

use crate::build::layout;
use crate::story::{act, advance_to, ok_between};

/// A shop: 200 requests a second, of which a fifth writes, by way of a balancer to four servers and a database. `more` is put among the services.
fn shop(more: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "shop",
            users: {{ "people": (count: 2_000, every: "10s", mobile: 0, browser: false, patience: "3s",
                asks: (page: 80, update: 20), keys: Uniform(count: 1_000)) }},
            dns: (ttl: "10s"),
            data_centers: {{ "east": (services: {{
                "lb": LoadBalancer(to: "web"),
                "web": Web(machines: 4, size: "l", boot: "5s", work: Constant("2ms"), database: "db", calls: {{"db": (retries: 0)}}),
                "db": Database(size: "xl", boot: "5s", slots: 200, read: Constant("0.5ms"), write: Constant("0.5ms"), flush: "1ms", rows: 1_000),
                {more}
            }}) }})"#
    ))
}

/// What users had between two times.
#[derive(Clone, Copy, Debug)]
struct Figures {
    /// Share of the requests that went well.
    ok: f64,
    /// Requests a second.
    rate: f64,
    /// Latency of the last ten seconds, in milliseconds.
    p50: f64,
    p99: f64,
}

/// Looks at ten seconds that end now.
fn look(world: &mut World) -> (Figures, Frame) {
    let before = world.frame();
    let end = world.now().elapsed().as_secs_f64() + 10.0;
    advance_to(world, end);
    let frame = world.frame();
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let figures = Figures {
        ok: ok_between(&before, &frame),
        rate: (frame.total.sent - before.total.sent) as f64 / 10.0,
        p50: millis(frame.recent_latency.p50),
        p99: millis(frame.recent_latency.p99),
    };
    (figures, frame)
}

/// A fault in three views: before it, when it has lasted for a while, and when it has been undone for a while.
struct Seen {
    before: Figures,
    during: Figures,
    hurt: Frame,
    after: Figures,
    world: World,
}

/// Looks at a system for 10 s from the tenth on, does something, looks again 20 s later (or as said), undoes it, and looks 30 s later.
fn see(layout: &Layout, fault: &str, wait: f64, undo: &str) -> Seen {
    let mut world = World::build(layout, 3);
    advance_to(&mut world, 10.0);
    let before = look(&mut world).0;
    act(&mut world, fault);
    let later = world.now().elapsed().as_secs_f64() + wait;
    advance_to(&mut world, later);
    let (during, hurt) = look(&mut world);
    act(&mut world, undo);
    let later = world.now().elapsed().as_secs_f64() + 40.0;
    advance_to(&mut world, later);
    let after = look(&mut world).0;
    Seen {
        before,
        during,
        hurt,
        after,
        world,
    }
}

impl Seen {
    /// The figures are those of before, and the one incident has healed.
    fn is_as_before(&self) {
        let (before, after) = (self.before, self.after);
        assert!((before.ok - after.ok).abs() < 0.002, "{before:?} {after:?}");
        assert!((before.rate / after.rate - 1.0).abs() < 0.15, "{before:?} {after:?}");
        assert!((before.p50 / after.p50 - 1.0).abs() < 0.1, "{before:?} {after:?}");
        assert!((before.p99 / after.p99 - 1.0).abs() < 0.25, "{before:?} {after:?}");
        self.has_healed();
    }

    fn has_healed(&self) {
        let incidents = self.world.frame().incidents;
        assert_eq!(incidents.len(), 1, "{incidents:?}");
        assert!(incidents[0].healed.is_some(), "{incidents:?}");
    }
}
