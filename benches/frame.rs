//! What a frame costs: drawing a moving map of 48 machines at two sizes. The budget is 1 ms each.

#![allow(clippy::disallowed_methods, reason = "it measures time on the wall")]

use std::time::{Duration, Instant};

use blastradius::tui::engine::{Simulation, View};
use blastradius::tui::{App, Options, screen};
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
