//! The search: it finds what is broken and what is not, shrinks what it finds to what matters, and says the same on any number of threads.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use blastradius::analyze::search::{Finding, Obstacle, Question, Search, Shrunk};
use blastradius::layout::{Comparison, Expectation, Layout, Measure, Quantifier, find_shipped, parse};
use blastradius::replay::{Outcome, Recording, replayed, verify};

use crate::cli::{Folder, TINY, assert_code, blastradius, stderr, stdout};

fn shipped(name: &str) -> Layout {
    let shipped = find_shipped(name).expect("it is shipped");
    parse(shipped.source, shipped.file).expect("it is a layout")
}

/// A measure that is at most so much, always.
fn at_most(measure: Measure, bound: f64) -> Expectation {
    Expectation {
        quantifier: Quantifier::Always,
        measure,
        comparison: Comparison::AtMost,
        bound,
        grace: Duration::ZERO,
        text: "it is at most so much".to_owned(),
    }
}

fn two_primaries(database: &str) -> Expectation {
    at_most(Measure::Primaries(database.to_owned()), 1.0)
}

fn searching(layout: &Layout, expect: &[Expectation], seconds: u64, threads: usize) -> Result<Search, Obstacle> {
    let question = Question {
        seed: 7,
        length: Duration::from_secs(seconds),
        expect: expect.to_vec(),
    };
    Search::of(
        layout,
        question,
        NonZeroUsize::new(threads).unwrap(),
        &AtomicBool::new(false),
    )
}

/// Tries up to so many and shrinks what is found.
fn found(search: &Search, most: u64, threads: usize) -> Option<(Finding, Shrunk)> {
    let (threads, stop) = (NonZeroUsize::new(threads).unwrap(), AtomicBool::new(false));
    let numbers: Vec<u64> = (0..most).collect();
    let tried = search.tries(&numbers, threads, &stop, &|_| {});
    let known = tried.finding.as_ref().map_or(most, |finding| finding.number + 1);
    assert_eq!(tried.known as u64, known);
    let finding = tried.finding?;
    let shrunk = search.shrink(&finding, threads, &stop).expect("nobody stops it");
    Some((finding, shrunk))
}

/// A shop of three nodes that acknowledge by majority, with a fence around an old primary.
const CAREFUL: &str = r#"Layout(
    title: "Careful",
    users: { "people": (count: 300, every: "10s", asks: (page: 50, update: 50), keys: Zipf(count: 500, exponent: 0.9)) },
    services: {
        "web": Web(size: "s", work: Exponential("4ms"), database: "db"),
        "db": Database(
            machines: 3,
            size: "s",
            rows: 500,
            replication: PrimaryReplicas(
                mode: Quorum,
                failover: Automatic(after: "6s", monitors: 3, fencing: true),
                recovery: Automatic,
            ),
        ),
    },
    expect: [Always("primaries(db) <= 1")],
)
"#;

/// How many tries find nothing in a careful layout. More: `BLASTRADIUS_SEARCH=10000`.
fn tries() -> u64 {
    std::env::var("BLASTRADIUS_SEARCH").map_or(60, |tries| tries.parse().expect("a number of tries"))
}

#[test]
fn a_split_brain_is_found_and_shrunk_to_the_cut() {
    let layout = shipped("21");
    let search = searching(&layout, &[two_primaries("us-east/orders")], 40, 2).expect("undisturbed there is one");
    let (finding, shrunk) = found(&search, 200, 2).expect("nobody fences the old primary");
    assert!(shrunk.acts.len() <= 3, "{shrunk:#?}");
    assert!(shrunk.acts.len() <= finding.acts.len());
    assert!(shrunk.broken.at <= finding.broken.at + Duration::from_secs(10));
    // Of what is left nothing can be left out.
    for index in 0..shrunk.acts.len() {
        let mut fewer = shrunk.acts.clone();
        fewer.remove(index);
        let ending = search.run(finding.seed, &fewer);
        let at_once = matches!(ending.verdicts[0].outcome, Outcome::Failed { at, .. } if at <= shrunk.broken.at);
        assert!(!at_once, "{:?} is not needed", shrunk.acts[index]);
    }
}

#[test]
fn a_lost_write_is_found_where_replication_does_not_wait() {
    let search = searching(&shipped("05"), &[at_most(Measure::Lost, 0.0)], 30, 2).expect("undisturbed none is lost");
    let (_, shrunk) = found(&search, 1_000, 2).expect("an acknowledged write may be on one disk only");
    assert!(shrunk.acts.len() <= 3, "{shrunk:#?}");
    let words: Vec<String> = shrunk.acts.iter().map(|act| act.command.to_string()).collect();
    assert!(words.iter().any(|word| word.starts_with("destroy ")), "{words:?}");
}

#[test]
fn nothing_is_found_where_a_majority_has_it_and_the_old_primary_is_fenced() {
    let layout = parse(CAREFUL, "careful.ron").expect("it is a layout");
    let promises = [two_primaries("db"), at_most(Measure::Lost, 0.0)];
    let search = searching(&layout, &promises, 40, 2).expect("undisturbed they hold");
    let found = found(&search, tries(), 2);
    assert!(found.is_none(), "{found:#?}");
}

#[test]
fn a_try_is_the_same_alone_and_among_others() {
    let search =
        searching(&shipped("21"), &[two_primaries("us-east/orders")], 40, 1).expect("undisturbed there is one");
    let schedules: Vec<_> = (0..200).map(|number| search.schedule(number)).collect();
    assert_eq!(schedules[137], search.schedule(137));
    for acts in &schedules {
        assert!((1..=6).contains(&acts.len()), "{acts:?}");
        assert!(acts.is_sorted_by_key(|act| act.at));
        let last = acts[acts.len() - 1].at;
        assert!(
            last.as_millis() % 100 == 0 && last * 3 <= Duration::from_secs(80),
            "{acts:?}"
        );
        let destroyed = acts
            .iter()
            .filter(|act| act.command.to_string().starts_with("destroy "));
        assert!(destroyed.count() <= 1, "{acts:?}");
        // A person could type it.
        for act in acts {
            let text = act.command.to_string();
            let read = blastradius::command::Command::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read, act.command);
        }
    }
    let all: Vec<String> = schedules.iter().flatten().map(|act| act.command.to_string()).collect();
    for verb in [
        "kill", "hang", "destroy", "slow", "cut", "isolate", "drop", "delay", "disk", "mend", "join", "promote",
        "evacuate",
    ] {
        assert!(all.iter().any(|text| text.starts_with(verb)), "nobody draws {verb}");
    }
}

#[test]
fn what_does_not_hold_by_itself_or_is_never_judged_is_said() {
    let layout = parse(TINY, "tiny.ron").expect("it is a layout");
    let broken = searching(&layout, &[at_most(Measure::Rate, 0.0)], 5, 1).expect_err("there is traffic");
    assert!(matches!(broken, Obstacle::Broken(7.., _)), "{broken:?}");
    let folder = Folder::new();
    let file = folder.path("never.replay.ron");
    let search = |expect: &str| blastradius(&["search", "01", "--for", "5s", "--expect", expect, "-o", &file]);
    let output = search("always rate <= 0/s");
    assert_code(&output, 1);
    assert!(
        stdout(&output).contains("broken though nothing is done"),
        "{}",
        stdout(&output)
    );
    for (expect, why) in [
        ("at 20s ok >= 99%", "a run of 5s never judges `at 20s ok >= 99%`"),
        ("lost == 0", "write how often it holds"),
        ("always up(\u{1b}[2J) == 1", "\\u{1b}"),
    ] {
        let output = search(expect);
        assert_code(&output, 2);
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
        assert!(!stderr(&output).contains('\u{1b}'));
    }
    assert!(folder.names().is_empty(), "nothing is written: {:?}", folder.names());
    let nothing = blastradius(&["search", &folder.file("tiny.ron", TINY), "-o", &file]);
    assert!(
        stderr(&nothing).contains("expects nothing: say what must hold"),
        "{}",
        stderr(&nothing)
    );
}

#[test]
fn what_is_found_is_a_recording_that_replays_and_threads_change_no_byte() {
    let folder = Folder::new();
    // A name that would clear the screen.
    let layout = folder.file(
        "a\u{1b}[2J.ron",
        TINY.replace("users", "expect: [Always(\"up(web) >= 1\")], users"),
    );
    let file = folder.path("found.replay.ron");
    let search = |more: &[&str]| {
        let output = blastradius(&[&["search", &layout, "--for", "10s", "-o", &file], more].concat());
        assert_code(&output, 1);
        assert!(!stdout(&output).contains('\u{1b}') && !stderr(&output).contains('\u{1b}'));
        (stdout(&output), std::fs::read(&file).expect("it is kept"))
    };
    let one = search(&["--json", "--threads", "1"]);
    assert_eq!(one, search(&["--json", "--threads", "3"]));
    let json: serde_json::Value = serde_json::from_str(&one.0).expect("JSON");
    assert_eq!(json["schema"], "blastradius.search/1");
    assert_eq!(json["found"]["commands"].as_array().map(Vec::len), Some(1), "{json:#}");
    assert_eq!(json["found"]["commands"][0]["command"], "kill web", "{json:#}");
    let (text, _) = search(&[]);
    assert!(
        text.contains("kill web") && text.contains("blastradius replay "),
        "{text}"
    );
    let (recording, layout) = Recording::load(Path::new(&file)).expect("a recording");
    let mut session = replayed(&recording, &layout);
    session.advance_to(recording.duration);
    let ending = session.end();
    assert_eq!(verify(&recording, &ending), None);
    assert_eq!(json["found"]["digest"], ending.digest.to_string());
    let Outcome::Failed { at, .. } = ending.verdicts[0].outcome else {
        panic!("{:?} held", ending.verdicts[0]);
    };
    assert_eq!(json["found"]["expectation"]["failed_at_s"], at.as_secs_f64());
    assert_eq!(recording.marks[0].at, at);
}

#[test]
fn what_was_asked_for_is_judged_again_when_it_is_replayed() {
    let folder = Folder::new();
    // The layout expects something else, which holds.
    let layout = folder.file(
        "tiny.ron",
        TINY.replace("users", "expect: [Always(\"lost == 0\")], users"),
    );
    let file = folder.path("found.replay.ron");
    let asked = "always up(web) >= 1, grace 500ms";
    let output = blastradius(&[
        "search",
        &layout,
        "--for",
        "10s",
        "--json",
        "--expect",
        asked,
        "--expect",
        "eventually failed < 1000000",
        "-o",
        &file,
    ]);
    assert_code(&output, 1);
    let found: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let found = &found["found"]["expectation"];
    let again = blastradius(&["replay", &file, "--json"]);
    assert_code(&again, 1);
    let run: serde_json::Value = serde_json::from_str(&stdout(&again)).expect("JSON");
    let judged = run["expectations"].as_array().expect("expectations");
    assert_eq!(judged.len(), 2, "{judged:?}");
    for field in ["quantifier", "text", "verdict", "failed_at_s", "failed_value"] {
        assert_eq!(judged[0][field], found[field], "{field}");
    }
    assert_eq!(judged[0]["text"], "up(web) >= 1, grace 500ms");
    assert_eq!(judged[1]["verdict"], "held");
    // What the layout itself expects needs no words in the recording.
    let own = folder.file(
        "own.ron",
        TINY.replace("users", "expect: [Always(\"up(web) >= 1\")], users"),
    );
    assert_code(&blastradius(&["search", &own, "--for", "10s", "-o", &file]), 1);
    let (recording, _) = Recording::load(Path::new(&file)).expect("a recording");
    assert!(recording.head.expect.is_empty());
    // A file may say anything.
    let mut wrong = recording;
    wrong.head.expect = vec![blastradius::layout::RawExpectation::Always(
        "up(\u{1b}nobody) >= 1".to_owned(),
    )];
    let error = Recording::parse(&wrong.to_text(), Path::new("wrong")).expect_err("nobody is called so");
    assert!(error.to_string().starts_with("wrong: expect: "), "{error}");
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn tries_are_done_from_a_number_on() {
    let folder = Folder::new();
    let layout = folder.file("tiny.ron", TINY);
    let file = folder.path("found.replay.ron");
    let search = |more: &[&str]| {
        let common = [
            "search",
            &layout,
            "--for",
            "10s",
            "--expect",
            "always up(web) >= 1",
            "--json",
            "-o",
            &file,
        ];
        let output = blastradius(&[&common[..], more].concat());
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        (output.status.code(), json)
    };
    let (code, first) = search(&[]);
    assert_eq!(code, Some(1));
    let number = first["found"]["try"].as_u64().expect("a number");
    // Beginning with its number it is found again, to the byte of its recording; behind it, it is not.
    let bytes = std::fs::read(&file).expect("it is kept");
    let (code, again) = search(&["--from", &number.to_string()]);
    assert_eq!((code, &again["found"]), (Some(1), &first["found"]));
    assert_eq!(again["tries"]["from"], number);
    assert_eq!(std::fs::read(&file).expect("it is kept"), bytes);
    let (_, behind) = search(&["--from", &(number + 1).to_string(), "--tries", "40"]);
    let later = behind["found"]["try"].as_u64();
    assert!(
        later.is_none_or(|later| later > number && later <= number + 40),
        "{behind:#}"
    );
    // What comes before it is known to break nothing.
    if number > 0 {
        let (code, before) = search(&["--tries", &number.to_string()]);
        assert_eq!((code, before["tries"]["next"].as_u64()), (Some(0), Some(number)));
    }
    for (wrong, why) in [
        (["--from", "-1"], "0 or more"),
        (["--tries", "0"], "1 or more"),
        (["--seed", "-3"], "0 to 18446744073709551615"),
    ] {
        let output = blastradius(&["search", "05", wrong[0], wrong[1]]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn ctrl_c_says_how_to_go_on() {
    let folder = Folder::new();
    let file = folder.path("found.replay.ron");
    let layout = folder.file("tiny.ron", TINY);
    let common = [
        "search",
        &layout,
        "--for",
        "60s",
        "--expect",
        "always up(web) <= 1",
        "--tries",
        "1000000",
        "-o",
        &file,
    ];
    // Whoever comes before the program listens ends it all the same, but hears nothing.
    let told = [1, 2, 4, 8].into_iter().find_map(|wait| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
        let command = command.args(common).args(["--threads", "1"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_secs(wait));
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill is there").success());
        let output = child.wait_with_output().expect("it ends");
        let code = output.status.code()?;
        assert_eq!(code, 130);
        assert_eq!(stdout(&output), "");
        Some(stderr(&output))
    });
    let told = told.expect("it listens in time");
    let words = told
        .strip_prefix("interrupted: what was tried before number ")
        .expect("how far it is");
    let next: u64 = words
        .split(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number");
    let options = format!("--from {next} --tries {}", 1_000_000 - next);
    assert!(
        told.contains(&format!("the same command with {options} goes on")),
        "{told}"
    );
    assert!(
        folder.names().iter().all(|name| name != "found.replay.ron"),
        "nothing was found"
    );
    // With what it says, though with fewer tries, it goes on.
    let from = next.to_string();
    let on = blastradius(&[
        "search",
        &layout,
        "--for",
        "5s",
        "--expect",
        "always up(web) <= 1",
        "--from",
        &from,
        "--tries",
        "3",
        "-o",
        &file,
    ]);
    assert_code(&on, 0);
    assert!(
        stdout(&on).contains("nothing found in 3 tries of 5s each"),
        "{}",
        stdout(&on)
    );
}

#[test]
fn shards_do_all_tries_between_them_and_a_foreign_file_stays() {
    let folder = Folder::new();
    let layout = folder.file("tiny.ron", TINY);
    let search = |more: &[&str]| {
        let common = ["search", &layout, "--for", "5s", "--expect", "always up(web) <= 1"];
        blastradius(&[&common[..], more].concat())
    };
    let file = folder.path("part.replay.ron");
    let mut parts = Vec::new();
    for shard in ["1/2", "2/2"] {
        let output = search(&["--tries", "5", "--shard", shard, "-o", &file]);
        assert_code(&output, 0);
        assert_eq!(stdout(&output).lines().count(), 1);
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(json["schema"], "blastradius.search-part/1");
        assert_eq!(
            (&json["tries"]["shard"], &json["tries"]["next"]),
            (&shard.into(), &5.into())
        );
        assert!(json["found"].is_null());
        let name = format!("part-{}.jsonl", &shard[..1]);
        parts.push(folder.file(&name, stdout(&output)));
    }
    // Together they tell what one tells, and one alone is no whole.
    let whole = blastradius(&["merge", &parts[1], &parts[0], "--json"]);
    assert_code(&whole, 0);
    assert_eq!(
        stdout(&whole),
        stdout(&search(&["--tries", "5", "--json", "-o", &file]))
    );
    assert_code(&blastradius(&["merge", &parts[0]]), 2);
    // A part of something else is named as that, wherever it stands.
    let blast = blastradius(&["blast", &layout, "--for", "20s", "--shard", "1/50"]);
    let blast = folder.file("blast.jsonl", stdout(&blast));
    for files in [[&parts[0], &blast], [&blast, &parts[0]]] {
        let mixed = blastradius(&["merge", files[0], files[1]]);
        assert_code(&mixed, 2);
        let words = ["is a part of a search and ", " of a blast: merge those of one question"];
        assert!(
            words.iter().all(|words| stderr(&mixed).contains(words)),
            "{}",
            stderr(&mixed)
        );
    }
    assert_code(&blastradius(&["merge", &parts[0], &parts[1], "--csv"]), 2);
    let foreign = folder.file("foreign.ron", "mine");
    let output = search(&["-o", &foreign]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("it exists and is no recording"),
        "{}",
        stderr(&output)
    );
    assert_eq!(std::fs::read_to_string(&foreign).expect("it is there"), "mine");
    let output = search(&["--time", "0s", "-o", &file]);
    assert_code(&output, 0);
    assert!(stdout(&output).contains("the time is over"), "{}", stdout(&output));
}
