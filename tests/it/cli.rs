//! The command line, on the real binary: what it says, where, and with which exit code.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of a test's own, gone when the test ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("blastradius-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for the test");
        Folder(path)
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a file for the test");
        path.display().to_string()
    }

    /// The path of a file that may not exist.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the test's folder").filter_map(Result::ok);
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The smallest layout.
pub const TINY: &str = r#"Layout(
    title: "Tiny",
    users: { "people": (count: 100) },
    services: { "web": Web() },
)
"#;

/// Runs the program without a terminal.
pub fn blastradius(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program starts")
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
    command.args(arguments).stdin(Stdio::null());
    // What the program keeps is none of the developer's.
    let state = std::env::temp_dir().join(format!("blastradius-test-state-{}", std::process::id()));
    command.env("XDG_STATE_HOME", &state).env("XDG_CONFIG_HOME", &state);
    command
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on stdout")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on stderr")
}

pub fn assert_code(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "stdout:\n{}\nstderr:\n{}",
        stdout(output),
        stderr(output)
    );
}

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

/// Asserts that a layout is refused by `check` and by `run`, which then records nothing.
fn assert_layout_refused(source: impl AsRef<[u8]>, words: &[&str]) {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", source);
    assert_refused(&["check", &layout], words);
    assert_refused(&["run", &layout, "--record", &folder.path("out.replay.ron")], words);
    assert_eq!(folder.names(), ["layout.ron"], "something was left behind");
}

#[test]
fn version_and_help_go_to_stdout() {
    let version = blastradius(&["--version"]);
    assert_code(&version, 0);
    assert!(stdout(&version).starts_with(concat!("blastradius ", env!("CARGO_PKG_VERSION"))));
    let help = blastradius(&["--help"]);
    assert_code(&help, 0);
    for word in ["play", "run", "replay", "layouts", "check", "Examples", "Exit codes"] {
        assert!(stdout(&help).contains(word), "`{word}` is missing in the help");
    }
}

#[test]
fn usage_errors_exit_with_2() {
    assert_refused(&["--nonsense"], &["--nonsense", "Usage"]);
    assert_refused(&["run"], &["LAYOUT"]);
    assert_refused(
        &["run", "01", "--for", "sixty"],
        &["sixty", "not a duration", "1m30s", "01:30.5"],
    );
    for length in ["2s", "0:02", "00:02.0", "0m2s"] {
        assert_code(&blastradius(&["run", "01", "--for", length]), 0);
    }
    assert_refused(&["run", "01", "--for", "0s"], &["more than 0"]);
    for length in ["0s", "-5s", "9999h", "999999999h"] {
        assert_refused(
            &["run", "01", "--for", length],
            &[
                length,
                "is out of range: a run lasts more than 0 and at most 30 days (720h)",
            ],
        );
    }
    assert_refused(&["run", "01", "--seed=-1"], &["--seed"]);
    assert_refused(&["replay", "x", "--verify", "--json"], &["cannot be used with"]);
}

#[test]
fn without_a_terminal_play_names_the_headless_command() {
    assert_refused(&[], &["no terminal", "blastradius run 13-two-data-centers"]);
    assert_refused(&["01"], &["no terminal", "blastradius run 01"]);
    assert_refused(&["play", "01"], &["no terminal", "blastradius run 01"]);
}

#[test]
fn a_layout_that_does_not_exist_is_named_with_what_was_meant() {
    assert_refused(&["run", "nowhere.ron"], &["no file nowhere.ron and no shipped layout"]);
    assert_refused(&["run", "04-load-balanser"], &["did you mean 04-load-balancer?"]);
    assert_refused(&["play", "single-servr"], &["did you mean 01-single-server?"]);
    assert_refused(&["check", "/"], &["a folder"]);
    assert_refused(&["check", "a\u{1b}[31m\nb"], &["no file a\\u{1b}[31m"]);
}

#[test]
fn what_is_wrong_with_a_layout_is_said_with_line_and_column() {
    assert_layout_refused("Layout(\n  title: \"x\",\n  users: {\n", &["layout.ron:"]);
    assert_layout_refused(
        TINY.replace("Web()", "Web(slot: 3)"),
        &["layout.ron:4:", "slot", "slots"],
    );
    assert_layout_refused(
        TINY.replace("Web()", "Web(database: \"nothere\")"),
        &["layout.ron:4:", "nothere"],
    );
    assert_layout_refused(
        TINY.replace("Web()", "Web(machines: 4_000_000_000)"),
        &["layout.ron:4:", "100,000"],
    );
    assert_layout_refused(TINY.replace("count: 100", "count: 0"), &["layout.ron:3:"]);
    assert_layout_refused(TINY.replace("\"web\"", "\"we\\u{1b}[2Jb\""), &["layout.ron:4:"]);
    assert_layout_refused(TINY.replace("\"web\"", "\"we\u{1b}[2Jb\""), &["layout.ron:4:"]);
    assert_layout_refused("", &["layout.ron:"]);
    assert_layout_refused([b'L', b'\n', 0xff, 0xfe], &["layout.ron:2: not UTF-8"]);
    assert_layout_refused(vec![b' '; (1 << 20) + 1], &["layout.ron:1:1:", "at most 1024"]);
    assert_layout_refused(vec![b' '; (8 << 20) + 1], &["larger than 8 MiB"]);
    assert_layout_refused("(".repeat(100_000), &["layout.ron:"]);
}

#[test]
fn a_bad_script_is_refused_before_the_run() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let record = folder.path("out.replay.ron");
    for (script, words) in [
        (r#"[(at: "1s", do: Kill("nobody"))]"#, &["script.ron:1:", "nobody"][..]),
        (r#"[(at: "1s", do: Explode("web"))]"#, &["script.ron:1:", "Explode"]),
        (r#"[(at: "soon", do: Kill("web"))]"#, &["script.ron:1:", "soon"]),
        (r#"[(at: "1s", do: Kill("web"))"#, &["script.ron:1:"]),
    ] {
        let script = folder.file("script.ron", script);
        assert_refused(&["check", &layout, "--script", &script], words);
        assert_refused(&["run", &layout, "--script", &script, "--record", &record], words);
    }
    assert_refused(
        &["run", &layout, "--script", &folder.path("none.ron")],
        &["cannot read the script"],
    );
    assert_eq!(folder.names(), ["layout.ron", "script.ron"]);
}

#[test]
fn a_recording_that_cannot_be_written_is_refused_before_the_run() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let nowhere = folder.path("none/out.replay.ron");
    assert_refused(
        &["run", &layout, "--for", "720h", "--record", &nowhere],
        &["there is no folder"],
    );
    let taken = folder.path("");
    assert_refused(&["run", &layout, "--for", "720h", "--record", &taken], &["folder"]);
}

#[test]
fn a_recording_replaces_only_a_recording() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let script = folder.file("script.ron", r#"[(at: "1s", do: Kill("web"))]"#);
    let notes = folder.file("notes.txt", "mine");
    let run = |record: &str| {
        let arguments = ["run", &layout, "--for", "2s", "--script", &script, "--record", record];
        blastradius(&arguments)
    };
    let same = folder.path("./layout.ron");
    for (record, words) in [
        (layout.as_str(), "it is the layout of this run"),
        (&same, "it is the layout of this run"),
        (&script, "it is the script of this run"),
        (&notes, "notes.txt: it exists and is no recording; name another file"),
        ("-", "a recording is a file"),
        ("/dev/null", "no ordinary file"),
    ] {
        let output = run(record);
        assert_code(&output, 2);
        assert_eq!(stdout(&output), "", "{record}");
        assert!(stderr(&output).contains(words), "{record}: {}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(&layout).expect("the layout"), TINY);
    assert_eq!(fs::read_to_string(&notes).expect("the notes"), "mine");
    assert_eq!(folder.names(), ["layout.ron", "notes.txt", "script.ron"]);
    let record = folder.path("out.replay.ron");
    assert_code(&run(&record), 0);
    assert_code(&run(&record), 0);
    assert_code(&blastradius(&["replay", &record, "--verify"]), 0);
}

#[test]
fn a_layout_and_a_recording_are_told_apart() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let record = folder.path("out.replay.ron");
    assert_code(&blastradius(&["run", &layout, "--for", "2s", "--record", &record]), 0);
    for verb in ["check", "run", "play"] {
        assert_refused(
            &[verb, &record],
            &["is a recording, not a layout", "blastradius replay "],
        );
    }
    assert_refused(
        &["replay", &layout],
        &["is a layout, not a recording", "blastradius run "],
    );
    assert_refused(&["replay", "04"], &["04 is a layout", "blastradius run 04"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_ends_with_2() {
    use std::os::unix::fs::FileTypeExt;
    let is_device = fs::metadata("/dev/full").is_ok_and(|metadata| metadata.file_type().is_char_device());
    if !is_device {
        return;
    }
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["layouts"],
        &["check", "04"],
        &["run", "01", "--for", "2s"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("a full device");
        let output = program(arguments).stdout(full).output().expect("the program starts");
        assert_code(&output, 2);
        assert!(
            stderr(&output).contains("cannot write to stdout"),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_command_that_was_not_done_ends_with_1() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let script = folder.file("script.ron", "[\n  (at: \"9s\", do: Kill(\"web\")),\n]");
    let run = |length: &str| blastradius(&["run", &layout, "--for", length, "--script", &script]);
    assert_code(&run("9s"), 0);
    let early = run("8s");
    assert_code(&early, 1);
    assert!(
        stdout(&early).contains("00:09.000 kill web (script, line 2, column 18)"),
        "{}",
        stdout(&early)
    );
}

#[test]
fn the_readme_lists_all_commands() {
    use std::fmt::Write;
    let mut settings = "| setting | of | is |\n|---|---|---|\n".to_string();
    for setting in blastradius::command::SETTINGS {
        let (usage, kinds) = (setting.usage.replace('|', "\\|"), setting.kinds.join(", "));
        writeln!(settings, "| `{usage}` | {kinds} | {} |", setting.about).expect("a text");
    }
    let mut table = "| command | example | does |\n|---|---|---|\n".to_string();
    for verb in blastradius::command::VERBS {
        let usage = verb.usage.replace('|', "\\|");
        writeln!(table, "| `{usage}` | `{}` | {} |", verb.example, verb.about).expect("a text");
    }
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&table), "put this into README.md:\n{table}");
    assert!(readme.contains(&settings), "put this into README.md:\n{settings}");
}

#[test]
fn the_outage_of_the_readme_passes_in_04() {
    let readme = include_str!("../../README.md");
    let (_, script) = readme
        .split_once("as data or in words:\n\n```ron\n")
        .expect("the script");
    let (script, _) = script.split_once("```").expect("its end");
    let folder = Folder::new();
    let script = folder.file("outage.ron", script);
    for length in ["60s", "90s"] {
        assert_code(&blastradius(&["run", "04", "--for", length, "--script", &script]), 0);
    }
}

#[test]
fn check_and_layouts_say_what_there_is() {
    let folder = Folder::new();
    let layout = folder.file("layout.ron", TINY);
    let script = folder.file("script.ron", r#"[(at: "1s", do: Kill("web"))]"#);
    let output = blastradius(&["check", &layout, "--script", &script]);
    assert_code(&output, 0);
    assert!(stdout(&output).contains("layout.ron is right: 100 users, 1 data center, 1 service, 0 expectations"));
    assert!(stdout(&output).contains("script.ron is right: 1 step\n"));
    let layouts = blastradius(&["layouts"]);
    assert_code(&layouts, 0);
    for name in ["01-single-server", "04-load-balancer"] {
        assert!(stdout(&layouts).contains(name), "{}", stdout(&layouts));
        assert_code(&blastradius(&["check", name]), 0);
    }
}

#[test]
fn a_file_wins_over_a_shipped_name() {
    let folder = Folder::new();
    folder.file("01", TINY);
    let output = program(&["check", "01"])
        .current_dir(Path::new(&folder.path("")))
        .output()
        .expect("the program starts");
    assert!(
        stdout(&output).starts_with("01 is right: 100 users"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn equal_runs_give_equal_json() {
    let first = blastradius(&["run", "04", "--for", "10s", "--seed", "3", "--json"]);
    let second = blastradius(&["run", "04", "--for", "10s", "--seed", "3", "--json"]);
    assert_code(&first, 0);
    assert_eq!(stdout(&first), stdout(&second));
    assert!(
        stderr(&first).contains("times real time"),
        "the pace belongs to stderr: {}",
        stderr(&first)
    );
    let report: serde_json::Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(report["schema"], "blastradius.run/1");
    assert_eq!(report["seed"], 3);
    assert_eq!(report["duration_s"], 10.0);
    let requests = |key: &str| report["requests"][key].as_u64().expect("a count");
    assert!(requests("sent") > 0);
    assert_eq!(
        requests("sent"),
        requests("ok") + requests("failed") + requests("unfinished")
    );
    let other = blastradius(&["run", "04", "--for", "10s", "--seed", "4", "--json"]);
    assert_ne!(stdout(&first), stdout(&other), "another seed, another history");
}

#[test]
fn the_text_report_fits_into_80_columns_and_holds_no_colour() {
    let folder = Folder::new();
    let script = folder.file(
        "script.ron",
        r#"[(at: "5s", do: Kill("web/1")), (at: "20s", do: Mend("web/1"))]"#,
    );
    let output = blastradius(&["run", "04", "--for", "40s", "--script", &script]);
    let text = stdout(&output);
    for word in [
        "requests",
        "latency",
        "machines",
        "incidents",
        "events",
        "digest",
        "speed",
        "believed",
        "hurt",
        "healed",
    ] {
        assert!(text.contains(word), "`{word}` is missing in:\n{text}");
    }
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "control characters in:\n{text}"
    );
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "too wide: {line}");
    }
}

#[test]
fn a_failed_expectation_ends_with_1_and_is_named() {
    let folder = Folder::new();
    let source = TINY.replace(
        "    services",
        "    expect: [Always(\"ok >= 99%, grace 1s\"), Eventually(\"up(web) >= 1\")],\n    services",
    );
    let layout = folder.file("layout.ron", source);
    let script = folder.file("script.ron", r#"[(at: "5s", do: Kill("web"))]"#);
    let calm = blastradius(&["run", &layout, "--for", "10s"]);
    assert_code(&calm, 0);
    let hurt = blastradius(&["run", &layout, "--for", "30s", "--script", &script]);
    assert_code(&hurt, 1);
    let text = stdout(&hurt);
    assert!(text.contains("failed    always ok"), "{text}");
    assert!(text.contains("first at 00:"), "{text}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    for arguments in [&["--help"][..], &["layouts"], &["run", "01", "--for", "2s", "--json"]] {
        let mut child = program(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        drop(child.stdout.take());
        let mut said = String::new();
        let mut errors = child.stderr.take().expect("stderr");
        errors.read_to_string(&mut said).expect("stderr");
        let status = child.wait().expect("the program ends");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}
