//! In which form a report is written, and what it says of how to run it again.

use std::path::Path;

use clap::Args;

use super::drive::Driven;
use super::{Complaint, Ended, output};
use crate::report::{self, Document, Report, operand};

/// The forms that a report can have, one at a time. Without one it is text.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(id = "format", multiple = false)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Format {
    /// Report as JSON (schema `blastradius.run/1`).
    #[arg(long)]
    json: bool,
    /// Report as Markdown: incidents in plain words, expectations, tables.
    #[arg(long)]
    markdown: bool,
    /// Report as one HTML page with plots, which needs nothing beside it.
    #[arg(long)]
    html: bool,
    /// Report as CSV: a row for each second.
    #[arg(long)]
    csv: bool,
}

impl Format {
    /// Whether a form was asked for.
    pub(super) fn is_asked_for(self) -> bool {
        self.json || self.markdown || self.html || self.csv
    }

    /// Writes the report of a run that has ended; `name` is that of the layout, `again` the command that runs it again.
    pub(super) fn tell(self, name: &str, driven: &Driven, again: &str) -> Result<Ended, Complaint> {
        let report = Report::new(name, &driven.ending);
        let seconds = &driven.seconds;
        let text = if self.json {
            report.to_json()
        } else if self.markdown {
            report::markdown(&Document::new(&report, seconds, again))
        } else if self.html {
            report::html(&Document::new(&report, seconds, again), seconds)
        } else if self.csv {
            report::csv(seconds)
        } else {
            format!("{}{}\n", report::to_text(&report), driven.pace.line())
        };
        output::say(&text)?;
        if self.is_asked_for() {
            // It differs from run to run, so it has no place among results.
            output::remark(&driven.pace.line());
        }
        Ok(Ended::well_if(report.passed))
    }
}

/// The command that runs a recording again and reports.
pub(super) fn replayed(file: &Path) -> String {
    format!("blastradius replay {} --report", operand(file))
}
