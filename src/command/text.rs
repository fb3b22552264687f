//! Commands in words, as they are typed after `:` and shown in logs: `kill web/1`.

use std::fmt;
use std::time::Duration;

use super::faults::{FAULTS, Fault, Injection, Quantity, words};
use super::model::{Command, CommandError, LinkSelector, Selector};
use super::selector::shown;
use super::setting::Setting;
use super::skew;
use super::verbs::{VERBS, Verb};
use crate::layout::{
    Balance, SIZES, Size, closest, duration, parse_share, percent, printable, service_text, suggestion,
};

/// The longest delay of a link.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The longest text of a service, in bytes.
const LONGEST_SERVICE: usize = 4_000;
/// The largest factor of slowness and of traffic.
const LARGEST_FACTOR: f64 = 1_000.0;
/// The most machines of a service.
const MOST_MACHINES: u32 = 100_000;
const BALANCES: [(&str, Balance); 7] = [
    ("round-robin", Balance::RoundRobin),
    ("weighted", Balance::Weighted),
    ("random", Balance::Random),
    ("least-connections", Balance::LeastConnections),
    ("power-of-two", Balance::PowerOfTwo),
    ("source-hash", Balance::SourceHash),
    ("consistent-hash", Balance::ConsistentHash),
];

impl Command {
    /// Reads a command in words. What [`Display`](fmt::Display) writes, it reads back as the same command.
    ///
    /// # Errors
    /// In words: an unknown verb, the wrong number of words, an argument that is not what the verb takes, a number out of its bounds.
    pub fn parse(text: &str) -> Result<Command, CommandError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, time) = words::split_time(&words)?;
        let Some((verb, words)) = words.split_first() else {
            return Err(refused("a command is missing; write for example `kill web/1`"));
        };
        let command = Command::parse_words(verb, words)?;
        let command = match time {
            Some(time) => Command::For(Box::new(command), time),
            None => command,
        };
        command.validate()?;
        Ok(command)
    }

    fn parse_words(verb: &str, words: &[&str]) -> Result<Command, CommandError> {
        if let Some(fault) = Fault::named(verb).filter(|fault| fault.is_composite()) {
            return Injection::parse(fault, words).map(Command::Inject);
        }
        let Some(verb) = VERBS.iter().find(|known| known.name == verb) else {
            return Err(refused(format!(
                "unknown command `{}`{}",
                shown(verb),
                known_verbs(verb)
            )));
        };
        let command = match (verb.name, words) {
            ("kill", [target]) => Command::Kill(Selector::parse(target)?),
            ("destroy", [target]) => Command::Destroy(Selector::parse(target)?),
            ("mend", ["all"]) => Command::MendAll,
            ("mend", [target]) => Command::Mend(Selector::parse(target)?),
            ("hang", [target]) => Command::Hang(Selector::parse(target)?),
            ("slow", [target, by]) => Command::Slow(Selector::parse(target)?, factor(by)?),
            ("cut", ends @ [_, ..]) => Command::Cut(link(ends)?),
            ("join", ends @ [_, ..]) => Command::Join(link(ends)?),
            ("delay", [ends @ .., by]) if !ends.is_empty() => {
                let delay = duration::parse(by).map_err(CommandError)?;
                Command::Delay(link(ends)?, delay)
            }
            ("drop", [ends @ .., by]) if !ends.is_empty() => {
                let share = share(by)?;
                Command::Drop(link(ends)?, share)
            }
            ("bandwidth", [ends @ .., rate]) if !ends.is_empty() => {
                let rate = Quantity::Rate.parse(rate)?;
                Command::Bandwidth(link(ends)?, rate)
            }
            ("surge", [by]) => Command::Surge(None, factor(by)?),
            ("surge", [users, by]) => Command::Surge(Some(Selector::parse(users)?), factor(by)?),
            ("scale", [service, count]) => Command::Scale(Selector::parse(service)?, machines(count)?),
            ("resize", [target, size]) => Command::Resize(Selector::parse(target)?, (*size).to_owned()),
            ("balance", [balancer, how]) => Command::Balance(Selector::parse(balancer)?, balance(how)?),
            ("set", [target, setting @ ..]) if !setting.is_empty() => {
                let target = Selector::parse(target)?;
                Command::Set(target, Setting::parse(setting)?)
            }
            ("revoke", [users]) => Command::Revoke(Selector::parse(users)?, 1.0),
            ("revoke", [users, of_them]) => Command::Revoke(Selector::parse(users)?, share(of_them)?),
            ("promote", [node]) => Command::Promote(Selector::parse(node)?),
            ("recover", [node]) => Command::Recover(Selector::parse(node)?),
            ("replicate", [database]) => Command::Replicate(Selector::parse(database)?),
            ("shard", [database]) => Command::Shard(Selector::parse(database)?),
            ("skew", [node, by]) => Command::Skew(Selector::parse(node)?, skew::parse(by)?),
            ("flush", [target]) => Command::Flush(Selector::parse(target)?),
            ("purge", [target, key]) => Command::Purge(Selector::parse(target)?, row(key)?),
            ("deploy", []) => Command::Deploy,
            ("poison", [queue]) => Command::Poison(Selector::parse(queue)?),
            ("redrive", [queue]) => Command::Redrive(Selector::parse(queue)?),
            ("evacuate", [site]) => Command::Evacuate(Selector::parse(site)?),
            ("reopen", [site]) => Command::Reopen(Selector::parse(site)?),
            ("close", [node]) => Command::Close(Selector::parse(node)?),
            ("add", [name, service @ ..]) if !service.is_empty() => {
                let name = Selector::parse(name)?;
                Command::Add(name, service_text(&service.join(" ")).map_err(CommandError)?)
            }
            ("remove", [service]) => Command::Remove(Selector::parse(service)?),
            ("connect", ends @ [_, ..]) => {
                let (from, to) = one_way(ends)?;
                Command::Connect(from, to)
            }
            ("disconnect", ends @ [_, ..]) => {
                let (from, to) = one_way(ends)?;
                Command::Disconnect(from, to)
            }
            (name, words) => return words::parse(name, words).unwrap_or_else(|| Err(wrong_words(verb))),
        };
        Ok(command)
    }

    /// Checks the bounds that hold in every world: factors, delays, shares, counts, sizes, and selectors that were made by hand.
    /// A command that was read by [`Command::parse`] has passed; one that came through serde has not.
    ///
    /// # Errors
    /// In words: which number is out of which bounds.
    pub fn validate(&self) -> Result<(), CommandError> {
        for selector in self.selectors() {
            Selector::parse(&selector.0)?;
        }
        match self {
            Command::Slow(_, factor) if !(1.0..=LARGEST_FACTOR).contains(factor) => Err(refused(format!(
                "the factor of `slow` is from 1 to 1,000, not {factor}"
            ))),
            Command::Delay(_, delay) if *delay > LONGEST_DELAY => Err(refused(format!(
                "a delay is at most 60s, not {}",
                duration::format(*delay)
            ))),
            Command::Drop(_, share) if !(0.0..=1.0).contains(share) => {
                Err(refused(format!("the share of `drop` is from 0% to 100%, not {share}")))
            }
            Command::Surge(_, factor) if !(0.0..=LARGEST_FACTOR).contains(factor) => Err(refused(format!(
                "the factor of `surge` is from 0 to 1,000, not {factor}"
            ))),
            Command::Scale(_, count) if !(1..=MOST_MACHINES).contains(count) => Err(refused(format!(
                "a service has from 1 to 100,000 machines, not {count}"
            ))),
            Command::Resize(_, size) if Size::named(size).is_none() => {
                let known = suggestion(size, SIZES.iter().map(|size| size.name));
                Err(refused(format!("unknown size `{}`{known}", shown(size))))
            }
            Command::Set(_, setting) => setting.validate(),
            Command::Add(_, service) => {
                if service.len() > LONGEST_SERVICE || printable(service) != *service {
                    return Err(refused("a service is said in at most 4,000 signs that can be seen"));
                }
                service_text(service).map(drop).map_err(CommandError)
            }
            Command::Revoke(_, share) if !(0.0..=1.0).contains(share) => Err(refused(format!(
                "the share of `revoke` is from 0% to 100%, not {share}"
            ))),
            Command::Skew(_, seconds) if !(-skew::MOST..=skew::MOST).contains(seconds) => Err(refused(format!(
                "a clock is off by at most 24h either way, not by {seconds}s"
            ))),
            other => words::validate(other),
        }
    }

    /// The selectors in it, those of both ends of a link among them.
    pub(super) fn selectors(&self) -> Vec<&Selector> {
        match self {
            Command::Kill(target)
            | Command::Destroy(target)
            | Command::Mend(target)
            | Command::Hang(target)
            | Command::Slow(target, _)
            | Command::Surge(Some(target), _)
            | Command::Scale(target, _)
            | Command::Resize(target, _)
            | Command::Balance(target, _)
            | Command::Set(target, _)
            | Command::Revoke(target, _)
            | Command::Promote(target)
            | Command::Recover(target)
            | Command::Replicate(target)
            | Command::Shard(target)
            | Command::Skew(target, _)
            | Command::Flush(target)
            | Command::Purge(target, _)
            | Command::Poison(target)
            | Command::Redrive(target)
            | Command::Evacuate(target)
            | Command::Reopen(target)
            | Command::Fail(target, ..)
            | Command::Leak(target, _)
            | Command::Disk(target, _)
            | Command::Isolate(target)
            | Command::Outage(target)
            | Command::Mislead(target)
            | Command::Expire(Some(target))
            | Command::Add(target, _)
            | Command::Remove(target)
            | Command::Close(target) => vec![target],
            Command::Connect(from, to) | Command::Disconnect(from, to) => vec![from, to],
            Command::Cut(link)
            | Command::Delay(link, _)
            | Command::Drop(link, _)
            | Command::Bandwidth(link, _)
            | Command::Join(link) => {
                vec![&link.from, &link.to]
            }
            Command::Inject(injection) => injection.selectors(),
            Command::For(command, _) => command.selectors(),
            Command::Chaos(chaos) => chaos.iter().filter_map(|chaos| chaos.scope.as_ref()).collect(),
            Command::MendAll | Command::Surge(None, _) | Command::Expire(None) | Command::Deploy => Vec::new(),
        }
    }
}

fn refused(message: impl Into<String>) -> CommandError {
    CommandError(message.into())
}

fn wrong_words(verb: &Verb) -> CommandError {
    refused(format!(
        "`{}` is written `{}`, for example `{}`",
        verb.name, verb.usage, verb.example
    ))
}

/// The verb that was probably meant, or else all of them, none left out.
fn known_verbs(verb: &str) -> String {
    let names: Vec<&str> = VERBS.iter().map(|known| known.name).collect();
    let faults = FAULTS.iter().map(|fault| fault.name);
    match closest(verb, names.iter().copied().chain(faults)) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => format!("; there are {}", names.join(", ")),
    }
}

fn link(words: &[&str]) -> Result<LinkSelector, CommandError> {
    LinkSelector::parse(&words.join(" "))
}

/// The ends of an arrow that points one way.
fn one_way(words: &[&str]) -> Result<(Selector, Selector), CommandError> {
    let link = link(words)?;
    if link.both {
        return Err(refused("one calls the other: write `web -> db`"));
    }
    Ok((link.from, link.to))
}

/// A factor, with or without the `x` that people write in front: `2`, `x2`.
fn factor(word: &str) -> Result<f64, CommandError> {
    let number = word.strip_prefix('x').unwrap_or(word);
    number
        .parse()
        .map_err(|_| refused(format!("expected a factor such as 2 or 0.5, found `{}`", shown(word))))
}

fn share(word: &str) -> Result<f64, CommandError> {
    parse_share(word).ok_or_else(|| refused(format!("expected a share such as 5% or 0.05, found `{}`", shown(word))))
}

fn row(word: &str) -> Result<u64, CommandError> {
    let plain = word.bytes().all(|b| b.is_ascii_digit());
    let number = word.parse().ok().filter(|_| plain);
    number.ok_or_else(|| {
        refused(format!(
            "expected the number of a row or a file such as 42, found `{}`; to forget all: `flush`",
            shown(word)
        ))
    })
}

fn machines(word: &str) -> Result<u32, CommandError> {
    word.parse().map_err(|_| {
        refused(format!(
            "expected a number of machines such as 4, found `{}`",
            shown(word)
        ))
    })
}

fn balance(word: &str) -> Result<Balance, CommandError> {
    let known = BALANCES.iter().find(|(name, _)| *name == word);
    known.map(|(_, balance)| *balance).ok_or_else(|| {
        let known = suggestion(word, BALANCES.iter().map(|(name, _)| *name));
        refused(format!("unknown way to balance `{}`{known}", shown(word)))
    })
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Kill(target) => write!(f, "kill {target}"),
            Command::Destroy(target) => write!(f, "destroy {target}"),
            Command::Mend(target) => write!(f, "mend {target}"),
            Command::MendAll => f.write_str("mend all"),
            Command::Flush(target) => write!(f, "flush {target}"),
            Command::Purge(target, key) => write!(f, "purge {target} {key}"),
            Command::Deploy => f.write_str("deploy"),
            Command::Hang(target) => write!(f, "hang {target}"),
            Command::Slow(target, factor) => write!(f, "slow {target} {factor}"),
            Command::Cut(link) => write!(f, "cut {link}"),
            Command::Delay(link, delay) => write!(f, "delay {link} {}", duration::format(*delay)),
            Command::Drop(link, share) => write!(f, "drop {link} {}", percent(*share)),
            Command::Join(link) => write!(f, "join {link}"),
            Command::Surge(None, factor) => write!(f, "surge {factor}"),
            Command::Surge(Some(users), factor) => write!(f, "surge {users} {factor}"),
            Command::Scale(service, count) => write!(f, "scale {service} {count}"),
            Command::Resize(target, size) => write!(f, "resize {target} {size}"),
            Command::Balance(balancer, how) => {
                let name = BALANCES
                    .iter()
                    .find(|(_, balance)| balance == how)
                    .map_or("", |(name, _)| name);
                write!(f, "balance {balancer} {name}")
            }
            Command::Set(target, setting) => write!(f, "set {target} {setting}"),
            #[allow(clippy::float_cmp, reason = "all of them is said by exactly 1")]
            Command::Revoke(users, share) if *share == 1.0 => write!(f, "revoke {users}"),
            Command::Revoke(users, share) => write!(f, "revoke {users} {}", percent(*share)),
            Command::Promote(node) => write!(f, "promote {node}"),
            Command::Recover(node) => write!(f, "recover {node}"),
            Command::Replicate(database) => write!(f, "replicate {database}"),
            Command::Shard(database) => write!(f, "shard {database}"),
            Command::Skew(node, seconds) => write!(f, "skew {node} {}", skew::format(*seconds)),
            Command::Poison(queue) => write!(f, "poison {queue}"),
            Command::Redrive(queue) => write!(f, "redrive {queue}"),
            Command::Evacuate(site) => write!(f, "evacuate {site}"),
            Command::Reopen(site) => write!(f, "reopen {site}"),
            Command::Close(node) => write!(f, "close {node}"),
            Command::Bandwidth(link, rate) => write!(f, "bandwidth {link} {}", Quantity::Rate.format(*rate)),
            Command::Isolate(target) => write!(f, "isolate {target}"),
            Command::Outage(target) => write!(f, "outage {target}"),
            Command::Fail(target, share, flaw) => write!(f, "fail {target} {}{flaw}", percent(*share)),
            Command::Leak(target, share) => write!(f, "leak {target} {}", percent(*share)),
            Command::Disk(target, trouble) => write!(f, "disk {target} {trouble}"),
            Command::Mislead(target) => write!(f, "mislead {target}"),
            Command::Expire(None) => f.write_str("expire all"),
            Command::Expire(Some(target)) => write!(f, "expire {target}"),
            Command::Inject(injection) => injection.fmt(f),
            Command::For(command, time) => write!(f, "{command} for {}", duration::format(*time)),
            Command::Add(name, service) => write!(f, "add {name} {service}"),
            Command::Remove(service) => write!(f, "remove {service}"),
            Command::Connect(from, to) => write!(f, "connect {from} -> {to}"),
            Command::Disconnect(from, to) => write!(f, "disconnect {from} -> {to}"),
            Command::Chaos(None) => f.write_str("chaos off"),
            Command::Chaos(Some(chaos)) => write!(f, "chaos {chaos}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands of every verb with numbers of every kind.
    fn commands() -> Vec<Command> {
        let mut commands = vec![Command::MendAll];
        let targets =
            ["web", "web/1", "us-east/web/2", "*/web", "us-east", "größe"].map(|text| Selector(text.to_owned()));
        for (index, target) in targets.iter().enumerate() {
            let link = LinkSelector {
                from: target.clone(),
                to: targets[(index + 1) % targets.len()].clone(),
                both: index % 2 == 0,
            };
            let target = || target.clone();
            commands.extend([
                Command::Kill(target()),
                Command::Destroy(target()),
                Command::Mend(target()),
            ]);
            commands.extend([
                Command::Hang(target()),
                Command::Cut(link.clone()),
                Command::Join(link.clone()),
            ]);
            commands.extend([
                Command::Promote(target()),
                Command::Recover(target()),
                Command::Replicate(target()),
                Command::Shard(target()),
                Command::Close(target()),
                Command::Poison(target()),
                Command::Redrive(target()),
                Command::Evacuate(target()),
                Command::Reopen(target()),
                Command::Skew(target(), 86_400.0),
            ]);
            for step in 0..500_u32 {
                let share = f64::from(step) / 499.0;
                let nanos = u64::from(step) * 119_760_479;
                commands.push(Command::Slow(target(), 1.0 + 999.0 * share));
                commands.push(Command::Drop(link.clone(), share));
                commands.push(Command::Delay(link.clone(), Duration::from_nanos(nanos)));
                commands.push(Command::Surge(None, 1_000.0 * share * share));
                commands.push(Command::Surge(Some(target()), share / 3.0));
                commands.push(Command::Scale(target(), 1 + step * 200));
                commands.push(Command::Revoke(target(), share));
                // Of whole nanoseconds, and of any number of seconds.
                commands.push(Command::Skew(target(), (f64::from(step) - 250.0) / 1e3));
                commands.push(Command::Skew(target(), 86_400.0 * (1.0 - 2.0 * share)));
            }
            commands.extend(SIZES.map(|size| Command::Resize(target(), size.name.to_owned())));
            commands.extend(BALANCES.map(|(_, balance)| Command::Balance(target(), balance)));
        }
        commands
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_command() {
        for command in commands() {
            let text = command.to_string();
            assert_eq!(Command::parse(&text).as_ref(), Ok(&command), "{text}");
        }
    }

    #[test]
    fn commands_pass_through_ron_and_json_unchanged() {
        for command in commands() {
            let ron = ron::to_string(&command).unwrap();
            assert_eq!(ron::from_str::<Command>(&ron).as_ref(), Ok(&command), "{ron}");
            let json = serde_json::to_string(&command).unwrap();
            // serde_json reads floats to within one unit in the last place.
            let back: Command = serde_json::from_str(&json).unwrap();
            assert_eq!(
                std::mem::discriminant(&back),
                std::mem::discriminant(&command),
                "{json}"
            );
        }
        let cut = Command::parse("cut web <-> db").unwrap();
        assert_eq!(ron::to_string(&cut).unwrap(), "Cut(\"web <-> db\")");
    }

    #[test]
    fn every_verb_has_an_example_that_is_read() {
        for verb in VERBS {
            assert_eq!(Command::parse(verb.example).unwrap().to_string(), verb.example);
            assert!(verb.usage.starts_with(verb.name));
            // What stands alone has a word too many here.
            let wrong = if verb.usage == verb.name {
                format!("{} all", verb.name)
            } else {
                verb.name.to_owned()
            };
            let error = Command::parse(&wrong).unwrap_err();
            assert_eq!(
                error.0,
                format!(
                    "`{}` is written `{}`, for example `{}`",
                    verb.name, verb.usage, verb.example
                )
            );
        }
    }

    #[test]
    fn words_and_blanks_are_forgiven_where_no_doubt_is_left() {
        for (typed, meant) in [
            ("  kill   web/1 ", "kill web/1"),
            ("cut web->db", "cut web -> db"),
            ("drop web <-> db 0.05", "drop web <-> db 5%"),
            ("delay web->db 0.1s", "delay web -> db 100ms"),
            ("slow db x10", "slow db 10"),
            ("surge x2", "surge 2"),
            ("surge people x0.5", "surge people 0.5"),
            ("revoke people 0.5", "revoke people 50%"),
            ("revoke people 100%", "revoke people"),
            ("skew db/2 +0.3s", "skew db/2 300ms"),
            ("skew db/2 -90s", "skew db/2 -90s"),
            ("skew db/2 -120s", "skew db/2 -2m"),
            ("skew db/2 -0s", "skew db/2 0s"),
        ] {
            assert_eq!(Command::parse(typed).unwrap().to_string(), meant);
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_was_meant() {
        for (text, message) in [
            ("", "a command is missing; write for example `kill web/1`"),
            ("kil web", "unknown command `kil`; did you mean `kill`?"),
            (
                "\u{1b}[2J",
                "unknown command `\\u{1b}[2J`; there are kill, destroy, mend, hang, slow, cut, delay, drop, join, surge, \
                 scale, resize, balance, set, revoke, promote, recover, replicate, shard, skew, flush, purge, \
                 deploy, poison, redrive, evacuate, reopen, close, bandwidth, isolate, outage, fail, leak, disk, mislead, expire, chaos",
            ),
            ("kill web db", "`kill` is written `kill TARGET`"),
            ("purge cdn", "`purge` is written `purge TARGET NUMBER`"),
            (
                "purge cdn all",
                "expected the number of a row or a file such as 42, found `all`; to forget all: `flush`",
            ),
            ("kill a//b", "`a//b` is not a selector: a part of it is empty"),
            ("kill all", "`all` is not a selector: only `mend` and `expire` take it"),
            ("slow db", "`slow` is written `slow TARGET FACTOR`"),
            ("slow db fast", "expected a factor such as 2 or 0.5, found `fast`"),
            ("slow db x", "expected a factor such as 2 or 0.5, found `x`"),
            ("slow db xx2", "expected a factor such as 2 or 0.5, found `xx2`"),
            ("slow db 0.5", "the factor of `slow` is from 1 to 1,000, not 0.5"),
            ("slow db NaN", "the factor of `slow` is from 1 to 1,000, not NaN"),
            (
                "cut web db",
                "`web db` names no link; write `web -> db` (one way) or `web <-> db`",
            ),
            ("delay web -> db 2m", "a delay is at most 60s, not 2m"),
            ("delay web -> db", "`db` is not a duration"),
            (
                "drop web -> db 101%",
                "the share of `drop` is from 0% to 100%, not 1.01",
            ),
            (
                "drop web -> db much",
                "expected a share such as 5% or 0.05, found `much`",
            ),
            ("surge -1", "the factor of `surge` is from 0 to 1,000, not -1"),
            ("surge inf", "the factor of `surge` is from 0 to 1,000, not inf"),
            ("scale web 0", "a service has from 1 to 100,000 machines, not 0"),
            (
                "scale web many",
                "expected a number of machines such as 4, found `many`",
            ),
            ("resize web xxl", "unknown size `xxl`; did you mean `xl`?"),
            (
                "revoke people 101%",
                "the share of `revoke` is from 0% to 100%, not 1.01",
            ),
            (
                "promote",
                "`promote` is written `promote NODE`, for example `promote db/2`",
            ),
            ("promote db/2 db/3", "`promote` is written `promote NODE`"),
            (
                "skew db/2",
                "`skew` is written `skew NODE TIME`, for example `skew db/2 5s`",
            ),
            (
                "skew db/2 soon",
                "expected a time, forward or back, as in 5s or -300ms, found `soon`",
            ),
            (
                "skew db/2 5",
                "expected a time, forward or back, as in 5s or -300ms, found `5`",
            ),
            (
                "skew db/2 --5s",
                "expected a time, forward or back, as in 5s or -300ms, found `--5s`",
            ),
            (
                "skew db/2 25h",
                "a clock is off by at most 24h either way, not by 90000s",
            ),
            (
                "skew db/2 -25h",
                "a clock is off by at most 24h either way, not by -90000s",
            ),
            (
                "balance lb consistenthash",
                "unknown way to balance `consistenthash`; did you mean `consistent-hash`?",
            ),
            (
                "balance lb roundrobin",
                "unknown way to balance `roundrobin`; did you mean `round-robin`?",
            ),
        ] {
            let error = Command::parse(text).expect_err(text);
            assert!(error.0.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
        }
    }

    #[test]
    fn commands_made_by_hand_are_checked() {
        let selector = |text: &str| Selector(text.to_owned());
        assert!(Command::Kill(selector("a b")).validate().is_err());
        assert!(Command::Slow(selector("a"), f64::NAN).validate().is_err());
        assert!(Command::Resize(selector("a"), "huge".to_owned()).validate().is_err());
        assert!(Command::Skew(selector("a"), f64::NAN).validate().is_err());
        assert!(Command::Skew(selector("a"), -86_401.0).validate().is_err());
        assert_eq!(
            ron::from_str("Skew(\"db/2\", -5)"),
            Command::parse("skew db/2 -5s").map_err(|_| unreachable!())
        );
        assert!(ron::from_str::<Command>("Kill(\"a\\u{1b}\")").is_err());
    }
}
