//! Draws a plan: frames, ways, cards, in this order.

use ratatui::layout::Rect;

use crate::observe::Frame;
use crate::tui::flash::{Flash, Sweep};
use crate::tui::glyph;
use crate::tui::lens::Lens;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::speed::Speed;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::layout::Plan;
use super::{card, flow, followed, roster, sites};

/// What the map shows.
pub struct Scene<'a> {
    /// The newest frame.
    pub frame: &'a Frame,
    /// Where everything stands.
    pub plan: &'a Plan,
    /// What is selected.
    pub selected: Item,
    /// How far traffic has moved, in cells. Stands still with simulated time.
    pub phase: f64,
    /// Whether it moves at all.
    pub motion: bool,
    /// The speed in force.
    pub speed: Speed,
    /// What machines are coloured by.
    pub lens: Lens,
    /// What has just changed.
    pub flashes: &'a [Flash],
    /// Ways that have just taken traffic over.
    pub sweeps: &'a [Sweep],
    /// What is marked as one end of a link.
    pub marked: Option<Item>,
    /// The newest frame of the world where nobody acts.
    pub twin: Option<&'a Frame>,
}

/// A part of the terminal onto which the map's coordinates are laid, scrolled so that the selection is seen.
pub struct Window {
    area: Rect,
    scroll: u16,
}

impl Window {
    /// The window that shows an item: the beginning of the map if that is seen there, else what is around it.
    pub fn showing(plan: &Plan, area: Rect, selected: Item) -> Window {
        // The head of a table stays where it is, and so does the line that tells of the rows that are not seen.
        let head = u16::from(plan.alone.is_some()).min(area.height);
        let height = area.height - head;
        let foot = head.min(u16::from(plan.height > height)).min(height);
        let area = Rect {
            y: area.y + head,
            height: height - foot,
            ..area
        };
        let place = plan
            .items
            .iter()
            .find(|(item, _)| *item == selected)
            .map_or(0, |(_, place)| place.bottom().saturating_sub(1));
        let most = plan.height.saturating_sub(area.height);
        // Of what has a title its first line counts too.
        let seen = place + 1 < area.height;
        let wanted = if seen { 0 } else { place.saturating_sub(area.height / 2) };
        Window {
            area,
            scroll: wanted.min(most),
        }
    }

    /// A place of the map on the terminal; `None` when it is outside.
    pub fn place(&self, x: u16, y: u16) -> Option<(u16, u16)> {
        let row = y.checked_sub(self.scroll)?;
        (row < self.area.height && x < self.area.width).then(|| (self.area.x + x, self.area.y + row))
    }

    /// The visible part of an area of the map.
    pub fn rect(&self, area: Rect) -> Rect {
        let top = area.y.max(self.scroll);
        let bottom = area.bottom().min(self.scroll + self.area.height).max(top);
        let right = area.right().min(self.area.width);
        Rect::new(
            self.area.x + area.x.min(self.area.width),
            self.area.y + top - self.scroll,
            right.saturating_sub(area.x),
            bottom - top,
        )
    }

    /// How many services and data centers, or machines of a service that is alone, stand above, and how many below.
    fn hidden(&self, plan: &Plan) -> [usize; 2] {
        let places = || {
            let sites = plan.sites.iter().filter(|area| !area.is_empty());
            let alone = plan.alone.is_some();
            let machines = plan.items.iter().filter(move |_| alone).map(|(_, area)| *area);
            let cards = plan.cards.iter().map(|card| card.area);
            cards.chain(sites.copied()).chain(machines)
        };
        let above = places().filter(|area| area.bottom() <= self.scroll).count();
        let below = places().filter(|area| area.y >= self.scroll + self.area.height).count();
        [above, below]
    }

    /// Says below a table how many rows are not seen.
    fn count_hidden(&self, plan: &Plan, all: usize, painter: &mut Painter) {
        let [above, below] = self.hidden(plan);
        let below = below + all.saturating_sub(plan.items.len());
        let words = match (above, below) {
            (0, 0) => return,
            (0, below) => format!("▼ {below} more"),
            (above, 0) => format!("▲ {above} more"),
            (above, below) => format!("▲ {above}   ▼ {below} more"),
        };
        painter.text(
            self.area.x + 1,
            self.area.bottom(),
            self.area.width,
            &words,
            Role::Notice,
        );
    }

    /// Says at its edges that there is more.
    fn mark_hidden(&self, plan: &Plan, painter: &mut Painter) {
        let edges = [('▲', self.area.y), ('▼', self.area.bottom().saturating_sub(1))];
        for ((sign, y), hidden) in edges.into_iter().zip(self.hidden(plan)) {
            if hidden > 0 && self.area.height > 1 {
                painter.text_right(
                    self.area.right(),
                    y,
                    self.area.width,
                    &format!(" {sign} {hidden} more "),
                    Role::Accent,
                );
            }
        }
    }

    /// What of the map lies at a place of the terminal.
    pub fn hit(&self, plan: &Plan, x: u16, y: u16) -> Option<Item> {
        if !self.area.contains((x, y).into()) {
            return None;
        }
        let (x, y) = (x - self.area.x, y - self.area.y + self.scroll);
        let inside = |area: &Rect| area.contains((x, y).into());
        let card = || {
            plan.cards
                .iter()
                .find(|card| inside(&card.area))
                .map(|card| Item::Service(card.service))
        };
        let site = || plan.sites.iter().position(inside).map(Item::Site);
        let exact = plan
            .items
            .iter()
            .rev()
            .find(|(_, area)| inside(area))
            .map(|(item, _)| *item);
        exact.or_else(card).or_else(site)
    }
}

/// Draws the map into an area.
pub fn draw(scene: &Scene, area: Rect, painter: &mut Painter) {
    let window = Window::showing(scene.plan, area, scene.selected);
    let mut painter = painter.within(area);
    if let Some(service) = scene.plan.alone {
        roster::draw(scene, service, area, &window, &mut painter);
        tint(scene, &window, &mut painter);
        let all = scene.frame.topology.services[service].instances.len();
        window.count_hidden(scene.plan, all, &mut painter);
        return;
    }
    let sites = 0..scene.plan.sites.len();
    let mut from_above: Vec<usize> = sites.filter(|site| !scene.plan.sites[*site].is_empty()).collect();
    from_above.sort_by_key(|site| scene.plan.sites[*site].y);
    for site in from_above {
        draw_site(scene, site, scene.plan.sites[site], &window, &mut painter);
    }
    for (host, place) in &scene.plan.hosts {
        draw_host(scene, host, *place, &window, &mut painter);
    }
    flow::draw(scene, &window, &mut painter);
    let sites = scene.plan.sites.iter().enumerate();
    for (site, area) in sites.filter(|(_, area)| !area.is_empty()) {
        name_site(scene, site, *area, &window, &mut painter);
    }
    for plan in &scene.plan.cards {
        card::draw(scene, plan, &window, &mut painter);
    }
    tint(scene, &window, &mut painter);
    followed::draw(scene, &window, &mut painter);
    window.mark_hidden(scene.plan, &mut painter);
}

/// What has just changed, and what is marked.
fn tint(scene: &Scene, window: &Window, painter: &mut Painter) {
    for flash in scene.flashes {
        let place = scene.plan.items.iter().find(|(item, _)| *item == flash.item);
        if let Some((_, place)) = place {
            let shown = window.rect(Rect { height: 1, ..*place });
            painter.tint(shown, flash.role);
        }
    }
    let marked = scene.plan.items.iter().find(|(item, _)| Some(*item) == scene.marked);
    if let Some((_, place)) = marked {
        let shown = window.rect(Rect { height: 1, ..*place });
        painter.tint(shown, Role::Notice);
    }
}

/// A frame of which some rows may be scrolled away.
fn outline(area: Rect, doubled: bool, role: Role, window: &Window, painter: &mut Painter) {
    let shown = window.rect(area);
    let whole = shown.height == area.height;
    if whole {
        painter.frame(shown, doubled, role);
        return;
    }
    let side = if doubled { '║' } else { '│' };
    for y in shown.y..shown.bottom() {
        painter.put(shown.x, y, side, role);
        painter.put(shown.right().saturating_sub(1), y, side, role);
    }
    for y in [area.y, area.bottom().saturating_sub(1)] {
        for x in area.x..area.right() {
            if let Some((x, y)) = window.place(x, y) {
                painter.put(x, y, if doubled { '═' } else { '─' }, role);
            }
        }
    }
}

/// Where words in the upper edge of a frame end: at its right, or as far left of that as ways that cross the edge make it.
fn free(plan: &Plan, area: Rect, wide: u16) -> u16 {
    let cells = plan.edges.iter().flat_map(|edge| &edge.cells);
    let crossings: Vec<u16> = cells.filter(|cell| cell.1 == area.y).map(|cell| cell.0).collect();
    let best = area.right().saturating_sub(2);
    let least = area.x + area.width / 2;
    let clear = |right: &u16| {
        !crossings
            .iter()
            .any(|x| (right.saturating_sub(wide)..*right).contains(x))
    };
    (least..=best).rev().find(clear).unwrap_or(best)
}

fn draw_site(scene: &Scene, index: usize, area: Rect, window: &Window, painter: &mut Painter) {
    let mood = sites::mood(scene.frame, index);
    let selected = scene.selected == Item::Site(index);
    let role = if mood.lost {
        Role::Bad
    } else if selected {
        Role::Accent
    } else {
        Role::Site
    };
    outline(area, true, role, window, painter);
    let joins = |other: &Rect| other.height > 0 && other.bottom() == area.y + 1;
    if scene.plan.sites.iter().any(joins) {
        for (x, sign) in [(area.x, '╠'), (area.right() - 1, '╣')] {
            if let Some((x, y)) = window.place(x, area.y) {
                painter.put(x, y, sign, role);
            }
        }
    }
}

/// The words in the upper edge of a data center's frame, over what crosses it: its name always, and as much of the rest as stands beside it.
fn name_site(scene: &Scene, index: usize, area: Rect, window: &Window, painter: &mut Painter) {
    let mood = sites::mood(scene.frame, index);
    let selected = scene.selected == Item::Site(index);
    let Some((x, y)) = window.place(area.x + 2, area.y) else {
        return;
    };
    let title_role = match (selected, mood.lost) {
        (true, true) => Role::SelectedBad,
        (true, false) => Role::Selected,
        (false, true) => Role::Bad,
        (false, false) => Role::Title,
    };
    let used = painter.text(x, y, area.width.saturating_sub(12), &mood.title, title_role);
    let begins = area.x + 2 + used + 1;
    for words in &mood.words {
        let wide = text::width(words);
        let right = free(scene.plan, area, wide);
        if right.saturating_sub(wide) >= begins {
            painter.text_right(x + right - (area.x + 2), y, wide, words, mood.role);
            return;
        }
    }
}

fn draw_host(scene: &Scene, host: &str, area: Rect, window: &Window, painter: &mut Painter) {
    let topology = &scene.frame.topology;
    let selected = matches!(scene.selected, Item::Host(_)) && scene.selected.selector(topology) == Some(host);
    let dead = topology
        .services
        .iter()
        .zip(&scene.frame.services)
        .all(|(service, state)| {
            service
                .instances
                .iter()
                .zip(&state.instances)
                .all(|(one, state)| one.machine != host || !truth::serves(state))
        });
    let role = match (dead, selected) {
        (true, _) => Role::Bad,
        (false, true) => Role::Accent,
        (false, false) => Role::Host,
    };
    outline(area, false, role, window, painter);
    let sign = if dead {
        format!("{} ", glyph::DEAD)
    } else {
        String::new()
    };
    let names = [format!(" {sign}{host} "), format!("{sign}{host}")];
    // A frame that is narrow has its name between its corners, and nothing beside it.
    let width = area.width.saturating_sub(4);
    let (inset, width) = if text::width(&names[0]) > width {
        (1, width + 2)
    } else {
        (2, width)
    };
    let Some((x, y)) = window.place(area.x + inset, area.y) else {
        return;
    };
    let machine = topology
        .services
        .iter()
        .flat_map(|service| &service.instances)
        .find(|one| one.machine == host);
    let sizes = machine.map_or_else(Vec::new, |one| {
        vec![
            format!("· one machine, {}, {} cores ", one.size, one.cores),
            "· one machine ".to_string(),
        ]
    });
    let name = match text::fitting(&names, width) {
        "" => text::clip(&names[1], width).into_owned(),
        name => name.to_string(),
    };
    let name_role = match (selected, dead) {
        (true, true) => Role::SelectedBad,
        (true, false) => Role::Selected,
        (false, true) => Role::Bad,
        (false, false) => Role::Title,
    };
    let size = text::fitting(&sizes, width.saturating_sub(text::width(&name) + 1));
    let size = if selected { format!(" {size}") } else { size.to_string() };
    painter.spans(x, y, width, &[(&name, name_role), (&size, Role::Muted)]);
}
