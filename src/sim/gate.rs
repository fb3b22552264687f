//! A gate: so many handlers of one instance are past it at once, the others wait in line. A pool of connections is one.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::core::Core;
use super::host::Cx;
use super::message::Wire;
use super::slab::Ref;

/// Lets so many handlers of one instance past at once; the others wait, first come first served.
///
/// Only handlers wait, so the line is no longer than the instance has handlers: its slots bound it.
#[derive(Debug)]
pub struct Gate {
    limit: Cell<u32>,
    in_use: Cell<u32>,
    /// Those who wait, the longest first. While somebody waits, no place is free.
    waiting: RefCell<VecDeque<Ref>>,
}

impl Gate {
    /// A gate for so many at once; `None`: it stands open.
    pub fn new(limit: Option<u32>) -> Gate {
        Gate {
            limit: Cell::new(limit.unwrap_or(u32::MAX)),
            in_use: Cell::new(0),
            waiting: RefCell::default(),
        }
    }

    /// Changes the limit. Those who have waited longest go through if there is room now; nobody who is past it is sent back.
    #[inline]
    pub fn set_limit<W: Wire>(&self, cx: &Cx<W>, limit: Option<u32>) {
        let limit = limit.unwrap_or(u32::MAX);
        if self.limit.replace(limit) < limit {
            self.let_in(&cx.core);
        }
    }

    /// How many are past it.
    pub fn in_use(&self) -> u32 {
        self.in_use.get()
    }

    /// How many wait.
    pub fn waiting(&self) -> u32 {
        self.waiting.borrow().len() as u32
    }

    /// Waits for a place, which is held until the passage is dropped.
    pub fn pass<'a, W: Wire>(&'a self, cx: &'a Cx<W>) -> Pass<'a, W> {
        Pass {
            gate: self,
            cx,
            wait: None,
        }
    }

    /// Takes a place if one is free; never ahead of those who wait.
    #[inline]
    pub fn try_pass<'a, W: Wire>(&'a self, cx: &'a Cx<W>) -> Option<Passage<'a, W>> {
        let in_use = self.in_use.get();
        if in_use >= self.limit.get() {
            return None;
        }
        self.in_use.set(in_use + 1);
        Some(Passage { gate: self, cx })
    }

    /// A place is given back: the one who waits longest has it now.
    #[inline]
    fn leave<W: Wire>(&self, core: &Core<W>) {
        self.in_use.set(self.in_use.get() - 1);
        self.let_in(core);
    }

    #[inline]
    fn let_in<W: Wire>(&self, core: &Core<W>) {
        while self.in_use.get() < self.limit.get() {
            let Some(next) = self.waiting.borrow_mut().pop_front() else {
                return;
            };
            self.in_use.set(self.in_use.get() + 1);
            core.raise(next);
        }
    }
}

impl Default for Gate {
    fn default() -> Gate {
        Gate::new(None)
    }
}

/// See [`Gate::pass`].
pub struct Pass<'a, W: Wire> {
    gate: &'a Gate,
    cx: &'a Cx<W>,
    wait: Option<Ref>,
}

impl<'a, W: Wire> Future for Pass<'a, W> {
    type Output = Passage<'a, W>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Passage<'a, W>> {
        let (gate, cx) = (self.gate, self.cx);
        if let Some(wait) = self.wait {
            if cx.core.take_wait(wait) {
                self.wait = None;
                return Poll::Ready(Passage { gate, cx });
            }
            return Poll::Pending;
        }
        if let Some(passage) = gate.try_pass(cx) {
            return Poll::Ready(passage);
        }
        let wait = cx.core.start_signal();
        gate.waiting.borrow_mut().push_back(wait);
        self.wait = Some(wait);
        Poll::Pending
    }
}

impl<W: Wire> Drop for Pass<'_, W> {
    fn drop(&mut self) {
        let Some(wait) = self.wait else { return };
        let granted = self.cx.core.is_done(wait);
        self.cx.core.abandon_wait(self.cx.id, self.cx.local, wait);
        if granted {
            self.gate.leave(&self.cx.core);
            return;
        }
        // Whoever gives up first has mostly waited longest, so that this looks at the head of the line only.
        let mut waiting = self.gate.waiting.borrow_mut();
        if let Some(place) = waiting.iter().position(|waiting| *waiting == wait) {
            waiting.remove(place);
        }
    }
}

/// A place past a gate, held until it is dropped.
pub struct Passage<'a, W: Wire> {
    gate: &'a Gate,
    cx: &'a Cx<W>,
}

impl<W: Wire> Drop for Passage<'_, W> {
    #[inline]
    fn drop(&mut self) {
        self.gate.leave(&self.cx.core);
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use super::super::*;

    struct Tiny;

    #[derive(Clone, Copy)]
    enum Ask {
        /// Hold a place for so many milliseconds, and wait for it at most for so many.
        Pass { number: u32, hold: u64, patience: u64 },
        /// Change the limit.
        Limit(Option<u32>),
        /// Hold a place for so many milliseconds, then raise the signal and leave, in one go.
        SignalAndLeave(u64),
        /// Wait for a place or for the signal; the signal wins when both are there.
        PassUnlessSignalled,
        /// Take a place if one is free, for so many milliseconds.
        Try(u32, u64),
    }

    impl Wire for Tiny {
        type Request = Ask;
        type Reply = ();
        type Event = (u32, &'static str);

        fn fingerprint(_: &Ask) -> u64 {
            0
        }

        fn succeeded((): &()) -> bool {
            true
        }
    }

    /// The gate outlives its process here, so that what a crash leaves behind can be seen.
    struct Keeper(Rc<Gate>, Signal);

    impl Software<Tiny> for Keeper {
        async fn serve(self: Rc<Self>, cx: Cx<Tiny>, ask: Ask) {
            match ask {
                Ask::Limit(limit) => self.0.set_limit(&cx, limit),
                Ask::Try(number, hold) => match self.0.try_pass(&cx) {
                    Some(_passage) => cx.sleep(Duration::from_millis(hold)).await,
                    None => cx.emit((number, "full")),
                },
                Ask::SignalAndLeave(hold) => {
                    let _passage = self.0.pass(&cx).await;
                    cx.sleep(Duration::from_millis(hold)).await;
                    self.1.raise(&cx);
                }
                Ask::PassUnlessSignalled => match race(self.1.wait(&cx), self.0.pass(&cx)).await {
                    Either::First(()) => cx.emit((0, "signalled")),
                    Either::Second(_) => cx.emit((0, "in")),
                },
                Ask::Pass { number, hold, patience } => {
                    match race(self.0.pass(&cx), cx.sleep(Duration::from_millis(patience))).await {
                        Either::First(_passage) => {
                            cx.emit((number, "in"));
                            cx.sleep(Duration::from_millis(hold)).await;
                        }
                        Either::Second(()) => cx.emit((number, "gave up")),
                    }
                }
            }
        }
    }

    struct Bench {
        kernel: Kernel<Tiny>,
        id: InstanceId,
        gate: Rc<Gate>,
    }

    fn at(millis: u64) -> SimTime {
        SimTime(millis * 1_000_000)
    }

    fn bench(limit: Option<u32>) -> Bench {
        let mut kernel = Kernel::new(1, Network::new(1, Duration::from_millis(1)));
        let machine = kernel.add_machine("keeper", Place(0), 1);
        let gate = Rc::new(Gate::new(limit));
        let shared = Rc::clone(&gate);
        let id = kernel.install(Installation {
            machine,
            group: Group(0),
            slots: 8,
            backlog: 8,
            factory: Factory::new(move |_| Keeper(Rc::clone(&shared), Signal::default())),
        });
        kernel.start(id, Duration::ZERO);
        kernel.advance_to(at(1));
        Bench { kernel, id, gate }
    }

    impl Bench {
        fn ask(&mut self, ask: Ask) {
            self.kernel.cast(self.id, ask);
        }

        fn pass(&mut self, number: u32, hold: u64, patience: u64) {
            self.ask(Ask::Pass { number, hold, patience });
        }

        /// What happened up to a moment, with the milliseconds.
        fn until(&mut self, millis: u64) -> Vec<(u64, u32, &'static str)> {
            self.kernel.advance_to(at(millis));
            let reports = self.kernel.take_reports().into_iter();
            reports
                .map(|(when, _, (number, what))| (when.0 / 1_000_000, number, what))
                .collect()
        }

        fn nothing_is_left(&self) {
            assert_eq!((self.gate.in_use(), self.gate.waiting()), (0, 0));
            assert_eq!(self.kernel.in_progress(self.kernel.machine_of(self.id)), (0, 0));
        }
    }

    #[test]
    fn places_are_given_in_the_order_of_arrival() {
        let mut bench = bench(Some(2));
        for (number, hold) in [(1, 30), (2, 10), (3, 10), (4, 10), (5, 10)] {
            bench.pass(number, hold, 1_000);
        }
        assert_eq!(bench.until(2), [(1, 1, "in"), (1, 2, "in")]);
        assert_eq!((bench.gate.in_use(), bench.gate.waiting()), (2, 3));
        assert_eq!(bench.until(100), [(11, 3, "in"), (21, 4, "in"), (31, 5, "in")]);
        bench.nothing_is_left();
    }

    #[test]
    fn who_gives_up_leaves_the_line() {
        let mut bench = bench(Some(1));
        bench.pass(1, 50, 1_000);
        bench.pass(2, 10, 30);
        bench.pass(3, 10, 20);
        bench.pass(4, 10, 1_000);
        bench.until(25);
        assert_eq!(bench.gate.waiting(), 2);
        assert_eq!(bench.until(100), [(31, 2, "gave up"), (51, 4, "in")]);
        bench.nothing_is_left();
    }

    #[test]
    fn a_place_that_was_granted_and_not_claimed_is_handed_on() {
        let mut bench = bench(Some(1));
        // The second is granted the place and signalled before it is polled again, so that it drops what it was granted.
        bench.ask(Ask::SignalAndLeave(10));
        bench.ask(Ask::PassUnlessSignalled);
        bench.pass(3, 10, 1_000);
        assert_eq!(bench.until(100), [(11, 0, "signalled"), (11, 3, "in")]);
        bench.nothing_is_left();
    }

    #[test]
    fn a_larger_limit_lets_in_those_who_wait_and_a_smaller_one_sends_nobody_back() {
        let mut bench = bench(Some(1));
        for number in 1..=4 {
            bench.pass(number, 20, 1_000);
        }
        bench.until(5);
        bench.ask(Ask::Limit(Some(3)));
        assert_eq!(bench.until(6), [(5, 2, "in"), (5, 3, "in")]);
        bench.ask(Ask::Limit(Some(1)));
        bench.until(7);
        assert_eq!((bench.gate.in_use(), bench.gate.waiting()), (3, 1));
        bench.ask(Ask::Try(9, 1));
        assert_eq!(bench.until(30), [(7, 9, "full"), (25, 4, "in")]);
        bench.ask(Ask::Limit(None));
        for number in 10..20 {
            bench.ask(Ask::Try(number, 5));
        }
        assert_eq!(bench.until(31), []);
        assert_eq!(bench.gate.in_use(), 11);
        bench.until(100);
        bench.nothing_is_left();
    }

    #[test]
    fn a_crash_empties_the_line_and_frees_every_place() {
        let mut bench = bench(Some(2));
        for number in 1..=6 {
            bench.pass(number, 500, 1_000);
        }
        bench.until(10);
        assert_eq!((bench.gate.in_use(), bench.gate.waiting()), (2, 4));
        bench.kernel.crash(bench.id);
        bench.kernel.start(bench.id, Duration::from_millis(5));
        bench.until(20);
        bench.nothing_is_left();
        bench.pass(7, 10, 1_000);
        assert_eq!(bench.until(2_000), [(20, 7, "in")]);
        bench.nothing_is_left();
    }
}
