//! A document as one HTML page that needs nothing beside it: no network, no script, no font of its own. It follows the reader's choice of
//! light or dark, reads on a phone and prints.

mod bars;
mod plot;
mod style;

use std::fmt::Write as _;

use super::document::{Block, Document, Fact, Grid, Piece, Prose, Section, Step, Tone};
use super::seconds::Seconds;

pub(super) use bars::{Bar, bars};
pub(super) use plot::{Log, Scale, decade};
pub(super) use style::palette;

/// What a browser may load for the page: nothing but the style in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page of a run.
pub fn html(document: &Document, seconds: &Seconds) -> String {
    page(document, &plot::plots(document, seconds))
}

/// A page with these plots in front of its sections.
pub(super) fn page(document: &Document, plots: &str) -> String {
    let title = escaped(&document.title.plain());
    let kind = document.kind;
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{kind}: {title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<p class=\"kind\">blastradius · {kind}</p>\n<h1>{heading}</h1>\n<p class=\"summary\">{summary}</p>\n</header>\n",
        style = style::css(),
        heading = prose(&document.title),
        summary = prose(&document.summary),
    );
    page += &facts(&document.facts);
    page += &contents(&document.sections);
    page += plots;
    for (index, one) in document.sections.iter().enumerate() {
        page += &section(index, one);
    }
    page += "</main>\n</body>\n</html>\n";
    page
}

/// Links to the sections.
fn contents(sections: &[Section]) -> String {
    let mut text = "<nav aria-label=\"Sections\">\n<ul>\n".to_string();
    for (index, section) in sections.iter().enumerate() {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(text, "<li><a href=\"#s{index}\">{}</a></li>", prose(&section.title));
    }
    text + "</ul>\n</nav>\n"
}

fn section(index: usize, section: &Section) -> String {
    let mut text = format!(
        "<section aria-labelledby=\"s{index}\">\n<h2 id=\"s{index}\">{}</h2>\n",
        prose(&section.title)
    );
    text.extend(section.blocks.iter().map(set));
    text + "</section>\n"
}

fn set(block: &Block) -> String {
    match block {
        Block::Paragraph(words) => format!("<p>{}</p>\n", prose(words)),
        Block::Facts(list) => facts(list),
        Block::Timeline(steps) => timeline(steps),
        Block::Table(grid) => table(grid),
        Block::Command(words, command) => format!(
            "<p>{}</p>\n<pre tabindex=\"0\"><code>{}</code></pre>\n",
            escaped(words),
            escaped(command)
        ),
    }
}

fn facts(facts: &[Fact]) -> String {
    let mut text = "<dl class=\"facts\">\n".to_string();
    for fact in facts {
        let note = if fact.note.is_empty() {
            String::new()
        } else {
            format!("<dd class=\"note\">{}</dd>", prose(&fact.note))
        };
        let _ = writeln!(
            text,
            "<div class=\"{}\"><dt>{}</dt><dd>{}</dd>{note}</div>",
            class(fact.tone),
            escaped(fact.name),
            escaped(&fact.value)
        );
    }
    text + "</dl>\n"
}

fn timeline(steps: &[Step]) -> String {
    let mut text = "<ol class=\"steps\">\n".to_string();
    for step in steps {
        let (state, when) = match &step.when {
            Some((since, at)) => (
                "reached",
                format!(
                    "<span class=\"since\">{}</span><span class=\"at\">{}</span>",
                    escaped(since),
                    escaped(at)
                ),
            ),
            None => ("open", "<span class=\"since\">–</span>".to_string()),
        };
        let _ = writeln!(
            text,
            "<li class=\"{state}\"><span class=\"when\">{when}</span><span class=\"what\"><b>{}</b> {}</span></li>",
            escaped(step.name),
            prose(&step.what)
        );
    }
    text + "</ol>\n"
}

fn table(grid: &Grid) -> String {
    let caption = escaped(&grid.caption);
    let mut text = format!(
        "<p class=\"caption\">{caption}</p>\n<div class=\"wide\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\n<thead><tr>"
    );
    let figure = |is: bool| if is { " class=\"figure\"" } else { "" };
    for (name, is_figure) in &grid.columns {
        let _ = write!(text, "<th scope=\"col\"{}>{}</th>", figure(*is_figure), escaped(name));
    }
    text += "</tr></thead>\n<tbody>\n";
    for row in &grid.rows {
        text += "<tr>";
        for (cell, (_, is_figure)) in row.iter().zip(&grid.columns) {
            let words = prose(&cell.prose);
            let _ = match cell.tone {
                Tone::Plain => write!(text, "<td{}>{words}</td>", figure(*is_figure)),
                tone => write!(
                    text,
                    "<td{}><span class=\"{}\">{words}</span></td>",
                    figure(*is_figure),
                    class(tone)
                ),
            };
        }
        text += "</tr>\n";
    }
    text + "</tbody>\n</table>\n</div>\n"
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

/// Text with names kept apart: one that is written from right to left does not turn the words around it.
fn prose(prose: &Prose) -> String {
    let pieces = prose.0.iter().map(|piece| match piece {
        Piece::Words(text) => escaped(text),
        Piece::Name(name) => format!("<bdi class=\"name\">{}</bdi>", escaped(name)),
        Piece::Told(text) => format!("<bdi>{}</bdi>", escaped(text)),
    });
    pieces.collect()
}

/// Text as HTML may hold it, in an element or an attribute. What cannot be seen is written out.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::layout::printable(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
