//! The commands as data.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Injection;
use super::setting::Setting;
use crate::layout::Balance;

/// Names what a command hits: a service (`web`), one instance (`web/2`), a host (`server`), a data center (`us-east`), all of them
/// with the data center in front (`us-east/web/2`, `*/web`), or a population of users. A bare name must be unambiguous.
///
/// Reading one (from text or through serde) refuses what cannot name anything; see [`Selector::parse`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selector(pub String);

/// Names links: everything between two selections, one way (`web -> db`) or both (`web <-> db`). That text is also its form in
/// files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LinkSelector {
    /// One end.
    pub from: Selector,
    /// The other end.
    pub to: Selector,
    /// Whether the way back is meant too.
    pub both: bool,
}

/// Everything that can change a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Crashes processes: memory is gone, disks stay. Callers in progress hear Reset, new ones Refused.
    Kill(Selector),
    /// Destroys machines with their disks. Callers hear nothing and time out.
    Destroy(Selector),
    /// Repairs: starts what is down or hung, replaces what was destroyed by an empty machine, removes slowness, and removes the
    /// network rules that touch the selection. What starts is booting first.
    Mend(Selector),
    /// Repairs everything, network rules and surges too.
    MendAll,
    /// Freezes processes: they accept and never answer.
    Hang(Selector),
    /// Multiplies all core time by a factor of 1 to 1,000.
    Slow(Selector, f64),
    /// Drops everything on these links. Silence, not an error.
    Cut(LinkSelector),
    /// Adds a one-way delay on these links. At most 60 s.
    Delay(LinkSelector, #[serde(with = "crate::layout::duration")] Duration),
    /// Loses packets on these links with a probability of 0 to 1; a lost packet is sent again, later.
    Drop(LinkSelector, f64),
    /// Lets the messages of each sender on these links pass one after another, at so many bytes a second.
    Bandwidth(LinkSelector, f64),
    /// Loses everything between these and the rest of the world, both ways.
    Isolate(Selector),
    /// The same for what others run: the name service, a resolver, a CDN.
    Outage(Selector),
    /// Removes every rule from these links.
    Join(LinkSelector),
    /// Multiplies the traffic that the layout names by a factor of 0 to 1,000; of one population, or of all.
    Surge(Option<Selector>, f64),
    /// Sets how many machines a web service or workers have, 1 to 100,000. New ones boot; those with the highest numbers go, after they have answered what they hold.
    Scale(Selector, u32),
    /// Gives machines another size, by a name of the catalogue. A resize restarts them: it is an outage of the machine.
    Resize(Selector, String),
    /// Changes how a load balancer chooses.
    Balance(Selector, Balance),
    /// Changes a setting of services while they run.
    Set(Selector, Setting),
    /// Ends the sessions of a share of a population's users, from 0 to 1, as far as anybody holds them: a token can't be taken back.
    Revoke(Selector, f64),
    /// Makes a replica the primary of its shard. The present primary, if it can be reached, hands over what it has first.
    Promote(Selector),
    /// Gives the writes that only a former primary has to the present one, as far as they do not conflict.
    Recover(Selector),
    /// Adds a replica to each shard of a database. It copies all rows before it has a say.
    Replicate(Selector),
    /// Adds a shard to a database, with as many nodes as the others. Keys move to it while all are served.
    Shard(Selector),
    /// Sets the wall clocks of nodes forward by so many seconds of true time, or back: at most a day. 0 sets them right.
    Skew(Selector, f64),
    /// Makes software answer a share of its requests, from 0 to 1, with an error. A restart does not cure it.
    Fail(Selector, f64, Flaw),
    /// Loses a share of the slots, from 0 to 1, until the process is started again.
    Leak(Selector, f64),
    /// Fills disks, slows them, or makes them well.
    Disk(Selector, DiskTrouble),
    /// Lets a name service lead everybody to an address where nobody is.
    Mislead(Selector),
    /// Ends the time of all that caches, CDNs, browsers or resolvers hold; of all there are where none is named.
    Expire(Option<Selector>),
    /// Makes caches, CDNs, browsers or resolvers forget all that they hold; empties queues.
    Flush(Selector),
    /// Makes caches, CDNs or browsers forget what they hold of one row, and the page and the static file of this number.
    Purge(Selector, u64),
    /// Puts a new version of all static files on the site.
    Deploy,
    /// Publishes a message to a queue that kills whoever works on it, each time.
    Poison(Selector),
    /// Sends the messages of a dead-letter queue back to where they came from.
    Redrive(Selector),
    /// Sends the users of data centers elsewhere: DNS leaves them out of its answers and CDNs don't ask them, while there is another one. What is in
    /// progress, and who still holds the old answer, is served.
    Evacuate(Selector),
    /// Takes an evacuation back.
    Reopen(Selector),
    /// Closes a ring around a node: its successor goes on to the node before it.
    Close(Selector),
    /// Injects a composite of the catalogue.
    Inject(Injection),
    /// Does it, and undoes it after so long, at most a day.
    For(Box<Command>, #[serde(with = "crate::layout::duration")] Duration),
    /// Kills at random by the seed of the world from now on, or no more.
    Chaos(Option<Chaos>),
    /// Adds a service to a data center: its name, with the data center in front if there are several, and what it is, as a layout says it. Its machines boot first.
    /// Nobody calls it before somebody is connected with it, except that a load balancer in front of the entry point becomes the entry point.
    Add(Selector, String),
    /// Removes a service that nobody calls, with all that is on its disks. Its machines answer what they hold, and leave.
    Remove(Selector),
    /// Lets a service call another one of its data center, in place of the one of that kind that it called. A balancer does so at once; others are
    /// restarted in turn, a tenth of them at a time, and call the new one from then on.
    Connect(Selector, Selector),
    /// Lets a service call another one no more, in the same way.
    Disconnect(Selector, Selector),
}

/// What is wrong with software that answers some requests with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Flaw {
    /// Requests fail, health checks pass: a gray failure.
    Requests,
    /// Health checks fail too.
    Checks,
    /// The certificate has expired: browsers, CDNs and health checks turn away.
    Certificate,
}

/// How a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum DiskTrouble {
    /// Well.
    None,
    /// Nothing more can be written.
    Full,
    /// A flush takes so many times as long, from 1 to 100,000.
    Slow(f64),
}

/// Kills at random: whom, how often, and how soon that is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chaos {
    /// Whom. All that is ours if nobody is named.
    pub scope: Option<Selector>,
    /// The mean time between two kills, from 1 s to a day. The times are exponential.
    #[serde(with = "crate::layout::duration")]
    pub every: Duration,
    /// How long until what was killed is mended, from 1 s to a day.
    #[serde(with = "crate::layout::duration")]
    pub mend: Duration,
}

/// What a command did, in one sentence for the event log, for example `killed web/1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied(pub String);

/// Why a command was refused. A refused command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError(pub String);

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CommandError {}
