//! One run under one factor of the traffic, with or without a failure, and what was seen of it.

use std::time::Duration;

use super::demand::{Demand, Manner, Origin};
use super::tier::{self, First, Tier, Watch};
use crate::analyze::blast::Failure;
use crate::command::Command;
use crate::layout::{Layout, Measure, Service};
use crate::observe::{Frame, Health, RECENT_SECONDS};
use crate::replay::Digest;
use crate::world::World;

/// How far a run goes between two looks at whether it is still wanted.
const SLICE: Duration = Duration::from_millis(500);
/// The time between two looks at what is demanded.
const LOOK: Duration = Duration::from_secs(1);
/// What measures of the last seconds remember.
pub(super) const MEMORY: Duration = Duration::from_secs(RECENT_SECONDS as u64);
/// In so many steps the traffic rises, in the first half of the warm-up.
const STEPS: u32 = 5;
/// Where an autoscaler works, the traffic rises by this factor, and then waits for it.
const STEP: f64 = 1.5;
/// It is waited for at most so many times as long as it has to be quiet.
const PATIENCE: u32 = 4;
/// A queue that has grown by this share of what came, and by this many messages, grows without end.
const GROWTH: f64 = 0.05;
const GROWN: u64 = 50;
/// An outbox with so many messages, of which none got away in all of the time, is stuck.
const STUCK: u64 = 3;
/// Where fewer of the requests than this share have ended in the last seconds, and so many were sent, the others wait in vain.
const ENDED: f64 = 0.9;
const MANY: u64 = 100;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// The factor on the layout's traffic.
    pub factor: f64,
    /// The failure, by index among those that are tried; none if nothing fails.
    pub failure: Option<usize>,
}

/// What is broken.
#[derive(Clone, Debug, PartialEq)]
pub enum Broken {
    /// A demand.
    Demand {
        /// Its index.
        index: usize,
        /// When, from the start of the run.
        at: Duration,
        /// What was measured.
        value: f64,
    },
    /// A queue grows, so that its bound is a matter of time.
    Queue {
        /// Its selector.
        queue: String,
        /// Messages a second.
        per_second: f64,
    },
    /// What a service keeps in its own memory, as the queue does not take it, grows: it is asked for and not carried.
    Outbox {
        /// The selector of the service.
        service: String,
        /// That of the queue.
        queue: String,
        /// Messages a second.
        per_second: f64,
    },
}

/// What was seen of a run while it was watched. One in which something is broken is watched only until then.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Requests a second that users sent.
    pub offered: f64,
    /// Requests a second that were answered well.
    pub served: f64,
    /// Share of the ended requests that failed.
    pub failed: f64,
    /// Median latency.
    pub p50: Duration,
    /// 99th percentile of latency.
    pub p99: Duration,
    /// What the tiers did.
    pub tiers: Vec<Tier>,
    /// What is broken first, if anything is.
    pub broken: Option<Broken>,
    /// Which tier gives first, where something is broken.
    pub first: Option<First>,
    /// For how long it was watched.
    pub watched: Duration,
    /// What of the failure was refused, and why: such a run says nothing of it.
    pub refused: Option<String>,
    /// The hash of the whole history.
    pub digest: Digest,
}

/// What all runs of a search have in common.
pub(super) struct Setting<'a> {
    pub(super) layout: &'a Layout,
    pub(super) seed: u64,
    pub(super) demands: &'a [Demand],
    pub(super) warm_up: Duration,
    pub(super) watched: Duration,
    /// From a failure until something is demanded again.
    pub(super) grace: Duration,
    /// From the last rise of the traffic until something is demanded, where nothing fails.
    pub(super) rest: Duration,
}

impl Setting<'_> {
    /// How long a run is at most, autoscalers left out.
    pub(super) fn length(&self, fails: bool) -> Duration {
        self.warm_up + self.wait(fails).max(MEMORY) + self.watched
    }

    /// How long nothing is demanded after the warm-up. What measures remember has passed by then.
    fn wait(&self, fails: bool) -> Duration {
        if fails {
            return self.grace.max(MEMORY);
        }
        let (rising, scaled) = (self.warm_up / (2 * STEPS) * (STEPS - 1), quiet(self.layout).is_some());
        let since = if scaled {
            self.warm_up
        } else {
            self.warm_up.saturating_sub(rising)
        };
        self.rest.saturating_sub(since).max(MEMORY)
    }
}

/// A run on its way.
struct Run<'a> {
    world: World,
    /// The factor on the traffic now.
    factor: f64,
    give_up: &'a dyn Fn() -> bool,
    watch: &'a dyn Fn(Duration),
}

impl Run<'_> {
    /// Lets time pass. Nothing if it was given up on the way.
    fn advance(&mut self, by: Duration) -> Option<()> {
        let mut left = by;
        while !left.is_zero() {
            if (self.give_up)() {
                return None;
            }
            let slice = SLICE.min(left);
            self.world.advance(slice);
            (self.watch)(slice);
            left -= slice;
        }
        Some(())
    }

    fn surge(&mut self, factor: f64) {
        if (self.factor - factor).abs() > 0.0 {
            let applied = self.world.apply(&Command::Surge(None, factor));
            debug_assert!(applied.is_ok(), "{applied:?}");
            self.factor = factor;
        }
    }

    /// Brings the traffic to its factor and the system to rest.
    fn warm_up(&mut self, setting: &Setting, factor: f64) -> Option<()> {
        if let Some(quiet) = quiet(setting.layout) {
            let mut step = factor.min(1.0);
            while step < factor {
                self.surge(step);
                self.settle(quiet)?;
                step = (step * STEP).min(factor);
            }
            self.surge(factor);
            self.settle(quiet)?;
            return self.advance(setting.warm_up);
        }
        let rising = setting.warm_up / (2 * STEPS);
        for step in 1..=STEPS {
            self.surge(factor * f64::from(step) / f64::from(STEPS));
            self.advance(rising)?;
        }
        self.advance(setting.warm_up.saturating_sub(rising * STEPS))
    }

    /// Waits until there have been as many machines as there are for a while, and all of them are up.
    fn settle(&mut self, quiet: Duration) -> Option<()> {
        let (mut since, mut waited) = (Duration::ZERO, Duration::ZERO);
        let mut before = machines(&self.world.frame());
        while since < quiet && waited < quiet * PATIENCE {
            self.advance(LOOK)?;
            (since, waited) = (since + LOOK, waited + LOOK);
            let now = machines(&self.world.frame());
            if now != before || now.1 > 0 {
                (since, before) = (Duration::ZERO, now);
            }
        }
        Some(())
    }
}

/// How many machines there are, and how many of them boot.
fn machines(frame: &Frame) -> (usize, usize) {
    let all = || frame.services.iter().flat_map(|state| &state.instances);
    let boots = |health: &Health| matches!(health, Health::Booting { .. });
    (all().count(), all().filter(|instance| boots(&instance.health)).count())
}

/// For how long autoscalers have to do nothing until they are at rest: three decisions, and the start of a machine. None without any.
fn quiet(layout: &Layout) -> Option<Duration> {
    let services = layout.data_centers.values().flat_map(|site| site.services.values());
    let pace = services.filter_map(|service| {
        let (scale, boot) = match service {
            Service::Web(web) => (web.scale.as_ref()?, web.boot),
            Service::Consumer(workers) => (workers.scale.as_ref()?, workers.boot),
            _ => return None,
        };
        Some(scale.every * 3 + scale.up_window + boot)
    });
    pace.max()
}

/// Runs the layout under a factor, until all is told or something is certainly broken. Nothing if it was given up on the way.
pub(super) fn run(
    setting: &Setting,
    factor: f64,
    failure: Option<&Failure>,
    give_up: &dyn Fn() -> bool,
    watch: &dyn Fn(Duration),
) -> Option<Reading> {
    let world = World::build(setting.layout, setting.seed);
    let mut run = Run {
        world,
        factor: 1.0,
        give_up,
        watch,
    };
    run.warm_up(setting, factor)?;
    let (mut refused, mut done) = (None, false);
    for command in failure.iter().flat_map(|failure| &failure.commands) {
        // A machine that has been scaled away can't fail any more.
        match run.world.apply(command) {
            Ok(_) => done = true,
            Err(error) => {
                refused.get_or_insert(format!("{command}: {error}"));
            }
        }
    }
    let refused = refused.filter(|_| !done);
    // What is measured over the last seconds knows nothing of what was before this wait.
    run.advance(setting.wait(failure.is_some()))?;
    let mut window = Window::open(&mut run.world, setting.demands);
    // Nobody who left a bound to its default has made room for what is remembered of a failure.
    window.defaults_from = if failure.is_some() { MEMORY.as_secs() } else { 1 };
    let looks = setting.watched.as_secs();
    let mut last = None;
    for second in 1..=looks {
        run.advance(LOOK)?;
        let frame = run.world.frame();
        window.look(&run.world, &frame, second);
        last = Some(frame);
        // Latency, and what the tiers do, take as long to tell.
        if window.broken.is_some() && second >= MEMORY.as_secs() {
            break;
        }
    }
    let frame = last?;
    Some(Reading {
        refused,
        ..window.close(&run.world, &frame)
    })
}

/// The time in which a run is watched.
struct Window<'a> {
    demands: &'a [Demand],
    before: Frame,
    /// By demand: its value at the beginning, or the sum of its values.
    values: Vec<f64>,
    seconds: u64,
    /// From this second on the defaults are judged.
    defaults_from: u64,
    watch: Watch,
    /// Requests answered, and their latency: sums over blocks of ten seconds.
    answered: u64,
    p50: f64,
    p99: f64,
    broken: Option<Broken>,
}

impl<'a> Window<'a> {
    fn open(world: &mut World, demands: &'a [Demand]) -> Window<'a> {
        let at_first = |demand: &Demand| match demand.manner {
            Manner::Growth => world.measure(&demand.measure),
            Manner::Each | Manner::Mean => 0.0,
        };
        Window {
            values: demands.iter().map(at_first).collect(),
            demands,
            before: world.frame(),
            seconds: 0,
            defaults_from: 1,
            watch: Watch::default(),
            answered: 0,
            p50: 0.0,
            p99: 0.0,
            broken: None,
        }
    }

    /// Another second has passed.
    fn look(&mut self, world: &World, frame: &Frame, second: u64) {
        self.seconds = second;
        self.watch.look(frame);
        let memory = MEMORY.as_secs();
        if second.is_multiple_of(memory) {
            let latency = frame.recent_latency;
            self.answered += latency.count;
            self.p50 += latency.p50.as_secs_f64() * latency.count as f64;
            self.p99 += latency.p99.as_secs_f64() * latency.count as f64;
        }
        for (index, demand) in self.demands.iter().enumerate() {
            match demand.manner {
                Manner::Mean => {
                    let value = busy(frame, &demand.measure).unwrap_or_else(|| world.measure(&demand.measure));
                    self.values[index] += value;
                }
                Manner::Each if demand.origin == Origin::Asked || second >= self.defaults_from => {
                    let value = answered_well(frame, &demand.measure).unwrap_or_else(|| world.measure(&demand.measure));
                    self.judge(index, value, frame);
                }
                Manner::Each | Manner::Growth => {}
            }
        }
    }

    fn judge(&mut self, index: usize, value: f64, frame: &Frame) {
        if self.broken.is_none() && !self.demands[index].holds(value) {
            let at = frame.at.elapsed();
            self.broken = Some(Broken::Demand { index, at, value });
        }
    }

    /// Judges what only all of the time can tell.
    fn close(mut self, world: &World, frame: &Frame) -> Reading {
        let seconds = self.seconds as f64;
        for (index, demand) in self.demands.iter().enumerate() {
            let value = match demand.manner {
                Manner::Mean => self.values[index] / seconds,
                Manner::Growth => world.measure(&demand.measure) - self.values[index],
                Manner::Each => continue,
            };
            self.judge(index, value, frame);
        }
        if self.broken.is_none() {
            self.broken = growing(&self.before, frame, seconds);
        }
        let (before, after) = (self.before.total, frame.total);
        let [sent, ok, failed] = [
            after.sent - before.sent,
            after.ok - before.ok,
            after.failed - before.failed,
        ];
        let tiers = self.watch.tiers(frame);
        let broken = self.broken.as_ref();
        let latency = |sum: f64| Duration::from_secs_f64(sum / self.answered.max(1) as f64);
        Reading {
            offered: sent as f64 / seconds,
            served: ok as f64 / seconds,
            failed: failed as f64 / (ok + failed).max(1) as f64,
            p50: latency(self.p50),
            p99: latency(self.p99),
            first: broken.and_then(|broken| {
                let refused = tier::overloaded(&self.before, frame);
                tier::first(&tiers, broken, self.demands, frame, &refused)
            }),
            tiers,
            broken: self.broken,
            watched: Duration::from_secs(self.seconds),
            refused: None,
            digest: Digest(world.digest()),
        }
    }
}

/// The share of the requests that were answered well, where most have not ended at all: nobody has failed then, and nobody is served.
fn answered_well(frame: &Frame, measure: &Measure) -> Option<f64> {
    let recent = match measure {
        Measure::Ok => frame.recent,
        Measure::OkOf(name) => {
            let services = frame.topology.services.iter().zip(&frame.services);
            let mut named = services.filter(|(info, _)| info.selector == *name || info.name == *name);
            named.find_map(|(_, state)| state.users.as_ref())?.recent
        }
        _ => return None,
    };
    let waits = recent.sent >= MANY && ((recent.ok + recent.failed) as f64) < ENDED * recent.sent as f64;
    waits.then(|| recent.ok as f64 / recent.sent as f64)
}

/// The utilisation of those machines of a service that are up: one that is lost is not idle.
fn busy(frame: &Frame, measure: &Measure) -> Option<f64> {
    let Measure::Utilisation(service) = measure else {
        return None;
    };
    let services = frame.topology.services.iter().zip(&frame.services);
    let named = services.filter(|(info, _)| info.selector == *service || info.name == *service);
    let up = named
        .flat_map(|(_, state)| &state.instances)
        .filter(|instance| instance.health == Health::Up);
    let shares: Vec<f64> = up.map(|instance| instance.utilisation).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

/// The first queue or outbox that grows. Queues of dead messages are for people to empty.
fn growing(before: &Frame, after: &Frame, seconds: f64) -> Option<Broken> {
    let grows = |grown: u64, came: u64| grown > GROWN && grown as f64 > GROWTH * came as f64;
    for (info, state) in after.topology.services.iter().zip(&after.services) {
        let same = before
            .topology
            .services
            .iter()
            .position(|other| other.selector == info.selector);
        let Some(earlier) = same.map(|index| &before.services[index]) else {
            continue;
        };
        if let (Some(now), Some(earlier)) = (&state.queue, &earlier.queue) {
            let more = now.waiting.saturating_sub(earlier.waiting);
            let came = now.total.published - earlier.total.published;
            if now.dead_of.is_empty() && grows(more, came) {
                return Some(Broken::Queue {
                    queue: info.selector.clone(),
                    per_second: more as f64 / seconds,
                });
            }
        }
        if let (Some(now), Some(earlier)) = (&state.publisher, &earlier.publisher) {
            let more = now.outbox.saturating_sub(earlier.outbox);
            let kept = now.total.kept - earlier.total.kept;
            let sent = now.total.sent_later - earlier.total.sent_later;
            // However few they are: if none of them gets away, there is no end to it.
            let is_stuck = sent == 0 && (now.outbox >= STUCK || earlier.outbox > 0 && now.outbox > 0);
            if is_stuck || grows(more, kept) {
                return Some(Broken::Outbox {
                    service: info.selector.clone(),
                    queue: after.topology.services[now.to].selector.clone(),
                    per_second: more as f64 / seconds,
                });
            }
        }
    }
    None
}

#[cfg(test)]
mod tests;
