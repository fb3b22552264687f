//! A population of users in the file.

use std::time::Duration;

use serde::Deserialize;

use super::policies::RawCalls;
use super::values::RawKeys;
use crate::layout::model::{Asks, LookBack, Users};
use crate::layout::policies::Calls;
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "Users", default, deny_unknown_fields)]
pub(super) struct RawUsers {
    count: Option<u64>,
    #[serde(with = "duration")]
    every: Duration,
    mobile: f64,
    asks: RawAsks,
    keys: RawKeys,
    assets: RawKeys,
    edge: Option<String>,
    browser: bool,
    region: Option<String>,
    resolver: Option<String>,
    resolvers: u32,
    stubs: u32,
    #[serde(with = "duration")]
    patience: Duration,
    calls: RawCalls,
    site: Option<String>,
    look_back: Option<RawLookBack>,
    hot: f64,
}

impl Default for RawUsers {
    fn default() -> Self {
        RawUsers {
            count: None,
            every: Duration::from_secs(10),
            mobile: 0.4,
            asks: RawAsks {
                page: 80.0,
                asset: 0.0,
                create: 5.0,
                update: 10.0,
                delete: 5.0,
                search: 0.0,
                upload: 0.0,
            },
            keys: RawKeys::Zipf {
                count: 100_000,
                exponent: 0.9,
            },
            assets: RawKeys::Zipf {
                count: 1_000,
                exponent: 1.0,
            },
            edge: None,
            browser: true,
            region: None,
            resolver: None,
            resolvers: 16,
            stubs: 256,
            patience: Duration::from_secs(10),
            calls: RawCalls::default(),
            site: None,
            look_back: None,
            hot: 0.0,
        }
    }
}

/// What is not named is not asked for.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename = "Asks", default, deny_unknown_fields)]
struct RawAsks {
    page: f64,
    asset: f64,
    create: f64,
    update: f64,
    delete: f64,
    search: f64,
    upload: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "LookBack", default, deny_unknown_fields)]
struct RawLookBack {
    share: Option<f64>,
    #[serde(with = "duration")]
    after: Duration,
}

impl Default for RawLookBack {
    fn default() -> Self {
        RawLookBack {
            share: None,
            after: Duration::from_millis(200),
        }
    }
}

impl RawUsers {
    pub fn model(self, path: &Path) -> Result<Users, Problem> {
        let Some(count) = self.count else {
            return Err(path.problem("the field `count` is missing: how many people?"));
        };
        check::whole(&path.at("count"), count, 1..=check::MOST_USERS)?;
        check::interval(&path.at("every"), self.every)?;
        check::number(&path.at("mobile"), self.mobile, 0.0..=1.0)?;
        check::whole(&path.at("resolvers"), self.resolvers, 1..=100_000)?;
        check::whole(&path.at("stubs"), self.stubs, 1..=100_000)?;
        check::interval(&path.at("patience"), self.patience)?;
        let keys = self.keys.into();
        check::keys(&path.at("keys"), keys)?;
        let assets = self.assets.into();
        check::keys(&path.at("assets"), assets)?;
        check::number(&path.at("hot"), self.hot, bounds::SHARE)?;
        let look_back = self.look_back.map(|raw| raw.model(&path.at("look_back")));
        Ok(Users {
            count,
            every: self.every,
            mobile: self.mobile,
            asks: self.asks.model(&path.at("asks"))?,
            keys,
            assets,
            edge: self.edge,
            browser: self.browser,
            region: self.region,
            resolver: self.resolver,
            resolvers: self.resolvers,
            stubs: self.stubs,
            patience: self.patience,
            calls: self.calls.model(&path.at("calls"), &Calls::to_site())?,
            site: self.site,
            look_back: look_back.transpose()?,
            hot: self.hot,
        })
    }
}

impl RawAsks {
    fn model(self, path: &Path) -> Result<Asks, Problem> {
        let RawAsks {
            page,
            asset,
            create,
            update,
            delete,
            search,
            upload,
        } = self;
        let asks = Asks::of([page, asset, create, update, delete, search, upload]);
        for (name, weight) in Asks::NAMES.into_iter().zip(asks.weights()) {
            check::number(&path.at(name), weight, bounds::ASKS)?;
        }
        if asks.weights().iter().all(|weight| *weight == 0.0) {
            return Err(path.problem("one of the weights must be above 0"));
        }
        Ok(asks)
    }
}

impl RawLookBack {
    fn model(self, path: &Path) -> Result<LookBack, Problem> {
        let Some(share) = self.share else {
            return Err(path.problem("the field `share` is missing: after which share of their writes do they look?"));
        };
        check::positive(&path.at("share"), share, 1.0)?;
        check::span(&path.at("after"), self.after)?;
        Ok(LookBack {
            share,
            after: self.after,
        })
    }
}
