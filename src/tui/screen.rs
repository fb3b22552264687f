//! The whole screen: where each pane stands at a size, and drawing all of it.

mod presets;
mod wishes;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use presets::Preset;

use super::app::{App, Over, Pane};
use super::glyph;
use super::keymap::Action;
use super::lens::Lens;
use super::map::{self, Scene};
use super::menu::Menu;
use super::paint::Painter;
use super::panels;
use super::past;
use super::picker;
use super::select::Item;
use super::text;
use super::theme::Role;
use super::truth;

/// The smallest terminal on which something can be shown.
pub const LEAST: (u16, u16) = (60, 16);
/// From this size on, panes stand side by side.
const WIDE: (u16, u16) = (110, 32);

/// Where everything on the screen stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrangement {
    /// The terminal.
    pub area: Rect,
    /// Whether the terminal is too small.
    pub small: bool,
    /// Whether panes are a title and a few lines, without borders.
    pub compact: bool,
    /// The map without its border.
    pub map: Rect,
    /// Panes with their borders or title lines.
    pub panes: Vec<(Pane, Rect)>,
    /// The inspector.
    pub inspector: Option<Rect>,
    /// The request that is followed.
    pub request: Option<Rect>,
    /// The line of time, if it is shown.
    pub timeline: Option<Rect>,
    /// Keys in the footer.
    pub keys: Vec<(Rect, Action)>,
    /// The menu, if one is open.
    pub menu: Rect,
}

/// What can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A key in the footer.
    Key(Action),
    /// Something on the map.
    Item(Item),
    /// A pane.
    Pane(Pane),
    /// A moment on the line of time.
    Moment(Duration),
}

impl Arrangement {
    /// Where a pane stands, if it is shown.
    pub fn area(&self, pane: Pane) -> Option<Rect> {
        self.panes
            .iter()
            .find(|(other, _)| *other == pane)
            .map(|(_, area)| *area)
    }

    /// What lies at a place of the terminal.
    pub fn spot(&self, app: &App, x: u16, y: u16) -> Option<Spot> {
        let inside = |area: &Rect| area.contains((x, y).into());
        if let Some((_, action)) = self.keys.iter().find(|(area, _)| inside(area)) {
            return Some(Spot::Key(*action));
        }
        let track = self.timeline.map(|line| past::track(&app.timeline, line));
        if let Some(track) = track.filter(|track| inside(track)) {
            return Some(Spot::Moment(past::moment(&app.timeline, track, x)));
        }
        if [self.inspector, self.request].iter().flatten().any(inside) {
            return None;
        }
        let pane = self
            .panes
            .iter()
            .find(|(_, area)| inside(area))
            .map(|(pane, _)| *pane)?;
        if pane == Pane::Map {
            let window = map::Window::showing(&app.plan, self.map, app.selected);
            return window.hit(&app.plan, x, y).map(Spot::Item);
        }
        Some(Spot::Pane(pane))
    }

    /// The line of a menu at a place of the terminal.
    pub fn menu_line(&self, menu: &Menu, x: u16, y: u16) -> Option<usize> {
        let inner = panels::inner(self.menu);
        let first = panels::first_shown(menu, inner.height);
        inner.contains((x, y).into()).then(|| usize::from(y - inner.y) + first)
    }
}

/// Sets the screen out.
pub fn arrange(app: &App, area: Rect) -> Arrangement {
    let mut arrangement = Arrangement {
        area,
        ..Arrangement::default()
    };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        arrangement.small = true;
        return arrangement;
    }
    let past = u16::from(app.has_timeline());
    let body = Rect {
        y: area.y + 1,
        height: area.height - 2 - past,
        ..area
    };
    arrangement.timeline = (past > 0).then(|| Rect {
        y: body.bottom(),
        height: 1,
        ..area
    });
    arrangement.compact = area.width < WIDE.0 || area.height < WIDE.1;
    match app.zoom {
        Some(pane) => alone(app, pane, body, &mut arrangement),
        None if app.preset == Preset::Map => presets::map(app, body, &mut arrangement),
        None if app.preset == Preset::Panels => presets::panels(app, body, &mut arrangement),
        None if arrangement.compact => stacked(app, body, &mut arrangement),
        None => side_by_side(app, body, &mut arrangement),
    }
    if let Some(map) = arrangement.area(Pane::Map) {
        let inner = panels::inner(map);
        arrangement.map = if arrangement.compact {
            map
        } else {
            Rect {
                width: inner.width - 1,
                ..inner
            }
        };
    }
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    arrangement.keys = panels::footer::keys(app, bottom)
        .into_iter()
        .map(|key| (key.area, key.action))
        .collect();
    if let Over::Menu(menu) = &app.over {
        let beside = picker::areas(&app.over, area).map(|(list, _)| list);
        arrangement.menu = beside.unwrap_or_else(|| panels::over::menu_area(menu, area));
    }
    if let Over::Palette(palette) = &app.over {
        let menu = panels::over::menu_area(&palette.menu(app), area);
        // It keeps its place while less and less fits.
        arrangement.menu = panels::over::palette_area(menu.width, area);
    }
    arrangement
}

fn alone(app: &App, pane: Pane, body: Rect, arrangement: &mut Arrangement) {
    let mut area = body;
    if app.inspector || app.follows() {
        let wide = (body.width / 3).max(40).min(body.width);
        let beside = Rect {
            x: body.right() - wide,
            width: wide,
            ..body
        };
        stand_in(app, beside, arrangement);
        area.width -= wide;
    }
    arrangement.panes.push((pane, area));
}

/// At a small size: the map above, panes of a few lines below, the less important ones left out.
fn stacked(app: &App, body: Rect, arrangement: &mut Arrangement) {
    // Several data centers are to be seen at once, as far as that leaves half of the lines to the panes.
    let sites = if map::are_several(app.topology()) {
        map::least_height(app.topology(), body.width).min(body.height / 2)
    } else {
        0
    };
    let least_map = (body.height * 2 / 5).max(7).max(sites);
    let mut left = body.height - least_map;
    let panes = app.panes();
    let mut rows: Vec<(Pane, u16)> = panes[1..].iter().map(|pane| (*pane, 0)).collect();
    for (pane, wish) in wishes::of(&panes, sites > 0) {
        let row = rows.iter_mut().find(|row| row.0 == *pane);
        if let Some(row) = row.filter(|_| left >= *wish) {
            row.1 += wish;
            left -= wish;
        }
    }
    // What remains is the map's, and half of it the events' where there is much.
    if let Some(log) = rows.last_mut().filter(|log| log.1 > 0) {
        log.1 += left / 2;
        left -= left / 2;
    }
    let map = least_map + left;
    arrangement.panes.push((Pane::Map, Rect { height: map, ..body }));
    let mut y = body.y + map;
    if app.inspector || app.follows() {
        let below = Rect {
            y,
            height: body.bottom() - y,
            ..body
        };
        stand_in(app, below, arrangement);
        return;
    }
    for (pane, height) in rows.into_iter().filter(|(_, height)| *height > 0) {
        arrangement.panes.push((pane, Rect { y, height, ..body }));
        y += height;
    }
}

/// At a large size: the map and what is known beside it, the incident below, charts and events at the bottom.
fn side_by_side(app: &App, body: Rect, arrangement: &mut Arrangement) {
    let incident = 7;
    let bottom = (body.height * 27 / 100).clamp(9, 18);
    let top = body.height - incident - bottom;
    let right = (body.width * 36 / 100).clamp(44, 66);
    let left = body.width - right;
    arrangement.panes.push((
        Pane::Map,
        Rect {
            width: left,
            height: top,
            ..body
        },
    ));
    let column = Rect {
        x: body.x + left,
        y: body.y,
        width: right,
        height: top,
    };
    if app.inspector {
        arrangement.inspector = Some(column);
    } else {
        beside(app, column, arrangement);
    }
    // A waterfall is wide, and few lines high.
    if app.follows() {
        arrangement.request = Some(Rect {
            y: body.y + top,
            height: body.height - top,
            ..body
        });
        return;
    }
    arrangement.panes.push((
        Pane::Incident,
        Rect {
            y: body.y + top,
            height: incident,
            ..body
        },
    ));
    let lowest = Rect {
        y: body.bottom() - bottom,
        height: bottom,
        ..body
    };
    let charts = body.width * 55 / 100;
    arrangement.panes.push((
        Pane::Latency,
        Rect {
            width: charts,
            ..lowest
        },
    ));
    arrangement.panes.push((
        Pane::Log,
        Rect {
            x: lowest.x + charts,
            width: lowest.width - charts,
            ..lowest
        },
    ));
}

/// What stands in the place of panes: the request that is followed, else the inspector.
fn stand_in(app: &App, area: Rect, arrangement: &mut Arrangement) {
    if app.follows() {
        arrangement.request = Some(area);
    } else {
        arrangement.inspector = Some(area);
    }
}

/// What stands beside the map: routing; caches, replication and queues where there are any; causes.
fn beside(app: &App, column: Rect, arrangement: &mut Arrangement) {
    let wanted = [
        panels::cache::wanted(app),
        panels::replication::wanted(app),
        panels::queues::wanted(app),
    ];
    let others = wanted.iter().flatten().count() as u16;
    let causes = if others == 0 {
        (column.height * 2 / 5).clamp(6, 12)
    } else {
        (column.height / 5).clamp(4, 8)
    };
    // The servers have a third of the column at least, a little less with each of the others but the first.
    let servers = others.max(1) + 2;
    let most = column.height - causes - (column.height / servers).max(5);
    let [cache, replication, queues] = shared(wanted.map(|lines| lines.unwrap_or(0)), most);
    let mut y = column.y;
    for (pane, height) in [
        (Pane::Routing, column.height - causes - cache - replication - queues),
        (Pane::Cache, cache),
        (Pane::Replication, replication),
        (Pane::Queues, queues),
        (Pane::Causes, causes),
    ] {
        if height > 0 {
            arrangement.panes.push((pane, Rect { y, height, ..column }));
            y += height;
        }
    }
}

/// What panes get of so many lines: as much as each wants, else an equal share of what those leave that want less.
fn shared(wanted: [u16; 3], most: u16) -> [u16; 3] {
    let mut given = [0; 3];
    let mut order = [0, 1, 2];
    order.sort_by_key(|pane| wanted[*pane]);
    let mut left = most;
    for (served, pane) in order.into_iter().enumerate() {
        given[pane] = wanted[pane].min(left / (3 - served as u16));
        left -= given[pane];
    }
    given
}

/// Draws everything. [`App::prepare`] has been called for this area.
pub fn draw(app: &App, buffer: &mut Buffer) {
    let arrangement = &app.arrangement;
    let mut painter = Painter::new(buffer, &app.theme);
    if arrangement.small {
        panels::small(arrangement.area, &mut painter);
    } else {
        let area = arrangement.area;
        panels::header::draw(app, Rect { height: 1, ..area }, &mut painter);
        for (pane, area) in &arrangement.panes {
            draw_pane(app, *pane, *area, &mut painter);
        }
        if let Some(area) = arrangement.inspector {
            let inner = panels::frame(app, None, "inspector", area, &mut painter);
            panels::inspector::draw(app, inner, &mut painter);
        }
        if let Some(area) = arrangement.request {
            let inner = panels::frame(app, None, &panels::request::title(app), area, &mut painter);
            panels::request::draw(app, inner, &mut painter);
        }
        if let Some(line) = arrangement.timeline {
            past::draw(app, line, &mut painter);
        }
        panels::footer::draw(
            app,
            Rect {
                y: area.bottom() - 1,
                height: 1,
                ..area
            },
            &mut painter,
        );
        panels::over::draw(app, area, &mut painter);
    }
    if !app.motion {
        glyph::stop_turning(buffer);
    }
    if app.ascii {
        glyph::to_ascii(buffer);
    }
}

fn draw_pane(app: &App, pane: Pane, area: Rect, painter: &mut Painter) {
    if pane == Pane::Map {
        if !app.arrangement.compact {
            let title = format!("{}colour: {}", shown_alone(app), app.lens.name());
            panels::frame(app, Some(pane), &title, area, painter);
        }
        let scene = Scene {
            frame: app.frame(),
            plan: &app.plan,
            selected: app.selected,
            phase: app.phase,
            motion: app.motion,
            speed: app.view.effective(),
            lens: app.lens,
            flashes: &app.flashes,
            sweeps: &app.sweeps,
            marked: app.marked,
            twin: app.twin.as_deref(),
        };
        map::draw(&scene, app.arrangement.map, painter);
        if !app.arrangement.compact || app.lens != Lens::default() {
            legend(app, area, painter);
        }
        return;
    }
    let title = panels::title(app, pane);
    let inner = panels::frame(app, Some(pane), &title, area, painter);
    let mut painter = painter.within(inner);
    match pane {
        Pane::Map => {}
        Pane::Routing => panels::routing::draw(app, inner, &mut painter),
        Pane::Latency => panels::latency::draw(app, inner, &mut painter),
        Pane::Replication => panels::replication::draw(app, inner, &mut painter),
        Pane::Cache => panels::cache::draw(app, inner, &mut painter),
        Pane::Queues => panels::queues::draw(app, inner, &mut painter),
        Pane::Causes => panels::causes::draw(app, inner, &mut painter),
        Pane::Incident => panels::incident::draw(app, inner, &mut painter),
        Pane::Log => panels::log::draw(app, inner, &mut painter),
    }
}

/// What the map shows: all, a data center, or the machines of a service and how many of them serve.
fn shown_alone(app: &App) -> String {
    let topology = app.topology();
    if let Some(service) = app.alone() {
        let (up, all) = truth::serving(app.frame(), service);
        let name = text::printable(&topology.services[service].selector);
        return format!("{name} alone · {up} of {all} up · ");
    }
    let site = app.within.and_then(|site| topology.sites.get(site));
    site.map_or("map · ".to_string(), |site| {
        format!("map · {} alone · ", text::printable(&site.name))
    })
}

/// What the signs mean, on the lower edge of the map; on a map without an edge, what the colours are too.
fn legend(app: &App, area: Rect, painter: &mut Painter) {
    let mut pieces = vec![(" ".to_string(), Role::Muted)];
    if app.arrangement.compact {
        pieces.push((format!("{}  ", app.lens.name()), Role::Title));
    }
    pieces.extend(app.lens.legend());
    pieces.push((" ".to_string(), Role::Muted));
    let pieces: Vec<(&str, Role)> = pieces.iter().map(|(words, role)| (words.as_str(), *role)).collect();
    let width: u16 = pieces.iter().map(|(words, _)| text::width(words)).sum();
    let width = width.min(area.width.saturating_sub(2));
    painter.spans(
        area.right().saturating_sub(width + 2),
        area.bottom() - 1,
        width,
        &pieces,
    );
}

/// A role for a border.
pub fn border(app: &App, pane: Option<Pane>) -> Role {
    if pane == Some(app.focus) {
        Role::Accent
    } else {
        Role::Faint
    }
}
