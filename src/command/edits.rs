//! What commands change of a layout: services that come, go and are connected, and settings, all as changes of its text.

use std::collections::BTreeSet;

use super::kept;
use super::model::{Command, CommandError, Selector};
use super::selector::{is_number, matches, shown};
use super::setting::Setting;
use crate::layout::{Edit, Layout, Service, Sessions, service_text, suggestion};

/// Experiments and expectations that go with a service at most.
const MOST_LEFT_OUT: usize = 200;

/// A service of a layout.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub site: &'a str,
    pub name: &'a str,
    pub service: &'a Service,
}

impl Command {
    /// Whether it adds services, removes them, or changes who calls whom.
    pub fn is_edit(&self) -> bool {
        matches!(
            self,
            Command::Add(..) | Command::Remove(_) | Command::Connect(..) | Command::Disconnect(..)
        )
    }

    /// Whom a connection takes the place of, by name.
    pub fn replaces<'a>(&self, layout: &'a Layout) -> Option<&'a str> {
        let Command::Connect(from, to) = self else { return None };
        let (from, _, field) = ends(layout, from, to).ok()?;
        named(from.service, field)
    }

    /// The layout as it is when the command has been carried out; `None` if the command is none that a layout could say.
    ///
    /// # Errors
    /// In words: what it names is not there, or the layout would make no sense.
    pub fn edited(&self, layout: &Layout) -> Result<Option<Layout>, CommandError> {
        let edits = match self {
            Command::Add(place, service) => add(layout, place, service)?,
            Command::Remove(target) => return remove(layout, target).map(Some),
            Command::Connect(from, to) => connect(layout, from, to)?,
            Command::Disconnect(from, to) => disconnect(layout, from, to)?,
            // Who uploads needs somebody who publishes it: that is refused, not left out.
            Command::Set(_, Setting::Asks(_)) => kept::edits(self, layout).unwrap_or_default(),
            other => match kept::edits(other, layout) {
                // What can't be written is not kept; it has been done all the same.
                Some(edits) => return Ok(layout.edited(&edits).ok()),
                None => return Ok(None),
            },
        };
        changed(layout, &edits).map(Some)
    }
}

fn changed(layout: &Layout, edits: &[Edit]) -> Result<Layout, CommandError> {
    layout.edited(edits).map_err(|error| CommandError(error.message))
}

fn refuse<T>(message: impl Into<String>) -> Result<T, CommandError> {
    Err(CommandError(message.into()))
}

/// The services that a selector names.
pub(super) fn services<'a>(layout: &'a Layout, selector: &Selector) -> Vec<Spot<'a>> {
    let sites = layout.data_centers.iter();
    let all = sites.flat_map(|(site, center)| {
        center.services.iter().map(|(name, service)| Spot {
            site: site.as_str(),
            name: name.as_str(),
            service,
        })
    });
    all.filter(|spot| matches(selector, &format!("{}/{}", spot.site, spot.name)))
        .collect()
}

/// The one service that a selector names.
fn one<'a>(layout: &'a Layout, selector: &Selector) -> Result<Spot<'a>, CommandError> {
    match services(layout, selector)[..] {
        [spot] => Ok(spot),
        [] => {
            let names: BTreeSet<String> = services(layout, &Selector("*".to_owned()))
                .iter()
                .map(|spot| match layout.data_centers.len() {
                    1 => spot.name.to_owned(),
                    _ => format!("{}/{}", spot.site, spot.name),
                })
                .collect();
            if let Some((whole, _)) = of_machine(layout, selector) {
                return refuse(format!(
                    "`{}` is one machine of a service: name the whole service, `{}`",
                    shown(&selector.0),
                    shown(&whole.0)
                ));
            }
            let meant = suggestion(&selector.0, names.iter().map(String::as_str));
            refuse(format!("no service is called `{}`{meant}", shown(&selector.0)))
        }
        [first, ..] => refuse(format!(
            "`{}` names several services; write the data center in front, as in {}/{}",
            shown(&selector.0),
            first.site,
            first.name
        )),
    }
}

/// The service that a selector names a machine of, as it is named there; the first, if there are several.
fn of_machine<'a>(layout: &'a Layout, selector: &Selector) -> Option<(Selector, Spot<'a>)> {
    let (whole, _) = selector.0.rsplit_once('/').filter(|(_, number)| is_number(number))?;
    if whole.contains('*') {
        return None;
    }
    let whole = Selector(whole.to_owned());
    let spot = services(layout, &whole).first().copied()?;
    Some((whole, spot))
}

/// Why one machine is not removed, and what is done instead.
fn no_machine(layout: &Layout, target: &Selector, whole: &Selector, spot: Spot) -> String {
    let (machine, name) = (shown(&target.0), shown(&whole.0));
    let (count, on, scaled) = match spot.service {
        Service::Web(web) => (web.machines, &web.on, web.scale.is_some()),
        Service::Consumer(workers) => (workers.machines, &workers.on, workers.scale.is_some()),
        _ => (0, &None, false),
    };
    if services(layout, whole).len() > 1 && !layout.databases.contains_key(spot.name) {
        return format!(
            "`{machine}` is one machine of one of several services: write the data center in front, as in {}/{machine}",
            spot.site
        );
    }
    match on {
        None if scaled => {
            format!("`{machine}` is one machine of a service, and the autoscaler sets how many there are")
        }
        None if count > 1 => format!(
            "`{machine}` is one machine of a service; `scale {name} {}` leaves one less, and those that are down leave first",
            count - 1
        ),
        _ if layout.databases.contains_key(spot.name) => {
            format!("`{machine}` is one node of a database: take it out of the layout file instead")
        }
        _ => format!("`{machine}` is one machine of a service: what can be removed is the whole of it, `{name}`"),
    }
}

fn add(layout: &Layout, place: &Selector, service: &str) -> Result<Vec<Edit>, CommandError> {
    let mut sites = layout.data_centers.keys();
    let (site, name) = match place.parts()[..] {
        [name] => match (sites.next(), sites.next()) {
            (Some(only), None) => (only.as_str(), name),
            (Some(first), _) => return refuse(format!("say in which data center: `add {first}/{name} ..`")),
            _ => return refuse("there is no data center"),
        },
        [site, name] if !is_number(name) => (site, name),
        _ => return refuse(format!("`{}` is no name for a service", shown(&place.0))),
    };
    let Some(center) = layout.data_centers.get(site) else {
        let known = suggestion(site, layout.data_centers.keys().map(String::as_str));
        return refuse(format!("there is no data center `{}`{known}", shown(site)));
    };
    if center.services.contains_key(name) {
        return refuse(format!("there is a service `{}` already", shown(name)));
    }
    let service = service_text(service).map_err(CommandError)?;
    let mut path = layout.path_to_services(site);
    path.push(name.to_owned());
    Ok(vec![Edit::Put(path, service)])
}

/// Experiments and expectations that name what is gone go with it.
fn remove(layout: &Layout, target: &Selector) -> Result<Layout, CommandError> {
    if let Some((whole, spot)) = of_machine(layout, target) {
        return refuse(no_machine(layout, target, &whole, spot));
    }
    let spot = one(layout, target)?;
    if layout.databases.contains_key(spot.name) {
        return refuse(format!(
            "{} stands in several data centers: take its nodes out of the layout file instead",
            spot.name
        ));
    }
    if let Some((caller, needs)) = caller_of(layout, spot) {
        let way = if needs {
            format!("remove {caller} first, or connect it with another one")
        } else {
            format!(
                "`disconnect {caller} -> {}` first, or connect it with another one",
                spot.name
            )
        };
        return refuse(format!("{caller} calls {}: {way}", spot.name));
    }
    let mut edits = vec![Edit::Cut(layout.path_to_service(spot.site, spot.name))];
    loop {
        let left = changed(layout, &edits).and_then(|left| {
            super::experiments(&left, "").map_err(|error| CommandError(error.message))?;
            Ok(left)
        });
        match left {
            Ok(left) => return Ok(left),
            Err(error) => match at_fault(&error.0) {
                Some(path) if edits.len() < MOST_LEFT_OUT => edits.push(Edit::Cut(path)),
                _ => return Err(error),
            },
        }
    }
}

/// The experiment or the expectation that a complaint is about: `experiments[1].do[0]: ..`.
fn at_fault(message: &str) -> Option<Vec<String>> {
    let list = ["experiments", "expect"]
        .into_iter()
        .find(|list| message.starts_with(list))?;
    let index = message[list.len()..].strip_prefix('[')?.split(']').next()?;
    Some(vec![list.to_owned(), format!("[{index}]")])
}

/// A service of the same data center that calls this one, and whether it has nothing to do without.
fn caller_of(layout: &Layout, spot: Spot) -> Option<(String, bool)> {
    let others = layout.data_centers[spot.site].services.iter();
    let mut callers = others.filter(|(_, service)| {
        let called = ["to", "database", "cache", "queue", "sessions", "of", "dead_letter"];
        called.iter().any(|field| named(service, field) == Some(spot.name))
    });
    callers.next().map(|(name, service)| {
        let needs = ["to", "of"]
            .iter()
            .any(|field| named(service, field) == Some(spot.name));
        (name.clone(), needs)
    })
}

/// The service that a field of a service names.
fn named<'a>(service: &'a Service, field: &str) -> Option<&'a str> {
    match (service, field) {
        (Service::LoadBalancer(spec), "to") => Some(&spec.to),
        (Service::Web(_) | Service::Serverless(_), _) => {
            let pages = service.pages()?;
            match field {
                "database" => pages.database.as_deref(),
                "cache" => pages.cache.as_deref(),
                "queue" => pages.publish.as_ref().map(|publish| publish.to.as_str()),
                "sessions" => match &pages.sessions {
                    Sessions::Store(store) => Some(store),
                    _ => None,
                },
                _ => None,
            }
        }
        (Service::Consumer(spec), "of") => Some(&spec.of),
        (Service::Consumer(spec), "database") => spec.database.as_deref(),
        (Service::Queue(spec), "dead_letter") => spec.dead_letter.as_deref(),
        _ => None,
    }
}

/// The field of a service by which it calls another one, if it can.
fn field(from: &Service, to: &Service) -> Option<&'static str> {
    match (from, to) {
        (Service::LoadBalancer(_), Service::Web(_) | Service::Serverless(_) | Service::LoadBalancer(_)) => Some("to"),
        (Service::Web(_) | Service::Serverless(_) | Service::Consumer(_), Service::Database(_)) => Some("database"),
        (Service::Web(_) | Service::Serverless(_), Service::Cache(_)) => Some("cache"),
        (Service::Web(_) | Service::Serverless(_), Service::Queue(_)) => Some("queue"),
        (Service::Web(_) | Service::Serverless(_), Service::SessionStore(_)) => Some("sessions"),
        (Service::Consumer(_), Service::Queue(_)) => Some("of"),
        (Service::Queue(_), Service::Queue(_)) => Some("dead_letter"),
        _ => None,
    }
}

/// Both ends, the caller first: workers take from their queue, however the arrow was drawn.
fn ends<'a>(
    layout: &'a Layout,
    from: &Selector,
    to: &Selector,
) -> Result<(Spot<'a>, Spot<'a>, &'static str), CommandError> {
    let (from, to) = (one(layout, from)?, one(layout, to)?);
    let (from, to) = match (from.service, to.service) {
        (Service::Queue(_), Service::Consumer(_)) => (to, from),
        _ => (from, to),
    };
    if from.site != to.site {
        return refuse("services call those of their own data center; only databases reach across");
    }
    match field(from.service, to.service) {
        Some(field) => Ok((from, to, field)),
        None if matches!((from.service, to.service), (Service::Cache(_), Service::Database(_))) => {
            refuse("a cache stands before the database of the pages that use it: connect the web tier with both")
        }
        None => refuse(format!(
            "a {} does not call a {}",
            from.service.kind(),
            to.service.kind()
        )),
    }
}

fn connect(layout: &Layout, from: &Selector, to: &Selector) -> Result<Vec<Edit>, CommandError> {
    let (from, to, field) = ends(layout, from, to)?;
    if named(from.service, field) == Some(to.name) {
        return refuse(format!("{} calls {} already", from.name, to.name));
    }
    let mut path = layout.path_to_service(from.site, from.name);
    path.push(field.to_owned());
    let value = match field {
        "sessions" => format!("Store({:?})", to.name),
        _ => format!("{:?}", to.name),
    };
    let mut edits = without_calls(layout, from, field);
    edits.push(Edit::Put(path, value));
    Ok(edits)
}

fn disconnect(layout: &Layout, from: &Selector, to: &Selector) -> Result<Vec<Edit>, CommandError> {
    let (from, to, field) = ends(layout, from, to)?;
    if named(from.service, field) != Some(to.name) {
        return refuse(format!("{} does not call {}", from.name, to.name));
    }
    if matches!(field, "to" | "of") {
        return refuse(format!(
            "{} has nothing to do without {}: connect it with another one, or remove it",
            from.name, to.name
        ));
    }
    let mut path = layout.path_to_service(from.site, from.name);
    path.push(field.to_owned());
    let mut edits = without_calls(layout, from, field);
    edits.push(Edit::Cut(path));
    Ok(edits)
}

/// How it treats the one whom it no longer calls is said no more.
fn without_calls(layout: &Layout, from: Spot, field: &str) -> Vec<Edit> {
    let (Some(before), Service::Web(_) | Service::Serverless(_) | Service::Consumer(_)) =
        (named(from.service, field), from.service)
    else {
        return Vec::new();
    };
    let mut path = layout.path_to_service(from.site, from.name);
    path.extend(["calls".to_owned(), before.to_owned()]);
    vec![Edit::Cut(path)]
}
