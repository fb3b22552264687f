//! The log of a node: entries in their order, each of a term. The oldest are dropped when there are more than are kept.

use std::collections::VecDeque;

use crate::protocol::{Entry, Position, Stamp, Term};
use crate::sim::SimTime;

/// Entries of which each has a number, from 1.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Those that are kept.
    entries: VecDeque<Entry>,
    /// The number of the last entry that is not kept any more.
    base: u64,
    /// The stamp of that entry, or a later one.
    base_stamp: Stamp,
    /// The terms, each with the number of its first entry: one for each primary that wrote something.
    terms: Vec<(Term, u64)>,
}

impl Log {
    /// The last entry.
    pub(super) fn last(&self) -> Position {
        Position {
            term: self.terms.last().map_or(Term::default(), |(term, _)| *term),
            index: self.base + self.entries.len() as u64,
        }
    }

    /// The stamp of the last entry.
    pub(super) fn last_stamp(&self) -> Stamp {
        self.entries.back().map_or(self.base_stamp, |entry| entry.stamp)
    }

    /// The number of the last entry that is not kept any more.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// The terms, each with the number of its first entry.
    pub(super) fn terms(&self) -> &[(Term, u64)] {
        &self.terms
    }

    /// The number of the first entry of a term.
    pub(super) fn first_of(&self, term: Term) -> Option<u64> {
        let found = self.terms.iter().rfind(|(known, _)| *known == term);
        found.map(|(_, first)| *first)
    }

    /// The term of an entry; there is none before the first and behind the last.
    fn term_at(&self, index: u64) -> Term {
        let after = self.terms.partition_point(|(_, first)| *first <= index);
        after
            .checked_sub(1)
            .map_or(Term::default(), |place| self.terms[place].0)
    }

    /// An entry of this number.
    pub(super) fn position(&self, index: u64) -> Position {
        let term = self.term_at(index);
        Position { term, index }
    }

    /// Whether this entry is in it, or was before it was dropped. Two logs that have one entry in common have all before it in common.
    pub(super) fn contains(&self, position: Position) -> bool {
        position.index <= self.last().index && self.term_at(position.index) == position.term
    }

    /// Appends an entry, and keeps at most so many.
    pub(super) fn append(&mut self, term: Term, entry: Entry, keep: u64) {
        if self.last().term != term || self.terms.is_empty() {
            self.terms.push((term, self.last().index + 1));
        }
        self.entries.push_back(entry);
        while self.entries.len() as u64 > keep {
            if let Some(dropped) = self.entries.pop_front() {
                self.base += 1;
                self.base_stamp = dropped.stamp;
            }
        }
    }

    /// The entries behind a number, at most so many.
    pub(super) fn behind(&self, index: u64, most: usize) -> Vec<(Term, Entry)> {
        let start = index.saturating_sub(self.base) as usize;
        let entries = self.entries.iter().skip(start).take(most);
        let numbered = entries.zip(self.base + start as u64 + 1..);
        numbered.map(|(entry, number)| (self.term_at(number), *entry)).collect()
    }

    /// When the first entry behind a number was written, if it is kept.
    pub(super) fn written_after(&self, index: u64) -> Option<SimTime> {
        let place = index.checked_sub(self.base)?;
        self.entries.get(place as usize).map(|entry| entry.stamp.at())
    }

    /// How far a log that ends there can be the same as this one: to the end of what this one has of the greatest term that is not above
    /// that of the other (the leader epochs of Kafka).
    pub(super) fn fork(&self, other: Position) -> u64 {
        let after = self.terms.partition_point(|(term, _)| *term <= other.term);
        let end = match (after, self.terms.get(after)) {
            (0, _) => 0,
            (_, Some((_, first))) => first - 1,
            (_, None) => self.last().index,
        };
        end.min(other.index)
    }

    /// How far it is the same as a log with these terms that ends with this number.
    pub(super) fn common(&self, terms: &[(Term, u64)], end: u64) -> u64 {
        let mut own_end = self.last().index;
        for (term, first) in self.terms.iter().rev() {
            if let Some(place) = terms.iter().position(|(other, _)| other == term) {
                let other_end = terms.get(place + 1).map_or(end, |(_, next)| next - 1);
                return own_end.min(other_end);
            }
            own_end = first - 1;
        }
        0
    }

    /// Takes all entries behind a number off, or as many of them as are kept.
    pub(super) fn truncate(&mut self, index: u64) -> Vec<Entry> {
        let keep = index.saturating_sub(self.base) as usize;
        let taken = self.entries.split_off(keep.min(self.entries.len()));
        let last = self.base + self.entries.len() as u64;
        self.terms.retain(|(_, first)| *first <= last);
        taken.into()
    }

    /// Begins anew behind an entry of another log.
    pub(super) fn restart(&mut self, position: Position, terms: &[(Term, u64)], stamp: Stamp) {
        *self = Log {
            entries: VecDeque::new(),
            base: position.index,
            base_stamp: stamp,
            terms: terms
                .iter()
                .copied()
                .filter(|(_, first)| *first <= position.index)
                .collect(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Change, Row, Write};

    const ALL: u64 = u64::MAX;

    fn entry(stamp: u64) -> Entry {
        let row = |stamp| Row {
            stamp: Stamp(stamp),
            exists: true,
        };
        Entry {
            stamp: Stamp(stamp),
            change: Change::Write(Write {
                key: stamp,
                now: row(stamp),
                before: row(0),
                once: 0,
            }),
        }
    }

    fn at(term: u32, index: u64) -> Position {
        Position {
            term: Term(term),
            index,
        }
    }

    /// A log with entries of these terms, numbered from 1, stamped ten times that.
    fn log(terms: &[u32], keep: u64) -> Log {
        let mut log = Log::default();
        for (number, term) in (1..).zip(terms) {
            log.append(Term(*term), entry(number * 10), keep);
        }
        log
    }

    #[test]
    fn entries_are_found_by_number_and_term() {
        let log = log(&[1, 1, 3, 3, 4], ALL);
        assert_eq!((log.last(), log.last_stamp(), log.base()), (at(4, 5), Stamp(50), 0));
        assert_eq!(log.terms(), [(Term(1), 1), (Term(3), 3), (Term(4), 5)]);
        for (position, expected) in [(at(0, 0), true), (at(1, 2), true), (at(3, 3), true), (at(4, 5), true)] {
            assert_eq!(log.contains(position), expected, "{position:?}");
        }
        for position in [at(1, 3), at(2, 3), at(4, 6), at(3, 5), at(1, 0)] {
            assert!(!log.contains(position), "{position:?}");
        }
        let behind: Vec<(u32, u64)> = log
            .behind(2, 2)
            .iter()
            .map(|(term, entry)| (term.0, entry.stamp.0))
            .collect();
        assert_eq!(behind, [(3, 30), (3, 40)]);
        assert!(log.behind(5, 10).is_empty());
        assert_eq!((log.first_of(Term(3)), log.first_of(Term(2))), (Some(3), None));
    }

    #[test]
    fn old_entries_are_dropped_and_still_known_by_their_terms() {
        let mut log = log(&[1, 1, 3, 3, 4], 2);
        assert_eq!((log.base(), log.last(), log.entries.len()), (3, at(4, 5), 2));
        assert!(log.contains(at(1, 2)) && !log.contains(at(3, 2)));
        assert_eq!(log.written_after(4), Some(Stamp(50).at()));
        assert_eq!((log.written_after(2), log.written_after(5)), (None, None));
        assert_eq!(log.truncate(1).len(), 2);
        assert_eq!((log.last(), log.last_stamp()), (at(3, 3), Stamp(30)));
    }

    #[test]
    fn without_any_entry_kept_the_numbers_go_on() {
        let log = log(&[0, 0, 0], 0);
        assert_eq!((log.last(), log.last_stamp(), log.base()), (at(0, 3), Stamp(30), 3));
        assert!(log.entries.is_empty());
    }

    #[test]
    fn two_logs_fork_at_the_end_of_what_they_have_in_common() {
        let primary = log(&[1, 1, 3, 3, 3], ALL);
        assert_eq!(
            primary.fork(at(1, 4)),
            2,
            "what the other has of term 1 beyond 2 is its own"
        );
        assert_eq!(primary.fork(at(2, 4)), 2, "so is what it has of term 2");
        assert_eq!(primary.fork(at(3, 9)), 5);
        assert_eq!(primary.fork(at(4, 3)), 3);
        assert_eq!(log(&[2], ALL).fork(at(1, 4)), 0);
        let terms = primary.terms().to_vec();
        assert_eq!(log(&[1, 1, 1], ALL).common(&terms, 5), 2);
        assert_eq!(log(&[1, 2, 2], ALL).common(&terms, 5), 1);
        assert_eq!(log(&[1, 1, 3, 3, 3, 3], ALL).common(&terms, 5), 5);
        assert_eq!(log(&[2, 2], ALL).common(&terms, 5), 0);
    }

    #[test]
    fn what_is_taken_off_can_be_written_anew() {
        let mut log = log(&[1, 1, 2, 2], ALL);
        let taken: Vec<u64> = log.truncate(1).iter().map(|entry| entry.stamp.0).collect();
        assert_eq!(taken, [20, 30, 40]);
        assert_eq!((log.last(), log.last_stamp()), (at(1, 1), Stamp(10)));
        log.append(Term(3), entry(50), ALL);
        assert_eq!(log.last(), at(3, 2));
        assert!(log.truncate(0).len() == 2 && log.terms().is_empty());
    }

    #[test]
    fn a_log_that_begins_behind_a_copy_has_the_terms_of_its_source() {
        let source = log(&[1, 1, 2, 2], ALL);
        let mut copy = log(&[5], ALL);
        copy.restart(at(2, 3), source.terms(), Stamp(35));
        assert_eq!((copy.last(), copy.last_stamp(), copy.base()), (at(2, 3), Stamp(35), 3));
        assert!(copy.contains(at(1, 2)));
        copy.append(Term(2), entry(40), ALL);
        assert_eq!(copy.last(), at(2, 4));
        assert_eq!(copy.terms(), source.terms());
    }
}
