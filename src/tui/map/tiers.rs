//! Which column a service stands in, how wide its card is, and what stands above what in a column.

use crate::observe::{Kind, LinkKind, ServiceInfo, Topology};
use crate::tui::text;

use super::layout::Density;

/// The first column within the data centers.
pub(super) const INNER: u8 = 2;

/// How queues, workers and data share the columns on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spread {
    /// From left to right: queues, workers, databases.
    Apart,
    /// Queues, then workers above databases.
    Beside,
    /// The same with monitors below balancers, so that few rows are enough.
    Folded,
    /// All in one, one below the other.
    Together,
}

/// The ways to share the columns, the best one first.
pub(super) fn spreads(topology: &Topology) -> &'static [Spread] {
    let queues = topology.services.iter().any(|service| service.kind == Kind::Queue);
    if queues {
        &[Spread::Apart, Spread::Beside, Spread::Together]
    } else {
        &[Spread::Together]
    }
}

/// The column of a kind, where all that is on the right shares one.
pub(super) fn of_kind(kind: Kind) -> u8 {
    match kind {
        Kind::Users | Kind::Dns | Kind::Resolver | Kind::Removed => 0,
        Kind::Cdn | Kind::Shield => 1,
        Kind::LoadBalancer => INNER,
        Kind::Web | Kind::Serverless | Kind::Autoscaler => 3,
        Kind::Database | Kind::SessionStore | Kind::Monitor | Kind::Cache | Kind::Queue | Kind::Workers => 4,
    }
}

/// The column of a service. Where there is not enough room for all, CDNs stand in that of the users.
pub(super) fn of(topology: &Topology, service: usize, spread: Spread) -> u8 {
    let kind = topology.services[service].kind;
    let messages = kind == Kind::Workers || crew(topology, service).is_some();
    let any = |kind: Kind| topology.services.iter().any(|service| service.kind == kind);
    match (kind, spread) {
        // Nobody's column is no place for those who watch, and without queues data needs no column beside that of caches.
        (Kind::Monitor, Spread::Folded) if !any(Kind::LoadBalancer) => of(topology, service, Spread::Beside),
        (Kind::Database, Spread::Folded) if !any(Kind::Queue) => of_kind(kind),
        (_, Spread::Together) if messages => 4,
        (_, Spread::Apart | Spread::Beside | Spread::Folded) if messages => 5,
        (Kind::Database | Kind::Monitor, Spread::Apart) => 6,
        (Kind::Monitor, Spread::Folded) => INNER,
        (Kind::Database | Kind::Monitor, Spread::Beside | Spread::Folded) => 5,
        _ => of_kind(kind),
    }
}

/// The workers that an autoscaler scales, if it scales any.
fn crew(topology: &Topology, service: usize) -> Option<usize> {
    let links = topology.links.iter();
    let mut scaled = links.filter(|link| link.kind == LinkKind::Control && link.from == service);
    let is_autoscaler = topology.services[service].kind == Kind::Autoscaler;
    let found = scaled.find(|link| is_autoscaler && topology.services[link.to].kind == Kind::Workers);
    found.map(|link| link.to)
}

/// The queue whose messages a service gets: workers, or a dead-letter queue.
fn fed(topology: &Topology, to: usize) -> Option<usize> {
    let queue = |service: usize| topology.services[service].kind == Kind::Queue;
    let mut links = topology.links.iter();
    let link = links.find(|link| link.kind == LinkKind::Messages && link.to == to && queue(link.from));
    link.map(|link| link.from)
}

/// The machine that a queue shares with other queues, if it shares one with nothing else: a broker.
pub(super) fn broker(topology: &Topology, service: usize) -> Option<&str> {
    let machine = |service: &ServiceInfo| service.instances.first().map(|one| one.machine.clone());
    let own = topology.services[service].instances.first()?;
    let sharing = topology
        .services
        .iter()
        .filter(|other| machine(other).as_ref() == Some(&own.machine));
    let kinds: Vec<Kind> = sharing.map(|other| other.kind).collect();
    let only = kinds.len() > 1 && kinds.iter().all(|kind| *kind == Kind::Queue);
    only.then_some(own.machine.as_str())
}

/// The first of the queues that stand together with one: those of a broker, or a queue with its dead letters.
fn first_of(topology: &Topology, queue: usize) -> usize {
    let source = fed(topology, queue).unwrap_or(queue);
    let Some(own) = broker(topology, queue) else {
        return source;
    };
    let all = 0..topology.services.len();
    all.into_iter()
        .find(|other| broker(topology, *other) == Some(own))
        .unwrap_or(source)
}

/// Where a service stands in its column, from above: caches above what they spare, each queue with its workers and what becomes of dead
/// messages, then the others, and those who only watch below what they watch.
pub(super) fn place(topology: &Topology, service: usize) -> [usize; 5] {
    let of_workers = |workers: usize, below: usize| {
        let queue = fed(topology, workers);
        [
            1,
            queue.map_or(workers, |queue| first_of(topology, queue)),
            1,
            workers,
            below,
        ]
    };
    match topology.services[service].kind {
        Kind::Cache => [0, 0, 0, service, 0],
        Kind::Queue => {
            let source = fed(topology, service);
            let apart = source.is_some() && broker(topology, service).is_none();
            let below = usize::from(source.is_some());
            [
                1,
                first_of(topology, service),
                usize::from(apart) * 2,
                source.unwrap_or(service),
                below,
            ]
        }
        Kind::Workers => of_workers(service, 0),
        Kind::Monitor => [3, 0, 0, service, 0],
        _ => crew(topology, service).map_or([2, 0, 0, service, 0], |workers| of_workers(workers, 1)),
    }
}

/// Cells beside the name of a service in a single row, where there is room for all, with what is told behind them.
const SLIM_CELLS: usize = 8;
const SLIM_FIGURE: u16 = 6;
/// Columns of what is left of a monitor's name.
const MONITOR: u16 = 8;
/// However long a name is, no card is wider for it.
const WIDEST: u16 = 30;
/// Cells that are left beside a long name, which instances share where there are more.
const FEWEST_CELLS: usize = 4;

fn slim_best(service: &ServiceInfo) -> u16 {
    let cells = service.instances.len().min(SLIM_CELLS) as u16;
    text::width(&service.name) + 2 + cells * 2 + SLIM_FIGURE
}

/// Columns that the name of a service takes in a row that it shares with its cells: it comes first, as long as a few cells are left.
pub(super) fn slim_name(service: &ServiceInfo, width: u16) -> u16 {
    let cells = service.instances.len().clamp(1, FEWEST_CELLS) as u16;
    (text::width(&service.name) + 1).min(width.saturating_sub(cells))
}

/// Columns in which the name of a service is not cut: within its border, before the count of its instances, or beside its cells.
pub(super) fn named(service: &ServiceInfo, density: Density) -> u16 {
    let outside = matches!(
        service.kind,
        Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield
    );
    let name = text::width(&service.name);
    let count = service.instances.len();
    if service.kind == Kind::Resolver {
        // It is a line in the card of its users, and called `resolver` there.
        return 0;
    }
    if density == Density::Slim && service.kind == Kind::Monitor {
        // It is stretched where there is room; what it is can be read without that.
        return name.min(MONITOR) + 1 + count.min(FEWEST_CELLS) as u16;
    }
    if density == Density::Slim && !outside {
        return name + 1 + count.clamp(1, FEWEST_CELLS) as u16;
    }
    let count = match count {
        0 | 1 => 0,
        count => text::width(&format!("{count}/{count} ")),
    };
    let border = if density.is_bordered() { 2 } else { 0 };
    (name + 2 + count + border).min(WIDEST)
}

/// Width of a card, at least and at best.
pub(super) fn widths(service: &ServiceInfo, density: Density, spread: Spread) -> (u16, u16) {
    let (least, best) = plain_widths(service, density, spread);
    (least, best.max(named(service, density)))
}

fn plain_widths(service: &ServiceInfo, density: Density, spread: Spread) -> (u16, u16) {
    let many = (service.instances.len() / 4).min(26) as u16;
    match (density, service.kind) {
        // A column less, so that messages go from left to right in a map of 73 columns.
        (Density::Bare, Kind::Users | Kind::Dns | Kind::Resolver) if spread == Spread::Beside => (13, 22),
        (Density::Bare, Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield) => {
            let least = if spread == Spread::Folded { 13 } else { 14 };
            (least, 22)
        }
        (Density::Bare, Kind::LoadBalancer) => (8, 16),
        (Density::Bare, _) => (11, 16 + many),
        (Density::Slim, Kind::Users | Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield) => (13, 22),
        (Density::Slim, _) => (7, slim_best(service)),
        (_, Kind::Users | Kind::Dns | Kind::Resolver | Kind::LoadBalancer | Kind::Cdn | Kind::Shield) => (14, 24),
        (_, Kind::Web | Kind::Serverless | Kind::Autoscaler) => (18, 28 + many),
        (_, Kind::Removed) => (0, 0),
        (_, Kind::Database | Kind::SessionStore | Kind::Monitor | Kind::Cache | Kind::Queue | Kind::Workers) => {
            (14, 24 + many)
        }
    }
}
