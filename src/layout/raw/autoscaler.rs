//! An autoscaler in the file.

use std::time::Duration;

use serde::Deserialize;

use crate::layout::policies::{Autoscaler, Target};
use crate::layout::source::{Path, Problem};
use crate::layout::text::grouped;
use crate::layout::{bounds, check, duration};

#[derive(Clone, Copy, Deserialize)]
#[serde(rename = "Autoscaler", default, deny_unknown_fields)]
pub(super) struct RawAutoscaler {
    min: u32,
    max: Option<u32>,
    target: Option<Target>,
    #[serde(with = "duration")]
    every: Duration,
    tolerance: f64,
    #[serde(with = "duration")]
    up_window: Duration,
    #[serde(with = "duration")]
    down_window: Duration,
    counts_booting: bool,
}

impl Default for RawAutoscaler {
    fn default() -> Self {
        RawAutoscaler {
            min: 1,
            max: None,
            target: None,
            every: Duration::from_secs(15),
            tolerance: 0.1,
            up_window: Duration::ZERO,
            down_window: Duration::from_secs(300),
            counts_booting: true,
        }
    }
}

impl RawAutoscaler {
    /// Of a web tier.
    pub fn model(self, path: &Path) -> Result<Autoscaler, Problem> {
        let hint = "Utilisation(0.6) or Requests(100)";
        if matches!(self.target, Some(Target::Depth(_) | Target::Age(_))) {
            return Err(path
                .at("target")
                .problem(format!("nothing waits in a queue for a web service; write {hint}")));
        }
        self.checked(path, 1, hint)
    }

    /// Of workers, who may be none.
    pub fn of_workers(self, path: &Path) -> Result<Autoscaler, Problem> {
        let hint = "Depth(20) or Age(\"30s\")";
        if matches!(self.target, Some(Target::Requests(_))) {
            return Err(path
                .at("target")
                .problem(format!("workers get no requests; write {hint}")));
        }
        if self.min == 0 && matches!(self.target, Some(Target::Utilisation(_))) {
            let message = format!("where there is no worker none is busy, so none would ever come back; write {hint}");
            return Err(path.at("target").problem(message));
        }
        self.checked(path, 0, hint)
    }

    fn checked(self, path: &Path, least: u64, hint: &str) -> Result<Autoscaler, Problem> {
        let Some(max) = self.max else {
            return Err(path.problem("the field `max` is missing: how many machines at most?"));
        };
        let Some(target) = self.target else {
            let message = format!("the field `target` is missing: what does it hold? Write {hint}");
            return Err(path.problem(message));
        };
        check::whole(&path.at("min"), self.min, least..=bounds::MOST_MACHINES)?;
        check::whole(&path.at("max"), max, 1..=bounds::MOST_MACHINES)?;
        if self.min > max {
            let (min, max) = (grouped(self.min.into()), grouped(max.into()));
            let message = format!("the fewest machines, {min}, are more than the most, {max}");
            return Err(path.at("min").problem(message));
        }
        bounds::target(target).map_err(|why| path.at("target").problem(why))?;
        check::interval(&path.at("every"), self.every)?;
        check::number(&path.at("tolerance"), self.tolerance, 0.0..=1.0)?;
        check::span(&path.at("up_window"), self.up_window)?;
        check::span(&path.at("down_window"), self.down_window)?;
        Ok(Autoscaler {
            min: self.min,
            max,
            target,
            every: self.every,
            tolerance: self.tolerance,
            up_window: self.up_window,
            down_window: self.down_window,
            counts_booting: self.counts_booting,
        })
    }
}
