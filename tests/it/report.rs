//! The report of a run that is made up here, so that every section has something to say.

mod browser;
mod caches;
mod data;
mod pages;
mod queues;

use std::sync::Arc;
use std::time::Duration;

use blastradius::command::{Command, CommandError, Selector, What};
use blastradius::layout::{Measure, Quantifier};
use blastradius::observe::{
    BackendState, BalancerState, Belief, Cause, DatabaseState, Frame, Health, Incident, InstanceInfo, InstanceState,
    Kind, LogLine, Milestone, Quantiles, ServiceInfo, ServiceState, SessionTally, Severity, Site, SiteState, Tally,
    Topology,
};
use blastradius::protocol::Reason;
use blastradius::replay::{Act, Digest, Ending, Outcome, Refusal, Unreached, Verdict};
use blastradius::report::{Report, summary, to_text};
use blastradius::sim::SimTime;

fn at(seconds: f64) -> SimTime {
    SimTime((seconds * 1e9) as u64)
}

fn instance(selector: &str, health: Health, failed: u64) -> (InstanceInfo, InstanceState) {
    let info = InstanceInfo {
        label: None,
        selector: selector.to_string(),
        machine: selector.to_string(),
        zone: None,
        address: "10.0.0.1".to_string(),
        public: false,
        size: "s".to_string(),
        cores: 2,
        slots: 64,
        price_per_hour: 0.1,
    };
    let state = InstanceState {
        health,
        since: SimTime::ZERO,
        slow: 1.0,
        ails: None,
        draining: false,
        resting: false,
        active: None,
        sessions: None,
        utilisation: 0.3,
        mean_utilisation: 0.3215,
        busy_slots: 1,
        backlog: 0,
        peak_backlog: 12,
        rate: 200.0,
        received: 12_004,
        ok: 12_004 - failed,
        failed,
        latency: Duration::from_millis(5),
        trend: Vec::new(),
        mean_latency: Duration::from_millis(5),
        mean_present: 1.5,
    };
    (info, state)
}

fn service(
    name: &str,
    kind: Kind,
    instances: Vec<(InstanceInfo, InstanceState)>,
    balancer: Option<BalancerState>,
) -> (ServiceInfo, ServiceState) {
    let (infos, states) = instances.into_iter().unzip();
    let info = ServiceInfo {
        name: name.to_string(),
        selector: name.to_string(),
        kind,
        site: Some(0),
        home: None,
        detail: "least connections, checks every 2s".to_string(),
        instances: infos,
    };
    let state = ServiceState {
        rate: 0.0,
        trend: vec![],
        instances: states,
        balancer,
        dns: None,
        users: None,
        monitor: None,
        cache: None,
        queue: None,
        workers: None,
        publisher: None,
        database: (kind == Kind::Database).then_some(DatabaseState {
            rows: 100_012,
            writes: 4_801,
            reads: 1,
            ..DatabaseState::default()
        }),
        sessions: None,
        serverless: None,
        autoscaler: None,
        resolver: None,
        calls: Vec::new(),
    };
    (info, state)
}

fn backend(index: usize, name: &str, believed: Belief) -> BackendState {
    BackendState {
        instance: Some((1, index)),
        name: name.to_string(),
        share: 0.5,
        total_share: 0.5,
        sent: 12_004,
        in_flight: 2,
        believed,
        ejected: None,
        ramp: 1.0,
        weight: 1.0,
    }
}

fn frame() -> Frame {
    let balancer = BalancerState {
        policy: "least connections".to_string(),
        check_every: Duration::from_secs(2),
        down_after: 3,
        up_after: 2,
        viewer: 0,
        sticky: None,
        backends: vec![
            backend(0, "web/1", Belief::Up { failed: 2 }),
            backend(1, "web/2", Belief::Up { failed: 0 }),
        ],
    };
    let (services, states) = vec![
        service(
            "lb",
            Kind::LoadBalancer,
            vec![instance("lb", Health::Up, 0)],
            Some(balancer),
        ),
        service(
            "web",
            Kind::Web,
            vec![instance("web/1", Health::Down, 372), instance("web/2", Health::Up, 0)],
            None,
        ),
        service(
            "d\u{1b}[2Jb",
            Kind::Database,
            vec![instance("d\u{1b}[2Jb", Health::CutOff, 0)],
            None,
        ),
    ]
    .into_iter()
    .unzip();
    Frame {
        topology: Arc::new(Topology {
            layout: "".into(),
            unkept: std::sync::Arc::default(),
            title: "Two \u{1b}]0;servers".to_string(),
            about: String::new(),
            version: 1,
            sites: vec![Site {
                name: "dc".to_string(),
                region: None,
                zones: 1,
                round_trips: vec![Duration::from_micros(500)],
            }],
            services,
            links: Vec::new(),
        }),
        at: at(60.0),
        seed: 7,
        traffic: 1.5,
        chaos: None,
        price_per_hour: 0.34,
        spent: 0.34 / 60.0,
        total: Tally {
            sent: 24_008,
            ok: 23_618,
            failed: 372,
            retried: 1_204,
        },
        recent: Tally::default(),
        recent_seconds: 10.0,
        latency: Quantiles {
            count: 23_618,
            mean: Duration::from_micros(12_345),
            p50: Duration::from_micros(9_800),
            p95: Duration::from_millis(31),
            p99: Duration::from_millis(184),
            max: Duration::from_millis(1_200),
        },
        recent_latency: Quantiles::default(),
        lost_writes: 0,
        sessions: SessionTally::default(),
        sites: vec![site_state(24.0, 1.0)],
        services: states,
        links: Vec::new(),
        causes: vec![Cause {
            reason: Reason::Refused,
            at: "web/1".to_string(),
            count: 1_576,
            recent: 0,
        }],
        incidents: vec![incident()],
        log: vec![
            line(20.0, Severity::Bad, "killed web/1"),
            line(25.012, Severity::Good, "lb took web/1 out: 3 checks failed"),
        ],
        log_total: 43,
        followed: None,
        history: Vec::new(),
    }
}

fn site_state(rate: f64, share: f64) -> SiteState {
    SiteState {
        rate,
        share,
        evacuated: false,
        believed_up: true,
    }
}

fn incident() -> Incident {
    Incident {
        number: 1,
        what: "killed web/1".to_string(),
        target: "web/1".to_string(),
        injected: at(20.0),
        hurt: Some(at(20.004)),
        first_hurt: Some("everyone".to_string()),
        noticed: Some(Milestone {
            at: at(25.012),
            who: "lb".to_string(),
        }),
        acted: Some(Milestone {
            at: at(25.012),
            who: "lb".to_string(),
        }),
        served: Some(at(25.1)),
        healed: None,
        retried: 1_204,
        failed: 372,
        lost_writes: 0,
        missing_writes: 0,
        replayed: 0,
        given_up: 0,
        lost_sessions: 0,
        lost_jobs: 0,
        extra_spent: 0.0,
        sentence: "The balancer sends nothing to web/1 any more; it goes on checking it, and takes it in again after two checks that pass."
            .to_string(),
    }
}

fn line(seconds: f64, severity: Severity, text: &str) -> LogLine {
    LogLine {
        at: at(seconds),
        severity,
        text: text.to_string(),
    }
}

fn verdict(quantifier: Quantifier, text: &str, (measure, bound): (Measure, f64), outcome: Outcome) -> Verdict {
    Verdict {
        measure,
        bound,
        quantifier,
        text: text.to_string(),
        outcome,
    }
}

fn ending() -> Ending {
    let kill = |target: &str| Command::Kill(Selector(target.to_string()));
    let failed = Outcome::Failed {
        at: Duration::from_millis(21_300),
        value: 0.412,
    };
    Ending {
        frame: frame(),
        duration: Duration::from_secs(60),
        verdicts: vec![
            verdict(
                Quantifier::Always,
                "ok >= 95%, grace 5s",
                (Measure::Ok, 0.95),
                Outcome::Held,
            ),
            verdict(Quantifier::Sometimes, "p99 < 200ms", (Measure::P99, 0.2), failed),
        ],
        acts: vec![Act {
            at: Duration::from_secs(20),
            command: kill("web/1"),
        }],
        marks: Vec::new(),
        notes: Vec::new(),
        refusals: vec![Refusal {
            place: Some((3, 17)),
            at: Duration::from_secs(30),
            command: kill("web/9"),
            why: CommandError("there is no web/9".to_string()),
        }],
        unreached: vec![Unreached {
            place: Some((4, 17)),
            at: Some(Duration::from_secs(90)),
            after: None,
            what: What::Do(kill("web/2")),
        }],
        checkpoints: Vec::new(),
        digest: Digest(0x0123_4567_89ab_cdef),
    }
}

const EXPECTED: &str = "\
Two \\u{1b}]0;servers
04-load-balancer · 01:00.000 simulated · seed 7 · traffic x1.5

requests   sent 24,008   ok 23,618 (98.4%)   failed 372   retried 1,204
           under way 18
latency    mean 12.3ms   p50 9.80ms   p95 31.0ms   p99 184ms   max 1.20s
writes     0 lost after they were acknowledged
cost       $0.34 an hour, $0.00567 in all

expectations
  held      always ok >= 95%, grace 5s
  failed    sometimes p99 < 200ms
            first at 00:21.300: measured 412.0ms

failed or retried, by cause
  machine  reason   requests   share
  web/1    refused     1,576  100.0%

machines
  machine      health   cores in use  peak backlog  received      ok  failed
  lb           up              32.1%            12    12,004  12,004       0
  web/1        down            32.1%            12    12,004  11,632     372
  web/2        up              32.1%            12    12,004  12,004       0
  d\\u{1b}[2Jb  cut off         32.1%            12    12,004  12,004       0
  d\\u{1b}[2Jb holds 100,012 rows: 1 read answered, 4,801 writes acknowledged

lb · least connections, checks every 2s
  server    sent  share  truth  believed
  web/1   12,004  50.0%  down   up, 2 checks failed
  web/2   12,004  50.0%  up     up

incidents
  1  00:20.000  killed web/1
     hurt +0.004s everyone, noticed +5.012s by lb, acted +5.012s by lb, served
     +5.100s, not healed
     372 failed, 1,204 retried, 0 writes lost
     The balancer sends nothing to web/1 any more; it goes on checking it, and
     takes it in again after two checks that pass.

refused commands
  00:30.000 kill web/9 (script, line 3, column 17): there is no web/9

steps not done: the run ended before
  01:30.000 kill web/2 (script, line 4, column 17)

events, the last 2 of 43
  00:20.000  x killed web/1
  00:25.012  + lb took web/1 out: 3 checks failed

digest     0123456789abcdef
";

#[test]
fn the_text_reads_well() {
    let text = to_text(&Report::new("04-load-balancer", &ending()));
    assert_eq!(text, EXPECTED, "the report is now:\n{text}");
}

#[test]
fn a_farewell_is_short_and_tells_of_incidents() {
    let told = summary(&frame());
    assert_eq!(
        told,
        "Two \\u{1b}]0;servers · 01:00.000 simulated · seed 7\n\
         requests   24,008 sent   23,618 ok (98.4%)   372 failed   1,204 retried\n           18 under way\n\
         incidents  1:\n  1  noticed +5.012s    recovered +5.100s   killed web/1\nlost       nothing\n",
        "it is now:\n{told}"
    );
    let mut frame = frame();
    for number in 2..=60 {
        let mut incident = incident();
        incident.number = number;
        incident.what = "x".repeat(200);
        (incident.noticed, incident.served) = (None, None);
        frame.incidents.push(incident);
    }
    Arc::make_mut(&mut frame.topology).title = "y".repeat(300);
    frame.lost_writes = 1_000_000_000;
    frame.sessions.lost = 1_000_000_000;
    let told = summary(&frame);
    assert!(told.lines().count() <= 8, "{told}");
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert!(
        told.contains("incidents  60, the last 3:\n 58  not noticed        not recovered"),
        "{told}"
    );
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let text = to_text(&Report::new("04", &ending())) + &summary(&frame());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

#[test]
fn the_json_has_what_its_document_says() {
    let json = Report::new("04-load-balancer", &ending()).to_json();
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let document = include_str!("../../docs/run-json.md");
    for (field, value) in report.as_object().expect("an object") {
        let documented = |name: &str| assert!(document.contains(&format!("`{name}")), "`{name}` is not documented");
        documented(field);
        if let Some(below) = value
            .as_array()
            .and_then(|list| list.first())
            .unwrap_or(value)
            .as_object()
        {
            below
                .keys()
                .for_each(|name| assert!(document.contains(name.as_str()), "`{field}.{name}` is not documented"));
        }
    }
    assert_eq!(report["passed"], false);
    assert_eq!(report["expectations"][1]["failed_at_s"], 21.3);
    assert_eq!(report["services"][0]["balancer"]["backends"][0]["health"], "down");
    assert_eq!(report["digest"], "0123456789abcdef");
}

#[test]
fn what_is_shared_or_lost_is_said() {
    let mut ending = ending();
    ending.verdicts = vec![verdict(
        Quantifier::Always,
        "ok >= 99.9%, grace 1h",
        (Measure::Ok, 0.999),
        Outcome::Unjudged,
    )];
    ending.frame.lost_writes = 406;
    ending.frame.services[1].instances[1].received = 12_034;
    let topology = Arc::make_mut(&mut ending.frame.topology);
    topology.services[1].instances[0].machine = "server".to_string();
    topology.services[2].instances[0].machine = "server".to_string();
    let text = to_text(&Report::new("01", &ending));
    for words in [
        "  unjudged  always ok >= 99.9%, grace 1h\n            never judged: the run was too short",
        "DATA LOSS: acknowledged to users and gone for good: 406 writes.",
        "\n  server       machine         32.1%\n  web/1        down           shared ",
        "\n  d\\u{1b}[2Jb  cut off        shared ",
        "  Health checks are requests too",
    ] {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
    assert_eq!(text.matches("32.1%").count(), 3, "{text}");
    assert!(!Report::new("01", &ending).passed);
    let closing = summary(&ending.frame);
    assert!(closing.contains("\nlost       406 writes\n"), "{closing}");
}
