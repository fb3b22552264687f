//! What eviction policies miss of a trace, as a table for people and JSON for programs.

use serde::{Serialize, Serializer};

use super::table::{Align, Table, flow, wrap};
use super::text::Text;
use super::words::{count, plural, value};
use crate::analyze::{Capacity, Column, MissRatios, Outcome, Question};
use crate::layout::{Evict, Room, printable};

/// The name of the JSON schema.
const SCHEMA: &str = "blastradius.cache/1";

/// Policies whose miss ratios differ by no more than this are equally good.
const ALIKE: f64 = 0.002;

/// The most sizes that stand side by side.
const SIDE_BY_SIDE: usize = 4;

/// From the simplest to write and to reason about to the most involved: which one to choose where it makes no difference.
const SIMPLEST: [Evict; 11] = [
    Evict::Fifo,
    Evict::Random,
    Evict::Lru,
    Evict::Clock,
    Evict::Sieve,
    Evict::SampledLru,
    Evict::S3Fifo,
    Evict::Lfu,
    Evict::SampledLfu,
    Evict::Arc,
    Evict::WTinyLfu,
];

/// All policies at all sizes. Ratios are from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MissRatioReport {
    /// Always `blastradius.cache/1`.
    pub schema: &'static str,
    /// Version of the program.
    pub engine: &'static str,
    /// What was read.
    pub trace: TraceReport,
    /// How long after it was stored an entry expired, in seconds; nothing if none did.
    pub ttl_s: Option<f64>,
    /// The seed of the policies that draw lots.
    pub seed: u64,
    /// Share of the reads that no cache can answer: first reads.
    pub compulsory_miss_ratio: f64,
    /// The same of their bytes; nothing if the trace has no sizes.
    pub compulsory_byte_miss_ratio: Option<f64>,
    /// One for each size.
    pub sizes: Vec<SizeReport>,
    /// What to choose, in words.
    pub advice: String,
}

/// What is in the trace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TraceReport {
    /// The file as it was named.
    pub file: String,
    /// Records.
    pub records: u64,
    /// Distinct keys.
    pub keys: u64,
    /// Sum of the sizes of the distinct keys; nothing if the trace has no sizes.
    pub distinct_bytes: Option<u64>,
    /// Records that read.
    pub reads: u64,
    /// Records that write.
    pub writes: u64,
    /// Records that delete.
    pub deletes: u64,
    /// From the first record to the last, in seconds; nothing if the trace has no times.
    pub span_s: Option<f64>,
    /// Hash of all records, sixteen hexadecimal digits.
    pub digest: String,
}

/// All policies at one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeReport {
    /// The size as it was asked for.
    pub asked: String,
    /// Entries that the cache has room for; nothing if it is bounded in bytes.
    pub items: Option<u64>,
    /// Bytes that the cache has room for; nothing if it is bounded in entries.
    pub bytes: Option<u64>,
    /// The policies, in the order in which they were asked for.
    pub policies: Vec<PolicyReport>,
}

/// One policy at one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyReport {
    /// The policy, by its word.
    #[serde(serialize_with = "word")]
    pub policy: Evict,
    /// Reads that the cache did not answer.
    pub misses: u64,
    /// Their share of all reads; 0 if there are none.
    pub miss_ratio: f64,
    /// Share of the bytes that were read; nothing if the trace has no sizes.
    pub byte_miss_ratio: Option<f64>,
    /// Entries that went for want of room.
    pub evicted: u64,
    /// Misses of entries that had expired.
    pub expired: u64,
    /// Values that are larger than the whole cache.
    pub too_large: u64,
    /// Whether no policy of this size missed fewer reads.
    pub best: bool,
}

impl MissRatioReport {
    /// The report of what was asked and what came of it.
    pub fn new(question: &Question, ratios: &MissRatios) -> MissRatioReport {
        let survey = &ratios.survey;
        let sized = survey.columns.has_sizes();
        let mut report = MissRatioReport {
            schema: SCHEMA,
            engine: env!("CARGO_PKG_VERSION"),
            trace: TraceReport {
                file: survey.file.display().to_string(),
                records: survey.records,
                keys: survey.keys,
                distinct_bytes: sized.then_some(survey.bytes_distinct),
                reads: survey.reads,
                writes: survey.writes,
                deletes: survey.deletes,
                span_s: survey.span_nanos.map(|nanos| nanos as f64 / 1e9),
                digest: format!("{:016x}", survey.digest),
            },
            ttl_s: question.ttl.map(|ttl| ttl.as_secs_f64()),
            seed: question.seed,
            compulsory_miss_ratio: ratio(survey.compulsory, survey.reads),
            compulsory_byte_miss_ratio: sized.then(|| ratio(survey.compulsory_bytes, survey.bytes_read)),
            sizes: ratios.columns.iter().map(|column| size(column, ratios)).collect(),
            advice: String::new(),
        };
        report.advice = advice(&report);
        report
    }

    /// The report as JSON, with a line break at the end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a report is plain data");
        text.push('\n');
        text
    }

    /// The report for people, with a line break at the end.
    pub fn to_text(&self) -> String {
        let mut text = Text::default();
        text.lines(&wrap(&printable(&self.trace.file), 0));
        text.lines(&flow("trace", &self.holds()));
        text.section("misses, of all reads");
        let all = |policy: &PolicyReport| Some(policy.miss_ratio);
        self.tables(&mut text, all, self.compulsory_miss_ratio);
        if let Some(compulsory) = self.compulsory_byte_miss_ratio {
            text.section("misses, of all bytes read");
            self.tables(&mut text, |policy| policy.byte_miss_ratio, compulsory);
        }
        text.blank();
        let least = "* the least at this size; first reads: what was never stored before, which no cache can answer";
        text.lines(&wrap(least, 2));
        text.blank();
        text.lines(&wrap(&self.advice, 0));
        text.finish()
    }

    fn holds(&self) -> Vec<String> {
        let trace = &self.trace;
        let mut parts = vec![plural(trace.records, "record"), plural(trace.keys, "key")];
        if trace.reads < trace.records {
            let kinds = [
                (trace.reads, "read"),
                (trace.writes, "write"),
                (trace.deletes, "delete"),
            ];
            let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
            parts.extend(kinds.map(|(number, noun)| plural(number, noun)));
        }
        if let Some(bytes) = trace.distinct_bytes {
            parts.push(format!("{} in all keys", bytes_in_words(bytes)));
        }
        if let Some(seconds) = trace.span_s {
            parts.push(format!("over {}s", value(seconds)));
        }
        if let Some(seconds) = self.ttl_s {
            parts.push(format!("expire after {}s", value(seconds)));
        }
        parts
    }

    fn tables(&self, text: &mut Text, ratio: impl Fn(&PolicyReport) -> Option<f64>, compulsory: f64) {
        for sizes in self.sizes.chunks(SIDE_BY_SIDE) {
            let mut columns = vec![("", Align::Left)];
            columns.extend(sizes.iter().map(|_| ("", Align::Right)));
            let mut table = Table::new(&columns);
            table.row(cells("policy", sizes.iter().map(|size| format!("{} ", size.asked))));
            if sizes.iter().any(|size| size.asked != size.room()) {
                table.row(cells("", sizes.iter().map(|size| format!("{} ", size.room()))));
            }
            for (place, first) in sizes[0].policies.iter().enumerate() {
                let row = sizes.iter().map(|size| cell(&size.policies, place, &ratio));
                table.row(cells(first.policy.word(), row));
            }
            table.row(cells(
                "first reads",
                sizes.iter().map(|_| format!("{} ", shown(compulsory))),
            ));
            // The table's own heading is fixed text, and so is empty here.
            text.lines(&table.lines()[1..]);
        }
    }
}

impl SizeReport {
    fn room(&self) -> String {
        match (self.items, self.bytes) {
            (Some(items), _) => plural(items, "item"),
            (None, bytes) => bytes_in_words(bytes.unwrap_or_default()),
        }
    }

    /// The least miss ratio.
    fn least(&self) -> f64 {
        self.policies.iter().map(|policy| policy.miss_ratio).fold(1.0, f64::min)
    }

    /// Whether it makes no difference which policy is chosen.
    fn is_alike(&self) -> bool {
        self.policies
            .iter()
            .all(|policy| policy.miss_ratio - self.least() <= ALIKE)
    }
}

fn size(column: &Column, ratios: &MissRatios) -> SizeReport {
    let (items, bytes) = match column.room {
        Room::Items(items) => (Some(items), None),
        Room::Bytes(bytes) => (None, Some(bytes)),
    };
    let least = column.outcomes.iter().map(|outcome| outcome.misses).min();
    let survey = &ratios.survey;
    let policy = |outcome: &Outcome| PolicyReport {
        policy: outcome.policy,
        misses: outcome.misses,
        miss_ratio: ratio(outcome.misses, survey.reads),
        byte_miss_ratio: survey
            .columns
            .has_sizes()
            .then(|| ratio(outcome.missed_bytes, survey.bytes_read)),
        evicted: outcome.evicted,
        expired: outcome.expired,
        too_large: outcome.too_large,
        best: Some(outcome.misses) == least,
    };
    let mut size = SizeReport {
        asked: String::new(),
        items,
        bytes,
        policies: column.outcomes.iter().map(policy).collect(),
    };
    size.asked = match column.asked {
        Capacity::Share(share) => format!("{}%", value(share * 100.0)),
        Capacity::Room(_) => size.room(),
    };
    size
}

/// What to choose, in a sentence or three.
fn advice(report: &MissRatioReport) -> String {
    let first = &report.sizes[0];
    if report.trace.reads == 0 {
        return "The trace reads nothing, so there is nothing to miss.".to_string();
    }
    if report.compulsory_miss_ratio >= 1.0 {
        return "Every read is the first of its key: no cache helps here. Is the right column the key?".to_string();
    }
    if first.policies.len() == 1 {
        let policy = first.policies[0].policy;
        return format!("Only {policy} was asked for; `--policy all` compares all policies.");
    }
    if report.sizes.iter().all(SizeReport::is_alike) {
        let simplest = simplest(first.policies.iter());
        return format!("All policies are within 0.2 points: choose the simplest, {simplest}.");
    }
    let mut winners: Vec<(Evict, Vec<&str>)> = Vec::new();
    for size in report.sizes.iter().filter(|size| !size.is_alike()) {
        let best = simplest(size.policies.iter().filter(|policy| policy.best));
        match winners.iter_mut().find(|(policy, _)| *policy == best) {
            Some((_, sizes)) => sizes.push(&size.asked),
            None => winners.push((best, vec![&size.asked])),
        }
    }
    let parts: Vec<String> = winners
        .iter()
        .map(|(policy, sizes)| format!("{policy} misses least at {}", listed(sizes)))
        .collect();
    let mut sentences = vec![format!("{}.", parts.join("; "))];
    let alike: Vec<&str> = report
        .sizes
        .iter()
        .filter(|size| size.is_alike())
        .map(|size| size.asked.as_str())
        .collect();
    if !alike.is_empty() {
        sentences.push(format!("At {} all policies are within 0.2 points.", listed(&alike)));
    }
    if winners.len() > 1 {
        let (policy, points) = steadiest(report);
        sentences.push(format!(
            "Over all sizes {policy} is never more than {points:.1} points above the least."
        ));
    }
    sentences.join(" ")
}

/// The policy that is nearest to the best where it is furthest from it, and how far that is, in points.
fn steadiest(report: &MissRatioReport) -> (Evict, f64) {
    let worst = |place: usize| {
        let regrets = report
            .sizes
            .iter()
            .map(|size| size.policies[place].miss_ratio - size.least());
        regrets.fold(0.0, f64::max)
    };
    let policies = &report.sizes[0].policies;
    let best = (0..policies.len()).min_by(|one, other| worst(*one).total_cmp(&worst(*other)));
    let place = best.expect("there are several policies");
    // Rounded up, but not for what a subtraction of floats adds.
    (
        policies[place].policy,
        (worst(place) * 1e3 - 1e-6).ceil().max(0.0) / 10.0,
    )
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn word<S: Serializer>(policy: &Evict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(policy.word())
}

fn simplest<'a>(policies: impl Iterator<Item = &'a PolicyReport>) -> Evict {
    let rank = |policy: &Evict| SIMPLEST.iter().position(|other| other == policy);
    policies
        .map(|policy| policy.policy)
        .min_by_key(rank)
        .unwrap_or_default()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_string(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn cells(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_string()).chain(cells).collect()
}

/// A ratio, with a mark if it is shown as the least of its column.
fn cell(policies: &[PolicyReport], place: usize, ratio: impl Fn(&PolicyReport) -> Option<f64>) -> String {
    let of = |policy: &PolicyReport| ratio(policy).unwrap_or_default();
    let least = policies.iter().map(of).fold(f64::INFINITY, f64::min);
    let text = shown(of(&policies[place]));
    let mark = if text == shown(least) && policies.len() > 1 {
        '*'
    } else {
        ' '
    };
    format!("{text}{mark}")
}

fn shown(ratio: f64) -> String {
    format!("{:.2}%", ratio * 100.0)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Bytes in the decimal unit that reads best.
fn bytes_in_words(bytes: u64) -> String {
    let units = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    match units.into_iter().find(|(unit, _)| bytes as f64 >= *unit) {
        Some((unit, name)) => format!("{} {name}", value((bytes as f64 / unit * 100.0).round() / 100.0)),
        None => format!("{} B", count(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sizes: &[(&str, &[(Evict, u64)])]) -> MissRatioReport {
        let policy = |(policy, misses): &(Evict, u64), least: u64| PolicyReport {
            policy: *policy,
            misses: *misses,
            miss_ratio: ratio(*misses, 1_000),
            byte_miss_ratio: None,
            evicted: 0,
            expired: 0,
            too_large: 0,
            best: *misses == least,
        };
        let size = |(asked, policies): &(&str, &[(Evict, u64)])| {
            let least = policies.iter().map(|(_, misses)| *misses).min().unwrap();
            SizeReport {
                asked: (*asked).to_string(),
                items: Some(10),
                bytes: None,
                policies: policies.iter().map(|entry| policy(entry, least)).collect(),
            }
        };
        MissRatioReport {
            schema: SCHEMA,
            engine: "",
            trace: TraceReport {
                file: "t".to_string(),
                records: 1_000,
                keys: 100,
                distinct_bytes: None,
                reads: 1_000,
                writes: 0,
                deletes: 0,
                span_s: None,
                digest: String::new(),
            },
            ttl_s: None,
            seed: 7,
            compulsory_miss_ratio: 0.1,
            compulsory_byte_miss_ratio: None,
            sizes: sizes.iter().map(size).collect(),
            advice: String::new(),
        }
    }

    #[test]
    fn the_advice_names_the_best_where_it_matters() {
        use Evict::{Fifo, Lru, Sieve};
        let clear = report(&[
            ("5%", &[(Lru, 500), (Sieve, 400)]),
            ("10%", &[(Lru, 300), (Sieve, 200)]),
        ]);
        assert_eq!(advice(&clear), "sieve misses least at 5% and 10%.");
        let mixed = report(&[
            ("1%", &[(Lru, 500), (Sieve, 513)]),
            ("2%", &[(Lru, 300), (Sieve, 200)]),
            ("3%", &[(Lru, 101), (Sieve, 100)]),
        ]);
        assert_eq!(
            advice(&mixed),
            "lru misses least at 1%; sieve misses least at 2%. At 3% all policies are within 0.2 points. \
             Over all sizes sieve is never more than 1.3 points above the least."
        );
        let alike = report(&[("1%", &[(Lru, 500), (Fifo, 501)])]);
        assert_eq!(
            advice(&alike),
            "All policies are within 0.2 points: choose the simplest, fifo."
        );
        let alone = report(&[("1%", &[(Lru, 500)])]);
        assert!(advice(&alone).starts_with("Only lru was asked for"));
    }

    #[test]
    fn the_least_of_a_column_is_marked() {
        let report = report(&[("1%", &[(Evict::Lru, 500), (Evict::Sieve, 400)])]);
        let text = report.to_text();
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        for line in [
            &["lru", "50.00%"][..],
            &["sieve", "40.00%*"],
            &["first", "reads", "10.00%"],
        ] {
            assert!(
                lines.iter().any(|other| other == line),
                "{line:?} is missing in:\n{text}"
            );
        }
    }

    #[test]
    fn bytes_read_well() {
        assert_eq!(bytes_in_words(0), "0 B");
        assert_eq!(bytes_in_words(64_000_000), "64 MB");
        assert_eq!(bytes_in_words(1_234_567), "1.23 MB");
        assert_eq!(bytes_in_words(1_500), "1.5 kB");
    }
}
