//! Following a request of a user through the world.

use std::time::Duration;

use crate::command::{CommandError, Selector};
use crate::observe::{Followed, Following};
use crate::sim::{InstanceId, Wanted, nanos};

use super::World;
use super::select;

/// Which request is to be followed: the first that fits, of those that begin from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follow {
    /// One that comes by what is named; any if nothing is.
    Through(Option<Selector>),
    /// One that fails, of those that come by what is named.
    Failing(Option<Selector>),
    /// One that is answered after so long at the earliest.
    Slower(Duration),
}

impl World {
    /// Follows a request, or none any more. Nothing that happens is changed by it.
    ///
    /// # Errors
    /// When nothing is called like that.
    pub fn follow(&mut self, follow: Option<&Follow>) -> Result<(), CommandError> {
        let wanted = match follow {
            None => None,
            Some(Follow::Through(place)) => Some(Wanted::Through(self.ids(place.as_ref())?)),
            Some(Follow::Failing(place)) => Some(Wanted::Failing(self.ids(place.as_ref())?)),
            Some(Follow::Slower(least)) => Some(Wanted::Slower(nanos(*least))),
        };
        self.kernel.follow(wanted);
        Ok(())
    }

    fn ids(&self, place: Option<&Selector>) -> Result<Vec<InstanceId>, CommandError> {
        let Some(place) = place else { return Ok(Vec::new()) };
        let places = select::instances(self, place)?;
        let id = |(service, instance): (usize, usize)| self.services[service].instances[instance].id;
        Ok(places.into_iter().map(id).collect())
    }

    /// How far the following is, if a request is followed.
    pub fn following(&self) -> Option<Following> {
        self.kernel.following()
    }

    /// The request that is followed, once there is one.
    pub(super) fn followed(&self) -> Option<Followed> {
        let (request, steps) = self.kernel.followed()?;
        Some(Followed::of(request, &steps, |id| self.called(id)))
    }

    /// What an instance is called, and where it stands in a frame, if it is still there.
    fn called(&self, id: InstanceId) -> (String, Option<(usize, usize)>) {
        let Some((service, number)) = self.places.get(id.0 as usize).copied() else {
            return ("nowhere".to_string(), None);
        };
        let entry = &self.services[service];
        let place = entry.present().position(|(other, _)| other == number);
        let selector = entry.instances[number].selector.clone();
        (selector, place.map(|place| (service, place)))
    }
}
