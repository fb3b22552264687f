//! `cast`: a recording as pictures that need no terminal.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Complaint, Ended, drive, look, output, replay, traces};
use crate::layout::{self, Layout, duration, printable};
use crate::replay::{self as again, FileKind, Recording, replaceable};
use crate::tui::record::{self, COLUMNS, FPS, Form, LINES, Look, Player, SPEEDS, THOUSANDTHS, Timing};
use crate::tui::screen::LEAST;
use crate::tui::theme::{Depth, Name};

/// Frames a second if nobody says so.
const USUAL_FPS: u32 = 10;

/// What `cast` is told.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct Arguments {
    /// The recording.
    file: PathBuf,
    /// Where to write. Replaces what `cast` wrote before, and no other file.
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: PathBuf,
    /// Write a picture of one moment as SVG, in place of an asciicast that plays.
    #[arg(long)]
    svg: bool,
    /// Let the SVG play, over and over.
    #[arg(long, requires = "svg")]
    animated: bool,
    /// The moment of the picture, in simulated time. Default: the end.
    #[arg(long, value_name = "MOMENT", requires = "svg", conflicts_with = "animated", value_parser = duration::parse, allow_hyphen_values = true)]
    at: Option<Duration>,
    /// Begin here, in simulated time. Default: the start of the run.
    #[arg(long, value_name = "MOMENT", value_parser = duration::parse, allow_hyphen_values = true)]
    from: Option<Duration>,
    /// End here, in simulated time. Default: the end of the run.
    #[arg(long, value_name = "MOMENT", value_parser = duration::parse, allow_hyphen_values = true)]
    to: Option<Duration>,
    /// Frames a second, 1 to 60. Default: 10.
    #[arg(long, value_parser = fps, allow_hyphen_values = true)]
    fps: Option<u32>,
    /// Simulated seconds in a second on the screen, 0.1 to 100.
    #[arg(long, default_value = "1", value_parser = speed, allow_hyphen_values = true)]
    speed: u32,
    /// Columns and lines of the screen, from 20x5 to 500x200.
    #[arg(long, default_value = "120x40", value_parser = size, allow_hyphen_values = true)]
    size: (u16, u16),
    /// How it looks.
    #[arg(long, value_name = "NAME", default_value = "dark", value_parser = look::painted())]
    theme: Name,
    /// How many colours there are.
    #[arg(long, alias = "colors", value_enum, default_value_t = Colors::True)]
    colours: Colors,
    /// Draw with ASCII characters only.
    #[arg(long)]
    ascii: bool,
    /// Replace whatever the file holds.
    #[arg(long)]
    force: bool,
}

/// How many colours there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colors {
    /// 24 bits.
    #[value(name = "truecolor")]
    True,
    /// The palette of 256.
    #[value(name = "256")]
    Indexed,
    /// The palette of 16.
    #[value(name = "16")]
    Ansi,
}

/// Runs a recording again and writes what the terminal would have shown.
pub(super) fn cast(arguments: &Arguments) -> Result<Ended, Complaint> {
    let form = form(arguments)?;
    let kind = FileKind {
        operation: "write to",
        a_file: "pictures are written to a file; name one, as in -o demo.cast",
        foreign: "it exists and is neither a cast nor an SVG of ours; name another file, or say --force",
        is_ours: if arguments.force { |_| Ok(true) } else { record::is_in },
    };
    let sources = [("the recording", Some(arguments.file.as_path()))];
    replaceable(&arguments.out, &kind, &sources).map_err(Complaint)?;
    let (recording, layout) = load(&arguments.file)?;
    let timing = timing(arguments, form, recording.duration)?;
    let look = Look {
        size: arguments.size,
        theme: arguments.theme,
        depth: match arguments.colours {
            Colors::True => Depth::True,
            Colors::Indexed => Depth::Indexed,
            Colors::Ansi => Depth::Ansi,
        },
        ascii: arguments.ascii,
    };
    let bar = drive::bar(timing.to);
    let mut watch = |at| bar.set_position(drive::millis(at));
    let player = Player::new((&recording, &layout), &look, timing, form, &mut watch);
    let mut player = player.map_err(|error| {
        let ways = "show less of it with --from and --to, faster with --speed, or in fewer frames with --fps";
        Complaint(format!("{error}; {ways}"))
    })?;
    // Somebody may have made the file meanwhile.
    let written = replaceable(&arguments.out, &kind, &sources)
        .map_err(Complaint)
        .and_then(|()| save(&arguments.out, |out| record::write(form, &mut player, out, &mut watch)));
    bar.finish_and_clear();
    let (frames, bytes) = written?;
    compare(&recording, player, timing.to);
    if arguments.size.0 < LEAST.0 || arguments.size.1 < LEAST.1 {
        output::remark(&format!(
            "the screen says that it is too small: it needs {}x{}",
            LEAST.0, LEAST.1
        ));
    }
    let length = match form {
        Form::Still => format!("the screen at {}", duration::format(timing.to)),
        _ => format!("{frames} frames in {:.1}s", timing.on_screen(timing.to).as_secs_f64()),
    };
    let name = printable(&arguments.out.display().to_string());
    output::say(&format!("{name}: {length}, {}\n", indicatif::HumanBytes(bytes)))?;
    Ok(Ended::Well)
}

/// What is to be written. The name of the file must not say otherwise.
fn form(arguments: &Arguments) -> Result<Form, Complaint> {
    let ends = |with: &str| {
        let extension = arguments.out.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case(with))
    };
    let name = arguments.out.display();
    let moving = ["gif", "mp4", "webm", "png", "apng", "webp", "html"];
    if moving.into_iter().any(ends) {
        return Err(Complaint(format!(
            "{name} would be no such file: what is written is an asciicast (.cast), of which `agg` makes a GIF, or with --svg an SVG"
        )));
    }
    match (arguments.svg, arguments.animated) {
        (false, _) if ends("svg") => Err(Complaint(format!(
            "an asciicast would be written to {name}; add --svg, or name it .cast"
        ))),
        (true, _) if ends("cast") => Err(Complaint(format!(
            "an SVG would be written to {name}; leave --svg out, or name it .svg"
        ))),
        (true, false) if arguments.from.is_some() || arguments.to.is_some() || arguments.fps.is_some() => {
            Err(Complaint(
                "--from, --to and --fps are for what plays, and a picture has one moment; say --at, or add --animated"
                    .to_string(),
            ))
        }
        (false, _) => Ok(Form::Asciicast),
        (true, false) => Ok(Form::Still),
        (true, true) => Ok(Form::Animation),
    }
}

fn load(file: &Path) -> Result<(Recording, Layout), Complaint> {
    let loaded = Recording::load(file);
    let (recording, mut layout) = loaded.map_err(|error| replay::complaint(error, file))?;
    if let Some(note) = &recording.head.trace {
        layout = layout.with_trace(traces::recorded(note)?);
    }
    Ok((recording, layout))
}

/// Which moments are shown, within a run of this length.
fn timing(arguments: &Arguments, form: Form, length: Duration) -> Result<Timing, Complaint> {
    let within = |name: &str, moment: Option<Duration>| match moment {
        Some(moment) if moment > length => Err(Complaint(format!(
            "{name} {} is after the end of the recording, which lasts {}",
            duration::format(moment),
            duration::format(length)
        ))),
        moment => Ok(moment),
    };
    let at = within("--at", arguments.at)?;
    let from = within("--from", arguments.from)?.unwrap_or_default();
    let to = within("--to", arguments.to)?.unwrap_or(length);
    if form == Form::Still {
        return Ok(Timing::at(at.unwrap_or(length), arguments.speed));
    }
    if from >= to && (arguments.from.is_some() || arguments.to.is_some()) {
        return Err(Complaint(format!(
            "nothing lies between --from {} and --to {}; the end must be later, at most {}",
            duration::format(from),
            duration::format(to),
            duration::format(length)
        )));
    }
    Ok(Timing {
        from,
        to,
        fps: arguments.fps.unwrap_or(USUAL_FPS),
        speed: arguments.speed,
    })
}

/// Writes beside the file first and then into its place, so that there is never half of it. Returns what `write` counted, and the bytes.
fn save(file: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> Result<(usize, u64), Complaint> {
    let mut part = file.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let cannot = |error| Complaint(format!("cannot write {}: {error}", file.display()));
    let made = File::create_new(&part).map_err(cannot)?;
    let written = fill(made, write).and_then(|counts| fs::rename(&part, file).map(|()| counts));
    written.map_err(|error| {
        // What is left of a failed attempt is of no use to anybody; the first error is the one to tell.
        let _ = fs::remove_file(&part);
        cannot(error)
    })
}

fn fill(file: File, write: impl FnOnce(&mut dyn Write) -> io::Result<usize>) -> io::Result<(usize, u64)> {
    let mut out = BufWriter::new(file);
    let count = write(&mut out)?;
    let file = out.into_inner()?;
    file.sync_all()?;
    Ok((count, file.metadata()?.len()))
}

/// Says so if this version of the program has another history than the recorded one.
fn compare(recording: &Recording, player: Player, until: Duration) {
    let ending = player.end();
    let difference = if until == recording.duration {
        again::verify(recording, &ending)
    } else {
        let commands = recording.commands.partition_point(|act| act.at <= until);
        again::verify(&recording.prefix(until, commands), &ending)
    };
    if let Some(difference) = difference {
        let note = recording.head.of_another_version();
        let note = note.map_or(String::new(), |note| format!(" ({note})"));
        let text = format!("this is not the history that was recorded: {difference}{note}");
        output::remark(&printable(&text));
    }
}

fn fps(text: &str) -> Result<u32, String> {
    let fps = text.trim().parse().ok();
    fps.filter(|fps| (FPS.0..=FPS.1).contains(fps)).ok_or_else(|| {
        format!(
            "`{}` is no rate of frames: write a whole number from {} to {}",
            layout::printable(text),
            FPS.0,
            FPS.1
        )
    })
}

/// Reads a speed; the result is in thousandths.
fn speed(text: &str) -> Result<u32, String> {
    let bare = text.trim().trim_end_matches(['x', 'X']);
    let factor = bare.parse().ok();
    let factor = factor.filter(|factor: &f64| (SPEEDS.0..=SPEEDS.1).contains(factor));
    factor
        .map(|factor| (factor * f64::from(THOUSANDTHS)).round() as u32)
        .ok_or_else(|| {
            format!(
                "`{}` is no speed: write a number from {} to {}, as in --speed 4",
                layout::printable(text),
                SPEEDS.0,
                SPEEDS.1
            )
        })
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let parts = text.trim().split_once(['x', 'X']);
    let number = |text: &str| text.parse::<u16>().ok();
    let size = parts.and_then(|(columns, lines)| Some((number(columns)?, number(lines)?)));
    let fits = |(columns, lines): &(u16, u16)| {
        (COLUMNS.0..=COLUMNS.1).contains(columns) && (LINES.0..=LINES.1).contains(lines)
    };
    size.filter(fits).ok_or_else(|| {
        format!(
            "`{}` is no size of a screen: write columns and lines from {}x{} to {}x{}, as in --size 120x40",
            layout::printable(text),
            COLUMNS.0,
            LINES.0,
            COLUMNS.1,
            LINES.1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_columns_and_lines_within_bounds() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        assert_eq!(size("20X5"), Ok((20, 5)));
        for text in [
            "", "120", "x", "19x40", "120x4", "501x40", "120x201", "-1x40", "99999x9", "120x40x2",
        ] {
            let error = size(text).unwrap_err();
            assert!(error.contains("from 20x5 to 500x200"), "{error}");
        }
    }

    #[test]
    fn a_speed_is_in_thousandths() {
        assert_eq!(speed("4"), Ok(4_000));
        assert_eq!(speed("0.25x"), Ok(250));
        for text in ["0", "0.09", "101", "nan", "inf", "-1", "fast", ""] {
            let error = speed(text).unwrap_err();
            assert!(error.contains("from 0.1 to 100"), "{error}");
        }
    }

    #[test]
    fn frames_are_counted_in_whole_numbers() {
        assert_eq!(fps("10"), Ok(10));
        for text in ["0", "61", "-1", "1.5", "x"] {
            assert!(fps(text).unwrap_err().contains("from 1 to 60"));
        }
    }
}
