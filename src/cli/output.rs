//! Writing to a person or a program that may stop reading at any time.

use std::io::{self, ErrorKind, Write};

use super::Complaint;
use crate::layout::printable;

/// Writes a result to stdout. A reader that has gone, as `head` does, is no error.
pub(super) fn say(text: &str) -> Result<(), Complaint> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// What became of writing to stdout.
pub(super) fn written(result: io::Result<()>) -> Result<(), Complaint> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Complaint(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a remark to stderr.
pub(super) fn remark(text: &str) {
    // Without stderr there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes a complaint to stderr. It may quote files and arguments, so control characters are escaped here.
pub(super) fn complain(complaint: &Complaint) {
    let lines: Vec<String> = complaint.0.lines().map(printable).collect();
    remark(&format!("error: {}", lines.join("\n")));
}
