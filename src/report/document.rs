//! The report of a run for people, as a document: its words stand here once, and Markdown and HTML only set them.
//!
//! A piece of text says whose it is: words of the program, a name from a layout, or a sentence in which names stand. So whoever sets it knows
//! what to escape, and what to keep apart from the words around it.

mod incidents;
mod overview;
mod services;

use super::model::Report;
use super::seconds::Seconds;
use crate::layout::printable;

/// A report with headings, figures, tables and timelines.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What kind of report it is.
    pub(super) kind: &'static str,
    /// The title of the layout.
    pub(super) title: Prose,
    /// A paragraph that says all in short.
    pub(super) summary: Prose,
    /// The figures that matter most.
    pub(super) facts: Vec<Fact>,
    /// Everything else.
    pub(super) sections: Vec<Section>,
    /// When incidents were.
    pub(super) bands: Vec<Band>,
    /// How long the run was.
    pub(super) duration_s: f64,
}

/// A part of a document with a heading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Section {
    /// The heading.
    pub(super) title: Prose,
    /// What stands below it.
    pub(super) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    /// A paragraph.
    Paragraph(Prose),
    /// Figures, side by side.
    Facts(Vec<Fact>),
    /// What happened one after another.
    Timeline(Vec<Step>),
    /// A table.
    Table(Grid),
    /// A command for a shell, with a few words before it.
    Command(&'static str, String),
}

/// A figure with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    /// What it is.
    pub(super) name: &'static str,
    /// The figure, short.
    pub(super) value: String,
    /// More about it; may be empty.
    pub(super) note: Prose,
    /// How it is to be taken.
    pub(super) tone: Tone,
}

/// A moment of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// The name of the milestone.
    pub(super) name: &'static str,
    /// The time since the fault, and the moment of the run; none if it was not reached.
    pub(super) when: Option<(String, String)>,
    /// What it was.
    pub(super) what: Prose,
}

/// A table with a caption.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    /// What it shows.
    pub(super) caption: String,
    /// The names of the columns, and whether their cells are figures.
    pub(super) columns: Vec<(&'static str, bool)>,
    /// A cell for each column.
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    /// What stands in it.
    pub(super) prose: Prose,
    /// How it is to be taken.
    pub(super) tone: Tone,
}

/// The time of an incident.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    /// The number of the incident.
    pub(super) number: u32,
    /// What was done.
    pub(super) what: Prose,
    /// When it was done.
    pub(super) from_s: f64,
    /// Until when users were hurt: when it was done, if they were not.
    pub(super) hurt_until_s: f64,
    /// When all was as before, or the end of the run.
    pub(super) to_s: f64,
}

/// How something is to be taken. It is never said by a colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// Good.
    Good,
    /// Somebody should look.
    Warning,
    /// Bad.
    Bad,
}

/// Text on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prose(pub(super) Vec<Piece>);

/// A piece of text. Nothing in it is hidden: what a screen would not show is written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The program's own words.
    Words(String),
    /// A name from a layout or of a file.
    Name(String),
    /// A sentence in which such names stand.
    Told(String),
}

impl Document {
    /// The report of a run; `again` is the command that runs it again.
    pub fn new(report: &Report, seconds: &Seconds, again: &str) -> Document {
        let mut sections = incidents::sections(report, seconds, again);
        sections.extend(overview::sections(report));
        sections.extend(services::sections(report));
        sections.push(overview::ending(report, again));
        Document {
            kind: if report.incidents.is_empty() {
                "Report of a run"
            } else {
                "Incident report"
            },
            title: Prose::default().told(&report.layout.title),
            summary: overview::summary(report),
            facts: overview::facts(report),
            sections,
            bands: incidents::bands(report),
            duration_s: report.duration_s,
        }
    }
}

impl Prose {
    /// Words of the program.
    pub(super) fn words(words: impl Into<String>) -> Prose {
        Prose::default().and(words)
    }

    /// Adds words of the program.
    pub(super) fn and(mut self, words: impl Into<String>) -> Prose {
        let words = words.into();
        if !words.is_empty() {
            self.0.push(Piece::Words(words));
        }
        self
    }

    /// Adds a name.
    pub(super) fn name(mut self, name: &str) -> Prose {
        self.0.push(Piece::Name(printable(name)));
        self
    }

    /// Adds a sentence in which names stand.
    pub(super) fn told(mut self, sentence: &str) -> Prose {
        self.0.push(Piece::Told(printable(sentence)));
        self
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without any marks.
    pub(super) fn plain(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Words(text) | Piece::Name(text) | Piece::Told(text) => text.as_str(),
        });
        pieces.collect()
    }
}

impl Fact {
    /// A figure with its name.
    pub(super) fn new(name: &'static str, value: impl Into<String>) -> Fact {
        Fact {
            name,
            value: value.into(),
            note: Prose::default(),
            tone: Tone::Plain,
        }
    }

    /// Says more about it.
    pub(super) fn note(mut self, note: Prose) -> Fact {
        self.note = note;
        self
    }

    /// Says how it is to be taken.
    pub(super) fn tone(mut self, tone: Tone) -> Fact {
        self.tone = tone;
        self
    }
}

impl Cell {
    /// Words of the program, or a figure.
    pub(super) fn words(words: impl Into<String>) -> Cell {
        Cell::of(Prose::words(words))
    }

    /// A name.
    pub(super) fn name(name: &str) -> Cell {
        Cell::of(Prose::default().name(name))
    }

    /// A sentence in which names stand.
    pub(super) fn told(sentence: &str) -> Cell {
        Cell::of(Prose::default().told(sentence))
    }

    /// This text.
    pub(super) fn of(prose: Prose) -> Cell {
        Cell {
            prose,
            tone: Tone::Plain,
        }
    }

    /// Says how it is to be taken.
    pub(super) fn tone(mut self, tone: Tone) -> Cell {
        self.tone = tone;
        self
    }
}

/// The most rows of a table; what is beyond is in the JSON.
const ROWS: usize = 200;

impl Grid {
    /// A table without rows. Of each column is said whether it holds figures.
    pub(super) fn new(caption: impl Into<String>, columns: &[(&'static str, bool)]) -> Grid {
        Grid {
            caption: caption.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    /// The table, and a remark where rows are left out; nothing if there are none.
    pub(super) fn blocks(mut self) -> Vec<Block> {
        let more = self.rows.len().saturating_sub(ROWS);
        self.rows.truncate(ROWS);
        if self.rows.is_empty() {
            return Vec::new();
        }
        let mut blocks = vec![Block::Table(self)];
        if more > 0 {
            blocks.push(Block::Paragraph(Prose::words(format!(
                "And {more} more rows: they are in the JSON of the run."
            ))));
        }
        blocks
    }
}

/// A section, unless it has nothing to say.
fn section(title: &'static str, blocks: Vec<Block>) -> Option<Section> {
    let title = Prose::words(title);
    (!blocks.is_empty()).then_some(Section { title, blocks })
}

/// A time that passed, as people say it.
fn span(seconds: f64) -> String {
    // What rounds up to a unit is told in that unit.
    let (millis, tenths) = ((seconds * 1e3).round() as u64, (seconds * 10.0).round() as u64);
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    if millis < 10_000 {
        return format!("{:.2} s", millis as f64 / 1e3);
    }
    if tenths < 600 {
        return format!("{:.1} s", tenths as f64 / 10.0);
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3_600, whole / 60 % 60, whole % 60);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let told = parts.iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told.map(|(number, unit)| format!("{number} {unit}")).collect();
    told.join(" ")
}

/// US dollars, by their code (ISO 4217): a dollar sign begins a formula in some Markdown.
fn dollars(usd: f64) -> String {
    let digits = if usd.abs() > 0.0 && usd.abs() < 0.01 { 5 } else { 2 };
    format!("{usd:.digits$} USD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_unit_that_reads_best() {
        for (seconds, expected) in [
            (0.0, "0 ms"),
            (0.004, "4 ms"),
            (0.999_6, "1.00 s"),
            (5.012, "5.01 s"),
            (31.46, "31.5 s"),
            (59.97, "1 min"),
            (125.0, "2 min 5 s"),
            (3_660.0, "1 h 1 min"),
        ] {
            assert_eq!(span(seconds), expected, "{seconds}");
        }
    }
}
