//! The command line, one file a subcommand.
//!
//! Exit codes: 0, 1 when a run did not pass or a replay differs, 2 for usage, bad files, and results that cannot be written.
//! Results go to stdout, everything about them to stderr.

mod bench;
mod blast;
mod cache;
mod capacity;
mod cast;
mod check;
mod completions;
mod config;
mod demo;
mod diff;
mod drive;
mod faults;
mod files;
mod format;
mod kept;
mod layouts;
mod look;
mod man;
mod number;
mod output;
mod play;
mod replay;
mod run;
mod search;
mod traces;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};

use crate::layout;
use crate::replay::{LENGTHS, LONGEST};
use crate::report::quoted;

/// The layout that a person sees who names none.
const DEFAULT_LAYOUT: &str = "13-two-data-centers";

/// The seed of a person who names none.
const DEFAULT_SEED: u64 = 7;

/// How alike two names must be to be taken for a slip of the finger, from 0 to 1.
const ALIKE: f64 = 0.6;

/// The version, with the commit where the build was told one.
static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("BLASTRADIUS_COMMIT") {
    Some(commit) if !commit.is_empty() => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
    _ => env!("CARGO_PKG_VERSION").to_string(),
});

const EXAMPLES: &str = "\
Examples:
  blastradius                            play the default layout
  blastradius layouts                    what else there is
  blastradius faults                     what can go wrong
  blastradius play 01 --seed 42          play a shipped layout
  blastradius my-system.ron              play a file of your own
  blastradius check my-system.ron        is the file right?
  blastradius run 04 --for 60s --script outage.ron --record outage.replay.ron
  blastradius replay outage.replay.ron --verify
  blastradius replay --list              the runs that were played here
  blastradius replay outage.replay.ron --html > report.html
  blastradius run 04 --csv > seconds.csv
  blastradius diff before.replay.ron after.replay.ron
  blastradius cast outage.replay.ron -o outage.cast --speed 4
  blastradius demo                       what there is to see, one after another, until q
  blastradius blast 04                   kill everything in turn: what breaks?
  blastradius blast my-system.ron --max-spof 0 --markdown
  blastradius capacity 04                how much traffic does it carry, and what gives first?
  blastradius capacity my-system.ron --min 2 --min-n1 1
  blastradius search 21 --expect 'always primaries(us-east/orders) <= 1'
  blastradius cache trace.csv            which eviction policy misses least?
  blastradius bench 04 13                how fast do these run here?
  blastradius play 04 --linear           in sentences, for screen readers and pipes
  blastradius config --example           what a config file may say: theme, motion, mouse, keys

Exit codes:
  0  all is well
  1  an expectation failed or was never judged, a command of the script was not done, or
     a replay differs, or two that were compared do, a search found something, or a
     system carries less than asked for
  2  usage, a bad file, or a result that cannot be written";

/// A terminal playground for distributed systems: kill a server and watch what breaks, who notices, and how it heals.
#[derive(Debug, Parser)]
#[command(name = "blastradius", version = VERSION.as_str(), after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    play: play::Arguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Play a layout in the terminal (also what happens without a subcommand).
    Play(play::Arguments),
    /// Run a layout without a screen, as fast as it goes, and report.
    Run(run::Arguments),
    /// See a recording again in the terminal, or run it without one: report, or verify that the history is the same.
    Replay(replay::Arguments),
    /// Run two recordings again: where their histories part, and what came of it.
    Diff(diff::Arguments),
    /// Show a recording as the terminal would have: an asciicast that plays, or an SVG.
    Cast(cast::Arguments),
    /// Show what happens when things break: recordings, one after another and round again, until q.
    Demo(demo::Arguments),
    /// List the layouts that come with the program.
    Layouts,
    /// Compare eviction policies over an access trace: the miss ratio of each at several sizes.
    Cache(cache::Arguments),
    /// List the faults that can be injected, or show one of them in full.
    Faults(faults::Arguments),
    /// Kill everything in turn, one by one and in pairs, and rank what breaks.
    Blast(blast::Arguments),
    /// Put together what `blast --shard` wrote on several machines.
    Merge(blast::MergeArguments),
    /// Find how much traffic a layout carries, undisturbed and with the worst single failure, and which tier gives first.
    Capacity(capacity::Arguments),
    /// Look for faults that break what a layout expects, and shrink them to the few that matter.
    Search(search::Arguments),
    /// Measure how fast layouts run and how much memory that takes.
    Bench(bench::Arguments),
    /// Check a layout, and a script for it, without running them.
    Check(check::Arguments),
    /// Print where the config file is, what is in force, and where each value comes from.
    Config(config::Arguments),
    /// Print what a shell needs to complete this command line.
    Completions(completions::Arguments),
    /// Print the page of the manual.
    Man(man::Arguments),
}

/// How an action ended that could be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// All is well.
    Well,
    /// The run did not pass, or a replay differs.
    Badly,
    /// With this exit code.
    With(u8),
}

impl Ended {
    fn well_if(well: bool) -> Ended {
        if well { Ended::Well } else { Ended::Badly }
    }

    fn code(self) -> u8 {
        match self {
            Ended::Well => 0,
            Ended::Badly => 1,
            Ended::With(code) => code,
        }
    }
}

/// Why an action could not be carried out, for the person who asked for it. Exit code 2.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Complaint(String);

/// Does what the arguments say; the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let given: Vec<OsString> = arguments.into_iter().collect();
    if let Some(complaint) = meant_alone(&given) {
        output::complain(&complaint);
        return ExitCode::from(2);
    }
    let arguments = match CommandLine::try_parse_from(&given) {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(complaint) = meant(&given).filter(|_| error.use_stderr()) {
                output::complain(&complaint);
                return ExitCode::from(2);
            }
            return explain(&error);
        }
    };
    let result = match arguments.verb {
        None => play::play(&arguments.play),
        Some(Verb::Play(arguments)) => play::play(&arguments),
        Some(Verb::Run(arguments)) => run::run(&arguments),
        Some(Verb::Replay(arguments)) => replay::replay(&arguments),
        Some(Verb::Diff(arguments)) => diff::diff(&arguments),
        Some(Verb::Cast(arguments)) => cast::cast(&arguments),
        Some(Verb::Demo(arguments)) => demo::demo(&arguments),
        Some(Verb::Layouts) => layouts::layouts(),
        Some(Verb::Cache(arguments)) => cache::cache(&arguments),
        Some(Verb::Faults(arguments)) => faults::faults(&arguments),
        Some(Verb::Blast(arguments)) => blast::blast(&arguments),
        Some(Verb::Merge(arguments)) => blast::merge(&arguments),
        Some(Verb::Capacity(arguments)) => capacity::capacity(&arguments),
        Some(Verb::Search(arguments)) => search::search(&arguments),
        Some(Verb::Bench(arguments)) => bench::bench(&arguments),
        Some(Verb::Check(arguments)) => check::check(&arguments),
        Some(Verb::Config(arguments)) => config::config(&arguments),
        Some(Verb::Completions(arguments)) => completions::completions(&arguments, CommandLine::command()),
        Some(Verb::Man(arguments)) => man::man(&arguments, CommandLine::command()),
    };
    match result {
        Ok(ended) => ExitCode::from(ended.code()),
        Err(complaint) => {
            output::complain(&complaint);
            ExitCode::from(2)
        }
    }
}

/// Prints a usage error, the help or the version.
fn explain(error: &clap::Error) -> ExitCode {
    let printed = output::written(error.print());
    if error.use_stderr() {
        // Without stderr there is nobody to tell.
        return ExitCode::from(2);
    }
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            output::complain(&complaint);
            ExitCode::from(2)
        }
    }
}

/// Reads the length of a run.
fn run_length(text: &str) -> Result<Duration, String> {
    let duration = layout::duration::parse_within(text, LENGTHS)?;
    if duration.is_zero() || duration > LONGEST {
        return Err(format!(
            "`{}` is out of range: {LENGTHS}",
            layout::printable(text.trim())
        ));
    }
    Ok(duration)
}

/// Reads how long it takes until something fails.
fn before_failure(text: &str) -> Result<Duration, String> {
    let duration = layout::duration::parse(text)?;
    if duration.is_zero() || duration > LONGEST {
        return Err(format!(
            "`{}` is out of range: what fails has to run before that, for more than 0 and at most 30 days (720h)",
            layout::printable(text.trim())
        ));
    }
    Ok(duration)
}

/// The subcommand that was meant where the first of two arguments is none, and is no option either: `plya 01`.
fn meant(arguments: &[OsString]) -> Option<Complaint> {
    let [_, verb, rest @ ..] = arguments else { return None };
    let verb = verb.to_str().filter(|verb| !verb.starts_with('-'))?;
    let commands = CommandLine::command();
    let known: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    if rest.is_empty() || known.contains(&verb) || files::is_layout(verb) {
        return None;
    }
    let Some(nearest) = nearest(verb, &known) else {
        return Some(Complaint(format!(
            "there is no subcommand {verb}, and no layout either; there are {}",
            known.join(", ")
        )));
    };
    let rest: Vec<String> = rest.iter().map(|word| quoted(&word.to_string_lossy())).collect();
    Some(Complaint(format!(
        "there is no subcommand {verb}; did you mean `blastradius {nearest} {}`?",
        rest.join(" ")
    )))
}

/// The same of a single word, which might name a layout, too.
fn meant_alone(arguments: &[OsString]) -> Option<Complaint> {
    let [_, word] = arguments else { return None };
    // A file's name is no subcommand that was mistyped.
    let word = word
        .to_str()
        .filter(|word| !word.starts_with('-') && !word.contains(['.', '/', '\\']))?;
    let commands = CommandLine::command();
    let known: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
    if word == "help" || known.contains(&word) || Path::new(word).exists() || files::is_like_a_layout(word) {
        return None;
    }
    let nearest = nearest(word, &known)?;
    Some(Complaint(format!(
        "there is no subcommand {word}, and no layout of that name either; did you mean `blastradius {nearest}`?"
    )))
}

/// The name that is most like a word, if one is like it.
fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(word, name);
    let ranked = names.iter().map(|name| (likeness(name), *name));
    let best = ranked.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_names_the_subcommand_that_was_meant() {
        let told = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            meant(&words).map(|complaint| complaint.0)
        };
        for (line, wanted) in [
            ("blastradius plya 01", "blastradius play 01"),
            ("blastradius blst 04 --pairs", "blastradius blast 04 --pairs"),
            ("blastradius rn 04", "blastradius run 04"),
            ("blastradius serach 04", "blastradius search 04"),
        ] {
            let expected = format!("did you mean `{wanted}`?");
            assert!(
                told(line).is_some_and(|told| told.ends_with(&expected)),
                "{line}: {:?}",
                told(line)
            );
        }
        let alone = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            meant_alone(&words).map(|complaint| complaint.0)
        };
        assert!(alone("blastradius plya").is_some_and(|told| told.ends_with("did you mean `blastradius play`?")));
        assert!(alone("blastradius layout").is_some_and(|told| told.ends_with("`blastradius layouts`?")));
        for fine in [
            "blastradius",
            "blastradius 04",
            "blastradius single-servr",
            "blastradius play",
            "blastradius help",
            "blastradius xyzzy",
            "blastradius --plya",
            "blastradius replay.ron",
            "blastradius ./play",
            "blastradius runs\\run",
        ] {
            assert_eq!(alone(fine), None, "{fine}");
        }
        assert!(told("blastradius xyzzy 04").is_some_and(|told| told.contains("there are play, run, replay")));
        for fine in [
            "blastradius 04",
            "blastradius 04 --seed 1",
            "blastradius run --jsn",
            "blastradius --plya 01",
        ] {
            assert_eq!(told(fine), None, "{fine}");
        }
    }

    #[test]
    fn a_failure_comes_after_some_time() {
        assert_eq!(before_failure("10s"), Ok(Duration::from_secs(10)));
        for text in ["0s", "721h"] {
            assert!(
                before_failure(text).unwrap_err().contains("has to run before that"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_run_has_a_length() {
        assert_eq!(run_length("60s"), Ok(Duration::from_secs(60)));
        assert!(run_length("31d").is_err());
        for text in ["0s", "-5s", "721h", "9999999999h"] {
            let error = run_length(text).unwrap_err();
            assert_eq!(error, format!("`{text}` is out of range: {LENGTHS}"));
        }
        assert!(run_length("sixty").is_err());
    }
}
