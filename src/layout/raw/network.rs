//! The name service and the network in the file.

use std::time::Duration;

use serde::Deserialize;

use super::policies::RawHealthCheck;
use crate::layout::model::{Dns, Network};
use crate::layout::policies::HealthCheck;
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "Dns", default, deny_unknown_fields)]
pub(super) struct RawDns {
    #[serde(with = "duration")]
    ttl: Duration,
    #[serde(with = "duration")]
    timeout: Duration,
    attempts: u32,
    health: Option<RawHealthCheck>,
    origin_fallback: bool,
}

impl Default for RawDns {
    fn default() -> Self {
        RawDns {
            ttl: Duration::from_secs(60),
            timeout: Duration::from_secs(2),
            attempts: 3,
            health: None,
            origin_fallback: true,
        }
    }
}

impl RawDns {
    /// A TTL of 0 is legal: nobody keeps the answer. Where CDNs are to be told apart, addresses are checked.
    pub fn model(self, path: &Path, checked: bool) -> Result<Dns, Problem> {
        check::span(&path.at("ttl"), self.ttl)?;
        check::interval(&path.at("timeout"), self.timeout)?;
        check::whole(&path.at("attempts"), self.attempts, 1..=100)?;
        let default = checked.then(RawHealthCheck::default);
        let check = |raw: RawHealthCheck| raw.model(&path.at("health"), HealthCheck::of_addresses());
        Ok(Dns {
            ttl: self.ttl,
            timeout: self.timeout,
            attempts: self.attempts,
            health: self.health.or(default).map(check).transpose()?,
            origin_fallback: self.origin_fallback,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename = "Network", default, deny_unknown_fields)]
pub(super) struct RawNetwork {
    #[serde(with = "duration")]
    local: Duration,
    #[serde(with = "duration")]
    access: Duration,
    #[serde(with = "duration")]
    edge: Duration,
    #[serde(with = "duration")]
    between: Duration,
    #[serde(with = "duration")]
    jitter: Duration,
    loss: f64,
}

impl Default for RawNetwork {
    fn default() -> Self {
        RawNetwork {
            local: Duration::from_micros(250),
            access: Duration::from_millis(20),
            edge: Duration::from_millis(5),
            between: Duration::from_millis(40),
            jitter: Duration::ZERO,
            loss: 0.0,
        }
    }
}

impl RawNetwork {
    pub fn model(self, path: &Path) -> Result<Network, Problem> {
        let latencies = check::SHORTEST_LATENCY..=check::LONGEST_LATENCY;
        check::time(&path.at("local"), self.local, latencies.clone())?;
        check::time(&path.at("access"), self.access, latencies.clone())?;
        check::time(&path.at("edge"), self.edge, latencies.clone())?;
        check::time(&path.at("between"), self.between, latencies)?;
        check::time(&path.at("jitter"), self.jitter, Duration::ZERO..=check::LONGEST_LATENCY)?;
        check::number(&path.at("loss"), self.loss, 0.0..=0.9)?;
        Ok(Network {
            local: self.local,
            access: self.access,
            edge: self.edge,
            between: self.between,
            jitter: self.jitter,
            loss: self.loss,
        })
    }
}
