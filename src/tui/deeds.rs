//! What keys do to the selection: the commands that they stand for, or why there is none.

use crate::command::{Command, Selector};
use crate::observe::Kind;

use super::app::App;
use super::changes;
use super::layers;
use super::menu;
use super::queues;
use super::select::Item;
use super::theme::Role;

impl App {
    /// What x does: a data center is lost with all that is in it, anything else is killed.
    pub(super) fn kill(&mut self) -> Option<Command> {
        let victim = self.victim("killed")?;
        let lose = match self.selected {
            Item::Site(_) => Command::parse(&format!("lose {victim}")).ok(),
            _ => None,
        };
        Some(lose.unwrap_or(Command::Kill(victim)))
    }

    /// What x, X and r hit.
    pub(super) fn victim(&mut self, done: &str) -> Option<Selector> {
        if self.selected.kind(self.topology()) == Some(Kind::Users) {
            self.say(
                format!("users cannot be {done}; t and T change how much they ask"),
                Role::Refusal,
            );
            return None;
        }
        self.target().map(|target| Selector(target.to_string()))
    }

    /// What F makes forget: a service that keeps copies or messages, one of its nodes, or all that do in a data center.
    pub(super) fn flush(&mut self) -> Option<Command> {
        let topology = self.topology();
        let keeps =
            |service: usize| layers::of(self.frame(), service).is_some() || queues::of(self.frame(), service).is_some();
        let any = match self.selected {
            Item::Site(site) => (0..topology.services.len())
                .any(|service| topology.services[service].site == Some(site) && keeps(service)),
            Item::Host(service) | Item::Service(service) | Item::Instance(service, _) => keeps(service),
        };
        if !any {
            self.say(
                "it keeps no copies and no messages: select a cache, a CDN, users who ask for files, or a queue",
                Role::Refusal,
            );
            return None;
        }
        self.target().map(|target| Command::Flush(Selector(target.to_string())))
    }

    pub(super) fn scale(&mut self, by: i32) -> Option<Command> {
        if let Some(line) = changes::replica(self) {
            if by > 0 {
                return self.read(&line);
            }
            self.say("replicas come by +; x and X take them away", Role::Refusal);
            return None;
        }
        let topology = self.topology();
        let service = self
            .selected
            .service()
            .and_then(|service| topology.services.get(service));
        let scalable = service.filter(|service| matches!(service.kind, Kind::Web | Kind::Workers));
        let Some(service) = scalable else {
            self.say(
                "select a web tier or workers: + and - set how many machines there are",
                Role::Refusal,
            );
            return None;
        };
        // One that leaves counts no more.
        let state = self
            .selected
            .service()
            .and_then(|service| self.frame().services.get(service));
        let present = state.map_or(0, |state| state.instances.iter().filter(|one| !one.draining).count());
        let count = u32::try_from(present).unwrap_or(u32::MAX).saturating_add_signed(by);
        Some(Command::Scale(Selector(service.selector.clone()), count))
    }

    /// Marks the selection, or opens what can be done to the link between it and what was marked before.
    pub(super) fn pick(&mut self) {
        let title = self.selected.title(self.topology());
        let marked = match self.marked.take() {
            Some(marked) if marked != self.selected => marked,
            Some(_) => return self.say(format!("{title} is not marked any more"), Role::Notice),
            None => {
                self.marked = Some(self.selected);
                return self.say(
                    format!("{title} is marked: v on another thing opens their link"),
                    Role::Notice,
                );
            }
        };
        if !menu::are_joined(self.topology(), marked, self.selected) {
            let other = marked.title(self.topology());
            return self.say(format!("there is no link between {other} and {title}"), Role::Refusal);
        }
        self.notice = None;
        let ends = [marked, self.selected].map(|item| item.selector(self.topology()).map(str::to_string));
        let [Some(from), Some(to)] = ends else { return };
        self.open(menu::link(self, &from, &to), "nothing travels there");
    }
}
