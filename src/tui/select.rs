//! What can be selected, what it is called, and where the cursor goes.

use ratatui::layout::Rect;

use crate::observe::{Frame, Kind, LinkKind, Topology};

use super::map::Plan;
use super::text;

/// Something that can be selected, by its place in the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A data center.
    Site(usize),
    /// The machine that several services share: that of this service.
    Host(usize),
    /// A service.
    Service(usize),
    /// An instance of a service.
    Instance(usize, usize),
}

/// A way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the left.
    Left,
    /// Down.
    Down,
    /// Up.
    Up,
    /// To the right.
    Right,
}

impl Item {
    /// The selector that names it, if it exists.
    pub fn selector(self, topology: &Topology) -> Option<&str> {
        match self {
            Item::Site(site) => topology.sites.get(site).map(|site| site.name.as_str()),
            Item::Host(service) => {
                let only = topology.services.get(service)?.instances.first();
                only.map(|instance| instance.machine.as_str())
            }
            Item::Service(service) => topology.services.get(service).map(|service| service.selector.as_str()),
            Item::Instance(service, instance) => {
                let service = topology.services.get(service)?;
                service
                    .instances
                    .get(instance)
                    .map(|instance| instance.selector.as_str())
            }
        }
    }

    /// The service that it is, or belongs to.
    pub fn service(self) -> Option<usize> {
        match self {
            Item::Site(_) | Item::Host(_) => None,
            Item::Service(service) | Item::Instance(service, _) => Some(service),
        }
    }

    /// What it is called, for the footer.
    pub fn title(self, topology: &Topology) -> String {
        self.selector(topology).unwrap_or("nothing").to_string()
    }

    /// What a command hits when this is selected. A service with one instance is that instance.
    pub fn kind(self, topology: &Topology) -> Option<Kind> {
        self.service()
            .and_then(|service| topology.services.get(service))
            .map(|service| service.kind)
    }

    /// The same thing in another shape of the world; its service if the instance has left.
    pub fn follow(self, before: &Topology, after: &Topology) -> Option<Item> {
        let selector = self.selector(before)?;
        if let Item::Site(_) = self {
            return after
                .sites
                .iter()
                .position(|site| site.name == selector)
                .map(Item::Site);
        }
        let (Item::Host(own) | Item::Service(own) | Item::Instance(own, _)) = self else {
            return None;
        };
        let named = before.services.get(own)?;
        let service = after.services.iter().position(|service| {
            service.name == named.name
                && service.site.is_some() == named.site.is_some()
                && site_name(after, service.site) == site_name(before, named.site)
        })?;
        match self {
            Item::Host(_) => return Some(Item::Host(service)),
            Item::Instance(..) => {}
            _ => return Some(Item::Service(service)),
        }
        let instance = after.services[service]
            .instances
            .iter()
            .position(|instance| instance.selector == selector);
        Some(instance.map_or(Item::Service(service), |instance| Item::Instance(service, instance)))
    }

    /// Itself, or, where it is a service because its machine has left and the machines are what is shown, the one that stands in the machine's place.
    #[must_use]
    pub fn beside(self, before: Item, shown: bool, topology: &Topology) -> Item {
        let (Item::Service(service), Item::Instance(_, place), true) = (self, before, shown) else {
            return self;
        };
        let count = topology.services.get(service).map_or(0, |info| info.instances.len());
        count
            .checked_sub(1)
            .map_or(self, |last| Item::Instance(service, place.min(last)))
    }

    /// Where it goes when one goes in.
    pub fn inside(self, topology: &Topology) -> Option<Item> {
        match self {
            Item::Site(site) => topology
                .services
                .iter()
                .position(|service| service.site == Some(site))
                .map(Item::Service),
            Item::Host(service) => Some(Item::Service(service)),
            Item::Service(service) => {
                let any = topology
                    .services
                    .get(service)
                    .is_some_and(|service| !service.instances.is_empty());
                any.then_some(Item::Instance(service, 0))
            }
            Item::Instance(..) => None,
        }
    }

    /// Where it goes when one goes out.
    pub fn outside(self, topology: &Topology) -> Option<Item> {
        match self {
            Item::Site(_) => None,
            Item::Service(service) if shared(topology, service) => Some(Item::Host(service)),
            Item::Host(service) | Item::Service(service) => topology.services.get(service)?.site.map(Item::Site),
            Item::Instance(service, _) => Some(Item::Service(service)),
        }
    }
}

/// Whether a service shares its machine with another one.
pub fn shared(topology: &Topology, service: usize) -> bool {
    let Some([only]) = topology
        .services
        .get(service)
        .map(|service| service.instances.as_slice())
    else {
        return false;
    };
    let others = topology
        .services
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != service);
    others
        .flat_map(|(_, other)| &other.instances)
        .any(|instance| instance.machine == only.machine)
}

fn site_name(topology: &Topology, site: Option<usize>) -> Option<&str> {
    site.and_then(|site| topology.sites.get(site))
        .map(|site| site.name.as_str())
}

/// Where the cursor stands at first: on a web server behind a balancer, on the first web server or the machine that it shares, on
/// functions, or on whatever there is.
pub fn first(frame: &Frame) -> Item {
    let topology = &frame.topology;
    let webs = |service: &usize| matches!(topology.services[*service].kind, Kind::Web | Kind::Serverless);
    let all = || 0..topology.services.len();
    let behind = |service: &usize| {
        topology.links.iter().any(|link| {
            link.to == *service
                && link.kind == LinkKind::Requests
                && topology.services[link.from].kind == Kind::LoadBalancer
        })
    };
    // Of several data centers, that of the first population.
    let home = topology.services.iter().find_map(|service| service.home);
    let away = |service: &usize| home.is_some() && topology.services[*service].site != home;
    let web = all()
        .filter(webs)
        .filter(behind)
        .min_by_key(|service| (away(service), *service))
        .or_else(|| all().find(webs))
        .or_else(|| all().next());
    match web {
        Some(service) if shared(topology, service) => Item::Host(service),
        Some(service) if topology.services[service].instances.is_empty() => Item::Service(service),
        Some(service) => Item::Instance(service, 0),
        None => Item::Site(0),
    }
}

/// The item that is drawn first, at the top left, or the one that is drawn last.
pub fn end(plan: &Plan, first: bool) -> Option<Item> {
    let places = plan.items.iter().map(|(item, area)| (area.y, area.x, *item));
    let found = if first { places.min() } else { places.max() };
    found.map(|(_, _, item)| item)
}

/// Where an item is for the arrows. A frame is where its name stands, else it would lie between all that is in it and all above.
fn spot(topology: &Topology, item: Item, area: Rect) -> Rect {
    let framed = matches!(item, Item::Site(_) | Item::Host(_));
    let name = item
        .selector(topology)
        .filter(|_| framed)
        .map(|name| text::width(name) + 2);
    Rect {
        width: name.map_or(area.width, |name| area.width.min(name)),
        ..area
    }
}

/// The nearest item on the map in a direction, in whatever frame it is. From what has no place there, the first one.
pub fn step(plan: &Plan, topology: &Topology, from: Item, way: Way) -> Option<Item> {
    let Some((_, start)) = plan.items.iter().find(|(item, _)| *item == from) else {
        return end(plan, true);
    };
    let start = spot(topology, from, *start);
    let distance = |area: Rect| -> Option<(bool, i32)> {
        let (ahead, aside) = match way {
            Way::Left => (
                i32::from(start.x) - i32::from(area.right()) + 1,
                gap(start.y, start.bottom(), area.y, area.bottom()),
            ),
            Way::Right => (
                i32::from(area.x) - i32::from(start.right()) + 1,
                gap(start.y, start.bottom(), area.y, area.bottom()),
            ),
            Way::Up => (
                i32::from(start.y) - i32::from(area.bottom()) + 1,
                gap(start.x, start.right(), area.x, area.right()),
            ),
            Way::Down => (
                i32::from(area.y) - i32::from(start.bottom()) + 1,
                gap(start.x, start.right(), area.x, area.right()),
            ),
        };
        // Up and down stay in the column if they can. Characters are about twice as high as wide.
        let (beside, ahead_weight, aside_weight) = match way {
            Way::Up | Way::Down => (aside > 0, 2, 3),
            Way::Left | Way::Right => (false, 1, 6),
        };
        (ahead > 0).then(|| (beside, ahead * ahead_weight + aside * aside_weight))
    };
    plan.items
        .iter()
        .filter(|(item, _)| *item != from)
        .filter_map(|(item, area)| distance(spot(topology, *item, *area)).map(|distance| (distance, *item)))
        .min()
        .map(|(_, item)| item)
}

/// How far two intervals are apart; 0 when they overlap.
fn gap(a_start: u16, a_end: u16, b_start: u16, b_end: u16) -> i32 {
    let (a_start, a_end, b_start, b_end) = (
        i32::from(a_start),
        i32::from(a_end),
        i32::from(b_start),
        i32::from(b_end),
    );
    (b_start - a_end + 1).max(a_start - b_end + 1).max(0)
}

/// Items whose selector contains a text, in the order of the map.
pub fn matching(plan: &Plan, topology: &Topology, text: &str) -> Vec<Item> {
    let text = text.to_lowercase();
    plan.items
        .iter()
        .map(|(item, _)| *item)
        .filter(|item| {
            item.selector(topology)
                .is_some_and(|name| name.to_lowercase().contains(&text))
        })
        .collect()
}
