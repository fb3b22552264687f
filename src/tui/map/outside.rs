//! What stands outside of the data centers: users, each with the resolver that asks for them, DNS, and CDNs with their shields.

use ratatui::layout::Rect;

use crate::observe::{Kind, LinkKind, Topology};

use super::layout::{Card, Density, Plan, card, card_size, gap};

/// Users and their resolver, if they have one.
struct Household {
    users: usize,
    resolver: Option<usize>,
}

/// All that stands outside.
struct Outside {
    households: Vec<Household>,
    dns: Vec<usize>,
    /// CDNs that stand in the column of the users, each before its shield.
    cdns: Vec<usize>,
    /// Columns that a card has.
    width: u16,
    density: Density,
    /// Whether there is a line for each resolver.
    resolvers: bool,
}

fn of(topology: &Topology, kind: Kind) -> Vec<usize> {
    let services = topology.services.iter().enumerate();
    let found = services.filter(|(_, service)| service.kind == kind);
    found.map(|(index, _)| index).collect()
}

fn household(topology: &Topology, users: usize) -> Household {
    let asked = topology
        .links
        .iter()
        .filter(|link| link.from == users && link.kind == LinkKind::Lookups);
    let resolver = asked
        .map(|link| link.to)
        .find(|to| topology.services[*to].kind == Kind::Resolver);
    Household { users, resolver }
}

/// CDNs, each before its shield.
fn cdns(topology: &Topology) -> Vec<usize> {
    let shield = |cdn: usize| {
        let asked = topology
            .links
            .iter()
            .filter(move |link| link.from == cdn)
            .map(|link| link.to);
        asked.into_iter().find(|to| topology.services[*to].kind == Kind::Shield)
    };
    let mut found = Vec::new();
    for cdn in of(topology, Kind::Cdn) {
        found.push(cdn);
        found.extend(shield(cdn));
    }
    found
}

/// Whether all of it finds room in a single column, each card with a border.
pub(super) fn fits_joint(topology: &Topology, height: u16) -> bool {
    let cdns = cdns(topology);
    if cdns.is_empty() {
        return true;
    }
    let outside = Outside {
        density: Density::Grid,
        ..Outside::new(topology, cdns, 14)
    };
    outside.height(topology) <= height
}

impl Outside {
    fn new(topology: &Topology, cdns: Vec<usize>, width: u16) -> Outside {
        let users = of(topology, Kind::Users);
        Outside {
            households: users.into_iter().map(|users| household(topology, users)).collect(),
            dns: of(topology, Kind::Dns),
            cdns,
            width,
            density: Density::Bare,
            resolvers: false,
        }
    }

    /// As much of it as fits into a height: cards as large as they can be, then lines for resolvers.
    fn fitting(topology: &Topology, cdns: Vec<usize>, width: u16, height: u16) -> Outside {
        let mut outside = Outside::new(topology, cdns, width);
        for density in [Density::Bare, Density::Grid, Density::Rows] {
            for resolvers in [false, true] {
                let before = (outside.density, outside.resolvers);
                (outside.density, outside.resolvers) = (density, resolvers);
                if outside.height(topology) > height {
                    (outside.density, outside.resolvers) = before;
                }
            }
        }
        outside
    }

    fn foot(&self, household: &Household) -> u16 {
        u16::from(self.resolvers && household.resolver.is_some())
    }

    fn users_height(&self, household: &Household) -> u16 {
        let own = match self.density {
            Density::Rows => 5,
            Density::Grid => 4,
            Density::Bare | Density::Slim | Density::Line => 2,
        };
        own + self.foot(household)
    }

    fn dns_height(&self) -> u16 {
        match self.density {
            Density::Rows => 4,
            Density::Grid => 3,
            Density::Bare | Density::Slim | Density::Line => 2,
        }
    }

    /// The height of a CDN or a shield.
    fn cdn_height(&self, topology: &Topology, service: usize) -> u16 {
        card_size(topology, service, self.width, self.density, u16::MAX).1
    }

    fn height(&self, topology: &Topology) -> u16 {
        let cdns: u16 = self.cdns.iter().map(|cdn| self.cdn_height(topology, *cdn) + 1).sum();
        let users: u16 = self.households.iter().map(|users| self.users_height(users)).sum();
        let dns = self.dns.len() as u16;
        // A line between users and DNS for the dotted way between them.
        users
            + cdns
            + dns * (self.dns_height() + 1)
            + gap(self.density) * self.households.len().saturating_sub(1) as u16
    }
}

/// Users beside what they call, DNS below the first of them, CDNs in a column of their own or below the users.
pub(super) fn place(topology: &Topology, (x, width): (u16, u16), apart: Option<(u16, u16)>, plan: &mut Plan) {
    if let Some(column) = apart {
        column_of_cdns(topology, column, plan);
    }
    let joint = if apart.is_some() { Vec::new() } else { cdns(topology) };
    let outside = Outside::fitting(topology, joint, width, plan.room.1);
    if !outside.cdns.is_empty() {
        return in_one_column(topology, &outside, x, plan);
    }
    let density = outside.density;
    let total = outside.height(topology);
    let mut order: Vec<(u16, &Household)> = outside
        .households
        .iter()
        .map(|household| (wanted(topology, household.users, plan), household))
        .collect();
    order.sort_by_key(|(middle, household)| (*middle, household.users));
    let mut queue: Vec<(u16, usize, u16, Option<&Household>)> = Vec::new();
    for (index, (middle, household)) in order.into_iter().enumerate() {
        let height = outside.users_height(household);
        let top = middle.saturating_sub(height / 2);
        queue.push((top, household.users, height, Some(household)));
        if index == 0 {
            let roomy = total + 1 < plan.room.1 && density == Density::Rows;
            let below = top + height + u16::from(roomy);
            queue.extend(outside.dns.iter().map(|dns| (below, *dns, outside.dns_height(), None)));
        }
    }
    let roomy = total + outside.dns.len() as u16 + 2 <= plan.room.1 && density == Density::Rows;
    let between = |household: Option<&Household>| match household {
        None => 1 + u16::from(roomy),
        Some(_) => gap(density),
    };
    let mut rest: u16 = queue
        .iter()
        .map(|(_, _, height, household)| height + between(*household))
        .sum();
    let mut y = 0;
    for (wish, service, height, household) in queue {
        let apart = between(household);
        let latest = plan.room.1.saturating_sub(rest - apart.min(rest));
        let least = if y == 0 { 0 } else { y + apart };
        y = wish.min(latest).max(least);
        rest -= height + apart;
        let area = Rect::new(x, y, width, height);
        plan.cards.extend(cards(topology, &outside, service, area, household));
        y += height;
    }
}

/// CDNs in a column of their own, in the middle of the height, as large as they can be.
fn column_of_cdns(topology: &Topology, (x, width): (u16, u16), plan: &mut Plan) {
    let all = cdns(topology);
    let sizes = |density| -> Vec<(Density, u16)> {
        let size = |service: &usize| card_size(topology, *service, width, density, u16::MAX);
        all.iter().map(size).collect()
    };
    let tall = |density| sizes(density).iter().map(|size| size.1 + 1).sum::<u16>();
    let density = [Density::Rows, Density::Grid]
        .into_iter()
        .find(|density| tall(*density) <= plan.room.1 + 1)
        .unwrap_or(Density::Bare);
    let inner = plan.sites.iter().map(|site| site.bottom()).max().unwrap_or(plan.room.1);
    let mut y = (inner + 1).saturating_sub(tall(density)) / 2;
    for (service, (density, height)) in all.iter().zip(sizes(density)) {
        plan.cards
            .push(card(topology, *service, Rect::new(x, y, width, height), density));
        y += height + 1;
    }
}

/// DNS above a single population, so that nothing stands between that and its CDN; else the populations around DNS, and CDNs below them.
fn in_one_column(topology: &Topology, outside: &Outside, x: u16, plan: &mut Plan) {
    let room = plan.room.1.saturating_sub(outside.height(topology));
    let mut y = room / 2;
    let alone = outside.households.len() == 1;
    let first = outside.dns.iter().map(|dns| (*dns, outside.dns_height(), None));
    let users = outside
        .households
        .iter()
        .map(|household| (household.users, outside.users_height(household), Some(household)));
    let mut queue: Vec<(usize, u16, Option<&Household>)> = first.chain(users).collect();
    if !alone && queue.len() > outside.dns.len() {
        queue[..=outside.dns.len()].rotate_right(1);
    }
    for (service, height, household) in queue {
        let area = Rect::new(x, y, outside.width, height);
        plan.cards.extend(cards(topology, outside, service, area, household));
        y += height + 1;
    }
    for cdn in &outside.cdns {
        let (density, height) = card_size(topology, *cdn, outside.width, outside.density, u16::MAX);
        plan.cards
            .push(card(topology, *cdn, Rect::new(x, y, outside.width, height), density));
        y += height + 1;
    }
}

/// Where users would stand at best: beside what they call.
fn wanted(topology: &Topology, users: usize, plan: &Plan) -> u16 {
    let home = topology.services[users].home;
    let at_home = |to: usize| home.is_none() || topology.services[to].site == home;
    let called = topology
        .links
        .iter()
        .filter(|link| link.from == users && at_home(link.to));
    called
        .filter_map(|link| plan.cards.iter().find(|card| card.service == link.to))
        .map(|card| card.area.y + card.area.height / 2)
        .min()
        .unwrap_or(plan.room.1 / 2)
}

/// The card of users or of DNS, and the line of a resolver in it.
fn cards(
    topology: &Topology,
    outside: &Outside,
    service: usize,
    area: Rect,
    household: Option<&Household>,
) -> Vec<Card> {
    // A bordered card of DNS has a line for its machine at either density.
    let lined = outside.density == Density::Grid && household.is_none();
    let density = if lined { Density::Rows } else { outside.density };
    let mut own = card(topology, service, area, density);
    let bordered = u16::from(outside.density != Density::Bare);
    if bordered > 0 {
        own.cells.truncate(usize::from(area.height - 2));
    }
    own.foot = household.map_or(0, |household| outside.foot(household));
    let line = Rect {
        x: area.x + bordered,
        y: area.bottom() - 1 - bordered,
        width: area.width - 2 * bordered,
        height: 1,
    };
    let resolver = household
        .and_then(|household| household.resolver)
        .filter(|_| own.foot > 0);
    let resolver = resolver.map(|resolver| card(topology, resolver, line, Density::Line));
    std::iter::once(own).chain(resolver).collect()
}
