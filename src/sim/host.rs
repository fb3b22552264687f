//! A service's handle on the world, and the futures that it awaits. Each of them is safe to drop at any moment.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::core::{Birth, Core};
use super::flaw::DiskFull;
use super::follow::What;
use super::message::{Asked, CallError, Caller, InstanceId, Wire};
use super::network::Group;
use super::random::{Draw, Stream};
use super::slab::Ref;
use super::slots::Admission;
use super::time::{SimTime, nanos};

/// The context of a handler: the machine that it runs on and the request that it serves.
pub struct Cx<W: Wire> {
    pub(super) core: Rc<Core<W>>,
    pub(super) local: u16,
    pub(super) id: InstanceId,
    pub(super) group: Group,
    /// Id of the user's request that this is part of, 0 for what a service does by itself.
    pub(super) request: u64,
    /// The span of the message that started this handler.
    pub(super) span: u64,
    pub(super) parent: u64,
    pub(super) from: InstanceId,
}

impl<W: Wire> Cx<W> {
    /// The moment.
    #[inline]
    pub fn now(&self) -> SimTime {
        self.core.now.get()
    }

    /// The instance that this runs in.
    pub fn id(&self) -> InstanceId {
        self.id
    }

    /// The instance that asked.
    pub fn from(&self) -> InstanceId {
        self.from
    }

    /// Id of the user's request that this is part of, 0 for what a service does by itself.
    #[inline]
    pub fn request(&self) -> u64 {
        self.request
    }

    /// The span of this handler and the span that caused it.
    pub fn span(&self) -> (u64, u64) {
        (self.span, self.parent)
    }

    /// Whether this is what the instance does by itself: nobody waits for it.
    pub fn is_in_background(&self) -> bool {
        self.span == 0
    }

    /// The draw that belongs to this request and a purpose: the same in every branch of a run.
    #[inline]
    pub fn draw(&self, purpose: u64) -> Draw {
        Draw::of(self.core.shared.seed, self.request, purpose)
    }

    /// A stream of draws for this machine and a purpose.
    pub fn stream(&self, purpose: &str) -> Stream {
        Stream::new(self.core.shared.seed, &self.core.name, purpose)
    }

    /// The seed of the world.
    pub fn seed(&self) -> u64 {
        self.core.shared.seed
    }

    /// Waits for so long.
    pub fn sleep(&self, duration: Duration) -> Sleep<'_, W> {
        self.sleep_until(self.now() + duration)
    }

    /// Waits until a moment; ends at once when it has passed.
    pub fn sleep_until(&self, until: SimTime) -> Sleep<'_, W> {
        Sleep {
            cx: self,
            until,
            wait: None,
        }
    }

    /// Does work of so many nanoseconds of core time, first come first served with all that runs on the machine.
    pub fn work(&self, demand: u64) -> Work<'_, W> {
        Work {
            cx: self,
            demand,
            wait: None,
        }
    }

    /// Waits for one of the service's slots, which is held until the permit is dropped.
    pub fn admit(&self) -> Admit<'_, W> {
        Admit { cx: self, wait: None }
    }

    /// Asks another instance and waits for the answer, at most for the timeout. Giving up leaves the other at work.
    pub fn call(&self, to: InstanceId, body: W::Request, timeout: Duration) -> Call<'_, W> {
        Call {
            cx: self,
            to,
            timeout: nanos(timeout),
            datagram: false,
            cancels: false,
            state: CallState::New(body),
        }
    }

    /// Sends a request whose answer nobody awaits.
    pub fn cast(&self, to: InstanceId, body: W::Request) {
        let caller = Caller {
            from: self.id,
            ..Caller::NOBODY
        };
        let asked = Asked {
            caller,
            request: self.request,
            parent: self.span,
            body,
        };
        self.core.send_request(self.group, to, asked);
    }

    /// Starts a handler of this instance for a request of its own, under the id of a user's request.
    pub fn begin(&self, request: u64, body: W::Request) {
        self.core.unsettled.set(true);
        self.core.births.borrow_mut().push_back(Birth {
            local: self.local,
            request,
            body,
        });
    }

    /// Runs something in the background until it ends or the process dies.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        self.core.unsettled.set(true);
        self.core.spawned.borrow_mut().push_back((self.local, Box::pin(future)));
    }

    /// What this instance keeps on its disk: made once, kept over crashes, gone with the machine.
    pub fn disk<T: Any + Default>(&self) -> Rc<T> {
        let mut locals = self.core.locals.borrow_mut();
        let disk = locals[self.local as usize]
            .disk
            .get_or_insert_with(|| Rc::new(T::default()));
        Rc::clone(disk)
            .downcast::<T>()
            .expect("an instance keeps one type on its disk")
    }

    /// Waits until what was written is on the disk, which takes so long where the disk is well.
    ///
    /// # Errors
    /// The disk is full: what was to be written is not.
    #[inline]
    pub async fn flush(&self, takes: Duration) -> Result<(), DiskFull> {
        let disk = self.core.disk.get();
        if disk.full {
            return Err(DiskFull);
        }
        if takes.is_zero() {
            return Ok(());
        }
        self.sleep(takes.mul_f64(disk.slow)).await;
        if self.core.disk.get().full {
            Err(DiskFull)
        } else {
            Ok(())
        }
    }

    /// Core time that the machine has spent so far, in nanoseconds, and how many cores it has.
    pub fn processors(&self) -> (u64, u32) {
        let busy = self.core.cores_busy.integral(self.now());
        ((busy * 1e9) as u64, self.core.processors.borrow().cores)
    }

    /// Ends the process at once, as a crash does, and starts it again: it serves after so long. What was to be done is never done.
    pub fn abort(&self, boot: Duration) {
        self.core.unsettled.set(true);
        self.core.aborted.borrow_mut().push((self.local, nanos(boot)));
    }

    /// Reports what happened.
    pub fn emit(&self, event: W::Event) {
        self.core.report(self.id, event);
    }

    /// Tells whoever follows that what was waited for is given up.
    #[inline]
    fn let_go(&self) {
        if self.core.follows(self.request) {
            self.core.note(self.request, self.span, What::LetGo);
        }
    }

    /// A context for what the instance does in the background under the id of a user's request: the draws are those of the request.
    #[must_use]
    pub fn under(&self, request: u64) -> Cx<W> {
        Cx {
            core: Rc::clone(&self.core),
            request,
            ..*self
        }
    }

    /// A context for what the instance does by itself.
    #[must_use]
    pub fn detached(&self) -> Cx<W> {
        Cx {
            core: Rc::clone(&self.core),
            request: 0,
            span: 0,
            parent: 0,
            ..*self
        }
    }
}

/// See [`Cx::sleep`].
pub struct Sleep<'a, W: Wire> {
    cx: &'a Cx<W>,
    until: SimTime,
    wait: Option<Ref>,
}

impl<W: Wire> Future for Sleep<'_, W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let core = &self.cx.core;
        match self.wait {
            None => self.wait = Some(core.start_sleep(self.cx.id, self.until)),
            Some(wait) if core.take_wait(wait) => {
                self.wait = None;
                return Poll::Ready(());
            }
            Some(_) => {}
        }
        Poll::Pending
    }
}

impl<W: Wire> Drop for Sleep<'_, W> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.cx.core.abandon_wait(self.cx.id, self.cx.local, wait);
        }
    }
}

/// See [`Cx::work`].
pub struct Work<'a, W: Wire> {
    cx: &'a Cx<W>,
    demand: u64,
    wait: Option<Ref>,
}

impl<W: Wire> Future for Work<'_, W> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let core = &self.cx.core;
        match self.wait {
            None if self.demand == 0 => return Poll::Ready(()),
            None => {
                let wait = core.start_work(self.cx.id, self.demand);
                self.wait = Some(wait);
                if core.follows(self.cx.request) {
                    let waits = core.waits_for_core(wait);
                    // One that runs in the background is not known by its request.
                    core.note_handler(self.cx.request, self.cx.span, core.current.get());
                    core.note(self.cx.request, self.cx.span, What::Works { waits });
                }
            }
            Some(wait) if core.take_wait(wait) => {
                self.wait = None;
                self.demand = 0;
                if core.follows(self.cx.request) {
                    core.note(self.cx.request, self.cx.span, What::Worked);
                }
                return Poll::Ready(());
            }
            Some(_) => {}
        }
        Poll::Pending
    }
}

impl<W: Wire> Drop for Work<'_, W> {
    #[inline]
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            self.cx.let_go();
            self.cx.core.abandon_wait(self.cx.id, self.cx.local, wait);
        }
    }
}

/// The backlog of a service is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// See [`Cx::admit`].
pub struct Admit<'a, W: Wire> {
    cx: &'a Cx<W>,
    wait: Option<Ref>,
}

impl<'a, W: Wire> Future for Admit<'a, W> {
    type Output = Result<Permit<'a, W>, Full>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let cx = self.cx;
        if let Some(wait) = self.wait {
            if cx.core.take_wait(wait) {
                self.wait = None;
                if cx.core.follows(cx.request) {
                    cx.core.note(cx.request, cx.span, What::Admitted);
                }
                return Poll::Ready(Ok(Permit { cx }));
            }
            return Poll::Pending;
        }
        match cx.core.admit(cx.local) {
            Admission::Granted => Poll::Ready(Ok(Permit { cx })),
            Admission::Full => Poll::Ready(Err(Full)),
            Admission::Queued(wait) => {
                self.wait = Some(wait);
                if cx.core.follows(cx.request) {
                    cx.core.note(cx.request, cx.span, What::Queues);
                }
                Poll::Pending
            }
        }
    }
}

impl<W: Wire> Drop for Admit<'_, W> {
    fn drop(&mut self) {
        let Some(wait) = self.wait else { return };
        self.cx.let_go();
        let granted = self.cx.core.is_done(wait);
        self.cx.core.abandon_wait(self.cx.id, self.cx.local, wait);
        if granted {
            self.cx.core.leave(self.cx.local);
        }
    }
}

/// One of a service's slots, held until it is dropped.
pub struct Permit<'a, W: Wire> {
    cx: &'a Cx<W>,
}

impl<W: Wire> Drop for Permit<'_, W> {
    #[inline]
    fn drop(&mut self) {
        self.cx.core.leave(self.cx.local);
    }
}

enum CallState<R> {
    New(R),
    Open(Ref),
    Ended,
}

/// See [`Cx::call`].
pub struct Call<'a, W: Wire> {
    cx: &'a Cx<W>,
    to: InstanceId,
    timeout: u64,
    datagram: bool,
    cancels: bool,
    state: CallState<W::Request>,
}

impl<W: Wire> Call<'_, W> {
    /// Over a datagram: a lost packet is not sent again, in either direction.
    #[must_use]
    pub fn datagram(mut self) -> Self {
        self.datagram = true;
        self
    }

    /// Giving up sends a message after the request that stops the work on it.
    #[must_use]
    pub fn cancelling(mut self) -> Self {
        self.cancels = true;
        self
    }
}

// The request is moved out before anything is awaited; nothing in a call is ever pinned.
impl<W: Wire> Unpin for Call<'_, W> {}

impl<W: Wire> Future for Call<'_, W> {
    type Output = Result<W::Reply, CallError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let cx = self.cx;
        if let CallState::Open(call) = self.state {
            return match cx.core.take_result(call) {
                Some(result) => {
                    if cx.core.follows(cx.request) {
                        cx.core.note_outcome(call, Some(&result));
                    }
                    if self.cancels && matches!(result, Err(CallError::TimedOut)) {
                        self.cancel(call);
                    }
                    self.state = CallState::Ended;
                    Poll::Ready(result)
                }
                None => Poll::Pending,
            };
        }
        if let CallState::New(body) = std::mem::replace(&mut self.state, CallState::Ended) {
            let span = (cx.request, cx.span);
            let call = cx
                .core
                .open_call((cx.id, cx.group), self.to, self.timeout, self.datagram, span, body);
            self.state = CallState::Open(call);
        }
        Poll::Pending
    }
}

impl<W: Wire> Call<'_, W> {
    fn cancel(&self, call: Ref) {
        let caller = Caller {
            from: self.cx.id,
            call,
            datagram: self.datagram,
            ..super::message::Caller::NOBODY
        };
        self.cx.core.send_cancel(&caller, self.to);
    }
}

impl<W: Wire> Drop for Call<'_, W> {
    #[inline]
    fn drop(&mut self) {
        if let CallState::Open(call) = self.state {
            if self.cx.core.follows(self.cx.request) {
                self.cx.core.note_outcome(call, None);
            }
            let open = self.cx.core.abandon_call(call);
            if open && self.cancels {
                self.cancel(call);
            }
        }
    }
}

/// Wakes all handlers of an instance that wait for it.
#[derive(Debug, Default)]
pub struct Signal {
    /// In the order in which they began to wait.
    waiting: RefCell<VecDeque<Ref>>,
}

impl Signal {
    /// Waits until somebody raises the signal.
    pub fn wait<'a, W: Wire>(&'a self, cx: &'a Cx<W>) -> Signalled<'a, W> {
        Signalled {
            signal: self,
            cx,
            wait: None,
        }
    }

    /// Wakes all that wait now.
    pub fn raise<W: Wire>(&self, cx: &Cx<W>) {
        for wait in self.waiting.take() {
            cx.core.raise(wait);
        }
    }

    /// Wakes the one that began to wait last, if one waits.
    pub fn raise_newest<W: Wire>(&self, cx: &Cx<W>) {
        let newest = self.waiting.borrow_mut().pop_back();
        if let Some(wait) = newest {
            cx.core.raise(wait);
        }
    }
}

/// See [`Signal::wait`].
pub struct Signalled<'a, W: Wire> {
    signal: &'a Signal,
    cx: &'a Cx<W>,
    wait: Option<Ref>,
}

impl<W: Wire> Future for Signalled<'_, W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.wait {
            None => {
                let wait = self.cx.core.start_signal();
                self.signal.waiting.borrow_mut().push_back(wait);
                self.wait = Some(wait);
                Poll::Pending
            }
            Some(wait) if self.cx.core.take_wait(wait) => {
                self.wait = None;
                Poll::Ready(())
            }
            Some(_) => Poll::Pending,
        }
    }
}

impl<W: Wire> Drop for Signalled<'_, W> {
    fn drop(&mut self) {
        if let Some(wait) = self.wait {
            // Whoever has waited longest gives up first.
            let mut waiting = self.signal.waiting.borrow_mut();
            if let Some(place) = waiting.iter().position(|waiting| *waiting == wait) {
                waiting.remove(place);
            }
            self.cx.core.abandon_wait(self.cx.id, self.cx.local, wait);
        }
    }
}

/// What ended first.
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// Waits for whichever of two ends first; the first wins when both do. The other is dropped.
pub async fn race<A: Future, B: Future>(a: A, b: B) -> Either<A::Output, B::Output> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = a.as_mut().poll(context) {
            return Poll::Ready(Either::First(output));
        }
        b.as_mut().poll(context).map(Either::Second)
    })
    .await
}

/// Waits for all of them; the outputs are in the order of the futures.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(ready) => *output = Some(ready),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}
