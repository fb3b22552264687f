use super::*;
use crate::protocol::{Stamp, Term};

const OTHER: InstanceId = InstanceId(9);

fn at(seconds: u64) -> SimTime {
    SimTime(seconds * 1_000_000_000)
}

#[test]
fn an_incident_passes_its_milestones() {
    let (hit, other) = (InstanceId(4), InstanceId(5));
    let mut incidents = Incidents::default();
    incidents.open(at(10), "killed web/1", "web/1", vec![hit]);
    let fail = |at| Event::Failed {
        reason: Reason::Refused,
        at,
    };
    incidents.follow(at(11), OTHER, &fail(other), || "lb".into());
    assert_eq!(incidents.cases[0].incident.hurt, None);
    incidents.follow(at(12), OTHER, &fail(hit), || "lb".into());
    incidents.follow(
        at(13),
        OTHER,
        &Event::TakenOut {
            backend: hit,
            failed: 3,
            reason: Reason::Refused,
        },
        || "lb".into(),
    );
    assert!(incidents.tick(at(14), |_| false, true, true).is_empty());
    assert_eq!(incidents.tick(at(15), |_| false, true, true), [(1, "served")]);
    assert_eq!(incidents.tick(at(20), |_| true, true, true), [(1, "healed")]);
    let incident = &incidents.cases[0].incident;
    assert_eq!(
        (incident.hurt, incident.served, incident.healed),
        (Some(at(12)), Some(at(13)), Some(at(20)))
    );
    assert_eq!(incident.noticed.as_ref().map(|noticed| noticed.at), Some(at(13)));
    assert_eq!(incident.failed, 1);
}

#[test]
fn a_failure_after_all_takes_served_back() {
    let hit = InstanceId(4);
    let mut incidents = Incidents::default();
    incidents.open(at(0), "hung web/1", "web/1", vec![hit]);
    let fail = Event::Failed {
        reason: Reason::TimedOut,
        at: hit,
    };
    incidents.follow(at(1), OTHER, &fail, String::new);
    incidents.tick(at(5), |_| false, true, true);
    incidents.follow(at(6), OTHER, &fail, String::new);
    assert_eq!(incidents.cases[0].incident.served, None);
}

#[test]
fn what_is_tried_again_later_hurts_nobody_who_is_served() {
    let hit = InstanceId(4);
    let retried = |later| Event::Retried {
        reason: Reason::Refused,
        at: hit,
        later,
    };
    let mut incidents = Incidents::default();
    incidents.open(at(0), "killed photos", "photos", vec![hit]);
    incidents.follow(at(1), OTHER, &retried(false), || "web/1".into());
    incidents.tick(at(5), |_| false, true, true);
    incidents.follow(at(6), OTHER, &retried(true), || "web/1".into());
    assert_eq!(incidents.cases[0].incident.served, Some(at(1)));
    assert!(
        incidents.tick(at(10), |_| false, true, true).is_empty(),
        "it is told once"
    );
    incidents.follow(at(11), OTHER, &retried(false), || "web/1".into());
    assert_eq!(incidents.cases[0].incident.served, None);
    assert_eq!(incidents.cases[0].incident.retried, 3);
    let again: Vec<bool> = incidents
        .news
        .iter()
        .filter_map(|news| match news.stage {
            Stage::Hurt { again, .. } => Some(again),
            Stage::Noticed | Stage::Acted => None,
        })
        .collect();
    assert_eq!(again, [false, true]);
}

#[test]
fn who_takes_the_place_of_a_primary_has_noticed_and_acted() {
    let (primary, replica, other) = (InstanceId(4), InstanceId(5), InstanceId(6));
    let mut incidents = Incidents::default();
    incidents.open(at(1), "killed db/1", "db/1", vec![primary]);
    incidents.open(at(2), "killed web/1", "web/1", vec![other]);
    let promoted = Event::Promoted {
        shard: 0,
        term: Term::FIRST.above(1),
        was: Some(primary),
    };
    incidents.follow(at(7), replica, &promoted, || "db/2".into());
    let noticed = |incidents: &Incidents, case: usize| incidents.cases[case].incident.noticed.clone();
    let by = |node: &str| Milestone {
        at: at(7),
        who: node.into(),
    };
    assert_eq!(noticed(&incidents, 0), Some(by("db/2")));
    assert_eq!(incidents.cases[0].incident.acted, Some(by("db/2")));
    assert_eq!(noticed(&incidents, 1), None);
    let passed_over = Event::PassedOver { node: other, on: true };
    incidents.follow(at(7), replica, &passed_over, || "db/3".into());
    assert_eq!(noticed(&incidents, 1), Some(by("db/3")));
    // By hand, the old one gives way by itself: whoever takes its place has noticed nothing of a fault at another node.
    incidents.open(at(8), "killed db/1", "db/1", vec![primary]);
    let again = Event::Promoted {
        shard: 0,
        term: Term::FIRST.above(2),
        was: Some(replica),
    };
    incidents.follow(at(9), primary, &again, || "db/1".into());
    assert_eq!(noticed(&incidents, 2), None);
}

#[test]
fn what_was_missing_and_what_became_of_it_is_remembered() {
    let (primary, other) = (InstanceId(4), InstanceId(6));
    let mut incidents = Incidents::default();
    incidents.open(at(1), "killed db/1", "db/1", vec![primary]);
    for missing in [3, 12, 5] {
        incidents.miss(|_| missing);
    }
    incidents.tick(at(5), |_| true, true, true);
    assert!(incidents.cases[0].incident.healed.is_some());
    incidents.miss(|_| 40);
    incidents.open(at(6), "killed web/1", "web/1", vec![other]);
    let compared = Event::Compared {
        replayed: 10,
        conflicting: 2,
    };
    for number in 0..10 {
        let (old, new) = (Stamp(2 * number + 1), Stamp(1_000 + number));
        let replayed = Event::Replayed { key: number, old, new };
        incidents.follow(at(7), other, &replayed, || "db/2".into());
    }
    for number in 10..12 {
        let (old, kept) = (Stamp(2 * number + 1), Stamp(1_000 + number));
        let given_up = Event::GivenUp { key: number, old, kept };
        incidents.follow(at(7), other, &given_up, || "db/2".into());
    }
    // Two nodes had the same writes: they count once.
    incidents.follow(at(7), primary, &compared, || "db/1".into());
    incidents.follow(at(7), primary, &compared, || "db/1".into());
    let first = &incidents.cases[0].incident;
    assert_eq!((first.missing_writes, first.replayed, first.given_up), (12, 10, 2));
    let second = &incidents.cases[1].incident;
    assert_eq!((second.missing_writes, second.replayed, second.given_up), (0, 0, 0));
}

#[test]
fn each_milestone_is_news_once() {
    let hit = InstanceId(4);
    let mut incidents = Incidents::default();
    incidents.open(at(1), "killed web/1", "web/1", vec![hit]);
    let fail = Event::Failed {
        reason: Reason::Refused,
        at: hit,
    };
    let out = Event::TakenOut {
        backend: hit,
        failed: 3,
        reason: Reason::Refused,
    };
    for (second, event) in [(2, &fail), (3, &fail), (4, &out), (5, &out)] {
        incidents.follow(at(second), OTHER, event, || "people".into());
    }
    let hurt = Stage::Hurt {
        reason: Reason::Refused,
        place: hit,
        failed: true,
        again: false,
    };
    let news = [(2, hurt), (4, Stage::Noticed), (4, Stage::Acted)].map(|(second, stage)| News {
        at: at(second),
        number: 1,
        stage,
    });
    assert_eq!(incidents.news, news);
    let incident = &incidents.cases[0].incident;
    assert_eq!(incident.first_hurt.as_deref(), Some("people"));
}

#[test]
fn nobody_has_acted_for_a_lost_data_center_until_dns_has_left_out_all_its_addresses() {
    let (first, second, node) = (InstanceId(1), InstanceId(2), InstanceId(3));
    let mut incidents = Incidents::default();
    incidents.open(at(1), "killed us-east", "us-east", vec![first, second, node]);
    incidents.close(1, vec![first, second]);
    let promoted = Event::Promoted {
        shard: 0,
        term: Term::FIRST.above(1),
        was: Some(node),
    };
    let out = |backend| Event::TakenOut {
        backend,
        failed: 3,
        reason: Reason::TimedOut,
    };
    incidents.follow(at(7), OTHER, &promoted, || "db/4".into());
    incidents.follow(at(20), OTHER, &out(first), || "dns".into());
    assert_eq!(incidents.cases[0].incident.acted, None);
    incidents.follow(at(24), OTHER, &out(second), || "dns".into());
    let incident = &incidents.cases[0].incident;
    let by = |seconds, who: &str| {
        Some(Milestone {
            at: at(seconds),
            who: who.into(),
        })
    };
    assert_eq!(incident.noticed, by(7, "db/4"));
    assert_eq!(incident.acted, by(24, "dns"));
}

#[test]
fn what_is_spent_is_compared_with_the_minute_before() {
    let mut incidents = Incidents::default();
    for cost in [1.0, 3.0] {
        incidents.pay(cost);
    }
    incidents.open(at(2), "traffic x2", "traffic", Vec::new());
    for cost in [2.0, 5.0, 1.5] {
        incidents.pay(cost);
    }
    assert!((incidents.cases[0].incident.extra_spent - 2.5).abs() < 1e-9);
    incidents.tick(at(6), |_| true, true, true);
    incidents.pay(100.0);
    assert!((incidents.cases[0].incident.extra_spent - 2.5).abs() < 1e-9);
}
