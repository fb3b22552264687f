//! Doubly linked lists of slots, whose links stand in one vector.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// The links of all slots: 8 bytes each. A slot is in one list at most.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

#[derive(Clone, Copy, Debug)]
struct Link {
    /// The neighbour towards the front.
    before: u32,
    /// The neighbour towards the back.
    after: u32,
}

impl Links {
    /// The neighbour towards the front; [`NONE`] at the front.
    #[inline]
    pub(super) fn before(&self, slot: u32) -> u32 {
        self.0[slot as usize].before
    }

    fn make_place(&mut self, slot: u32) {
        if self.0.len() <= slot as usize {
            let none = Link {
                before: NONE,
                after: NONE,
            };
            self.0.resize(slot as usize + 1, none);
        }
    }
}

/// A list of slots, and what they weigh together. All of its lists share one [`Links`].
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    front: u32,
    back: u32,
    weight: u64,
}

impl List {
    pub(super) const EMPTY: List = List {
        front: NONE,
        back: NONE,
        weight: 0,
    };

    /// The last slot; [`NONE`] if it is empty.
    #[inline]
    pub(super) fn back(&self) -> u32 {
        self.back
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front == NONE
    }

    /// What the slots weigh together.
    #[inline]
    pub(super) fn weight(&self) -> u64 {
        self.weight
    }

    /// Puts a slot that is in no list at the front.
    #[inline]
    pub(super) fn push_front(&mut self, links: &mut Links, slot: u32, weight: u64) {
        links.make_place(slot);
        links.0[slot as usize] = Link {
            before: NONE,
            after: self.front,
        };
        match self.front {
            NONE => self.back = slot,
            front => links.0[front as usize].before = slot,
        }
        self.front = slot;
        self.weight += weight;
    }

    /// Takes out a slot that is in this list.
    #[inline]
    pub(super) fn remove(&mut self, links: &mut Links, slot: u32, weight: u64) {
        let Link { before, after } = links.0[slot as usize];
        match before {
            NONE => self.front = after,
            before => links.0[before as usize].after = after,
        }
        match after {
            NONE => self.back = before,
            after => links.0[after as usize].before = before,
        }
        self.weight -= weight;
    }

    /// Moves a slot of this list to its front.
    #[inline]
    pub(super) fn touch(&mut self, links: &mut Links, slot: u32) {
        if self.front != slot {
            self.remove(links, slot, 0);
            self.push_front(links, slot, 0);
        }
    }

    /// A slot of this list weighs something else now.
    pub(super) fn weigh(&mut self, from: u64, to: u64) {
        self.weight = self.weight - from + to;
    }
}
