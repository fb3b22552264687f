//! What is written is read back, and what is wrong is said.

use std::time::Duration;

use super::*;
use crate::command::{Command, Selector};
use crate::layout::{Asks, Routing};

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
        Setting::Failover(None),
        Setting::Replace(None),
        Setting::Close(None),
        Setting::Hot(0.0),
        Setting::Jitter(0.0),
        Setting::RefreshAhead(None),
        Setting::Early(None),
        Setting::Negative(None),
        Setting::Near(None),
        Setting::Pages(None),
        Setting::StaleIfError(Duration::ZERO),
        Setting::StaleWhileRevalidate(Duration::ZERO),
        Setting::Rule(Rule::SitePriority(Vec::new())),
        Setting::Rule(Rule::SitePriority(vec!["größe".to_owned()])),
        Setting::Rule(Rule::SitePriority(vec!["eu-west".to_owned(), "us-east".to_owned()])),
    ];
    for routing in [
        Routing::RoundRobin,
        Routing::Geo,
        Routing::Latency,
        Routing::Weighted([("größe".to_owned(), 0.25), ("us-east".to_owned(), 3.0)].into()),
        Routing::Failover(vec!["us-east".to_owned(), "eu-west".to_owned()]),
    ] {
        all.push(Setting::Routing(routing));
    }
    all.extend(MODES.map(|(_, mode)| Setting::Mode(mode)));
    all.extend(READS.map(|(_, reads)| Setting::Reads(reads)));
    all.extend(RULES.map(|(_, rule)| Setting::Rule(rule)));
    all.extend(STRATEGIES.map(|(_, strategy)| Setting::Strategy(strategy)));
    all.extend(INVALIDATIONS.map(|(_, how)| Setting::Invalidate(how)));
    all.extend(Evict::ALL.map(Setting::Evict));
    for on in [false, true] {
        all.extend([
            Setting::SingleFlight(on),
            Setting::Rehash(on),
            Setting::NextEdge(on),
            Setting::Standby(on),
            Setting::OriginFallback(on),
            Setting::RetryWrites(on),
            Setting::Breaker(on),
            Setting::Outlier(on),
            Setting::Autoscaler(on),
            Setting::ReadYourWrites(on),
            Setting::Fencing(on),
            Setting::Recovery(on),
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
            Setting::Failover(Some(time)),
            Setting::Replace(Some(time)),
            Setting::Close(Some(time)),
            Setting::CopyRate(1.0 + share * 9.9e7),
            Setting::Hot(share),
            Setting::Jitter(share),
            Setting::RefreshAhead(Some(share * 0.99)),
            Setting::Early(Some(share * 100.0)),
            Setting::Weight(share * 1_000.0),
            Setting::Negative(Some(time)),
            Setting::Near(Some(time)),
            Setting::Pages(Some(time)),
            Setting::StaleIfError(time),
            Setting::StaleWhileRevalidate(time),
            Setting::Strategy(Strategy::WriteBehind { after: time }),
            Setting::Room(Room::Items(u64::from(step) * 300_000)),
            Setting::Room(Room::Bytes(u64::from(step) * 123_457)),
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
        ("set db copy-rate 50000/s", "set db copy-rate 50000"),
        ("set people hot 0%", "set people hot off"),
        ("set people hot 0.2", "set people hot 20%"),
    ] {
        assert_eq!(Command::parse(typed).unwrap().to_string(), meant);
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one line for each error")]
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
            "set web rate 100",
            "unknown setting `rate`; did you mean `rate-limit` or `copy-rate`?",
        ),
        (
            "set lb every 2s",
            "unknown setting `every`; did you mean `check-every`?",
        ),
        (
            "set web retry 3",
            "unknown setting `retry`; did you mean `retry-writes` or `retries`?",
        ),
        ("set lb policy random", "unknown setting `policy`; "),
        (
            "set web size xl",
            "unknown setting `size`: machines change their size by ",
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
            "`target` takes SHARE|RATE/s|depth:NUMBER|TIME, as in `set web target 60%`; found `half`",
        ),
        (
            "set db mode async",
            "`mode` takes asynchronous|semi-synchronous|synchronous|quorum, as in `set db mode quorum`; found `async`",
        ),
        ("set db reads slaves", "`reads` takes replicas|primary|any, as in"),
        (
            "set db fencing 1",
            "`fencing` takes on|off, as in `set db fencing off`; found `1`",
        ),
        (
            "set db failover 50ms",
            "`failover` must be from 100ms to 168h, not 50ms",
        ),
        ("set db failover never", "`never` is not a duration"),
        ("set db replace 0s", "`replace` must be longer than 0"),
        ("set db close 0s", "`close` must be longer than 0"),
        ("set db rule newest", "`rule` takes last-write-wins|hybrid-clocks|"),
        ("set db rule site-priority:", "a name must not be empty"),
        ("set db rule site-prioritya", "`rule` takes last-write-wins|"),
        ("set db rule site-priority:a,b,a", "`rule` names a twice"),
        ("set dns routing nearest", "`routing` takes round-robin|geo|latency|"),
        ("set dns routing weighted:a", "`routing` takes round-robin|"),
        ("set dns routing weighted:a=0", "`routing` needs a weight above 0"),
        (
            "set dns routing weighted:a=1e9",
            "`routing` must be from 0 to 1000, not 1000000000",
        ),
        ("set dns routing failover:a,a", "`routing` names a twice"),
        ("set db copy-rate 0", "`copy-rate` must be from 1 to 100000000, not 0"),
        ("set db copy-rate off", "`copy-rate` takes RATE, as in"),
        ("set people hot 101%", "`hot` must be from 0 to 1, not 1.01"),
        (
            "set people hot very",
            "`hot` takes SHARE|off, as in `set people hot 20%`; found `very`",
        ),
        ("set a//b retries 3", "`a//b` is not a selector"),
    ] {
        let error = Command::parse(text).expect_err(text);
        assert!(error.0.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
    }
}

#[test]
fn errors_about_caches_say_what_is_wrong() {
    for (text, message) in [
        (
            "set cache evict lruu",
            "no eviction policy is called `lruu`; did you mean `lru`?",
        ),
        ("set cache items 0", "`items` must be from 1 to 100,000,000, not 0"),
        (
            "set cache bytes 10",
            "expected a size with a unit, as in \"64MB\", found `10`",
        ),
        ("set cache bytes 1B", "`bytes` must be from 1kB to 1000TB, not 1B"),
        ("set cache strategy aside:1s", "`strategy` takes aside|read-through|"),
        (
            "set cache strategy write-behind:",
            "`strategy` takes aside|read-through|",
        ),
        ("set cache strategy write-behind:0s", "`strategy` must be longer than 0"),
        (
            "set cache refresh-ahead 100%",
            "`refresh-ahead` must be above 0 and below 1, not 1",
        ),
        (
            "set cache early 101",
            "`early` must be above 0 and at most 100, not 101",
        ),
        ("set cdn pages 0s", "`pages` must be longer than 0"),
        ("set cdn weight 0", "`weight` must be above 0 and at most 1000, not 0"),
    ] {
        let error = Command::parse(text).expect_err(text);
        assert!(error.0.starts_with(message), "{text}\n  is   {error}\n  not  {message}");
    }
}

#[test]
fn what_people_ask_for_is_read_back() {
    for step in 1..300_u32 {
        let share = f64::from(step) / 299.0;
        let asks = Setting::Asks(Asks::of([share, 0.5, 0.0, 3.0, 1e6, 0.0, share * 7.0]));
        let text = asks.to_string();
        assert_eq!(Setting::parse(&text.split(' ').collect::<Vec<_>>()), Ok(asks));
    }
    for text in [
        "page",
        "page=x",
        "page=1,page=2",
        "pages=1",
        "page=0",
        "page=-1",
        "page=1e7",
        "",
    ] {
        assert!(Setting::parse(&["asks", text]).is_err(), "{text}");
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
        Setting::Failover(Some(Duration::from_nanos(1))),
        Setting::CopyRate(f64::NAN),
        Setting::Hot(f64::NAN),
        Setting::Asks(Asks::of([0.0; 7])),
        Setting::Asks(Asks::of([1.0, f64::NAN, 0.0, 0.0, 0.0, 0.0, 0.0])),
        Setting::Rule(Rule::SitePriority(vec!["a,b".to_owned()])),
    ] {
        let command = Command::Set(Selector("web".to_owned()), setting);
        assert!(command.validate().is_err(), "{command}");
    }
}
