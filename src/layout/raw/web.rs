//! A web tier in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::values::{RawDistribution, exponential};
use crate::layout::model::Web;
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "Web", default, deny_unknown_fields)]
pub(super) struct RawWeb {
    machines: Option<u32>,
    on: Option<String>,
    size: Option<String>,
    slots: u32,
    backlog: u32,
    work: RawDistribution,
    json: f64,
    asset: f64,
    database: Option<String>,
    #[serde(with = "duration")]
    timeout: Duration,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawWeb {
    fn default() -> Self {
        RawWeb {
            machines: None,
            on: None,
            size: None,
            slots: 64,
            backlog: 256,
            work: exponential(4_000),
            json: 0.5,
            asset: 0.1,
            database: None,
            timeout: Duration::from_secs(2),
            boot: Duration::from_secs(5),
        }
    }
}

impl RawWeb {
    pub fn model(self, path: &Path) -> Result<Web, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, self.machines)?;
        let machines = self.machines.unwrap_or(1);
        let work = self.work.into();
        check::whole(&path.at("machines"), machines, 1..=check::MOST_MACHINES)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        check::distribution(&path.at("work"), work)?;
        check::positive(&path.at("json"), self.json, 100.0)?;
        check::positive(&path.at("asset"), self.asset, 100.0)?;
        check::interval(&path.at("timeout"), self.timeout)?;
        check::time(&path.at("boot"), self.boot, Duration::ZERO..=check::LONGEST)?;
        Ok(Web {
            machines,
            on: self.on,
            size,
            slots: self.slots,
            backlog: self.backlog,
            work,
            json: self.json,
            asset: self.asset,
            database: self.database,
            timeout: self.timeout,
            boot: self.boot,
        })
    }
}
