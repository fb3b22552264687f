//! What the README says is made from what there is.

use blastradius::layout::parse;
use blastradius::tui::keymap;

const README: &str = include_str!("../../README.md");

/// The text between two marks.
fn between(start: &str, end: &str) -> &'static str {
    let (_, rest) = README
        .split_once(start)
        .unwrap_or_else(|| panic!("README.md has no {start}"));
    rest.split_once(end)
        .unwrap_or_else(|| panic!("README.md has no {end}"))
        .0
        .trim()
}

#[test]
fn the_key_list_is_that_of_the_keymap() {
    let keys = between(
        "<!-- keys: made from the keymap table, do not edit -->",
        "<!-- keys end -->",
    );
    assert_eq!(
        keys,
        keymap::markdown().trim(),
        "put this into README.md:\n{}",
        keymap::markdown()
    );
}

#[test]
fn the_fault_list_is_that_of_the_catalogue() {
    let faults = between(
        "<!-- faults: made from command::FAULTS, do not edit -->",
        "<!-- faults end -->",
    );
    let table = blastradius::command::faults::markdown();
    assert_eq!(faults, table.trim(), "put this into README.md:\n{table}");
}

#[test]
fn the_example_layout_is_a_layout() {
    let example = between("this is a whole system:\n\n```ron", "```");
    parse(example, "README.md").unwrap_or_else(|error| panic!("{}", error.render(example)));
}
