//! Functions in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::pages::RawPages;
use super::policies::RawCalls;
use super::values::RawDistribution;
use crate::layout::model::{Serverless, Sessions};
use crate::layout::queueing::Fallback;
use crate::layout::source::{Path, Problem};
use crate::layout::{check, duration};

#[derive(Deserialize)]
#[serde(rename = "Serverless", default, deny_unknown_fields)]
pub(super) struct RawServerless {
    limit: u32,
    cold_start: RawDistribution,
    #[serde(with = "duration")]
    keep: Duration,
    memory_gib: f64,
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
}

impl Default for RawServerless {
    fn default() -> Self {
        let pages = RawPages::default();
        RawServerless {
            limit: 1_000,
            cold_start: RawDistribution::LogNormal {
                mean: Duration::from_millis(400),
                cv: 0.5,
            },
            keep: Duration::from_secs(300),
            memory_gib: 1.0,
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
        }
    }
}

impl RawServerless {
    pub fn model(self, path: &Path) -> Result<Serverless, Problem> {
        if matches!(self.fallback, Fallback::Outbox { .. }) {
            let message = "functions have no memory that lasts: no outbox";
            return Err(path.at("fallback").problem(message));
        }
        let cold_start = self.cold_start.into();
        check::whole(&path.at("limit"), self.limit, 1..=check::MOST_SLOTS)?;
        check::distribution(&path.at("cold_start"), cold_start)?;
        check::interval(&path.at("keep"), self.keep)?;
        check::number(&path.at("memory_gib"), self.memory_gib, 0.125..=10.0)?;
        if self.sessions == Sessions::Local {
            let message =
                "functions forget all between requests, so sessions can't be Local; write Store(\"..\") or Token";
            return Err(path.at("sessions").problem(message));
        }
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
        Ok(Serverless {
            limit: self.limit,
            cold_start,
            keep: self.keep,
            memory_gib: self.memory_gib,
            pages: pages.model(path)?,
        })
    }
}
