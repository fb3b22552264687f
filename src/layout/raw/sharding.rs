//! How rows are spread over shards, in the file.

use serde::Deserialize;

use crate::layout::replication::{ShardBy, Sharding};
use crate::layout::source::{Path, Problem};
use crate::layout::{bounds, check};

#[derive(Default, Deserialize)]
#[serde(rename = "Sharding", default, deny_unknown_fields)]
pub(super) struct RawSharding {
    shards: Option<u32>,
    by: RawShardBy,
}

#[derive(Deserialize)]
enum RawShardBy {
    Modulo,
    ConsistentHash(RawRing),
    Jump,
    Range,
    Directory,
}

impl Default for RawShardBy {
    fn default() -> Self {
        RawShardBy::ConsistentHash(RawRing::default())
    }
}

#[derive(Deserialize)]
#[serde(rename = "ConsistentHash", default, deny_unknown_fields)]
struct RawRing {
    virtual_nodes: u32,
}

impl Default for RawRing {
    fn default() -> Self {
        RawRing { virtual_nodes: 100 }
    }
}

impl RawSharding {
    pub fn model(self, path: &Path) -> Result<Sharding, Problem> {
        let Some(shards) = self.shards else {
            return Err(path.problem("the field `shards` is missing: how many are there at the start?"));
        };
        check::whole(&path.at("shards"), shards, bounds::SHARDS)?;
        let by = match self.by {
            RawShardBy::Modulo => ShardBy::Modulo,
            RawShardBy::ConsistentHash(RawRing { virtual_nodes }) => {
                check::whole(&path.at("by").at("virtual_nodes"), virtual_nodes, bounds::POINTS)?;
                ShardBy::ConsistentHash { virtual_nodes }
            }
            RawShardBy::Jump => ShardBy::Jump,
            RawShardBy::Range => ShardBy::Range,
            RawShardBy::Directory => ShardBy::Directory,
        };
        Ok(Sharding { shards, by })
    }
}
