//! Settings in words: `retries 3`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use super::asked;
use super::model::CommandError;
use super::routing;
use super::selector::shown;
use super::setting::Setting;
use super::settings::{SETTINGS, SettingInfo, named};
use crate::layout::{
    Delivery, Evict, Fallback, Invalidate, Mode, Reads, Room, Rule, Sessions, Strategy, Target, bounds, bytes, closest,
    duration, longest_block, outbox_room, parse_share, percent, printable,
};

const MODES: [(&str, Mode); 4] = [
    ("asynchronous", Mode::Asynchronous),
    ("semi-synchronous", Mode::SemiSynchronous),
    ("synchronous", Mode::Synchronous),
    ("quorum", Mode::Quorum),
];
const READS: [(&str, Reads); 3] = [
    ("replicas", Reads::Replicas),
    ("primary", Reads::Primary),
    ("any", Reads::Any),
];
/// All but the one by data centers, which has their names behind it.
const RULES: [(&str, Rule); 5] = [
    ("last-write-wins", Rule::LastWriteWins),
    ("hybrid-clocks", Rule::HybridClocks),
    ("highest-value", Rule::HighestValue),
    ("merge-sets", Rule::MergeSets),
    ("keep-both", Rule::KeepBoth),
];
const INVALIDATIONS: [(&str, Invalidate); 3] = [
    ("delete", Invalidate::Delete),
    ("update", Invalidate::Update),
    ("never", Invalidate::Never),
];
/// In front of the number of messages that an autoscaler holds.
const DEPTH: &str = "depth:";
const DELIVERIES: [(&str, Delivery); 3] = [
    ("at-most-once", Delivery::AtMostOnce),
    ("at-least-once", Delivery::AtLeastOnce),
    ("effectively-once", Delivery::EffectivelyOnce),
];
/// All but the one with a time behind it.
const STRATEGIES: [(&str, Strategy); 3] = [
    ("aside", Strategy::Aside),
    ("read-through", Strategy::ReadThrough),
    ("write-through", Strategy::WriteThrough),
];
const WRITE_BEHIND: &str = "write-behind";
/// How long a write waits if nobody says so.
const WRITE_AFTER: std::time::Duration = std::time::Duration::from_secs(1);
const SITE_PRIORITY: &str = "site-priority";

impl Setting {
    /// Reads the words behind `set TARGET`: the name of a setting and its value. What [`Display`](fmt::Display) writes, it reads
    /// back as the same setting.
    ///
    /// # Errors
    /// In words: an unknown setting, no value or too many, a value that it does not take.
    pub fn parse(words: &[&str]) -> Result<Setting, CommandError> {
        let Some((name, values)) = words.split_first() else {
            return Err(refused(format!("the name of a setting is missing{}", known(""))));
        };
        let Some(info) = named(name) else {
            return Err(refused(format!("unknown setting `{}`{}", shown(name), known(name))));
        };
        let [value] = values else {
            let (usage, example) = (info.usage, info.example);
            return Err(refused(format!(
                "`{name}` is written `{usage}`, for example `{example}`"
            )));
        };
        let setting = read(info, value)?;
        setting.validate()?;
        Ok(setting)
    }

    /// Its name: `retries`.
    pub fn name(&self) -> &'static str {
        match self {
            Setting::Sessions(_) => "sessions",
            Setting::Sticky(_) => "sticky",
            Setting::Timeout(_) => "timeout",
            Setting::Retries(_) => "retries",
            Setting::RetryWrites(_) => "retry-writes",
            Setting::Budget(_) => "budget",
            Setting::Breaker(_) => "breaker",
            Setting::Hedge(_) => "hedge",
            Setting::Connections(_) => "connections",
            Setting::RateLimit(_) => "rate-limit",
            Setting::Shed(_) => "shed",
            Setting::CheckEvery(_) => "check-every",
            Setting::DownAfter(_) => "down-after",
            Setting::Outlier(_) => "outlier",
            Setting::SlowStart(_) => "slow-start",
            Setting::Ttl(_) => "ttl",
            Setting::Autoscaler(_) => "autoscaler",
            Setting::Min(_) => "min",
            Setting::Max(_) => "max",
            Setting::Target(_) => "target",
            Setting::Mode(_) => "mode",
            Setting::Reads(_) => "reads",
            Setting::ReadYourWrites(_) => "read-your-writes",
            Setting::Failover(_) => "failover",
            Setting::Fencing(_) => "fencing",
            Setting::Recovery(_) => "recovery",
            Setting::Replace(_) => "replace",
            Setting::Rule(_) => "rule",
            Setting::Close(_) => "close",
            Setting::CopyRate(_) => "copy-rate",
            Setting::Hot(_) => "hot",
            Setting::Asks(_) => "asks",
            Setting::Evict(_) => "evict",
            Setting::Room(Room::Items(_)) => "items",
            Setting::Room(Room::Bytes(_)) => "bytes",
            Setting::Jitter(_) => "jitter",
            Setting::Strategy(_) => "strategy",
            Setting::Invalidate(_) => "invalidate",
            Setting::SingleFlight(_) => "single-flight",
            Setting::RefreshAhead(_) => "refresh-ahead",
            Setting::Early(_) => "early",
            Setting::Negative(_) => "negative",
            Setting::Near(_) => "near",
            Setting::Rehash(_) => "rehash",
            Setting::Pages(_) => "pages",
            Setting::StaleWhileRevalidate(_) => "stale-while-revalidate",
            Setting::StaleIfError(_) => "stale-if-error",
            Setting::NextEdge(_) => "next-edge",
            Setting::Standby(_) => "standby",
            Setting::Weight(_) => "weight",
            Setting::Visibility(_) => "visibility",
            Setting::Attempts(_) => "attempts",
            Setting::Delay(_) => "delay",
            Setting::Retention(_) => "retention",
            Setting::Messages(_) => "messages",
            Setting::Prefetch(_) => "prefetch",
            Setting::Delivery(_) => "delivery",
            Setting::Fails(_) => "fails",
            Setting::Confirm(_) => "confirm",
            Setting::Fallback(_) => "fallback",
            Setting::OriginFallback(_) => "origin-fallback",
            Setting::Routing(_) => "routing",
        }
    }

    /// The kinds of services that have it, as in [`SettingInfo::kinds`].
    pub fn kinds(&self) -> &'static [&'static str] {
        named(self.name()).map_or(&[], |info| info.kinds)
    }

    /// Checks the bounds that hold in every world, which are those of the layout.
    ///
    /// # Errors
    /// In words: what is out of which bounds.
    pub(super) fn validate(&self) -> Result<(), CommandError> {
        let checked = match self {
            Setting::Sessions(Sessions::Store(name)) => return bounds::name(name).map_err(refused),
            Setting::Sticky(Some(cookie)) => return bounds::cookie(cookie).map_err(refused),
            Setting::Rule(Rule::SitePriority(sites)) => return order(sites).map_err(refused),
            Setting::Routing(policy) => routing::check(policy),
            Setting::Asks(asks) => asked::check(asks),
            Setting::Timeout(time)
            | Setting::CheckEvery(time)
            | Setting::Hedge(Some(time))
            | Setting::Shed(Some(time))
            | Setting::Replace(Some(time))
            | Setting::Negative(Some(time))
            | Setting::Near(Some(time))
            | Setting::Pages(Some(time))
            | Setting::Visibility(time)
            | Setting::Retention(Some(time))
            | Setting::Strategy(Strategy::WriteBehind { after: time })
            | Setting::Close(Some(time)) => bounds::interval(*time),
            Setting::Failover(Some(time)) => bounds::lease(*time),
            Setting::CopyRate(rate) => bounds::number(*rate, &bounds::COPY_RATE),
            Setting::Hot(share) | Setting::Jitter(share) | Setting::Fails(share) => {
                bounds::number(*share, &bounds::SHARE)
            }
            Setting::Attempts(Some(count)) => bounds::whole(*count, &bounds::ATTEMPTS),
            Setting::Messages(count) => bounds::whole(*count, &bounds::MESSAGES),
            Setting::Prefetch(count) => bounds::whole(*count, &(1..=bounds::MOST_PREFETCH)),
            Setting::Fallback(fallback) => bounds::fallback(*fallback),
            Setting::Room(room) => bounds::room(*room),
            Setting::RefreshAhead(Some(share)) => bounds::refresh_ahead(*share),
            Setting::Early(Some(beta)) => bounds::positive(*beta, bounds::MOST_BETA),
            Setting::Weight(weight) => bounds::positive(*weight, bounds::MOST_WEIGHT),
            Setting::SlowStart(time)
            | Setting::Ttl(time)
            | Setting::Delay(time)
            | Setting::StaleWhileRevalidate(time)
            | Setting::StaleIfError(time) => bounds::span(*time),
            Setting::Retries(count) => bounds::whole(*count, &bounds::RETRIES),
            Setting::Budget(Some(share)) => bounds::number(*share, &bounds::BUDGET),
            Setting::Connections(Some(count)) => bounds::whole(*count, &bounds::CONNECTIONS),
            Setting::RateLimit(Some(rate)) => bounds::positive(*rate, bounds::MOST_RATE),
            Setting::DownAfter(count) => bounds::whole(*count, &bounds::IN_A_ROW),
            // Of workers there may be none.
            Setting::Min(count) => bounds::whole(*count, &(0..=bounds::MOST_MACHINES)),
            Setting::Max(count) => bounds::whole(*count, &(1..=bounds::MOST_MACHINES)),
            Setting::Target(target) => bounds::target(*target),
            Setting::Sessions(Sessions::Off | Sessions::Local | Sessions::Token)
            | Setting::Sticky(None)
            | Setting::RetryWrites(_)
            | Setting::Budget(None)
            | Setting::Breaker(_)
            | Setting::Hedge(None)
            | Setting::Connections(None)
            | Setting::RateLimit(None)
            | Setting::Shed(None)
            | Setting::Outlier(_)
            | Setting::Autoscaler(_)
            | Setting::Mode(_)
            | Setting::Reads(_)
            | Setting::ReadYourWrites(_)
            | Setting::Failover(None)
            | Setting::Fencing(_)
            | Setting::Recovery(_)
            | Setting::Replace(None)
            | Setting::Rule(_)
            | Setting::Evict(_)
            | Setting::Strategy(_)
            | Setting::Invalidate(_)
            | Setting::SingleFlight(_)
            | Setting::RefreshAhead(None)
            | Setting::Early(None)
            | Setting::Negative(None)
            | Setting::Near(None)
            | Setting::Rehash(_)
            | Setting::Pages(None)
            | Setting::NextEdge(_)
            | Setting::Standby(_)
            | Setting::OriginFallback(_)
            | Setting::Attempts(None)
            | Setting::Retention(None)
            | Setting::Delivery(_)
            | Setting::Confirm(_)
            | Setting::Close(None) => Ok(()),
        };
        checked.map_err(|why| refused(format!("`{}` {why}", self.name())))
    }
}

/// Data centers in the order in which they win. A comma separates them in words.
fn order(sites: &[String]) -> Result<(), String> {
    for (index, site) in sites.iter().enumerate() {
        bounds::name(site)?;
        if site.contains(',') {
            let site = printable(site);
            return Err(format!(
                "\"{site}\" can't be named here: a comma separates data centers"
            ));
        }
        if sites[..index].contains(site) {
            return Err(format!("`rule` names {site} twice"));
        }
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> CommandError {
    CommandError(message.into())
}

/// What is changed in another way, by the words that one may try, and that way.
const OTHERWISE: &[(&[&str], &str)] = &[
    (
        &["ask", "mix", "uploads"],
        "what users ask for is set by `set people asks page=80,upload=5`, how much of it by `surge people 2`, and `set people hot 20%` sends a share of it to one row",
    ),
    (
        &["traffic", "users"],
        "how much users ask changes by `surge people 2`; how many they are stands in the layout",
    ),
    (
        &["machines", "instances", "scale"],
        "machines are counted by `scale web 4`",
    ),
    (&["size", "cores"], "machines change their size by `resize web xl`"),
    (&["balance"], "a balancer chooses otherwise by `balance lb round-robin`"),
];

/// How that is changed which is no setting, or the setting that was probably meant, or else all of them, none left out.
fn known(name: &str) -> String {
    if let Some((_, way)) = OTHERWISE.iter().find(|(words, _)| words.contains(&name)) {
        return format!(": {way}");
    }
    let names: Vec<&str> = SETTINGS.iter().map(|known| known.name).collect();
    // Of a name with several parts, one may be all that is remembered.
    let mut meant = names.clone();
    meant.retain(|known| known.split('-').any(|part| part == name));
    let near = closest(name, names.iter().copied());
    let begin_alike = |near: &&str| name.get(..3).is_some_and(|start| near.starts_with(start));
    let near = near.filter(|near| meant.is_empty() || begin_alike(near) && !meant.contains(near));
    meant.extend(near);
    if meant.is_empty() {
        return format!("; there are {}", names.join(", "));
    }
    format!("; did you mean `{}`?", meant.join("` or `"))
}

fn read(info: &SettingInfo, value: &str) -> Result<Setting, CommandError> {
    // What the setting takes, for the one who wrote something else.
    let wrong = || {
        let (name, example) = (info.name, info.example);
        let takes = info.usage[name.len()..].trim_start();
        refused(format!(
            "`{name}` takes {takes}, as in `{example}`; found `{}`",
            shown(value)
        ))
    };
    let time = || duration::parse(value).map_err(refused);
    let time_or_off = || if value == "off" { Ok(None) } else { time().map(Some) };
    Ok(match info.name {
        "sessions" => Setting::Sessions(sessions(value).ok_or_else(wrong)?),
        "sticky" => Setting::Sticky((value != "off").then(|| value.to_owned())),
        "timeout" => Setting::Timeout(time()?),
        "retries" => Setting::Retries(number(value).ok_or_else(wrong)?),
        "retry-writes" => Setting::RetryWrites(switch(value).ok_or_else(wrong)?),
        "budget" => Setting::Budget(or_off(value, parse_share).ok_or_else(wrong)?),
        "breaker" => Setting::Breaker(switch(value).ok_or_else(wrong)?),
        "hedge" => Setting::Hedge(time_or_off()?),
        "connections" => Setting::Connections(or_off(value, number).ok_or_else(wrong)?),
        "rate-limit" => Setting::RateLimit(or_off(value, rate).ok_or_else(wrong)?),
        "shed" => Setting::Shed(time_or_off()?),
        "check-every" => Setting::CheckEvery(time()?),
        "down-after" => Setting::DownAfter(number(value).ok_or_else(wrong)?),
        "outlier" => Setting::Outlier(switch(value).ok_or_else(wrong)?),
        "slow-start" => Setting::SlowStart(time()?),
        "ttl" => Setting::Ttl(time()?),
        "autoscaler" => Setting::Autoscaler(switch(value).ok_or_else(wrong)?),
        "min" => Setting::Min(number(value).ok_or_else(wrong)?),
        "max" => Setting::Max(number(value).ok_or_else(wrong)?),
        "target" => Setting::Target(target(value).ok_or_else(wrong)?),
        "mode" => Setting::Mode(one_of(&MODES, value).ok_or_else(wrong)?),
        "reads" => Setting::Reads(one_of(&READS, value).ok_or_else(wrong)?),
        "read-your-writes" => Setting::ReadYourWrites(switch(value).ok_or_else(wrong)?),
        "failover" => Setting::Failover(time_or_off()?),
        "fencing" => Setting::Fencing(switch(value).ok_or_else(wrong)?),
        "recovery" => Setting::Recovery(switch(value).ok_or_else(wrong)?),
        "replace" => Setting::Replace(time_or_off()?),
        "rule" => Setting::Rule(rule(value).ok_or_else(wrong)?),
        "close" => Setting::Close(time_or_off()?),
        "copy-rate" => Setting::CopyRate(rate(value).ok_or_else(wrong)?),
        "hot" => Setting::Hot(or_off(value, parse_share).ok_or_else(wrong)?.unwrap_or_default()),
        "jitter" => Setting::Jitter(or_off(value, parse_share).ok_or_else(wrong)?.unwrap_or_default()),
        "asks" => Setting::Asks(asked::parse(value).map_err(refused)?),
        "evict" => Setting::Evict(Evict::from_str(value).map_err(refused)?),
        "items" => Setting::Room(Room::Items(number(value).ok_or_else(wrong)?.into())),
        "bytes" => Setting::Room(Room::Bytes(bytes::parse(value).map_err(refused)?)),
        "strategy" => Setting::Strategy(strategy(value).ok_or_else(wrong)?),
        "invalidate" => Setting::Invalidate(one_of(&INVALIDATIONS, value).ok_or_else(wrong)?),
        "refresh-ahead" => Setting::RefreshAhead(or_off(value, parse_share).ok_or_else(wrong)?),
        "early" => Setting::Early(or_off(value, decimal).ok_or_else(wrong)?),
        "negative" => Setting::Negative(time_or_off()?),
        "near" => Setting::Near(time_or_off()?),
        "pages" => Setting::Pages(time_or_off()?),
        "stale-while-revalidate" => Setting::StaleWhileRevalidate(time_or_off()?.unwrap_or_default()),
        "stale-if-error" => Setting::StaleIfError(time_or_off()?.unwrap_or_default()),
        "weight" => Setting::Weight(decimal(value).ok_or_else(wrong)?),
        "single-flight" => Setting::SingleFlight(switch(value).ok_or_else(wrong)?),
        "rehash" => Setting::Rehash(switch(value).ok_or_else(wrong)?),
        "next-edge" => Setting::NextEdge(switch(value).ok_or_else(wrong)?),
        "standby" => Setting::Standby(switch(value).ok_or_else(wrong)?),
        "visibility" => Setting::Visibility(time()?),
        "attempts" => Setting::Attempts(or_off(value, number).ok_or_else(wrong)?),
        "delay" => Setting::Delay(time_or_off()?.unwrap_or_default()),
        "retention" => Setting::Retention(time_or_off()?),
        "messages" => Setting::Messages(number(value).ok_or_else(wrong)?.into()),
        "prefetch" => Setting::Prefetch(number(value).ok_or_else(wrong)?),
        "delivery" => Setting::Delivery(one_of(&DELIVERIES, value).ok_or_else(wrong)?),
        "fails" => Setting::Fails(or_off(value, parse_share).ok_or_else(wrong)?.unwrap_or_default()),
        "confirm" => Setting::Confirm(switch(value).ok_or_else(wrong)?),
        "fallback" => Setting::Fallback(fallback(value).ok_or_else(wrong)?),
        "routing" => Setting::Routing(routing::parse(value).ok_or_else(wrong)?),
        "origin-fallback" => Setting::OriginFallback(switch(value).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    })
}

fn sessions(value: &str) -> Option<Sessions> {
    match value {
        "off" => Some(Sessions::Off),
        "local" => Some(Sessions::Local),
        "token" => Some(Sessions::Token),
        _ => Some(Sessions::Store(value.strip_prefix("store:")?.to_owned())),
    }
}

fn fallback(value: &str) -> Option<Fallback> {
    let (name, more) = value
        .split_once(':')
        .map_or((value, None), |(name, more)| (name, Some(more)));
    Some(match (name, more) {
        ("refuse", None) => Fallback::Refuse,
        ("drop", None) => Fallback::Drop,
        ("block", None) => Fallback::Block {
            longest: longest_block(),
        },
        ("block", Some(time)) => Fallback::Block {
            longest: duration::parse(time).ok()?,
        },
        ("outbox", None) => Fallback::Outbox {
            messages: outbox_room(),
        },
        ("outbox", Some(messages)) => Fallback::Outbox {
            messages: number(messages)?,
        },
        _ => return None,
    })
}

fn switch(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// The value with this name.
fn one_of<T: Clone>(table: &[(&str, T)], value: &str) -> Option<T> {
    let known = table.iter().find(|(name, _)| *name == value)?;
    Some(known.1.clone())
}

/// The name of a value that the table has.
fn name_of<'a, T: PartialEq>(table: &[(&'a str, T)], value: &T) -> &'a str {
    let known = table.iter().find(|(_, known)| known == value);
    known.map_or("", |(name, _)| name)
}

fn rule(value: &str) -> Option<Rule> {
    let Some(order) = value.strip_prefix(SITE_PRIORITY) else {
        return one_of(&RULES, value);
    };
    let sites = match order.strip_prefix(':') {
        Some(sites) => sites.split(',').map(str::to_owned).collect(),
        None if order.is_empty() => Vec::new(),
        None => return None,
    };
    Some(Rule::SitePriority(sites))
}

fn strategy(value: &str) -> Option<Strategy> {
    let Some(after) = value.strip_prefix(WRITE_BEHIND) else {
        return one_of(&STRATEGIES, value);
    };
    let after = match after.strip_prefix(':') {
        Some(after) => duration::parse(after).ok()?,
        None if after.is_empty() => WRITE_AFTER,
        None => return None,
    };
    Some(Strategy::WriteBehind { after })
}

/// A whole number without a sign.
fn number(value: &str) -> Option<u32> {
    let plain = value.bytes().all(|b| b.is_ascii_digit());
    u32::from_str(value).ok().filter(|_| plain)
}

/// Requests a second, with or without `/s`.
fn rate(value: &str) -> Option<f64> {
    let value = value.strip_suffix("/s").unwrap_or(value);
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    f64::from_str(value).ok().filter(|_| plain)
}

/// A number without a sign.
fn decimal(value: &str) -> Option<f64> {
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    f64::from_str(value).ok().filter(|_| plain)
}

/// A rate has its `/s` here, a time its unit and a share its `%`; messages have a word in front.
fn target(value: &str) -> Option<Target> {
    if value.ends_with("/s") {
        return rate(value).map(Target::Requests);
    }
    if let Ok(age) = duration::parse(value) {
        return Some(Target::Age(age));
    }
    if let Some(messages) = value.strip_prefix(DEPTH) {
        return decimal(messages).map(Target::Depth);
    }
    parse_share(value).map(Target::Utilisation)
}

/// `Some(None)` for `off`.
#[allow(clippy::option_option, reason = "`None` is for what is no value at all")]
fn or_off<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    match value {
        "off" => Some(None),
        _ => read(value).map(Some),
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name())?;
        let or_off = |f: &mut fmt::Formatter<'_>, value: Option<String>| f.write_str(value.as_deref().unwrap_or("off"));
        match self {
            Setting::Sessions(sessions) => match sessions {
                Sessions::Off => f.write_str("off"),
                Sessions::Local => f.write_str("local"),
                Sessions::Store(name) => write!(f, "store:{name}"),
                Sessions::Token => f.write_str("token"),
            },
            Setting::Sticky(cookie) => or_off(f, cookie.clone()),
            Setting::StaleWhileRevalidate(time) | Setting::StaleIfError(time) | Setting::Delay(time) => {
                or_off(f, (!time.is_zero()).then(|| duration::format(*time)))
            }
            Setting::Timeout(time)
            | Setting::CheckEvery(time)
            | Setting::SlowStart(time)
            | Setting::Visibility(time)
            | Setting::Ttl(time) => f.write_str(&duration::format(*time)),
            Setting::Retries(count)
            | Setting::DownAfter(count)
            | Setting::Prefetch(count)
            | Setting::Min(count)
            | Setting::Max(count) => write!(f, "{count}"),
            Setting::Messages(count) => write!(f, "{count}"),
            Setting::Delivery(delivery) => f.write_str(name_of(&DELIVERIES, delivery)),
            Setting::Fallback(fallback) => match fallback {
                Fallback::Refuse => f.write_str("refuse"),
                Fallback::Drop => f.write_str("drop"),
                Fallback::Block { longest } => write!(f, "block:{}", duration::format(*longest)),
                Fallback::Outbox { messages } => write!(f, "outbox:{messages}"),
            },
            Setting::RetryWrites(on)
            | Setting::Breaker(on)
            | Setting::Outlier(on)
            | Setting::Autoscaler(on)
            | Setting::ReadYourWrites(on)
            | Setting::Fencing(on)
            | Setting::SingleFlight(on)
            | Setting::Rehash(on)
            | Setting::NextEdge(on)
            | Setting::Standby(on)
            | Setting::OriginFallback(on)
            | Setting::Confirm(on)
            | Setting::Recovery(on) => f.write_str(if *on { "on" } else { "off" }),
            Setting::Budget(share) | Setting::RefreshAhead(share) => or_off(f, share.map(percent)),
            Setting::Hedge(time)
            | Setting::Shed(time)
            | Setting::Failover(time)
            | Setting::Replace(time)
            | Setting::Negative(time)
            | Setting::Near(time)
            | Setting::Pages(time)
            | Setting::Retention(time)
            | Setting::Close(time) => or_off(f, time.map(duration::format)),
            Setting::Connections(count) | Setting::Attempts(count) => or_off(f, count.map(|count| count.to_string())),
            Setting::RateLimit(rate) => or_off(f, rate.map(|rate| rate.to_string())),
            Setting::Target(Target::Utilisation(share)) => f.write_str(&percent(*share)),
            Setting::Target(Target::Requests(rate)) => write!(f, "{rate}/s"),
            Setting::Target(Target::Depth(messages)) => write!(f, "{DEPTH}{messages}"),
            Setting::Target(Target::Age(age)) => f.write_str(&duration::format(*age)),
            Setting::Mode(mode) => f.write_str(name_of(&MODES, mode)),
            Setting::Reads(reads) => f.write_str(name_of(&READS, reads)),
            Setting::Rule(Rule::SitePriority(sites)) if sites.is_empty() => f.write_str(SITE_PRIORITY),
            Setting::Rule(Rule::SitePriority(sites)) => write!(f, "{SITE_PRIORITY}:{}", sites.join(",")),
            Setting::Rule(rule) => f.write_str(name_of(&RULES, rule)),
            Setting::Routing(policy) => f.write_str(&routing::write(policy)),
            Setting::Asks(asks) => f.write_str(&asked::write(asks)),
            Setting::CopyRate(rate) => write!(f, "{rate}"),
            Setting::Hot(share) | Setting::Jitter(share) | Setting::Fails(share) => {
                or_off(f, (*share > 0.0).then(|| percent(*share)))
            }
            Setting::Evict(evict) => write!(f, "{evict}"),
            Setting::Room(Room::Items(items)) => write!(f, "{items}"),
            Setting::Room(Room::Bytes(size)) => f.write_str(&bytes::format(*size)),
            Setting::Strategy(Strategy::WriteBehind { after }) => {
                write!(f, "{WRITE_BEHIND}:{}", duration::format(*after))
            }
            Setting::Strategy(strategy) => f.write_str(name_of(&STRATEGIES, strategy)),
            Setting::Invalidate(how) => f.write_str(name_of(&INVALIDATIONS, how)),
            Setting::Early(beta) => or_off(f, beta.map(|beta| beta.to_string())),
            Setting::Weight(weight) => write!(f, "{weight}"),
        }
    }
}
