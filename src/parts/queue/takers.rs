//! Those who wait for messages, in lines: one for each lane. Each is woken alone, when something is set aside for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::observe::System;
use crate::protocol::Handed;
use crate::sim::{Cx, Signal};

use super::Queue;
use super::store::Store;

/// The lines. Whoever waits longest has the lowest number.
#[derive(Default)]
pub(super) struct Takers {
    /// By lane.
    lines: RefCell<Vec<BTreeMap<u64, Rc<Taker>>>>,
    next: Cell<u64>,
}

/// Somebody who waits.
struct Taker {
    most: usize,
    /// The places of messages that are set aside for it.
    given: RefCell<Vec<u64>>,
    turn: Signal,
}

/// A place in a line. Who leaves it gives back what was set aside for it.
pub(super) struct Turn<'a> {
    queue: &'a Queue,
    cx: &'a Cx<System>,
    lane: usize,
    number: u64,
    taker: Rc<Taker>,
}

impl Takers {
    /// Sets messages aside for those who wait, as long as there are both.
    pub fn feed(&self, cx: &Cx<System>, store: &mut Store) {
        let mut lines = self.lines.borrow_mut();
        for (lane, line) in lines.iter_mut().enumerate() {
            while !line.is_empty() && store.has_ready(lane) {
                let Some((_, taker)) = line.pop_first() else { break };
                *taker.given.borrow_mut() = store.reserve(cx.now(), lane, taker.most);
                taker.turn.raise(cx);
            }
        }
    }
}

impl<'a> Turn<'a> {
    /// At the end of a line, for at most so many messages.
    pub fn new(queue: &'a Queue, cx: &'a Cx<System>, lane: usize, most: u32) -> Turn<'a> {
        let next = &queue.takers.next;
        let number = next.replace(next.get() + 1);
        let taker = Taker {
            most: most.max(1) as usize,
            given: RefCell::default(),
            turn: Signal::default(),
        };
        Turn {
            queue,
            cx,
            lane,
            number,
            taker: Rc::new(taker),
        }
    }

    /// Waits until messages are set aside; tells which request the first of them is part of.
    pub async fn come(&self) -> u64 {
        loop {
            let first = self.taker.given.borrow().first().copied();
            if let Some(first) = first {
                let request = self.queue.shelf.0.borrow().request(self.lane, first);
                return request.unwrap_or_default();
            }
            {
                let mut lines = self.queue.takers.lines.borrow_mut();
                if lines.len() <= self.lane {
                    lines.resize_with(self.lane + 1, BTreeMap::new);
                }
                lines[self.lane].insert(self.number, Rc::clone(&self.taker));
            }
            self.queue.change(self.cx, |_| ());
            if self.taker.given.borrow().is_empty() {
                self.taker.turn.wait(self.cx).await;
            }
        }
    }

    /// Takes what was set aside. There may be nothing left of it.
    pub fn take(&self, settled: bool) -> Vec<Handed> {
        let given = self.taker.given.take();
        let (now, to) = (self.cx.now(), self.cx.from());
        self.queue
            .change(self.cx, |store| store.hand_out(now, self.lane, &given, to, settled))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(line) = self.queue.takers.lines.borrow_mut().get_mut(self.lane) {
            line.remove(&self.number);
        }
        let given = self.taker.given.take();
        if !given.is_empty() {
            let now = self.cx.now();
            self.queue
                .change(self.cx, |store| store.unreserve(now, self.lane, &given));
        }
    }
}
