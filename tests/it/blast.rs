//! The blast radius of everything: what is named a single point, what is not, and that nobody's number of threads or machines changes a byte of it.

use std::fs;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::thread::sleep;
use std::time::{Duration, Instant};

use blastradius::analyze::blast::{Extent, Plan, Question, Seen, Span};
use blastradius::layout::{Layout, find_shipped, parse};
use blastradius::observe::Frame;
use blastradius::report::{BlastReport, FailureReport, blast};
use blastradius::world::World;

use crate::cli::{Folder, blastradius, stderr, stdout};

fn shipped(name: &str) -> Layout {
    let shipped = find_shipped(name).expect("it is shipped");
    parse(shipped.source, shipped.file).expect("it is a layout")
}

fn question(pairs: bool, after: u64) -> Question {
    let span = Span {
        before: Duration::from_secs(10),
        after: Duration::from_secs(after),
    };
    Question {
        span,
        seeds: vec![7],
        pairs,
    }
}

fn blasted(name: &str, layout: &Layout, question: Question) -> BlastReport {
    tried(name, layout, question, 0.999)
}

fn tried(name: &str, layout: &Layout, question: Question, of_each_machine: f64) -> BlastReport {
    let plan = Plan::of(layout, question);
    let mut seen = Seen::new();
    let two = NonZeroUsize::new(2).unwrap();
    plan.run(
        layout,
        &plan.trials,
        two,
        &AtomicBool::new(false),
        &|_| {},
        |trial, outcomes| {
            seen.insert(trial, outcomes);
        },
    );
    BlastReport::new(name, layout, &plan, &seen, of_each_machine).expect("all runs are done")
}

fn targets<'a>(report: &'a BlastReport, class: &str, extent: &str) -> Vec<&'a str> {
    let of = |row: &&FailureReport| row.class == class && row.extent == extent;
    let mut names: Vec<&str> = report
        .failures
        .iter()
        .filter(of)
        .map(|row| row.target.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn behind_a_balancer_the_balancer_and_the_database_are_single_points_and_no_web_server_is() {
    let report = blasted("04", &shipped("04"), question(false, 90));
    assert_eq!(targets(&report, "single_point", "machine"), ["db", "lb"]);
    assert_eq!(targets(&report, "gap", "machine"), ["web/1"]);
    // One stands for both: they are alike.
    let web = report.failures.iter().find(|row| row.target == "web/1").unwrap();
    assert_eq!((web.stands_for, web.alike.as_slice()), (2, &["web/2".to_owned()][..]));
    assert!(web.by_seed[0].served_s.is_some() && web.by_seed[0].failed > 0);
    // What a disk held that is gone is lost.
    let destroyed = report
        .failures
        .iter()
        .find(|row| row.target == "db" && row.what == "destroyed");
    assert!(destroyed.is_some_and(|row| row.by_seed[0].lost_writes > 0));
    let lb = report.failures.iter().find(|row| row.target == "lb").unwrap();
    assert_eq!((lb.target.as_str(), lb.path.join(" ")), ("lb", "people lb".to_owned()));
    assert!(
        lb.why.starts_with("lb is the only one on the way people -> lb."),
        "{}",
        lb.why
    );
    // Nobody serves users without the tier as a whole, though no machine of it is a single point.
    assert!(targets(&report, "needed", "service").contains(&"web"));
    let text = blast::to_text(&report);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_tier_of_many_equal_servers_costs_one() {
    let many = |machines: u32| {
        let text = format!(
            "Layout(title: \"Many\", users: {{ \"people\": (count: 2000) }}, services: {{ \"lb\": LoadBalancer(to: \"web\"), \"web\": Web(machines: {machines}) }})"
        );
        parse(&text, "many.ron").expect("it is a layout")
    };
    let plan = |machines| Plan::of(&many(machines), question(true, 20));
    let (few, more) = (plan(3), plan(40));
    assert_eq!(few.trials.len(), more.trials.len());
    let pair = more
        .failures
        .iter()
        .find(|failure| failure.target == "web/1 and web/2")
        .unwrap();
    assert_eq!(pair.stands_for, 40 * 39 / 2);
    assert_eq!(pair.extent, Extent::Pair);
}

/// Share of the requests that are answered well when these machines are down from the start on.
fn served(layout: &Layout, down: &[&str]) -> f64 {
    let mut world = World::build(layout, 7);
    world.advance(Duration::from_secs(5));
    for machine in down {
        let command = blastradius::command::Command::parse(&format!("kill {machine}")).expect("it is a command");
        world.apply(&command).expect("it can be killed");
    }
    world.advance(Duration::from_secs(30));
    let frame: Frame = world.frame();
    frame.recent.ok_ratio()
}

#[test]
fn availability_is_that_of_series_and_parallel_and_of_all_states_in_turn() {
    let layout = shipped("04");
    let a = 0.99_f64;
    // lb and db in series, with two web servers in parallel between them.
    let formula = a * a * (1.0 - (1.0 - a) * (1.0 - a));
    // Every state of the four machines, with its probability, and what users got in it.
    let machines = ["lb", "web/1", "web/2", "db"];
    let mut simulated = 0.0;
    for state in 0..1_u32 << machines.len() {
        let is_down = |number: usize| state & (1 << number) != 0;
        let down: Vec<&str> = (0..machines.len())
            .filter(|number| is_down(*number))
            .map(|number| machines[number])
            .collect();
        let probability = a.powi(4 - i32::try_from(down.len()).expect("four machines"))
            * (1.0 - a).powi(i32::try_from(down.len()).expect("four machines"));
        simulated += probability * served(&layout, &down);
    }
    assert!((simulated - formula).abs() < 1e-3, "{simulated} is not {formula}");
    let estimate = tried("04", &layout, question(true, 40), a).availability;
    assert!(estimate.with_pairs);
    assert!(
        (estimate.of_users - formula).abs() < 1e-4,
        "{} is not {formula}",
        estimate.of_users
    );
}

#[test]
fn threads_and_shards_change_no_byte() {
    let folder = Folder::new();
    let common = ["blast", "04", "--for", "20s", "--at", "3s", "--pairs"];
    let with = |more: &[&str]| {
        let output = blastradius(&[&common[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    for form in ["--json", "--markdown", "--csv"] {
        assert_eq!(
            with(&["--threads", "1", form]),
            with(&["--threads", "3", form]),
            "{form}"
        );
    }
    let parts: Vec<String> = (1..=3)
        .map(|number| folder.file(&format!("{number}.jsonl"), with(&["--shard", &format!("{number}/3")])))
        .collect();
    let merge = |files: &[&str]| blastradius(&[&["merge", "--json"], files].concat());
    // In whatever order they are given.
    let merged = merge(&[&parts[2], &parts[0], &parts[1]]);
    assert!(merged.status.success(), "{}", stderr(&merged));
    assert_eq!(stdout(&merged), with(&["--json"]));
    let some = merge(&[&parts[0], &parts[2]]);
    assert_eq!(some.status.code(), Some(2));
    assert!(
        stderr(&some).contains("runs are missing: give the files of all shards"),
        "{}",
        stderr(&some)
    );
    let other = blastradius(&["blast", "04", "--for", "21s", "--at", "3s", "--shard", "1/90"]);
    let other = folder.file("other.jsonl", stdout(&other));
    let mixed = merge(&[&parts[0], &other]);
    assert!(
        stderr(&mixed).contains("are no parts of the same question"),
        "{}",
        stderr(&mixed)
    );
    for (content, why) in [
        ("", "it is empty"),
        ("{}\n", "line 1: missing field"),
        ("nonsense \u{1b}[2J\n", "line 1: "),
    ] {
        let broken = folder.file("broken.jsonl", content);
        let output = merge(&[&broken]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
    let cut = fs::read_to_string(&parts[0]).unwrap();
    let digest = cut.rfind("\"digest\":\"").unwrap() + 10;
    let hostile = format!("{}\\u001b[2J{}", &cut[..digest], &cut[digest + 7..]);
    let hostile = merge(&[&folder.file("hostile.jsonl", hostile)]);
    assert!(
        stderr(&hostile).contains("its figures are none of a run"),
        "{}",
        stderr(&hostile)
    );
    let broken = folder.file("broken.jsonl", &cut[..cut.len() - 20]);
    assert!(stderr(&merge(&[&broken])).contains("it is not what `blast --shard` writes"));
}

#[test]
fn what_is_interrupted_goes_on() {
    let folder = Folder::new();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
        command.args(["blast", "05", "--for", "40s", "--threads", "1", "--json"]);
        command.env("XDG_STATE_HOME", folder.path(""));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let child = command().spawn().expect("it starts");
    let work = format!("{}/blastradius/work", folder.path(""));
    let lines = || {
        let file = fs::read_dir(&work).ok()?.next()?.ok()?.path();
        Some(fs::read_to_string(file).ok()?.lines().count())
    };
    let started = Instant::now();
    while lines().unwrap_or(0) < 3 {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is kept");
        sleep(Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stdout(&output).is_empty());
    assert!(
        stderr(&output).contains("the same command goes on from there"),
        "{}",
        stderr(&output)
    );
    let again = command().output().expect("it runs");
    assert!(stderr(&again).starts_with("going on: "), "{}", stderr(&again));
    assert!(
        fs::read_dir(&work).expect("the folder").next().is_none(),
        "nothing is left"
    );
    let whole = command().output().expect("it runs");
    assert!(stderr(&whole).is_empty(), "{}", stderr(&whole));
    assert_eq!(stdout(&again), stdout(&whole));
}

#[test]
fn two_of_the_same_question_do_not_write_into_one_file() {
    let folder = Folder::new();
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
        command.args(["blast", "04", "--for", "20s", "--at", "5s", "--threads", "1", "--json"]);
        command.env("XDG_STATE_HOME", folder.path(""));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let first = command().spawn().expect("it starts");
    let work = format!("{}/blastradius/work", folder.path(""));
    let is_there = || fs::read_dir(&work).is_ok_and(|mut files| files.next().is_some());
    let started = Instant::now();
    while !is_there() {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is kept");
        sleep(Duration::from_millis(2));
    }
    let halt = |signal: &str| {
        let sent = Command::new("kill").args([signal, &first.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    };
    // However fast it is, it is still there when the second one comes.
    halt("-STOP");
    let second = command().output().expect("it runs");
    halt("-CONT");
    assert!(second.status.success(), "{}", stderr(&second));
    assert_eq!(
        stderr(&second),
        "the same blast runs already, and keeps its runs; this one begins anew and keeps nothing\n"
    );
    let first = first.wait_with_output().expect("it ends");
    assert_eq!((stderr(&first).as_str(), stdout(&first)), ("", stdout(&second)));
    // The one that kept its runs has tidied up, and whoever comes now has the file alone.
    assert!(!is_there(), "nothing is left");
    let third = command().output().expect("it runs");
    assert_eq!(stderr(&third), "");
}

/// A row of a ranking as JSON.
fn rows(layout: &str) -> Vec<serde_json::Value> {
    let output = blastradius(&["blast", layout, "--for", "30s", "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(
        json["undisturbed"][0]["failed"], 0,
        "so what fails is the failure's doing"
    );
    json["failures"].as_array().expect("rows").clone()
}

#[test]
fn the_command_of_a_row_finds_the_figures_of_the_row() {
    let folder = Folder::new();
    // A name that a shell would take apart.
    let source = find_shipped("04").expect("it is shipped").source;
    let file = folder.file("it's $HOME; a layout.ron", source);
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_blastradius"));
    let path = format!("{}:/usr/bin:/bin", binary.parent().expect("a folder").display());
    let rows = rows(&file);
    let mut losses = 0;
    for target in ["db", "lb", "web/1", "lb -> web"] {
        for row in rows.iter().filter(|row| row["target"] == target) {
            let command = row["report"].as_str().expect("a command");
            let command = command.strip_suffix(" --markdown").expect("it is a report in Markdown");
            let output = Command::new("sh")
                .args(["-c", &format!("{command} --json")])
                .env("PATH", &path)
                .output()
                .expect("a shell");
            let run: serde_json::Value = serde_json::from_str(&stdout(&output))
                .unwrap_or_else(|error| panic!("{command}: {error}: {}", stderr(&output)));
            let toll = &row["by_seed"][0];
            let figures = |value: &serde_json::Value, places: [&str; 3]| -> Vec<serde_json::Value> {
                places
                    .map(|place| {
                        value
                            .pointer(place)
                            .unwrap_or_else(|| panic!("{place} in {value}"))
                            .clone()
                    })
                    .to_vec()
            };
            assert_eq!(
                figures(&run, ["/requests/failed", "/lost_writes", "/digest"]),
                figures(toll, ["/failed", "/lost_writes", "/digest"]),
                "{command}"
            );
            losses += toll["lost_writes"].as_u64().expect("a number");
        }
    }
    assert!(losses > 0, "a disk that is gone has lost something");
}

#[test]
fn what_piles_up_where_nobody_looks_is_hidden() {
    let report = blasted("14", &shipped("14"), question(false, 40));
    let broker = |what: &str| {
        let mut rows = report.failures.iter();
        rows.find(|row| row.extent == "machine" && row.target.contains("broker") && row.what == what)
            .or_else(|| {
                report
                    .failures
                    .iter()
                    .find(|row| row.extent == "machine" && row.target == "photos" && row.what == what)
            })
            .unwrap_or_else(|| {
                panic!(
                    "{what}: {:?}",
                    report.failures.iter().map(|row| &row.target).collect::<Vec<_>>()
                )
            })
    };
    let crashed = broker("crashed");
    // Nobody fails, and the web servers keep eight photos a second in their memory.
    assert_eq!(crashed.class, "hidden", "{crashed:?}");
    let toll = &crashed.by_seed[0];
    assert!(toll.failed <= 5 && (250..=350).contains(&toll.outbox), "{toll:?}");
    assert!(
        crashed
            .why
            .contains("more messages in the memory of those who sent them than usual"),
        "{}",
        crashed.why
    );
    let text = blast::to_text(&report);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(
        blast::to_csv(&report)
            .lines()
            .next()
            .is_some_and(|head| head.contains(",waiting,outbox,"))
    );
}

#[test]
fn each_class_says_what_it_counts() {
    let report = blasted("04", &shipped("04"), question(false, 20));
    let text = blast::to_text(&report);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "Single points of failure: users fail until somebody mends it: 2 machines, 1 data center, 2 outside services",
        "nothing stands in: 1 whole service, 10 links",
        "then they are served as before: 2 machines",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(
        blast::to_markdown(&report)
            .contains("### Single points of failure: users fail until somebody mends it: 2 machines, ")
    );
}

#[test]
fn too_many_single_points_end_badly() {
    let blast = |most: &str| blastradius(&["blast", "01", "--for", "20s", "--markdown", "--max-spof", most]);
    let few = blast("0");
    assert_eq!(few.status.code(), Some(1));
    assert!(
        stderr(&few).contains("single points of failure, at most 0 are allowed"),
        "{}",
        stderr(&few)
    );
    assert!(
        stdout(&few).starts_with("## Blast radius of 01-single-server\n"),
        "{}",
        stdout(&few)
    );
    assert!(blast("99").status.success());
}

#[test]
fn a_hostile_layout_is_text() {
    let text = "Layout(title: \"\\u{1b}[2J<b>|x\", users: { \"people\": (count: 100) }, services: { \"=web\": Web() })";
    let layout = parse(text, "hostile.ron").unwrap_or_else(|error| panic!("{error}"));
    let report = blasted("host|ile\u{1b}[2J", &layout, question(false, 20));
    let markdown = blast::to_markdown(&report);
    let page = blast::to_html(&report);
    assert!(!page.contains("<b>") && page.contains("&lt;b&gt;|x</bdi>"), "{page}");
    let all = [&blast::to_text(&report), &markdown, &blast::to_csv(&report), &page]
        .map(String::as_str)
        .concat();
    assert!(!all.contains('\u{1b}'), "{all}");
    assert!(markdown.starts_with("## Blast radius of host&#124;ile"), "{markdown}");
    assert!(blast::to_csv(&report).contains("\"'=web/1\""), "{all}");
}

#[test]
fn a_page_tells_what_a_failure_did_and_how_to_have_its_report() {
    let report = blasted("04-load-balancer", &shipped("04"), question(false, 20));
    let page = blast::to_html(&report);
    assert_eq!(page, blast::to_html(&report));
    for words in [
        "<title>Blast radius: Load balancer</title>",
        "<dt>Single points of failure</dt>",
        "Single points of failure: users fail until somebody mends it",
        "people -&gt; lb -&gt; web -&gt; db",
        "blastradius run 04-load-balancer --seed 7 --do &#39;10s destroy db&#39; --for 30s --markdown",
    ] {
        assert!(page.contains(words), "{words} is missing in:\n{page}");
    }
    // The worst failures stand in the plot, as what lasts; what passed is told apart.
    let (_, plot) = page.split_once("<figure>").expect("a plot");
    let (plot, _) = plot.split_once("</figure>").expect("its end");
    let kind = |name: &str| {
        let (_, rest) = plot.split_once(&format!(">{name}")).expect("it has a bar");
        rest.split_once("<rect class=\"").expect("the bar").1[..6].to_owned()
    };
    assert_eq!(
        (kind("db destroyed"), kind("web/1 ")),
        ("failed".to_owned(), "passed".to_owned())
    );
}

#[test]
fn the_report_of_a_row_is_that_of_the_failure_alone() {
    let arguments = [
        "run",
        "04",
        "--do",
        "3s kill db",
        "--do",
        "5s mend db",
        "--for",
        "8s",
        "--markdown",
    ];
    let (one, other) = (blastradius(&arguments), blastradius(&arguments));
    assert_eq!(stdout(&one), stdout(&other));
    let told = stdout(&one);
    assert!(told.contains("kill db") && told.contains("mend db"), "{told}");
    let again = "blastradius run 04 --seed 7 --do '3s kill db' --do '5s mend db' --for 8s";
    assert!(told.contains(again), "{told}");
    for (wrong, why) in [
        ("kill db", "not a duration"),
        ("3s", "has no time or no command"),
        ("3s kill nobody", "nobody"),
        ("3s explode db", "explode"),
    ] {
        let output = blastradius(&["run", "04", "--do", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(stderr(&output).contains(why), "{wrong}: {}", stderr(&output));
    }
}

#[test]
fn what_is_watched_too_briefly_is_refused() {
    let output = blastradius(&["blast", "01", "--for", "19s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("a failure is watched for 20s at least"),
        "{}",
        stderr(&output)
    );
}
