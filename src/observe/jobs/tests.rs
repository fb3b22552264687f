//! Jobs from their promise to their end, and after it.

use super::*;

const QUEUE: InstanceId = InstanceId(1);
const WORKER: InstanceId = InstanceId(2);
const WEB: InstanceId = InstanceId(3);
const DEAD: InstanceId = InstanceId(4);

fn at(seconds: u64) -> SimTime {
    SimTime(seconds * 1_000_000_000)
}

fn ledger() -> Jobs {
    let mut jobs = Jobs::default();
    for instance in [QUEUE, WORKER, WEB] {
        jobs.belongs(instance, 7);
    }
    jobs.belongs(DEAD, 8);
    jobs
}

fn stored(job: u64) -> Event {
    Event::JobStored { job: JobId(job) }
}

fn out(job: u64, out: bool) -> Event {
    Event::JobOut { job: JobId(job), out }
}

fn done(job: u64, version: Option<u64>) -> Event {
    Event::JobDone {
        job: JobId(job),
        effect: version.map(Stamp),
    }
}

fn gone(job: u64, why: Gone) -> Event {
    Event::JobGone { job: JobId(job), why }
}

fn follow(jobs: &mut Jobs, events: &[(InstanceId, Event)]) -> JobTally {
    for (from, event) in events {
        assert!(jobs.follow(at(1), *from, event));
    }
    let tally = jobs.tally(7);
    assert_eq!(
        tally.accepted,
        tally.open() + tally.done + tally.dead + tally.lost + tally.expired,
        "{tally:?}"
    );
    tally
}

#[test]
fn a_job_is_accepted_once_done_once_and_then_done_again() {
    let mut jobs = ledger();
    let tally = follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (QUEUE, out(1, true)),
            (WORKER, done(1, None)),
            (QUEUE, gone(1, Gone::Acknowledged)),
        ],
    );
    assert_eq!((tally.accepted, tally.done, tally.open()), (1, 1, 0));
    // A copy comes late: it is no new job, and what it does is done twice.
    let tally = follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (QUEUE, out(1, true)),
            (WORKER, done(1, None)),
            (QUEUE, gone(1, Gone::Acknowledged)),
        ],
    );
    assert_eq!((tally.accepted, tally.done, tally.duplicated), (1, 1, 1));
    jobs.look(at(1_000), |_| false);
    assert!(jobs.open.is_empty());
}

#[test]
fn the_same_version_again_is_no_other_effect() {
    let mut jobs = ledger();
    let tally = follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (WORKER, done(1, Some(5))),
            (WORKER, done(1, Some(5))),
            (WORKER, done(1, Some(6))),
        ],
    );
    assert_eq!((tally.done, tally.absorbed, tally.duplicated), (1, 1, 1));
}

#[test]
fn memory_that_is_gone_loses_what_waits_and_not_what_is_out() {
    let mut jobs = ledger();
    follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (QUEUE, stored(2)),
            (QUEUE, out(2, true)),
            (QUEUE, stored(3)),
            (QUEUE, out(3, true)),
        ],
    );
    jobs.forget(at(2), QUEUE);
    assert_eq!((jobs.tally(7).lost, jobs.take_lost(), jobs.take_lost()), (1, 1, 0));
    // The second is with a worker that runs, the third with nobody.
    jobs.look(at(5), |job| job == JobId(2));
    assert_eq!(jobs.tally(7).lost, 2);
    let tally = follow(&mut jobs, &[(WORKER, done(2, None))]);
    assert_eq!((tally.done, tally.lost, tally.open()), (1, 2, 0));
    // A job that was given up may turn up after all.
    let tally = follow(&mut jobs, &[(WORKER, done(3, None))]);
    assert_eq!((tally.done, tally.lost), (2, 1));
}

#[test]
fn dead_letters_come_back_and_live_again() {
    let mut jobs = ledger();
    let tally = follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (QUEUE, out(1, true)),
            (DEAD, stored(1)),
            (QUEUE, gone(1, Gone::Buried)),
        ],
    );
    assert_eq!((tally.dead, tally.open()), (1, 0));
    let tally = follow(&mut jobs, &[(QUEUE, stored(1)), (DEAD, gone(1, Gone::Buried))]);
    assert_eq!((tally.dead, tally.open()), (0, 1));
    let tally = follow(&mut jobs, &[(DEAD, stored(1)), (QUEUE, gone(1, Gone::Buried))]);
    assert_eq!(tally.dead, 1);
    jobs.forget(at(2), DEAD);
    let tally = jobs.tally(7);
    assert_eq!((tally.dead, tally.lost), (0, 1));
}

#[test]
fn what_was_promised_is_lost_with_whoever_promised_it_or_when_it_never_arrives() {
    let promise = |job, held| Event::JobPromised { job: JobId(job), held };
    let mut jobs = ledger();
    let tally = follow(
        &mut jobs,
        &[
            (WEB, promise(1, true)),
            (WEB, promise(2, true)),
            (WEB, promise(3, false)),
            (WEB, promise(4, false)),
            (WEB, Event::JobDropped { job: JobId(5) }),
            (QUEUE, stored(2)),
            (QUEUE, stored(3)),
        ],
    );
    assert_eq!((tally.accepted, tally.lost, tally.open()), (5, 1, 4));
    jobs.look(at(10), |_| false);
    assert_eq!(jobs.tally(7).lost, 2, "the fourth never arrived");
    jobs.forget(at(11), WEB);
    assert_eq!(jobs.tally(7).lost, 3, "the first was still in the outbox");
    let tally = follow(
        &mut jobs,
        &[(QUEUE, gone(2, Gone::Expired)), (QUEUE, gone(3, Gone::Discarded))],
    );
    assert_eq!((tally.expired, tally.dead, tally.open()), (1, 1, 0));
}

#[test]
fn what_had_ended_and_is_done_after_all_is_counted_once() {
    for (why, counted) in [(Gone::Purged, (1, 0)), (Gone::Discarded, (0, 1))] {
        let mut jobs = ledger();
        let tally = follow(
            &mut jobs,
            &[(QUEUE, stored(1)), (QUEUE, out(1, true)), (QUEUE, gone(1, why))],
        );
        assert_eq!((tally.expired, tally.dead), counted);
        let tally = follow(&mut jobs, &[(WORKER, done(1, None))]);
        assert_eq!((tally.accepted, tally.done, tally.expired, tally.dead), (1, 1, 0, 0));
    }
}

#[test]
fn what_was_dropped_and_is_in_the_queue_all_the_same_is_not_lost() {
    let dropped = Event::JobDropped { job: JobId(1) };
    let mut jobs = ledger();
    let tally = follow(&mut jobs, &[(QUEUE, stored(1)), (WEB, dropped)]);
    assert_eq!((tally.accepted, tally.lost), (1, 0));
    let mut jobs = ledger();
    let tally = follow(&mut jobs, &[(WEB, dropped)]);
    assert_eq!((tally.accepted, tally.lost), (1, 1));
    let tally = follow(&mut jobs, &[(QUEUE, stored(1)), (WORKER, done(1, None))]);
    assert_eq!((tally.accepted, tally.lost, tally.done), (1, 0, 1));
}

#[test]
fn a_promise_to_a_log_becomes_a_job_for_each_subscriber() {
    let mut jobs = ledger();
    let promise = |job, held| Event::JobPromised { job: JobId(job), held };
    let tally = follow(
        &mut jobs,
        &[
            (WEB, promise(1, true)),
            (WEB, promise(2, false)),
            (QUEUE, gone(1, Gone::Split)),
            (QUEUE, stored(101)),
            (QUEUE, stored(102)),
            (QUEUE, gone(2, Gone::Split)),
            (QUEUE, stored(201)),
            (QUEUE, stored(202)),
        ],
    );
    assert_eq!((tally.accepted, tally.lost), (4, 0));
    jobs.look(at(100), |_| false);
    assert_eq!(jobs.tally(7).lost, 0);
}

#[test]
fn what_is_handed_over_is_lost_when_no_worker_holds_it() {
    let mut jobs = ledger();
    follow(
        &mut jobs,
        &[
            (QUEUE, stored(1)),
            (QUEUE, gone(1, Gone::HandedOver(WORKER))),
            (QUEUE, stored(2)),
            (QUEUE, gone(2, Gone::HandedOver(WORKER))),
        ],
    );
    jobs.look(at(4), |_| true);
    assert_eq!(jobs.tally(7).lost, 0);
    follow(&mut jobs, &[(WORKER, done(1, None))]);
    jobs.look(at(7), |_| false);
    let tally = jobs.tally(7);
    assert_eq!((tally.done, tally.lost), (1, 1));
}

#[test]
fn an_entry_is_small() {
    // A million open jobs: a power of two of places, of which at most seven eighths are taken, with a byte each.
    let entry = size_of::<(JobId, Job)>() + 1;
    assert!(entry * (1 << 21) < 40_000_000, "{entry}");
}
