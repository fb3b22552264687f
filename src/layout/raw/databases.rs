//! Databases with nodes in several data centers, in the file.

use std::collections::BTreeMap;

use super::database::RawDatabase;
use crate::layout::model::{DataCenter, Database, Map, Service};
use crate::layout::references::noun;
use crate::layout::source::{Path, Problem};
use crate::layout::text::{grouped, printable, suggestion};
use crate::layout::{bounds, check};

/// A database with its nodes by data center.
pub(super) type RawSpread = RawDatabase<BTreeMap<String, u32>>;

/// Puts each database into the data centers where it has nodes, and says how many it has where.
pub(super) fn spread(
    raw: BTreeMap<String, RawSpread>,
    data_centers: &mut Map<DataCenter>,
    path: &Path,
) -> Result<Map<Map<u32>>, Problem> {
    let mut databases = Map::new();
    let sites: Vec<String> = data_centers.keys().cloned().collect();
    for (name, raw) in raw {
        check::name(path, &name)?;
        let (database, nodes) = raw.model(&path.at(&name), &sites)?;
        for (site, data_center) in data_centers.iter() {
            // Also where it has no nodes: its name alone means all of it.
            let other = match data_center.services.get(&name) {
                Some(service) => noun(service),
                None if data_center.hosts.contains_key(&name) => "a host",
                None => continue,
            };
            let message = format!("the name \"{name}\" is already that of {other} of {site}; choose another");
            return Err(path.key(&name).problem(message));
        }
        for (site, machines) in &nodes {
            let Some(data_center) = data_centers.get_mut(site) else {
                continue;
            };
            let here = Database {
                machines: *machines,
                ..database.clone()
            };
            data_center.services.insert(name.clone(), Service::Database(here));
        }
        databases.insert(name, nodes);
    }
    Ok(databases)
}

impl RawSpread {
    fn model(self, path: &Path, sites: &[String]) -> Result<(Database, Map<u32>), Problem> {
        if self.on.is_some() {
            let message = "a database in several data centers has machines of its own; leave `on` out";
            return Err(path.key("on").problem(message));
        }
        let Some(nodes) = self.machines.clone() else {
            let message = format!(
                "the field `machines` is missing: how many nodes are where? Write {{\"{}\": 3}}, with each of its data centers",
                sites.first().map_or("", String::as_str)
            );
            return Err(path.problem(message));
        };
        let machines = path.at("machines");
        for (site, count) in &nodes {
            if !sites.contains(site) {
                let known = suggestion(site, sites.iter().map(String::as_str));
                let message = format!("there is no data center \"{}\"{known}", printable(site));
                return Err(machines.key(site).problem(message));
            }
            if *count == 0 {
                let message = format!("a data center without nodes is not named here; leave \"{site}\" out");
                return Err(machines.at(site).problem(message));
            }
        }
        if let Some(first) = self.first.as_ref().filter(|first| !nodes.contains_key(*first)) {
            let known = suggestion(first, nodes.keys().map(String::as_str));
            let message = format!("it has no nodes in \"{}\"{known}", printable(first));
            return Err(path.at("first").problem(message));
        }
        for (index, site) in self.monitors_in.iter().enumerate() {
            if !sites.contains(site) {
                let known = suggestion(site, sites.iter().map(String::as_str));
                let message = format!("there is no data center \"{}\"{known}", printable(site));
                return Err(path.at("monitors_in").item(index).problem(message));
            }
        }
        let most = *bounds::NODES.end();
        let total: u64 = nodes.values().map(|count| u64::from(*count)).sum();
        if total == 0 {
            return Err(machines.problem("a database has at least one node; name the data center where it stands"));
        }
        if total > most {
            let message = format!(
                "a shard has at most {most} nodes in all data centers, not {}",
                grouped(total)
            );
            return Err(machines.problem(message));
        }
        let size = self.size.clone().unwrap_or_else(|| "m".to_owned());
        check::size(&path.at("size"), &size)?;
        Ok((self.with_nodes(path, size, total as u32, sites)?, nodes))
    }
}
