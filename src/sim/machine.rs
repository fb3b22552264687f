//! A machine: a tokio task that owns the receiver of its channel and works off what comes through, in the order of the key.

use std::cell::RefMut;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Waker};

use local_channel::mpsc;

use super::calls::Outcome;
use super::core::{Birth, Core};
use super::flaw::Flaw;
use super::follow::What;
use super::host::Cx;
use super::local::{Local, ProcessState};
use super::message::{Asked, CallError, Caller, Envelope, InstanceId, Payload, Wire};
use super::meter::Meter;
use super::process::{Factory, Process, Served};
use super::random::Draw;
use super::slab::{Ref, Slab};
use super::time::SimTime;

/// The purpose of the draw by which a request meets what is broken: no service has the same.
const BROKEN: u64 = u64::from_le_bytes(*b"broken\0\0");

/// Names a handler: the service on the machine, whether it runs in the background, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Handler {
    at: Ref,
    /// The service, and in the lowest bit whether it runs in the background. Two words travel in registers.
    owner: u32,
}

impl Handler {
    pub(super) const NONE: Handler = Handler {
        at: Ref::NONE,
        owner: 1,
    };

    /// One that serves a request.
    #[inline]
    fn serving(local: u16, at: Ref) -> Handler {
        Handler {
            at,
            owner: u32::from(local) << 1,
        }
    }

    /// One that runs in the background.
    #[inline]
    fn background(local: u16, at: Ref) -> Handler {
        Handler {
            at,
            owner: u32::from(local) << 1 | 1,
        }
    }

    #[inline]
    fn local(self) -> usize {
        (self.owner >> 1) as usize
    }

    #[inline]
    fn is_background(self) -> bool {
        self.owner & 1 == 1
    }
}

/// What the kernel does to a machine, between two windows.
pub(super) enum Order<W: Wire> {
    /// Puts a service on the machine. It is down until it is started.
    Install(Factory<W>),
    /// Other software for the next start of a service.
    Reinstall(u16, Factory<W>),
    /// Starts a process that is down; it serves after so long.
    Start { local: u16, boot: u64 },
    /// Ends a process at once. Callers hear Reset.
    Crash { local: u16 },
    /// Freezes a process.
    Hang { local: u16 },
    /// So many slots never come back, until the process is started again.
    Leak { local: u16, slots: u32 },
    /// Ends every process without a word, forgets what is on the disks, and ends the task.
    Destroy,
}

/// What comes through a machine's channel, which stays within the thread: one between threads costs a dozen atomic operations for each batch, and most batches
/// hold one or two deliveries.
pub(super) enum Batch<W: Wire> {
    /// All that is due within the window.
    Window(Vec<Envelope>),
    /// Something is done to the machine.
    Order(Box<Order<W>>),
}

struct Task {
    local: u16,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

/// The machine's own side: the processes, which nobody else can reach.
pub(super) struct Machine<W: Wire> {
    core: Rc<Core<W>>,
    factories: Vec<Factory<W>>,
    processes: Vec<Option<Box<dyn Process<W>>>>,
    tasks: Slab<Task>,
}

/// Counts a batch as worked off when it goes out of scope, also by a panic, which it reports.
struct Finish<W: Wire>(Rc<Core<W>>);

impl<W: Wire> Drop for Finish<W> {
    fn drop(&mut self) {
        let shared = &self.0.shared;
        shared.unfinished.set(shared.unfinished.get() - 1);
        if std::thread::panicking() {
            shared.panicked.set(Some(self.0.machine));
        }
    }
}

impl<W: Wire> Machine<W> {
    pub(super) fn new(core: Rc<Core<W>>, factories: Vec<Factory<W>>) -> Machine<W> {
        let processes = factories.iter().map(|_| None).collect();
        Machine {
            core,
            factories,
            processes,
            tasks: Slab::new(),
        }
    }

    /// Lives until it is ended or the world is dropped.
    pub(super) async fn live(mut self, mut inbox: mpsc::Receiver<Batch<W>>) {
        while let Some(batch) = inbox.recv().await {
            let _finish = Finish(Rc::clone(&self.core));
            match batch {
                Batch::Window(deliveries) => self.work_off(deliveries),
                Batch::Order(order) => match *order {
                    Order::Destroy => return self.destroy(),
                    order => self.obey(order),
                },
            }
        }
    }

    fn work_off(&mut self, mut deliveries: Vec<Envelope>) {
        if deliveries.len() > 1 {
            deliveries.sort_unstable_by_key(Envelope::key);
        }
        for far in &deliveries {
            self.work_off_near(Some(far.key()));
            self.deliver(*far);
        }
        self.work_off_near(None);
        deliveries.clear();
        self.core.shared.spare.borrow_mut().push(deliveries);
    }

    /// Works off what the machine has sent itself within the window, up to a key.
    #[inline]
    fn work_off_near(&mut self, before: Option<(SimTime, u32, u64)>) {
        loop {
            let next = {
                let mut near = self.core.near.borrow_mut();
                match (near.peek(), before) {
                    (None, _) => return,
                    (Some(first), Some(before)) if before < first.key() => return,
                    (Some(_), _) => near.pop(),
                }
            };
            if let Some(envelope) = next {
                self.deliver(envelope);
            }
        }
    }

    fn deliver(&mut self, envelope: Envelope) {
        let core = &self.core;
        core.now.set(envelope.at);
        core.fold(&envelope);
        match envelope.payload {
            Payload::Wait(wait) => {
                if let Some(handler) = core.fire(envelope.to, wait) {
                    self.poll(handler);
                }
            }
            Payload::Reply { call, parcel } => {
                let handler = core.calls.borrow_mut().finish(call, Outcome::Replied(parcel));
                if let Some(handler) = handler {
                    self.poll(handler);
                } else {
                    core.shared.replies.borrow_mut().take(parcel);
                }
            }
            Payload::Failure { call, error } => {
                let handler = core.calls.borrow_mut().finish(call, Outcome::Failed(error));
                if let Some(handler) = handler {
                    self.poll(handler);
                }
            }
            Payload::Request { parcel } => {
                let asked = core.shared.requests.borrow_mut().take(parcel);
                if let Some(asked) = asked {
                    self.receive(envelope.to, envelope.span(), asked);
                }
            }
            Payload::Timeouts { list, epoch } if epoch == core.epoch.get() => self.time_out(envelope.to, list),
            Payload::Timeouts { .. } => {}
            Payload::Cancel { from, call } => self.cancel(envelope.to, from, call),
            Payload::Booted { life } => self.booted(envelope.to, life),
        }
        self.settle();
    }

    /// Lets all go on that became ready meanwhile, in the order in which they became so.
    #[inline]
    fn settle(&mut self) {
        if self.core.unsettled.get() {
            self.core.unsettled.set(false);
            self.settle_all();
        }
    }

    fn settle_all(&mut self) {
        loop {
            let aborted = self.core.aborted.borrow_mut().pop();
            if let Some((local, boot)) = aborted {
                if self.is_running(local.into()) {
                    self.crash(local);
                    self.start(local, boot);
                }
                continue;
            }
            let next = self.core.ready.borrow_mut().pop_front();
            if let Some(handler) = next {
                self.poll(handler);
                continue;
            }
            let birth = self.core.births.borrow_mut().pop_front();
            if let Some(birth) = birth {
                self.give_birth(birth);
                continue;
            }
            let spawned = self.core.spawned.borrow_mut().pop_front();
            let Some((local, future)) = spawned else { return };
            let at = self.tasks.insert(Task { local, future });
            self.poll(Handler::background(local, at));
        }
    }

    fn poll(&mut self, handler: Handler) {
        let local = handler.local();
        if !self.is_running(local) {
            return;
        }
        self.core.current.set(handler);
        if handler.is_background() {
            let Some(task) = self.tasks.get_mut(handler.at) else {
                return;
            };
            if task
                .future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
            {
                self.tasks.remove(handler.at);
            }
        } else if let Some(process) = &mut self.processes[local] {
            process.poll(handler.at, &self.core, local);
        }
    }

    #[inline]
    fn is_running(&self, local: usize) -> bool {
        self.core.locals.borrow()[local].state == ProcessState::Up
    }

    fn local_of(&self, instance: InstanceId) -> u16 {
        self.core.shared.directory.borrow()[instance.0 as usize].local
    }

    fn receive(&mut self, to: InstanceId, span: u64, asked: Asked<W>) {
        let Asked {
            caller,
            request,
            parent,
            body,
        } = asked;
        let local = self.local_of(to);
        let (state, flaw) = {
            let here = &self.core.locals.borrow()[local as usize];
            Meter::count(&here.meter.received);
            (here.state, here.flaw)
        };
        match state {
            ProcessState::Up => {
                if let Some(flaw) = flaw
                    && let Some(reply) = self.broken(flaw, to, span, &body)
                {
                    self.note_turned_away(request, span);
                    return self.turn_away(local, &caller, Ok(reply));
                }
                let served = Served {
                    caller,
                    arrived: self.core.now.get(),
                };
                let cx = self.context(local, caller.from, (request, span, parent));
                if self.core.follows(request) {
                    self.core.note(request, span, What::Arrives);
                }
                self.begin(local, cx, body, served);
            }
            ProcessState::Hung => {}
            ProcessState::Down | ProcessState::Booting { .. } => {
                self.note_turned_away(request, span);
                self.turn_away(local, &caller, Err(CallError::Refused));
            }
        }
    }

    /// The answer of software that is broken, where this request is among those that meet it: by chance, drawn for each message.
    fn broken(&self, flaw: Flaw, at: InstanceId, span: u64, body: &W::Request) -> Option<W::Reply> {
        let reply = W::broken(body, flaw.kind, at)?;
        (Draw::of(self.core.shared.seed, span, BROKEN).unit() < flaw.share).then_some(reply)
    }

    fn note_turned_away(&self, request: u64, span: u64) {
        if self.core.follows(request) {
            self.core.note(request, span, What::TurnedAway);
        }
    }

    /// Answers at once, without a handler: a failure.
    fn turn_away(&self, local: u16, caller: &Caller, result: Result<W::Reply, CallError>) {
        let here = self.local(local);
        Meter::count(&here.meter.failed);
        let from = here.id;
        drop(here);
        match result {
            _ if caller.call == Ref::NONE => {}
            Ok(reply) => self.core.send_reply(from, caller, reply),
            Err(error) => self.core.send_failure(from, caller, error),
        }
    }

    fn local(&self, local: u16) -> RefMut<'_, Local> {
        RefMut::map(self.core.locals.borrow_mut(), |locals| &mut locals[local as usize])
    }

    fn context(&self, local: u16, from: InstanceId, span: (u64, u64, u64)) -> Cx<W> {
        let (id, group) = {
            let here = &self.core.locals.borrow()[local as usize];
            (here.id, here.group)
        };
        let (request, span, parent) = span;
        Cx {
            core: Rc::clone(&self.core),
            local,
            id,
            group,
            request,
            span,
            parent,
            from,
        }
    }

    #[inline]
    fn begin(&mut self, local: u16, cx: Cx<W>, body: W::Request, served: Served) {
        let Some(process) = &mut self.processes[local as usize] else {
            return;
        };
        {
            let meter = &self.core.locals.borrow()[local as usize].meter;
            meter.present.set(served.arrived, meter.present.value() + 1);
        }
        let (request, span) = (cx.request, cx.span);
        let handler = Handler::serving(local, process.begin(cx, body, served));
        if self.core.follows(request) {
            self.core.note_handler(request, span, handler);
        }
        self.poll(handler);
    }

    fn give_birth(&mut self, birth: Birth<W>) {
        let Birth { local, request, body } = birth;
        let served = Served {
            caller: Caller::NOBODY,
            arrived: self.core.now.get(),
        };
        let span = self.core.span_of(self.core.take_seq());
        let cx = self.context(local, InstanceId(u32::MAX), (request, span, 0));
        Meter::count(&cx.core.locals.borrow()[local as usize].meter.received);
        if self.core.follows(request) {
            self.core.note_birth(request, span, cx.id, &body);
        }
        self.begin(local, cx, body, served);
    }

    fn time_out(&mut self, to: InstanceId, list: u32) {
        let now = self.core.now.get();
        loop {
            let handler = {
                let mut calls = self.core.calls.borrow_mut();
                let Some(call) = calls.due(list, now) else { break };
                calls.finish(call, Outcome::Failed(CallError::TimedOut))
            };
            if let Some(handler) = handler {
                self.poll(handler);
            }
        }
        let next = self.core.calls.borrow_mut().rearm(list);
        if let Some(deadline) = next {
            let epoch = self.core.epoch.get();
            self.core.schedule(to, deadline, Payload::Timeouts { list, epoch });
        }
    }

    fn cancel(&mut self, to: InstanceId, from: InstanceId, call: Ref) {
        let local = self.local_of(to);
        let Some(process) = &mut self.processes[local as usize] else {
            return;
        };
        if let Some(served) = process.cancel(from, call) {
            let nobody = Served {
                caller: Caller::NOBODY,
                ..served
            };
            self.core.reset(local, nobody);
        }
    }

    fn booted(&mut self, to: InstanceId, life: u32) {
        let local = self.local_of(to);
        {
            let mut here = self.local(local);
            if here.life != life || !matches!(here.state, ProcessState::Booting { .. }) {
                return;
            }
            here.state = ProcessState::Up;
        }
        let cx = self.context(local, to, (0, 0, 0));
        self.processes[local as usize] = Some(self.factories[local as usize].boot(&cx));
    }

    fn obey(&mut self, order: Order<W>) {
        self.core.now.set(self.core.shared.now.get());
        match order {
            Order::Install(factory) => {
                self.factories.push(factory);
                self.processes.push(None);
            }
            Order::Reinstall(local, factory) => self.factories[local as usize] = factory,
            Order::Start { local, boot } => self.start(local, boot),
            Order::Crash { local } => self.crash(local),
            Order::Hang { local } => {
                let mut here = self.local(local);
                if here.state == ProcessState::Up {
                    here.state = ProcessState::Hung;
                }
            }
            Order::Leak { local, slots } => self.core.lose_slots(local, slots),
            Order::Destroy => {}
        }
        self.settle();
    }

    fn destroy(&mut self) {
        self.core.now.set(self.core.shared.now.get());
        self.core.silent.set(true);
        for local in 0..self.processes.len() {
            self.crash(local as u16);
        }
        self.core.forget_machine();
        self.core.silent.set(false);
    }

    fn start(&mut self, local: u16, boot: u64) {
        let until = SimTime(self.core.now.get().0.saturating_add(boot));
        let (id, life) = {
            let mut here = self.local(local);
            if here.state != ProcessState::Down {
                return;
            }
            here.life += 1;
            here.state = ProcessState::Booting { until };
            here.leaked = 0;
            (here.id, here.life)
        };
        self.core.schedule(id, until, Payload::Booted { life });
    }

    /// Drops the process and with it every handler and all that they hold, then tells the callers.
    fn crash(&mut self, local: u16) {
        {
            let mut here = self.local(local);
            here.life += 1;
            here.state = ProcessState::Down;
        }
        let process = self.processes[local as usize].take();
        let served = process.as_ref().map(|process| process.served()).unwrap_or_default();
        drop(process);
        let doomed: Vec<Ref> = self.tasks.refs().collect();
        for at in doomed {
            if self.tasks.get_mut(at).is_some_and(|task| task.local == local) {
                self.tasks.remove(at);
            }
        }
        self.core.births.borrow_mut().retain(|birth| birth.local != local);
        // One that ends itself may have spawned something that has not begun.
        self.core.spawned.borrow_mut().retain(|(spawner, _)| *spawner != local);
        for served in served {
            self.core.reset(local, served);
        }
    }
}

impl<W: Wire> Core<W> {
    /// A handler has its reply: counts it and answers whoever waits. The reply is handed on as it is, since it is large: wrapped into anything it
    /// would be copied once more.
    #[inline]
    pub(super) fn conclude(&self, local: usize, served: Served, reply: W::Reply) {
        if self.shared.following.get() {
            self.note_end(self.current.get(), &reply);
        }
        let from = self.count_end(local, served, W::succeeded(&reply));
        if served.caller.call != Ref::NONE {
            self.send_reply(from, &served.caller, reply);
        }
    }

    /// A handler is gone without a reply: counts it and tells whoever waits.
    fn reset(&self, local: u16, served: Served) {
        let from = self.count_end(local.into(), served, false);
        if served.caller.call != Ref::NONE {
            self.send_failure(from, &served.caller, CallError::Reset);
        }
    }

    #[inline]
    fn count_end(&self, local: usize, served: Served, ok: bool) -> InstanceId {
        let now = self.now.get();
        let here = &self.locals.borrow()[local];
        let meter = &here.meter;
        meter.present.set(now, meter.present.value() - 1);
        let took = u128::from(now.0 - served.arrived.0);
        meter.sojourn.set(meter.sojourn.get() + took);
        Meter::count(if ok { &meter.ok } else { &meter.failed });
        here.id
    }
}
