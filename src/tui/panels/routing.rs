//! Who sends how much to whom, what is true, and what is believed: the difference is the star of the show.

use ratatui::layout::Rect;

use crate::layout::duration;
use crate::observe::{BackendState, BalancerState, Health, InstanceState, Kind, LinkKind};
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

/// What the panel is about, for its title.
pub fn about(app: &App) -> String {
    let Some(service) = app.balancer() else {
        return "by DNS alone".to_string();
    };
    let policy = app.frame().services[service]
        .balancer
        .as_ref()
        .map_or("", |balancer| &balancer.policy);
    format!("{} · {policy}", app.topology().services[service].selector)
}

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let Some(service) = app.balancer() else {
        without_balancer(app, area, painter);
        return;
    };
    let frame = app.frame();
    let Some(balancer) = &frame.services[service].balancer else {
        return;
    };
    let site = app.topology().services[service]
        .selector
        .rsplit_once('/')
        .map(|(site, _)| format!("{site}/"));
    let rows: Vec<Row> = balancer
        .backends
        .iter()
        .map(|backend| row(app, balancer, backend, site.as_deref()))
        .collect();
    let alive = frame.services[service].instances.iter().any(truth::serves);
    let mut y = area.y;
    if !alive {
        let name = &app.topology().services[service].selector;
        let words = format!("{} {name} itself serves nobody: nothing is routed", glyph::DEAD);
        painter.text(area.x, y, area.width, &words, Role::Bad);
        y += 1;
    }
    let head = area.height >= 5;
    let room = usize::from(area.bottom().saturating_sub(y + u16::from(head)));
    let note = area.height >= 7 && rows.len() + 2 <= room;
    let star = rows.iter().find(|row| row.wrong).cloned();
    let star = star.filter(|_| rows.len() + 5 <= room);
    let rows = condense(rows, room);
    let columns = Columns::new(&rows, area);
    if head {
        columns.head(y, &app.topology().services[service].name, painter);
        y += 1;
    }
    for row in rows {
        columns.draw(&row, y, painter);
        y += 1;
    }
    if let Some(row) = star {
        let below = Rect {
            y: y + 1,
            height: 2,
            ..area
        };
        mistake(&row, &app.topology().services[service].name, below, painter);
    }
    if note {
        rule(balancer, area, painter);
    }
}

/// The star of the show: what is, and what the balancer takes it for.
fn mistake(row: &Row, balancer: &str, area: Rect, painter: &mut Painter) {
    let belief = match row.belief.split_once(", ") {
        Some((belief, checks)) => format!("{belief} ({})", checks.replace(' ', " checks ")),
        None => row.belief.clone(),
    };
    let (sign, name, state) = (row.sign, &row.name, row.state);
    let words = format!("{sign} {name} is {state}, but {balancer} believes it is {belief}.");
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

/// A server, or several that are alike.
#[derive(Clone)]
struct Row {
    name: String,
    share: f64,
    sign: char,
    truth: String,
    state: &'static str,
    truth_role: Role,
    belief: String,
    wrong: bool,
    alike: (bool, bool),
}

/// The row of a server. The name of the balancer's own data center goes without saying.
fn row(app: &App, balancer: &BalancerState, backend: &BackendState, site: Option<&str>) -> Row {
    let frame = app.frame();
    let name = site
        .and_then(|site| backend.name.strip_prefix(site))
        .unwrap_or(&backend.name)
        .to_string();
    let state = backend
        .instance
        .and_then(|(service, instance)| frame.services.get(service)?.instances.get(instance));
    let belief = truth::belief(backend.believed, balancer.down_after, balancer.up_after);
    let Some(state) = state else {
        return Row {
            name,
            share: backend.share,
            sign: glyph::GONE,
            truth: "left".to_string(),
            state: "gone",
            truth_role: Role::Muted,
            belief,
            wrong: false,
            alike: (false, false),
        };
    };
    let truth = truth::of(state, frame.at);
    let words = if state.health == Health::Up && state.slow <= 1.0 && !state.draining {
        format!("up {}", text::whole_percent(state.utilisation))
    } else {
        truth.words
    };
    let wrong = truth::mistaken(backend.believed, state);
    Row {
        name,
        share: backend.share,
        sign: truth.sign,
        truth: words,
        state: state_word(state.health),
        truth_role: truth.role,
        wrong,
        alike: (!wrong && healthy(state) && belief == "up", false),
        belief,
    }
}

fn state_word(health: Health) -> &'static str {
    match health {
        Health::Booting { .. } => "booting",
        Health::Up => "up",
        Health::Hung => "hung",
        Health::Down => "dead",
        Health::Destroyed => "destroyed",
        Health::CutOff => "cut off",
    }
}

fn healthy(state: &InstanceState) -> bool {
    state.health == Health::Up && state.slow <= 1.0 && !state.draining
}

/// Fits rows into a number of lines: those that are healthy and believed so become one.
fn condense(rows: Vec<Row>, room: usize) -> Vec<Row> {
    if rows.len() <= room {
        return rows;
    }
    let (well, mut shown): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.alike.0);
    shown.sort_by_key(|row| !row.wrong);
    let hidden = shown.len().saturating_sub(room.saturating_sub(1));
    shown.truncate(room.saturating_sub(usize::from(!well.is_empty() || hidden > 0)));
    if let Some(first) = well.first() {
        let share = well.iter().map(|row| row.share).sum::<f64>();
        shown.push(Row {
            name: if shown.is_empty() {
                format!("all {}", well.len())
            } else {
                format!("{} others", well.len())
            },
            share,
            truth: if hidden > 0 {
                format!("{hidden} hidden")
            } else {
                "up".to_string()
            },
            ..first.clone()
        });
    } else if hidden > 0 && !shown.is_empty() {
        let last = shown.len() - 1;
        shown[last].name = format!("+{} more", hidden + 1);
    }
    shown
}

struct Columns {
    x: u16,
    name: u16,
    bar: u16,
    truth: u16,
    belief: u16,
}

impl Columns {
    fn new(rows: &[Row], area: Rect) -> Columns {
        let longest = rows.iter().map(|row| text::width(&row.name)).max().unwrap_or(4);
        let name = longest.clamp(5, (area.width / 4).max(7)) + 1;
        let truth = 13;
        let belief = 16;
        let bar = area.width.saturating_sub(name + 5 + truth + belief).min(14);
        Columns {
            x: area.x,
            name,
            bar,
            truth,
            belief: area.width.saturating_sub(name + bar + 5 + truth),
        }
    }

    fn head(&self, y: u16, balancer: &str, painter: &mut Painter) {
        let mut x = self.x + self.name;
        painter.text(x, y, self.bar + 5, "sent", Role::Muted);
        x += self.bar + 5;
        painter.text(x, y, self.truth, "truth", Role::Muted);
        painter.text(
            x + self.truth,
            y,
            self.belief,
            &format!("{balancer} believes"),
            Role::Muted,
        );
    }

    fn draw(&self, row: &Row, y: u16, painter: &mut Painter) {
        let mut x = self.x;
        let bad = row.wrong && row.truth_role == Role::Bad;
        painter.text(
            x,
            y,
            self.name - 1,
            &text::clip_middle(&row.name, self.name - 1),
            if row.wrong { Role::Title } else { Role::Text },
        );
        x += self.name;
        let flow = if bad { Role::Bad } else { Role::Flow };
        painter.text(x, y, self.bar, &glyph::bar(row.share, self.bar), flow);
        x += self.bar;
        painter.text_right(x + 4, y, 4, &text::whole_percent(row.share), Role::Text);
        x += 5;
        let sign = row.sign.to_string();
        painter.spans(
            x,
            y,
            self.truth - 1,
            &[(&sign, row.truth_role), (" ", Role::Text), (&row.truth, row.truth_role)],
        );
        x += self.truth;
        let role = if row.wrong { Role::Mismatch } else { Role::Muted };
        if !row.wrong {
            painter.text(x, y, self.belief, &row.belief, role);
            return;
        }
        let counted = row.belief.trim_end_matches(" failed").trim_end_matches(" passed");
        let belief = row.belief.split(',').next().unwrap_or_default();
        let options = [
            format!("{} ◀ wrong", row.belief),
            format!("{counted} ◀ wrong"),
            format!("{belief} ◀ wrong"),
            "◀ wrong".to_string(),
        ];
        painter.text(x, y, self.belief, text::fitting(&options, self.belief), role);
    }
}

/// Without a balancer: what DNS answers, and that nobody checks whether it is true.
fn without_balancer(app: &App, area: Rect, painter: &mut Painter) {
    let frame = app.frame();
    let topology = &frame.topology;
    let mut y = area.y;
    let mut line = |pieces: &[(&str, Role)]| {
        if y < area.bottom() {
            painter.spans(area.x, y, area.width, pieces);
            y += 1;
        }
    };
    for (index, link) in topology.links.iter().enumerate() {
        let from_users = topology.services[link.from].kind == Kind::Users && link.kind == LinkKind::Requests;
        let to = &topology.services[link.to];
        let (true, Some(instance), Some(state)) = (
            from_users,
            to.instances.first(),
            frame.services[link.to].instances.first(),
        ) else {
            continue;
        };
        let truth = truth::of(state, frame.at);
        let sign = truth.sign.to_string();
        let rate = text::rate(frame.links[index].rate);
        line(&[
            ("DNS answers ", Role::Muted),
            (&instance.address, Role::Text),
            (", which is ", Role::Muted),
            (&instance.selector, Role::Title),
        ]);
        line(&[
            ("  ", Role::Muted),
            (&sign, truth.role),
            (" ", Role::Muted),
            (&truth.words, truth.role),
            ("  ", Role::Muted),
            (&rate, Role::Text),
            (" asked", Role::Muted),
        ]);
    }
    if let Some(dns) = frame.services.iter().find_map(|service| service.dns.as_ref()) {
        let ttl = duration::format(dns.ttl);
        let holding = format!("{} of {}", dns.holding, dns.resolvers);
        let longest = text::ago(dns.longest);
        line(&[(&holding, Role::Text), (" resolvers hold it,", Role::Muted)]);
        line(&[
            ("  the last for ", Role::Muted),
            (&longest, Role::Text),
            (" of ", Role::Muted),
            (&ttl, Role::Text),
        ]);
    }
    for words in text::wrap("Nobody checks the servers: users find out by failing.", area.width) {
        line(&[(&words, Role::Muted)]);
    }
}
