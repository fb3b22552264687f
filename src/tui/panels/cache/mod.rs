//! Layers of caches in the order in which a request meets them: what each one answers itself, and what it spares the one behind.

mod compact;
mod nodes;
mod totals;

use ratatui::layout::Rect;

use crate::protocol::Layer;
use crate::tui::app::{App, Pane};
use crate::tui::glyph;
use crate::tui::layers::{self, Layered};
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;

use super::replication::{Piece, packed, piece, spans};

/// Columns of a bar that shows how full a cache is.
const BAR: u16 = 6;

/// What the panel is about, for its title: what is wrong, or else the window of its figures.
pub fn about(app: &App) -> String {
    let layers = layers::all(app.frame(), app.twin.as_deref());
    let alarm = layers.iter().find_map(|layer| {
        let alarm = layer.alarms().into_iter().next()?;
        Some(vec![format!("{}: {alarm}", layer.name()), alarm])
    });
    let mut options = alarm.unwrap_or_default();
    options.extend(["hit ratio (10s), trend of 60s".to_string(), "hits (10s)".to_string()]);
    let area = app.arrangement.area(Pane::Cache).unwrap_or_default();
    let room = area.width.saturating_sub(text::width(&app.pane_title(Pane::Cache)) + 9);
    text::fitting(&options, room).to_string()
}

/// Lines that the panel would like to have, with its border; none where there is nothing to show.
pub fn wanted(app: &App) -> Option<u16> {
    let layers = layers::all(app.frame(), app.twin.as_deref()).len() as u16;
    (layers > 0).then(|| (layers * 3).min(15) + 2)
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let layers = layers::all(app.frame(), app.twin.as_deref());
    if layers.is_empty() {
        return;
    }
    let height = usize::from(area.height);
    if height < layers.len().max(4) {
        return compact::draw(&layers, area, painter);
    }
    let alone = app.zoom == Some(Pane::Cache);
    let columns = Columns::new(&layers, area.width);
    let block = |layer| block(app, layer, &columns, area.width);
    let mut blocks: Vec<Vec<Vec<Piece>>> = layers.iter().map(block).collect();
    let mut rows: Vec<Vec<Vec<Piece>>> = vec![Vec::new(); layers.len()];
    let mut foot = Vec::new();
    if alone {
        foot = totals::lines(&layers, area.width);
        foot.truncate(height.saturating_sub(layers.len()));
        rows = nodes::lines(app, &layers, area.width, height - layers.len() - foot.len());
    }
    let rows_taken: usize = rows.iter().map(Vec::len).sum();
    let alarmed: Vec<bool> = layers.iter().map(|layer| !layer.alarms().is_empty()).collect();
    shorten(&mut blocks, &alarmed, height - foot.len() - rows_taken);
    let lines = blocks
        .into_iter()
        .zip(rows)
        .flat_map(|(block, rows)| block.into_iter().chain(rows));
    let lines: Vec<Vec<Piece>> = lines.collect();
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        spans(line, Rect { y, ..area }, painter);
    }
    let below = area.bottom() - foot.len() as u16;
    for (y, line) in (below..area.bottom()).zip(&foot) {
        spans(line, Rect { y, ..area }, painter);
    }
}

/// Takes lines from the ends of the longest blocks until all fit: of those that have to tell what is wrong, all but two, as long as that is
/// enough; of the others all but the first.
fn shorten(blocks: &mut [Vec<Vec<Piece>>], alarmed: &[bool], height: usize) {
    for spared in [2, 1] {
        while blocks.iter().map(Vec::len).sum::<usize>() > height {
            let least = |index: usize| if alarmed[index] { spared } else { 1 };
            let rest = blocks.iter_mut().enumerate().rev();
            let longer = rest.filter(|(index, block)| block.len() > least(*index));
            match longer.max_by_key(|(_, block)| block.len()) {
                Some((_, block)) => block.pop(),
                None => break,
            };
        }
    }
}

/// Whether the selection is this layer.
fn selected(app: &App, layer: &Layered) -> bool {
    app.selected.service() == Some(layer.service)
}

/// A layer: its hit ratio, trend and misses in a line, then all else that there is to say.
fn block(app: &App, layer: &Layered, columns: &Columns, width: u16) -> Vec<Vec<Piece>> {
    let mut lines = vec![head(app, layer, columns, width)];
    let more = packed(pieces(layer), width.saturating_sub(2));
    lines.extend(more.into_iter().map(|mut line| {
        line.insert(0, piece("  ", Role::Text));
        line
    }));
    lines
}

/// Misses that go on: `290 miss/s ▶ db`.
fn misses(layer: &Layered) -> Vec<String> {
    let rate = layer.rate(layer.passed_rate());
    let rate = rate.trim_end_matches("/s");
    let arrow = glyph::HEADS[1];
    match layer.behind_name() {
        Some(behind) => vec![
            format!("{rate} miss/s {arrow} {behind}"),
            format!("{rate}/s {arrow} {behind}"),
            format!("{rate} miss/s"),
        ],
        None => vec![format!("{rate} miss/s")],
    }
}

/// How a hit ratio looks: where so many miss one key at once that it is a stampede, or nobody is sent there, it says so too.
fn look(layer: &Layered) -> Role {
    match (layer.stampedes(), layer.unused()) {
        (true, _) => Role::Mismatch,
        (_, Some(_)) => Role::Muted,
        _ => Role::Text,
    }
}

/// Where the columns of the first lines stand, so that the newest values of all trends are below each other.
struct Columns {
    name: u16,
    trend: u16,
}

/// Columns before the trend, beside those of the name: the mark and the hit ratio.
const BEFORE: u16 = 8;

impl Columns {
    fn new(layers: &[Layered], width: u16) -> Columns {
        let longest = layers.iter().map(|layer| text::width(&layer.name())).max();
        let name = longest.unwrap_or(0).clamp(5, (width / 3).clamp(8, 20));
        let room = width.saturating_sub(name + BEFORE);
        let behind = layers.iter().map(|layer| text::width(&goes_on(layer, room)));
        Columns {
            name,
            trend: room.saturating_sub(behind.max().unwrap_or(0) + 2).min(60),
        }
    }
}

/// Where the misses of a layer go, or that nobody is sent there, beside at least a few columns of its trend.
fn goes_on(layer: &Layered, room: u16) -> String {
    let options = match layer.unused() {
        Some(word) => vec![word.to_string()],
        None => misses(layer),
    };
    text::fitting(&options, room.saturating_sub(6)).to_string()
}

fn head(app: &App, layer: &Layered, columns: &Columns, width: u16) -> Vec<Piece> {
    let (mark, role) = if selected(app, layer) {
        ("▸", Role::Accent)
    } else {
        (" ", Role::Title)
    };
    let name = layer.name();
    let name = text::clip_middle(&name, columns.name);
    let gap = " ".repeat(usize::from(columns.name - text::width(&name)));
    let right = goes_on(layer, width.saturating_sub(columns.name + BEFORE));
    let mut line = vec![
        piece(mark, Role::Accent),
        piece(format!("{name}{gap}"), role),
        piece(format!("{:>6} ", layers::ratio(&layer.state.recent)), look(layer)),
    ];
    line.extend(layer.trend(None, columns.trend));
    line.push(piece(format!("  {right}"), Role::Text));
    line
}

/// What is to be said of a layer beyond its first line, the most important first.
fn pieces(layer: &Layered) -> Vec<Piece> {
    let state = layer.state;
    let mut pieces: Vec<Piece> = layer
        .alarms()
        .into_iter()
        .map(|words| piece(words, Role::Mismatch))
        .collect();
    if let Some((factor, behind)) = layer.saves().zip(layer.behind_name()) {
        let words = format!("{behind} would get {}", times(factor));
        pieces.push(piece(words, Role::Good));
    }
    pieces.push(piece(
        format!("{} asked", layer.rate(layer.per_second(state.recent.lookups))),
        Role::Text,
    ));
    let rates = [
        (state.recent.stale_hits, "stale", Role::Warning),
        (state.recent.coalesced, "coalesced", Role::Text),
        (state.recent.failed_loads, "loads fail", Role::Bad),
        (state.recent.evicted, "evicted", Role::Text),
        (state.recent.expired, "expired", Role::Text),
    ];
    for (count, words, role) in rates.into_iter().filter(|(count, ..)| *count > 0) {
        pieces.push(piece(format!("{} {words}", layer.rate(layer.per_second(count))), role));
    }
    let entries = format!("{} entries", text::short(state.entries as f64));
    pieces.push(piece(
        match layer.full() {
            Some(full) => format!("{entries} {} {} full", bar(full), text::percent(full)),
            None => entries,
        },
        Role::Text,
    ));
    if state.total.served_bytes > 0 {
        let cost = match state.layer {
            Layer::Edge if state.spent > 0.0 => format!(", {}", text::cost(state.spent)),
            _ => String::new(),
        };
        let words = format!("{} served{cost}", layers::bytes(state.total.served_bytes));
        pieces.push(piece(words, Role::Muted));
    }
    pieces.push(piece(state.policy.clone(), Role::Muted));
    pieces
}

/// A bar with a bed, so that one sees how much room is left.
fn bar(full: f64) -> String {
    let bed = glyph::DOTTED[10].to_string();
    glyph::bar(full, BAR).replace(' ', &bed)
}

/// A multiple: `4.1x`.
fn times(factor: f64) -> String {
    if factor < 9.95 {
        format!("{factor:.1}x")
    } else {
        format!("{}x", text::short(factor))
    }
}
