//! The shard that rows come to: its primary draws them in.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::{Answer, Change, HandedOver, Handover, Moved, Request, Row, Term, Write};
use crate::sim::{Cx, SimTime, join_all};

use super::super::Database;
use super::moves::DONE;

/// Keys in one range at most.
const RANGE: f64 = 1_000.0;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two looks whether the source still knows that all has left.
const LOOK: Duration = Duration::from_secs(1);

/// A range that the source has handed out.
struct Fetched {
    number: u64,
    start: u64,
    upto: u64,
    rows: Rc<[(u64, Row)]>,
}

/// A move under way: as long as the node is primary, and the map is the same.
#[derive(Clone, Copy)]
struct Under {
    term: Term,
    shards: u32,
}

impl Database {
    /// Draws rows in whenever the map says that they move here, as long as it is primary.
    pub(in super::super) async fn migrate(self: Rc<Self>, cx: Cx<System>, term: Term) {
        let mut seen = 0;
        while self.reigns_in(term) {
            let shards = {
                let map = self.cluster.map.borrow();
                map.is_moving().then(|| map.shards())
            };
            let Some(shards) = shards.filter(|shards| *shards != seen) else {
                self.changed.wait(&cx).await;
                continue;
            };
            seen = shards;
            let under = Under { term, shards };
            self.leave_clean(&cx, under).await;
            self.draw_all(&cx, under).await;
        }
    }

    fn reigns_in(&self, term: Term) -> bool {
        self.decides() && self.reign.get().unwrap_or_default() == term
    }

    fn is_under(&self, under: Under) -> bool {
        let map = self.cluster.map.borrow();
        self.reigns_in(under.term) && map.is_moving() && map.shards() == under.shards
    }

    /// What has left under an earlier primary may still be on the disk.
    async fn leave_clean(&self, cx: &Cx<System>, under: Under) {
        while self.is_under(under) && self.may_write(cx.now()).is_err() {
            cx.sleep(PAUSE).await;
        }
        if self.is_under(under) {
            let pairs = self.cluster.map.borrow().pairs();
            for (_, to) in pairs.into_iter().filter(|(from, _)| *from == self.shard) {
                self.sweep(cx, to, under.term);
            }
        }
    }

    /// Draws in what comes from all others, until the map is settled.
    async fn draw_all(&self, cx: &Cx<System>, under: Under) {
        let pairs = self.cluster.map.borrow().pairs();
        let mut targets: Vec<u32> = pairs.iter().map(|(_, to)| *to).collect();
        targets.sort_unstable();
        targets.dedup();
        let pace = Pace {
            next: Cell::new(cx.now()),
            targets: targets.len() as f64,
        };
        let sources = pairs.into_iter().filter(|(_, to)| *to == self.shard);
        join_all(sources.map(|(from, _)| self.draw_in(cx, from, under, &pace))).await;
    }

    /// Draws in what comes from one shard, until the map is settled: when all has come, the source may still lose the knowledge that it
    /// has let go of it, if it waits for nobody.
    async fn draw_in(&self, cx: &Cx<System>, from: u32, under: Under, pace: &Pace) {
        let event = |done| Event::Migrated {
            from,
            to: self.shard,
            done,
        };
        if self.received(from) == 0 {
            cx.emit(event(false));
        }
        while self.is_under(under) {
            let was_done = self.received(from) == DONE;
            if self.may_write(cx.now()).is_err() {
                cx.sleep(PAUSE).await;
                continue;
            }
            cx.sleep_until(pace.next.get()).await;
            let drawn = self.next_range(cx, from, under, pace).await;
            let is_done = self.received(from) == DONE;
            if is_done && !was_done {
                cx.emit(event(true));
            }
            if is_done {
                cx.sleep(LOOK).await;
            } else if drawn.is_none() {
                cx.sleep(PAUSE).await;
            }
        }
    }

    fn received(&self, from: u32) -> u64 {
        self.disk.moves().received(&self.cluster.map.borrow(), from)
    }

    /// Draws in the next range. None if that went wrong: it is asked for again.
    async fn next_range(&self, cx: &Cx<System>, from: u32, under: Under, pace: &Pace) -> Option<()> {
        let rate = self.cluster.spec.borrow().copy_rate / pace.targets;
        let fetch = Handover::Fetch {
            to: self.shard,
            most: (rate / 10.0).clamp(1.0, RANGE) as u32,
        };
        let fetched = match self.ask(cx, from, fetch).await? {
            HandedOver::Range {
                number,
                start,
                upto,
                rows,
            } => Fetched {
                number,
                start,
                upto,
                rows,
            },
            HandedOver::Finished => return self.confirm(cx, from, DONE, under).await,
            _ => return None,
        };
        // The source let go of it, and the answer did not arrive, or not at this node.
        if fetched.start > self.received(from) {
            self.confirm(cx, from, fetched.start, under).await?;
        }
        let keys = {
            let map = self.cluster.map.borrow();
            let keys = map.leaving(from, self.shard, fetched.start..fetched.upto.min(self.keys()));
            keys.count() as u64
        };
        pace.take(cx.now(), keys as f64 / rate);
        cx.work(self.copy_work(keys)).await;
        self.flush(cx).await.ok()?;
        self.take_in(cx, from, &fetched.rows, under)?;
        self.settle(cx, under.term).await.ok()?;
        let release = Handover::Release {
            to: self.shard,
            number: fetched.number,
        };
        match self.ask(cx, from, release).await? {
            HandedOver::Released { upto } => self.confirm(cx, from, upto, under).await,
            _ => None,
        }
    }

    async fn ask(&self, cx: &Cx<System>, from: u32, handover: Handover) -> Option<HandedOver> {
        match self.ask_shard(cx, from, Request::Handover(handover)).await? {
            Answer::HandedOver(handed) => Some(handed),
            _ => None,
        }
    }

    /// Writes rows that come, unless what is here is newer.
    fn take_in(&self, cx: &Cx<System>, from: u32, rows: &[(u64, Row)], under: Under) -> Option<()> {
        self.may_write_under(cx.now(), under)?;
        for (key, row) in rows {
            let (key, now, before) = (*key, *row, self.disk.row(*key));
            if now.stamp > before.stamp {
                let once = 0;
                let write = Write { key, now, before, once };
                self.append(cx, Change::Write(write), under.term);
            }
        }
        // It says nothing new, but it is an entry of this term: only behind one can it be known that enough nodes have all.
        let upto = self.received(from);
        self.receive(cx, from, (upto, upto), 0, under);
        Some(())
    }

    fn receive(&self, cx: &Cx<System>, shard: u32, (before, upto): (u64, u64), rows: u64, under: Under) {
        let shards = under.shards;
        let moved = Moved {
            shard,
            shards,
            before,
            upto,
            rows,
        };
        self.append(cx, Change::Received(moved), under.term);
    }

    fn may_write_under(&self, now: SimTime, under: Under) -> Option<()> {
        let may = self.is_under(under) && self.may_write(now).is_ok_and(|term| term == under.term);
        may.then_some(())
    }

    /// The source has let go of all below a key: it is this shard that answers for it from now on.
    async fn confirm(&self, cx: &Cx<System>, from: u32, upto: u64, under: Under) -> Option<()> {
        self.flush(cx).await.ok()?;
        self.may_write_under(cx.now(), under)?;
        let before = self.received(from);
        if upto > before {
            let come: Vec<u64> = {
                let map = self.cluster.map.borrow();
                let keys = map.leaving(from, self.shard, before..upto.min(self.keys()));
                keys.collect()
            };
            self.receive(cx, from, (before, upto), self.disk.seeded_among(&come), under);
        }
        Some(())
    }
}

/// When the next range may be asked for, whichever shard it comes from.
struct Pace {
    next: Cell<SimTime>,
    /// Shards that rows come to: together they copy no faster than one alone.
    targets: f64,
}

impl Pace {
    /// What takes so long was asked for.
    fn take(&self, now: SimTime, seconds: f64) {
        let next = self.next.get().max(now);
        self.next.set(next + Duration::from_secs_f64(seconds));
    }
}
