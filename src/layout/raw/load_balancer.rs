//! A load balancer in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::policies::{RawCalls, RawHealthCheck, RawOutlier, RawRateLimit};
use super::values::{RawDistribution, constant};
use crate::layout::model::{Balance, LoadBalancer, Map, Pair, Sticky};
use crate::layout::policies::{Calls, HealthCheck};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "LoadBalancer", default, deny_unknown_fields)]
pub(super) struct RawLoadBalancer {
    to: Option<String>,
    machines: Option<u32>,
    pair: RawPair,
    balance: Balance,
    weights: BTreeMap<String, f64>,
    sticky: Option<RawSticky>,
    health: RawHealthCheck,
    outlier: Option<RawOutlier>,
    #[serde(with = "duration")]
    slow_start: Duration,
    calls: RawCalls,
    rate_limit: Option<RawRateLimit>,
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
            machines: None,
            pair: RawPair::Dns,
            balance: Balance::LeastConnections,
            weights: BTreeMap::new(),
            sticky: None,
            health: RawHealthCheck::default(),
            outlier: None,
            slow_start: Duration::ZERO,
            calls: RawCalls::default(),
            rate_limit: None,
            work: constant(30),
            slots: 20_000,
            on: None,
            size: None,
            boot: Duration::from_secs(2),
        }
    }
}

#[derive(Deserialize)]
enum RawPair {
    Dns,
    Floating(RawFloating),
}

#[derive(Deserialize)]
#[serde(rename = "Floating", default, deny_unknown_fields)]
struct RawFloating {
    #[serde(with = "duration")]
    every: Duration,
    down_after: u32,
}

impl Default for RawFloating {
    fn default() -> Self {
        RawFloating {
            every: Duration::from_secs(1),
            down_after: 3,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename = "Sticky", default, deny_unknown_fields)]
struct RawSticky {
    cookie: String,
}

impl RawLoadBalancer {
    pub fn model(self, path: &Path) -> Result<LoadBalancer, Problem> {
        let Some(to) = self.to else {
            return Err(path.problem("the field `to` is missing: which service does it spread requests over?"));
        };
        let size = placement(path, self.on.as_ref(), self.size, "m", self.machines)?;
        let machines = self.machines.unwrap_or(1);
        let work = self.work.into();
        check::whole(&path.at("machines"), machines, 1..=16)?;
        check::distribution(&path.at("work"), work)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::span(&path.at("slow_start"), self.slow_start)?;
        check::span(&path.at("boot"), self.boot)?;
        let mut weights = Map::new();
        for (server, weight) in self.weights {
            check::positive(&path.at("weights").at(&server), weight, 1_000.0)?;
            weights.insert(server, weight);
        }
        let sticky = self.sticky.map(|raw| raw.model(&path.at("sticky")));
        let outlier = self.outlier.map(|raw| raw.model(&path.at("outlier")));
        let rate_limit = self.rate_limit.map(|raw| raw.model(&path.at("rate_limit")));
        Ok(LoadBalancer {
            to,
            machines,
            pair: self.pair.model(&path.at("pair"), machines, self.on.as_ref())?,
            balance: self.balance,
            weights,
            sticky: sticky.transpose()?,
            health: self.health.model(&path.at("health"), HealthCheck::default())?,
            outlier: outlier.transpose()?,
            slow_start: self.slow_start,
            calls: self.calls.model(&path.at("calls"), &Calls::to_servers())?,
            rate_limit: rate_limit.transpose()?,
            work,
            slots: self.slots,
            on: self.on,
            size,
            boot: self.boot,
        })
    }
}

impl RawPair {
    fn model(self, path: &Path, machines: u32, on: Option<&String>) -> Result<Pair, Problem> {
        let RawPair::Floating(RawFloating { every, down_after }) = self else {
            return Ok(Pair::Dns);
        };
        if on.is_some() {
            return Err(path.problem("a floating address needs two machines, and the host is one"));
        }
        if machines != 2 {
            let message = format!("a floating address needs two balancers; write machines: 2 in place of {machines}");
            return Err(path.problem(message));
        }
        check::interval(&path.at("every"), every)?;
        check::whole(&path.at("down_after"), down_after, bounds::IN_A_ROW)?;
        Ok(Pair::Floating { every, down_after })
    }
}

impl RawSticky {
    fn model(self, path: &Path) -> Result<Sticky, Problem> {
        bounds::cookie(&self.cookie).map_err(|why| path.at("cookie").problem(why))?;
        Ok(Sticky { cookie: self.cookie })
    }
}
