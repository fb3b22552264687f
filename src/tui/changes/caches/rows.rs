//! The commands about caches, CDNs and browsers, as a table.

use crate::observe::Kind;

/// What the settings in words say of a row: nothing, that it is so, that it is so when they don't say it, or when one begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Now {
    Unknown,
    Said(&'static str),
    Unsaid(&'static str),
    Begins(&'static str),
    NoneBegins(&'static str),
}

use Now::{Begins, NoneBegins, Said, Unknown, Unsaid};

/// A command with its key; `{}` is what it is about.
pub(super) struct Row {
    pub(super) kinds: &'static [Kind],
    pub(super) key: char,
    pub(super) words: &'static str,
    pub(super) detail: &'static str,
    pub(super) line: &'static str,
    pub(super) now: Now,
}

const CACHE: &[Kind] = &[Kind::Cache];
const CDN: &[Kind] = &[Kind::Cdn];
pub(super) const STORES: &[Kind] = &[Kind::Cache, Kind::Cdn];
const KEEPERS: &[Kind] = &[
    Kind::Cache,
    Kind::Cdn,
    Kind::Shield,
    Kind::Users,
    Kind::Web,
    Kind::Serverless,
];
const DNS: &[Kind] = &[Kind::Dns];

const fn row(
    kinds: &'static [Kind],
    (key, words, detail): (char, &'static str, &'static str),
    line: &'static str,
    now: Now,
) -> Row {
    Row {
        kinds,
        key,
        words,
        detail,
        line,
        now,
    }
}

/// All commands. Small letters switch on, capital ones off.
pub(super) const ROWS: &[Row] = &[
    row(
        KEEPERS,
        ('f', "flush", "it forgets all that it holds"),
        "flush {}",
        Unknown,
    ),
    row(
        STORES,
        ('p', "purge row 0", "it forgets the row that is asked for most"),
        "purge {} 0",
        Unknown,
    ),
    row(
        &[Kind::Cdn, Kind::Users],
        ('y', "deploy", "all static files get a new version"),
        "deploy",
        Unknown,
    ),
    row(
        STORES,
        ('1', "evict: LRU", "what was not used for longest goes"),
        "set {} evict lru",
        Begins("LRU "),
    ),
    row(
        STORES,
        ('2', "evict: LFU", "what was used least goes"),
        "set {} evict lfu",
        Begins("LFU "),
    ),
    row(
        STORES,
        ('3', "evict: FIFO", "what came first goes first"),
        "set {} evict fifo",
        Begins("FIFO "),
    ),
    row(
        STORES,
        ('4', "evict: CLOCK", "first in, first out; used ones stay a round"),
        "set {} evict clock",
        Begins("CLOCK "),
    ),
    row(
        STORES,
        ('5', "evict: SIEVE", "a hand passes what was used, and stays there"),
        "set {} evict sieve",
        Begins("SIEVE "),
    ),
    row(
        STORES,
        ('6', "evict: S3-FIFO", "what is asked for once leaves soon"),
        "set {} evict s3-fifo",
        Begins("S3"),
    ),
    row(
        STORES,
        ('7', "evict: ARC", "finds its balance of recent and frequent"),
        "set {} evict arc",
        Begins("ARC "),
    ),
    row(
        STORES,
        (
            '8',
            "evict: W-TinyLFU",
            "who comes in must be asked for more than who goes",
        ),
        "set {} evict w-tinylfu",
        Begins("W-TinyLFU "),
    ),
    row(
        STORES,
        ('9', "evict: random", "any"),
        "set {} evict random",
        Begins("random "),
    ),
    row(
        STORES,
        ('z', "evict: sampled LRU", "the least recent of a few, as Redis does"),
        "set {} evict sampled-lru",
        Begins("sampled LRU "),
    ),
    row(
        STORES,
        ('Z', "evict: sampled LFU", "the least frequent of a few, as Redis does"),
        "set {} evict sampled-lfu",
        Begins("sampled LFU "),
    ),
    row(
        STORES,
        (
            'l',
            "single flight: on",
            "who misses the same at once waits for one load",
        ),
        "set {} single-flight on",
        Said("single flight"),
    ),
    row(
        STORES,
        ('L', "single flight: off", "each of them loads it"),
        "set {} single-flight off",
        Unsaid("single flight"),
    ),
    row(
        CACHE,
        ('s', "ttl: 10s", "fresh, and loaded often"),
        "set {} ttl 10s",
        Said("ttl 10s"),
    ),
    row(
        CACHE,
        ('m', "ttl: 1m", "an entry lives for a minute"),
        "set {} ttl 1m",
        Said("ttl 1m"),
    ),
    row(
        CACHE,
        ('M', "ttl: 10m", "loaded seldom; stale for longer"),
        "set {} ttl 10m",
        Said("ttl 10m"),
    ),
    row(
        CACHE,
        ('a', "strategy: cache-aside", "web servers load and store"),
        "set {} strategy aside",
        Said("cache-aside"),
    ),
    row(
        CACHE,
        ('r', "strategy: read-through", "the cache loads; writes go past it"),
        "set {} strategy read-through",
        Said("read-through"),
    ),
    row(
        CACHE,
        (
            'w',
            "strategy: write-through",
            "writes go through it, to the database first",
        ),
        "set {} strategy write-through",
        Said("write-through"),
    ),
    row(
        CACHE,
        (
            'b',
            "strategy: write-behind",
            "fast; what it has not written dies with it",
        ),
        "set {} strategy write-behind",
        Begins("write-behind"),
    ),
    row(
        CACHE,
        ('i', "writes: delete", "the next one who asks loads the row"),
        "set {} invalidate delete",
        NoneBegins("writes "),
    ),
    row(
        CACHE,
        ('I', "writes: update", "the new version takes its place"),
        "set {} invalidate update",
        Said("writes update"),
    ),
    row(
        CACHE,
        ('n', "writes: tell nothing", "stale until it expires"),
        "set {} invalidate never",
        Said("writes tell nothing"),
    ),
    row(
        CACHE,
        ('h', "refresh ahead: 80%", "loaded anew before it expires"),
        "set {} refresh-ahead 80%",
        Said("refresh ahead"),
    ),
    row(
        CACHE,
        ('H', "refresh ahead: off", "loaded anew when it has expired"),
        "set {} refresh-ahead off",
        Unsaid("refresh ahead"),
    ),
    row(
        CACHE,
        (
            'e',
            "early refresh: on",
            "by chance, the sooner the longer a load takes",
        ),
        "set {} early 1",
        Said("early refresh"),
    ),
    row(
        CACHE,
        ('E', "early refresh: off", "all wait for the same end"),
        "set {} early off",
        Unsaid("early refresh"),
    ),
    row(
        CACHE,
        ('v', "negative: 10s", "keeps that there is no such row"),
        "set {} negative 10s",
        Unknown,
    ),
    row(
        CACHE,
        ('V', "negative: off", "what is not there is asked for each time"),
        "set {} negative off",
        Unknown,
    ),
    row(
        CACHE,
        ('x', "near copies: 1s", "web servers keep what they asked for last"),
        "set {} near 1s",
        Unknown,
    ),
    row(
        CACHE,
        ('X', "near copies: off", "web servers ask the cache each time"),
        "set {} near off",
        Unknown,
    ),
    row(
        CACHE,
        ('c', "rehash: on", "a dead node's keys go to the next one"),
        "set {} rehash on",
        Unknown,
    ),
    row(
        CACHE,
        ('C', "rehash: off", "a dead node's keys miss"),
        "set {} rehash off",
        Unknown,
    ),
    row(
        CDN,
        ('s', "pages: 2s", "pages and JSON that nothing makes private"),
        "set {} pages 2s",
        Said("pages 2s"),
    ),
    row(
        CDN,
        ('m', "pages: 1m", "kept longer; as stale as that"),
        "set {} pages 1m",
        Said("pages 1m"),
    ),
    row(
        CDN,
        ('M', "pages: off", "only static files are kept"),
        "set {} pages off",
        NoneBegins("pages "),
    ),
    row(
        CDN,
        ('w', "stale while revalidate: 10s", "served while it is fetched anew"),
        "set {} stale-while-revalidate 10s",
        Unknown,
    ),
    row(
        CDN,
        ('W', "stale while revalidate: off", "who asks first waits"),
        "set {} stale-while-revalidate off",
        Unknown,
    ),
    row(
        CDN,
        ('e', "stale if error: 1h", "served when it can't be fetched"),
        "set {} stale-if-error 1h",
        Said("stale if error 1h"),
    ),
    row(
        CDN,
        ('E', "stale if error: off", "an error is passed on"),
        "set {} stale-if-error off",
        NoneBegins("stale if error"),
    ),
    row(
        CDN,
        ('n', "next edge: on", "stands in for one that is believed down"),
        "set {} next-edge on",
        Unknown,
    ),
    row(
        CDN,
        ('N', "next edge: off", "users of a dead edge leave this CDN"),
        "set {} next-edge off",
        Unknown,
    ),
    row(
        CDN,
        ('b', "standby: on", "used only when no other CDN is"),
        "set {} standby on",
        Said("standby"),
    ),
    row(
        CDN,
        ('B', "standby: off", "used beside the others"),
        "set {} standby off",
        Unsaid("standby"),
    ),
    row(
        CDN,
        ('x', "weight: 0.5", "half of the users that it has at 1"),
        "set {} weight 0.5",
        Unknown,
    ),
    row(
        CDN,
        ('X', "weight: 1", "as many users as another one"),
        "set {} weight 1",
        Unknown,
    ),
    row(
        DNS,
        (
            'o',
            "origin fallback: on",
            "users come to the data centers when all CDNs are down",
        ),
        "set {} origin-fallback on",
        Unknown,
    ),
    row(
        DNS,
        (
            'O',
            "origin fallback: off",
            "the data centers are spared; users get nothing",
        ),
        "set {} origin-fallback off",
        Unknown,
    ),
];
