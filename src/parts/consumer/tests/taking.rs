//! What it asks for and when, what it has in progress, and what it holds besides.

use super::*;

#[test]
fn slots_are_in_progress_and_the_rest_of_prefetch_waits_in_memory() {
    let mut bench = Bench::new(layout::Consumer { prefetch: 5, ..spec() });
    bench.publish(10);
    bench.until(50);
    assert_eq!(bench.holds(), (2, 5));
    assert_eq!(bench.store.waiting.borrow().len(), 5);
    // The wishes: 5, and nothing more until one is settled.
    assert_eq!(bench.heard(is_take), [1]);
    bench.until(150);
    // The first two were done at 102 and settled at 104.
    assert_eq!(bench.holds(), (2, 5));
    bench.until(1_000);
    let done: Vec<(u64, u64)> = bench.done().iter().map(|(at, job, _)| (*at, *job)).collect();
    let round = |number: u64, job: u64| (102 + (number - 1) * 102, job);
    let expected: Vec<(u64, u64)> = (1..=5)
        .flat_map(|number| [round(number, 2 * number - 1), round(number, 2 * number)])
        .collect();
    assert_eq!(done, expected);
    assert!(bench.queue_is_empty());
    assert_eq!(bench.holds(), (0, 0));
    assert_eq!(bench.tally().done, 10);
}

#[test]
fn without_prefetch_a_slot_waits_for_the_next_message() {
    let mut bench = Bench::new(layout::Consumer {
        slots: 1,
        prefetch: 1,
        ..spec()
    });
    bench.publish(3);
    bench.until(1_000);
    let done: Vec<u64> = bench.done().iter().map(|(at, _, _)| *at).collect();
    // The acknowledgement and the next wish take a way there and back each.
    assert_eq!(done, [102, 206, 310]);
}

#[test]
fn one_wish_is_under_way_at_once_and_an_idle_one_costs_little() {
    let mut bench = Bench::new(spec());
    bench.until(199_000);
    let asked = bench.heard(is_take);
    assert_eq!(asked.len(), 10, "{asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] == 20_000));
    // Who asks is there when a message comes; who has given up is not handed anything.
    assert_eq!(bench.kernel.meter(bench.queue).present.value(), 1);
    bench.publish(1);
    bench.until(199_200);
    assert_eq!(bench.done().len(), 1);
    assert!(bench.queue_is_empty());
    bench.until(199_900);
    assert_eq!(bench.heard(is_take), [199_002]);
}

#[test]
fn kinds_come_by_their_shares_and_have_their_work() {
    let job = |share, work| Job {
        share,
        work: constant(work),
    };
    let mut bench = Bench::new(layout::Consumer {
        slots: 50,
        prefetch: 100,
        jobs: [("resize".into(), job(3.0, 10)), ("video".into(), job(1.0, 90))].into(),
        ..spec()
    });
    bench.publish(10_000);
    bench.until(60_000);
    let kinds = bench.probe.by_kind.borrow().clone();
    assert_eq!(kinds.iter().sum::<u64>(), 10_000);
    // Of 10,000 the standard deviation is 43.
    assert!((7_370..=7_630).contains(&kinds[0]), "{kinds:?}");
    let busy = bench.kernel.cores_busy(bench.kernel.machine_of(bench.worker));
    let work = busy.integral(bench.kernel.now());
    let expected = kinds[0] as f64 * 0.01 + kinds[1] as f64 * 0.09;
    assert!((work - expected).abs() < 1e-6, "{work} of {expected}");
}

#[test]
fn changed_settings_take_effect_at_once() {
    let mut bench = Bench::new(spec());
    bench.publish(20);
    bench.until(50);
    assert_eq!(bench.holds(), (2, 2));
    bench.retune(|spec| (spec.slots, spec.prefetch) = (4, 8));
    bench.until(55);
    assert_eq!(bench.holds(), (4, 8));
    bench.retune(|spec| spec.slots = 8);
    bench.until(56);
    assert_eq!(bench.holds(), (8, 8));
    // Fewer: what is in progress goes on.
    bench.retune(|spec| (spec.slots, spec.prefetch, spec.work) = (1, 1, constant(10)));
    bench.until(102);
    assert_eq!(bench.holds().0, 8);
    bench.until(300);
    assert_eq!(bench.holds(), (1, 1));
}

#[test]
fn it_tells_how_busy_its_slots_were() {
    let mut bench = Bench::new(spec());
    bench.publish(1);
    let loads = Loads::default();
    let (worker, told) = (bench.worker, Rc::clone(&loads));
    let factory = Factory::new(move |_| Asker(worker, Rc::clone(&told)));
    let front = install(&mut bench.kernel, "asker", factory);
    bench.kernel.start(front, Duration::ZERO);
    for at in [50, 500] {
        bench.until(at);
        bench.kernel.cast(front, Request::Measure);
    }
    bench.until(600);
    // Begun at 2 ms, done at 102, acknowledged at 104; each question is 1 ms on its way.
    assert_eq!(*loads.borrow(), [(49, 2, 0), (102, 2, 1)]);
}

/// Asks how busy a worker is: milliseconds, slots, messages.
type Loads = Rc<RefCell<Vec<(u64, u32, u64)>>>;

struct Asker(InstanceId, Loads);

impl Software<System> for Asker {
    async fn serve(self: Rc<Self>, cx: Cx<System>, request: Request) -> Reply {
        let called = cx.call(self.0, request, Duration::from_secs(1)).await;
        if let Ok(Answer::Load { busy, cores, requests }) = Reply::of_call(called, self.0).outcome {
            let load = ((busy + 500_000) / 1_000_000, cores, requests);
            self.1.borrow_mut().push(load);
        }
        Reply::answer(Answer::Fine)
    }
}
