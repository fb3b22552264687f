//! What is kept near those who ask for it: the cache tier, the CDN, the browser's own cache, and the sizes of what is kept.

use std::time::Duration;

use super::evict::{Evict, Room};
use super::model::Distribution;
use super::policies::Calls;

/// A cache tier: rows in the memory of nodes, which web servers ask before the database. A key belongs to one node by consistent hashing
/// (Karger et al. 1997, 160 points for each node as in ketama).
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    /// The host that it shares with other services, in place of machines of its own.
    pub on: Option<String>,
    /// Nodes. From 1 to 1,000. Default 1.
    pub machines: u32,
    /// Size of its machines. Default `s`.
    pub size: String,
    /// Requests in progress at once on each node. Default 256.
    pub slots: u32,
    /// Requests that may wait on each node. Default 10,000.
    pub backlog: u32,
    /// Core time of a look-up or a change. Default exponential 0.01 ms (Redis: 100,000 to 150,000 operations a second on one core).
    pub work: Distribution,
    /// What each node has room for. In the file `items` (from 1 to 100 million) or `bytes` (as in `"64MB"`). Default 100,000 items.
    pub room: Room,
    /// What makes room for new entries. Default `Lru`.
    pub evict: Evict,
    /// How long an entry lives. Above 0, at most a week. Default 5 min.
    pub ttl: Duration,
    /// The share of it by which an entry's life is shorter, at most: uniform, so that what was stored together does not end together.
    /// From 0 to 1. Default 0.
    pub jitter: f64,
    /// Who loads what is missing, and where writes go. Default `Aside`.
    pub strategy: Strategy,
    /// What a write that goes to the database does to the entry. Default `Delete`.
    pub invalidate: Invalidate,
    /// Nodes that keep each key: the first one is asked, the next when it fails. From 1 to the number of nodes. Default 1.
    pub copies: u32,
    /// Whether the keys of a node that fails go to the next nodes on the ring. Otherwise they miss until it is back. Default false.
    pub rehash: bool,
    /// Whether a node has its entries again after a crash, as stale as they are by then. Default false: it is cold.
    pub durable: bool,
    /// Whether those who miss the same key at the same time wait for one load: on each web server, or with a strategy that loads through the
    /// cache on each node. Default false.
    pub single_flight: bool,
    /// From which share of its life on an entry that is asked for is loaded anew in the background. Above 0, below 1. Default none.
    pub refresh_ahead: Option<f64>,
    /// Loads anew early by chance, the sooner the longer a load takes: the factor beta of probabilistic early expiration (Vattani, Chierichetti,
    /// Lowenstein, VLDB 2015). Above 0, at most 100; 1 is their optimum. Default none.
    pub early: Option<f64>,
    /// How long it is kept that there is no such row. Default none: not at all.
    pub negative: Option<Duration>,
    /// Copies of what was asked for last in the memory of each web server. Default none.
    pub near: Option<Near>,
    /// How its nodes treat the database that they load from. The database is that of the pages that use the cache.
    pub calls: Calls,
    /// From start of the process to serving. Default 2 s.
    pub boot: Duration,
}

/// Who loads what is missing in a cache, and where writes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Strategy {
    /// The web server asks the cache, then the database, and stores what it found. Writes go to the database.
    Aside,
    /// The cache asks the database. Writes go to the database.
    ReadThrough,
    /// The cache asks the database, and writes go through it: to the database first, then into the entry.
    WriteThrough,
    /// The cache asks the database, and writes are done once the cache has them. It writes them to the database a while later, the last one
    /// of each row. What it has not written when it dies is lost.
    WriteBehind {
        /// How long a write waits. Above 0, at most a week. Default 1 s.
        #[serde(with = "crate::layout::duration")]
        after: Duration,
    },
}

/// What a write that goes to the database does to the entry of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Invalidate {
    /// Deletes it: the next one who asks loads it.
    Delete,
    /// Puts the new version into its place.
    Update,
    /// Nothing: it is stale until it expires.
    Never,
}

/// Copies in the memory of each web server, evicted by LRU. All instances of a function share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near {
    /// Entries. From 1 to a million. Default 100.
    pub items: u32,
    /// How long one lives. A write is known to the server that made it, and to no other. Default 1 s.
    pub ttl: Duration,
}

/// A content delivery network, run by a third party: caches near the users in front of all data centers.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the file, and any combination makes sense"
)]
pub struct Cdn {
    /// Its edges by name, in order. From 1 to 64, each with machines that never wait. Default `1`, `2` and `3`.
    pub edges: Vec<String>,
    /// Whether the edges ask one more cache that stands near the data centers, in place of the data centers. If it fails they ask those.
    /// Default false.
    pub shield: bool,
    /// What each edge, and the shield, has room for. In the file `items` or `bytes`. Default 10 GB.
    pub room: Room,
    /// What makes room for new objects. Default `Lru`.
    pub evict: Evict,
    /// How long pages and JSON are kept, if nothing makes them private. Default none: not at all.
    pub pages: Option<Duration>,
    /// How long after its time an object is still served, while it is fetched anew (RFC 5861). Default 0.
    pub stale_while_revalidate: Duration,
    /// How long after its time an object is still served when it can't be fetched (RFC 5861). Default 0.
    pub stale_if_error: Duration,
    /// Whether those who miss the same object at the same time wait for one fetch. Default true.
    pub coalesce: bool,
    /// Whether the next edge is asked when one is believed down. Default true.
    pub next_edge: bool,
    /// Whether it is used only when all that are no standby are believed down. Default false.
    pub standby: bool,
    /// Its share of the users, relative to that of the other CDNs which are no standby. Above 0, at most 1,000. Default 1.
    pub weight: f64,
    /// US dollars for a GB sent to users. From 0 to 100. Default 0.085 (Amazon `CloudFront`, North America and Europe, up to 10 TB a month).
    pub price_per_gb: f64,
    /// Core time of each request. Default constant 0.05 ms.
    pub work: Distribution,
    /// How it treats the data centers and its shield.
    pub calls: Calls,
    /// From start of a process to serving. Default 2 s.
    pub boot: Duration,
}

/// What the site is made of: the sizes of what travels, and how long static files may be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// Mean size of a row, in bytes. Sizes are from 1 byte to 1 GB. Default 1 kB.
    pub row: u32,
    /// Mean size of an HTML page. Default 30 kB (HTTP Archive, median of 2022).
    pub page: u32,
    /// Mean size of a JSON answer. Default 4 kB.
    pub json: u32,
    /// Mean size of a static file. Default 50 kB.
    pub asset: u32,
    /// Standard deviation over mean of the sizes, which are lognormal: each row and each file has its own, always the same. From 0 to 100.
    /// Default 1.
    pub cv: f64,
    /// How long browsers and CDNs may keep a static file (`max-age`). From 0 to a week. Default 1 h.
    pub asset_ttl: Duration,
    /// Whether the names of static files tell their version, so that a new version is another file. Default true.
    pub fingerprints: bool,
    /// Whether static files have a domain of their own, which leads to the CDNs, so that the domain of the site leads to the data centers. Default false:
    /// where there are CDNs, all that users ask goes through them.
    pub static_domain: bool,
    /// US dollars for a GB that the data centers send to users, and to CDNs. From 0 to 100. Default 0.
    pub price_per_gb: f64,
}

impl Strategy {
    /// Whether the cache itself asks the database.
    pub fn loads_through(self) -> bool {
        self != Strategy::Aside
    }

    /// Whether writes go to the cache.
    pub fn takes_writes(self) -> bool {
        matches!(self, Strategy::WriteThrough | Strategy::WriteBehind { .. })
    }
}

impl Default for Near {
    fn default() -> Near {
        Near {
            items: 100,
            ttl: Duration::from_secs(1),
        }
    }
}

impl Default for Content {
    fn default() -> Content {
        Content {
            row: 1_000,
            page: 30_000,
            json: 4_000,
            asset: 50_000,
            cv: 1.0,
            asset_ttl: Duration::from_secs(3600),
            fingerprints: true,
            static_domain: false,
            price_per_gb: 0.0,
        }
    }
}
