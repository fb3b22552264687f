//! Checks of what several parts of a layout have to do with each other: references, names, totals, entry points.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{MOST_MACHINES, MOST_RATE, MOST_USERS};
use super::model::{DataCenter, Layout, Service};
use super::source::{Node, Path, Problem};
use super::text::{grouped, printable, suggestion};

/// Checks a layout whose single values have been checked.
pub(super) fn validate(layout: &Layout, root: &Node) -> Result<(), Problem> {
    let path = Path::root(root);
    population(layout, &path)?;
    machines(layout, &path)?;
    distinct_names(layout, root)?;
    for (name, data_center) in &layout.data_centers {
        let data_centers = path.at("data_centers");
        let nested = data_centers.at(name);
        let path = if is_nested(root) { nested } else { path };
        for (name, service) in &data_center.services {
            references(data_center, service, &path.at("services").at(name))?;
        }
        balancer_cycles(data_center, &path.at("services"))?;
    }
    if layout
        .data_centers
        .values()
        .all(|data_center| data_center.entry().is_none())
    {
        let place = if is_nested(root) { "data_centers" } else { "services" };
        let message = "there is no entry point: users need a LoadBalancer or a Web service to connect to";
        return Err(path.at(place).problem(message));
    }
    Ok(())
}

/// Whether the file has `data_centers`, not the short form with `services` at the top.
fn is_nested(root: &Node) -> bool {
    root.entry("data_centers").is_some()
}

fn population(layout: &Layout, path: &Path) -> Result<(), Problem> {
    let users = path.at("users");
    if layout.users.is_empty() {
        return Err(users.problem("there are no users; write one population, as in {\"people\": (count: 1_000)}"));
    }
    let mut total = 0;
    let mut rate = 0.0;
    for (name, population) in &layout.users {
        total += population.count;
        rate += population.rate();
        if total > MOST_USERS {
            let message = format!("more than {} users in all", grouped(MOST_USERS));
            return Err(users.at(name).at("count").problem(message));
        }
        if rate > MOST_RATE {
            let (rate, most) = (grouped(rate as u64), grouped(MOST_RATE as u64));
            let message = format!("{rate} requests a second in all (count / every); at most {most} can be simulated");
            return Err(users.at(name).problem(message));
        }
    }
    Ok(())
}

fn machines(layout: &Layout, path: &Path) -> Result<(), Problem> {
    let mut total = 0;
    for data_center in layout.data_centers.values() {
        total += data_center.hosts.len() as u64;
        total += data_center
            .services
            .values()
            .map(|service| u64::from(service.own_machines()))
            .sum::<u64>();
    }
    if total > MOST_MACHINES {
        let most = grouped(MOST_MACHINES);
        return Err(path.problem(format!(
            "{} machines in all; at most {most} can be simulated",
            grouped(total)
        )));
    }
    Ok(())
}

/// A bare name must name one thing. Only services and hosts of different data centers may share one.
fn distinct_names(layout: &Layout, root: &Node) -> Result<(), Problem> {
    let path = Path::root(root);
    let mut global: BTreeMap<&str, &str> = BTreeMap::new();
    if is_nested(root) {
        global.extend(layout.data_centers.keys().map(|name| (name.as_str(), "a data center")));
    } else {
        global.extend(
            layout
                .data_centers
                .keys()
                .map(|name| (name.as_str(), "the only data center")),
        );
    }
    let taken = |place: &Path, name: &str, by: &str| {
        Err(place
            .key(name)
            .problem(format!("the name \"{name}\" is already that of {by}; choose another")))
    };
    let users = path.at("users");
    for name in layout.users.keys() {
        if let Some(by) = global.insert(name, "a population of users") {
            return taken(&users, name, by);
        }
    }
    for (site, data_center) in &layout.data_centers {
        let data_centers = path.at("data_centers");
        let nested = data_centers.at(site);
        let path = if is_nested(root) { nested } else { path };
        let (hosts, services) = (path.at("hosts"), path.at("services"));
        for name in data_center.hosts.keys() {
            if let Some(by) = global.get(name.as_str()) {
                return taken(&hosts, name, by);
            }
        }
        for name in data_center.services.keys() {
            if let Some(by) = global.get(name.as_str()) {
                return taken(&services, name, by);
            }
            if data_center.hosts.contains_key(name) {
                return taken(&services, name, "a host");
            }
        }
    }
    Ok(())
}

fn references(data_center: &DataCenter, service: &Service, path: &Path) -> Result<(), Problem> {
    if let Some(host) = service.host()
        && !data_center.hosts.contains_key(host)
    {
        let known = suggestion(host, data_center.hosts.keys().map(String::as_str));
        return Err(path
            .at("on")
            .problem(format!("there is no host \"{}\"{known}", printable(host))));
    }
    match service {
        Service::LoadBalancer(balancer) => {
            let path = path.at("to");
            match target(data_center, &balancer.to, &path, is_balanced)? {
                found if is_balanced(found) => Ok(()),
                found => {
                    let (name, kind) = (&balancer.to, found.kind());
                    let message =
                        format!("\"{name}\" is a {kind}; a load balancer needs a web service or a load balancer");
                    Err(path.problem(message))
                }
            }
        }
        Service::Web(web) => {
            let Some(name) = &web.database else { return Ok(()) };
            let path = path.at("database");
            let is_database = |service: &Service| matches!(service, Service::Database(_));
            match target(data_center, name, &path, is_database)? {
                Service::Database(_) => Ok(()),
                found => Err(path.problem(format!("\"{name}\" is a {}; a database is needed here", found.kind()))),
            }
        }
        Service::Database(_) => Ok(()),
    }
}

/// What a load balancer may have behind it.
fn is_balanced(service: &Service) -> bool {
    matches!(service, Service::Web(_) | Service::LoadBalancer(_))
}

/// The service of this name; if there is none, one that `fits` is suggested.
fn target<'a>(
    data_center: &'a DataCenter,
    name: &str,
    path: &Path,
    fits: impl Fn(&Service) -> bool,
) -> Result<&'a Service, Problem> {
    data_center.services.get(name).ok_or_else(|| {
        let fitting: Vec<&str> = data_center
            .services
            .iter()
            .filter(|(_, service)| fits(service))
            .map(|(name, _)| name.as_str())
            .collect();
        path.problem(format!(
            "there is no service \"{}\"{}",
            printable(name),
            suggestion(name, fitting)
        ))
    })
}

/// Refuses balancers that lead in a circle. References have been checked. Every balancer is followed once.
fn balancer_cycles(data_center: &DataCenter, services: &Path) -> Result<(), Problem> {
    let mut followed = BTreeSet::new();
    for start in data_center.services.keys() {
        let mut way: Vec<&str> = Vec::new();
        let mut current = start.as_str();
        while let Some(Service::LoadBalancer(balancer)) = data_center.services.get(current) {
            if !followed.insert(current) {
                let Some(first) = way.iter().position(|name| *name == current) else {
                    break;
                };
                return Err(cycle(&way[first..], services));
            }
            way.push(current);
            current = &balancer.to;
        }
    }
    Ok(())
}

fn cycle(way: &[&str], services: &Path) -> Problem {
    const SHOWN: usize = 8;
    let message = match way {
        [_] => "a load balancer cannot point to itself".to_owned(),
        _ if way.len() > SHOWN => format!("{} load balancers point to each other in a circle", way.len()),
        _ => format!(
            "load balancers point to each other in a circle: {} -> {}",
            way.join(" -> "),
            way[0]
        ),
    };
    services.at(way[way.len() - 1]).at("to").problem(message)
}
