//! Whatever breaks: what was confirmed is done, or here, or it was said what became of it; and nothing is here twice.
//!
//! `BLASTRADIUS_SEEDS=2000 cargo test --lib queue::tests::property` tries more schedules, `BLASTRADIUS_SEED=17` one.

use std::collections::BTreeSet;

use crate::sim::Stream;

use super::store::job_of;
use super::*;

/// Seeds that are tried.
const SEEDS: u64 = 48;
/// Robots that take from the queue.
const ROBOTS: usize = 4;
/// How long things break.
const TROUBLE: u64 = 40_000;
/// How long nothing does in the end.
const QUIET: u64 = 200_000;

/// A worker that does what its luck tells: it acknowledges, fails, gives back, or forgets what it has.
struct Robot {
    queue: InstanceId,
    subscriber: u32,
    settled: bool,
    most: u32,
    luck: RefCell<Stream>,
    /// It makes no mistakes any more.
    tame: Rc<Cell<bool>>,
}

impl Robot {
    fn below(&self, bound: u64) -> u64 {
        self.luck.borrow_mut().draw().below(bound)
    }

    async fn work(self: Rc<Self>, cx: Cx<System>) {
        loop {
            let request = QueueRequest::Take {
                most: self.most,
                subscriber: self.subscriber,
                settled: self.settled,
            };
            let patience = Duration::from_millis(500 + self.below(2_000));
            let call = cx.call(self.queue, Request::Queue(request), patience).cancelling();
            let reply = call.await;
            let Ok(Reply {
                outcome: Ok(Answer::Handed(handed)),
                ..
            }) = reply
            else {
                cx.sleep(Duration::from_millis(20 + self.below(100))).await;
                continue;
            };
            for handed in handed.iter().filter(|_| !self.settled) {
                self.end(&cx, handed.receipt).await;
            }
        }
    }

    async fn end(&self, cx: &Cx<System>, receipt: Receipt) {
        let luck = if self.tame.get() { 9 } else { self.below(20) };
        let longest = if luck == 3 { 2_000 } else { 60 };
        cx.sleep(Duration::from_millis(self.below(longest))).await;
        let request = match luck {
            0 => QueueRequest::Reject(receipt),
            1 => QueueRequest::Return(receipt),
            2 => return,
            _ => QueueRequest::Acknowledge(receipt),
        };
        _ = cx
            .call(self.queue, Request::Queue(request), Duration::from_millis(300))
            .await;
    }
}

impl Software<System> for Robot {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).work(cx.detached()));
    }

    async fn serve(self: Rc<Self>, _: Cx<System>, _: Request) -> Reply {
        Reply::answer(Answer::Fine)
    }
}

/// One run.
struct Run {
    bench: Bench,
    luck: Stream,
    robots: Vec<InstanceId>,
    tame: Rc<Cell<bool>>,
    durable: bool,
    log: bool,
    redrives: bool,
    published: u64,
    /// Messages that the queue has confirmed.
    confirmed: Vec<u64>,
    /// What a queue in memory held when it crashed.
    lost: u64,
}

impl Run {
    fn new(seed: u64) -> Run {
        let mut luck = Stream::new(seed, "property", "schedule");
        let mut pick = |most: u64| luck.draw().below(most);
        let (log, durable) = (seed % 3 == 2, seed % 4 != 3);
        let (redrives, settled) = (pick(3) == 0, pick(6) == 0);
        let mut spec = settings("attempts: 4, dead_letter: \"dead\", calls: (timeout: \"400ms\", retries: 1)");
        if log {
            spec.style = layout::Style::Log;
        }
        spec.durable = durable;
        spec.work = Distribution::Exponential(Duration::from_millis(pick(3)));
        spec.flush = Duration::from_millis([0, 1, 30][pick(3) as usize]);
        spec.visibility = Duration::from_millis([700, 3_000][pick(2) as usize]);
        spec.backoff = Duration::from_millis([0, 100, 1_000][pick(3) as usize]);
        spec.backoff_most = spec.backoff.max(seconds(2));
        spec.delay = Duration::from_millis([0, 0, 500][pick(3) as usize]);
        spec.messages = [60, 100_000][pick(2) as usize];
        spec.retention = [None, None, Some(seconds(15))][pick(3) as usize];
        let dead = layout::Queue {
            flush: Duration::from_millis([0, 1, 600][pick(3) as usize]),
            messages: [10, 100_000][pick(2) as usize],
            ..settings("")
        };
        let subscribers: &[u32] = if log { &[7, 9] } else { &[] };
        let mut run = Run {
            bench: Bench::with(spec, dead, subscribers),
            luck,
            robots: Vec::new(),
            tame: Rc::default(),
            durable,
            log,
            redrives,
            published: 0,
            confirmed: Vec::new(),
            lost: 0,
        };
        for number in 0..ROBOTS {
            run.add_robot(number, settled && number == 0);
        }
        run
    }

    fn add_robot(&mut self, number: usize, settled: bool) {
        let (queue, tame) = (self.bench.queue, Rc::clone(&self.tame));
        let subscriber = [7, 9][number % 2];
        let make = move |cx: &Cx<System>| Robot {
            queue,
            subscriber,
            settled,
            most: 1 + number as u32 * 2,
            luck: RefCell::new(cx.stream("luck")),
            tame: Rc::clone(&tame),
        };
        let name = format!("robot/{number}");
        let robot = self.bench.install(&name, Factory::new(make), (100, 0));
        self.bench.kernel.start(robot, Duration::ZERO);
        self.robots.push(robot);
    }

    fn pick(&mut self, most: u64) -> u64 {
        self.luck.draw().below(most)
    }

    fn disturb(&mut self) {
        let number = self.pick(ROBOTS as u64) as usize;
        let robot = self.robots[number];
        let boot = 1 + self.pick(800);
        match self.pick(12) {
            0 | 1 => {
                // A queue that boots holds what it held.
                self.lost += if self.durable { 0 } else { self.bench.probe.held.get() };
                self.bench.crash(self.bench.queue, boot);
            }
            2 => self.bench.crash(self.bench.dead, boot),
            3 | 4 => self.bench.crash(robot, boot),
            5 => self.bench.cut(robot, self.bench.queue),
            6 => self.bench.cut(self.bench.dead, self.bench.queue),
            7 if self.redrives => self.bench.send(SEXTON, QueueRequest::Redrive),
            8 if self.pick(4) == 0 => {
                let key = [None, Some(self.pick(10))][self.pick(2) as usize];
                self.bench.kernel.cast(self.bench.queue, Request::Purge(key));
            }
            9 => {
                let attempts = Some(1 + self.pick(4) as u32);
                self.bench.retune(|spec| spec.attempts = attempts);
            }
            _ => self.bench.kernel.network().rules.clear(),
        }
    }

    fn trouble(&mut self) {
        while self.bench.now() < TROUBLE {
            let step = self.pick(40);
            self.bench.pass(step);
            if self.pick(12) == 0 {
                self.disturb();
            }
            self.published += 1;
            self.bench.publish(self.published);
            self.check_at_any_time();
        }
    }

    fn calm(&mut self) {
        self.bench.kernel.network().rules.clear();
        self.tame.set(true);
        let end = self.bench.now() + QUIET;
        self.bench.until(end);
    }

    /// No more is held than there is room for, and what is shown adds up.
    fn check_at_any_time(&mut self) {
        let ended = self.bench.ended();
        let confirmed = ended.iter().filter(|ended| ended.outcome.is_ok());
        self.confirmed.extend(confirmed.filter_map(|ended| ended.published));
        let (waiting, in_flight, held) = self.bench.shown();
        assert!(held <= self.bench.spec.borrow().messages, "{held} are held");
        assert!(
            self.log || waiting + in_flight <= held,
            "{waiting} + {in_flight} of {held}"
        );
    }

    fn run(mut self) -> (u64, u64) {
        self.trouble();
        self.calm();
        self.check_at_any_time();
        let (queue, dead) = (self.bench.queue, self.bench.dead);
        let here = balance(&self.bench.events, queue);
        let there = balance(&self.bench.events, dead);
        let sum = |balance: &BTreeMap<JobId, (u64, u64)>| -> (u64, u64) {
            let counts = balance.values();
            counts.fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1))
        };
        let tally = self.bench.tally();
        for request in &self.confirmed {
            let jobs = if self.log {
                vec![job_of(*request, 7), job_of(*request, 9)]
            } else {
                vec![JobId(*request)]
            };
            let is_stored = jobs.iter().all(|job| here.contains_key(job));
            assert!(is_stored, "{request} was confirmed and never stored");
        }
        // In the end nothing waits, since nobody fails any more; what could not be buried is still dead here.
        let (stored, gone) = sum(&here);
        let held = if self.log {
            self.dead_here()
        } else {
            self.bench.probe.held.get()
        };
        if !self.log || self.durable {
            assert_eq!(stored, gone + held + self.lost, "{tally:?}");
        }
        let (stored, gone) = sum(&there);
        assert_eq!(stored, gone + self.bench.dead_probe.held.get());
        let left = tally.acknowledged + tally.buried + tally.discarded + tally.expired + tally.purged;
        assert_eq!(sum(&here).1, left, "{tally:?}");
        assert_eq!(
            (self.bench.probe.waiting.get(), self.bench.probe.in_flight.get()),
            (0, 0)
        );
        // Nobody published twice, so nothing is here twice unless it was sent back.
        if !self.redrives {
            let twice = here.values().chain(there.values()).filter(|counts| counts.0 > 1);
            assert_eq!(twice.count(), 0);
            assert_eq!((tally.copies, self.bench.dead_probe.tally.get().copies), (0, 0));
        }
        self.check_jobs(&here, &there);
        (self.confirmed.len() as u64, tally.redelivered)
    }

    /// Of a log: dead messages that are still to be buried, for all subscribers.
    fn dead_here(&self) -> u64 {
        let disk = self.bench.kernel.disk::<Shelf>(self.bench.queue);
        let lanes = disk.map(|shelf| {
            let store = shelf.0.borrow();
            store.lanes.iter().map(|lane| lane.all_aside().len() as u64).sum()
        });
        lanes.unwrap_or_default()
    }

    /// Each job that a durable queue has told of is somewhere, or it was told where it went.
    fn check_jobs(&self, here: &BTreeMap<JobId, (u64, u64)>, there: &BTreeMap<JobId, (u64, u64)>) {
        let buried: BTreeSet<JobId> = self
            .bench
            .events
            .iter()
            .filter_map(|(_, from, event)| match event {
                Event::JobGone { job, why: Gone::Buried } if *from == self.bench.queue => Some(*job),
                _ => None,
            })
            .collect();
        for job in &buried {
            assert!(
                there.contains_key(job),
                "{job:?} was buried, and the dead-letter queue never had it"
            );
        }
        for (job, (stored, gone)) in here.iter().filter(|_| self.durable) {
            assert!(gone <= stored, "{job:?} has gone {gone} times and come {stored} times");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_lost_and_nothing_is_here_twice_whatever_breaks() {
    let seeds = match number("BLASTRADIUS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("BLASTRADIUS_SEEDS").unwrap_or(SEEDS),
    };
    let (count, mut confirmed, mut redelivered) = (seeds.end - seeds.start, 0, 0);
    for seed in seeds {
        let result = std::panic::catch_unwind(|| Run::new(seed).run());
        let Ok(counts) = result else {
            panic!("seed {seed}: BLASTRADIUS_SEED={seed} cargo test --lib queue::tests::property");
        };
        confirmed += counts.0;
        redelivered += counts.1;
    }
    // It was no calm: else it would prove nothing.
    let calm = confirmed <= 300 * count || redelivered <= 50 * count;
    assert!(
        count < SEEDS || !calm,
        "{confirmed} confirmed, {redelivered} handed out again"
    );
}
