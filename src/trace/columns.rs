//! What the columns of a trace are.

use super::error::{Fault, quoted};
use super::fields::is_number;

/// Names of the column with the key.
const KEY: &[&str] = &[
    "key",
    "keys",
    "id",
    "obj_id",
    "object_id",
    "object",
    "obj",
    "key_id",
    "item_id",
    "item",
    "cache_key",
    "anonymized_key",
    "url",
];
/// Names of the column with the size.
const SIZE: &[&str] = &[
    "size",
    "bytes",
    "obj_size",
    "object_size",
    "value_size",
    "size_bytes",
    "length",
    "len",
];
/// Names of the column with the operation.
const OP: &[&str] = &["op", "ops", "operation", "cmd", "command", "verb"];
/// Names of the column with the time.
const TIME: &[&str] = &["time", "timestamp", "ts", "time_s", "seconds", "at"];

/// The most columns of a trace without a header: key, size, op, time.
const MOST: usize = 4;

/// Which column holds what, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Columns of each line.
    pub(super) width: usize,
    /// The key.
    pub(super) key: usize,
    /// The size in bytes.
    pub(super) size: Option<usize>,
    /// The operation.
    pub(super) op: Option<usize>,
    /// The time in seconds.
    pub(super) time: Option<usize>,
    /// Whether the first line names the columns.
    pub(super) header: bool,
}

impl Columns {
    /// Whether records have sizes.
    pub fn has_sizes(&self) -> bool {
        self.size.is_some()
    }

    /// Whether records say what was done. Without it all are reads.
    pub fn has_ops(&self) -> bool {
        self.op.is_some()
    }

    /// Whether records have times.
    pub fn has_times(&self) -> bool {
        self.time.is_some()
    }

    /// Whether the first line names the columns.
    pub fn has_header(&self) -> bool {
        self.header
    }

    /// Finds out from the first line.
    pub(super) fn of(first: &[&[u8]]) -> Result<Columns, Fault> {
        let names: Vec<String> = first.iter().map(|field| normal(field)).collect();
        let is = |name: &String, words: &[&str]| words.contains(&name.as_str());
        let has = |words: &[&str]| names.iter().any(|name| is(name, words));
        let has_number = first.iter().any(|field| is_number(field));
        let says_more = names.len() > 1 && (has(SIZE) || has(TIME));
        if !has_number && (has(KEY) || says_more) {
            return Columns::named(first, &names);
        }
        if let [only] = first
            && only.iter().any(|byte| matches!(byte, b' ' | b';'))
        {
            return Err(Fault::new(
                format!("{} has one column, and blanks or semicolons in it", quoted(only)),
                "separate columns by commas or tabs; if it is one key, put a first line `key` above",
            ));
        }
        if first.len() > MOST {
            return Err(Fault::new(
                format!(
                    "{} columns without a header; there can be four: key,size,op,time",
                    first.len()
                ),
                "put a first line above that names the columns, as in `time,key,size,client`; unknown ones are ignored",
            ));
        }
        let column = |place: usize| (place < first.len()).then_some(place);
        Ok(Columns {
            width: first.len(),
            key: 0,
            size: column(1),
            op: column(2),
            time: column(3),
            header: false,
        })
    }

    fn named(first: &[&[u8]], names: &[String]) -> Result<Columns, Fault> {
        let find = |words: &[&str]| {
            let mut places = (0..names.len()).filter(|place| words.contains(&names[*place].as_str()));
            match (places.next(), places.next()) {
                (Some(one), Some(other)) => Err(Fault::new(
                    format!(
                        "{} and {} name the same thing",
                        quoted(first[one]),
                        quoted(first[other])
                    ),
                    "rename the one that is not meant",
                )
                .at(other)),
                (place, _) => Ok(place),
            }
        };
        let Some(key) = find(KEY)? else {
            return Err(Fault::new(
                "the header names no column with keys",
                "call it key (or id, obj_id, object_id)",
            ));
        };
        Ok(Columns {
            width: names.len(),
            key,
            size: find(SIZE)?,
            op: find(OP)?,
            time: find(TIME)?,
            header: true,
        })
    }
}

/// A column's name in lower case, with underscores between its words.
fn normal(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_lowercase().replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Columns, Fault> {
        let fields: Vec<&[u8]> = line.split(',').map(str::as_bytes).collect();
        Columns::of(&fields)
    }

    #[test]
    fn without_a_header_the_order_is_fixed() {
        let columns = of("a,1,get,0.5").unwrap();
        assert_eq!((columns.size, columns.op, columns.time), (Some(1), Some(2), Some(3)));
        assert!(!columns.has_header());
        assert!(!of("a").unwrap().has_sizes());
        assert!(of("a,1,get,0.5,x").unwrap_err().problem.contains("5 columns"));
        assert!(of("a 1 get").is_err());
        assert!(of("a;1;get").is_err());
    }

    #[test]
    fn a_header_names_columns_in_any_order() {
        let columns = of("Timestamp,Client,Obj-ID,Value Size").unwrap();
        assert_eq!(
            (columns.time, columns.key, columns.size, columns.op),
            (Some(0), 2, Some(3), None)
        );
        assert!(columns.has_header());
        assert!(of("key").unwrap().has_header());
        assert!(!of("id,100").unwrap().has_header(), "a line with a number is a record");
        assert!(of("time,size").unwrap_err().problem.contains("no column with keys"));
        assert_eq!(of("key,size,bytes").unwrap_err().column, Some(3));
    }
}
