//! A line taken apart into its fields.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::error::Fault;

/// The most columns of a line.
const MOST_COLUMNS: usize = 64;

/// Takes lines apart as RFC 4180 says: fields between separators, in quotation marks where they hold one. No field goes over several lines.
pub(super) struct Row {
    parser: csv_core::Reader,
    separator: u8,
    text: Vec<u8>,
    ends: [usize; MOST_COLUMNS],
    width: usize,
}

impl Row {
    /// For the file whose first line this is: separated by commas, or by tabs if it has tabs and no commas.
    pub(super) fn for_file(first: &[u8]) -> Row {
        let has_tabs = first.contains(&b'\t') && !first.contains(&b',');
        let separator = if has_tabs { b'\t' } else { b',' };
        Row {
            parser: ReaderBuilder::new().delimiter(separator).build(),
            separator,
            text: Vec::new(),
            ends: [0; MOST_COLUMNS],
            width: 0,
        }
    }

    /// What separates columns.
    pub(super) fn separator(&self) -> &'static str {
        if self.separator == b'\t' { "tabs" } else { "commas" }
    }

    /// Takes a line apart, which has no line break.
    pub(super) fn split(&mut self, line: &[u8]) -> Result<(), Fault> {
        // The parser wants room for more even when nothing comes.
        self.text.resize(line.len() + 2, 0);
        self.parser.reset();
        let (result, read, written, mut ended) = self.parser.read_record(line, &mut self.text, &mut self.ends);
        let result = match result {
            // All of the line has been read: the break ends its last field.
            ReadRecordResult::InputEmpty if read == line.len() => {
                let (text, ends) = (&mut self.text[written..], &mut self.ends[ended..]);
                let (result, _, _, more) = self.parser.read_record(b"\n", text, ends);
                ended += more;
                result
            }
            result => result,
        };
        self.width = ended;
        match result {
            ReadRecordResult::Record if read == line.len() => Ok(()),
            ReadRecordResult::Record => Err(Fault::new(
                "a carriage return stands within the line",
                "end lines with a line feed, with or without a carriage return before it",
            )),
            ReadRecordResult::OutputEndsFull => Err(Fault::new(
                format!("more than {MOST_COLUMNS} columns"),
                "keep those that are meant: key,size,op,time",
            )),
            _ => Err(Fault::new(
                "a quotation mark is never closed",
                "close it on the same line; a mark within quoted text is written twice",
            )),
        }
    }

    /// How many fields the line has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// A field, from 0, without blanks around it.
    pub(super) fn field(&self, place: usize) -> &[u8] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        self.text[start..self.ends[place]].trim_ascii()
    }

    /// All fields.
    pub(super) fn fields(&self) -> Vec<&[u8]> {
        (0..self.width).map(|place| self.field(place)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, String> {
        let mut row = Row::for_file(line.as_bytes());
        row.split(line.as_bytes()).map_err(|fault| fault.problem)?;
        let fields = row.fields().into_iter();
        Ok(fields
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect())
    }

    #[test]
    fn lines_come_apart() {
        assert_eq!(split("a,1,get").unwrap(), ["a", "1", "get"]);
        assert_eq!(split("a\t1\tget").unwrap(), ["a", "1", "get"]);
        assert_eq!(split("a , 1").unwrap(), ["a", "1"]);
        assert_eq!(split("\"a,\"\"b\"\"\",1").unwrap(), ["a,\"b\"", "1"]);
        assert_eq!(split("\"a\"").unwrap(), ["a"]);
        assert_eq!(split("it\"s,1").unwrap(), ["it\"s", "1"]);
        assert_eq!(split("a,").unwrap(), ["a", ""]);
        assert_eq!(split(",").unwrap(), ["", ""]);
        assert!(split("\"a,1").unwrap_err().contains("never closed"));
        assert!(split("a\rb").unwrap_err().contains("carriage return"));
        assert_eq!(split(&",".repeat(63)).unwrap().len(), 64);
        assert!(split(&",".repeat(64)).unwrap_err().contains("more than 64 columns"));
    }
}
