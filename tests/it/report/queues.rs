//! The report of queues: their section in the text, and their fields in the JSON.

use std::time::Duration;

use blastradius::observe::{
    JobTally, PublishTally, PublisherState, QueueState, QueueTally, SubscriberState, Waiting, WorkerTally, WorkersState,
};
use blastradius::report::{Report, summary, to_text};

use super::{Ending, at, ending};

/// The run of the other tests, with a queue in place of the balancer, workers in place of the web servers, who publish too.
fn queued() -> Ending {
    let mut ending = ending();
    let frame = &mut ending.frame;
    frame.services[0].queue = Some(QueueState {
        policy: "on disk, visible again after 30s, 5 attempts".to_string(),
        waiting: 1_204,
        in_flight: 32,
        held: 1_236,
        room: 50_000,
        oldest: Some(Duration::from_millis(12_700)),
        rate_in: 120.0,
        rate_out: 95.0,
        total: QueueTally {
            published: 8_412,
            acknowledged: 7_174,
            redelivered: 68,
            ..QueueTally::default()
        },
        jobs: JobTally {
            accepted: 8_409,
            done: 7_171,
            duplicated: 4,
            lost: 3,
            dead: 2,
            ..JobTally::default()
        },
        first: vec![Waiting {
            key: 4_711,
            published: at(3.5),
            attempts: 2,
            poison: true,
        }],
        subscribers: vec![SubscriberState {
            service: 1,
            waiting: 1_204,
            in_flight: 32,
            oldest: Some(at(1.0)),
        }],
        dead_letter: Some(2),
        ..QueueState::default()
    });
    frame.services[1].workers = Some(WorkersState {
        of: 0,
        policy: "at least once, 8 at once".to_string(),
        busy: 30,
        slots: 32,
        held: 32,
        total: WorkerTally {
            done: 7_175,
            failed: 61,
            crashed: 7,
            returned: 1,
        },
        rate: 95.0,
        by_kind: vec![("thumb\u{1b}nail".to_string(), 6_001)],
    });
    frame.services[1].publisher = Some(PublisherState {
        to: 0,
        policy: "confirmed, else in an outbox of 1000".to_string(),
        total: PublishTally {
            confirmed: 8_000,
            kept: 412,
            ..PublishTally::default()
        },
        outbox: 12,
        room: 2_000,
        blocked: 0,
    });
    frame.incidents[0].lost_jobs = 3;
    ending
}

#[test]
fn a_queue_tells_what_it_holds_and_what_became_of_the_jobs() {
    let ending = queued();
    let text = to_text(&Report::new("made-up", &ending));
    for words in [
        "\nqueue lb · on disk, visible again after 30s, 5 attempts\n",
        "1,236 of 50,000 (2.5%)",
        "oldest 12.70s",
        "in 120.0/s, out 95.0/s",
        "redelivered 68",
        "accepted 8,409",
        "lost 3",
        "duplicated 4",
        "waits: row 4711, published 00:03.500, 2 attempts, poison",
        "30 of 32",
        "6,001",
        "put into the outbox 412",
        "3 jobs lost",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(summary(&ending.frame).contains("lost       3 jobs"));
}

#[test]
fn without_queues_nothing_is_told_of_them() {
    let text = to_text(&Report::new("made-up", &ending()));
    assert!(!text.contains("queue ") && !text.contains("jobs"), "{text}");
}

/// The chapter of the document under a heading.
fn chapter(heading: &str) -> &'static str {
    let document = include_str!("../../../docs/run-json.md");
    let rest = document.split(&format!("\n## {heading}\n")).nth(1);
    let chapter = rest.and_then(|rest| rest.split("\n## ").next());
    chapter.unwrap_or_else(|| panic!("no chapter {heading}"))
}

#[test]
fn the_json_of_queues_has_what_its_document_says() {
    let json = Report::new("made-up", &queued()).to_json();
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let queue = &json["services"][0]["queue"];
    let (workers, publisher) = (&json["services"][1]["workers"], &json["services"][1]["publisher"]);
    let all = [
        ("Queues", queue),
        ("Queues", &queue["total"]),
        ("Queues", &queue["jobs"]),
        ("Queues", &queue["first"][0]),
        ("Queues", &queue["subscribers"][0]),
        ("Workers", workers),
        ("Workers", &workers["by_kind"][0]),
        ("Publishers", publisher),
    ];
    for (heading, object) in all {
        for name in object.as_object().expect("an object").keys() {
            assert!(
                chapter(heading).contains(&format!("`{name}`")),
                "{name} is not in docs/run-json.md"
            );
        }
    }
    assert_eq!(queue["jobs"]["open"], 8_409 - 7_171 - 3 - 2);
    assert_eq!(queue["dead_letter"], json["services"][2]["selector"]);
    assert_eq!(workers["of"], json["services"][0]["selector"]);
    assert_eq!(json["incidents"][0]["lost_jobs"], 3);
    assert_eq!(json["services"][2]["queue"], serde_json::Value::Null);
}
