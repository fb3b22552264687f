//! Reading and writing rows, and joining what comes from other nodes.
//!
//! **Conflicts** are told once each, by this scheme: a version that stands on the disk of its maker is told of by its maker when another
//! one is joined to it there of which neither maker had seen the other. If one of the two is dropped, the maker of that one tells; if
//! both stay, the one with the lower number does. A version that another one was built upon before its maker hears of the conflict is
//! not in conflict any more: the one built upon it is, and is told of by its own maker. Each version is told of at most once, and it
//! makes no difference when and in which way its maker learns of the other one. With the disk of its maker goes the knowledge of what
//! was told: of versions made before, nobody tells any more.

use std::rc::Rc;

use crate::layout::{Replication, Rule};
use crate::observe::{Event, Resolution};
use crate::protocol::{Known, PeerChange, PeerRow, PeerVersion, Stamp};
use crate::sim::{Draw, SimTime, mix};

use super::super::log::learn;
use super::super::row::{Join, Row, covers, had_seen};
use super::super::rules::{Judge, Shown};
use super::{Conflict, PeerDisk};

/// Versions that lost, of which a node keeps the last so many.
const HISTORY: usize = 50;

/// The settings that decide what becomes of changes.
pub(in crate::parts::peers) struct Terms<'a> {
    /// The rule.
    pub judge: Judge<'a>,
    /// The nodes are in a ring.
    pub ring: bool,
    /// Changes that the log keeps.
    keep: u64,
    /// Changes between two checkpoints.
    checkpoint: u64,
}

/// What a fetched change turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::parts::peers) enum Arrival {
    /// It was new, and stands in the log now.
    New,
    /// It was here already.
    Again,
    /// It was found elsewhere when all rows were merged, and says nothing new.
    Nothing,
}

impl PeerDisk {
    /// Lets the present settings decide.
    pub(in crate::parts::peers) fn under<T>(&self, act: impl FnOnce(&Terms) -> T) -> Option<T> {
        let belongs = self.belongs.borrow();
        let (cluster, shard) = belongs.as_ref()?;
        let spec = cluster.spec.borrow();
        let rule = spec
            .replication
            .peers()
            .map_or(&Rule::LastWriteWins, |peers| &peers.rule);
        Some(act(&Terms {
            judge: Judge {
                rule,
                cluster,
                shard: *shard,
            },
            ring: matches!(spec.replication, Replication::Circular(_)),
            keep: spec.log,
            checkpoint: spec.checkpoint,
        }))
    }

    /// What a row looks like.
    pub(in crate::parts::peers) fn shown(&self, key: u64) -> Shown {
        let shown = self.under(|terms| {
            let rows = self.rows.borrow();
            rows.get(&key).and_then(|row| terms.judge.shown(&row.versions))
        });
        shown.flatten().unwrap_or(Shown {
            exists: key < self.original.get(),
            ..Shown::default()
        })
    }

    /// Whether it has a write, by what it knows of its maker's changes.
    pub(in crate::parts::peers) fn knows(&self, stamp: Stamp) -> bool {
        let known = self.known.borrow();
        stamp == Stamp::ORIGINAL
            || known
                .get(usize::from(stamp.node()))
                .is_some_and(|known| known.stamp >= stamp)
    }

    /// Makes a change here.
    pub(in crate::parts::peers) fn write(
        &self,
        now: SimTime,
        key: u64,
        exists: bool,
        draw: Draw,
        events: &mut Vec<Event>,
    ) -> Stamp {
        let before = self.shown(key);
        let node = self.node.get();
        let last = self.known.borrow().get(usize::from(node)).copied().unwrap_or_default();
        let known = Known {
            number: last.number + 1,
            stamp: Stamp::next(last.stamp, now, node),
        };
        self.under(|terms| {
            let judge = &terms.judge;
            let row = self.rows.borrow().get(&key).cloned().unwrap_or_default();
            let hybrid = self.clock.tick(now);
            let version = PeerVersion {
                stamp: known.stamp,
                clock: match judge.join() {
                    Join::Register => self.clock.wall(now),
                    Join::Siblings => hybrid,
                },
                value: judge.value(before, exists, draw),
                exists,
                seen: row.seen_by_a_write(judge.join()),
            };
            if let Some(new) = row.join(&Row::of(version.clone()), judge.join()) {
                if new.version(known.stamp).is_none() {
                    let how = Resolution::DroppedThoughLater;
                    self.tell((now, key, known.stamp, before.stamp, how), events);
                }
                self.put(key, new);
            }
            learn(&mut self.known.borrow_mut(), node, known);
            let change = PeerChange {
                key,
                number: known.number,
                version,
            };
            self.append(terms, change);
        });
        known.stamp
    }

    /// Takes a change of another node.
    pub(in crate::parts::peers) fn take(
        &self,
        terms: &Terms,
        now: SimTime,
        change: &PeerChange,
        events: &mut Vec<Event>,
    ) -> Arrival {
        let version = &change.version;
        let node = version.stamp.node();
        let joined = self.join(terms, now, change.key, &Row::of(version.clone()), events);
        let in_order = change.number > 0 && !self.knows(version.stamp);
        if in_order {
            let known = Known {
                number: change.number,
                stamp: version.stamp,
            };
            learn(&mut self.known.borrow_mut(), node, known);
        }
        if in_order || joined {
            // What fills a gap is out of order for those who come behind, too.
            let number = if in_order { change.number } else { 0 };
            self.append(
                terms,
                PeerChange {
                    number,
                    ..change.clone()
                },
            );
            return Arrival::New;
        }
        match change.number {
            0 => Arrival::Nothing,
            _ => Arrival::Again,
        }
    }

    /// Merges a row of another node. What is new goes into the log, if others read there what it did not make itself.
    pub(in crate::parts::peers) fn merge(&self, terms: &Terms, now: SimTime, row: &PeerRow, events: &mut Vec<Event>) {
        let other = Row {
            seen: Rc::clone(&row.seen),
            versions: Rc::clone(&row.versions),
        };
        let had = self.rows.borrow().get(&row.key).map(|row| Rc::clone(&row.seen));
        let joined = self.join(terms, now, row.key, &other, events);
        if !joined || !terms.ring || !self.is_complete() {
            return;
        }
        let new = |version: &&PeerVersion| !had.as_ref().is_some_and(|seen| covers(seen, version.stamp));
        for version in other.versions.iter().filter(new) {
            let change = PeerChange {
                key: row.key,
                number: 0,
                version: version.clone(),
            };
            self.append(terms, change);
        }
    }

    /// Notes how far changes are known, after what they did was taken over.
    pub(in crate::parts::peers) fn learn(&self, seen: &[Known]) {
        let mut known = self.known.borrow_mut();
        for (node, news) in seen.iter().enumerate() {
            learn(&mut known, node as u8, *news);
        }
    }

    fn append(&self, terms: &Terms, change: PeerChange) {
        self.log.borrow_mut().append(change, terms.keep, terms.checkpoint);
    }

    /// Joins a state of a row; says whether that changed something.
    fn join(&self, terms: &Terms, now: SimTime, key: u64, other: &Row, events: &mut Vec<Event>) -> bool {
        let how = terms.judge.join();
        let old = self.rows.borrow().get(&key).cloned().unwrap_or_default();
        let Some(new) = old.join(other, how) else {
            return false;
        };
        other.versions.iter().for_each(|version| self.clock.hear(version.clock));
        self.find_conflict(terms, now, key, (&old, &new), events);
        self.put(key, new);
        true
    }

    /// Tells of a version of this node that a joined state brings into conflict.
    fn find_conflict(&self, terms: &Terms, now: SimTime, key: u64, (old, new): (&Row, &Row), events: &mut Vec<Event>) {
        let since = Stamp::new(self.born.get(), 0);
        let own = |version: &&PeerVersion| version.stamp.node() == self.node.get() && version.stamp >= since;
        let Some(own) = old.versions.iter().find(own) else {
            return;
        };
        if self.told.borrow().get(&key) == Some(&own.stamp) {
            return;
        }
        let stays = new.version(own.stamp).is_some();
        let mut others = new
            .versions
            .iter()
            .filter(|version| old.version(version.stamp).is_none());
        let found = match terms.judge.join() {
            Join::Siblings if stays => {
                others.find_map(|other| terms.judge.resolve(own, other).map(|how| (other.stamp, how)))
            }
            Join::Register => others.find(|other| !stays && !had_seen(other, own.stamp)).map(|other| {
                let how = if had_seen(own, other.stamp) {
                    Resolution::DroppedThoughLater
                } else {
                    Resolution::Dropped
                };
                (other.stamp, how)
            }),
            Join::Siblings => None,
        };
        if let Some((kept, how)) = found {
            self.tell((now, key, own.stamp, kept, how), events);
            if stays {
                self.told.borrow_mut().insert(key, own.stamp);
            }
        }
    }

    fn tell(&self, conflict: Conflict, events: &mut Vec<Event>) {
        let mut history = self.history.borrow_mut();
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(conflict);
        let (_, key, dropped, kept, how) = conflict;
        events.push(Event::Resolved {
            key,
            dropped,
            kept,
            how,
        });
    }

    /// Stores a row, and counts what it changes.
    fn put(&self, key: u64, row: Row) {
        let part = |row: &Row| {
            let versions = row.versions.iter();
            versions.fold(0, |sum: u64, version| sum.wrapping_add(mix(mix(key) ^ version.stamp.0)))
        };
        let exists = |row: &Row| row.versions.iter().any(|version| version.exists);
        let several = |row: &Row| u64::from(row.versions.len() > 1);
        let mut told = self.told.borrow_mut();
        if told.get(&key).is_some_and(|stamp| row.version(*stamp).is_none()) {
            told.remove(&key);
        }
        let (hash, now, siblings) = (part(&row), exists(&row), several(&row));
        let old = self.rows.borrow_mut().insert(key, row);
        let original = key < self.original.get();
        let (old_hash, before, old_siblings) =
            old.map_or((0, original, 0), |old| (part(&old), exists(&old), several(&old)));
        self.hash.set(self.hash.get().wrapping_sub(old_hash).wrapping_add(hash));
        self.existing
            .set(self.existing.get() - u64::from(before) + u64::from(now));
        self.siblings.set(self.siblings.get() - old_siblings + siblings);
    }
}
