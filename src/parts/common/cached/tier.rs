//! A cache tier as all know it who have to do with it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::layout;
use crate::observe::{CacheProbe, CacheTally};
use crate::parts::common::ring::Ring;
use crate::sim::{Draw, InstanceId};

/// Points of each node on the ring, as ketama has them.
const POINTS: u32 = 160;
/// What tells the places of nodes and keys from those on other rings.
const SALT: u64 = 0x6b65_7461_6d61_0001;

/// A cache tier: what service discovery tells of it. Who is alive its users must find out by themselves.
pub struct Tier {
    /// Its settings. They are changed between two windows.
    pub spec: Rc<RefCell<layout::Cache>>,
    nodes: RefCell<Nodes>,
}

/// The nodes of a tier.
struct Nodes {
    /// With what they show of themselves, in the order of their addresses.
    all: Vec<(InstanceId, Rc<CacheProbe>)>,
    /// Their points are told by their addresses, so that a node keeps them when others come and go.
    ring: Ring,
}

/// The nodes that keep a key, the one to be asked first in front.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    first: Option<InstanceId>,
    /// Empty where each key is kept once, so that no memory is taken for it.
    others: Vec<InstanceId>,
}

impl Owners {
    /// The node at a place in the order, from 0.
    pub fn get(&self, place: usize) -> Option<InstanceId> {
        match place.checked_sub(1) {
            None => self.first,
            Some(place) => self.others.get(place).copied(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = InstanceId> + '_ {
        self.first.iter().chain(&self.others).copied()
    }

    /// One more.
    pub fn push(&mut self, node: InstanceId) {
        match self.first {
            None => self.first = Some(node),
            Some(_) => self.others.push(node),
        }
    }
}

impl Tier {
    /// A tier with these settings, of which no node is known yet.
    pub fn new(spec: layout::Cache) -> Tier {
        Tier {
            spec: Rc::new(RefCell::new(spec)),
            nodes: RefCell::new(Nodes {
                all: Vec::new(),
                ring: Ring::of([], POINTS, SALT),
            }),
        }
    }

    /// Tells which nodes there are, and where each shows what it does.
    pub fn set_nodes(&self, mut all: Vec<(InstanceId, Rc<CacheProbe>)>) {
        all.sort_by_key(|(node, _)| *node);
        let ring = Ring::of(all.iter().map(|(node, _)| node.0), POINTS, SALT);
        *self.nodes.borrow_mut() = Nodes { all, ring };
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.borrow().all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whom to ask for a key, and whom to tell of it: the first nodes on the ring from its place on, as many as keep a copy, without those
    /// that rest. With `rehash` the next ones stand in for those.
    pub fn owners(&self, key: u64, rests: impl Fn(InstanceId) -> bool) -> Owners {
        let (copies, rehash) = {
            let spec = self.spec.borrow();
            (spec.copies as usize, spec.rehash)
        };
        let nodes = self.nodes.borrow();
        let mut owners = Owners::default();
        if nodes.all.is_empty() {
            return owners;
        }
        let place = place(key);
        let first = InstanceId(nodes.ring.owner(place));
        if copies == 1 && (!rehash || !rests(first)) {
            owners.first = Some(first).filter(|first| !rests(*first));
            return owners;
        }
        let mut seen = Vec::new();
        let mut left = copies;
        for node in nodes.ring.walk(place).map(InstanceId) {
            if left == 0 || seen.len() == nodes.all.len() {
                break;
            }
            if seen.contains(&node) {
                continue;
            }
            seen.push(node);
            let rests = rests(node);
            if !rests {
                owners.push(node);
            }
            if !rests || !rehash {
                left -= 1;
            }
        }
        owners
    }

    /// Counts something that was done for a key by one who uses the tier: at the node that the key belongs to. Such counts are only ever
    /// added to, so the order in which several do it is of no account.
    pub fn count(&self, key: u64, change: impl FnOnce(&mut CacheTally)) {
        let nodes = self.nodes.borrow();
        if nodes.all.is_empty() {
            return;
        }
        let home = InstanceId(nodes.ring.owner(place(key)));
        if let Ok(at) = nodes.all.binary_search_by_key(&home, |(node, _)| *node) {
            nodes.all[at].1.count(change);
        }
    }
}

/// Where a key is on the ring.
fn place(key: u64) -> u64 {
    Draw::of(SALT, key, 1).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(settings: &str, nodes: &[u32]) -> Tier {
        let source = format!(
            "(title: \"t\", users: {{\"people\": (count: 1)}}, services: {{\"web\": Web(cache: \"cache\", database: \"db\"), \"db\": Database(),
                \"cache\": Cache(machines: 4, {settings})}})"
        );
        let layout = layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{}", error.render(&source)));
        let mut services = layout.data_centers.values().flat_map(|center| center.services.values());
        let spec = services.find_map(|service| match service {
            layout::Service::Cache(spec) => Some(spec.clone()),
            _ => None,
        });
        let tier = Tier::new(spec.expect("a cache"));
        tier.set_nodes(nodes.iter().map(|node| (InstanceId(*node), Rc::default())).collect());
        tier
    }

    fn owner(tier: &Tier, key: u64) -> u32 {
        tier.owners(key, |_| false).get(0).expect("an owner").0
    }

    #[test]
    fn keys_stay_where_they_are_when_nodes_come_and_go() {
        let (four, three) = (tier("", &[7, 9, 12, 15]), tier("", &[7, 12, 15]));
        let mut moved = 0;
        for key in 0..40_000 {
            let (before, after) = (owner(&four, key), owner(&three, key));
            moved += u64::from(before != after);
            assert!(before == 9 || before == after, "{key} went from {before} to {after}");
        }
        // With 160 points a node has its share up to a standard deviation of 1 / sqrt(160), 8 %.
        assert!((7_500..12_500).contains(&moved), "{moved} of 40,000");
    }

    #[test]
    fn copies_are_on_distinct_nodes_and_those_that_rest_are_left_out() {
        let tier = tier("copies: 2", &[1, 2, 3, 4]);
        for key in 0..1_000 {
            let both = tier.owners(key, |_| false);
            let (first, second) = (both.get(0).expect("one"), both.get(1).expect("two"));
            assert!(both.len() == 2 && first != second);
            let left: Vec<InstanceId> = tier.owners(key, |node| node == first).iter().collect();
            assert_eq!(left, [second]);
            tier.spec.borrow_mut().rehash = true;
            let left = tier.owners(key, |node| node == first);
            assert!(left.len() == 2 && left.get(0) == Some(second) && left.get(1) != Some(first));
            tier.spec.borrow_mut().rehash = false;
        }
        let all_rest = tier.owners(5, |_| true);
        assert_eq!((all_rest.len(), all_rest.get(0)), (0, None));
    }

    #[test]
    fn without_rehash_the_keys_of_a_node_that_rests_have_none() {
        let tier = tier("", &[1, 2, 3, 4]);
        let dead = InstanceId(3);
        for key in 0..1_000 {
            let expected = Some(InstanceId(owner(&tier, key))).filter(|node| *node != dead);
            assert_eq!(tier.owners(key, |node| node == dead).get(0), expected);
        }
        tier.spec.borrow_mut().rehash = true;
        let others = (0..1_000).map(|key| tier.owners(key, |node| node == dead).get(0));
        assert!(others.into_iter().all(|node| node.is_some_and(|node| node != dead)));
    }
}
