//! What can be done to a world: commands, the selectors that name their targets, and scripts of timed commands.

mod model;
mod resolve;
mod script;
mod selector;
mod text;
mod verbs;

pub use model::{Applied, Command, CommandError, LinkSelector, Selector};
pub use script::{Script, ScriptError, Step};
pub use selector::matches;
pub use verbs::{VERBS, Verb};
