//! An autoscaler: asks each machine of a tier how busy it is, and asks for more or fewer of them.

mod backlog;
mod hpa;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::layout::{self, Target};
use crate::observe::{AutoscalerProbe, Event, System};
use crate::protocol::{Answer, Depth, QueueRequest, Reply, Request};
use crate::sim::{CallError, Cx, InstanceId, SimTime, Software, join_all};

use self::backlog::{Backlog, Ended};
use self::hpa::{Hpa, Machines};

/// How long it waits for a machine's answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The tier that is scaled. It is changed between two windows.
#[derive(Debug)]
pub struct Fleet {
    /// The settings; `None` while it is switched off.
    pub spec: RefCell<Option<layout::Autoscaler>>,
    /// Machines of the tier, booting ones among them, leaving ones not.
    pub members: RefCell<Vec<InstanceId>>,
    /// The queue that they take from, and as which of its subscribers, if they are workers.
    pub queue: Cell<Option<(InstanceId, u32)>>,
}

/// An autoscaler.
pub struct Autoscaler {
    fleet: Rc<Fleet>,
    probe: Rc<AutoscalerProbe>,
}

/// What a machine answered last.
#[derive(Clone, Copy)]
struct Load {
    at: SimTime,
    busy: u64,
    requests: u64,
}

/// What the machines answered.
#[derive(Default)]
struct Measured {
    measures: Vec<f64>,
    booting: u32,
    total: u32,
    /// Of each machine that was measured.
    ended: Vec<Ended>,
}

impl Autoscaler {
    /// An autoscaler without a memory of what was wanted before.
    pub fn new(fleet: Rc<Fleet>, probe: Rc<AutoscalerProbe>) -> Autoscaler {
        Autoscaler { fleet, probe }
    }

    async fn control(self: Rc<Self>, cx: Cx<System>) {
        let mut last: BTreeMap<InstanceId, Load> = BTreeMap::new();
        let mut hpa = Hpa::default();
        let mut backlog = Backlog::default();
        let mut watching = false;
        loop {
            let spec = *self.fleet.spec.borrow();
            let every = spec.map_or(Duration::from_secs(15), |spec| spec.every);
            let began = cx.now();
            let measured = self.measure(&cx, spec.map(|spec| spec.target), &mut last).await;
            if !std::mem::replace(&mut watching, true) {
                hpa.begin(cx.now(), measured.total);
            }
            if let Some(spec) = spec {
                let machines = Machines {
                    measures: &measured.measures,
                    booting: measured.booting,
                    total: measured.total,
                };
                let decision =
                    if let (Target::Depth(_) | Target::Age(_), Some(queue)) = (spec.target, self.fleet.queue.get()) {
                        backlog.learn(&measured.ended);
                        let depth = self.ask_queue(&cx, queue).await;
                        let need = backlog.need(spec.target, cx.now(), measured.total, depth);
                        self.probe.measured.set(need.map(|need| need.measured));
                        let machines = need.map(|need| need.machines);
                        hpa.decide_for(&spec, cx.now(), measured.total, machines, self.probe.measured.get())
                    } else {
                        let count = measured.measures.len() as f64;
                        let mean = measured.measures.iter().sum::<f64>() / count;
                        self.probe.measured.set((count > 0.0).then_some(mean));
                        hpa.decide(&spec, cx.now(), machines)
                    };
                if let Some(decision) = decision.filter(|decision| decision.from != decision.to) {
                    cx.emit(Event::Scaled(decision));
                }
            }
            cx.sleep_until(began + every).await;
        }
    }

    /// What a queue holds; nothing if it does not answer.
    async fn ask_queue(&self, cx: &Cx<System>, (queue, subscriber): (InstanceId, u32)) -> Option<Depth> {
        let request = Request::Queue(QueueRequest::Measure { subscriber });
        let reply = cx.call(queue, request, PATIENCE).await;
        match reply.ok()?.outcome {
            Ok(Answer::Depth(depth)) => Some(depth),
            _ => None,
        }
    }

    /// Asks all machines. One that doesn't answer, or answers for the first time, is not ready to be measured.
    async fn measure(
        &self,
        cx: &Cx<System>,
        target: Option<Target>,
        last: &mut BTreeMap<InstanceId, Load>,
    ) -> Measured {
        let members = self.fleet.members.borrow().clone();
        last.retain(|id, _| members.contains(id));
        let ask = |id: InstanceId| async move { (id, cx.call(id, Request::Measure, PATIENCE).await) };
        let mut measured = Measured {
            total: members.len() as u32,
            ..Measured::default()
        };
        for (id, reply) in join_all(members.into_iter().map(ask)).await {
            let Ok(Reply {
                outcome: Ok(Answer::Load { busy, cores, requests }),
                ..
            }) = reply
            else {
                last.remove(&id);
                // What boots refuses; what hangs or is cut off says nothing.
                measured.booting += u32::from(matches!(reply, Err(CallError::Refused)));
                continue;
            };
            let now = Load {
                at: cx.now(),
                busy,
                requests,
            };
            let Some(before) = last.insert(id, now) else {
                measured.booting += 1;
                continue;
            };
            let seconds = (now.at - before.at).as_secs_f64();
            if seconds <= 0.0 || requests < before.requests {
                continue;
            }
            measured.ended.push(Ended {
                busy: Duration::from_nanos(busy.saturating_sub(before.busy)),
                requests: requests - before.requests,
                slots: cores,
            });
            measured.measures.push(match target {
                Some(Target::Requests(_)) => (requests - before.requests) as f64 / seconds,
                _ => busy.saturating_sub(before.busy) as f64 / 1e9 / seconds / f64::from(cores.max(1)),
            });
        }
        measured
    }
}

impl Software<System> for Autoscaler {
    fn start(self: &Rc<Self>, cx: &Cx<System>) {
        cx.spawn(Rc::clone(self).control(cx.detached()));
    }

    async fn serve(self: Rc<Self>, _: Cx<System>, _: Request) -> Reply {
        Reply::answer(Answer::Fine)
    }
}
