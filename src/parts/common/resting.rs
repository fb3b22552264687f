//! Nodes that failed of late and are left alone for a while, so that a dead one costs a timeout only now and then.

use std::cell::RefCell;
use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::Reason;
use crate::sim::{Cx, InstanceId, SimTime};

/// How long a node that failed is left alone at first; each time it fails again twice as long, up to the longest.
const REST: Duration = Duration::from_secs(1);
/// The longest that a node is left alone before somebody tries it again.
pub const LONGEST_REST: Duration = Duration::from_secs(30);

/// What the loss of a node means to those who ask it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nobody can stand in for it until another one is promoted.
    Primary,
    /// Others are asked in its place.
    Shared,
    /// There is nobody else: it is asked all the same, and nobody is told.
    Sole,
}

/// Nodes that failed of late.
#[derive(Debug, Default)]
pub struct Resting {
    nodes: RefCell<Vec<Rest>>,
}

/// A node that is left alone for a while.
#[derive(Clone, Copy, Debug)]
struct Rest {
    node: InstanceId,
    until: SimTime,
    /// How long it rests this time.
    pause: Duration,
    /// Somebody tries it again, and the others wait for what comes of it.
    tried: bool,
    /// It was told that it is left alone.
    told: bool,
}

impl Resting {
    /// Whether nobody failed of late.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.nodes.borrow().is_empty()
    }

    /// Whether a node is to be left alone.
    #[inline]
    pub fn has(&self, node: InstanceId, now: SimTime) -> bool {
        let nodes = self.nodes.borrow();
        nodes.iter().any(|rest| rest.node == node && now < rest.until)
    }

    /// A node is called. If it has rested, it goes on resting for all others meanwhile: one call finds out for all.
    #[inline]
    pub fn begin(&self, node: InstanceId, now: SimTime) {
        let mut nodes = self.nodes.borrow_mut();
        let known = nodes.iter_mut().find(|rest| rest.node == node);
        if let Some(known) = known.filter(|rest| now >= rest.until) {
            known.until = now + known.pause;
            known.tried = true;
        }
    }

    /// Draws a conclusion from the end of a call: how the node failed, if it did.
    #[inline]
    pub fn judge(&self, cx: &Cx<System>, node: InstanceId, failure: Option<Reason>, loss: Loss) {
        let mut nodes = self.nodes.borrow_mut();
        if failure.is_none() && nodes.is_empty() {
            return;
        }
        let place = nodes.iter().position(|rest| rest.node == node);
        match (failure, place) {
            (None, None) => {}
            (None, Some(place)) => {
                if nodes.swap_remove(place).told {
                    cx.emit(Event::NodeUsed { node });
                }
            }
            (Some(reason), None) => {
                nodes.push(Rest {
                    node,
                    until: cx.now() + REST,
                    pause: REST,
                    tried: false,
                    told: loss != Loss::Sole,
                });
                if loss != Loss::Sole {
                    let primary = loss == Loss::Primary;
                    cx.emit(Event::NodeAvoided { node, reason, primary });
                }
            }
            (Some(_), Some(place)) => {
                let known = &mut nodes[place];
                if known.tried || cx.now() >= known.until {
                    known.pause = (known.pause * 2).min(LONGEST_REST);
                    known.until = cx.now() + known.pause;
                    known.tried = false;
                }
            }
        }
    }
}
