//! Capacity: it agrees with theory, moves as machines are added, is less when one of them is lost, and is the same on any number of threads.

use std::fs;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use blastradius::analyze::capacity::{Bracket, Broken, Extent, Found, Probed, Progress, Question, Why, find};
use blastradius::layout::{Expectation, Layout, find_shipped, parse};
use blastradius::report::{CapacityReport, capacity};

use crate::cli::{Folder, TINY, assert_code, blastradius, stderr, stdout};

fn source(name: &str) -> &'static str {
    find_shipped(name).expect("it is shipped").source
}

fn layout(text: &str) -> Layout {
    parse(text, "t").unwrap_or_else(|error| panic!("{}", error.render(text)))
}

fn question(expect: &[Expectation]) -> Question {
    Question {
        seed: 7,
        warm_up: Duration::from_secs(10),
        watched: Duration::from_secs(10),
        grace: Some(Duration::from_secs(20)),
        expect: expect.to_vec(),
        precision: 0.05,
        most_rate: 1e6,
        loss: None,
        min: None,
        min_with_loss: None,
    }
}

fn found(layout: &Layout, question: &Question) -> Found {
    let two = NonZeroUsize::new(2).unwrap();
    let found = find(layout, question, two, &AtomicBool::new(false), &|_| {});
    assert!(found.complete);
    found
}

/// The tier that gives first undisturbed, and why.
fn first(found: &Found) -> (&str, &Why) {
    let breaks = found.alone.breaks.expect("it has an end");
    let first = found.reading(breaks, None).and_then(|reading| reading.first.as_ref());
    let first = first.expect("something gives first");
    (&first.tier, &first.why)
}

/// A text without its line breaks.
fn told(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_near(value: f64, expected: f64, tolerance: f64) {
    assert!(
        (value / expected - 1.0).abs() < tolerance,
        "{value} is not within {tolerance} of {expected}"
    );
}

#[test]
fn a_single_server_carries_what_its_cores_can_do() {
    let layout = layout(source("01"));
    // 3.2 ms for a page and 1.2 ms for its data on 4 cores, of 400 requests a second.
    let full = 4.0 / 4.4e-3 / 400.0;
    let mut expect = layout.expect.clone();
    let as_it_is = found(&layout, &question(&expect));
    assert_near(as_it_is.alone.holds.unwrap(), 0.8 * full, 0.1);
    assert!(matches!(first(&as_it_is), ("db + web" | "web + db", Why::Demand(2))));
    expect.retain(|expectation| !expectation.text.starts_with("utilisation"));
    let without = found(&layout, &question(&expect));
    assert_near(without.alone.holds.unwrap(), full, 0.1);
    assert!(matches!(first(&without).1, Why::Cores(share) if *share > 0.9));
    // The utilisation law (Denning and Buzen 1978).
    for Probed { probe, reading } in as_it_is.probes {
        assert_near(reading.tiers[0].busiest, probe.factor / full, 0.06);
        assert_near(reading.offered, 400.0 * probe.factor, 0.05);
    }
}

/// One core that needs 10 ms for each of 60 requests a second, and people who know where it is.
const QUEUE: &str = r#"Layout(
    title: "One core",
    users: { "people": (count: 60, every: "1s", mobile: 0, stubs: 1) },
    dns: (ttl: "10h"),
    services: { "web": Web(size: "xs", slots: 1_000, backlog: 10_000, work: Exponential("10ms")) },
    expect: [Always("utilisation(web) < 85%"), Always("p99 < 10s"), Always("ok >= 99%")],
)
"#;

#[test]
fn latency_over_load_is_that_of_one_server_and_its_queue() {
    let mut question = question(&[]);
    question.watched = Duration::from_secs(290);
    let found = found(&layout(QUEUE), &question);
    assert_near(found.alone.holds.unwrap(), 0.85 / 0.6, 0.1);
    let mut judged = 0;
    for Probed { probe, reading } in &found.probes {
        // M/M/1: the time from arrival to answer is exponential. What is between its quantiles has no part of the way there and back.
        let mean = 10e-3 / (1.0 - 0.6 * probe.factor);
        let between = reading.p99.as_secs_f64() - reading.p50.as_secs_f64();
        // Near its limit a queue remembers for longer than the ten seconds over which quantiles are taken.
        if probe.factor <= 1.0 {
            assert_near(between, 50_f64.ln() * mean, 0.12);
            judged += 1;
        }
    }
    assert!(judged == 2, "{:?}", found.probes);
}

#[test]
fn web_servers_add_capacity_until_the_database_gives_first() {
    let with = |machines: usize| {
        let text = source("04").replace("machines: 2,", &format!("machines: {machines},"));
        let layout = layout(&text);
        let kept = |expectation: &&Expectation| !expectation.text.starts_with("utilisation");
        let expect: Vec<Expectation> = layout.expect.iter().filter(kept).cloned().collect();
        let found = found(&layout, &question(&expect));
        let (tier, _) = first(&found);
        (found.alone.holds.unwrap(), tier.to_owned())
    };
    let [one, two, four] = [1, 2, 4].map(with);
    assert_eq!([one.1, two.1, four.1], ["web", "web", "db"]);
    assert_near(one.0, 1.0 / 0.64, 0.1);
    assert_near(two.0, 2.0 / 0.64, 0.1);
    // The database has 24 % to do at the factor 1.
    assert_near(four.0, 1.0 / 0.24, 0.1);
}

#[test]
fn with_a_machine_lost_less_is_carried() {
    let layout = layout(source("04"));
    let mut question = question(&[]);
    question.loss = Some(Extent::Machine);
    let found = found(&layout, &question);
    let lossy = found.with_loss.as_ref().expect("it was asked");
    let names = |indexes: &[usize]| -> Vec<String> {
        let targets = indexes.iter().map(|index| found.failures[*index].target.clone());
        targets.collect()
    };
    assert_eq!(names(&lossy.single_points), ["db", "lb"]);
    assert_eq!(names(&lossy.worst), ["web/1"]);
    // 64 % on the one that is left, of which 80 % are allowed.
    assert_near(lossy.bracket.holds.unwrap(), 0.8 / 0.64, 0.1);
    assert_near(found.alone.holds.unwrap(), 0.8 / 0.32, 0.1);
    assert_eq!(found.aside[0].text, "up(web) >= 2");
    let report = CapacityReport::new("04", &layout, &question, &found);
    assert!(report.carries(2.0) && !report.carries(3.0));
    assert!(report.carries_with_loss(1.0) && !report.carries_with_loss(2.0));
    let text = capacity::to_text(&report);
    assert!(
        told(&text).contains("not even 0.016x survives the loss of db, lb"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn what_breaks_before_the_grace_is_over_is_not_counted() {
    let layout = layout(source("04"));
    let expect = &parse(
        &TINY.replace("services:", "expect: [Always(\"failed <= 3, grace 10s\")], services:"),
        "t",
    )
    .expect("it is a layout")
    .expect;
    let mut question = question(expect);
    (question.grace, question.precision, question.loss) = (None, 0.5, Some(Extent::Machine));
    let found = found(&layout, &question);
    assert_eq!(found.grace, Duration::from_secs(10));
    let lossy = found.with_loss.as_ref().expect("it was asked");
    let points: Vec<&str> = lossy
        .single_points
        .iter()
        .map(|index| found.failures[*index].target.as_str())
        .collect();
    // The balancer takes a dead server out after 4 to 6 seconds.
    assert_eq!(points, ["db", "lb"]);
    assert!(lossy.bracket.holds.is_some_and(|holds| holds >= 1.0), "{lossy:?}");
}

#[test]
fn a_tier_whose_slots_are_taken_gives_first() {
    let text = source("04").replace(
        "size: \"s\",\n            work:",
        "size: \"s\", slots: 4, backlog: 10,\n            work:",
    );
    assert!(text.contains("backlog: 10"));
    let layout = layout(&text);
    let kept = |expectation: &&Expectation| expectation.text.starts_with("ok");
    let expect: Vec<Expectation> = layout.expect.iter().filter(kept).cloned().collect();
    let found = found(&layout, &question(&expect));
    let (tier, why) = first(&found);
    assert_eq!(tier, "web", "{why:?}");
    assert!(matches!(why, Why::Refused(_) | Why::Slots(_)), "{why:?}");
}

#[test]
fn a_single_point_of_failure_is_no_capacity_with_one_lost() {
    let with = |options: &[&str]| {
        let all = [
            "capacity",
            "04",
            "--at",
            "10s",
            "--for",
            "10s",
            "--precision",
            "50%",
            "--min-n1",
        ];
        blastradius(&[&all, options].concat())
    };
    let refused = with(&["1"]);
    assert_code(&refused, 1);
    let told = stderr(&refused);
    assert!(
        told.contains("single points of failure: db, lb") && told.contains("--max-spof 2"),
        "{told}"
    );
    assert!(!told.contains("it does not carry"), "{told}");
    let allowed = with(&["1", "--max-spof", "2", "--min", "2", "--json"]);
    assert_code(&allowed, 0);
    // Both were tried as they were asked for.
    let value: serde_json::Value = serde_json::from_str(&stdout(&allowed)).expect("it is JSON");
    let tried = |lost: serde_json::Value, factor: f64| {
        let mut probes = value["probes"].as_array().unwrap().iter();
        probes.any(|probe| probe["lost"] == lost && probe["factor"] == factor && probe["holds"] == true)
    };
    assert!(tried("web/1".into(), 1.0) && tried(serde_json::Value::Null, 2.0));
    assert_eq!(value["complete"], true);
    assert_code(&with(&["2", "--max-spof", "2"]), 1);
}

/// Workers that can do 20 photos a second, of 10 that come.
const PHOTOS: &str = r#"Layout(
    title: "Photos",
    users: { "people": (count: 100, every: "1s", asks: (page: 90, upload: 10)) },
    services: {
        "web": Web(work: Exponential("1ms"), queue: "photos"),
        "photos": Queue(messages: 100_000),
        "resizers": Consumer(of: "photos", size: "s", slots: 2, work: Exponential("100ms")),
    },
)
"#;

#[test]
fn a_queue_that_grows_is_no_capacity() {
    let mut question = question(&[]);
    question.watched = Duration::from_secs(50);
    let found = found(&layout(PHOTOS), &question);
    assert_near(found.alone.holds.unwrap(), 2.0, 0.15);
    let breaks = found.reading(found.alone.breaks.unwrap(), None).unwrap();
    assert!(matches!(&breaks.broken, Some(Broken::Queue { queue, .. }) if queue == "photos"));
    assert_eq!(first(&found).0, "resizers");
    let texts: Vec<&str> = found.demands.iter().map(|demand| demand.text.as_str()).collect();
    assert_eq!(texts[0], "ok >= 99.9%");
    assert!(texts[1].starts_with("p99 <= "), "{texts:?}");
}

#[test]
fn an_outbox_that_grows_is_no_capacity() {
    let text = PHOTOS.replace(
        "queue: \"photos\"",
        "queue: \"photos\", fallback: Outbox(messages: 100_000)",
    );
    assert!(text.contains("Outbox"));
    let mut question = question(&[]);
    (question.precision, question.loss) = (0.5, Some(Extent::Machine));
    question.watched = Duration::from_secs(50);
    let layout = layout(&text);
    let found = found(&layout, &question);
    let broker = found.failures.iter().position(|failure| failure.target == "photos");
    let broker = broker.expect("it is a machine");
    let lossy = found.with_loss.as_ref().expect("it was asked");
    // Nobody fails, and yet nothing of what is asked for is done.
    assert!(lossy.single_points.contains(&broker), "{lossy:?}");
    let mut readings = found
        .probes
        .iter()
        .filter(|probed| probed.probe.failure == Some(broker));
    let is_stuck = |probed: &Probed| matches!(&probed.reading.broken, Some(Broken::Outbox { service, queue, .. }) if service == "web" && queue == "photos");
    assert!(readings.all(is_stuck), "{:?}", found.probes);
    let report = CapacityReport::new("photos", &layout, &question, &found);
    assert!(
        capacity::to_markdown(&report).contains("photos does not take what web sends, whose outbox grows by"),
        "{}",
        capacity::to_markdown(&report)
    );
}

/// A database that could do a tenth of what the cache in front of it spares it.
const SPARED: &str = r#"Layout(
    title: "Spared",
    users: { "people": (count: 200, every: "1s", mobile: 0, stubs: 1, asks: (page: 1), keys: Zipf(count: 200, exponent: 0.9)) },
    services: {
        "web": Web(size: "l", machines: 1, work: Exponential("1ms"), database: "db", cache: "cache"),
        "cache": Cache(size: "s", items: 1_000, ttl: "1h"),
        "db": Database(size: "xs", rows: 200, read: Exponential("40ms")),
    },
    expect: [Always("ok >= 99%"), Always("p99 < 500ms")],
)
"#;

#[test]
fn what_holds_the_least_only_is_the_worst_and_no_single_point() {
    let layout = layout(SPARED);
    let mut question = question(&[]);
    (question.precision, question.loss, question.most_rate) = (1.0, Some(Extent::Machine), 200.0);
    let found = found(&layout, &question);
    let lossy = found.with_loss.as_ref().expect("it was asked");
    let names = |indexes: &[usize]| -> Vec<&str> {
        let targets = indexes.iter().map(|index| found.failures[*index].target.as_str());
        targets.collect()
    };
    assert_eq!(names(&lossy.worst), ["cache/1"], "{lossy:?}");
    assert_eq!(names(&lossy.single_points), ["db", "web/1"], "{lossy:?}");
    // 25 requests a second are what the database can do.
    let (holds, breaks) = (lossy.bracket.holds.unwrap(), lossy.bracket.breaks.unwrap());
    assert!(holds >= 1.0 / 64.0 && breaks <= 0.25, "{lossy:?}");
    let cache = lossy.worst[0];
    let least = found.reading(1.0 / 64.0, Some(cache)).expect("it was tried");
    assert_eq!(least.broken, None);
    let at_first = found.alone.holds.expect("it holds something").min(1.0) * 0.25;
    let tried = |probed: &&Probed| probed.probe.failure == Some(cache) && (probed.probe.factor - at_first).abs() < 1e-9;
    let first = found.probes.iter().find(tried).expect("it was tried with a quarter");
    assert!(first.reading.broken.is_some(), "{first:?}");
    let text = told(&capacity::to_text(&CapacityReport::new(
        "spared", &layout, &question, &found,
    )));
    assert!(
        text.contains("if one machine is lost, at worst cache/1, it carries at least"),
        "{text}"
    );
}

#[test]
fn a_coarse_precision_says_no_more_than_is_known() {
    let with = |precision: &str, form: &[&str]| {
        let all = [
            "capacity",
            "04",
            "--at",
            "10s",
            "--for",
            "10s",
            "--precision",
            precision,
        ];
        let output = blastradius(&[&all, form].concat());
        assert_code(&output, 0);
        stdout(&output)
    };
    let coarse = told(&with("100%", &[]));
    for words in [
        "it carries at least 2x its traffic of 400 requests/s, 800 requests/s, and less than 4x: nothing between was tried (--precision 100%)",
        "whichever machine is lost that can be, it carries at least 1x, 400 requests/s: more was not tried (--precision 100%)",
        "survived, and more was not tried",
        " of them with one machine lost, seed 7",
    ] {
        assert!(coarse.contains(words), "{words}: {coarse}");
    }
    assert!(
        !coarse.contains("as much") && !coarse.contains("gives first"),
        "{coarse}"
    );
    assert!(coarse.contains("web has given way by 4x: "), "{coarse}");
    // Who was never answered has no latency.
    let markdown = with("100%", &["--markdown"]);
    let dead = markdown
        .lines()
        .find(|line| line.contains("| lb |") && line.contains("100.0%"));
    assert!(dead.is_some_and(|line| line.contains("| \\- | \\- |")), "{markdown}");
    assert!(!markdown.contains("0.00ms"), "{markdown}");
    let fine = told(&with("5%", &["--lose", "nothing"]));
    assert!(!fine.contains("at least") && !fine.contains("lost,"), "{fine}");
}

#[test]
fn an_autoscaler_is_waited_for() {
    let text = TINY.replace("count: 100", "count: 1_000").replace(
        "\"web\": Web()",
        "\"lb\": LoadBalancer(to: \"web\"), \"web\": Web(size: \"xs\", work: Constant(\"5ms\"), scale: (min: 1, max: 4, target: Utilisation(0.6), every: \"5s\"))",
    );
    let found = found(&layout(&text), &question(&[]));
    // Each of four machines can do 250 requests a second, as JSON costs half, and 100 come.
    let holds = found.alone.holds.unwrap();
    assert_near(holds, 10.0, 0.15);
    assert_eq!(first(&found).0, "web");
    let tiers = &found.reading(holds, None).unwrap().tiers;
    let web = tiers.iter().find(|tier| tier.name == "web").expect("it is a tier");
    assert_eq!((web.machines, web.most_machines), (4, 4));
}

#[test]
fn there_is_an_end_to_what_is_tried() {
    let layout = layout(TINY);
    let mut question = question(&[]);
    question.most_rate = 25.0;
    let found = found(&layout, &question);
    assert_eq!(
        found.alone,
        Bracket {
            holds: Some(2.5),
            breaks: None
        }
    );
    let text = capacity::to_text(&CapacityReport::new("tiny", &layout, &question, &found));
    assert!(told(&text).contains("it carries at least 2.5x its traffic of 10 requests/s, 25 requests/s: more was not tried (--most-rate allows no more)"), "{text}");
}

#[test]
fn what_is_known_when_it_is_stopped_is_kept() {
    let stop = AtomicBool::new(false);
    let rounds = std::sync::atomic::AtomicUsize::new(0);
    let watch = |progress| {
        // The first round is the calm run; the second one is not wanted any more.
        if matches!(progress, Progress::Left(_)) && rounds.fetch_add(1, Ordering::Relaxed) == 1 {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let (layout, question) = (layout(TINY), question(&[]));
    let found = find(&layout, &question, NonZeroUsize::MIN, &stop, &watch);
    assert!(!found.complete);
    assert_eq!(found.alone.holds, Some(0.25));
    let report = CapacityReport::new("tiny", &layout, &question, &found);
    assert_eq!(capacity::known(&report), "undisturbed holds at 0.25x");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let with = |threads: &str, form: &str| {
        let output = blastradius(&[
            "capacity",
            "04",
            "--at",
            "10s",
            "--for",
            "10s",
            "--precision",
            "20%",
            "--threads",
            threads,
            form,
        ]);
        assert_code(&output, 0);
        assert_eq!(stderr(&output), "");
        stdout(&output)
    };
    let json = with("1", "--json");
    assert_eq!(json, with("3", "--json"));
    let value: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(value["schema"], "blastradius.capacity/1");
    assert_eq!(value["undisturbed"]["first"], "web");
    assert_eq!(value["with_loss"]["failures"][2]["class"], "worst");
    let csv = with("2", "--csv");
    assert_eq!(csv.lines().count(), value["probes"].as_array().unwrap().len() + 1);
    assert!(with("2", "--markdown").starts_with("## Capacity of 04-load-balancer\n"));
}

#[test]
fn a_layout_that_is_too_small_says_so() {
    let folder = Folder::new();
    let file = folder.file("busy.ron", source("04").replace("count: 4_000", "count: 16_000"));
    let capacity = |options: &[&str]| {
        blastradius(
            &[
                &["capacity", &file, "--at", "10s", "--for", "10s", "--lose", "nothing"],
                options,
            ]
            .concat(),
        )
    };
    let output = capacity(&["--min", "1"]);
    assert_code(&output, 1);
    assert!(
        told(&stdout(&output)).contains("it cannot carry its own traffic of 1,600 requests/s"),
        "{}",
        stdout(&output)
    );
    assert!(
        stderr(&output).contains("--min: it does not carry 1x"),
        "{}",
        stderr(&output)
    );
    assert_code(&capacity(&["--min", "0.5"]), 0);
    let never = capacity(&["--expect", "always p99 < 1ms", "--markdown"]);
    assert_code(&never, 0);
    assert!(
        stdout(&never).contains("it carries neither 1x nor even"),
        "{}",
        stdout(&never)
    );
}

#[test]
fn the_picture_needs_nothing_and_replaces_nothing_else() {
    let folder = Folder::new();
    let text = TINY.replace("Tiny", "<Tiny> & \\\"small\\\"");
    let file = folder.file("tiny.ron", text);
    let svg = folder.path("load.svg");
    let draw = |to: &str| {
        blastradius(&[
            "capacity",
            &file,
            "--at",
            "10s",
            "--for",
            "10s",
            "--most-rate",
            "50",
            "--svg",
            to,
        ])
    };
    assert_code(&draw(&svg), 0);
    let picture = fs::read_to_string(&svg).expect("it is drawn");
    assert!(picture.contains("&lt;Tiny&gt; &amp; &quot;small&quot;"), "{picture}");
    assert!(picture.contains("prefers-color-scheme:dark") && picture.ends_with("</svg>\n"));
    for foreign in ["<script", "href", "url(", "@import"] {
        assert!(!picture.contains(foreign), "{foreign}");
    }
    assert_eq!(picture.matches("http").count(), 1, "only the name of the format");
    assert_code(&draw(&svg), 0);
    let own = draw(&file);
    assert_code(&own, 2);
    let other = folder.file("notes.txt", "mine");
    let refused = draw(&other);
    assert_code(&refused, 2);
    assert!(
        stderr(&refused).contains("is no picture of a capacity"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_way_out() {
    for (options, words) in [
        (&["--for", "5s"][..], "watched for 10s at least"),
        (&["--precision", "0"], "write 5% or 0.05"),
        (&["--min", "none"], "is no number above 0"),
        (&["--most-rate", "0"], "is no number above 0"),
        (&["--min-n1", "1", "--lose", "nothing"], "--lose machine"),
        (&["--min-n1", "1", "--lose", "zone"], "nothing of that kind to lose"),
        (&["--max-spof", "1", "--lose", "nothing"], "--lose machine"),
        (&["--for", "10500ms"], "whole seconds"),
        (&["--most-rate", "1"], "--most-rate: the least that is tried is a 64th"),
        (&["--min", "1001"], "1000x at most"),
        (&["--min-n1", "3", "--most-rate", "1000"], "to 2.5x"),
        (&["--expect", "p99"], "write how often it holds"),
        (&["--expect", "always up(nobody) > 1"], "nobody"),
        (&["--lose", "hope"], "data-center"),
        (&["--json", "--csv"], "cannot be used with"),
    ] {
        let output = blastradius(&[&["capacity", "01"], options].concat());
        assert_code(&output, 2);
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains(words), "{options:?}: {}", stderr(&output));
    }
    assert_code(&blastradius(&["capacity", "no-such-layout"]), 2);
}

#[test]
fn ctrl_c_tells_what_is_known() {
    let mut code = None;
    // Whoever comes before the program listens ends it all the same, but hears nothing.
    for wait in [1, 2, 4, 8] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
        command.args(["capacity", "13", "--for", "1h", "--threads", "1"]);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        std::thread::sleep(Duration::from_secs(wait));
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(killed.expect("kill is there").success());
        let output = child.wait_with_output().expect("it ends");
        code = output.status.code();
        if code.is_some() {
            assert!(stdout(&output).starts_with("interrupted: "), "{}", stdout(&output));
            assert!(
                stderr(&output).starts_with("interrupted: undisturbed "),
                "{}",
                stderr(&output)
            );
            break;
        }
    }
    assert_eq!(code, Some(130));
}
