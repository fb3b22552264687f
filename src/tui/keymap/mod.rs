//! What each key does: one table. The footer, the help page and the README's list of keys are made from it. What a person has bound otherwise is
//! laid over it by [`Keymap`].

mod bound;
mod names;

use std::fmt::Write;

pub use bound::{Bound, Keymap, Misbound};
pub use names::{act, verb, verbs};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Moves the selection left.
    Left,
    /// Moves the selection down.
    Down,
    /// Moves the selection up.
    Up,
    /// Moves the selection right.
    Right,
    /// To the first.
    First,
    /// To the last.
    Last,
    /// A page up in what is longer than its panel.
    PageUp,
    /// A page down.
    PageDown,
    /// Goes in: from a data center to a service, to an instance, to its inspector.
    Enter,
    /// Goes out again.
    Back,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// The pane of this number; again: alone on the screen.
    Pane(u8),
    /// Crashes the selection.
    Kill,
    /// Destroys the selection with its disks.
    Destroy,
    /// Repairs the selection.
    Mend,
    /// Repairs everything.
    MendAll,
    /// Opens the menu of faults.
    Faults,
    /// One machine more.
    More,
    /// One machine fewer.
    Fewer,
    /// Twice the traffic.
    Surge,
    /// Half the traffic.
    Calm,
    /// Makes the selection forget all copies that it keeps, or all messages.
    Flush,
    /// Opens the menu of changes.
    Edit,
    /// Opens and closes the inspector.
    Inspect,
    /// Stops time and lets it pass again.
    Pause,
    /// Runs to the next milestone, or to the next command or chapter that is known.
    NextMilestone,
    /// Goes back to the last command, mark or milestone.
    LastMilestone,
    /// Goes back to just before the last command.
    Rewind,
    /// Returns to where one came from.
    Return,
    /// A little back in time.
    Earlier,
    /// A little on in time, as far as it is known.
    Later,
    /// Opens the list of branches.
    Branches,
    /// Asks for the name of a chapter that begins here.
    Mark,
    /// Slower.
    Slower,
    /// Marks the selection; of two marks the link is chosen.
    Pick,
    /// Another choice of panes.
    Preset,
    /// Follows a request, slowly, hop by hop.
    Watch,
    /// Looks ahead at what a kill of the selection would do.
    Preview,
    /// The next lens.
    Lens,
    /// The lens before.
    LensBack,
    /// What breaks when each thing fails.
    Blast,
    /// Opens the list of experiments.
    Try,
    /// Faster.
    Faster,
    /// Opens the list of everything that can be done.
    Palette,
    /// Opens the command line.
    Command,
    /// Opens the choice of layouts.
    Open,
    /// Opens the search.
    Find,
    /// The next that was found.
    FindNext,
    /// The one before that was found.
    FindPrevious,
    /// Opens the help page.
    Help,
    /// Ends the program.
    Quit,
    /// Stops the program until the shell continues it.
    Suspend,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys, as they are written: the first one is shown in the footer.
    pub keys: &'static [&'static str],
    /// What the first key does; the others do what follows it in `actions`.
    pub actions: &'static [Action],
    /// The verb, for the footer.
    pub verb: &'static str,
    /// What it does, for the help page.
    pub help: &'static str,
    /// Where it stands in the footer, from 1; 0 is nowhere.
    pub footer: u8,
}

const fn row(
    keys: &'static [&'static str],
    actions: &'static [Action],
    verb: &'static str,
    help: &'static str,
    footer: u8,
) -> Binding {
    Binding {
        keys,
        actions,
        verb,
        help,
        footer,
    }
}

use Action as A;

/// All keys. Where a row has several keys and as many actions, they go in pairs.
pub const KEYMAP: &[Binding] = &[
    row(
        &["x"],
        &[A::Kill],
        "kill",
        "crash the selection: a machine, a service, a data center",
        1,
    ),
    row(
        &["X"],
        &[A::Destroy],
        "destroy",
        "destroy the selection, disks too; asks first",
        0,
    ),
    row(&["r"], &[A::Mend], "mend", "repair the selection", 2),
    row(
        &["R"],
        &[A::MendAll],
        "mend all",
        "repair everything, links and traffic too",
        0,
    ),
    row(
        &["f"],
        &[A::Faults],
        "faults",
        "every other fault that fits the selection; ff repeats the last",
        3,
    ),
    row(
        &["+", "=", "-"],
        &[A::More, A::More, A::Fewer],
        "machines",
        "a machine more, a machine fewer; a replica more for a database",
        7,
    ),
    row(
        &["t", "T"],
        &[A::Surge, A::Calm],
        "traffic",
        "traffic times two, halved",
        8,
    ),
    row(
        &["e"],
        &[A::Edit],
        "edit",
        "change the selection while it runs: size, machines, balancing",
        9,
    ),
    row(
        &["F"],
        &[A::Flush],
        "flush",
        "flush the selection: a cache, a CDN or browsers forget all copies; a queue is emptied, if you say so",
        0,
    ),
    row(
        &["i"],
        &[A::Inspect],
        "inspect",
        "all that is known of the selection, and what it is",
        10,
    ),
    row(&["space"], &[A::Pause], "pause", "stop time, let it pass", 5),
    row(
        &[".", ","],
        &[A::NextMilestone, A::LastMilestone],
        "next",
        "run on to the next milestone of the newest incident, the next known command or chapter; back to the last",
        4,
    ),
    row(
        &["z", "Z", "backspace"],
        &[A::Rewind, A::Return, A::Rewind],
        "rewind",
        "go back to just before your last act; return to where you came from",
        12,
    ),
    row(
        &["shift-left", "shift-right"],
        &[A::Earlier, A::Later],
        "scrub",
        "5 s back and forth through what is known",
        0,
    ),
    row(
        &["b"],
        &[A::Branches],
        "branches",
        "the histories of this run: go to another, compare two, begin one here",
        0,
    ),
    row(
        &["B"],
        &[A::Blast],
        "blast",
        "let everything fail in turn, in the background: the worst first; enter plays one",
        0,
    ),
    row(
        &["E"],
        &[A::Try],
        "try",
        "what this layout offers to try: say what will happen, see what does",
        14,
    ),
    row(
        &["w"],
        &[A::Watch],
        "watch",
        "follow the next request that comes by the selection, hop by hop; in the causes one that fails, in the latencies a slow one",
        6,
    ),
    row(
        &["P"],
        &[A::Preview],
        "preview",
        "look 30 s ahead in another world: what a kill of the selection would do; y does it then",
        0,
    ),
    row(
        &["c", "C"],
        &[A::Lens, A::LensBack],
        "colour",
        "colour the map by health, load, latency, errors, hit ratio, lag or cost: the next, the one before",
        13,
    ),
    row(
        &["v"],
        &[A::Pick],
        "link",
        "mark the selection; v on another thing opens what can be done to the link between the two",
        0,
    ),
    row(
        &["p"],
        &[A::Preset],
        "preset",
        "which panes have the screen: everything, the map, or all panels without the map",
        0,
    ),
    row(&["m"], &[A::Mark], "mark", "begin a chapter here", 0),
    row(
        &["<", ">", "[", "]"],
        &[A::Slower, A::Faster, A::Slower, A::Faster],
        "speed",
        "slower, faster",
        11,
    ),
    row(
        &["left", "down", "up", "right", "h", "j", "k", "l"],
        &[A::Left, A::Down, A::Up, A::Right, A::Left, A::Down, A::Up, A::Right],
        "move",
        "move the selection, or scroll the list in focus",
        0,
    ),
    row(
        &["g", "G", "home", "end"],
        &[A::First, A::Last, A::First, A::Last],
        "ends",
        "to the first, to the last",
        0,
    ),
    row(
        &["page-up", "page-down"],
        &[A::PageUp, A::PageDown],
        "pages",
        "a page up and down: machines of a service, the request that is followed, else events",
        0,
    ),
    row(
        &["enter", "esc"],
        &[A::Enter, A::Back],
        "in, out",
        "go in: data center, service, machine, inspector; go out, or call off a way through the past",
        0,
    ),
    row(
        &["tab", "backtab"],
        &[A::NextPane, A::PreviousPane],
        "pane",
        "next pane, previous pane",
        0,
    ),
    row(
        &["1", "2", "3", "4", "5", "6", "7", "8"],
        &[
            A::Pane(1),
            A::Pane(2),
            A::Pane(3),
            A::Pane(4),
            A::Pane(5),
            A::Pane(6),
            A::Pane(7),
            A::Pane(8),
        ],
        "panes",
        "focus that pane; again: the pane alone",
        0,
    ),
    row(&["/"], &[A::Find], "find", "find a machine or a service by its name", 0),
    row(
        &["n", "N"],
        &[A::FindNext, A::FindPrevious],
        "again",
        "next and previous that was found",
        0,
    ),
    row(
        &[":"],
        &[A::Command],
        "command",
        "type a command: kill web/1, slow db 10, w FILE, goto 40s; tab completes",
        15,
    ),
    row(
        &["ctrl-p"],
        &[A::Palette],
        "palette",
        "everything that can be done: type a part of its name, or of what it does",
        0,
    ),
    row(&["o"], &[A::Open], "open", "open another layout", 16),
    row(&["?"], &[A::Help], "keys", "this page", 17),
    row(&["q", "ctrl-c"], &[A::Quit, A::Quit], "quit", "end", 18),
    row(
        &["ctrl-z"],
        &[A::Suspend],
        "suspend",
        "back to the shell; fg returns",
        0,
    ),
];

impl Binding {
    /// The keys in a few characters: `x`, `+ -`, `arrows hjkl`.
    fn label(&self) -> String {
        match self.keys {
            ["left", ..] => "arrows hjkl".to_string(),
            ["+", ..] => "+ -".to_string(),
            ["1", .., last] => format!("1-{last}"),
            ["g", "G", ..] => "g G".to_string(),
            ["<", ">", ..] => "< > [ ]".to_string(),
            keys => written(keys),
        }
    }

    /// The keys for the footer, where room is scarce.
    fn short_label(&self) -> String {
        match self.keys {
            ["<", ..] => "< >".to_string(),
            [first @ ("q" | "." | "z"), ..] => (*first).to_string(),
            _ => self.label(),
        }
    }

    /// What each key does.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, Action)> + use<> {
        self.keys.iter().copied().zip(self.actions.iter().copied())
    }
}

/// Keys as people read them.
fn written<K: AsRef<str>>(keys: &[K]) -> String {
    let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
    keys.join(" ").replace("backtab", "shift-tab")
}

/// The list of keys for the README.
pub fn markdown() -> String {
    let mut page = String::from("| key | does |\n|---|---|\n");
    for binding in KEYMAP {
        let keys: Vec<String> = binding.label().split(' ').map(|key| format!("`{key}`")).collect();
        let _ = writeln!(page, "| {} | {} |", keys.join(" "), binding.help);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_has_two_meanings() {
        let mut seen = BTreeSet::new();
        for binding in KEYMAP {
            for key in binding.keys {
                assert!(seen.insert(*key), "{key} is bound twice");
            }
            let pairs = binding.actions.len() == binding.keys.len();
            assert!(pairs, "{:?}: as many keys as actions", binding.keys);
        }
    }

    #[test]
    fn the_footer_has_an_order_without_ties() {
        let mut order: Vec<u8> = KEYMAP.iter().map(|binding| binding.footer).collect();
        order.retain(|place| *place > 0);
        order.sort_unstable();
        assert_eq!(order, (1..=order.len() as u8).collect::<Vec<_>>());
    }
}
