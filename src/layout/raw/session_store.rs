//! A session store in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::values::{RawDistribution, exponential};
use crate::layout::model::SessionStore;
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "SessionStore", default, deny_unknown_fields)]
pub(super) struct RawSessionStore {
    on: Option<String>,
    size: Option<String>,
    slots: u32,
    backlog: u32,
    work: RawDistribution,
    sessions: u64,
    durable: bool,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawSessionStore {
    fn default() -> Self {
        RawSessionStore {
            on: None,
            size: None,
            slots: 256,
            backlog: 10_000,
            work: exponential(20),
            sessions: 1_000_000,
            durable: false,
            boot: Duration::from_secs(2),
        }
    }
}

impl RawSessionStore {
    pub fn model(self, path: &Path) -> Result<SessionStore, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, "s", None)?;
        let work = self.work.into();
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        check::distribution(&path.at("work"), work)?;
        check::whole(&path.at("sessions"), self.sessions, 1..=check::MOST_USERS)?;
        check::span(&path.at("boot"), self.boot)?;
        Ok(SessionStore {
            on: self.on,
            size,
            slots: self.slots,
            backlog: self.backlog,
            work,
            sessions: self.sessions,
            durable: self.durable,
            boot: self.boot,
        })
    }
}
