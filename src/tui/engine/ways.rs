//! Ways through the histories: which world goes where.

use std::time::Duration;

use crate::replay::Place;
use crate::sim::SimTime;

use super::director::{CameFrom, Engine, clock};
use super::driver::GRAIN_NANOS;
use super::errand::{Errand, Onwards, Travel};
use super::{Answer, View};

/// Nearer to the present than this is the present.
const PRESENT: Duration = Duration::from_millis(250);

impl Engine {
    pub(super) fn rewind(&mut self) {
        let Some((place, act)) = self.history.before_last() else {
            self.refuse("nothing was done before this moment: there is nothing to go back to");
            return;
        };
        let (at, command) = (clock(place.at), act.command.to_string());
        self.go(place, false);
        self.here(format!(
            "before `{command}` at {at}: act, and another branch begins; {{pause}} repeats what happened; {{return}} returns"
        ));
    }

    pub(super) fn go_back(&mut self) {
        let Some(from) = self.came_from else {
            self.refuse("you have not gone anywhere: {rewind} goes back to before your last act");
            return;
        };
        let (here, deck) = (self.history.here(), self.shown);
        self.go(from.place, false);
        self.came_from = Some(CameFrom { place: here, deck });
        let at = clock(from.place.at);
        self.here(format!("back at {at}, where you came from; {{return}} again returns"));
    }

    pub(super) fn go_to(&mut self, at: Duration) {
        let known = self.history.recording().duration;
        if at > known {
            let end = clock(known);
            self.answers
                .push(Answer::Refused(format!("this branch is known up to {end} only")));
            return;
        }
        if !self.history.is_past() && at + PRESENT >= known {
            self.refuse("this is the present: nothing is known of what comes");
            return;
        }
        let running = self.replayed && at < known && self.last.as_ref().is_some_and(|view| view.running);
        let grain = Duration::from_nanos(u64::from(at.subsec_nanos()) % GRAIN_NANOS);
        let at = at.saturating_sub(grain);
        self.go(self.history.at(at), running);
        self.here(format!("at {}", clock(at)));
    }

    /// To just before the last command, to the last mark, or the last milestone of an incident, whichever is nearest.
    pub(super) fn step_back(&mut self) {
        let here = self.history.here();
        let known = self.history.recording();
        let commands = known.commands.iter().enumerate().map(|(acts, act)| Place {
            at: act.at,
            acts,
            ..here
        });
        let milestones = self
            .last
            .iter()
            .flat_map(|view| &view.frame.incidents)
            .flat_map(|incident| {
                let told = [&incident.noticed, &incident.acted];
                let told = told.into_iter().flatten().map(|milestone| milestone.at);
                [incident.hurt, incident.served, incident.healed]
                    .into_iter()
                    .flatten()
                    .chain(told)
                    .map(SimTime::elapsed)
            });
        let moments = known.marks.iter().map(|mark| mark.at).chain(milestones);
        let places = commands.chain(moments.map(|at| self.history.at(at)));
        let before = places.filter(|place| (place.at, place.acts) < (here.at, here.acts));
        let target = before
            .max_by_key(|place| (place.at, place.acts))
            .unwrap_or(self.beginning());
        if here.at.is_zero() {
            self.refuse("this is the beginning");
            return;
        }
        self.go(target, false);
        self.here(format!("at {}", clock(target.at)));
    }

    /// Calls off the way of the world that is shown. What waited until it had arrived has been dropped by now.
    pub(super) fn call_off(&mut self) {
        if self.decks[self.shown].progress().is_none() {
            return;
        }
        let waits = |from: &CameFrom| {
            let deck = &self.decks[from.deck];
            from.deck != self.shown && deck.place == from.place && deck.progress().is_none()
        };
        let back = self.departed.filter(|(from, _)| waits(from));
        let Some((from, before)) = back else {
            self.decks[self.shown].send(Errand::Halt);
            return;
        };
        self.go(from.place, false);
        (self.came_from, self.departed) = (before, None);
        self.here(format!("called off: back at {}", clock(from.place.at)));
    }

    pub(super) fn beginning(&self) -> Place {
        Place {
            at: Duration::ZERO,
            acts: 0,
            ..self.history.here()
        }
    }

    pub(super) fn fork(&mut self) {
        let from = self.history.here();
        if !self.history.fork() {
            self.refuse("nothing is known of what comes: whatever you do goes on from here");
            return;
        }
        let before = self.album[from.branch].before(from.at);
        self.album.push(before);
        self.forget_branches();
        self.send_shown(self.history.here(), false);
        self.done(format!(
            "another branch begins here; what came after this stays on branch {}",
            from.branch + 1
        ));
    }

    /// Shows another place, by the world that is nearest to it.
    pub(super) fn go(&mut self, place: Place, running: bool) {
        let from = CameFrom {
            place: self.history.here(),
            deck: self.shown,
        };
        self.decks[self.shown].place = from.place;
        let returns = self.came_from.filter(|from| from.place == place);
        let before = self.came_from;
        // Whoever goes on through the past came from where that began.
        if self.came_from.is_none() || !self.history.is_past() {
            self.came_from = Some(from);
        }
        self.departed = Some((from, before));
        self.history.go(place);
        let kept = returns
            .is_none()
            .then_some(self.came_from)
            .flatten()
            .map(|from| from.deck);
        let chosen = self
            .nearest(place, &[kept])
            .or_else(|| self.spare(&[kept, Some(self.shown)]))
            .unwrap_or(self.shown);
        if chosen != self.shown {
            let held = self.decks[self.shown].send(Errand::Hold(from.place.branch));
            self.unanswered += usize::from(held);
            self.decks[self.shown].forget_view();
            self.shown = chosen;
        }
        self.glance = self.glance_at(place);
        self.last.clone_from(&self.glance);
        self.send_shown(place, running);
    }

    fn glance_at(&self, place: Place) -> Option<View> {
        let frame = self.album[place.branch].nearest(place.at)?;
        Some(View {
            speed: self.speed,
            ..View::new(frame, false)
        })
    }

    /// Sends the world that is shown to a place, and tells it what comes after.
    pub(super) fn send_shown(&mut self, place: Place, running: bool) {
        let end = self.history.recording().duration;
        self.errands += 1;
        let travel = Travel {
            number: self.errands,
            acts: self.history.before(place).to_vec(),
            until: place.at,
            gentle: false,
            then: Some(Onwards {
                plan: self.history.after(place).to_vec(),
                marks: self.history.recording().marks.clone(),
                stop: Some(end).filter(|end| self.replayed && place.branch == 0 && place.at < *end),
                running,
                speed: self.speed,
            }),
        };
        if !self.decks[self.shown].travel(place, travel) {
            self.refuse("the simulation is too busy to listen");
        }
    }
}
