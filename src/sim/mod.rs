//! The kernel: clock, windows, network, machines, handlers, randomness. It knows no kind of service.
//!
//! A [`Kernel`] runs machines, each a tokio task that owns the receiver of a channel. What the services on a machine do is plain async
//! code ([`Software`]) over a context ([`Cx`]) with which they sleep, work, wait for slots and call each other. Deliveries are handed out
//! in windows no wider than the smallest latency, and ordered by one key: time, rank of the source, the source's number.

mod calendar;
mod calls;
mod core;
mod flaw;
mod follow;
mod gate;
mod host;
mod kernel;
mod local;
mod machine;
mod message;
mod meter;
mod network;
mod parcels;
mod process;
mod processors;
mod random;
mod slab;
mod slots;
#[cfg(test)]
mod tests;
mod time;
mod windows;

pub use flaw::{Disk, DiskFull, Flaw};
pub use follow::{Following, Step, Wanted, What};
pub use gate::{Gate, Pass, Passage};
pub use host::{Admit, Call, Cx, Either, Full, Permit, Signal, Signalled, Sleep, Work, join_all, race};
pub use kernel::{Installation, Kernel};
pub use local::ProcessState;
pub use message::{CallError, InstanceId, MachineId, PLAIN_BYTES, Wire};
pub use meter::{Gauge, Meter};
pub use network::{DEPARTURES, Group, Network, Place, Rule, Traffic, Verdict};
pub use process::{Factory, Software};
pub use random::{Draw, Stream, mix, name_hash};
pub use time::{SimTime, nanos};
