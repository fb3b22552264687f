//! An experiment that is watched: when it began, whether the world that is shown is still the one in which it did, and when it is over.

use std::time::Duration;

use super::{Figures, Said};
use crate::layout::{Ask, Experiment};
use crate::observe::Frame;
use crate::sim::SimTime;
use crate::tui::engine::{Answer, Order, Timeline};

/// An experiment that is watched.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    title: String,
    /// What is predicted.
    pub ask: Option<Ask>,
    /// What somebody said.
    pub said: Option<Said>,
    /// What is told afterwards.
    pub why: String,
    /// How long it is watched.
    pub length: Duration,
    /// The commands, as they were typed.
    pub typed: Vec<String>,
    /// The moment before.
    pub before: Figures,
    /// When the first command took effect, as soon as that is known.
    pub act: Option<Duration>,
    /// Commands of which nobody has heard yet what came of them.
    unheard: usize,
    /// Whether the person went elsewhere in time since.
    travelled: bool,
    /// Whether the person did something else since.
    pub meddled: bool,
}

/// What a look at the world comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It goes on; when the first command took effect, if that is known.
    Goes(Option<Duration>),
    /// The time is over.
    Over,
    /// The world that is shown is one in which it has not begun.
    Gone,
}

impl Watch {
    /// Begins before the commands are given, of which `frame` knows nothing.
    pub fn begin(experiment: &Experiment, typed: Vec<String>, said: Option<Said>, frame: &Frame) -> Watch {
        Watch {
            title: experiment.title.clone(),
            ask: experiment.ask,
            said,
            why: experiment.why.clone(),
            length: experiment.watch,
            unheard: typed.len(),
            typed,
            before: Figures::of(frame),
            act: None,
            travelled: false,
            meddled: false,
        }
    }

    /// As the layout calls it. Any text.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// When it began.
    fn began(&self) -> Duration {
        self.act.unwrap_or(self.before.at.elapsed())
    }

    /// When it is over.
    pub fn end(&self) -> Duration {
        self.began() + self.length
    }

    /// How long it has been watched, and how long it will be.
    pub fn progress(&self, at: SimTime) -> (Duration, Duration) {
        let passed = at.elapsed().saturating_sub(self.began());
        (passed.min(self.length), self.length)
    }

    /// Takes an answer. False where one of its commands was refused.
    pub fn hears(&mut self, answer: &Answer) -> bool {
        if self.unheard == 0 {
            return true;
        }
        match answer {
            Answer::Done(_) => self.unheard -= 1,
            Answer::Refused(_) => return false,
            Answer::Here(_) => {}
        }
        true
    }

    /// Takes note of what else the person asks for.
    pub fn strays(&mut self, order: &Order) {
        self.travelled |= order.is_way();
        self.meddled |= matches!(order, Order::Do(_));
    }

    /// Looks at the world that is shown.
    pub fn look(&self, frame: &Frame, timeline: &Timeline) -> Turn {
        if self.unheard > 0 || timeline.arriving.is_some() {
            return Turn::Goes(self.act);
        }
        let now = frame.at.elapsed();
        let is_first = |at: Duration, words: &str| words == self.typed[0] && at >= self.before.at.elapsed();
        let mut acts = timeline.events.iter().filter(|event| !event.chapter);
        let act = match self.act {
            Some(known) => {
                // Another branch holds it only if it left this one later.
                if !acts.any(|event| event.at == known && event.words == self.typed[0]) {
                    return Turn::Gone;
                }
                Some(known)
            }
            None => acts
                .find(|event| is_first(event.at, &event.words))
                .map(|event| event.at),
        };
        let began = act.unwrap_or(self.before.at.elapsed());
        // Who goes back to just before it stands at the very moment.
        if now < self.before.at.elapsed() || self.travelled && now <= began {
            return Turn::Gone;
        }
        if now >= began + self.length {
            return Turn::Over;
        }
        Turn::Goes(act)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::command::Script;
    use crate::layout;
    use crate::replay::Session;
    use crate::tui::engine::TimelineEvent;

    const LAYOUT: &str = "Layout(title: \"t\", users: {\"people\": (count: 100, every: \"1s\")}, services: {\"web\": Web()}, experiments: [
        (title: \"a\", do: [\"kill web\", \"surge 2\"], for: \"10s\", ask: Failed),
    ])";

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A watch that has begun at 5 s, and what is known of its branch.
    fn begun(session: &mut Session) -> (Watch, Timeline) {
        let layout = layout::parse(LAYOUT, "l.ron").expect("a layout");
        session.advance_to(at(5));
        let typed = layout.experiments[0].acts.iter().map(|typed| typed.text.clone());
        let mut watch = Watch::begin(&layout.experiments[0], typed.collect(), None, &session.frame());
        let heard = Answer::Done("done".to_string());
        assert_eq!(watch.look(&session.frame(), &Timeline::default()), Turn::Goes(None));
        assert!(watch.hears(&heard) && watch.hears(&heard));
        let event = |words: &str| TimelineEvent {
            at: at(5),
            words: words.to_string(),
            chapter: false,
        };
        let timeline = Timeline {
            events: Arc::new(vec![event("kill web"), event("surge 2")]),
            ..Timeline::default()
        };
        let Turn::Goes(act) = watch.look(&session.frame(), &timeline) else {
            panic!("it has just begun");
        };
        assert_eq!(act, Some(at(5)));
        watch.act = act;
        (watch, timeline)
    }

    fn session() -> Session {
        let layout = layout::parse(LAYOUT, "l.ron").expect("a layout");
        Session::new(&layout, 7, &Script::default())
    }

    #[test]
    fn it_is_over_after_its_time() {
        let mut session = session();
        let (watch, timeline) = begun(&mut session);
        session.advance_to(at(14));
        assert_eq!(watch.look(&session.frame(), &timeline), Turn::Goes(Some(at(5))));
        assert_eq!(watch.progress(session.frame().at), (at(9), at(10)));
        session.advance_to(at(15));
        assert_eq!(watch.look(&session.frame(), &timeline), Turn::Over);
    }

    #[test]
    fn who_goes_back_before_it_watches_nothing() {
        let mut session = session();
        let (mut watch, timeline) = begun(&mut session);
        let there = session.frame();
        session.advance_to(at(8));
        watch.strays(&Order::GoTo(at(6)));
        assert_eq!(
            watch.look(&session.frame(), &timeline),
            Turn::Goes(Some(at(5))),
            "still after it"
        );
        watch.strays(&Order::Rewind);
        assert_eq!(watch.look(&there, &timeline), Turn::Gone, "the very moment before it");
    }

    #[test]
    fn another_branch_in_which_it_was_not_tried_ends_it() {
        let mut session = session();
        let (mut watch, timeline) = begun(&mut session);
        session.advance_to(at(8));
        watch.strays(&Order::Switch(1));
        let other = Timeline {
            branch: 1,
            ..Timeline::default()
        };
        assert_eq!(watch.look(&session.frame(), &other), Turn::Gone);
        let forked = Timeline { branch: 2, ..timeline };
        assert_eq!(
            watch.look(&session.frame(), &forked),
            Turn::Goes(Some(at(5))),
            "it left the branch later"
        );
    }

    #[test]
    fn a_command_that_is_refused_ends_it() {
        let layout = layout::parse(LAYOUT, "l.ron").expect("a layout");
        let typed = vec!["kill web".to_string()];
        let mut watch = Watch::begin(&layout.experiments[0], typed, None, &session().frame());
        assert!(watch.hears(&Answer::Here("elsewhere".to_string())));
        assert!(!watch.hears(&Answer::Refused("no".to_string())));
        assert!(watch.hears(&Answer::Done("done".to_string())));
        assert!(watch.hears(&Answer::Refused("of something else".to_string())));
    }
}
