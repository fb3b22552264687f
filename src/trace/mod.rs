//! Access traces from files: who asked a cache for which key, how large it was, what was done to it, and when.
//!
//! A trace is text with one record a line, `key[,size][,op][,time]`, plain or in gzip, and read as a stream: neither a long file nor a
//! long line is ever held whole. `docs/traces.md` says what a file may look like.

mod columns;
mod error;
mod feed;
mod fields;
mod lines;
mod reader;
mod row;
mod survey;

use std::path::Path;
use std::sync::Arc;

pub use columns::Columns;
pub use error::TraceError;
pub use feed::Feed;
pub use fields::Op;
pub use reader::{Reader, Record};
pub use survey::{MOST_KEYS, Numbers, Survey};

/// A trace that was looked through and found right, with the numbers of its keys: what running worlds read it by.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What is in it.
    pub survey: Survey,
    /// The numbers of its keys.
    pub numbers: Arc<Numbers>,
}

impl Trace {
    /// Looks a file through. `watch` hears now and then how many bytes of it are read.
    ///
    /// # Errors
    /// If it is no trace, with the line that is wrong.
    pub fn watched(file: &Path, watch: &mut dyn FnMut(u64)) -> Result<Trace, TraceError> {
        let (survey, numbers) = Survey::watched(file, watch)?;
        Ok(Trace {
            survey,
            numbers: Arc::new(numbers),
        })
    }
}

/// Equal if all records are.
impl PartialEq for Trace {
    fn eq(&self, other: &Trace) -> bool {
        self.survey.digest == other.survey.digest && self.survey.records == other.survey.records
    }
}
