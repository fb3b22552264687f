//! What there is to do to a world: targets, links and sites, each with a weight, and the schedules that are drawn from them.

use std::time::Duration;

use super::draw::Draw;
use crate::command::{Command, DiskTrouble, Fault, LinkSelector, Selector};
use crate::observe::{DatabaseKind, Frame, Kind, LinkKind};
use crate::replay::{Act, GRID};
use crate::world::can_hit;

/// The most commands of a schedule.
const MOST: u64 = 6;
/// Nothing is done before: what boots at the start is up by then.
pub(super) const EARLIEST: Duration = Duration::from_secs(1);
/// What is done soon after something else is done within so many steps of the grid.
const SOON: u64 = 50;
/// How much more likely it is that the service which a try is about is hit, and its links.
const FOCUS: u64 = 6;
/// What is mended is mended within so many steps of the grid.
const MENDED_WITHIN: u64 = 200;

/// Something with parts of its own: a service and its instances, a data center and its zones.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    weight: u64,
    whole: String,
    parts: Vec<String>,
}

/// Two places that talk, by index in the list of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    weight: u64,
    from: usize,
    to: usize,
}

/// A way to hurt something, or to change who does what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Kill,
    Hang,
    Destroy,
    Slow,
    Isolate,
    Skew,
    DiskFull,
    DiskSlow,
    Expire,
    Promote,
    Evacuate,
    Cut,
    Drop,
    Delay,
}

/// All deeds with their weights. Cuts, delays and deaths are what replication and leases have to stand.
const DEEDS: [(Deed, u64); 14] = [
    (Deed::Kill, 10),
    (Deed::Hang, 6),
    (Deed::Destroy, 6),
    (Deed::Slow, 4),
    (Deed::Isolate, 6),
    (Deed::Skew, 4),
    (Deed::DiskFull, 2),
    (Deed::DiskSlow, 2),
    (Deed::Expire, 1),
    (Deed::Promote, 3),
    (Deed::Evacuate, 2),
    (Deed::Cut, 12),
    (Deed::Drop, 4),
    (Deed::Delay, 8),
];

/// What can be done to a world, and to what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Menu {
    places: Vec<Place>,
    lines: Vec<Line>,
    /// What can be done at all, with its weight and the places that it can be done to; none for links.
    deeds: Vec<(Deed, u64, Vec<usize>)>,
}

impl Menu {
    /// What there is in the world of this frame.
    pub(super) fn of(frame: &Frame) -> Menu {
        let topology = &frame.topology;
        let places = topology.services.iter().map(|info| Place {
            weight: importance(info.kind),
            whole: info.selector.clone(),
            parts: match info.instances.len() {
                // The only one is named as its service is; of users there is no one to name.
                several if several > 1 && info.kind != Kind::Users => info
                    .instances
                    .iter()
                    .map(|instance| instance.selector.clone())
                    .collect(),
                _ => Vec::new(),
            },
        });
        let mut places: Vec<Place> = places.collect();
        let line = |link: &crate::observe::LinkInfo| Line {
            weight: traffic(link.kind),
            from: link.from,
            to: link.to,
        };
        let mut lines: Vec<Line> = topology.links.iter().map(line).collect();
        // What travels between the nodes of one service is no link of the topology.
        let kinds = topology.services.iter().map(|info| info.kind);
        let copies = kinds
            .enumerate()
            .filter(|(_, kind)| matches!(kind, Kind::Database | Kind::Queue));
        let within = copies
            .map(|(index, _)| index)
            .filter(|index| places[*index].parts.len() > 1);
        lines.extend(within.map(|index| Line {
            weight: traffic(LinkKind::Replication),
            from: index,
            to: index,
        }));
        let sites = places.len()..places.len() + topology.sites.len();
        places.extend(topology.sites.iter().map(|site| Place {
            weight: 4,
            whole: site.name.clone(),
            parts: zones(&site.name, site.zones),
        }));
        for from in sites.clone() {
            lines.extend((from + 1..sites.end).map(|to| Line { weight: 8, from, to }));
        }
        let deeds = DEEDS.iter().map(|(deed, weight)| (*deed, *weight, deed.targets(frame)));
        let deeds = deeds.filter(|(deed, _, targets)| {
            if deed.is_of_links() {
                !lines.is_empty()
            } else {
                !targets.is_empty()
            }
        });
        Menu {
            deeds: deeds.collect(),
            places,
            lines,
        }
    }

    /// The schedule of a try: one to six commands in the first two thirds of the run, on a grid of 100 ms. About half of what hurts is mended later.
    pub(super) fn schedule(&self, draw: &mut Draw, length: Duration) -> Vec<Act> {
        let steps = (length.as_nanos() * 2 / 3 / GRID.as_nanos()).max(1) as u64;
        let earliest = (EARLIEST.as_nanos() / GRID.as_nanos()) as u64;
        let earliest = if steps > earliest { earliest } else { 0 };
        let count = 1 + draw.below(MOST);
        let mut acts: Vec<(u64, Command)> = Vec::new();
        let mut last: Option<u64> = None;
        // Faults of one place make each other worse: a try in two is about one place.
        let all: Vec<usize> = (0..self.places.len()).collect();
        let focus = draw.weighted(&all, |place| self.places[*place].weight).copied();
        let focus = focus.filter(|_| draw.chance(50));
        let mut is_destroyed = false;
        while (acts.len() as u64) < count {
            let Some((mut command, undone)) = self.fault(focus, draw) else {
                break;
            };
            // No promise outlives all disks: one of them is what a system has to stand.
            if let Command::Destroy(target) = &command {
                if is_destroyed {
                    command = Command::Kill(target.clone());
                }
                is_destroyed = true;
            }
            let anywhere = earliest + draw.below(steps - earliest);
            // Things go wrong together: what one fault has laid open, the next one hits.
            let at = match last {
                Some(last) if draw.chance(60) => (last + draw.below(SOON)).min(steps - 1),
                _ => anywhere,
            };
            last = Some(at);
            acts.push((at, command));
            let is_mended = draw.chance(50);
            let mended = at + 1 + draw.below(MENDED_WITHIN);
            if let Some(undone) = undone
                && is_mended
                && (acts.len() as u64) < count
            {
                acts.push((mended.min(steps), undone));
            }
        }
        acts.sort_by_key(|(at, _)| *at);
        let act = |(at, command): (u64, Command)| Act {
            at: GRID * u32::try_from(at).unwrap_or(u32::MAX),
            command,
        };
        acts.into_iter().map(act).collect()
    }

    /// The parts of a place that is named as a whole, if it has several.
    pub(super) fn parts(&self, whole: &Selector) -> &[String] {
        let place = self
            .places
            .iter()
            .find(|place| place.whole == whole.0 && place.parts.len() > 1);
        place.map_or(&[], |place| &place.parts)
    }

    /// A command, and what takes it back.
    fn fault(&self, focus: Option<usize>, draw: &mut Draw) -> Option<(Command, Option<Command>)> {
        let (deed, _, targets) = draw.weighted(&self.deeds, |(_, weight, _)| *weight)?;
        if deed.is_of_links() {
            return self.link_fault(*deed, focus, draw);
        }
        let weight = |target: &usize| self.places[*target].weight * if focus == Some(*target) { FOCUS } else { 1 };
        let target = draw.weighted(targets, weight)?;
        let place = &self.places[*target];
        // A role is changed of one node, a disk is lost with one machine, a data center is evacuated as a whole.
        let selector = Selector(match deed {
            Deed::Evacuate => place.whole.clone(),
            Deed::Promote | Deed::Destroy => place.part(draw),
            _ => place.any(draw),
        });
        let mend = Some(Command::Mend(selector.clone()));
        Some(match deed {
            Deed::Kill => (Command::Kill(selector), mend),
            Deed::Hang => (Command::Hang(selector), mend),
            Deed::Destroy => (Command::Destroy(selector), mend),
            Deed::Slow => (Command::Slow(selector, *draw.pick(&[5.0, 20.0, 100.0])), mend),
            Deed::Isolate => (Command::Isolate(selector), mend),
            Deed::DiskFull => (Command::Disk(selector, DiskTrouble::Full), mend),
            Deed::DiskSlow => (Command::Disk(selector, DiskTrouble::Slow(100.0)), mend),
            Deed::Expire => (Command::Expire(Some(selector)), None),
            Deed::Promote => (Command::Promote(selector), None),
            Deed::Evacuate => (Command::Evacuate(selector.clone()), Some(Command::Reopen(selector))),
            Deed::Skew => {
                let seconds = *draw.pick(&[-60.0, -5.0, -0.5, 0.5, 5.0, 60.0]);
                (
                    Command::Skew(selector.clone(), seconds),
                    Some(Command::Skew(selector, 0.0)),
                )
            }
            Deed::Cut | Deed::Drop | Deed::Delay => return None,
        })
    }

    fn link_fault(&self, deed: Deed, focus: Option<usize>, draw: &mut Draw) -> Option<(Command, Option<Command>)> {
        let is_of = |line: &Line| focus.is_some_and(|focus| focus == line.from || focus == line.to);
        let line = draw.weighted(&self.lines, |line| line.weight * if is_of(line) { FOCUS } else { 1 })?;
        let [from, to] = [line.from, line.to].map(|place| &self.places[place]);
        let (mut one, mut other) = if line.from == line.to {
            from.two(draw)
        } else if draw.chance(40) {
            (from.whole.clone(), to.whole.clone())
        } else {
            (from.part(draw), to.part(draw))
        };
        let both = draw.chance(60);
        if draw.chance(50) {
            std::mem::swap(&mut one, &mut other);
        }
        let between = LinkSelector {
            from: Selector(one),
            to: Selector(other),
            both,
        };
        let join = Some(Command::Join(between.clone()));
        let delays = [50, 200, 1_000, 5_000];
        Some(match deed {
            Deed::Drop => (Command::Drop(between, *draw.pick(&[0.1, 0.5, 0.9])), join),
            Deed::Delay => (
                Command::Delay(between, Duration::from_millis(*draw.pick(&delays))),
                join,
            ),
            _ => (Command::Cut(between), join),
        })
    }
}

impl Place {
    /// It as a whole, or more often one of its parts.
    fn any(&self, draw: &mut Draw) -> String {
        if self.parts.is_empty() || draw.chance(20) {
            return self.whole.clone();
        }
        self.part(draw)
    }

    /// Two of its parts, or one and all others. It has several.
    fn two(&self, draw: &mut Draw) -> (String, String) {
        let one = self.part(draw);
        let others: Vec<&String> = self.parts.iter().filter(|part| **part != one).collect();
        if others.is_empty() || draw.chance(50) {
            return (one, self.whole.clone());
        }
        let other = (*draw.pick(&others)).clone();
        (one, other)
    }

    fn part(&self, draw: &mut Draw) -> String {
        if self.parts.is_empty() {
            return self.whole.clone();
        }
        draw.pick(&self.parts).clone()
    }
}

impl Deed {
    fn is_of_links(self) -> bool {
        matches!(self, Deed::Cut | Deed::Drop | Deed::Delay)
    }

    /// The fault of the catalogue that says what it can hit, where that says it.
    fn fault(self) -> Option<&'static Fault> {
        let name = match self {
            Deed::Kill => "kill",
            Deed::Hang => "hang",
            Deed::Destroy => "destroy",
            Deed::Slow => "slow",
            Deed::Isolate => "isolate",
            Deed::Skew => "skew",
            Deed::DiskFull | Deed::DiskSlow => "disk",
            Deed::Expire => "expire",
            Deed::Promote | Deed::Evacuate | Deed::Cut | Deed::Drop | Deed::Delay => return None,
        };
        Fault::named(name)
    }

    /// The places that it can be done to, by index: services, and behind them data centers.
    fn targets(self, frame: &Frame) -> Vec<usize> {
        let services = 0..frame.topology.services.len();
        let sites = services.end..services.end + frame.topology.sites.len();
        // A single data center is all there is: nothing withstands its loss.
        let several = sites.len() > 1;
        let is_replicated = |service: &usize| {
            let database = frame.services[*service].database.as_ref();
            database.is_some_and(|database| database.kind == DatabaseKind::PrimaryReplicas)
        };
        match self.fault() {
            Some(fault) => {
                let takes_sites = several && matches!(self, Deed::Kill | Deed::Isolate);
                let hit = services.filter(|service| can_hit(fault, frame, *service));
                hit.chain(sites.filter(|_| takes_sites)).collect()
            }
            None if self == Deed::Promote => services.filter(is_replicated).collect(),
            None if self == Deed::Evacuate && several => sites.collect(),
            None => Vec::new(),
        }
    }
}

/// How much depends on a kind of service: what keeps data, and who decides about it, comes first.
fn importance(kind: Kind) -> u64 {
    match kind {
        Kind::Database => 12,
        Kind::Monitor | Kind::Queue => 5,
        Kind::Dns | Kind::Resolver | Kind::Cdn | Kind::Shield | Kind::Users => 1,
        _ => 2,
    }
}

/// How much depends on what travels on a link.
fn traffic(kind: LinkKind) -> u64 {
    match kind {
        LinkKind::Replication | LinkKind::Control => 8,
        LinkKind::Messages => 4,
        LinkKind::Requests | LinkKind::Sessions => 2,
        LinkKind::Lookups => 1,
    }
}

fn zones(site: &str, count: u32) -> Vec<String> {
    let several = (1..=count).filter(|_| count > 1);
    several.map(|zone| format!("{site}/zone-{zone}")).collect()
}
