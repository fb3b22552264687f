//! Policies in the file: calls with their breakers, limits, health checks, outliers.

use std::time::Duration;

use serde::Deserialize;

use super::values::{Switch, Time, given};
use crate::layout::policies::{Breaker, Calls, HealthCheck, Outlier, RateLimit};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

/// What is not given depends on who calls whom.
#[derive(Default, Deserialize)]
#[serde(rename = "Calls", default, deny_unknown_fields)]
pub(super) struct RawCalls {
    #[serde(deserialize_with = "given")]
    timeout: Option<Time>,
    #[serde(deserialize_with = "given")]
    retries: Option<u32>,
    #[serde(deserialize_with = "given")]
    retry_writes: Option<bool>,
    budget: Switch<f64>,
    #[serde(deserialize_with = "given")]
    backoff: Option<Time>,
    #[serde(deserialize_with = "given")]
    backoff_most: Option<Time>,
    breaker: Switch<RawBreaker>,
    #[serde(with = "duration::option")]
    hedge: Option<Duration>,
    connections: Option<u32>,
}

impl RawCalls {
    pub fn model(self, path: &Path, default: &Calls) -> Result<Calls, Problem> {
        let time = |given: Option<Time>, default: Duration| given.map_or(default, |time| time.0);
        let breaker = match self.breaker {
            Switch::Unsaid => default.breaker,
            Switch::Off => None,
            Switch::On(raw) => Some(raw.model(&path.at("breaker"))?),
        };
        let calls = Calls {
            timeout: time(self.timeout, default.timeout),
            retries: self.retries.unwrap_or(default.retries),
            retry_writes: self.retry_writes.unwrap_or(default.retry_writes),
            budget: self.budget.or(default.budget),
            backoff: time(self.backoff, default.backoff),
            backoff_most: time(self.backoff_most, default.backoff_most),
            breaker,
            hedge: self.hedge.or(default.hedge),
            connections: self.connections.or(default.connections),
        };
        check::interval(&path.at("timeout"), calls.timeout)?;
        check::whole(&path.at("retries"), calls.retries, bounds::RETRIES)?;
        if let Some(budget) = calls.budget {
            check::number(&path.at("budget"), budget, bounds::BUDGET)?;
        }
        let minute = Duration::from_secs(60);
        check::time(&path.at("backoff"), calls.backoff, Duration::ZERO..=minute)?;
        check::interval(&path.at("backoff_most"), calls.backoff_most)?;
        if calls.backoff > calls.backoff_most {
            let (first, most) = (duration::format(calls.backoff), duration::format(calls.backoff_most));
            let message = format!("the first wait, {first}, is longer than the longest, `backoff_most`: {most}");
            return Err(path.at("backoff").problem(message));
        }
        if let Some(hedge) = calls.hedge {
            check::interval(&path.at("hedge"), hedge)?;
            if hedge >= calls.timeout {
                let timeout = duration::format(calls.timeout);
                let message = format!("a second request after the timeout, {timeout}, would never be sent");
                return Err(path.at("hedge").problem(message));
            }
        }
        if let Some(connections) = calls.connections {
            check::whole(&path.at("connections"), connections, bounds::CONNECTIONS)?;
        }
        Ok(calls)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Breaker", default, deny_unknown_fields)]
struct RawBreaker {
    errors: f64,
    calls: u32,
    #[serde(with = "duration")]
    window: Duration,
    #[serde(with = "duration")]
    open: Duration,
    probes: u32,
}

impl Default for RawBreaker {
    fn default() -> Self {
        let Breaker {
            errors,
            calls,
            window,
            open,
            probes,
        } = Breaker::default();
        RawBreaker {
            errors,
            calls,
            window,
            open,
            probes,
        }
    }
}

impl RawBreaker {
    fn model(self, path: &Path) -> Result<Breaker, Problem> {
        check::positive(&path.at("errors"), self.errors, 1.0)?;
        check::whole(&path.at("calls"), self.calls, 1..=1_000_000)?;
        check::interval(&path.at("window"), self.window)?;
        check::interval(&path.at("open"), self.open)?;
        check::whole(&path.at("probes"), self.probes, 1..=1_000)?;
        Ok(Breaker {
            errors: self.errors,
            calls: self.calls,
            window: self.window,
            open: self.open,
            probes: self.probes,
        })
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "RateLimit", deny_unknown_fields)]
pub(super) struct RawRateLimit {
    rate: f64,
    burst: Option<u32>,
}

impl RawRateLimit {
    pub fn model(self, path: &Path) -> Result<RateLimit, Problem> {
        check::positive(&path.at("rate"), self.rate, bounds::MOST_RATE)?;
        let default = RateLimit::of(self.rate);
        let burst = self.burst.unwrap_or(default.burst);
        check::whole(&path.at("burst"), burst, 1..=1_000_000)?;
        Ok(RateLimit { burst, ..default })
    }
}

/// What is not given depends on who checks whom.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename = "HealthCheck", default, deny_unknown_fields)]
pub(super) struct RawHealthCheck {
    #[serde(deserialize_with = "given")]
    every: Option<Time>,
    #[serde(deserialize_with = "given")]
    timeout: Option<Time>,
    #[serde(deserialize_with = "given")]
    down_after: Option<u32>,
    #[serde(deserialize_with = "given")]
    up_after: Option<u32>,
}

impl RawHealthCheck {
    pub fn model(self, path: &Path, default: HealthCheck) -> Result<HealthCheck, Problem> {
        let health = HealthCheck {
            every: self.every.map_or(default.every, |time| time.0),
            timeout: self.timeout.map_or(default.timeout, |time| time.0),
            down_after: self.down_after.unwrap_or(default.down_after),
            up_after: self.up_after.unwrap_or(default.up_after),
        };
        check::interval(&path.at("every"), health.every)?;
        check::interval(&path.at("timeout"), health.timeout)?;
        check::whole(&path.at("down_after"), health.down_after, bounds::IN_A_ROW)?;
        check::whole(&path.at("up_after"), health.up_after, bounds::IN_A_ROW)?;
        Ok(health)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Outlier", default, deny_unknown_fields)]
pub(super) struct RawOutlier {
    errors: u32,
    #[serde(with = "duration")]
    eject: Duration,
    most: f64,
}

impl Default for RawOutlier {
    fn default() -> Self {
        let Outlier { errors, eject, most } = Outlier::default();
        RawOutlier { errors, eject, most }
    }
}

impl RawOutlier {
    pub fn model(self, path: &Path) -> Result<Outlier, Problem> {
        check::whole(&path.at("errors"), self.errors, bounds::IN_A_ROW)?;
        check::interval(&path.at("eject"), self.eject)?;
        check::number(&path.at("most"), self.most, 0.0..=1.0)?;
        Ok(Outlier {
            errors: self.errors,
            eject: self.eject,
            most: self.most,
        })
    }
}
