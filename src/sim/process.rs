//! Software and the handlers that serve its requests: plain async functions in slots that are used again.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::core::Core;
use super::host::Cx;
use super::message::{Caller, InstanceId, Wire};
use super::slab::Ref;
use super::time::SimTime;

/// What a process runs. A crash drops it with everything it holds; a start makes it anew.
pub trait Software<W: Wire>: Sized + 'static {
    /// Called once, when the process has booted: the place to spawn what runs by itself.
    fn start(self: &Rc<Self>, _cx: &Cx<W>) {}

    /// Serves one request. Many run at once, each up to its next await.
    fn serve(self: Rc<Self>, cx: Cx<W>, request: W::Request) -> impl Future<Output = W::Reply> + 'static;
}

/// Makes a process: software is a factory, so that it can start again.
pub struct Factory<W: Wire>(Rc<Make<W>>);

type Make<W> = dyn Fn(&Cx<W>) -> Box<dyn Process<W>>;

impl<W: Wire> Factory<W> {
    /// A factory from a function that makes the software with empty memory.
    pub fn new<S: Software<W>>(make: impl Fn(&Cx<W>) -> S + 'static) -> Factory<W> {
        Factory(Rc::new(move |cx| {
            let software = Rc::new(make(cx));
            software.start(cx);
            Box::new(Handlers {
                software,
                serve: S::serve,
                slots: Vec::new(),
                free: Vec::new(),
            })
        }))
    }

    pub(super) fn boot(&self, cx: &Cx<W>) -> Box<dyn Process<W>> {
        (self.0)(cx)
    }
}

impl<W: Wire> Clone for Factory<W> {
    fn clone(&self) -> Factory<W> {
        Factory(Rc::clone(&self.0))
    }
}

/// For whom a handler works, and since when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub caller: Caller,
    pub arrived: SimTime,
}

/// A running process: its handlers behind one door, whatever their type.
pub(super) trait Process<W: Wire> {
    /// Puts a request into a slot; it starts when it is polled.
    fn begin(&mut self, cx: Cx<W>, body: W::Request, served: Served) -> Ref;

    /// Lets a handler go on, if it is still there, and concludes it when it is done.
    fn poll(&mut self, at: Ref, core: &Core<W>, local: usize);

    /// Drops the handler that works for this call, if there is one; it costs a look at every handler.
    fn cancel(&mut self, from: InstanceId, call: Ref) -> Option<Served>;

    /// For whom the handlers work now.
    fn served(&self) -> Vec<Served>;
}

struct Handlers<S, M, F> {
    software: Rc<S>,
    serve: M,
    slots: Vec<Slot<F>>,
    free: Vec<u32>,
}

/// The memory of a future is used again for the next of its type.
struct Slot<F> {
    future: Pin<Box<Option<F>>>,
    generation: u32,
    served: Served,
}

impl<S, M, F> Handlers<S, M, F> {
    /// A slot that nobody is in.
    #[inline]
    fn vacancy(&mut self) -> u32 {
        if let Some(index) = self.free.pop() {
            return index;
        }
        self.slots.push(Slot {
            future: Box::pin(None),
            generation: 1,
            served: Served {
                caller: Caller::NOBODY,
                arrived: SimTime::ZERO,
            },
        });
        self.slots.len() as u32 - 1
    }

    fn vacate(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.future.set(None);
        self.free.push(index);
    }
}

impl<W, S, M, F> Process<W> for Handlers<S, M, F>
where
    W: Wire,
    S: 'static,
    M: Fn(Rc<S>, Cx<W>, W::Request) -> F,
    F: Future<Output = W::Reply>,
{
    // A future is made where it stays. If anything could fail between the making and the storing, it would be made elsewhere and all of
    // its memory, most of which is empty at first, be copied.
    #[inline]
    fn begin(&mut self, cx: Cx<W>, body: W::Request, served: Served) -> Ref {
        let index = self.vacancy();
        let slot = &mut self.slots[index as usize];
        slot.served = served;
        let at = Ref::new(index, slot.generation);
        let software = Rc::clone(&self.software);
        let mut place = slot.future.as_mut();
        if place.is_none() {
            place.set(Some((self.serve)(software, cx, body)));
        }
        at
    }

    #[inline]
    fn poll(&mut self, at: Ref, core: &Core<W>, local: usize) {
        let Some(slot) = self.slots.get_mut(at.index() as usize) else {
            return;
        };
        if slot.generation != at.generation() {
            return;
        }
        let Some(future) = slot.future.as_mut().as_pin_mut() else {
            return;
        };
        if let Poll::Ready(reply) = future.poll(&mut Context::from_waker(Waker::noop())) {
            let served = slot.served;
            self.vacate(at.index());
            core.conclude(local, served, reply);
        }
    }

    fn cancel(&mut self, from: InstanceId, call: Ref) -> Option<Served> {
        let index = self.slots.iter().position(|slot| {
            slot.future.is_some() && slot.served.caller.from == from && slot.served.caller.call == call
        })?;
        let served = self.slots[index].served;
        self.vacate(index as u32);
        Some(served)
    }

    fn served(&self) -> Vec<Served> {
        self.slots
            .iter()
            .filter(|slot| slot.future.is_some())
            .map(|slot| slot.served)
            .collect()
    }
}
