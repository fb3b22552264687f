//! What the experiments of a layout do.

use super::model::Command;
use super::resolve;
use crate::layout::{Layout, LayoutError, Typed};

/// The commands of each experiment of a layout, in the order of the file, with every selector naming something of the layout, and naming it without
/// doubt. `file` is for the errors only. Instances that only exist because an experiment scales their service count as named in that experiment.
///
/// # Errors
/// The first command that cannot be read, or that names nothing or too much.
pub fn experiments(layout: &Layout, file: &str) -> Result<Vec<Vec<Command>>, LayoutError> {
    let all = layout.experiments.iter().enumerate();
    all.map(|(place, experiment)| {
        let wrong = |index: usize, typed: &Typed, message: &str| LayoutError {
            file: file.to_owned(),
            line: typed.line,
            column: typed.column,
            message: format!("experiments[{place}].do[{index}]: {message}"),
        };
        let typed = experiment.acts.iter().enumerate();
        let read = typed
            .map(|(index, typed)| Command::parse(&typed.text).map_err(|error| wrong(index, typed, &error.to_string())));
        let commands = read.collect::<Result<Vec<Command>, LayoutError>>()?;
        let named: Vec<&Command> = commands.iter().collect();
        resolve::check(&named, layout).map_err(|(index, message)| {
            wrong(
                index,
                &experiment.acts[index],
                &format!("{}: {message}", commands[index]),
            )
        })?;
        Ok(commands)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    fn read(experiments: &str) -> Result<Vec<Vec<Command>>, String> {
        let source = format!(
            "Layout(title: \"t\", users: {{\"people\": (count: 10)}}, services: {{\"web\": Web(machines: 2)}}, experiments: [\n{experiments}])"
        );
        let layout = layout::parse(&source, "l.ron").expect("a layout");
        super::experiments(&layout, "l.ron").map_err(|error| error.to_string())
    }

    #[test]
    fn commands_are_read_as_they_are_typed() {
        let read = read(
            "(title: \"a\", do: [\"kill web/1\", \"surge 2\"]), (title: \"b\", do: [\"scale web 3\", \"kill web/3\"])",
        );
        let typed: Vec<Vec<String>> = read
            .expect("commands")
            .iter()
            .map(|commands| commands.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(typed, [["kill web/1", "surge 2"], ["scale web 3", "kill web/3"]]);
    }

    #[test]
    fn what_cannot_be_done_is_refused_at_its_place() {
        for (experiment, message) in [
            (
                "(title: \"a\", do: [\"kill web\",\n  \"kil web\"])",
                "l.ron:3:3: experiments[0].do[1]: unknown command `kil`; did you mean `kill`?",
            ),
            (
                "(title: \"a\", do: [\"kill wbe/1\"])",
                "l.ron:2:19: experiments[0].do[0]: kill wbe/1: ",
            ),
            (
                "(title: \"a\", do: [\"kill web/\\u{1b}[2J\"])",
                "l.ron:2:19: experiments[0].do[0]: ",
            ),
            (
                "(title: \"a\", do: [\"\"])",
                "l.ron:2:19: experiments[0].do[0]: a command is missing",
            ),
            // What another experiment scales is not there in this one.
            (
                "(title: \"a\", do: [\"scale web 3\"]), (title: \"b\", do: [\"kill web/3\"])",
                "l.ron:2:54: experiments[1].do[0]: kill web/3: ",
            ),
        ] {
            let error = read(experiment).expect_err(experiment);
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains('\u{1b}'), "{error}");
        }
    }
}
