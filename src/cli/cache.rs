//! `cache`: which eviction policy misses least of an access trace?

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Complaint, DEFAULT_SEED, Ended, output};
use crate::analyze::{Capacity, MissRatios, Question};
use crate::layout::{self, Evict, Room, printable};
use crate::report::MissRatioReport;
use crate::trace::{Columns, Reader, TraceError};

/// Sizes if nobody names any: shares of the distinct keys.
const SHARES: [f64; 4] = [0.01, 0.05, 0.1, 0.2];

/// The most sizes: each takes a pass over the whole file.
const MOST_SIZES: usize = 32;

/// The most bytes or items of a cache.
const LARGEST: f64 = 1e15;

/// Steps of the progress bar.
const STEPS: f64 = 1_000.0;

/// Units of sizes: how often one, and whether of bytes.
const UNITS: &[(&str, u64, bool)] = &[
    ("", 1, false),
    ("k", 1_000, false),
    ("m", 1_000_000, false),
    ("b", 1, true),
    ("kb", 1_000, true),
    ("mb", 1_000_000, true),
    ("gb", 1_000_000_000, true),
    ("tb", 1_000_000_000_000, true),
    ("kib", 1 << 10, true),
    ("mib", 1 << 20, true),
    ("gib", 1 << 30, true),
    ("tib", 1 << 40, true),
];

/// What `cache` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The trace: text with one access a line, `key[,size][,op][,time]`, or with a header that names the columns; also in gzip.
    trace: PathBuf,
    /// Policies to compare, separated by commas: lru, lfu, fifo, clock, random, sieve, s3-fifo, arc, w-tinylfu, sampled-lru,
    /// sampled-lfu, or all.
    #[arg(long, value_name = "POLICIES", value_delimiter = ',', default_value = "all", value_parser = policies)]
    policy: Vec<Choice>,
    /// Sizes of the cache, separated by commas: per cent of the trace's distinct keys (5%), items (10000, 10k, 2M), or bytes (64MB,
    /// 512MiB). Default: 1%,5%,10%,20%.
    #[arg(long, value_name = "SIZES", value_delimiter = ',', value_parser = capacity, allow_hyphen_values = true)]
    size: Vec<Capacity>,
    /// Per cent are of the bytes of the distinct keys. So they are too where another size is in bytes.
    #[arg(long)]
    bytes: bool,
    /// Entries expire so long after they were stored, by the trace's times.
    #[arg(long, value_name = "DURATION", value_parser = ttl, allow_hyphen_values = true)]
    ttl: Option<Duration>,
    /// The seed of the policies that draw lots.
    #[arg(long, default_value_t = DEFAULT_SEED, value_parser = super::number::seed, allow_hyphen_values = true)]
    seed: u64,
    /// Report as JSON (schema `blastradius.cache/1`).
    #[arg(long)]
    json: bool,
}

/// A word of `--policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    All,
    One(Evict),
}

/// Compares policies and reports.
pub(super) fn cache(arguments: &Arguments) -> Result<Ended, Complaint> {
    let columns = Reader::open(&arguments.trace)?.columns();
    let question = question(arguments, columns)?;
    let bar = bar();
    let ratios = MissRatios::of(&question, &mut |share| bar.set_position((share * STEPS) as u64));
    bar.finish_and_clear();
    let report = MissRatioReport::new(&question, &ratios?);
    output::say(&if arguments.json {
        report.to_json()
    } else {
        report.to_text()
    })?;
    Ok(Ended::Well)
}

/// What is asked, if the trace has the columns that it takes to answer it.
fn question(arguments: &Arguments, columns: Columns) -> Result<Question, Complaint> {
    let refuse = |why: &str| {
        let file = arguments.trace.display();
        Err(Complaint(format!("cannot compare caches over {file}: {why}")))
    };
    let in_bytes = |size: &Capacity| matches!(size, Capacity::Room(Room::Bytes(_)));
    let by_bytes = arguments.bytes || arguments.size.iter().any(in_bytes);
    if by_bytes && !columns.has_sizes() {
        return refuse("it has no column with sizes; give sizes as per cent or items (5%, 10k), without --bytes");
    }
    if arguments.ttl.is_some() && !columns.has_times() {
        return refuse("it has no column with times, by which entries could expire; leave --ttl out");
    }
    let mut sizes: Vec<Capacity> = Vec::new();
    for size in &arguments.size {
        if !sizes.contains(size) {
            sizes.push(*size);
        }
    }
    if sizes.len() > MOST_SIZES {
        return refuse(&format!(
            "{} sizes are too many; give at most {MOST_SIZES}",
            sizes.len()
        ));
    }
    if sizes.is_empty() {
        sizes.extend(SHARES.map(Capacity::Share));
    }
    let mut chosen = Vec::new();
    for choice in &arguments.policy {
        let more: &[Evict] = match choice {
            Choice::All => &Evict::ALL,
            Choice::One(policy) => std::slice::from_ref(policy),
        };
        for policy in more {
            if !chosen.contains(policy) {
                chosen.push(*policy);
            }
        }
    }
    Ok(Question {
        file: arguments.trace.clone(),
        policies: chosen,
        sizes,
        by_bytes,
        ttl: arguments.ttl,
        seed: arguments.seed,
    })
}

fn policies(text: &str) -> Result<Choice, String> {
    match text.trim() {
        all if all.eq_ignore_ascii_case("all") => Ok(Choice::All),
        word => word.parse().map(Choice::One),
    }
}

/// Reads a size: per cent, items, or bytes.
fn capacity(text: &str) -> Result<Capacity, String> {
    let text = text.trim();
    let wrong = |why: &str| Err(format!("`{}` is no size: {why}", printable(text)));
    let split = text
        .find(|c: char| c.is_ascii_alphabetic() || c == '%')
        .unwrap_or(text.len());
    let (number, unit) = (text[..split].trim(), text[split..].to_ascii_lowercase());
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    let Some(number) = is_number.then(|| number.replace('_', "").parse::<f64>().ok()).flatten() else {
        return wrong("write a number as in 5%, 10000, 10k, 2M, 64MB, 512MiB");
    };
    if unit == "%" {
        if number > 0.0 && number <= 100.0 {
            return Ok(Capacity::Share(number / 100.0));
        }
        return wrong("per cent are above 0 and at most 100");
    }
    let Some((_, factor, in_bytes)) = UNITS.iter().find(|(name, ..)| *name == unit) else {
        return wrong("units are %, k and M for items, and B, kB, MB, GB, TB, KiB, MiB, GiB, TiB for bytes");
    };
    let number = number * *factor as f64;
    if !(1.0..=LARGEST).contains(&number) {
        return wrong("a cache has room for at least 1 and at most 10^15");
    }
    if (number - number.round()).abs() > 1e-6 {
        return wrong("it is no whole number of items or bytes");
    }
    let room = number.round() as u64;
    Ok(Capacity::Room(if *in_bytes {
        Room::Bytes(room)
    } else {
        Room::Items(room)
    }))
}

fn ttl(text: &str) -> Result<Duration, String> {
    let duration = layout::duration::parse(text)?;
    if duration.is_zero() {
        return Err("entries must live for more than 0".to_string());
    }
    Ok(duration)
}

impl From<TraceError> for Complaint {
    fn from(error: TraceError) -> Complaint {
        Complaint(error.to_string())
    }
}

/// The progress bar, on stderr, and only on a terminal.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of the trace at all sizes, {eta} to go");
    ProgressBar::new(STEPS as u64).with_style(style.expect("the template is a constant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_many_forms() {
        let items = |count| Ok(Capacity::Room(Room::Items(count)));
        let bytes = |count| Ok(Capacity::Room(Room::Bytes(count)));
        assert_eq!(capacity("5%"), Ok(Capacity::Share(0.05)));
        assert_eq!(capacity("100 %"), Ok(Capacity::Share(1.0)));
        assert_eq!(capacity("10_000"), items(10_000));
        assert_eq!(capacity("1.5k"), items(1_500));
        assert_eq!(capacity("2M"), items(2_000_000));
        assert_eq!(capacity("64MB"), bytes(64_000_000));
        assert_eq!(capacity("64 kB"), bytes(64_000));
        assert_eq!(capacity("1KiB"), bytes(1_024));
        assert_eq!(capacity("7B"), bytes(7));
        for wrong in [
            "",
            "%",
            "0",
            "0%",
            "-1",
            "101%",
            "1.5",
            "5 percent",
            "10Mi",
            "nan",
            "inf",
            "1e3",
            "9999TB9",
            "99999TB",
            "MB",
            "5%%",
        ] {
            assert!(capacity(wrong).unwrap_err().contains("is no size"), "{wrong}");
        }
    }

    #[test]
    fn policies_are_words() {
        assert_eq!(policies("ALL"), Ok(Choice::All));
        assert_eq!(policies("sieve"), Ok(Choice::One(Evict::Sieve)));
        assert!(policies("").is_err());
        assert!(ttl("0s").is_err());
        assert!(ttl("60s").is_ok());
    }
}
