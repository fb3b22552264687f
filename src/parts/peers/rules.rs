//! Which of the versions of a row is shown, and what becomes of two that are in conflict.
//!
//! Every rule orders versions, and shows the first. Only by wall clocks is more decided: there the version with the latest clock drives
//! out all others.

use crate::layout::Rule;
use crate::observe::Resolution;
use crate::protocol::{PeerVersion, Stamp};
use crate::sim::Draw;

use crate::parts::common::cluster::Cluster;

use super::row::Join;

/// Applies a rule.
pub(super) struct Judge<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whose nodes stand where.
    pub cluster: &'a Cluster,
    /// The shard of the nodes.
    pub shard: u32,
}

/// What a row looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// The write that made it so.
    pub stamp: Stamp,
    /// Whether it exists.
    pub exists: bool,
    /// What is in it.
    pub value: u64,
}

/// Numbers that rows hold where they are no sets are below this.
const VALUES: u64 = 1_000_000;

/// The order by clocks: that of the node decides between two at the same time.
pub(super) fn by_clock(version: &PeerVersion) -> (u64, u8, Stamp) {
    (version.clock, version.stamp.node(), version.stamp)
}

impl Judge<'_> {
    /// How rows are joined.
    pub fn join(&self) -> Join {
        match self.rule {
            Rule::LastWriteWins => Join::Register,
            _ => Join::Siblings,
        }
    }

    /// What is shown of versions; nothing of none.
    pub fn shown(&self, versions: &[PeerVersion]) -> Option<Shown> {
        let first = versions.iter().max_by_key(|version| self.rank(version))?;
        let all = match self.rule {
            Rule::MergeSets | Rule::KeepBoth => versions,
            _ => std::slice::from_ref(first),
        };
        let value = match self.rule {
            Rule::MergeSets => all.iter().fold(0, |union, version| union | version.value),
            _ => first.value,
        };
        Some(Shown {
            stamp: first.stamp,
            exists: all.iter().any(|version| version.exists),
            value,
        })
    }

    /// What becomes of two versions of which neither maker had seen the other, as the maker of the first has to tell it: nothing, if
    /// that is for the other one to tell.
    pub fn resolve(&self, own: &PeerVersion, other: &PeerVersion) -> Option<Resolution> {
        let first = own.stamp.node() < other.stamp.node();
        match self.rule {
            Rule::MergeSets => first.then_some(Resolution::Merged),
            Rule::KeepBoth => first.then_some(Resolution::Siblings),
            _ => self.beats(other, own).then_some(Resolution::Dropped),
        }
    }

    /// Whether a version comes before another one.
    pub fn beats(&self, version: &PeerVersion, other: &PeerVersion) -> bool {
        self.rank(version) > self.rank(other)
    }

    /// What a write puts into a row.
    pub fn value(&self, before: Shown, exists: bool, draw: Draw) -> u64 {
        match self.rule {
            Rule::MergeSets if exists => before.value | 1 << draw.below(64),
            Rule::MergeSets => 0,
            _ => draw.below(VALUES),
        }
    }

    fn rank(&self, version: &PeerVersion) -> (u64, u64, Stamp) {
        let (stamp, node) = (version.stamp, u64::from(version.stamp.node()));
        match self.rule {
            Rule::LastWriteWins | Rule::HybridClocks => (version.clock, node, stamp),
            Rule::HighestValue => (version.value, 0, stamp),
            Rule::MergeSets | Rule::KeepBoth => (0, 0, stamp),
            Rule::SitePriority(order) => (!self.site(stamp.node(), order), !node, stamp),
        }
    }

    /// The place of a node's data center in an order; behind all if it is not there.
    fn site(&self, node: u8, order: &[String]) -> u64 {
        let shards = self.cluster.shards.borrow();
        let sites = self.cluster.sites.borrow();
        let member = shards
            .get(self.shard as usize)
            .and_then(|members| members.iter().find(|member| member.node == node));
        let name = member.and_then(|member| sites.get(usize::from(member.site)));
        let place = name.and_then(|name| order.iter().position(|site| site == name));
        place.unwrap_or(order.len()) as u64
    }
}
