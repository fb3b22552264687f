//! `blastradius cache`, on the real binary: what it makes of good traces, and what it says of those that are none.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::cli::{Folder, assert_code, blastradius, stderr, stdout};

/// Asserts that the arguments are refused: exit code 2, nothing on stdout, no control characters, and all of `words` on stderr.
fn assert_refused(arguments: &[&str], words: &[&str]) {
    let output = blastradius(arguments);
    assert_code(&output, 2);
    assert_eq!(stdout(&output), "", "{arguments:?} wrote to stdout");
    let said = stderr(&output);
    for word in words {
        assert!(said.contains(word), "{arguments:?}: `{word}` is missing in:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        said.chars().all(|c| c == '\n' || !c.is_control()),
        "control characters in {said:?}"
    );
}

/// Keys of a small skewed trace, always the same.
fn keys() -> Vec<u64> {
    let mut state = 1_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    (0..20_000)
        .map(|_| {
            let range = [10, 100, 1_000][draw(3) as usize];
            draw(range)
        })
        .collect()
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("a writer in memory");
    encoder.finish().expect("a writer in memory")
}

/// Misses of an LRU cache, by a list that is searched from end to end.
fn lru_misses(keys: &[u64], room: usize) -> u64 {
    let mut held: VecDeque<u64> = VecDeque::new();
    let mut misses = 0;
    for key in keys {
        match held.iter().position(|other| other == key) {
            Some(place) => {
                held.remove(place);
            }
            None => misses += 1,
        }
        held.push_front(*key);
        held.truncate(room);
    }
    misses
}

#[test]
fn lru_misses_what_a_list_misses() {
    let keys = keys();
    let lines: String = keys.iter().fold(String::new(), |mut text, key| {
        let _ = writeln!(text, "{key}");
        text
    });
    let folder = Folder::new();
    let plain = folder.file("trace.txt", &lines);
    let gzip = folder.file("trace.csv", packed(lines.as_bytes()));
    for file in [&plain, &gzip] {
        let output = blastradius(&["cache", file, "--policy", "lru", "--size", "10,100,50%", "--json"]);
        assert_code(&output, 0);
        let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(report["schema"], "blastradius.cache/1");
        assert_eq!(report["trace"]["records"], 20_000);
        let distinct = report["trace"]["keys"].as_u64().expect("a number");
        let half = (distinct as f64 / 2.0).round() as usize;
        for (place, room) in [10, 100, half].into_iter().enumerate() {
            let size = &report["sizes"][place];
            assert_eq!(size["items"], room);
            assert_eq!(size["policies"][0]["policy"], "lru");
            assert_eq!(
                size["policies"][0]["misses"],
                lru_misses(&keys, room),
                "room for {room}"
            );
        }
        assert_eq!(stderr(&output), "", "there is no terminal, so there is no progress");
    }
}

#[test]
fn the_table_shows_every_policy_and_the_first_reads() {
    let lines: String = keys().iter().fold(String::new(), |mut text, key| {
        let _ = writeln!(text, "{key},{}", key % 50 + 1);
        text
    });
    let folder = Folder::new();
    let file = folder.file("trace.csv", &lines);
    let output = blastradius(&["cache", &file]);
    assert_code(&output, 0);
    let text = stdout(&output);
    for word in [
        "lru",
        "lfu",
        "fifo",
        "clock",
        "random",
        "sieve",
        "s3-fifo",
        "arc",
        "w-tinylfu",
        "sampled-lru",
        "sampled-lfu",
        "first reads",
        "1%",
        "20%",
        "20,000 records",
        "of all bytes read",
        "misses least at",
    ] {
        assert!(text.contains(word), "`{word}` is missing in:\n{text}");
    }
    assert!(
        text.lines()
            .all(|line| line.chars().count() <= 80 || line.contains('/')),
        "{text}"
    );
    assert_eq!(
        text,
        stdout(&blastradius(&["cache", &file])),
        "equal questions have equal answers"
    );
    let bytes = blastradius(&["cache", &file, "--size", "5%,2kB", "--policy", "lru,sieve"]);
    assert_code(&bytes, 0);
    assert!(stdout(&bytes).contains("2 kB"), "{}", stdout(&bytes));
    let plain = blastradius(&["cache", &file, "--size", "1%,2%,3%,4%,5%,100%", "--policy", "lru"]);
    assert_code(&plain, 0);
    assert!(stdout(&plain).contains("100%"), "{}", stdout(&plain));
}

#[test]
fn operations_times_and_expiry_count() {
    let folder = Folder::new();
    let file = folder.file(
        "trace.csv",
        "time,op,key,size,client\n0,set,a,10,x\n1,get,a,10,x\n20,get,a,10,x\n21,delete,a,,x\n22,get,a,10,x\n",
    );
    let misses = |more: &[&str]| {
        let output = blastradius(
            &[
                &["cache", file.as_str(), "--policy", "lru", "--size", "5", "--json"][..],
                more,
            ]
            .concat(),
        );
        assert_code(&output, 0);
        let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let policy = &report["sizes"][0]["policies"][0];
        (policy["misses"].as_u64(), policy["expired"].as_u64())
    };
    assert_eq!(misses(&[]), (Some(1), Some(0)));
    assert_eq!(misses(&["--ttl", "10s"]), (Some(2), Some(1)));
}

#[test]
fn malformed_traces_are_refused_with_their_place() {
    let folder = Folder::new();
    let refused = |content: &[u8], words: &[&str]| {
        let file = folder.file("trace.csv", content);
        let always = ["error: cannot read the trace", file.as_str()];
        assert_refused(&["cache", &file], &[&always[..], words].concat());
        assert_refused(&["cache", &file, "--json"], words);
    };
    refused(b"", &["holds no records"]);
    refused(b"# nothing\n\n", &["holds no records"]);
    refused(
        b"a,1\nb,two\n",
        &["line 2, column 2", "`two` is no whole number of bytes", "header"],
    );
    refused(b"a,1\nb,-2\n", &["line 2, column 2", "`-2`"]);
    refused(
        b"a,1\n\n# x\nb\n",
        &["line 4:", "1 column where the first line has 2 columns"],
    );
    refused(
        b"a,1,get\nb,1,\x1b[31m\n",
        &["line 2, column 3", "is no operation", "get, set or delete"],
    );
    refused(b"a,1,get,2\nb,1,get,1\n", &["line 2, column 4", "before", "sort"]);
    refused(b"a,1\n,1\n", &["line 2, column 1", "key is empty"]);
    refused(b"a\n\0\x01\x02\n", &["line 2", "not UTF-8 text"]);
    refused(b"\x7fELF\x02\x01\x01\0\0\xff", &["line 1", "not UTF-8 text"]);
    refused(b"a 1 get\n", &["line 1", "commas or tabs"]);
    refused(b"size,time\n1,2\n", &["line 1", "no column with keys"]);
    refused(&vec![b'x'; 200_000], &["line 1", "longer than 64 KiB"]);
    refused(b"\x28\xb5\x2f\xfdabc", &["zstd"]);
    let whole = packed("some key,1\n".repeat(5_000).as_bytes());
    refused(&whole[..whole.len() - 9], &["cut off", "line"]);
    refused(&whole[..5], &["cut off"]);
    let mut damaged = whole.clone();
    let end = damaged.len();
    damaged[end - 5] ^= 0x55;
    refused(&damaged, &["damaged"]);
    assert_refused(&["cache", &folder.path("")], &["it is a folder"]);
    assert_refused(&["cache", &folder.path("none.csv")], &["none.csv", "no such file"]);
    assert_refused(&["cache", "-"], &["stdin cannot be a trace", "write it to a file"]);
    assert_refused(&["cache"], &["TRACE"]);
}

#[test]
fn questions_that_a_trace_cannot_answer_are_refused() {
    let folder = Folder::new();
    let file = folder.file("trace.csv", "a\nb\n");
    let refused =
        |more: &[&str], words: &[&str]| assert_refused(&[&["cache", file.as_str()][..], more].concat(), words);
    refused(&["--size", "64MB"], &["no column with sizes", "10k"]);
    refused(&["--bytes"], &["no column with sizes"]);
    refused(&["--ttl", "60s"], &["no column with times"]);
    refused(&["--ttl", "0s"], &["more than 0"]);
    refused(&["--policy", "seive"], &["sieve"]);
    refused(&["--policy", ""], &["policy"]);
    for size in ["0", "0%", "101%", "-5", "ten", "1.5", "5X", ""] {
        refused(&["--size", size], &["is no size"]);
    }
    let many: Vec<String> = (1..40).map(|size| size.to_string()).collect();
    refused(&["--size", &many.join(",")], &["39 sizes are too many"]);
}

/// A system whose web servers ask a cache for rows.
const CACHED: &str = r#"Layout(
    title: "cached",
    users: { "a": (count: 300, every: "1s", asks: (page: 1)), "b": (count: 300, every: "1s", asks: (page: 1)) },
    services: {
        "web": Web(machines: 2, size: "xl", work: Constant("0.5ms"), cache: "cache", database: "db"),
        "cache": Cache(items: 100, ttl: "1h"),
        "db": Database(size: "l", read: Constant("0.5ms")),
    },
)"#;

#[test]
fn a_run_takes_its_keys_from_a_trace_and_is_run_again_with_it() {
    let folder = Folder::new();
    let layout = folder.file("cached.ron", CACHED);
    // Fifty keys over and over: all of them fit, whatever Zipf would have asked for.
    let few: String = (0..5_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "key-{}", number % 50);
        text
    });
    let trace = folder.file("few.csv.gz", packed(few.as_bytes()));
    let recording = folder.path("run.replay.ron");
    let run = |trace: &str| {
        let arguments = [
            "run", &layout, "--for", "20s", "--trace", trace, "--record", &recording, "--json",
        ];
        let output = blastradius(&arguments);
        assert_code(&output, 0);
        serde_json::from_str::<serde_json::Value>(&stdout(&output)).expect("JSON")
    };
    let report = run(&trace);
    let services = report["services"].as_array().expect("services");
    let cache = services
        .iter()
        .find(|service| service["selector"] == "cache")
        .expect("a cache");
    let ratio = cache["cache"]["total"]["hit_ratio"].as_f64().expect("a ratio");
    assert!(ratio > 0.98, "{ratio}");
    let verify = ["replay", &recording, "--verify"];
    assert_code(&blastradius(&verify), 0);
    folder.file("few.csv.gz", packed(b"other\n"));
    assert_refused(&verify, &["few.csv.gz", "recorded with other accesses"]);
    std::fs::remove_file(&trace).expect("the trace");
    assert_refused(&verify, &["few.csv.gz"]);
}

#[test]
fn what_a_trace_says_of_a_record_is_what_is_asked() {
    let folder = Folder::new();
    let layout = folder.file("cached.ron", CACHED);
    let trace = folder.file(
        "mixed.csv",
        "key,size,op\nx,2000,set\ny,3000,get\nx,2000,del\ny,3000,get\n",
    );
    let output = blastradius(&["run", &layout, "--for", "20s", "--trace", &trace, "--json"]);
    assert_code(&output, 0);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let services = report["services"].as_array().expect("services");
    let find = |name: &str| {
        services
            .iter()
            .find(|service| service["selector"] == name)
            .expect("a service")
    };
    // Half of the records write; after the first delete an update finds nothing, and a delete finds nothing either.
    let lookups = find("cache")["cache"]["total"]["lookups"].as_f64().expect("look-ups");
    let sent = report["requests"]["sent"].as_f64().expect("requests");
    assert!((lookups / sent - 0.5).abs() < 0.02, "{lookups} of {sent}");
    assert_refused(
        &["run", &layout, "--trace", &folder.file("bad.csv", "a,1\nb,many\n")],
        &["bad.csv", "2", "many"],
    );
}
