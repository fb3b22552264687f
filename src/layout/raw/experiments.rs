//! Experiments as they stand in the file.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use unicode_width::UnicodeWidthStr;

use crate::layout::check;
use crate::layout::duration;
use crate::layout::expect_text::condition;
use crate::layout::experiment::{Ask, Experiment, Typed};
use crate::layout::model::Layout;
use crate::layout::source::{self, Path, Problem};
use crate::layout::text::printable;

/// The most experiments of a layout, and the most commands of one.
const MOST: usize = 9;
/// The widest title, in columns as it is shown.
const WIDEST_TITLE: usize = 60;
/// The longest explanation, in characters.
const LONGEST_WHY: usize = 400;
/// The shortest and the longest watch.
const WATCH: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(rename = "Experiment", deny_unknown_fields)]
pub(in crate::layout) struct RawExperiment {
    title: String,
    #[serde(rename = "do")]
    acts: Vec<String>,
    #[serde(default = "half_a_minute", rename = "for", with = "duration")]
    watch: Duration,
    ask: Option<Ask>,
    shows: Option<String>,
    #[serde(default)]
    why: String,
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

/// Checks experiments against the layout that they are for, but for their commands, of which only the places are found. `source` is the whole file.
pub(in crate::layout) fn model(
    raw: Vec<RawExperiment>,
    layout: &Layout,
    path: &Path,
    source: &str,
) -> Result<Vec<Experiment>, Problem> {
    if raw.len() > MOST {
        return Err(path
            .item(MOST)
            .problem(format!("a layout has at most {MOST} experiments")));
    }
    let mut titles = BTreeSet::new();
    let mut experiments = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = path.item(index);
        if !titles.insert(raw.title.trim().to_owned()) {
            let message = "another experiment has this title already: what is done is remembered by it";
            return Err(path.at("title").problem(message));
        }
        experiments.push(raw.model(layout, &path, source)?);
    }
    Ok(experiments)
}

impl RawExperiment {
    fn model(self, layout: &Layout, path: &Path, source: &str) -> Result<Experiment, Problem> {
        let width = printable(self.title.trim()).width();
        if !(1..=WIDEST_TITLE).contains(&width) {
            let message = format!("a title has from 1 to {WIDEST_TITLE} columns, not {width}");
            return Err(path.at("title").problem(message));
        }
        let acts = path.at("do");
        if self.acts.is_empty() || self.acts.len() > MOST {
            let message = format!("an experiment has from 1 to {MOST} commands, as in [\"kill web/1\"]");
            return Err(acts.problem(message));
        }
        check::time(&path.at("for"), self.watch, WATCH)?;
        let shows = self.shows.map(|text| {
            let read = condition(&text, layout);
            read.map_err(|message| path.at("shows").problem(message))
        });
        if self.why.chars().count() > LONGEST_WHY {
            let message = format!("at most {LONGEST_WHY} characters: one or two sentences");
            return Err(path.at("why").problem(message));
        }
        let typed = self.acts.into_iter().enumerate().map(|(index, text)| {
            let (line, column) = source::position(source, acts.item(index).offset());
            Typed { text, line, column }
        });
        let acts = typed.collect();
        Ok(Experiment {
            title: self.title.trim().to_owned(),
            acts,
            watch: self.watch,
            ask: self.ask,
            shows: shows.transpose()?,
            why: self.why,
        })
    }
}
