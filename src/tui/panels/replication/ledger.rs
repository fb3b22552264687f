//! What clients were told, compared with what the nodes hold.

use crate::observe::{DatabaseKind, DatabaseState, Promises};
use crate::tui::nodes;
use crate::tui::text;
use crate::tui::theme::Role;

use super::{Piece, packed, piece};

/// A count that should be 0: nothing where it is.
fn counted(count: u64, words: &str, role: Role) -> Option<Piece> {
    (count > 0).then(|| piece(format!("{} {words}", text::count(count)), role))
}

/// All counts, the worst first, what has not happened last.
pub(super) fn pieces(database: &DatabaseState, width: u16) -> Vec<Piece> {
    let promises = &database.promises;
    let lost = if promises.lost > 0 { Role::Bad } else { Role::Good };
    let mut pieces = vec![piece(format!("{} lost", text::count(promises.lost)), lost)];
    pieces.extend(counted(promises.missing, "missing", Role::Warning));
    pieces.push(piece(
        format!("{} acknowledged", text::count(promises.acknowledged)),
        Role::Text,
    ));
    pieces.extend(counted(promises.unknown, "unknown", Role::Warning));
    pieces.extend(stale(promises, width));
    pieces.extend(counted(promises.own_writes_unseen, "own writes unseen", Role::Warning));
    pieces.extend(counted(promises.read_backwards, "read backwards", Role::Warning));
    let conflicts = conflicts(promises);
    let quiet = conflicts.is_empty();
    pieces.extend(conflicts);
    pieces.extend(counted(promises.replayed, "replayed", Role::Text));
    pieces.extend(counted(promises.given_up, "given up", Role::Bad));
    if promises.stale == 0 {
        pieces.push(piece("no stale read", Role::Muted));
    }
    // Who has one primary has no conflicts, but for those of writes that were put aside.
    if quiet && matches!(database.kind, DatabaseKind::MultiPrimary | DatabaseKind::Circular) {
        pieces.push(piece("no conflict", Role::Muted));
    }
    pieces
}

/// Reads of old data, and how old it was.
fn stale(promises: &Promises, width: u16) -> Option<Piece> {
    let count = text::count(promises.stale);
    let of = text::percent(promises.stale as f64 / promises.reads.max(1) as f64);
    let (mean, longest) = (nodes::age(promises.stale_mean), nodes::age(promises.stale_longest));
    let copies = text::count(promises.stale_copies);
    let cached = promises.stale_copies > 0;
    let with_caches = [
        format!("{count} stale reads ({of}), of them {copies} from caches, {mean} old, at most {longest}"),
        format!("{count} stale reads, of them {copies} from caches, up to {longest} old"),
        format!("{count} stale reads, of them {copies} from caches"),
        format!("{count} stale, {copies} from caches"),
    ];
    let with_caches: Vec<String> = with_caches.into_iter().filter(|_| cached).collect();
    let plain = [
        format!("{count} stale reads ({of}), {mean} old, at most {longest}"),
        format!("{count} stale reads, {mean} old, at most {longest}"),
        format!("{count} stale reads, up to {longest} old"),
        format!("{count} stale, up to {longest} old"),
        format!("{count} stale reads"),
    ];
    let options = [with_caches, plain.to_vec()].concat();
    (promises.stale > 0).then(|| piece(text::fitting(&options, width), Role::Warning))
}

/// Conflicting writes by what became of them.
fn conflicts(promises: &Promises) -> Vec<Piece> {
    let counts = [
        (promises.dropped_later, "later dropped", Role::Bad),
        (promises.dropped_older, "older dropped", Role::Text),
        (promises.merged, "merged", Role::Text),
        (promises.siblings, "kept beside", Role::Warning),
    ];
    let all: u64 = counts.iter().map(|count| count.0).sum();
    let end = if all == 1 { "" } else { "s" };
    let lead = format!("{} conflict{end}: ", text::count(all));
    let mut pieces: Vec<Piece> = counts
        .into_iter()
        .filter_map(|(count, words, role)| counted(count, words, role))
        .collect();
    if let Some(first) = pieces.first_mut() {
        first.0 = lead + &first.0;
    }
    pieces
}

/// The counts in lines of a width.
pub(super) fn lines(database: &DatabaseState, width: u16) -> Vec<Vec<Piece>> {
    packed(pieces(database, width), width)
}
