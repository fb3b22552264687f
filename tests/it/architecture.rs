//! The architecture as rules that hold: the map in `lib.rs`, who may name whom, and what is not to be found where.

mod source;

use std::collections::BTreeSet;
use std::fs;

use source::{Source, source_folder, sources};

/// Who may name whom. A layer may always name itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("layout", &["trace"]),
    ("sim", &[]),
    ("trace", &[]),
    ("command", &["layout"]),
    ("protocol", &["sim"]),
    ("observe", &["sim", "protocol"]),
    ("parts", &["layout", "trace", "sim", "protocol", "observe"]),
    (
        "world",
        &["layout", "command", "trace", "sim", "protocol", "observe", "parts"],
    ),
    ("replay", &["layout", "command", "trace", "observe", "world"]),
    // `protocol` for Reason, which frames hold.
    (
        "analyze",
        &[
            "layout", "command", "trace", "protocol", "observe", "parts", "world", "replay",
        ],
    ),
    // `sim` for its SimTime: a frame's moments are of that type.
    ("report", &["layout", "sim", "observe", "replay", "analyze"]),
    // `sim` and `protocol` for SimTime and Reason, which frames hold.
    (
        "tui",
        &[
            "layout", "command", "trace", "sim", "protocol", "observe", "world", "replay", "analyze", "report",
        ],
    ),
    (
        "cli",
        &[
            "layout", "command", "trace", "sim", "protocol", "observe", "parts", "world", "replay", "analyze",
            "report", "tui",
        ],
    ),
    ("main.rs", &["cli"]),
    ("lib.rs", &[]),
];

/// Modules of `parts/` that are no part but shared by all of them.
const SHARED_BY_PARTS: &[&str] = &["mod", "common"];

/// What is to be found nowhere in code, except where a path begins with one of these.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    ("ratatui", &["tui/"], "the terminal is drawn only in tui/"),
    ("crossterm", &["tui/"], "the terminal is driven only in tui/"),
    ("clap", &["cli/"], "arguments are parsed only in cli/"),
    ("indicatif", &["cli/"], "progress is shown only in cli/"),
    ("unsafe", &[], "there is no unsafe code"),
    ("tokio::time", &[], "there is one clock, and tokio's is another"),
];

/// What is not to be found where worlds live.
const FORBIDDEN_IN_WORLDS: &[(&str, &str)] = &[
    ("Instant", "a world has one clock: its own"),
    ("SystemTime", "a world has one clock: its own"),
    ("thread::spawn", "a world belongs to one thread"),
    ("thread::scope", "a world belongs to one thread"),
    ("thread::Builder", "a world belongs to one thread"),
    ("thread::sleep", "a world never waits for the wall clock"),
    (
        "thread::{",
        "write `std::thread::panicking()` whole: nothing else of it has a place here",
    ),
    ("thread_local", "a world's state is its own"),
    ("spawn_blocking", "a world belongs to one thread"),
    ("RandomState", "its hasher is seeded at random"),
];

/// Past 500 lines something in a file wants a name; past these it must get one.
const MOST_LINES: usize = 600;

/// Where worlds live.
const WORLDS: &[&str] = &["sim/", "parts/", "world/"];

#[test]
fn the_map_in_lib_rs_names_every_folder_and_no_other() {
    let library = fs::read_to_string(source_folder().join("lib.rs")).expect("src/lib.rs");
    let bullets: BTreeSet<String> = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! - `")?.split_once("/`:"))
        .map(|(folder, _)| folder.to_string())
        .collect();
    let folders: BTreeSet<String> = fs::read_dir(source_folder())
        .expect("src/")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        bullets, folders,
        "the bullets of src/lib.rs (left) and the folders of src/ (right) differ"
    );
}

#[test]
fn every_folder_is_a_layer_with_rules() {
    for file in sources() {
        assert!(
            rules(&file.layer).is_some(),
            "src/{}: no row of LAYERS for `{}`",
            file.name,
            file.layer
        );
    }
}

#[test]
fn layers_name_only_what_they_may() {
    let mut violations = String::new();
    for file in sources() {
        let allowed = rules(&file.layer).unwrap_or_default();
        for (place, path) in file.paths() {
            let layer = path.first().map_or("", String::as_str);
            if layer != file.layer && rules(layer).is_some() && !allowed.contains(&layer) {
                file.violation(
                    &mut violations,
                    place,
                    &format!("`{}` may not name `{layer}`", file.layer),
                );
            }
        }
        for (place, path) in file.paths_from("crate") {
            if path.last().is_some_and(|name| name == "*") && path.len() == 2 {
                file.violation(&mut violations, place, "`crate::*` hides what is named");
            }
            if path.len() == 1 && file.code[place + "crate".len()..].trim_start().starts_with("as ") {
                file.violation(&mut violations, place, "`crate as` hides what is named");
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn parts_never_name_each_other() {
    let files: Vec<Source> = sources().into_iter().filter(|file| file.layer == "parts").collect();
    let parts: BTreeSet<String> = files.iter().map(Source::part).filter(|part| !is_shared(part)).collect();
    let mut violations = String::new();
    for file in files.iter().filter(|file| file.part() != "mod") {
        for (place, path) in file.paths() {
            let [layer, named, ..] = path.as_slice() else { continue };
            if layer == "parts" && *named != file.part() && parts.contains(named) {
                file.violation(
                    &mut violations,
                    place,
                    &format!("the part `{}` names the part `{named}`", file.part()),
                );
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn nothing_forbidden_is_named() {
    let mut violations = String::new();
    for file in sources() {
        for (word, allowed, why) in FORBIDDEN {
            if !allowed.iter().any(|folder| file.name.starts_with(folder)) {
                for place in file.words(word) {
                    file.violation(&mut violations, place, &format!("`{word}`: {why}"));
                }
            }
        }
        for place in file.words("select!") {
            let body = file.code[place + "select!".len()..]
                .trim_start()
                .trim_start_matches(['{', '(', '[']);
            if !body.trim_start().starts_with("biased;") {
                file.violation(&mut violations, place, "`select!` without `biased` draws lots");
            }
        }
    }
    assert_none(&violations);
}

#[test]
fn worlds_read_no_clock_start_no_thread_and_iterate_no_hash_map() {
    let mut violations = String::new();
    for file in sources()
        .iter()
        .filter(|file| WORLDS.iter().any(|folder| file.name.starts_with(folder)))
    {
        for (word, why) in FORBIDDEN_IN_WORLDS {
            for place in file.words(word) {
                file.violation(&mut violations, place, &format!("`{word}`: {why}"));
            }
        }
        for (place, path) in file.paths_from("std") {
            if let [_, module, name] = path.as_slice()
                && module == "collections"
                && ["HashMap", "HashSet"].contains(&name.as_str())
            {
                file.violation(
                    &mut violations,
                    place,
                    &format!("`{name}`: its hasher is seeded at random: use Fx{name}, or a BTree to iterate"),
                );
            }
        }
        for (place, map) in file.hash_map_iterations() {
            file.violation(
                &mut violations,
                place,
                &format!("`{map}` is a hash map and is iterated: its order is no part of a history"),
            );
        }
    }
    assert_none(&violations);
}

#[test]
fn the_binary_is_thin() {
    let lines = fs::read_to_string(source_folder().join("main.rs"))
        .expect("src/main.rs")
        .lines()
        .count();
    assert!(
        lines < 20,
        "src/main.rs has {lines} lines: what it does belongs into the library"
    );
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|file| file.code.lines().count() > MOST_LINES)
        .map(|file| {
            format!(
                "src/{} has {} lines: something in it wants a name\n",
                file.name,
                file.code.lines().count()
            )
        })
        .collect();
    assert_none(&long.concat());
}

#[test]
fn the_checker_sees_what_it_should() {
    let file = Source::new(
        "world/build.rs",
        r##"
use crate::{layout::{self, Web}, parts::dns as d, sim, r#tui};
use super::super::cli::run; use super::{apply, select}; // crate::report in a comment
const TEXT: &str = "crate::replay // no comment";
const RAW: &str = r#"crate::replay " quoted"#;
fn f<'a>(x: &'a str) -> char { '"' }
struct A { seen: FxHashMap<u64, u64>, order: BTreeMap<u64, u64> }
fn g(a: A) { for x in &a.seen {} a.order.iter(); a.seen.keys(); a.seen.get(&1); }
"##,
    );
    let named: Vec<String> = file.paths().into_iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(
        named,
        [
            "layout",
            "layout::Web",
            "parts::dns",
            "sim",
            "tui",
            "cli::run",
            "world::apply",
            "world::select"
        ]
    );
    assert_eq!(file.hash_map_iterations().len(), 2);
    assert_eq!(file.words("Web").count(), 1);
    assert_eq!(file.words("quoted").count(), 0);
    assert_eq!(file.line(file.words("FxHashMap").next().expect("the word")), 7);
}

fn rules(layer: &str) -> Option<&'static [&'static str]> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == layer)
        .map(|(_, allowed)| *allowed)
}

fn is_shared(part: &str) -> bool {
    SHARED_BY_PARTS.contains(&part)
}

fn assert_none(violations: &str) {
    assert!(violations.is_empty(), "the architecture is violated:\n{violations}");
}
