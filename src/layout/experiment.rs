//! Experiments that a layout offers: what to do to it, what to predict, and what is told afterwards.

use std::time::Duration;

use super::expect::Expectation;

/// Something to try.
///
/// In a layout: `(title: "Kill a web server", do: ["kill web/1"], for: "30s", ask: Failed, shows: "failed > 0", why: "The balancer cannot know
/// until three checks fail.")`. A layout has at most 9, with titles that are unlike each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// What it is, from 1 to 60 columns. Any text: show it through [`printable`](super::printable).
    pub title: String,
    /// What is done, all at one moment: from 1 to 9 commands. In the file `do`.
    pub acts: Vec<Typed>,
    /// How long it is watched, from 1 s to 10 minutes of simulated time. In the file `for`. Default 30 s.
    pub watch: Duration,
    /// What the person is asked to predict. Default nothing.
    pub ask: Option<Ask>,
    /// What is so at the end of the watch, if it began 15 s after the start of the run with nothing done before. Nobody waits for it: it is for tests.
    pub shows: Option<Expectation>,
    /// Why it comes as it does, in at most 400 characters; told afterwards. Any text: show it through [`printable`](super::printable).
    /// Default empty.
    pub why: String,
}

/// A command as one would type it, and where it stands. What it says is read by [`experiments`](crate::command::experiments).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The text.
    pub text: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// What is predicted of an experiment: what comes of it while it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub enum Ask {
    /// Requests that users see fail.
    Failed,
    /// Requests that are tried again, whatever comes of it.
    Retried,
    /// Acknowledged writes that no disk holds any more.
    LostWrites,
    /// Times that a user who was signed in is found not to be any more.
    LostSessions,
    /// Time until somebody in the system notices.
    Noticed,
    /// Time until users are served as before.
    Served,
    /// 99th percentile of latency over the last 10 s of the watch.
    P99,
}
