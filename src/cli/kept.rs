//! Where runs are kept between two calls of the program.

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::replay::Runs;

/// The folder of runs: `blastradius/runs` in the folder for state of the XDG base directory specification, `~/.local/state` where nothing else is
/// said; on systems without one, in that for data. None where there is no home.
pub(super) fn runs() -> Option<Runs> {
    Some(Runs::new(state()?.join("runs")))
}

/// The folder of work that was interrupted, beside that of runs.
pub(super) fn work() -> Option<PathBuf> {
    Some(state()?.join("work"))
}

/// The file that remembers which experiments were done, beside the folder of runs.
pub(super) fn ticks() -> Option<PathBuf> {
    Some(state()?.join("experiments.ron"))
}

fn state() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Some(state.join("blastradius"))
}
