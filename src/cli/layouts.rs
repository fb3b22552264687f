//! `layouts`: what comes with the program.

use super::{Complaint, Ended, output};
use crate::layout::{self, SHIPPED, Shipped, printable};

/// Lists the shipped layouts.
pub(super) fn layouts() -> Result<Ended, Complaint> {
    let entries: Vec<String> = SHIPPED.iter().map(entry).collect::<Result<_, _>>()?;
    let hint = "Play one: blastradius play 04      Run one without a screen: blastradius run 04";
    output::say(&format!("{}\n{hint}\n", entries.concat()))?;
    Ok(Ended::Well)
}

/// Name and title, and the first sentence below.
fn entry(shipped: &Shipped) -> Result<String, Complaint> {
    let (name, source) = (shipped.file, shipped.source);
    let layout = layout::parse(source, name).map_err(|error| Complaint(error.render(source)))?;
    let (title, sentence) = (printable(&layout.title), printable(first_sentence(&layout.about)));
    Ok(format!("{name:<22}  {title}\n    {sentence}\n"))
}

/// Up to the first full stop that ends a word.
fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").map(|end| end + 1);
    text[..end.unwrap_or(text.len())].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_a_full_stop_before_a_space() {
        assert_eq!(first_sentence("One box. It does all."), "One box.");
        assert_eq!(first_sentence("Version 1.5 of it"), "Version 1.5 of it");
    }
}
