//! Records of a trace, one at a time.

use std::path::Path;

use super::columns::Columns;
use super::error::{Fault, TraceError, quoted};
use super::fields::{self, Op, mix};
use super::lines::Lines;
use super::row::Row;

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Hash of the key.
    pub key: u64,
    /// Size of the value in bytes, if the trace has sizes; a delete may leave it out.
    pub bytes: Option<u32>,
    /// What is done, if the trace says so.
    pub op: Option<Op>,
    /// When, in nanoseconds since any moment, if the trace has times. Never goes back.
    pub at_nanos: Option<u64>,
}

impl Record {
    /// What is done: a read where the trace does not say.
    pub fn op(&self) -> Op {
        self.op.unwrap_or(Op::Read)
    }

    /// The digest of all records up to and with this one, from that of those before.
    pub fn digest(&self, before: u64) -> u64 {
        let bytes = self.bytes.map_or(0, |bytes| u64::from(bytes) + 1);
        let op = self.op.map_or(0, |op| op as u64 + 1);
        let rest = mix((bytes << 2) | op).wrapping_add(self.at_nanos.unwrap_or(u64::MAX));
        mix(mix(before ^ self.key).wrapping_add(rest))
    }
}

/// Reads a trace as a stream.
pub struct Reader {
    lines: Lines,
    row: Row,
    columns: Columns,
    /// The first record, read to find out what the columns are.
    first: Option<Record>,
    before_nanos: u64,
}

impl Reader {
    /// Opens a file and reads its first record.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be read, or it has no records, or the first is malformed.
    pub fn open(file: &Path) -> Result<Reader, TraceError> {
        let mut lines = Lines::open(file)?;
        if !lines.advance()? {
            return Err(empty(file));
        }
        let mut row = Row::for_file(lines.line());
        let on = |fault: Fault, lines: &Lines| fault.on(file, lines.number());
        row.split(lines.line()).map_err(|fault| on(fault, &lines))?;
        let columns = Columns::of(&row.fields()).map_err(|fault| on(fault, &lines))?;
        if columns.header {
            if !lines.advance()? {
                return Err(empty(file));
            }
            row.split(lines.line()).map_err(|fault| on(fault, &lines))?;
        }
        let mut reader = Reader {
            lines,
            row,
            columns,
            first: None,
            before_nanos: 0,
        };
        reader.first = Some(reader.record()?);
        Ok(reader)
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read, or its next line is malformed.
    pub fn read(&mut self) -> Result<Option<Record>, TraceError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if !self.lines.advance()? {
            return Ok(None);
        }
        if let Err(fault) = self.row.split(self.lines.line()) {
            return Err(fault.on(self.lines.file(), self.lines.number()));
        }
        self.record().map(Some)
    }

    /// What the columns are.
    pub fn columns(&self) -> Columns {
        self.columns
    }

    /// The line of the record that was read last, from 1.
    pub fn line(&self) -> u64 {
        self.lines.number()
    }

    /// Bytes of the file that have been read so far, packed if it is: how far along it is.
    pub fn taken(&self) -> u64 {
        self.lines.taken()
    }

    /// The record of the row that was taken apart last.
    fn record(&mut self) -> Result<Record, TraceError> {
        match self.parse() {
            Ok(record) => {
                self.before_nanos = record.at_nanos.unwrap_or_default();
                Ok(record)
            }
            Err(fault) => Err(fault.on(self.lines.file(), self.lines.number())),
        }
    }

    fn parse(&self) -> Result<Record, Fault> {
        let columns = &self.columns;
        if self.row.width() != columns.width {
            return Err(self.wrong_width());
        }
        let field = |place: usize| self.row.field(place);
        let key = fields::key(field(columns.key)).map_err(|fault| fault.at(columns.key))?;
        let op = match columns.op {
            Some(place) => Some(fields::op(field(place)).map_err(|fault| fault.at(place))?),
            None => None,
        };
        let bytes = match columns.size {
            Some(place) if op == Some(Op::Delete) && field(place).is_empty() => None,
            Some(place) => Some(fields::size(field(place)).map_err(|fault| fault.at(place))?),
            None => None,
        };
        let at_nanos = match columns.time {
            Some(place) => Some(self.time(place).map_err(|fault| fault.at(place))?),
            None => None,
        };
        Ok(Record {
            key,
            bytes,
            op,
            at_nanos,
        })
    }

    fn time(&self, place: usize) -> Result<u64, Fault> {
        let text = self.row.field(place);
        let nanos = fields::time(text)?;
        if nanos < self.before_nanos {
            let before = self.before_nanos as f64 / 1e9;
            return Err(Fault::new(
                format!("the time {} is before that of the record above, {before}", quoted(text)),
                "sort the trace by time",
            ));
        }
        Ok(nanos)
    }

    fn wrong_width(&self) -> Fault {
        let columns = |number: usize| {
            if number == 1 {
                "1 column".to_string()
            } else {
                format!("{number} columns")
            }
        };
        Fault::new(
            format!(
                "{} where the first line has {}",
                columns(self.row.width()),
                columns(self.columns.width)
            ),
            format!(
                "columns are separated by {}; put keys that hold them in quotation marks",
                self.row.separator()
            ),
        )
    }
}

fn empty(file: &Path) -> TraceError {
    TraceError::of(
        file,
        "it holds no records",
        "a trace has one record a line: key,size,op,time, the last three as you like",
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A file of a test's own, gone when the test ends.
    pub(in crate::trace) struct Scratch(PathBuf);

    impl Scratch {
        pub(in crate::trace) fn new(content: impl AsRef<[u8]>) -> Scratch {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("blastradius-trace-{}-{number}", std::process::id());
            let scratch = Scratch(std::env::temp_dir().join(name));
            scratch.write(content);
            scratch
        }

        pub(in crate::trace) fn write(&self, content: impl AsRef<[u8]>) {
            fs::write(&self.0, content).expect("a file for the test");
        }

        pub(in crate::trace) fn remove(&self) {
            fs::remove_file(&self.0).expect("the test's file");
        }

        pub(in crate::trace) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn all(content: impl AsRef<[u8]>) -> Result<Vec<Record>, TraceError> {
        let file = Scratch::new(content);
        let mut reader = Reader::open(file.path())?;
        let mut records = Vec::new();
        while let Some(record) = reader.read()? {
            records.push(record);
        }
        Ok(records)
    }

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// The line, the column and the problem of what must be refused.
    fn refused(content: impl AsRef<[u8]>) -> (Option<u64>, Option<usize>, String) {
        let error = all(content).unwrap_err();
        (error.line, error.column, error.problem)
    }

    #[test]
    fn all_forms_of_a_trace_say_the_same() {
        let plain = all("a,1,get,0\nb,2,set,1.5\n").unwrap();
        assert_eq!(plain.len(), 2);
        assert_eq!(plain[1].bytes, Some(2));
        assert_eq!(plain[1].op(), Op::Write);
        assert_eq!(plain[1].at_nanos, Some(1_500_000_000));
        for same in [
            "a,1,get,0\r\nb,2,set,1.5\r\n",
            "a,1,get,0\nb,2,set,1.5",
            "\u{feff}a,1,get,0\nb,2,set,1.5\n",
            "# a comment\n\n a , 1 , GET , 0.0 \n  \n#b\n\"b\",2,set,1.50\n\n",
            "a\t1\tget\t0\nb\t2\tset\t1.5\n",
            "time,op,ignored,key,size\n0,get,x,a,1\n1.5,set,y,b,2\n",
        ] {
            assert_eq!(all(same).unwrap(), plain, "{same:?}");
            assert_eq!(all(packed(same.as_bytes())).unwrap(), plain, "{same:?} in gzip");
        }
        let members = [packed(b"a,1,get,0\nb,2,s"), packed(b"et,1.5\n")].concat();
        assert_eq!(all(members).unwrap(), plain);
    }

    #[test]
    fn what_is_malformed_is_refused_with_its_place() {
        let place = |content: &str, line: u64, column: Option<usize>, word: &str| {
            let (found_line, found_column, problem) = refused(content);
            assert_eq!(
                (found_line, found_column),
                (Some(line), column),
                "{content:?}: {problem}"
            );
            assert!(problem.contains(word), "{content:?}: {problem}");
        };
        place("a,1\n\n# x\nb,y\n", 4, Some(2), "`y`");
        place("a,1\nb\n", 2, None, "1 column where the first line has 2");
        place("a\nb,1\n", 2, None, "2 columns where the first line has 1 column");
        place("a,1\n,1\n", 2, Some(1), "key is empty");
        place("a,1,get\nb,1,got\n", 2, Some(3), "`got`");
        place("a,1,get\nb,,get\n", 2, Some(2), "whole number");
        place(
            "a,1,get,5\nb,1,get,4.9\n",
            2,
            Some(4),
            "before that of the record above, 5",
        );
        place("a\nb\0\n", 2, None, "UTF-8");
        place("a\n\"b\n", 2, None, "never closed");
        place("key,size\na,1,2\n", 2, None, "3 columns");
        assert_eq!(refused(b"a\n\xff\xfe\n").0, Some(2));
        assert_eq!(
            refused(vec![b'x'; 100 << 20]),
            (Some(1), None, "the line is longer than 64 KiB".to_string())
        );
    }

    #[test]
    fn empty_files_are_refused() {
        for content in ["", "\n\n", "# only a comment\n", "key,size\n", "\u{feff}"] {
            assert!(refused(content).2.contains("no records"), "{content:?}");
        }
        assert!(refused(packed(b"")).2.contains("no records"));
    }

    #[test]
    fn broken_gzip_is_refused() {
        let lines: Vec<String> = (0..50_000)
            .map(|number| format!("key{}\n", number * 7919 % 10_007))
            .collect();
        let text = lines.concat();
        let whole = packed(text.as_bytes());
        assert_eq!(all(&whole).unwrap().len(), 50_000);
        for cut in [3, 12, whole.len() / 2, whole.len() - 1] {
            let (line, _, problem) = refused(&whole[..cut]);
            assert!(problem.contains("end too early"), "{cut}: {problem}");
            assert!(line.is_some());
        }
        let mut damaged = whole.clone();
        let end = damaged.len();
        damaged[end - 6] ^= 1;
        assert!(refused(&damaged).2.contains("damaged"));
        assert!(refused([whole, b"trailing".to_vec()].concat()).2.contains("gzip"));
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        let problem = |file: &str| Reader::open(Path::new(file)).err().unwrap().to_string();
        assert!(problem("-").contains("stdin"));
        assert!(problem(".").contains("folder"));
        assert!(problem("/no/such/file").contains("no such file"));
        assert!(refused(b"\x28\xb5\x2f\xfd1234").2.contains("zstd"));
        assert!(refused(b"PK\x03\x04abc").2.contains("ZIP"));
        assert!(refused(b"\xff\xfea\0").2.contains("UTF-16"));
    }

    #[test]
    fn a_line_of_the_greatest_length_is_read() {
        let comment = format!("#{}\r\na\n", "x".repeat((64 << 10) - 1));
        assert_eq!(all(comment).unwrap().len(), 1);
    }
}
