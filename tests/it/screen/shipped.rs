//! Every shipped layout: what it looks like at three sizes, and that no map of it at any size has parts that overlap, are cut or lead nowhere.

use std::fmt::Write as _;
use std::time::Duration;

use blastradius::layout::{SHIPPED, Shipped, parse};
use blastradius::observe::{Kind, LinkKind, Topology};
use blastradius::tui::engine::View;
use blastradius::tui::map::{Card, Plan, Window};
use blastradius::tui::{App, Options, Pane};
use blastradius::world::World;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{SIZES, draw, pictured, text};

/// Simulated time before a picture is taken.
const A_WHILE: Duration = Duration::from_millis(2_500);
/// Columns that stay free beside a card for the ways to it.
const GUTTER: u16 = 3;

/// A layout with the seed of a person who names none.
fn world(shipped: &Shipped) -> World {
    let layout = parse(shipped.source, shipped.file).unwrap_or_else(|error| panic!("{error}"));
    World::build(&layout, 7)
}

fn app(name: &str, world: &World) -> App {
    App::new(
        name,
        View::new(world.frame().into(), true),
        Vec::new(),
        &Options::default(),
    )
}

/// What a layout looks like after a while, at all sizes.
fn look(name: &str) {
    let shipped = SHIPPED.iter().find(|shipped| shipped.file.starts_with(name));
    let shipped = shipped.expect("it is shipped");
    let mut world = world(shipped);
    world.advance(A_WHILE);
    let mut all = String::new();
    for (width, height) in SIZES {
        let mut app = app(shipped.file, &world);
        let picture = text(&draw(&mut app, width, height));
        write!(all, "{width}x{height}\n{picture}\n").expect("a text can be written to");
    }
    pictured(&format!("shipped_{}", shipped.file), &all);
}

/// A test for each, so that they run beside each other, and one that none is forgotten.
macro_rules! looks {
    ($($test:ident $name:literal,)*) => {
        $(#[test]
        fn $test() {
            look($name);
        })*

        #[test]
        fn every_layout_has_its_picture() {
            let pictured = [$($name),*];
            for shipped in SHIPPED {
                assert!(pictured.contains(&&shipped.file[..2]), "{} has none", shipped.file);
            }
        }
    };
}

looks! {
    layout_01 "01",
    layout_02 "02",
    layout_03 "03",
    layout_04 "04",
    layout_05 "05",
    layout_06 "06",
    layout_07 "07",
    layout_08 "08",
    layout_09 "09",
    layout_10 "10",
    layout_11 "11",
    layout_12 "12",
    layout_13 "13",
    layout_14 "14",
    layout_15 "15",
    layout_16 "16",
    layout_20 "20",
    layout_21 "21",
    layout_22 "22",
    layout_23 "23",
    layout_24 "24",
}

/// Sizes from the smallest one on, those at which the screen is set out in another way among them.
const ALL_SIZES: [(u16, u16); 15] = [
    (60, 16),
    (66, 18),
    (72, 20),
    (80, 24),
    (90, 28),
    (100, 30),
    (109, 31),
    (110, 32),
    (120, 40),
    (132, 43),
    (150, 45),
    (160, 50),
    (180, 55),
    (200, 60),
    (240, 67),
];

/// A map on the screen, with what it was planned from.
struct Map<'a> {
    topology: &'a Topology,
    plan: &'a Plan,
    buffer: &'a Buffer,
    area: Rect,
    window: Window,
}

impl Map<'_> {
    /// What stands at a place of the map, where that is seen.
    fn at(&self, x: u16, y: u16) -> Option<&str> {
        let (x, y) = self.window.place(x, y)?;
        Some(self.buffer[(x, y)].symbol())
    }

    fn name(&self, service: usize) -> &str {
        &self.topology.services[service].name
    }

    fn card(&self, service: usize) -> Option<&Card> {
        self.plan.cards.iter().find(|card| card.service == service)
    }

    /// The card in which a service is shown: of a resolver, that of its users.
    fn shown_in(&self, service: usize) -> Option<&Card> {
        let resolver = self.topology.services[service].kind == Kind::Resolver;
        let asks = self.topology.links.iter().find(|link| resolver && link.to == service);
        self.card(asks.map_or(service, |link| link.from))
    }

    /// Whether something else than ways stands there: a card or a frame.
    fn stands(&self, x: u16, y: u16) -> bool {
        let within = |area: &Rect| area.contains((x, y).into());
        let edge = |area: &Rect| {
            let sides = x == area.x || x + 1 == area.right() || y == area.y || y + 1 == area.bottom();
            within(area) && sides
        };
        let frames = self.plan.sites.iter().chain(self.plan.hosts.iter().map(|host| &host.1));
        let mut frames = frames.into_iter();
        self.plan.cards.iter().any(|card| within(&card.area)) || frames.any(edge)
    }

    /// Whether a way goes there.
    fn passes(&self, x: u16, y: u16) -> bool {
        let mut cells = self.plan.edges.iter().flat_map(|edge| &edge.cells);
        cells.any(|cell| (cell.0, cell.1) == (x, y))
    }

    /// What is wrong with it.
    fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        self.overlaps(&mut flaws);
        self.borders(&mut flaws);
        self.ways(&mut flaws);
        self.names(&mut flaws);
        flaws
    }

    fn overlaps(&self, flaws: &mut Vec<String>) {
        for (index, card) in self.plan.cards.iter().enumerate() {
            let within = |other: &Card| other.area.intersection(card.area) == card.area;
            for other in &self.plan.cards[index + 1..] {
                // A resolver is a line in the card of its users.
                let line = other.foot > 0 && within(other)
                    || card.foot > 0 && other.area.intersection(card.area) == other.area;
                if card.area.intersects(other.area) && !line {
                    flaws.push(format!(
                        "{} lies upon {}",
                        self.name(card.service),
                        self.name(other.service)
                    ));
                }
            }
            let site = self.topology.services[card.service].site;
            let home = site.map(|site| self.plan.sites[site]);
            if home.is_some_and(|home| home.intersection(card.area) != card.area) {
                flaws.push(format!("{} is not within its data center", self.name(card.service)));
            }
            if card.area.right() > self.area.width {
                flaws.push(format!("{} is cut at the right", self.name(card.service)));
            }
        }
        for (index, site) in self.plan.sites.iter().enumerate() {
            // Two frames may share a line.
            let inner = Rect {
                height: site.height.saturating_sub(1),
                ..*site
            };
            if self.plan.sites[index + 1..].iter().any(|other| {
                let other = Rect {
                    height: other.height.saturating_sub(1),
                    ..*other
                };
                inner.intersects(other)
            }) {
                flaws.push(format!("{} lies upon another one", self.topology.sites[index].name));
            }
        }
    }

    fn borders(&self, flaws: &mut Vec<String>) {
        for card in self.plan.cards.iter().filter(|card| card.density.is_bordered()) {
            let area = card.area;
            let (right, bottom) = (area.right() - 1, area.bottom() - 1);
            let corners = [
                (area.x, area.y, "╭"),
                (right, area.y, "╮"),
                (area.x, bottom, "╰"),
                (right, bottom, "╯"),
            ];
            let sides = (area.y + 1..bottom).flat_map(|y| [(area.x, y, "│"), (right, y, "│")]);
            for (x, y, sign) in corners.into_iter().chain(sides) {
                let whole = self.window.rect(area).height == area.height;
                if let Some(found) = self.at(x, y).filter(|found| whole && *found != sign) {
                    let name = self.name(card.service);
                    flaws.push(format!(
                        "the border of {name} has a hole: {found} for {sign} at {x},{y}"
                    ));
                }
            }
        }
    }

    fn ways(&self, flaws: &mut Vec<String>) {
        let told = |link: usize| {
            let link = &self.topology.links[link];
            format!("{} -> {}", self.name(link.from), self.name(link.to))
        };
        for edge in &self.plan.edges {
            let link = &self.topology.links[edge.link];
            let (Some(from), Some(to)) = (self.shown_in(link.from), self.shown_in(link.to)) else {
                flaws.push(format!("{} has no cards", told(edge.link)));
                continue;
            };
            let near = |area: Rect, x: u16, y: u16| {
                let wider = Rect {
                    x: area.x.saturating_sub(1),
                    y: area.y.saturating_sub(1),
                    width: area.width + 2,
                    height: area.height + 2,
                };
                wider.contains((x, y).into()) && !area.contains((x, y).into())
            };
            let begins = edge.cells.first().is_some_and(|cell| near(from.area, cell.0, cell.1));
            if edge.before == 0 && edge.branch.is_none() && !begins {
                flaws.push(format!("{} begins nowhere", told(edge.link)));
            }
            if let Some((x, y, _)) = edge.head.filter(|(x, y, _)| !near(to.area, *x, *y)) {
                flaws.push(format!("{} ends nowhere, at {x},{y}", told(edge.link)));
            }
        }
        for (index, link) in self.topology.links.iter().enumerate() {
            let asked = matches!(link.kind, LinkKind::Requests | LinkKind::Sessions | LinkKind::Messages);
            let drawn = self.plan.edges.iter().any(|edge| edge.link == index);
            if asked && !drawn && self.card(link.from).is_some() && self.card(link.to).is_some() {
                flaws.push(format!("{} is not drawn", told(index)));
            }
        }
    }

    /// Names that are cut although the map is empty beside them.
    fn names(&self, flaws: &mut Vec<String>) {
        for card in &self.plan.cards {
            let (area, name) = (card.area, self.name(card.service));
            let shown: String = (area.x..area.right()).filter_map(|x| self.at(x, area.y)).collect();
            let resolver = self.topology.services[card.service].kind == Kind::Resolver;
            if shown.is_empty() || shown.contains(name) || resolver {
                continue;
            }
            let free = |x: u16| !(area.y..area.bottom()).any(|y| self.stands(x, y) || self.passes(x, y));
            let right = (area.right()..self.area.width).take_while(|x| free(*x)).count() as u16;
            let left = (0..area.x).rev().take_while(|x| free(*x)).count() as u16;
            if right > GUTTER || left > GUTTER + 2 {
                flaws.push(format!(
                    "{name} is cut to {shown:?} beside {left} and {right} empty columns"
                ));
            }
        }
    }
}

#[test]
fn no_map_has_parts_that_overlap_are_cut_or_lead_nowhere() {
    let mut flaws = Vec::new();
    for shipped in SHIPPED {
        let mut world = world(shipped);
        world.advance(Duration::from_millis(5));
        for (width, height) in ALL_SIZES {
            for zoom in [None, Some(Pane::Map)] {
                let mut app = app(shipped.file, &world);
                app.zoom = zoom;
                let buffer = draw(&mut app, width, height);
                let area = app.arrangement.map;
                let map = Map {
                    topology: app.topology(),
                    plan: &app.plan,
                    buffer: &buffer,
                    area,
                    window: Window::showing(&app.plan, area, app.selected),
                };
                let alone = if zoom.is_some() { ", the map alone" } else { "" };
                let found = map.flaws().into_iter();
                flaws.extend(found.map(|flaw| format!("{} at {width}x{height}{alone}: {flaw}", shipped.file)));
            }
        }
    }
    assert!(flaws.is_empty(), "{} flaws\n{}", flaws.len(), flaws.join("\n"));
}

#[test]
fn a_map_that_does_not_fit_begins_at_the_users_or_around_the_selection() {
    let shipped = SHIPPED
        .iter()
        .find(|shipped| shipped.file.starts_with("16"))
        .expect("it is shipped");
    let mut world = world(shipped);
    world.advance(Duration::from_millis(5));
    let mut app = app(shipped.file, &world);
    let picture = text(&draw(&mut app, 60, 16));
    let top: String = picture.lines().skip(1).take(3).collect();
    assert!(top.contains("america") && top.contains("us-east"), "{picture}");
    // The last thing on the map is seen when it is selected.
    let (last, place) = *app
        .plan
        .items
        .iter()
        .max_by_key(|(_, place)| place.y)
        .expect("there is something");
    assert!(place.y >= app.arrangement.map.height, "it is below the edge");
    app.selected = last;
    draw(&mut app, 60, 16);
    let window = Window::showing(&app.plan, app.arrangement.map, app.selected);
    assert!(window.place(place.x, place.y).is_some());
}
