//! The ledger of promises: what users were told, to be compared with what the system holds.

use rustc_hash::FxHashMap;

use crate::sim::InstanceId;

/// Acknowledged writes: the newest version of each row that a user was told is written. It observes and changes nothing.
#[derive(Debug, Default)]
pub struct Ledger {
    promised: FxHashMap<(InstanceId, u64), u64>,
    lost: u64,
}

impl Ledger {
    /// A user was told that a row is written in this version.
    pub fn acknowledge(&mut self, by: InstanceId, key: u64, version: u64) {
        let promised = self.promised.entry((by, key)).or_default();
        *promised = version.max(*promised);
    }

    /// Counts, and forgets, the promises that no disk keeps any more; `held` tells the version on the disk of an instance.
    #[allow(clippy::disallowed_methods, reason = "the count does not depend on the order")]
    pub fn audit(&mut self, held: impl Fn(InstanceId, u64) -> Option<u64>) -> u64 {
        let before = self.promised.len();
        self.promised
            .retain(|(by, key), version| held(*by, *key).is_some_and(|held| held >= *version));
        let lost = (before - self.promised.len()) as u64;
        self.lost += lost;
        lost
    }

    /// Promises broken so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_lost_when_no_disk_holds_that_version() {
        let mut ledger = Ledger::default();
        let database = InstanceId(3);
        ledger.acknowledge(database, 1, 5);
        ledger.acknowledge(database, 1, 4);
        ledger.acknowledge(database, 2, 1);
        assert_eq!(ledger.audit(|_, key| (key == 1).then_some(5)), 1);
        assert_eq!(ledger.audit(|_, _| Some(4)), 1);
        assert_eq!(ledger.audit(|_, _| None), 0);
        assert_eq!(ledger.lost(), 2);
    }
}
