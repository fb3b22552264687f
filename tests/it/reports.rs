//! The forms of a report, on the real binary.

use crate::cli::{Folder, TINY, assert_code, blastradius, stderr, stdout};

const OUTAGE: &str = r#"[(at: "3s", do: "kill web"), (at: "6s", do: "mend web")]"#;

#[test]
fn the_same_command_gives_the_same_bytes_in_every_form() {
    let folder = Folder::new();
    let layout = folder.file("tiny.ron", TINY);
    let script = folder.file("outage.ron", OUTAGE);
    for form in ["--json", "--markdown", "--html", "--csv"] {
        let run = || blastradius(&["run", &layout, "--script", &script, "--for", "12s", form]);
        let (one, other) = (run(), run());
        assert_code(&one, 0);
        assert!(!one.stdout.is_empty());
        assert_eq!(stdout(&one), stdout(&other), "{form}");
        assert!(!stdout(&one).contains("times real time"), "{form} holds wall time");
        assert!(stderr(&one).contains("times real time"), "{form}");
    }
}

#[test]
fn a_report_has_one_form() {
    let folder = Folder::new();
    let layout = folder.file("tiny.ron", TINY);
    assert_code(&blastradius(&["run", &layout, "--json", "--csv"]), 2);
    assert_code(&blastradius(&["run", &layout, "--markdown", "--html"]), 2);
    let recording = folder.path("a.replay.ron");
    assert_code(
        &blastradius(&["run", &layout, "--for", "2s", "--record", &recording]),
        0,
    );
    assert_code(&blastradius(&["replay", &recording, "--report", "--csv", "--html"]), 2);
    assert_code(&blastradius(&["replay", &recording, "--verify", "--html"]), 2);
    assert_code(&blastradius(&["replay", &recording, "--script", "--csv"]), 2);
}

#[test]
fn a_replay_reports_as_the_run_did() {
    let folder = Folder::new();
    let layout = folder.file("my layout.ron", TINY);
    let script = folder.file("outage.ron", OUTAGE);
    let recording = folder.path("an outage.replay.ron");
    for form in ["--markdown", "--html", "--csv"] {
        let arguments = [
            "run", &layout, "--script", &script, "--for", "12s", "--record", &recording, form,
        ];
        let run = blastradius(&arguments);
        let replay = blastradius(&["replay", &recording, "--report", form]);
        assert_code(&replay, 0);
        assert_eq!(stdout(&run), stdout(&replay), "{form}");
    }
    let replay = stdout(&blastradius(&["replay", &recording, "--markdown"]));
    let again = format!("\nblastradius replay '{recording}' --report\n");
    assert!(replay.contains(&again), "{replay}");
    let run = stdout(&blastradius(&[
        "run",
        &layout,
        "--script",
        &script,
        "--for",
        "12s",
        "--markdown",
    ]));
    let again = format!("\nblastradius run '{layout}' --seed 7 --script={script} --for 12s\n");
    assert!(run.contains(&again), "{run}");
}

#[test]
fn a_long_run_has_a_row_for_each_second() {
    let folder = Folder::new();
    let layout = folder.file("tiny.ron", TINY);
    let csv = stdout(&blastradius(&["run", &layout, "--for", "701500ms", "--csv"]));
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|row| row.split(',').collect()).collect();
    let times: Vec<u64> = rows.iter().map(|row| row[0].parse().expect("a whole second")).collect();
    assert_eq!(times, (1..=701).collect::<Vec<_>>());
    let sent: u64 = rows.iter().map(|row| row[1].parse::<u64>().expect("a count")).sum();
    let json = stdout(&blastradius(&["run", &layout, "--for", "701s", "--json"]));
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(report["requests"]["sent"], sent);
}
