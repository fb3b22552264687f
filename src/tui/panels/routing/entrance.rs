//! Ways in without a balancer: functions, and names that lead to addresses.

use ratatui::layout::Rect;

use crate::layout::duration;
use crate::observe::{DnsState, Frame, Kind, LinkKind, ServerlessState};
use crate::tui::app::App;
use crate::tui::glyph;
use crate::tui::paint::Painter;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::truth;

use super::notes::{self, Note, Piece, piece};
use super::servers::{self, Columns, Row};

/// Columns below which a bar tells nothing.
const LEAST_BAR: u16 = 6;

/// Functions: how many work, start and wait, what that costs, and what became of requests.
pub(super) fn functions(app: &App, service: usize, area: Rect, painter: &mut Painter) {
    let frame = app.frame();
    let state = &frame.services[service];
    let Some(functions) = &state.serverless else { return };
    let alive = state.instances.iter().any(truth::serves);
    let mut lines = Vec::new();
    if !alive {
        let name = &app.topology().services[service].selector;
        lines.push(vec![piece(
            format!("{} {name} starts no function", glyph::DEAD),
            Role::Bad,
        )]);
    }
    lines.extend(if area.height >= 8 {
        at_length(functions, area.width)
    } else {
        in_short(functions, area.width)
    });
    let mut notes: Vec<Note> = lines
        .into_iter()
        .enumerate()
        .map(|(index, pieces)| Note {
            urgent: index == 0,
            pieces,
        })
        .collect();
    notes.extend(notes::of_site(app, app.topology().services[service].site, area.width));
    if let Some(dns) = frame.services.iter().find_map(|service| service.dns.as_ref()) {
        notes.extend(held(dns, area.width));
    }
    notes::draw(&notes, area, painter);
}

/// In a line each, with a bar of how near the limit is.
fn at_length(functions: &ServerlessState, width: u16) -> Vec<Vec<Piece>> {
    let share = f64::from(functions.busy) / f64::from(functions.limit.max(1));
    let label = |words: &str| piece(format!("{words:<12}"), Role::Muted);
    let count = |value: u32| format!("{:>7}  ", text::count(u64::from(value)));
    let limit = format!("of {} at once", text::count(u64::from(functions.limit)));
    let room = width.saturating_sub(12 + 9 + text::width(&limit) + 2);
    let bar = glyph::bar(share, if room < LEAST_BAR { 0 } else { room.min(16) });
    let cold = text::percent(functions.cold_starts as f64 / functions.invocations.max(1) as f64);
    let throttled = if functions.throttled > 0 { Role::Bad } else { Role::Text };
    let total = |value: u64| format!("{:>7}  ", text::count(value));
    vec![
        vec![
            label("busy"),
            piece(count(functions.busy), truth::load(share)),
            piece(limit, Role::Muted),
            piece(format!("  {bar}"), truth::load(share)),
        ],
        vec![
            label("starting"),
            piece(count(functions.starting), Role::Warning),
            piece("cold: requests wait", Role::Muted),
        ],
        vec![
            label("warm"),
            piece(count(functions.warm), Role::Text),
            piece("idle, kept a while", Role::Muted),
        ],
        vec![
            label("cold starts"),
            piece(total(functions.cold_starts), Role::Text),
            piece(format!("{cold} of requests"), Role::Muted),
        ],
        vec![
            label("turned away"),
            piece(total(functions.throttled), throttled),
            piece("at the limit", Role::Muted),
        ],
        vec![label("spent"), piece(spent(functions), Role::Text)],
    ]
}

/// In two lines.
fn in_short(functions: &ServerlessState, width: u16) -> Vec<Vec<Piece>> {
    let ServerlessState {
        busy, starting, warm, ..
    } = functions;
    let share = f64::from(*busy) / f64::from(functions.limit.max(1));
    let limit = text::count(u64::from(functions.limit));
    let options = [
        format!("{busy} busy, {starting} starting cold, {warm} warm and idle; {limit} at once at most"),
        format!("{busy} busy, {starting} starting, {warm} warm; at most {limit}"),
        format!("{busy} busy, {starting} cold, {warm} warm"),
    ];
    let (cold, all) = (text::count(functions.cold_starts), text::count(functions.invocations));
    let second = [
        format!("{cold} cold starts in {all} requests · {} · ", spent(functions)),
        format!("{cold} cold starts · {} · ", spent(functions)),
        format!("{cold} cold starts · "),
    ];
    let away = format!("{} turned away", text::count(functions.throttled));
    let role = if functions.throttled > 0 {
        Role::Bad
    } else {
        Role::Muted
    };
    let room = width.saturating_sub(text::width(&away));
    vec![
        vec![piece(text::fitting(&options, width), truth::load(share))],
        vec![piece(text::fitting(&second, room), Role::Text), (away, role)],
    ]
}

fn spent(functions: &ServerlessState) -> String {
    let million = functions.spent / functions.invocations.max(1) as f64 * 1e6;
    format!("{}, {} a million", text::cost(functions.spent), text::dollars(million))
}

/// Names and addresses: what DNS answers, and whether anybody checks that it is true.
pub(super) fn names(app: &App, area: Rect, painter: &mut Painter) {
    let frame = app.frame();
    let Some(dns) = frame.services.iter().find_map(|service| service.dns.as_ref()) else {
        return;
    };
    if dns.records.is_empty() || !dns.checked && dns.records.len() == 1 {
        alone(frame, dns, area, painter);
        return;
    }
    let rows = rows(frame, dns);
    let mut notes = held(dns, area.width);
    if !dns.checked {
        notes.extend(unchecked(area.width));
    }
    let head = u16::from(area.height >= 5);
    let room = area.height.saturating_sub(head + notes.len().min(1) as u16);
    let rows = servers::condense(rows, usize::from(room));
    let columns = Columns::new(&rows, area, head > 0);
    let mut y = area.y;
    if head > 0 {
        let believes = if dns.checked { "dns believes" } else { "unchecked" };
        columns.head(y, "gets", believes, painter);
        y += 1;
    }
    for row in &rows {
        columns.draw(row, y, painter);
        y += 1;
    }
    let left = area.bottom().saturating_sub(y);
    let gap = u16::from(left > notes.len() as u16);
    let below = Rect {
        y: y + gap,
        height: left - gap,
        ..area
    };
    notes::draw(&notes, below, painter);
}

/// A row for each address, with its share of what users ask.
fn rows(frame: &Frame, dns: &DnsState) -> Vec<Row> {
    let rates: Vec<f64> = dns
        .records
        .iter()
        .map(|record| truth::subject(frame, record).map_or(0.0, |state| state.rate))
        .collect();
    let total: f64 = rates.iter().sum();
    let views = servers::views(&dns.records);
    let records = dns.records.iter().zip(rates);
    records
        .map(|(record, rate)| {
            let row = Row::of(frame, record, Some(dns.rules).filter(|_| dns.checked), views, None);
            let row = row.sharing(if total > 0.0 { rate / total } else { 0.0 });
            match dns.checked {
                true if truth::evacuated(frame, record) => row.evacuated(),
                true => row,
                false => row.unchecked(),
            }
        })
        .collect()
}

/// One address, which nobody checks: what is answered, in words.
fn alone(frame: &Frame, dns: &DnsState, area: Rect, painter: &mut Painter) {
    let topology = &frame.topology;
    let mut notes = Vec::new();
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
        let rate = text::rate(frame.links[index].rate);
        let line = |pieces| Note { urgent: false, pieces };
        notes.push(line(vec![
            piece("DNS answers ", Role::Muted),
            piece(&instance.address, Role::Text),
            piece(", which is ", Role::Muted),
            piece(&instance.selector, Role::Title),
        ]));
        notes.push(line(vec![
            piece(format!("  {} {}", truth.sign, truth.words), truth.role),
            piece(format!("  {rate}"), Role::Text),
            piece(" asked", Role::Muted),
        ]));
    }
    notes.extend(held(dns, area.width));
    notes.extend(unchecked(area.width));
    notes::draw(&notes, area, painter);
}

/// Who holds an answer, and for how long.
fn held(dns: &DnsState, width: u16) -> Vec<Note> {
    let resolvers = format!("{} of {} resolvers", dns.holding, dns.resolvers);
    let devices = format!("{} of {} devices", dns.stubs_holding, dns.stubs);
    let lasts = format!(
        "the last for {} of {}",
        text::ago(dns.longest),
        duration::format(dns.ttl)
    );
    let whole = format!("{resolvers}, {devices} hold it, {lasts}");
    let lines = if text::width(&whole) <= width {
        vec![whole]
    } else {
        vec![format!("{resolvers}, {devices}"), format!("  hold it, {lasts}")]
    };
    let note = |words| Note {
        urgent: false,
        pieces: vec![piece(words, Role::Muted)],
    };
    lines.into_iter().map(note).collect()
}

fn unchecked(width: u16) -> Vec<Note> {
    let words = text::wrap("Nobody checks the addresses: users find out by failing.", width);
    let note = |words| Note {
        urgent: false,
        pieces: vec![piece(words, Role::Muted)],
    };
    words.into_iter().map(note).collect()
}
