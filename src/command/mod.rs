//! What can be done to a world: commands, the selectors that name their targets, and scripts of timed commands.

mod asked;
mod edits;
mod experiments;
pub mod faults;
mod kept;
mod model;
mod resolve;
mod routing;
mod script;
mod selector;
mod setting;
mod setting_text;
mod settings;
mod skew;
mod text;
mod verbs;
mod wanted;

pub use experiments::experiments;
pub use faults::{Deed, FAULTS, Fault, Hit, Injection, On, Timed};
pub use model::{Applied, Chaos, Command, CommandError, DiskTrouble, Flaw, LinkSelector, Selector};
pub use script::{Awaited, LONGEST_WORDS, Script, ScriptError, Step, What, When};
pub use selector::matches;
pub use setting::Setting;
pub use settings::{SETTINGS, SettingInfo};
pub use verbs::{VERBS, Verb};
