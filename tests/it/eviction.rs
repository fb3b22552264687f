//! Eviction policies agree with a reference simulator (`tests/data/libcachesim`), and with theory.

mod theory;
mod tinylfu;
mod trace;

use blastradius::layout::{Evict, Room};
use blastradius::parts::Store;

use trace::{KEYS, QUICK, Zipf, digest, request, request_of, requests, store};

/// Reference and ours may differ by so much of a hit ratio: half a percentage point.
const TOLERANCE: f64 = 0.005;

/// A line of `ratios.csv`.
struct Reference {
    exponent: f64,
    percent: u64,
    evict: Evict,
    trace_digest: u64,
    /// Hits of the first requests, and of all.
    hits: [u64; 2],
}

impl Reference {
    /// The hit ratio over so many requests.
    fn ratio(&self, requests: usize) -> f64 {
        self.hits[usize::from(requests > QUICK)] as f64 / requests as f64
    }
}

fn references() -> Vec<Reference> {
    let lines = include_str!("../data/libcachesim/ratios.csv").lines().skip(1);
    let reference = |line: &str| {
        let mut fields = line.split(',');
        let mut next = || fields.next().expect("a field");
        Reference {
            exponent: next().parse().expect("an exponent"),
            percent: next().parse().expect("a share"),
            evict: next().parse().expect("a policy"),
            trace_digest: u64::from_str_radix(next(), 16).expect("a digest"),
            hits: [next(), next()].map(|hits| hits.parse().expect("hits")),
        }
    };
    lines.map(reference).collect()
}

/// Compares the policies at one exponent, but random, whose reference draws otherwise (`theory`), and W-TinyLFU, whose reference
/// departs from the paper (`tinylfu`).
fn compare(exponent: f64) {
    let keys = Zipf::new(exponent).trace(requests());
    let bytes = keys[..QUICK].iter().flat_map(|key| (*key as u32).to_le_bytes());
    let trace_digest = digest(bytes);
    let (mut compared, mut misfits) = (0, String::new());
    for reference in references() {
        let is_apart = matches!(reference.evict, Evict::Random | Evict::WTinyLfu);
        if is_apart || reference.exponent.to_bits() != exponent.to_bits() {
            continue;
        }
        assert_eq!(trace_digest, reference.trace_digest, "it is not the same trace");
        let mut store = store(reference.evict, reference.percent);
        let hits = keys.iter().filter(|key| request(&mut store, **key)).count();
        let (ours, theirs) = (hits as f64 / keys.len() as f64, reference.ratio(keys.len()));
        let line = format!(
            "s={exponent} {:2} % {:10} {:.2} % for {:.2} %: {:+.2}\n",
            reference.percent,
            reference.evict,
            100.0 * ours,
            100.0 * theirs,
            100.0 * (ours - theirs)
        );
        print!("{line}");
        if (ours - theirs).abs() > TOLERANCE {
            misfits.push_str(&line);
        }
        compared += 1;
    }
    assert_eq!(compared, 4 * 7);
    assert!(misfits.is_empty(), "hit ratios that differ:\n{misfits}");
}

#[test]
fn hit_ratios_agree_with_libcachesim_at_exponent_0_7() {
    compare(0.7);
}

#[test]
fn hit_ratios_agree_with_libcachesim_at_exponent_0_9() {
    compare(0.9);
}

#[test]
fn hit_ratios_agree_with_libcachesim_at_exponent_1_0() {
    compare(1.0);
}

#[test]
fn hit_ratios_agree_with_libcachesim_at_exponent_1_2() {
    compare(1.2);
}

#[test]
fn policies_without_chance_agree_with_libcachesim_in_every_request() {
    for line in include_str!("../data/libcachesim/sequences.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [exponent, percent, policy, sizes, requests, expected, first] = fields[..] else {
            panic!("a line has seven fields");
        };
        let (evict, percent): (Evict, u64) = (policy.parse().expect("a policy"), percent.parse().expect("a share"));
        let (mut store, has_sizes) = match sizes {
            "many" => (Store::new(evict, Room::Bytes(500 * KEYS * percent / 100), 1), true),
            _ => (store(evict, percent), false),
        };
        let keys = Zipf::new(exponent.parse().expect("an exponent")).trace(requests.parse().expect("a number"));
        let request = |key: u64| {
            let bytes = if has_sizes {
                1 + (7_919 * (key + 1) % 1_000) as u32
            } else {
                1
            };
            request_of(&mut store, key, bytes)
        };
        let hits: Vec<u8> = keys.iter().copied().map(request).map(u8::from).collect();
        let digits = hits.chunks(4).take(first.len()).map(|four| {
            let value = four.iter().fold(0, |value, hit| value << 1 | u32::from(*hit));
            char::from_digit(value, 16).expect("a digit")
        });
        let digits: String = digits.collect();
        let place = digits
            .bytes()
            .zip(first.bytes())
            .position(|(ours, theirs)| ours != theirs);
        assert_eq!(
            place, None,
            "{policy} at {percent} %, sizes {sizes}: another answer in this group of four"
        );
        let found = digest(hits);
        assert_eq!(
            format!("{found:016x}"),
            expected,
            "{policy} at {percent} %, sizes {sizes}"
        );
    }
}
