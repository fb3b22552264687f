//! What a frame costs: drawing a moving map of 48 machines at two sizes, within 1 ms each; and layouts 13 and 16 as they run, with what each frame
//! sends to the terminal. The budget of layout 16 at 240x67 is 2 ms, and 20 kB on average.

#![allow(clippy::disallowed_methods, reason = "it measures time on the wall")]

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use blastradius::layout::{find_shipped, parse};
use blastradius::tui::engine::{Simulation, View};
use blastradius::tui::{App, Options, screen};
use blastradius::world::World;
use ratatui::backend::{CrosstermBackend, TestBackend};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

#[path = "../tests/it/screen/fixture/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod fixture;

const DRAWS: usize = 2_000;
/// Frames of a layout that runs: seven seconds of it.
const RUNS: usize = 200;

fn main() {
    for (width, height) in [(120, 40), (240, 67)] {
        for (name, machines) in [("rows", 8), ("grid", 48)] {
            measure(width, height, name, machines);
        }
    }
    for name in ["13", "16"] {
        let shipped = find_shipped(name).expect("it is shipped");
        let layout = parse(shipped.source, shipped.file).expect("it is right");
        let mut world = World::build(&layout, 7);
        world.advance(Duration::from_secs(5));
        for (width, height) in [(80, 24), (120, 40), (240, 67)] {
            as_it_runs(name, (width, height), &mut world);
        }
    }
}

/// A terminal that only counts what is sent to it.
#[derive(Clone, Default)]
struct Wire(Rc<Cell<usize>>);

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A shipped layout while it runs, thirty frames a second: what drawing costs and sends, and beside it what putting its frame together costs.
fn as_it_runs(name: &str, (width, height): (u16, u16), world: &mut World) {
    let view = View::new(world.frame().into(), true);
    let mut app = App::new("bench", view, Vec::new(), &Options::default());
    let wire = Wire::default();
    // The size of a real terminal is none of ours.
    let options = TerminalOptions {
        viewport: Viewport::Fixed(Rect::new(0, 0, width, height)),
    };
    let backend = CrosstermBackend::new(wire.clone());
    let mut terminal = Terminal::with_options(backend, options).expect("counting cannot fail");
    let (mut frames, mut draws, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        world.advance(Duration::from_millis(33));
        let start = Instant::now();
        let frame = world.frame();
        frames.push(start.elapsed());
        app.show(View::new(frame.into(), true));
        wire.0.set(0);
        let start = Instant::now();
        terminal
            .draw(|frame| {
                app.prepare(frame.area());
                screen::draw(&app, frame.buffer_mut());
            })
            .expect("counting cannot fail");
        draws.push(start.elapsed());
        sent.push(wire.0.get());
    }
    // The first frame is the whole screen.
    let average = sent[1..].iter().sum::<usize>() / (RUNS - 1);
    frames.sort_unstable();
    draws.sort_unstable();
    sent.sort_unstable();
    let [middle, last] = [RUNS / 2, RUNS * 98 / 100];
    println!(
        "{width}x{height} layout {name}: median {:?}, p98 {:?}; sent {average} bytes on average, p98 {}; its frame {:?}",
        draws[middle], draws[last], sent[last], frames[middle]
    );
}

fn measure(width: u16, height: u16, name: &str, machines: usize) {
    let mut fake = fixture::two_sites(machines / 2).after(Duration::from_secs(250));
    let view = View::new(fake.frame().into(), true);
    let mut app = App::new("bench", view, Vec::new(), &Options::default());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend cannot fail");
    let mut times = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        fake.advance(Duration::from_millis(33));
        app.show(View::new(fake.frame().into(), true));
        let start = Instant::now();
        terminal
            .draw(|frame| {
                app.prepare(frame.area());
                screen::draw(&app, frame.buffer_mut());
            })
            .expect("a test backend cannot fail");
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let (least, median, worst) = (times[0], times[DRAWS / 2], times[DRAWS * 99 / 100]);
    println!("{width}x{height} {name} of {machines}: min {least:?}, median {median:?}, p99 {worst:?}");
}
