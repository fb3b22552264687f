//! Data centers as frames in rows: in which order, how large, and what is said of each in its frame.

use ratatui::layout::Rect;

use crate::observe::{Frame, Health, Kind, LinkKind, Topology};
use crate::tui::glyph;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::layout::{Card, Columns, Density, Plan, band_height, bands, card, gap, place_band};

/// Whether users or CDNs come to a data center.
pub fn has_entry(topology: &Topology, site: usize) -> bool {
    let outside = |service: usize| matches!(topology.services[service].kind, Kind::Users | Kind::Cdn | Kind::Shield);
    topology.links.iter().any(|link| {
        link.kind == LinkKind::Requests && outside(link.from) && topology.services[link.to].site == Some(site)
    })
}

/// Whether users can be sent to one of several data centers.
pub fn are_several(topology: &Topology) -> bool {
    (0..topology.sites.len())
        .filter(|site| has_entry(topology, *site))
        .count()
        > 1
}

/// The data centers from above: beside the populations whose home they are, then the others, and last those to which nobody comes.
pub fn order(topology: &Topology) -> Vec<usize> {
    let mut order: Vec<usize> = (0..topology.sites.len()).collect();
    let home = |site: usize| {
        topology
            .services
            .iter()
            .position(|service| service.home == Some(site))
            .unwrap_or(usize::MAX)
    };
    order.sort_by_key(|site| (!has_entry(topology, *site), home(*site), *site));
    order
}

/// A data center that holds next to nothing takes next to no room.
fn own_density(topology: &Topology, site: usize, density: Density) -> Density {
    let all = topology.services.iter().filter(|service| service.site == Some(site));
    let mut kinds = all.map(|service| service.kind);
    if kinds.all(|kind| kind == Kind::Monitor) && topology.sites.len() > 1 {
        Density::Slim
    } else {
        density
    }
}

fn height(topology: &Topology, site: usize, columns: &Columns, density: Density) -> u16 {
    let density = own_density(topology, site, density);
    let bands = bands(topology, site, columns.spread);
    if bands.is_empty() {
        return 0;
    }
    let gaps = gap(density) * bands.len().saturating_sub(1) as u16;
    bands
        .iter()
        .map(|band| band_height(topology, band, columns, density))
        .sum::<u16>()
        + gaps
        + 2
}

/// Rows that two frames share where room is scarcest.
fn shared(density: Density) -> u16 {
    u16::from(density == Density::Slim)
}

/// Data centers in which something stands.
pub(super) fn seen(topology: &Topology) -> usize {
    let sites = 0..topology.sites.len();
    let stands = |site: &usize| topology.services.iter().any(|service| service.site == Some(*site));
    sites.filter(stands).count()
}

/// Rows that all data centers take.
pub(super) fn heights(topology: &Topology, columns: &Columns, density: Density) -> u16 {
    let count = seen(topology) as u16;
    let all: u16 = (0..topology.sites.len())
        .map(|site| height(topology, site, columns, density))
        .sum();
    all - shared(density) * count.saturating_sub(1)
}

/// Places the frames and all that is in them.
pub(super) fn place(topology: &Topology, columns: &Columns, density: Density, plan: &mut Plan) {
    let mut order = order(topology);
    order.retain(|site| topology.services.iter().any(|service| service.site == Some(*site)));
    let spare = plan.room.1.saturating_sub(heights(topology, columns, density));
    let large = |site: usize| own_density(topology, site, density) == density && density != Density::Slim;
    let count = order.iter().filter(|site| large(**site)).count().max(1) as u16;
    // Some air within the frames, and a line between them, where there is room. Of several data centers ways are to stay within: for
    // those that go around a card, air comes first.
    let least = u16::from(order.len() > 1 && spare >= count * 2);
    let air = (spare / (count * 3)).max(least).min(2);
    let between = u16::from(spare > count * (air * 2 + 1) && density != Density::Slim);
    let mut y = 0;
    plan.sites = vec![Rect::ZERO; topology.sites.len()];
    for site in order {
        let own = own_density(topology, site, density);
        let air = if large(site) { air } else { 0 };
        let tall = height(topology, site, columns, density) + air * 2;
        let area = Rect::new(columns.inner, y, columns.right - columns.inner, tall);
        plan.sites[site] = area;
        let mut top = y + 1 + air;
        for band in bands(topology, site, columns.spread) {
            let tall = band_height(topology, &band, columns, own);
            place_band(topology, &band, columns, own, (top, tall), plan);
            top += tall + gap(own);
        }
        y = area.bottom() + between - shared(density);
    }
    stretch(topology, (columns.inner + 2, columns.right.saturating_sub(2)), plan);
}

/// Columns that stay between two cards in a row.
const APART: u16 = 3;
/// Columns behind the cells of a monitor: who holds the lease.
const LEASE: u16 = 9;

/// Cards of one row that stand alone in theirs take the room that they need, to the right and then to the left.
fn stretch(topology: &Topology, (left, right): (u16, u16), plan: &mut Plan) {
    let slim = |card: &Card| card.density == Density::Slim && topology.services[card.service].kind == Kind::Monitor;
    for index in 0..plan.cards.len() {
        let own = &plan.cards[index];
        let info = &topology.services[own.service];
        let wanted = text::width(&info.name) + 1 + info.instances.len() as u16 + LEASE;
        if !slim(own) || own.area.width >= wanted {
            continue;
        }
        let area = own.area;
        let beside = |other: &&Card| other.area.y <= area.y && area.y < other.area.bottom();
        let others = || plan.cards.iter().filter(beside).map(|other| other.area);
        let next = others().filter(|other| other.x > area.x).map(|other| other.x);
        let before = others().filter(|other| other.right() <= area.x).map(Rect::right);
        let end = next.min().map_or(right, |x| x.saturating_sub(APART));
        let start = before.max().map_or(left, |x| x + APART).max(left);
        let to = (area.x + wanted).min(end).max(area.right());
        let from = to.saturating_sub(wanted).max(start).min(area.x);
        let wider = Rect {
            x: from,
            width: to - from,
            ..area
        };
        plan.cards[index] = card(topology, plan.cards[index].service, wider, Density::Slim);
    }
}

/// How a data center is, in its frame.
pub(super) struct Mood {
    /// Nothing in it runs.
    pub lost: bool,
    /// Left of the middle: its sign and its name, and its region if that has another one.
    pub title: String,
    /// At the right, at several lengths: what comes to it and what is believed of it.
    pub words: Vec<String>,
    /// How that looks.
    pub role: Role,
}

/// How a data center is.
pub(super) fn mood(frame: &Frame, site: usize) -> Mood {
    let topology = &frame.topology;
    let info = &topology.sites[site];
    let services = (0..topology.services.len()).filter(|service| topology.services[*service].site == Some(site));
    let (mut up, mut booting, mut all) = (0, 0, 0);
    for service in services {
        let (serving, count) = truth::serving(frame, service);
        up += serving;
        all += count;
        let states = frame.services[service].instances.iter();
        booting += states
            .filter(|state| matches!(state.health, Health::Booting { .. }))
            .count();
    }
    let lost = up == 0 && booting == 0 && all > 0;
    let sign = if lost {
        format!("{} ", glyph::DEAD)
    } else {
        String::new()
    };
    let region = info.region.as_ref().filter(|region| **region != info.name);
    let region = region.map_or_else(String::new, |region| format!(" · {region}"));
    let (words, role) = standing(frame, site, lost);
    Mood {
        lost,
        title: format!(" {sign}{}{region} ", info.name),
        words,
        role,
    }
}

/// What comes to a data center, and what is believed of it.
fn standing(frame: &Frame, site: usize, lost: bool) -> (Vec<String>, Role) {
    let entry = has_entry(&frame.topology, site);
    let several = are_several(&frame.topology);
    let Some(state) = frame.sites.get(site).filter(|_| entry && several) else {
        let words = if lost { vec![" dead ".to_string()] } else { Vec::new() };
        return (words, Role::Bad);
    };
    let share = truth::of_second(frame.at, text::whole_percent(state.share));
    let long = |word: &str| vec![format!(" {word} · {share} of users "), format!(" {word} · {share} ")];
    match (state.evacuated, state.believed_up, lost) {
        (true, _, true) => (long("dead, evacuated"), Role::Bad),
        (true, _, false) => (long("evacuated"), Role::Warning),
        (false, true, true) => (long("dead, believed up"), Role::Bad),
        (false, false, true) => (long("dead, left out by dns"), Role::Bad),
        (false, false, false) => (long("left out by dns"), Role::Warning),
        (false, true, false) => (vec![format!(" {share} of users "), format!(" {share} ")], Role::Muted),
    }
}
