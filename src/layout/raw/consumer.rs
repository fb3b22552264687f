//! Workers in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::autoscaler::RawAutoscaler;
use super::placement;
use super::policies::RawCalls;
use super::values::{RawDistribution, exponential};
use super::web::check_within;
use crate::layout::model::Map;
use crate::layout::policies::Calls;
use crate::layout::queueing::{Consumer, Delivery, Job};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "Consumer", default, deny_unknown_fields)]
pub(super) struct RawConsumer {
    of: Option<String>,
    machines: Option<u32>,
    on: Option<String>,
    size: Option<String>,
    slots: u32,
    prefetch: Option<u32>,
    work: Option<RawDistribution>,
    jobs: BTreeMap<String, RawJob>,
    delivery: Delivery,
    fails: f64,
    poison: f64,
    database: Option<String>,
    calls: BTreeMap<String, RawCalls>,
    #[serde(with = "duration")]
    drain: Duration,
    scale: Option<RawAutoscaler>,
    #[serde(with = "duration")]
    boot: Duration,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Job", default, deny_unknown_fields)]
struct RawJob {
    share: f64,
    work: Option<RawDistribution>,
}

impl Default for RawJob {
    fn default() -> Self {
        RawJob { share: 1.0, work: None }
    }
}

impl Default for RawConsumer {
    fn default() -> Self {
        RawConsumer {
            of: None,
            machines: None,
            on: None,
            size: None,
            slots: 4,
            prefetch: None,
            work: None,
            jobs: BTreeMap::new(),
            delivery: Delivery::AtLeastOnce,
            fails: 0.0,
            poison: 0.0,
            database: None,
            calls: BTreeMap::new(),
            drain: Duration::from_secs(30),
            scale: None,
            boot: Duration::from_secs(5),
        }
    }
}

impl RawConsumer {
    pub fn model(self, path: &Path) -> Result<Consumer, Problem> {
        let Some(of) = self.of else {
            return Err(path.problem("the field `of` is missing: which queue do they take from?"));
        };
        let size = placement(path, self.on.as_ref(), self.size, "m", self.machines)?;
        if self.on.is_some() && self.scale.is_some() {
            let message = "`scale` and `on` exclude each other: the host is one machine";
            return Err(path.key("scale").problem(message));
        }
        let scale = self.scale.map(|raw| raw.of_workers(&path.at("scale"))).transpose()?;
        let machines = self.machines.unwrap_or(scale.map_or(1, |scale| scale.min));
        let least = u64::from(scale.is_none());
        check::whole(&path.at("machines"), machines, least..=bounds::MOST_MACHINES)?;
        check_within(path, machines, scale)?;
        check::whole(&path.at("slots"), self.slots, 1..=bounds::MOST_PREFETCH)?;
        let prefetch = self.prefetch.unwrap_or(self.slots);
        check::whole(
            &path.at("prefetch"),
            prefetch,
            self.slots.into()..=bounds::MOST_PREFETCH,
        )?;
        if self.work.is_some() && !self.jobs.is_empty() {
            let message = "`work` and `jobs` exclude each other: each kind of job has a `work` of its own";
            return Err(path.key("work").problem(message));
        }
        let work = self.work.unwrap_or(exponential(100_000)).into();
        check::distribution(&path.at("work"), work)?;
        let mut jobs = Map::new();
        for (name, raw) in self.jobs {
            let path = path.at("jobs");
            check::name(&path, &name)?;
            let path = path.at(&name);
            check::positive(&path.at("share"), raw.share, 1e6)?;
            let Some(work) = raw.work else {
                return Err(path.problem("the field `work` is missing: how long does it take?"));
            };
            let work = work.into();
            check::distribution(&path.at("work"), work)?;
            jobs.insert(name, Job { share: raw.share, work });
        }
        check::number(&path.at("fails"), self.fails, bounds::SHARE)?;
        check::number(&path.at("poison"), self.poison, bounds::SHARE)?;
        check::span(&path.at("drain"), self.drain)?;
        check::span(&path.at("boot"), self.boot)?;
        if self.delivery == Delivery::EffectivelyOnce && self.database.is_none() {
            let message =
                "a result is written once only where its key is remembered: name a `database` that results go to";
            return Err(path.key("delivery").problem(message));
        }
        let mut calls = Map::new();
        for (to, raw) in self.calls {
            let default = if to == of {
                Calls::to_queue()
            } else {
                Calls::to_service()
            };
            let read = raw.model(&path.at("calls").at(&to), &default)?;
            calls.insert(to, read);
        }
        Ok(Consumer {
            of,
            machines,
            on: self.on,
            size,
            slots: self.slots,
            prefetch,
            work,
            jobs,
            delivery: self.delivery,
            fails: self.fails,
            poison: self.poison,
            database: self.database,
            calls,
            drain: self.drain,
            scale,
            boot: self.boot,
        })
    }
}
