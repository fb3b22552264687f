//! What stands in a single field.

use super::error::{Fault, quoted};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 1 << 10;

/// Words for operations: those of memcached's text and meta protocols, of Redis, and of published traces.
const WORDS: &[(Op, &[&str])] = &[
    (
        Op::Read,
        &[
            "get", "gets", "read", "r", "gat", "gats", "mg", "mget", "hget", "hgetall", "getrange", "exists", "touch",
            "load", "lookup", "fetch", "head",
        ],
    ),
    (
        Op::Write,
        &[
            "set", "write", "w", "put", "add", "update", "insert", "replace", "cas", "append", "prepend", "incr",
            "decr", "incrby", "decrby", "store", "ms", "mset", "setex", "psetex", "setnx", "getset", "setrange",
            "hset", "hmset", "post",
        ],
    ),
    (
        Op::Delete,
        &[
            "delete",
            "del",
            "remove",
            "rm",
            "d",
            "md",
            "mdel",
            "unlink",
            "hdel",
            "getdel",
            "invalidate",
            "purge",
            "evict",
        ],
    ),
];

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Op {
    /// Its value is asked for.
    Read,
    /// It gets a value.
    Write,
    /// It is removed.
    Delete,
}

/// The hash of a key: FNV-1a (Fowler, Noll and Vo 1991) over its text, then the mix of splitmix64. A number is text like any other, so `7` and
/// `07` are two keys.
pub(super) fn key(text: &[u8]) -> Result<u64, Fault> {
    if text.is_empty() {
        return Err(Fault::new("the key is empty", "give it a key, or remove the line"));
    }
    if text.len() > LONGEST_KEY {
        return Err(Fault::new(
            format!("a key of {} bytes is too long: at most {LONGEST_KEY}", text.len()),
            "shorten the keys, for instance to a hash of them",
        ));
    }
    let fnv = text.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok(mix(fnv))
}

/// The finishing step of splitmix64 (Steele, Lea and Flood 2014): every bit of the input moves about half of the bits of the output.
pub(super) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A size in whole bytes, less than 4 GiB.
pub(super) fn size(text: &[u8]) -> Result<u32, Fault> {
    match whole(text) {
        Some(bytes) => u32::try_from(bytes).map_err(|_| {
            Fault::new(
                format!("the size {} is too large: at most {} bytes", quoted(text), u32::MAX),
                "sizes are in bytes",
            )
        }),
        None => Err(Fault::new(
            format!("the size {} is no whole number of bytes", quoted(text)),
            "without a header the columns are key,size,op,time; a header names others, as in `time,key,size`",
        )),
    }
}

/// An operation, in the words of memcached, Redis and published traces.
pub(super) fn op(text: &[u8]) -> Result<Op, Fault> {
    let is = |word: &str| word.as_bytes().eq_ignore_ascii_case(text);
    let named = WORDS.iter().find(|(_, words)| words.iter().any(|word| is(word)));
    named.map(|(op, _)| *op).ok_or_else(|| {
        Fault::new(
            format!("{} is no operation", quoted(text)),
            "write get, set or delete (also read, write, put, add, update, replace, remove and others: docs/traces.md)",
        )
    })
}

/// Seconds as a whole or decimal number, in nanoseconds. Digits past the ninth behind the point are ignored.
pub(super) fn time(text: &[u8]) -> Result<u64, Fault> {
    let (seconds, rest) = match text.iter().position(|byte| *byte == b'.') {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b"0"[..]),
    };
    let is_number = !seconds.is_empty() && !rest.is_empty() && rest.iter().chain(seconds).all(u8::is_ascii_digit);
    if !is_number {
        return Err(Fault::new(
            format!("the time {} is no number of seconds", quoted(text)),
            "write seconds as 12 or 12.345, since any moment you like",
        ));
    }
    let digits = |place: usize| u64::from(rest.get(place).map_or(0, |digit| digit - b'0'));
    let fraction = (0..9).fold(0, |nanos, place| nanos * 10 + digits(place));
    let nanos = whole(seconds).and_then(|seconds| seconds.checked_mul(1_000_000_000)?.checked_add(fraction));
    nanos.ok_or_else(|| {
        Fault::new(
            format!("the time {} is too large: at most 18446744072 seconds", quoted(text)),
            "times are in seconds; divide milliseconds by 1000",
        )
    })
}

/// Whether a field is a number of any kind, and so no name of a column.
pub(super) fn is_number(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// A whole number of digits only, if a u64 holds it.
fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_any_text() {
        assert_eq!(key(b"user:1"), key(b"user:1"));
        assert_ne!(key(b"7"), key(b"07"));
        assert!(key("データ".as_bytes()).is_ok());
        assert!(key(b"").is_err());
        assert!(key(&[b'x'; LONGEST_KEY]).is_ok());
        assert!(key(&[b'x'; LONGEST_KEY + 1]).is_err());
    }

    #[test]
    fn sizes_are_whole_bytes() {
        assert_eq!(size(b"0"), Ok(0));
        assert_eq!(size(b"4294967295"), Ok(u32::MAX));
        for wrong in ["", "-1", "+1", "1.5", "1e3", "12k", "0x10", "\u{661}"] {
            assert!(
                size(wrong.as_bytes()).unwrap_err().problem.contains("whole number"),
                "{wrong}"
            );
        }
        assert!(size(b"4294967296").unwrap_err().problem.contains("too large"));
        assert!(size(b"99999999999999999999999").is_err());
    }

    #[test]
    fn operations_have_many_words() {
        assert_eq!(op(b"GET"), Ok(Op::Read));
        assert_eq!(op(b"Replace"), Ok(Op::Write));
        assert_eq!(op(b"unlink"), Ok(Op::Delete));
        assert!(op(b"").is_err());
        assert!(op(b"frobnicate\x1b").unwrap_err().problem.contains("\\u{1b}"));
        let all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| *words).copied().collect();
        let distinct: std::collections::BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "a word stands twice");
    }

    #[test]
    fn times_are_exact_to_the_nanosecond() {
        assert_eq!(time(b"0"), Ok(0));
        assert_eq!(time(b"1.5"), Ok(1_500_000_000));
        assert_eq!(time(b"1700000000.1234567899"), Ok(1_700_000_000_123_456_789));
        for wrong in ["", ".5", "5.", "-1", "1e3", "nan", "inf", "12:30", "1.2.3"] {
            assert!(time(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let millis = time(b"1700000000000000").unwrap_err();
        assert!(millis.way_out.contains("milliseconds"));
    }
}
