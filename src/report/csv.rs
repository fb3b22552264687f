//! The seconds of a run as CSV (RFC 4180, <https://www.rfc-editor.org/rfc/rfc4180>), for spreadsheets and plotting.
//!
//! There are only figures in it. No field is quoted, since none holds a comma or a quotation mark, and none begins with a sign that a
//! spreadsheet would take for a formula.

use std::fmt::Write as _;
use std::time::Duration;

use super::build::ms;
use super::seconds::Seconds;

/// The fields. `docs/reports.md` describes them.
const HEADER: &str = "time_s,sent,ok,failed,retried,p50_ms,p99_ms\r\n";

/// One row for each second, below a row of names. Lines end in CR LF, as the RFC asks.
pub fn csv(seconds: &Seconds) -> String {
    let mut text = HEADER.to_string();
    for sample in seconds.samples() {
        let tally = sample.tally;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{}\r\n",
            sample.at.seconds(),
            tally.sent,
            tally.ok,
            tally.failed,
            tally.retried,
            latency(sample.p50),
            latency(sample.p99)
        );
    }
    text
}

/// A latency in milliseconds; nothing where no request was answered.
fn latency(latency: Duration) -> String {
    if latency.is_zero() {
        return String::new();
    }
    ms(latency).to_string()
}
