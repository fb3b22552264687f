//! A web tier in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::autoscaler::RawAutoscaler;
use super::pages::RawPages;
use super::placement;
use super::policies::{RawCalls, RawRateLimit};
use super::values::RawDistribution;
use crate::layout::model::{Sessions, Web};
use crate::layout::policies::Autoscaler;
use crate::layout::queueing::Fallback;
use crate::layout::source::{Path, Problem};
use crate::layout::text::grouped;
use crate::layout::{bounds, check, duration};

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
    cache: Option<String>,
    upload: f64,
    queue: Option<String>,
    confirm: bool,
    fallback: Fallback,
    sessions: Sessions,
    #[serde(with = "duration")]
    session_ttl: Duration,
    sign_in: RawDistribution,
    verify: RawDistribution,
    calls: BTreeMap<String, RawCalls>,
    rate_limit: Option<RawRateLimit>,
    #[serde(with = "duration::option")]
    shed: Option<Duration>,
    #[serde(with = "duration")]
    drain: Duration,
    scale: Option<RawAutoscaler>,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawWeb {
    fn default() -> Self {
        let pages = RawPages::default();
        RawWeb {
            machines: None,
            on: None,
            size: None,
            slots: 64,
            backlog: 256,
            work: pages.work,
            json: pages.json,
            asset: pages.asset,
            database: pages.database,
            cache: pages.cache,
            upload: pages.upload,
            queue: pages.queue,
            confirm: pages.confirm,
            fallback: pages.fallback,
            sessions: pages.sessions,
            session_ttl: pages.session_ttl,
            sign_in: pages.sign_in,
            verify: pages.verify,
            calls: pages.calls,
            rate_limit: None,
            shed: None,
            drain: Duration::from_secs(30),
            scale: None,
            boot: Duration::from_secs(5),
        }
    }
}

impl RawWeb {
    pub fn model(self, path: &Path) -> Result<Web, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, "m", self.machines)?;
        if self.on.is_some() && self.scale.is_some() {
            let message = "`scale` and `on` exclude each other: the host is one machine";
            return Err(path.key("scale").problem(message));
        }
        let scale = self.scale.map(|raw| raw.model(&path.at("scale"))).transpose()?;
        let machines = self.machines.unwrap_or(scale.map_or(1, |scale| scale.min));
        check::whole(&path.at("machines"), machines, 1..=bounds::MOST_MACHINES)?;
        check_within(path, machines, scale)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        if let Some(shed) = self.shed {
            check::interval(&path.at("shed"), shed)?;
        }
        check::span(&path.at("drain"), self.drain)?;
        check::span(&path.at("boot"), self.boot)?;
        let rate_limit = self.rate_limit.map(|raw| raw.model(&path.at("rate_limit")));
        let pages = RawPages {
            work: self.work,
            json: self.json,
            asset: self.asset,
            database: self.database,
            cache: self.cache,
            upload: self.upload,
            queue: self.queue,
            confirm: self.confirm,
            fallback: self.fallback,
            sessions: self.sessions,
            session_ttl: self.session_ttl,
            sign_in: self.sign_in,
            verify: self.verify,
            calls: self.calls,
        };
        Ok(Web {
            machines,
            on: self.on,
            size,
            slots: self.slots,
            backlog: self.backlog,
            pages: pages.model(path)?,
            rate_limit: rate_limit.transpose()?,
            shed: self.shed,
            drain: self.drain,
            scale,
            boot: self.boot,
        })
    }
}

/// What the autoscaler begins with is what it may have.
pub(super) fn check_within(path: &Path, machines: u32, scale: Option<Autoscaler>) -> Result<(), Problem> {
    match scale {
        Some(scale) if !(scale.min..=scale.max).contains(&machines) => {
            let [machines, min, max] = [machines, scale.min, scale.max].map(|number| grouped(number.into()));
            let message =
                format!("the autoscaler keeps from {min} to {max} machines, so it can't begin with {machines}");
            Err(path.at("machines").problem(message))
        }
        _ => Ok(()),
    }
}
