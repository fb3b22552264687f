//! What is asked before an experiment, and what is told after it.

use std::cmp::Ordering;
use std::time::Duration;

use super::watch::Watch;
use super::{Figures, Said, seconds};
use crate::layout::Ask;
use crate::observe::{Frame, Incident, Sample, Tally};
use crate::sim::SimTime;
use crate::tui::text;

/// Columns for what a line is about.
const LABEL: usize = 10;
/// Predictions within this factor are close.
const CLOSE: f64 = 1.25;
/// And so are times within this one of each other.
const CLOSE_TIME: Duration = Duration::from_millis(500);

/// What is asked, and what may be typed.
pub(super) fn question(ask: Ask, watch: Duration) -> String {
    let within = seconds(watch);
    let count = |what: &str| format!("How many {what} within {within}? enter without a number skips");
    let time = |what: &str, or: &str| format!("{what} A time like 3s{or}; enter without one skips");
    match ask {
        Ask::Failed => count("requests will users see fail"),
        Ask::Retried => count("requests will be tried again"),
        Ask::LostWrites => count("acknowledged writes will be lost"),
        Ask::LostSessions => count("sign-ins will be lost"),
        Ask::Noticed => time("How long until somebody notices?", " or never"),
        Ask::Served => time("How long until users are served as before?", " or never"),
        Ask::P99 => time("How long will the slowest 1% of answers take in the end?", " or 80ms"),
    }
}

/// What came of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Count(u64),
    Time(Duration),
    /// It did not come within the time.
    Never,
}

/// What came in a watch.
struct Came {
    /// From the moment before to the end of the watch.
    passed: Duration,
    sent: u64,
    failed: u64,
    retried: u64,
    lost_writes: u64,
    lost_sessions: u64,
    p99: Duration,
    noticed: Option<(Duration, String)>,
    /// When users were served as before: 0 where nobody was hurt, none if they are not yet.
    served: Option<Duration>,
}

impl Came {
    fn of(watch: &Watch, frame: &Frame) -> Came {
        let (before, after) = (&watch.before, Figures::of(frame));
        let end = SimTime::ZERO + watch.end();
        // At high speed the world is seen only some time after the end: whole seconds that came later are left out.
        let second = Duration::from_secs(1);
        let is_later = |sample: &&Sample| sample.at.since(end) >= second;
        let later = frame.history.iter().filter(is_later).map(|sample| sample.tally);
        let later = later.fold(Tally::default(), |all, one| Tally {
            sent: all.sent + one.sent,
            failed: all.failed + one.failed,
            retried: all.retried + one.retried,
            ok: all.ok + one.ok,
        });
        // Each of its commands opens one at most.
        let last = before.incidents + watch.typed.len() as u32;
        let own = || {
            let all = frame.incidents.iter();
            all.filter(move |incident| (before.incidents + 1..=last).contains(&incident.number))
        };
        let noticed = own().filter_map(|incident| {
            let noticed = incident.noticed.as_ref().filter(|noticed| noticed.at <= end)?;
            Some((noticed.at.since(incident.injected), noticed.who.clone()))
        });
        let served = |incident: &Incident| match (incident.hurt, incident.served) {
            (None, _) => Some(Duration::ZERO),
            (Some(_), served) => Some(served.filter(|at| *at <= end)?.since(incident.injected)),
        };
        Came {
            passed: after.at.min(end).since(before.at),
            sent: after.sent.saturating_sub(before.sent + later.sent),
            failed: after.failed.saturating_sub(before.failed + later.failed),
            retried: after.retried.saturating_sub(before.retried + later.retried),
            lost_writes: after.lost_writes.saturating_sub(before.lost_writes),
            lost_sessions: after.lost_sessions.saturating_sub(before.lost_sessions),
            p99: after.p99,
            noticed: noticed.min(),
            served: own()
                .map(served)
                .try_fold(Duration::ZERO, |most, one| Some(most.max(one?))),
        }
    }

    fn outcome(&self, ask: Ask) -> Outcome {
        match ask {
            Ask::Failed => Outcome::Count(self.failed),
            Ask::Retried => Outcome::Count(self.retried),
            Ask::LostWrites => Outcome::Count(self.lost_writes),
            Ask::LostSessions => Outcome::Count(self.lost_sessions),
            Ask::Noticed => self
                .noticed
                .as_ref()
                .map_or(Outcome::Never, |(after, _)| Outcome::Time(*after)),
            Ask::Served => self.served.map_or(Outcome::Never, Outcome::Time),
            Ask::P99 => Outcome::Time(self.p99),
        }
    }
}

/// What is told afterwards, in lines of at most so many columns.
pub(super) fn lines(watch: &Watch, frame: &Frame, room: u16) -> Vec<String> {
    let came = Came::of(watch, frame);
    let mut lines = Vec::new();
    let mut tell = |label: &str, words: &str| {
        let words = text::wrap(words, room.saturating_sub(LABEL as u16));
        for (index, words) in words.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(format!("{label:LABEL$}{words}"));
        }
    };
    tell("done", &text::printable(&watch.typed.join("; ")));
    if let Some(ask) = watch.ask {
        let outcome = came.outcome(ask);
        if let Some(said) = watch.said {
            tell("you said", &of_said(ask, said));
            tell(
                "it was",
                &format!("{}: {}", of_outcome(ask, &outcome), verdict(ask, said, &outcome)),
            );
        } else {
            tell("it was", &of_outcome(ask, &outcome));
        }
    }
    tell("in all", &in_all(&came, watch, frame));
    if watch.meddled {
        tell(
            "",
            "You did something else meanwhile: what came of that is counted too.",
        );
    }
    if !watch.why.is_empty() {
        lines.push(String::new());
        lines.extend(text::wrap(&text::printable(&watch.why), room));
    }
    lines
}

/// The other figures.
fn in_all(came: &Came, watch: &Watch, frame: &Frame) -> String {
    let requests = format!(
        "{} requests in {}, {} failed, {} tried again, {} writes lost",
        text::count(came.sent),
        text::span(came.passed),
        text::count(came.failed),
        text::count(came.retried),
        text::count(came.lost_writes),
    );
    let signed_out = match frame.sessions.issued {
        0 => String::new(),
        _ => format!(", {} signed out", text::count(came.lost_sessions)),
    };
    let noticed = match &came.noticed {
        Some((after, who)) => format!("noticed after {} by {}", text::span(*after), text::printable(who)),
        None => "noticed by nobody".to_string(),
    };
    let served = match came.served {
        Some(Duration::ZERO) => String::new(),
        Some(after) => format!(", served as before after {}", text::span(after)),
        None => ", not served as before yet".to_string(),
    };
    let (before, after) = (text::latency(watch.before.p99), text::latency(came.p99));
    format!("{requests}{signed_out}; {noticed}{served}; p99 {after}, before {before}")
}

fn of_said(ask: Ask, said: Said) -> String {
    of_outcome(
        ask,
        &match said {
            Said::Count(count) => Outcome::Count(count),
            Said::Time(time) => Outcome::Time(time),
            Said::Never => Outcome::Never,
        },
    )
}

fn of_outcome(ask: Ask, outcome: &Outcome) -> String {
    let what = match ask {
        Ask::Failed => "failed",
        Ask::Retried => "tried again",
        Ask::LostWrites => "writes lost",
        Ask::LostSessions => "signed out",
        Ask::Noticed => "until it is noticed",
        Ask::Served => "until users are served as before",
        Ask::P99 => "for the slowest 1%",
    };
    match outcome {
        Outcome::Count(count) => format!("{} {what}", text::count(*count)),
        Outcome::Time(Duration::ZERO) if ask == Ask::Served => "nobody was hurt".to_string(),
        Outcome::Time(time) => format!("{} {what}", text::span(*time)),
        Outcome::Never if ask == Ask::Noticed => "nobody notices".to_string(),
        Outcome::Never => "not within the time".to_string(),
    }
}

/// How near somebody came.
fn verdict(ask: Ask, said: Said, outcome: &Outcome) -> &'static str {
    let near = |a: f64, b: f64| a > 0.0 && b > 0.0 && a.max(b) / a.min(b) <= CLOSE;
    match (said, outcome) {
        (Said::Count(said), Outcome::Count(was)) if said == *was => "exactly",
        (Said::Count(said), Outcome::Count(was)) if near(said as f64, *was as f64) => "close",
        (Said::Count(said), Outcome::Count(was)) => match said.cmp(was) {
            Ordering::Less => "more than you thought",
            _ => "fewer than you thought",
        },
        (Said::Time(said), Outcome::Time(was)) => {
            let seconds = (said.as_secs_f64(), was.as_secs_f64());
            let is_long = said.min(*was) >= Duration::from_secs(1);
            if near(seconds.0, seconds.1) || is_long && said.abs_diff(*was) <= CLOSE_TIME {
                "close"
            } else if said < *was {
                "longer than you thought"
            } else if ask == Ask::P99 {
                "shorter than you thought"
            } else {
                "sooner than you thought"
            }
        }
        (Said::Never, Outcome::Never) => "as you said",
        (Said::Never, _) => "but it came",
        (_, _) => "longer than you thought",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Command, Script};
    use crate::layout;
    use crate::replay::Session;

    #[test]
    fn predictions_are_judged_kindly_and_truly() {
        let count = |said, was| verdict(Ask::Failed, Said::Count(said), &Outcome::Count(was));
        assert_eq!(count(277, 277), "exactly");
        assert_eq!(count(0, 0), "exactly");
        assert_eq!(count(300, 277), "close");
        assert_eq!(count(0, 277), "more than you thought");
        assert_eq!(count(1_000, 277), "fewer than you thought");
        let time = |ask, said, was| {
            let [said, was] = [said, was].map(Duration::from_millis);
            verdict(ask, Said::Time(said), &Outcome::Time(was))
        };
        assert_eq!(time(Ask::Noticed, 4_000, 4_061), "close");
        assert_eq!(time(Ask::Served, 1_000, 1_450), "close");
        assert_eq!(time(Ask::P99, 10, 300), "longer than you thought");
        assert_eq!(time(Ask::Served, 30_000, 4_061), "sooner than you thought");
        assert_eq!(time(Ask::P99, 300, 80), "shorter than you thought");
        assert_eq!(verdict(Ask::Noticed, Said::Never, &Outcome::Never), "as you said");
        assert_eq!(
            verdict(Ask::Served, Said::Time(Duration::ZERO), &Outcome::Never),
            "longer than you thought"
        );
    }

    /// The page of a layout's first experiment, tried after 15 s.
    fn tried(source: &str, said: Option<Said>) -> Vec<String> {
        let layout = layout::parse(source, "l.ron").expect("a layout");
        let mut session = Session::new(&layout, 7, &Script::default());
        session.advance_to(Duration::from_secs(15));
        let experiment = &layout.experiments[0];
        let typed: Vec<String> = experiment.acts.iter().map(|typed| typed.text.clone()).collect();
        let watch = Watch::begin(experiment, typed.clone(), said, &session.frame());
        for line in &typed {
            let command = Command::parse(line).expect("a command");
            session.apply(&command).expect("it is done");
        }
        session.advance_to(Duration::from_secs(15) + experiment.watch);
        lines(&watch, &session.frame(), 72)
    }

    #[test]
    fn what_is_told_is_what_the_world_counted() {
        let page = tried(
            "Layout(title: \"t\", users: {\"people\": (count: 1_000, every: \"1s\", asks: (page: 1))}, services: {
                \"lb\": LoadBalancer(to: \"web\", calls: (retries: 0)), \"web\": Web(machines: 2)}, experiments: [
                (title: \"a\", do: [\"kill web/1\"], for: \"20s\", ask: Failed, why: \"It is \\u{1b}[2J dead.\"),
            ])",
            Some(Said::Count(3)),
        );
        assert_eq!(page[0], "done      kill web/1");
        assert_eq!(page[1], "you said  3 failed");
        assert!(
            page[2].starts_with("it was    ") && page[2].ends_with(" failed: more than you thought"),
            "{page:#?}"
        );
        let failed = page[2].trim_start_matches("it was").trim_start();
        let failed = failed.split(' ').next().unwrap_or_default();
        let all: Vec<&str> = page[3..].iter().flat_map(|line| line.split_whitespace()).collect();
        let all = all.join(" ");
        assert!(
            all.contains(&format!(" in 20.0s, {failed} failed, 0 tried again, 0 writes lost")),
            "{page:#?}"
        );
        assert!(all.contains("noticed after ") && all.contains(" by lb"), "{page:#?}");
        assert_eq!(page.last().map(String::as_str), Some("It is \\u{1b}[2J dead."));
        assert!(page.iter().all(|line| text::width(line) <= 72), "{page:#?}");
    }

    #[test]
    fn what_comes_after_the_end_does_not_count() {
        let layout = layout::parse(
            "Layout(title: \"t\", users: {\"people\": (count: 100, every: \"1s\")}, services: {\"web\": Web()}, experiments: [
                (title: \"a\", do: [\"kill web\"], for: \"10s\", ask: Served),
            ])",
            "l.ron",
        )
        .expect("a layout");
        let mut session = Session::new(&layout, 7, &Script::default());
        session.advance_to(Duration::from_secs(15));
        let typed = vec!["kill web".to_string()];
        let watch = Watch::begin(&layout.experiments[0], typed, None, &session.frame());
        let command = Command::parse("kill web").expect("a command");
        session.apply(&command).expect("it is done");
        session.advance_to(Duration::from_secs(25));
        let (in_time, then) = (Came::of(&watch, &session.frame()), session.frame());
        let command = Command::parse("mend web").expect("a command");
        session.apply(&command).expect("it is done");
        session.advance_to(Duration::from_secs(60));
        let late = Came::of(&watch, &session.frame());
        assert!(in_time.failed > 500 && session.frame().total.failed > then.total.failed);
        assert_eq!(
            (late.sent, late.failed, late.passed),
            (in_time.sent, in_time.failed, in_time.passed)
        );
        assert_eq!(late.outcome(Ask::Served), Outcome::Never);
    }

    #[test]
    fn who_is_never_served_again_is_told_so() {
        let page = tried(
            "Layout(title: \"t\", users: {\"people\": (count: 100, every: \"1s\")}, services: {\"web\": Web()}, experiments: [
                (title: \"a\", do: [\"kill web\"], for: \"10s\", ask: Served),
            ])",
            None,
        );
        assert_eq!(page[1], "it was    not within the time");
    }
}
