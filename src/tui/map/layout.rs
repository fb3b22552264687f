//! Where everything stands: columns by tier, rows by data center.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use crate::observe::{Kind, LinkInfo, LinkKind, Topology};
use crate::tui::select::Item;

use super::route::{self, Edge};
use super::tiers::{self, INNER, Spread, widths};
use super::{grid, items, outside, sites};

/// How much room a card takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Density {
    /// A border, and a line for each instance.
    Rows,
    /// A border, and a cell for each instance.
    Grid,
    /// No border.
    Bare,
    /// A single row: the name, and cells beside it.
    Slim,
    /// A line within the card of another service.
    Line,
}

/// A service on the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Index of the service.
    pub service: usize,
    /// Where it stands.
    pub area: Rect,
    /// How much room it takes.
    pub density: Density,
    /// Where each instance stands.
    pub cells: Vec<Rect>,
    /// Rows at its bottom that belong to a card within it.
    pub foot: u16,
}

/// Where everything stands. Coordinates count from the map's upper left corner, and may go below its lower edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Columns and rows that were there to be filled.
    pub room: (u16, u16),
    /// Rows that were needed.
    pub height: u16,
    /// Services.
    pub cards: Vec<Card>,
    /// Data centers, by index.
    pub sites: Vec<Rect>,
    /// Machines that several services share, by name.
    pub hosts: Vec<(String, Rect)>,
    /// Ways between services.
    pub edges: Vec<Edge>,
    /// What can be selected, and where it is.
    pub items: Vec<(Item, Rect)>,
    /// The service that is shown alone, if one is: its machines, and nothing else.
    pub alone: Option<usize>,
}

/// The instances of a service stand in lines of their own up to this number.
const ROWS_AT_MOST: usize = 10;
/// Columns in which any map can be planned.
const LEAST: u16 = 120;
/// Space between two columns, at least and at most.
const GUTTER: (u16, u16) = (3, 16);

/// Services in one band of a data center: all with machines of their own, brokers among them, or those on one host.
pub(super) struct Band {
    host: Option<String>,
    services: Vec<usize>,
}

/// How wide each column is, and would be at best.
type Widths = BTreeMap<u8, (u16, u16)>;

/// Where the columns stand.
pub(super) struct Columns {
    /// For each tier that exists, its left edge and width; the first one is outside of the data centers.
    edges: BTreeMap<u8, (u16, u16)>,
    /// Left edge of the data centers.
    pub inner: u16,
    /// Right edge of the data centers, exclusive.
    pub right: u16,
    /// Rows of cells that a card without a border has at most.
    most: u16,
    /// How queues, workers and data share columns.
    pub spread: Spread,
}

impl Columns {
    /// Limits the rows of cells until all data centers fit into a height, as far as they can.
    fn squeeze(mut self, topology: &Topology, height: u16) -> Columns {
        let tall = |columns: &Columns| sites::heights(topology, columns, Density::Bare);
        self.most = height.max(1);
        while self.most > 1 && tall(&self) > height {
            self.most -= 1;
        }
        self
    }
}

/// Columns of the cell of an instance: a node that has copies needs one more, for the letter of its role.
fn wide(topology: &Topology, service: usize) -> u16 {
    let copies = |link: &LinkInfo| link.kind == LinkKind::Replication && (link.from == service || link.to == service);
    let info = &topology.services[service];
    let several = info.instances.len() > 1 || topology.links.iter().any(copies);
    1 + u16::from(info.kind == Kind::Database && several)
}

/// Plans the map of a topology for a number of columns and rows.
pub fn plan(topology: &Topology, width: u16, height: u16) -> Plan {
    let mut plan = Plan {
        room: (width, height),
        ..Plan::default()
    };
    let Some((density, columns)) = inner(topology, width, height) else {
        return plan;
    };
    sites::place(topology, &columns, density, &mut plan);
    if let Some(column) = columns.edges.get(&0) {
        outside::place(topology, *column, columns.edges.get(&1).copied(), &mut plan);
    }
    plan.cards.sort_by_key(|card| card.service);
    let lowest = plan
        .sites
        .iter()
        .chain(plan.cards.iter().map(|card| &card.area))
        .map(|area| area.bottom())
        .max();
    plan.height = lowest.unwrap_or(0);
    center(&mut plan);
    plan.edges = route::edges(topology, &plan);
    plan.items = items::items(topology, &plan);
    plan
}

/// The largest cards that fit: queues, workers and data from left to right where there is room for that, and CDNs in a column of their own
/// where they can have one, else in that of the users.
fn inner(topology: &Topology, width: u16, height: u16) -> Option<(Density, Columns)> {
    let apart = topology
        .services
        .iter()
        .any(|service| tiers::of_kind(service.kind) == 1);
    let apart: &[bool] = if apart { &[true, false] } else { &[false] };
    let spreads = tiers::spreads(topology);
    let ways = || {
        spreads
            .iter()
            .flat_map(|spread| apart.iter().map(|apart| (*apart, *spread)))
    };
    for way in ways() {
        // Without a column of their own they need rows.
        if !way.0 && !outside::fits_joint(topology, height) {
            continue;
        }
        for density in [Density::Rows, Density::Grid] {
            let found = columns(topology, width, density, way)
                .filter(|columns| sites::heights(topology, columns, density) <= height);
            if let Some(columns) = found {
                return Some((density, columns));
            }
        }
    }
    let tall = |columns: &Columns, density| sites::heights(topology, columns, density);
    let bare = ways().find_map(|way| columns(topology, width, Density::Bare, way));
    let bare = bare.map(|bare| bare.squeeze(topology, height));
    if let Some(bare) = bare.filter(|bare| sites::seen(topology) < 2 || tall(bare, Density::Bare) <= height) {
        return Some((Density::Bare, bare));
    }
    // Data centers that are seen all at once tell more than larger ones of which some are not seen.
    let folded = columns(topology, width, Density::Bare, (false, Spread::Folded));
    let folded = folded.map(|folded| folded.squeeze(topology, height));
    if let Some(folded) = folded.filter(|folded| tall(folded, Density::Bare) <= height) {
        return Some((Density::Bare, folded));
    }
    let slim = [Spread::Folded, Spread::Together];
    let slim = slim.into_iter().find_map(|spread| {
        let way = (false, spread);
        columns(topology, width, Density::Slim, way)
    });
    // Where nothing fits, the right is cut.
    let least = || columns(topology, width.max(LEAST), Density::Slim, (false, Spread::Together));
    Some((Density::Slim, slim.or_else(least)?))
}

/// The fewest rows in which all data centers of a topology are seen at once.
pub fn least_height(topology: &Topology, width: u16) -> u16 {
    let slim = columns(topology, width, Density::Slim, (false, Spread::Folded));
    slim.map_or(0, |slim| sites::heights(topology, &slim, Density::Slim))
}

/// Sets the columns out, CDNs apart from users or with them; `None` when they do not fit.
fn columns(topology: &Topology, width: u16, density: Density, (apart, spread): (bool, Spread)) -> Option<Columns> {
    let mut tiers = Widths::new();
    let mut named: BTreeMap<u8, u16> = BTreeMap::new();
    let services = topology.services.iter().enumerate();
    for (index, service) in services.filter(|(_, service)| service.kind != Kind::Removed) {
        let (least, best) = widths(service, density, spread);
        let own = match tiers::of(topology, index, spread) {
            1 if !apart => 0,
            own => own,
        };
        let entry = tiers.entry(own).or_default();
        *entry = (entry.0.max(least), entry.1.max(best));
        let whole = named.entry(own).or_default();
        *whole = tiers::named(service, density).max(*whole);
    }
    // The frame of a broker stands within its column.
    let around = framed(topology, spread).map(|tier| (tier, frame_inset(density)));
    let around: BTreeMap<u8, u16> = around.into_iter().collect();
    let pad = if bands_of_hosts(topology, spread) { 4 } else { 2 };
    let frames = if topology.sites.is_empty() { 0 } else { pad * 2 };
    let gutters = tiers.len().saturating_sub(1) as u16;
    let frames = frames + around.values().sum::<u16>() * 2;
    let least: u16 = tiers.values().map(|wide| wide.0).sum::<u16>() + gutters * GUTTER.0 + frames;
    let mut spare = width.checked_sub(least)?;
    let mut gutter = GUTTER.0;
    let widen = |gutter: &mut u16, spare: &mut u16, upto: u16| {
        while *gutter < upto && gutters > 0 && *spare >= gutters {
            *gutter += 1;
            *spare -= gutters;
        }
    };
    // Names come before ways, and those before figures.
    grow(&mut tiers, &mut spare, |tier, best| named[&tier].min(best));
    widen(&mut gutter, &mut spare, 6);
    grow(&mut tiers, &mut spare, |_, best| best);
    widen(&mut gutter, &mut spare, GUTTER.1);
    Some(set_out((&tiers, &around), spread, (gutter, pad, spare / 2)))
}

/// The column in which the frames of brokers stand, where they have no band of their own.
fn framed(topology: &Topology, spread: Spread) -> Option<u8> {
    let all = 0..topology.services.len();
    let mut framed = all.filter(|service| spread != Spread::Together && tiers::broker(topology, *service).is_some());
    framed.next().map(|service| tiers::of(topology, service, spread))
}

/// Columns between the frame of a broker and its cards, and the frame.
fn frame_inset(density: Density) -> u16 {
    1 + u16::from(density.is_bordered())
}

/// Gives each column one more in turn, until each has what it wants of its best width or nothing is left.
fn grow(tiers: &mut Widths, spare: &mut u16, wanted: impl Fn(u8, u16) -> u16) {
    let mut growing = true;
    while growing {
        growing = false;
        for (tier, wide) in tiers.iter_mut() {
            if wide.0 < wanted(*tier, wide.1) && *spare > 0 {
                wide.0 += 1;
                *spare -= 1;
                growing = true;
            }
        }
    }
}

fn set_out(
    (tiers, around): (&Widths, &BTreeMap<u8, u16>),
    spread: Spread,
    (gutter, pad, margin): (u16, u16, u16),
) -> Columns {
    let mut edges = BTreeMap::new();
    let mut x = margin;
    let mut inner = 0;
    for (index, (tier, wide)) in tiers.iter().enumerate() {
        if index > 0 {
            x += gutter;
        }
        if *tier >= INNER && inner == 0 {
            inner = x;
            x += pad;
        }
        let around = around.get(tier).copied().unwrap_or(0);
        edges.insert(*tier, (x + around, wide.0));
        x += wide.0 + 2 * around;
    }
    Columns {
        edges,
        inner,
        right: x + pad,
        most: u16::MAX,
        spread,
    }
}

fn hosts(topology: &Topology, site: usize) -> BTreeMap<&str, Vec<usize>> {
    let mut by_machine: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, service) in topology.services.iter().enumerate() {
        if let (true, [only]) = (service.site == Some(site), service.instances.as_slice()) {
            by_machine.entry(&only.machine).or_default().push(index);
        }
    }
    by_machine.retain(|_, services| services.len() > 1);
    by_machine
}

/// Those machines that have a band of their own. A broker stands among the others where queues have a column of their own.
fn banded(topology: &Topology, site: usize, spread: Spread) -> BTreeMap<&str, Vec<usize>> {
    let mut hosts = hosts(topology, site);
    hosts.retain(|_, services| spread == Spread::Together || tiers::broker(topology, services[0]).is_none());
    hosts
}

fn bands_of_hosts(topology: &Topology, spread: Spread) -> bool {
    (0..topology.sites.len()).any(|site| !banded(topology, site, spread).is_empty())
}

/// What stands in the data center, one band below the other.
pub(super) fn bands(topology: &Topology, site: usize, spread: Spread) -> Vec<Band> {
    let hosts = banded(topology, site, spread);
    let hosted: Vec<usize> = hosts.values().flatten().copied().collect();
    let free: Vec<usize> = (0..topology.services.len())
        .filter(|index| topology.services[*index].site == Some(site) && !hosted.contains(index))
        .collect();
    let mut bands = Vec::new();
    if !free.is_empty() {
        bands.push(Band {
            host: None,
            services: free,
        });
    }
    bands.extend(hosts.into_iter().map(|(host, services)| Band {
        // The frame of a broker is that of its cards.
        host: tiers::broker(topology, services[0]).is_none().then(|| host.to_string()),
        services,
    }));
    bands
}

/// Density and height of one card in a column of a given width.
pub(super) fn card_size(topology: &Topology, index: usize, width: u16, density: Density, most: u16) -> (Density, u16) {
    let (service, wide) = (&topology.services[index], wide(topology, index));
    let count = service.instances.len();
    let extra = match service.kind {
        _ if density != Density::Rows => 0,
        Kind::Serverless => 2,
        Kind::Database
        | Kind::LoadBalancer
        | Kind::SessionStore
        | Kind::Autoscaler
        | Kind::Cache
        | Kind::Cdn
        | Kind::Shield
        | Kind::Queue
        | Kind::Workers => 1,
        _ => 0,
    };
    match density {
        Density::Line | Density::Slim => (density, 1),
        // They stand out of the way.
        Density::Rows | Density::Grid if service.kind == Kind::Monitor => {
            (Density::Grid, grid::rows(count, width - 4, wide) + 2)
        }
        Density::Rows if count <= ROWS_AT_MOST => (Density::Rows, count.max(1) as u16 + extra + 2),
        Density::Grid if count <= 1 => (Density::Rows, 3),
        Density::Rows | Density::Grid => (Density::Grid, grid::rows(count, width - 4, wide) + extra + 2),
        Density::Bare => (Density::Bare, 1 + grid::rows(count, width, wide).min(most)),
    }
}

pub(super) fn gap(density: Density) -> u16 {
    u16::from(density.is_bordered())
}

impl Density {
    /// Whether a card has a border.
    pub fn is_bordered(self) -> bool {
        matches!(self, Density::Rows | Density::Grid)
    }
}

fn stacks(topology: &Topology, band: &Band, spread: Spread) -> BTreeMap<u8, Vec<usize>> {
    let mut stacks: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for service in &band.services {
        let own = tiers::of(topology, *service, spread);
        stacks.entry(own).or_default().push(*service);
    }
    for stack in stacks.values_mut() {
        stack.sort_by_key(|service| tiers::place(topology, *service));
    }
    stacks
}

fn stack_height(topology: &Topology, stack: &[usize], width: u16, density: Density, most: u16) -> u16 {
    let cards: u16 = stack
        .iter()
        .map(|service| card_size(topology, *service, width, density, most).1)
        .sum();
    let frames: u16 = (0..stack.len())
        .map(|index| {
            let (first, last) = ends(topology, stack, index);
            u16::from(first) + u16::from(last)
        })
        .sum();
    cards + frames + gap(density) * stack.len().saturating_sub(1) as u16
}

/// Whether a card is the first and the last one of a broker in a stack.
fn ends(topology: &Topology, stack: &[usize], index: usize) -> (bool, bool) {
    let broker = |index: Option<usize>| index.and_then(|index| tiers::broker(topology, *stack.get(index)?));
    let own = broker(Some(index));
    (
        own.is_some() && broker(index.checked_sub(1)) != own,
        own.is_some() && broker(Some(index + 1)) != own,
    )
}

/// Rows that a band takes.
pub(super) fn band_height(topology: &Topology, band: &Band, columns: &Columns, density: Density) -> u16 {
    let stacks = stacks(topology, band, columns.spread);
    let tallest = stacks
        .iter()
        .map(|(tier, stack)| stack_height(topology, stack, columns.edges[tier].1, density, columns.most))
        .max();
    tallest.unwrap_or(0) + if band.host.is_some() { 2 } else { 0 }
}

/// Places all cards of a band.
pub(super) fn place_band(
    topology: &Topology,
    band: &Band,
    columns: &Columns,
    density: Density,
    (top, tall): (u16, u16),
    plan: &mut Plan,
) {
    let stacks = stacks(topology, band, columns.spread);
    let border = u16::from(band.host.is_some());
    for (tier, stack) in &stacks {
        let (x, width) = columns.edges[tier];
        let height = stack_height(topology, stack, width, density, columns.most);
        let mut y = top + border + (tall - border * 2 - height) / 2;
        let mut start = y;
        for (index, service) in stack.iter().enumerate() {
            let (first, last) = ends(topology, stack, index);
            if first {
                start = y;
                y += 1;
            }
            let (own, height) = card_size(topology, *service, width, density, columns.most);
            plan.cards
                .push(card(topology, *service, Rect::new(x, y, width, height), own));
            y += height;
            if let (true, Some(host)) = (last, tiers::broker(topology, *service)) {
                y += 1;
                let inset = frame_inset(density);
                let frame = Rect::new(x - inset, start, width + 2 * inset, y - start);
                plan.hosts.push((host.to_string(), frame));
            }
            y += gap(density);
        }
    }
    if let (Some(host), Some(first), Some(last)) = (&band.host, stacks.keys().next(), stacks.keys().next_back()) {
        let left = columns.edges[first].0 - 2;
        let right = columns.edges[last].0 + columns.edges[last].1 + 2;
        plan.hosts
            .push((host.clone(), Rect::new(left, top, right - left, tall)));
    }
}

pub(super) fn card(topology: &Topology, service: usize, area: Rect, density: Density) -> Card {
    let (count, wide) = (topology.services[service].instances.len(), wide(topology, service));
    let cells = match density {
        Density::Line => vec![area; count],
        Density::Rows => (0..count as u16)
            .map(|row| Rect::new(area.x + 1, area.y + 1 + row, area.width - 2, 1))
            .collect(),
        Density::Grid => grid::cells(count, area.x + 2, area.y + 1, area.width - 4, wide),
        Density::Bare => grid::squeezed(count, (area.x, area.y + 1), area.width, wide, area.height - 1),
        Density::Slim => {
            let name = tiers::slim_name(&topology.services[service], area.width);
            grid::squeezed(count, (area.x + name, area.y), area.width - name, wide, 1)
        }
    };
    Card {
        service,
        area,
        density,
        cells,
        foot: 0,
    }
}

/// Moves everything down where there is room to spare.
fn center(plan: &mut Plan) {
    let shift = plan.room.1.saturating_sub(plan.height) / 2;
    for card in &mut plan.cards {
        card.area.y += shift;
        card.cells.iter_mut().for_each(|cell| cell.y += shift);
    }
    plan.sites.iter_mut().for_each(|site| site.y += shift);
    plan.hosts.iter_mut().for_each(|host| host.1.y += shift);
    plan.height += shift;
}
