//! What the selectors of a script name in a layout.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::model::{Command, Selector};
use super::routing;
use super::selector::{is_number, matches};
use super::setting::Setting;
use super::wanted::Wanted;
use crate::layout::{
    DataCenter, Layout, Routing, Rule, Service, autoscaler_of, monitor_of, printable, shield_of, suggestion,
};

/// Something that a selector can name, instances left out.
struct Thing<'a> {
    full_name: String,
    kind: Kind<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Users,
    /// Whether it checks addresses.
    Dns {
        checked: bool,
    },
    /// Of a population's region.
    Resolver,
    /// Whether users can connect to it.
    Site {
        open: bool,
    },
    /// Of a data center.
    Zone,
    Host,
    /// With its data center.
    Service(&'a DataCenter, &'a Service),
    /// Of a web service, or of workers.
    Autoscaler,
    /// Those of a database, so many.
    Monitor(u32),
    /// A content delivery network with so many edges.
    Cdn(u32),
    /// Of a content delivery network.
    Shield,
}

impl Kind<'_> {
    /// The word for it in the table of settings.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Users => "users",
            Kind::Dns { .. } => "dns",
            Kind::Resolver => "resolver",
            Kind::Site { .. } => "data center",
            Kind::Zone => "zone",
            Kind::Host => "host",
            Kind::Service(_, service) => service.kind(),
            Kind::Autoscaler => "autoscaler",
            Kind::Monitor(_) => "monitor",
            Kind::Cdn(_) => "cdn",
            Kind::Shield => "shield",
        }
    }
}

/// All things of a layout, found by name.
struct Things<'a> {
    layout: &'a Layout,
    all: Vec<Thing<'a>>,
    /// Indices by full name and by the name without the data center.
    by_name: BTreeMap<String, Vec<usize>>,
}

impl<'a> Things<'a> {
    /// What [`matches`] says of all, without asking all where the selector names them without `*`.
    fn matching(&self, selector: &Selector) -> Vec<&Thing<'a>> {
        if selector.0.contains('*') {
            return self
                .all
                .iter()
                .filter(|thing| matches(selector, &thing.full_name))
                .collect();
        }
        let indices = self.by_name.get(&selector.0).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|index| &self.all[*index]).collect()
    }

    /// A database of several data centers in all of them, or else the thing alone.
    fn whole(&self, thing: &Thing) -> Vec<&Thing<'a>> {
        let (site, name) = thing.full_name.split_once('/').unwrap_or(("", &thing.full_name));
        let nodes = self.layout.nodes_of(site, name);
        let names = nodes.iter().map(|(site, _)| format!("{site}/{name}"));
        names
            .flat_map(|full_name| self.matching(&Selector(full_name)))
            .collect()
    }

    /// Whether these services, and no more than so many names, are what one database of several data centers has in them.
    fn is_one_database(&self, things: &[&Thing], names: usize) -> bool {
        let [first, ..] = things else { return false };
        let name_of = |thing: &Thing| thing.full_name.split_once('/').map(|(_, name)| name.to_owned());
        let name = name_of(first);
        let database = name.as_deref().and_then(|name| self.layout.databases.get(name));
        let are_whole = names == things.len() && things.iter().all(|thing| name_of(thing) == name);
        are_whole && database.is_some_and(|nodes| nodes.len() == things.len())
    }
}

/// The index of the first command with a selector that names nothing, or several things without saying so; with what is wrong.
///
/// What comes behind a command that adds, removes or connects services is about the layout as it is then.
pub(super) fn check(commands: &[&Command], layout: &Layout) -> Result<(), (usize, String)> {
    let Some(edit) = commands.iter().position(|command| command.is_edit()) else {
        return check_all(commands, layout);
    };
    check_all(&commands[..edit], layout)?;
    let mut layout = Cow::Borrowed(layout);
    for command in &commands[..=edit] {
        match command.edited(&layout) {
            Ok(Some(changed)) => layout = Cow::Owned(changed),
            Err(error) if command.is_edit() => return Err((edit, error.0)),
            Ok(None) | Err(_) => {}
        }
    }
    let rest = check(&commands[edit + 1..], &layout);
    rest.map_err(|(index, message)| (edit + 1 + index, message))
}

fn check_all(commands: &[&Command], layout: &Layout) -> Result<(), (usize, String)> {
    let things = things(layout);
    let instances = most_instances(commands, &things);
    let mut known: BTreeMap<(&Selector, Wanted), Result<(), String>> = BTreeMap::new();
    for (index, command) in commands.iter().enumerate() {
        let wanted = Wanted::by(command);
        order(command, layout).map_err(|message| (index, message))?;
        for selector in command.selectors() {
            let found = known
                .entry((selector, wanted))
                .or_insert_with(|| resolve(selector, wanted, &things, &instances));
            found.clone().map_err(|message| (index, message))?;
        }
    }
    Ok(())
}

/// Whether the data centers by which conflicts are decided, or that users are sent to, are there.
fn order(command: &Command, layout: &Layout) -> Result<(), String> {
    let sites = match command {
        Command::Set(_, Setting::Rule(Rule::SitePriority(sites))) => sites.iter().map(String::as_str).collect(),
        Command::Set(_, Setting::Routing(Routing::Geo | Routing::Latency)) if layout.regions.is_empty() => {
            return Err("nobody knows who is near without `regions` in the layout".to_owned());
        }
        Command::Set(_, Setting::Routing(policy)) => routing::sites(policy),
        _ => return Ok(()),
    };
    let known = || layout.data_centers.keys().map(String::as_str);
    match sites.into_iter().find(|site| !layout.data_centers.contains_key(*site)) {
        None => Ok(()),
        Some(site) => {
            let known = suggestion(site, known().collect::<Vec<_>>());
            Err(format!("there is no data center \"{}\"{known}", printable(site)))
        }
    }
}

fn things(layout: &Layout) -> Things<'_> {
    let mut all = vec![Thing {
        full_name: "dns".to_owned(),
        kind: Kind::Dns {
            checked: layout.dns.health.is_some(),
        },
    }];
    let mut add = |full_name: String, kind| all.push(Thing { full_name, kind });
    for name in layout.users.keys() {
        add(name.clone(), Kind::Users);
        add(layout.resolver_of(name), Kind::Resolver);
    }
    for (name, cdn) in &layout.cdns {
        add(name.clone(), Kind::Cdn(cdn.edges.len() as u32));
        if cdn.shield {
            add(shield_of(name), Kind::Shield);
        }
    }
    for (site, data_center) in &layout.data_centers {
        let open = data_center.entry().is_some();
        add(site.clone(), Kind::Site { open });
        for zone in (1..=data_center.zones).filter(|_| data_center.zones > 1) {
            add(format!("{site}/zone-{zone}"), Kind::Zone);
        }
        for host in data_center.hosts.keys() {
            add(format!("{site}/{host}"), Kind::Host);
        }
        for (name, service) in &data_center.services {
            add(format!("{site}/{name}"), Kind::Service(data_center, service));
        }
        for (web, _) in data_center.autoscalers() {
            add(format!("{site}/{}", autoscaler_of(web)), Kind::Autoscaler);
        }
        for (database, count) in layout.monitors(site) {
            add(format!("{site}/{}", monitor_of(database)), Kind::Monitor(count));
        }
    }
    let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, thing) in all.iter().enumerate() {
        by_name.entry(thing.full_name.clone()).or_default().push(index);
        if let Some((_, bare)) = thing.full_name.split_once('/') {
            by_name.entry(bare.to_owned()).or_default().push(index);
        }
    }
    Things { layout, all, by_name }
}

/// The most instances that each service has at any time of the script, by full name.
fn most_instances<'a>(commands: &[&Command], things: &'a Things) -> BTreeMap<&'a str, u32> {
    let mut most: BTreeMap<&str, u32> = BTreeMap::new();
    for thing in &things.all {
        match thing.kind {
            Kind::Service(_, service) => most.insert(&thing.full_name, service.most_instances()),
            Kind::Dns { .. } | Kind::Resolver | Kind::Autoscaler | Kind::Shield => most.insert(&thing.full_name, 1),
            Kind::Monitor(count) | Kind::Cdn(count) => most.insert(&thing.full_name, count),
            Kind::Users | Kind::Site { .. } | Kind::Zone | Kind::Host => None,
        };
    }
    most.extend(grown(commands, things));
    let mut scaled: BTreeMap<&Selector, u32> = BTreeMap::new();
    for command in commands {
        if let Command::Scale(selector, count) | Command::Set(selector, Setting::Max(count)) = command {
            let largest = scaled.entry(selector).or_default();
            *largest = (*largest).max(*count);
        }
    }
    for (selector, count) in scaled {
        for thing in things.matching(selector) {
            let name = match thing.kind {
                Kind::Service(_, Service::Web(_) | Service::Consumer(_)) => Some(thing.full_name.as_str()),
                Kind::Autoscaler => thing.full_name.strip_suffix("-autoscaler"),
                _ => None,
            };
            if let Some(most) = name.and_then(|name| most.get_mut(name)) {
                *most = (*most).max(count);
            }
        }
    }
    most
}

/// The nodes of databases that a script adds nodes or shards to, with all that it adds.
fn grown<'a>(commands: &[&Command], things: &'a Things) -> BTreeMap<&'a str, u32> {
    // Shards, and nodes of each.
    let mut sizes: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for command in commands {
        let (Command::Replicate(selector) | Command::Shard(selector)) = command else {
            continue;
        };
        let is_shard = matches!(command, Command::Shard(_));
        let mut hit = things.matching(selector);
        if is_shard {
            // A shard has nodes wherever the others have.
            let whole = hit.iter().flat_map(|thing| things.whole(thing));
            hit = whole.collect();
            hit.sort_by_key(|thing| &thing.full_name);
            hit.dedup_by_key(|thing| &thing.full_name);
        }
        for thing in hit {
            let Kind::Service(_, Service::Database(database)) = thing.kind else {
                continue;
            };
            let start = (database.shards(), database.machines);
            let (shards, nodes) = sizes.entry(&thing.full_name).or_insert(start);
            let grows = if is_shard { shards } else { nodes };
            *grows = grows.saturating_add(1);
        }
    }
    let all = sizes.into_iter();
    all.map(|(name, (shards, nodes))| (name, shards.saturating_mul(nodes)))
        .collect()
}

fn resolve(
    selector: &Selector,
    wanted: Wanted,
    things: &Things,
    instances: &BTreeMap<&str, u32>,
) -> Result<(), String> {
    let of = |selector: &Selector| -> Vec<&Thing> {
        things
            .matching(selector)
            .into_iter()
            .filter(|thing| wanted.takes(thing.kind))
            .collect()
    };
    let things_named = of(selector);
    let mut named: Vec<String> = things_named.iter().map(|thing| thing.full_name.clone()).collect();
    let mut meant = things_named.clone();
    let mut single = things_named.is_empty();
    if let Some((service, number)) = instance(selector)
        && wanted.takes_instances()
    {
        let owners: Vec<&Thing> = of(&service)
            .into_iter()
            .filter(|thing| instances.contains_key(thing.full_name.as_str()))
            .collect();
        let most = owners
            .iter()
            .filter_map(|thing| instances.get(thing.full_name.as_str()))
            .max()
            .copied();
        let exists = number.is_none_or(|number| (1..=u64::from(most.unwrap_or(0))).contains(&number));
        match most {
            Some(most) if !exists => return Err(missing_instance(&service, most)),
            _ => named.extend(owners.iter().map(|thing| match number {
                Some(number) => format!("{}/{number}", thing.full_name),
                None => format!("{}/*", thing.full_name),
            })),
        }
        single &= number.is_some() && owners.len() == 1;
        meant.extend(owners);
    }
    if let Some(first) = meant.first()
        && wanted.is_single()
        && !single
    {
        let name = &first.full_name;
        return Err(format!("`{selector}` is not a single node; name one, as in {name}/1"));
    }
    match named.as_slice() {
        [] => Err(unknown(selector, wanted, things)),
        [_] => suits(wanted, &meant),
        _ if selector.0.contains('*') || things.is_one_database(&things_named, named.len()) => suits(wanted, &meant),
        several => {
            let list = several[..several.len().min(5)].join(", ");
            Err(format!(
                "`{selector}` names several things: {list}; write the data center in front"
            ))
        }
    }
}

/// Whether one of these is as the command needs it.
fn suits(wanted: Wanted, things: &[&Thing]) -> Result<(), String> {
    let checks = || things.iter().map(|thing| wanted.check(&thing.full_name, thing.kind));
    if checks().any(|check| check.is_ok()) {
        return Ok(());
    }
    checks().collect()
}

/// Splits `dc/web/2` and `web/*` into the service and the number, `None` for all.
fn instance(selector: &Selector) -> Option<(Selector, Option<u64>)> {
    let (service, number) = selector.0.rsplit_once('/')?;
    let service = Selector(service.to_owned());
    if number == "*" {
        return Some((service, None));
    }
    // A number beyond u64 is beyond every instance.
    is_number(number).then(|| (service, Some(number.parse().unwrap_or(u64::MAX))))
}

fn missing_instance(service: &Selector, most: u32) -> String {
    match most {
        1 => format!("`{service}` has a single instance, {service}/1"),
        most => format!("`{service}` has the instances {service}/1 to {service}/{most}"),
    }
}

fn unknown(selector: &Selector, wanted: Wanted, things: &Things) -> String {
    let fitting = things
        .all
        .iter()
        .filter(|thing| wanted.takes(thing.kind))
        .map(|thing| thing.full_name.as_str());
    // What was written with its data center is compared with full names, the rest with bare ones.
    let mut written = selector.parts();
    let numbered = written.len() > 1 && written.last().is_some_and(|last| is_number(last));
    if numbered {
        written.pop();
    }
    let bare = |name: &'_ str| -> usize { name.rfind('/').map_or(0, |slash| slash + 1) };
    let known: Vec<&str> = if written.len() > 1 {
        fitting.collect()
    } else {
        fitting.map(|name| &name[bare(name)..]).collect()
    };
    format!(
        "{} is named `{selector}`{}",
        wanted.words(),
        suggestion(&written.join("/"), known)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    #[test]
    fn looking_names_up_agrees_with_matching_all_of_them() {
        let source = r#"(title: "t", users: {"people": (count: 1)}, data_centers: {
            "east": (hosts: {"box": ()}, services: {"web": Web(scale: (max: 3, target: Utilisation(0.6))), "lb": LoadBalancer(to: "web")}),
            "west": (services: {"web": Web(), "box": Web()}),
        })"#;
        let layout = layout::parse(source, "l.ron").unwrap();
        let things = things(&layout);
        let parts = [
            "east",
            "west",
            "web",
            "box",
            "lb",
            "people",
            "dns",
            "1",
            "nothing",
            "resolver",
            "web-autoscaler",
        ];
        let pairs = parts
            .iter()
            .flat_map(|first| parts.map(|second| format!("{first}/{second}")));
        for text in parts.iter().map(|part| (*part).to_owned()).chain(pairs) {
            let selector = Selector(text);
            let found: Vec<&str> = things
                .matching(&selector)
                .iter()
                .map(|thing| thing.full_name.as_str())
                .collect();
            let all = things.all.iter().map(|thing| thing.full_name.as_str());
            let expected: Vec<&str> = all.filter(|name| matches(&selector, name)).collect();
            assert_eq!(found, expected, "{selector}");
        }
    }
}
