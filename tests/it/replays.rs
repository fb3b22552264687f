//! Recordings: the same history again, and what happens to those that were tampered with.

use std::fs;
use std::time::Duration;

use blastradius::command::{Command, Script};
use blastradius::layout::{self, RawExpectation, find_shipped};
use blastradius::replay::{Act, Checkpoint, Digest, Ending, Head, Journal, PART, Recording, Session, Words};

use crate::cli::{Folder, TINY, assert_code, blastradius, stderr, stdout};

const SCRIPT: &str = r#"[
    (at: "12345678ns", do: Slow("web/2", 1.7)),
    (at: "5s", do: Kill("web/1")),
    (at: "20s", do: Mend("web/1")),
]"#;

/// Records 35 s of the load balancer under a script and returns the file.
fn recorded(folder: &Folder) -> String {
    let script = folder.file("script.ron", SCRIPT);
    let record = folder.path("out.replay.ron");
    let output = blastradius(&[
        "run", "04", "--for", "35s", "--seed", "11", "--script", &script, "--record", &record,
    ]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    assert_eq!(
        folder.names(),
        ["out.replay.ron", "script.ron"],
        "nothing else is left behind"
    );
    record
}

/// Verifies the recording after changing what is in it and writing it anew; returns exit code and stderr.
fn altered(folder: &Folder, record: &str, change: impl FnOnce(&mut Recording)) -> (i32, String) {
    let (mut recording, _) = Recording::load(record.as_ref()).expect("a recording");
    change(&mut recording);
    verified(folder, &recording.to_text())
}

/// Verifies this text as a recording; returns exit code and stderr.
fn verified(folder: &Folder, text: &str) -> (i32, String) {
    let file = folder.file("tampered.replay.ron", text);
    let output = blastradius(&["replay", &file, "--verify"]);
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{said}");
    (output.status.code().expect("an exit code"), said)
}

/// A session of 04 under the script.
fn session() -> Session {
    let source = find_shipped("04").expect("a shipped layout").source;
    let layout = layout::parse(source, "04").expect("a layout");
    let script = Script::parse(SCRIPT, "script").expect("a script");
    Session::new(&layout, 11, &script)
}

/// Runs a session to 35 s in steps of this length.
fn run_in_steps_of(step: Duration) -> Ending {
    let mut session = session();
    let end = Duration::from_secs(35);
    while session.now() < end {
        let next = (session.now() + step).min(end);
        session.advance_to(next);
    }
    session.end()
}

/// A recording that was never run.
fn made_up(layout: &str) -> Recording {
    let act = |at_s, command: &str| Act {
        at: Duration::from_secs(at_s),
        command: Command::parse(command).expect("a command"),
    };
    let words = |at_s, text: &str| Words {
        at: Duration::from_secs(at_s),
        text: text.to_string(),
    };
    Recording {
        duration: Duration::from_nanos(12_345_678_901),
        commands: vec![
            act(1, "kill web/1"),
            act(1, "slow web 1.3"),
            act(2, "drop web <-> dns 0.1"),
        ],
        marks: vec![words(1, "the outage // \"of\" \u{1b}[2J\n1999")],
        notes: vec![words(3, "nobody noticed"), words(12, "東京")],
        checkpoints: vec![Checkpoint {
            at: Duration::from_secs(10),
            digest: Digest(7),
        }],
        digest: Some(Digest(u64::MAX)),
        ..Recording::new(Head {
            engine: "0.0.1".to_string(),
            ..Head::new("made \u{1b} up", layout, None, u64::MAX)
        })
    }
}

/// Whether one recording is the beginning of another.
fn is_prefix(part: &Recording, whole: &Recording) -> bool {
    let times = part.duration <= whole.duration;
    let head = part.head == whole.head;
    let digest = part.digest.is_none() || part == whole;
    times
        && head
        && digest
        && whole.commands.starts_with(&part.commands)
        && whole.marks.starts_with(&part.marks)
        && whole.notes.starts_with(&part.notes)
        && whole.checkpoints.starts_with(&part.checkpoints)
}

#[test]
fn what_is_written_is_read_back_whatever_is_in_the_layout() {
    for odd in [
        "",
        "// \"quoted\" \\ \"## r#\"raw\"#\r\n",
        "// \u{1b}[2J\u{0}\t東京\r\n",
        "// \\u{7}\n",
        "// #\"#\n",
    ] {
        let recording = made_up(&format!("{odd}{TINY}"));
        let (read, _) = Recording::parse(&recording.to_text(), "text".as_ref()).expect("a recording");
        assert_eq!(read, recording);
    }
}

#[test]
fn a_flipped_byte_is_refused_or_leaves_a_true_beginning() {
    let whole = made_up(TINY);
    let bytes = whole.to_text().into_bytes();
    let folder = Folder::new();
    let file = folder.path("flipped.replay.ron");
    let mut refused = 0;
    for at in 0..bytes.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut damaged = bytes.clone();
            damaged[at] ^= bit;
            // Only what is no text goes through a file: that is slow.
            let read = match String::from_utf8(damaged) {
                Ok(text) => Recording::parse(&text, file.as_ref()),
                Err(error) => {
                    fs::write(&file, error.as_bytes()).expect("a file");
                    Recording::load(file.as_ref())
                }
            };
            match read {
                Ok((read, _)) => assert!(is_prefix(&read, &whole), "byte {at}, bit {bit:02x}"),
                Err(_) => refused += 1,
            }
        }
    }
    // Only in the last line is a byte that ends a line cut off rather than changed.
    assert!(refused > 3 * bytes.len() - 20, "{refused} of {}", 3 * bytes.len());
}

#[test]
fn a_cut_leaves_all_whole_lines() {
    let whole = made_up(TINY);
    let text = whole.to_text();
    let folder = Folder::new();
    let file = folder.path("cut.replay.ron");
    let body = text.find("    entries: [").expect("entries");
    let all = whole.commands.len() + whole.marks.len() + whole.notes.len() + whole.checkpoints.len();
    let mut loaded = 0;
    for end in 0..=text.len() {
        fs::write(&file, &text.as_bytes()[..end]).expect("a file");
        match Recording::load(file.as_ref()) {
            Ok((read, _)) => {
                assert!(is_prefix(&read, &whole), "cut at {end}");
                loaded += 1;
                let lines = String::from_utf8_lossy(&text.as_bytes()[body..end])
                    .matches('\n')
                    .count();
                let known = read.commands.len() + read.marks.len() + read.notes.len() + read.checkpoints.len();
                assert_eq!(known, (lines - 1).min(all), "cut at {end}: no whole line is left out");
            }
            Err(error) => assert_eq!(loaded, 0, "cut at {end}: {error}"),
        }
    }
    assert!(loaded > 500, "{loaded}");
    let (read, _) = Recording::load(file.as_ref()).expect("the whole");
    assert_eq!(read, whole);
}

#[test]
fn a_journal_is_the_recording_of_as_much_as_has_happened() {
    let whole = made_up(TINY);
    let folder = Folder::new();
    let file = folder.path("live.replay.ron");
    let mut journal = Journal::begin(file.as_ref(), &Recording::new(whole.head.clone())).expect("a file");
    let part = format!("{file}{PART}");
    let entries = whole.entries();
    for (count, entry) in entries[..entries.len() - 1].iter().enumerate() {
        journal.add(entry).expect("written");
        let (read, _) = Recording::load(part.as_ref()).expect("a recording");
        assert!(is_prefix(&read, &whole));
        let known = read.commands.len() + read.marks.len() + read.notes.len() + read.checkpoints.len();
        assert_eq!(known, count + 1);
    }
    let digest = whole.digest.expect("a digest");
    journal.end(whole.duration, digest, true).expect("written");
    assert_eq!(folder.names(), ["live.replay.ron"], "it has its own name now");
    let (read, _) = Recording::load(file.as_ref()).expect("a recording");
    assert_eq!(read, whole);
    assert_eq!(fs::read_to_string(&file).expect("the file"), whole.to_text());
}

#[test]
fn a_session_is_the_same_however_it_is_sliced() {
    let whole = run_in_steps_of(Duration::from_secs(35));
    assert_eq!(whole.checkpoints.len(), 3);
    assert_eq!(whole.acts.len(), 3);
    // A screen advances by odd nanoseconds, which cut through the kernel's windows.
    for nanos in [7_000_000, 16_666_667, 333_333_333, 9_999_000_000] {
        let sliced = run_in_steps_of(Duration::from_nanos(nanos));
        assert_eq!(sliced.digest, whole.digest, "slices of {nanos} ns");
        assert_eq!(sliced.checkpoints, whole.checkpoints, "slices of {nanos} ns");
        assert_eq!(sliced.acts, whole.acts, "slices of {nanos} ns");
        assert_eq!(sliced.verdicts, whole.verdicts, "slices of {nanos} ns");
        assert_eq!(sliced.frame, whole.frame, "slices of {nanos} ns");
    }
}

#[test]
fn what_a_person_does_is_recorded_as_what_a_script_does() {
    let scripted = run_in_steps_of(Duration::from_secs(35));
    let source = find_shipped("04").expect("a shipped layout").source;
    let layout = layout::parse(source, "04").expect("a layout");
    let mut live = Session::new(&layout, 11, &Script::default());
    for act in &scripted.acts {
        live.advance_to(act.at);
        live.apply(&act.command).expect("the command");
    }
    live.advance_to(Duration::from_secs(35));
    let live = live.end();
    assert_eq!(live.digest, scripted.digest);
    let recording = Recording::of("04", source, None, &live);
    assert_eq!(recording, Recording::of("04", source, None, &scripted));
    let (read, _) = Recording::parse(&recording.to_text(), "text".as_ref()).expect("a recording");
    assert_eq!(read, recording, "what was written is read back");
}

#[test]
fn a_recording_gives_the_same_history_again() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let output = blastradius(&["replay", &record, "--verify"]);
    assert_code(&output, 0);
    assert!(
        stdout(&output).starts_with("the same history: digest "),
        "{}",
        stdout(&output)
    );
    let again = blastradius(&["replay", &record, "--json"]);
    let script = folder.path("script.ron");
    let first = blastradius(&[
        "run", "04", "--for", "35s", "--seed", "11", "--script", &script, "--json",
    ]);
    assert_eq!(stdout(&again), stdout(&first), "a replay reports what the run reported");
}

#[test]
fn a_recording_holds_its_layout_whatever_is_in_it() {
    let folder = Folder::new();
    let odd = format!("// \"quoted\" \\ \"## r#\"raw\"#\r\n{TINY}");
    let layout = folder.file("odd.ron", &odd);
    let record = folder.path("odd.replay.ron");
    assert_code(&blastradius(&["run", &layout, "--for", "3s", "--record", &record]), 0);
    fs::remove_file(&layout).expect("the layout");
    assert_code(&blastradius(&["replay", &record, "--verify"]), 0);
    let (recording, _) = Recording::load(record.as_ref()).expect("a recording");
    assert_eq!(recording.head.layout, odd, "the layout is kept to the byte");
}

#[test]
fn a_recording_of_another_history_differs() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let (code, said) = altered(&folder, &record, |recording| recording.head.seed = 12);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the same until 0 s, different at 10 s"), "{said}");
    let slower = Command::parse("slow web/2 1.8").expect("a command");
    let (code, said) = altered(&folder, &record, |recording| recording.commands[0].command = slower);
    assert_eq!(code, 1, "{said}");
    let later = Duration::from_secs(21);
    let (code, said) = altered(&folder, &record, |recording| recording.commands[2].at = later);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the same until 20 s, different at 30 s"), "{said}");
    let nobody = Command::parse("mend web/9999").expect("a command");
    let (code, said) = altered(&folder, &record, |recording| recording.commands[2].command = nobody);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("refused now"), "{said}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let refused = |change: &dyn Fn(&mut Recording), word: &str| {
        let (code, said) = altered(&folder, &record, |recording| change(recording));
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(word), "`{word}` is missing in {said}");
    };
    refused(&|recording| recording.head.format = 3, "format 3");
    refused(
        &|recording| recording.duration = Duration::from_secs(3_500 * 3_600),
        "30 days",
    );
    refused(
        &|recording| recording.duration = Duration::from_secs(45),
        "one digest for each",
    );
    refused(
        &|recording| recording.commands[2].at = Duration::from_secs(36),
        "earlier than the one before",
    );
    refused(
        &|recording| {
            recording.notes.push(Words {
                at: Duration::from_secs(30),
                text: "x".repeat(501),
            });
        },
        "500 characters",
    );
    refused(
        &|recording| recording.head.layout = recording.head.layout.replacen("LoadBalancer(", "LoudBalancer(", 1),
        "the layout in it",
    );
    let text = fs::read_to_string(&record).expect("the recording");
    for (from, to) in [("seed: 11", "seed: 12"), ("Mend(\"web/1\")", "Mend(\"web/2\")")] {
        let (code, said) = verified(&folder, &text.replacen(from, to, 1));
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("damaged"), "{said}");
    }
    let old = "// A run of blastradius. See it again: blastradius replay FILE\nRecording(\n    format: 1,\n    engine: \"0.1.0\",\n)\n";
    let (code, said) = verified(&folder, old);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("format 1, and this version reads format 2"), "{said}");
}

#[test]
fn a_recording_that_was_cut_off_is_verified_as_far_as_it_goes() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let text = fs::read_to_string(&record).expect("the recording");
    let end = text.find("Mend(").expect("a command");
    let file = folder.file("cut.replay.ron", &text[..end]);
    let output = blastradius(&["replay", &file, "--verify"]);
    assert_code(&output, 0);
    assert!(
        stderr(&output).contains("was cut off: the run is known up to 20 s"),
        "{}",
        stderr(&output)
    );
    let file = folder.file("cut.replay.ron", &text[..200]);
    let output = blastradius(&["replay", &file, "--verify"]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("cut off before its first entry"),
        "{}",
        stderr(&output)
    );
    let output = blastradius(&["replay", &folder.path("none.replay.ron"), "--verify"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("cannot read"), "{}", stderr(&output));
}

#[test]
fn what_was_expected_of_a_run_stands_in_the_script_that_does_the_same() {
    let folder = Folder::new();
    let (mut recording, layout) = Recording::load(recorded(&folder).as_ref()).expect("a recording");
    assert!(!recording.script().to_text("").contains("expect"));
    recording.head.expect = vec![
        RawExpectation::Always("lost == 0".to_string()),
        RawExpectation::At(Duration::from_secs(30), "ok >= 99%".to_string()),
    ];
    let file = folder.file("expecting.replay.ron", recording.to_text());
    let output = blastradius(&["replay", &file, "--script"]);
    assert_code(&output, 0);
    let script = Script::parse(&stdout(&output), "script").expect("a script");
    let expected = script.expectations(&layout).expect("expectations");
    let texts: Vec<&str> = expected.iter().map(|expectation| expectation.text.as_str()).collect();
    assert_eq!(texts, ["lost == 0", "ok >= 99%"]);
}
