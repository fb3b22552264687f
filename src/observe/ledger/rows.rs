//! The newest promise of each row: twenty bytes a row, in pages that are allocated when a row of theirs is first promised.

use crate::protocol::Stamp;
use crate::sim::SimTime;

/// Rows in a page.
const PAGE: usize = 1024;

/// How a promise is watched for risk; see [`super::risk`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// Another disk has it.
    Safe,
    /// It stands in the queue.
    Queued,
    /// It found no room in the queue and is only counted.
    Beyond,
}

/// The newest promise of a row. The original stamp: there is none. Numbers stand in halves, so that none of the room is lost to alignment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Promise {
    stamp: [u32; 2],
    /// When it was given, and flags in the high bits. What is left is good for 73 years.
    bits: [u32; 2],
    /// Where the ring of steps has it; see [`super::trail`].
    spot: u32,
}

const MISSING: u64 = 1 << 63;
const QUEUED: u64 = 1 << 62;
const BEYOND: u64 = 1 << 61;

const fn halves(whole: u64) -> [u32; 2] {
    [whole as u32, (whole >> 32) as u32]
}

const fn whole(halves: [u32; 2]) -> u64 {
    (halves[1] as u64) << 32 | halves[0] as u64
}

impl Promise {
    /// The write; the original one if nothing is promised.
    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        Stamp(whole(self.stamp))
    }

    /// When a user was told.
    #[inline]
    pub(super) fn at(&self) -> SimTime {
        SimTime(whole(self.bits) & (BEYOND - 1))
    }

    /// The place of its step in the ring.
    #[inline]
    pub(super) fn spot(&self) -> u32 {
        self.spot
    }

    /// Puts another write in its place.
    #[inline]
    pub(super) fn set(&mut self, stamp: Stamp, at: SimTime, spot: u32) {
        self.stamp = halves(stamp.0);
        self.set_bits(BEYOND - 1, at.0 & (BEYOND - 1));
        self.spot = spot;
    }

    /// Takes it back. Nobody watches it any more.
    pub(super) fn clear(&mut self) {
        *self = Promise::default();
    }

    #[inline]
    fn set_bits(&mut self, which: u64, bits: u64) {
        self.bits = halves(whole(self.bits) & !which | bits);
    }

    /// Whether the last audit found that the nodes that take part do not have it.
    #[inline]
    pub(super) fn is_missing(&self) -> bool {
        whole(self.bits) & MISSING != 0
    }

    pub(super) fn set_missing(&mut self, missing: bool) {
        self.set_bits(MISSING, if missing { MISSING } else { 0 });
    }

    #[inline]
    pub(super) fn watch(&self) -> Watch {
        match whole(self.bits) & (QUEUED | BEYOND) {
            0 => Watch::Safe,
            QUEUED => Watch::Queued,
            _ => Watch::Beyond,
        }
    }

    #[inline]
    pub(super) fn set_watch(&mut self, watch: Watch) {
        let flag = match watch {
            Watch::Safe => 0,
            Watch::Queued => QUEUED,
            Watch::Beyond => BEYOND,
        };
        self.set_bits(QUEUED | BEYOND, flag);
    }
}

/// All rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pages: Vec<Option<Box<[Promise; PAGE]>>>,
}

impl Rows {
    /// The promise of a row.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Promise {
        match self.pages.get(key as usize / PAGE) {
            Some(Some(page)) => page[key as usize % PAGE],
            _ => Promise::default(),
        }
    }

    /// The promise of a row, to be changed.
    #[allow(clippy::large_stack_arrays, reason = "a page goes to the heap at once")]
    #[inline]
    pub(super) fn entry(&mut self, key: u64) -> &mut Promise {
        let page = key as usize / PAGE;
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([Promise::default(); PAGE]));
        &mut page[key as usize % PAGE]
    }

    /// All promises, by key.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Promise)> {
        let pages = self.pages.iter_mut().enumerate();
        pages
            .filter_map(|(number, page)| Some((number, page.as_mut()?)))
            .flat_map(|(number, page)| {
                let promises = page.iter_mut().enumerate();
                promises.map(move |(place, promise)| ((number * PAGE + place) as u64, promise))
            })
            .filter(|(_, promise)| promise.stamp() > Stamp::ORIGINAL)
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        let pages = self.pages.iter().flatten().count() * size_of::<[Promise; PAGE]>();
        pages + self.pages.capacity() * size_of::<Option<Box<[Promise; PAGE]>>>()
    }
}
