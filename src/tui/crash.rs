//! A panic on another thread than that of the screen: kept until the terminal can show it.

use std::io::{self, Write};
use std::panic;
use std::sync::{Mutex, PoisonError};

use super::engine::Engine;
use super::terminal;

static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what a panic said until the terminal can show it.
pub(super) fn remember_panic(words: &str) {
    PANIC
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_with(|| words.to_string());
}

/// What a panic on another thread said, once.
pub(super) fn take_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The simulation's thread has panicked: gives the terminal back, says where, and goes on with the panic.
pub(super) fn crash(engine: Engine, seed: u64) -> io::Error {
    let (reached, file) = (engine.reached(), engine.file());
    terminal::give_back();
    // Whether anybody reads it is not ours to know.
    let mut err = io::stderr().lock();
    let _ = writeln!(
        err,
        "blastradius: the simulation panicked with seed {seed} at {reached}. This is a bug of ours."
    );
    if let Some(file) = file {
        let _ = writeln!(err, "the run until then: {}", file.display());
    }
    if let Some(words) = take_panic() {
        let _ = writeln!(err, "{words}");
    }
    drop(err);
    match engine.end() {
        Err(payload) => panic::resume_unwind(payload),
        Ok(_) => io::Error::other("the simulation ended by itself"),
    }
}
