//! What each command can be done to.

use super::model::Command;
use super::resolve::Kind;
use super::setting::Setting;
use crate::layout::{Service, Sessions, printable, suggestion};

/// What a command can be done to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted<'a> {
    /// Machines and processes: all but users.
    Machines,
    /// Machines of ours, which have a size.
    Sized,
    Users,
    Web,
    LoadBalancer,
    /// What has a setting.
    Having {
        setting: &'static str,
        kinds: &'static [&'static str],
        need: Option<Need<'a>>,
    },
    /// Ends of links: everything.
    Anything,
}

/// What a setting needs beyond the right kind of service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need<'a> {
    /// An autoscaler in the layout.
    Autoscaler,
    /// Health checks in the layout.
    Checks,
    /// A session store of this name in the same data center.
    Store(&'a str),
    /// A server that remembers.
    Memory,
    /// Servers of a web service behind it.
    Servers,
}

impl<'a> Wanted<'a> {
    pub fn by(command: &'a Command) -> Wanted<'a> {
        match command {
            Command::Surge(..) | Command::Revoke(..) => Wanted::Users,
            Command::Scale(..) => Wanted::Web,
            Command::Resize(..) => Wanted::Sized,
            Command::Balance(..) => Wanted::LoadBalancer,
            Command::Cut(_) | Command::Delay(..) | Command::Drop(..) | Command::Join(_) => Wanted::Anything,
            Command::Set(_, setting) => Wanted::Having {
                setting: setting.name(),
                kinds: setting.kinds(),
                need: Need::of(setting),
            },
            Command::Kill(_)
            | Command::Destroy(_)
            | Command::Mend(_)
            | Command::MendAll
            | Command::Hang(_)
            | Command::Slow(..) => Wanted::Machines,
        }
    }

    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Wanted::Machines => !matches!(kind, Kind::Users),
            Wanted::Sized => match kind {
                Kind::Site | Kind::Host => true,
                Kind::Service(_, service) => !matches!(service, Service::Serverless(_)),
                Kind::Users | Kind::Dns { .. } | Kind::Resolver | Kind::Autoscaler => false,
            },
            Wanted::Users => matches!(kind, Kind::Users),
            Wanted::Web => matches!(kind, Kind::Service(_, Service::Web(_))),
            Wanted::LoadBalancer => matches!(kind, Kind::Service(_, Service::LoadBalancer(_))),
            Wanted::Having { kinds, .. } => kinds.contains(&kind.word()),
            Wanted::Anything => true,
        }
    }

    /// Whether it can be done to a single instance.
    pub fn takes_instances(self) -> bool {
        matches!(self, Wanted::Machines | Wanted::Sized | Wanted::Anything)
    }

    /// What is missing, in front of `is named`.
    pub fn words(self) -> String {
        match self {
            Wanted::Machines | Wanted::Anything => "nothing".to_owned(),
            Wanted::Sized => "no machine of yours".to_owned(),
            Wanted::Users => "no population of users".to_owned(),
            Wanted::Web => "no web service".to_owned(),
            Wanted::LoadBalancer => "no load balancer".to_owned(),
            Wanted::Having { setting, .. } => format!("nothing with a setting `{setting}`"),
        }
    }

    /// Why something of the right kind does not do.
    pub fn check(self, full_name: &str, kind: Kind) -> Result<(), String> {
        let Wanted::Having { need: Some(need), .. } = self else {
            return Ok(());
        };
        match (need, kind) {
            (Need::Autoscaler, Kind::Service(_, Service::Web(web))) if web.scale.is_none() => {
                Err(format!("{full_name} has no autoscaler; give it `scale` in the layout"))
            }
            (Need::Checks, Kind::Dns { checked: false }) => {
                Err("dns checks nothing; give it `health` in the layout".to_owned())
            }
            (Need::Store(name), Kind::Service(data_center, _)) => {
                let is_store = |service: &Service| matches!(service, Service::SessionStore(_));
                if data_center.services.get(name).is_some_and(is_store) {
                    return Ok(());
                }
                let stores = data_center.services.iter().filter(|(_, service)| is_store(service));
                let known = suggestion(name, stores.map(|(name, _)| name.as_str()));
                let name = printable(name);
                Err(format!(
                    "there is no session store \"{name}\" beside {full_name}{known}"
                ))
            }
            (Need::Memory, Kind::Service(_, Service::Serverless(_))) => Err(format!(
                "{full_name} are functions, which forget all between requests: they can't keep sessions"
            )),
            (Need::Servers, Kind::Service(data_center, Service::LoadBalancer(balancer))) => {
                match data_center.services.get(&balancer.to) {
                    Some(Service::Web(_)) => Ok(()),
                    _ => Err(format!("users stick to servers, and {full_name} has none behind it")),
                }
            }
            _ => Ok(()),
        }
    }
}

impl<'a> Need<'a> {
    fn of(setting: &'a Setting) -> Option<Need<'a>> {
        match setting {
            Setting::Sessions(Sessions::Store(name)) => Some(Need::Store(name)),
            Setting::Sessions(Sessions::Local) => Some(Need::Memory),
            Setting::Sticky(Some(_)) => Some(Need::Servers),
            Setting::CheckEvery(_) | Setting::DownAfter(_) => Some(Need::Checks),
            Setting::Autoscaler(_) | Setting::Min(_) | Setting::Max(_) | Setting::Target(_) => Some(Need::Autoscaler),
            _ => None,
        }
    }
}
