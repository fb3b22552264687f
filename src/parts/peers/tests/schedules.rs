//! Whatever happens: after healing and quiet all nodes agree.

use crate::sim::Stream;

use super::*;

/// Rows that are written.
const HOT: u64 = 8;

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("BLASTRADIUS_FIRST_SEED").unwrap_or(0);
    first..first + number("BLASTRADIUS_SEEDS").unwrap_or(200)
}

fn rule(number: u64) -> Rule {
    match number {
        0 => Rule::LastWriteWins,
        1 => Rule::HybridClocks,
        2 => Rule::HighestValue,
        3 => Rule::MergeSets,
        4 => Rule::KeepBoth,
        _ => Rule::SitePriority(vec!["north".into(), "east".into()]),
    }
}

/// A bench with settings that belong to a seed.
fn random(seed: u64, chance: &mut Stream) -> Bench {
    let peers = Peers {
        rule: rule(seed / 2 % 6),
        close: (chance.draw().below(4) > 0).then_some(Duration::from_secs(3)),
    };
    let replication = match seed % 2 {
        0 => Replication::MultiPrimary(peers),
        _ => Replication::Circular(peers),
    };
    let spec = layout::Database {
        log: [5, 50, 100_000][chance.draw().below(3) as usize],
        checkpoint: 10,
        copy_rate: [5.0, 50_000.0][chance.draw().below(2) as usize],
        ..database(replication)
    };
    bench(2 + chance.draw().below(4) as usize, seed, spec)
}

/// Does something to it.
fn disturb(bench: &mut Bench, chance: &mut Stream) {
    let nodes = bench.nodes.len();
    let node = chance.draw().below(nodes as u64) as usize;
    let other = chance.draw().below(nodes as u64) as usize;
    match chance.draw().below(12) {
        0 | 1 => bench.kernel.crash(bench.nodes[node]),
        2 | 3 if !bench.kernel.is_gone(bench.machines[node]) => bench.start(node),
        4 => bench.destroy(node),
        5 | 6 if bench.kernel.is_gone(bench.machines[node]) => bench.replace(node),
        7 => bench.cut(node, other),
        8 => bench.cut_off(node),
        9 => bench.heal(),
        10 => bench.order(
            node,
            Order::Skew(chance.draw().below(20_000_000_000).cast_signed() - 10_000_000_000),
        ),
        11 if bench.kernel.now() > at(20_000) => {
            let (id, on) = (bench.nodes[other], chance.draw().below(2) == 0);
            if id != bench.nodes[node] {
                bench.order(node, Order::PassOver { node: id, on });
            }
        }
        _ => {}
    }
}

/// Clients write here and there for a while.
fn write_for_a_while(bench: &mut Bench, chance: &mut Stream) {
    for _ in 0..chance.draw().below(12) {
        let node = chance.draw().below(bench.nodes.len() as u64) as usize;
        let operation = match chance.draw().below(6) {
            0 => Operation::Create,
            1 => Operation::Delete,
            _ => Operation::Update,
        };
        bench.ask(node, operation, chance.draw().below(HOT));
        bench.pass(chance.draw().below(60));
    }
    bench.pass(chance.draw().below(3_000));
}

/// Everything runs again, and is left alone.
fn mend(bench: &mut Bench) {
    bench.heal();
    for node in 0..bench.nodes.len() {
        if bench.kernel.is_gone(bench.machines[node]) {
            bench.kernel.replace(bench.machines[node]);
        }
        bench.start(node);
    }
    bench.pass(10);
    for node in 0..bench.nodes.len() {
        for other in bench.nodes.clone() {
            bench.order(node, Order::PassOver { node: other, on: false });
        }
    }
}

fn run(seed: u64) -> Bench {
    let mut chance = Stream::new(seed, "peers", "schedule");
    let mut bench = random(seed, &mut chance);
    for _ in 0..25 {
        write_for_a_while(&mut bench, &mut chance);
        disturb(&mut bench, &mut chance);
    }
    mend(&mut bench);
    for _ in 0..30 {
        bench.pass(10_000);
        if bench.agree() {
            break;
        }
    }
    bench
}

fn repeat(seed: u64) -> String {
    format!("to repeat: BLASTRADIUS_FIRST_SEED={seed} BLASTRADIUS_SEEDS=1 cargo test --lib peers::tests::schedules")
}

#[test]
fn after_healing_and_quiet_all_nodes_agree() {
    for seed in seeds() {
        let bench = run(seed);
        let hashes: Vec<u64> = (0..bench.nodes.len()).map(|node| bench.disk(node).hash()).collect();
        assert!(bench.agree(), "seed {seed}: {hashes:x?}\n{}", repeat(seed));
        // No version was told of twice.
        let mut told: Vec<Stamp> = bench.conflicts().into_iter().map(|(_, dropped, ..)| dropped).collect();
        let all = told.len();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), all, "seed {seed}\n{}", repeat(seed));
    }
}

/// Without destroyed disks, what was acknowledged and not dropped for another is known everywhere.
#[test]
fn nothing_acknowledged_is_forgotten_while_disks_live() {
    for seed in seeds() {
        let mut chance = Stream::new(seed, "peers", "promises");
        let mut bench = random(seed, &mut chance);
        for _ in 0..15 {
            write_for_a_while(&mut bench, &mut chance);
            let node = chance.draw().below(bench.nodes.len() as u64) as usize;
            match chance.draw().below(4) {
                0 => bench.kernel.crash(bench.nodes[node]),
                1 => bench.cut_off(node),
                2 => bench.heal(),
                _ => bench.start(node),
            }
        }
        mend(&mut bench);
        bench.pass(200_000);
        assert!(bench.agree(), "seed {seed}\n{}", repeat(seed));
        for (_, query, reply) in bench.replies.borrow().iter() {
            if let Ok(Answer::Row(Status::Written { version, .. })) = reply.outcome {
                let mut nodes = 0..bench.nodes.len();
                let holds = |node| bench.disk(node).holds(query.key, version);
                // In a register what was dropped is not always known where only rows came that stand.
                let register = matches!(bench.rule(), Rule::LastWriteWins);
                let held = if register { nodes.any(holds) } else { nodes.all(holds) };
                assert!(held, "seed {seed}: {version:?}\n{}", repeat(seed));
            }
        }
        let positions: BTreeSet<Vec<u64>> = (0..bench.nodes.len()).map(|node| bench.disk(node).seen()).collect();
        assert_eq!(positions.len(), 1, "seed {seed}: {positions:?}\n{}", repeat(seed));
    }
}
