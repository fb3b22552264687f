//! Layout files: what ships, and what is refused where.

mod refused;
mod refused_caches;
mod refused_data;
mod refused_experiments;
mod refused_queues;
mod refused_regions;
mod refused_tiers;

use blastradius::command::{self, Script};
use blastradius::layout::{self, SHIPPED, find_shipped};
use blastradius::replay::Session;

/// A tier, its utilisation, and the words that claim it.
type Claim = (&'static str, f64, &'static str);

/// Utilisations at rest that the texts of the shipped layouts claim, by full name of the tier.
const CLAIMS: [(&str, &[Claim]); 21] = [
    ("01-single-server", &[("dc/server", 0.44, "44 %")]),
    (
        "02-web-and-data-tier",
        &[("dc/web", 0.32, "32 %"), ("dc/db", 0.24, "24 %")],
    ),
    (
        "03-vertical-scaling",
        &[("dc/web", 0.16, "16 %"), ("dc/db", 0.06, "6 %")],
    ),
    (
        "04-load-balancer",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.32, "32 %"),
            ("dc/db", 0.24, "24 %"),
        ],
    ),
    (
        "05-primary-replicas",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.32, "32 %"),
            ("dc/db", 0.084, "8 %"),
        ],
    ),
    (
        "06-multi-primary",
        &[
            ("eu-west/orders", 0.122, "12 %"),
            ("eu-west/web", 0.32, "32 %"),
            ("us-east/orders", 0.122, "12 %"),
            ("us-east/web", 0.32, "32 %"),
        ],
    ),
    (
        "07-circular-replication",
        &[
            ("a/orders", 0.063, "6.3 %"),
            ("a/web", 0.32, "32 %"),
            ("b/orders", 0.063, "6.3 %"),
            ("b/web", 0.32, "32 %"),
            ("c/orders", 0.063, "6.3 %"),
            ("c/web", 0.32, "32 %"),
            ("d/orders", 0.063, "6.3 %"),
            ("d/web", 0.32, "32 %"),
        ],
    ),
    (
        "08-cache",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.32, "32 %"),
            ("dc/cache", 0.001_3, "0.1 %"),
            ("dc/db", 0.42, "42 %"),
        ],
    ),
    (
        "09-cdn",
        &[
            ("dc/lb", 0.004_2, "0.4 %"),
            ("dc/web", 0.442_7, "44 %"),
            ("dc/db", 0.079, "8 %"),
        ],
    ),
    (
        "10-stateful-web",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.16, "16 %"),
            ("dc/db", 0.24, "24 %"),
        ],
    ),
    (
        "11-stateless-web",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.32, "32 %"),
            ("dc/sessions", 0.004, "0.4 %"),
            ("dc/db", 0.24, "24 %"),
        ],
    ),
    ("12-serverless", &[("dc/db", 0.24, "24 %")]),
    (
        "13-two-data-centers",
        &[
            ("eu-west/cache", 0.009_335, "0.9 %"),
            ("eu-west/lb", 0.015, "1.5 %"),
            ("eu-west/orders", 0.067_132, "6.7 %"),
            ("eu-west/photos", 0.001_2, "0.1 %"),
            ("eu-west/resizers", 0.25, "25 %"),
            ("eu-west/web", 0.256_6, "25.7 %"),
            ("us-east/cache", 0.013_704, "1.4 %"),
            ("us-east/lb", 0.022_5, "2.2 %"),
            ("us-east/orders", 0.325, "32.5 %"),
            ("us-east/photos", 0.001_8, "0.2 %"),
            ("us-east/resizers", 0.375, "37.5 %"),
            ("us-east/web", 0.384_9, "38.5 %"),
        ],
    ),
    (
        "14-message-queue",
        &[
            ("dc/lb", 0.012, "1.2 %"),
            ("dc/web", 0.32, "32 %"),
            ("dc/db", 0.240_8, "24.1 %"),
            ("dc/broker", 0.000_24, "0.02 %"),
            ("dc/editors", 0.52, "52 %"),
        ],
    ),
    (
        "15-sharding",
        &[
            ("dc/lb", 0.03, "3 %"),
            ("dc/web", 0.8 / 3.0, "27 %"),
            ("dc/db", 0.14, "14 %"),
        ],
    ),
    (
        "16-millions-of-users",
        &[
            ("eu-west/cache", 0.004_525, "0.5 %"),
            ("eu-west/lb", 0.017_063, "1.7 %"),
            ("eu-west/orders", 0.044_698, "4.5 %"),
            ("eu-west/photos", 0.005_25, "0.5 %"),
            ("eu-west/resizers", 0.546_875, "54.7 %"),
            ("eu-west/sessions", 0.011_375, "1.1 %"),
            ("eu-west/web", 0.231_875, "23.2 %"),
            ("us-east/cache", 0.008_133, "0.8 %"),
            ("us-east/lb", 0.031_688, "3.2 %"),
            ("us-east/orders", 0.125, "12.5 %"),
            ("us-east/photos", 0.009_75, "1 %"),
            ("us-east/resizers", 0.677_083, "67.7 %"),
            ("us-east/sessions", 0.021_125, "2.1 %"),
            ("us-east/web", 0.287_083, "28.7 %"),
        ],
    ),
    (
        "20-retry-storm",
        &[
            ("guarded/lb", 0.018, "1.8 %"),
            ("guarded/web", 0.16, "16 %"),
            ("guarded/db", 0.72, "72 %"),
            ("naive/lb", 0.018, "1.8 %"),
            ("naive/web", 0.16, "16 %"),
            ("naive/db", 0.72, "72 %"),
        ],
    ),
    (
        "21-split-brain",
        &[
            ("us-east/orders", 0.08, "8 %"),
            ("us-east/web", 0.32, "32 %"),
            ("us-west/orders", 0.022, "2.2 %"),
            ("us-west/web", 0.32, "32 %"),
        ],
    ),
    (
        "22-cache-stampede",
        &[
            ("guarded/cache", 0.001_5, "0.2 %"),
            ("guarded/db", 0.013_9, "1.4 %"),
            ("guarded/lb", 0.009, "0.9 %"),
            ("guarded/web", 0.06, "6 %"),
            ("naive/cache", 0.001_5, "0.2 %"),
            ("naive/db", 0.013_9, "1.4 %"),
            ("naive/lb", 0.009, "0.9 %"),
            ("naive/web", 0.06, "6 %"),
        ],
    ),
    (
        "23-poison-message",
        &[
            ("counted/lb", 0.003, "0.3 %"),
            ("counted/web", 0.05, "5 %"),
            ("counted/photos", 0.000_15, "0.02 %"),
            ("counted/workers", 0.25, "25 %"),
            ("endless/lb", 0.003, "0.3 %"),
            ("endless/web", 0.05, "5 %"),
            ("endless/photos", 0.000_15, "0.02 %"),
            ("endless/workers", 0.25, "25 %"),
        ],
    ),
    (
        "24-three-regions",
        &[
            ("ap-southeast/lb", 0.001_5, "0.1 %"),
            ("ap-southeast/orders", 0.044, "4.4 %"),
            ("ap-southeast/web", 0.4 / 3.0, "13.3 %"),
            ("eu-west/lb", 0.001_8, "0.2 %"),
            ("eu-west/orders", 0.052, "5.2 %"),
            ("eu-west/web", 0.16, "16 %"),
            ("us-east/lb", 0.002_7, "0.3 %"),
            ("us-east/orders", 0.152, "15.2 %"),
            ("us-east/web", 0.24, "24 %"),
        ],
    ),
];

#[test]
fn every_shipped_layout_is_read_and_found_by_its_names() {
    for shipped in SHIPPED {
        let layout = layout::parse(shipped.source, &shipped.file_name()).unwrap_or_else(|error| panic!("{error}"));
        assert!(!layout.title.is_empty() && layout.about.len() > 100, "{}", shipped.file);
        assert!(!layout.expect.is_empty(), "{}", shipped.file);
        for name in [shipped.number(), shipped.file, &shipped.file_name()] {
            assert_eq!(find_shipped(name), Some(shipped));
        }
    }
    assert_eq!(find_shipped("4").map(layout::Shipped::number), Some("04"));
    assert_eq!(find_shipped("nonsense"), None);
}

#[test]
fn the_folder_holds_what_is_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/layouts");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let with_script = |shipped: &layout::Shipped| {
        let script = shipped.script.map(|_| shipped.script_name());
        [Some(shipped.file_name()), script].into_iter().flatten()
    };
    let embedded: Vec<String> = SHIPPED.iter().flat_map(with_script).collect();
    assert_eq!(files, embedded);
}

#[test]
fn every_shipped_layout_has_the_headroom_that_it_claims() {
    for shipped in SHIPPED {
        let layout = layout::parse(shipped.source, shipped.file).unwrap();
        let utilisation = layout.utilisation_at_rest();
        let claims = CLAIMS
            .iter()
            .find(|(file, _)| *file == shipped.file)
            .expect("a claim for each layout")
            .1;
        assert_eq!(utilisation.len(), claims.len(), "{}: {utilisation:?}", shipped.file);
        for (tier, claimed, text) in claims {
            // Where there are caches the closed form is an approximation with many digits.
            let near = if layout.cdns.is_empty() && !shipped.source.contains("Cache(") {
                1e-9
            } else {
                0.000_5
            };
            assert!(
                (utilisation[*tier] - claimed).abs() < near,
                "{}: {utilisation:?}",
                shipped.file
            );
            assert!(*claimed < 0.8, "{} {tier}", shipped.file);
            assert!(layout.about.contains(text), "{} does not say {text}", shipped.file);
        }
    }
}

#[test]
fn every_command_that_a_shipped_layout_suggests_can_be_given() {
    for shipped in SHIPPED {
        let layout = layout::parse(shipped.source, shipped.file).unwrap();
        let suggestions = shipped.source.lines().filter_map(|line| line.strip_prefix("//   "));
        let mut count = 0;
        for suggestion in suggestions {
            let command = suggestion.split("  ").next().unwrap_or_default();
            let script = format!("[(at: \"1s\", do: \"{command}\")]");
            let script = Script::parse(&script, shipped.file).unwrap_or_else(|error| panic!("{error}"));
            script.check(&layout).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
        assert!(count >= 4, "{}", shipped.file);
    }
}

#[test]
fn every_shipped_script_fits_its_layout() {
    for shipped in SHIPPED {
        let Some(source) = shipped.script else { continue };
        let layout = layout::parse(shipped.source, &shipped.file_name()).unwrap();
        let script = Script::parse(source, &shipped.script_name()).unwrap_or_else(|error| panic!("{error}"));
        script.check(&layout).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_same_users_climb_the_ladder() {
    // Those from 20 on stand beside the ladder. Where there are several data centers, or edges, or some who upload, the same number of people is spread over them; and
    // one database must be too small before shards are of any use, and one site before there are two.
    let users = |with: &dyn Fn(&str) -> bool| -> Vec<_> {
        let rungs = SHIPPED
            .iter()
            .filter(|shipped| shipped.number() < "20" && with(shipped.number()));
        let users = rungs.map(|shipped| layout::parse(shipped.source, shipped.file).unwrap().users);
        users.collect()
    };
    let spread = |number: &str| ["06", "07", "09", "14"].contains(&number);
    let larger = |number: &str| ["13", "15", "16"].contains(&number);
    let same = users(&|number| !spread(number) && !larger(number));
    assert!(same.windows(2).all(|pair| pair[0] == pair[1]));
    for populations in users(&spread) {
        let rate: f64 = populations.values().map(layout::Users::rate).sum();
        assert!((rate - 400.0).abs() < 1e-9, "{rate}");
    }
}

#[test]
fn the_single_server_holds_doubled_traffic_once_but_not_twice() {
    let layout = layout::parse(SHIPPED[0].source, SHIPPED[0].file).unwrap();
    let at_rest = layout.utilisation_at_rest()["dc/server"];
    assert!(2.0 * at_rest < 1.0 && 4.0 * at_rest > 1.0);
}

#[test]
fn the_smallest_layout_is_a_dozen_lines() {
    let layout = layout::parse(&refused::minimal("\"web\": Web()"), "t.ron").unwrap();
    let site = &layout.data_centers["dc"];
    assert_eq!(site.entry().map(|(name, _)| name), Some("web"));
}

/// The most requests a second of a layout whose script is run whole; of larger ones a part of the people comes, unless `BLASTRADIUS_WHOLE` is set.
const MOST_RATE: f64 = 3_000.0;

fn show(shipped: &layout::Shipped, source: &str) {
    let mut layout = layout::parse(shipped.source, &shipped.file_name()).unwrap();
    let rate: f64 = layout.users.values().map(layout::Users::rate).sum();
    if rate > MOST_RATE && std::env::var_os("BLASTRADIUS_WHOLE").is_none() {
        for population in layout.users.values_mut() {
            population.count = (population.count as f64 * MOST_RATE / rate) as u64;
        }
    }
    let script = Script::parse(source, &shipped.script_name()).unwrap_or_else(|error| panic!("{error}"));
    let mut session = Session::new(&layout, 7, &script);
    session.advance_to(script.length.expect("a script that ships says how long it is"));
    let ending = session.end();
    assert!(
        ending.passed(),
        "{}: {:?} {:?}",
        shipped.file,
        ending.verdicts,
        ending.refusals
    );
    assert!(
        ending.verdicts.len() > layout.expect.len(),
        "{} shows nothing",
        shipped.file
    );
}

#[test]
fn every_shipped_script_shows_its_point() {
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for shipped in SHIPPED.iter().skip(half).step_by(2) {
                    if let Some(source) = shipped.script {
                        show(shipped, source);
                    }
                }
            });
        }
    });
}

/// A layout with every kind and every field, most of them given.
const EVERYTHING: &str = include_str!("layouts/everything.ron");

#[test]
fn everything_that_a_layout_can_say_is_read() {
    let layout = layout::parse(EVERYTHING, "everything.ron").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(layout.data_centers["east"].entry().map(|(name, _)| name), Some("lb"));
    assert_eq!(layout.data_centers["west"].entry().map(|(name, _)| name), Some("outer"));
    let experiments = command::experiments(&layout, "everything.ron").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(experiments.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 1]);
    assert_eq!(layout.experiments[0].ask, Some(layout::Ask::Served));
    let script = "[(at: \"1s\", do: \"set web sessions store:sessions\"), (at: \"2s\", do: Set(\"web\", Max(20))),
        (at: \"3s\", do: \"kill web/20\"), (at: \"4s\", do: \"set dns check-every 1s\"), (at: \"5s\", do: \"kill near-resolver\"),
        (at: \"6s\", do: Revoke(\"near\", 0.5)), (at: \"7s\", do: \"set spare-autoscaler target 50/s\"),
        (at: \"8s\", do: Promote(\"copies/2\")), (at: \"9s\", do: Recover(\"copies/1\")), (at: \"10s\", do: Replicate(\"orders\")),
        (at: \"11s\", do: Shard(\"orders\")), (at: \"12s\", do: Skew(\"carts\", -0.3)), (at: \"13s\", do: Close(\"ring/2\")),
        (at: \"14s\", do: \"kill east/orders/10\"), (at: \"15s\", do: \"kill copies-monitor/5\"), (at: \"16s\", do: \"set near hot off\"),
        (at: \"17s\", do: Set(\"carts\", Rule(SitePriority([\"west\"])))), (at: \"18s\", do: \"set orders mode quorum\")]";
    let script = Script::parse(script, "s.ron").unwrap_or_else(|error| panic!("{error}"));
    script.check(&layout).unwrap_or_else(|error| panic!("{error}"));
}

/// The shipped layouts, and everything.
fn sources() -> Vec<&'static str> {
    SHIPPED
        .iter()
        .map(|shipped| shipped.source)
        .chain([EVERYTHING])
        .collect()
}

/// A small generator (xorshift64*), so that the mutations are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

fn mutated(source: &str, random: &mut Random) -> String {
    const SPICE: &[u8] = b"()[]{}\",:'\\#!/*-+._eEr0198 \nNaNinfSome\x00\x1b\xff\xc3";
    let mut bytes = source.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            2 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => bytes.insert(at, SPICE[random.below(SPICE.len())]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn mutated_layouts_never_panic_and_errors_point_into_the_file() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let sources = sources();
    for round in 0..20_000 {
        let source = mutated(sources[round % sources.len()], &mut random);
        if let Err(error) = layout::parse(&source, "m.ron") {
            assert!((1..=source.lines().count() + 1).contains(&error.line), "{error}");
            assert!(!error.render(&source).contains(['\u{1b}', '\0']), "{error}");
        }
    }
}

#[test]
fn whatever_is_accepted_is_ron() {
    use ron::extensions::Extensions;
    let options = ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
        .with_default_extension(Extensions::IMPLICIT_SOME);
    let mut random = Random(7);
    let mut accepted = 0;
    let sources = sources();
    for round in 0..20_000 {
        let source = mutated(sources[round % sources.len()], &mut random);
        if layout::parse(&source, "m.ron").is_ok() {
            accepted += 1;
            options
                .from_str::<serde::de::IgnoredAny>(&source)
                .unwrap_or_else(|error| panic!("{error}\n{source}"));
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}

#[test]
fn mutated_scripts_never_panic() {
    let source = "[(at: \"10s\", do: Kill(\"web/1\")), (at: \"20s\", do: \"drop web -> db 5%\"),\n(at: \"1m\", do: Surge(None, 2.5)), (at: \"2m\", do: MendAll), (at: \"3m\", do: Set(\"web\", Hedge(Some(\"50ms\")))), (at: \"4m\", do: \"set lb sticky SERVER\")]";
    let layout = layout::parse(SHIPPED[3].source, SHIPPED[3].file).unwrap();
    let mut random = Random(99);
    for _ in 0..20_000 {
        if let Ok(script) = Script::parse(&mutated(source, &mut random), "m.ron") {
            let _ = script.check(&layout);
        }
    }
}
