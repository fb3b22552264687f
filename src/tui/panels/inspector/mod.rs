//! All that is known of the selection, and what it is.

mod cache;
mod data;
mod kinds;
mod queues;
mod site;

use ratatui::layout::Rect;

use crate::observe::{InstanceInfo, InstanceState, Kind, ServiceInfo, ServiceState};
use crate::sim::SimTime;
use crate::tui::app::App;
use crate::tui::nodes;
use crate::tui::paint::Painter;
use crate::tui::select::Item;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::trend::{self, Trend};
use crate::tui::truth;

/// One line: a label, a value and how it looks.
type Line = (String, String, Role);

/// What each kind is, for those who ask.
fn explanation(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => "A population of people who ask at random moments, whether or not they were answered before.",
        Kind::Dns => {
            "Tells users the address behind a name. Resolvers keep the answer for its time to live, so some users go on without it for a while."
        }
        Kind::Resolver => {
            "The provider's, near its users. It asks DNS for them and keeps the answer for its time to live, even where that is wrong by now."
        }
        Kind::LoadBalancer => {
            "Spreads requests over servers. It knows their health only by its checks and by what fails, so it can be wrong for a while."
        }
        Kind::Web => {
            "Makes pages and JSON. A request holds a slot until it is answered, so a slow database makes a slow web server."
        }
        Kind::Serverless => {
            "Functions that a provider runs: an instance for each request in progress. The first request of a new instance waits for its cold start; idle ones are kept warm for a while and cost nothing."
        }
        Kind::SessionStore => {
            "Holds the sessions of signed-in users, so that any server can serve anybody. All of them depend on it."
        }
        Kind::Autoscaler => {
            "Measures the machines of a tier at intervals and adds or removes some, so that what it measures comes near its target. New machines boot first."
        }
        Kind::Monitor => {
            "They hold the lease of a primary. It renews the lease all the time; when it does not, a majority of them gives the lease to another node. They know nothing else."
        }
        Kind::Cache => {
            "Holds copies of rows in memory, so that the database is asked less. A copy may be stale; a dead node's keys miss, and the database has to take what the cache took."
        }
        Kind::Cdn => {
            "Caches near the users in front of all data centers, run by a third party. An edge answers what it holds and fetches the rest; it costs by the GB."
        }
        Kind::Shield => {
            "One more cache between the edges of a CDN and the data centers: of all edges that miss an object, the data centers see one request."
        }
        Kind::Queue => {
            "Holds messages until workers have done them. Who publishes does not wait for that; what is handed out and not acknowledged in time is handed out again."
        }
        Kind::Workers => {
            "They take messages from a queue, as many at once as they have slots, and acknowledge what is done. What a dead one held comes back to the queue after a while."
        }
        Kind::Removed => "It was removed.",
        Kind::Database => "Holds the rows. A crash keeps the disk; destroying the machine does not.",
    }
}

/// Rows of a trend where there is room.
const LARGE: u16 = 3;

/// Draws the panel.
pub fn draw(app: &App, area: Rect, painter: &mut Painter) {
    let (title, lines, trend, about) = content(app);
    let mut y = area.y;
    painter.text(area.x, y, area.width, &title, Role::Title);
    y += 1;
    let about = text::wrap(&about, area.width);
    let wrapped = |width: u16| -> Vec<Line> { lines.iter().flat_map(|line| wrap(line, width)).collect() };
    if let (Some(trend), true) = (trend, area.height > 8) {
        painter.text(area.x, y, 12, "last minute", Role::Muted);
        let width = area.width.saturating_sub(13);
        // It is drawn large where that takes no words away.
        let words = wrapped(area.width).len() + about.len() + 2;
        let rows = if words + usize::from(LARGE) <= usize::from(area.height) {
            LARGE
        } else {
            1
        };
        trend.draw(Rect::new(area.x + 13, y, width, rows), painter, |_| Role::Trend);
        y += rows;
    }
    // Where lines are scarce and columns are not, two columns.
    let rows = usize::from(area.bottom().saturating_sub(y));
    let columns = if wrapped(area.width).len() > rows && area.width >= 70 {
        2
    } else {
        1
    };
    let width = area.width / columns;
    let lines = wrapped(width);
    let per_column = if columns == 1 {
        lines.len()
    } else {
        lines.len().div_ceil(2)
    };
    for (index, (label, value, role)) in lines.iter().enumerate() {
        let (column, row) = (index / per_column.max(1), index % per_column.max(1));
        let (x, y) = (area.x + width * column as u16, y + row as u16);
        if y < area.bottom() {
            painter.text(x, y, 12, label, Role::Muted);
            painter.text(x + 13, y, width.saturating_sub(14), value, *role);
        }
    }
    let below = y + per_column as u16 + 1;
    for (y, words) in (below..area.bottom()).zip(&about) {
        painter.text(area.x, y, area.width, words, Role::Muted);
    }
}

/// A line as several, where its value is too long for one.
fn wrap((label, value, role): &Line, width: u16) -> Vec<Line> {
    let mut values = text::wrap(value, width.saturating_sub(14));
    if values.is_empty() {
        values.push(String::new());
    }
    let values = values.into_iter().enumerate();
    let first = |index: usize| if index == 0 { label.clone() } else { String::new() };
    values.map(|(index, words)| (first(index), words, *role)).collect()
}

fn content(app: &App) -> (String, Vec<Line>, Option<Trend>, String) {
    let frame = app.frame();
    let topology = &frame.topology;
    match app.selected {
        Item::Site(site) => site::lines(app, site),
        Item::Host(service) => host_lines(app, service),
        Item::Service(index) => {
            let (Some(info), Some(state)) = (topology.services.get(index), frame.services.get(index)) else {
                return Default::default();
            };
            let trend = trend::of_service(frame, app.twin.as_deref(), index, trend::MINUTE as u16);
            let mut lines = service_lines(app, info, state);
            lines.extend(cache::layer(frame, index));
            lines.extend(queues::queue(frame, index));
            (
                info.selector.clone(),
                lines,
                trend,
                data::explained(frame, index)
                    .unwrap_or(explanation(info.kind))
                    .to_string(),
            )
        }
        Item::Instance(index, instance) => {
            let found = topology
                .services
                .get(index)
                .zip(frame.services.get(index))
                .and_then(|(info, state)| {
                    Some((
                        info,
                        state,
                        info.instances.get(instance)?,
                        state.instances.get(instance)?,
                    ))
                });
            let Some((service, service_state, info, state)) = found else {
                return Default::default();
            };
            let mut lines = instance_lines(info, state, frame.at);
            let mut about = explanation(service.kind);
            if let Some((database, node)) = nodes::at(frame, index, instance) {
                lines.splice(1..1, data::node(database, node));
                about = node.role.map_or(about, |role| nodes::explained(role).1);
            }
            if let Some(kept) = service_state.cache.as_ref().and_then(|kept| kept.nodes.get(instance)) {
                lines.splice(1..1, cache::node(kept));
                lines.splice(1..1, info.label.iter().map(|label| line("stands in", label.clone())));
            }
            let mut of_all = kinds::lines(frame, service_state);
            of_all.extend(cache::layer(frame, index));
            of_all.extend(queues::queue(frame, index));
            if service.instances.len() > 1 && !of_all.is_empty() {
                lines.push((format!("all of {}", service.name), String::new(), Role::Muted));
            }
            lines.extend(of_all);
            (
                info.selector.clone(),
                lines,
                Some(trend::of_instance(frame, app.twin.as_deref(), (index, instance))),
                about.to_string(),
            )
        }
    }
}

fn line(label: &str, value: impl Into<String>) -> Line {
    (label.to_string(), value.into(), Role::Text)
}

fn host_lines(app: &App, service: usize) -> (String, Vec<Line>, Option<Trend>, String) {
    let frame = app.frame();
    let topology = &frame.topology;
    let Some(info) = topology
        .services
        .get(service)
        .and_then(|service| service.instances.first())
    else {
        return Default::default();
    };
    let size = format!(
        "{} with {} cores, {}/h",
        info.size,
        info.cores,
        text::dollars(info.price_per_hour)
    );
    let mut lines = vec![line("size", size)];
    for (service, state) in topology.services.iter().zip(&frame.services) {
        for (one, state) in service.instances.iter().zip(&state.instances) {
            if one.machine == info.machine {
                let truth = truth::of(state, frame.at);
                lines.push((
                    service.name.clone(),
                    format!(
                        "{} {}, {}",
                        truth.sign,
                        truth.words,
                        truth::of_second(frame.at, text::rate(state.rate))
                    ),
                    truth.role,
                ));
            }
        }
    }
    let trend = Some(trend::of_instance(frame, app.twin.as_deref(), (service, 0)));
    let about = "One machine for several services: they share its cores, its memory and its fate.";
    (info.machine.clone(), lines, trend, about.to_string())
}

fn service_lines(app: &App, info: &ServiceInfo, state: &ServiceState) -> Vec<Line> {
    let up = state.instances.iter().filter(|state| truth::serves(state)).count();
    let known = |words| truth::of_second(app.frame().at, words);
    let mut lines = vec![line("settings", info.detail.clone())];
    if matches!(info.kind, Kind::Resolver | Kind::Autoscaler | Kind::Serverless) {
        // They run on no machine of ours: there is no load and no price of their own.
        let alive = if up > 0 {
            ("up", Role::Good)
        } else {
            ("down", Role::Bad)
        };
        lines.push(("serving".to_string(), alive.0.to_string(), alive.1));
    } else if !info.instances.is_empty() {
        let price: f64 = info.instances.iter().map(|instance| instance.price_per_hour).sum();
        let busy =
            state.instances.iter().map(|state| state.utilisation).sum::<f64>() / state.instances.len().max(1) as f64;
        let waiting: u64 = state.instances.iter().map(|state| u64::from(state.backlog)).sum();
        let role = if up < info.instances.len() {
            Role::Bad
        } else {
            Role::Good
        };
        lines.push(("serving".to_string(), format!("{up} of {}", info.instances.len()), role));
        lines.push(("load".to_string(), known(text::whole_percent(busy)), truth::load(busy)));
        lines.push(line("waiting", text::count(waiting)));
        lines.push(line("received", known(text::rate(state.rate))));
        // A third party's machines have no price by the hour.
        if price > 0.0 {
            lines.push(line("price", format!("{}/h", text::dollars(price))));
        }
    }
    lines.extend(kinds::lines(app.frame(), state));
    lines
}

fn instance_lines(info: &InstanceInfo, state: &InstanceState, at: SimTime) -> Vec<Line> {
    let truth = truth::of(state, at);
    let count = |value: u32| text::count(u64::from(value));
    let price = text::dollars(info.price_per_hour);
    let (now, mean) = (
        truth::of_second(at, text::whole_percent(state.utilisation)),
        truth::of_second(at, text::whole_percent(state.mean_utilisation)),
    );
    let scope = if info.public { "public" } else { "private" };
    let failed = if state.failed > 0 { Role::Warning } else { Role::Text };
    let colored = |label: &str, value: String, role: Role| (label.to_string(), value, role);
    let mut lines = vec![
        colored("state", format!("{} {}", truth.sign, truth.words), truth.role),
        line("for", text::ago(at.since(state.since))),
        line(
            "machine",
            format!("{}, {} with {} cores, {price}/h", info.machine, info.size, info.cores),
        ),
        line("address", format!("{} ({scope})", info.address)),
        line("zone", info.zone.map_or_else(String::new, |zone| zone.to_string())),
        colored(
            "load",
            format!("{now} now, {mean} on average"),
            truth::load(state.utilisation),
        ),
        line(
            "slots",
            format!("{} of {} busy", count(state.busy_slots), count(info.slots)),
        ),
        line(
            "waiting",
            format!("{}, at most {}", count(state.backlog), count(state.peak_backlog)),
        ),
        line(
            "received",
            format!(
                "{}, {} in all",
                truth::of_second(at, text::rate(state.rate)),
                text::count(state.received)
            ),
        ),
        line("answered", text::count(state.ok)),
        colored("failed", text::count(state.failed), failed),
    ];
    lines.retain(|(label, value, _)| label != "zone" || !value.is_empty());
    if !state.latency.is_zero() {
        lines.push(line("answers in", text::span(state.latency)));
    }
    let average = format!(
        "{}, {:.1} present",
        text::latency(state.mean_latency),
        state.mean_present
    );
    lines.push(line("on average", average));
    if let Some(held) = state.sessions.filter(|held| *held > 0) {
        lines.push(line("sessions", format!("{} held", text::count(held))));
    }
    if let Some(active) = state.active {
        let role = if active {
            "active: it holds the address"
        } else {
            "standby"
        };
        lines.insert(1, line("of the pair", role));
    }
    if info.size.is_empty() {
        // Of what is not ours, only its state and what it was asked are known.
        let known = ["state", "for", "address", "received", "answered", "failed"];
        lines.retain(|(label, _, _)| known.contains(&label.as_str()));
    }
    if state.slow > 1.0 {
        lines.insert(1, colored("slowed", text::factor(state.slow), Role::Warning));
    }
    if let Some(ails) = &state.ails {
        lines.insert(1, colored("ails", ails.clone(), Role::Warning));
    }
    lines
}
