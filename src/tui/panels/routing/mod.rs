//! Who sends how much to whom, what is true, and what is believed: the difference is the star of the show. Below it, what becomes of
//! sessions, calls and machines.

mod entrance;
mod notes;
mod servers;
mod sites;

use ratatui::layout::Rect;

use crate::layout::duration;
use crate::observe::{BalancerState, Kind};
use crate::tui::app::{App, Pane};
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use notes::Note;
pub use notes::breakers;
use servers::{Columns, Row};

/// What the panel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// A load balancer.
    Balancer(usize),
    /// Functions, which need none.
    Functions(usize),
    /// Names and addresses alone.
    Names,
}

/// What the selection leads to: itself, the way into its data center, or the first way in that there is.
fn subject(app: &App) -> Subject {
    let frame = app.frame();
    let of = |service: usize| {
        let state = frame.services.get(service)?;
        let balancer = state.balancer.as_ref().map(|_| Subject::Balancer(service));
        let functions = state.serverless.map(|_| Subject::Functions(service));
        balancer.or(functions)
    };
    let site = match app.selected {
        Item::Site(site) => Some(site),
        Item::Host(service) | Item::Service(service) | Item::Instance(service, _) => {
            let info = frame.topology.services.get(service);
            let itself = app.selected.service().and_then(of);
            if let Some(itself) = itself {
                return itself;
            }
            if info.is_some_and(|info| matches!(info.kind, Kind::Dns | Kind::Resolver)) {
                return Subject::Names;
            }
            // Of users: where they are sent while all is well.
            info.and_then(|info| info.site.or(info.home))
        }
    };
    let all = || (0..frame.services.len()).filter_map(|service| Some((service, of(service)?)));
    let here = all().find(|(service, _)| frame.topology.services[*service].site == site);
    let found = here.or_else(|| all().next());
    found.map_or(Subject::Names, |(_, subject)| subject)
}

/// What the panel is about, for its title. Where lines are few, it tells of the data centers, too.
pub fn about(app: &App) -> String {
    let about = of_subject(app);
    let few = app.arrangement.area(Pane::Routing).is_some_and(|area| area.height < 5);
    match sites::in_short(app).filter(|_| few && app.arrangement.compact) {
        Some(sites) => {
            let name = about.split(" · ").next().unwrap_or_default();
            let options = [format!("{about} · {sites}"), format!("{name} · {sites}"), sites];
            let area = app.arrangement.area(Pane::Routing).unwrap_or_default();
            let room = area
                .width
                .saturating_sub(text::width(&app.pane_title(Pane::Routing)) + 7);
            text::fitting(&options, room).to_string()
        }
        None => about,
    }
}

fn of_subject(app: &App) -> String {
    let frame = app.frame();
    let selector = |service: usize| &app.topology().services[service].selector;
    match subject(app) {
        Subject::Balancer(service) => {
            let balancer = frame.services[service].balancer.as_ref();
            let policy = balancer.map_or("", |balancer| &balancer.policy);
            let sticky = balancer.and_then(|balancer| balancer.sticky.as_ref());
            let name = selector(service);
            let options = [
                sticky.map(|cookie| format!("{name} · {policy} · sticky {cookie}")),
                sticky.map(|_| format!("{name} · {policy}, sticky")),
                Some(format!("{name} · {policy}")),
                Some(name.clone()),
            ];
            let options: Vec<String> = options.into_iter().flatten().collect();
            let area = app.arrangement.area(Pane::Routing).unwrap_or_default();
            let room = area
                .width
                .saturating_sub(text::width(&app.pane_title(Pane::Routing)) + 9);
            text::fitting(&options, room).to_string()
        }
        Subject::Functions(service) => format!("{} · functions", selector(service)),
        Subject::Names => {
            let dns = frame.services.iter().find_map(|service| service.dns.as_ref());
            let ttl = dns.map_or(String::new(), |dns| format!(" · ttl {}", duration::format(dns.ttl)));
            if frame.services.iter().any(|service| service.balancer.is_some()) {
                format!("dns{ttl}")
            } else {
                format!("by DNS alone{ttl}")
            }
        }
    }
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let used = sites::draw(app, area, painter);
    let area = Rect {
        y: area.y + used,
        height: area.height - used,
        ..area
    };
    match subject(app) {
        Subject::Balancer(service) => balancer(app, service, area, painter),
        Subject::Functions(service) => entrance::functions(app, service, area, painter),
        Subject::Names => entrance::names(app, area, painter),
    }
}

/// How the lines of the panel are shared out.
struct Shares {
    /// Lines for servers.
    rows: u16,
    /// Lines for notes.
    notes: u16,
    /// Whether there is room to say in words what is believed wrongly.
    star: bool,
    /// Whether there is room for the rules of the checks.
    rule: bool,
}

impl Shares {
    /// Servers first, though what is wrong elsewhere always has a line; then what is wrong in words, then all else.
    fn of(room: u16, rows: u16, notes: &[Note], wrong: bool) -> Shares {
        let urgent = notes.iter().filter(|note| note.urgent).count() as u16;
        let reserved = urgent.min((room * 2).div_ceil(3)).min(room.saturating_sub(1));
        let rows = rows.min(room - reserved);
        let mut left = room - rows;
        let mut take = |wish: u16| {
            let fits = wish <= left;
            left -= if fits { wish } else { 0 };
            fits
        };
        let mut shown = urgent.min(room - rows);
        take(shown);
        // With a line of space around each group.
        let star = wrong && take(3);
        for _ in urgent..notes.len() as u16 {
            shown += u16::from(take(1));
        }
        let rule = take(2);
        Shares {
            rows,
            notes: shown,
            star,
            rule,
        }
    }
}

/// The rows of a balancer's servers.
fn rows(app: &App, service: usize, balancer: &BalancerState) -> Vec<Row> {
    let selector = &app.topology().services[service].selector;
    let site = selector.rsplit_once('/').map(|(site, _)| format!("{site}/"));
    let views = servers::views(&balancer.backends);
    let rules = Some((balancer.down_after, balancer.up_after));
    let backends = balancer.backends.iter();
    backends
        .map(|backend| Row::of(app.frame(), backend, rules, views, site.as_deref()))
        .collect()
}

/// A balancer and its servers, and below them what else there is to tell.
fn balancer(app: &App, service: usize, area: Rect, painter: &mut Painter) {
    let frame = app.frame();
    let info = &app.topology().services[service];
    let Some(balancer) = &frame.services[service].balancer else {
        return;
    };
    let rows = rows(app, service, balancer);
    let notes = notes::of_site(app, info.site, area.width);
    let mut y = area.y;
    if let Some((words, role)) = viewers(app, service, balancer, area) {
        painter.text(area.x, y, area.width, &words, role);
        y += 1;
    }
    let head = area.height >= 5;
    let room = area.bottom().saturating_sub(y + u16::from(head));
    let star = rows.iter().find(|row| row.wrong).cloned();
    let shares = Shares::of(room, rows.len() as u16, &notes, star.is_some());
    let rows = servers::condense(rows, usize::from(shares.rows));
    // Rows that were put together leave room for more.
    let shares = Shares::of(room, rows.len() as u16, &notes, star.is_some());
    let columns = Columns::new(&rows, area, head);
    if head {
        columns.head(y, "sent", &format!("{} believes", info.name), painter);
        y += 1;
    }
    for row in rows {
        columns.draw(&row, y, painter);
        y += 1;
    }
    let rule_at = area.bottom().saturating_sub(u16::from(shares.rule));
    if let Some(row) = star.filter(|_| shares.star) {
        mistake(
            &row,
            &info.name,
            Rect {
                y: y + 1,
                height: 2,
                ..area
            },
            painter,
        );
        y += 3;
    }
    let spare = rule_at.saturating_sub(y + shares.notes);
    y += u16::from(spare > 0);
    notes::draw(
        &notes,
        Rect {
            y,
            height: shares.notes,
            ..area
        },
        painter,
    );
    if shares.rule {
        rule(balancer, area, painter);
    }
}

/// Whose view this is, where there are several balancers, and who else there is.
fn viewers(app: &App, service: usize, balancer: &BalancerState, area: Rect) -> Option<(String, Role)> {
    let frame = app.frame();
    let info = &app.topology().services[service];
    let state = &frame.services[service];
    let name = |number: usize| {
        let selector = info.instances.get(number).map_or("", |one| &one.selector);
        let short = selector.rsplit_once('/').map_or(selector, |(_, number)| number);
        format!("{}/{short}", info.name)
    };
    if !state.instances.iter().any(truth::serves) {
        let words = format!(
            "{} {} itself serves nobody: nothing is routed",
            glyph::DEAD,
            info.selector
        );
        return Some((words, Role::Bad));
    }
    if state.instances.len() < 2 || area.height < 3 {
        return None;
    }
    let others = state.instances.iter().enumerate();
    let others = others.filter(|(number, _)| *number != balancer.viewer);
    let mut hurt = false;
    let others: Vec<String> = others
        .map(|(number, other)| {
            let truth = truth::of(other, frame.at);
            hurt |= !truth::serves(other);
            let word = match (truth::serves(other), other.active) {
                (true, None) => "works, too".to_string(),
                (true, Some(false)) => "standby".to_string(),
                (true, Some(true)) => "active".to_string(),
                (false, _) => format!("{} {}", truth.sign, truth.words),
            };
            format!("{} {word}", name(number))
        })
        .collect();
    if area.height < 5 && !hurt {
        return None;
    }
    let word = match state.instances.get(balancer.viewer).and_then(|viewer| viewer.active) {
        Some(true) => " active",
        _ => "",
    };
    let viewer = name(balancer.viewer);
    let options = [
        format!("view of {viewer}{word} · {}", others.join(" · ")),
        format!("view of {viewer}{word}, one of {}", state.instances.len()),
        format!("view of {viewer}"),
    ];
    let role = if hurt { Role::Warning } else { Role::Muted };
    Some((text::fitting(&options, area.width).to_string(), role))
}

/// The star of the show: what is, and what the balancer takes it for.
fn mistake(row: &Row, balancer: &str, area: Rect, painter: &mut Painter) {
    let (sign, name, state) = (row.sign, &row.name, row.state);
    let words = match row.belief.split_once(", ") {
        Some(("ejected", left)) => format!("{sign} {name} is {state}, but {balancer} keeps it ejected ({left})."),
        Some((belief, checks)) => {
            let checks = checks.replace(' ', " checks ");
            format!("{sign} {name} is {state}, but {balancer} believes it is {belief} ({checks}).")
        }
        None => format!(
            "{sign} {name} is {state}, but {balancer} believes it is {}.",
            row.belief
        ),
    };
    for (y, words) in (area.y..area.bottom()).zip(text::wrap(&words, area.width)) {
        painter.text(area.x, y, area.width, &words, Role::Mismatch);
    }
}

/// When the balancer changes its mind, on the last line.
fn rule(balancer: &BalancerState, area: Rect, painter: &mut Painter) {
    let every = duration::format(balancer.check_every);
    let (down, up) = (balancer.down_after, balancer.up_after);
    let options = [
        format!("checks every {every}: out after {down} failed, in after {up} passed"),
        format!("checks every {every}: {down} failed out, {up} passed in"),
    ];
    let words = text::fitting(&options, area.width);
    painter.text(area.x, area.bottom() - 1, area.width, words, Role::Muted);
}
