//! Conflicts: what stands, and what is told.

use crate::protocol::PeerVersion;

use super::*;

/// Two nodes that cannot hear each other each write the same row, the first one first. Then they can.
fn both_sides_of_a_cut(rule: Rule) -> (Bench, [Stamp; 2]) {
    let mut bench = bench(2, 1, database(several(rule)));
    bench.cut(0, 1);
    bench.cut(1, 0);
    let first = bench.written(0, 3);
    let second = bench.written(1, 3);
    assert!(!bench.agree() && bench.conflicts().is_empty());
    bench.pass(4_000);
    bench.heal();
    bench.pass(10_000);
    assert!(bench.agree());
    (bench, [first, second])
}

/// One was dropped for the other, and its maker has told, once.
fn dropped(bench: &Bench, loser: usize, stamps: [Stamp; 2]) {
    let (lost, kept) = (stamps[loser], stamps[1 - loser]);
    let told = (bench.nodes[loser], lost, kept, Resolution::Dropped);
    assert_eq!(bench.conflicts(), [told]);
    let history = bench.disk(loser).history();
    let [(_, 3, dropped, stands, Resolution::Dropped)] = history[..] else {
        panic!("{history:?}");
    };
    assert_eq!((dropped, stands), (lost, kept));
    assert!(bench.disk(1 - loser).history().is_empty());
    assert_eq!(bench.disk(0).stamp(3), kept);
    assert!((0..2).all(|node| bench.disk(node).holds(3, lost) && bench.disk(node).holds(3, kept)));
}

#[test]
fn the_later_write_wins_by_either_clock() {
    for (rule, siblings) in [(Rule::LastWriteWins, 0), (Rule::HybridClocks, 1)] {
        let (bench, stamps) = both_sides_of_a_cut(rule);
        dropped(&bench, 0, stamps);
        assert_eq!(bench.disk(0).siblings(), siblings);
    }
}

#[test]
fn the_highest_value_wins() {
    let (bench, stamps) = both_sides_of_a_cut(Rule::HighestValue);
    let winner = stamps
        .iter()
        .position(|stamp| *stamp == bench.disk(0).stamp(3))
        .expect("one of both");
    dropped(&bench, 1 - winner, stamps);
}

#[test]
fn the_first_site_wins() {
    for (order, loser) in [(["north", "east"], 0), (["east", "north"], 1), (["west", "north"], 0)] {
        let (bench, stamps) = both_sides_of_a_cut(Rule::SitePriority(order.map(String::from).into()));
        dropped(&bench, loser, stamps);
    }
}

#[test]
fn sets_are_merged_and_siblings_kept_until_a_write_has_seen_both() {
    for (rule, how) in [
        (Rule::MergeSets, Resolution::Merged),
        (Rule::KeepBoth, Resolution::Siblings),
    ] {
        let (mut bench, [first, second]) = both_sides_of_a_cut(rule.clone());
        assert_eq!(bench.conflicts(), [(bench.nodes[0], first, second, how)]);
        let disk = bench.disk(1);
        assert_eq!((disk.siblings(), disk.stamp(3)), (1, second));
        let before = disk.shown(3).value;
        let bits = if rule == Rule::MergeSets {
            2
        } else {
            before.count_ones()
        };
        assert_eq!(before.count_ones(), bits);
        let third = bench.written(0, 3);
        bench.pass(10);
        assert!(bench.agree());
        assert_eq!((disk.siblings(), disk.stamp(3)), (0, third));
        if rule == Rule::MergeSets {
            assert_eq!(disk.shown(3).value & before, before);
        }
        assert_eq!(bench.conflicts().len(), 1);
    }
}

#[test]
fn a_row_that_is_added_on_one_side_and_deleted_on_the_other_stays_where_adds_win() {
    for (rule, stays) in [
        (Rule::MergeSets, true),
        (Rule::KeepBoth, true),
        (Rule::HybridClocks, false),
    ] {
        let mut bench = bench(2, 1, database(several(rule)));
        bench.cut_off(0);
        bench.update(0, 3);
        bench.pass(10);
        bench.ask(1, Operation::Delete, 3);
        bench.pass(10);
        bench.heal();
        bench.pass(10_000);
        assert!(bench.agree());
        assert_eq!(bench.disk(0).shown(3).exists, stays);
    }
}

#[test]
fn wall_clocks_lose_the_later_write_and_hybrid_clocks_do_not() {
    let second = 1_000_000_000;
    for skew in [[0, -10 * second], [10 * second, 0]] {
        for rule in [Rule::LastWriteWins, Rule::HybridClocks] {
            let mut bench = bench(2, 1, database(several(rule.clone())));
            (0..2).for_each(|node| bench.order(node, Order::Skew(skew[node])));
            let earlier = bench.written(0, 3);
            bench.pass(2_000);
            assert_eq!(bench.disk(1).stamp(3), earlier);
            let later = bench.written(1, 3);
            bench.pass(2_000);
            assert!(bench.agree());
            assert_eq!(bench.probes[1].skew.get(), skew[1]);
            if rule == Rule::LastWriteWins {
                let told = (bench.nodes[1], later, earlier, Resolution::DroppedThoughLater);
                assert_eq!(bench.conflicts(), [told]);
                assert_eq!(bench.disk(0).stamp(3), earlier);
            } else {
                assert_eq!(bench.conflicts(), []);
                assert_eq!(bench.disk(0).stamp(3), later);
            }
        }
    }
}

#[test]
fn a_skewed_clock_survives_a_crash_and_not_a_new_machine() {
    let mut bench = bench(2, 1, database(several(Rule::LastWriteWins)));
    bench.order(0, Order::Skew(-5));
    bench.pass(10);
    bench.kernel.crash(bench.nodes[0]);
    bench.probes[0].skew.set(0);
    bench.start(0);
    bench.pass(10);
    assert_eq!(bench.probes[0].skew.get(), -5);
    bench.destroy(0);
    bench.replace(0);
    bench.pass(5_000);
    assert_eq!((bench.probes[0].skew.get(), bench.disk(0).clock().skew()), (0, 0));
}

/// Of several conflicting writes all but one are told of, by whomever they reach first, also if their maker was down meanwhile.
#[test]
fn each_write_that_lost_is_told_of_once() {
    for rule in [Rule::LastWriteWins, Rule::HybridClocks, Rule::MergeSets] {
        let mut bench = bench(4, 1, database(several(rule)));
        (0..4).for_each(|node| bench.cut_off(node));
        let stamps: Vec<Stamp> = (0..4).map(|node| bench.written(node, 3)).collect();
        bench.kernel.crash(bench.nodes[1]);
        bench.heal();
        bench.pass(10_000);
        bench.start(1);
        bench.pass(30_000);
        assert!(bench.agree());
        let mut told: Vec<Stamp> = bench.conflicts().into_iter().map(|(_, dropped, ..)| dropped).collect();
        told.sort();
        assert_eq!(told, stamps[..3]);
        assert!(
            bench
                .conflicts()
                .iter()
                .all(|(by, dropped, ..)| *by == bench.nodes[usize::from(dropped.node())])
        );
    }
}

/// The one that lost hears of it only when it merges all rows.
#[test]
fn a_conflict_is_told_of_even_if_all_rows_had_to_be_merged() {
    for rule in [Rule::LastWriteWins, Rule::HybridClocks] {
        let spec = layout::Database {
            log: 5,
            ..database(several(rule))
        };
        let mut bench = bench(2, 1, spec);
        bench.cut_off(0);
        let lost = bench.written(0, 3);
        let kept = bench.written(1, 3);
        (0..10).for_each(|key| {
            bench.written(1, 10 + key);
        });
        bench.heal();
        bench.pass(10_000);
        assert!(bench.agree());
        let merged = |(_, by, event): &(SimTime, InstanceId, Event)| {
            *by == bench.nodes[0] && matches!(event, Event::Rebuilt { done: true, .. })
        };
        assert!(bench.events.iter().any(merged));
        assert_eq!(bench.conflicts(), [(bench.nodes[0], lost, kept, Resolution::Dropped)]);
    }
}

#[test]
fn the_rule_can_be_changed_at_any_time() {
    let rules = [
        Rule::KeepBoth,
        Rule::LastWriteWins,
        Rule::HighestValue,
        Rule::LastWriteWins,
        Rule::MergeSets,
    ];
    let mut bench = bench(3, 1, database(several(Rule::HybridClocks)));
    for rule in rules {
        bench.cut_off(1);
        (0..3).for_each(|node| (0..4).for_each(|key| bench.update(node, key)));
        bench.pass(1_000);
        bench.cluster.spec.borrow_mut().replication = several(rule);
        bench.heal();
        (0..3).for_each(|node| bench.update(node, 1));
        bench.pass(45_000);
        assert!(bench.agree());
    }
}

#[test]
fn each_rule_shows_one_version_whatever_their_order() {
    let version = |time: u64, node: u8, clock, value, exists| PeerVersion {
        stamp: Stamp::new(at(time), node),
        clock,
        value,
        exists,
        seen: Rc::from([]),
    };
    // Node 2 wrote last, node 0 has the latest clock, with node 1, node 1 the highest value. The one of node 2 is deleted.
    let mut versions = [
        version(1, 0, 9, 0b001, true),
        version(2, 1, 9, 0b100, true),
        version(3, 2, 8, 0b010, false),
    ];
    let site = |order: [&str; 2]| Rule::SitePriority(order.map(String::from).into());
    let cases = [
        (Rule::LastWriteWins, 1, true, 0b100),
        (Rule::HybridClocks, 1, true, 0b100),
        (Rule::HighestValue, 1, true, 0b100),
        (Rule::MergeSets, 2, true, 0b111),
        (Rule::KeepBoth, 2, true, 0b010),
        (site(["west", "north"]), 2, false, 0b010),
        (site(["east", "north"]), 0, true, 0b001),
        (site(["south", "south"]), 0, true, 0b001),
    ];
    for (rule, node, exists, value) in cases {
        let bench = bench(3, 1, database(several(rule.clone())));
        for turn in 0..6 {
            versions.swap(turn % 2, 2);
            let shown = bench
                .disk(0)
                .under(|terms| terms.judge.shown(&versions))
                .flatten()
                .expect("one is shown");
            let looks = (shown.stamp.node(), shown.exists, shown.value);
            assert_eq!(looks, (node, exists, value), "{rule:?}");
        }
    }
}
