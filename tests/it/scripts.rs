//! Scripts that wait, mark and note; recordings as scripts; and the demos, which are both.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blastradius::command::{Command, Script, What};
use blastradius::layout::{self, Layout, find_shipped};
use blastradius::replay::{self, Act, Ending, Recording, Session, Words};
use blastradius::sim::Stream;

use crate::cli::{Folder, assert_code, blastradius, stderr, stdout};

/// The seed of the demos.
const SEED: u64 = 7;
/// The most requests a second of a demo that is run unless `BLASTRADIUS_WHOLE` is set.
const MOST_RATE: f64 = 3_000.0;
/// Marks and notes of demos fit into a line of a small terminal.
const LONGEST_LINE: usize = 78;

fn shipped(name: &str) -> (Layout, &'static str) {
    let shipped = find_shipped(name).unwrap_or_else(|| panic!("there is no layout {name}"));
    let layout = layout::parse(shipped.source, shipped.file).unwrap_or_else(|error| panic!("{error}"));
    (layout, shipped.source)
}

fn read(source: &str, layout: &Layout) -> Script {
    let script = Script::parse(source, "s.ron").unwrap_or_else(|error| panic!("{}", error.render(source)));
    script
        .check(layout)
        .unwrap_or_else(|error| panic!("{}", error.render(source)));
    script
}

fn run(layout: &Layout, seed: u64, script: &Script, until: Duration) -> Ending {
    let mut session = Session::new(layout, seed, script);
    session.advance_to(until);
    session.end()
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn told(words: &[Words]) -> Vec<(f64, &str)> {
    words
        .iter()
        .map(|words| (words.at.as_secs_f64(), words.text.as_str()))
        .collect()
}

/// One server dies, and what is said about it waits for what happens.
const WAITING: &str = r#"[
    (at: "1.05s", do: "kill web/1"),
    (after: "up(web) == 1", mark: "one is dead"),
    (after: "up(web) == 1", wait: "250ms", note: "a little later"),
    (at: "900ms", note: "before all that"),
    (at: "2s", do: "mend web/1"),
    (after: "up(web) == 2", do: "kill web/2"),
    (after: "up(web) == 1", note: "the other one"),
]"#;

#[test]
fn steps_wait_for_what_was_before_them_and_for_their_condition() {
    let (layout, _) = shipped("04");
    let ending = run(&layout, 3, &read(WAITING, &layout), secs(12.0));
    assert!(ending.refusals.is_empty() && ending.unreached.is_empty());
    assert_eq!(
        told(&ending.marks),
        [(1.1, "one is dead")],
        "the next moment of the grid"
    );
    let boots = ending.acts[2].at;
    assert_eq!(ending.acts[2].command, Command::parse("kill web/2").unwrap());
    assert!(
        boots > secs(4.0) && boots.subsec_nanos().is_multiple_of(100_000_000),
        "{boots:?}"
    );
    assert_eq!(
        told(&ending.notes),
        [
            (0.9, "before all that"),
            // Looked at from 1.2 s on, since the step before it was done at 1.1 s.
            (1.45, "a little later"),
            ((boots + secs(0.1)).as_secs_f64(), "the other one"),
        ]
    );
}

#[test]
fn looking_marking_and_slicing_change_nothing() {
    let (layout, source) = shipped("04");
    let whole = run(&layout, 3, &read(WAITING, &layout), secs(12.0));
    let mut bare = Session::scheduled(&layout, 3, &whole.acts);
    bare.advance_to(secs(12.0));
    assert_eq!(
        bare.end().digest,
        whole.digest,
        "marks, notes and conditions leave no trace"
    );
    for slice in [0.007, 0.033_333_331, 3.3] {
        let mut session = Session::new(&layout, 3, &read(WAITING, &layout));
        while session.now() < secs(12.0) {
            let next = (session.now() + secs(slice)).min(secs(12.0));
            session.advance_to(next);
        }
        let sliced = session.end();
        assert_eq!(sliced.digest, whole.digest, "slices of {slice} s");
        assert_eq!((&sliced.acts, &sliced.marks), (&whole.acts, &whole.marks));
        assert_eq!(sliced.notes, whole.notes);
    }
    let recording = Recording::of("04-load-balancer", source, None, &whole);
    let mut again = replay::replayed(&recording, &layout);
    again.advance_to(recording.duration);
    let again = again.end();
    assert_eq!(replay::verify(&recording, &again), None);
    assert_eq!(Recording::of("04-load-balancer", source, None, &again), recording);
}

#[test]
fn what_never_held_was_not_done_and_is_told() {
    let folder = Folder::new();
    let script = folder.file(
        "never.ron",
        "[\n  (after: \"up(web) == 7\", do: \"kill web/1\"),\n  (after: \"ok >= 0%\", mark: \"after\\u{1b} that\"),\n\
         \x20 (at: \"1s\", note: \"now\"),\n  (after: \"ok >= 0%\", wait: \"1h\", note: \"later\"),\n]",
    );
    let output = blastradius(&["run", "04", "--for", "2s", "--script", &script]);
    assert_code(&output, 1);
    let text = stdout(&output);
    for line in [
        "steps not done: the run ended before\n  1:00:01.100 note later (script, line 5, column 41)\n",
        "  after up(web) == 7: kill web/1 (script, line 2, column 31)\n",
        "  after ok >= 0%: mark after\\u{1b} that (script, line 3, column 29)\n",
    ] {
        assert!(text.contains(line), "no {line}in:\n{text}");
    }
    let output = blastradius(&["run", "04", "--for", "2s", "--script", &script, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["unreached_commands"], 3);
    let [first, second, _] = report["unreached"].as_array().expect("a list").as_slice() else {
        panic!("{report}");
    };
    assert_eq!((&first["at_s"], &first["after"]), (&3601.1.into(), &"ok >= 0%".into()));
    assert_eq!(
        (&second["at_s"], &second["after"]),
        (&().into(), &"up(web) == 7".into())
    );
    assert_eq!((&second["line"], &second["column"]), (&2.into(), &31.into()));
    assert_eq!(second["command"], "kill web/1");
}

/// A run in which somebody did this and that at odd moments, and said something about it.
fn played(layout: &Layout, source: &str, seed: u64) -> Recording {
    const ACTS: [&str; 9] = [
        "kill web/1",
        "mend web/1",
        "slow web/2 1.37",
        "drop web <-> db 12.5%",
        "surge 1.7",
        "set web retries 2",
        "kill web/2 for 1s",
        "mend all",
        "flapping lb <-> web 1s for 2s",
    ];
    const WORDS: [&str; 4] = ["the \"outage\"", "\u{1b}[2J \\ back\\slash\r\n", "東京 \u{202e}", ""];
    let mut chance = Stream::new(seed, "test", "scripts");
    let mut draw = |below: u64| chance.draw().below(below);
    let mut session = Session::new(layout, seed, &Script::default());
    let (mut marks, mut notes) = (Vec::new(), Vec::new());
    for _ in 0..12 {
        let later = session.now() + Duration::from_nanos(draw(900_000_000));
        session.advance_to(later);
        let words = Words {
            at: session.now(),
            text: WORDS[draw(4) as usize].to_owned(),
        };
        match draw(5) {
            0 => marks.push(words),
            1 => notes.push(words),
            // Several acts of one moment keep their order.
            _ => {
                for _ in 0..=draw(2) {
                    let act = Command::parse(ACTS[draw(ACTS.len() as u64) as usize]).expect("a command");
                    // A refused one is no part of the history.
                    let _ = session.apply(&act);
                }
            }
        }
    }
    let later = session.now() + Duration::from_nanos(1 + draw(3_000_000_000));
    session.advance_to(later);
    let ending = session.end();
    Recording {
        marks,
        notes,
        ..Recording::of("04-load-balancer", source, None, &ending)
    }
}

#[test]
fn a_recording_as_a_script_gives_the_same_history() {
    let (layout, source) = shipped("04");
    let seeds = std::env::var("BLASTRADIUS_SEEDS").map_or(12, |seeds| seeds.parse().expect("a number"));
    for seed in 0..seeds {
        let recording = played(&layout, source, seed);
        let text = recording.script().to_text("a test");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        let script = read(&text, &layout);
        assert_eq!(script.length, Some(recording.duration));
        let ending = run(&layout, seed, &script, recording.duration);
        let again = Recording::of("04-load-balancer", source, None, &ending);
        let repeat = format!("BLASTRADIUS_SEEDS={} cargo test --test it scripts", seed + 1);
        assert_eq!(
            again, recording,
            "seed {seed}, by this script:\n{text}\nto repeat: {repeat}"
        );
    }
}

#[test]
fn a_recording_is_printed_as_a_script_that_runs() {
    let folder = Folder::new();
    let script = folder.file("waiting.ron", WAITING);
    let [first, second] = ["first.replay.ron", "second.replay.ron"].map(|name| folder.path(name));
    let arguments = [
        "run", "04", "--for", "10s", "--seed", "5", "--script", &script, "--record", &first,
    ];
    // What the layout expects is not what this is about.
    let output = blastradius(&arguments);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    let output = blastradius(&["replay", &first, "--script"]);
    assert_code(&output, 0);
    let text = stdout(&output);
    let head = text.lines().next().unwrap_or_default();
    assert!(
        head.starts_with("// From ") && head.contains("first.replay.ron. The same again:"),
        "{head}"
    );
    assert!(
        head.ends_with("blastradius run 04-load-balancer --seed 5 --script FILE"),
        "{head}"
    );
    assert!(text.contains("    for: \"10s\",\n"), "{text}");
    assert!(
        text.contains("        (at: \"1100ms\", mark: \"one is dead\"),\n"),
        "{text}"
    );
    let script = folder.file("again.ron", &text);
    let arguments = ["run", "04", "--seed", "5", "--script", &script, "--record", &second];
    let output = blastradius(&arguments);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    let [first, second] = [first, second].map(|file| Recording::load(Path::new(&file)).expect("a recording").0);
    assert_eq!(first, second);
}

#[test]
fn names_from_a_recording_are_safe_in_a_script() {
    let folder = Folder::new();
    let (layout, source) = shipped("04");
    let mut recording = Recording {
        digest: None,
        ..Recording::of("x", source, None, &run(&layout, 1, &Script::default(), secs(1.0)))
    };
    recording.head.name = "evil\u{1b}[2J\n[(at: \"0s\", do: MendAll)]".to_owned();
    recording.commands.push(Act {
        at: secs(1.0),
        command: Command::parse("mend all").expect("a command"),
    });
    let file = folder.file("evil.replay.ron", recording.to_text());
    let output = blastradius(&["replay", &file, "--script"]);
    assert_code(&output, 0);
    assert!(
        stderr(&output).contains("was cut off: the run is known up to 1 s"),
        "{}",
        stderr(&output)
    );
    let text = stdout(&output);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    assert_eq!(read(&text, &layout).steps.len(), 1);
}

/// A demo: the script that it is made from, and the recording that is shipped.
struct Demo {
    name: String,
    script: String,
    recording: PathBuf,
}

fn demos() -> Vec<Demo> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demos");
    let files = fs::read_dir(&folder).expect("assets/demos");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .filter_map(|name| Some(name.strip_suffix(".script.ron")?.to_owned()))
        .collect();
    names.sort();
    let demo = |name: String| Demo {
        script: fs::read_to_string(folder.join(format!("{name}.script.ron"))).expect("a script"),
        recording: folder.join(format!("{name}.replay.ron")),
        name,
    };
    names.into_iter().map(demo).collect()
}

/// Runs a demo from its script, and shows that it shows its point. Gives what is to be shipped.
fn made(demo: &Demo, layout: &Layout, source: &str, script: &Script) -> Recording {
    let ending = run(layout, SEED, script, script.length.expect("a demo says how long it is"));
    // What the layout expects is of runs in which it has time to recover.
    let own = &ending.verdicts[layout.expect.len()..];
    assert!(own.len() > 2, "{} shows nothing", demo.name);
    let failed: Vec<_> = own.iter().filter(|verdict| !verdict.held()).collect();
    assert!(failed.is_empty(), "{}: {failed:#?}", demo.name);
    assert_eq!(
        (&ending.refusals[..], &ending.unreached[..]),
        (&[][..], &[][..]),
        "{}",
        demo.name
    );
    Recording::of(&demo.name, source, None, &ending)
}

/// What a demo must be, however dear it is to run.
fn check_words(demo: &Demo, script: &Script) {
    let length = script.length.expect("a demo says how long it is");
    assert!(length <= secs(60.0), "{} is too long", demo.name);
    for step in &script.steps {
        let (What::Mark(words) | What::Note(words)) = &step.what else {
            continue;
        };
        assert!(words.chars().count() <= LONGEST_LINE, "{}: {words}", demo.name);
    }
}

fn verify(demo: &Demo) {
    let (layout, source) = shipped(&demo.name);
    let script = read(&demo.script, &layout);
    check_words(demo, &script);
    let bless = std::env::var_os("BLASTRADIUS_BLESS").is_some();
    let way_out = format!(
        "{}: make it anew: BLASTRADIUS_BLESS=1 cargo test --test it demo",
        demo.name
    );
    if bless {
        // A recording replaces another one, but not a file that is none.
        let recording = made(demo, &layout, source, &script);
        recording.save(&demo.recording).expect("written");
    }
    let (recording, _) = Recording::load(&demo.recording).unwrap_or_else(|error| panic!("{error}\n{way_out}"));
    assert_eq!(recording.head.layout, source, "{way_out}");
    assert_eq!(recording.duration, script.length.unwrap_or_default(), "{way_out}");
    let rate: f64 = layout.users.values().map(layout::Users::rate).sum();
    if bless || rate > MOST_RATE && std::env::var_os("BLASTRADIUS_WHOLE").is_none() {
        return;
    }
    let recorded_again = made(demo, &layout, source, &script);
    assert_eq!(recorded_again, recording, "{way_out}");
    let mut again = replay::replayed(&recording, &layout);
    again.advance_to(recording.duration);
    assert_eq!(replay::verify(&recording, &again.end()), None, "{way_out}");
}

#[test]
fn every_demo_shows_its_point_and_is_what_its_script_makes() {
    let demos = demos();
    assert!(demos.len() > 8);
    std::thread::scope(|scope| {
        for half in 0..2 {
            let demos = &demos;
            scope.spawn(move || demos.iter().skip(half).step_by(2).for_each(verify));
        }
    });
}

#[test]
fn all_demos_are_listed_and_without_a_terminal_there_is_a_way_out() {
    let output = blastradius(&["demo", "--list"]);
    assert_code(&output, 0);
    let listed: Vec<String> = stdout(&output)
        .lines()
        .filter_map(|line| Some(line.split_whitespace().next()?.to_owned()))
        .collect();
    let all: Vec<String> = demos().into_iter().map(|demo| demo.name).collect();
    assert_eq!(listed, all);
    let output = blastradius(&["demo"]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("no terminal to show demos in"),
        "{}",
        stderr(&output)
    );
    let output = blastradius(&["demo", "4", "nonsense"]);
    assert_code(&output, 2);
    assert!(
        stderr(&output).contains("there is no demo of nonsense"),
        "{}",
        stderr(&output)
    );
}
