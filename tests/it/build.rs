//! Layouts for tests, as text.

use blastradius::layout::{self, Layout};

/// A layout from its text, which must be right.
pub fn layout(source: &str) -> Layout {
    layout::parse(source, "test.ron").unwrap_or_else(|error| panic!("{}", error.render(source)))
}

/// A shipped layout.
pub fn shipped(name: &str) -> Layout {
    let shipped = layout::find_shipped(name).expect("a shipped layout");
    layout::parse(shipped.source, shipped.file).expect("shipped layouts are right")
}

/// One station: Poisson arrivals of static files at one web server, with nothing behind it.
pub fn station(rate: u32, size: &str, work: &str, slots: u32, backlog: u32) -> Layout {
    layout(&format!(
        r#"Layout(
            title: "station",
            about: "",
            users: {{ "people": (count: {rate}, every: "1s", patience: "10m", asks: (page: 0, asset: 1, create: 0, update: 0, delete: 0), browser: false) }},
            services: {{ "web": Web(size: "{size}", work: {work}, asset: 1.0, slots: {slots}, backlog: {backlog}) }},
        )"#
    ))
}
