//! One world on a thread of its own, as the director sees it.

use std::any::Any;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::replay::Place;

use super::Make;
use super::View;
use super::driver::Driver;
use super::errand::{Errand, Shared, Told, Travel, lock};

/// Errands that may wait.
const ERRANDS: usize = 256;

pub(super) struct Deck {
    errands: SyncSender<Errand>,
    shared: Shared,
    thread: Option<JoinHandle<()>>,
    /// Where it was sent, or stands.
    pub(super) place: Place,
    /// The number of the way on which it was sent last.
    way: u64,
    /// Whether it was sent without hurry, and when on the wall.
    gentle: bool,
    sent: Option<Instant>,
}

/// What is new of a world.
pub(super) struct News {
    /// The moment that it had reached; all that it told of moments before is in `told`.
    pub(super) now: Duration,
    /// Whether it stands where it was sent.
    pub(super) there: bool,
    /// What it has told since it was sent on its way; before that, only answers.
    pub(super) told: Vec<Told>,
}

impl Deck {
    pub(super) fn start(make: &Make) -> io::Result<Deck> {
        let (errands, inbox) = mpsc::sync_channel(ERRANDS);
        let shared = Shared::default();
        let (outlet, make) = (Arc::clone(&shared), Arc::clone(make));
        let thread = thread::Builder::new().name("simulation".to_string()).spawn(move || {
            Driver::new(make, outlet).drive(&inbox);
        })?;
        Ok(Deck {
            errands,
            shared,
            thread: Some(thread),
            place: Place {
                branch: 0,
                at: Duration::ZERO,
                acts: 0,
            },
            way: 0,
            gentle: false,
            sent: None,
        })
    }

    /// False if it is too busy to take it.
    pub(super) fn send(&self, errand: Errand) -> bool {
        self.errands.try_send(errand).is_ok()
    }

    /// Sends it on a way. False if it is too busy.
    pub(super) fn travel(&mut self, place: Place, travel: Travel) -> bool {
        self.place = place;
        (self.way, self.gentle) = (travel.number, travel.gentle);
        self.sent = Some(Instant::now());
        self.send(Errand::Travel(travel))
    }

    pub(super) fn take_view(&self) -> Option<View> {
        let mut slot = lock(&self.shared);
        let there = slot.arrived && slot.way.0 == self.way;
        if there { slot.view.take() } else { None }
    }

    pub(super) fn take_news(&self) -> News {
        let mut slot = lock(&self.shared);
        let told = std::mem::take(&mut slot.told).into_iter();
        let counts = |(way, told): &(u64, Told)| {
            *way == self.way
                || matches!(
                    told,
                    Told::Answer(_)
                        | Told::Heard
                        | Told::Held(..)
                        | Told::Sealed(..)
                        | Told::Dropped(_)
                        | Told::Unsealed(_)
                )
        };
        News {
            now: slot.now.elapsed(),
            there: slot.arrived && slot.way.0 == self.way,
            told: told.filter(counts).map(|(_, told)| told).collect(),
        }
    }

    pub(super) fn forget_view(&self) {
        lock(&self.shared).view = None;
    }

    pub(super) fn now(&self) -> Duration {
        lock(&self.shared).now.elapsed()
    }

    /// From where it set out on its last way.
    pub(super) fn set_out(&self) -> Duration {
        lock(&self.shared).way.1.elapsed()
    }

    /// How far it is, from 0 to 1, if it is on its way.
    pub(super) fn progress(&self) -> Option<f64> {
        let slot = lock(&self.shared);
        let (way, from) = slot.way;
        if way != self.way {
            return Some(0.0);
        }
        let whole = self.place.at.saturating_sub(from.elapsed()).as_secs_f64();
        let done = slot.now.since(from).as_secs_f64();
        (!slot.arrived).then(|| (done / whole.max(1e-9)).min(1.0))
    }

    /// Whether it is on its way, and in a hurry.
    pub(super) fn hurries(&self) -> bool {
        !self.gentle && self.progress().is_some()
    }

    /// Whether it is on its way without hurry.
    pub(super) fn strolls(&self) -> bool {
        self.gentle && self.progress().is_some()
    }

    /// Whether it has been on its way for longer than this on the wall.
    pub(super) fn has_gone_on_for(&self, long: Duration) -> bool {
        self.progress().is_some() && self.sent.is_some_and(|sent| sent.elapsed() > long)
    }

    /// Tells it to forget what it was to do and to write when it is there.
    pub(super) fn drop_orders(&mut self) {
        // Once for each way is enough.
        self.sent = None;
        self.send(Errand::Drop);
    }

    /// Lets it wait on its way for worlds that are in a hurry, or go on.
    pub(super) fn let_wait(&self, yields: bool) {
        lock(&self.shared).yields = yields;
    }

    /// Whether the thread has ended, which it does by itself only in a panic.
    pub(super) fn ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends the thread and waits for it; gives what it told last.
    pub(super) fn end(mut self) -> Result<Vec<Told>, Box<dyn Any + Send>> {
        // A full channel still reaches its end: the thread stops when the sender is gone, which is when `self` is.
        let (thread, shared) = (self.thread.take(), Arc::clone(&self.shared));
        let _ = self.errands.try_send(Errand::End);
        drop(self);
        thread.map_or(Ok(()), JoinHandle::join)?;
        let told = std::mem::take(&mut lock(&shared).told);
        Ok(told.into_iter().map(|(_, told)| told).collect())
    }
}
