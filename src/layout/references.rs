//! Checks of what the services of a data center say of each other.

use std::collections::BTreeSet;

use super::model::{DataCenter, Layout, LoadBalancer, Map, Pages, Pair, Service, Sessions};
use super::policies::Calls;
use super::queueing::{Consumer, Delivery, Queue, Style};
use super::source::{Path, Problem};
use super::text::{closest, printable, suggestion};

/// Checks what a service of a data center says of others; its single values have been checked.
pub(super) fn references(layout: &Layout, site: &str, service: &Service, path: &Path) -> Result<(), Problem> {
    let Some(data_center) = layout.data_centers.get(site) else {
        return Ok(());
    };
    if let Some(host) = service.host()
        && !data_center.hosts.contains_key(host)
    {
        let known = suggestion(host, data_center.hosts.keys().map(String::as_str));
        return Err(path
            .at("on")
            .problem(format!("there is no host \"{}\"{known}", printable(host))));
    }
    if let Some(pages) = service.pages() {
        within_reach(layout, site, pages, path)?;
    }
    match service {
        Service::LoadBalancer(balancer) => of_balancer(data_center, balancer, path),
        Service::Web(web) => of_pages(data_center, &web.pages, path),
        Service::Serverless(functions) => of_pages(data_center, &functions.pages, path),
        Service::Queue(queue) => of_queue(data_center, queue, path),
        Service::Consumer(consumer) => of_consumer(data_center, consumer, path),
        Service::SessionStore(_) | Service::Database(_) | Service::Cache(_) => Ok(()),
    }
}

fn of_balancer(data_center: &DataCenter, balancer: &LoadBalancer, path: &Path) -> Result<(), Problem> {
    let needed = "a load balancer needs a web service, functions or a load balancer";
    let to = target(data_center, &balancer.to, &path.at("to"), is_balanced, needed)?;
    if let Service::LoadBalancer(LoadBalancer {
        pair: Pair::Floating { .. },
        ..
    }) = to
    {
        let message = format!(
            "\"{}\" has a floating address, which is for users: no balancer can stand before it",
            balancer.to
        );
        return Err(path.at("to").problem(message));
    }
    if balancer.sticky.is_some() && !matches!(to, Service::Web(_)) {
        let message = format!(
            "users stick to the servers of a web service, and \"{}\" is {}",
            balancer.to,
            noun(to)
        );
        return Err(path.key("sticky").problem(message));
    }
    for server in balancer.weights.keys() {
        let number = server
            .strip_prefix(&balancer.to)
            .and_then(|rest| rest.strip_prefix('/')?.parse().ok());
        let most = to.most_instances();
        let plain = number.is_some_and(|number: u32| format!("{}/{number}", balancer.to) == *server);
        if !plain || number.is_none_or(|number| !(1..=most).contains(&number)) {
            let name = &balancer.to;
            let known = match most {
                1 => format!("there is only {name}/1"),
                most => format!("there are {name}/1 to {name}/{most}"),
            };
            let message = format!("a weight for \"{}\", which is not there; {known}", printable(server));
            return Err(path.at("weights").key(server).problem(message));
        }
    }
    Ok(())
}

/// A database of several data centers is asked only where it has nodes.
fn within_reach(layout: &Layout, site: &str, pages: &Pages, path: &Path) -> Result<(), Problem> {
    let Some(name) = &pages.database else { return Ok(()) };
    let Some(nodes) = layout.databases.get(name) else {
        return Ok(());
    };
    let is_here = |data_center: &DataCenter| data_center.services.contains_key(name);
    if layout.data_centers.get(site).is_some_and(is_here) {
        return Ok(());
    }
    let places: Vec<&str> = nodes.keys().map(String::as_str).collect();
    let message = format!(
        "\"{name}\" has no nodes in {site}, only in {}; give it one here, as in machines: {{\"{site}\": 1, ..}}",
        places.join(", ")
    );
    Err(path.at("database").problem(message))
}

fn of_pages(data_center: &DataCenter, pages: &Pages, path: &Path) -> Result<(), Problem> {
    if let Some(name) = &pages.database {
        let needed = "a database is needed here";
        target(data_center, name, &path.at("database"), is_database, needed)?;
    }
    if let Some(name) = &pages.cache {
        let cache = path.at("cache");
        target(data_center, name, &cache, is_cache, "a cache is needed here")?;
        if pages.database.is_none() {
            return Err(cache.problem("a cache keeps rows of a database: name that too, as in `database: \"db\"`"));
        }
        if data_center.databases_behind(name).len() > 1 {
            let message = format!("\"{name}\" would keep rows of two databases; give each a cache of its own");
            return Err(cache.problem(message));
        }
    }
    if let Sessions::Store(name) = &pages.sessions {
        let needed = "a session store is needed here";
        target(data_center, name, &path.at("sessions"), is_store, needed)?;
    }
    let queue = pages.publish.as_ref().map(|publish| publish.to.clone());
    if let Some(name) = &queue {
        let needed = "uploads are published to a queue";
        target(data_center, name, &path.at("queue"), is_queue, needed)?;
    }
    let named = [&pages.database, &pages.cache, &queue];
    let is_callee =
        |name: &str, service: &Service| is_store(service) || named.iter().any(|own| own.as_deref() == Some(name));
    callees(data_center, &pages.calls, is_callee, path)
}

/// Calls are named only of those who are called.
fn callees(
    data_center: &DataCenter,
    calls: &Map<Calls>,
    is_callee: impl Fn(&str, &Service) -> bool,
    path: &Path,
) -> Result<(), Problem> {
    for name in calls.keys() {
        let service = data_center.services.get(name);
        if service.is_some_and(|service| is_callee(name, service)) {
            continue;
        }
        let callees: Vec<&str> = data_center
            .services
            .iter()
            .filter(|(name, service)| is_callee(name, service))
            .map(|(name, _)| name.as_str())
            .collect();
        let known = match closest(name, callees.iter().copied()) {
            Some(meant) => format!("; did you mean `{}`?", printable(meant)),
            None if callees.is_empty() => "; it calls nobody".to_owned(),
            None => format!("; it may call {}", callees.join(", ")),
        };
        let message = format!("\"{}\" is not called from here{known}", printable(name));
        return Err(path.at("calls").key(name).problem(message));
    }
    Ok(())
}

fn of_queue(data_center: &DataCenter, queue: &Queue, path: &Path) -> Result<(), Problem> {
    let Some(name) = &queue.dead_letter else { return Ok(()) };
    let path = path.at("dead_letter");
    let to = target(data_center, name, &path, is_queue, "dead messages go to a queue")?;
    match to {
        Service::Queue(to) if to.style == Style::Log => Err(path.problem(format!(
            "\"{name}\" is a log; dead messages go to a queue of style Work"
        ))),
        _ => Ok(()),
    }
}

fn of_consumer(data_center: &DataCenter, consumer: &Consumer, path: &Path) -> Result<(), Problem> {
    target(
        data_center,
        &consumer.of,
        &path.at("of"),
        is_queue,
        "workers take from a queue",
    )?;
    if let Some(name) = &consumer.database {
        let needed = "results go to a database";
        let to = target(data_center, name, &path.at("database"), is_database, needed)?;
        if consumer.delivery == Delivery::EffectivelyOnce
            && let Service::Database(to) = to
            && to.replication.peers().is_some()
        {
            let message = format!(
                "\"{name}\" has several primaries, and none knows the keys that another one has seen: a result could be written twice"
            );
            return Err(path.at("delivery").problem(message));
        }
    }
    let is_callee = |name: &str, _: &Service| name == consumer.of || consumer.database.as_deref() == Some(name);
    callees(data_center, &consumer.calls, is_callee, path)
}

/// Queues that somebody takes from, or that forget by themselves; dead letters that arrive somewhere.
pub(super) fn queues(data_center: &DataCenter, services: &Path) -> Result<(), Problem> {
    let queues = || {
        data_center.services.iter().filter_map(|(name, service)| match service {
            Service::Queue(queue) => Some((name, queue)),
            _ => None,
        })
    };
    for (name, queue) in queues() {
        let path = services.at(name);
        let buried = |other: &Queue| other.dead_letter.as_ref() == Some(name);
        let kept_for_people = queues().any(|(_, other)| buried(other));
        if data_center.consumers_of(name).next().is_none() && !kept_for_people && queue.retention.is_none() {
            let message = format!(
                "nobody takes from \"{name}\", and nothing leaves it: add a Consumer(of: \"{name}\"), or a `retention`"
            );
            return Err(services.key(name).problem(message));
        }
        let mut way = vec![name];
        let mut next = queue.dead_letter.as_ref();
        while let Some(to) = next {
            if to == name && way.len() == 1 {
                let message = "a queue can't be its own dead-letter queue: dead messages would come back for ever";
                return Err(path.at("dead_letter").problem(message));
            }
            if way.contains(&to) {
                let names: Vec<&str> = way.iter().map(|name| name.as_str()).collect();
                let message = format!(
                    "dead letters would go round in a circle: {} -> {to}",
                    names.join(" -> ")
                );
                return Err(path.at("dead_letter").problem(message));
            }
            way.push(to);
            next = match data_center.services.get(to) {
                Some(Service::Queue(queue)) => queue.dead_letter.as_ref(),
                _ => None,
            };
        }
    }
    Ok(())
}

/// A cache that asks a database must know which.
pub(super) fn caches(data_center: &DataCenter, services: &Path) -> Result<(), Problem> {
    for (name, service) in &data_center.services {
        if let Service::Cache(cache) = service
            && cache.strategy.loads_through()
            && data_center.databases_behind(name).is_empty()
        {
            let message = format!(
                "the cache asks the database of the pages that use it, and none do; write `cache: \"{name}\"` in a Web or Serverless service that has a database"
            );
            return Err(services.at(name).at("strategy").problem(message));
        }
    }
    Ok(())
}

/// What a service is, in words.
pub(super) fn noun(service: &Service) -> &'static str {
    match service {
        Service::LoadBalancer(_) => "a load balancer",
        Service::Web(_) => "a web service",
        Service::Serverless(_) => "a service of functions",
        Service::SessionStore(_) => "a session store",
        Service::Database(_) => "a database",
        Service::Cache(_) => "a cache",
        Service::Queue(_) => "a queue",
        Service::Consumer(_) => "workers",
    }
}

/// What a load balancer may have behind it.
fn is_balanced(service: &Service) -> bool {
    matches!(
        service,
        Service::Web(_) | Service::Serverless(_) | Service::LoadBalancer(_)
    )
}

fn is_database(service: &Service) -> bool {
    matches!(service, Service::Database(_))
}

fn is_cache(service: &Service) -> bool {
    matches!(service, Service::Cache(_))
}

fn is_queue(service: &Service) -> bool {
    matches!(service, Service::Queue(_))
}

fn is_store(service: &Service) -> bool {
    matches!(service, Service::SessionStore(_))
}

/// The service of this name, of a kind that `fits`; if there is none, one is suggested, and if it is of another kind, what is
/// `needed` is said.
fn target<'a>(
    data_center: &'a DataCenter,
    name: &str,
    path: &Path,
    fits: impl Fn(&Service) -> bool,
    needed: &str,
) -> Result<&'a Service, Problem> {
    match data_center.services.get(name) {
        Some(found) if fits(found) => Ok(found),
        Some(found) => Err(path.problem(format!("\"{name}\" is {}; {needed}", noun(found)))),
        None => {
            let fitting: Vec<&str> = data_center
                .services
                .iter()
                .filter(|(_, service)| fits(service))
                .map(|(name, _)| name.as_str())
                .collect();
            let known = suggestion(name, fitting);
            Err(path.problem(format!("there is no service \"{}\"{known}", printable(name))))
        }
    }
}

/// Refuses balancers that lead in a circle. References have been checked. Every balancer is followed once.
pub(super) fn balancer_cycles(data_center: &DataCenter, services: &Path) -> Result<(), Problem> {
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
