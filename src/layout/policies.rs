//! Policies that services have in common: how they treat those whom they call, what they take, how they grow.

use std::time::Duration;

/// How a caller treats one callee.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calls {
    /// How long one try waits. Default 2 s; from a load balancer 5 s; from users 10 s.
    pub timeout: Duration,
    /// How often a failed call is tried again. From 0 to 100. Default 1; from users 0. A load balancer tries another server.
    /// Only what broke on the way is tried again (refused, reset, timed out), and a write only if `retry_writes` is set.
    pub retries: u32,
    /// Whether writes are tried again too. They carry an idempotency key then, by which the database does each only once. Default false.
    pub retry_writes: bool,
    /// Retries as a share of calls, at most, from 0 to 10; 10 retries a second are always free. `None`: without limit. Default 0.2 (Finagle's
    /// `RetryBudget`); `None` from users and from load balancers.
    pub budget: Option<f64>,
    /// How long a retry waits at most at first: uniform from 0 to this, doubled with each try (full jitter, AWS Architecture Blog 2015).
    /// From 0 to a minute. Default 25 ms; 0 from load balancers.
    pub backoff: Duration,
    /// The longest of these waits. Default 1 s.
    pub backoff_most: Duration,
    /// Stops calling what fails. Default on; `None` from users and from load balancers.
    pub breaker: Option<Breaker>,
    /// Asks a second time when a read has no answer after so long, which is less than the timeout, and takes the first answer (Dean and Barroso, The Tail at Scale, 2013).
    /// Default `None`.
    pub hedge: Option<Duration>,
    /// Connections of one caller's instance, each carrying one call at once. From 1 to a million. `None`: without limit. Default `None`.
    pub connections: Option<u32>,
}

/// A circuit breaker: closed, open, half open (Nygard, Release It!; the figures are those of Hystrix).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    /// Share of failed calls at which it opens, above 0 and at most 1. Default 0.5.
    pub errors: f64,
    /// Calls in the window before it judges. From 1 to a million. Default 20.
    pub calls: u32,
    /// The window. Default 10 s.
    pub window: Duration,
    /// How long it stays open. Default 5 s.
    pub open: Duration,
    /// Calls let through when half open; all must succeed to close it. From 1 to 1,000. Default 1.
    pub probes: u32,
}

/// A limit on the requests that a service takes: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests a second of one instance, above 0 and at most 10 million.
    pub rate: f64,
    /// Requests at once. From 1 to a million. Default: a tenth of a second's worth.
    pub burst: u32,
}

/// An autoscaler: the control loop of the Kubernetes Horizontal Pod Autoscaler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoscaler {
    /// The fewest machines. From 1 to `max`; for workers from 0. Default 1.
    pub min: u32,
    /// The most machines. Up to 100,000.
    pub max: u32,
    /// What it holds.
    pub target: Target,
    /// Time between two decisions. Default 15 s.
    pub every: Duration,
    /// It does nothing while the measure is that near to its target. From 0 to 1. Default 0.1.
    pub tolerance: f64,
    /// It scales up only to the least that was wanted in this window. Default 0.
    pub up_window: Duration,
    /// It scales down only to the most that was wanted in this window. Default 5 min.
    pub down_window: Duration,
    /// Booting machines count as idle when it would scale up, as in Kubernetes; otherwise they are left out of the mean while they
    /// count as machines, so that it overshoots. Default true.
    pub counts_booting: bool,
}

/// What an autoscaler holds at a value.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// Mean share of the cores in use, above 0 and at most 1.
    Utilisation(f64),
    /// Requests a second of each machine, above 0.
    Requests(f64),
    /// For workers: messages of each machine, waiting or in progress, above 0 (KEDA, `queueLength`).
    Depth(f64),
    /// For workers: the longest that a message is to wait. There are as many machines as it takes to keep up with what comes, and to work off
    /// what waits within this time (AWS, Scaling based on Amazon SQS: the acceptable backlog per instance). Longer than 0, at most a week.
    Age(#[serde(with = "crate::layout::duration")] Duration),
}

/// Active health checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Time between two checks of one server. Default 2 s (`HAProxy` `inter`).
    pub every: Duration,
    /// How long a check waits. Default 1 s.
    pub timeout: Duration,
    /// Failed checks in a row until a server is taken out. From 1 to 1,000. Default 3 (`HAProxy` `fall`).
    pub down_after: u32,
    /// Passed checks in a row until it is taken in again. From 1 to 1,000. Default 2 (`HAProxy` `rise`).
    pub up_after: u32,
}

/// Passive health checks (Envoy's outlier detection).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlier {
    /// Requests in a row that broke on the way, or that the server itself turned away, before it is ejected. From 1 to 1,000. Default 5.
    pub errors: u32,
    /// How long it is ejected the first time; the n-th time n times as long. Default 30 s.
    pub eject: Duration,
    /// The largest share of servers that may be ejected at once, from 0 to 1; one always may. Default 0.5.
    pub most: f64,
}

impl Calls {
    /// Of a service that calls another.
    pub fn to_service() -> Calls {
        Calls {
            timeout: Duration::from_secs(2),
            retries: 1,
            retry_writes: false,
            budget: Some(0.2),
            backoff: Duration::from_millis(25),
            backoff_most: Duration::from_secs(1),
            breaker: Some(Breaker::default()),
            hedge: None,
            connections: None,
        }
    }

    /// Of a web server towards a cache: who waits long for it could have asked the database meanwhile. A node that fails is left alone for a
    /// while, so there is no breaker, which would keep calls from all nodes.
    pub fn to_cache() -> Calls {
        Calls {
            timeout: Duration::from_millis(100),
            retries: 0,
            breaker: None,
            ..Calls::to_service()
        }
    }

    /// Of a web server towards a cache that asks the database itself: what it lacks takes as long as the database does.
    pub fn through_cache() -> Calls {
        Calls {
            timeout: Calls::to_service().timeout,
            ..Calls::to_cache()
        }
    }

    /// Of an edge of a CDN towards its shield and the data centers.
    pub fn to_origin() -> Calls {
        Calls {
            timeout: Duration::from_secs(5),
            retries: 0,
            budget: None,
            breaker: None,
            ..Calls::to_service()
        }
    }

    /// Towards a queue: a message may be published again, since copies of it are known by the request that they are part of. There is no breaker: what
    /// becomes of a message that is not confirmed is a setting of its own.
    pub fn to_queue() -> Calls {
        Calls {
            timeout: Duration::from_secs(1),
            retry_writes: true,
            breaker: None,
            ..Calls::to_service()
        }
    }

    /// Of a load balancer towards its servers.
    pub fn to_servers() -> Calls {
        Calls {
            timeout: Duration::from_secs(5),
            budget: None,
            backoff: Duration::ZERO,
            breaker: None,
            ..Calls::to_service()
        }
    }

    /// Of users towards a site.
    pub fn to_site() -> Calls {
        Calls {
            timeout: Duration::from_secs(10),
            retries: 0,
            budget: None,
            breaker: None,
            ..Calls::to_service()
        }
    }
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker {
            errors: 0.5,
            calls: 20,
            window: Duration::from_secs(10),
            open: Duration::from_secs(5),
            probes: 1,
        }
    }
}

impl RateLimit {
    /// So many requests a second, and a tenth of them at once.
    pub fn of(rate: f64) -> RateLimit {
        let burst = (rate / 10.0).ceil().clamp(1.0, 1e6) as u32;
        RateLimit { rate, burst }
    }
}

impl HealthCheck {
    /// Of addresses by DNS.
    pub fn of_addresses() -> HealthCheck {
        HealthCheck {
            every: Duration::from_secs(10),
            timeout: Duration::from_secs(4),
            down_after: 3,
            up_after: 3,
        }
    }
}

/// Of servers by a load balancer.
impl Default for HealthCheck {
    fn default() -> HealthCheck {
        HealthCheck {
            every: Duration::from_secs(2),
            timeout: Duration::from_secs(1),
            down_after: 3,
            up_after: 2,
        }
    }
}

impl Default for Outlier {
    fn default() -> Outlier {
        Outlier {
            errors: 5,
            eject: Duration::from_secs(30),
            most: 0.5,
        }
    }
}
