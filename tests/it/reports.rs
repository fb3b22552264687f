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

#[test]
fn what_was_done_is_told_by_who_did_it() {
    for (layout, act, who, deed) in [
        ("04", "10s kill web/1", "lb", "sends nothing there any more"),
        ("14", "10s surge artists 6", "editors-autoscaler", "adds machines"),
        ("14", "10s kill photos", "web/1", "leaves it alone"),
        ("05", "10s kill db/1", "db/2", "is primary now"),
    ] {
        let run = |form: &str| blastradius(&["run", layout, "--do", act, "--for", "45s", form]);
        let json: serde_json::Value = serde_json::from_str(&stdout(&run("--json"))).expect("JSON");
        let incident = &json["incidents"][0];
        assert_eq!(
            (&incident["acted"]["who"], &incident["deed"]),
            (&who.into(), &deed.into()),
            "{act}"
        );
        let markdown = stdout(&run("--markdown"));
        let told = format!("{who} {deed}.").replace('`', "");
        assert!(markdown.replace(['`', '\\'], "").contains(&told), "{told}: {markdown}");
        assert!(!markdown.contains("no traffic goes"), "{markdown}");
    }
}

#[test]
fn users_are_served_again_once_though_a_dead_queue_is_tried_again() {
    let output = blastradius(&["run", "14", "--do", "10s kill photos", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let events = json["events"].as_array().expect("events");
    let said = |words: &str| {
        let mut texts = events.iter().filter_map(|event| event["text"].as_str());
        texts.by_ref().filter(|text| text.contains(words)).count()
    };
    assert_eq!(
        (said("users are served again"), said("users are hurt again")),
        (1, 0),
        "{events:#?}"
    );
    let incident = &json["incidents"][0];
    // The outbox is tried again all the while, which is counted.
    assert!(
        incident["retried"].as_u64().is_some_and(|retried| retried > 20),
        "{incident:#}"
    );
    assert!(
        incident["served_s"].as_f64().is_some_and(|served| served < 12.0),
        "{incident:#}"
    );
    assert_eq!(incident["healed_s"], serde_json::Value::Null);
}
