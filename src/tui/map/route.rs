//! Ways between cards: right-angled, around every card, each with the list of its cells.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use ratatui::layout::Rect;

use crate::observe::{Kind, LinkInfo, LinkKind, Topology};
use crate::tui::queues::holds_dead_letters;

use super::layout::{Card, Density, Plan};

/// One way, or one branch of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the link.
    pub link: usize,
    /// For a branch behind a balancer, the instance that it leads to.
    pub branch: Option<usize>,
    /// Cells of the trunk before this branch, so that traffic moves on smoothly.
    pub before: u16,
    /// Cells from the caller to the callee, each with the directions that meet in it (north 1, east 2, south 4, west 8).
    pub cells: Vec<(u16, u16, u8)>,
    /// Where the arrow ends, if it ends here: the cell and its direction (0 north, 1 east, 2 south, 3 west).
    pub head: Option<(u16, u16, usize)>,
}

const STEPS: [(i16, i16); 4] = [(0, -1), (1, 0), (0, 1), (-1, 0)];
const OPEN: u8 = 0;
const BLOCKED: u8 = 1;
/// The frame of a data center or a machine: it may be crossed, not followed.
const FRAME_UPRIGHT: u8 = 2;
const FRAME_LEVEL: u8 = 3;
/// The same of a data center.
const SITE_UPRIGHT: u8 = 4;
const SITE_LEVEL: u8 = 5;
/// A card. Where there is no other way, one goes behind it.
const CARD: u8 = 6;
/// What a cell of a way costs, and where another way from or to the same service is followed: those make one line.
const STEP: u32 = 2;
const FOLLOWED: u32 = 1;
/// What a bend costs.
const BEND: u32 = 8;
/// What it costs to cross another way, and to lie upon one that leads elsewhere, where it could not be told from that.
const ACROSS: u32 = 4;
const UPON: u32 = 12;
/// What it costs to cross a frame; of a data center, for a way between two of its services.
const CROSSING: u32 = 4;
const LEAVING: u32 = 120;
/// What each cell behind a card costs.
const BEHIND: u32 = 400;

/// A place where a way may begin or end: the cell, its direction, and what it costs to use it.
type Port = (u16, u16, usize, u32);

/// What a way is for.
#[derive(Clone, Copy)]
struct Purpose {
    kind: LinkKind,
    from: usize,
    to: usize,
}

impl Purpose {
    /// Whether two ways may be one line for a while: what is for the same, from the same or to the same.
    fn joins(self, other: Purpose) -> bool {
        let asked = |kind| matches!(kind, LinkKind::Requests | LinkKind::Sessions);
        let alike = self.kind == other.kind || asked(self.kind) && asked(other.kind);
        alike && (self.from == other.from || self.to == other.to)
    }
}

struct Grid {
    width: u16,
    height: u16,
    cells: Vec<u8>,
    /// The ways through each cell, each with the directions that meet there.
    used: Vec<Vec<(Purpose, u8)>>,
    /// What it costs to cross the frame of a data center at its sides, and above or below.
    crossing: (u32, u32),
}

impl Grid {
    fn new(plan: &Plan) -> Grid {
        let (width, height) = (plan.room.0.max(1), plan.height.max(plan.room.1).max(1));
        let size = usize::from(width) * usize::from(height);
        let mut grid = Grid {
            width,
            height,
            cells: vec![OPEN; size],
            used: vec![Vec::new(); size],
            crossing: (CROSSING, CROSSING),
        };
        let sites = plan.sites.iter().filter(|site| !site.is_empty());
        let sites = sites.map(|site| (site, SITE_LEVEL, SITE_UPRIGHT));
        let hosts = plan.hosts.iter().map(|host| (&host.1, FRAME_LEVEL, FRAME_UPRIGHT));
        for (frame, level, upright) in sites.chain(hosts) {
            grid.fill(Rect { height: 1, ..*frame }, level);
            grid.fill(
                Rect {
                    y: frame.bottom().saturating_sub(1),
                    height: 1,
                    ..*frame
                },
                level,
            );
            for x in [frame.x, frame.right().saturating_sub(1)] {
                grid.fill(Rect { x, width: 1, ..*frame }, upright);
            }
        }
        let frames = plan.sites.iter().chain(plan.hosts.iter().map(|host| &host.1));
        for frame in frames.filter(|frame| !frame.is_empty()) {
            for x in [frame.x, frame.right().saturating_sub(1)] {
                for y in [frame.y, frame.bottom().saturating_sub(1)] {
                    grid.fill(Rect::new(x, y, 1, 1), BLOCKED);
                }
            }
        }
        for card in &plan.cards {
            grid.fill(card.area, CARD);
        }
        grid
    }

    fn index(&self, x: u16, y: u16) -> Option<usize> {
        (x < self.width && y < self.height).then(|| usize::from(y) * usize::from(self.width) + usize::from(x))
    }

    fn place(&self, index: usize) -> (u16, u16) {
        let width = usize::from(self.width);
        ((index % width) as u16, (index / width) as u16)
    }

    fn fill(&mut self, area: Rect, value: u8) {
        for position in area.positions() {
            if let Some(index) = self.index(position.x, position.y) {
                self.cells[index] = value;
            }
        }
    }

    /// What it costs to enter a cell in a direction; `None` when it cannot be entered.
    fn cost(&self, index: usize, direction: usize, purpose: Purpose) -> Option<u32> {
        let upright = direction.is_multiple_of(2);
        let frame = match (self.cells[index], upright) {
            (OPEN, _) => 0,
            (FRAME_UPRIGHT, false) | (FRAME_LEVEL, true) => CROSSING,
            (SITE_UPRIGHT, false) => self.crossing.0,
            (SITE_LEVEL, true) => self.crossing.1,
            (CARD, false) => BEHIND,
            _ => return None,
        };
        let came_from = 1 << ((direction + 2) % 4);
        let (mut own, mut others) = (STEP, 0);
        for (other, mask) in &self.used[index] {
            match (purpose.joins(*other), mask & came_from > 0) {
                (true, true) => own = FOLLOWED,
                (true, false) => {}
                (false, true) => others = UPON,
                (false, false) => others = others.max(ACROSS),
            }
        }
        Some(frame + own + others)
    }

    /// Remembers a way.
    fn take(&mut self, cells: &[(u16, u16, u8)], purpose: Purpose) {
        for (x, y, mask) in cells {
            if let Some(index) = self.index(*x, *y) {
                self.used[index].push((purpose, *mask));
            }
        }
    }
}

/// The ways of all links.
pub fn edges(topology: &Topology, plan: &Plan) -> Vec<Edge> {
    let mut grid = Grid::new(plan);
    let card = |service: usize| plan.cards.iter().find(|card| card.service == service);
    let mut edges = Vec::new();
    // Ways that are seldom used leave the best places to the others.
    let links = || topology.links.iter().enumerate();
    let dead =
        |link: &LinkInfo| topology.services[link.from].kind == Kind::Queue && holds_dead_letters(topology, link.to);
    let (seldom, often): (Vec<_>, Vec<_>) =
        links().partition(|(index, link)| in_reserve(topology, *index) || is_aside(topology, link) || dead(link));
    for (index, link) in often.into_iter().chain(seldom) {
        // A resolver stands within the card of its users: the way to it is not drawn, and that from it begins at the card.
        let (from, to) = (household(topology, link.from), household(topology, link.to));
        let (Some(from), Some(to), true) = (card(from), card(to), from != to) else {
            continue;
        };
        let site = |service: usize| topology.services[service].site;
        let home = site(link.from).is_some() && site(link.from) == site(link.to);
        grid.crossing = match (home, site(link.from).is_some()) {
            (true, _) => (LEAVING, LEAVING),
            (false, true) => (CROSSING, CROSSING),
            // Who comes from outside comes from the side, and goes through no data center to another one.
            (false, false) => (CROSSING, LEAVING),
        };
        let touch = from.area.y == to.area.bottom() || to.area.y == from.area.bottom();
        let below = from.area.x == to.area.x && touch;
        let apart = topology.services[link.to].kind == Kind::Monitor && to.area.right() < from.area.x;
        if link.kind == LinkKind::Control && (below || apart || to.density == Density::Slim) {
            // It stands right below what it controls or watches; or there is no room for more than what users need.
            continue;
        }
        let back = |other: &LinkInfo| other.kind == link.kind && (other.from, other.to) == (link.to, link.from);
        if link.kind == LinkKind::Replication && topology.links[..index].iter().any(back) {
            // One way for changes in both directions.
            continue;
        }
        let fans = topology.services[link.from].kind == Kind::LoadBalancer
            && to.density == Density::Rows
            && to.cells.len() > 1
            && to.area.x > from.area.right();
        let purpose = Purpose {
            kind: link.kind,
            from: from.service,
            to: to.service,
        };
        let found = if fans {
            fan(&grid, index, (from, to), purpose)
        } else {
            let (starts, goals) = ports(from, to, link.kind);
            let found = way(&grid, &starts, &goals, purpose);
            found.map(|cells| finish(index, &cells, true)).into_iter().collect()
        };
        for edge in &found {
            grid.take(&edge.cells, purpose);
        }
        edges.extend(found);
    }
    edges
}

/// Whether a link is used only when another one fails, or by some settings: past a CDN, past its shield, from a cache to the database. It
/// is drawn only while something travels there, so that one sees what normally stands between.
pub(super) fn in_reserve(topology: &Topology, link: usize) -> bool {
    let own = &topology.links[link];
    let kind = |service: usize| topology.services[service].kind;
    let leads = |to: Kind| {
        let links = topology.links.iter();
        links
            .filter(|link| link.from == own.from)
            .any(|link| kind(link.to) == to)
    };
    // Of data centers, users go to the one that is their home.
    let home = topology.services[own.from].home;
    let to = topology.services[own.to].site;
    let far = home.is_some() && to.is_some() && to != home;
    own.kind == LinkKind::Requests
        && match (kind(own.from), kind(own.to)) {
            (Kind::Users, _) if far => true,
            (Kind::Users, Kind::Cdn) | (Kind::Cdn, Kind::Shield) => false,
            (Kind::Users, _) => leads(Kind::Cdn),
            (Kind::Cdn, _) => leads(Kind::Shield),
            (Kind::Cache, _) => true,
            _ => false,
        }
}

/// Whether a link is drawn only when it is hurt: what a monitor far away says is told on its card.
pub(super) fn is_aside(topology: &Topology, link: &LinkInfo) -> bool {
    let site = |service: usize| topology.services[service].site;
    link.kind == LinkKind::Control && site(link.from) != site(link.to)
}

/// The users whose resolver a service is, or else the service itself.
fn household(topology: &Topology, service: usize) -> usize {
    let is_resolver = topology.services[service].kind == Kind::Resolver;
    let asks = topology.links.iter().find(|link| is_resolver && link.to == service);
    asks.map_or(service, |link| link.from)
}

fn finish(link: usize, way: &[(u16, u16, usize)], ends: bool) -> Edge {
    let mut cells: Vec<(u16, u16, u8)> = Vec::with_capacity(way.len());
    for (index, (x, y, entered)) in way.iter().enumerate() {
        let left = way.get(index + 1).map_or(*entered, |next| next.2);
        let mask = 1 << ((entered + 2) % 4) | 1 << left;
        cells.push((*x, *y, mask));
    }
    let head = way.last().filter(|_| ends).copied();
    Edge {
        link,
        branch: None,
        before: 0,
        cells,
        head,
    }
}

/// From a balancer to each line of a card: a trunk, an upright line before the card, and a branch for each instance.
fn fan(grid: &Grid, link: usize, (from, to): (&Card, &Card), purpose: Purpose) -> Vec<Edge> {
    let x = to.area.x - 2;
    let rows: Vec<u16> = to.cells.iter().map(|cell| cell.y).collect();
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    let starts = side(from.area, 1, 0);
    let middle = u16::midpoint(first, last);
    let goals: Vec<Port> = (first..=last)
        .map(|y| (x, y, 1, u32::from(y.abs_diff(middle)) * STEP))
        .collect();
    let Some(trunk) = way(grid, &starts, &goals, purpose) else {
        return Vec::new();
    };
    let (_, meet, _) = trunk[trunk.len() - 1];
    let mut trunk = finish(link, &trunk, false);
    let before = trunk.cells.len() as u16;
    // The last cell of the trunk is the first one of every branch.
    trunk.cells.pop();
    let mut edges = vec![trunk];
    for (instance, row) in rows.iter().enumerate() {
        let mut path = vec![(x, meet, 1)];
        let direction = if *row < meet { 0 } else { 2 };
        let mut y = meet;
        while y != *row {
            y = if direction == 0 { y - 1 } else { y + 1 };
            path.push((x, y, direction));
        }
        path.push((x + 1, *row, 1));
        edges.push(Edge {
            branch: Some(instance),
            before: before - 1,
            ..finish(link, &path, true)
        });
    }
    edges
}

/// The cells beside one side of a card (1 east, 2 south, 3 west, 0 north), going in a direction away from it.
fn side(area: Rect, side: usize, extra: u32) -> Vec<Port> {
    let middle = (area.x + area.width / 2, area.y + area.height / 2);
    let inner = |from: u16, to: u16, short: bool| {
        if short {
            from..to
        } else {
            from + 1..to.saturating_sub(1).max(from + 2)
        }
    };
    match side {
        1 => inner(area.y, area.bottom(), area.height < 3)
            .map(|y| (area.right(), y, 1, extra + u32::from(y.abs_diff(middle.1)) * STEP))
            .collect(),
        3 => inner(area.y, area.bottom(), area.height < 3)
            .filter(|_| area.x > 0)
            .map(|y| (area.x - 1, y, 3, extra + u32::from(y.abs_diff(middle.1)) * STEP))
            .collect(),
        2 => inner(area.x, area.right(), false)
            .map(|x| (x, area.bottom(), 2, extra + u32::from(x.abs_diff(middle.0)) * STEP))
            .collect(),
        _ => inner(area.x, area.right(), false)
            .filter(|_| area.y > 0)
            .map(|x| (x, area.y - 1, 0, extra + u32::from(x.abs_diff(middle.0)) * STEP))
            .collect(),
    }
}

/// Where a way between two cards may begin and end: requests from right to left side, lookups from below to above, control and replication
/// between the sides that face each other.
fn ports(from: &Card, to: &Card, kind: LinkKind) -> (Vec<Port>, Vec<Port>) {
    let order = match kind {
        LinkKind::Lookups => [2, 0, 3, 1],
        LinkKind::Control | LinkKind::Replication if from.area.y < to.area.y => [2, 0, 1, 3],
        LinkKind::Control => [0, 2, 3, 1],
        LinkKind::Replication => [0, 2, 1, 3],
        LinkKind::Requests | LinkKind::Sessions | LinkKind::Messages => [1, 2, 0, 3],
    };
    let starts = order
        .iter()
        .zip([0, 16, 16, 24])
        .flat_map(|(at, extra)| side(from.area, *at, extra))
        .collect();
    let goals = order.iter().zip([0, 16, 16, 24]).flat_map(|(at, extra)| {
        side(to.area, (at + 2) % 4, extra)
            .into_iter()
            .map(|(x, y, out, cost)| (x, y, (out + 2) % 4, cost))
    });
    (starts, goals.collect())
}

/// The cheapest way: short, with few bends, crossing little.
fn way(grid: &Grid, starts: &[Port], goals: &[Port], purpose: Purpose) -> Option<Vec<(u16, u16, usize)>> {
    let states = grid.cells.len() * 4;
    let mut best: Vec<u32> = vec![u32::MAX; states];
    let mut before: Vec<usize> = vec![usize::MAX; states];
    let mut heap: BinaryHeap<Reverse<(u32, usize)>> = BinaryHeap::new();
    let ends: BTreeMap<usize, (usize, u32)> = goals
        .iter()
        .filter_map(|(x, y, direction, cost)| grid.index(*x, *y).map(|index| (index, (*direction, *cost))))
        .collect();
    for (x, y, direction, extra) in starts {
        let Some(index) = grid.index(*x, *y) else { continue };
        let Some(cost) = grid.cost(index, *direction, purpose) else {
            continue;
        };
        let state = index * 4 + direction;
        if cost + extra < best[state] {
            best[state] = cost + extra;
            heap.push(Reverse((cost + extra, state)));
        }
    }
    let mut found: Option<(u32, usize)> = None;
    while let Some(Reverse((cost, state))) = heap.pop() {
        if found.is_some_and(|(least, _)| cost >= least) {
            break;
        }
        if cost > best[state] {
            continue;
        }
        let (index, direction) = (state / 4, state % 4);
        if let Some((wanted, extra)) = ends.get(&index) {
            let total = cost + extra + if *wanted == direction { 0 } else { BEND };
            if *wanted == direction && found.is_none_or(|(least, _)| total < least) {
                found = Some((total, state));
            }
        }
        let (x, y) = grid.place(index);
        for (turn, (dx, dy)) in STEPS.iter().enumerate() {
            // No way back, and no bend on a frame.
            if turn == (direction + 2) % 4 || turn != direction && grid.cells[index] != OPEN {
                continue;
            }
            let beside = x.checked_add_signed(*dx).zip(y.checked_add_signed(*dy));
            let Some(next) = beside.and_then(|(x, y)| grid.index(x, y)) else {
                continue;
            };
            let Some(step) = grid.cost(next, turn, purpose) else {
                continue;
            };
            let total = cost + step + if turn == direction { 0 } else { BEND };
            let after = next * 4 + turn;
            if total < best[after] {
                best[after] = total;
                before[after] = state;
                heap.push(Reverse((total, after)));
            }
        }
    }
    let mut state = found?.1;
    let mut path = Vec::new();
    while state != usize::MAX {
        let (index, direction) = (state / 4, state % 4);
        let (x, y) = grid.place(index);
        path.push((x, y, direction));
        state = before[state];
    }
    path.reverse();
    Some(path)
}
