//! A load balancer in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::values::RawDistribution;
use crate::layout::model::{Balance, HealthCheck, LoadBalancer};
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "LoadBalancer", default, deny_unknown_fields)]
pub(super) struct RawLoadBalancer {
    to: Option<String>,
    balance: Balance,
    health: RawHealthCheck,
    retries: u32,
    #[serde(with = "duration")]
    timeout: Duration,
    work: RawDistribution,
    slots: u32,
    on: Option<String>,
    size: Option<String>,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawLoadBalancer {
    fn default() -> Self {
        RawLoadBalancer {
            to: None,
            balance: Balance::LeastConnections,
            health: RawHealthCheck::default(),
            retries: 1,
            timeout: Duration::from_secs(5),
            work: RawDistribution::Constant(Duration::from_micros(30)),
            slots: 20_000,
            on: None,
            size: None,
            boot: Duration::from_secs(2),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename = "HealthCheck", default, deny_unknown_fields)]
struct RawHealthCheck {
    #[serde(with = "duration")]
    every: Duration,
    #[serde(with = "duration")]
    timeout: Duration,
    down_after: u32,
    up_after: u32,
}

impl Default for RawHealthCheck {
    fn default() -> Self {
        RawHealthCheck {
            every: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            down_after: 3,
            up_after: 2,
        }
    }
}

impl RawLoadBalancer {
    pub fn model(self, path: &Path) -> Result<LoadBalancer, Problem> {
        let Some(to) = self.to else {
            return Err(path.problem("the field `to` is missing: which service does it spread requests over?"));
        };
        let size = placement(path, self.on.as_ref(), self.size, None)?;
        let work = self.work.into();
        check::whole(&path.at("retries"), self.retries, 0..=100)?;
        check::interval(&path.at("timeout"), self.timeout)?;
        check::distribution(&path.at("work"), work)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::time(&path.at("boot"), self.boot, Duration::ZERO..=check::LONGEST)?;
        Ok(LoadBalancer {
            to,
            balance: self.balance,
            health: self.health.model(&path.at("health"))?,
            retries: self.retries,
            timeout: self.timeout,
            work,
            slots: self.slots,
            on: self.on,
            size,
            boot: self.boot,
        })
    }
}

impl RawHealthCheck {
    fn model(self, path: &Path) -> Result<HealthCheck, Problem> {
        check::interval(&path.at("every"), self.every)?;
        check::interval(&path.at("timeout"), self.timeout)?;
        check::whole(&path.at("down_after"), self.down_after, 1..=1_000)?;
        check::whole(&path.at("up_after"), self.up_after, 1..=1_000)?;
        Ok(HealthCheck {
            every: self.every,
            timeout: self.timeout,
            down_after: self.down_after,
            up_after: self.up_after,
        })
    }
}
