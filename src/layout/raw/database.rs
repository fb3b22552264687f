//! A database in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::values::{RawDistribution, exponential};
use crate::layout::model::Database;
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "Database", default, deny_unknown_fields)]
pub(super) struct RawDatabase {
    on: Option<String>,
    size: Option<String>,
    slots: u32,
    backlog: u32,
    read: RawDistribution,
    write: RawDistribution,
    rows: u64,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawDatabase {
    fn default() -> Self {
        RawDatabase {
            on: None,
            size: None,
            slots: 32,
            backlog: 1_000,
            read: exponential(1_000),
            write: exponential(2_000),
            rows: 100_000,
            boot: Duration::from_secs(10),
        }
    }
}

impl RawDatabase {
    pub fn model(self, path: &Path) -> Result<Database, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, "m", None)?;
        let (read, write) = (self.read.into(), self.write.into());
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        check::distribution(&path.at("read"), read)?;
        check::distribution(&path.at("write"), write)?;
        check::whole(&path.at("rows"), self.rows, 0..=check::MOST_KEYS)?;
        check::span(&path.at("boot"), self.boot)?;
        Ok(Database {
            on: self.on,
            size,
            slots: self.slots,
            backlog: self.backlog,
            read,
            write,
            rows: self.rows,
            boot: self.boot,
        })
    }
}
