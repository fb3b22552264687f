//! Expectations that a layout carries: what must hold in every run.

use std::time::Duration;

/// One expectation over a named measure, evaluated every 100 ms of simulated time.
///
/// In a layout: `At("50s", "ok >= 99%")`, `Always("p99 < 200ms, grace 5s")`, `Eventually("ok >= 99.9%")`, `Sometimes("up(web) < 2")`. The text is a measure, one
/// of `<` `<=` `==` `>=` `>`, and a value in the measure's unit: a share (`99.9%`), a duration (`200ms`), a count (`0`), a rate
/// (`400/s`) or a price (`$2.50/h`). `Always` may end in `, grace TIME`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// How often it must hold.
    pub quantifier: Quantifier,
    /// What is measured.
    pub measure: Measure,
    /// How it is compared.
    pub comparison: Comparison,
    /// The bound, in the measure's unit (seconds, a ratio from 0 to 1, or a count).
    pub bound: f64,
    /// For `Always`: not judged for so long after a command hurt or healed something.
    pub grace: Duration,
    /// The text as it stands in the layout, for reports; blanks are evened out, so that it is fit to be shown.
    pub text: String,
}

/// How often an expectation must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// At every evaluation, except within the grace period after a command.
    Always,
    /// At the end of the run.
    Eventually,
    /// At least once.
    Sometimes,
    /// At this time from the start of the run.
    At(Duration),
}

/// What an expectation measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Share of the requests answered in the last 10 s that succeeded (1 when there were none).
    Ok,
    /// The same share for the requests of one population.
    OkOf(String),
    /// Requests failed since the start.
    Failed,
    /// Requests that were retried on another server since the start.
    Retried,
    /// Acknowledged writes that no disk holds any more, of all databases; so in all measures of promises.
    Lost,
    /// Acknowledged writes that no node which takes part holds now, though some disk does.
    Missing,
    /// Acknowledged writes that would be lost if the primaries' machines were destroyed now.
    AtRisk,
    /// Writes since the start of which nobody was told whether they were done.
    Unknown,
    /// Reads since the start that returned old data: a newer write had been acknowledged before the user asked.
    Stale,
    /// Reads since the start, of sampled users, that did not find what the same user had written.
    Unseen,
    /// Reads since the start, of sampled users, that returned an older version than the same user had seen.
    Backwards,
    /// Conflicting writes since the start: those of which one was dropped, the merged ones, and those that are kept beside each other.
    Conflicts,
    /// Those of them of which the later one was dropped, by the true time.
    DroppedLater,
    /// Writes since the start that a former primary had put aside and that the new one wrote anew.
    Replayed,
    /// Writes since the start that a former primary had put aside and that were given up for others.
    GivenUp,
    /// Requests a second over the last 10 s.
    Rate,
    /// Median latency of the last 10 s, in seconds.
    P50,
    /// 95th percentile of latency of the last 10 s, in seconds.
    P95,
    /// 99th percentile of latency of the last 10 s, in seconds.
    P99,
    /// Times since the start that a user who was signed in was found not to be any more.
    SignedOut,
    /// What all of it costs now, in US dollars an hour.
    Cost,
    /// Number of a service's instances that are up. The service is named by its shortest selector: `web`, or `us-east/web` if
    /// there are several; so in all measures of services. It may also be `dns`, a resolver, an autoscaler or the monitors of a database. A
    /// database of several data centers, named without them, is meant with all its nodes.
    Up(String),
    /// Mean share of a service's cores in use over the last second.
    Utilisation(String),
    /// Requests that wait for a slot of a service now.
    Backlog(String),
    /// Machines that a service has now: booting ones among them, those that are leaving not.
    Machines(String),
    /// Sessions that a web tier or a session store holds now.
    Sessions(String),
    /// Share of the look-ups of a cache, a CDN, its shield, the near copies of a web tier, or the browsers of a population over the last 10 s that were hits; 1 when there
    /// were none.
    Hit(String),
    /// Look-ups since the start of any of those that were no hits.
    Misses(String),
    /// Times since the start that several loads of one key of a cache or a CDN were in progress at once, at least eight.
    Stampedes(String),
    /// Requests a second that a service received over the last second.
    Load(String),
    /// Something of a queue, which is named by its shortest selector.
    Queue(QueueMeasure, String),
    /// Messages that the outboxes of a web tier hold now.
    Outbox(String),
    /// Static files since the start that were older than those of the site.
    StaleAssets,
    /// The largest lag of the nodes of a database that are up, in seconds: how old the oldest entry is that a node lacks. A database
    /// of several data centers is named alone, without any of them, and is meant with all its nodes; so in all measures of databases.
    Lag(String),
    /// The most entries that a node of a database that is up lacks.
    Behind(String),
    /// Nodes of a database that take writes as primary now: the most in any shard.
    Primaries(String),
    /// Nodes of a database that are up and whose rows differ from those of the furthest node of their shard.
    Diverged(String),
    /// Rows that a database has now.
    Rows(String),
    /// Share of the moving keys of a database that have not moved yet; 0 when none move.
    Moving(String),
}

/// What is measured of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueMeasure {
    /// Messages that wait now to be handed out.
    Waiting,
    /// Messages that are handed out now and not acknowledged.
    InFlight,
    /// How long ago the oldest message that waits was published, in seconds; 0 if none waits.
    Oldest,
    /// Messages handed out since the start that had been handed out before.
    Redelivered,
    /// Jobs since the start whose users were told that they will be done, or that the queue confirmed.
    Accepted,
    /// Jobs since the start that were done.
    Done,
    /// Effects since the start beyond the first of their job.
    Duplicated,
    /// Jobs that are dead now: in the dead-letter queue, or thrown away after all their attempts.
    Dead,
    /// Jobs that nobody holds any more, though they were accepted and not done.
    LostJobs,
    /// Jobs since the start whose retention was over before they were done, and those that somebody threw away.
    Expired,
}

impl QueueMeasure {
    /// All of them with the words for them.
    pub(super) const WORDS: [(&'static str, QueueMeasure); 10] = [
        ("waiting", QueueMeasure::Waiting),
        ("in_flight", QueueMeasure::InFlight),
        ("oldest", QueueMeasure::Oldest),
        ("redelivered", QueueMeasure::Redelivered),
        ("accepted", QueueMeasure::Accepted),
        ("done", QueueMeasure::Done),
        ("duplicated", QueueMeasure::Duplicated),
        ("dead", QueueMeasure::Dead),
        ("lost_jobs", QueueMeasure::LostJobs),
        ("expired", QueueMeasure::Expired),
    ];
}

/// How a measure is compared with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

impl Comparison {
    /// Whether `value` stands in this relation to `bound`.
    #[allow(clippy::float_cmp, reason = "counts compare exactly")]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::Less => value < bound,
            Comparison::AtMost => value <= bound,
            Comparison::Equal => value == bound,
            Comparison::AtLeast => value >= bound,
            Comparison::More => value > bound,
        }
    }
}
