//! A blast in several processes: what it tells is what threads tell, and whatever ends it, nobody is left.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use blastradius::analyze::blast::{Plan, Question, Seen, Span};
use blastradius::layout::{find_shipped, parse};
use blastradius::report::BlastReport;

use crate::cli::{Folder, blastradius, stderr, stdout};

/// What the library tells in threads, as JSON.
fn in_threads(number: &str, (before, after): (u64, u64), seeds: Vec<u64>, pairs: bool) -> String {
    let shipped = find_shipped(number).expect("it is shipped");
    let layout = parse(shipped.source, shipped.file).expect("it is a layout");
    let span = Span {
        before: Duration::from_secs(before),
        after: Duration::from_secs(after),
    };
    let plan = Plan::of(&layout, Question { span, seeds, pairs });
    let mut seen = Seen::new();
    let two = NonZeroUsize::new(2).expect("two");
    let never = AtomicBool::new(false);
    plan.run(&layout, &plan.trials, two, &never, &|_| {}, |trial, outcomes| {
        seen.insert(trial, outcomes);
    });
    let name = shipped.file.trim_end_matches(".ron");
    let report = BlastReport::new(name, &layout, &plan, &seen, 99.9 / 100.0);
    report.expect("all runs are done").to_json()
}

#[test]
fn processes_tell_what_threads_tell() {
    let with = |arguments: &[&str]| {
        let output = blastradius(&[&["blast", "--json", "--threads", "2"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let two_seeds = ["--at", "3s", "--for", "20s", "--seeds", "2"];
    for number in ["04", "14"] {
        let processes = with(&[&[number], &two_seeds[..]].concat());
        assert_eq!(processes, in_threads(number, (3, 20), vec![7, 8], false), "{number}");
    }
    let pairs = with(&["02", "--at", "2s", "--for", "60s", "--pairs"]);
    assert_eq!(pairs, in_threads("02", (2, 60), vec![7], true));
}

/// A blast that takes its time, with what it keeps in this folder.
fn long(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
    command.args([
        "blast",
        "05",
        "--seeds",
        "2",
        "--for",
        "40s",
        "--threads",
        "2",
        "--json",
    ]);
    command.env("XDG_STATE_HOME", folder.path(""));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// All processes that are there and not ended: the parent of each.
fn processes() -> BTreeMap<u32, u32> {
    let output = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output();
    let text = stdout(&output.expect("ps is there"));
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let mut number = || words.next()?.parse().ok();
        let both = (number()?, number()?);
        words
            .next()
            .is_some_and(|state| !state.starts_with('Z'))
            .then_some(both)
    };
    text.lines().filter_map(line).collect()
}

/// Those that a process started, and that those started.
fn offspring(of: u32) -> [Vec<u32>; 2] {
    let all = processes();
    let children = |of: &[u32]| -> Vec<u32> {
        let mine = all.iter().filter(|(_, parent)| of.contains(parent));
        mine.map(|(process, _)| *process).collect()
    };
    let helpers = children(&[of]);
    let copies = children(&helpers);
    [helpers, copies]
}

/// Waits until two helpers have a copy each, and a run is kept.
fn busy(child: &Child, folder: &Folder) -> [Vec<u32>; 2] {
    let work = format!("{}/blastradius/work", folder.path(""));
    let lines = || {
        let file = std::fs::read_dir(&work).ok()?.next()?.ok()?.path();
        Some(std::fs::read_to_string(file).ok()?.lines().count())
    };
    let started = Instant::now();
    loop {
        let [helpers, copies] = offspring(child.id());
        if helpers.len() == 2 && copies.len() == 2 && lines().unwrap_or(0) > 1 {
            return [helpers, copies];
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{helpers:?} {copies:?}");
        sleep(Duration::from_millis(2));
    }
}

/// Sends a signal; whether there was still somebody to take it.
fn signal(name: &str, process: u32) -> bool {
    let mut kill = Command::new("kill");
    let sent = kill.args([name, &process.to_string()]).stderr(Stdio::null()).status();
    sent.expect("kill is there").success()
}

/// Kills a helper, or a copy of one. Gives all that there were.
fn strike(child: &Child, folder: &Folder, copy: bool) -> [Vec<u32>; 2] {
    loop {
        let all = busy(child, folder);
        // A copy may have ended by itself meanwhile.
        if signal("-KILL", all[usize::from(copy)][0]) {
            return all;
        }
    }
}

fn assert_gone(all: &[Vec<u32>; 2], within: Duration) {
    let started = Instant::now();
    loop {
        let alive = processes();
        let left: Vec<&u32> = all
            .iter()
            .flatten()
            .filter(|process| alive.contains_key(process))
            .collect();
        if left.is_empty() {
            return;
        }
        assert!(started.elapsed() < within, "still there: {left:?} of {all:?}");
        sleep(Duration::from_millis(20));
    }
}

fn goes_on(folder: &Folder) {
    let again = long(folder).output().expect("it runs");
    assert!(stderr(&again).starts_with("going on: "), "{}", stderr(&again));
    let whole = long(folder).output().expect("it runs");
    assert!(stderr(&whole).is_empty(), "{}", stderr(&whole));
    assert_eq!(stdout(&again), stdout(&whole));
}

fn interrupted(output: &Output) {
    assert_eq!(output.status.code(), Some(130), "{}", stderr(output));
    assert!(stderr(output).contains("interrupted: "), "{}", stderr(output));
    assert!(stdout(output).is_empty());
}

#[test]
fn nobody_is_left_when_it_is_interrupted() {
    let folder = Folder::new();
    for name in ["-INT", "-TERM"] {
        let child = long(&folder).spawn().expect("it starts");
        let all = busy(&child, &folder);
        assert!(signal(name, child.id()));
        interrupted(&child.wait_with_output().expect("it ends"));
        assert_gone(&all, Duration::ZERO);
    }
    // Ctrl-c reaches all of them; whoever hears of it first.
    let child = long(&folder).spawn().expect("it starts");
    let all = busy(&child, &folder);
    for process in all.iter().rev().flatten() {
        signal("-INT", *process);
    }
    interrupted(&child.wait_with_output().expect("it ends"));
    assert_gone(&all, Duration::ZERO);
}

#[test]
fn nobody_is_left_when_it_is_killed() {
    let folder = Folder::new();
    let mut child = long(&folder).spawn().expect("it starts");
    let all = busy(&child, &folder);
    assert!(signal("-KILL", child.id()));
    child.wait().expect("it ends");
    assert_gone(&all, Duration::from_secs(1));
    goes_on(&folder);
}

#[test]
fn whatever_breaks_off_is_told_and_the_rest_is_kept() {
    for copy in [false, true] {
        let folder = Folder::new();
        let child = long(&folder).spawn().expect("it starts");
        let all = strike(&child, &folder, copy);
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let told = stderr(&output);
        assert!(told.contains("error: a run broke off: its process "), "{told}");
        assert!(told.contains("the same command goes on from there"), "{told}");
        assert!(!copy || told.contains("was ended by signal 9"), "{told}");
        assert_gone(&all, Duration::from_secs(1));
    }
}
