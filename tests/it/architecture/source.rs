//! Reading source files as text: enough of Rust's surface to see what a file names.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Ways to iterate a map.
const ITERATIONS: &[&str] = &[
    "iter",
    "iter_mut",
    "keys",
    "into_keys",
    "values",
    "values_mut",
    "into_values",
    "drain",
    "retain",
    "into_iter",
    "extract_if",
];

pub(super) fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All source files, in order of their names.
pub(super) fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    collect(&source_folder(), &mut files);
    files.sort();
    files
        .iter()
        .map(|path| {
            let name = path
                .strip_prefix(source_folder())
                .expect("below src/")
                .to_string_lossy()
                .replace('\\', "/");
            Source::new(&name, &fs::read_to_string(path).expect("a source file"))
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of src/").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A source file without its comments and the contents of its strings; everything else keeps its place.
pub(super) struct Source {
    /// Path below `src/`.
    pub(super) name: String,
    /// The folder below `src/`, or the file's name at the top.
    pub(super) layer: String,
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Source {
        Source {
            name: name.to_string(),
            layer: name.split('/').next().expect("a name").to_string(),
            code: blank(text),
        }
    }

    /// The module that a file of `parts/` belongs to.
    pub(super) fn part(&self) -> String {
        let below = self.name.split('/').nth(1).unwrap_or_default();
        below.trim_end_matches(".rs").to_string()
    }

    /// The path of the file's module: `world/build.rs` is `world::build`.
    fn module(&self) -> Vec<&str> {
        let mut path: Vec<&str> = self.name.trim_end_matches(".rs").split('/').collect();
        if matches!(path.last(), Some(&"mod" | &"lib" | &"main")) {
            path.pop();
        }
        path
    }

    /// Every path of the file that begins with `crate` or `super`, from the root of the crate, groups written out.
    pub(super) fn paths(&self) -> Vec<(usize, Vec<String>)> {
        let own: Vec<String> = self.module().into_iter().map(str::to_string).collect();
        let mut found = Vec::new();
        for start in ["crate", "super", "blastradius"] {
            for place in self.words(start).filter(|place| !self.code[..*place].ends_with("::")) {
                for path in tree(&self.code[place..]).1 {
                    found.push((place, absolute(&own, &path)));
                }
            }
        }
        found.sort();
        found
    }

    /// Every path of the file that begins with this word, groups written out.
    pub(super) fn paths_from(&self, start: &str) -> Vec<(usize, Vec<String>)> {
        let places = self.words(start).filter(|place| !self.code[..*place].ends_with("::"));
        places
            .flat_map(|place| tree(&self.code[place..]).1.into_iter().map(move |path| (place, path)))
            .collect()
    }

    /// Places where `word` stands alone.
    pub(super) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
        let open_end = !word.ends_with(part_of_word);
        self.code
            .match_indices(word)
            .map(|(place, _)| place)
            .filter(move |place| {
                let after = &self.code[place + word.len()..];
                !self.code[..*place].ends_with(part_of_word) && (open_end || !after.starts_with(part_of_word))
            })
    }

    /// Fields and variables that are declared as hash maps in this file and iterated in it.
    pub(super) fn hash_map_iterations(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for map in self.hash_maps() {
            for place in self.words(&map) {
                let after = self.code[place + map.len()..].trim_start();
                let called = after.strip_prefix('.').map(|rest| identifier(rest.trim_start()));
                let before = self.code[..place].trim_end_matches(|c: char| c.is_alphanumeric() || "_.& ".contains(c));
                let between = &self.code[before.len()..place];
                let looped = between.split_whitespace().any(|word| word == "in") && after.starts_with('{');
                if looped || called.is_some_and(|name| ITERATIONS.contains(&name)) {
                    found.push((place, map.clone()));
                }
            }
        }
        found
    }

    fn hash_maps(&self) -> BTreeSet<String> {
        let mut maps = BTreeSet::new();
        for kind in ["FxHashMap", "FxHashSet", "HashMap", "HashSet"] {
            for place in self.words(kind) {
                let before = self.code[..place].trim_end();
                let before = before
                    .strip_suffix(':')
                    .or_else(|| before.strip_suffix('='))
                    .map(str::trim_end);
                if let Some(before) = before {
                    let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
                    if start < before.len() {
                        maps.insert(before[start..].to_string());
                    }
                }
            }
        }
        maps
    }

    pub(super) fn line(&self, place: usize) -> usize {
        self.code[..place].split('\n').count()
    }

    pub(super) fn violation(&self, violations: &mut String, place: usize, what: &str) {
        writeln!(violations, "  src/{}:{}: {what}", self.name, self.line(place)).expect("a string");
    }
}

/// The identifier at the start of a text.
fn identifier(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// A path from the root of the crate, seen from a module. In an inline module `super` climbs from further down than from the
/// file; there the result may lie too high, which can only make a rule stricter.
fn absolute(own: &[String], path: &[String]) -> Vec<String> {
    let mut absolute = Vec::new();
    for (at, name) in path.iter().enumerate() {
        match name.as_str() {
            "crate" | "blastradius" if at == 0 => {}
            "super" => {
                if at == 0 {
                    absolute = own.to_vec();
                }
                absolute.pop();
            }
            "self" => {}
            name => absolute.push(name.to_string()),
        }
    }
    absolute
}

/// The paths of `a::{b, c::d}` and how long their text is: `a::b` and `a::c::d`.
fn tree(text: &str) -> (usize, Vec<Vec<String>>) {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    if let Some(group) = trimmed.strip_prefix('{') {
        let (mut paths, mut at) = (Vec::new(), 0);
        while at < group.len() && !group[at..].trim_start().starts_with('}') {
            let (length, below) = tree(&group[at..]);
            paths.extend(below);
            let rest = &group[at + length..];
            // Past what is no part of a path, as in `a as b`, to the next one.
            at += length
                + rest
                    .find([',', '}'])
                    .map_or(rest.len(), |end| end + usize::from(rest[end..].starts_with(',')));
        }
        return (start + 1 + at + 1, paths);
    }
    let raw = if trimmed.starts_with("r#") { 2 } else { 0 };
    let name = if trimmed.starts_with('*') {
        "*"
    } else {
        identifier(&trimmed[raw..])
    };
    let length = start + raw + name.len();
    match trimmed[raw + name.len()..].strip_prefix("::") {
        Some(rest) => {
            let (below, paths) = tree(rest);
            let paths = paths.into_iter().map(|path| [vec![name.to_string()], path].concat());
            (length + 2 + below, paths.collect())
        }
        None => (length, vec![vec![name.to_string()]]),
    }
}

/// The code with comments and the contents of strings and characters as spaces.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let hidden = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            string_length(rest)
        } else if first == '\'' {
            character_length(rest)
        } else if first == 'r' && !after_word {
            raw_string_length(rest)
        } else {
            0
        };
        if hidden == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..hidden].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[hidden..];
        }
    }
    code
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Zero for a lifetime.
fn character_length(text: &str) -> usize {
    let inside = &text[1..];
    let content = match inside.chars().next() {
        Some('\\') => inside[2.min(inside.len())..].find('\'').map(|end| end + 2),
        Some(c) if inside[c.len_utf8()..].starts_with('\'') => Some(c.len_utf8()),
        _ => None,
    };
    content.map_or(0, |length| length + 2)
}

/// Zero if it is none: `r` may begin any word, and `r#type` is one.
fn raw_string_length(text: &str) -> usize {
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 2;
    text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
}
