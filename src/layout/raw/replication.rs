//! How the nodes of a database keep copies, in the file.

use std::time::Duration;

use serde::Deserialize;

use crate::layout::replication::{Failover, Mode, Peers, PrimaryReplicas, Reads, Replication, Rule};
use crate::layout::source::{Path, Problem};
use crate::layout::text::{printable, suggestion};
use crate::layout::{bounds, check, duration};

#[derive(Default, Deserialize)]
pub(super) enum RawReplication {
    #[default]
    None,
    #[serde(alias = "MasterSlaves")]
    PrimaryReplicas(RawPrimaryReplicas),
    MultiPrimary(RawMultiPrimary),
    Circular(RawCircular),
}

#[derive(Deserialize)]
#[serde(rename = "PrimaryReplicas", default, deny_unknown_fields)]
pub(super) struct RawPrimaryReplicas {
    mode: Mode,
    reads: Reads,
    read_your_writes: bool,
    failover: RawFailover,
    recovery: RawRecovery,
    #[serde(with = "duration::option")]
    replace: Option<Duration>,
    #[serde(with = "duration")]
    ack_timeout: Duration,
}

impl Default for RawPrimaryReplicas {
    fn default() -> Self {
        let default = PrimaryReplicas::default();
        RawPrimaryReplicas {
            mode: default.mode,
            reads: default.reads,
            read_your_writes: default.read_your_writes,
            failover: RawFailover::Automatic(RawAutomatic::default()),
            recovery: RawRecovery::Automatic,
            replace: default.replace,
            ack_timeout: default.ack_timeout,
        }
    }
}

#[derive(Deserialize)]
enum RawFailover {
    Manual,
    Automatic(RawAutomatic),
}

#[derive(Deserialize)]
#[serde(rename = "Automatic", default, deny_unknown_fields)]
struct RawAutomatic {
    #[serde(with = "duration")]
    after: Duration,
    monitors: u32,
    fencing: bool,
}

impl Default for RawAutomatic {
    fn default() -> Self {
        let Failover {
            after,
            monitors,
            fencing,
        } = Failover::default();
        RawAutomatic {
            after,
            monitors,
            fencing,
        }
    }
}

#[derive(PartialEq, Deserialize)]
enum RawRecovery {
    Manual,
    Automatic,
}

#[derive(Default, Deserialize)]
#[serde(rename = "MultiPrimary", default, deny_unknown_fields)]
pub(super) struct RawMultiPrimary {
    rule: Rule,
}

#[derive(Deserialize)]
#[serde(rename = "Circular", default, deny_unknown_fields)]
pub(super) struct RawCircular {
    rule: Rule,
    #[serde(with = "duration::option")]
    close: Option<Duration>,
}

impl Default for RawCircular {
    fn default() -> Self {
        let Peers { rule, close } = Peers::default();
        RawCircular { rule, close }
    }
}

impl RawReplication {
    /// `sites` are the names of all data centers.
    pub fn model(self, path: &Path, sites: &[String]) -> Result<Replication, Problem> {
        Ok(match self {
            RawReplication::None => Replication::None,
            RawReplication::PrimaryReplicas(raw) => Replication::PrimaryReplicas(raw.model(path)?),
            RawReplication::MultiPrimary(RawMultiPrimary { rule }) => Replication::MultiPrimary(Peers {
                rule: prioritised(rule, &path.at("rule"), sites)?,
                ..Peers::default()
            }),
            RawReplication::Circular(RawCircular { rule, close }) => {
                if let Some(close) = close {
                    check::interval(&path.at("close"), close)?;
                }
                let rule = prioritised(rule, &path.at("rule"), sites)?;
                Replication::Circular(Peers { rule, close })
            }
        })
    }
}

impl RawPrimaryReplicas {
    fn model(self, path: &Path) -> Result<PrimaryReplicas, Problem> {
        let failover = match self.failover {
            RawFailover::Manual => None,
            RawFailover::Automatic(raw) => Some(raw.model(&path.at("failover"))?),
        };
        if let Some(replace) = self.replace {
            check::interval(&path.at("replace"), replace)?;
        }
        check::interval(&path.at("ack_timeout"), self.ack_timeout)?;
        Ok(PrimaryReplicas {
            mode: self.mode,
            reads: self.reads,
            read_your_writes: self.read_your_writes,
            failover,
            recovery: self.recovery == RawRecovery::Automatic,
            replace: self.replace,
            ack_timeout: self.ack_timeout,
        })
    }
}

impl RawAutomatic {
    fn model(self, path: &Path) -> Result<Failover, Problem> {
        bounds::lease(self.after).map_err(|why| path.at("after").problem(why))?;
        let monitors = self.monitors;
        check::whole(&path.at("monitors"), monitors, bounds::MONITORS)?;
        if monitors.is_multiple_of(2) {
            let (fewer, more) = (monitors - 1, monitors + 1);
            let message = format!("{monitors} monitors outlive no more deaths than {fewer}; write {fewer} or {more}");
            return Err(path.at("monitors").problem(message));
        }
        Ok(Failover {
            after: self.after,
            monitors,
            fencing: self.fencing,
        })
    }
}

/// The rule with all data centers in its order, if that is what it goes by.
fn prioritised(rule: Rule, path: &Path, sites: &[String]) -> Result<Rule, Problem> {
    if let Rule::SitePriority(order) = &rule {
        for (index, site) in order.iter().enumerate() {
            if !sites.contains(site) {
                let known = suggestion(site, sites.iter().map(String::as_str));
                let message = format!("there is no data center \"{}\"{known}", printable(site));
                return Err(path.item(index).problem(message));
            }
            if order[..index].contains(site) {
                return Err(path.item(index).problem(format!("\"{site}\" is named twice")));
            }
        }
    }
    Ok(rule.completed(sites.iter().map(String::as_str)))
}
