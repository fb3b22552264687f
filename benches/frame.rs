//! What a frame costs: drawing a moving map of 48 machines at two sizes, and layout 13 as it runs. The budget is 1 ms each.

#![allow(clippy::disallowed_methods, reason = "it measures time on the wall")]

use std::time::{Duration, Instant};

use blastradius::layout::{find_shipped, parse};
use blastradius::tui::engine::{Simulation, View};
use blastradius::tui::{App, Options, screen};
use blastradius::world::World;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

#[path = "../tests/it/screen/fixture/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod fixture;

const DRAWS: usize = 2_000;

fn main() {
    for (width, height) in [(120, 40), (240, 67)] {
        for (name, machines) in [("rows", 8), ("grid", 48)] {
            measure(width, height, name, machines);
        }
    }
    let shipped = find_shipped("13").expect("it is shipped");
    let layout = parse(shipped.source, shipped.file).expect("it is right");
    let mut world = World::build(&layout, 7);
    world.advance(Duration::from_secs(5));
    for (width, height) in [(80, 24), (120, 40), (240, 67)] {
        two_data_centers(width, height, &mut world);
    }
}

/// Layout 13 while it runs: what drawing costs, and beside it what putting its frame together costs.
fn two_data_centers(width: u16, height: u16, world: &mut World) {
    let mut app = App::new(
        "bench",
        View::new(world.frame().into(), true),
        Vec::new(),
        &Options::default(),
    );
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a test backend cannot fail");
    let (mut frames, mut draws) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        world.advance(Duration::from_millis(33));
        let start = Instant::now();
        let frame = world.frame();
        frames.push(start.elapsed());
        app.show(View::new(frame.into(), true));
        let start = Instant::now();
        terminal
            .draw(|frame| {
                app.prepare(frame.area());
                screen::draw(&app, frame.buffer_mut());
            })
            .expect("a test backend cannot fail");
        draws.push(start.elapsed());
    }
    frames.sort_unstable();
    draws.sort_unstable();
    let (frame, draw, worst) = (frames[50], draws[50], draws[98]);
    println!("{width}x{height} layout 13: median {draw:?}, p99 {worst:?}; its frame {frame:?}");
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
