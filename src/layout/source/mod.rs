//! A file's text as a tree in which every key and value knows its place, so that every complaint can point at what is wrong.
//!
//! The files are RON. The `ron` crate tells a line and column for what it cannot read itself, but neither the path nor where a
//! value stood once it has been read; hence a scanner of our own. It accepts a subset of RON (texts, numbers, names, lists, maps with
//! texts as keys, structs and tuples) with the extensions `implicit_some` and `unwrap_variant_newtypes` always on; a test
//! compares it with the crate.

mod literal;
mod path;
mod read;
mod render;
mod scan;
mod tree;

pub(crate) use path::Path;
pub(crate) use read::read;
pub(crate) use render::{Places, position, render};
pub(crate) use scan::{blanks, scan};
pub(crate) use tree::{Entry, Kind, Node};

/// Something wrong at a place of the source.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where, in bytes from the start.
    pub offset: usize,
    /// The path to it in words: `services.web.machines`. Empty for the whole file and for what is not RON.
    pub path: String,
    /// What, and the way out.
    pub message: String,
}

impl Problem {
    /// The same problem of a value that was read by itself, with the path to that value in front.
    pub fn below(self, path: &Path) -> Problem {
        let mut words = path.words();
        if !self.path.is_empty() && !self.path.starts_with('[') && !words.is_empty() {
            words.push('.');
        }
        words.push_str(&self.path);
        Problem { path: words, ..self }
    }

    /// The message, with the path in front if there is one.
    pub fn text(&self) -> String {
        if self.path.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.path, self.message)
        }
    }
}
