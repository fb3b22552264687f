//! The truth about the nodes of a database, which none of them knows: who is ahead, who has what, what would be lost.

use std::rc::Rc;

use crate::observe::{Held, NodeRole};
use crate::parts::{Disk, PeerDisk};
use crate::protocol::{Position, Stamp};
use crate::sim::{InstanceId, ProcessState, SimTime, Verdict};

use super::super::World;
use super::{NodePlace, Stored};

/// A node with its disk, as the world sees it.
pub(super) struct Node {
    pub service: usize,
    pub number: usize,
    pub place: NodePlace,
    pub id: InstanceId,
    pub up: bool,
    pub stored: Option<Stored>,
}

impl Node {
    fn log(&self) -> Option<&Rc<Disk>> {
        match &self.stored {
            Some(Stored::Log(disk)) => Some(disk),
            _ => None,
        }
    }

    fn peer(&self) -> Option<&Rc<PeerDisk>> {
        match &self.stored {
            Some(Stored::Peer(disk)) => Some(disk),
            _ => None,
        }
    }

    /// Whether its disk has a write, or a later one of the row.
    pub(super) fn holds(&self, key: u64, stamp: Stamp) -> bool {
        match &self.stored {
            Some(Stored::Log(disk)) => disk.holds(key, stamp),
            Some(Stored::Peer(disk)) => disk.holds(key, stamp),
            None => false,
        }
    }

    pub(super) fn hash(&self) -> Option<u64> {
        match &self.stored {
            Some(Stored::Log(disk)) => Some(disk.hash()),
            Some(Stored::Peer(disk)) => Some(disk.hash()),
            None => None,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        match &self.stored {
            Some(Stored::Log(disk)) => disk.rows(),
            Some(Stored::Peer(disk)) => disk.rows(),
            None => 0,
        }
    }

    /// How far it is: a place in a log, or a count of changes.
    pub(super) fn position(&self) -> Position {
        match &self.stored {
            Some(Stored::Log(disk)) => disk.position(),
            Some(Stored::Peer(disk)) => Position {
                index: disk.position(),
                ..Position::default()
            },
            None => Position::default(),
        }
    }

    pub(super) fn aside(&self) -> u64 {
        self.log().map_or(0, |disk| disk.aside())
    }

    pub(super) fn siblings(&self) -> u64 {
        self.peer().map_or(0, |disk| disk.siblings())
    }
}

/// How far a node is behind: entries, and when the oldest of them was written.
pub(super) type Behind = (u64, Option<SimTime>);

/// All nodes of a database at this moment, by shard and number.
pub(super) struct Nodes {
    pub nodes: Vec<Node>,
    /// By shard: who is primary by the latest promotion.
    reigns: Vec<InstanceId>,
}

impl Nodes {
    pub(super) fn of(world: &World, database: usize) -> Nodes {
        let entry = &world.databases[database];
        let mut nodes: Vec<Node> = world
            .nodes_of(database)
            .map(|(service, number, place)| {
                let id = world.services[service].instances[number].id;
                Node {
                    service,
                    number,
                    place,
                    id,
                    up: world.kernel.process_state(id) == ProcessState::Up,
                    stored: world.stored(entry, id),
                }
            })
            .collect();
        nodes.sort_by_key(|node| (node.place.shard, node.place.node, node.id));
        Nodes {
            nodes,
            reigns: entry.reigns.borrow().iter().map(|(id, _)| *id).collect(),
        }
    }

    pub(super) fn in_shard(&self, shard: u32) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.place.shard == shard)
    }

    pub(super) fn shards(&self) -> u32 {
        self.nodes.iter().map(|node| node.place.shard + 1).max().unwrap_or(0)
    }

    /// The node that a shard goes by: its primary, or if that one's disk is gone, or there is none, the one that is furthest.
    pub(super) fn lead(&self, shard: u32) -> Option<&Node> {
        let reigning = self.reigns.get(shard as usize);
        let primary = self
            .in_shard(shard)
            .find(|node| Some(&node.id) == reigning && matches!(node.stored, Some(Stored::Log(_))));
        primary.or_else(|| {
            let stored = self.in_shard(shard).filter(|node| node.stored.is_some());
            // Of equals the one that is up, and of those the first.
            stored.max_by_key(|node| (node.position(), node.up, std::cmp::Reverse(node.place.node)))
        })
    }

    /// How far a node is behind what its shard has.
    pub(super) fn behind(&self, node: &Node) -> Behind {
        if let Some(peer) = node.peer() {
            return self.behind_of_peer(node, peer);
        }
        let (Some(lead), Some(own)) = (self.lead(node.place.shard), node.log()) else {
            return (0, None);
        };
        let Some(log) = lead.log() else { return (0, None) };
        // What it has of its own, behind the point where the logs part, is no part of what the others have.
        let index = if log.contains(own.position()) {
            own.position().index
        } else {
            log.common(own)
        };
        (log.position().index.saturating_sub(index), log.written_after(index))
    }

    fn behind_of_peer(&self, node: &Node, disk: &PeerDisk) -> Behind {
        let seen = disk.seen();
        let (mut behind, mut oldest) = (0, None::<SimTime>);
        // What only a dead node has nobody can fetch.
        let peers = || {
            self.in_shard(node.place.shard)
                .filter(|node| node.up)
                .filter_map(Node::peer)
        };
        for (origin, own) in seen.iter().copied().enumerate() {
            let known = peers();
            let most = known.map(|disk| number_of(disk, origin as u8)).max();
            let lacking = most.unwrap_or(0).saturating_sub(own);
            behind += lacking;
            if lacking > 0 {
                let since = peers().filter_map(|disk| disk.written_after(origin as u8, own)).min();
                oldest = match (oldest, since) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
        (behind, oldest)
    }

    /// Up to which write the others of a shard have everything, so that it outlives the machine that took it: by number of the node that
    /// took it; where there is one primary, all are with number 0.
    pub(super) fn safe(&self, shard: u32, now: Stamp) -> Vec<Stamp> {
        let mut safe = vec![Stamp(u64::MAX); Stamp::NODES as usize];
        let Some(lead) = self.lead(shard) else { return safe };
        if let Some(log) = lead.log() {
            let others = self.in_shard(shard).filter(|node| node.id != lead.id);
            let following = others
                .filter_map(Node::log)
                .filter(|disk| log.contains(disk.position()));
            let reached = following.map(|disk| {
                if disk.position() == log.position() {
                    now
                } else {
                    disk.last_stamp()
                }
            });
            safe[0] = reached.max().unwrap_or(Stamp::ORIGINAL);
            return safe;
        }
        for node in self.in_shard(shard) {
            let Some(own) = node.peer() else { continue };
            let origin = node.place.node;
            let others = self.in_shard(shard).filter(|other| other.id != node.id);
            let known = others.filter_map(Node::peer).map(|disk| number_of(disk, origin)).max();
            let known = known.unwrap_or(0);
            safe[origin as usize] = if number_of(own, origin) > known {
                let first = own.written_after(origin, known).unwrap_or(SimTime::ZERO);
                Stamp(Stamp::new(first, 0).0.saturating_sub(1))
            } else {
                now
            };
        }
        safe
    }

    /// Who has a write: those who take part, only others, or nobody.
    pub(super) fn held(&self, key: u64, stamp: Stamp) -> Held {
        let serving = |node: &&Node| match node.stored {
            Some(Stored::Log(_)) => self.lead(node.place.shard).is_some_and(|lead| lead.id == node.id),
            Some(Stored::Peer(_)) => node.up,
            None => false,
        };
        if self.nodes.iter().filter(serving).any(|node| node.holds(key, stamp)) {
            return Held::Serving;
        }
        let aside = |node: &Node| node.log().is_some_and(|disk| disk.has_aside(key, stamp));
        if self.nodes.iter().any(|node| node.holds(key, stamp) || aside(node)) {
            return Held::Elsewhere;
        }
        Held::Nowhere
    }
}

impl World {
    /// Whether a node cannot hear the one that it follows, or cannot be heard by it.
    pub(super) fn is_torn(&self, node: InstanceId, source: InstanceId) -> bool {
        let network = self.kernel.network();
        let mut cuts = network.rules.iter().filter(|rule| rule.verdict == Verdict::Drop);
        cuts.any(|rule| rule.matches(node, source) || rule.matches(source, node))
    }
}

/// The number of the last change of a node that a disk has.
fn number_of(disk: &PeerDisk, origin: u8) -> u64 {
    disk.seen().get(origin as usize).copied().unwrap_or(0)
}

/// Whether a node takes writes as a primary, as it believes.
pub(super) fn leads(role: NodeRole) -> bool {
    matches!(role, NodeRole::Primary | NodeRole::Alone | NodeRole::Peer)
}
