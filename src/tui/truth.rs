//! How an instance is, in a sign, a word and a role: the same words on the map, in the routing panel and in the inspector.

use std::time::Duration;

use crate::observe::{AutoscalerState, BackendState, Belief, Frame, Health, InstanceState, ServiceState};
use crate::sim::SimTime;

use super::glyph;
use super::nodes;
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

impl Truth {
    /// The words, without how long it has been so where there is no room for that.
    pub fn fitting(&self, room: u16) -> String {
        let short = self.words.split(' ').next().unwrap_or_default();
        let options = [self.words.clone(), short.to_string()];
        text::fitting(&options, room).to_string()
    }
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
        Health::Up if state.resting => (glyph::DRAINING, "draining".to_string(), Role::Muted),
        Health::Up if state.slow > 1.0 => (glyph::SLOW, format!("slow {}", text::factor(state.slow)), Role::Warning),
        Health::Up if let Some(ails) = &state.ails => (glyph::SLOW, ails.clone(), Role::Warning),
        Health::Up if state.active == Some(false) => (glyph::STANDBY, "standby".to_string(), Role::Muted),
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

/// What one who checks makes of a server, in words: `up, 1/3 failed`, `ejected, 12s left`, `up, slow start 40%`. Without rules the number
/// of checks that it takes is not known.
pub fn belief(backend: &BackendState, rules: Option<(u32, u32)>, at: SimTime) -> String {
    let of = |count: u32, most: Option<u32>| most.map_or(count.to_string(), |most| format!("{count}/{most}"));
    let (down_after, up_after) = rules.unzip();
    match (backend.believed, ejected(backend, at)) {
        (Belief::Down { passed: 0 }, _) => "down".to_string(),
        (Belief::Down { passed }, _) => format!("down, {} passed", of(passed, up_after)),
        (Belief::Up { .. }, Some(left)) => format!("ejected, {} left", text::ago(left)),
        (Belief::Up { failed: 0 }, None) if backend.ramp < 1.0 => {
            format!("up, slow start {}", text::whole_percent(backend.ramp))
        }
        (Belief::Up { failed: 0 }, None) => "up".to_string(),
        (Belief::Up { failed }, None) => format!("up, {} failed", of(failed, down_after)),
    }
}

/// For how long a server is still ejected.
pub fn ejected(backend: &BackendState, at: SimTime) -> Option<Duration> {
    backend.ejected.filter(|until| *until > at).map(|until| until.since(at))
}

/// Whether requests are sent to a server, as far as beliefs go.
pub fn used(backend: &BackendState, at: SimTime) -> bool {
    matches!(backend.believed, Belief::Up { .. }) && ejected(backend, at).is_none()
}

/// Whether one who checks is wrong about a server. Who ejected a slow one is not.
pub fn mistaken(backend: &BackendState, state: &InstanceState, at: SimTime) -> bool {
    let slow = state.slow > 1.0 && ejected(backend, at).is_some();
    used(backend, at) != serves(state) && !slow
}

/// Whether the data center of an address is evacuated: the name service leaves it out as it was told, whatever it believes of it.
pub fn evacuated(frame: &Frame, record: &BackendState) -> bool {
    let info = record
        .instance
        .and_then(|(service, _)| frame.topology.services.get(service));
    let site = info.and_then(|info| frame.sites.get(info.site?));
    site.is_some_and(|site| site.evacuated)
}

/// Whether the name service is wrong about an address that it answers.
pub fn misnamed(frame: &Frame, record: &BackendState) -> bool {
    let wrong = subject(frame, record).is_some_and(|state| mistaken(record, state, frame.at));
    wrong && !evacuated(frame, record)
}

/// What the name service makes of an address, in words: as [`belief`], or `evacuated`.
pub fn named(frame: &Frame, record: &BackendState, rules: Option<(u32, u32)>) -> String {
    if evacuated(frame, record) {
        "evacuated".to_string()
    } else {
        belief(record, rules, frame.at)
    }
}

/// Whether a second has passed, so that figures of the last second are known.
pub fn is_measured(at: SimTime) -> bool {
    at.since(SimTime::ZERO) >= Duration::from_secs(1)
}

/// A figure of the last second, or a dash before anything was measured.
pub fn of_second(at: SimTime, words: String) -> String {
    if is_measured(at) { words } else { "–".to_string() }
}

/// What a view of a server is about, if that is still there.
pub fn subject<'a>(frame: &'a Frame, backend: &BackendState) -> Option<&'a InstanceState> {
    let (service, instance) = backend.instance?;
    frame.services.get(service)?.instances.get(instance)
}

/// How the sessions of a tier are kept when each of its servers has those that it signed in.
pub const LOCAL: &str = "in each server";

/// Sessions in the memory of a tier's servers, where that is their place.
pub fn sessions_within(state: &ServiceState) -> Option<u64> {
    let sessions = state.sessions.as_ref()?;
    let local = sessions.mode.as_deref() == Some(LOCAL);
    (local || sessions.held > 0).then_some(sessions.held)
}

/// What an autoscaler holds.
enum Held {
    /// A share of the cores.
    Share,
    /// Requests a second of each machine.
    Rate,
    /// Messages that wait for each machine.
    Depth,
    /// How long it takes to work off what waits.
    Age,
}

/// What an autoscaler holds and how much of it is to be, in a word.
fn target(scaler: &AutoscalerState) -> (Held, String) {
    let first = scaler.target.split_whitespace().next().unwrap_or_default();
    if first.ends_with('%') {
        (Held::Share, first.to_string())
    } else if scaler.target.ends_with("messages each") {
        (Held::Depth, first.to_string())
    } else if scaler.target.contains("older than") {
        let last = scaler.target.split_whitespace().last();
        (Held::Age, last.unwrap_or_default().to_string())
    } else {
        (Held::Rate, format!("{first}/s"))
    }
}

fn amount(held: &Held, measured: f64) -> String {
    match held {
        Held::Share => text::whole_percent(measured),
        Held::Rate => text::rate(measured),
        Held::Depth if measured < 99.5 => format!("{measured:.1}"),
        Held::Depth => text::short(measured),
        Held::Age => nodes::age(Duration::from_secs_f64(measured.clamp(0.0, 1e9))),
    }
}

/// What an autoscaler measured last: `58%`, `92/s`, `14.2 messages each`, `45s of work waits`.
pub fn measured(scaler: &AutoscalerState) -> String {
    let (held, _) = target(scaler);
    scaler.measured.map_or("–".to_string(), |measured| {
        let amount = amount(&held, measured);
        match held {
            Held::Share | Held::Rate => amount,
            Held::Depth => format!("{amount} messages each"),
            Held::Age => format!("{amount} of work waits"),
        }
    })
}

/// What an autoscaler measures and what that is to be, at several lengths: `58%, to hold 60%`, `58%/60%`.
pub fn held(scaler: &AutoscalerState) -> Vec<String> {
    let (held, target) = target(scaler);
    let unit = if matches!(held, Held::Depth) { " each" } else { "" };
    let Some(measured) = scaler.measured else {
        return vec![format!("to hold {target}{unit}"), format!("{target}{unit}"), target];
    };
    let measured = amount(&held, measured);
    let mut options = vec![
        format!("{measured}{unit}, to hold {target}"),
        format!("{measured}{unit}, holds {target}"),
        format!("{measured}/{target}{unit}"),
    ];
    options.push(format!("{measured}/{target}"));
    options
}

/// Instances of a service that serve, and all of them.
pub fn serving(frame: &Frame, service: usize) -> (usize, usize) {
    let instances = &frame.services[service].instances;
    (instances.iter().filter(|state| serves(state)).count(), instances.len())
}
