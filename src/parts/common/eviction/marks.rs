//! A small number for each slot.

/// A byte for each slot; 0 until it is set.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<u8>);

impl Marks {
    #[inline]
    pub(super) fn get(&self, slot: u32) -> u8 {
        self.0.get(slot as usize).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn set(&mut self, slot: u32, mark: u8) {
        if self.0.len() <= slot as usize {
            self.0.resize(slot as usize + 1, 0);
        }
        self.0[slot as usize] = mark;
    }
}
