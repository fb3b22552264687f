//! The screen: pictures of it at three sizes, styles, and keys pressed at random.

mod caches;
mod data;
mod findings;
mod fixture;
mod growing;
mod look;
mod looks;
mod picker;
mod queues;
mod shipped;
mod sites;
mod tiers;
mod tries;
mod ways;

use std::time::{Duration, Instant};

use blastradius::command::{Applied, Command, CommandError, Selector};
use blastradius::observe::Frame;
use blastradius::sim::SimTime;
use blastradius::tui::engine::{Answer, Engine, Order, Simulation, Start, View};
use blastradius::tui::theme::Depth;
use blastradius::tui::{App, Choice, Intent, Options, Over, Pane, Speed, screen};
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use fixture::Fake;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn view(fake: &mut Fake) -> View {
    View::new(fake.frame().into(), true)
}

fn app(fake: &mut Fake, options: &Options) -> App {
    let choices = ["01-single-server", "04-load-balancer"];
    let choices = choices.map(|name| Choice {
        name: name.to_string(),
        title: "what it is".to_string(),
    });
    App::new("04-load-balancer", view(fake), choices.to_vec(), options)
}

fn draw(app: &mut App, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    app.prepare(buffer.area);
    screen::draw(app, &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines = buffer.content.chunks(width.max(1));
    lines
        .map(|line| {
            line.iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect::<String>()
                .trim_end()
                .to_string()
                + "\n"
        })
        .collect()
}

fn press(app: &mut App, keys: &str) -> Vec<Intent> {
    keys.chars()
        .filter_map(|c| app.handle(&key(KeyCode::Char(c))))
        .collect()
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn kill(target: &str) -> Command {
    Command::Kill(Selector(target.to_string()))
}

fn pictured(name: &str, picture: &str) {
    insta::assert_snapshot!(name, picture);
}

fn pictures(name: &str, make: impl Fn() -> Fake) {
    for (width, height) in SIZES {
        let mut fake = make();
        let mut app = app(&mut fake, &Options::default());
        let buffer = draw(&mut app, width, height);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&buffer));
    }
}

#[test]
fn healthy() {
    pictures("healthy", || fixture::balanced(3).after(Duration::from_secs(75)));
}

#[test]
fn dead_and_not_yet_noticed() {
    pictures("unnoticed", || {
        let fake = fixture::balanced(3).after(Duration::from_secs(75));
        fake.having(&kill("web/1")).after(Duration::from_millis(3_300))
    });
}

#[test]
fn dead_and_noticed() {
    pictures("noticed", || {
        let fake = fixture::balanced(3).after(Duration::from_secs(75));
        fake.having(&kill("web/1")).after(Duration::from_secs(9))
    });
}

#[test]
fn one_machine_for_web_and_data() {
    pictures("single", || fixture::single().after(Duration::from_secs(75)));
}

#[test]
fn two_data_centers_with_many_machines() {
    pictures("sites", || {
        fixture::two_sites(60)
            .after(Duration::from_secs(75))
            .having(&kill("us-east/web/7"))
    });
}

#[test]
fn the_routing_panel_tells_truth_from_belief() {
    for (width, height) in SIZES {
        let mut fake = fixture::balanced(3)
            .after(Duration::from_secs(75))
            .having(&kill("web/1"));
        fake.advance(Duration::from_secs(3));
        let mut app = app(&mut fake, &Options::default());
        let picture = text(&draw(&mut app, width, height));
        assert!(picture.contains("✖ dead 3.0s"), "{picture}");
        assert!(picture.contains("up, 2/3"), "{picture}");
        assert!(picture.contains("◀ wrong"), "{picture}");
    }
}

#[test]
fn x_kills_what_the_footer_names() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    assert!(text(&draw(&mut app, 120, 40)).contains("x kill web/1"));
    assert_eq!(press(&mut app, "x"), [Intent::Order(Order::Do(kill("web/1")))]);
    assert_eq!(press(&mut app, "jx"), [Intent::Order(Order::Do(kill("web/2")))]);
    assert!(text(&draw(&mut app, 120, 40)).contains("x kill web/2"));
}

#[test]
fn destroying_asks_first() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    assert_eq!(press(&mut app, "X"), []);
    assert!(text(&draw(&mut app, 120, 40)).contains("destroy web/1: the machine and its disk are gone for good"));
    assert_eq!(press(&mut app, "n"), []);
    assert_eq!(
        press(&mut app, "Xy"),
        [Intent::Order(Order::Do(Command::Destroy(Selector(
            "web/1".to_string()
        ))))]
    );
}

#[test]
fn typed_text_is_no_command_until_enter() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    assert_eq!(press(&mut app, ":kill web/3"), []);
    assert!(matches!(app.over, Over::Prompt(_)));
    let intent = app.handle(&key(KeyCode::Enter));
    assert_eq!(intent, Some(Intent::Order(Order::Do(kill("web/3")))));
    assert_eq!(press(&mut app, "/web/2"), []);
    app.handle(&key(KeyCode::Enter));
    assert_eq!(press(&mut app, "x"), [Intent::Order(Order::Do(kill("web/2")))]);
}

#[test]
fn faults_have_a_menu_and_the_last_one_repeats() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    let hang = |target: &str| Intent::Order(Order::Do(Command::Hang(Selector(target.to_string()))));
    assert_eq!(press(&mut app, "fh"), [hang("web/1")]);
    assert_eq!(press(&mut app, "jff"), [hang("web/2")]);
}

#[test]
fn esc_never_quits() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    draw(&mut app, 120, 40);
    for _ in 0..10 {
        assert_eq!(app.handle(&key(KeyCode::Esc)), None);
    }
    assert_eq!(press(&mut app, "q"), [Intent::Quit]);
}

#[test]
fn a_click_selects_and_a_click_on_a_key_presses_it() {
    let mut fake = fixture::balanced(3).after(Duration::from_secs(10));
    let mut app = app(&mut fake, &Options::default());
    let picture = text(&draw(&mut app, 120, 40));
    let click = |app: &mut App, word: &str| {
        let (row, line) = picture
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(word))
            .expect("it is on the screen");
        let column = line[..line.find(word).expect("it is in the line")].chars().count();
        app.handle(&Event::Mouse(MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: column as u16 + 1,
            row: row as u16,
            modifiers: KeyModifiers::NONE,
        }))
    };
    assert_eq!(click(&mut app, " /3 "), None);
    assert_eq!(press(&mut app, "x"), [Intent::Order(Order::Do(kill("web/3")))]);
    assert_eq!(click(&mut app, "space pause"), Some(Intent::Order(Order::Run(false))));
}

#[test]
fn without_colour_the_selection_still_shows() {
    let mut fake = fixture::balanced(3)
        .after(Duration::from_secs(10))
        .having(&kill("web/2"));
    let options = Options {
        depth: Depth::Mono,
        ..Options::default()
    };
    let mut app = app(&mut fake, &options);
    let buffer = draw(&mut app, 120, 40);
    assert!(
        buffer
            .content
            .iter()
            .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
    );
    let reversed = buffer
        .content
        .iter()
        .filter(|cell| cell.modifier.contains(Modifier::REVERSED));
    let selected: String = reversed.map(ratatui::buffer::Cell::symbol).collect();
    assert!(selected.contains("/1"), "{selected}");
    assert!(text(&buffer).contains("✖ /2 dead"));
}

#[test]
fn ascii_means_ascii() {
    let options = Options {
        ascii: true,
        ..Options::default()
    };
    for (width, height) in SIZES {
        let mut fake = fixture::two_sites(4)
            .after(Duration::from_secs(30))
            .having(&kill("us-east/web/1"));
        let mut app = app(&mut fake, &options);
        for keys in ["", "i", "?", "f", ":"] {
            press(&mut app, keys);
            let picture = text(&draw(&mut app, width, height));
            assert!(picture.is_ascii(), "{picture}");
            assert!(
                !picture.replace("? ", "").contains("??"),
                "a sign has no stand-in:\n{picture}"
            );
            app.handle(&key(KeyCode::Esc));
        }
    }
}

#[test]
fn a_terminal_too_small_says_what_it_needs() {
    let mut fake = fixture::balanced(3);
    let mut app = app(&mut fake, &Options::default());
    let picture = text(&draw(&mut app, 40, 10));
    assert!(picture.contains("40x10 is too small"), "{picture}");
    assert!(picture.contains("needs 60x16"), "{picture}");
}

#[test]
fn names_from_a_layout_cannot_act_on_the_terminal() {
    let mut fake = fixture::named("w\u{1b}[2J\u{202e}eb\u{7}日本語", 3).after(Duration::from_secs(20));
    fake.advance(Duration::from_secs(1));
    let mut app = app(&mut fake, &Options::default());
    for keys in ["", "i", "f", "e"] {
        press(&mut app, keys);
        for (width, height) in SIZES {
            let buffer = draw(&mut app, width, height);
            let control =
                |cell: &ratatui::buffer::Cell| cell.symbol().chars().any(|c| c.is_control() || c == '\u{202e}');
            assert!(!buffer.content.iter().any(control));
        }
        app.handle(&key(KeyCode::Esc));
    }
}

/// A simulation that dies after some time.
struct Doomed(Fake);

impl Simulation for Doomed {
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        self.0.apply(command)
    }

    fn advance(&mut self, by: Duration) {
        self.0.advance(by);
        assert!(
            self.0.now() < SimTime::ZERO + Duration::from_secs(2),
            "doomed on purpose"
        );
    }

    fn now(&self) -> SimTime {
        self.0.now()
    }

    fn frame(&mut self) -> Frame {
        self.0.frame()
    }
}

fn wait_for<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_engine_answers_orders_and_seeks_milestones() {
    let mut engine = Engine::start(|| fixture::balanced(2), Start::bare(false, Speed::REAL)).expect("a thread");
    wait_for(|| engine.take_view());
    assert!(engine.order(Order::Do(kill("web/9"))));
    let answers = wait_for(|| Some(engine.take_answers()).filter(|answers| !answers.is_empty()));
    assert_eq!(answers, [Answer::Refused("there is no `web/9`".to_string())]);
    assert!(engine.order(Order::Do(kill("web/1"))) && engine.order(Order::Seek));
    let last = || {
        engine
            .take_answers()
            .pop()
            .filter(|answer| matches!(answer, Answer::Done(done) if done.starts_with("hurt")))
    };
    wait_for(last);
    let view = wait_for(|| engine.take_view());
    assert!(!view.running, "paused before, paused after");
    assert!(engine.end().is_ok());
}

#[test]
fn a_panic_of_the_simulation_is_seen_from_outside() {
    let engine = Engine::start(|| Doomed(fixture::balanced(2)), Start::bare(true, Speed::MAX)).expect("a thread");
    wait_for(|| engine.ended().then_some(()));
    assert!(engine.end().is_err());
}

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn event(&mut self) -> Event {
        const KEYS: &[u8] = b"xXrRfjklhgG+-=teiTF .,<>[]:o/nN?12345678yfhscCvdpuwbBmzZE\x08 ab/1";
        match self.roll(20) {
            0 => key(KeyCode::Enter),
            1 => key(KeyCode::Esc),
            2 => key(KeyCode::Tab),
            3 if self.roll(2) == 0 => Event::Key(KeyEvent::new(KeyCode::Char('p'), KeyModifiers::CONTROL)),
            3 => key(KeyCode::Backspace),
            4 => [KeyCode::Left, KeyCode::Right, KeyCode::Up, KeyCode::Down].map(key)[self.roll(4) as usize].clone(),
            5 => Event::Paste("kill web/1 é日本".to_string()),
            6..=8 => Event::Mouse(MouseEvent {
                kind: [
                    MouseEventKind::Down(MouseButton::Left),
                    MouseEventKind::ScrollUp,
                    MouseEventKind::ScrollDown,
                ][self.roll(3) as usize],
                column: self.roll(310) as u16,
                row: self.roll(110) as u16,
                modifiers: KeyModifiers::NONE,
            }),
            _ => key(KeyCode::Char(char::from(KEYS[self.roll(KEYS.len() as u64) as usize]))),
        }
    }
}

/// Keys are pressed at random over all kinds of systems and all sizes: 12,600 of them, or as many as `BLASTRADIUS_KEYS` says. Nothing panics, and from
/// wherever that leads, esc and q lead out.
#[test]
fn no_key_at_any_size_panics() {
    let all = std::env::var("BLASTRADIUS_KEYS")
        .ok()
        .and_then(|keys| keys.parse().ok());
    let each = all.unwrap_or(12_600_u64).div_ceil(18);
    for seed in 0..18 {
        let mut dice = Dice(seed);
        let mut fake = match seed % 18 {
            0 => fixture::single(),
            1 => fixture::balanced(2),
            2 => fixture::two_sites(3),
            3 => fixture::balanced(300),
            4 => fixture::named("日本\u{1b}x", 5),
            5 => fixture::tiers::stateful(),
            6 => fixture::tiers::scaled(),
            7 => fixture::tiers::functions(),
            8 => fixture::tiers::stored(),
            9 => fixture::data::replicated(),
            10 => fixture::data::split_brain(),
            11 => fixture::data::sharded(),
            12 => fixture::data::many_shards(),
            13 => fixture::data::peers(),
            14 => fixture::data::ring(),
            15 => fixture::queues::filling(),
            16 => fixture::queues::everything(),
            _ => fixture::two_sites(40),
        };
        let options = Options {
            ascii: seed == 1,
            ..Options::default()
        };
        let mut app = app(&mut fake, &options);
        app.tries = tries::tries(&[]);
        let (mut width, mut height) = (120, 40);
        for number in 0..each {
            if dice.roll(6) == 0 {
                (width, height) = (1 + dice.roll(300) as u16, 1 + dice.roll(100) as u16);
            }
            if dice.roll(200) == 0 {
                (width, height) = (1 + dice.roll(500) as u16, 1 + dice.roll(200) as u16);
            }
            if dice.roll(3) == 0 {
                fake.advance(Duration::from_millis(dice.roll(700)));
                app.show(view(&mut fake));
                app.tick(Duration::from_millis(33));
            }
            app.watch();
            let orders = match app.handle(&dice.event()) {
                Some(Intent::Order(order)) => vec![order],
                Some(Intent::Orders(orders)) => orders,
                _ => Vec::new(),
            };
            for order in orders {
                let Order::Do(command) = order else { continue };
                app.hear(match fake.apply(&command) {
                    Ok(done) => Answer::Done(done.0),
                    Err(error) => Answer::Refused(error.0),
                });
                app.show(view(&mut fake));
            }
            // Past the first ones a picture of each tenth is enough.
            if number < 700 || number % 10 == 0 {
                draw(&mut app, width, height);
            }
        }
        draw(&mut app, 120, 40);
        let mut ways_out = (0..12).map(|_| key(KeyCode::Esc)).chain([key(KeyCode::Char('q'))]);
        let left = ways_out.any(|event| app.handle(&event) == Some(Intent::Quit));
        assert!(left, "seed {seed}: esc and q do not lead out of {:?}", app.over);
    }
}
