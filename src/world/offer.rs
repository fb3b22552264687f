//! What can be offered: the faults that can hit a service, by what it is. Whatever is offered for a healthy service is not refused.

use crate::command::{Fault, Hit};
use crate::observe::{DatabaseKind, Frame, Kind};

/// Whether a fault can be done to a service of this index, and to each of its instances. A fault that hits everything goes with the users; those of
/// links and of data centers as a whole can be done to no service.
pub fn can_hit(fault: &Fault, frame: &Frame, service: usize) -> bool {
    let kind = frame.topology.services[service].kind;
    if fault.hits.is_empty() {
        return kind == Kind::Users;
    }
    fault.hits.iter().any(|hit| is_hit(*hit, frame, service, kind))
}

fn is_hit(hit: Hit, frame: &Frame, service: usize, kind: Kind) -> bool {
    let state = &frame.services[service];
    match hit {
        Hit::Process => kind != Kind::Users,
        Hit::Site | Hit::Link => false,
        Hit::Users => kind == Kind::Users,
        Hit::Dns => kind == Kind::Dns,
        Hit::ThirdParty => matches!(kind, Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield),
        Hit::Disk => kind == Kind::Database || state.queue.as_ref().is_some_and(|queue| queue.durable),
        Hit::Slots => matches!(
            kind,
            Kind::LoadBalancer | Kind::Web | Kind::SessionStore | Kind::Database | Kind::Cache | Kind::Queue
        ),
        Hit::Server => !matches!(kind, Kind::Users | Kind::Workers | Kind::Autoscaler | Kind::Monitor),
        Hit::Balancer => kind == Kind::LoadBalancer,
        Hit::Web => matches!(kind, Kind::Web | Kind::Serverless),
        Hit::Clock => {
            let database = state.database.as_ref();
            database
                .is_some_and(|database| matches!(database.kind, DatabaseKind::MultiPrimary | DatabaseKind::Circular))
        }
        Hit::Copies => matches!(
            kind,
            Kind::Users | Kind::Cache | Kind::Cdn | Kind::Shield | Kind::Resolver
        ),
        Hit::Queue => kind == Kind::Queue,
    }
}
