//! Health checks: what whoever checks a server believes of it.

use crate::layout::HealthCheck;
use crate::observe::{BackendView, Belief, Event};
use crate::protocol::{Failure, Reply};

/// Draws the conclusion of a check; tells what is news.
pub fn learn(view: &mut BackendView, rules: &HealthCheck, check: &Reply) -> Option<Event> {
    let server = view.id;
    let (believed, news) = match (view.believed, &check.outcome) {
        (Belief::Up { .. }, Ok(_)) => (Belief::Up { failed: 0 }, None),
        (Belief::Down { .. }, Err(_)) => (Belief::Down { passed: 0 }, None),
        (Belief::Up { failed }, Err(Failure { reason, .. })) if failed + 1 >= rules.down_after => {
            let news = Event::TakenOut {
                backend: server,
                failed: failed + 1,
                reason: *reason,
            };
            (Belief::Down { passed: 0 }, Some(news))
        }
        (Belief::Up { failed }, Err(_)) => (Belief::Up { failed: failed + 1 }, None),
        (Belief::Down { passed }, Ok(_)) if view.fresh || passed + 1 >= rules.up_after => {
            view.fresh = false;
            let news = Event::TakenIn {
                backend: server,
                passed: passed + 1,
            };
            (Belief::Up { failed: 0 }, Some(news))
        }
        (Belief::Down { passed }, Ok(_)) => (Belief::Down { passed: passed + 1 }, None),
    };
    view.believed = believed;
    news
}
