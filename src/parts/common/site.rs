//! What the site is made of, as all know it who make, carry or keep it.

use std::cell::Cell;

use crate::layout;
use crate::protocol::{Ask, Format};
use crate::sim::Draw;

/// What tells the draws of sizes from all others.
const SIZES: u64 = 0x5153_e5a1;

/// The site: the sizes of what it is made of, and the version of its static files.
pub struct Site {
    /// What the layout says of it.
    pub content: layout::Content,
    /// The version of the static files, from 1. It is changed between two windows.
    pub edition: Cell<u32>,
    /// The natural logarithm's mean and deviation behind a mean of 1.
    shape: (f64, f64),
    /// The sizes of the first static files, which are asked for most; 0 before somebody has asked.
    files: Vec<Cell<u32>>,
}

impl Site {
    /// A site whose static files are in their first version.
    pub fn new(content: layout::Content) -> Site {
        let variance = libm::log1p(content.cv * content.cv);
        Site {
            content,
            edition: Cell::new(1),
            shape: (-variance / 2.0, variance.sqrt()),
            files: vec![Cell::new(0); REMEMBERED],
        }
    }

    /// The version that the name of a static file tells; 0 if it tells none.
    pub fn named_edition(&self) -> u32 {
        if self.content.fingerprints {
            self.edition.get()
        } else {
            0
        }
    }

    /// How large the answer to a request is, in bytes. What changes a row is answered without one.
    pub fn answer_bytes(&self, ask: Ask, format: Format, key: u64) -> u32 {
        match (ask, format) {
            (Ask::Asset, _) => self.file_bytes(key),
            (Ask::Page | Ask::Search, Format::Html) => self.sized(self.content.page, key, 2),
            (Ask::Page | Ask::Search, Format::Json) => self.sized(self.content.json, key, 3),
            (Ask::Create | Ask::Update | Ask::Delete | Ask::Upload, _) => ACKNOWLEDGEMENT,
        }
    }

    fn file_bytes(&self, key: u64) -> u32 {
        let Some(known) = self.files.get(key as usize) else {
            return self.sized(self.content.asset, key, 1);
        };
        if known.get() == 0 {
            known.set(self.sized(self.content.asset, key, 1));
        }
        known.get()
    }

    /// How large a row is, in bytes.
    pub fn row_bytes(&self, key: u64) -> u32 {
        self.sized(self.content.row, key, 4)
    }

    /// Each object has a size of its own, the same in every world: lognormal with the mean and the spread of the layout.
    fn sized(&self, mean: u32, key: u64, kind: u64) -> u32 {
        let (middle, deviation) = self.shape;
        if deviation <= 0.0 {
            return mean;
        }
        let factor = libm::exp(middle + deviation * Draw::of(SIZES, key, kind).normal());
        (f64::from(mean) * factor).clamp(1.0, MOST_BYTES) as u32
    }
}

/// Bytes of the answer to a write: a status line with its headers.
const ACKNOWLEDGEMENT: u32 = 300;
/// Files whose sizes are remembered.
const REMEMBERED: usize = 1 << 14;
/// No object is larger than this.
const MOST_BYTES: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_mean_and_the_spread_of_the_layout() {
        let site = Site::new(layout::Content {
            row: 10_000,
            cv: 0.5,
            ..layout::Content::default()
        });
        let sizes: Vec<f64> = (0..200_000).map(|key| f64::from(site.row_bytes(key))).collect();
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let variance = sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / sizes.len() as f64;
        assert!((mean - 10_000.0).abs() < 50.0, "{mean}");
        assert!(
            (variance.sqrt() / mean - 0.5).abs() < 0.01,
            "{}",
            variance.sqrt() / mean
        );
        assert_eq!(site.row_bytes(7), site.row_bytes(7));
        let even = Site::new(layout::Content {
            cv: 0.0,
            ..layout::Content::default()
        });
        assert_eq!(even.answer_bytes(Ask::Asset, Format::Html, 3), 50_000);
        assert_eq!(even.answer_bytes(Ask::Page, Format::Json, 3), 4_000);
    }
}
