//! How many workers a queue needs: by what waits, or by how long the oldest message is to wait.

use std::time::Duration;

use crate::layout::Target;
use crate::protocol::Depth;
use crate::sim::SimTime;

/// What a machine did between two measures.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// How long its slots were busy, all together.
    pub busy: Duration,
    /// Messages that it ended.
    pub requests: u64,
    /// Its slots.
    pub slots: u32,
}

/// What a queue needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Need {
    /// Machines, not rounded.
    pub machines: f64,
    /// What is held at its target: messages of each machine, or seconds to work off what waits.
    pub measured: f64,
}

/// What an autoscaler has learnt of its workers and their queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Mean seconds that a message takes, and slots of a machine; as last measured.
    work: Option<(f64, f64)>,
    /// When the queue was asked last, and what it had published by then.
    last: Option<(SimTime, u64)>,
}

impl Backlog {
    /// Learns how long a message takes. Without one that ended what was known stays.
    pub fn learn(&mut self, ended: &[Ended]) {
        let requests: u64 = ended.iter().map(|ended| ended.requests).sum();
        if requests == 0 {
            return;
        }
        let busy: f64 = ended.iter().map(|ended| ended.busy.as_secs_f64()).sum();
        let slots: f64 = ended.iter().map(|ended| f64::from(ended.slots)).sum();
        self.work = Some((busy / requests as f64, slots / ended.len() as f64));
    }

    /// What a queue needs of which so much is known now; nothing if it did not answer, or if it takes longer to tell.
    ///
    /// By depth: as many machines as the messages that wait or are in progress, over those of each (KEDA's `queueLength`, which counts those in flight
    /// too). By age: enough to keep up with what comes, and besides to work off what waits within that time: the acceptable backlog of a machine is that
    /// time over what a message takes (AWS, Scaling based on Amazon SQS). While there is something to do there is at least one.
    pub fn need(&mut self, target: Target, now: SimTime, machines: u32, depth: Option<Depth>) -> Option<Need> {
        let depth = depth?;
        let before = self.last.replace((now, depth.published));
        let held = (depth.waiting + depth.in_flight) as f64;
        let least = if held > 0.0 { 1.0 } else { 0.0 };
        match target {
            Target::Depth(each) => Some(Need {
                machines: (held / each).max(least),
                measured: held / f64::from(machines.max(1)),
            }),
            Target::Age(age) => {
                let Some((work, slots)) = self.work else {
                    // Nobody has ended a message yet: one worker finds out.
                    return Some(Need {
                        machines: f64::from(machines).max(least),
                        measured: 0.0,
                    });
                };
                // A queue that started anew counts from 0.
                let (since, published) = before.filter(|(_, published)| *published <= depth.published)?;
                let seconds = (now - since).as_secs_f64();
                let rate = if seconds > 0.0 {
                    (depth.published - published) as f64 / seconds
                } else {
                    0.0
                };
                let waiting = depth.waiting as f64 * work / slots;
                Some(Need {
                    machines: (rate * work / slots + waiting / age.as_secs_f64()).max(least),
                    measured: waiting / f64::from(machines.max(1)),
                })
            }
            Target::Utilisation(_) | Target::Requests(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(waiting: u64, in_flight: u64, published: u64) -> Depth {
        Depth {
            waiting,
            in_flight,
            published,
        }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    #[test]
    fn by_depth_each_machine_has_so_many_messages() {
        let mut backlog = Backlog::default();
        let mut need = |waiting, in_flight, machines| {
            let need = backlog.need(Target::Depth(20.0), at(0), machines, Some(depth(waiting, in_flight, 0)));
            need.map(|need| (need.machines, need.measured))
        };
        assert_eq!(need(0, 0, 3), Some((0.0, 0.0)));
        assert_eq!(need(1, 0, 0), Some((1.0, 1.0)));
        assert_eq!(need(90, 10, 4), Some((5.0, 25.0)));
        assert_eq!(backlog.need(Target::Depth(20.0), at(0), 4, None), None);
    }

    #[test]
    fn by_age_they_keep_up_and_work_off_what_waits_in_time() {
        let mut backlog = Backlog::default();
        let age = Target::Age(Duration::from_secs(30));
        // Before anything was learnt one finds out.
        assert_eq!(
            backlog
                .need(age, at(0), 0, Some(depth(5, 0, 5)))
                .map(|need| need.machines),
            Some(1.0)
        );
        backlog.learn(&[Ended {
            busy: Duration::from_secs(20),
            requests: 100,
            slots: 4,
        }]);
        backlog.learn(&[]);
        // 50 a second of 0.2 s on 4 slots: 2.5 machines; and 1,200 that wait: 60 s of one machine.
        let need = backlog
            .need(age, at(10), 2, Some(depth(1_200, 8, 505)))
            .expect("all is known");
        assert!((need.machines - (2.5 + 2.0)).abs() < 1e-9, "{need:?}");
        assert!((need.measured - 30.0).abs() < 1e-9, "{need:?}");
        // A queue that started anew says nothing at first.
        assert_eq!(backlog.need(age, at(20), 2, Some(depth(0, 0, 3))), None);
        assert_eq!(
            backlog
                .need(age, at(30), 2, Some(depth(0, 0, 3)))
                .map(|need| need.machines),
            Some(0.0)
        );
    }
}
