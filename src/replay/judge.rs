//! Whether a run keeps what its layout expects.

use std::time::Duration;

use crate::layout::{Expectation, Measure, Quantifier};

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How often it had to hold.
    pub quantifier: Quantifier,
    /// The condition as it stands in the layout.
    pub text: String,
    /// What was measured.
    pub measure: Measure,
    /// What it was compared with, in the measure's unit.
    pub bound: f64,
    /// What became of it.
    pub outcome: Outcome,
}

/// How an expectation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// It held.
    Held,
    /// It did not hold.
    Failed {
        /// When it first did not; for `Eventually` and `Sometimes`, the end of the run.
        at: Duration,
        /// What was measured then.
        value: f64,
    },
    /// No evaluation counted: the run was too short, or all of it lay in the grace after commands.
    Unjudged,
}

impl Verdict {
    /// Whether the expectation held. One that was never judged did not: a test that looked at nothing has shown nothing.
    pub fn held(&self) -> bool {
        self.outcome == Outcome::Held
    }
}

/// Follows the expectations of one layout through one run.
#[derive(Clone, Debug)]
pub struct Judge {
    cases: Vec<Case>,
    last_command: Option<Duration>,
}

/// An expectation and what was seen of it so far.
#[derive(Clone, Debug)]
struct Case {
    expectation: Expectation,
    held: bool,
    first_failure: Option<(Duration, f64)>,
}

impl Judge {
    /// Judges these.
    pub fn new(expectations: &[Expectation]) -> Judge {
        let cases = expectations
            .iter()
            .map(|expectation| Case {
                expectation: expectation.clone(),
                held: false,
                first_failure: None,
            })
            .collect();
        Judge {
            cases,
            last_command: None,
        }
    }

    /// Whether there is nothing to judge.
    pub fn is_idle(&self) -> bool {
        self.cases.is_empty()
    }

    /// Whether something has failed that nothing to come can make good: an `Always`, or an `At`.
    pub fn has_failed(&self) -> bool {
        let is_final = |case: &Case| matches!(case.expectation.quantifier, Quantifier::Always | Quantifier::At(_));
        self.cases
            .iter()
            .any(|case| is_final(case) && case.first_failure.is_some())
    }

    /// Takes note that a command took effect: the grace of `Always` starts again.
    pub fn commanded(&mut self, at: Duration) {
        self.last_command = Some(at);
    }

    /// Evaluates everything once, on the grid.
    pub fn look(&mut self, at: Duration, measure: &mut dyn FnMut(&Measure) -> f64) {
        let since_command = self.last_command.map(|command| at.saturating_sub(command));
        for case in &mut self.cases {
            case.look(at, since_command, measure);
        }
    }

    /// What became of everything, the run having ended now.
    pub fn verdicts(&self, at: Duration, measure: &mut dyn FnMut(&Measure) -> f64) -> Vec<Verdict> {
        self.cases.iter().map(|case| case.verdict(at, measure)).collect()
    }
}

impl Case {
    fn look(&mut self, at: Duration, since_command: Option<Duration>, measure: &mut dyn FnMut(&Measure) -> f64) {
        let settled = match self.expectation.quantifier {
            Quantifier::Always => self.first_failure.is_some(),
            Quantifier::Sometimes => self.held,
            Quantifier::Eventually => true,
            Quantifier::At(when) => at < when || self.held || self.first_failure.is_some(),
        };
        let in_grace = self.expectation.quantifier == Quantifier::Always
            && since_command.is_some_and(|since| since < self.expectation.grace);
        if settled || in_grace {
            return;
        }
        let value = measure(&self.expectation.measure);
        if self.holds(value) {
            self.held = true;
        } else {
            self.first_failure.get_or_insert((at, value));
        }
    }

    fn verdict(&self, end: Duration, measure: &mut dyn FnMut(&Measure) -> f64) -> Verdict {
        let outcome = match (self.expectation.quantifier, self.first_failure) {
            (Quantifier::Always | Quantifier::At(_), Some((at, value))) => Outcome::Failed { at, value },
            (Quantifier::Always | Quantifier::Sometimes | Quantifier::At(_), _) if self.held => Outcome::Held,
            (Quantifier::Always | Quantifier::At(_), None) => Outcome::Unjudged,
            (Quantifier::Eventually | Quantifier::Sometimes, _) => {
                let value = measure(&self.expectation.measure);
                if self.holds(value) {
                    Outcome::Held
                } else {
                    Outcome::Failed { at: end, value }
                }
            }
        };
        Verdict {
            quantifier: self.expectation.quantifier,
            text: self.expectation.text.clone(),
            measure: self.expectation.measure.clone(),
            bound: self.expectation.bound,
            outcome,
        }
    }

    fn holds(&self, value: f64) -> bool {
        self.expectation.comparison.holds(value, self.expectation.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Comparison;

    fn judged(quantifier: Quantifier, grace_s: u64, commands_s: &[u64], values: &[f64]) -> Outcome {
        let expectation = Expectation {
            quantifier,
            measure: Measure::Ok,
            comparison: Comparison::AtLeast,
            bound: 1.0,
            grace: Duration::from_secs(grace_s),
            text: String::new(),
        };
        let mut judge = Judge::new(&[expectation]);
        for (second, value) in (1..).zip(values) {
            let at = Duration::from_secs(second);
            judge.look(at, &mut |_| *value);
            if commands_s.contains(&second) {
                judge.commanded(at);
            }
        }
        let (end, last) = (values.len() as u64, values[values.len() - 1]);
        judge.verdicts(Duration::from_secs(end), &mut |_| last)[0].outcome
    }

    fn failed(at_s: u64, value: f64) -> Outcome {
        Outcome::Failed {
            at: Duration::from_secs(at_s),
            value,
        }
    }

    #[test]
    fn always_fails_at_the_first_breach() {
        assert_eq!(
            judged(Quantifier::Always, 0, &[], &[1.0, 0.4, 0.2, 1.0]),
            failed(2, 0.4)
        );
        assert_eq!(judged(Quantifier::Always, 0, &[], &[1.0, 1.0]), Outcome::Held);
    }

    #[test]
    fn always_does_not_judge_the_grace_after_each_command() {
        let values = [1.0, 0.4, 0.4, 0.4, 1.0];
        assert_eq!(judged(Quantifier::Always, 3, &[1, 2], &values), Outcome::Held);
        assert_eq!(judged(Quantifier::Always, 2, &[1], &values), failed(3, 0.4));
        assert_eq!(
            judged(Quantifier::Always, 9, &[1, 2, 3], &[1.0, 0.0, 0.0]),
            Outcome::Held
        );
    }

    #[test]
    fn what_was_never_judged_has_not_held() {
        let expectation = Expectation {
            quantifier: Quantifier::Always,
            measure: Measure::Lost,
            comparison: Comparison::Equal,
            bound: 0.0,
            grace: Duration::from_secs(20),
            text: String::new(),
        };
        let mut judge = Judge::new(&[expectation]);
        judge.commanded(Duration::ZERO);
        judge.look(Duration::from_secs(1), &mut |_| 0.0);
        let verdict = &judge.verdicts(Duration::from_secs(1), &mut |_| 0.0)[0];
        assert_eq!(verdict.outcome, Outcome::Unjudged);
        assert!(!verdict.held());
    }

    #[test]
    fn eventually_looks_only_at_the_end() {
        assert_eq!(judged(Quantifier::Eventually, 0, &[], &[0.1, 0.1, 1.0]), Outcome::Held);
        assert_eq!(judged(Quantifier::Eventually, 0, &[], &[1.0, 1.0, 0.5]), failed(3, 0.5));
    }

    #[test]
    fn sometimes_needs_one_moment() {
        assert_eq!(judged(Quantifier::Sometimes, 0, &[], &[0.1, 1.0, 0.1]), Outcome::Held);
        assert_eq!(judged(Quantifier::Sometimes, 0, &[], &[0.1, 0.2]), failed(2, 0.2));
    }
}
