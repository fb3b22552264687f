//! Settings in words: `retries 3`.

use std::fmt;
use std::str::FromStr;

use super::model::CommandError;
use super::selector::shown;
use super::setting::Setting;
use super::settings::{SETTINGS, SettingInfo, named};
use crate::layout::{Sessions, Target, bounds, closest, duration, parse_share, percent};

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
            Setting::Timeout(time)
            | Setting::CheckEvery(time)
            | Setting::Hedge(Some(time))
            | Setting::Shed(Some(time)) => bounds::interval(*time),
            Setting::SlowStart(time) | Setting::Ttl(time) => bounds::span(*time),
            Setting::Retries(count) => bounds::whole(*count, &bounds::RETRIES),
            Setting::Budget(Some(share)) => bounds::number(*share, &bounds::BUDGET),
            Setting::Connections(Some(count)) => bounds::whole(*count, &bounds::CONNECTIONS),
            Setting::RateLimit(Some(rate)) => bounds::positive(*rate, bounds::MOST_RATE),
            Setting::DownAfter(count) => bounds::whole(*count, &bounds::IN_A_ROW),
            Setting::Min(count) | Setting::Max(count) => bounds::whole(*count, &(1..=bounds::MOST_MACHINES)),
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
            | Setting::Autoscaler(_) => Ok(()),
        };
        checked.map_err(|why| refused(format!("`{}` {why}", self.name())))
    }
}

fn refused(message: impl Into<String>) -> CommandError {
    CommandError(message.into())
}

/// The setting that was probably meant, or else all of them, none left out.
fn known(name: &str) -> String {
    let names: Vec<&str> = SETTINGS.iter().map(|known| known.name).collect();
    match closest(name, names.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => format!("; there are {}", names.join(", ")),
    }
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
    Ok(match info.name {
        "sessions" => Setting::Sessions(sessions(value).ok_or_else(wrong)?),
        "sticky" => Setting::Sticky((value != "off").then(|| value.to_owned())),
        "timeout" => Setting::Timeout(time()?),
        "retries" => Setting::Retries(number(value).ok_or_else(wrong)?),
        "retry-writes" => Setting::RetryWrites(switch(value).ok_or_else(wrong)?),
        "budget" => Setting::Budget(or_off(value, parse_share).ok_or_else(wrong)?),
        "breaker" => Setting::Breaker(switch(value).ok_or_else(wrong)?),
        "hedge" if value != "off" => Setting::Hedge(Some(time()?)),
        "hedge" => Setting::Hedge(None),
        "connections" => Setting::Connections(or_off(value, number).ok_or_else(wrong)?),
        "rate-limit" => Setting::RateLimit(or_off(value, rate).ok_or_else(wrong)?),
        "shed" if value != "off" => Setting::Shed(Some(time()?)),
        "shed" => Setting::Shed(None),
        "check-every" => Setting::CheckEvery(time()?),
        "down-after" => Setting::DownAfter(number(value).ok_or_else(wrong)?),
        "outlier" => Setting::Outlier(switch(value).ok_or_else(wrong)?),
        "slow-start" => Setting::SlowStart(time()?),
        "ttl" => Setting::Ttl(time()?),
        "autoscaler" => Setting::Autoscaler(switch(value).ok_or_else(wrong)?),
        "min" => Setting::Min(number(value).ok_or_else(wrong)?),
        "max" => Setting::Max(number(value).ok_or_else(wrong)?),
        "target" => Setting::Target(target(value).ok_or_else(wrong)?),
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

fn switch(value: &str) -> Option<bool> {
    match value {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
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

/// A rate has its `/s` here, or it would pass for a share.
fn target(value: &str) -> Option<Target> {
    if value.ends_with("/s") {
        return rate(value).map(Target::Requests);
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
            Setting::Timeout(time) | Setting::CheckEvery(time) | Setting::SlowStart(time) | Setting::Ttl(time) => {
                f.write_str(&duration::format(*time))
            }
            Setting::Retries(count) | Setting::DownAfter(count) | Setting::Min(count) | Setting::Max(count) => {
                write!(f, "{count}")
            }
            Setting::RetryWrites(on) | Setting::Breaker(on) | Setting::Outlier(on) | Setting::Autoscaler(on) => {
                f.write_str(if *on { "on" } else { "off" })
            }
            Setting::Budget(share) => or_off(f, share.map(percent)),
            Setting::Hedge(time) | Setting::Shed(time) => or_off(f, time.map(duration::format)),
            Setting::Connections(count) => or_off(f, count.map(|count| count.to_string())),
            Setting::RateLimit(rate) => or_off(f, rate.map(|rate| rate.to_string())),
            Setting::Target(Target::Utilisation(share)) => f.write_str(&percent(*share)),
            Setting::Target(Target::Requests(rate)) => write!(f, "{rate}/s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::command::{Command, Selector};

    fn settings() -> Vec<Setting> {
        let mut all = vec![
            Setting::Sessions(Sessions::Off),
            Setting::Sessions(Sessions::Local),
            Setting::Sessions(Sessions::Store("größe".to_owned())),
            Setting::Sessions(Sessions::Token),
            Setting::Sticky(None),
            Setting::Sticky(Some("SERVER-1_x".to_owned())),
            Setting::Budget(None),
            Setting::Hedge(None),
            Setting::Connections(None),
            Setting::RateLimit(None),
            Setting::Shed(None),
        ];
        for on in [false, true] {
            all.extend([
                Setting::RetryWrites(on),
                Setting::Breaker(on),
                Setting::Outlier(on),
                Setting::Autoscaler(on),
            ]);
        }
        for step in 1..300_u32 {
            let (share, time) = (
                f64::from(step) / 299.0,
                Duration::from_nanos(u64::from(step) * 119_760_479),
            );
            all.extend([
                Setting::Timeout(time),
                Setting::CheckEvery(time),
                Setting::SlowStart(time),
                Setting::Ttl(time),
                Setting::Hedge(Some(time)),
                Setting::Shed(Some(time)),
                Setting::Retries(step / 3),
                Setting::DownAfter(step),
                Setting::Min(step * 300),
                Setting::Max(step * 300),
                Setting::Connections(Some(step * 3_000)),
                Setting::Budget(Some(share * 10.0)),
                Setting::RateLimit(Some(share * 1e7)),
                Setting::Target(Target::Utilisation(share)),
                Setting::Target(Target::Requests(share * 1e7)),
            ]);
        }
        all
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_setting() {
        for setting in settings() {
            let text = setting.to_string();
            let words: Vec<&str> = text.split(' ').collect();
            assert_eq!(Setting::parse(&words).as_ref(), Ok(&setting), "{text}");
            let command = Command::Set(Selector("us-east/web".to_owned()), setting);
            let text = command.to_string();
            assert_eq!(Command::parse(&text).as_ref(), Ok(&command), "{text}");
            let ron = ron::to_string(&command).unwrap();
            assert_eq!(ron::from_str::<Command>(&ron).as_ref(), Ok(&command), "{ron}");
            let node = crate::layout::source::scan(&ron, 1_000).unwrap();
            assert_eq!(crate::layout::source::read::<Command>(&node).unwrap(), command, "{ron}");
            let json = serde_json::to_string(&command).unwrap();
            let back: Command = serde_json::from_str(&json).unwrap();
            assert_eq!(
                std::mem::discriminant(&back),
                std::mem::discriminant(&command),
                "{json}"
            );
        }
    }

    #[test]
    fn every_setting_is_in_the_table_with_an_example_that_is_read() {
        for info in SETTINGS {
            assert!(
                info.usage.starts_with(info.name) && !info.kinds.is_empty(),
                "{}",
                info.name
            );
            let command = Command::parse(info.example).unwrap_or_else(|error| panic!("{}: {error}", info.example));
            assert_eq!(command.to_string(), info.example);
            let Command::Set(_, setting) = command else {
                panic!("{} is no setting", info.example);
            };
            assert_eq!((setting.name(), setting.kinds()), (info.name, info.kinds));
        }
        for setting in settings() {
            assert!(!setting.kinds().is_empty(), "{setting}");
        }
    }

    #[test]
    fn words_are_forgiven_where_no_doubt_is_left() {
        for (typed, meant) in [
            ("set web budget 0.2", "set web budget 20%"),
            ("set lb rate-limit 500/s", "set lb rate-limit 500"),
            ("set web target 0.6", "set web target 60%"),
            ("set web target 100.0/s", "set web target 100/s"),
            ("set web timeout 0.5s", "set web timeout 500ms"),
        ] {
            assert_eq!(Command::parse(typed).unwrap().to_string(), meant);
        }
    }

    #[test]
    fn errors_say_what_is_wrong_and_what_was_meant() {
        for (text, message) in [
            (
                "set web",
                "`set` is written `set TARGET SETTING VALUE`, for example `set web retries 3`",
            ),
            (
                "set web retires 3",
                "unknown setting `retires`; did you mean `retries`?",
            ),
            (
                "set web zebra 3",
                "unknown setting `zebra`; there are timeout, retries, retry-writes, budget, breaker, ",
            ),
            (
                "set web retries",
                "`retries` is written `retries NUMBER`, for example `set web retries 3`",
            ),
            ("set web retries 3 4", "`retries` is written `retries NUMBER`"),
            (
                "set web retries many",
                "`retries` takes NUMBER, as in `set web retries 3`; found `many`",
            ),
            (
                "set web retries -1",
                "`retries` takes NUMBER, as in `set web retries 3`; found `-1`",
            ),
            ("set web retries 101", "`retries` must be from 0 to 100, not 101"),
            (
                "set web breaker yes",
                "`breaker` takes on|off, as in `set web breaker on`; found `yes`",
            ),
            (
                "set web sessions memory",
                "`sessions` takes off|local|store:NAME|token, as in",
            ),
            ("set web sessions store:", "a name must not be empty"),
            ("set web sessions store:a/b", "the name \"a/b\" holds `/`"),
            ("set web timeout 0s", "`timeout` must be longer than 0"),
            ("set web timeout 500", "`500` is not a duration"),
            ("set web timeout 200h", "`timeout` must be from 0ns to 168h, not 200h"),
            ("set web hedge soon", "`soon` is not a duration"),
            ("set web shed 0ms", "`shed` must be longer than 0"),
            ("set web budget 1001%", "`budget` must be from 0 to 10, not 10.01"),
            (
                "set web connections 0",
                "`connections` must be from 1 to 1,000,000, not 0",
            ),
            (
                "set web rate-limit 0",
                "`rate-limit` must be above 0 and at most 10000000, not 0",
            ),
            ("set web rate-limit inf", "`rate-limit` takes RATE|off"),
            ("set lb check-every 0s", "`check-every` must be longer than 0"),
            ("set lb down-after 0", "`down-after` must be from 1 to 1,000, not 0"),
            ("set lb sticky a;b", "\"a;b\" is no name of a cookie"),
            ("set web max 100001", "`max` must be from 1 to 100,000, not 100,001"),
            ("set web target 60", "`target` must be above 0 and at most 1, not 60"),
            (
                "set web target 0/s",
                "`target` must be above 0 and at most 10000000, not 0",
            ),
            (
                "set web target half",
                "`target` takes SHARE|RATE/s, as in `set web target 60%`; found `half`",
            ),
            ("set a//b retries 3", "`a//b` is not a selector"),
        ] {
            let error = Command::parse(text).expect_err(text);
            assert!(error.0.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
        }
    }

    #[test]
    fn settings_made_by_hand_are_checked() {
        for setting in [
            Setting::Sticky(Some("off".to_owned())),
            Setting::Sticky(Some(String::new())),
            Setting::Sessions(Sessions::Store("a b".to_owned())),
            Setting::Budget(Some(f64::NAN)),
            Setting::RateLimit(Some(f64::INFINITY)),
            Setting::Target(Target::Requests(f64::NAN)),
            Setting::Hedge(Some(Duration::ZERO)),
        ] {
            let command = Command::Set(Selector("web".to_owned()), setting);
            assert!(command.validate().is_err(), "{command}");
        }
    }
}
