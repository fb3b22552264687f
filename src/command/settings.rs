//! The settings that `set` changes, for help, completion and documentation.

/// A setting of the command language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingInfo {
    /// The word itself.
    pub name: &'static str,
    /// The setting with its value, as it is typed behind `set TARGET`.
    pub usage: &'static str,
    /// A whole command, with names that the shipped layouts use.
    pub example: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// The kinds of services that have it: `users`, `dns`, `cdn`, and the words of [`Service::kind`](crate::layout::Service::kind). Where there
    /// is `autoscaler`, the web tier and the autoscaler itself may be named.
    pub kinds: &'static [&'static str],
}

/// Those that call others.
const CALLERS: &[&str] = &[
    "users",
    "load balancer",
    "web",
    "serverless",
    "cache",
    "cdn",
    "queue",
    "workers",
];
/// Those that check others.
const CHECKERS: &[&str] = &["load balancer", "dns"];
const BALANCER: &[&str] = &["load balancer"];
const CACHE: &[&str] = &["cache"];
const CDN: &[&str] = &["cdn"];
/// Those that keep copies.
const STORES: &[&str] = &["cache", "cdn"];
const DATABASE: &[&str] = &["database"];
const SCALED: &[&str] = &["web", "workers", "autoscaler"];
const QUEUE: &[&str] = &["queue"];
const WORKERS: &[&str] = &["workers"];
const PUBLISHERS: &[&str] = &["web", "serverless"];

/// All settings, those of calls first.
pub const SETTINGS: &[SettingInfo] = &[
    SettingInfo {
        name: "timeout",
        usage: "timeout TIME",
        example: "set web timeout 500ms",
        about: "how long one try of a call waits",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "retries",
        usage: "retries NUMBER",
        example: "set web retries 3",
        about: "how often a failed call is tried again, from 0 to 100",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "retry-writes",
        usage: "retry-writes on|off",
        example: "set web retry-writes on",
        about: "whether writes are tried again, with an idempotency key",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "budget",
        usage: "budget SHARE|off",
        example: "set web budget 20%",
        about: "retries as a share of calls, at most",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "breaker",
        usage: "breaker on|off",
        example: "set web breaker on",
        about: "whether calls stop for a while when too many of them fail",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "hedge",
        usage: "hedge TIME|off",
        example: "set web hedge 50ms",
        about: "when a read is asked a second time; the first answer counts",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "connections",
        usage: "connections NUMBER|off",
        example: "set web connections 20",
        about: "connections of one instance, each with one call at once",
        kinds: CALLERS,
    },
    SettingInfo {
        name: "rate-limit",
        usage: "rate-limit RATE|off",
        example: "set lb rate-limit 500",
        about: "requests a second that one instance takes",
        kinds: &["load balancer", "web"],
    },
    SettingInfo {
        name: "shed",
        usage: "shed TIME|off",
        example: "set web shed 200ms",
        about: "the longest wait for a slot after which a request is still served",
        kinds: &["web"],
    },
    SettingInfo {
        name: "sessions",
        usage: "sessions off|local|store:NAME|token",
        example: "set web sessions token",
        about: "where sessions are kept; what clients hold of another kind is worth nothing then",
        kinds: &["web", "serverless"],
    },
    SettingInfo {
        name: "sticky",
        usage: "sticky COOKIE|off",
        example: "set lb sticky SERVER",
        about: "whether users stay with a server, by a cookie of this name",
        kinds: BALANCER,
    },
    SettingInfo {
        name: "check-every",
        usage: "check-every TIME",
        example: "set lb check-every 500ms",
        about: "time between two health checks",
        kinds: CHECKERS,
    },
    SettingInfo {
        name: "down-after",
        usage: "down-after NUMBER",
        example: "set lb down-after 2",
        about: "failed checks until a server is taken out",
        kinds: CHECKERS,
    },
    SettingInfo {
        name: "outlier",
        usage: "outlier on|off",
        example: "set lb outlier on",
        about: "whether servers that fail real requests are ejected for a while",
        kinds: BALANCER,
    },
    SettingInfo {
        name: "slow-start",
        usage: "slow-start TIME",
        example: "set lb slow-start 30s",
        about: "how long the share of a server that came in grows to a whole one",
        kinds: BALANCER,
    },
    SettingInfo {
        name: "ttl",
        usage: "ttl TIME",
        example: "set dns ttl 5s",
        about: "how long the answers of DNS may be kept, or how long an entry of a cache lives",
        kinds: &["dns", "cache"],
    },
    SettingInfo {
        name: "autoscaler",
        usage: "autoscaler on|off",
        example: "set web autoscaler off",
        about: "whether the autoscaler works",
        kinds: SCALED,
    },
    SettingInfo {
        name: "min",
        usage: "min MACHINES",
        example: "set web min 2",
        about: "the fewest machines of the autoscaler",
        kinds: SCALED,
    },
    SettingInfo {
        name: "max",
        usage: "max MACHINES",
        example: "set web max 20",
        about: "the most machines of the autoscaler",
        kinds: SCALED,
    },
    SettingInfo {
        name: "target",
        usage: "target SHARE|RATE/s|depth:NUMBER|TIME",
        example: "set web target 60%",
        about: "what the autoscaler holds: a share of the cores, or requests a second of each machine",
        kinds: SCALED,
    },
    SettingInfo {
        name: "mode",
        usage: "mode asynchronous|semi-synchronous|synchronous|quorum",
        example: "set db mode quorum",
        about: "whose disks have a write before it counts as done: the primary's, one replica's, all, a majority's",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "reads",
        usage: "reads replicas|primary|any",
        example: "set db reads any",
        about: "which nodes answer reads",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "read-your-writes",
        usage: "read-your-writes on|off",
        example: "set db read-your-writes on",
        about: "whether users are to find what they have written",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "failover",
        usage: "failover TIME|off",
        example: "set db failover 3s",
        about: "how long the lease of a silent primary lasts; off: failover by hand",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "fencing",
        usage: "fencing on|off",
        example: "set db fencing off",
        about: "whether a primary without a lease takes no writes",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "recovery",
        usage: "recovery on|off",
        example: "set db recovery off",
        about: "whether former primaries give their writes to the new one by themselves",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "replace",
        usage: "replace TIME|off",
        example: "set db replace 30s",
        about: "how long a node is down before a new one takes its place",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "rule",
        usage: "rule last-write-wins|hybrid-clocks|highest-value|merge-sets|keep-both|site-priority|site-priority:SITE,..",
        example: "set db rule hybrid-clocks",
        about: "what becomes of conflicting writes of several primaries",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "close",
        usage: "close TIME|off",
        example: "set db close 5s",
        about: "how long a silent node of a ring is waited for; off: closed by hand",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "copy-rate",
        usage: "copy-rate RATE",
        example: "set db copy-rate 10000",
        about: "rows a second that a rebuild or a migration copies at most",
        kinds: DATABASE,
    },
    SettingInfo {
        name: "hot",
        usage: "hot SHARE|off",
        example: "set people hot 20%",
        about: "share of the requests about rows that are for one row, a celebrity",
        kinds: &["users"],
    },
    SettingInfo {
        name: "asks",
        usage: "asks KIND=WEIGHT,..",
        example: "set people asks page=80,update=10,upload=5",
        about: "what people ask for, by weight: page, asset, create, update, delete, search, upload; the rest is not asked for",
        kinds: &["users"],
    },
    SettingInfo {
        name: "evict",
        usage: "evict lru|lfu|fifo|clock|random|sieve|s3-fifo|arc|w-tinylfu|sampled-lru|sampled-lfu",
        example: "set cache evict sieve",
        about: "what makes room for new entries; what is held stays",
        kinds: STORES,
    },
    SettingInfo {
        name: "items",
        usage: "items NUMBER",
        example: "set cache items 5000",
        about: "entries that each node, or each edge, has room for",
        kinds: STORES,
    },
    SettingInfo {
        name: "bytes",
        usage: "bytes SIZE",
        example: "set cache bytes 64MB",
        about: "bytes that each node, or each edge, has room for",
        kinds: STORES,
    },
    SettingInfo {
        name: "single-flight",
        usage: "single-flight on|off",
        example: "set cache single-flight on",
        about: "whether those who miss the same key at once wait for one load",
        kinds: STORES,
    },
    SettingInfo {
        name: "jitter",
        usage: "jitter SHARE|off",
        example: "set cache jitter 20%",
        about: "the share of the time to live by which entries live shorter at most",
        kinds: CACHE,
    },
    SettingInfo {
        name: "strategy",
        usage: "strategy aside|read-through|write-through|write-behind|write-behind:TIME",
        example: "set cache strategy read-through",
        about: "who loads what is missing, and where writes go",
        kinds: CACHE,
    },
    SettingInfo {
        name: "invalidate",
        usage: "invalidate delete|update|never",
        example: "set cache invalidate update",
        about: "what a write does to the entry of the row",
        kinds: CACHE,
    },
    SettingInfo {
        name: "refresh-ahead",
        usage: "refresh-ahead SHARE|off",
        example: "set cache refresh-ahead 80%",
        about: "from which share of its life on an entry is loaded anew",
        kinds: CACHE,
    },
    SettingInfo {
        name: "early",
        usage: "early FACTOR|off",
        example: "set cache early 1",
        about: "probabilistic early expiration: loads anew early by chance",
        kinds: CACHE,
    },
    SettingInfo {
        name: "negative",
        usage: "negative TIME|off",
        example: "set cache negative 10s",
        about: "how long it is kept that there is no such row",
        kinds: CACHE,
    },
    SettingInfo {
        name: "near",
        usage: "near TIME|off",
        example: "set cache near 1s",
        about: "how long web servers keep copies of what they asked for last",
        kinds: CACHE,
    },
    SettingInfo {
        name: "rehash",
        usage: "rehash on|off",
        example: "set cache rehash on",
        about: "whether the keys of a node that fails go to the next one",
        kinds: CACHE,
    },
    SettingInfo {
        name: "pages",
        usage: "pages TIME|off",
        example: "set cdn pages 2s",
        about: "how long a CDN keeps pages and JSON that are not private",
        kinds: CDN,
    },
    SettingInfo {
        name: "stale-while-revalidate",
        usage: "stale-while-revalidate TIME|off",
        example: "set cdn stale-while-revalidate 10s",
        about: "how long after its time an object is served while it is fetched anew",
        kinds: CDN,
    },
    SettingInfo {
        name: "stale-if-error",
        usage: "stale-if-error TIME|off",
        example: "set cdn stale-if-error 1h",
        about: "how long after its time an object is served when it can't be fetched",
        kinds: CDN,
    },
    SettingInfo {
        name: "next-edge",
        usage: "next-edge on|off",
        example: "set cdn next-edge off",
        about: "whether users of an edge that is believed down are sent to the next one",
        kinds: CDN,
    },
    SettingInfo {
        name: "standby",
        usage: "standby on|off",
        example: "set backup standby off",
        about: "whether a CDN is used only when no other one is",
        kinds: CDN,
    },
    SettingInfo {
        name: "weight",
        usage: "weight NUMBER",
        example: "set cdn weight 0.5",
        about: "the share of a CDN of the users, relative to the other CDNs",
        kinds: CDN,
    },
    SettingInfo {
        name: "visibility",
        usage: "visibility TIME",
        example: "set photos visibility 10s",
        about: "how long a message that was handed out stays invisible to other workers",
        kinds: QUEUE,
    },
    SettingInfo {
        name: "attempts",
        usage: "attempts NUMBER|off",
        example: "set photos attempts 5",
        about: "how often a message is handed out before it is dead, from 1 to 1,000",
        kinds: QUEUE,
    },
    SettingInfo {
        name: "delay",
        usage: "delay TIME|off",
        example: "set photos delay 5s",
        about: "how long a new message waits before it can be handed out",
        kinds: QUEUE,
    },
    SettingInfo {
        name: "retention",
        usage: "retention TIME|off",
        example: "set photos retention 1h",
        about: "how long a message is kept at most; a log needs one",
        kinds: QUEUE,
    },
    SettingInfo {
        name: "messages",
        usage: "messages NUMBER",
        example: "set photos messages 10000",
        about: "messages that a queue has room for",
        kinds: QUEUE,
    },
    SettingInfo {
        name: "prefetch",
        usage: "prefetch NUMBER",
        example: "set workers prefetch 20",
        about: "messages that a worker holds at once, those in progress among them",
        kinds: WORKERS,
    },
    SettingInfo {
        name: "delivery",
        usage: "delivery at-most-once|at-least-once|effectively-once",
        example: "set workers delivery at-most-once",
        about: "when a worker acknowledges a message, and whether its result is written only once",
        kinds: WORKERS,
    },
    SettingInfo {
        name: "fails",
        usage: "fails SHARE|off",
        example: "set workers fails 5%",
        about: "share of the attempts that fail",
        kinds: WORKERS,
    },
    SettingInfo {
        name: "confirm",
        usage: "confirm on|off",
        example: "set web confirm off",
        about: "whether users wait until the queue has confirmed what they upload",
        kinds: PUBLISHERS,
    },
    SettingInfo {
        name: "fallback",
        usage: "fallback refuse|drop|block:TIME|outbox:NUMBER",
        example: "set web fallback outbox:1000",
        about: "what becomes of an upload that the queue does not confirm",
        kinds: PUBLISHERS,
    },
    SettingInfo {
        name: "origin-fallback",
        usage: "origin-fallback on|off",
        example: "set dns origin-fallback off",
        about: "whether users are sent to the data centers when all CDNs are believed down",
        kinds: &["dns"],
    },
    SettingInfo {
        name: "routing",
        usage: "routing round-robin|geo|latency|weighted:SITE=WEIGHT,..|failover:SITE,..",
        example: "set dns routing failover:us-east,eu-west",
        about: "to which data center users are sent",
        kinds: &["dns"],
    },
];

/// What is known of the setting of this name.
pub(super) fn named(name: &str) -> Option<&'static SettingInfo> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
