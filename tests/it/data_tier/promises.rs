//! The ledger: stale reads, broken guarantees, and that it only observes.

use std::time::Duration;

use blastradius::layout::Layout;
use blastradius::world::World;

use super::{database, story};
use crate::build::layout;

/// Readers and writers of a few rows, half of whom look at what they wrote.
fn shop(settings: &str) -> Layout {
    layout(&format!(
        r#"Layout(title: "shop",
            users: {{ "people": (count: 500, every: "1s", asks: (page: 80, update: 20), keys: Uniform(count: 100),
                look_back: (share: 0.5, after: "100ms")) }},
            services: {{
                "web": Web(machines: 2, size: "xl", work: Constant("1ms"), database: "db"),
                "db": Database(machines: 3, size: "l", rows: 100, replication: PrimaryReplicas({settings})),
            }})"#
    ))
}

/// One of the two replicas lags.
const LAG: [(f64, &str); 1] = [(5.0, "delay db/2 -> db/1 1s")];

#[test]
fn reads_at_replicas_are_stale_by_their_lag_and_reads_at_the_primary_are_not() {
    let promises = |settings: &str| database(&story(&shop(settings), 1, &LAG, 60.0).frame(), "db").promises;
    let stale = promises("reads: Replicas");
    let share = stale.stale as f64 / stale.reads as f64;
    // Each row is written once a second. A replica that asks once a second lacks what came since it asked, half a second on average.
    println!(
        "{:.2} % of the reads were stale, by {:?} on average",
        100.0 * share,
        stale.stale_mean
    );
    assert!((0.05..0.4).contains(&share), "{stale:?}");
    assert!(
        stale.stale_mean > Duration::from_millis(100) && stale.stale_mean < Duration::from_secs(2),
        "{stale:?}"
    );
    assert!(stale.own_writes_unseen > 0, "{stale:?}");
    assert!(stale.read_backwards > 0, "two replicas that lag differently: {stale:?}");
    let fresh = promises("reads: Primary");
    assert_eq!(
        (fresh.stale, fresh.own_writes_unseen, fresh.read_backwards),
        (0, 0, 0),
        "{fresh:?}"
    );
}

#[test]
fn read_your_writes_sends_who_has_written_to_the_primary() {
    let promises = |settings: &str| database(&story(&shop(settings), 1, &LAG, 60.0).frame(), "db").promises;
    let with = promises("reads: Replicas, read_your_writes: true");
    assert_eq!(with.own_writes_unseen, 0, "{with:?}");
    assert!(with.stale > 0, "what others wrote may still be unseen: {with:?}");
}

#[test]
fn the_ledger_changes_nothing() {
    for name in ["05", "06", "15", "21"] {
        let shipped = blastradius::layout::find_shipped(name).expect("a layout");
        let layout = blastradius::layout::parse(shipped.source, name).expect("a layout");
        let digest = |blind: bool| {
            let mut world = World::build(&layout, 3);
            if blind {
                world.forget_promises();
            }
            world.advance(Duration::from_secs(10));
            super::act(
                &mut world,
                if name == "06" {
                    "kill us-east/orders"
                } else {
                    "kill */1"
                },
            );
            world.advance(Duration::from_secs(20));
            (world.digest(), world.frame().total)
        };
        assert_eq!(digest(false), digest(true), "{name}");
    }
}

#[test]
fn without_replication_a_crash_keeps_what_was_promised_and_a_destroyed_disk_loses_it() {
    let layout = layout(
        r#"Layout(title: "one",
            users: { "people": (count: 4_000, every: "10s") },
            services: { "web": Web(machines: 2, size: "l", database: "db"), "db": Database() })"#,
    );
    let killed = story(&layout, 3, &[(20.0, "kill db"), (25.0, "mend db")], 60.0).frame();
    let promises = database(&killed, "db").promises;
    assert_eq!(
        (promises.lost, promises.missing, promises.stale),
        (0, 0, 0),
        "{promises:?}"
    );
    let destroyed = story(&layout, 3, &[(20.0, "destroy db"), (25.0, "mend db")], 60.0).frame();
    assert!(destroyed.lost_writes > 100, "{}", destroyed.lost_writes);
}
