//! What was measured in each of the last seconds, as bars: and behind them, faintly, what it would be where nobody acts.

use ratatui::layout::Rect;

use crate::observe::{Frame, Kind, ServiceState};

use super::glyph;
use super::paint::Painter;
use super::theme::Role;

/// Seconds of a trend.
pub const MINUTE: usize = 60;
/// The share of the greatest value below which a value is next to nothing.
const NOTHING: f32 = 0.06;
/// Where the greatest value stands if no value is the most that there can be, so that a steady one is no solid block.
const TOP: f32 = 0.75;

/// Values of the last seconds, the newest last; nothing where nothing was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// What was measured.
    pub values: Vec<Option<f32>>,
    /// What it is where nobody acts, up to the same second; nothing for seconds that are not known yet.
    pub undisturbed: Vec<Option<f32>>,
    /// The value of a full bar; none if that is only the greatest of all there are.
    pub full: Option<f32>,
}

impl Trend {
    /// Bars with the newest second at the right. A value that is higher where nobody acts is seen above the bar, where there are several rows, and where there is next to
    /// nothing in front of it.
    pub fn draw(&self, area: Rect, painter: &mut Painter, role: impl Fn(f32) -> Role) {
        let full = self.full();
        for (back, x) in (0..usize::from(area.width)).zip((area.x..area.right()).rev()) {
            for (row, y) in (area.y..area.bottom()).rev().enumerate() {
                if let Some((sign, role)) = self.cell(full, back, (row as u16, area.height), &role) {
                    painter.put(x, y, sign, role);
                }
            }
        }
    }

    /// The same in one row, as words of so many columns.
    pub fn words(&self, cells: u16) -> Vec<(String, Role)> {
        let full = self.full();
        let cell = |back| self.cell(full, back, (0, 1), &|_| Role::Trend);
        let all = (0..usize::from(cells))
            .rev()
            .map(|back| cell(back).unwrap_or((' ', Role::Trend)));
        let mut words: Vec<(String, Role)> = Vec::new();
        for (sign, role) in all {
            match words.last_mut() {
                Some((last, same)) if *same == role => last.push(sign),
                _ => words.push((sign.to_string(), role)),
            }
        }
        words
    }

    /// What stands in a row, counted from below, of so many, for the second so far back.
    fn cell(
        &self,
        full: f32,
        back: usize,
        (row, rows): (u16, u16),
        role: &impl Fn(f32) -> Role,
    ) -> Option<(char, Role)> {
        let value = |of: &[Option<f32>]| of.len().checked_sub(back + 1).and_then(|at| of[at]);
        let (own, other) = (value(&self.values), value(&self.undisturbed));
        let steps = f32::from(rows) * 8.0;
        let height = |value: f32| ((value / full).min(1.0) * steps).ceil().max(1.0) as u16;
        let above = |value: f32| height(value).saturating_sub(row * 8).min(8);
        let hides = |own: f32| own >= full * NOTHING && above(own) > 0;
        let faint = other.filter(|other| own.is_none_or(|own| *other > own && !hides(own)));
        let (eighths, role) = match (faint, own) {
            (Some(other), _) if above(other) > 0 => (above(other), Role::Faint),
            (_, Some(own)) => (above(own), role(own)),
            _ => return None,
        };
        (eighths > 0).then(|| (glyph::RAMP[usize::from(eighths) - 1], role))
    }

    /// The value of a full bar.
    fn full(&self) -> f32 {
        self.full.unwrap_or_else(|| self.greatest() / TOP)
    }

    fn greatest(&self) -> f32 {
        let all = self.values.iter().chain(&self.undisturbed).flatten();
        all.copied().fold(f32::MIN_POSITIVE, f32::max)
    }
}

/// What a machine spent of its cores in the last minute.
pub fn of_instance(frame: &Frame, twin: Option<&Frame>, (service, index): (usize, usize)) -> Trend {
    measured(frame, twin, service, Some(1.0), |there, service| {
        let index = machine((frame, index), there, service)?;
        let trend = &there.services[service].instances.get(index)?.trend;
        Some(trend.iter().copied().map(Some).collect())
    })
}

/// What stands for a service in the last so many seconds: the requests of people, the hit ratio of what keeps copies, the messages in a queue, else the mean load of
/// those of its machines that worked. Nothing of what runs on no machine of ours.
pub fn of_service(frame: &Frame, twin: Option<&Frame>, service: usize, seconds: u16) -> Option<Trend> {
    let known = |trend: &[f32]| Some(newest(trend, seconds).iter().copied().map(Some).collect());
    let of = |full, of: fn(&ServiceState) -> Option<&[f32]>| {
        measured(frame, twin, service, full, |there, service| {
            known(of(&there.services[service])?)
        })
    };
    Some(match frame.topology.services.get(service)?.kind {
        Kind::Users => of(None, |state| Some(&state.users.as_ref()?.trend)),
        Kind::Cache | Kind::Cdn | Kind::Shield => of_layer(frame, twin, (service, None), seconds),
        Kind::Queue => of_queue(frame, twin, service, seconds),
        Kind::Web | Kind::LoadBalancer | Kind::Database | Kind::SessionStore | Kind::Workers => {
            of(Some(1.0), |state| Some(&state.trend))
        }
        _ => return None,
    })
}

/// The hit ratio of what keeps copies, or of one of its nodes.
pub fn of_layer(frame: &Frame, twin: Option<&Frame>, (service, node): (usize, Option<usize>), seconds: u16) -> Trend {
    measured(frame, twin, service, Some(1.0), |there, service| {
        let cache = there.services[service].cache.as_ref()?;
        let trend = match node {
            None => &cache.trend,
            Some(node) => &cache.nodes.get(machine((frame, node), there, service)?)?.trend,
        };
        Some(newest(trend, seconds).to_vec())
    })
}

/// The messages that wait in a queue; the most there were is a full bar.
pub fn of_queue(frame: &Frame, twin: Option<&Frame>, service: usize, seconds: u16) -> Trend {
    let trend = measured(frame, twin, service, None, |there, service| {
        let queue = there.services[service].queue.as_ref()?;
        let trend = newest(&queue.trend, seconds);
        Some(trend.iter().copied().map(Some).collect())
    });
    Trend {
        full: Some(trend.greatest()),
        ..trend
    }
}

fn newest<T>(values: &[T], seconds: u16) -> &[T] {
    &values[values.len().saturating_sub(usize::from(seconds))..]
}

/// What is measured of a service, here and where nobody acts: `of` is asked for each of both, with the place of the service there.
fn measured(
    frame: &Frame,
    twin: Option<&Frame>,
    service: usize,
    full: Option<f32>,
    of: impl Fn(&Frame, usize) -> Option<Vec<Option<f32>>>,
) -> Trend {
    let undisturbed = twin.and_then(|twin| {
        let seconds = |frame: &Frame| frame.at.elapsed().as_secs();
        let unknown = seconds(frame).checked_sub(seconds(twin))?;
        let known = of(twin, place(frame, twin, service)?)?;
        let unknown = usize::try_from(unknown).ok()?.min(MINUTE);
        Some(known.into_iter().chain(std::iter::repeat_n(None, unknown)).collect())
    });
    let here = (service < frame.services.len()).then(|| of(frame, service)).flatten();
    Trend {
        values: here.unwrap_or_default(),
        undisturbed: undisturbed.unwrap_or_default(),
        full,
    }
}

/// Where a service stands in the other world.
fn place(frame: &Frame, twin: &Frame, service: usize) -> Option<usize> {
    let selector = &frame.topology.services.get(service)?.selector;
    let services = &twin.topology.services;
    let is_it = |at: usize| services.get(at).is_some_and(|other| other.selector == *selector);
    if is_it(service) {
        return Some(service);
    }
    (0..services.len()).find(|at| is_it(*at))
}

/// Where a machine of the service that is asked about stands among those of the other world: others may have left there, or here.
fn machine((frame, index): (&Frame, usize), there: &Frame, service: usize) -> Option<usize> {
    let machines = &there.topology.services.get(service)?.instances;
    if std::ptr::eq(frame, there) {
        return (index < machines.len()).then_some(index);
    }
    let home = place(there, frame, service)?;
    let selector = &frame.topology.services[home].instances.get(index)?.selector;
    let is_it = |at: &usize| machines.get(*at).is_some_and(|other| other.selector == *selector);
    Some(index).filter(is_it).or_else(|| (0..machines.len()).find(is_it))
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::tui::theme::{Depth, Ground, Name, Theme};

    fn drawn(trend: &Trend, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::new(Name::Mono, Ground::Dark, Depth::Mono);
        trend.draw(area, &mut Painter::new(&mut buffer, &theme), |_| Role::Trend);
        let row = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        (0..height).map(row).collect()
    }

    #[test]
    fn the_newest_stands_at_the_right_and_a_full_bar_is_the_most_there_can_be() {
        let trend = Trend {
            values: vec![Some(1.0), Some(0.5), Some(0.25)],
            full: Some(1.0),
            ..Trend::default()
        };
        assert_eq!(drawn(&trend, 4, 1), [" █▄▂"]);
        assert_eq!(drawn(&trend, 2, 1), ["▄▂"]);
        assert_eq!(drawn(&trend, 3, 2), ["█  ", "██▄"]);
    }

    #[test]
    fn where_nobody_acts_is_seen_above_the_bar() {
        let trend = Trend {
            values: vec![Some(0.0), Some(0.5), Some(0.5)],
            undisturbed: vec![Some(0.5), Some(1.0), None],
            full: Some(1.0),
        };
        assert_eq!(drawn(&trend, 3, 1), ["▄▄▄"]);
        assert_eq!(drawn(&trend, 3, 2), [" █ ", "███"]);
    }

    #[test]
    fn a_steady_value_without_a_most_is_no_solid_block() {
        let trend = Trend {
            values: vec![Some(7.0); 2],
            ..Trend::default()
        };
        assert_eq!(drawn(&trend, 2, 1), ["▆▆"]);
    }

    #[test]
    fn words_are_as_wide_as_asked_and_blank_where_nothing_was_measured() {
        let trend = Trend {
            values: vec![Some(0.5), None, Some(0.0)],
            undisturbed: vec![None, None, Some(0.5)],
            full: Some(1.0),
        };
        let words = trend.words(5);
        assert_eq!(
            words,
            [("  ▄ ".to_string(), Role::Trend), ("▄".to_string(), Role::Faint)]
        );
    }
}
