//! The way to a value by names, which finds its place again when something turns out to be wrong with it.

use std::fmt::Write as _;

use super::{Node, Problem};
use crate::layout::text::printable;

/// The way from the root of a file to a value. Nothing is looked up before a problem is to be told.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root(&'a Node),
    /// The value of a field or of a map's key.
    Value(&'a str),
    /// The key itself.
    Key(&'a str),
    /// An element of a list.
    Item(usize),
}

impl<'a> Path<'a> {
    /// The whole file.
    pub fn root(node: &'a Node) -> Path<'a> {
        Path {
            parent: None,
            step: Step::Root(node),
        }
    }

    /// The value of this field or key. If the file does not give it, its place is that of what should hold it.
    pub fn at<'b>(&'b self, name: &'b str) -> Path<'b> {
        self.down(Step::Value(name))
    }

    /// This key itself: for complaints about names.
    pub fn key<'b>(&'b self, name: &'b str) -> Path<'b> {
        self.down(Step::Key(name))
    }

    /// The element at this index.
    pub fn item(&self, index: usize) -> Path<'_> {
        self.down(Step::Item(index))
    }

    /// A problem with what the path leads to.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let (_, offset, path) = self.resolve();
        Problem {
            offset,
            path,
            message: message.into(),
        }
    }

    /// Where it begins in the file, in bytes, or what is nearest around it.
    pub fn offset(&self) -> usize {
        self.resolve().1
    }

    /// The path in words: `services.web.machines`.
    pub fn words(&self) -> String {
        self.resolve().2
    }

    fn down<'b>(&'b self, step: Step<'b>) -> Path<'b> {
        Path {
            parent: Some(self),
            step,
        }
    }

    /// The value if it is there, its offset or that of the nearest thing around it, and the path in words.
    fn resolve(&self) -> (Option<&Node>, usize, String) {
        let (node, around, mut words) = match self.parent {
            Some(parent) => parent.resolve(),
            None => (None, 0, String::new()),
        };
        let (found, offset) = match self.step {
            Step::Root(root) => (Some(root), root.offset),
            Step::Value(name) => {
                push_name(&mut words, name);
                match node.and_then(|node| node.entry(name)) {
                    Some(entry) => (Some(&entry.value), entry.value.offset),
                    None => (None, around),
                }
            }
            Step::Key(name) => match node.and_then(|node| node.entry(name)) {
                Some(entry) => (Some(&entry.value), entry.offset),
                None => (None, around),
            },
            Step::Item(index) => {
                push_index(&mut words, index);
                match node.and_then(|node| node.item(index)) {
                    Some(item) => (Some(item), item.offset),
                    None => (None, around),
                }
            }
        };
        (found, offset, words)
    }
}

/// Appends a field or a key to a path in words: `services.web`.
pub(super) fn push_name(words: &mut String, name: &str) {
    if !words.is_empty() {
        words.push('.');
    }
    words.push_str(&printable(name));
}

/// Appends an index to a path in words: `expect[0]`.
pub(super) fn push_index(words: &mut String, index: usize) {
    let _ = write!(words, "[{index}]");
}
