//! A cache tier in the file.

use std::time::Duration;

use serde::Deserialize;

use super::placement;
use super::policies::RawCalls;
use super::values::{RawDistribution, exponential};
use crate::layout::bytes::Bytes;
use crate::layout::caching::{Cache, Invalidate, Near, Strategy};
use crate::layout::evict::{Evict, Room};
use crate::layout::policies::Calls;
use crate::layout::source::{Path, Problem};
use crate::layout::text::grouped;
use crate::layout::{bounds, check, duration};

#[derive(Deserialize)]
#[serde(rename = "Cache", default, deny_unknown_fields)]
pub(super) struct RawCache {
    on: Option<String>,
    machines: Option<u32>,
    size: Option<String>,
    slots: u32,
    backlog: u32,
    work: RawDistribution,
    items: Option<u64>,
    bytes: Option<Bytes>,
    evict: Evict,
    #[serde(with = "duration")]
    ttl: Duration,
    jitter: f64,
    strategy: RawStrategy,
    invalidate: Invalidate,
    copies: u32,
    rehash: bool,
    durable: bool,
    single_flight: bool,
    refresh_ahead: Option<f64>,
    early: Option<f64>,
    #[serde(with = "duration::option")]
    negative: Option<Duration>,
    near: Option<RawNear>,
    calls: RawCalls,
    #[serde(with = "duration")]
    boot: Duration,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
enum RawStrategy {
    Aside,
    ReadThrough,
    WriteThrough,
    WriteBehind {
        #[serde(with = "duration", default = "a_second")]
        after: Duration,
    },
}

fn a_second() -> Duration {
    Duration::from_secs(1)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Near", default, deny_unknown_fields)]
struct RawNear {
    items: u32,
    #[serde(with = "duration")]
    ttl: Duration,
}

impl Default for RawNear {
    fn default() -> Self {
        let Near { items, ttl } = Near::default();
        RawNear { items, ttl }
    }
}

impl Default for RawCache {
    fn default() -> Self {
        RawCache {
            on: None,
            machines: None,
            size: None,
            slots: 256,
            backlog: 10_000,
            work: exponential(10),
            items: None,
            bytes: None,
            evict: Evict::default(),
            ttl: Duration::from_secs(300),
            jitter: 0.0,
            strategy: RawStrategy::Aside,
            invalidate: Invalidate::Delete,
            copies: 1,
            rehash: false,
            durable: false,
            single_flight: false,
            refresh_ahead: None,
            early: None,
            negative: None,
            near: None,
            calls: RawCalls::default(),
            boot: Duration::from_secs(2),
        }
    }
}

/// The room of a cache in the file: items or bytes.
pub(super) fn room(path: &Path, items: Option<u64>, bytes: Option<Bytes>, default: Room) -> Result<Room, Problem> {
    let room = match (items, bytes) {
        (Some(_), Some(_)) => {
            let message = "`items` and `bytes` exclude each other: a cache has room for one or the other";
            return Err(path.key("bytes").problem(message));
        }
        (Some(items), None) => Room::Items(items),
        (None, Some(bytes)) => Room::Bytes(bytes.0),
        (None, None) => default,
    };
    let place = path.at(if bytes.is_some() { "bytes" } else { "items" });
    bounds::room(room).map_err(|why| place.problem(why))?;
    Ok(room)
}

impl RawCache {
    pub fn model(self, path: &Path) -> Result<Cache, Problem> {
        let size = placement(path, self.on.as_ref(), self.size, "s", self.machines)?;
        let machines = self.machines.unwrap_or(1);
        check::whole(&path.at("machines"), machines, bounds::CACHE_NODES)?;
        check::whole(&path.at("slots"), self.slots, 1..=check::MOST_SLOTS)?;
        check::whole(&path.at("backlog"), self.backlog, 0..=check::MOST_SLOTS)?;
        let work = self.work.into();
        check::distribution(&path.at("work"), work)?;
        check::interval(&path.at("ttl"), self.ttl)?;
        check::number(&path.at("jitter"), self.jitter, bounds::SHARE)?;
        check::whole(&path.at("copies"), self.copies, bounds::CACHE_NODES)?;
        if self.copies > machines {
            let [copies, nodes] = [self.copies, machines].map(|number| grouped(number.into()));
            let message = format!("{copies} copies need as many nodes, and there are {nodes}; give it more `machines`");
            return Err(path.at("copies").problem(message));
        }
        let strategy = match self.strategy {
            RawStrategy::Aside => Strategy::Aside,
            RawStrategy::ReadThrough => Strategy::ReadThrough,
            RawStrategy::WriteThrough => Strategy::WriteThrough,
            RawStrategy::WriteBehind { after } => {
                check::interval(&path.at("strategy").at("after"), after)?;
                Strategy::WriteBehind { after }
            }
        };
        if let Some(share) = self.refresh_ahead {
            bounds::refresh_ahead(share).map_err(|why| path.at("refresh_ahead").problem(why))?;
        }
        if let Some(beta) = self.early {
            check::positive(&path.at("early"), beta, bounds::MOST_BETA)?;
        }
        if let Some(time) = self.negative {
            check::interval(&path.at("negative"), time)?;
        }
        let near = match self.near {
            Some(raw) => {
                let path = path.at("near");
                check::whole(&path.at("items"), raw.items, 1..=1_000_000)?;
                check::interval(&path.at("ttl"), raw.ttl)?;
                Some(Near {
                    items: raw.items,
                    ttl: raw.ttl,
                })
            }
            None => None,
        };
        check::span(&path.at("boot"), self.boot)?;
        Ok(Cache {
            room: room(path, self.items, self.bytes, Room::Items(100_000))?,
            calls: self.calls.model(&path.at("calls"), &Calls::to_service())?,
            on: self.on,
            machines,
            size,
            slots: self.slots,
            backlog: self.backlog,
            work,
            evict: self.evict,
            ttl: self.ttl,
            jitter: self.jitter,
            strategy,
            invalidate: self.invalidate,
            copies: self.copies,
            rehash: self.rehash,
            durable: self.durable,
            single_flight: self.single_flight,
            refresh_ahead: self.refresh_ahead,
            early: self.early,
            negative: self.negative,
            near,
            boot: self.boot,
        })
    }
}
