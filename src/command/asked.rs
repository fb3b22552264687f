//! What people ask for, in words: `page=80,upload=5`.

use crate::layout::{Asks, bounds};

/// The weights that are meant; `None` if a word is no kind of request or has no number, or one is named twice.
pub(super) fn parse(value: &str) -> Option<Asks> {
    let mut weights = [None; Asks::NAMES.len()];
    for one in value.split(',') {
        let (name, weight) = one.split_once('=')?;
        let place = Asks::NAMES.iter().position(|known| *known == name)?;
        let weight: f64 = weight.parse().ok()?;
        if weights[place].replace(weight).is_some() {
            return None;
        }
    }
    Some(Asks::of(weights.map(Option::unwrap_or_default)))
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
