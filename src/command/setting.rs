//! Settings that can be changed while a system runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::layout::{
    Asks, Delivery, Evict, Fallback, Invalidate, Mode, Reads, Room, Routing, Rule, Sessions, Strategy, Target,
};

/// A setting with its new value. Bounds are those of the field of the same name in a layout.
///
/// Those of calls (timeout, retries, ...) hold for all that the service calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Setting {
    /// Where a web tier or functions keep sessions: `sessions off`, `local`, `store:NAME`, `token`. What clients hold of another kind
    /// is worth nothing from then on.
    Sessions(Sessions),
    /// Whether a balancer makes users stick by a cookie of this name: `sticky off`, `sticky SERVER`.
    Sticky(Option<String>),
    /// How long one try of a call waits: `timeout 500ms`.
    Timeout(#[serde(with = "crate::layout::duration")] Duration),
    /// How often a failed call is tried again: `retries 3`.
    Retries(u32),
    /// Whether writes are tried again, with an idempotency key: `retry-writes on`.
    RetryWrites(bool),
    /// Retries as a share of calls: `budget 20%`, `budget off`.
    Budget(Option<f64>),
    /// Whether calls have a circuit breaker, with its default figures or those of the layout: `breaker on`.
    Breaker(bool),
    /// When a read is asked a second time: `hedge 50ms`, `hedge off`.
    Hedge(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Connections of one instance: `connections 20`, `connections off`.
    Connections(Option<u32>),
    /// Requests a second that one instance takes: `rate-limit 500`, `rate-limit off`.
    RateLimit(Option<f64>),
    /// The longest wait for a slot after which a web server still serves: `shed 200ms`, `shed off`.
    Shed(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Time between two health checks: `check-every 500ms`.
    CheckEvery(#[serde(with = "crate::layout::duration")] Duration),
    /// Failed checks until a server is taken out: `down-after 2`.
    DownAfter(u32),
    /// Whether a balancer ejects servers that fail real requests, with its default figures or those of the layout: `outlier on`.
    Outlier(bool),
    /// How long the share of a new server grows: `slow-start 30s`.
    SlowStart(#[serde(with = "crate::layout::duration")] Duration),
    /// How long the answers of DNS may be kept, or how long an entry of a cache lives: `ttl 5s`.
    Ttl(#[serde(with = "crate::layout::duration")] Duration),
    /// Whether the autoscaler of a web tier works: `autoscaler off`. It needs one in the layout.
    Autoscaler(bool),
    /// The fewest machines of an autoscaler: `min 2`.
    Min(u32),
    /// The most machines of an autoscaler: `max 20`.
    Max(u32),
    /// What an autoscaler holds: `target 60%` (of the cores), `target 100/s` (requests of each machine), of workers
    /// also `target depth:20` (messages of each machine), `target 30s` (how long a message may wait).
    Target(Target),
    /// When a write of a primary counts as done: `mode quorum`.
    Mode(Mode),
    /// Which nodes answer reads: `reads any`.
    Reads(Reads),
    /// Whether users are to find what they wrote: `read-your-writes on`.
    ReadYourWrites(bool),
    /// How long the lease of a primary lasts: `failover 3s`; `failover off` leaves failover to hand. It needs monitors in the layout.
    Failover(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Whether a primary whose lease has run out stops to take writes: `fencing off`. It needs monitors in the layout.
    Fencing(bool),
    /// Whether former primaries give their writes to the new one by themselves: `recovery off`.
    Recovery(bool),
    /// How long a node is down before a new one is set up in its place: `replace 30s`, `replace off`.
    Replace(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// What becomes of conflicting writes: `rule keep-both`, `rule site-priority:eu-west,us-east`. Data centers that are not named come
    /// after the others, in the order of their names.
    Rule(Rule),
    /// How long a silent node of a ring is waited for before the ring is closed around it: `close 5s`, `close off`.
    Close(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Rows a second that a rebuild or a migration copies at most: `copy-rate 10000`.
    CopyRate(f64),
    /// Share of the requests about rows that are for the first one: `hot 20%`, `hot off`.
    Hot(f64),
    /// What people ask for, by weight: what has none is not asked for.
    Asks(Asks),
    /// What makes room for new entries: `evict sieve`. What is held stays.
    Evict(Evict),
    /// What each node of a cache, or each edge, has room for: `items 5000`, `bytes 64MB`.
    Room(Room),
    /// The share of the time to live by which an entry lives shorter at most: `jitter 20%`, `jitter off`.
    Jitter(f64),
    /// Who loads what a cache lacks, and where writes go: `strategy aside`, `strategy write-behind:1s`.
    Strategy(Strategy),
    /// What a write does to the entry of the row: `invalidate delete`, `invalidate update`, `invalidate never`.
    Invalidate(Invalidate),
    /// Whether those who miss the same key, or object, at the same time wait for one load: `single-flight on`.
    SingleFlight(bool),
    /// From which share of its life on an entry is loaded anew: `refresh-ahead 80%`, `refresh-ahead off`.
    RefreshAhead(Option<f64>),
    /// The factor of probabilistic early expiration: `early 1`, `early off`.
    Early(Option<f64>),
    /// How long it is kept that there is no such row: `negative 10s`, `negative off`.
    Negative(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// How long web servers keep copies of what they asked for last: `near 1s`, `near off`.
    Near(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Whether the keys of a node that fails go to the next one: `rehash on`.
    Rehash(bool),
    /// How long a CDN keeps pages: `pages 2s`, `pages off`.
    Pages(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// How long after its time an object is served while it is fetched anew: `stale-while-revalidate 10s`.
    StaleWhileRevalidate(#[serde(with = "crate::layout::duration")] Duration),
    /// How long after its time an object is served when it can't be fetched: `stale-if-error 1h`.
    StaleIfError(#[serde(with = "crate::layout::duration")] Duration),
    /// Whether users of an edge that is believed down are sent to the next one: `next-edge off`.
    NextEdge(bool),
    /// Whether a CDN is used only when no other is: `standby on`.
    Standby(bool),
    /// The share of a CDN of the users, relative to the other CDNs: `weight 0.5`.
    Weight(f64),
    /// How long a message that was handed out stays invisible: `visibility 10s`.
    Visibility(#[serde(with = "crate::layout::duration")] Duration),
    /// How often a message is handed out before it is dead: `attempts 5`, `attempts off`.
    Attempts(Option<u32>),
    /// How long a new message waits before it can be handed out: `delay 5s`, `delay off`.
    Delay(#[serde(with = "crate::layout::duration")] Duration),
    /// How long a message is kept at most: `retention 1h`, `retention off`.
    Retention(#[serde(with = "crate::layout::duration::option")] Option<Duration>),
    /// Messages that a queue has room for: `messages 10000`.
    Messages(u64),
    /// Messages that a worker holds at once: `prefetch 20`.
    Prefetch(u32),
    /// When a worker acknowledges a message: `delivery at-most-once`.
    Delivery(Delivery),
    /// Share of the attempts of workers that fail: `fails 5%`, `fails off`.
    Fails(f64),
    /// Whether users wait until the queue has confirmed what they upload: `confirm off`.
    Confirm(bool),
    /// What becomes of an upload that the queue does not confirm: `fallback refuse`, `drop`, `block:5s`, `outbox:1000`.
    Fallback(Fallback),
    /// Whether users are sent to the data centers when all CDNs are believed down: `origin-fallback off`.
    OriginFallback(bool),
    /// To which data center DNS sends users: `routing geo`, `routing failover:us-east,eu-west`.
    Routing(Routing),
}
