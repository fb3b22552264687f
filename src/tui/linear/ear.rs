//! Lines from standard input, read on a thread of their own, for a read may take for ever.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::Instant;

/// Lines that wait to be heard; whoever writes more of them waits.
const WAITING: usize = 256;
/// The longest line, in bytes. What is longer is cut.
const LONGEST: usize = 4_096;

/// What is heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A line, and when it was read.
    Line(String, Instant),
    /// Nothing, so far.
    Nothing,
    /// The input has ended.
    Closed,
}

/// Lines as they come.
pub(super) struct Ear {
    lines: Receiver<(String, Instant)>,
    closed: bool,
}

impl Ear {
    /// Listens to standard input from now on.
    pub(super) fn open() -> io::Result<Ear> {
        Ear::on(|| io::stdin().lock())
    }

    fn on<R: BufRead>(open: impl FnOnce() -> R + Send + 'static) -> io::Result<Ear> {
        let (sender, lines) = sync_channel(WAITING);
        thread::Builder::new().name("input".to_owned()).spawn(move || {
            let mut input = open();
            while let Ok(Some(line)) = read(&mut input) {
                if sender.send((line, Instant::now())).is_err() {
                    return;
                }
            }
        })?;
        Ok(Ear { lines, closed: false })
    }

    /// The next line.
    pub(super) fn hear(&mut self) -> Heard {
        match self.lines.try_recv() {
            Ok((line, read)) => Heard::Line(line, read),
            Err(TryRecvError::Empty) => Heard::Nothing,
            Err(TryRecvError::Disconnected) => {
                self.closed = true;
                Heard::Closed
            }
        }
    }

    /// Whether the end of the input was heard.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// A line without its end, cut where it is too long; nothing at the end of the input.
fn read(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line: Vec<u8> = Vec::new();
    let mut any = false;
    loop {
        let piece = match input.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if piece.is_empty() {
            break;
        }
        any = true;
        let end = piece.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(piece.len());
        let room = LONGEST - line.len();
        line.extend_from_slice(&piece[..taken.min(room)]);
        input.consume(end.map_or(taken, |end| end + 1));
        if end.is_some() {
            break;
        }
    }
    let text = String::from_utf8_lossy(&line);
    Ok(any.then(|| text.trim_end_matches('\r').to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &'static [u8]) -> Vec<String> {
        let mut input = io::BufReader::with_capacity(7, input);
        std::iter::from_fn(|| read(&mut input).expect("it can be read")).collect()
    }

    #[test]
    fn lines_are_read_whatever_ends_them() {
        assert_eq!(lines(b"kill web/1\r\n\nstatus"), ["kill web/1", "", "status"]);
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(b"\xff\n"), ["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let long: &'static [u8] = Box::leak(vec![b'x'; 1 << 20].into_boxed_slice());
        assert_eq!(lines(long)[0].len(), LONGEST);
    }

    #[test]
    fn the_end_is_heard_after_all_lines() {
        let mut ear = Ear::on(|| &b"a\nb"[..]).expect("a thread");
        let mut heard = Vec::new();
        loop {
            match ear.hear() {
                Heard::Line(line, _) => heard.push(line),
                Heard::Nothing => thread::yield_now(),
                Heard::Closed => break,
            }
        }
        assert_eq!(heard, ["a", "b"]);
        assert!(ear.is_closed());
    }
}
