//! What is refused of experiments.

use std::fmt::Write as _;

use blastradius::command;
use blastradius::layout;

/// What stands in `experiments`, from line 5 of the file on, and the place and the words that it is refused with.
const BAD: &[(&str, &str)] = &[
    (
        r#"(do: ["kill web"])"#,
        "5:1: experiments[0]: the field `title` is missing",
    ),
    (
        r#"(title: "", do: ["kill web"])"#,
        "5:9: experiments[0].title: a title has from 1 to 60 columns, not 0",
    ),
    (
        r#"(title: "  ", do: ["kill web"])"#,
        "5:9: experiments[0].title: a title has from 1 to 60 columns, not 0",
    ),
    (
        r#"(title: "0123456789012345678901234567890123456789012345678901234567890", do: ["kill web"])"#,
        "5:9: experiments[0].title: a title has from 1 to 60 columns, not 61",
    ),
    // An escape is as wide as it is shown.
    (
        r#"(title: "\u{1b}0123456789012345678901234567890123456789012345678901234", do: ["kill web"])"#,
        "5:9: experiments[0].title: a title has from 1 to 60 columns, not 61",
    ),
    (
        "(title: \"a\", do: [\"kill web\"]),\n(title: \"a\", do: [\"kill web/1\"])",
        "6:9: experiments[1].title: another experiment has this title already",
    ),
    (r#"(title: "a")"#, "5:1: experiments[0]: the field `do` is missing"),
    (
        r#"(title: "a", do: [])"#,
        "5:18: experiments[0].do: an experiment has from 1 to 9 commands, as in [\"kill web/1\"]",
    ),
    (
        r#"(title: "a", do: ["r", "r", "r", "r", "r", "r", "r", "r", "r", "r"])"#,
        "5:18: experiments[0].do: an experiment has from 1 to 9 commands",
    ),
    (
        r#"(title: "a", do: "kill web")"#,
        "5:18: experiments[0].do: expected a list",
    ),
    (
        r#"(title: "a", do: ["surge 2", "kil web"])"#,
        "5:30: experiments[0].do[1]: unknown command `kil`; did you mean `kill`?",
    ),
    (
        r#"(title: "a", do: ["kill wep"])"#,
        "5:19: experiments[0].do[0]: kill wep: nothing is named `wep`; did you mean `web`?",
    ),
    (
        r#"(title: "a", do: ["kill web/2"])"#,
        "5:19: experiments[0].do[0]: kill web/2: ",
    ),
    (
        r#"(title: "a", do: ["set web sise 3"])"#,
        "5:19: experiments[0].do[0]: ",
    ),
    (
        r#"(title: "a", do: ["kill web"], for: "0s")"#,
        "5:37: experiments[0].for: must be from 1s to 10m, not 0ns",
    ),
    (
        r#"(title: "a", do: ["kill web"], for: "11m")"#,
        "5:37: experiments[0].for: must be from 1s to 10m, not 11m",
    ),
    (
        r#"(title: "a", do: ["kill web"], ask: Faild)"#,
        "5:37: experiments[0].ask: unknown kind `Faild`; did you mean `Failed`?",
    ),
    (
        r#"(title: "a", do: ["kill web"], ask: "Failed")"#,
        "5:37: experiments[0].ask: ",
    ),
    (
        r#"(title: "a", do: ["kill web"], shows: "faild > 0")"#,
        "5:39: experiments[0].shows: unknown measure `faild`; did you mean `failed`?",
    ),
    (
        r#"(title: "a", do: ["kill web"], shows: "up(wep) == 0")"#,
        "5:39: experiments[0].shows: there is no service \"wep\"; did you mean `web`?",
    ),
    (
        r#"(title: "a", do: ["kill web"], shows: "ok >= 99%, grace 5s")"#,
        "5:39: experiments[0].shows: a condition is a measure, a comparison and a value",
    ),
    (
        r#"(title: "a", do: ["kill web"], wy: "since")"#,
        "5:32: experiments[0]: unknown field `wy`; did you mean `why`?",
    ),
];

fn with(experiments: &str) -> String {
    format!(
        "Layout(\n    title: \"t\",\n    users: {{\"people\": (count: 10)}},\n    services: {{\"web\": Web()}}, experiments: [\n{experiments}\n    ],\n)\n"
    )
}

/// What reading a layout with these experiments, and their commands, comes to.
fn read(experiments: &str) -> Result<layout::Layout, layout::LayoutError> {
    let layout = layout::parse(&with(experiments), "t.ron")?;
    command::experiments(&layout, "t.ron")?;
    Ok(layout)
}

#[test]
fn bad_experiments_are_refused_at_their_place() {
    let mut wrong = String::new();
    for (experiments, expected) in BAD {
        let said = read(experiments).map(|_| ()).expect_err(experiments).to_string();
        if !said.starts_with(&format!("t.ron:{expected}")) || said.contains('\u{1b}') {
            let _ = writeln!(wrong, "{experiments}\n  is      {said}\n  not           {expected}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn there_are_at_most_nine_and_explanations_are_short() {
    let several = |count: usize| -> String {
        let one = |number| format!("(title: \"{number}\", do: [\"kill web\"]),\n");
        (0..count).map(one).collect()
    };
    assert_eq!(read(&several(9)).expect("nine").experiments.len(), 9);
    let error = read(&several(10)).map(|_| ()).expect_err("ten");
    assert_eq!(
        error.to_string(),
        "t.ron:14:1: experiments[9]: a layout has at most 9 experiments"
    );
    let explained = |length: usize| format!("(title: \"a\", do: [\"kill web\"], why: \"{}\")", "x".repeat(length));
    assert!(read(&explained(400)).is_ok());
    let error = read(&explained(401)).map(|_| ()).expect_err("too long");
    assert!(
        error
            .to_string()
            .starts_with("t.ron:5:37: experiments[0].why: at most 400"),
        "{error}"
    );
}

#[test]
fn what_is_not_said_of_an_experiment_has_a_default() {
    let layout = read("(title: \" a \", do: [\"kill web\"])").expect("a layout");
    let experiment = &layout.experiments[0];
    assert_eq!((experiment.title.as_str(), experiment.why.as_str()), ("a", ""));
    assert_eq!(experiment.watch, std::time::Duration::from_secs(30));
    assert_eq!((experiment.ask, &experiment.shows), (None, &None));
}
