//! Which share of the users comes to which data center, and by which policy of the name service.

use ratatui::layout::Rect;

use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::map;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

/// The longest bar: that of all users.
const BAR: f64 = 8.0;

/// A data center to which users can be sent.
struct Door {
    name: String,
    share: f64,
    /// The share in words.
    percent: String,
    /// What is wrong with it, if anything is.
    mark: Option<(&'static str, Role)>,
}

/// The policy and the data centers, the one with the most users first at the start; `None` where there is no choice.
fn doors(app: &App) -> Option<(String, Vec<Door>)> {
    let frame = app.frame();
    let topology = &frame.topology;
    let dns = frame.services.iter().find_map(|service| service.dns.as_ref())?;
    if !map::are_several(topology) {
        return None;
    }
    let sites = map::rows(topology)
        .into_iter()
        .filter(|site| map::has_entry(topology, *site));
    let door = |site: usize| {
        let state = frame.sites.get(site)?;
        let services = topology.services.iter().enumerate();
        let here = services.filter(|(_, service)| service.site == Some(site));
        let dead = here.clone().count() > 0 && here.clone().all(|(service, _)| truth::serving(frame, service).0 == 0);
        // An evacuation is planned: the name service knows of it, whatever its checks say.
        let mark = match (state.evacuated, dead, state.believed_up) {
            (true, true, _) => Some(("dead, evacuated", Role::Bad)),
            (true, false, _) => Some(("evacuated", Role::Warning)),
            (false, true, true) => Some(("dead, believed up", Role::Mismatch)),
            (false, true, false) => Some(("dead", Role::Bad)),
            (false, false, false) => Some(("left out", Role::Warning)),
            (false, false, true) => None,
        };
        Some(Door {
            name: topology.sites[site].name.clone(),
            share: state.share,
            percent: truth::of_second(frame.at, text::whole_percent(state.share)),
            mark,
        })
    };
    Some((dns.routing.clone(), sites.filter_map(door).collect()))
}

/// In a few words, for a title: `geo us-east 62% eu-west 38%`.
pub(super) fn in_short(app: &App) -> Option<String> {
    let (policy, doors) = doors(app)?;
    let words = doors.iter().map(|door| {
        let sign = match door.mark {
            Some((_, Role::Warning)) => "–",
            Some(_) => "✖",
            None => "",
        };
        format!("{sign}{} {}", door.name, door.percent)
    });
    Some(format!("{policy} {}", words.collect::<Vec<String>>().join(" ")))
}

/// Draws the line, on top of what there is of the data center itself. Returns the rows that it takes.
pub(super) fn draw(app: &App, area: Rect, painter: &mut Painter) -> u16 {
    // At a small size the title tells it.
    let least = if app.arrangement.compact { 4 } else { 2 };
    let Some((policy, doors)) = doors(app).filter(|_| area.height >= least) else {
        return 0;
    };
    let wide = |bars: bool| -> u16 {
        let door = |door: &Door| {
            let mark = door.mark.map_or(0, |(mark, _)| text::width(mark) + 1);
            let bar = if bars { (door.share * BAR).ceil() as u16 + 1 } else { 0 };
            text::width(&door.name) + 1 + 4 + bar + mark + 2
        };
        text::width(&policy) + 2 + doors.iter().map(door).sum::<u16>()
    };
    let bars = wide(true) <= area.width;
    let mut x = area.x + painter.text(area.x, area.y, area.width, &policy, Role::Title) + 2;
    for door in &doors {
        let bar = if bars {
            glyph::bar(door.share, BAR as u16).trim_end().to_string()
        } else {
            String::new()
        };
        let bad = door.mark.is_some_and(|(_, role)| role != Role::Warning);
        let flow = if bad { Role::Bad } else { Role::Flow };
        let (mark, mark_role) = door
            .mark
            .map_or((String::new(), Role::Text), |(mark, role)| (format!(" {mark}"), role));
        let space = if bar.is_empty() { "" } else { " " };
        let pieces = [
            (door.name.as_str(), Role::Text),
            (" ", Role::Text),
            (door.percent.as_str(), Role::Title),
            (space, Role::Text),
            (bar.as_str(), flow),
            (mark.as_str(), mark_role),
        ];
        x += painter.spans(x, area.y, area.right().saturating_sub(x), &pieces) + 2;
    }
    1
}
