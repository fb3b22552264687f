//! Where runs are kept between two calls of the program.

use etcetera::BaseStrategy;

use crate::replay::Runs;

/// The folder of runs: `blastradius/runs` in the folder for state of the XDG base directory specification, `~/.local/state` where nothing else is
/// said; on systems without one, in that for data. None where there is no home.
pub(super) fn runs() -> Option<Runs> {
    let base = etcetera::choose_base_strategy().ok()?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Some(Runs::new(state.join("blastradius").join("runs")))
}
