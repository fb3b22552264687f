//! ARC agrees with figure 4 of its paper, which is written out here page by page.

use crate::layout::{Evict, Room};
use crate::sim::Stream;

use super::super::Store;
use super::seeds;

/// The lists of the paper, the least recently used first, and p.
#[derive(Default)]
struct Pages {
    t1: Vec<u64>,
    t2: Vec<u64>,
    b1: Vec<u64>,
    b2: Vec<u64>,
    p: f64,
    c: usize,
}

impl Pages {
    /// A request: whether the page was in the cache.
    fn request(&mut self, x: u64) -> bool {
        let (b1, b2) = (self.b1.len() as f64, self.b2.len() as f64);
        if take(&mut self.t1, x) || take(&mut self.t2, x) {
            self.t2.push(x);
            return true;
        }
        if self.b1.contains(&x) {
            self.p = (self.p + (b2 / b1).max(1.0)).min(self.c as f64);
            self.replace(false);
            take(&mut self.b1, x);
            self.t2.push(x);
        } else if self.b2.contains(&x) {
            self.p = (self.p - (b1 / b2).max(1.0)).max(0.0);
            self.replace(true);
            take(&mut self.b2, x);
            self.t2.push(x);
        } else {
            self.make_place();
            self.t1.push(x);
        }
        false
    }

    /// Case IV.
    fn make_place(&mut self) {
        let l1 = self.t1.len() + self.b1.len();
        let all = l1 + self.t2.len() + self.b2.len();
        if l1 == self.c {
            if self.t1.len() < self.c {
                self.b1.remove(0);
                self.replace(false);
            } else {
                self.t1.remove(0);
            }
        } else if all >= self.c {
            if all == 2 * self.c {
                self.b2.remove(0);
            }
            self.replace(false);
        }
    }

    fn replace(&mut self, is_in_b2: bool) {
        let t1 = self.t1.len() as f64;
        if !self.t1.is_empty() && (t1 > self.p || (is_in_b2 && t1 >= self.p)) {
            self.b1.push(self.t1.remove(0));
        } else {
            self.b2.push(self.t2.remove(0));
        }
    }
}

fn take(list: &mut Vec<u64>, x: u64) -> bool {
    let place = list.iter().position(|page| *page == x);
    place.is_some_and(|place| list.remove(place) == x)
}

#[test]
fn arc_agrees_with_its_paper_page_by_page() {
    for seed in seeds(50) {
        let mut chance = Stream::new(seed, "eviction", "arc");
        let c = 1 + chance.draw().below(30);
        let mut store = Store::new(Evict::Arc, Room::Items(c), seed);
        let mut pages = Pages {
            c: c as usize,
            ..Pages::default()
        };
        for number in 0..2_000_u64 {
            // Popularity alternates with scans, so that the target moves both ways.
            let page = match number / 200 % 2 {
                0 => chance.draw().below(60).min(chance.draw().below(60)),
                _ => chance.draw().below(c) + number / 3,
            };
            let is_held = store.get(page).is_some();
            if !is_held {
                store.put(page, 1, ());
            }
            let test = "eviction::tests::arc";
            assert_eq!(
                is_held,
                pages.request(page),
                "request {number} of seed {seed}: BLASTRADIUS_SEED={seed} cargo test --lib {test}"
            );
        }
    }
}
