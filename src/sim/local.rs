//! A service on a machine: its process's state, its slots and its disk.

use std::any::Any;
use std::collections::VecDeque;
use std::rc::Rc;

use super::flaw::Flaw;
use super::message::InstanceId;
use super::meter::Meter;
use super::network::Group;
use super::slab::Ref;
use super::time::SimTime;

/// Whether a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It starts, and refuses requests.
    Booting {
        /// When it will serve.
        until: SimTime,
    },
    /// It serves.
    Up,
    /// It accepts and never answers.
    Hung,
    /// It does not run.
    Down,
}

/// A service on this machine.
pub(super) struct Local {
    pub id: InstanceId,
    pub group: Group,
    pub state: ProcessState,
    /// Counts starts and crashes, so that news of a former life is known as such.
    pub life: u32,
    pub meter: Rc<Meter>,
    pub slot_limit: u32,
    pub backlog_limit: u32,
    pub slots_in_use: u32,
    /// Slots that never come back, until the process is started again.
    pub leaked: u32,
    pub flaw: Option<Flaw>,
    /// Those who wait for a slot, the longest first.
    pub queue: VecDeque<Ref>,
    pub disk: Option<Rc<dyn Any>>,
}

impl Local {
    pub(super) fn new(id: InstanceId, group: Group, slot_limit: u32, backlog_limit: u32) -> Local {
        Local {
            id,
            group,
            state: ProcessState::Down,
            life: 0,
            meter: Rc::default(),
            slot_limit,
            backlog_limit,
            slots_in_use: 0,
            leaked: 0,
            flaw: None,
            queue: VecDeque::new(),
            disk: None,
        }
    }

    /// Slots that can be in use at once.
    #[inline]
    pub(super) fn usable(&self) -> u32 {
        self.slot_limit.saturating_sub(self.leaked)
    }
}
