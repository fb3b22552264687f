//! A shard is added while all goes well, and a node comes back after it was.

use super::*;

#[test]
fn a_shard_is_added_under_load_and_every_key_is_served_all_the_time() {
    for (by, share) in [
        (ShardBy::Modulo, 2.0 / 3.0),
        (ShardBy::ConsistentHash { virtual_nodes: 100 }, 1.0 / 3.0),
        (ShardBy::Jump, 1.0 / 3.0),
        (ShardBy::Range, 1.0 / 4.0),
        (ShardBy::Directory, 1.0 / 3.0),
    ] {
        let mut bench = Bench::new(spec(mode(Mode::Quorum), by, 100.0), 3, 1);
        bench.run(Duration::from_secs(5), 100.0);
        let began = bench.kernel.now();
        bench.grow(3);
        let mut time = 0;
        while !bench.all_moved() {
            bench.run(Duration::from_millis(500), 100.0);
            bench.assert_no_two_owners();
            time += 1;
            assert!(time < 60, "{by:?} takes longer than 30 s");
        }
        // Keys that move, over the rate: it is throttled, and not by much more.
        let took = (bench.kernel.now() - began).as_secs_f64();
        let expected = bench.cluster.map.borrow().moving_share() * KEYS as f64 / 100.0;
        assert!(
            (bench.cluster.map.borrow().moving_share() - share).abs() < 0.06,
            "{by:?}"
        );
        assert!(
            took > expected * 0.9 && took < expected * 1.5 + 2.0,
            "{by:?}: {took} s, {expected} s by the rate"
        );
        let mut promised: BTreeMap<u64, Vec<(SimTime, Stamp)>> = BTreeMap::new();
        let ended = bench.ends();
        for end in &ended {
            let took = (end.at - end.began).as_secs_f64();
            assert!(end.outcome.is_ok() && took < 0.2, "{by:?}: {end:?}");
            if let Ok(Status::Written { version, .. }) = end.outcome {
                promised.entry(end.key).or_default().push((end.at, version));
            }
        }
        let mut reads = 0;
        for end in &ended {
            let Ok(Status::Read { version, .. } | Status::NotFound { version, .. }) = end.outcome else {
                continue;
            };
            let earlier = promised.get(&end.key).into_iter().flatten();
            let newest = earlier
                .filter(|(at, _)| *at <= end.began)
                .map(|(_, version)| *version)
                .max();
            assert!(
                version >= newest.unwrap_or_default(),
                "{by:?}: {end:?} misses {newest:?}"
            );
            reads += 1;
        }
        assert!(
            reads > 200 && promised.len() > 100,
            "{reads} reads, {} rows written",
            promised.len()
        );
        let done = bench
            .events
            .iter()
            .filter(|(_, _, event)| matches!(event, Event::Migrated { done: true, .. }));
        assert_eq!(done.count(), bench.cluster.map.borrow().pairs().len());
        bench.settle();
        bench.assert_whole();
        // Once more: what moved before does not count any more.
        bench.grow(3);
        bench.run(Duration::from_secs(2), 100.0);
        bench.ends();
        bench.settle();
        bench.assert_whole();
    }
}

#[test]
fn a_write_that_only_a_former_primary_has_follows_its_row_to_the_shard_that_it_has_moved_to() {
    let mut bench = Bench::new(spec(mode(Mode::Asynchronous), ShardBy::Jump, 10_000.0), 3, 1);
    bench.run(Duration::from_secs(1), 0.0);
    let key = {
        let mut grown = bench.cluster.map.borrow().clone();
        grown.grow();
        (0..ROWS)
            .find(|key| grown.moves(*key) == Some((0, 2)))
            .expect("one moves")
    };
    // The replicas hear nothing of the last write of the primary of shard 0.
    let nodes: Vec<InstanceId> = bench.nodes[..3].iter().map(|node| node.id).collect();
    bench.kernel.network().rules.push(Rule {
        owner: 0,
        from: vec![nodes[0]],
        to: vec![nodes[1], nodes[2]],
        verdict: Verdict::Drop,
    });
    bench.ask(Operation::Update, key);
    bench.run(Duration::from_millis(50), 0.0);
    bench.ends();
    let old = bench.promised[&key];
    bench.kernel.crash(nodes[0]);
    bench.kernel.network().rules.clear();
    bench.run(Duration::from_secs(12), 0.0);
    bench.grow(3);
    bench.run(Duration::from_secs(5), 0.0);
    assert!(bench.all_moved());
    bench.kernel.start(nodes[0], Duration::from_millis(100));
    bench.settle();
    let replayed = |event: &Event| match event {
        Event::Replayed { key, old, new } => Some((*key, *old, *new)),
        _ => None,
    };
    let replayed: Vec<_> = bench
        .events
        .iter()
        .filter_map(|(_, by, event)| Some((*by, replayed(event)?)))
        .collect();
    let [(by, (found, from, new))] = replayed[..] else {
        panic!("{replayed:?}")
    };
    let owner = bench.primaries(Some(2))[0];
    assert_eq!((by, found, from), (bench.nodes[owner].id, key, old));
    assert_eq!(bench.disk(owner).stamp(key), new);
    bench.assert_whole();
}
