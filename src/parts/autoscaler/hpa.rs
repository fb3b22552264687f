//! What an autoscaler decides: the arithmetic of the Kubernetes Horizontal Pod Autoscaler, apart from how it measures and acts.

use std::collections::VecDeque;
use std::time::Duration;

use crate::layout::{Autoscaler, Target};
use crate::observe::{Decision, Limit};
use crate::sim::SimTime;

/// The period of the pace at which it scales up (`periodSeconds` of the default scaling policies).
const PERIOD: Duration = Duration::from_secs(15);
/// Machines that it may always add in a period; otherwise as many as there were at its start.
const ALWAYS: u32 = 4;
/// Ratios of floating point numbers that are equal on paper differ by less than this.
const ROUNDING: f64 = 1e-9;

/// The machines that an autoscaler sees.
#[derive(Clone, Copy, Debug)]
pub struct Machines<'a> {
    /// What was measured on each machine that serves: the share of its cores in use, or its requests a second.
    pub measures: &'a [f64],
    /// Machines that are booting.
    pub booting: u32,
    /// All machines. Those that neither were measured nor are booting do not answer.
    pub total: u32,
}

/// The memory of an autoscaler: what it wanted, and what it did of late.
///
/// What it wanted is kept as two queues of falling and of rising numbers, so that their memory is bounded by the most machines
/// that there may be, not by the length of the windows.
#[derive(Debug, Default)]
pub struct Hpa {
    /// What it wanted in the window for scaling down, without what a later larger number outlasts.
    highest: VecDeque<(SimTime, u32)>,
    /// What it wanted in the window for scaling up, without what a later smaller number outlasts.
    lowest: VecDeque<(SimTime, u32)>,
    /// Machines added, or taken away, within a period.
    changes: VecDeque<(SimTime, i64)>,
}

impl Hpa {
    /// Decides how many machines there are to be from now on, and takes it that they will be. `None`: no machine was measured, and
    /// their number is within the bounds, so that nothing is to be done.
    pub fn decide(&mut self, scaler: &Autoscaler, now: SimTime, machines: Machines<'_>) -> Option<Decision> {
        let measured = mean(machines.measures);
        let wanted = measured.map(|measured| wanted(scaler, measured, machines));
        self.settle(scaler, now, machines.total, wanted, measured)
    }

    /// The same when something else than machines was measured, such as a queue, and calls for so many machines. Within the tolerance of those that
    /// there are nothing is done; where nothing is called for, none are left but the fewest.
    pub fn decide_for(
        &mut self,
        scaler: &Autoscaler,
        now: SimTime,
        from: u32,
        needed: Option<f64>,
        measured: Option<f64>,
    ) -> Option<Decision> {
        let wanted = needed.map(|needed| {
            let near = from > 0 && (needed / f64::from(from) - 1.0).abs() <= scaler.tolerance + ROUNDING;
            if near { from } else { times(needed, 1) }
        });
        self.settle(scaler, now, from, wanted, measured)
    }

    fn settle(
        &mut self,
        scaler: &Autoscaler,
        now: SimTime,
        from: u32,
        wanted: Option<u32>,
        measured: Option<f64>,
    ) -> Option<Decision> {
        let target = target(scaler);
        let (to, limit) = if from < scaler.min {
            (scaler.min, Limit::Min)
        } else if from > scaler.max {
            (scaler.max, Limit::Max)
        } else {
            self.restrain(scaler, now, from, wanted?)
        };
        if from != to {
            self.changes.push_back((now, i64::from(to) - i64::from(from)));
        }
        Some(Decision {
            from,
            to,
            measured: measured.unwrap_or(0.0),
            target,
            limit,
        })
    }

    /// Remembers how many machines there are when it begins to watch, as if so many had been wanted: what it finds stays for the windows'
    /// time (`recordInitialRecommendation`).
    pub fn begin(&mut self, now: SimTime, machines: u32) {
        self.highest.push_back((now, machines));
        self.lowest.push_back((now, machines));
    }

    /// Bounds, windows and pace, in this order (`normalizeDesiredReplicasWithBehaviors`).
    fn restrain(&mut self, scaler: &Autoscaler, now: SimTime, from: u32, wanted: u32) -> (u32, Limit) {
        let bounded = wanted.clamp(scaler.min, scaler.max);
        let mut limit = match wanted {
            _ if wanted < bounded => Limit::Min,
            _ if wanted > bounded => Limit::Max,
            _ => Limit::None,
        };
        let stable = self.stabilise(scaler, now, from, bounded);
        if stable != bounded {
            limit = Limit::Window;
        }
        let most = self.most(now, from);
        if stable > from && stable > most {
            return (most, Limit::Pace);
        }
        (stable, limit)
    }

    /// Up only to the least, down only to the most that was wanted in the window (`stabilizeRecommendationWithBehaviors`).
    fn stabilise(&mut self, scaler: &Autoscaler, now: SimTime, from: u32, wanted: u32) -> u32 {
        forget(&mut self.lowest, now, scaler.up_window);
        forget(&mut self.highest, now, scaler.down_window);
        let least = self.lowest.front().map_or(wanted, |(_, least)| wanted.min(*least));
        let most = self.highest.front().map_or(wanted, |(_, most)| wanted.max(*most));
        while self.lowest.back().is_some_and(|(_, last)| *last >= wanted) {
            self.lowest.pop_back();
        }
        while self.highest.back().is_some_and(|(_, last)| *last <= wanted) {
            self.highest.pop_back();
        }
        self.lowest.push_back((now, wanted));
        self.highest.push_back((now, wanted));
        from.max(least).min(most)
    }

    /// The most machines that the pace allows: twice as many, or four more, than at the start of the period
    /// (`calculateScaleUpLimitWithScalingRules` with the default policies). Down there is no such limit.
    fn most(&mut self, now: SimTime, from: u32) -> u32 {
        forget(&mut self.changes, now, PERIOD);
        let changed: i64 = self.changes.iter().map(|(_, change)| change).sum();
        let start = u32::try_from(i64::from(from) - changed).unwrap_or(0);
        start.saturating_mul(2).max(start.saturating_add(ALWAYS)).max(from)
    }
}

/// How many machines the measures call for (`GetResourceReplicas` of the replica calculator).
fn wanted(scaler: &Autoscaler, measured: f64, machines: Machines<'_>) -> u32 {
    let (from, target) = (machines.total, target(scaler));
    let near = |ratio: f64| (ratio - 1.0).abs() <= scaler.tolerance + ROUNDING;
    let ready = machines.measures.len() as u32;
    let ratio = measured / target;
    if !scaler.counts_booting {
        return if near(ratio) { from } else { times(ratio, from) };
    }
    let silent = from.saturating_sub(ready).saturating_sub(machines.booting);
    let up = ratio > 1.0;
    if silent == 0 && !(up && machines.booting > 0) {
        return if near(ratio) { from } else { times(ratio, ready) };
    }
    // Who does not answer is taken to be idle when it would scale up and busy when it would scale down; who boots is idle. Then
    // nothing is done if that calls for the contrary.
    let busy = match scaler.target {
        Target::Utilisation(share) => share.max(1.0),
        Target::Requests(rate) => rate,
        // What waits in a queue is not measured on machines.
        Target::Depth(_) | Target::Age(_) => 0.0,
    };
    let counted = ready + silent + if up { machines.booting } else { 0 };
    let assumed = if up { 0.0 } else { busy * f64::from(silent) };
    let again = (measured * f64::from(ready) + assumed) / f64::from(counted) / target;
    if near(again) || up != (again > 1.0) {
        return from;
    }
    let wanted = times(again, counted);
    if up { wanted.max(from) } else { wanted.min(from) }
}

/// Rounds up, but not for an error of rounding.
fn times(ratio: f64, machines: u32) -> u32 {
    libm::ceil(ratio * f64::from(machines) * (1.0 - ROUNDING)) as u32
}

fn target(scaler: &Autoscaler) -> f64 {
    match scaler.target {
        Target::Utilisation(value) | Target::Requests(value) | Target::Depth(value) => value,
        Target::Age(age) => age.as_secs_f64(),
    }
}

fn mean(measures: &[f64]) -> Option<f64> {
    (!measures.is_empty()).then(|| measures.iter().sum::<f64>() / measures.len() as f64)
}

/// Forgets what is a window and more ago.
fn forget<T>(entries: &mut VecDeque<(SimTime, T)>, now: SimTime, window: Duration) {
    while entries.front().is_some_and(|(at, _)| now.since(*at) >= window) {
        entries.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use crate::sim::Stream;

    use super::*;

    fn scaler() -> Autoscaler {
        Autoscaler {
            min: 1,
            max: 1_000,
            target: Target::Utilisation(0.6),
            every: Duration::from_secs(15),
            tolerance: 0.1,
            up_window: Duration::ZERO,
            down_window: Duration::from_secs(300),
            counts_booting: true,
        }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    /// What is decided first, of so many machines with this measure, booting and silent ones.
    fn first(scaler: &Autoscaler, ready: usize, measure: f64, booting: u32, silent: u32) -> Option<(u32, Limit)> {
        let measures = vec![measure; ready];
        let machines = Machines {
            measures: &measures,
            booting,
            total: ready as u32 + booting + silent,
        };
        let decision = Hpa::default().decide(scaler, at(0), machines)?;
        Some((decision.to, decision.limit))
    }

    #[test]
    fn it_wants_as_many_as_the_ratio_says_rounded_up() {
        let scaler = scaler();
        assert_eq!(first(&scaler, 10, 0.9, 0, 0), Some((15, Limit::None)));
        assert_eq!(first(&scaler, 10, 0.91, 0, 0), Some((16, Limit::None)));
        assert_eq!(first(&scaler, 10, 0.66, 0, 0), Some((10, Limit::None)));
        assert_eq!(first(&scaler, 10, 0.54, 0, 0), Some((10, Limit::None)));
        assert_eq!(first(&scaler, 10, 0.3, 0, 0), Some((5, Limit::None)));
        assert_eq!(first(&scaler, 10, 0.0, 0, 0), Some((1, Limit::Min)));
        assert_eq!(first(&scaler, 10, 2.4, 0, 0), Some((20, Limit::Pace)));
        assert_eq!(first(&scaler, 1, 6.0, 0, 0), Some((5, Limit::Pace)));
        assert_eq!(first(&scaler, 600, 1.2, 0, 0), Some((1_000, Limit::Max)));
        // Equal on paper: 10 times 0.6 / 0.2.
        let requests = Autoscaler {
            target: Target::Requests(0.2),
            ..scaler
        };
        assert_eq!(first(&requests, 10, 0.6, 0, 0), Some((20, Limit::Pace)));
        assert_eq!(first(&requests, 1, 0.6, 0, 0), Some((3, Limit::None)));
    }

    #[test]
    fn booting_machines_count_as_idle_when_it_would_scale_up() {
        let scaler = scaler();
        // 4 at 0.9 and 2 that boot: the mean is 0.6, as it is to be.
        assert_eq!(first(&scaler, 4, 0.9, 2, 0), Some((6, Limit::None)));
        // With 4 that boot it would even scale down: nothing is done.
        assert_eq!(first(&scaler, 4, 0.9, 4, 0), Some((8, Limit::None)));
        assert_eq!(first(&scaler, 4, 1.0, 1, 0), Some((7, Limit::None)));
        // Left out of the mean but counted as machines they let it overshoot.
        let naive = Autoscaler {
            counts_booting: false,
            ..scaler
        };
        assert_eq!(first(&naive, 4, 0.9, 2, 0), Some((9, Limit::None)));
    }

    #[test]
    fn silent_machines_are_taken_for_what_hinders_a_change() {
        let scaler = scaler();
        // Up: idle. 6 at 0.9 and 3 silent make 0.6; 6 at 1 and 2 silent make 0.75.
        assert_eq!(first(&scaler, 6, 0.9, 0, 3), Some((9, Limit::None)));
        assert_eq!(first(&scaler, 6, 1.0, 0, 2), Some((10, Limit::None)));
        // Down: busy. 6 at 0.1 and 2 silent make 0.325; 6 at 0.5 and 2 silent make 0.625.
        assert_eq!(first(&scaler, 6, 0.1, 0, 2), Some((5, Limit::None)));
        assert_eq!(first(&scaler, 6, 0.5, 0, 2), Some((8, Limit::None)));
    }

    #[test]
    fn without_a_measure_it_only_keeps_the_bounds() {
        let scaler = Autoscaler {
            min: 3,
            max: 8,
            ..scaler()
        };
        assert_eq!(first(&scaler, 0, 0.0, 5, 0), None);
        assert_eq!(first(&scaler, 0, 0.0, 0, 2), Some((3, Limit::Min)));
        assert_eq!(first(&scaler, 0, 0.0, 12, 0), Some((8, Limit::Max)));
        assert_eq!(first(&scaler, 2, 0.1, 0, 0), Some((3, Limit::Min)));
    }

    #[test]
    fn it_goes_down_only_to_the_most_and_up_only_to_the_least_of_its_window() {
        let slow = Autoscaler {
            up_window: Duration::from_secs(60),
            ..scaler()
        };
        let mut hpa = Hpa::default();
        let mut decide = |second: u64, measure: f64, total: usize| {
            let machines = Machines {
                measures: &vec![measure; total],
                booting: 0,
                total: total as u32,
            };
            let decision = hpa.decide(&slow, at(second), machines).expect("it was measured");
            (decision.to, decision.limit)
        };
        assert_eq!(decide(0, 0.6, 10), (10, Limit::None));
        assert_eq!(decide(15, 0.9, 10), (10, Limit::Window));
        assert_eq!(decide(30, 0.78, 10), (10, Limit::Window));
        assert_eq!(decide(60, 0.9, 10), (13, Limit::Window));
        assert_eq!(decide(75, 0.3, 13), (13, Limit::Window));
        // The 15 of second 60 are the most until second 360; then the 7 of second 75 are.
        assert_eq!(decide(359, 0.2, 13), (13, Limit::Window));
        assert_eq!(decide(360, 0.2, 13), (7, Limit::Window));
        assert_eq!(decide(380, 0.6, 7), (7, Limit::None));
    }

    #[test]
    fn the_pace_holds_for_fifteen_seconds_however_often_it_decides() {
        let mut hpa = Hpa::default();
        let mut total = 10;
        let mut seen = Vec::new();
        for second in 0..=30 {
            let machines = Machines {
                measures: &vec![6.0; total as usize],
                booting: 0,
                total,
            };
            total = hpa.decide(&scaler(), at(second), machines).expect("measured").to;
            seen.push(total);
        }
        assert_eq!((seen[0], seen[14], seen[15], seen[29], seen[30]), (20, 20, 40, 40, 80));
    }

    /// A service under a load, with machines that boot for a while: what an autoscaler makes of it.
    struct Plant {
        hpa: Hpa,
        scaler: Autoscaler,
        boot: u64,
        now: u64,
        ready: u32,
        /// When those that boot will serve.
        booting: Vec<u64>,
        noise: Stream,
    }

    impl Plant {
        fn new(scaler: Autoscaler, seed: u64, boot: u64, ready: u32) -> Plant {
            Plant {
                hpa: Hpa::default(),
                scaler,
                boot,
                now: 0,
                ready,
                booting: Vec::new(),
                noise: Stream::new(seed, "plant", "noise"),
            }
        }

        /// Works under a load, in machines at their target, so many seconds; returns the numbers that it went through.
        fn run(&mut self, load: f64, noise: f64, seconds: u64) -> Vec<u32> {
            let end = self.now + seconds;
            let mut numbers = vec![self.ready + self.booting.len() as u32];
            while self.now < end {
                self.now += self.scaler.every.as_secs();
                let before = self.booting.len();
                self.booting.retain(|until| *until > self.now);
                self.ready += (before - self.booting.len()) as u32;
                let share = load * target(&self.scaler) / f64::from(self.ready.max(1));
                let measures: Vec<f64> = (0..self.ready)
                    .map(|_| share * (1.0 + noise * (2.0 * self.noise.draw().unit() - 1.0)))
                    .collect();
                let machines = Machines {
                    measures: &measures,
                    booting: self.booting.len() as u32,
                    total: self.ready + self.booting.len() as u32,
                };
                if let Some(decision) = self.hpa.decide(&self.scaler, at(self.now), machines) {
                    self.obey(decision);
                    if decision.from != decision.to {
                        numbers.push(decision.to);
                    }
                }
            }
            numbers
        }

        fn obey(&mut self, decision: Decision) {
            assert!(
                (self.scaler.min..=self.scaler.max).contains(&decision.to),
                "{decision:?}"
            );
            for _ in decision.from..decision.to {
                self.booting.push(self.now + self.boot);
            }
            for _ in decision.to..decision.from {
                if self.booting.pop().is_none() {
                    self.ready -= 1;
                }
            }
        }
    }

    #[test]
    fn the_bounds_are_never_left_whatever_the_load() {
        for seed in 0..200 {
            let mut dice = Stream::new(seed, "bounds", "settings");
            let mut dice = |bound| dice.draw().below(bound);
            let min = 1 + dice(5) as u32;
            let scaler = Autoscaler {
                min,
                max: min + dice(40) as u32,
                every: Duration::from_secs(1 + dice(30)),
                up_window: Duration::from_secs(dice(60)),
                down_window: Duration::from_secs(dice(400)),
                counts_booting: dice(2) == 0,
                ..scaler()
            };
            let mut plant = Plant::new(scaler, seed, dice(120), min);
            for _ in 0..20 {
                plant.run(dice(100) as f64, 0.5, 120);
                // Now and then all that are ready die.
                if dice(10) == 0 {
                    plant.ready = 0;
                }
            }
        }
    }

    #[test]
    fn a_steady_noisy_load_does_not_make_it_flap() {
        for seed in 0..300 {
            let mut dice = Stream::new(seed, "steady", "settings");
            let load = 1.0 + 40.0 * dice.draw().unit();
            let start = 1 + dice.draw().below(60) as u32;
            let mut plant = Plant::new(scaler(), seed, dice.draw().below(90), start);
            let numbers = plant.run(load, 0.04, 3_600);
            let turns = numbers.windows(3).filter(|three| {
                let (before, after) = (three[1].cmp(&three[0]), three[2].cmp(&three[1]));
                before != after
            });
            assert!(turns.count() <= 1, "{seed}: {load} from {start}: {numbers:?}");
        }
    }

    #[test]
    fn it_follows_a_threefold_step_and_comes_back_after_its_window() {
        for base in 1..=40_u32 {
            for boot in [0, 10, 40, 130] {
                let mut plant = Plant::new(scaler(), 1, boot, base);
                let load = f64::from(base);
                assert_eq!(plant.run(load, 0.0, 600), [base]);
                let up = plant.run(3.0 * load, 0.0, 1_200);
                assert_eq!(up.last(), Some(&(3 * base)), "{base} with {boot} s: {up:?}");
                assert!(up.is_sorted(), "it overshot: {up:?}");
                assert_eq!(plant.run(load, 0.0, 285), [3 * base]);
                assert_eq!(plant.run(load, 0.0, 60), [3 * base, base]);
            }
        }
        // Half a machine more is a machine more.
        assert_eq!(Plant::new(scaler(), 1, 30, 3).run(6.5, 0.0, 1_200).last(), Some(&7));
        // The one that leaves booting machines out of its mean overshoots.
        let naive = Autoscaler {
            counts_booting: false,
            ..scaler()
        };
        let up = Plant::new(naive, 1, 60, 10).run(30.0, 0.0, 300);
        assert!(up.iter().any(|number| *number > 60), "{up:?}");
    }
}
