//! What a person's client holds, and what becomes of sessions.

use std::time::Duration;

use crate::observe::{Event, System};
use crate::protocol::{Ended, Http, Issue, Owner, Pass, PassNews, Stamp};
use crate::sim::{Cx, InstanceId, SimTime};

use super::Population;

/// What a person's browser or app holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Client {
    pub(super) cookie: Option<InstanceId>,
    pub(super) pass: Pass,
    /// Who holds the session.
    pub(super) holder: Option<InstanceId>,
    /// Since when.
    pub(super) since: SimTime,
    /// When it ends unless it is used, and how long each use prolongs it.
    pub(super) until: SimTime,
    pub(super) ttl: Duration,
    /// The last row that the person wrote, and in which write.
    pub(super) wrote: (u64, Stamp),
}

impl Population {
    /// Keeps what the client was given, and counts what became of its session.
    pub(super) fn remember(
        &self,
        cx: &Cx<System>,
        wish: &Http,
        began: SimTime,
        given: (Option<InstanceId>, &PassNews),
    ) {
        let (cookie, news) = given;
        let person = wish.user.person();
        let probe = &self.around.probe;
        if *news == PassNews::NotAsked && cookie.is_none() {
            return;
        }
        let mut clients = self.clients.borrow_mut();
        let client = clients.entry(person).or_default();
        if cookie.is_some() {
            client.cookie = cookie;
        }
        let PassNews::Issued(issue) = news else {
            if *news == PassNews::Kept && client.pass == wish.pass {
                client.until = client.until.max(cx.now() + client.ttl);
                if self.revoked(wish.user, client.since).is_some_and(|at| began >= at) {
                    probe.count_sessions(|tally| tally.revoked_served += 1);
                }
            }
            return;
        };
        let Issue {
            ttl,
            pass,
            holder,
            because,
        } = **issue;
        // What its client knows to be over is nobody's loss, even if nobody else remembers it.
        let because = match because {
            Ended::Unknown | Ended::OtherScheme if client.until <= cx.now() => Ended::Expired,
            because => because,
        };
        // Two requests of one person at once may both have been signed in: the second one takes nothing from anybody.
        let overtaken = client.pass != wish.pass;
        let revoked = self.revoked(wish.user, client.since).is_some();
        probe.count_sessions(|tally| {
            tally.issued += 1;
            tally.signed_in += u64::from(client.pass == Pass::None);
            match because {
                _ if overtaken => {}
                Ended::Never => {}
                Ended::Expired => tally.expired += 1,
                Ended::Unknown | Ended::OtherScheme if revoked => tally.revoked += 1,
                Ended::Unknown | Ended::OtherScheme => tally.lost += 1,
            }
        });
        if because == Ended::Unknown
            && !overtaken
            && !revoked
            && let Some(holder) = client.holder
        {
            let since = client.since;
            cx.emit(Event::SignedOut { holder, since });
        }
        *client = Client {
            cookie: client.cookie,
            pass,
            holder: Some(holder),
            since: cx.now(),
            until: cx.now() + ttl,
            ttl,
            wrote: client.wrote,
        };
    }

    /// Since when the session of this user that began then is revoked, if it is.
    pub(super) fn revoked(&self, user: Owner, since: SimTime) -> Option<SimTime> {
        let revocations = self.revocations.borrow();
        let about = revocations
            .iter()
            .find(|revocation| since <= revocation.at && revocation.concerns(user));
        about.map(|revocation| revocation.at)
    }
}
