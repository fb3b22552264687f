//! Loads that others make of what a node lacks, as far as it can tell: who was told of a miss loads, until the copy comes or it has taken long.

use std::collections::VecDeque;
use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::sim::{InstanceId, SimTime};

/// After so long a load counts as over: it has failed, or what it brought isn't stored.
const LONGEST: Duration = Duration::from_secs(10);
/// Loads that are remembered. Past that the oldest are forgotten.
const MOST: usize = 1 << 16;

/// Loads in progress, by row.
#[derive(Debug, Default)]
pub(super) struct Announced {
    by_key: FxHashMap<u64, Vec<Load>>,
    /// All that began, in their order; those that have ended are among them.
    order: VecDeque<(SimTime, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Load {
    by: InstanceId,
    began: SimTime,
}

impl Announced {
    /// Somebody was told of a miss. `shared`: all who ask from there wait for one load. How many loads of the row are in progress now, if
    /// one has begun.
    pub(super) fn begin(&mut self, key: u64, by: InstanceId, now: SimTime, shared: bool) -> Option<u32> {
        self.tidy(now);
        let loads = self.by_key.entry(key).or_default();
        if shared && loads.iter().any(|load| load.by == by) {
            return None;
        }
        loads.push(Load { by, began: now });
        self.order.push_back((now, key));
        Some(loads.len() as u32)
    }

    /// A copy has come.
    pub(super) fn end(&mut self, key: u64, by: InstanceId) {
        let Some(loads) = self.by_key.get_mut(&key) else {
            return;
        };
        if let Some(place) = loads.iter().position(|load| load.by == by) {
            loads.remove(place);
        }
        if loads.is_empty() {
            self.by_key.remove(&key);
        }
    }

    fn tidy(&mut self, now: SimTime) {
        while let Some((began, key)) = self.order.front().copied() {
            if now - began < LONGEST && self.order.len() < MOST {
                return;
            }
            self.order.pop_front();
            if let Some(loads) = self.by_key.get_mut(&key) {
                loads.retain(|load| load.began > began);
                if loads.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_end_with_their_copy_or_after_a_while_and_are_counted_once_where_they_are_shared() {
        let mut announced = Announced::default();
        let (a, b) = (InstanceId(1), InstanceId(2));
        let at = |seconds: u64| SimTime(seconds * 1_000_000_000);
        assert_eq!(announced.begin(7, a, at(0), false), Some(1));
        assert_eq!(announced.begin(7, a, at(1), false), Some(2));
        assert_eq!(announced.begin(8, a, at(1), false), Some(1));
        assert_eq!(announced.begin(7, a, at(1), true), None);
        assert_eq!(announced.begin(7, b, at(2), true), Some(3));
        announced.end(7, b);
        announced.end(7, b);
        assert_eq!(announced.begin(7, b, at(9), true), Some(3));
        assert_eq!(
            announced.begin(7, a, at(10), false),
            Some(3),
            "the first has taken too long"
        );
        assert_eq!(announced.begin(7, a, at(30), true), Some(1));
        for key in 0..2 * MOST as u64 {
            announced.begin(key, a, at(31), false);
        }
        assert!(announced.order.len() <= MOST && announced.by_key.len() <= MOST);
    }
}
