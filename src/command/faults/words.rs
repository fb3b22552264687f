//! The words of faults that are verbs: `fail web 20% checks`, `disk db slow 10`, `chaos us-east every 30s mend 10s`.

use std::fmt;
use std::time::Duration;

use super::super::model::{Chaos, Command, CommandError, DiskTrouble, Flaw, Selector};
use super::super::selector::shown;
use super::{Fault, Quantity};
use crate::layout::duration;

/// How often chaos kills, and how soon it mends, if nothing is said.
const EVERY: Duration = Duration::from_secs(60);
const MEND: Duration = Duration::from_secs(20);
/// The bounds of both.
const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(24 * 3600);

/// Reads the words behind a verb of this file; `None` where they are the wrong ones.
pub(in crate::command) fn parse(verb: &str, words: &[&str]) -> Option<Result<Command, CommandError>> {
    Some(match (verb, words) {
        ("fail", [target, share, how @ ..]) => {
            let flaw = match how {
                [] => Flaw::Requests,
                ["checks"] => Flaw::Checks,
                ["certificate"] => Flaw::Certificate,
                _ => return None,
            };
            both(target, Quantity::Share, share).map(|(target, share)| Command::Fail(target, share, flaw))
        }
        ("leak", [target, share]) => {
            both(target, Quantity::Share, share).map(|(target, share)| Command::Leak(target, share))
        }
        ("disk", [target, "full"]) => Selector::parse(target).map(|target| Command::Disk(target, DiskTrouble::Full)),
        ("disk", [target, "well"]) => Selector::parse(target).map(|target| Command::Disk(target, DiskTrouble::None)),
        ("disk", [target, "slow", factor]) => both(target, Quantity::Factor, factor)
            .map(|(target, factor)| Command::Disk(target, DiskTrouble::Slow(factor))),
        ("expire", ["all"]) => Ok(Command::Expire(None)),
        ("expire", [target]) => Selector::parse(target).map(|target| Command::Expire(Some(target))),
        ("isolate", [target]) => Selector::parse(target).map(Command::Isolate),
        ("outage", [target]) => Selector::parse(target).map(Command::Outage),
        ("mislead", [target]) => Selector::parse(target).map(Command::Mislead),
        ("chaos", ["off"]) => Ok(Command::Chaos(None)),
        ("chaos", ["on"]) => Ok(Command::Chaos(Some(Chaos::default()))),
        ("chaos", [_, ..]) => return chaos(words),
        _ => return None,
    })
}

fn both(target: &str, quantity: Quantity, word: &str) -> Result<(Selector, f64), CommandError> {
    Ok((Selector::parse(target)?, quantity.parse(word)?))
}

/// `[SCOPE] [every TIME] [mend TIME]`.
fn chaos(words: &[&str]) -> Option<Result<Command, CommandError>> {
    let mut chaos = Chaos::default();
    let mut rest = words;
    if let [scope, others @ ..] = rest
        && !["every", "mend"].contains(scope)
    {
        match Selector::parse(scope) {
            Ok(scope) => chaos.scope = Some(scope),
            Err(error) => return Some(Err(error)),
        }
        rest = others;
    }
    while let [word, time, others @ ..] = rest {
        let time = match duration::parse(time) {
            Ok(time) => time,
            Err(error) => return Some(Err(CommandError(error))),
        };
        match *word {
            "every" => chaos.every = time,
            "mend" => chaos.mend = time,
            _ => return None,
        }
        rest = others;
    }
    rest.is_empty().then_some(Ok(Command::Chaos(Some(chaos))))
}

/// Checks the bounds of a command of this file, or of its parameters in the catalogue.
pub(in crate::command) fn validate(command: &Command) -> Result<(), CommandError> {
    let check = |name: &str, value: f64| {
        let fault = Fault::named(name).expect("a verb that hurts has a row");
        let param = fault.params.first().expect("it has a figure");
        let checked = param.check(value);
        checked.map_err(|CommandError(why)| CommandError(why.replace(" is from", &format!(" of `{name}` is from"))))
    };
    match command {
        Command::Fail(_, share, _) => check("fail", *share),
        Command::Leak(_, share) => check("leak", *share),
        Command::Bandwidth(_, rate) => check("bandwidth", *rate),
        Command::Disk(_, DiskTrouble::Slow(factor)) => check("disk", *factor),
        Command::Inject(injection) => injection.validate(),
        Command::For(command, time) => {
            command.validate()?;
            command.may_last(*time)
        }
        Command::Chaos(Some(chaos)) => {
            let out = [chaos.every, chaos.mend]
                .into_iter()
                .find(|time| !(LEAST..=MOST).contains(time));
            out.map_or(Ok(()), |time| {
                Err(CommandError(format!(
                    "the times of `chaos` are from 1s to 24h, not {}",
                    duration::format(time)
                )))
            })
        }
        _ => Ok(()),
    }
}

/// The command without the time that it is to last, and that time.
pub(in crate::command) fn split_time<'a, 'w>(
    words: &'w [&'a str],
) -> Result<(&'w [&'a str], Option<Duration>), CommandError> {
    match words {
        [command @ .., "for", time] if !command.is_empty() => {
            let time = duration::parse(time).map_err(CommandError)?;
            Ok((command, Some(time)))
        }
        [_, .., "for"] => Err(CommandError(
            "`for` needs a time, for example `kill web/1 for 30s`".to_owned(),
        )),
        [.., "for", time, more] => Err(CommandError(format!(
            "a command ends with `for {}`; `{}` is too much",
            shown(time),
            shown(more)
        ))),
        _ => Ok((words, None)),
    }
}

impl Default for Chaos {
    fn default() -> Chaos {
        Chaos {
            scope: None,
            every: EVERY,
            mend: MEND,
        }
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Chaos::default() {
            return f.write_str("on");
        }
        if let Some(scope) = &self.scope {
            write!(f, "{scope} ")?;
        }
        let (every, mend) = (duration::format(self.every), duration::format(self.mend));
        write!(f, "every {every} mend {mend}")
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Requests => "",
            Flaw::Checks => " checks",
            Flaw::Certificate => " certificate",
        })
    }
}

impl fmt::Display for DiskTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiskTrouble::None => f.write_str("well"),
            DiskTrouble::Full => f.write_str("full"),
            DiskTrouble::Slow(factor) => write!(f, "slow {factor}"),
        }
    }
}
