//! What incidents come to, told in the log as it happens.

use crate::observe::{News, Severity, Stage};
use crate::sim::SimTime;

use super::World;
use super::sentence::{aftermath, sentence};

/// Tells who was hurt, who noticed and who acted since the last time.
pub(super) fn tell(world: &mut World) {
    let news = std::mem::take(&mut world.chronicle.incidents.news);
    for (index, one) in news.iter().enumerate() {
        // Who notices and acts at once is told of once.
        let acted_too = |next: &News| next.number == one.number && next.stage == Stage::Acted;
        let both = one.stage == Stage::Noticed && news.get(index + 1).is_some_and(acted_too);
        let told = one.stage == Stage::Acted
            && index.checked_sub(1).is_some_and(|before| {
                let before = &news[before];
                before.number == one.number && before.stage == Stage::Noticed
            });
        if let Some((severity, text)) = (!told).then(|| line(world, one, both)).flatten() {
            world.chronicle.say(one.at, severity, text);
        }
    }
}

/// The line of one of them.
fn line(world: &World, news: &News, both: bool) -> Option<(Severity, String)> {
    let mut cases = world.chronicle.incidents.cases.iter();
    let case = cases.find(|case| case.incident.number == news.number)?;
    let incident = &case.incident;
    let (number, after) = (incident.number, after(incident.injected, news.at));
    let who = |milestone: &Option<crate::observe::Milestone>| milestone.as_ref().map(|milestone| milestone.who.clone());
    Some(match news.stage {
        Stage::Hurt {
            reason,
            place,
            again: true,
            ..
        } => {
            let place = world.selector_of(place);
            (
                Severity::Bad,
                format!("incident {number}: users are hurt again, {reason} at {place}"),
            )
        }
        Stage::Hurt {
            reason, place, failed, ..
        } => {
            let (who, place) = (incident.first_hurt.clone()?, world.selector_of(place));
            let what = if failed {
                format!("a request of {who} failed")
            } else {
                format!("{who} had to try again")
            };
            (
                Severity::Bad,
                format!("incident {number} hurts {after}: {what}, {reason} at {place}"),
            )
        }
        Stage::Noticed => {
            let (who, sentence) = (who(&incident.noticed)?, sentence(world, case));
            let words = if both { "notices, and acts," } else { "notices" };
            (
                Severity::Info,
                format!("incident {number}: {who} {words} {after}. {sentence}"),
            )
        }
        Stage::Acted => {
            let (who, sentence) = (who(&incident.acted)?, sentence(world, case));
            (
                Severity::Info,
                format!("incident {number}: {who} acts {after}. {sentence}"),
            )
        }
    })
}

/// Tells that users are served again, or that all is as before.
pub(super) fn tell_end(world: &mut World, number: u32, milestone: &str) {
    let mut cases = world.chronicle.incidents.cases.iter();
    let Some(case) = cases.find(|case| case.incident.number == number) else {
        return;
    };
    let incident = &case.incident;
    let text = match (milestone, incident.served) {
        ("served", Some(since)) => format!(
            "incident {number}: users are served again since {since}; {} failed, {} tried again",
            incident.failed, incident.retried
        ),
        _ => format!(
            "incident {number}: {}",
            aftermath(incident.lost_writes).to_lowercase().trim_end_matches('.')
        ),
    };
    world.say(Severity::Good, text);
}

/// How long after a fault something happened: `after 24.3s`.
fn after(injected: SimTime, at: SimTime) -> String {
    let after = at.since(injected);
    match after.as_millis() {
        0 => "at once".to_owned(),
        millis @ 1..1_000 => format!("after {millis}ms"),
        _ => format!("after {:.1}s", after.as_secs_f64()),
    }
}
