//! The report as a document: Markdown, HTML, and the seconds as CSV. Names in it may be hostile.

use std::sync::Arc;
use std::time::Duration;

use blastradius::observe::{Sample, Tally};
use blastradius::replay::Ending;
use blastradius::report::{Document, Report, Seconds, csv, html, markdown};
use blastradius::sim::SimTime;

use super::{at, ending, frame};

/// Names that a layout may hold and that a page must show as they are.
pub const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onload='alert(1)",
    "&lt;b&gt;",
    "-->]]></style></title>",
    "a|b`c\\|d",
    "\u{1b}[2J\u{7}\u{0}",
    "\u{202e}evil",
    "שרת/1",
    "$x$ @somebody #12 https://example.com",
    "=HYPERLINK(\"x\")",
    "- 1. # >",
];

/// The made-up run with a second for each of its time.
fn seconds() -> Seconds {
    let mut frame = frame();
    frame.history = (1..=60)
        .map(|second| {
            let hurt = (21..=25).contains(&second);
            Sample {
                at: SimTime(second * 1_000_000_000),
                tally: Tally {
                    sent: 400,
                    ok: if hurt { 330 } else { 400 },
                    failed: if hurt { 70 } else { 0 },
                    retried: if hurt { 241 } else { 0 },
                },
                p50: if second == 1 {
                    Duration::ZERO
                } else {
                    Duration::from_micros(9_800)
                },
                p99: if second == 1 {
                    Duration::ZERO
                } else {
                    Duration::from_millis(184)
                },
            }
        })
        .collect();
    let mut seconds = Seconds::default();
    seconds.look(&frame);
    seconds
}

fn document(ending: &Ending) -> Document {
    let report = Report::new("04-load-balancer", ending);
    Document::new(&report, &seconds(), "blastradius replay outage.replay.ron --report")
}

/// The made-up run with this name wherever a layout or a person can put one.
pub fn hostile(name: &str) -> (Document, Seconds) {
    let mut ending = ending();
    let topology = Arc::make_mut(&mut ending.frame.topology);
    topology.title = name.to_string();
    for service in &mut topology.services {
        service.selector = name.to_string();
        for instance in &mut service.instances {
            instance.selector = name.to_string();
            instance.machine = name.to_string();
        }
    }
    for incident in &mut ending.frame.incidents {
        incident.what = format!("killed {name}");
        incident.target = name.to_string();
        incident.first_hurt = Some(name.to_string());
        incident.noticed.as_mut().expect("it was noticed").who = name.to_string();
        incident.sentence = name.to_string();
    }
    for line in &mut ending.frame.log {
        line.text = name.to_string();
    }
    ending.frame.causes[0].at = name.to_string();
    ending.verdicts[0].text = name.to_string();
    let report = Report::new(name, &ending);
    let seconds = seconds();
    (
        Document::new(&report, &seconds, "blastradius run 'x' --for 60s"),
        seconds,
    )
}

fn assert_has(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "`{words}` is missing in:\n{text}");
    }
}

#[test]
fn an_incident_is_told_in_plain_words() {
    let text = markdown(&document(&ending()));
    assert_has(
        &text,
        &[
            "# Incident report: Two &#92;u{1b}\\]0;servers\n",
            "In 1 min of simulated time users sent 24,008 requests. 98.4% of those that ended were answered well, and 372 failed; 1,204 \
             requests were tried again. There was one incident: killed web/1 at 00:20.000. It was noticed after 5.01 s by `lb`, and \
             users were served as before after 5.10 s. No write was lost of which users were told that it is safe. Of 2 expectations, 1 \
             did not hold. 2 steps of the script were not done.\n",
            "\n## Incident 1: killed web/1\n\nAt 00:20.000 of the run this was done: killed web/1. It hit `web/1`.\n",
            "| Milestone | Since the fault | Moment | What |\n| --- | --: | --: | --- |\n| Injected | +0 ms | 00:20.000 | killed web/1 |\n\
             | Hurt | +4 ms | 00:20.004 | first `everyone`: a request failed or had to be tried again. |\n\
             | Noticed | +5.01 s | 00:25.012 | by `lb`. |\n",
            "| Served | +5.10 s | 00:25.100 | Users were served as before. |\n\
             | Healed | – | – | Not reached: not all was as before when the run ended. |\n",
            "| Time to detect | 5.01 s | from the fault until noticed by `lb` |\n\
             | Time to recover | 5.10 s | from the fault until users were served as before |\n\
             | Requests failed | 372 | 18.2% of the 2,040 sent until served |\n",
            "Causes that arose there, in the whole run: 1,576 requests “refused” at `web/1`.\n",
            "| +5.01 s | lb took web/1 out: 3 checks failed |\n",
            "To see it again:\n\n```sh\nblastradius replay outage.replay.ron --report\n```\n",
            "| failed | `sometimes p99 < 200ms` | 412.0ms, first at 00:21.300 |\n",
            "| `web` | web | 1 of 2 |",
            "| 00:30.000 | `kill web/9` | there is no web/9 | line 3, column 17 |",
        ],
    );
}

#[test]
fn what_was_not_reached_says_so() {
    let mut ending = ending();
    let incident = &mut ending.frame.incidents[0];
    (incident.hurt, incident.first_hurt, incident.noticed) = (None, None, None);
    (incident.acted, incident.served) = (None, None);
    let text = markdown(&document(&ending));
    assert_has(
        &text,
        &[
            "Nobody noticed, and users felt nothing.",
            "| Hurt | – | – | Not reached: no request failed or had to be tried again. |",
            "| Noticed | – | – | Not reached: nobody noticed. |",
            "| Served | – | – | Not reached: there was no need. |",
            "| Time to detect | not noticed | within the 40.0 s until the end of the run |",
            "| Time to recover | none | users felt nothing |",
        ],
    );
    ending.frame.incidents[0].hurt = Some(at(21.0));
    let text = markdown(&document(&ending));
    assert_has(
        &text,
        &[
            "| Time to recover | not recovered |",
            "not served as before when the run ended",
        ],
    );
    ending.frame.incidents.clear();
    let text = markdown(&document(&ending));
    assert!(text.starts_with("# Report of a run: "), "{text}");
    assert_has(&text, &["Nothing was broken."]);
}

#[test]
fn the_csv_has_a_row_for_each_second_and_only_figures() {
    let text = csv(&seconds());
    assert!(
        text.starts_with("time_s,sent,ok,failed,retried,p50_ms,p99_ms\r\n1,400,400,0,0,,\r\n2,400,400,0,0,9.8,184\r\n")
    );
    assert_eq!(text.matches("\r\n").count(), 61);
    assert_eq!(text.matches('\n').count(), 61);
    for row in text.split_terminator("\r\n").skip(1) {
        assert_eq!(row.split(',').count(), 7, "{row}");
        assert!(row.chars().all(|c| c.is_ascii_digit() || ",.".contains(c)), "{row}");
    }
    let document = include_str!("../../../docs/reports.md");
    for field in text.lines().next().expect("a header").split(',') {
        assert!(
            document.contains(&format!("| `{}` |", field.trim())),
            "`{field}` is not documented"
        );
    }
}

#[test]
fn seconds_are_collected_over_several_looks() {
    let mut frame = frame();
    let mut seconds = Seconds::default();
    for end in [200, 400, 450_u64] {
        let sample = |second: u64| Sample {
            at: SimTime(second * 1_000_000_000),
            tally: Tally::default(),
            p50: Duration::ZERO,
            p99: Duration::ZERO,
        };
        frame.history = (end.saturating_sub(239).max(1)..=end).map(sample).collect();
        seconds.look(&frame);
    }
    let times: Vec<u64> = seconds
        .samples()
        .iter()
        .map(|sample| sample.at.0 / 1_000_000_000)
        .collect();
    assert_eq!(times, (1..=450).collect::<Vec<_>>());
}

#[test]
fn equal_runs_give_equal_bytes() {
    let make = || {
        let (document, seconds) = hostile(HOSTILE[0]);
        (markdown(&document), html(&document, &seconds), csv(&seconds))
    };
    assert_eq!(make(), make());
}

/// Every tag of a page that opens is closed, in order, and is one that the program writes.
fn assert_well_formed(page: &str) {
    const KNOWN: &str = " html head title style body main header p h1 h2 dl dt dd div nav ul ol li a b section span bdi pre code table caption \
                         thead tbody tr th td figure figcaption svg desc g text ";
    const SINGLE: &str = " !DOCTYPE meta path rect ";
    let mut open = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = rest[start..].find('>').map(|end| start + end).expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes what is not open");
        } else if !SINGLE.contains(&format!(" {name} ")) {
            assert!(KNOWN.contains(&format!(" {name} ")), "<{tag}> is no tag of ours");
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn a_page_shows_hostile_names_as_they_are() {
    let long = "x".repeat(20_000);
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let (document, seconds) = hostile(name);
        let page = html(&document, &seconds);
        assert_well_formed(&page);
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{name:?}");
        assert!(!page.contains('\u{202e}'), "{name:?}");
        for asked in [
            "<script",
            "<img",
            "<link",
            "src=",
            "url(",
            "@import",
            " onload=",
            " onerror=",
        ] {
            let shown = page.matches(asked).count();
            // Attributes of ours never have these names; what is shown of a name stands outside of tags.
            let inside = page
                .split('<')
                .filter(|tag| tag.split('>').next().unwrap_or_default().contains(asked));
            assert_eq!(inside.count(), 0, "{asked} for {name:?}, shown {shown} times");
        }
        assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    }
    let (document, seconds) = hostile(HOSTILE[0]);
    assert_has(
        &html(&document, &seconds),
        &["<h1><bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi></h1>"],
    );
}

#[test]
fn pictures_say_what_they_show() {
    let document = document(&ending());
    let page = html(&document, &seconds());
    for picture in page.split("<svg class=\"plot").skip(1) {
        assert_has(
            picture,
            &[
                "role=\"img\"",
                "<title id=",
                "<desc id=",
                "Incident 1: killed web/1, from 00:20.000 to 01:00.000.",
            ],
        );
    }
    assert_eq!(page.matches("<svg class=\"plot").count(), 4);
    assert_eq!(
        page.matches("<table>").count(),
        page.matches("<p class=\"caption\">").count()
    );
    assert_has(
        &page,
        &["At most 400 requests ended in a second. At most 70 failed and 241 were tried again in one."],
    );
    let empty = html(&document, &Seconds::default());
    assert_well_formed(&empty);
    assert_has(&empty, &["there is nothing to draw"]);
}

#[test]
fn hostile_names_do_not_become_markdown() {
    for name in HOSTILE {
        let (document, _) = hostile(name);
        let text = markdown(&document);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name:?}");
        // Every row of a table has as many cells as its head: no name ends a cell.
        let mut cells = 0;
        for line in text.lines() {
            let pipes = line.matches('|').count();
            if cells == 0 || !line.starts_with('|') {
                cells = if line.starts_with('|') { pipes } else { 0 };
            }
            assert_eq!(pipes, cells, "{name:?}: {line}");
        }
        // What is outside of code holds no markup.
        let outside: String = text.split('`').step_by(2).collect();
        for markup in ["<script", "<img", "https://", "@somebody", "#12 ", "$x$"] {
            assert!(!outside.contains(markup), "{markup} for {name:?} in:\n{text}");
        }
    }
}
