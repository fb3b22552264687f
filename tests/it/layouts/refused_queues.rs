//! What is refused of queues, workers and those who publish.

use blastradius::layout;

use super::refused::minimal;

/// What stands after the web service in a layout, and what the message has after its place.
const BAD_QUEUES: &[(&str, &str)] = &[
    (
        r#""photos": Queue()"#,
        "nobody takes from \"photos\", and nothing leaves it: add a Consumer(of: \"photos\"), or a `retention`",
    ),
    (
        r#""photos": Queue(messages: -5, retention: "1h")"#,
        "services.photos.messages",
    ),
    (
        r#""photos": Queue(messages: 0, retention: "1h")"#,
        "services.photos.messages: must be from 1 to 10,000,000, not 0",
    ),
    (
        r#""photos": Queue(retention: "1h", dead_letter: "photos")"#,
        "services.photos.dead_letter: a queue can't be its own dead-letter queue: dead messages would come back for ever",
    ),
    (
        r#""a": Queue(retention: "1h", dead_letter: "b"), "b": Queue(dead_letter: "a")"#,
        "services.a.dead_letter: dead letters would go round in a circle: a -> b -> a",
    ),
    (
        r#""photos": Queue(retention: "1h", dead_letter: "deed"), "dead": Queue(retention: "1h")"#,
        "services.photos.dead_letter: there is no service \"deed\"; did you mean `dead`?",
    ),
    (
        r#""photos": Queue(retention: "1h", dead_letter: "news"), "news": Queue(style: Log)"#,
        "services.photos.dead_letter: \"news\" is a log; dead messages go to a queue of style Work",
    ),
    (
        r#""photos": Queue(visibility: "0s", retention: "1h")"#,
        "services.photos.visibility: must be longer than 0",
    ),
    (
        r#""photos": Queue(attempts: 0, retention: "1h")"#,
        "services.photos.attempts: must be from 1 to 1,000, not 0",
    ),
    (
        r#""photos": Queue(style: Topic)"#,
        "services.photos.style: unknown kind `Topic`; there are Work, Log",
    ),
    (
        r#""photos": Queue(visibilty: "5s")"#,
        "services.photos: unknown field `visibilty`; did you mean `visibility`?",
    ),
    (
        r#""photos": Queue(machines: 3)"#,
        "services.photos: unknown field `machines`",
    ),
    (
        r#""workers": Consumer()"#,
        "services.workers: the field `of` is missing: which queue do they take from?",
    ),
    (
        r#""workers": Consumer(of: "web")"#,
        "services.workers.of: \"web\" is a web service; workers take from a queue",
    ),
    (
        r#""workers": Consumer(of: "photo"), "photos": Queue(retention: "1h")"#,
        "services.workers.of: there is no service \"photo\"; did you mean `photos`?",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", machines: 0)"#,
        "services.workers.machines: must be from 1 to 100,000, not 0",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", slots: 8, prefetch: 4)"#,
        "services.workers.prefetch: must be from 8 to 10,000, not 4",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", work: Constant("1s"), jobs: {"crop": (work: Constant("1s"))})"#,
        "services.workers: `work` and `jobs` exclude each other: each kind of job has a `work` of its own",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", jobs: {"crop": (share: 2)})"#,
        "services.workers.jobs.crop: the field `work` is missing: how long does it take?",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", delivery: EffectivelyOnce)"#,
        "services.workers: a result is written once only where its key is remembered: name a `database` that results go to",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", database: "db", delivery: EffectivelyOnce), "db": Database(replication: MultiPrimary())"#,
        "services.workers.delivery: \"db\" has several primaries",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", fails: 1.5)"#,
        "services.workers.fails: must be from 0 to 1, not 1.5",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", calls: {"web": ()})"#,
        "services.workers.calls: \"web\" is not called from here",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", scale: (max: 5, target: Requests(5)))"#,
        "services.workers.scale.target: workers get no requests; write Depth(20) or Age(\"30s\")",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", scale: (min: 0, max: 5, target: Utilisation(0.5)))"#,
        "services.workers.scale.target: where there is no worker none is busy",
    ),
    (
        r#""photos": Queue(), "workers": Consumer(of: "photos", scale: (max: 5, target: Age("0s")))"#,
        "services.workers.scale.target: must be longer than 0",
    ),
    (
        r#""other": Web(scale: (max: 5, target: Depth(5)))"#,
        "services.other.scale.target: nothing waits in a queue for a web service; write Utilisation(0.6) or Requests(100)",
    ),
    (
        r#""other": Web(queue: "web")"#,
        "services.other.queue: \"web\" is a web service; uploads are published to a queue",
    ),
    (
        r#""fn": Serverless(queue: "photos", fallback: Outbox(messages: 5)), "photos": Queue(retention: "1h")"#,
        "services.fn.fallback: functions have no memory that lasts: no outbox",
    ),
    (
        r#""other": Web(fallback: Outbox(messages: 0))"#,
        "services.other.fallback: must be from 1 to 1,000,000, not 0",
    ),
    (
        r#""other": Web(fallback: Block(longest: "0s"))"#,
        "services.other.fallback: must be longer than 0",
    ),
];

#[test]
fn what_is_wrong_with_a_queue_is_refused_with_its_place() {
    for (more, message) in BAD_QUEUES {
        let source = minimal(&format!(r#""web": Web(), {more}"#));
        let error = layout::parse(&source, "l.ron").expect_err(more).to_string();
        assert!(error.contains(message), "{more}\n  is   {error}\n  not  {message}");
        // The place is that of what is wrong: line 5 has the services.
        assert!(error.contains(":5:"), "{more}: {error}");
    }
}

#[test]
fn who_uploads_needs_somebody_who_publishes_it() {
    let source =
        r#"(title: "t", users: {"people": (count: 10, asks: (page: 1, upload: 1))}, services: {"web": Web()})"#;
    let text = layout::parse(source, "l.ron").expect_err("it is refused").to_string();
    assert!(
        text.contains("l.ron:1:") && text.contains("users.people.asks.upload: people upload, and not every Web"),
        "{text}"
    );
}
