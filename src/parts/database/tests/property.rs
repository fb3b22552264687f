//! Random schedules of kills, cuts, heals and restarts against what must hold whatever happens.
//!
//! `BLASTRADIUS_SEEDS=5000 cargo test --lib database::tests::property` tries more of them, `BLASTRADIUS_SEED=17` one.

use std::collections::BTreeSet;

use super::*;

/// Seeds that are tried.
const SEEDS: u64 = 240;
/// How long things break.
const TROUBLE: f64 = 40.0;
/// How long nothing does in the end.
const QUIET: Duration = Duration::from_secs(30);
/// Between two looks.
const STEP: Duration = Duration::from_millis(25);
const KEYS: u64 = 40;

/// One run.
struct Run {
    bench: Bench,
    stream: Stream,
    mode: Mode,
    /// None: failover is by hand.
    fencing: Option<bool>,
    recovery: bool,
    /// Every entry is kept, so that nothing is ever rebuilt.
    all_kept: bool,
    lost_disks: bool,
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut stream = Stream::new(seed, "property", "schedule");
        let mut pick = |most: u64| stream.draw().below(most);
        let modes = [
            Mode::Asynchronous,
            Mode::SemiSynchronous,
            Mode::Synchronous,
            Mode::Quorum,
        ];
        let mode = modes[(seed % 4) as usize];
        let (recovery, all_kept) = (pick(4) > 0, pick(4) > 0);
        let fencing = [None, Some(false), Some(true), Some(true), Some(true)][pick(5) as usize];
        let mut spec = settings(Some(PrimaryReplicas {
            mode,
            failover: fencing.map(|fencing| Failover {
                after: millis([1_200, 3_000][pick(2) as usize]),
                monitors: 3,
                fencing,
            }),
            recovery,
            ack_timeout: millis([300, 2_000][pick(2) as usize]),
            ..PrimaryReplicas::default()
        }));
        spec.rows = KEYS / 2;
        spec.log = if all_kept { 100_000 } else { 15 };
        spec.checkpoint = 100;
        spec.copy_rate = 100.0;
        spec.flush = Duration::from_micros([0, 100, 5_000][pick(3) as usize]);
        spec.apply = Distribution::Exponential(Duration::from_micros([100, 5_000][pick(2) as usize]));
        let jitter = millis([0, 2, 30][pick(3) as usize]);
        let bench = Bench::new(spec, 3, seed);
        bench.kernel.network().set_jitter(jitter);
        Run {
            bench,
            stream,
            mode,
            fencing,
            recovery,
            all_kept,
            lost_disks: false,
        }
    }

    fn pick(&mut self, most: u64) -> u64 {
        self.stream.draw().below(most)
    }

    /// Something breaks, or is mended.
    fn disturb(&mut self) {
        let node = self.pick(3) as usize;
        let monitor = self.pick(3) as usize;
        match self.pick(17) {
            0 | 1 => self.bench.crash(node),
            2 => self
                .bench
                .primaries()
                .into_iter()
                .for_each(|node| self.bench.crash(node)),
            3..=5 => (0..3).for_each(|node| self.bench.start(node)),
            6 => self.crash_monitor(monitor),
            7 => self.mend_monitors(),
            8 => self.bench.isolate(node),
            9 => self
                .bench
                .primaries()
                .into_iter()
                .for_each(|node| self.bench.isolate(node)),
            10 => self.cut_some(),
            11 | 12 => self.bench.heal(),
            13 => self.bench.kernel.hang(self.bench.nodes[node]),
            14 => self.kill_hung(),
            15 => self.lose_a_disk(node),
            _ => self.bench.order(node, Order::Promote),
        }
    }

    /// A node that hangs is of no use until it is started anew.
    fn kill_hung(&mut self) {
        for node in 0..3 {
            if self.bench.kernel.process_state(self.bench.nodes[node]) == ProcessState::Hung {
                self.bench.crash(node);
                self.bench.start(node);
            }
        }
    }

    /// One disk is lost while the others are whole: no promise is for the loss of more. Without fencing a node that has forgotten its
    /// promise can help a former primary to a majority, so a quorum needs fencing for that.
    fn lose_a_disk(&mut self, node: usize) {
        let whole = (0..3).all(|node| self.bench.is_up(node) && self.bench.disk(node).is_whole());
        if whole && (self.mode != Mode::Quorum || self.fencing == Some(true)) {
            self.lost_disks = true;
            self.bench.replace(node);
        }
    }

    fn crash_monitor(&mut self, monitor: usize) {
        if let Some(id) = self.bench.monitors.get(monitor) {
            self.bench.kernel.crash(*id);
        }
    }

    fn mend_monitors(&mut self) {
        for monitor in self.bench.monitors.clone() {
            self.bench.kernel.start(monitor, millis(50));
        }
    }

    /// Some packets do not get from some to some others, or late, perhaps in one direction only.
    fn cut_some(&mut self) {
        let all = [&self.bench.nodes[..], &self.bench.monitors, &self.bench.clients].concat();
        let some = |run: &mut Run| -> Vec<InstanceId> { all.iter().copied().filter(|_| run.pick(3) == 0).collect() };
        let (from, to) = (some(self), some(self));
        let late = Verdict::Delay(self.pick(3_000_000_000));
        let verdict = if self.pick(3) == 0 { late } else { Verdict::Drop };
        self.bench.hurt(&from, &to, verdict);
    }

    /// A few queries of the two clients.
    fn traffic(&mut self) {
        for client in 0..2 {
            if self.pick(3) == 0 {
                let operation = match self.pick(10) {
                    0 => Operation::Create,
                    1 => Operation::Delete,
                    2 => Operation::Read,
                    _ => Operation::Update,
                };
                let key = self.pick(KEYS);
                self.bench.ask(client, operation, key);
            }
        }
    }

    fn step(&mut self) {
        self.bench.run(STEP);
        if self.fencing == Some(true) {
            let primaries = self.bench.primaries();
            assert!(
                primaries.len() < 2,
                "{primaries:?} are primary at {}",
                self.bench.kernel.now()
            );
        }
    }

    fn trouble(&mut self) {
        let mut next = seconds(1.0);
        while self.bench.kernel.now() < seconds(TROUBLE) {
            if self.bench.kernel.now() >= next {
                self.disturb();
                let wait = self.pick(2_500);
                next = self.bench.kernel.now() + millis(wait);
            }
            self.traffic();
            self.step();
        }
    }

    fn recover(&mut self) {
        self.bench.heal();
        self.mend_monitors();
        self.kill_hung();
        (0..3).for_each(|node| self.bench.start(node));
        if self.fencing.is_none() {
            self.promote_somebody();
        }
        let end = self.bench.kernel.now() + QUIET;
        // Somebody writes: an entry of the last term.
        while self.bench.kernel.now() < end {
            if self.bench.kernel.now() + QUIET / 2 < end {
                self.traffic();
            }
            self.step();
        }
    }

    /// By hand, until one of them takes it: one may be behind.
    fn promote_somebody(&mut self) {
        for node in [0, 1, 2, 0, 1, 2] {
            self.bench.run(Duration::from_secs(8));
            if self.bench.primaries().is_empty() {
                self.bench.order(node, Order::Promote);
            }
        }
    }

    fn assert_promises(&self) {
        let bench = &self.bench;
        let terms: Vec<Term> = bench.promotions().iter().map(|told| told.2).collect();
        let distinct: BTreeSet<Term> = terms.iter().copied().collect();
        assert_eq!(terms.len(), distinct.len(), "a term came twice");
        assert!(!distinct.contains(&Term::FIRST));
        assert_eq!(
            bench.primaries().len(),
            1,
            "somebody is primary in the end: {}",
            bench.picture()
        );
        bench.agreement();
        for node in 0..3 {
            assert!(bench.disk(node).is_whole());
            assert!(
                !self.recovery || bench.disk(node).aside() == 0,
                "node {node} has all compared"
            );
        }
        let given_up: BTreeSet<Stamp> = bench
            .told(|event| match event {
                Event::GivenUp { old, .. } => Some(*old),
                _ => None,
            })
            .iter()
            .map(|told| told.2)
            .collect();
        let safe = matches!(self.mode, Mode::Synchronous | Mode::Quorum);
        for ended in bench.ended.borrow().iter() {
            let Some(version) = written(&ended.outcome) else {
                continue;
            };
            let holds = bench.disk(0).holds(ended.key, version);
            if safe {
                assert!(holds, "{ended:?} is lost: {}", bench.picture());
            } else if self.all_kept && !self.lost_disks {
                let aside = (0..3).any(|node| bench.disk(node).has_aside(ended.key, version));
                assert!(
                    holds || aside || given_up.contains(&version),
                    "{ended:?} has vanished: {}",
                    bench.picture()
                );
            }
        }
    }

    fn run(mut self) -> (usize, usize) {
        self.trouble();
        self.recover();
        self.assert_promises();
        let ended = self.bench.ended.borrow();
        let acknowledged = ended.iter().filter(|ended| written(&ended.outcome).is_some());
        (acknowledged.count(), self.bench.promotions().len())
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_is_promised_holds_whatever_breaks() {
    let seeds = match number("BLASTRADIUS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BLASTRADIUS_SEEDS").unwrap_or(SEEDS),
    };
    let (count, mut acknowledged, mut promotions) = (seeds.end - seeds.start, 0, 0);
    for seed in seeds {
        let result = std::panic::catch_unwind(|| Run::new(seed).run());
        let Ok((writes, changes)) = result else {
            panic!("seed {seed}: BLASTRADIUS_SEED={seed} cargo test --lib database::tests::property");
        };
        acknowledged += writes;
        promotions += changes;
    }
    // It was no calm: else it would prove nothing.
    let calm = acknowledged as u64 <= 200 * count || promotions as u64 <= count;
    assert!(count < SEEDS || !calm, "{acknowledged} writes, {promotions} promotions");
}
