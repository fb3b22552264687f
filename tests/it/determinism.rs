//! One seed, one clock, one stream of commands: the same history, bit for bit, however it is run.

use std::fmt::Write as _;
use std::time::Duration;

use blastradius::command::{Command, Script};
use blastradius::layout::{Layout, SHIPPED, parse};
use blastradius::observe::Frame;
use blastradius::sim::Stream;
use blastradius::world::World;

/// Simulated length of a run.
const SECONDS: f64 = 8.0;
/// The most requests a second.
const MOST_RATE: f64 = 500.0;

/// How a run is cut up. The history must not depend on it.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Whole,
    Slices(u64),
    NarrowWindows(u64),
}

fn seeds() -> u64 {
    std::env::var("BLASTRADIUS_SEEDS")
        .ok()
        .and_then(|seeds| seeds.parse().ok())
        .unwrap_or(20)
}

/// A script of kills and repairs at random.
fn script(name: &str, seed: u64) -> Script {
    let mut chance = Stream::new(seed, name, "script");
    let acts: &[&str] = match &name[..2] {
        "01" => &[
            "kill server",
            "kill web",
            "hang db",
            "destroy server",
            "kill dns",
            "mend server",
            "mend all",
            "slow server 3",
            "surge 4",
        ],
        "04" => &[
            "kill web/1",
            "kill lb",
            "hang web/2",
            "destroy web/1",
            "mend all",
            "mend web/1",
            "scale web 4",
            "scale web 1",
            "cut lb -> web/1",
            "drop lb <-> web 10%",
            "delay web -> db 50ms",
            "join lb -> web/1",
            "resize web/2 m",
            "slow db 5",
            "surge 3",
            "kill db",
            "balance lb random",
            "balance lb power-of-two",
            "balance lb round-robin",
        ],
        "13" | "24" => &[
            "lose us-east",
            "lose eu-west for 2s",
            "mend us-east",
            "destroy us-east/web/1",
            "evacuate us-east",
            "reopen us-east",
            "set dns routing latency",
            "set dns routing geo",
            "set dns routing weighted:us-east=1,eu-west=2",
            "cut us-east <-> eu-west for 1s",
            "delay america-resolver <-> us-east 100ms",
            "bandwidth us-east/web -> us-east/orders 100kB for 2s",
            "crash-loop us-east/web/2 for 3s",
            "bad-deploy us-east/web 20%",
            "disk us-east/orders/1 full for 1s",
            "mislead dns",
            "expire all",
            "chaos every 1s mend 1s",
            "chaos off",
            "mend all",
            "surge 2 for 1s",
        ],
        _ => &[
            "kill web",
            "kill db",
            "hang web",
            "destroy db",
            "mend all",
            "cut web -> db",
            "drop web <-> db 20%",
            "resize web l",
            "slow db 8",
            "surge 2",
            "kill dns",
        ],
    };
    let mut text = String::from("[");
    for _ in 0..8 {
        let at = chance.draw().unit() * SECONDS * 0.9;
        let act = acts[chance.draw().below(acts.len() as u64) as usize];
        let _ = write!(text, "(at: \"{}ms\", do: \"{act}\"), ", (at * 1000.0) as u64);
    }
    text.push(']');
    Script::parse(&text, "random.ron").unwrap_or_else(|error| panic!("{}", error.render(&text)))
}

/// Runs the script; refused commands are part of the history.
fn history(layout: &Layout, seed: u64, script: &Script, cut: Cut, seconds: f64) -> (u64, u64, Frame) {
    let mut world = World::build(layout, seed);
    let mut slices = match cut {
        Cut::Slices(slices) => Some(Stream::new(slices, "test", "slices")),
        _ => None,
    };
    if let Cut::NarrowWindows(windows) = cut {
        world.narrow_windows(windows);
    }
    let end = Duration::from_secs_f64(seconds);
    let acts = script
        .timed()
        .into_iter()
        .map(|(at, act)| (at, Some(act)))
        .chain([(end, None)]);
    for (at, act) in acts {
        while world.now().elapsed() < at {
            let left = at.saturating_sub(world.now().elapsed());
            let slice = slices.as_mut().map_or(left, |slices| {
                Duration::from_nanos(1 + slices.draw().below(700_000_000))
            });
            world.advance(slice.min(left));
        }
        if let Some(act) = act {
            let _ = world.apply(act);
        }
    }
    (world.digest(), world.delivered(), world.frame())
}

fn reproduce(name: &str, seed: u64, script: &Script, cut: Cut) -> String {
    let steps: Vec<String> = script
        .timed()
        .into_iter()
        .map(|(at, act)| format!("(at: \"{}ns\", do: \"{act}\")", at.as_nanos()))
        .collect();
    format!(
        "layout {name}, seed {seed}, {cut:?}\nto see this history: printf '%s' '[{}]' > script.ron && \
         cargo run --release -- run {name} --seed {seed} --for {SECONDS}s --script script.ron\n\
         to repeat the test: BLASTRADIUS_SEEDS={} cargo test --test it determinism",
        steps.join(", "),
        seed + 1,
    )
}

fn check(name: &str) {
    let shipped = SHIPPED
        .iter()
        .find(|shipped| shipped.file.starts_with(name))
        .expect("a shipped layout");
    let mut layout = parse(shipped.source, shipped.file).expect("shipped layouts are right");
    // Of large layouts a part of the people comes: what can happen is the same.
    let rate: f64 = layout.users.values().map(blastradius::layout::Users::rate).sum();
    if rate > MOST_RATE {
        for population in layout.users.values_mut() {
            population.count = (population.count as f64 * MOST_RATE / rate) as u64;
        }
    }
    let layout = &layout;
    std::thread::scope(|scope| {
        // Two worlds at a time, so that every history is also made beside another one.
        for half in 0..2 {
            scope.spawn(move || {
                for seed in (0..seeds()).filter(|seed| seed % 2 == half) {
                    let script = script(shipped.file, seed);
                    let first = history(layout, seed, &script, Cut::Whole, SECONDS);
                    assert!(first.1 > 100, "nothing happened in layout {name} with seed {seed}");
                    for cut in [Cut::Whole, Cut::Slices(seed), Cut::NarrowWindows(seed)] {
                        let again = history(layout, seed, &script, cut, SECONDS);
                        assert_eq!(first, again, "{}", reproduce(shipped.file, seed, &script, cut));
                    }
                }
            });
        }
    });
}

#[test]
fn layout_01_has_one_history() {
    check("01");
}

#[test]
fn layout_02_has_one_history() {
    check("02");
}

#[test]
fn layout_03_has_one_history() {
    check("03");
}

#[test]
fn layout_04_has_one_history() {
    check("04");
}

#[test]
fn other_seeds_and_other_commands_make_other_histories() {
    let layout = crate::build::shipped("04");
    let nothing = Script::default();
    let one = history(&layout, 1, &nothing, Cut::Whole, SECONDS);
    assert_ne!(one, history(&layout, 2, &nothing, Cut::Whole, SECONDS));
    let mut world = World::build(&layout, 1);
    world.advance(Duration::from_secs(2));
    world
        .apply(&Command::parse("kill web/1").expect("a command"))
        .expect("web/1 can be killed");
    world.advance(Duration::from_secs_f64(SECONDS - 2.0));
    assert_ne!(one.0, world.digest());
}

#[test]
fn branches_see_the_same_traffic() {
    let layout = crate::build::shipped("04");
    let sent = |command: Option<&str>| {
        let mut world = World::build(&layout, 9);
        world.advance(Duration::from_secs(3));
        if let Some(command) = command {
            world
                .apply(&Command::parse(command).expect("a command"))
                .expect("it can be done");
        }
        world.advance(Duration::from_secs(10));
        let frame = world.frame();
        frame
            .history
            .iter()
            .map(|sample| sample.tally.sent)
            .collect::<Vec<u64>>()
    };
    let undisturbed = sent(None);
    for command in ["kill web/1", "kill lb", "destroy db", "hang web/2", "cut lb <-> web"] {
        assert_eq!(undisturbed, sent(Some(command)), "{command}");
    }
}

#[test]
fn the_order_in_the_file_does_not_matter() {
    let source = |services: &str| {
        format!(
            r#"Layout(title: "t", about: "", users: {{ "people": (count: 1_000, every: "5s") }}, services: {{ {services} }})"#
        )
    };
    let (a, b, c) = (
        r#""lb": LoadBalancer(to: "web"), "#,
        r#""web": Web(machines: 2, database: "db"), "#,
        r#""db": Database(), "#,
    );
    let digest = |services: String| {
        let mut world = World::build(&crate::build::layout(&source(&services)), 4);
        world.advance(Duration::from_secs(5));
        world.digest()
    };
    assert_eq!(digest(format!("{a}{b}{c}")), digest(format!("{c}{a}{b}")));
}

#[test]
fn a_rough_network_and_two_sites_have_one_history() {
    // Everything at once: jitter, loss, two data centers, several busy senders on each link, timeouts that fall due while machines are gone.
    let layout = crate::build::layout(
        r#"Layout(title: "rough", about: "",
            users: {
                "east": (count: 1_500, every: "1s", patience: "1s"),
                "west": (count: 500, every: "1s", patience: "800ms", resolvers: 3),
            },
            dns: (ttl: "3s", timeout: "200ms"),
            network: (jitter: "2ms", loss: 0.01),
            data_centers: {
                "a": (services: {
                    "lb": LoadBalancer(to: "web", balance: PowerOfTwo, calls: (timeout: "500ms"), health: (every: "500ms", timeout: "200ms")),
                    "web": Web(machines: 4, database: "db", calls: {"db": (timeout: "300ms")}, boot: "1s"), "db": Database(boot: "1s") }),
                "b": (services: {
                    "lb": LoadBalancer(to: "web", balance: Random, calls: (timeout: "500ms")),
                    "web": Web(machines: 3, database: "db", boot: "1s"), "db": Database(boot: "1s") }),
            },
        )"#,
    );
    let acts = [
        "destroy a/lb",
        "destroy a/web/1",
        "hang a/db",
        "kill b/db",
        "mend all",
        "mend a/lb",
        "cut a/lb <-> a/web",
        "scale a/web 6",
        "scale a/web 2",
        "kill dns",
        "mend dns",
        "destroy b",
        "mend b",
        "surge west 3",
        "drop a/web -> a/db 30%",
        "slow a/db 4",
        "resize b/web l",
        "hang a",
    ];
    for seed in 0..seeds().div_ceil(4) {
        let mut chance = Stream::new(seed, "rough", "script");
        let steps: Vec<String> = (0..24)
            .map(|_| {
                let at = (chance.draw().unit() * 28_000.0) as u64;
                format!(
                    "(at: \"{at}ms\", do: \"{}\")",
                    acts[chance.draw().below(acts.len() as u64) as usize]
                )
            })
            .collect();
        let text = format!("[{}]", steps.join(", "));
        let script = Script::parse(&text, "random.ron").unwrap_or_else(|error| panic!("{}", error.render(&text)));
        let first = history(&layout, seed, &script, Cut::Whole, 30.0);
        for cut in [Cut::Slices(seed), Cut::NarrowWindows(seed)] {
            let again = history(&layout, seed, &script, cut, 30.0);
            assert_eq!(
                (first.0, first.1),
                (again.0, again.1),
                "{}",
                reproduce("rough", seed, &script, cut)
            );
            assert!(
                first.2 == again.2,
                "frames differ: {}",
                reproduce("rough", seed, &script, cut)
            );
        }
    }
}

#[test]
fn every_kind_of_service_has_one_history() {
    let source = include_str!("layouts/everything.ron");
    let layout = parse(source, "everything.ron").unwrap_or_else(|error| panic!("{}", error.render(source)));
    let acts = [
        "kill east/lb/1",
        "mend east/lb/1",
        "cut east/lb/1 <-> east/lb/2",
        "kill east/web/2",
        "destroy east/box",
        "mend all",
        "kill west/fn",
        "kill far-resolver",
        "kill dns",
        "slow west/db 30",
        "hang sessions",
        "surge near 3",
        "surge 0.2",
        "set east/web sessions token",
        "set east/web sessions local",
        "set east/web sessions store:sessions",
        "set fn breaker on",
        "set fn retries 3",
        "set east/web hedge 5ms",
        "set east/lb sticky off",
        "set east/lb outlier on",
        "set east/web min 4",
        "set dns ttl 2s",
        "set near connections 20",
        "revoke near 40%",
        "balance east/lb consistent-hash",
        "balance inner power-of-two",
        "scale east/web 5",
    ];
    for seed in 0..seeds().div_ceil(4) {
        let mut chance = Stream::new(seed, "everything", "script");
        let mut text = String::from("[");
        for _ in 0..20 {
            let at = (chance.draw().unit() * 25_000.0) as u64;
            let act = acts[chance.draw().below(acts.len() as u64) as usize];
            let _ = write!(text, "(at: \"{at}ms\", do: \"{act}\"), ");
        }
        text.push(']');
        let script = Script::parse(&text, "random.ron").unwrap_or_else(|error| panic!("{}", error.render(&text)));
        let first = history(&layout, seed, &script, Cut::Whole, 30.0);
        for cut in [Cut::Slices(seed), Cut::NarrowWindows(seed)] {
            let again = history(&layout, seed, &script, cut, 30.0);
            let how = reproduce("everything", seed, &script, cut);
            assert_eq!((first.0, first.1), (again.0, again.1), "{how}");
            assert!(first.2 == again.2, "frames differ: {how}");
        }
    }
}

#[test]
fn layout_13_has_one_history() {
    check("13");
}

#[test]
fn layout_24_has_one_history() {
    check("24");
}
