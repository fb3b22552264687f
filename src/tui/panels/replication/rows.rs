//! Nodes in lines: name, role, term, ribbon, and what is to be said of each.

use ratatui::layout::Rect;

use crate::observe::{DatabaseState, NodeRole, NodeState};
use crate::tui::app::App;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::{Piece, piece, ribbon};

/// A ribbon has at least and at most so many cells.
const RIBBON: (u16, u16) = (8, 32);

/// What is to be said of a node, the most telling first.
pub(super) fn words(app: &App, database: &DatabaseState, node: &NodeState) -> Vec<Piece> {
    let frame = app.frame();
    let machine = nodes::machine(frame, node);
    let mut pieces = Vec::new();
    if let Some(machine) = machine.filter(|machine| !truth::serves(machine) || node.role.is_none()) {
        let truth = truth::of(machine, frame.at);
        let down = truth::serves(machine);
        pieces.push(if down {
            piece("down", Role::Bad)
        } else {
            (truth.words, truth.role)
        });
    }
    let leads = nodes::leader(database, node.shard).is_some_and(|leader| leader.number == node.number);
    let position = text::count(node.position);
    match node.role {
        _ if nodes::rivals(database, node) => pieces.push(piece("a second primary", Role::Bad)),
        Some(NodeRole::Fenced) => pieces.push(piece("fenced: no writes", Role::Warning)),
        Some(NodeRole::Candidate) => pieces.push(piece("seeks a primary", Role::Warning)),
        Some(NodeRole::Recovering) => pieces.push(piece("replays its log", Role::Warning)),
        Some(NodeRole::Rebuilding) => {
            let done = node
                .rebuilt
                .map_or(String::new(), |share| format!(" {}", text::whole_percent(share)));
            pieces.push(piece(format!("rebuilds{done}"), Role::Warning));
        }
        Some(_) if leads => pieces.push(piece(position.clone(), Role::Text)),
        _ => {}
    }
    if node.aside > 0 {
        pieces.push(piece(format!("{} aside", text::count(node.aside)), Role::Mismatch));
    }
    if node.siblings > 0 {
        pieces.push(piece(
            format!("{} with siblings", text::count(node.siblings)),
            Role::Warning,
        ));
    }
    match nodes::conflicts(database, node) {
        Some(_) if node.aside + node.siblings > 0 => {}
        Some(0) if nodes::rivals(database, node) => {}
        Some(0) => pieces.push(piece("differs", Role::Mismatch)),
        Some(own) => pieces.push(piece(format!("{} of its own", text::count(own)), Role::Mismatch)),
        None => {}
    }
    if node.behind > 0 && node.role != Some(NodeRole::Rebuilding) {
        let role = if node.torn { Role::Warning } else { Role::Text };
        pieces.push(piece(format!("{} behind", text::count(node.behind)), role));
        if !node.lag.is_zero() {
            pieces.push(piece(nodes::age(node.lag), role));
        }
    }
    if node.torn {
        pieces.push(piece("cut off", Role::Bad));
    }
    if let Some(skew) = nodes::skew(node) {
        pieces.push(piece(format!("clock {skew}"), Role::Warning));
    }
    if !node.voter {
        pieces.push(piece("no vote yet", Role::Muted));
    }
    if pieces.is_empty() {
        pieces.push(piece("in step", Role::Muted));
    }
    if !leads && node.position > 0 {
        pieces.push(piece(format!("at {position}"), Role::Muted));
    }
    pieces
}

/// Whether nothing is to be said of a node but that it follows: such ones may be put together.
fn plain(app: &App, database: &DatabaseState, node: &NodeState) -> bool {
    let well = nodes::machine(app.frame(), node).is_some_and(truth::serves);
    let follows = matches!(node.role, Some(NodeRole::Replica | NodeRole::Peer));
    let selected = matches!((app.selected, node.instance), (Item::Instance(service, instance), Some(own)) if own == (service, instance));
    well && follows && !node.torn && !selected && nodes::conflicts(database, node).is_none()
}

/// Draws nodes, in as few lines as there are. Returns the lines used.
pub(super) fn draw(app: &App, database: &DatabaseState, which: &[usize], area: Rect, painter: &mut Painter) -> u16 {
    let (shown, hidden) = chosen(app, database, which, usize::from(area.height));
    let names = nodes::names(database);
    let columns = Columns::new(app, database, &shown, &names, area.width);
    let mut y = area.y;
    for index in &shown {
        columns.draw(app, database, *index, &names[*index], Rect { y, ..area }, painter);
        y += 1;
    }
    if !hidden.is_empty() && y < area.bottom() {
        let nodes = || hidden.iter().map(|index| &database.nodes[*index]);
        let behind = nodes().map(|node| node.behind).max().unwrap_or(0);
        let well = nodes().all(|node| plain(app, database, node));
        let words = match (well, behind) {
            (true, 0) => format!("+{} more, in step", hidden.len()),
            (true, behind) => format!("+{} more, at most {} behind", hidden.len(), text::count(behind)),
            (false, _) => format!("+{} more", hidden.len()),
        };
        painter.text(area.x, y, area.width, &words, Role::Muted);
        y += 1;
    }
    y - area.y
}

/// The nodes that have a line, in their order, and those that have not: what merely follows goes first.
fn chosen(app: &App, database: &DatabaseState, which: &[usize], room: usize) -> (Vec<usize>, Vec<usize>) {
    if which.len() <= room {
        return (which.to_vec(), Vec::new());
    }
    let mut order = which.to_vec();
    order.sort_by_key(|index| plain(app, database, &database.nodes[*index]));
    let hidden = order.split_off(room.saturating_sub(1));
    order.sort_unstable();
    (order, hidden)
}

/// Where the columns of the rows stand.
struct Columns {
    name: u16,
    term: u16,
    ribbon: u16,
    /// Digits of the greatest number of entries behind.
    digits: usize,
}

impl Columns {
    fn new(app: &App, database: &DatabaseState, shown: &[usize], names: &[String], width: u16) -> Columns {
        let nodes = || shown.iter().map(|index| &database.nodes[*index]);
        let longest = shown.iter().map(|index| text::width(&names[*index])).max().unwrap_or(2);
        let name = longest.clamp(2, (width / 4).max(6)) + 1;
        let terms = nodes().map(|node| node.term).max().unwrap_or(0);
        let term = if terms > 0 {
            terms.to_string().len() as u16 + 2
        } else {
            0
        };
        let digits = nodes().map(|node| text::count(node.behind).len()).max().unwrap_or(1);
        let left = name + 2 + term;
        let words = nodes()
            .map(|node| ribbon::width(&joined(words(app, database, node), digits, u16::MAX)))
            .max()
            .unwrap_or(0);
        let room = width.saturating_sub(left + 1);
        let ribbon = room
            .saturating_sub(words + 1)
            .clamp((room * 2 / 5).clamp(RIBBON.0, RIBBON.1), RIBBON.1);
        Columns {
            name,
            term,
            ribbon,
            digits,
        }
    }

    fn draw(&self, app: &App, database: &DatabaseState, index: usize, name: &str, area: Rect, painter: &mut Painter) {
        let node = &database.nodes[index];
        let selected = matches!((app.selected, node.instance), (Item::Instance(service, instance), Some(own)) if own == (service, instance));
        let (sign, look) = nodes::sign(app.frame(), database, node);
        let role = if selected { Role::Accent } else { Role::Text };
        let (mut x, y) = (area.x, area.y);
        painter.text(x, y, self.name - 1, &text::clip_middle(name, self.name - 1), role);
        x += self.name;
        painter.put(x, y, sign, look);
        x += 2;
        if self.term > 0 {
            let term = if node.term > 0 {
                format!("t{}", node.term)
            } else {
                String::new()
            };
            painter.text(x, y, self.term, &term, Role::Muted);
            x += self.term;
        }
        let health = nodes::machine(app.frame(), node).map(|machine| machine.health);
        let ribbon = ribbon::of(database, node, health, self.ribbon);
        let rect = |x: u16, width: u16| Rect { x, y, width, height: 1 };
        super::spans(&ribbon, rect(x, self.ribbon), painter);
        x += self.ribbon + 1;
        let room = area.right().saturating_sub(x);
        let words = joined(words(app, database, node), self.digits, room);
        super::spans(&words, rect(x, room), painter);
    }
}

/// As many pieces as fit into a width, entries behind below each other.
fn joined(pieces: Vec<Piece>, digits: usize, width: u16) -> Vec<Piece> {
    let mut line: Vec<Piece> = Vec::new();
    let mut used = 0;
    for (words, role) in pieces {
        let first = line.is_empty();
        let words = match words.split_once(" behind") {
            Some((count, _)) if first => format!("{count:>digits$} behind"),
            _ => words,
        };
        let between = if first { "" } else { "  " };
        let wide = text::width(between) + text::width(&words);
        if used + wide > width && !first {
            break;
        }
        used += wide;
        line.push((format!("{between}{words}"), role));
    }
    line
}
