//! Chaos: kills at random by the seed, with a rate and a scope, until it is switched off.
//!
//! The times are exponential, so that a kill tells nothing about the next one, and come with the victims from a stream of its own. What
//! is killed is mended after a while, as any command with a time is. It kills and does nothing else.

use crate::command::{Chaos, Command, Selector};
use crate::layout::printable;
use crate::observe::{Health, Severity};
use crate::sim::{SimTime, Stream};

use super::World;
use super::apply::{Done, breakable, done, refuse};
use super::entries::Role;
use super::inject;

/// Chaos that is on.
pub(super) struct Raging {
    spec: Chaos,
    stream: Stream,
    /// When it kills next.
    pub next: SimTime,
}

impl Raging {
    /// How it would be typed.
    pub(super) fn words(&self) -> String {
        format!("chaos {}", self.spec)
    }

    fn plan(&mut self, now: SimTime) {
        let gap = self.spec.every.mul_f64(self.stream.draw().exponential());
        self.next = now + gap;
    }
}

/// Switches it on or off.
pub(super) fn turn(world: &mut World, chaos: Option<&Chaos>) -> Done {
    let Some(spec) = chaos else {
        if world.chaos.take().is_none() {
            return refuse("chaos is off already");
        }
        return Ok(done(
            world,
            Severity::Good,
            "chaos is off; what it killed last is mended in its time".to_owned(),
        ));
    };
    if world.chaos.is_some() {
        return refuse("chaos is on already: `chaos off` first");
    }
    if let Some(scope) = &spec.scope {
        breakable(world, scope)?;
        if victims(world, spec).is_empty() {
            return refuse(format!("nothing of {} is yours and runs", printable(&scope.0)));
        }
    }
    let now = world.now();
    let mut raging = Raging {
        spec: spec.clone(),
        // Switched on at another time it is another chaos.
        stream: Stream::new(world.seed(), "chaos", &now.0.to_string()),
        next: now,
    };
    raging.plan(now);
    let words = raging.words();
    world.chaos = Some(raging);
    Ok(done(world, Severity::Warning, words))
}

/// Everything of ours in the scope that is up, in the order of services and numbers.
fn victims(world: &World, spec: &Chaos) -> Vec<String> {
    let scope = spec
        .scope
        .as_ref()
        .map(|scope| breakable(world, scope).unwrap_or_default());
    let mut found = Vec::new();
    for (service, entry) in world.services.iter().enumerate() {
        let ours = !matches!(
            entry.role,
            Role::Users { .. } | Role::Dns { .. } | Role::Resolver { .. } | Role::Cdn { .. } | Role::Serverless { .. }
        );
        let up = entry.staying().filter(|(_, instance)| instance.health == Health::Up);
        let inside = up.filter(|(number, _)| scope.as_ref().is_none_or(|scope| scope.contains(&(service, *number))));
        found.extend(inside.filter(|_| ours).map(|(_, instance)| instance.full.clone()));
    }
    found
}

/// Kills, if it is time.
pub(super) fn strike(world: &mut World) {
    let now = world.now();
    while let Some(mut raging) = world.chaos.take_if(|raging| raging.next <= now) {
        let victims = victims(world, &raging.spec);
        let draw = raging.stream.draw();
        let mend = raging.spec.mend;
        raging.plan(now);
        world.chaos = Some(raging);
        if victims.is_empty() {
            world.say(Severity::Info, "chaos finds nothing that is up");
            continue;
        }
        let victim = &victims[draw.below(victims.len() as u64) as usize];
        let kill = Command::Kill(Selector(victim.clone()));
        let told = world.chronicle.log_total;
        match inject::timed(world, &kill, mend) {
            Ok(_) => world.chronicle.credit(told, "chaos"),
            Err(error) => world.say(Severity::Warning, format!("chaos: {error}")),
        }
    }
}
