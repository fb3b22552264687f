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
    /// What is the same where nobody acts, or is nowhere else.
    pub fn of(values: &[f32]) -> Trend {
        Trend {
            values: values.iter().copied().map(Some).collect(),
            ..Trend::default()
        }
    }

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
    let name = |frame: &Frame, service: usize| {
        let instance = frame.topology.services.get(service)?.instances.get(index);
        Some(instance?.selector.clone())
    };
    let same = |twin: &&Frame| {
        let there = place(frame, twin, service);
        there.is_some_and(|there| name(twin, there) == name(frame, service))
    };
    measured(frame, twin.filter(same), service, Some(1.0), |state| {
        let instance = state.instances.get(index);
        instance.map_or_else(Vec::new, |instance| instance.trend.iter().copied().map(Some).collect())
    })
}

/// What stands for a service in the last so many seconds: the hit ratio of what keeps copies, the messages in a queue, else the mean load of those of its machines that
/// worked. Nothing of what runs on no machine of ours.
pub fn of_service(frame: &Frame, twin: Option<&Frame>, service: usize, seconds: u16) -> Option<Trend> {
    let kind = frame.topology.services.get(service)?.kind;
    match kind {
        Kind::Cache | Kind::Cdn | Kind::Shield => Some(of_layer(frame, twin, (service, None), seconds)),
        Kind::Queue => Some(of_queue(frame, twin, service, seconds)),
        Kind::Web | Kind::LoadBalancer | Kind::Database | Kind::SessionStore | Kind::Workers => {
            let seconds = usize::from(seconds).min(MINUTE);
            Some(measured(frame, twin, service, Some(1.0), |state| load(state, seconds)))
        }
        _ => None,
    }
}

/// The hit ratio of what keeps copies, or of one of its nodes.
pub fn of_layer(frame: &Frame, twin: Option<&Frame>, (service, node): (usize, Option<usize>), seconds: u16) -> Trend {
    measured(frame, twin, service, Some(1.0), |state| {
        let trend = state.cache.as_ref().and_then(|cache| match node {
            None => Some(&cache.trend),
            Some(node) => Some(&cache.nodes.get(node)?.trend),
        });
        trend.map_or_else(Vec::new, |trend| newest(trend, seconds).to_vec())
    })
}

/// The messages that wait in a queue; the most there were is a full bar.
pub fn of_queue(frame: &Frame, twin: Option<&Frame>, service: usize, seconds: u16) -> Trend {
    let most = |trend: &Trend| trend.greatest();
    let trend = measured(frame, twin, service, None, |state| {
        let trend = state.queue.as_ref().map_or(&[][..], |queue| &queue.trend);
        newest(trend, seconds).iter().copied().map(Some).collect()
    });
    Trend {
        full: Some(most(&trend)),
        ..trend
    }
}

fn newest<T>(values: &[T], seconds: u16) -> &[T] {
    &values[values.len().saturating_sub(usize::from(seconds))..]
}

/// The mean load of the machines that worked, in each second.
fn load(state: &ServiceState, seconds: usize) -> Vec<Option<f32>> {
    let trends = || state.instances.iter().map(|instance| instance.trend.as_slice());
    let longest = trends().map(<[f32]>::len).max().unwrap_or(0).min(seconds);
    let mean = |back: usize| {
        let then = trends().filter_map(|trend| trend.len().checked_sub(back).map(|at| trend[at]));
        let (sum, count) = then
            .filter(|load| *load > 0.0)
            .fold((0.0, 0_u32), |(sum, count), load| (sum + load, count + 1));
        Some(sum / count.max(1) as f32)
    };
    (1..=longest).rev().map(mean).collect()
}

/// What is measured of a service, here and where nobody acts.
fn measured(
    frame: &Frame,
    twin: Option<&Frame>,
    service: usize,
    full: Option<f32>,
    of: impl Fn(&ServiceState) -> Vec<Option<f32>>,
) -> Trend {
    let undisturbed = twin.and_then(|twin| {
        let seconds = |frame: &Frame| frame.at.elapsed().as_secs();
        let unknown = seconds(frame).checked_sub(seconds(twin))?;
        let there = place(frame, twin, service)?;
        let known = of(twin.services.get(there)?);
        let unknown = usize::try_from(unknown).ok()?.min(MINUTE);
        Some(known.into_iter().chain(std::iter::repeat_n(None, unknown)).collect())
    });
    Trend {
        values: frame.services.get(service).map_or_else(Vec::new, of),
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
        assert_eq!(drawn(&trend, 3, 2), [" █ ", "▁██"]);
    }

    #[test]
    fn a_steady_value_without_a_most_is_no_solid_block() {
        assert_eq!(drawn(&Trend::of(&[7.0, 7.0]), 2, 1), ["▆▆"]);
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
