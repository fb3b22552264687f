//! What each command can be done to.

use super::faults::{Hit, Injection};
use super::model::Command;
use super::resolve::Kind;
use super::setting::Setting;
use crate::layout::{Database, Delivery, Replication, Service, Sessions, printable, suggestion};

/// What a command can be done to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted<'a> {
    /// Machines and processes: all but users.
    Machines,
    /// Machines of ours, which have a size.
    Sized,
    Users,
    /// Data centers that users can connect to.
    Sites,
    LoadBalancer,
    /// A database as a whole.
    Database(Need<'a>),
    /// Nodes of a database, by number; all of them where the database itself is named.
    Nodes(Option<Need<'a>>),
    /// A single node of a database, by number.
    Node(Need<'a>),
    /// What has a setting.
    Having {
        setting: &'static str,
        kinds: &'static [&'static str],
        need: Option<Need<'a>>,
    },
    /// What keeps copies, or messages: caches, CDNs, browsers, web servers, queues.
    Keepers,
    /// A queue, and a dead-letter queue where `dead`.
    Queue {
        dead: bool,
    },
    /// What has a number of machines that can be changed.
    Scaled,
    /// What others run: the name service, resolvers, CDNs.
    ThirdParty,
    /// The name service.
    Dns,
    /// Web services and functions.
    Web,
    /// What can be mended: also users, whose habits may have been changed.
    Mended,
    /// Ends of links: everything.
    Anything,
}

/// What a setting needs beyond the right kind of service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need<'a> {
    /// An autoscaler in the layout.
    Autoscaler,
    /// A queue to publish to.
    Publisher,
    /// A database that results go to.
    Results,
    /// Health checks in the layout.
    Checks,
    /// A session store of this name in the same data center.
    Store(&'a str),
    /// A server that remembers.
    Memory,
    /// Servers of a web service behind it.
    Servers,
    /// A primary with replicas.
    Replicas,
    /// Monitors in the layout.
    Monitors,
    /// Several primaries.
    Peers,
    /// A ring.
    Ring,
    /// Nodes that keep copies.
    Copies,
    /// Shards in the layout.
    Shards,
}

impl<'a> Wanted<'a> {
    pub fn by(command: &'a Command) -> Wanted<'a> {
        match command {
            Command::Surge(..) | Command::Revoke(..) => Wanted::Users,
            Command::Evacuate(_) | Command::Reopen(_) => Wanted::Sites,
            Command::Scale(..) => Wanted::Scaled,
            Command::Poison(_) => Wanted::Queue { dead: false },
            Command::Redrive(_) => Wanted::Queue { dead: true },
            Command::Resize(..) => Wanted::Sized,
            Command::Balance(..) => Wanted::LoadBalancer,
            Command::Cut(_)
            | Command::Delay(..)
            | Command::Drop(..)
            | Command::Bandwidth(..)
            | Command::Join(_)
            | Command::Add(..)
            | Command::Remove(_)
            | Command::Connect(..)
            | Command::Disconnect(..) => Wanted::Anything,
            Command::Promote(_) => Wanted::Node(Need::Replicas),
            Command::Recover(_) => Wanted::Nodes(Some(Need::Replicas)),
            Command::Replicate(_) => Wanted::Database(Need::Copies),
            Command::Shard(_) => Wanted::Database(Need::Shards),
            Command::Skew(..) => Wanted::Nodes(None),
            Command::Close(_) => Wanted::Node(Need::Ring),
            Command::Flush(_) | Command::Purge(..) | Command::Expire(_) => Wanted::Keepers,
            Command::Outage(_) => Wanted::ThirdParty,
            Command::Mislead(_) => Wanted::Dns,
            Command::Inject(injection) => Wanted::of(injection),
            Command::For(command, _) => Wanted::by(command),
            Command::Set(_, setting) => Wanted::Having {
                setting: setting.name(),
                kinds: setting.kinds(),
                need: Need::of(setting),
            },
            Command::Mend(_) => Wanted::Mended,
            Command::Kill(_)
            | Command::Destroy(_)
            | Command::MendAll
            | Command::Deploy
            | Command::Hang(_)
            | Command::Fail(..)
            | Command::Leak(..)
            | Command::Disk(..)
            | Command::Isolate(_)
            | Command::Chaos(_)
            | Command::Slow(..) => Wanted::Machines,
        }
    }

    /// What a composite can be done to.
    fn of(injection: &Injection) -> Wanted<'a> {
        match injection.fault().hits {
            [Hit::Link] => Wanted::Anything,
            [Hit::Users] => Wanted::Users,
            [Hit::Balancer] => Wanted::LoadBalancer,
            [Hit::Web] => Wanted::Web,
            _ => Wanted::Machines,
        }
    }

    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Wanted::Machines => !matches!(kind, Kind::Users),
            Wanted::Sized => match kind {
                Kind::Site { .. } | Kind::Zone | Kind::Host => true,
                Kind::Service(_, service) => !matches!(service, Service::Serverless(_)),
                Kind::Users
                | Kind::Dns { .. }
                | Kind::Resolver
                | Kind::Autoscaler
                | Kind::Monitor(_)
                | Kind::Cdn(_)
                | Kind::Shield => false,
            },
            Wanted::ThirdParty => matches!(kind, Kind::Dns { .. } | Kind::Resolver | Kind::Cdn(_) | Kind::Shield),
            Wanted::Dns => matches!(kind, Kind::Dns { .. }),
            Wanted::Web => matches!(kind, Kind::Service(_, Service::Web(_) | Service::Serverless(_))),
            Wanted::Users => matches!(kind, Kind::Users),
            Wanted::Sites => matches!(kind, Kind::Site { open: true }),
            Wanted::Scaled => matches!(kind, Kind::Service(_, Service::Web(_) | Service::Consumer(_))),
            Wanted::Queue { .. } => matches!(kind, Kind::Service(_, Service::Queue(_))),
            Wanted::LoadBalancer => matches!(kind, Kind::Service(_, Service::LoadBalancer(_))),
            Wanted::Database(_) | Wanted::Nodes(_) | Wanted::Node(_) => {
                matches!(kind, Kind::Service(_, Service::Database(_)))
            }
            Wanted::Keepers => match kind {
                Kind::Site { .. } | Kind::Zone | Kind::Users | Kind::Cdn(_) | Kind::Shield | Kind::Resolver => true,
                Kind::Service(_, service) => {
                    matches!(
                        service,
                        Service::Cache(_) | Service::Web(_) | Service::Serverless(_) | Service::Queue(_)
                    )
                }
                _ => false,
            },
            Wanted::Having { kinds, .. } => kinds.contains(&kind.word()),
            Wanted::Mended | Wanted::Anything => true,
        }
    }

    /// Whether it can be done to a single instance.
    pub fn takes_instances(self) -> bool {
        matches!(
            self,
            Wanted::Machines
                | Wanted::Mended
                | Wanted::ThirdParty
                | Wanted::Dns
                | Wanted::Web
                | Wanted::Sized
                | Wanted::Nodes(_)
                | Wanted::Node(_)
                | Wanted::Keepers
                | Wanted::Anything
        )
    }

    /// What is missing, in front of `is named`.
    pub fn words(self) -> String {
        match self {
            Wanted::Machines | Wanted::Mended | Wanted::Anything => "nothing".to_owned(),
            Wanted::ThirdParty => "nothing that others run".to_owned(),
            Wanted::Dns => "no name service".to_owned(),
            Wanted::Web => "no web service".to_owned(),
            Wanted::Sized => "no machine of yours".to_owned(),
            Wanted::Users => "no population of users".to_owned(),
            Wanted::Sites => "no data center that users connect to".to_owned(),
            Wanted::Scaled => "no web service and no workers".to_owned(),
            Wanted::Queue { .. } => "no queue".to_owned(),
            Wanted::LoadBalancer => "no load balancer".to_owned(),
            Wanted::Database(_) | Wanted::Nodes(_) | Wanted::Node(_) => "no database".to_owned(),
            Wanted::Keepers => "nothing that keeps copies or messages".to_owned(),
            Wanted::Having { setting, .. } => format!("nothing with a setting `{setting}`"),
        }
    }

    /// Whether it must be a single instance.
    pub fn is_single(self) -> bool {
        matches!(self, Wanted::Node(_))
    }

    /// Why something of the right kind does not do.
    pub fn check(self, full_name: &str, kind: Kind) -> Result<(), String> {
        if let (Wanted::Queue { dead: true }, Kind::Service(data_center, _)) = (self, kind) {
            let name = full_name.split_once('/').map_or(full_name, |(_, name)| name);
            let buries = |service: &Service| match service {
                Service::Queue(queue) => queue.dead_letter.as_deref() == Some(name),
                _ => false,
            };
            if !data_center.services.values().any(buries) {
                return Err(format!(
                    "{full_name} is no dead-letter queue: nothing came from anywhere that it could go back to"
                ));
            }
        }
        let (Wanted::Having { need: Some(need), .. }
        | Wanted::Nodes(Some(need))
        | Wanted::Database(need)
        | Wanted::Node(need)) = self
        else {
            return Ok(());
        };
        if let Kind::Service(_, Service::Database(database)) = kind {
            return need.check(full_name, database);
        }
        match (need, kind) {
            (Need::Autoscaler, Kind::Service(_, service)) => {
                let scale = match service {
                    Service::Web(web) => web.scale,
                    Service::Consumer(workers) => workers.scale,
                    _ => None,
                };
                match scale {
                    Some(_) => Ok(()),
                    None => Err(format!("{full_name} has no autoscaler; give it `scale` in the layout")),
                }
            }
            (Need::Publisher, Kind::Service(_, service)) => match service.pages().map(|pages| &pages.publish) {
                Some(None) => Err(format!(
                    "{full_name} publishes nothing; give it a `queue` in the layout"
                )),
                _ => Ok(()),
            },
            (Need::Results, Kind::Service(_, Service::Consumer(workers))) if workers.database.is_none() => {
                Err(format!(
                    "{full_name} write no results to a database, where their keys would be remembered; give them a `database` in the layout"
                ))
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
    /// Why a database does not do.
    fn check(self, full_name: &str, database: &Database) -> Result<(), String> {
        let replication = &database.replication;
        let (fits, why) = match self {
            Need::Replicas => (
                replication.primary_replicas().is_some(),
                "has no primary with replicas; give it `replication: PrimaryReplicas()` in the layout",
            ),
            Need::Monitors => (
                replication
                    .primary_replicas()
                    .is_some_and(|settings| settings.failover.is_some()),
                "has no monitors; give its replication `failover: Automatic()` in the layout",
            ),
            Need::Peers => (
                replication.peers().is_some(),
                "has not several primaries; give it `replication: MultiPrimary()` or `Circular()` in the layout",
            ),
            Need::Ring => (
                matches!(replication, Replication::Circular(_)),
                "is no ring; give it `replication: Circular()` in the layout",
            ),
            Need::Copies => (
                !matches!(replication, Replication::None),
                "keeps no copies; give it `replication` in the layout",
            ),
            Need::Shards => (
                database.sharding.is_some(),
                "has no shards; give it `sharding: (shards: 1)` in the layout",
            ),
            _ => return Ok(()),
        };
        if fits {
            return Ok(());
        }
        Err(format!("{full_name} {why}"))
    }

    fn of(setting: &'a Setting) -> Option<Need<'a>> {
        match setting {
            Setting::Sessions(Sessions::Store(name)) => Some(Need::Store(name)),
            Setting::Sessions(Sessions::Local) => Some(Need::Memory),
            Setting::Sticky(Some(_)) => Some(Need::Servers),
            Setting::CheckEvery(_) | Setting::DownAfter(_) => Some(Need::Checks),
            Setting::Mode(_)
            | Setting::Reads(_)
            | Setting::ReadYourWrites(_)
            | Setting::Recovery(_)
            | Setting::Replace(_) => Some(Need::Replicas),
            Setting::Failover(_) | Setting::Fencing(_) => Some(Need::Monitors),
            Setting::Rule(_) => Some(Need::Peers),
            Setting::Close(_) => Some(Need::Ring),
            Setting::Confirm(_) | Setting::Fallback(_) => Some(Need::Publisher),
            Setting::Delivery(Delivery::EffectivelyOnce) => Some(Need::Results),
            Setting::Autoscaler(_) | Setting::Min(_) | Setting::Max(_) | Setting::Target(_) => Some(Need::Autoscaler),
            _ => None,
        }
    }
}
