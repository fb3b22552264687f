//! A monitor: a lease service. It gives the lease of a shard's primary to one node at a time, and to another one only when it has run out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::layout::Failover;
use crate::observe::{MonitorProbe, System};
use crate::protocol::{Answer, Lease, LeaseWish, Position, Reply, Request, Term};
use crate::sim::{Cx, InstanceId, SimTime, Software};

use super::common::Cluster;

/// What a monitor keeps on its disk.
#[derive(Debug, Default)]
struct Granted {
    formatted: Cell<bool>,
    /// It is new, and does not know what the one before it has granted: it grants nothing until all that has run out.
    silent_until: Cell<SimTime>,
    /// By shard.
    leases: RefCell<Vec<Grant>>,
}

/// A lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grant {
    holder: Option<InstanceId>,
    term: Term,
    until: SimTime,
}

/// Who wants a lease.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    by: InstanceId,
    position: Position,
    at: SimTime,
}

/// What it has heard of those who want the lease of a shard, in memory.
#[derive(Debug, Default)]
struct Wishes {
    /// The last wish of each node.
    last: Vec<Wanted>,
    /// Since when it has collected them.
    since: SimTime,
}

/// A monitor.
pub struct Monitor {
    cluster: Rc<Cluster>,
    probe: Rc<MonitorProbe>,
    disk: Rc<Granted>,
    /// By shard.
    wishes: RefCell<Vec<Wishes>>,
}

impl Monitor {
    /// A monitor over the disk of its machine. The first ones have granted the lease to the first node of each shard at the start of the
    /// world.
    pub fn new(cx: &Cx<System>, cluster: Rc<Cluster>, probe: Rc<MonitorProbe>, first: bool) -> Monitor {
        let disk = cx.disk::<Granted>();
        let monitor = Monitor {
            cluster,
            probe,
            disk,
            wishes: RefCell::default(),
        };
        if !monitor.disk.formatted.replace(true) {
            if first {
                monitor.know_all_shards();
            } else {
                monitor.disk.silent_until.set(cx.now() + monitor.failover().after);
                let shards = monitor.cluster.shards.borrow().len();
                let unknown = Grant {
                    holder: None,
                    term: Term::default(),
                    until: SimTime::ZERO,
                };
                monitor.disk.leases.replace(vec![unknown; shards]);
            }
        }
        monitor.know_all_shards();
        monitor.show();
        monitor
    }

    fn failover(&self) -> Failover {
        let spec = self.cluster.spec.borrow();
        let settings = spec.replication.primary_replicas();
        settings.and_then(|settings| settings.failover).unwrap_or_default()
    }

    /// A shard that it has not heard of yet is as at its start: its first node is primary, under a lease of the start of the world.
    fn know_all_shards(&self) {
        let after = self.failover().after;
        let mut leases = self.disk.leases.borrow_mut();
        for members in self.cluster.shards.borrow().iter().skip(leases.len()) {
            let first = members.iter().find(|member| member.node == 0);
            leases.push(Grant {
                holder: first.map(|member| member.id),
                term: Term::FIRST,
                until: SimTime::ZERO + after,
            });
        }
        let shards = leases.len();
        self.wishes.borrow_mut().resize_with(shards, Wishes::default);
    }

    fn show(&self) {
        let leases = self.disk.leases.borrow();
        let shown = leases.iter().map(|lease| (lease.holder, lease.until)).collect();
        self.probe.leases.replace(shown);
    }

    /// Answers a wish.
    fn judge(&self, now: SimTime, from: InstanceId, wish: LeaseWish) -> Lease {
        self.know_all_shards();
        let shard = wish.shard as usize;
        let Some(mut lease) = self.disk.leases.borrow().get(shard).copied() else {
            let (granted, holder) = (false, None);
            let term = Term::default();
            return Lease { granted, holder, term };
        };
        let granted = if wish.release {
            // One that was on its way for long must not end a later lease.
            if lease.holder == Some(from) && lease.term == wish.term {
                lease = Grant {
                    holder: None,
                    until: lease.until.min(now),
                    ..lease
                };
            }
            false
        } else {
            self.may_have(now, from, &lease, wish)
        };
        if granted {
            lease = Grant {
                holder: Some(from),
                term: wish.term,
                until: now + self.failover().after,
            };
            self.wishes.borrow_mut()[shard] = Wishes::default();
        }
        self.disk.leases.borrow_mut()[shard] = lease;
        self.show();
        Lease {
            granted,
            holder: lease.holder,
            term: lease.term,
        }
    }

    /// Whether a node may have the lease: its own it may renew; one that has run out goes to whoever is furthest of those who have
    /// asked for it for a while.
    fn may_have(&self, now: SimTime, from: InstanceId, lease: &Grant, wish: LeaseWish) -> bool {
        let after = self.failover().after;
        let mut wishes = self.wishes.borrow_mut();
        let wishes = &mut wishes[wish.shard as usize];
        let heard = wishes.last.iter().map(|wanted| wanted.at).max();
        if heard.is_none_or(|heard| now - heard > after / 2) {
            wishes.since = now;
        }
        wishes
            .last
            .retain(|wanted| wanted.by != from && now - wanted.at <= after / 3);
        wishes.last.push(Wanted {
            by: from,
            position: wish.position,
            at: now,
        });
        if now < self.disk.silent_until.get() || wish.term < lease.term {
            return false;
        }
        let is_better = |other: &Wanted| (other.position, from) > (wish.position, other.by);
        let is_furthest = !wishes.last.iter().any(|other| other.by != from && is_better(other));
        if lease.holder == Some(from) {
            return now < lease.until || is_furthest;
        }
        let collected = now >= lease.until + after / 6 && now >= wishes.since + after / 6;
        collected && is_furthest
    }
}

impl Software<System> for Monitor {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        Reply::answer(match request {
            Request::Lease(wish) => Answer::Lease(self.judge(cx.now(), cx.from(), wish)),
            _ => Answer::Fine,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::layout::{self, PrimaryReplicas, Replication};

    use super::super::common::{Member, ShardMap};

    const A: InstanceId = InstanceId(1);
    const B: InstanceId = InstanceId(2);
    const C: InstanceId = InstanceId(3);

    /// A monitor of a shard of three nodes; leases last 6 s, and A has one from the start.
    fn monitor() -> Monitor {
        let member = |(node, id)| Member {
            id,
            node,
            site: 0,
            voter: true,
        };
        let work = layout::Distribution::Constant(Duration::from_millis(1));
        let spec = layout::Database {
            on: None,
            machines: 3,
            first: None,
            monitors_in: Vec::new(),
            size: "m".into(),
            slots: 1,
            backlog: 1,
            connections: None,
            read: work,
            write: work,
            apply: work,
            flush: Duration::ZERO,
            checkpoint: 1,
            log: 1,
            copy_rate: 1.0,
            rows: 0,
            boot: Duration::ZERO,
            replication: Replication::PrimaryReplicas(PrimaryReplicas::default()),
            sharding: None,
        };
        let monitor = Monitor {
            cluster: Rc::new(Cluster {
                sites: RefCell::default(),
                spec: RefCell::new(spec),
                shards: RefCell::new(vec![(0..3).zip([A, B, C]).map(member).collect()]),
                map: RefCell::new(ShardMap::new(None, 1, 0)),
                monitors: RefCell::default(),
                clients: RefCell::default(),
                keys: Cell::new(0),
            }),
            probe: Rc::default(),
            disk: Rc::default(),
            wishes: RefCell::default(),
        };
        monitor.know_all_shards();
        monitor
    }

    fn at(seconds: f64) -> SimTime {
        SimTime((seconds * 1e9) as u64)
    }

    fn wish(term: u32, index: u64, release: bool) -> LeaseWish {
        LeaseWish {
            shard: 0,
            term: Term(term),
            position: Position { term: Term(1), index },
            release,
        }
    }

    /// Whether a node gets it that asks at this time, in this term, this far.
    fn asks(monitor: &Monitor, seconds: f64, from: InstanceId, term: u32, index: u64) -> bool {
        monitor.judge(at(seconds), from, wish(term, index, false)).granted
    }

    #[test]
    fn the_holder_renews_and_nobody_else_gets_it_before_it_has_run_out_for_a_while() {
        let monitor = monitor();
        let first = Term::FIRST.0;
        assert!(asks(&monitor, 2.0, A, first, 5));
        assert_eq!(monitor.probe.leases.borrow()[..], [(Some(A), at(8.0))]);
        for tenth in 50..90 {
            assert!(!asks(&monitor, f64::from(tenth) / 10.0, B, 200, 5), "{tenth}");
        }
        assert!(asks(&monitor, 9.0, B, 200, 5));
        let answer = monitor.judge(at(9.1), A, wish(first, 5, false));
        assert_eq!(
            (answer.granted, answer.holder, answer.term),
            (false, Some(B), Term(200))
        );
    }

    #[test]
    fn of_those_who_ask_the_furthest_gets_it_and_of_two_alike_the_first() {
        let monitor = monitor();
        for (round, expected) in [(10.0, false), (11.0, true)] {
            assert!(!asks(&monitor, round, C, 203, 7), "B is as far");
            assert!(!asks(&monitor, round, A, 201, 6));
            assert_eq!(asks(&monitor, round, B, 202, 7), expected);
        }
    }

    #[test]
    fn one_who_has_fallen_silent_is_not_waited_for() {
        let monitor = monitor();
        assert!(!asks(&monitor, 10.0, C, 203, 9));
        assert!(!asks(&monitor, 11.0, B, 202, 7));
        assert!(asks(&monitor, 12.5, B, 202, 7));
    }

    #[test]
    fn what_is_given_back_is_free_and_an_old_release_ends_no_later_lease() {
        let monitor = monitor();
        monitor.judge(at(1.0), A, wish(Term::FIRST.0, 5, true));
        assert!(!asks(&monitor, 1.0, B, 202, 5));
        assert!(asks(&monitor, 2.0, B, 202, 5));
        for (from, term) in [(B, 201), (A, 202)] {
            monitor.judge(at(2.1), from, wish(term, 5, true));
            assert_eq!(monitor.probe.leases.borrow()[0].0, Some(B));
        }
        assert!(
            !asks(&monitor, 2.2, B, 100, 5),
            "in an earlier term not even the holder"
        );
    }

    #[test]
    fn a_new_one_grants_nothing_until_all_that_it_does_not_know_of_has_run_out() {
        let monitor = monitor();
        monitor.disk.silent_until.set(at(20.0));
        assert!((100..200).all(|tenth| !asks(&monitor, f64::from(tenth) / 10.0, B, 202, 5)));
        assert!(asks(&monitor, 20.0, B, 202, 5));
    }
}
