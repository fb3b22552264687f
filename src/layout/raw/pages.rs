//! What web tiers and functions share in the file: how pages are made. Its fields stand among those of the service.

use std::collections::BTreeMap;
use std::time::Duration;

use super::policies::RawCalls;
use super::values::{RawDistribution, constant, exponential};
use crate::layout::model::{Map, Pages, Service, Sessions};
use crate::layout::policies::Calls;
use crate::layout::queueing::{Consumer, Fallback, Publish};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check};

/// No struct of RON: serde can't spread the fields of one over another and keep the places of errors.
pub(super) struct RawPages {
    pub work: RawDistribution,
    pub json: f64,
    pub asset: f64,
    pub database: Option<String>,
    pub cache: Option<String>,
    pub upload: f64,
    pub queue: Option<String>,
    pub confirm: bool,
    pub fallback: Fallback,
    pub sessions: Sessions,
    pub session_ttl: Duration,
    pub sign_in: RawDistribution,
    pub verify: RawDistribution,
    pub calls: BTreeMap<String, RawCalls>,
}

impl Default for RawPages {
    fn default() -> Self {
        RawPages {
            work: exponential(4_000),
            json: 0.5,
            asset: 0.1,
            database: None,
            cache: None,
            upload: 1.0,
            queue: None,
            confirm: true,
            fallback: Fallback::Refuse,
            sessions: Sessions::Off,
            session_ttl: Duration::from_secs(30 * 60),
            sign_in: constant(5_000),
            verify: constant(50),
            calls: BTreeMap::new(),
        }
    }
}

impl RawPages {
    /// With the calls that the file names; [`complete`] adds the others.
    pub fn model(self, path: &Path) -> Result<Pages, Problem> {
        let (work, sign_in, verify) = (self.work.into(), self.sign_in.into(), self.verify.into());
        check::distribution(&path.at("work"), work)?;
        check::positive(&path.at("json"), self.json, 100.0)?;
        check::positive(&path.at("asset"), self.asset, 100.0)?;
        check::positive(&path.at("upload"), self.upload, 100.0)?;
        bounds::fallback(self.fallback).map_err(|why| path.at("fallback").problem(why))?;
        check::interval(&path.at("session_ttl"), self.session_ttl)?;
        check::distribution(&path.at("sign_in"), sign_in)?;
        check::distribution(&path.at("verify"), verify)?;
        let mut calls = Map::new();
        for (to, raw) in self.calls {
            let default = if self.cache.as_ref() == Some(&to) {
                Calls::to_cache()
            } else if self.queue.as_ref() == Some(&to) {
                Calls::to_queue()
            } else {
                Calls::to_service()
            };
            let read = raw.model(&path.at("calls").at(&to), &default)?;
            calls.insert(to, read);
        }
        let publish = self.queue.map(|to| Publish {
            to,
            confirm: self.confirm,
            fallback: self.fallback,
        });
        Ok(Pages {
            work,
            json: self.json,
            asset: self.asset,
            database: self.database,
            cache: self.cache,
            upload: self.upload,
            publish,
            sessions: self.sessions,
            session_ttl: self.session_ttl,
            sign_in,
            verify,
            calls,
        })
    }
}

/// Gives every web tier and every function the default calls of what it may call and the file does not name: its database, its cache, and all
/// session stores of the data center, since its sessions may move while it runs.
pub(super) fn complete(services: &mut Map<Service>) {
    let stores: Vec<String> = services
        .iter()
        .filter(|(_, service)| matches!(service, Service::SessionStore(_)))
        .map(|(name, _)| name.clone())
        .collect();
    let through: Vec<String> = services
        .iter()
        .filter(|(_, service)| matches!(service, Service::Cache(cache) if cache.strategy.loads_through()))
        .map(|(name, _)| name.clone())
        .collect();
    for service in services.values_mut() {
        let pages = match service {
            Service::Web(web) => &mut web.pages,
            Service::Serverless(functions) => &mut functions.pages,
            Service::Consumer(consumer) => {
                complete_consumer(consumer);
                continue;
            }
            _ => continue,
        };
        if let Some(publish) = &pages.publish
            && !pages.calls.contains_key(&publish.to)
        {
            pages.calls.insert(publish.to.clone(), Calls::to_queue());
        }
        if let Some(cache) = &pages.cache
            && !pages.calls.contains_key(cache)
        {
            let calls = if through.contains(cache) {
                Calls::through_cache()
            } else {
                Calls::to_cache()
            };
            pages.calls.insert(cache.clone(), calls);
        }
        for callee in pages.database.iter().chain(&stores) {
            if !pages.calls.contains_key(callee) {
                pages.calls.insert(callee.clone(), Calls::to_service());
            }
        }
    }
}

fn complete_consumer(consumer: &mut Consumer) {
    let calls = &mut consumer.calls;
    calls.entry(consumer.of.clone()).or_insert_with(Calls::to_queue);
    if let Some(database) = &consumer.database {
        calls.entry(database.clone()).or_insert_with(Calls::to_service);
    }
}
