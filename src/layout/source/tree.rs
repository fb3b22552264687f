//! The tree.

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    /// Where it begins, in bytes from the start of the source. A struct with a name begins at its name.
    pub offset: usize,
    /// Where what follows it begins, in bytes from the start of the source.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `"text"`
    Text(String),
    /// `1_000`, from the least i64 to the largest u64.
    Integer(i128),
    /// `0.5`, `inf`, `NaN`
    Float(f64),
    /// `true`, `false`
    Bool(bool),
    /// A name alone: `LeastConnections`, `None`.
    Name(String),
    /// `Name(field: value)`, `(field: value)`, `Name()`, `()`.
    Struct { name: Option<String>, fields: Vec<Entry> },
    /// `Name(value)`, `(value, value)`. Never empty.
    Tuple { name: Option<String>, items: Vec<Node> },
    /// `[value, value]`
    List(Vec<Node>),
    /// `{"key": value}`
    Map(Vec<Entry>),
}

/// A field of a struct or an entry of a map. No two of one struct or map have the same key.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The field's name or the key.
    pub key: String,
    /// Where the key begins.
    pub offset: usize,
    /// What it holds.
    pub value: Node,
}

impl Node {
    /// The entry with this key, of a struct or a map.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Struct { fields: entries, .. } | Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            // What the extension unwraps may also stand in parentheses of its own: `Web((machines: 2))`.
            Kind::Tuple { items, .. } if items.len() == 1 => items[0].entry(key),
            _ => None,
        }
    }

    /// The element at this index, of a list.
    pub fn item(&self, index: usize) -> Option<&Node> {
        match &self.kind {
            Kind::List(items) => items.get(index),
            // The list of `SitePriority([..])`.
            Kind::Tuple { items, .. } if items.len() == 1 => items[0].item(index),
            _ => None,
        }
    }
}
