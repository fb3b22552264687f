//! The catalogue of faults: what can go wrong, what each fault can hit, what exactly it does, and how it is undone.
//!
//! One file a fault, one row each in [`FAULTS`]. Menus, help and documentation are made from that table. A primitive is a verb of the command
//! language, and its row refers to it. Everything else is a composite: a script that takes a target, as data, each step a primitive.

mod bad_deploy;
mod bandwidth;
mod crash_loop;
mod cut;
mod delay;
mod destroy;
mod disk;
mod drop;
mod expire;
mod expired_certificate;
mod fail;
mod flapping;
mod flush;
mod hang;
mod hot_key;
mod injection;
mod isolate;
mod kill;
mod leak;
mod lose;
mod memory_leak;
mod mislead;
mod outage;
mod poison;
mod pool_leak;
mod rolling_restart;
mod skew;
mod slow;
mod surge;
#[cfg(test)]
mod tests;
mod thundering_herd;
mod value;
pub(super) mod words;

use std::fmt::Write;
use std::time::Duration;

use super::model::{Command, CommandError, Selector};
use crate::layout::duration;

pub use injection::{Injection, On};
pub use value::Quantity;

/// A row of the catalogue.
#[derive(Debug)]
pub struct Fault {
    /// The word by which it is typed.
    pub name: &'static str,
    /// What it is called in sentences: `crash loop`.
    pub title: &'static str,
    /// What it can hit.
    pub hits: &'static [Hit],
    /// What exactly it does, in one line.
    pub effect: &'static str,
    /// How it is typed. Words in capitals stand for the target, and for the parameters.
    pub usage: &'static str,
    /// An example that fits the shipped layouts.
    pub example: &'static str,
    /// What can be said about it beside the target, in the order in which it is typed.
    pub params: &'static [Param],
    /// How long it lasts if nothing is said.
    pub lasts: Lasts,
    /// How it is undone.
    pub undone: &'static str,
    /// What carries it out.
    pub act: Act,
}

/// A parameter of a fault.
#[derive(Debug)]
pub struct Param {
    /// Its name in the usage: `SHARE`.
    pub name: &'static str,
    /// What kind of figure it is.
    pub quantity: Quantity,
    /// What menus take, and a composite where nothing is said.
    pub default: &'static str,
    /// The least and the most that it can be, as they are typed.
    pub bounds: (&'static str, &'static str),
    /// What it is.
    pub about: &'static str,
}

/// What a fault can hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// Whatever runs: an instance, a service, a host, a data center; not users.
    Process,
    /// Everything in a data center.
    Site,
    /// What is between two things.
    Link,
    /// A population of users.
    Users,
    /// The name service.
    Dns,
    /// What others run: the name service, resolvers, CDNs.
    ThirdParty,
    /// What writes to a disk: databases and queues.
    Disk,
    /// What answers requests in slots of its own.
    Slots,
    /// What answers requests of clients.
    Server,
    /// A load balancer.
    Balancer,
    /// A web service or functions.
    Web,
    /// A database with several primaries, or a node of it.
    Clock,
    /// What keeps copies, or answers of the name service.
    Copies,
    /// A queue.
    Queue,
}

/// How long a fault lasts if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// It happens, and that is all.
    Moment,
    /// Until somebody mends it.
    UntilMended,
    /// So long.
    Usually(Duration),
    /// As long as its steps take.
    ItsSteps,
}

/// What carries a fault out.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The verb of the same name.
    Verb,
    /// These steps.
    Steps(fn(&Plan) -> Vec<Timed>),
}

/// What a composite is made for.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Its target.
    pub on: &'a On,
    /// Its parameters, in the units of their quantities.
    pub values: &'a [f64],
    /// The instances that the target names, in their order.
    pub instances: &'a [Selector],
    /// How long the slowest of them takes to start.
    pub boot: Duration,
    /// How long it lasts, where that is known beforehand.
    pub lasts: Option<Duration>,
}

/// A step of a composite.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    /// When, after the beginning.
    pub after: Duration,
    /// What.
    pub deed: Deed,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Carries a command out.
    Do(Command),
    /// Lets work on what is named, which takes `from` times as long as it did before the fault, take `to` times as long.
    Slower {
        /// What is named.
        target: Selector,
        /// The factor of the step before; 1 for the first.
        from: f64,
        /// The factor from now on.
        to: f64,
    },
    /// Undoes what the steps before it did, as far as nothing else has happened to it since.
    Undo,
}

/// All faults, the primitives first.
pub const FAULTS: &[&Fault] = &[
    &kill::FAULT,
    &destroy::FAULT,
    &hang::FAULT,
    &slow::FAULT,
    &fail::FAULT,
    &leak::FAULT,
    &disk::FAULT,
    &skew::FAULT,
    &cut::FAULT,
    &delay::FAULT,
    &drop::FAULT,
    &bandwidth::FAULT,
    &isolate::FAULT,
    &outage::FAULT,
    &mislead::FAULT,
    &surge::FAULT,
    &flush::FAULT,
    &expire::FAULT,
    &poison::FAULT,
    &crash_loop::FAULT,
    &flapping::FAULT,
    &rolling_restart::FAULT,
    &lose::FAULT,
    &thundering_herd::FAULT,
    &hot_key::FAULT,
    &pool_leak::FAULT,
    &memory_leak::FAULT,
    &expired_certificate::FAULT,
    &bad_deploy::FAULT,
];

impl Timed {
    /// Does something at a time after the beginning.
    pub fn act(after: Duration, command: Command) -> Timed {
        let deed = Deed::Do(command);
        Timed { after, deed }
    }

    /// Undoes at a time after the beginning what was done.
    pub fn undo(after: Duration) -> Timed {
        let deed = Deed::Undo;
        Timed { after, deed }
    }
}

impl Plan<'_> {
    /// The target. A fault without one has none to ask for.
    fn target(&self) -> Selector {
        match self.on {
            On::Target(target) => target.clone(),
            On::Link(link) => link.to.clone(),
            On::All => Selector("*".to_owned()),
        }
    }

    /// A parameter that is a time.
    fn time(&self, number: usize) -> Duration {
        Duration::from_secs_f64(self.values[number])
    }
}

impl Fault {
    /// The fault of a name.
    pub fn named(name: &str) -> Option<&'static Fault> {
        FAULTS.iter().copied().find(|fault| fault.name == name)
    }

    /// Whether it is made of steps.
    pub fn is_composite(&self) -> bool {
        matches!(self.act, Act::Steps(_))
    }

    /// The line that does it to a target, with the defaults of its parameters: for a link, `web <-> db`; for what needs none, nothing.
    pub fn line(&self, target: &str) -> String {
        let usage = self.usage.split(" | ").next().unwrap_or(self.usage);
        let mut words: Vec<String> = Vec::new();
        for word in usage.split(' ') {
            let param = self.params.iter().find(|param| param.name == word);
            match word {
                "->" | "TO" => {}
                "FROM" | "TARGET" | "NODE" | "QUEUE" | "USERS" | "SERVICE" | "BALANCER" => {
                    words.push(target.to_owned());
                }
                _ => words.push(param.map_or(word, |param| param.default).to_owned()),
            }
        }
        words.join(" ")
    }

    /// How long it lasts, in words.
    pub fn lasts_words(&self) -> String {
        match self.lasts {
            Lasts::Moment => "a moment".to_owned(),
            Lasts::UntilMended => "until it is mended".to_owned(),
            Lasts::Usually(time) => duration::format(time),
            Lasts::ItsSteps => "as long as its steps take".to_owned(),
        }
    }

    /// What it can hit, in words.
    pub fn hits_words(&self) -> String {
        let words: Vec<&str> = self.hits.iter().map(|hit| hit.words()).collect();
        if words.is_empty() {
            return "everything".to_owned();
        }
        words.join(", ")
    }
}

impl Hit {
    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Hit::Process => "whatever runs",
            Hit::Site => "a data center",
            Hit::Link => "links",
            Hit::Users => "users",
            Hit::Dns => "dns",
            Hit::ThirdParty => "dns, resolvers, CDNs",
            Hit::Disk => "databases, durable queues",
            Hit::Slots => "what works in slots",
            Hit::Server => "what answers requests",
            Hit::Balancer => "load balancers",
            Hit::Web => "web services, functions",
            Hit::Clock => "databases with several primaries",
            Hit::Copies => "caches, CDNs, browsers, resolvers",
            Hit::Queue => "queues",
        }
    }
}

/// The catalogue as a table for the README.
pub fn markdown() -> String {
    let mut page = String::from("| fault | typed | hits | does | lasts | undone |\n|---|---|---|---|---|---|\n");
    for fault in FAULTS {
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} | {} | {} |",
            fault.title,
            fault.usage.replace(" | ", "` or `"),
            fault.hits_words(),
            fault.effect,
            fault.lasts_words(),
            fault.undone,
        );
    }
    page
}

/// How long a fault may be told to last.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Command {
    /// Whether it can be told how long to last, and so is undone when that is over.
    ///
    /// # Errors
    /// Why not, and what to do instead.
    pub fn may_last(&self, time: Duration) -> Result<(), CommandError> {
        let refuse = |why: String| Err(CommandError(why));
        if time.is_zero() || time > LONGEST {
            return refuse(format!(
                "a fault lasts longer than 0s and at most 24h, not {}",
                duration::format(time)
            ));
        }
        let lasts = match self {
            Command::For(..) => return refuse("one `for` is enough".to_owned()),
            Command::Set(_, super::Setting::Hot(_)) => return Ok(()),
            Command::Inject(injection) => injection.fault().lasts,
            _ => {
                let name = self.verb();
                match Fault::named(name) {
                    Some(fault) => fault.lasts,
                    None => {
                        return refuse(format!(
                            "`{name}` is no fault that ends by itself: leave `for` out, and take it back by hand"
                        ));
                    }
                }
            }
        };
        match lasts {
            Lasts::Moment => refuse(format!(
                "`{}` happens at once and can't be undone: leave `for` out",
                self.verb()
            )),
            Lasts::ItsSteps => refuse(format!("`{}` ends with its last step: leave `for` out", self.verb())),
            Lasts::UntilMended | Lasts::Usually(_) => Ok(()),
        }
    }

    /// Its first word.
    pub(super) fn verb(&self) -> &'static str {
        if let Command::Inject(injection) = self {
            return injection.name();
        }
        let text = self.to_string();
        let word = text.split(' ').next().unwrap_or_default();
        let known = super::VERBS.iter().find(|verb| verb.name == word);
        known.map_or("this", |verb| verb.name)
    }
}
