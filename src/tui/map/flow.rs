//! Ways and what moves on them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::observe::{Health, Kind, LinkKind};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::changes;
use super::draw::{Scene, Window};
use super::route::{self, Edge};

/// Requests a second on the wall below which each one is shown.
pub(super) const SINGLE: f64 = 24.0;
/// Cells from one dash to the next.
const PERIOD: f64 = 6.0;
/// How long a single request is seen at least, on the wall.
const SEEN: Duration = Duration::from_millis(700);

/// What a way looks like now.
pub(super) struct Look {
    /// Where nothing moves.
    pub bed: Role,
    /// What moves.
    pub flow: Role,
    /// Requests a second.
    pub rate: f64,
    /// Drawn with gaps, since nothing passes or only names do.
    pub dotted: bool,
    /// Changes travel here, not requests.
    pub changes: bool,
    /// Messages travel here.
    pub messages: bool,
}

/// Draws all ways: first their beds, then their traffic, then signs of faults.
pub fn draw(scene: &Scene, window: &Window, painter: &mut Painter) {
    let looks: Vec<Look> = scene.plan.edges.iter().map(|edge| look(scene, edge)).collect();
    let mut meets: BTreeMap<(u16, u16), u8> = BTreeMap::new();
    for edge in scene.plan.edges.iter().filter(|edge| !rests(scene, edge)) {
        for (x, y, mask) in &edge.cells {
            *meets.entry((*x, *y)).or_default() |= mask;
        }
    }
    // Quiet ways first, so that those with traffic win the cells that they share.
    let mut order: Vec<usize> = (0..looks.len())
        .filter(|index| !rests(scene, &scene.plan.edges[*index]))
        .collect();
    order.sort_by(|a, b| looks[*a].rate.total_cmp(&looks[*b].rate));
    for index in &order {
        bed(&scene.plan.edges[*index], &looks[*index], &meets, window, painter);
    }
    for index in order {
        let (edge, look) = (&scene.plan.edges[index], &looks[index]);
        if look.changes {
            changes::draw(scene, edge, look, window, painter);
            continue;
        }
        let few = look.rate * scene.speed.factor().unwrap_or(1e3) < SINGLE;
        if look.dotted || few && scene.motion {
            singles(scene, edge, look, window, painter);
        } else {
            dashes(scene, edge, look, &meets, window, painter);
        }
        head(edge, look, window, painter);
    }
    sweeps(scene, &meets, window, painter);
    for edge in &scene.plan.edges {
        breakers(scene, edge, window, painter);
        faults(scene, edge, window, painter);
    }
}

/// Ways that have just taken traffic over, bold from the caller on, as far as the sweep has come.
fn sweeps(scene: &Scene, meets: &BTreeMap<(u16, u16), u8>, window: &Window, painter: &mut Painter) {
    for sweep in scene.sweeps {
        let own = |edge: &&Edge| edge.link == sweep.link && (edge.branch.is_none() || edge.branch == sweep.branch);
        let edges: Vec<&Edge> = scene.plan.edges.iter().filter(own).collect();
        let lengths = edges.iter().map(|edge| edge.before + edge.cells.len() as u16);
        let whole = lengths.max().unwrap_or(0);
        let reached = (sweep.reached() * f64::from(whole)).round() as u16;
        for edge in edges {
            let shown = usize::from(reached.saturating_sub(edge.before));
            for (x, y, own) in edge.cells.iter().take(shown) {
                let mask = meets.get(&(*x, *y)).copied().unwrap_or(*own);
                if let Some((column, row)) = window.place(*x, *y)
                    && !under_frame(painter, column, row, mask)
                {
                    painter.put(column, row, glyph::THICK[usize::from(mask & 15)], Role::Title);
                }
            }
            if let (Some((x, y, direction)), true) = (edge.head, shown >= edge.cells.len())
                && let Some((x, y)) = window.place(x, y)
            {
                painter.put(x, y, glyph::HEADS[direction], Role::Title);
            }
        }
    }
}

/// Whether a way that is seldom used lies idle: then it is not drawn, unless it is hurt.
fn rests(scene: &Scene, edge: &Edge) -> bool {
    let (topology, state) = (&scene.frame.topology, &scene.frame.links[edge.link]);
    let idle = state.rate <= 0.0 && route::in_reserve(topology, edge.link);
    !state.hurt && (idle || route::is_aside(topology, &topology.links[edge.link]))
}

fn look(scene: &Scene, edge: &Edge) -> Look {
    let frame = scene.frame;
    let (link, state) = (&frame.topology.links[edge.link], &frame.links[edge.link]);
    let messages = link.kind == LinkKind::Messages;
    if link.kind == LinkKind::Replication {
        return changes::look(scene, edge);
    }
    if matches!(link.kind, LinkKind::Lookups | LinkKind::Control) {
        return Look {
            bed: Role::Lookup,
            flow: Role::Muted,
            rate: state.rate,
            dotted: true,
            changes: false,
            messages,
        };
    }
    let plain = |rate: f64| Look {
        bed: Role::Way,
        flow: Role::Flow,
        rate,
        dotted: rate <= 0.0,
        changes: false,
        messages,
    };
    if state.passing <= 0.0 {
        return Look {
            bed: Role::Bad,
            flow: Role::Bad,
            rate: state.rate,
            dotted: true,
            changes: false,
            messages,
        };
    }
    let Some(instance) = edge.branch else {
        let (up, all) = truth::serving(frame, link.to);
        if up == 0 && all > 0 && state.rate > 0.0 {
            return Look {
                bed: Role::Bad,
                flow: Role::Bad,
                rate: state.rate,
                dotted: false,
                changes: false,
                messages,
            };
        }
        return plain(state.rate);
    };
    let balancer = frame.services[link.from].balancer.as_ref();
    let backend = balancer.and_then(|balancer| {
        balancer
            .backends
            .iter()
            .find(|backend| backend.instance == Some((link.to, instance)))
    });
    let (Some(backend), Some(truth)) = (backend, frame.services[link.to].instances.get(instance)) else {
        return plain(0.0);
    };
    let rate = state.rate * backend.share;
    match (truth::used(backend, frame.at), truth::serves(truth)) {
        (false, _) => Look {
            bed: Role::Way,
            flow: Role::Muted,
            rate,
            dotted: true,
            changes: false,
            messages,
        },
        (true, false) => Look {
            bed: Role::Bad,
            flow: Role::Bad,
            rate,
            dotted: false,
            changes: false,
            messages,
        },
        (true, true) => plain(rate),
    }
}

fn bed(edge: &Edge, look: &Look, meets: &BTreeMap<(u16, u16), u8>, window: &Window, painter: &mut Painter) {
    for (x, y, own) in &edge.cells {
        let Some((column, row)) = window.place(*x, *y) else {
            continue;
        };
        let mask = meets.get(&(*x, *y)).copied().unwrap_or(*own);
        match painter.sign(column, row) {
            '║' => painter.put(column, row, '╫', Role::Site),
            '═' => painter.put(column, row, '╪', Role::Site),
            sign if crosses_frame(*own, mask, sign) => painter.put(column, row, '┼', Role::Host),
            '╫' | '╪' | '┼' if mask == *own => {}
            _ => {
                let signs = match (look.changes, look.dotted) {
                    (true, _) => &glyph::SPARSE,
                    (false, true) => &glyph::DOTTED,
                    (false, false) => &glyph::THIN,
                };
                painter.put(column, row, signs[usize::from(mask & 15)], look.bed);
            }
        }
    }
}

/// A straight cell that nobody shares: a line drawn across it already is the frame of a machine.
fn crosses_frame(own: u8, mask: u8, sign: char) -> bool {
    own == mask && matches!((own, sign), (0b1010, '│') | (0b0101, '─'))
}

/// A cell where the way goes under a frame.
pub(super) fn under_frame(painter: &Painter, x: u16, y: u16, mask: u8) -> bool {
    matches!(painter.sign(x, y), '╫' | '╪') || (painter.sign(x, y) == '┼' && mask != 15)
}

/// Above a few requests a second: dashes that move, the longer the more there is. Messages are squares.
fn dashes(
    scene: &Scene,
    edge: &Edge,
    look: &Look,
    meets: &BTreeMap<(u16, u16), u8>,
    window: &Window,
    painter: &mut Painter,
) {
    let length = (look.rate.max(1.0).log10() * 1.25).clamp(1.0, PERIOD - 1.0);
    for (index, (x, y, own)) in edge.cells.iter().enumerate() {
        let Some((column, row)) = window.place(*x, *y) else {
            continue;
        };
        let mask = meets.get(&(*x, *y)).copied().unwrap_or(*own);
        let position = index as f64 + f64::from(edge.before) - scene.phase;
        if position.rem_euclid(PERIOD) < length && !under_frame(painter, column, row, mask) {
            let sign = if look.messages {
                glyph::MESSAGE
            } else {
                glyph::THICK[usize::from(mask & 15)]
            };
            painter.put(column, row, sign, look.flow);
        }
    }
}

/// Below: a sign for each request. Its place is true where the hop lasts long enough to be seen.
fn singles(scene: &Scene, edge: &Edge, look: &Look, window: &Window, painter: &mut Painter) {
    if !scene.motion {
        return;
    }
    let frame = scene.frame;
    let link = &frame.topology.links[edge.link];
    let from_users = frame.topology.services[link.from].kind == Kind::Users;
    let hop = if from_users {
        Duration::from_millis(20)
    } else {
        Duration::from_micros(250)
    };
    let transit = scene.speed.simulated(SEEN).min(Duration::from_secs(60)).max(hop);
    let total = total_cells(scene, edge);
    for departure in &frame.links[edge.link].departures {
        let passed = frame.at.since(*departure);
        if passed >= transit
            || edge
                .branch
                .is_some_and(|branch| drawn_branch(scene, edge, departure.0) != Some(branch))
        {
            continue;
        }
        let place = (passed.as_secs_f64() / transit.as_secs_f64() * f64::from(total)) as u16;
        let Some((x, y, mask)) = place
            .checked_sub(edge.before)
            .and_then(|place| edge.cells.get(usize::from(place)))
        else {
            continue;
        };
        let Some((column, row)) = window.place(*x, *y) else {
            continue;
        };
        if !under_frame(painter, column, row, *mask) {
            let sign = if look.messages { glyph::MESSAGE } else { glyph::PACKET };
            painter.put(column, row, sign, look.flow);
        }
    }
}

/// Cells from the caller to the callee, trunk and longest branch together.
fn total_cells(scene: &Scene, edge: &Edge) -> u16 {
    let same = scene.plan.edges.iter().filter(|other| other.link == edge.link);
    same.map(|other| other.before + other.cells.len() as u16)
        .max()
        .unwrap_or(1)
}

/// The branch on which a request is drawn: by the shares that the balancer sends.
fn drawn_branch(scene: &Scene, edge: &Edge, departure: u64) -> Option<usize> {
    let link = &scene.frame.topology.links[edge.link];
    let balancer = scene.frame.services[link.from].balancer.as_ref()?;
    let mut draw = (departure.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64;
    for backend in &balancer.backends {
        draw -= backend.share;
        if draw <= 0.0 {
            return backend.instance.map(|instance| instance.1);
        }
    }
    None
}

fn head(edge: &Edge, look: &Look, window: &Window, painter: &mut Painter) {
    let Some((x, y, direction)) = edge.head else { return };
    let Some((x, y)) = window.place(x, y) else { return };
    let role = if look.bed == Role::Bad || look.dotted {
        look.bed
    } else {
        look.flow
    };
    painter.put(x, y, glyph::HEADS[direction], role);
}

/// A sign near the start of a way whose callers have breakers that are not closed.
fn breakers(scene: &Scene, edge: &Edge, window: &Window, painter: &mut Painter) {
    let link = &scene.frame.topology.links[edge.link];
    let calls = scene.frame.services[link.from].calls.iter();
    let Some([closed, open, half]) = calls
        .filter(|calls| calls.to == link.to)
        .map(|calls| calls.breakers)
        .next()
    else {
        return;
    };
    if edge.branch.is_some() || open + half == 0 {
        return;
    }
    let role = if open > 0 && closed + half == 0 {
        Role::Bad
    } else {
        Role::Warning
    };
    let near = edge.cells.get(edge.cells.len() / 3);
    if let Some((x, y)) = near.and_then(|(x, y, _)| window.place(*x, *y)) {
        painter.put(x, y, glyph::BREAKER, role);
    }
}

/// A sign in the middle of a way that is cut or hurt.
fn faults(scene: &Scene, edge: &Edge, window: &Window, painter: &mut Painter) {
    let (passing, hurt) = changes::condition(scene, edge);
    if edge.branch.is_some() {
        let link = &scene.frame.topology.links[edge.link];
        let truth = edge
            .branch
            .and_then(|branch| scene.frame.services[link.to].instances.get(branch));
        if truth.is_none_or(|truth| truth.health != Health::CutOff) {
            return;
        }
    } else if passing >= 1.0 && !hurt {
        return;
    }
    let (sign, role) = if passing <= 0.0 || edge.branch.is_some() {
        (glyph::CUT, Role::Bad)
    } else {
        (glyph::SLOW, Role::Warning)
    };
    let middle = edge.cells.len() / 2;
    if let Some((x, y)) = edge.cells.get(middle).and_then(|(x, y, _)| window.place(*x, *y)) {
        painter.put(x, y, sign, role);
    }
}
