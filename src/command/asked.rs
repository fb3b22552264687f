//! What people ask for, in words: `page=80,upload=5`.

use super::selector::shown;
use crate::layout::{Asks, bounds};

/// The weights that are meant.
///
/// # Errors
/// In words: a word that is no kind of request, that has no number, or that is named twice.
pub(super) fn parse(value: &str) -> Result<Asks, String> {
    let mut weights = [None; Asks::NAMES.len()];
    for one in value.split(',') {
        let example = "written `page=80,upload=5`";
        let Some((name, weight)) = one.split_once('=') else {
            return Err(format!("`{}` has no weight: `asks` is {example}", shown(one)));
        };
        let Some(place) = Asks::NAMES.iter().position(|known| *known == name) else {
            let known = Asks::NAMES.join(", ");
            return Err(format!(
                "`{}` is no kind of request: people ask for {known}",
                shown(name)
            ));
        };
        let Ok(number) = weight.parse() else {
            let weight = shown(weight);
            return Err(format!(
                "`{weight}` is no weight, which is a number: `asks` is {example}"
            ));
        };
        if weights[place].replace(number).is_some() {
            return Err(format!("`{name}` is named twice"));
        }
    }
    Ok(Asks::of(weights.map(Option::unwrap_or_default)))
}

/// The weights as [`parse`] reads them: what is not asked for is left out.
pub(super) fn write(asks: &Asks) -> String {
    let asked = Asks::NAMES.iter().zip(asks.weights());
    let asked = asked.filter(|(_, weight)| *weight != 0.0);
    let words: Vec<String> = asked.map(|(name, weight)| format!("{name}={weight}")).collect();
    words.join(",")
}

/// Checks the bounds that hold in every world.
pub(super) fn check(asks: &Asks) -> Result<(), String> {
    for weight in asks.weights() {
        bounds::number(weight, &bounds::ASKS)?;
    }
    if asks.weights().iter().all(|weight| *weight == 0.0) {
        return Err("needs a weight above 0".to_owned());
    }
    Ok(())
}
