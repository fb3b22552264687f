//! Presets: which panes have the screen, apart from everything at once.

use ratatui::layout::Rect;

use crate::tui::app::{App, Pane};

use super::{Arrangement, stand_in};

/// Which panes have the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// As many as there is room for.
    #[default]
    Everything,
    /// The map, and the incident below it.
    Map,
    /// All but the map, beside each other.
    Panels,
}

impl Preset {
    /// The one after this.
    #[must_use]
    pub fn next(self) -> Preset {
        match self {
            Preset::Everything => Preset::Map,
            Preset::Map => Preset::Panels,
            Preset::Panels => Preset::Everything,
        }
    }

    /// What it shows, in words.
    pub fn words(self) -> &'static str {
        match self {
            Preset::Everything => "everything",
            Preset::Map => "the map",
            Preset::Panels => "all panels without the map",
        }
    }
}

/// Lines of the incident below the map.
const INCIDENT: u16 = 7;
/// Columns that a panel wants.
const PANEL: u16 = 56;

/// The map, and the incident below it; of what stands beside the map otherwise, what was asked for.
pub(super) fn map(app: &App, body: Rect, arrangement: &mut Arrangement) {
    let incident = INCIDENT.min(body.height / 3);
    let mut area = Rect {
        height: body.height - incident,
        ..body
    };
    let below = Rect {
        y: area.bottom(),
        height: incident,
        ..body
    };
    if app.follows() {
        let high = (body.height * 2 / 5).max(incident);
        area.height = body.height - high;
        let below = Rect {
            y: area.bottom(),
            height: high,
            ..body
        };
        stand_in(app, below, arrangement);
    } else {
        if app.inspector {
            let wide = (body.width / 3).max(40).min(body.width);
            area.width -= wide;
            let beside = Rect {
                x: area.right(),
                width: wide,
                ..area
            };
            stand_in(app, beside, arrangement);
        }
        arrangement.panes.push((Pane::Incident, below));
    }
    arrangement.panes.insert(0, (Pane::Map, area));
}

/// All panes but the map: in as many columns as there is room for, each as high as the others of its column.
pub(super) fn panels(app: &App, body: Rect, arrangement: &mut Arrangement) {
    let mut body = body;
    if app.inspector || app.follows() {
        let high = body.height / 2;
        body.height -= high;
        let below = Rect {
            y: body.bottom(),
            height: high,
            ..body
        };
        stand_in(app, below, arrangement);
    }
    let panes = app.panes();
    let panes = &panes[1..];
    let columns = (body.width / PANEL).clamp(1, 3);
    let each = panes.len().div_ceil(usize::from(columns));
    for (column, panes) in panes.chunks(each.max(1)).enumerate() {
        let left = body.width * column as u16 / columns;
        let right = body.width * (column as u16 + 1) / columns;
        for (row, pane) in panes.iter().enumerate() {
            let top = body.height * row as u16 / panes.len() as u16;
            let bottom = body.height * (row as u16 + 1) / panes.len() as u16;
            let area = Rect {
                x: body.x + left,
                y: body.y + top,
                width: right - left,
                height: bottom - top,
            };
            // A border and a line are the least that tells something.
            if area.height >= 2 + u16::from(!arrangement.compact) {
                arrangement.panes.push((*pane, area));
            }
        }
    }
}
