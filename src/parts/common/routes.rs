//! Who holds an address that balancers share: what a router learns from their claims.

use std::cell::RefCell;

use crate::sim::InstanceId;

/// Holders of addresses that were claimed. An address that nobody claimed is held by whom it names.
#[derive(Debug, Default)]
pub struct Routes(RefCell<Vec<(InstanceId, InstanceId)>>);

impl Routes {
    /// Who holds an address now.
    #[inline]
    pub fn holder(&self, address: InstanceId) -> InstanceId {
        let routes = self.0.borrow();
        let claimed = routes.iter().find(|(claimed, _)| *claimed == address);
        claimed.map_or(address, |(_, holder)| *holder)
    }

    /// Somebody says that an address is theirs: the last word counts.
    pub fn claim(&self, address: InstanceId, holder: InstanceId) {
        let mut routes = self.0.borrow_mut();
        match routes.iter_mut().find(|(claimed, _)| *claimed == address) {
            Some(route) => route.1 = holder,
            None => routes.push((address, holder)),
        }
    }
}
