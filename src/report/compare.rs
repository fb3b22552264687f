//! Two frames beside each other.

use std::time::Duration;

use crate::observe::Frame;

use super::words::count;

/// One figure of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// What was measured, with its unit.
    pub what: &'static str,
    /// Of the one.
    pub one: f64,
    /// Of the other.
    pub other: f64,
    /// Decimals that mean something.
    pub decimals: usize,
}

/// Figures of two runs, in one order.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The figures.
    pub figures: Vec<Compared>,
}

/// Compares two runs by what was seen of them at one moment, since the start.
pub fn compared(one: &Frame, other: &Frame) -> Comparison {
    let counted = |what, of: fn(&Frame) -> u64| Compared {
        what,
        one: of(one) as f64,
        other: of(other) as f64,
        decimals: 0,
    };
    let millis = |what, of: fn(&Frame) -> Duration| Compared {
        what,
        one: of(one).as_secs_f64() * 1e3,
        other: of(other).as_secs_f64() * 1e3,
        decimals: 1,
    };
    let figures = vec![
        counted("requests", |frame| frame.total.sent),
        counted("answered", |frame| frame.total.ok),
        counted("failed", |frame| frame.total.failed),
        counted("retried", |frame| frame.total.retried),
        millis("p50 ms", |frame| frame.latency.p50),
        millis("p95 ms", |frame| frame.latency.p95),
        millis("p99 ms", |frame| frame.latency.p99),
        counted("lost writes", |frame| frame.lost_writes),
        counted("lost sessions", |frame| frame.sessions.lost),
        counted("incidents", |frame| {
            frame.incidents.last().map_or(0, |last| u64::from(last.number))
        }),
        Compared {
            what: "cost $",
            one: one.spent,
            other: other.spent,
            decimals: 4,
        },
    ];
    Comparison { figures }
}

impl Comparison {
    /// Whether all figures are the same.
    pub fn is_same(&self) -> bool {
        self.figures
            .iter()
            .all(|figure| figure.one.to_bits() == figure.other.to_bits())
    }

    /// Lines of a table, with these names for the two.
    pub fn table(&self, one: &str, other: &str) -> Vec<String> {
        let number = |value: f64, decimals: usize| grouped(value, decimals);
        let wide = 1 + one.chars().count().max(other.chars().count()).max(14);
        let mut lines = vec![format!("{:<14}{one:>wide$}{other:>wide$}{:>15}", "", "difference")];
        for figure in &self.figures {
            let Compared {
                what,
                one,
                other,
                decimals,
            } = figure;
            let difference = other - one;
            let sign = if difference > 0.0 { "+" } else { "" };
            let difference = if one.to_bits() == other.to_bits() {
                "–".to_string()
            } else {
                format!("{sign}{}", number(difference, *decimals))
            };
            lines.push(format!(
                "{what:<14}{:>wide$}{:>wide$}{difference:>15}",
                number(*one, *decimals),
                number(*other, *decimals),
            ));
        }
        lines
    }
}

/// A figure with its thousands apart: `-12,345.6`.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_string(), count);
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_thousands_apart() {
        assert_eq!(grouped(-12_345.64, 1), "-12,345.6");
        assert_eq!(grouped(7.0, 0), "7");
    }
}
