//! Recordings: the same history again, and what happens to those that were tampered with.

use std::fs;
use std::time::Duration;

use blastradius::command::{Command, Script};
use blastradius::layout::{self, find_shipped};
use blastradius::replay::{Act, Checkpoint, Digest, Ending, Recording, Session};

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

/// Verifies the recording after replacing one text in it by another; returns exit code, stdout and stderr.
fn tampered(folder: &Folder, record: &str, from: &str, to: &str) -> (i32, String) {
    let text = fs::read_to_string(record).expect("the recording");
    assert!(text.contains(from), "`{from}` is missing in:\n{text}");
    let file = folder.file("tampered.replay.ron", text.replacen(from, to, 1));
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
    Recording {
        trace: None,
        format: 1,
        engine: "0.0.1".to_string(),
        name: "made \u{1b} up".to_string(),
        layout: layout.to_string(),
        seed: u64::MAX,
        duration: Duration::from_nanos(12_345_678_901),
        commands: vec![
            act(1, "kill web/1"),
            act(1, "slow web 1.3"),
            act(2, "drop web <-> dns 0.1"),
        ],
        checkpoints: vec![Checkpoint {
            at: Duration::from_secs(10),
            digest: Digest(7),
        }],
        digest: Digest(u64::MAX),
    }
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
fn damage_is_refused_or_harmless_and_never_a_panic() {
    let text = made_up(TINY).to_text();
    for (at, c) in text.char_indices() {
        for damage in ["", "\"", "9", "(", "-", "\u{1b}", "é"] {
            let damaged = format!("{}{damage}{}", &text[..at], &text[at + c.len_utf8()..]);
            if let Err(error) = Recording::parse(&damaged, "text".as_ref()) {
                assert!(error.to_string().contains("text"), "{error}");
            }
        }
    }
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
    assert_eq!(recording.layout, odd, "the layout is kept to the byte");
}

#[test]
fn a_recording_that_was_tampered_with_differs() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let (code, said) = tampered(&folder, &record, "seed: 11", "seed: 12");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the same until 0 s, different at 10 s"), "{said}");
    let (code, said) = tampered(&folder, &record, "Slow(\"web/2\", 1.7)", "Slow(\"web/2\", 1.8)");
    assert_eq!(code, 1, "{said}");
    let (code, said) = tampered(
        &folder,
        &record,
        "at: \"20s\",\n            do",
        "at: \"21s\",\n            do",
    );
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the same until 20 s, different at 30 s"), "{said}");
    let (code, said) = tampered(&folder, &record, "Mend(\"web/1\")", "Mend(\"web/9999\")");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("refused now"), "{said}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let refused = |from: &str, to: &str, word: &str| {
        let (code, said) = tampered(&folder, &record, from, to);
        assert_eq!(code, 2, "{from} -> {to}: {said}");
        assert!(said.contains(word), "{from} -> {to}: `{word}` is missing in {said}");
    };
    refused("format: 1", "format: 2", "format 2");
    refused("seed: 11", "seed: -11", "tampered.replay.ron:");
    refused("seed: 11", "sead: 11", "sead");
    refused("duration: \"35s\"", "duration: \"3500h\"", "30 days");
    refused("duration: \"35s\"", "duration: \"45s\"", "checkpoints");
    refused(
        "at: \"20s\",\n            do",
        "at: \"36s\",\n            do",
        "after the end",
    );
    refused("do: Mend", "do: Explode", "Explode");
    refused("do: Mend(\"web/1\")", "do: Mend(\"web/1\"), twice: true", "twice");
    refused("LoadBalancer(", "LoudBalancer(", "the layout in it");
}

#[test]
fn a_truncated_recording_is_refused_wherever_it_was_cut() {
    let folder = Folder::new();
    let record = recorded(&folder);
    let text = fs::read_to_string(&record).expect("the recording");
    let whole = text.trim_end().len();
    for part in 0..16 {
        let mut end = (whole - 1) * part / 15;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let file = folder.file("cut.replay.ron", &text[..end]);
        let output = blastradius(&["replay", &file, "--verify"]);
        assert_code(&output, 2);
        assert!(stderr(&output).contains("cut.replay.ron:"), "{}", stderr(&output));
    }
    let output = blastradius(&["replay", &folder.path("none.replay.ron"), "--verify"]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("cannot read"), "{}", stderr(&output));
}
