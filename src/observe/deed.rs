//! What somebody did who acted on an incident, in words.

use super::frame::{Frame, Incident};
use super::states::DatabaseKind;
use super::topology::Kind;

/// What somebody did who acted on an incident, as one says it of them: `sends nothing there any more`. Nothing where nobody acted, or their kind does not tell.
pub fn deed(frame: &Frame, incident: &Incident) -> Option<&'static str> {
    let who = &incident.acted.as_ref()?.who;
    let mut services = frame.topology.services.iter().zip(&frame.services);
    let (service, state) = services.find(|(service, _)| {
        service.selector == *who || service.instances.iter().any(|instance| instance.selector == *who)
    })?;
    let one_of_them =
        |name: &str| service.selector == name || service.instances.iter().any(|instance| instance.selector == name);
    let primary = |kind| kind == DatabaseKind::PrimaryReplicas;
    Some(match service.kind {
        Kind::Autoscaler => "adds machines",
        // The other one of a pair.
        Kind::LoadBalancer if one_of_them(&incident.target) => "takes over",
        Kind::LoadBalancer | Kind::Dns => "sends nothing there any more",
        Kind::Monitor => "makes another node primary",
        Kind::Database if state.database.as_ref().is_some_and(|database| primary(database.kind)) => "is primary now",
        Kind::Queue => "hands its messages to others",
        Kind::Web | Kind::Serverless | Kind::Workers | Kind::Cache | Kind::Cdn | Kind::Shield => "leaves it alone",
        _ => return None,
    })
}
