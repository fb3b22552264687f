//! `--linear`: the run in sentences, with commands from a pipe.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::{Folder, assert_code, stderr, stdout};

fn begun(folder: &Folder, arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("XDG_STATE_HOME", folder.path("state"));
    command.env("XDG_CONFIG_HOME", folder.path("config"));
    command.env_remove("BLASTRADIUS_THEME");
    command.spawn().expect("the program starts")
}

fn told(folder: &Folder, arguments: &[&str], input: &str) -> Output {
    let mut child = begun(folder, arguments);
    let mut keyboard = child.stdin.take().expect("its input");
    // One that refuses its arguments does not listen.
    let _ = keyboard.write_all(input.as_bytes());
    drop(keyboard);
    child.wait_with_output().expect("it ends")
}

/// The lines before the summary.
fn sentences(output: &Output) -> Vec<String> {
    let lines = stdout(output);
    let all = lines.lines().take_while(|line| !line.starts_with("requests"));
    all.map(str::to_string).collect()
}

fn assert_has(lines: &[String], words: &str) {
    assert!(lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
}

#[test]
fn an_incident_is_told_from_its_beginning_to_its_end() {
    let folder = Folder::new();
    let input = "speed 20\nwait 3s\nkill web/1\nwait 20s\nstatus\nmend web/1\n";
    let output = told(&folder, &["play", "04", "--linear", "--for", "60s"], input);
    assert_code(&output, 0);
    assert_eq!(stderr(&output), "");
    let lines = sentences(&output);
    assert!(lines[0].starts_with("04-load-balancer: "), "{lines:#?}");
    for words in [
        "The speed is 20x.",
        "00:03.0 Done: killed web/1.",
        "It is 00:23.0, running at 20x",
        "00:23.0 Done: ",
        "acted on after ",
        ": lb sends nothing there any more; so far ",
        "Incident 1 begins: killed web/1.",
        "Incident 1, hurt after ",
        "Incident 1, noticed after ",
        " by lb: so far ",
        "Incident 1, acted on after ",
        "Incident 1, served again after ",
        "Incident 1, healed after ",
        "Users send ",
        "instances are not well: web/1 dead ",
    ] {
        assert_has(&lines, words);
    }
    let noticed = lines
        .iter()
        .find(|line| line.contains("noticed after"))
        .expect("a line");
    assert!(noticed.contains("failed") && noticed.contains("retried"), "{noticed}");
    // That users were served again is known some time after it was so.
    let known_late = |line: &&String| line.contains("served again") || line.contains("healed");
    let stamps = lines.iter().filter(|line| !known_late(line));
    let stamps: Vec<&str> = stamps
        .filter(|line| line.get(2..3) == Some(":"))
        .map(|line| &line[..7])
        .collect();
    assert!(stamps.is_sorted(), "{lines:#?}");
    assert!(!stdout(&output).contains('\u{1b}'), "no colours, no cursor");
    assert!(
        stdout(&output).contains("see again  blastradius replay "),
        "{}",
        stdout(&output)
    );
}

#[test]
fn what_is_typed_is_answered_in_a_sentence() {
    let folder = Folder::new();
    let input =
        "status\nhelp\nkil web/1\nspeed 0\nkill *\nno\ntheme light\nwatch web\nspeed max\npause\ngo on\nquit\nstatus\n";
    let output = told(&folder, &["play", "04", "--linear", "--for", "1h"], input);
    assert_code(&output, 0);
    let lines = sentences(&output);
    for words in [
        "No incident so far.",
        "quit: the end.",
        "Refused: ",
        "did you mean `kill`?",
        "Refused: `0` is no speed",
        "Type yes to do it.",
        "It is kept as it is.",
        "Refused: theme is for the screen",
        "Refused: watch is for the screen",
        "Time stands still.",
        "Time goes on.",
    ] {
        assert_has(&lines, words);
    }
    let statuses = lines.iter().filter(|line| line.starts_with("It is 00:")).count();
    assert_eq!(statuses, 1, "nothing is heard after quit: {lines:#?}");
}

#[test]
fn calm_runs_say_little() {
    let folder = Folder::new();
    let start = Instant::now();
    let output = told(&folder, &["play", "13", "--linear", "--for", "3s"], "");
    assert_code(&output, 0);
    let lines = sentences(&output).len() as u64;
    // The first line, the line of the summary, and one a second.
    assert!(lines <= start.elapsed().as_secs() + 4, "{}", stdout(&output));
}

#[test]
fn a_pause_does_not_outlast_its_input() {
    let folder = Folder::new();
    let output = told(&folder, &["play", "01", "--linear", "--for", "2s"], "speed 10\npause\n");
    assert_code(&output, 0);
    let lines = sentences(&output);
    let goes_on = lines
        .iter()
        .filter(|line| *line == "The input has ended, so time goes on.");
    assert_eq!(goes_on.count(), 1, "{lines:#?}");
}

#[test]
fn a_recording_is_told_to_its_end() {
    let folder = Folder::new();
    let record = folder.path("run.replay.ron");
    let run = [
        "run",
        "04",
        "--for",
        "20s",
        "--do",
        "5s kill web/1",
        "--record",
        &record,
    ];
    // It ends with a machine down, which the layout does not expect.
    assert_code(&told(&folder, &run, ""), 1);
    let output = told(&folder, &["replay", &record, "--linear"], "speed 10\n");
    assert_code(&output, 0);
    let lines = sentences(&output);
    assert_has(&lines, "Incident 1 begins: killed web/1.");
    assert_has(&lines, "the end of the recording");
}

#[test]
fn without_a_terminal_it_must_be_known_when_to_end() {
    let folder = Folder::new();
    let output = told(&folder, &["play", "04", "--linear"], "status\n");
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--linear --for 60s"), "{}", stderr(&output));
    let output = told(&folder, &["play", "04", "--for", "3s"], "");
    assert_code(&output, 2);
    assert!(stderr(&output).contains("--linear"), "{}", stderr(&output));
}

#[test]
fn time_passes_for_a_wait_that_begins_while_it_stands_still() {
    let folder = Folder::new();
    let input = "speed 20\npause\nwait 5s\nkill web/1\nstatus\nquit\n";
    let output = told(&folder, &["play", "04", "--linear", "--for", "60s"], input);
    assert_code(&output, 0);
    let lines = sentences(&output);
    assert_has(&lines, "00:05.0 Time stands still again.");
    assert_has(&lines, "00:05.0 Done: killed web/1.");
    assert_has(&lines, "It is 00:05.0, paused");
    assert_has(&lines, "instances are not well: web/1 dead ");
}

#[test]
fn time_goes_on_to_the_end_once_the_input_has_ended() {
    let folder = Folder::new();
    for input in ["watch web\npause\n", "pause\ngo on\npause\n", "pause\nwait 1s\n"] {
        let output = told(&folder, &["play", "04", "--linear", "--for", "2s"], input);
        assert_code(&output, 0);
        let lines = sentences(&output);
        assert_has(&lines, "The input has ended, so time goes on.");
    }
}

#[test]
fn the_same_seed_and_input_end_at_the_same_moment_with_the_same_figures() {
    let folder = Folder::new();
    let input = "speed max\nwait 5s\nkill web/1\nwait 5s\nslow web/2 3\n";
    let run = || {
        let output = told(&folder, &["play", "04", "--linear", "--for", "20s"], input);
        assert_code(&output, 0);
        let lines = sentences(&output);
        assert_has(&lines, "00:05.0 Done: killed web/1.");
        assert_has(&lines, "00:10.0 Done: ");
        let said = stdout(&output);
        let (_, summary) = said.split_once("\nrequests").expect("a summary");
        let (figures, _) = summary.split_once("see again").expect("where it is recorded");
        figures.to_string()
    };
    assert_eq!(run(), run());
    let kept = stdout(&told(&folder, &["replay", "--list"], ""));
    let same = kept.lines().filter(|line| line.contains("20.0 s, 2 acts, last: slow "));
    assert_eq!(same.count(), 2, "{kept}");
}

#[test]
fn a_wait_beyond_the_end_is_cut_short() {
    let folder = Folder::new();
    let input = "speed max\nwait 1h\nstatus\n";
    let output = told(&folder, &["play", "04", "--linear", "--for", "10s"], input);
    assert_code(&output, 0);
    assert_has(&sentences(&output), "00:10.0 The end, before 1 line could be heard.");
    let kept = stdout(&told(&folder, &["replay", "--list"], ""));
    assert!(kept.contains("10.0 s, nothing was done"), "{kept}");

    let record = folder.path("run.replay.ron");
    let run = ["run", "04", "--for", "5s", "--record", &record];
    told(&folder, &run, "");
    let output = told(&folder, &["replay", &record, "--linear"], input);
    assert_code(&output, 0);
    let lines = sentences(&output);
    assert_has(&lines, "So the wait is over.");
    let input = "speed max\nwait 2s\nkill web/1\n";
    let output = told(&folder, &["replay", &record, "--linear"], input);
    assert_code(&output, 0);
    assert_has(&sentences(&output), "00:02.0 Done: killed web/1.");
    assert_has(&lines, "It is 00:05.0, paused");
}

#[test]
fn who_has_acted_is_told_with_what_they_do() {
    let folder = Folder::new();
    let input = "speed max\nwait 5s\nsurge 3\n";
    let output = told(&folder, &["play", "11", "--linear", "--for", "60s"], input);
    assert_code(&output, 0);
    assert_has(&sentences(&output), ": web-autoscaler adds machines; so far ");
}

#[test]
fn what_is_typed_during_a_wait_is_heard_at_once_where_it_cannot_wait() {
    let folder = Folder::new();
    let mut child = begun(&folder, &["play", "04", "--linear", "--for", "2h"]);
    let mut keyboard = child.stdin.take().expect("its input");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let heard = Arc::new(AtomicBool::new(false));
    let is_heard = Arc::clone(&heard);
    let typist = thread::spawn(move || {
        keyboard.write_all(b"wait 1h\nkill web/1\n").expect("it listens");
        // Until it waits, lines are for the time after.
        while !is_heard.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(300));
            keyboard.write_all(b"status\n").expect("it listens");
        }
        keyboard.write_all(b"pause\nquit\n").expect("it listens");
    });
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let line = line.expect("a line");
        if line.starts_with("It is 00:") {
            heard.store(true, Ordering::Relaxed);
        }
        said.push(line);
    }
    typist.join().expect("all was typed");
    assert!(child.wait().expect("it ends").success());
    assert_has(&said, "Time stands still.");
    assert!(!said.iter().any(|line| line.contains("killed web/1")), "{said:#?}");
}
