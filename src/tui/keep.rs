//! The layout as it has become, as a file.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::layout::printable;
use crate::observe::Topology;

use super::text;

/// Writes the layout of a world to a new file, and says so. What no layout can say stands in it as comments.
///
/// # Errors
/// In words: there is such a file already, or it can't be written.
pub fn layout(topology: &Topology, file: &Path) -> Result<String, String> {
    let name = printable(&file.display().to_string());
    let mut text = topology.layout.to_string();
    for command in topology.unkept.iter() {
        let _ = writeln!(text, "// Done while it ran, and not in this file: {command}");
    }
    let new = OpenOptions::new().write(true).create_new(true).open(file);
    let written = new.and_then(|mut new| {
        new.write_all(text.as_bytes())?;
        new.sync_all()
    });
    match written {
        Ok(()) if topology.unkept.is_empty() => Ok(format!("the layout is in {name}: blastradius play {name}")),
        Ok(()) => Ok(format!(
            "the layout is in {name}, but for {} that no layout can say: comments at its end",
            text::plural(topology.unkept.len(), "command")
        )),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{name} is there already: choose another name"))
        }
        Err(error) => Err(format!("{name} can't be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use crate::command::Command;
    use crate::layout::{find_shipped, parse};
    use crate::world::World;

    #[test]
    fn what_was_edited_is_saved_and_loads_as_it_was() {
        let shipped = find_shipped("04").expect("it is shipped");
        let layout = parse(shipped.source, shipped.file).expect("it is a layout");
        let mut world = World::build(&layout, 7);
        let commands = [
            "add cache Cache()",
            "connect web -> cache",
            "set lb check-every 500ms",
            "resize web/1 l",
        ];
        for command in commands {
            world.apply(&Command::parse(command).expect(command)).expect(command);
        }
        let folder = std::env::temp_dir().join(format!("blastradius-keep-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("shop.ron");
        let topology = &world.frame().topology;
        let said = super::layout(topology, &file).expect("it can be written");
        assert!(said.contains("but for 1 command that"), "{said}");
        let text = std::fs::read_to_string(&file).expect("it is there");
        assert!(text.ends_with("// Done while it ran, and not in this file: resize web/1 l\n"));
        let again = parse(&text, "shop.ron").expect("it loads");
        assert_eq!(again, parse(&topology.layout, "running").expect("it is one"));
        assert!(again.data_centers["dc"].services.contains_key("cache"));
        assert!(super::layout(topology, &file).unwrap_err().contains("already"));
        assert_eq!(
            std::fs::read_to_string(&file).expect("it is there"),
            text,
            "nothing was written over"
        );
        std::fs::remove_dir_all(&folder).expect("it can go");
    }
}
