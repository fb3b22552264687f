//! Access traces that runs take their keys from.

use std::path::Path;
use std::sync::Arc;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::{Complaint, output};
use crate::replay::TraceNote;
use crate::trace::Trace;

/// Looks a trace through, with a progress bar where somebody looks.
pub(super) fn trace(file: &Path) -> Result<Arc<Trace>, Complaint> {
    let bytes = std::fs::metadata(file).map_or(0, |data| data.len());
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% of the trace looked through");
    let bar = ProgressBar::new(bytes).with_style(style.expect("the template is a constant"));
    let looked = Trace::watched(file, &mut |taken| bar.set_position(taken));
    bar.finish_and_clear();
    let trace = looked.map_err(|error| Complaint(error.to_string()))?;
    let survey = &trace.survey;
    output::remark(&crate::layout::printable(&format!(
        "keys from {}: {} records of {} keys",
        file.display(),
        HumanCount(survey.records),
        HumanCount(survey.keys)
    )));
    Ok(Arc::new(trace))
}

/// The trace of a recorded run, which must be as it was.
pub(super) fn recorded(note: &TraceNote) -> Result<Arc<Trace>, Complaint> {
    let trace = trace(&note.file)?;
    if trace.survey.digest == note.digest.0 {
        return Ok(trace);
    }
    Err(Complaint(format!(
        "the run was recorded with other accesses than {} holds now; put the trace of then in its place",
        crate::layout::printable(&note.file.display().to_string())
    )))
}
