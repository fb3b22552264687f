//! What a command would do, before it is done: another world goes the same way on a thread of its own, does it, and goes on for a while.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::command::Command;
use crate::layout::{Layout, duration};
use crate::observe::Frame;
use crate::replay::{Act, Session};

use super::app::{App, Over};
use super::text;

/// How long what follows is looked at.
const AHEAD: Duration = Duration::from_secs(30);
/// Between two looks at whether anybody still wants to know.
const PIECE: Duration = Duration::from_millis(250);

/// A look ahead.
pub struct Foresight {
    command: Command,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// What is known so far, in words.
    words: Mutex<String>,
}

impl Shared {
    fn say(&self, words: String) {
        *self.words.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }
}

/// Nobody waits for its thread, which ends within a piece.
impl Drop for Foresight {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Foresight {
    /// Begins to look ahead from where the screen stands; nothing if there can be no more threads.
    pub fn begin(app: &App, (layout, seed): (&Layout, u64), command: &Command) -> Option<Foresight> {
        let now = app.frame().at.elapsed();
        let events = app.timeline.events.iter();
        let known = events.filter(|event| !event.chapter && event.at <= now);
        let acts: Vec<Act> = known
            .filter_map(|event| {
                Some(Act {
                    at: event.at,
                    command: Command::parse(&event.words).ok()?,
                })
            })
            .collect();
        let shared = Arc::new(Shared::default());
        let (mine, layout, wanted) = (Arc::clone(&shared), layout.clone(), command.clone());
        let thread = thread::Builder::new().name("preview".to_string());
        thread
            .spawn(move || look(&mine, (&layout, seed), &acts, (now, &wanted)))
            .ok()?;
        Some(Foresight {
            command: command.clone(),
            shared,
        })
    }

    /// What is known so far.
    pub fn words(&self) -> String {
        self.shared.words.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is about what is asked now.
    pub fn is_about(&self, over: &Over) -> bool {
        matches!(over, Over::Confirm(command) if *command == self.command)
    }
}

/// While a command is asked about, another world finds out what would come of it. Says whether more is known than before.
pub fn keep_up(foresight: &mut Option<Foresight>, app: &mut App, played: Option<(&Layout, u64)>) -> bool {
    if !foresight.as_ref().is_some_and(|one| one.is_about(&app.over)) {
        *foresight = match (&app.over, played) {
            (Over::Confirm(command), Some(played)) => Foresight::begin(app, played, command),
            _ => None,
        };
    }
    let words = foresight.as_ref().map(Foresight::words);
    let news = app.foreseen != words;
    app.foreseen = words;
    news
}

fn look(shared: &Shared, (layout, seed): (&Layout, u64), acts: &[Act], (now, command): (Duration, &Command)) {
    let mut session = Session::scheduled(layout, seed, acts);
    let end = now + AHEAD;
    let go = |session: &mut Session, until: Duration| {
        while session.now() < until && !shared.stop.load(Ordering::Relaxed) {
            session.advance_to((session.now() + PIECE).min(until));
            let share = session.now().as_secs_f64() / end.as_secs_f64();
            shared.say(format!("looking ahead … {:.0}%", 100.0 * share));
        }
        !shared.stop.load(Ordering::Relaxed)
    };
    if !go(&mut session, now) {
        return;
    }
    let before = session.frame();
    if let Err(error) = session.apply(command) {
        shared.say(format!("it would be refused: {error}"));
        return;
    }
    if go(&mut session, end) {
        shared.say(told(&before, &session.frame()));
    }
}

/// What came of it, in a sentence.
fn told(before: &Frame, after: &Frame) -> String {
    let (sent, failed) = (
        after.total.sent - before.total.sent,
        after.total.failed - before.total.failed,
    );
    let mut parts = vec![match failed {
        0 => "no request fails".to_string(),
        failed => format!("{} of {} requests fail", text::count(failed), text::count(sent)),
    }];
    // What fails anyhow is not its doing.
    let usual = before.recent.failed as f64 / before.recent.sent.max(1) as f64;
    if failed > 0 && before.recent.failed > 0 {
        parts.push(format!("{} did before it", text::percent(usual)));
    }
    let lost = after.lost_writes - before.lost_writes;
    if lost > 0 {
        parts.push(format!("{} acknowledged writes are lost", text::count(lost)));
    }
    let sessions = after.sessions.lost - before.sessions.lost;
    if sessions > 0 {
        parts.push(format!("{} sessions are lost", text::count(sessions)));
    }
    let since = before.at.elapsed();
    let mut news = after
        .incidents
        .iter()
        .filter(|incident| incident.injected.elapsed() >= since);
    if let Some(incident) = news.next() {
        let later = |at: Duration| text::span(at.saturating_sub(since));
        match (&incident.noticed, incident.hurt, incident.served) {
            (Some(noticed), _, _) => parts.push(format!(
                "{} notices after {}",
                text::printable(&noticed.who),
                later(noticed.at.elapsed())
            )),
            (None, Some(_), _) => parts.push("nobody notices".to_string()),
            _ => {}
        }
        match (incident.hurt, incident.served) {
            (Some(_), Some(served)) => parts.push(format!("users are served again after {}", later(served.elapsed()))),
            (Some(_), None) => parts.push("users are still hurt then".to_string()),
            _ => {}
        }
    }
    format!("in the {} after it: {}", duration::format(AHEAD), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{find_shipped, parse};

    fn looked(layout: &str, acts: &[(u64, &str)], at: u64, command: &str) -> String {
        let shipped = find_shipped(layout).expect("it is shipped");
        let layout = parse(shipped.source, shipped.file).expect("it is a layout");
        let acts: Vec<Act> = acts
            .iter()
            .map(|(at, words)| Act {
                at: Duration::from_secs(*at),
                command: Command::parse(words).expect("a command"),
            })
            .collect();
        let shared = Shared::default();
        let command = Command::parse(command).expect("a command");
        look(&shared, (&layout, 7), &acts, (Duration::from_secs(at), &command));
        shared.words.into_inner().expect("nobody panicked")
    }

    #[test]
    fn it_tells_what_a_kill_would_do_and_what_it_would_not() {
        let server = looked("04", &[], 5, "kill web/1");
        assert!(server.contains("lb notices after"), "{server}");
        let database = looked("04", &[], 5, "kill db");
        assert!(
            database.contains("requests fail") && database.contains("still hurt"),
            "{database}"
        );
        // The same way is gone as was gone so far.
        let twice = looked("04", &[(2, "kill web/1")], 8, "kill web/1");
        assert_eq!(twice, "it would be refused: web/1 is down already");
    }

    #[test]
    fn nobody_waits_for_a_look_that_nobody_wants() {
        let shipped = find_shipped("04").expect("it is shipped");
        let layout = parse(shipped.source, shipped.file).expect("it is a layout");
        let shared = Shared::default();
        shared.stop.store(true, Ordering::Relaxed);
        let command = Command::parse("kill web/1").expect("a command");
        look(&shared, (&layout, 7), &[], (Duration::from_secs(3_600), &command));
        assert_eq!(shared.words.into_inner().expect("nobody panicked"), "");
    }
}
