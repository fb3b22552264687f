//! The experiments of the shipped layouts: what they do is done, and what they promise to show is seen.

use std::fmt::Write as _;
use std::time::Duration;

use blastradius::command::{self, Script};
use blastradius::layout::{self, Experiment, Layout, SHIPPED, Shipped};
use blastradius::replay::{Session, Verdict};

/// When an experiment begins: everything is warm by then.
const START: Duration = Duration::from_secs(15);
/// The most requests a second of a layout that is run whole; of larger ones a part of the people comes, unless `BLASTRADIUS_WHOLE` is set.
const MOST_RATE: f64 = 3_000.0;

fn read(shipped: &Shipped) -> Layout {
    layout::parse(shipped.source, &shipped.file_name()).unwrap_or_else(|error| panic!("{error}"))
}

/// The experiment as a script: what it does is done at one moment, and what it shows is judged at its end.
fn script(experiment: &Experiment, commands: &[command::Command]) -> Script {
    let start = layout::duration::format(START);
    let mut text = format!(
        "(for: \"{}\", steps: [",
        layout::duration::format(START + experiment.watch)
    );
    for command in commands {
        let _ = write!(text, "(at: \"{start}\", do: {:?}), ", command.to_string());
    }
    let shows = experiment.shows.as_ref().map(|shows| shows.text.as_str());
    let _ = write!(text, "], expect: [Eventually({:?})])", shows.unwrap_or_default());
    Script::parse(&text, "experiment").unwrap_or_else(|error| panic!("{}", error.render(&text)))
}

/// Tries an experiment in a world of its own. What is wrong with it, if something is.
fn tried(layout: &Layout, experiment: &Experiment, commands: &[command::Command]) -> Option<String> {
    let script = script(experiment, commands);
    let mut session = Session::new(layout, 7, &script);
    session.advance_to(START + experiment.watch);
    let ending = session.end();
    let shown = ending.verdicts.last().is_some_and(Verdict::held);
    let wrong = !shown || !ending.refusals.is_empty() || !ending.unreached.is_empty();
    wrong.then(|| {
        format!(
            "{}: {}: {:?} {:?}\n",
            layout.title,
            experiment.title,
            ending.verdicts.last(),
            ending.refusals
        )
    })
}

#[test]
fn every_shipped_layout_offers_three_experiments_with_a_reason() {
    for shipped in SHIPPED {
        let layout = read(shipped);
        assert_eq!(layout.experiments.len(), 3, "{}", shipped.file);
        for experiment in &layout.experiments {
            let of = format!("{}: {}", shipped.file, experiment.title);
            assert!(experiment.shows.is_some(), "{of} shows nothing");
            assert!(experiment.why.ends_with('.') && experiment.why.len() > 80, "{of}");
            assert!(experiment.watch <= Duration::from_secs(60), "{of} takes too long");
        }
        let asks = layout.experiments.iter().filter(|experiment| experiment.ask.is_some());
        assert!(asks.count() >= 2, "{} asks nothing", shipped.file);
    }
}

#[test]
fn every_shipped_experiment_shows_what_it_promises() {
    let whole = std::env::var_os("BLASTRADIUS_WHOLE").is_some();
    let try_all = |shipped: &Shipped| -> String {
        let mut layout = read(shipped);
        let commands = command::experiments(&layout, &shipped.file_name()).unwrap_or_else(|error| panic!("{error}"));
        let rate: f64 = layout.users.values().map(layout::Users::rate).sum();
        if rate > MOST_RATE && !whole {
            for population in layout.users.values_mut() {
                population.count = (population.count as f64 * MOST_RATE / rate) as u64;
            }
        }
        let all = layout.experiments.iter().zip(&commands);
        all.filter_map(|(experiment, commands)| tried(&layout, experiment, commands))
            .collect()
    };
    let wrong: String = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            let try_all = &try_all;
            scope.spawn(move || SHIPPED.iter().skip(half).step_by(2).map(try_all).collect::<String>())
        });
        halves
            .into_iter()
            .map(|half| half.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    assert!(wrong.is_empty(), "{wrong}");
}
