//! A slab with generations: an index is used again, a reference to what was there before is not.

/// A reference to an entry: its index, and in the high half the generation that it was made in. It is one word, since a processor waits
/// for what is written in parts and read as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref(u64);

impl Ref {
    /// A reference to nothing.
    pub const NONE: Ref = Ref(u32::MAX as u64);

    /// A reference to the entry that stood at a place in a generation.
    #[inline]
    pub fn new(index: u32, generation: u32) -> Ref {
        Ref(u64::from(generation) << 32 | u64::from(index))
    }

    /// Place in the slab.
    #[inline]
    pub fn index(self) -> u32 {
        self.0 as u32
    }

    /// Which of the entries that stood there.
    #[inline]
    pub fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

/// Entries by index, with a list of free places.
#[derive(Debug)]
pub struct Slab<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    /// An empty slab.
    pub const fn new() -> Slab<T> {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Takes a value in.
    #[inline]
    pub fn insert(&mut self, value: T) -> Ref {
        if let Some(index) = self.free.pop() {
            let entry = &mut self.entries[index as usize];
            entry.value = Some(value);
            return Ref::new(index, entry.generation);
        }
        let index = self.entries.len() as u32;
        self.entries.push(Entry {
            generation: 1,
            value: Some(value),
        });
        Ref::new(index, 1)
    }

    /// The entry, if it is still the one that was meant.
    #[inline]
    pub fn get_mut(&mut self, at: Ref) -> Option<&mut T> {
        let entry = self.entries.get_mut(at.index() as usize)?;
        if entry.generation != at.generation() {
            return None;
        }
        entry.value.as_mut()
    }

    /// Takes the entry out, if it is still the one that was meant.
    #[inline]
    pub fn remove(&mut self, at: Ref) -> Option<T> {
        let entry = self.entries.get_mut(at.index() as usize)?;
        if entry.generation != at.generation() {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1).max(1);
        self.free.push(at.index());
        Some(value)
    }

    /// References to all entries, in the order of their places.
    pub fn refs(&self) -> impl Iterator<Item = Ref> + '_ {
        self.entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.value.is_some())
            .map(|(index, entry)| Ref::new(index as u32, entry.generation))
    }

    /// The reference to the entry that stands at a place.
    #[inline]
    pub fn ref_at(&self, index: u32) -> Ref {
        Ref::new(index, self.entries[index as usize].generation)
    }

    /// The entry at a place, whatever its generation.
    #[inline]
    pub fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.entries.get_mut(index as usize)?.value.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_to_a_former_entry_finds_nothing() {
        let mut slab = Slab::new();
        let first = slab.insert("a");
        assert_eq!(slab.remove(first), Some("a"));
        let second = slab.insert("b");
        assert_eq!(second.index(), first.index());
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.remove(first), None);
        assert_eq!(slab.get_mut(second), Some(&mut "b"));
        assert_eq!(slab.len(), 1);
        assert_eq!(slab.refs().count(), 1);
        assert_eq!(slab.remove(Ref::NONE), None);
    }
}
