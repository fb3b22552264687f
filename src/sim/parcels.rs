//! Parcels: the bodies of messages under way. An envelope only says where its body lies, so that what is moved and sorted is small.

/// Bodies by place. A place that was emptied last is filled first, while a processor still has it at hand.
#[derive(Debug)]
pub(super) struct Parcels<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Parcels<T> {
    pub(super) const fn new() -> Parcels<T> {
        Parcels {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Puts a body down and tells where.
    #[inline]
    pub(super) fn put(&mut self, body: T) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(body);
            return place;
        }
        self.places.push(Some(body));
        self.places.len() as u32 - 1
    }

    /// A look at a body.
    #[inline]
    pub(super) fn peek(&self, place: u32) -> Option<&T> {
        self.places.get(place as usize)?.as_ref()
    }

    /// Takes a body away.
    #[inline]
    pub(super) fn take(&mut self, place: u32) -> Option<T> {
        let body = self.places.get_mut(place as usize)?.take()?;
        self.free.push(place);
        Some(body)
    }
}
