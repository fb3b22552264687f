//! What stands between users and the data centers, in the file: content delivery networks, and the sizes of what they carry.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::cache::room;
use super::policies::RawCalls;
use super::values::{RawDistribution, constant};
use crate::layout::bytes::Bytes;
use crate::layout::caching::{Cdn, Content};
use crate::layout::evict::{Evict, Room};
use crate::layout::policies::Calls;
use crate::layout::source::{Path, Problem};
use crate::layout::text::printable;
use crate::layout::{bounds, check, duration};

/// The edges of a CDN whose edges nobody named.
const UNNAMED: [&str; 3] = ["1", "2", "3"];
/// The most dollars for a GB.
const MOST_PER_GB: f64 = 100.0;

#[derive(Deserialize)]
#[serde(rename = "Cdn", default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "as in the model")]
pub(super) struct RawCdn {
    edges: Vec<String>,
    shield: bool,
    items: Option<u64>,
    bytes: Option<Bytes>,
    evict: Evict,
    #[serde(with = "duration::option")]
    pages: Option<Duration>,
    #[serde(with = "duration")]
    stale_while_revalidate: Duration,
    #[serde(with = "duration")]
    stale_if_error: Duration,
    coalesce: bool,
    next_edge: bool,
    standby: bool,
    weight: f64,
    price_per_gb: f64,
    work: RawDistribution,
    calls: RawCalls,
    #[serde(with = "duration")]
    boot: Duration,
}

impl Default for RawCdn {
    fn default() -> Self {
        RawCdn {
            edges: UNNAMED.map(str::to_owned).to_vec(),
            shield: false,
            items: None,
            bytes: None,
            evict: Evict::default(),
            pages: None,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            coalesce: true,
            next_edge: true,
            standby: false,
            weight: 1.0,
            price_per_gb: 0.085,
            work: constant(50),
            calls: RawCalls::default(),
            boot: Duration::from_secs(2),
        }
    }
}

impl RawCdn {
    pub fn model(self, path: &Path) -> Result<Cdn, Problem> {
        edges(&path.at("edges"), &self.edges)?;
        if let Some(time) = self.pages {
            check::interval(&path.at("pages"), time)?;
        }
        check::span(&path.at("stale_while_revalidate"), self.stale_while_revalidate)?;
        check::span(&path.at("stale_if_error"), self.stale_if_error)?;
        check::positive(&path.at("weight"), self.weight, bounds::MOST_WEIGHT)?;
        check::number(&path.at("price_per_gb"), self.price_per_gb, 0.0..=MOST_PER_GB)?;
        let work = self.work.into();
        check::distribution(&path.at("work"), work)?;
        check::span(&path.at("boot"), self.boot)?;
        Ok(Cdn {
            room: room(path, self.items, self.bytes, Room::Bytes(10_000_000_000))?,
            calls: self.calls.model(&path.at("calls"), &Calls::to_origin())?,
            edges: self.edges,
            shield: self.shield,
            evict: self.evict,
            pages: self.pages,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
            coalesce: self.coalesce,
            next_edge: self.next_edge,
            standby: self.standby,
            weight: self.weight,
            price_per_gb: self.price_per_gb,
            work,
            boot: self.boot,
        })
    }
}

/// Whether nobody named them.
pub(super) fn are_unnamed(edges: &[String]) -> bool {
    edges == UNNAMED
}

/// Those that nobody named have numbers for names.
fn edges(path: &Path, names: &[String]) -> Result<(), Problem> {
    check::whole(path, names.len() as u64, bounds::EDGES)?;
    let mut known = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let is_number = name.parse() == Ok(index + 1);
        if !is_number {
            bounds::name(name).map_err(|why| path.item(index).problem(why))?;
        }
        if !known.insert(name) {
            let message = format!("the edge \"{}\" is named twice", printable(name));
            return Err(path.item(index).problem(message));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename = "Content", default, deny_unknown_fields)]
pub(super) struct RawContent {
    row: Bytes,
    page: Bytes,
    json: Bytes,
    asset: Bytes,
    cv: f64,
    #[serde(with = "duration")]
    asset_ttl: Duration,
    fingerprints: bool,
    static_domain: bool,
    price_per_gb: f64,
}

impl Default for RawContent {
    fn default() -> Self {
        let Content {
            row,
            page,
            json,
            asset,
            cv,
            asset_ttl,
            fingerprints,
            static_domain,
            price_per_gb,
        } = Content::default();
        let [row, page, json, asset] = [row, page, json, asset].map(|size| Bytes(size.into()));
        RawContent {
            row,
            page,
            json,
            asset,
            cv,
            asset_ttl,
            fingerprints,
            static_domain,
            price_per_gb,
        }
    }
}

impl RawContent {
    pub fn model(self, path: &Path) -> Result<Content, Problem> {
        let size = |name: &str, size: Bytes| -> Result<u32, Problem> {
            check::whole(&path.at(name), size.0, bounds::OBJECT)?;
            Ok(size.0 as u32)
        };
        check::number(&path.at("cv"), self.cv, 0.0..=100.0)?;
        check::span(&path.at("asset_ttl"), self.asset_ttl)?;
        check::number(&path.at("price_per_gb"), self.price_per_gb, 0.0..=MOST_PER_GB)?;
        Ok(Content {
            row: size("row", self.row)?,
            page: size("page", self.page)?,
            json: size("json", self.json)?,
            asset: size("asset", self.asset)?,
            cv: self.cv,
            asset_ttl: self.asset_ttl,
            fingerprints: self.fingerprints,
            static_domain: self.static_domain,
            price_per_gb: self.price_per_gb,
        })
    }
}
