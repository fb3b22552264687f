//! The config file, `config`, `completions`, `man` and `--version`, through the command line.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::cli::{Folder, assert_code, stderr, stdout};

/// Runs the program with this folder for its config file and nothing in the environment that it looks at.
fn run(folder: &Folder, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blastradius"));
    command.args(arguments).stdin(Stdio::null());
    for name in ["NO_COLOR", "NO_MOTION", "BLASTRADIUS_THEME", "COLORFGBG"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").env("COLORTERM", "truecolor");
    command.env("XDG_STATE_HOME", folder.path("state"));
    command.env("XDG_CONFIG_HOME", folder.path("config"));
    command.envs(variables.iter().copied());
    command.output().expect("the program starts")
}

fn write(folder: &Folder, text: &str) -> String {
    let file = folder.path("config/blastradius/config.ron");
    fs::create_dir_all(Path::new(&file).parent().expect("a folder")).expect("the folder");
    fs::write(&file, text).expect("the file");
    file
}

#[test]
fn without_a_file_everything_is_the_default() {
    let folder = Folder::new();
    let output = run(&folder, &["config"], &[]);
    assert_code(&output, 0);
    let said = stdout(&output);
    assert!(said.contains("config/blastradius/config.ron (there is none)"), "{said}");
    for field in [
        "theme    auto (dark)",
        "motion   true",
        "ascii    false",
        "mouse    true",
        "keys ",
    ] {
        let line = said.lines().find(|line| line.starts_with(field));
        assert!(line.is_some_and(|line| line.ends_with(" default")), "{field}: {said}");
    }
}

#[test]
fn each_value_says_where_it_comes_from() {
    let folder = Folder::new();
    let file = write(
        &folder,
        r#"(theme: "light", motion: false, ascii: true, keys: { "kill": ["d", "delete"] })"#,
    );
    let of = |arguments: &[&str], variables: &[(&str, &str)]| stdout(&run(&folder, arguments, variables));
    let said = of(&["config"], &[("COLORFGBG", "0;15")]);
    for words in [&file, "light", "file", "1 act has others", "kill: d delete"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let theme = |said: &str| {
        let line = said.lines().find(|line| line.starts_with("theme")).map(str::to_string);
        line.expect("the theme")
            .split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(theme(&said), "light file");
    let said = of(&["config"], &[("BLASTRADIUS_THEME", "mono")]);
    assert_eq!(theme(&said), "mono BLASTRADIUS_THEME");
    let said = of(&["config", "--theme", "terminal"], &[("BLASTRADIUS_THEME", "mono")]);
    assert_eq!(theme(&said), "terminal --theme");
    let said = of(&["config"], &[("NO_COLOR", "1")]);
    assert!(said.contains("none: NO_COLOR is set"), "{said}");
}

#[test]
fn the_example_is_a_config_file() {
    let folder = Folder::new();
    let output = run(&folder, &["config", "--example"], &[]);
    assert_code(&output, 0);
    write(&folder, &stdout(&output));
    let said = stdout(&run(&folder, &["config"], &[]));
    assert!(said.contains("those of the help page"), "{said}");
    assert!(said.contains("auto (dark)"), "{said}");
}

#[test]
fn a_bad_file_is_refused_before_anything_is_done() {
    let folder = Folder::new();
    let file = write(&folder, "(\n    theme: \"light\",\n    keys: { \"kill\": \"r\" },\n)\n");
    for arguments in [
        &["play", "04", "--linear", "--for", "1s"][..],
        &["config"],
        &["replay", "x", "--linear"],
    ] {
        let output = run(&folder, arguments, &[]);
        assert_code(&output, 2);
        assert_eq!(stdout(&output), "");
    }
    let output = run(&folder, &["config"], &[]);
    let said = stderr(&output);
    assert!(
        said.contains(&format!("{file}:3:21: keys: `r` is bound to mend and to kill")),
        "{said}"
    );
    assert!(said.contains("blastradius config --example"), "{said}");
    assert!(!Path::new(&folder.path("state")).exists(), "nothing was recorded");
    // What has no screen has no use for it.
    assert_code(&run(&folder, &["layouts"], &[]), 0);
    assert_code(&run(&folder, &["config", "--example"], &[]), 0);
}

#[test]
fn keys_that_nobody_could_see_or_press_are_refused() {
    let folder = Folder::new();
    for (key, why) in [
        ("\u{202e}", "U+202E cannot be seen"),
        ("\u{200b}", "U+200B cannot be seen"),
        ("\u{301}", "U+0301 cannot be seen"),
        ("界", "two columns wide"),
        ("f01", "there is no key `f01`"),
        ("f+2", "there is no key `f+2`"),
    ] {
        write(&folder, &format!("(keys: {{ \"kill\": \"{key}\" }})"));
        let output = run(&folder, &["config"], &[]);
        assert_code(&output, 2);
        assert_eq!(stdout(&output), "");
        assert!(stderr(&output).contains(why), "{why}: {}", stderr(&output));
    }
}

#[test]
fn a_theme_that_there_is_not_is_refused() {
    let folder = Folder::new();
    let output = run(&folder, &["config", "--theme", "ligt"], &[]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("colour-blind"), "{}", stderr(&output));
    let output = run(&folder, &["config"], &[("BLASTRADIUS_THEME", "ligt")]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("did you mean `light`?"), "{}", stderr(&output));
}

#[test]
fn shells_are_told_what_there_is_to_complete() {
    let folder = Folder::new();
    for (shell, words) in [
        ("bash", ["_blastradius()", "--no-motion", "capacity"]),
        ("zsh", ["#compdef blastradius", "--no-motion", "capacity"]),
        ("fish", ["complete -c blastradius", "no-motion", "capacity"]),
        ("powershell", ["Register-ArgumentCompleter", "--no-motion", "capacity"]),
    ] {
        let output = run(&folder, &["completions", shell], &[]);
        assert_code(&output, 0);
        for words in words {
            assert!(stdout(&output).contains(words), "{shell}: {words}");
        }
    }
    assert_code(&run(&folder, &["completions", "tcsh"], &[]), 2);
}

#[test]
fn the_manual_has_a_page_for_the_program_and_for_each_subcommand() {
    let folder = Folder::new();
    let page = stdout(&run(&folder, &["man"], &[]));
    for words in [".TH blastradius 1", ".SH SYNOPSIS", "Exit codes", "capacity"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let page = stdout(&run(&folder, &["man", "play"], &[]));
    assert!(
        page.contains(".TH blastradius-play 1") && page.contains("linear"),
        "{page}"
    );
    let output = run(&folder, &["man", "plya"], &[]);
    assert_code(&output, 2);
    assert!(stderr(&output).contains("did you mean `play`?"), "{}", stderr(&output));
}

#[test]
fn the_version_may_name_a_commit() {
    let folder = Folder::new();
    let said = stdout(&run(&folder, &["--version"], &[]));
    let rest = said
        .trim()
        .strip_prefix(concat!("blastradius ", env!("CARGO_PKG_VERSION")));
    let commit = rest.expect("the version").trim();
    let hex = |text: &str| text.chars().all(|c| c.is_ascii_hexdigit());
    let named = commit.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    assert!(commit.is_empty() || named.is_some_and(hex), "{said}");
}
