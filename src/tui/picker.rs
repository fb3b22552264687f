//! The choice of layouts with a preview: what the one under the cursor looks like, and its story.

use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::layout::{self, SHIPPED};
use crate::observe::Frame;
use crate::world::World;

use super::app::{App, Over};
use super::map::{self, Plan, Scene};
use super::menu::{Choice, Menu};
use super::paint::Painter;
use super::panels::over::{draw_list, popup};
use super::select::Item;
use super::speed::Speed;
use super::text;
use super::theme::Role;

/// The smallest terminal with room for a preview beside the list.
const LEAST: (u16, u16) = (100, 28);
/// The seed of what is drawn.
const SEED: u64 = 7;
/// So long the world of a preview has run, so that there are figures.
const A_LITTLE: Duration = Duration::from_millis(1_100);
/// Requests a second above which that would be felt: such a preview shows the start.
const QUICK: f64 = 2_000.0;
/// Lines of the story at most.
const STORY: usize = 8;

/// What a layout looks like, and where everything stands in so much room.
pub struct Preview {
    /// The number of the layout.
    layout: usize,
    frame: Arc<Frame>,
    plan: Plan,
    area: Rect,
}

/// The layout under the cursor of a choice of layouts.
fn pointed(over: &Over) -> Option<usize> {
    let Over::Menu(menu) = over else { return None };
    match menu.entries.get(menu.at)?.choice {
        Choice::Open(index) => Some(index),
        _ => None,
    }
}

/// Where the list stands, and the preview beside it; nothing where there is no room for both, or where no layout is chosen.
pub fn areas(over: &Over, area: Rect) -> Option<(Rect, Rect)> {
    pointed(over).filter(|_| area.width >= LEAST.0 && area.height >= LEAST.1)?;
    let Over::Menu(menu) = over else { return None };
    let names = menu.entries.iter().map(|entry| text::width(&entry.words)).max()?;
    // All but the header and the keys.
    let whole = Rect {
        y: area.y + 1,
        height: area.height - 2,
        ..area
    };
    let wide = (names + 8).clamp(28, whole.width / 3);
    let list = Rect { width: wide, ..whole };
    let beside = Rect {
        x: whole.x + wide,
        width: whole.width - wide,
        ..whole
    };
    Some((list, beside))
}

/// Makes the preview of the layout under the cursor, unless that is the one that there is. A shipped layout is built in a moment.
pub fn prepare(app: &mut App, area: Rect) {
    let (Some(index), Some((_, beside))) = (pointed(&app.over), areas(&app.over, area)) else {
        app.preview = None;
        return;
    };
    if app.preview.as_ref().is_none_or(|preview| preview.layout != index) {
        let Some(shipped) = SHIPPED.get(index) else { return };
        let Ok(layout) = layout::parse(shipped.source, &shipped.file_name()) else {
            return;
        };
        let mut world = World::build(&layout, SEED);
        let rate: f64 = layout.users.values().map(layout::Users::rate).sum();
        if rate <= QUICK {
            world.advance(A_LITTLE);
        }
        app.preview = Some(Preview {
            layout: index,
            frame: Arc::new(world.frame()),
            plan: Plan::default(),
            area: Rect::ZERO,
        });
    }
    if let Some(preview) = &mut app.preview {
        let story = text::wrap(&preview.frame.topology.about, beside.width - 4)
            .len()
            .min(STORY) as u16;
        let inner = Rect {
            x: beside.x + 2,
            y: beside.y + 3 + story,
            width: beside.width - 4,
            height: beside.height.saturating_sub(4 + story),
        };
        if preview.area != inner {
            preview.plan = map::plan(&preview.frame.topology, inner.width, inner.height);
            preview.area = inner;
        }
    }
}

/// Draws the list and the preview.
pub fn draw(app: &App, menu: &Menu, (list, beside): (Rect, Rect), painter: &mut Painter) {
    draw_list(menu, list, painter);
    let title = menu.entries.get(menu.at).map_or("", |entry| entry.words.as_str());
    popup(beside, title, "", painter);
    let Some(preview) = &app.preview else { return };
    let topology = &preview.frame.topology;
    let (x, width) = (beside.x + 2, beside.width - 4);
    painter.text(x, beside.y + 1, width, &text::printable(&topology.title), Role::Title);
    let story = text::wrap(&text::printable(&topology.about), width);
    for (y, words) in (beside.y + 2..).zip(story.iter().take(STORY)) {
        painter.text(x, y, width, words, Role::Muted);
    }
    let scene = Scene {
        frame: &preview.frame,
        plan: &preview.plan,
        selected: Item::Site(usize::MAX),
        phase: 0.0,
        speed: Speed::REAL,
        lens: app.lens,
        flashes: &[],
        sweeps: &[],
        marked: None,
        twin: None,
        motion: false,
    };
    map::draw(&scene, preview.area, painter);
}
