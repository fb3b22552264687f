//! What can be wrong with software and with a disk, beside not running.

/// Software that is broken: it answers a share of its requests at once with an error. A restart does not cure it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flaw {
    /// The share, from 0 to 1.
    pub share: f64,
    /// What is wrong, in the words of the world: see [`Wire::broken`](super::Wire::broken).
    pub kind: u8,
}

/// How the disk of a machine is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disk {
    /// Nothing can be written; what is there can be read.
    pub full: bool,
    /// Flushes take so many times as long.
    pub slow: f64,
}

impl Disk {
    /// A disk that is well.
    pub const WELL: Disk = Disk { full: false, slow: 1.0 };
}

/// Nothing was written: the disk is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskFull;
