//! The kernel: a task beside those of the machines, which hands out windows of deliveries to them.
//!
//! Tokio runs tasks in the order in which they were woken. So when the kernel has sent all batches of a window and wakes itself, its turn
//! comes after the machines have worked them off; that saves a round through the driver for each window. Nothing depends on it:
//! the kernel goes on only when the count of unfinished batches is zero.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use local_channel::mpsc;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::task::coop;

use super::calendar::Calendar;
use super::core::{Core, Shared, Whereabouts};
use super::flaw::{Disk, Flaw};
use super::follow::{Follower, Following, Step, Wanted};
use super::local::{Local, ProcessState};
use super::machine::{Machine, Order};
use super::message::{Asked, Caller, Envelope, InstanceId, MachineId, Payload, Wire};
use super::meter::{Gauge, Meter};
use super::network::{Group, Network, Place};
use super::parcels::Parcels;
use super::process::Factory;
use super::random::{Stream, mix};
use super::time::{SimTime, nanos};
use super::windows::{MachineEntry, State};

/// Polls between two looks at the driver, and at the injection queue: never, since neither has anything to do here.
const NEVER: u32 = 1 << 30;

/// Describes an instance that is to be installed.
pub struct Installation<W: Wire> {
    /// The machine that it runs on.
    pub machine: MachineId,
    /// The group in which its traffic is counted.
    pub group: Group,
    /// Requests in progress at once.
    pub slots: u32,
    /// Requests that may wait for a slot.
    pub backlog: u32,
    /// What it runs.
    pub factory: Factory<W>,
}

/// A world without a vocabulary: machines, a network and a clock.
pub struct Kernel<W: Wire> {
    /// Taken out while time passes, when the kernel's task has it.
    state: Option<Box<State<W>>>,
    // Dropped last: machines' tasks end with the runtime.
    runtime: LocalRuntime,
}

impl<W: Wire> Kernel<W> {
    /// An empty world.
    pub fn new(seed: u64, network: Network) -> Kernel<W> {
        let runtime = Builder::new_current_thread()
            .event_interval(NEVER)
            .global_queue_interval(NEVER)
            .build_local(LocalOptions::default())
            .expect("a runtime without drivers needs nothing from the system");
        let lookahead = network.lookahead();
        let shared = Shared {
            seed,
            now: Cell::new(SimTime::ZERO),
            window_end: Cell::new(SimTime::ZERO),
            calendar: RefCell::new(Calendar::new(lookahead)),
            requests: RefCell::new(Parcels::new()),
            replies: RefCell::new(Parcels::new()),
            network: RefCell::new(network),
            directory: RefCell::new(Vec::new()),
            events: RefCell::new(Vec::new()),
            unfinished: Cell::new(0),
            panicked: Cell::new(None),
            following: Cell::new(false),
            follower: RefCell::new(None),
            spare: RefCell::new(Vec::new()),
        };
        let state = State {
            now: SimTime::ZERO,
            shared: Rc::new(shared),
            machines: Vec::new(),
            pending: Vec::new(),
            touched: Vec::new(),
            seq: 0,
            lookahead,
            narrow: None,
            reported: Vec::new(),
        };
        Kernel {
            state: Some(Box::new(state)),
            runtime,
        }
    }

    /// The moment.
    pub fn now(&self) -> SimTime {
        self.state().now
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.state().shared.seed
    }

    /// Cuts windows shorter, at random: the history must not change. For tests.
    pub fn narrow_windows(&mut self, seed: u64) {
        self.state_mut().narrow = Some(Stream::new(seed, "kernel", "windows"));
    }

    /// Adds a machine. Ranks follow the order in which machines are added: a world adds those of its layout in the order of their full
    /// names, and later ones as commands bring them.
    pub fn add_machine(&mut self, name: &str, place: Place, cores: u32) -> MachineId {
        let machine = MachineId(self.state().machines.len() as u32);
        let rank = machine.0 + 1;
        let core = Core::new(Rc::clone(&self.state().shared), machine, name, rank, place, cores);
        core.now.set(self.state().now);
        self.state_mut().machines.push(MachineEntry {
            core: Rc::new(core),
            factories: Vec::new(),
            task: None,
        });
        self.state_mut().pending.push(Vec::new());
        self.spawn(machine);
        machine
    }

    /// Gives a machine a task: at first, and again after it was destroyed.
    fn spawn(&mut self, machine: MachineId) {
        let entry = &self.state().machines[machine.0 as usize];
        let (sender, inbox) = mpsc::channel();
        let life = Machine::new(Rc::clone(&entry.core), entry.factories.clone()).live(inbox);
        let task = self.runtime.spawn_local(coop::unconstrained(life));
        self.state_mut().machines[machine.0 as usize].task = Some((sender, task));
    }

    /// Installs an instance on a machine. It is down until it is started.
    pub fn install(&mut self, installation: Installation<W>) -> InstanceId {
        let Installation {
            machine,
            group,
            slots,
            backlog,
            factory,
        } = installation;
        let id = InstanceId(self.state().shared.directory.borrow().len() as u32);
        let entry = &mut self.state_mut().machines[machine.0 as usize];
        let local = entry.core.locals.borrow().len() as u16;
        entry
            .core
            .locals
            .borrow_mut()
            .push(Local::new(id, group, slots, backlog));
        entry.factories.push(factory.clone());
        let place = entry.core.place;
        self.state().shared.directory.borrow_mut().push(Whereabouts {
            machine,
            local,
            place,
            group,
        });
        self.order(machine, Order::Install(factory));
        id
    }

    /// Puts other software in the place of an instance's: it runs from its next start on.
    pub fn reinstall(&mut self, instance: InstanceId, factory: Factory<W>) {
        let at = self.whereabouts(instance);
        let entry = &mut self.state_mut().machines[at.machine.0 as usize];
        entry.factories[at.local as usize] = factory.clone();
        self.order(at.machine, Order::Reinstall(at.local, factory));
    }

    fn whereabouts(&self, instance: InstanceId) -> Whereabouts {
        self.state().shared.directory.borrow()[instance.0 as usize]
    }

    /// Starts a process that is down; it serves after so long.
    pub fn start(&mut self, instance: InstanceId, boot: Duration) {
        let at = self.whereabouts(instance);
        self.order(
            at.machine,
            Order::Start {
                local: at.local,
                boot: nanos(boot),
            },
        );
    }

    /// Crashes a process: its memory is gone, its callers hear Reset.
    pub fn crash(&mut self, instance: InstanceId) {
        let at = self.whereabouts(instance);
        self.order(at.machine, Order::Crash { local: at.local });
    }

    /// Freezes a process that is up.
    pub fn hang(&mut self, instance: InstanceId) {
        let at = self.whereabouts(instance);
        self.order(at.machine, Order::Hang { local: at.local });
    }

    /// Destroys a machine: everything on it ends without a word, its disks are gone, its task ends.
    pub fn destroy(&mut self, machine: MachineId) {
        self.order(machine, Order::Destroy);
        self.state_mut().machines[machine.0 as usize].task = None;
    }

    /// Puts an empty machine in the place of a destroyed one. Nothing runs on it yet.
    pub fn replace(&mut self, machine: MachineId) {
        if self.is_gone(machine) {
            self.spawn(machine);
        }
    }

    /// Whether a machine was destroyed.
    pub fn is_gone(&self, machine: MachineId) -> bool {
        self.state().machines[machine.0 as usize].task.is_none()
    }

    /// Multiplies all work that starts from now on.
    pub fn set_slow(&mut self, machine: MachineId, factor: f64) {
        self.state().machines[machine.0 as usize]
            .core
            .processors
            .borrow_mut()
            .slow = factor;
    }

    /// The factor on a machine's work.
    pub fn slow(&self, machine: MachineId) -> f64 {
        self.state().machines[machine.0 as usize].core.processors.borrow().slow
    }

    /// Breaks the software of an instance, or makes it whole. A restart does neither.
    pub fn set_flaw(&mut self, instance: InstanceId, flaw: Option<Flaw>) {
        let at = self.whereabouts(instance);
        let core = &self.state().machines[at.machine.0 as usize].core;
        core.locals.borrow_mut()[at.local as usize].flaw = flaw;
    }

    /// What is wrong with the software of an instance.
    pub fn flaw(&self, instance: InstanceId) -> Option<Flaw> {
        self.look(instance, |local| local.flaw)
    }

    /// So many slots of an instance never come back, until its process is started again.
    pub fn set_leaked(&mut self, instance: InstanceId, slots: u32) {
        let at = self.whereabouts(instance);
        self.order(at.machine, Order::Leak { local: at.local, slots });
    }

    /// The slots of an instance that never come back, and all that it has.
    pub fn leaked(&self, instance: InstanceId) -> (u32, u32) {
        self.look(instance, |local| (local.leaked, local.slot_limit))
    }

    /// How the disk of a machine is, for what is written from now on.
    pub fn set_disk(&mut self, machine: MachineId, disk: Disk) {
        self.state().machines[machine.0 as usize].core.disk.set(disk);
    }

    /// How the disk of a machine is.
    pub fn disk_of(&self, machine: MachineId) -> Disk {
        self.state().machines[machine.0 as usize].core.disk.get()
    }

    fn look<T>(&self, instance: InstanceId, look: impl FnOnce(&Local) -> T) -> T {
        let at = self.whereabouts(instance);
        look(&self.state().machines[at.machine.0 as usize].core.locals.borrow()[at.local as usize])
    }

    /// Gives a machine another number of cores. Its processes must be down.
    pub fn set_cores(&mut self, machine: MachineId, cores: u32) {
        self.state().machines[machine.0 as usize]
            .core
            .processors
            .borrow_mut()
            .cores = cores;
    }

    /// Sends an instance a request from nowhere, before everything else that is due now.
    pub fn cast(&mut self, to: InstanceId, body: W::Request) {
        let asked = Asked {
            caller: Caller::NOBODY,
            request: 0,
            parent: 0,
            body,
        };
        let parcel = self.state().shared.requests.borrow_mut().put(asked);
        self.state_mut().seq += 1;
        let envelope = Envelope {
            at: self.state().now,
            rank: 0,
            to,
            seq: self.state().seq,
            payload: Payload::Request { parcel },
        };
        self.state().shared.calendar.borrow_mut().push(envelope);
    }

    /// The network, to look at it or to change its rules.
    pub fn network(&self) -> std::cell::RefMut<'_, Network> {
        self.state().shared.network.borrow_mut()
    }

    /// Whether a process runs.
    pub fn process_state(&self, instance: InstanceId) -> ProcessState {
        let at = self.whereabouts(instance);
        self.state().machines[at.machine.0 as usize].core.locals.borrow()[at.local as usize].state
    }

    /// An instance's counters.
    pub fn meter(&self, instance: InstanceId) -> Rc<Meter> {
        let at = self.whereabouts(instance);
        Rc::clone(&self.state().machines[at.machine.0 as usize].core.locals.borrow()[at.local as usize].meter)
    }

    /// The machine of an instance.
    pub fn machine_of(&self, instance: InstanceId) -> MachineId {
        self.whereabouts(instance).machine
    }

    /// Cores of a machine in use.
    pub fn cores_busy(&self, machine: MachineId) -> &Gauge {
        &self.state().machines[machine.0 as usize].core.cores_busy
    }

    /// What an instance keeps on its disk, if it has written anything.
    pub fn disk<T: std::any::Any>(&self, instance: InstanceId) -> Option<Rc<T>> {
        let at = self.whereabouts(instance);
        let disk = self.state().machines[at.machine.0 as usize].core.locals.borrow()[at.local as usize]
            .disk
            .clone()?;
        disk.downcast().ok()
    }

    /// Waits and calls in progress on a machine.
    pub fn in_progress(&self, machine: MachineId) -> (usize, usize) {
        self.state().machines[machine.0 as usize].core.in_progress()
    }

    /// What is kept for all that is under way: deliveries to come, waits and calls. It follows the traffic, not the age of the world.
    pub fn under_way(&self) -> usize {
        let state = self.state();
        let progress = state.machines.iter().map(|machine| machine.core.in_progress());
        let progress: usize = progress.map(|(waits, calls)| waits + calls).sum();
        progress + state.shared.calendar.borrow().len()
    }

    /// Follows the first request that fits, of those that begin from now on, or nobody any more. No history is changed by it.
    pub fn follow(&mut self, wanted: Option<Wanted>) {
        let shared = &self.state().shared;
        shared.following.set(wanted.is_some());
        shared.follower.replace(wanted.map(Follower::new));
    }

    /// How far the following is, if anybody is followed.
    pub fn following(&self) -> Option<Following> {
        self.state().shared.follower.borrow().as_ref().map(Follower::state)
    }

    /// The request that is followed, and what has happened to it so far.
    pub fn followed(&self) -> Option<(u64, Vec<Step>)> {
        let follower = self.state().shared.follower.borrow();
        let (request, steps) = follower.as_ref()?.steps()?;
        Some((request, steps.to_vec()))
    }

    /// Deliveries so far.
    pub fn delivered(&self) -> u64 {
        self.state()
            .machines
            .iter()
            .map(|machine| machine.core.delivered.get())
            .sum()
    }

    /// A hash of the whole history.
    pub fn digest(&self) -> u64 {
        let seed = mix(self.state().shared.seed ^ self.state().now.0);
        self.state()
            .machines
            .iter()
            .fold(seed, |digest, machine| mix(digest ^ machine.core.digest_now()))
    }

    /// What was reported since the last call, in the order of the world.
    pub fn take_reports(&mut self) -> Vec<(SimTime, InstanceId, W::Event)> {
        std::mem::take(&mut self.state_mut().reported)
    }

    /// Lets time pass. What is due at `end` itself is left for later, so that a command at that time comes first.
    pub fn advance_to(&mut self, end: SimTime) {
        self.run(async move |state| state.advance_to(end).await);
    }

    fn order(&mut self, machine: MachineId, order: Order<W>) {
        self.run(async move |state| state.order(machine, order).await);
    }

    /// Runs the kernel's task to its end.
    fn run(&mut self, work: impl AsyncFnOnce(&mut State<W>) + 'static) {
        let mut state = self.state.take().expect("the kernel is not running yet");
        let task = self.runtime.spawn_local(coop::unconstrained(async move {
            work(&mut state).await;
            state
        }));
        match self.runtime.block_on(task) {
            Ok(state) => self.state = Some(state),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn state(&self) -> &State<W> {
        self.state.as_ref().expect("a world that failed is not used again")
    }

    fn state_mut(&mut self) -> &mut State<W> {
        self.state.as_mut().expect("a world that failed is not used again")
    }
}

/// What the handlers let go of at the end of the world reaches nobody.
impl<W: Wire> Drop for Kernel<W> {
    fn drop(&mut self) {
        if let Some(state) = &self.state {
            state.shared.calendar.borrow_mut().close();
        }
    }
}
