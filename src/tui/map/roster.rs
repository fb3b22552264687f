//! A service alone: a row for each of its machines, with what each has done in the last minute. What is seen after going into a service.

use ratatui::layout::Rect;

use crate::observe::{InstanceInfo, InstanceState, Kind, Topology};
use crate::tui::layers;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::trend;
use crate::tui::truth;

use super::card;
use super::draw::{Scene, Window};
use super::layout::Plan;

/// Machines that have a row; what there is beyond is counted.
const MOST: usize = 60_000;
/// Rows of a machine at most.
const TALLEST: u16 = 3;
/// Columns of a trend, at least and at most.
const TREND: (u16, u16) = (10, trend::MINUTE as u16);
/// Columns between two columns of the table.
const SPACE: u16 = 2;
/// Columns of how a machine is: `boots 12.3s`.
const STATE: u16 = 13;
/// Columns of its load.
const LOAD: u16 = 4;
/// So many machines tell what all of them have.
const FEW: usize = 100;
/// Columns of a name at most.
const NAME: u16 = 24;
/// Columns that the name of the service may widen those of its machines to.
const HEAD: u16 = 10;

/// Plans the rows of a service alone. The first row of the terminal is the head of the table and no part of the map.
pub fn roster(topology: &Topology, service: usize, width: u16, height: u16) -> Plan {
    let all = topology.services.get(service).map_or(0, |info| info.instances.len());
    let count = all.min(MOST) as u16;
    let room = height.saturating_sub(1);
    // As large as they can be while all are seen, with a free row between them where they have several.
    let fitting = (room + 1) / count.max(1);
    let pitch = if fitting >= 3 {
        fitting.min(TALLEST + 1)
    } else {
        fitting.clamp(1, 2)
    };
    let tall = if pitch >= 3 { pitch - 1 } else { pitch };
    let row = |index: u16| Rect::new(0, index * pitch, width, tall);
    Plan {
        room: (width, height),
        height: count * pitch,
        items: (0..count)
            .map(|index| (Item::Instance(service, usize::from(index)), row(index)))
            .collect(),
        alone: Some(service),
        ..Plan::default()
    }
}

/// A figure of a machine: its head, its width, how much it matters, and what it is.
struct Column {
    head: &'static str,
    width: u16,
    matters: u8,
    of: fn(&Scene, usize, usize) -> String,
}

/// The column of what only some kinds have.
const HOLDS: &str = "holds";

/// Figures beside the trend, from left to right.
const COLUMNS: [Column; 6] = [
    Column {
        head: "req/s",
        width: 6,
        matters: 6,
        of: |scene, service, index| {
            let state = &scene.frame.services[service].instances[index];
            truth::of_second(scene.frame.at, text::short(state.rate))
        },
    },
    Column {
        head: "answers in",
        width: 10,
        matters: 4,
        of: |scene, service, index| {
            let state = &scene.frame.services[service].instances[index];
            truth::of_second(scene.frame.at, text::latency(state.latency))
        },
    },
    Column {
        head: "in slots",
        width: 11,
        matters: 2,
        of: |scene, service, index| {
            let (info, state) = both(scene, service, index);
            format!("{} of {}", state.busy_slots, text::short(f64::from(info.slots)))
        },
    },
    Column {
        head: "wait",
        width: 5,
        matters: 5,
        of: |scene, service, index| text::short(f64::from(scene.frame.services[service].instances[index].backlog)),
    },
    Column {
        head: HOLDS,
        width: 26,
        matters: 7,
        of: holds,
    },
    Column {
        head: "machine",
        width: 18,
        matters: 1,
        of: |scene, service, index| {
            let (info, _) = both(scene, service, index);
            let zone = info.zone.map_or(String::new(), |zone| format!(", zone {zone}"));
            format!("{} {} cores{zone}", info.size, info.cores)
        },
    },
];

fn both<'a>(scene: &Scene<'a>, service: usize, index: usize) -> (&'a InstanceInfo, &'a InstanceState) {
    let frame = scene.frame;
    (
        &frame.topology.services[service].instances[index],
        &frame.services[service].instances[index],
    )
}

/// What only its kind has: the role of a node and how far it is behind, what a cache holds, sessions.
fn holds(scene: &Scene, service: usize, index: usize) -> String {
    if let Some((database, node)) = nodes::at(scene.frame, service, index) {
        let shard = if database.shards.len() > 1 {
            format!("shard {}, ", node.shard)
        } else {
            String::new()
        };
        let role = node.role.map_or("", |role| nodes::explained(role).0);
        let role = role.split(':').next().unwrap_or_default();
        let behind = match node.behind {
            0 => String::new(),
            behind => format!(", {} behind", text::short(behind as f64)),
        };
        return format!("{shard}{role}{behind}");
    }
    let state = &scene.frame.services[service];
    if let Some(queue) = &state.queue {
        let [waiting, held] = [queue.waiting, queue.in_flight].map(|count| text::short(count as f64));
        return format!("{waiting} wait, {held} in flight");
    }
    if let Some(kept) = state.cache.as_ref().and_then(|cache| cache.nodes.get(index)) {
        let entries = text::short(kept.entries as f64);
        return format!("hit {}, {entries} entries", layers::ratio(&kept.recent));
    }
    match (state.instances[index].active, state.instances[index].sessions) {
        (Some(true), _) => "active: has the address".to_string(),
        (Some(false), _) => "standby".to_string(),
        (_, Some(held)) if held > 0 => format!("{} sessions", text::count(held)),
        _ => String::new(),
    }
}

/// Where the columns stand.
struct Table {
    name: u16,
    trend: u16,
    columns: Vec<&'static Column>,
}

impl Table {
    /// The figures that matter most stand beside a trend of some columns; what is left is the trend's.
    fn of(scene: &Scene, service: usize, width: u16) -> Table {
        let info = &scene.frame.topology.services[service];
        // Numbers grow; where there are names, there are few.
        let labelled = info.instances.first().is_some_and(|one| one.label.is_some());
        let told = info.instances.iter().rev().take(if labelled { FEW } else { 1 });
        let name = told.map(|one| text::width(&name(one))).max();
        let own = text::width(&info.name).min(HEAD);
        let name = name.unwrap_or(0).min(NAME).max(own);
        let mut left = width.saturating_sub(1 + name + SPACE + STATE + SPACE + LOAD + SPACE + TREND.0);
        // A broker and those who take from it answer nobody.
        let answers = !matches!(info.kind, Kind::Queue | Kind::Workers);
        let is_told = |column: &&Column| {
            if !answers && matches!(column.head, "req/s" | "answers in" | "wait") {
                return false;
            }
            let mut some = 0..info.instances.len().min(FEW);
            column.head != HOLDS || some.any(|index| !holds(scene, service, index).is_empty())
        };
        let mut by_worth: Vec<&Column> = COLUMNS.iter().filter(is_told).collect();
        by_worth.sort_by_key(|column| std::cmp::Reverse(column.matters));
        let mut kept: Vec<u8> = Vec::new();
        for column in by_worth {
            if column.width + SPACE <= left {
                left -= column.width + SPACE;
                kept.push(column.matters);
            }
        }
        let is_kept = |column: &&Column| kept.contains(&column.matters);
        Table {
            name,
            trend: (TREND.0 + left).min(TREND.1),
            columns: COLUMNS.iter().filter(is_kept).collect(),
        }
    }
}

/// What a machine is called among its own: its label or its number.
fn name(info: &InstanceInfo) -> String {
    let number = info.selector.rsplit_once('/').map(|(_, number)| format!("/{number}"));
    match (&info.label, number) {
        (Some(label), _) => text::printable(label).into_owned(),
        (None, Some(number)) => number,
        (None, None) => text::printable(&info.selector).into_owned(),
    }
}

/// Draws the machines of a service, and the head of their table above.
pub(super) fn draw(scene: &Scene, service: usize, area: Rect, window: &Window, painter: &mut Painter) {
    let table = Table::of(scene, service, area.width);
    let own = text::printable(&scene.frame.topology.services[service].name);
    painter.text(area.x + 1, area.y, table.name, &own, Role::Title);
    let mut x = area.x + 1 + table.name + SPACE;
    painter.text(x, area.y, STATE, "state", Role::Muted);
    x += STATE + SPACE;
    painter.text_right(x + LOAD, area.y, LOAD, "load", Role::Muted);
    x += LOAD + SPACE;
    let seconds = table.trend;
    let faint = if scene.twin.is_some() {
        ", faintly without your acts"
    } else {
        ""
    };
    let options = [format!("last {seconds}s{faint}"), format!("last {seconds}s")];
    painter.text(
        x,
        area.y,
        table.trend,
        text::fitting(&options, table.trend),
        Role::Muted,
    );
    x += table.trend + SPACE;
    for column in &table.columns {
        head(
            column,
            scene.frame.topology.services[service].kind,
            (x, area.y),
            painter,
        );
        x += column.width + SPACE;
    }
    for (item, place) in &scene.plan.items {
        let Item::Instance(_, index) = *item else { continue };
        let shown = window.rect(*place);
        if !shown.is_empty() && scene.frame.services[service].instances.len() > index {
            row(scene, (service, index), &table, shown, painter);
        }
    }
}

/// Words stand at the left of their column, figures at the right.
fn is_words(column: &Column) -> bool {
    matches!(column.head, HOLDS | "machine")
}

fn head(column: &Column, kind: Kind, (x, y): (u16, u16), painter: &mut Painter) {
    if is_words(column) {
        let words = match kind {
            Kind::Database | Kind::LoadBalancer if column.head == HOLDS => "role",
            _ => column.head,
        };
        painter.text(x, y, column.width, words, Role::Muted);
    } else {
        painter.text_right(x + column.width, y, column.width, column.head, Role::Muted);
    }
}

fn row(scene: &Scene, (service, index): (usize, usize), table: &Table, area: Rect, painter: &mut Painter) {
    let (info, state) = both(scene, service, index);
    let truth = truth::of(state, scene.frame.at);
    let (sign, sign_role) = card::seen(scene, service, index, &truth);
    let (mut x, y) = (area.x, area.y);
    painter.text(x + 1, y, table.name, &name(info), Role::Title);
    x += 1 + table.name + SPACE;
    let words = format!("{} ", truth.fitting(STATE - 2));
    painter.spans(x, y, STATE, &[(&format!("{sign} "), sign_role), (&words, truth.role)]);
    x += STATE + SPACE;
    // What others run has no load that we know: of an edge its hit ratio is told.
    let ours = !info.size.is_empty();
    let load = if ours {
        truth::of_second(scene.frame.at, text::whole_percent(state.utilisation))
    } else {
        "–".to_string()
    };
    painter.text_right(x + LOAD, y, LOAD, &load, truth::load(state.utilisation));
    x += LOAD + SPACE;
    let trend = if ours {
        trend::of_instance(scene.frame, scene.twin, (service, index))
    } else {
        trend::of_layer(scene.frame, scene.twin, (service, Some(index)), table.trend)
    };
    let place = Rect {
        x,
        width: table.trend,
        ..area
    };
    let look = |value: f32| {
        if ours {
            truth::load(f64::from(value))
        } else {
            Role::Trend
        }
    };
    trend.draw(place, painter, look);
    x += table.trend + SPACE;
    for column in &table.columns {
        let words = (column.of)(scene, service, index);
        if is_words(column) {
            painter.text(x, y, column.width, &words, Role::Muted);
        } else {
            painter.text_right(x + column.width, y, column.width, &words, Role::Text);
        }
        x += column.width + SPACE;
    }
    if scene.selected == Item::Instance(service, index) {
        // The bars keep their colours: only what is before and behind them is marked.
        let first = Rect { height: 1, ..area };
        let marked = card::chosen(&truth);
        painter.tint(
            Rect {
                width: place.x - SPACE / 2 - area.x,
                ..first
            },
            marked,
        );
        let behind = place.right() + SPACE / 2;
        let rest = Rect {
            x: behind,
            width: area.right().saturating_sub(behind),
            ..first
        };
        painter.tint(rest, marked);
    }
}
