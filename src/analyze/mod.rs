//! Questions that take more than one run.

pub mod blast;
pub mod capacity;
mod miss_ratio;
mod pool;
pub mod search;

pub use miss_ratio::{Capacity, Column, MissRatios, Outcome, Question};
pub use pool::cores;
