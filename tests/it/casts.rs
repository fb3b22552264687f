//! Recordings as pictures: an asciicast that any terminal plays back to the same screens, and SVG that is well-formed whatever the names are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use blastradius::command::Script;
use blastradius::layout::{self, Layout, find_shipped};
use blastradius::replay::{Recording, Session, Words};
use blastradius::tui::record::{self, Form, Look, Player, Timing, TooMany};
use blastradius::tui::theme::{Depth, Name};
use ratatui::buffer::Buffer;

use crate::cli::{Folder, TINY, assert_code, blastradius, stderr, stdout};

const SCRIPT: &str = r#"[
    (at: "3s", do: Kill("web/1")),
    (at: "4250ms", do: Slow("web/2", 1.7)),
    (at: "7s", do: Mend("web/1")),
]"#;

const LENGTH: Duration = Duration::from_secs(9);

/// A layout whose names and titles want to be something else.
const HOSTILE: &str = r#"Layout(
    title: "</title><script>alert(1)</script>",
    about: "&amp; ]]> <!-- \u{1b}[2J",
    users: { "pe&lt;o\"ple'": (count: 100) },
    services: { "&amp;w&日本": Web() },
)
"#;

/// A recording of a layout under the script, with a mark and a note in it.
fn recorded(source: &str, script: &str) -> (Recording, Layout) {
    let layout = layout::parse(source, "layout").expect("a layout");
    let script = Script::parse(script, "script").expect("a script");
    let mut session = Session::new(&layout, 11, &script);
    session.advance_to(LENGTH);
    let mut recording = Recording::of("04 <&> \u{1b}[31m", source, None, &session.end());
    let words = |at, text: &str| Words {
        at: Duration::from_secs(at),
        text: text.to_string(),
    };
    recording.marks = vec![words(5, "a chapter \u{1b}[2J</text>")];
    recording.notes = vec![words(6, "a note \"quoted\" <&>")];
    (recording, layout)
}

fn balanced() -> (Recording, Layout) {
    recorded(find_shipped("04").expect("a shipped layout").source, SCRIPT)
}

fn timing(fps: u32, speed: u32) -> Timing {
    Timing {
        from: Duration::ZERO,
        to: LENGTH,
        fps,
        speed,
    }
}

fn look(size: (u16, u16), depth: Depth) -> Look {
    Look {
        size,
        theme: Name::Dark,
        depth,
        ascii: false,
    }
}

fn player(made: &(Recording, Layout), look: Look, timing: Timing, form: Form) -> Player {
    Player::new((&made.0, &made.1), &look, timing, form, &mut |_| {}).expect("few frames")
}

fn written(made: &(Recording, Layout), look: Look, timing: Timing, form: Form) -> String {
    let mut out = Vec::new();
    let mut player = player(made, look, timing, form);
    record::write(form, &mut player, &mut out, &mut |_| {}).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// An event of an asciicast.
struct Event {
    at: f64,
    kind: String,
    text: String,
}

fn events(cast: &str) -> Vec<Event> {
    let event = |line: &str| {
        let (at, kind, text) = serde_json::from_str(line).expect("an event");
        Event { at, kind, text }
    };
    cast.lines().skip(1).map(event).collect()
}

/// The signs of a picture, a blank for each column that nothing stands in.
fn signs(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    let lines = buffer.content.chunks(width).map(line);
    lines.map(|line| line.trim_end().to_string()).collect()
}

fn screen(parser: &vt100::Parser, columns: u16) -> Vec<String> {
    let lines = parser.screen().rows(0, columns);
    lines.map(|line| line.trim_end().to_string()).collect()
}

#[test]
fn a_terminal_plays_a_cast_back_to_the_same_screens() {
    for (made, size, depth) in [
        (balanced(), (120, 40), Depth::True),
        (balanced(), (80, 24), Depth::Ansi),
        (balanced(), (20, 5), Depth::Indexed),
        (recorded(HOSTILE, "[]"), (110, 33), Depth::Mono),
    ] {
        let timing = timing(5, 1_500);
        let cast = written(&made, look(size, depth), timing, Form::Asciicast);
        let mut events = events(&cast).into_iter().filter(|event| event.kind == "o").peekable();
        let mut parser = vt100::Parser::new(size.1, size.0, 0);
        let mut player = player(&made, look(size, depth), timing, Form::Asciicast);
        while let Some(at) = player.advance(&mut |_| {}) {
            while let Some(event) = events.next_if(|event| event.at <= at.as_secs_f64() + 1e-6) {
                parser.process(event.text.as_bytes());
            }
            assert_eq!(screen(&parser, size.0), signs(player.picture()), "at {at:?}, {size:?}");
        }
        assert!(events.next().is_none(), "nothing comes after the last frame");
        same_colours(&parser, player.picture());
    }
}

/// Asserts that the looks are the same too, where the emulator tells.
fn same_colours(parser: &vt100::Parser, picture: &Buffer) {
    use ratatui::style::{Color, Modifier};
    for y in 0..picture.area.height {
        for x in 0..picture.area.width {
            let (cell, seen) = (&picture[(x, y)], parser.screen().cell(y, x).expect("a cell"));
            if cell.symbol().trim().is_empty() {
                continue;
            }
            assert_eq!(seen.bold(), cell.modifier.contains(Modifier::BOLD), "at {x}, {y}");
            assert_eq!(
                seen.inverse(),
                cell.modifier.contains(Modifier::REVERSED),
                "at {x}, {y}"
            );
            let color = match cell.fg {
                Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
                Color::Indexed(index) => vt100::Color::Idx(index),
                Color::Reset => vt100::Color::Default,
                Color::White => vt100::Color::Idx(15),
                Color::Green => vt100::Color::Idx(2),
                _ => continue,
            };
            assert_eq!(seen.fgcolor(), color, "at {x}, {y}");
        }
    }
}

#[test]
fn markers_stand_at_commands_and_chapters() {
    let cast = written(
        &balanced(),
        look((80, 24), Depth::True),
        timing(10, 2_000),
        Form::Asciicast,
    );
    let head: serde_json::Value = serde_json::from_str(cast.lines().next().expect("a head")).expect("JSON");
    assert_eq!(
        (&head["version"], &head["width"], &head["height"]),
        (&2.into(), &80.into(), &24.into())
    );
    assert!(
        head.get("timestamp").is_none(),
        "a time of day would make each cast another one"
    );
    let events = events(&cast);
    let markers: Vec<(f64, &str)> = events
        .iter()
        .filter(|event| event.kind == "m")
        .map(|event| (event.at, event.text.as_str()))
        .collect();
    assert_eq!(
        markers,
        [
            (1.5, "kill web/1"),
            (2.125, "slow web/2 1.7"),
            (2.5, "a chapter \\u{1b}[2J</text>"),
            (3.5, "mend web/1")
        ]
    );
    assert!(
        events.windows(2).all(|pair| pair[0].at <= pair[1].at),
        "in order of time"
    );
    assert!(
        events.last().is_some_and(|event| (event.at - 4.5).abs() < 1e-9),
        "to the end"
    );
    // What is done can be read where it is done.
    let marked = events
        .iter()
        .position(|event| event.text == "mend web/1")
        .expect("its marker");
    assert!(events[marked - 1].text.contains("mend web/1") && events[marked - 1].kind == "o");
}

#[test]
fn the_same_recording_gives_the_same_bytes() {
    let make = |form| written(&balanced(), look((100, 30), Depth::True), timing(4, 1_000), form);
    for form in [Form::Asciicast, Form::Still, Form::Animation] {
        let form_timing = |form| match form {
            Form::Still => Timing::at(LENGTH, 1_000),
            _ => timing(4, 1_000),
        };
        let make_one = || written(&balanced(), look((100, 30), Depth::True), form_timing(form), form);
        assert!(make_one() == make_one(), "{form:?}");
    }
    assert!(make(Form::Asciicast).lines().count() > 20);
}

#[test]
fn too_many_frames_are_refused_before_anything_runs() {
    let made = balanced();
    let look = look((80, 24), Depth::True);
    let long = Timing {
        to: Duration::from_secs(3_600),
        ..timing(60, 1_000)
    };
    let refused = Player::new((&made.0, &made.1), &look, long, Form::Asciicast, &mut |_| {});
    let expected = TooMany {
        frames: 216_001,
        most: record::MOST_FRAMES,
    };
    assert_eq!(refused.err(), Some(expected));
}

/// An element of an XML text.
#[derive(Debug)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
    /// The places of the elements around it, from the outside.
    within: Vec<usize>,
}

/// Reads XML without a prolog, doctype or CDATA, and panics where it is not well-formed.
fn elements(xml: &str) -> Vec<Element> {
    assert!(
        xml.chars()
            .all(|c| c == '\n' || !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
    );
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        if let Some(last) = open.last() {
            elements[*last].text += &plain(text);
        } else {
            assert!(text.trim().is_empty(), "text outside of the root: {text}");
        }
        if let Some(comment) = rest[start..].strip_prefix("<!--") {
            let end = comment.find("--").expect("a comment ends");
            rest = comment[end..].strip_prefix("-->").expect("no -- within a comment");
            continue;
        }
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        assert!(!tag.contains('<'), "{tag}");
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop().expect("an element is open");
            assert_eq!(elements[last].name, name);
            continue;
        }
        assert!(!open.is_empty() || elements.is_empty(), "two roots");
        let body = tag.trim_end_matches('/');
        elements.push(element(body, open.clone()));
        if body.len() == tag.len() {
            open.push(elements.len() - 1);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{rest}");
    elements
}

fn element(tag: &str, within: Vec<usize>) -> Element {
    let (name, mut rest) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
    assert!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()),
        "{tag}"
    );
    let mut attributes = BTreeMap::new();
    while let Some((key, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"').expect("a value ends");
        let key = key.trim().to_string();
        assert!(
            key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':')),
            "{tag}"
        );
        assert!(attributes.insert(key, plain(value)).is_none(), "twice in {tag}");
        rest = next;
    }
    assert!(rest.trim().is_empty(), "{tag}");
    Element {
        name: name.to_string(),
        attributes,
        text: String::new(),
        within,
    }
}

/// The text without references. All others than these four would be wrong.
fn plain(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    for (at, _) in text.match_indices('&') {
        assert!(
            entities.iter().any(|(entity, _)| text[at..].starts_with(entity)),
            "{text}"
        );
    }
    entities
        .iter()
        .fold(text.to_string(), |text, (entity, c)| text.replace(entity, c))
}

/// The words of a picture with blanks for all that is drawn: what `visible` lets pass, put where it says.
fn written_words(svg: &[Element], size: (u16, u16), visible: impl Fn(&Element) -> bool) -> Vec<Vec<char>> {
    let mut grid = vec![vec![' '; usize::from(size.0)]; usize::from(size.1)];
    for text in svg.iter().filter(|element| element.name == "text" && visible(element)) {
        let number = |name: &str| text.attributes[name].parse::<usize>().expect("a whole number");
        let (column, line) = (number("x") / 20, number("y") / 40);
        for (offset, c) in text.text.chars().enumerate() {
            assert_eq!(grid[line][column + offset], ' ', "two signs in one cell");
            grid[line][column + offset] = c;
        }
        if let Some(width) = text.attributes.get("textLength") {
            let wide = text
                .text
                .chars()
                .filter(|c| ('\u{3000}'..='\u{9fff}').contains(c))
                .count();
            assert_eq!(width, &((text.text.chars().count() + wide) * 20).to_string());
        }
    }
    grid
}

/// Asserts that letters and figures of a picture stand where they are drawn.
fn same_words(words: &[Vec<char>], picture: &Buffer, place: &str) {
    for (y, line) in words.iter().enumerate() {
        for (x, c) in line.iter().enumerate() {
            let symbol = picture[(x as u16, y as u16)].symbol();
            let is_word = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
            if is_word(symbol) && !symbol.is_empty() || is_word(&c.to_string()) {
                assert_eq!(symbol, c.to_string(), "{place}, column {x} of line {y}");
            }
        }
    }
}

#[test]
fn a_still_is_well_formed_whatever_the_names_are() {
    for (made, size, depth) in [
        (balanced(), (120, 40), Depth::True),
        (recorded(HOSTILE, "[]"), (120, 40), Depth::True),
        (recorded(HOSTILE, "[]"), (80, 24), Depth::Mono),
        (balanced(), (200, 60), Depth::Ansi),
    ] {
        let timing = Timing::at(Duration::from_secs(5), 1_000);
        let svg = written(&made, look(size, depth), timing, Form::Still);
        let elements = elements(&svg);
        assert!(elements.iter().all(|element| element.name != "script"));
        let mut player = player(&made, look(size, depth), timing, Form::Still);
        player.advance(&mut |_| {}).expect("a frame");
        same_words(&written_words(&elements, size, |_| true), player.picture(), "the still");
    }
}

/// When an element is visible, within a round: from, until, and the length of the round.
fn visible(svg: &[Element], element: &Element, style: &str) -> Option<(f64, f64, f64)> {
    let group = element
        .within
        .iter()
        .map(|at| &svg[*at])
        .find(|around| around.name == "g")?;
    let class = group.attributes["class"]
        .split(' ')
        .next()
        .expect("a class")
        .to_string();
    let (_, rule) = style
        .split_once(&format!(".{class}{{animation:"))
        .expect("an animation");
    let (name, rule) = rule.split_once(' ').expect("a name");
    let round: f64 = rule.split_once("s ").expect("seconds").0.parse().expect("a number");
    let (_, frames) = style
        .split_once(&format!("@keyframes {name}{{0%{{visibility:visible}}"))
        .expect("keyframes");
    let share: f64 = frames.split_once('%').expect("a share").0.parse().expect("a number");
    let delay = group.attributes.get("style").map_or(0.0, |style| {
        let seconds = style
            .strip_prefix("animation-delay:-")
            .and_then(|rest| rest.strip_suffix('s'));
        seconds.expect("a delay").parse().expect("a number")
    });
    let from = if delay == 0.0 { 0.0 } else { round - delay };
    Some((from, from + share / 100.0 * round, round))
}

#[test]
fn an_svg_plays_the_same_screens() {
    let (made, size) = (balanced(), (110, 34));
    let timing = timing(5, 2_000);
    let svg = written(&made, look(size, Depth::True), timing, Form::Animation);
    let elements = elements(&svg);
    let style = &elements
        .iter()
        .find(|element| element.name == "style")
        .expect("a style")
        .text;
    let times: Vec<Option<(f64, f64, f64)>> = elements
        .iter()
        .map(|element| visible(&elements, element, style))
        .collect();
    assert!(
        times.iter().flatten().all(|(_, _, round)| (*round - 6.5).abs() < 1e-9),
        "a round has a pause"
    );
    let mut player = player(&made, look(size, Depth::True), timing, Form::Animation);
    while let Some(at) = player.advance(&mut |_| {}) {
        let now = at.as_secs_f64() + 1e-3;
        let shown = |element: &Element| {
            visible(&elements, element, style).is_none_or(|(from, until, _)| (from..until).contains(&now))
        };
        same_words(
            &written_words(&elements, size, shown),
            player.picture(),
            &format!("{at:?}"),
        );
    }
}

/// Records a short run of the load balancer with the program, and returns the file.
fn record_file(folder: &Folder) -> String {
    let script = folder.file("script.ron", SCRIPT);
    let record = folder.path("run.replay.ron");
    let output = blastradius(&["run", "04", "--for", "9s", "--script", &script, "--record", &record]);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", stderr(&output));
    record
}

#[test]
fn the_command_line_writes_casts_and_pictures_and_replaces_them() {
    let folder = Folder::new();
    let record = record_file(&folder);
    let (cast, svg) = (folder.path("demo.cast"), folder.path("demo.svg"));
    for _ in 0..2 {
        let output = blastradius(&["cast", &record, "-o", &cast, "--fps", "4", "--size", "80x24"]);
        assert_code(&output, 0);
        assert!(stdout(&output).contains("37 frames in 9.0s"), "{}", stdout(&output));
        assert_eq!(stderr(&output), "", "it is the history that was recorded");
        assert_code(
            &blastradius(&["cast", &record, "-o", &svg, "--svg", "--at", "4s", "--ascii"]),
            0,
        );
    }
    assert_eq!(
        folder.names(),
        ["demo.cast", "demo.svg", "run.replay.ron", "script.ron"]
    );
    assert!(fs::read_to_string(&svg).expect("the SVG").is_ascii());
    assert!(record::is_in(Path::new(&cast)).expect("a file"));
    let part = ["--from", "2s", "--to", "4s", "--speed", "0.5", "--colours", "256"];
    let mut arguments = vec!["cast", &record, "-o", &svg, "--svg", "--animated"];
    arguments.extend(part);
    let output = blastradius(&arguments);
    assert_code(&output, 0);
    assert!(stdout(&output).contains("41 frames in 4.0s"), "{}", stdout(&output));
    elements(&fs::read_to_string(&svg).expect("the SVG"));
}

#[test]
fn a_light_theme_is_shown_on_a_light_ground() {
    let folder = Folder::new();
    let record = record_file(&folder);
    let (cast, svg) = (folder.path("light.cast"), folder.path("light.svg"));
    for (out, more) in [(&cast, &["--fps", "1"][..]), (&svg, &["--svg"])] {
        let mut arguments = vec!["cast", &record, "-o", out, "--theme", "light"];
        arguments.extend(more);
        assert_code(&blastradius(&arguments), 0);
    }
    let read = |file: &str| fs::read_to_string(file).expect("what was written");
    assert!(read(&svg).contains("rx=\"16\" fill=\"#ffffff\""));
    let head = read(&cast);
    let head = head.lines().next().expect("a head");
    assert!(
        head.contains(r##""theme":{"fg":"#1f2733","bg":"#ffffff","palette":"##),
        "{head}"
    );
    let dark = written(
        &balanced(),
        look((80, 24), Depth::True),
        timing(1, 1_000),
        Form::Asciicast,
    );
    assert!(
        !dark.lines().next().expect("a head").contains("theme"),
        "players are dark"
    );
}

#[test]
fn the_command_line_says_what_is_wrong_and_what_to_do() {
    let folder = Folder::new();
    let record = record_file(&folder);
    let (out, foreign) = (folder.path("demo.cast"), folder.file("notes.txt", "mine"));
    let layout = folder.file("tiny.ron", TINY);
    let picture = folder.path("demo.svg");
    let refused = |arguments: &[&str], words: &[&str]| {
        let arguments: Vec<&str> = ["cast"].iter().chain(arguments).copied().collect();
        let output = blastradius(&arguments);
        assert_code(&output, 2);
        for word in words {
            assert!(
                stderr(&output).contains(word),
                "{arguments:?}: {word} is missing in\n{}",
                stderr(&output)
            );
        }
    };
    refused(&[&record], &["--out"]);
    refused(&[&record, "-o", "-"], &["demo.cast"]);
    refused(
        &[&record, "-o", &foreign],
        &["neither a cast nor an SVG of ours", "--force"],
    );
    refused(&[&record, "-o", &record, "--force"], &["it is the recording"]);
    refused(
        &[&record, "-o", &folder.path("none/demo.cast")],
        &["there is no folder"],
    );
    refused(&[&layout, "-o", &out], &["is a layout, not a recording"]);
    refused(&[&record, "-o", &picture], &["add --svg"]);
    refused(&[&record, "-o", &out, "--svg"], &["leave --svg out"]);
    refused(&[&record, "-o", &out, "--animated"], &["--svg"]);
    refused(
        &[&record, "-o", &picture, "--svg", "--from", "1s"],
        &["--at", "--animated"],
    );
    refused(
        &[&record, "-o", &picture, "--svg", "--at", "10s"],
        &["--at 10s", "lasts 9s"],
    );
    refused(&[&record, "-o", &out, "--to", "10s"], &["--to 10s", "lasts 9s"]);
    refused(
        &[&record, "-o", &out, "--from", "5s", "--to", "5s"],
        &["nothing lies between"],
    );
    refused(&[&record, "-o", &out, "--from", "-5s"], &["out of range"]);
    refused(&[&record, "-o", &out, "--fps", "61"], &["from 1 to 60"]);
    refused(&[&record, "-o", &out, "--size", "120"], &["from 20x5 to 500x200"]);
    refused(&[&record, "-o", &out, "--speed", "0"], &["from 0.1 to 100"]);
    refused(&[&record, "-o", &out, "--theme", "pink"], &["colour-blind", "mono"]);
    refused(&[&record, "-o", &out, "--colours", "pink"], &["truecolor", "256"]);
    refused(
        &[
            &record,
            "-o",
            &picture,
            "--svg",
            "--animated",
            "--fps",
            "60",
            "--speed",
            "0.1",
        ],
        &["5401 frames", "2000 is the most", "--from", "--speed", "--fps"],
    );
    assert_eq!(
        folder.names(),
        ["notes.txt", "run.replay.ron", "script.ron", "tiny.ron"]
    );
    assert_code(
        &blastradius(&["cast", &record, "-o", &foreign, "--force", "--fps", "1"]),
        0,
    );
    assert!(record::is_in(Path::new(&foreign)).expect("a file"));
}
