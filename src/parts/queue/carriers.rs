//! Carrying messages to the dead-letter queue, and from one back to where they came from: a message stays here until the other queue has it.

use std::rc::Rc;
use std::time::Duration;

use crate::observe::System;
use crate::protocol::{QueueRequest, Reply, Request};
use crate::sim::Cx;

use super::Queue;
use super::letters::{Errand, Letter};

/// Messages that are carried at once, of each kind.
const MOST: u32 = 16;
/// How long a carrier waits after its first failure in a row before it goes again; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest of these waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long to wait for a queue that takes a message back. Longer than the longest flush: who gave up before the answer would send a copy.
const PATIENCE: Duration = Duration::from_secs(90);

impl Queue {
    /// Whether more carriers could do something.
    pub(super) fn wants_carriers(&self, waiting: impl Fn(Errand) -> usize) -> bool {
        let idle = |errand: Errand| self.carriers[errand as usize].get() < MOST && waiting(errand) > 0;
        Errand::ALL.into_iter().any(idle)
    }

    /// Sends off as many as there is to carry for.
    pub(super) fn send_carriers(self: &Rc<Self>, cx: &Cx<System>) {
        for errand in Errand::ALL {
            let running = &self.carriers[errand as usize];
            let waiting = self.shelf.0.borrow().letters(errand);
            let more = waiting.min((MOST - running.get()) as usize);
            for _ in 0..more {
                running.set(running.get() + 1);
                cx.spawn(Rc::clone(self).carry(cx.detached(), errand));
            }
        }
    }

    async fn carry(self: Rc<Self>, cx: Cx<System>, errand: Errand) {
        let mut pause = FIRST_PAUSE;
        let mut next = self.change(&cx, |store| store.next_letter(cx.now(), errand));
        while let Some(letter) = next {
            let arrived = self.send(&cx, errand, &letter).await;
            if !arrived {
                cx.sleep(pause).await;
            }
            pause = if arrived {
                FIRST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            next = self.change(&cx, |store| {
                if arrived {
                    store.arrived(errand, &letter);
                } else {
                    store.came_back(errand, &letter);
                }
                store.next_letter(cx.now(), errand)
            });
        }
        let running = &self.carriers[errand as usize];
        running.set(running.get() - 1);
    }

    async fn send(&self, cx: &Cx<System>, errand: Errand, letter: &Letter) -> bool {
        let cx = cx.under(letter.message.request);
        let Letter {
            message,
            job,
            subscriber,
            attempts,
            ..
        } = *letter;
        let reply = match (errand, &self.dead_letter, letter.to) {
            (Errand::Bury, Some(other), _) => {
                let request = QueueRequest::Bury {
                    message,
                    job,
                    subscriber,
                    attempts,
                };
                // The other queue knows it again.
                other.caller.call(&cx, other.to, Request::Queue(request), true).await
            }
            (Errand::Restore, _, Some(to)) => {
                let request = QueueRequest::Restore {
                    message,
                    job,
                    subscriber,
                };
                Reply::of_call(cx.call(to, Request::Queue(request), PATIENCE).await, to)
            }
            _ => return false,
        };
        reply.outcome.is_ok()
    }
}
