//! Random schedules of crashes and cuts while a shard is added.

use super::*;

/// What breaks while a shard is added; returns how many writes were acknowledged.
fn try_schedule(seed: u64) -> usize {
    let modes = [
        mode(Mode::Quorum),
        mode(Mode::Synchronous),
        Replication::None,
        mode(Mode::Asynchronous),
    ];
    let replication = modes[(seed % 4) as usize].clone();
    let by = [ShardBy::Jump, ShardBy::Modulo, ShardBy::Range][(seed / 4 % 3) as usize];
    let nodes = if replication == Replication::None { 1 } else { 3 };
    let mut bench = Bench::new(spec(replication, by, 30.0), nodes, seed);
    bench.run_watched(Duration::from_secs(2), 40.0);
    bench.grow(nodes);
    for _ in 0..4 {
        let time = Duration::from_secs_f64(4.0 * bench.draws.draw().unit());
        bench.run_watched(time, 40.0);
        bench.disturb(40.0);
    }
    bench.settle();
    bench.assert_whole();
    bench.promised.len()
}

#[test]
fn whatever_breaks_in_a_migration_no_promised_write_is_lost_and_no_key_has_two_owners() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("BLASTRADIUS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BLASTRADIUS_SEEDS").unwrap_or(100),
    };
    for seed in seeds {
        let written = std::panic::catch_unwind(|| try_schedule(seed))
            .unwrap_or_else(|_| panic!("replay: BLASTRADIUS_SEED={seed} cargo test --lib migration::tests::schedules"));
        assert!(written > 50, "seed {seed}: only {written} rows were written");
    }
}
