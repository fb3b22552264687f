//! A composite with its target and parameters, as it is typed: `crash-loop web/1 5s`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::model::{CommandError, LinkSelector, Selector};
use super::super::selector::shown;
use super::{Act, Fault, Lasts, Plan, Quantity, Timed};

/// A composite with its target and parameters. Its text is also its form in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Injection {
    name: String,
    /// Its target.
    pub on: On,
    /// All parameters, in the units of their quantities.
    pub values: Vec<f64>,
}

/// What a fault is done to.
#[derive(Clone, Debug, PartialEq)]
pub enum On {
    /// Everything.
    All,
    /// What this names.
    Target(Selector),
    /// What is between these.
    Link(LinkSelector),
}

impl Injection {
    /// Reads the words behind the name of a composite. What is not said has its default.
    ///
    /// # Errors
    /// In words: how it is written, or which parameter is out of its bounds.
    pub fn parse(fault: &'static Fault, words: &[&str]) -> Result<Injection, CommandError> {
        let wrong = || {
            CommandError(format!(
                "`{}` is written `{}`, for example `{}`",
                fault.name, fault.usage, fault.example
            ))
        };
        let (on, rest) = match fault.usage.split(' ').nth(1) {
            Some("FROM") => {
                let lengths = 1..=words.len().min(3);
                let link = lengths.rev().find_map(|length| {
                    let link = LinkSelector::parse(&words[..length].join(" ")).ok()?;
                    Some((On::Link(link), &words[length..]))
                });
                link.ok_or_else(wrong)?
            }
            Some("TARGET" | "SERVICE" | "USERS" | "BALANCER") => {
                let (target, rest) = words.split_first().ok_or_else(wrong)?;
                (On::Target(Selector::parse(target)?), rest)
            }
            _ => (On::All, words),
        };
        if rest.len() > fault.params.len() {
            return Err(wrong());
        }
        let texts = fault.params.iter().enumerate();
        let values = texts
            .map(|(number, param)| param.parse(rest.get(number).copied().unwrap_or(param.default)))
            .collect::<Result<Vec<f64>, CommandError>>()?;
        let name = fault.name.to_owned();
        Ok(Injection { name, on, values })
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.fault().name
    }

    /// Its row in the catalogue.
    pub fn fault(&self) -> &'static Fault {
        Fault::named(&self.name).expect("an injection is made from its row")
    }

    /// What it is called: `crash loop of web/1`.
    pub fn title(&self) -> String {
        let title = self.fault().title;
        match &self.on {
            On::All => title.to_owned(),
            On::Target(target) => format!("{title} of {target}"),
            On::Link(link) => format!("{title} of {link}"),
        }
    }

    /// The selectors in it.
    pub(in crate::command) fn selectors(&self) -> Vec<&Selector> {
        match &self.on {
            On::All => Vec::new(),
            On::Target(target) => vec![target],
            On::Link(link) => vec![&link.from, &link.to],
        }
    }

    /// Checks the bounds of the parameters.
    pub(in crate::command) fn validate(&self) -> Result<(), CommandError> {
        let params = self.fault().params.iter();
        params
            .zip(&self.values)
            .try_for_each(|(param, value)| param.check(*value))
    }

    /// How long it lasts if nothing is said; `None` until it is mended, or as long as its steps take.
    pub fn usually(&self) -> Option<Duration> {
        match self.fault().lasts {
            Lasts::Usually(time) => Some(time),
            _ => None,
        }
    }

    /// Its steps, in the order of time.
    pub fn steps(&self, instances: &[Selector], boot: Duration, lasts: Option<Duration>) -> Vec<Timed> {
        let plan = Plan {
            on: &self.on,
            values: &self.values,
            instances,
            boot,
            lasts,
        };
        match self.fault().act {
            Act::Steps(steps) => steps(&plan),
            Act::Verb => Vec::new(),
        }
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.on {
            On::All => {}
            On::Target(target) => write!(f, " {target}")?,
            On::Link(link) => write!(f, " {link}")?,
        }
        for (param, value) in self.fault().params.iter().zip(&self.values) {
            if param.quantity != Quantity::Word {
                write!(f, " {}", param.quantity.format(*value))?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Injection {
    type Error = CommandError;

    fn try_from(text: String) -> Result<Self, CommandError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let known = words.split_first().and_then(|(name, words)| {
            let fault = Fault::named(name).filter(|fault| fault.is_composite())?;
            Some((fault, words))
        });
        match known {
            Some((fault, words)) => Injection::parse(fault, words),
            None => Err(CommandError(format!("`{}` is no composite fault", shown(&text)))),
        }
    }
}

impl From<Injection> for String {
    fn from(injection: Injection) -> String {
        injection.to_string()
    }
}
