//! Panics on purpose, so that tests of the real program see what one leaves behind. Only builds with debug assertions know of them.

use std::sync::LazyLock;
use std::time::Duration;

use crate::sim::SimTime;

/// Simulated time before it happens, so that there is something to lose.
const BEFORE: Duration = Duration::from_secs(2);

/// Where one is wanted.
static WANTED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("BLASTRADIUS_PANIC").ok());

/// A place where one can be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the thread of the simulation.
    Simulation,
    /// While a frame is drawn.
    Drawing,
}

/// Panics at this place if that is wanted and the time has come.
pub fn pass(place: Place, at: SimTime) {
    let name = match place {
        Place::Simulation => "simulation",
        Place::Drawing => "drawing",
    };
    let due = cfg!(debug_assertions) && at.elapsed() >= BEFORE;
    assert!(
        !due || WANTED.as_deref() != Some(name),
        "BLASTRADIUS_PANIC asks for it: {name}"
    );
}
