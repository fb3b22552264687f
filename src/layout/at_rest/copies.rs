//! What caches take off those behind them at rest, in closed form.

use std::time::Duration;

use crate::layout::caching::{Cache, Content, Invalidate};
use crate::layout::evict::Room;
use crate::layout::model::{Asks, Keys, Layout, Sessions, Users};

/// Keys that are looked at one by one, the most popular ones; the others in groups of about the same popularity.
const SINGLE: u64 = 1_000;
/// How much larger each group is than the one before.
const GROWTH: f64 = 1.05;

/// Keys of about the same popularity: how many, and the share of the requests that each of them gets.
fn groups(keys: Keys) -> Vec<(f64, f64)> {
    let (count, exponent) = match keys {
        Keys::Uniform { count } => return vec![(count as f64, 1.0 / count as f64)],
        Keys::Zipf { count, exponent } => (count, exponent),
    };
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut first = 1;
    while first <= count {
        let size = if first < SINGLE {
            1
        } else {
            (first as f64 * (GROWTH - 1.0)).ceil() as u64
        };
        let last = (first + size - 1).min(count);
        let middle = f64::midpoint(first as f64, last as f64);
        groups.push(((last - first + 1) as f64, libm::pow(middle, -exponent)));
        first = last + 1;
    }
    let sum: f64 = groups.iter().map(|(keys, weight)| keys * weight).sum();
    groups.iter().map(|(keys, weight)| (*keys, weight / sum)).collect()
}

/// The hit ratio of a cache of a data center where so many reads and writes a second are about these keys, as if it evicted by LRU.
///
/// Che's approximation (Che, Tung, Wang 2002) with the lives of entries that end by their time or by a write: an entry that is asked for `a` times
/// a second and lives for a mean of `l` seconds is hit with the probability `al / (1 + al)`; one that leaves when nobody has asked for a
/// time `t` with `1 - exp(-at)`; of both the odds against add up.
pub(super) fn hit_ratio(cache: &Cache, keys: Keys, content: &Content, (reads, writes): (f64, f64)) -> f64 {
    if reads <= 0.0 {
        return 0.0;
    }
    let groups = groups(keys);
    let ttl = cache.ttl.as_secs_f64() * (1.0 - cache.jitter / 2.0);
    let life = |share: f64| match cache.invalidate {
        Invalidate::Delete if writes > 0.0 && !cache.strategy.takes_writes() => {
            let rate = writes * share;
            -libm::expm1(-rate * ttl) / rate
        }
        _ => ttl,
    };
    let hit = |share: f64, idle: f64| {
        let asked = reads * share;
        let by_life = 1.0 / (asked * life(share));
        let by_room = if idle.is_finite() {
            1.0 / libm::expm1(asked * idle)
        } else {
            0.0
        };
        1.0 / (1.0 + by_life + by_room)
    };
    let room = match cache.room {
        Room::Items(items) => items as f64,
        Room::Bytes(bytes) => bytes as f64 / f64::from(content.row),
    };
    let room = room * f64::from(cache.machines) / f64::from(cache.copies);
    let held = |idle: f64| -> f64 { groups.iter().map(|(keys, share)| keys * hit(*share, idle)).sum() };
    let idle = if held(f64::INFINITY) <= room {
        f64::INFINITY
    } else {
        let (mut low, mut high) = (0.0, 1e9);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if held(middle) < room {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    };
    groups
        .iter()
        .map(|(keys, share)| keys * share * hit(*share, idle))
        .sum()
}

/// Fetches a second of what is asked for so often and kept for so long.
fn fetches(keys: Keys, rate: f64, ttl: Duration) -> f64 {
    let ttl = ttl.as_secs_f64();
    groups(keys)
        .iter()
        .map(|(keys, share)| keys * rate * share / (1.0 + rate * share * ttl))
        .sum()
}

/// What the data centers see of a population: what the CDN does not keep, as weights in requests a second. Room without bounds is
/// taken for its edges, and browsers are left out.
pub(super) fn behind_cdn(layout: &Layout, users: &Users) -> Asks {
    let per_weight = users.rate() / users.asks.total();
    let mut left = users.asks;
    for weight in [
        &mut left.page,
        &mut left.asset,
        &mut left.create,
        &mut left.update,
        &mut left.delete,
        &mut left.search,
        &mut left.upload,
    ] {
        *weight *= per_weight;
    }
    // Of several active CDNs each user meets one; what they keep is much the same.
    let Some(cdn) = layout
        .cdns
        .values()
        .find(|cdn| !cdn.standby)
        .filter(|_| users.site.is_none())
    else {
        return left;
    };
    let served = |of: fn(&Asks) -> f64| -> f64 {
        let populations = layout.users.values().filter(|users| users.site.is_none());
        populations
            .map(|users| users.rate() * of(&users.asks) / users.asks.total())
            .sum()
    };
    let fetched = |keys: Keys, own: f64, all: f64, ttl: Duration| {
        if cdn.shield && own > 0.0 {
            fetches(keys, all, ttl) * own / all
        } else {
            fetches(keys, own, ttl)
        }
    };
    left.asset = fetched(
        users.assets,
        left.asset,
        served(|asks| asks.asset),
        layout.content.asset_ttl,
    );
    let private = layout
        .data_centers
        .values()
        .flat_map(|site| site.services.values())
        .any(|service| {
            let signs_in = service.pages().is_some_and(|pages| pages.sessions != Sessions::Off);
            let sticks = matches!(service, crate::layout::Service::LoadBalancer(balancer) if balancer.sticky.is_some());
            signs_in || sticks
        });
    if let Some(ttl) = cdn.pages.filter(|_| !private && !layout.content.static_domain) {
        // Pages are kept in HTML and in JSON.
        let all = served(|asks| asks.page);
        let forms = [1.0 - users.mobile, users.mobile];
        let page = left.page;
        left.page = forms
            .iter()
            .map(|form| fetched(users.keys, form * page, form * all, ttl))
            .sum();
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    fn cache(settings: &str) -> Cache {
        let source = format!(
            "(title: \"t\", users: {{\"people\": (count: 1)}}, services: {{\"web\": Web(database: \"db\", cache: \"c\"), \"db\": Database(), \"c\": Cache({settings})}})"
        );
        let layout = layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
        match &layout.data_centers["dc"].services["c"] {
            layout::Service::Cache(cache) => cache.clone(),
            _ => panic!("a cache"),
        }
    }

    fn ratio(settings: &str, keys: Keys, rates: (f64, f64)) -> f64 {
        hit_ratio(&cache(settings), keys, &Content::default(), rates)
    }

    #[test]
    fn with_ample_room_an_entry_lives_for_its_time_or_until_a_write() {
        let keys = Keys::Uniform { count: 100 };
        // Each key is asked for once a second and lives for 10 s.
        assert!((ratio("ttl: \"10s\"", keys, (100.0, 0.0)) - 10.0 / 11.0).abs() < 1e-9);
        // A write each second ends it after a mean of nearly one.
        let life = 1.0 - (-10.0_f64).exp();
        assert!((ratio("ttl: \"10s\"", keys, (100.0, 100.0)) - life / (1.0 + life)).abs() < 1e-9);
        let kept = ratio("ttl: \"10s\", invalidate: Never", keys, (100.0, 100.0));
        assert!((kept - 10.0 / 11.0).abs() < 1e-9);
    }

    #[test]
    fn with_little_room_it_is_as_che_says() {
        // The hit ratios of libCacheSim's LRU for 100,000 keys, at 1 and 10 % (tests/data/libcachesim).
        for (exponent, items, simulated) in [(0.9, 1_000, 0.342), (0.9, 10_000, 0.603), (1.2, 1_000, 0.795)] {
            let keys = Keys::Zipf {
                count: 100_000,
                exponent,
            };
            let settings = format!("items: {items}, ttl: \"168h\"");
            let found = ratio(&settings, keys, (1e4, 0.0));
            assert!(
                (found - simulated).abs() < 0.02,
                "{exponent} {items}: {found} for {simulated}"
            );
        }
        // Two copies of each key halve the room.
        let keys = Keys::Zipf {
            count: 100_000,
            exponent: 0.9,
        };
        let single = ratio("items: 1000, ttl: \"168h\"", keys, (1e4, 0.0));
        let copied = ratio("items: 1000, machines: 2, copies: 2, ttl: \"168h\"", keys, (1e4, 0.0));
        assert!((single - copied).abs() < 1e-9);
    }
}
