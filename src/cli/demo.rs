//! `demo`: recordings that show what the layouts are about, for a screen at which nobody sits.

use std::path::Path;

use clap::Args;

use super::look::Look;
use super::{Complaint, Ended, output};
use crate::layout::{find_shipped, printable};
use crate::replay::Recording;
use crate::tui;

/// A recording that comes with the program.
struct Demo {
    /// The layout's name, which is that of the file in `assets/demos/` without its ending.
    name: &'static str,
    /// The text of the file.
    recording: &'static str,
}

/// All of them, in the order of their layouts.
const DEMOS: &[Demo] = &[
    Demo {
        name: "01-single-server",
        recording: include_str!("../../assets/demos/01-single-server.replay.ron"),
    },
    Demo {
        name: "04-load-balancer",
        recording: include_str!("../../assets/demos/04-load-balancer.replay.ron"),
    },
    Demo {
        name: "05-primary-replicas",
        recording: include_str!("../../assets/demos/05-primary-replicas.replay.ron"),
    },
    Demo {
        name: "06-multi-primary",
        recording: include_str!("../../assets/demos/06-multi-primary.replay.ron"),
    },
    Demo {
        name: "08-cache",
        recording: include_str!("../../assets/demos/08-cache.replay.ron"),
    },
    Demo {
        name: "09-cdn",
        recording: include_str!("../../assets/demos/09-cdn.replay.ron"),
    },
    Demo {
        name: "10-stateful-web",
        recording: include_str!("../../assets/demos/10-stateful-web.replay.ron"),
    },
    Demo {
        name: "11-stateless-web",
        recording: include_str!("../../assets/demos/11-stateless-web.replay.ron"),
    },
    Demo {
        name: "13-two-data-centers",
        recording: include_str!("../../assets/demos/13-two-data-centers.replay.ron"),
    },
    Demo {
        name: "14-message-queue",
        recording: include_str!("../../assets/demos/14-message-queue.replay.ron"),
    },
    Demo {
        name: "15-sharding",
        recording: include_str!("../../assets/demos/15-sharding.replay.ron"),
    },
    Demo {
        name: "20-retry-storm",
        recording: include_str!("../../assets/demos/20-retry-storm.replay.ron"),
    },
    Demo {
        name: "21-split-brain",
        recording: include_str!("../../assets/demos/21-split-brain.replay.ron"),
    },
];

/// What `demo` is told.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// The names or numbers of layouts: only their demos, in this order. Default: all.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// List them.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    look: Look,
}

/// Plays demos in the terminal until the person leaves.
pub(super) fn demo(arguments: &Arguments) -> Result<Ended, Complaint> {
    let chosen = chosen(&arguments.names)?;
    let shows: Vec<tui::Show> = chosen.into_iter().map(Demo::show).collect::<Result<_, _>>()?;
    if arguments.list {
        let lines: Vec<String> = shows.iter().map(line).collect();
        output::say(&lines.concat())?;
        return Ok(Ended::Well);
    }
    if !tui::is_terminal() {
        return Err(Complaint(
            "there is no terminal to show demos in. Without one: `blastradius demo --list` says what they show, and \
             `blastradius run 13 --script 13` runs a script and reports"
                .to_string(),
        ));
    }
    let options = tui::Options {
        unattended: true,
        ..arguments.look.options()?
    };
    let farewell =
        tui::play_all(&shows, &options).map_err(|error| Complaint(format!("the terminal failed: {error}")))?;
    Ok(Ended::With(farewell.exit_code))
}

/// The demos of these layouts, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Demo>, Complaint> {
    if names.is_empty() {
        return Ok(DEMOS.iter().collect());
    }
    let found = names.iter().map(|name| {
        let layout = find_shipped(name).map_or(name.as_str(), |shipped| shipped.file);
        DEMOS.iter().find(|demo| demo.name == layout).ok_or_else(|| {
            let names: Vec<&str> = DEMOS.iter().map(|demo| demo.name).collect();
            Complaint(format!(
                "there is no demo of {}; there are {}",
                printable(name),
                names.join(", ")
            ))
        })
    });
    found.collect()
}

/// What it shows, in a line: its first mark.
fn line(show: &tui::Show) -> String {
    let Recording { head, marks, .. } = &show.recording;
    let title = marks.first().map_or("", |mark| mark.text.as_str());
    format!("{:<22}  {}\n", printable(&head.name), printable(title))
}

impl Demo {
    fn show(&self) -> Result<tui::Show, Complaint> {
        let (recording, layout) = Recording::parse(self.recording, Path::new(self.name))
            .map_err(|error| Complaint(format!("the demo is damaged: {error}")))?;
        Ok(tui::Show {
            layout,
            recording,
            file: None,
            replayed: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demo_can_be_shown() {
        for demo in DEMOS {
            let show = demo.show().unwrap_or_else(|complaint| panic!("{}", complaint.0));
            assert_eq!(show.recording.head.name, demo.name);
            assert!(!show.recording.marks.is_empty(), "{} has no title", demo.name);
        }
    }

    #[test]
    fn demos_are_chosen_as_layouts_are() {
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&names).map(|demos| demos.iter().map(|demo| demo.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap().len(), DEMOS.len());
        assert_eq!(
            names(&["13", "4", "01-single-server"]).unwrap(),
            ["13-two-data-centers", "04-load-balancer", "01-single-server"]
        );
        let error = names(&["loadbalancer\u{1b}"]).unwrap_err().0;
        assert!(
            error.starts_with("there is no demo of loadbalancer\\u{1b}; "),
            "{error}"
        );
    }
}
