//! A database as all know it who have to do with it: which nodes it has, and which shard a key belongs to. It is what service discovery
//! tells; who is primary, and who is alive, they must find out by themselves.

use std::cell::{Cell, RefCell};

use crate::layout;
use crate::sim::InstanceId;

use super::shards::ShardMap;

/// A database.
pub struct Cluster {
    /// Its settings. They are changed between two windows.
    pub spec: RefCell<layout::Database>,
    /// The nodes of each shard. A node keeps its number; who leaves is taken off the list.
    pub shards: RefCell<Vec<Vec<Member>>>,
    /// Which shard a key belongs to.
    pub map: RefCell<ShardMap>,
    /// The monitors, if failover is automatic.
    pub monitors: RefCell<Vec<InstanceId>>,
    /// Those who hear of a new primary: whoever queries the database.
    pub clients: RefCell<Vec<InstanceId>>,
    /// The names of the data centers in their order, which [`Member::site`] counts.
    pub sites: RefCell<Vec<String>>,
    /// Keys that rows have: all are below this.
    pub keys: Cell<u64>,
}

/// A node of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The node.
    pub id: InstanceId,
    /// Its number in the shard, from 0; never used again.
    pub node: u8,
    /// The data center that it stands in, by its place in the order of their names.
    pub site: u16,
    /// It counts for majorities. A new replica does not until it has all rows.
    pub voter: bool,
}

impl Cluster {
    /// The shard and the number of a node, if it is one.
    pub fn place(&self, id: InstanceId) -> Option<(u32, Member)> {
        let shards = self.shards.borrow();
        let mut all = shards
            .iter()
            .enumerate()
            .flat_map(|(shard, members)| members.iter().map(move |member| (shard as u32, *member)));
        all.find(|(_, member)| member.id == id)
    }

    /// The nodes of a shard.
    pub fn members(&self, shard: u32) -> Vec<Member> {
        self.shards.borrow().get(shard as usize).cloned().unwrap_or_default()
    }

    /// How many nodes of a shard have a say.
    pub fn voters(&self, shard: u32) -> usize {
        let shards = self.shards.borrow();
        let members = shards.get(shard as usize);
        members.map_or(0, |members| members.iter().filter(|member| member.voter).count())
    }

    /// How many nodes of a shard are a majority of those that have a say.
    pub fn majority(&self, shard: u32) -> usize {
        self.voters(shard) / 2 + 1
    }
}
