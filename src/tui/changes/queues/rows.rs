//! The commands about queues, workers and those who publish, as a table.

use crate::observe::Kind;

/// What the settings in words say of a row: nothing, that it is so, that it is so when they don't say it, or when none begins like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Now {
    Unknown,
    Said(&'static str),
    NoneBegins(&'static str),
    NoneEnds(&'static str),
}

use Now::{NoneBegins, NoneEnds, Said, Unknown};

/// Which of the services of its kinds have a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    All,
    /// Queues that are no logs.
    Works,
    /// Queues that hold the dead letters of others.
    DeadLetters,
    /// Workers with a database for their results.
    WithDatabase,
}

/// A command with its key; `{}` is what it is about.
pub(super) struct Row {
    pub(super) kinds: &'static [Kind],
    pub(super) of: Of,
    pub(super) key: char,
    pub(super) words: &'static str,
    pub(super) detail: &'static str,
    pub(super) line: &'static str,
    pub(super) now: Now,
}

const QUEUE: &[Kind] = &[Kind::Queue];
const WORKERS: &[Kind] = &[Kind::Workers];
/// Those who may publish.
pub(super) const PUBLISHERS: &[Kind] = &[Kind::Web, Kind::Serverless];

const fn row(
    kinds: &'static [Kind],
    (key, words, detail): (char, &'static str, &'static str),
    line: &'static str,
    now: Now,
) -> Row {
    Row {
        kinds,
        of: Of::All,
        key,
        words,
        detail,
        line,
        now,
    }
}

impl Row {
    const fn only(self, of: Of) -> Row {
        Row { of, ..self }
    }
}

/// All commands. Small letters switch on, capital ones off.
pub(super) const ROWS: &[Row] = &[
    row(
        QUEUE,
        ('p', "poison", "a message that kills whoever works on it"),
        "poison {}",
        Unknown,
    ),
    row(
        QUEUE,
        ('r', "redrive", "its messages go back to where they came from"),
        "redrive {}",
        Unknown,
    )
    .only(Of::DeadLetters),
    row(
        QUEUE,
        ('f', "empty it", "all its messages are gone; asks first"),
        "flush {}",
        Unknown,
    ),
    row(
        QUEUE,
        (
            '1',
            "visible again: after 5s",
            "soon tried again; slow work is done twice",
        ),
        "set {} visibility 5s",
        Said("visible again after 5s"),
    ),
    row(
        QUEUE,
        (
            '2',
            "visible again: after 30s",
            "what a dead worker held waits half a minute",
        ),
        "set {} visibility 30s",
        Said("visible again after 30s"),
    ),
    row(
        QUEUE,
        ('3', "visible again: after 5m", "slow work is not done twice"),
        "set {} visibility 5m",
        Said("visible again after 5m"),
    ),
    row(
        QUEUE,
        ('a', "attempts: 5", "then it is dead"),
        "set {} attempts 5",
        Said("5 attempts"),
    ),
    row(
        QUEUE,
        ('s', "attempts: 1", "what fails once is dead"),
        "set {} attempts 1",
        Said("1 attempts"),
    ),
    row(
        QUEUE,
        ('A', "attempts: no limit", "what always fails is tried for ever"),
        "set {} attempts off",
        NoneEnds(" attempts"),
    ),
    row(
        QUEUE,
        ('w', "delay: 5s", "a new message waits before it is handed out"),
        "set {} delay 5s",
        Said("delayed by 5s"),
    ),
    row(
        QUEUE,
        ('W', "delay: off", "handed out as soon as somebody asks"),
        "set {} delay off",
        NoneBegins("delayed by "),
    ),
    row(
        QUEUE,
        ('t', "kept: for 1m", "what is not done by then is gone"),
        "set {} retention 1m",
        Said("kept for 1m"),
    ),
    row(
        QUEUE,
        ('h', "kept: for 1h", "workers may be away for an hour"),
        "set {} retention 1h",
        Said("kept for 1h"),
    ),
    row(
        QUEUE,
        ('T', "kept: until done", "however long that takes"),
        "set {} retention off",
        NoneBegins("kept for "),
    )
    .only(Of::Works),
    row(
        WORKERS,
        ('o', "deliver: at most once", "what a dead worker held is lost"),
        "set {} delivery at-most-once",
        Said("at most once"),
    ),
    row(
        WORKERS,
        (
            'l',
            "deliver: at least once",
            "what is handed out again may be done twice",
        ),
        "set {} delivery at-least-once",
        Said("at least once"),
    ),
    row(
        WORKERS,
        (
            'e',
            "deliver: effectively once",
            "the database knows what was done before",
        ),
        "set {} delivery effectively-once",
        Said("effectively once"),
    )
    .only(Of::WithDatabase),
    row(
        WORKERS,
        ('f', "fails: 5%", "attempts that fail, and are made again"),
        "set {} fails 5%",
        Unknown,
    ),
    row(
        WORKERS,
        ('x', "fails: 50%", "half of all attempts fail"),
        "set {} fails 50%",
        Unknown,
    ),
    row(
        WORKERS,
        ('F', "fails: off", "all goes well"),
        "set {} fails off",
        Unknown,
    ),
    row(
        PUBLISHERS,
        ('c', "confirm: on", "users wait until the queue has their upload"),
        "set {} confirm on",
        Said("confirmed"),
    ),
    row(
        PUBLISHERS,
        ('C', "confirm: off", "fast; what does not arrive is lost"),
        "set {} confirm off",
        Said("unconfirmed"),
    ),
    row(
        PUBLISHERS,
        ('r', "else: refuse", "the user is told that it failed"),
        "set {} fallback refuse",
        Said("else refused"),
    ),
    row(
        PUBLISHERS,
        ('z', "else: drop", "the user is told that all is well"),
        "set {} fallback drop",
        Said("else dropped"),
    ),
    row(
        PUBLISHERS,
        ('h', "else: block for 5s", "the user waits, and a slot is held"),
        "set {} fallback block:5s",
        Said("else blocked up to 5s"),
    ),
    row(
        PUBLISHERS,
        ('o', "else: outbox of 1,000", "sent later, unless the server dies"),
        "set {} fallback outbox:1000",
        Said("else in an outbox of 1000"),
    ),
];
