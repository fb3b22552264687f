//! Questions that take more than one run.

mod miss_ratio;

pub use miss_ratio::{Capacity, Column, MissRatios, Outcome, Question};
