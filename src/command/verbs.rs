//! The verbs, for help, completion and documentation.

/// A verb of the command language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verb {
    /// The word itself.
    pub name: &'static str,
    /// The verb with its arguments, as it is typed.
    pub usage: &'static str,
    /// An example that fits the shipped layouts.
    pub example: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
}

/// All verbs, those that hurt first.
pub const VERBS: &[Verb] = &[
    Verb {
        name: "kill",
        usage: "kill TARGET",
        example: "kill web/1",
        about: "crash processes: memory is gone, disks stay; callers hear Reset or Refused",
    },
    Verb {
        name: "destroy",
        usage: "destroy TARGET",
        example: "destroy db",
        about: "destroy machines with their disks; callers hear nothing and time out",
    },
    Verb {
        name: "mend",
        usage: "mend TARGET | mend all",
        example: "mend web/1",
        about: "start what is down, replace what is destroyed, undo slowness and network rules",
    },
    Verb {
        name: "hang",
        usage: "hang TARGET",
        example: "hang web/2",
        about: "freeze processes: they accept requests and never answer",
    },
    Verb {
        name: "slow",
        usage: "slow TARGET FACTOR",
        example: "slow db 10",
        about: "multiply all core time by 1 to 1,000",
    },
    Verb {
        name: "cut",
        usage: "cut FROM -> TO | cut FROM <-> TO",
        example: "cut web -> db",
        about: "drop everything on links: silence, not an error",
    },
    Verb {
        name: "delay",
        usage: "delay FROM -> TO TIME",
        example: "delay web -> db 100ms",
        about: "add a one-way delay of at most 60s on links",
    },
    Verb {
        name: "drop",
        usage: "drop FROM -> TO SHARE",
        example: "drop web -> db 5%",
        about: "lose a share of the packets on links; lost ones are sent again, later",
    },
    Verb {
        name: "join",
        usage: "join FROM -> TO | join FROM <-> TO",
        example: "join web -> db",
        about: "remove every rule (cut, delay, drop, bandwidth) from links",
    },
    Verb {
        name: "surge",
        usage: "surge FACTOR | surge USERS FACTOR",
        example: "surge 2",
        about: "multiply the traffic that the layout names by 0 to 1,000",
    },
    Verb {
        name: "scale",
        usage: "scale SERVICE MACHINES",
        example: "scale web 4",
        about: "set how many machines a web service or workers have",
    },
    Verb {
        name: "resize",
        usage: "resize TARGET SIZE",
        example: "resize web l",
        about: "give machines another size (xs, s, m, l, xl, 2xl, 4xl); restarts them",
    },
    Verb {
        name: "balance",
        usage: "balance BALANCER round-robin|weighted|random|least-connections|power-of-two|source-hash|consistent-hash",
        example: "balance lb round-robin",
        about: "change how a load balancer chooses",
    },
    Verb {
        name: "set",
        usage: "set TARGET SETTING VALUE",
        example: "set web retries 3",
        about: "change a setting of services while they run",
    },
    Verb {
        name: "revoke",
        usage: "revoke USERS | revoke USERS SHARE",
        example: "revoke people",
        about: "end the sessions of users, or of a share of them (always the same ones); a token can't be taken back",
    },
    Verb {
        name: "promote",
        usage: "promote NODE",
        example: "promote db/2",
        about: "make a replica the primary; the present one hands over first, if it can be reached",
    },
    Verb {
        name: "recover",
        usage: "recover NODE",
        example: "recover db/1",
        about: "give the writes that only a former primary has to the present one, unless they conflict",
    },
    Verb {
        name: "replicate",
        usage: "replicate DATABASE",
        example: "replicate db",
        about: "add a replica to each shard; it copies all rows before it has a say",
    },
    Verb {
        name: "shard",
        usage: "shard DATABASE",
        example: "shard db",
        about: "add a shard; keys move to it while all are served",
    },
    Verb {
        name: "skew",
        usage: "skew NODE TIME",
        example: "skew db/2 5s",
        about: "set wall clocks forward, or back (-300ms), by at most a day; 0s sets them right",
    },
    Verb {
        name: "flush",
        usage: "flush TARGET",
        example: "flush cache",
        about: "make caches, CDNs, browsers or resolvers forget all that they hold; empty queues",
    },
    Verb {
        name: "purge",
        usage: "purge TARGET NUMBER",
        example: "purge cdn 42",
        about: "make them forget one row, and the page and the static file of this number",
    },
    Verb {
        name: "deploy",
        usage: "deploy",
        example: "deploy",
        about: "put a new version of all static files on the site",
    },
    Verb {
        name: "poison",
        usage: "poison QUEUE",
        example: "poison photos",
        about: "publish a message that kills whoever works on it, each time",
    },
    Verb {
        name: "redrive",
        usage: "redrive QUEUE",
        example: "redrive dead-photos",
        about: "send the messages of a dead-letter queue back to where they came from",
    },
    Verb {
        name: "evacuate",
        usage: "evacuate SITE",
        example: "evacuate us-east",
        about: "send the users of a data center elsewhere, as planned work does: DNS leaves it out, what is in progress ends well",
    },
    Verb {
        name: "reopen",
        usage: "reopen SITE",
        example: "reopen us-east",
        about: "take an evacuation back",
    },
    Verb {
        name: "close",
        usage: "close NODE",
        example: "close db/3",
        about: "close a ring around a node: its successor goes on to the one before it",
    },
    Verb {
        name: "bandwidth",
        usage: "bandwidth FROM -> TO RATE | bandwidth FROM <-> TO RATE",
        example: "bandwidth web -> db 100kB",
        about: "let the messages of each sender on links pass one after another, at this rate",
    },
    Verb {
        name: "isolate",
        usage: "isolate TARGET",
        example: "isolate us-east",
        about: "lose everything between the target and the rest of the world",
    },
    Verb {
        name: "outage",
        usage: "outage TARGET",
        example: "outage dns",
        about: "the same for what others run: dns, a resolver, a CDN",
    },
    Verb {
        name: "fail",
        usage: "fail TARGET SHARE | fail TARGET SHARE checks | fail TARGET SHARE certificate",
        example: "fail web/1 20%",
        about: "answer a share of the requests with an error, while health checks pass (a gray failure)",
    },
    Verb {
        name: "leak",
        usage: "leak TARGET SHARE",
        example: "leak web/1 50%",
        about: "lose a share of the slots until the process is started again",
    },
    Verb {
        name: "disk",
        usage: "disk TARGET full | disk TARGET slow FACTOR | disk TARGET well",
        example: "disk db full",
        about: "fill disks, or slow them: databases and durable queues",
    },
    Verb {
        name: "mislead",
        usage: "mislead TARGET",
        example: "mislead dns",
        about: "let DNS lead everybody to an address where nobody answers",
    },
    Verb {
        name: "expire",
        usage: "expire TARGET | expire all",
        example: "expire cache",
        about: "end the time of all that caches, CDNs, browsers or resolvers hold",
    },
    Verb {
        name: "chaos",
        usage: "chaos on | chaos off | chaos SCOPE every TIME mend TIME",
        example: "chaos on",
        about: "kill at random by the seed (every 60s), mend after a while (20s), until it is switched off",
    },
    Verb {
        name: "add",
        usage: "add NAME KIND(FIELDS)",
        example: "add extra Cache(machines: 2)",
        about: "add a service, as a layout says it; nobody calls it until it is connected",
    },
    Verb {
        name: "remove",
        usage: "remove SERVICE",
        example: "remove cache",
        about: "remove a service that nobody calls, with all that is on its disks",
    },
    Verb {
        name: "connect",
        usage: "connect FROM -> TO",
        example: "connect web -> cache",
        about: "let a service call another one; its machines are restarted in turn",
    },
    Verb {
        name: "disconnect",
        usage: "disconnect FROM -> TO",
        example: "disconnect web -> cache",
        about: "let a service call another one no more",
    },
];
