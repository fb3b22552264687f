//! What the handlers of a machine share: its clock, its calls, waits, cores and slots. One task, one thread, so cells suffice.

use std::cell::{Cell, RefCell};
use std::collections::{BinaryHeap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;

use super::calendar::Calendar;
use super::calls::{Calls, Outcome};
use super::flaw::Disk;
use super::follow::{Follower, What};
use super::local::Local;
use super::machine::Handler;
use super::message::{Asked, CallError, Caller, Envelope, InstanceId, MachineId, PLAIN_BYTES, Payload, Wire, span};
use super::meter::Gauge;
use super::network::{Group, Network, Place};
use super::parcels::Parcels;
use super::processors::Processors;
use super::random::{Stream, mix};
use super::slab::{Ref, Slab};
use super::time::SimTime;

/// One way through the loopback of a machine (tens of microseconds for a local socket).
pub(super) const LOOPBACK_NANOS: u64 = 20_000;

/// What all machines of a world share.
pub(super) struct Shared<W: Wire> {
    pub seed: u64,
    /// The time of the world while an order is carried out.
    pub now: Cell<SimTime>,
    /// The end of the window that is worked off.
    pub window_end: Cell<SimTime>,
    pub calendar: RefCell<Calendar>,
    /// Requests under way.
    pub requests: RefCell<Parcels<Asked<W>>>,
    /// Replies under way, and those that nobody has looked at yet.
    pub replies: RefCell<Parcels<W::Reply>>,
    pub network: RefCell<Network>,
    /// By instance: its machine and its place in it.
    pub directory: RefCell<Vec<Whereabouts>>,
    pub events: RefCell<Vec<Reported<W>>>,
    /// Batches that were handed out and are not worked off.
    pub unfinished: Cell<usize>,
    /// A machine whose task panicked.
    pub panicked: Cell<Option<MachineId>>,
    /// Whether a request is followed, or one to follow is sought.
    pub following: Cell<bool>,
    /// Who follows it.
    pub follower: RefCell<Option<Follower>>,
    /// Emptied batches, kept for their memory.
    pub spare: RefCell<Vec<Vec<Envelope>>>,
}

/// Where an instance is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whereabouts {
    pub machine: MachineId,
    pub local: u16,
    pub place: Place,
    pub group: Group,
}

/// An event with its place in the order of the world.
pub(super) struct Reported<W: Wire> {
    pub key: (SimTime, u32, u64),
    pub from: InstanceId,
    pub event: W::Event,
}

/// Something that a handler waits for, other than a call.
#[derive(Debug)]
pub(super) struct Wait {
    handler: Handler,
    pub(super) state: WaitState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitState {
    Sleeping,
    WaitingForCore,
    Working,
    WaitingForSlot,
    WaitingForSignal,
    Done,
}

/// A request that a handler wants served by its own instance, with nobody waiting for the answer.
pub(super) struct Birth<W: Wire> {
    pub local: u16,
    pub request: u64,
    pub body: W::Request,
}

pub(super) type Background = Pin<Box<dyn Future<Output = ()>>>;

/// What the handlers of a machine share.
pub(super) struct Core<W: Wire> {
    pub shared: Rc<Shared<W>>,
    pub machine: MachineId,
    pub name: String,
    pub rank: u32,
    pub place: Place,
    pub now: Cell<SimTime>,
    /// Counts the machines that stood in this place: a destroyed one takes its timers with it.
    pub epoch: Cell<u32>,
    /// The machine is being destroyed: what its handlers let go of reaches nobody.
    pub silent: Cell<bool>,
    /// Something waits in `ready`, `births` or `spawned`.
    pub unsettled: Cell<bool>,
    pub digest: Cell<u64>,
    pub delivered: Cell<u64>,
    next_seq: Cell<u64>,
    next_event: Cell<u64>,
    /// Processes that are to end, and how long each takes to boot.
    pub aborted: RefCell<Vec<(u16, u64)>>,
    /// Deliveries to this machine itself that are due within the window.
    pub near: RefCell<BinaryHeap<Envelope>>,
    pub calls: RefCell<Calls>,
    pub(super) waits: RefCell<Slab<Wait>>,
    pub processors: RefCell<Processors>,
    /// Cores in use.
    pub cores_busy: Gauge,
    pub locals: RefCell<Vec<Local>>,
    /// The handler that is polled now.
    pub current: Cell<Handler>,
    /// Handlers to be polled after it.
    pub ready: RefCell<VecDeque<Handler>>,
    pub births: RefCell<VecDeque<Birth<W>>>,
    pub spawned: RefCell<VecDeque<(u16, Background)>>,
    noise: RefCell<Stream>,
    /// How the disk is.
    pub disk: Cell<Disk>,
    /// When each narrow link is free for what this machine sends.
    pipes: RefCell<Vec<(u32, u64)>>,
}

impl<W: Wire> Core<W> {
    pub(super) fn new(
        shared: Rc<Shared<W>>,
        machine: MachineId,
        name: &str,
        rank: u32,
        place: Place,
        cores: u32,
    ) -> Core<W> {
        let noise = Stream::new(shared.seed, name, "network");
        Core {
            shared,
            machine,
            name: name.to_owned(),
            rank,
            place,
            now: Cell::new(SimTime::ZERO),
            epoch: Cell::new(0),
            silent: Cell::new(false),
            unsettled: Cell::new(false),
            digest: Cell::new(u64::from(rank)),
            delivered: Cell::new(0),
            next_seq: Cell::new(1),
            next_event: Cell::new(0),
            aborted: RefCell::default(),
            near: RefCell::new(BinaryHeap::new()),
            calls: RefCell::new(Calls::new()),
            waits: RefCell::new(Slab::new()),
            processors: RefCell::new(Processors::new(cores)),
            cores_busy: Gauge::default(),
            locals: RefCell::new(Vec::new()),
            current: Cell::new(Handler::NONE),
            ready: RefCell::new(VecDeque::new()),
            births: RefCell::new(VecDeque::new()),
            spawned: RefCell::new(VecDeque::new()),
            noise: RefCell::new(noise),
            disk: Cell::new(Disk::WELL),
            pipes: RefCell::default(),
        }
    }

    /// The span that the message of this number opens.
    #[inline]
    pub(super) fn span_of(&self, seq: u64) -> u64 {
        span(self.rank, seq)
    }

    #[inline]
    pub(super) fn take_seq(&self) -> u64 {
        let seq = self.next_seq.get();
        self.next_seq.set(seq + 1);
        seq
    }

    /// Folds a delivery into the history.
    #[inline]
    pub(super) fn fold(&self, envelope: &Envelope) {
        let (tag, detail) = match envelope.payload {
            Payload::Request { parcel } => {
                let requests = self.shared.requests.borrow();
                let asked = requests.peek(parcel);
                (1, asked.map_or(0, |asked| W::fingerprint(&asked.body) ^ asked.request))
            }
            Payload::Reply { parcel, .. } => {
                let replies = self.shared.replies.borrow();
                let reply = replies.peek(parcel);
                (2, reply.map_or(0, |reply| 1 + u64::from(W::succeeded(reply))))
            }
            Payload::Failure { .. } => (2, 0),
            Payload::Cancel { .. } => (3, 0),
            Payload::Wait(wait) => (4, u64::from(wait.index())),
            Payload::Timeouts { list, epoch } => (5, u64::from(list) ^ u64::from(epoch) << 32),
            Payload::Booted { life } => (6, u64::from(life)),
        };
        let mut hash = self.digest.get();
        for word in [
            envelope.at.0 ^ tag,
            u64::from(envelope.rank) << 32 | u64::from(envelope.to.0),
            envelope.seq ^ detail,
        ] {
            hash = (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        self.digest.set(hash);
        self.delivered.set(self.delivered.get() + 1);
    }

    /// The machine's part of the world's digest.
    pub(super) fn digest_now(&self) -> u64 {
        mix(self.digest.get() ^ mix(self.next_seq.get()))
    }

    /// Puts a delivery to this machine itself where it belongs.
    #[inline]
    pub(super) fn schedule(&self, to: InstanceId, at: SimTime, payload: Payload) {
        self.post(to, at, self.take_seq(), payload);
    }

    #[allow(
        clippy::inline_always,
        reason = "an envelope is made where it stays: one that is written in parts and copied at once is waited for"
    )]
    #[inline(always)]
    fn post(&self, to: InstanceId, at: SimTime, seq: u64, payload: Payload) {
        let envelope = Envelope {
            at,
            rank: self.rank,
            to,
            seq,
            payload,
        };
        // What goes to another machine is never due within the window.
        if at < self.shared.window_end.get() {
            self.near.borrow_mut().push(envelope);
        } else {
            self.shared.calendar.borrow_mut().push(envelope);
        }
    }

    /// Where an instance is; `None` of an address where nobody is.
    #[inline]
    fn whereabouts(&self, instance: InstanceId) -> Option<Whereabouts> {
        self.shared.directory.borrow().get(instance.0 as usize).copied()
    }

    /// Sends a request: over the loopback or over the network, where it may be delayed or lost.
    #[inline]
    pub(super) fn send_request(&self, group: Group, to: InstanceId, asked: Asked<W>) {
        if self.silent.get() {
            return;
        }
        let Some(there) = self.whereabouts(to) else { return };
        let now = self.now.get().0;
        self.shared.network.borrow_mut().count(group, there.group, now);
        let Caller { from, datagram, .. } = asked.caller;
        let bytes = || W::request_bytes(&asked.body);
        let way = self.way((from, to), there, datagram, bytes);
        if self.follows(asked.request) {
            let asks = What::Asks {
                child: way.map_or(0, |(_, seq)| self.span_of(seq)),
                to,
                title: W::title(&asked.body),
                arrives: way.map(|(at, _)| at),
                awaited: asked.caller.call != Ref::NONE,
            };
            self.note_message((asked.request, asked.parent), asked.caller.call, asks);
        }
        if let Some((at, seq)) = way {
            let parcel = self.shared.requests.borrow_mut().put(asked);
            self.post(to, at, seq, Payload::Request { parcel });
        }
    }

    /// Answers a caller, in the same way.
    #[inline]
    pub(super) fn send_reply(&self, from: InstanceId, caller: &Caller, reply: W::Reply) {
        let bytes = || W::reply_bytes(&reply, caller.wanted);
        if let Some((at, seq)) = self.way_back(from, caller, bytes) {
            let (call, parcel) = (caller.call, self.shared.replies.borrow_mut().put(reply));
            self.post(caller.from, at, seq, Payload::Reply { call, parcel });
        }
    }

    /// Tells a caller that there will be no reply, in the same way.
    pub(super) fn send_failure(&self, from: InstanceId, caller: &Caller, error: CallError) {
        if let Some((at, seq)) = self.way_back(from, caller, || PLAIN_BYTES) {
            let call = caller.call;
            self.post(caller.from, at, seq, Payload::Failure { call, error });
        }
    }

    #[inline]
    fn way_back(&self, from: InstanceId, caller: &Caller, bytes: impl Fn() -> u32) -> Option<(SimTime, u64)> {
        if self.silent.get() {
            return None;
        }
        let there = self.whereabouts(caller.from)?;
        self.way((from, caller.from), there, caller.datagram, bytes)
    }

    /// Tells whoever was called that the answer is not wanted any more, in the same way.
    pub(super) fn send_cancel(&self, caller: &Caller, to: InstanceId) {
        if self.silent.get() {
            return;
        }
        let Some(there) = self.whereabouts(to) else { return };
        let Caller {
            from, call, datagram, ..
        } = *caller;
        if let Some((at, seq)) = self.way((from, to), there, datagram, || PLAIN_BYTES) {
            self.post(to, at, seq, Payload::Cancel { from, call });
        }
    }

    /// When a message that is sent now arrives, and its number; `None`: it is lost.
    #[inline]
    fn way(
        &self,
        ends: (InstanceId, InstanceId),
        there: Whereabouts,
        datagram: bool,
        bytes: impl Fn() -> u32,
    ) -> Option<(SimTime, u64)> {
        let now = self.now.get();
        let seq = self.take_seq();
        if there.machine == self.machine {
            return Some((SimTime(now.0 + LOOPBACK_NANOS), seq));
        }
        let network = self.shared.network.borrow();
        let places = (self.place, there.place);
        let transit = network.transit(ends, places, datagram, &mut self.noise.borrow_mut())?;
        let wait = if network.is_narrow() {
            network.line_up(ends, bytes(), now, &mut self.pipes.borrow_mut())?
        } else {
            0
        };
        Some((SimTime(now.0.saturating_add(transit).saturating_add(wait)), seq))
    }

    pub(super) fn report(&self, from: InstanceId, event: W::Event) {
        let number = self.next_event.get();
        self.next_event.set(number + 1);
        let key = (self.now.get(), self.rank, number);
        self.shared.events.borrow_mut().push(Reported { key, from, event });
    }

    // Calls.

    #[inline]
    pub(super) fn open_call(
        &self,
        from: (InstanceId, Group),
        to: InstanceId,
        timeout: u64,
        datagram: bool,
        span: (u64, u64),
        body: W::Request,
    ) -> Ref {
        let now = self.now.get();
        let (call, alarm) = self.calls.borrow_mut().open(self.current.get(), now, timeout);
        if let Some((list, deadline)) = alarm {
            let epoch = self.epoch.get();
            self.schedule(from.0, deadline, Payload::Timeouts { list, epoch });
        }
        let caller = Caller {
            from: from.0,
            call,
            wanted: W::wanted_bytes(&body),
            datagram,
        };
        let asked = Asked {
            caller,
            request: span.0,
            parent: span.1,
            body,
        };
        self.send_request(from.1, to, asked);
        call
    }

    /// What a call brought; `None` while it is under way.
    #[inline]
    pub(super) fn take_result(&self, call: Ref) -> Option<Result<W::Reply, CallError>> {
        let outcome = self.calls.borrow_mut().take(call);
        match outcome {
            Outcome::UnderWay => None,
            Outcome::Replied(parcel) => self.shared.replies.borrow_mut().take(parcel).map(Ok),
            Outcome::Failed(error) => Some(Err(error)),
        }
    }

    /// Gives a call up; tells whether it was under way.
    pub(super) fn abandon_call(&self, call: Ref) -> bool {
        let outcome = self.calls.borrow_mut().abandon(call);
        if let Some(Outcome::Replied(parcel)) = outcome {
            self.shared.replies.borrow_mut().take(parcel);
        }
        outcome == Some(Outcome::UnderWay)
    }

    // Waits.

    pub(super) fn new_wait(&self, state: WaitState) -> Ref {
        self.waits.borrow_mut().insert(Wait {
            handler: self.current.get(),
            state,
        })
    }

    #[inline]
    pub(super) fn start_sleep(&self, id: InstanceId, until: SimTime) -> Ref {
        let wait = self.new_wait(WaitState::Sleeping);
        self.schedule(id, until.max(self.now.get()), Payload::Wait(wait));
        wait
    }

    pub(super) fn start_signal(&self) -> Ref {
        self.new_wait(WaitState::WaitingForSignal)
    }

    /// Ends the wait for a signal.
    pub(super) fn raise(&self, wait: Ref) {
        self.finish_wait(wait);
    }

    #[inline]
    pub(super) fn start_work(&self, id: InstanceId, demand: u64) -> Ref {
        let now = self.now.get();
        let wait = self.new_wait(WaitState::Working);
        let mut processors = self.processors.borrow_mut();
        if processors.acquire(wait, demand, &self.cores_busy, now) {
            let duration = processors.duration(demand);
            self.schedule(id, SimTime(now.0.saturating_add(duration)), Payload::Wait(wait));
        } else if let Some(entry) = self.waits.borrow_mut().get_mut(wait) {
            entry.state = WaitState::WaitingForCore;
        }
        wait
    }

    /// Whether a piece of work has no core yet.
    pub(super) fn waits_for_core(&self, wait: Ref) -> bool {
        let mut waits = self.waits.borrow_mut();
        waits
            .get_mut(wait)
            .is_some_and(|entry| entry.state == WaitState::WaitingForCore)
    }

    /// Hands a core that has become free to the work that waits longest.
    #[inline]
    fn release_core(&self, id: InstanceId) {
        let now = self.now.get();
        let mut processors = self.processors.borrow_mut();
        if let Some((next, demand)) = processors.release(&self.cores_busy, now) {
            if let Some(entry) = self.waits.borrow_mut().get_mut(next) {
                entry.state = WaitState::Working;
                if self.shared.following.get() {
                    self.note_core(entry.handler);
                }
            }
            let duration = processors.duration(demand);
            self.schedule(id, SimTime(now.0.saturating_add(duration)), Payload::Wait(next));
        }
    }

    /// A sleep or a piece of work is over: names the handler that goes on.
    #[inline]
    pub(super) fn fire(&self, id: InstanceId, wait: Ref) -> Option<Handler> {
        let (handler, state) = {
            let mut waits = self.waits.borrow_mut();
            let entry = waits.get_mut(wait)?;
            let state = entry.state;
            entry.state = WaitState::Done;
            (entry.handler, state)
        };
        if state == WaitState::Working {
            self.release_core(id);
        }
        Some(handler)
    }

    pub(super) fn finish_wait(&self, wait: Ref) {
        if let Some(entry) = self.waits.borrow_mut().get_mut(wait) {
            entry.state = WaitState::Done;
            self.ready.borrow_mut().push_back(entry.handler);
            self.unsettled.set(true);
        }
    }

    /// Frees a wait that is over; false while it is not.
    #[inline]
    pub(super) fn take_wait(&self, wait: Ref) -> bool {
        let mut waits = self.waits.borrow_mut();
        if waits.get_mut(wait).is_some_and(|entry| entry.state == WaitState::Done) {
            waits.remove(wait);
            return true;
        }
        false
    }

    /// Gives a wait up and frees what it holds.
    pub(super) fn abandon_wait(&self, id: InstanceId, local: u16, wait: Ref) {
        let Some(entry) = self.waits.borrow_mut().remove(wait) else {
            return;
        };
        match entry.state {
            WaitState::WaitingForCore => self.processors.borrow_mut().forget(wait),
            WaitState::Working => self.release_core(id),
            WaitState::WaitingForSlot => {
                let mut locals = self.locals.borrow_mut();
                let here = &mut locals[local as usize];
                here.queue.retain(|queued| *queued != wait);
                here.meter.backlog.set(self.now.get(), here.queue.len() as u32);
            }
            WaitState::Sleeping | WaitState::WaitingForSignal | WaitState::Done => {}
        }
    }

    /// Whether an abandoned wait for a slot had been granted: then the slot is its holder's to pass on.
    pub(super) fn is_done(&self, wait: Ref) -> bool {
        self.waits
            .borrow_mut()
            .get_mut(wait)
            .is_some_and(|entry| entry.state == WaitState::Done)
    }

    /// What goes with a machine when it is destroyed: disks, timers, and all that was still to be polled.
    pub(super) fn forget_machine(&self) {
        self.locals.borrow_mut().iter_mut().for_each(|local| local.disk = None);
        self.disk.set(Disk::WELL);
        self.calls.replace(Calls::new());
        self.epoch.set(self.epoch.get() + 1);
        self.ready.borrow_mut().clear();
        self.births.borrow_mut().clear();
        self.spawned.borrow_mut().clear();
    }

    /// Number of waits and calls in progress; zero when nothing runs.
    pub(super) fn in_progress(&self) -> (usize, usize) {
        (self.waits.borrow().len(), self.calls.borrow().len())
    }
}
