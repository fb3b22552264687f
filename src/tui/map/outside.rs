//! What stands outside of the data centers: users, each with the resolver that asks for them, and DNS.

use ratatui::layout::Rect;

use crate::observe::{Kind, LinkKind, Topology};

use super::layout::{Card, Density, Plan, card, gap};

/// Users and their resolver, if they have one.
struct Household {
    users: usize,
    resolver: Option<usize>,
}

/// All that stands outside.
struct Outside {
    households: Vec<Household>,
    dns: Vec<usize>,
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

impl Outside {
    /// As much of it as fits into a height: cards as large as they can be, then lines for resolvers.
    fn fitting(topology: &Topology, height: u16) -> Outside {
        let users = of(topology, Kind::Users);
        let mut outside = Outside {
            households: users.into_iter().map(|users| household(topology, users)).collect(),
            dns: of(topology, Kind::Dns),
            density: Density::Bare,
            resolvers: false,
        };
        for density in [Density::Bare, Density::Grid, Density::Rows] {
            for resolvers in [false, true] {
                let before = (outside.density, outside.resolvers);
                (outside.density, outside.resolvers) = (density, resolvers);
                if outside.height() > height {
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
            Density::Bare | Density::Line => 2,
        };
        own + self.foot(household)
    }

    fn dns_height(&self) -> u16 {
        match self.density {
            Density::Rows => 4,
            Density::Grid => 3,
            Density::Bare | Density::Line => 2,
        }
    }

    fn height(&self) -> u16 {
        let users: u16 = self.households.iter().map(|users| self.users_height(users)).sum();
        let dns = self.dns.len() as u16;
        // A line between users and DNS for the dotted way between them.
        users + dns * (self.dns_height() + 1) + gap(self.density) * self.households.len().saturating_sub(1) as u16
    }
}

/// Users beside what they call, DNS below the first of them.
pub(super) fn place(topology: &Topology, (x, width): (u16, u16), plan: &mut Plan) {
    let outside = Outside::fitting(topology, plan.room.1);
    let density = outside.density;
    let total = outside.height();
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

/// Where users would stand at best: beside what they call.
fn wanted(topology: &Topology, users: usize, plan: &Plan) -> u16 {
    let called = topology.links.iter().filter(|link| link.from == users);
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
