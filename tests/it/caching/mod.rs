//! Caches, end to end: what they save, what they keep for too long, what their end does.

mod cdn;
mod tier;
