//! Layers of caches in the order in which a request meets them, and what each one means for what is behind it.

use crate::observe::{CacheState, CacheTally, Frame, Kind, STAMPEDE, ServiceInfo};
use crate::protocol::Layer;

use super::text;
use super::theme::Role;
use super::trend;
use super::truth;

/// A service that keeps copies.
pub struct Layered<'a> {
    /// The frame that it stands in.
    frame: &'a Frame,
    /// The frame of the world where nobody acts.
    pub twin: Option<&'a Frame>,
    /// Index of the service.
    pub service: usize,
    /// The service.
    pub info: &'a ServiceInfo,
    /// What it keeps.
    pub state: &'a CacheState,
}

/// Whether anything keeps copies.
pub fn any(frame: &Frame) -> bool {
    frame.services.iter().any(|state| state.cache.is_some())
}

/// What a service keeps, if it keeps anything.
pub fn of(frame: &Frame, service: usize) -> Option<Layered<'_>> {
    let info = frame.topology.services.get(service)?;
    let state = frame.services.get(service)?.cache.as_ref()?;
    Some(Layered {
        frame,
        twin: None,
        service,
        info,
        state,
    })
}

/// All that keeps copies, the nearest to the users first, beside the world where nobody acts.
pub fn all<'a>(frame: &'a Frame, twin: Option<&'a Frame>) -> Vec<Layered<'a>> {
    let beside = |layer| Layered { twin, ..layer };
    let layers = (0..frame.services.len()).filter_map(|index| of(frame, index));
    let mut all: Vec<Layered> = layers.map(beside).collect();
    all.sort_by_key(|layer| (layer.state.layer, layer.service));
    all
}

/// Requests that went on to what is behind.
pub fn passed(tally: &CacheTally) -> u64 {
    tally
        .loads
        .max(tally.lookups.saturating_sub(tally.hits + tally.coalesced))
}

/// A share in a few characters, a dash of nothing.
pub fn ratio(tally: &CacheTally) -> String {
    tally.hit_ratio().map_or("–".to_string(), text::percent)
}

/// Bytes in few characters: `1.2GB`.
pub fn bytes(count: u64) -> String {
    format!("{}B", text::short(count as f64))
}

impl Layered<'_> {
    /// The hit ratio of the last seconds in so many columns, of all of it or of a node.
    pub fn trend(&self, node: Option<usize>, cells: u16) -> Vec<(String, Role)> {
        trend::of_layer(self.frame, self.twin, (self.service, node), cells).words(cells)
    }

    /// What it is called beside the others.
    pub fn name(&self) -> String {
        let populations = self.frame.topology.services.iter();
        let several = populations.filter(|service| service.kind == Kind::Users).count() > 1;
        match self.state.layer {
            Layer::Browser if several => format!("browsers {}", self.info.selector),
            Layer::Browser => "browsers".to_string(),
            Layer::Near => format!("near {}", self.info.selector),
            Layer::Edge | Layer::Shield | Layer::Cache => self.info.selector.clone(),
        }
    }

    /// So many in the last 10 s, by the second.
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.frame.recent_seconds.floor().clamp(1.0, 10.0)
    }

    /// So much a second in words; a dash before anything was measured.
    pub fn rate(&self, per_second: f64) -> String {
        truth::of_second(self.frame.at, text::rate(per_second))
    }

    /// Requests a second that go on to what is behind.
    pub fn passed_rate(&self) -> f64 {
        self.per_second(passed(&self.state.recent))
    }

    /// What is asked for what it lacks now: CDNs that users are sent to, not the data centers that stand in for them.
    pub fn behind(&self) -> Vec<usize> {
        let used = |service: &usize| {
            let info = self.frame.topology.services.get(*service);
            let state = self.frame.services.get(*service).and_then(|state| state.cache.as_ref());
            info.is_some_and(|info| info.kind == Kind::Cdn) && state.is_none_or(|state| state.used != Some(false))
        };
        let cdns: Vec<usize> = self.state.behind.iter().copied().filter(used).collect();
        if !cdns.is_empty() {
            return cdns;
        }
        let other = |service: &usize| {
            let info = self.frame.topology.services.get(*service);
            info.is_some_and(|info| info.kind != Kind::Cdn)
        };
        self.state.behind.iter().copied().filter(other).collect()
    }

    /// The name of what is behind, and how many more there are: `lb`, `us-east/lb +1`.
    pub fn behind_name(&self) -> Option<String> {
        let behind = self.behind();
        let first = self.frame.topology.services.get(*behind.first()?)?;
        Some(match behind.len() {
            1 => first.selector.clone(),
            more => format!("{} +{}", first.selector, more - 1),
        })
    }

    /// How many times its load what is behind would have to take without it; `None` where nothing is saved.
    pub fn saves(&self) -> Option<f64> {
        let (asked, passed) = (self.per_second(self.state.recent.lookups), self.passed_rate());
        let saved = asked - passed;
        let rates = self
            .behind()
            .into_iter()
            .map(|service| self.frame.services[service].rate);
        let load = rates.sum::<f64>().max(passed);
        (saved > 0.0 && load > 0.0).then(|| (load + saved) / load)
    }

    /// The mean of how full its nodes are; `None` where that is not known.
    pub fn full(&self) -> Option<f64> {
        let nodes = &self.state.nodes;
        (!nodes.is_empty()).then(|| nodes.iter().map(|node| node.full).sum::<f64>() / nodes.len() as f64)
    }

    /// Whether so many load one key at once that what is behind may drown.
    pub fn stampedes(&self) -> bool {
        self.state.worst >= STAMPEDE || self.state.recent.stampedes > 0
    }

    /// What somebody should know, the worst first.
    pub fn alarms(&self) -> Vec<String> {
        let mut alarms = Vec::new();
        let CacheState { worst, unwritten, .. } = self.state;
        if *worst >= STAMPEDE {
            alarms.push(format!("stampede: {worst} loads of one key at once"));
        } else if self.stampedes() {
            alarms.push(match self.state.recent.stampedes {
                1 => "a stampede in 10s".to_string(),
                more => format!("{} stampedes in 10s", text::count(more)),
            });
        }
        let (up, nodes) = truth::serving(self.frame, self.service);
        if up < nodes && !matches!(self.state.layer, Layer::Browser | Layer::Near) {
            alarms.push(format!("{} of {nodes} down", nodes - up));
        }
        if *unwritten > 0 {
            let word = if *unwritten == 1 { "write" } else { "writes" };
            alarms.push(format!("{} {word} only here", text::count(*unwritten)));
        }
        alarms
    }

    /// Whether users are not sent to it, in a word.
    pub fn unused(&self) -> Option<&'static str> {
        (self.state.used == Some(false)).then(|| {
            let mut words = self.state.policy.split(", ");
            if words.any(|word| word == "standby") {
                "standby"
            } else {
                "not used"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misses_go_on_and_coalesced_ones_wait() {
        let tally = CacheTally {
            lookups: 100,
            hits: 60,
            coalesced: 30,
            ..CacheTally::default()
        };
        assert_eq!(passed(&tally), 10);
        let refreshing = CacheTally { loads: 25, ..tally };
        assert_eq!(passed(&refreshing), 25);
        assert_eq!(ratio(&CacheTally::default()), "–");
    }
}
