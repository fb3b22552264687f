//! Checks of what several parts of a layout have to do with each other: references, names, totals, entry points.

use std::collections::BTreeMap;

use super::bounds::{MOST_MACHINES, MOST_RATE};
use super::check::MOST_USERS;
use super::entry::{autoscaler_of, monitor_of, shield_of};
use super::model::{DataCenter, Layout, Service};
use super::references::{balancer_cycles, caches, queues, references};
use super::source::{Node, Path, Problem};
use super::text::{grouped, printable, suggestion};

/// Checks a layout whose single values have been checked.
pub(super) fn validate(layout: &Layout, root: &Node) -> Result<(), Problem> {
    let path = Path::root(root);
    population(layout, &path)?;
    machines(layout, &path)?;
    distinct_names(layout, root)?;
    for (site, data_center) in &layout.data_centers {
        let data_centers = path.at("data_centers");
        let nested = data_centers.at(site);
        let path = if is_nested(root) { nested } else { path };
        for (name, service) in &data_center.services {
            references(layout, site, service, &path.at("services").at(name))?;
        }
        balancer_cycles(data_center, &path.at("services"))?;
        caches(data_center, &path.at("services"))?;
        queues(data_center, &path.at("services"))?;
    }
    if layout
        .data_centers
        .values()
        .all(|data_center| data_center.entry().is_none())
    {
        let place = if is_nested(root) { "data_centers" } else { "services" };
        let message =
            "there is no entry point: users need a LoadBalancer, a Web service or a Serverless one to connect to";
        return Err(path.at(place).problem(message));
    }
    whereabouts(layout, &path)?;
    if layout.content.static_domain && layout.cdns.is_empty() {
        let message = "there is no CDN that a domain of static files could lead to; name one in `cdns`";
        return Err(path.at("content").key("static_domain").problem(message));
    }
    uploads(layout, &path.at("users"))?;
    nearest_edges(layout, &path.at("users"))?;
    own_sites(layout, &path.at("users"))
}

/// Either there are no regions, or data centers, users, their resolvers and edges are in one of them.
fn whereabouts(layout: &Layout, path: &Path) -> Result<(), Problem> {
    let known = |path: &Path, region: &str| {
        if layout.regions.contains_key(region) {
            return Ok(());
        }
        let known = suggestion(region, layout.regions.keys().map(String::as_str));
        Err(path.problem(format!("there is no region \"{}\"{known}", printable(region))))
    };
    let in_one =
        |path: &Path, region: Option<&str>| match region {
            Some(region) => known(&path.at("region"), region),
            None if layout.regions.is_empty() => Ok(()),
            None => Err(path
                .problem("it is in no region; with `regions` the data centers and users need one: name its `region`")),
        };
    for (name, users) in &layout.users {
        let path = path.at("users");
        let path = path.at(name);
        in_one(&path, users.region.as_deref())?;
        if let Some(resolver) = &users.resolver {
            known(&path.at("resolver"), resolver)?;
        }
    }
    for (name, site) in &layout.data_centers {
        let path = path.at("data_centers");
        in_one(&path.at(name), site.region.as_deref())?;
        if site.zones > 1
            && let Some(service) = site.services.keys().chain(site.hosts.keys()).find(|name| is_zone(name))
        {
            let message = format!("\"{}\" is the name of a zone; choose another", printable(service));
            return Err(path.at(name).problem(message));
        }
    }
    if !layout.regions.is_empty() {
        for (name, cdn) in &layout.cdns {
            let path = path.at("cdns");
            let path = path.at(name);
            for (index, edge) in cdn.edges.iter().enumerate() {
                known(&path.at("edges").item(index), edge)?;
            }
        }
    }
    Ok(())
}

/// Whether a name is that of a zone: `zone-1`.
fn is_zone(name: &str) -> bool {
    let number = name.strip_prefix("zone-");
    number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// Who uploads needs somebody who publishes it, wherever the request may arrive.
fn uploads(layout: &Layout, users: &Path) -> Result<(), Problem> {
    for (name, population) in &layout.users {
        if population.asks.upload <= 0.0 {
            continue;
        }
        let own = |site: &str| population.site.as_deref().is_none_or(|own| own == site);
        let mut pages = layout
            .data_centers
            .iter()
            .filter(|(site, _)| own(site))
            .flat_map(|(_, center)| center.services.values().filter_map(Service::pages));
        if pages.any(|pages| pages.publish.is_none()) {
            let message = "people upload, and not every Web and Serverless service that they may reach publishes that: name its `queue`";
            return Err(users.at(name).at("asks").at("upload").problem(message));
        }
    }
    Ok(())
}

/// A population names an edge that there is.
fn nearest_edges(layout: &Layout, users: &Path) -> Result<(), Problem> {
    let edges = || {
        layout
            .cdns
            .values()
            .flat_map(|cdn| cdn.edges.iter().map(String::as_str))
    };
    for (name, population) in &layout.users {
        let Some(edge) = &population.edge else { continue };
        if edges().all(|known| known != edge) {
            let known = suggestion(edge, edges());
            let message = format!("no CDN has an edge \"{}\"{known}", printable(edge));
            return Err(users.at(name).at("edge").problem(message));
        }
    }
    Ok(())
}

/// A population that asks for one data center can connect to it.
fn own_sites(layout: &Layout, users: &Path) -> Result<(), Problem> {
    for (name, population) in &layout.users {
        let Some(site) = &population.site else { continue };
        let users = users.at(name);
        match layout.data_centers.get(site) {
            Some(data_center) if data_center.entry().is_some() => {}
            Some(_) => {
                let message = format!(
                    "\"{site}\" has no entry point: users need a LoadBalancer, a Web service or a Serverless one"
                );
                return Err(users.at("site").problem(message));
            }
            None => {
                let known = suggestion(site, layout.data_centers.keys().map(String::as_str));
                let message = format!("there is no data center \"{}\"{known}", printable(site));
                return Err(users.at("site").problem(message));
            }
        }
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
    let total = |count: fn(&Service) -> u32| -> u64 {
        let of = |site: &DataCenter| {
            let own = site
                .services
                .values()
                .map(|service| u64::from(count(service)))
                .sum::<u64>();
            own + site.hosts.len() as u64
        };
        layout.data_centers.values().map(of).sum()
    };
    let most = grouped(MOST_MACHINES);
    let start = total(Service::own_machines);
    if start > MOST_MACHINES {
        let start = grouped(start);
        return Err(path.problem(format!("{start} machines in all; at most {most} can be simulated")));
    }
    let scaled = total(|service| match service.own_machines() {
        0 => 0,
        _ => service.most_instances(),
    });
    if scaled > MOST_MACHINES {
        let scaled = grouped(scaled);
        let message = format!("{scaled} machines in all when all is scaled up; at most {most} can be simulated");
        return Err(path.problem(message));
    }
    Ok(())
}

/// A bare name must name one thing. Only services and hosts of different data centers may share one.
fn distinct_names(layout: &Layout, root: &Node) -> Result<(), Problem> {
    let path = Path::root(root);
    let nested = is_nested(root);
    // What stands outside of the data centers, and what each is.
    let mut global: BTreeMap<String, String> = BTreeMap::new();
    for population in layout.users.keys() {
        let by = format!("the resolver that {population} asks");
        global.insert(layout.resolver_of(population), by);
    }
    for site in layout.data_centers.keys() {
        let by = if nested {
            "a data center"
        } else {
            "the only data center"
        };
        if let Some(by) = global.insert(site.clone(), by.to_owned()) {
            return Err(taken(&path.at("data_centers"), site, &by));
        }
    }
    for name in layout.users.keys() {
        if let Some(by) = global.insert(name.clone(), "a population of users".to_owned()) {
            return Err(taken(&path.at("users"), name, &by));
        }
    }
    for (name, cdn) in &layout.cdns {
        let cdns = path.at("cdns");
        if let Some(by) = global.insert(name.clone(), "a CDN".to_owned()) {
            return Err(taken(&cdns, name, &by));
        }
        let shield = shield_of(name);
        if cdn.shield
            && let Some(by) = global.insert(shield.clone(), format!("the shield of {name}"))
        {
            let message = format!("its shield is named \"{shield}\", and that is already the name of {by}");
            return Err(cdns.at(name).key("shield").problem(message));
        }
    }
    for (site, data_center) in &layout.data_centers {
        let data_centers = path.at("data_centers");
        let below = data_centers.at(site);
        let places = Places {
            layout,
            site,
            path: if nested { below } else { path },
            databases: path.at("databases"),
        };
        distinct_within(data_center, &global, &places)?;
    }
    Ok(())
}

/// Where the file names what is in a data center.
struct Places<'a> {
    layout: &'a Layout,
    site: &'a str,
    /// The data center.
    path: Path<'a>,
    /// Those of several data centers.
    databases: Path<'a>,
}

impl Places<'_> {
    /// Whether a service of the data center is a database that stands in several, which the file names at its top.
    fn is_spread(&self, service: &str) -> bool {
        let nodes = self.layout.databases.get(service);
        nodes.is_some_and(|nodes| nodes.contains_key(self.site))
    }
}

/// The names of one data center, those of its autoscalers and monitors among them.
fn distinct_within(
    data_center: &DataCenter,
    global: &BTreeMap<String, String>,
    places: &Places,
) -> Result<(), Problem> {
    let (hosts, services) = (places.path.at("hosts"), places.path.at("services"));
    let place = |name: &str| {
        if places.is_spread(name) {
            places.databases
        } else {
            services
        }
    };
    let mut unnamed: BTreeMap<String, String> = BTreeMap::new();
    for (web, _) in data_center.autoscalers() {
        let name = autoscaler_of(web);
        if let Some(by) = global.get(&name) {
            let message = format!("its autoscaler is named \"{name}\", and that is already the name of {by}");
            return Err(services.at(web).key("scale").problem(message));
        }
        unnamed.insert(name, format!("the autoscaler of {web}"));
    }
    for (database, _) in places.layout.monitors(places.site) {
        let name = monitor_of(database);
        if let Some(by) = global.get(&name) {
            let message = format!("its monitors are named \"{name}\", and that is already the name of {by}");
            return Err(place(database).at(database).key("replication").problem(message));
        }
        unnamed.insert(name, format!("the monitors of {database}"));
    }
    for name in data_center.hosts.keys() {
        if let Some(by) = global.get(name).or_else(|| unnamed.get(name)) {
            return Err(taken(&hosts, name, by));
        }
    }
    for name in data_center.services.keys() {
        if let Some(by) = global.get(name).or_else(|| unnamed.get(name)) {
            return Err(taken(&place(name), name, by));
        }
        if data_center.hosts.contains_key(name) {
            return Err(taken(&place(name), name, "a host"));
        }
    }
    Ok(())
}

fn taken(place: &Path, name: &str, by: &str) -> Problem {
    let message = format!("the name \"{name}\" is already that of {by}; choose another");
    place.key(name).problem(message)
}
