//! A failure that nobody will do anything about any more is not watched to the end, and what is told of it is what the end would have told.

use std::num::NonZeroUsize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use blastradius::analyze::blast::{Plan, Question, Seen, Span};
use blastradius::layout::{Layout, find_shipped, parse};
use blastradius::report::{BlastReport, FailureReport};

fn blasted(layout: &Layout, after: u64) -> BlastReport {
    let span = Span {
        before: Duration::from_secs(10),
        after: Duration::from_secs(after),
    };
    let question = Question {
        span,
        seeds: vec![7],
        pairs: false,
    };
    let plan = Plan::of(layout, question);
    let mut seen = Seen::new();
    let two = NonZeroUsize::new(2).expect("two");
    let never = AtomicBool::new(false);
    plan.run(layout, &plan.trials, two, &never, &|_| {}, |trial, outcomes| {
        seen.insert(trial, outcomes);
    });
    BlastReport::new("a layout", layout, &plan, &seen, 0.999).expect("all runs are done")
}

fn row<'a>(report: &'a BlastReport, command: &str) -> &'a FailureReport {
    let mut rows = report.failures.iter();
    let found = rows.find(|row| row.commands == [command]);
    found.unwrap_or_else(|| panic!("nothing of `{command}`"))
}

#[test]
fn what_is_at_rest_ends_and_tells_what_the_end_tells() {
    let shipped = find_shipped("04").expect("it is shipped");
    // Answers of DNS live for a minute there, and that is the longest wait.
    let source = shipped.source.replacen("dns: (ttl: \"60s\")", "dns: (ttl: \"20s\")", 1);
    assert_ne!(source, shipped.source);
    let layout = parse(&source, shipped.file).unwrap_or_else(|error| panic!("{error}"));
    let (short, long) = (blasted(&layout, 90), blasted(&layout, 300));
    assert_eq!(short.single_points, long.single_points);
    for command in [
        "kill db",
        "destroy db",
        "kill lb",
        "hang lb",
        "kill web",
        "cut web -> db",
    ] {
        let (one, other) = (row(&short, command), row(&long, command));
        let (toll, also) = (&one.by_seed[0], &other.by_seed[0]);
        assert!(
            (40.0..=60.0).contains(&toll.watched_s),
            "{command} for {}s",
            toll.watched_s
        );
        assert_eq!(
            (one.class, toll.watched_s, &toll.digest),
            (other.class, also.watched_s, &also.digest),
            "{command}: however long it might have been watched"
        );
        assert!(
            (toll.failing_ratio - 1.0).abs() < 0.01,
            "{command}: {}",
            toll.failing_ratio
        );
        assert_eq!(toll.served_s, None, "{command}");
    }
    // Whom nobody misses for long was settled before.
    assert!(row(&short, "kill web/1").by_seed[0].watched_s < 40.0);
}

/// Ten messages a second, and room for so many.
fn queue(room: u32) -> Layout {
    let text = format!(
        "Layout(title: \"Piles\", dns: (ttl: \"5s\"), users: {{ \"people\": (count: 200, asks: (page: 50, upload: 50)) }},
        services: {{
            \"web\": Web(queue: \"jobs\"),
            \"jobs\": Queue(messages: {room}, visibility: \"10s\"),
            \"workers\": Consumer(of: \"jobs\", machines: 2),
        }})"
    );
    parse(&text, "piles.ron").unwrap_or_else(|error| panic!("{}", error.render(&text)))
}

#[test]
fn what_piles_up_is_watched_until_it_is_full_if_that_comes_to_pass() {
    let (endless, narrow) = (blasted(&queue(100_000), 90), blasted(&queue(800), 90));
    let (endless, narrow) = (row(&endless, "kill workers"), row(&narrow, "kill workers"));
    let toll = &endless.by_seed[0];
    assert_eq!(endless.class, "hidden");
    assert!((40.0..=65.0).contains(&toll.watched_s), "{toll:?}");
    assert!(
        (toll.waiting as f64 - 10.0 * toll.watched_s).abs() < 2.0 * toll.watched_s,
        "{toll:?}"
    );
    // Full after 80 s: from then on users are turned away.
    let toll = &narrow.by_seed[0];
    assert_eq!(narrow.class, "needed", "{toll:?}");
    assert!(toll.watched_s > 80.0 && toll.failed > 20, "{toll:?}");
}
