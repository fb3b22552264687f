//! What several machines found, put together: what one would have told.

use std::collections::BTreeSet;

use super::{PART_SCHEMA, SCHEMA, SearchReport, TriesReport};
use crate::layout::printable;

/// Puts the reports of all shards of one search together.
///
/// # Errors
/// Why they are no whole: a shard is missing or there twice, or they are about different searches.
pub fn merged(parts: &[SearchReport]) -> Result<SearchReport, String> {
    let first = parts.first().ok_or("there is no part")?;
    let mut numbers = BTreeSet::new();
    let (_, count) = shard(first)?;
    for part in parts {
        let (number, of) = shard(part)?;
        if of != count || !same(first, part) {
            return Err(
                "they are no parts of the same search: the layout, its options or the version differ".to_owned(),
            );
        }
        if !numbers.insert(number) {
            return Err(format!("shard {number}/{count} is given twice"));
        }
    }
    let missing: Vec<String> = (1..=count)
        .filter(|number| !numbers.contains(number))
        .map(|number| format!("{number}/{count}"))
        .collect();
    if !missing.is_empty() {
        return Err(format!(
            "the files of all shards are needed, and these are missing: {}",
            missing.join(", ")
        ));
    }
    let known = parts
        .iter()
        .map(|part| part.tries.next)
        .min()
        .unwrap_or(first.tries.from);
    let out_of_time = parts.iter().any(|part| part.tries.out_of_time);
    let finds = parts.iter().filter_map(|part| part.found.as_ref());
    let found = finds.min_by_key(|found| found.number).cloned().map(|mut found| {
        // A shard that found a later one has looked at all of its own before that, if it had the time.
        found.is_first = known > found.number || parts.iter().all(|part| part.tries.next > found.number);
        found
    });
    let next = found.as_ref().map_or(known, |found| known.min(found.number + 1));
    Ok(SearchReport {
        schema: SCHEMA.into(),
        tries: TriesReport {
            shard: None,
            from: first.tries.from,
            next,
            out_of_time: out_of_time && found.as_ref().is_none_or(|found| !found.is_first),
        },
        undisturbed: parts.iter().find_map(|part| part.undisturbed.clone()),
        found,
        ..first.clone()
    })
}

/// No number of a search is larger: what says so is none.
const MOST: u64 = 1 << 53;

/// Whether it can be what was written of a search: a file may say anything.
fn is_plausible(part: &SearchReport) -> bool {
    let breaks = part.undisturbed.iter().map(|undisturbed| &undisturbed.expectation);
    let breaks = breaks.chain(part.found.iter().map(|found| &found.expectation));
    let moments = breaks
        .filter_map(|expectation| expectation.failed_at_s)
        .chain(part.found.iter().flat_map(|found| &found.commands).map(|act| act.at_s));
    let is_moment = |at: f64| (0.0..=MOST as f64).contains(&at);
    let found = part.found.as_ref().map_or(0, |found| found.number);
    part.tries.from <= MOST && part.tries.next <= MOST && found <= MOST && moments.into_iter().all(is_moment)
}

/// Whether they are about the same.
fn same(one: &SearchReport, other: &SearchReport) -> bool {
    one.engine == other.engine
        && one.layout == other.layout
        && one.layout_hash == other.layout_hash
        && one.seed == other.seed
        && one.duration_s.to_bits() == other.duration_s.to_bits()
        && one.sought == other.sought
        && one.tries.from == other.tries.from
}

/// Which of how many it is.
fn shard(part: &SearchReport) -> Result<(u32, u32), String> {
    let wrong = || "it is not what `search --shard` writes".to_owned();
    if part.schema != PART_SCHEMA || !is_plausible(part) {
        return Err(wrong());
    }
    let text = part.tries.shard.as_deref().ok_or_else(wrong)?;
    let (number, count) = text.split_once('/').ok_or_else(wrong)?;
    match (number.parse(), count.parse()) {
        // Nobody has more machines; and all that are missing are named.
        (Ok(number), Ok(count)) if 1 <= number && number <= count && count <= 100_000 => Ok((number, count)),
        _ => Err(format!("`{}` is no shard", printable(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ExpectationReport, FoundReport, LayoutName};
    use super::*;

    fn part(shard: &str, next: u64, found: Option<u64>) -> SearchReport {
        let found = found.map(|number| FoundReport {
            number,
            is_first: true,
            seed: 7,
            expectation: ExpectationReport {
                quantifier: "always".to_owned(),
                text: "lost == 0".to_owned(),
                unit: "count".into(),
                bound: 0.0,
                verdict: "failed".into(),
                failed_at_s: Some(3.0),
                failed_value: Some(1.0),
            },
            commands: Vec::new(),
            drawn: Vec::new(),
            shrinking_runs: 9,
            digest: "0".repeat(16),
            recording: format!("{shard}.replay.ron"),
            replay: String::new(),
        });
        SearchReport {
            schema: PART_SCHEMA.into(),
            engine: "1".into(),
            layout: LayoutName {
                name: "a".to_owned(),
                title: "A".to_owned(),
            },
            layout_hash: "f".repeat(16),
            seed: 7,
            duration_s: 60.0,
            sought: vec!["always lost == 0".to_owned()],
            tries: TriesReport {
                shard: Some(shard.to_owned()),
                from: 0,
                next,
                out_of_time: false,
            },
            undisturbed: None,
            found,
        }
    }

    #[test]
    fn the_lowest_number_that_was_found_is_what_one_machine_would_have_found() {
        let parts = vec![
            part("2/3", 32, Some(31)),
            part("1/3", 100, None),
            part("3/3", 15, Some(14)),
        ];
        let whole = merged(&parts).unwrap();
        let found = whole.found.expect("it was found");
        assert_eq!((found.number, found.is_first, whole.tries.next), (14, true, 15));
        assert_eq!((whole.schema.as_ref(), whole.tries.shard), (SCHEMA, None));
    }

    #[test]
    fn where_the_time_was_over_another_one_may_come_first() {
        let mut late = part("1/2", 4, None);
        late.tries.out_of_time = true;
        let whole = merged(&[late, part("2/2", 8, Some(7))]).unwrap();
        assert!(!whole.found.expect("it was found").is_first);
        assert_eq!((whole.tries.next, whole.tries.out_of_time), (4, true));
    }

    #[test]
    fn what_a_file_says_is_escaped() {
        let mut hostile = part("1/1", 9, Some(8));
        let found = hostile.found.as_mut().expect("it was found");
        for text in [
            &mut found.expectation.quantifier,
            &mut found.expectation.text,
            &mut found.recording,
            &mut found.replay,
            &mut hostile.layout.title,
        ] {
            *text = "\u{1b}[2J".to_owned();
        }
        found.expectation.unit = "\u{1b}[2J".into();
        hostile.sought = vec!["\u{1b}[2J".to_owned()];
        let text = merged(&[hostile]).unwrap().to_text();
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}[2J"), "{text}");
    }

    #[test]
    fn what_is_no_whole_is_refused() {
        let of = |parts: Vec<SearchReport>| merged(&parts).unwrap_err();
        assert!(of(vec![part("1/3", 9, None), part("3/3", 9, None)]).contains("missing: 2/3"));
        assert!(of(vec![part("1/2", 9, None), part("1/2", 9, None)]).contains("twice"));
        assert!(of(vec![part("1/2", 9, None), part("2/3", 9, None)]).contains("no parts of the same search"));
        let mut other = part("2/2", 9, None);
        other.seed = 8;
        assert!(of(vec![part("1/2", 9, None), other]).contains("no parts of the same search"));
        let mut edited = part("2/2", 9, None);
        edited.layout_hash = "0".repeat(16);
        assert!(of(vec![part("1/2", 9, None), edited]).contains("no parts of the same search"));
        assert!(of(vec![part("1/1", 9, Some(u64::MAX))]).contains("not what `search --shard` writes"));
        assert!(of(vec![part("0/2", 9, None)]).contains("is no shard"));
        assert!(of(vec![part("1/4000000000", 9, None)]).contains("is no shard"));
        assert!(of(Vec::new()).contains("no part"));
    }
}
