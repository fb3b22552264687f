//! Settings that can be changed while a system runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::layout::{Mode, Reads, Rule, Sessions, Target};

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
    /// How long the answers of DNS may be kept: `ttl 5s`.
    Ttl(#[serde(with = "crate::layout::duration")] Duration),
    /// Whether the autoscaler of a web tier works: `autoscaler off`. It needs one in the layout.
    Autoscaler(bool),
    /// The fewest machines of an autoscaler: `min 2`.
    Min(u32),
    /// The most machines of an autoscaler: `max 20`.
    Max(u32),
    /// What an autoscaler holds: `target 60%` (of the cores), `target 100/s` (requests of each machine).
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
}
