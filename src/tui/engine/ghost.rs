//! The ghost: a twin of the world in which nobody acts. It runs beside the one that is shown, on a core that nobody else needs, and tells what each
//! second was like without the person's acts. Both worlds see the same traffic, so what differs was caused.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::observe::{Frame, Sample};

use super::Make;

/// How long a piece of simulation is, in simulated time: seconds end between two of them.
const PIECE: Duration = Duration::from_millis(100);
/// How long the ghost rests where it has nothing to do, on the wall.
const REST: Duration = Duration::from_millis(20);
/// Seconds that are remembered.
const MOST: usize = 24 * 3_600;

/// What the ghost and the engine share.
#[derive(Default)]
struct Shared {
    /// How far it is to go, in milliseconds of simulated time.
    aim: AtomicU64,
    /// Whether others need the core.
    waits: AtomicBool,
    stop: AtomicBool,
    /// A sample for each whole second that it has seen.
    seconds: Mutex<Vec<Sample>>,
    /// What it saw at the end of the last one.
    latest: Mutex<Option<Arc<Frame>>>,
}

pub(super) struct Ghost {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// It goes with the run that it stands beside; a piece of simulation is waited for, no more.
impl Drop for Ghost {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Nobody needs it: if it has panicked, the run that it stood beside has not.
            let _ = thread.join();
        }
    }
}

impl Ghost {
    /// A ghost that stands at the start. Nothing if there can be no more threads: it is not needed.
    pub(super) fn start(make: &Make) -> Option<Ghost> {
        let shared = Arc::new(Shared::default());
        let (mine, make) = (Arc::clone(&shared), Arc::clone(make));
        let thread = thread::Builder::new().name("ghost".to_string());
        let thread = thread.spawn(move || wander(&mine, &make)).ok()?;
        Some(Ghost {
            shared,
            thread: Some(thread),
        })
    }

    /// Goes on to there, while nobody else needs the core.
    pub(super) fn aim(&self, at: Duration, waits: bool) {
        self.shared.aim.store(at.as_millis() as u64, Ordering::Relaxed);
        self.shared.waits.store(waits, Ordering::Relaxed);
    }

    /// The seconds after those that are known, the oldest first.
    pub(super) fn news(&self, known: usize) -> Vec<Sample> {
        let seconds = self.shared.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        seconds.get(known..).map_or(Vec::new(), <[Sample]>::to_vec)
    }

    /// What it saw last, at the end of a second.
    pub(super) fn latest(&self) -> Option<Arc<Frame>> {
        self.shared
            .latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether it has died: it does not end by itself.
    pub(super) fn has_died(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

fn wander(shared: &Shared, make: &Make) {
    let mut world = make();
    while !shared.stop.load(Ordering::Relaxed) {
        let aim = Duration::from_millis(shared.aim.load(Ordering::Relaxed));
        let now = world.now().elapsed();
        if shared.waits.load(Ordering::Relaxed) || now + PIECE > aim {
            thread::sleep(REST);
            continue;
        }
        let began = Instant::now();
        world.advance(PIECE);
        let now = world.now().elapsed();
        if now.subsec_nanos() == 0 {
            let frame = Arc::new(world.frame());
            let mut seconds = shared.seconds.lock().unwrap_or_else(PoisonError::into_inner);
            if seconds.len() < MOST {
                seconds.extend(frame.history.last().copied());
            }
            *shared.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame);
        }
        // Half of the time is for others.
        thread::sleep(began.elapsed());
    }
}
