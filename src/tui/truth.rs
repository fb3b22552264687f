//! How an instance is, in a sign, a word and a role: the same words on the map, in the routing panel and in the inspector.

use crate::observe::{Belief, Frame, Health, InstanceState};
use crate::sim::SimTime;

use super::glyph;
use super::text;
use super::theme::Role;

/// The truth about an instance.
pub struct Truth {
    /// Its sign.
    pub sign: char,
    /// In a word or two: `up`, `dead 4.1s`.
    pub words: String,
    /// How it looks.
    pub role: Role,
}

/// The truth about an instance now.
pub fn of(state: &InstanceState, at: SimTime) -> Truth {
    let age = || text::ago(at.since(state.since));
    let (sign, words, role) = match state.health {
        Health::Booting { until } => {
            let turn = (at.0 / 200_000_000 % 4) as usize;
            (
                glyph::SPINNER[turn],
                format!("boots {}", text::ago(until.since(at))),
                Role::Warning,
            )
        }
        Health::Up if state.draining => (glyph::DRAINING, "leaving".to_string(), Role::Muted),
        Health::Up if state.slow > 1.0 => (glyph::SLOW, format!("slow {}", text::factor(state.slow)), Role::Warning),
        Health::Up => (
            glyph::ramp(state.utilisation),
            "up".to_string(),
            load(state.utilisation),
        ),
        Health::Hung => (glyph::HUNG, format!("hung {}", age()), Role::Bad),
        Health::Down => (glyph::DEAD, format!("dead {}", age()), Role::Bad),
        Health::Destroyed => (glyph::GONE, format!("gone {}", age()), Role::Bad),
        Health::CutOff => (glyph::CUT, format!("cut {}", age()), Role::Bad),
    };
    Truth { sign, words, role }
}

/// Whether it answers, be it slowly.
pub fn serves(state: &InstanceState) -> bool {
    state.health == Health::Up
}

/// How a load from 0 to 1 looks.
pub fn load(utilisation: f64) -> Role {
    match utilisation {
        u if u < 0.5 => Role::Calm,
        u if u < 0.75 => Role::Busy,
        u if u < 0.92 => Role::Hot,
        _ => Role::Over,
    }
}

/// What a balancer believes, in words: `up, 1/3 checks failed`.
pub fn belief(believed: Belief, down_after: u32, up_after: u32) -> String {
    match believed {
        Belief::Up { failed: 0 } => "up".to_string(),
        Belief::Up { failed } => format!("up, {failed}/{down_after} failed"),
        Belief::Down { passed: 0 } => "down".to_string(),
        Belief::Down { passed } => format!("down, {passed}/{up_after} passed"),
    }
}

/// Whether a balancer is wrong about a server.
pub fn mistaken(believed: Belief, state: &InstanceState) -> bool {
    matches!(believed, Belief::Up { .. }) != serves(state)
}

/// Instances of a service that serve, and all of them.
pub fn serving(frame: &Frame, service: usize) -> (usize, usize) {
    let instances = &frame.services[service].instances;
    (instances.iter().filter(|state| serves(state)).count(), instances.len())
}
