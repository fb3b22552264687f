//! What is refused of the web tier: policies of calls, pairs, sessions, autoscalers, functions, reserved names.

use super::refused::{assert_refused, minimal};

/// Services (from line 5 of the file on) and the position and message that they are refused with.
const BAD_SERVICES: &[(&str, &str)] = &[
    // Policies of calls.
    (
        "\"lb\": LoadBalancer(to: \"web\", retries: 1), \"web\": Web()",
        "5:31: services.lb: unknown field `retries`; it stands in `calls`",
    ),
    (
        "\"web\": Web(timeout: \"2s\")",
        "5:12: services.web: unknown field `timeout`; it stands in `calls`",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (timeout: \"0s\")), \"web\": Web()",
        "5:48: services.lb.calls.timeout: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (retries: 101)), \"web\": Web()",
        "5:48: services.lb.calls.retries: must be from 0 to 100, not 101",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (retries: None)), \"web\": Web()",
        "5:48: services.lb.calls.retries: expected a whole number from 0 to 4,294,967,295, found the name `None`",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (budget: 10.5)), \"web\": Web()",
        "5:47: services.lb.calls.budget: must be from 0 to 10, not 10.5",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (backoff: \"2m\")), \"web\": Web()",
        "5:48: services.lb.calls.backoff: must be from 0ns to 1m, not 2m",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (backoff: \"5s\", backoff_most: \"2s\")), \"web\": Web()",
        "5:48: services.lb.calls.backoff: the first wait, 5s, is longer than the longest, `backoff_most`: 2s",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (backoff_most: \"0s\")), \"web\": Web()",
        "5:53: services.lb.calls.backoff_most: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (hedge: \"0ms\")), \"web\": Web()",
        "5:46: services.lb.calls.hedge: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (hedge: 5)), \"web\": Web()",
        "5:46: services.lb.calls.hedge: expected a text in double quotes, found `5`",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (connections: 0)), \"web\": Web()",
        "5:52: services.lb.calls.connections: must be from 1 to 1,000,000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: {\"web\": ()}), \"web\": Web()",
        "5:38: services.lb.calls: expected fields in parentheses, ( name: .. ), found names in braces",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: (errors: 0))), \"web\": Web()",
        "5:57: services.lb.calls.breaker.errors: must be above 0 and at most 1, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: (window: \"0s\"))), \"web\": Web()",
        "5:57: services.lb.calls.breaker.window: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: (open: \"0s\"))), \"web\": Web()",
        "5:55: services.lb.calls.breaker.open: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: (calls: 0))), \"web\": Web()",
        "5:56: services.lb.calls.breaker.calls: must be from 1 to 1,000,000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: (probes: 0))), \"web\": Web()",
        "5:57: services.lb.calls.breaker.probes: must be from 1 to 1,000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", calls: (breaker: true)), \"web\": Web()",
        "5:48: services.lb.calls.breaker: expected fields in parentheses, ( name: .. ), found `true`",
    ),
    (
        "\"web\": Web(database: \"db\", calls: {\"bd\": ()}), \"db\": Database()",
        "5:36: services.web.calls: \"bd\" is not called from here; did you mean `db`?",
    ),
    (
        "\"web\": Web(calls: {\"db\": ()}), \"db\": Database()",
        "5:20: services.web.calls: \"db\" is not called from here; it calls nobody",
    ),
    (
        "\"web\": Web(database: \"db\", calls: {\"web\": ()}), \"db\": Database(), \"sessions\": SessionStore()",
        "5:36: services.web.calls: \"web\" is not called from here; it may call db, sessions",
    ),
    (
        "\"web\": Web(database: \"db\", calls: {\"db\": (timeout: \"0s\")}), \"db\": Database()",
        "5:52: services.web.calls.db.timeout: must be longer than 0",
    ),
    // Limits and checks.
    (
        "\"web\": Web(rate_limit: (burst: 5))",
        "5:24: services.web.rate_limit: the field `rate` is missing",
    ),
    (
        "\"web\": Web(rate_limit: (rate: 0))",
        "5:31: services.web.rate_limit.rate: must be above 0 and at most 10000000, not 0",
    ),
    (
        "\"web\": Web(rate_limit: (rate: 5, burst: 0))",
        "5:41: services.web.rate_limit.burst: must be from 1 to 1,000,000, not 0",
    ),
    (
        "\"web\": Web(shed: \"0s\")",
        "5:18: services.web.shed: must be longer than 0",
    ),
    (
        "\"web\": Web(drain: \"200h\")",
        "5:19: services.web.drain: must be from 0ns to 168h, not 200h",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", health: (down_after: 0)), \"web\": Web()",
        "5:52: services.lb.health.down_after: must be from 1 to 1,000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", outlier: (errors: 0)), \"web\": Web()",
        "5:49: services.lb.outlier.errors: must be from 1 to 1,000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", outlier: (eject: \"0s\")), \"web\": Web()",
        "5:48: services.lb.outlier.eject: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", outlier: (most: 1.5)), \"web\": Web()",
        "5:47: services.lb.outlier.most: must be from 0 to 1, not 1.5",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", slow_start: \"200h\"), \"web\": Web()",
        "5:43: services.lb.slow_start: must be from 0ns to 168h, not 200h",
    ),
    // Several balancers.
    (
        "\"lb\": LoadBalancer(to: \"web\", machines: 17), \"web\": Web()",
        "5:41: services.lb.machines: must be from 1 to 16, not 17",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", machines: 3, pair: Floating()), \"web\": Web()",
        "5:50: services.lb.pair: a floating address needs two balancers; write machines: 2 in place of 3",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", pair: Floating()), \"web\": Web()",
        "5:37: services.lb.pair: a floating address needs two balancers; write machines: 2 in place of 1",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", on: \"box\", pair: Floating()), \"web\": Web()",
        "5:48: services.lb.pair: a floating address needs two machines, and the host is one",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", on: \"box\", machines: 2), \"web\": Web()",
        "5:42: services.lb: `machines` and `on` exclude each other: the host is one machine",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", machines: 2, pair: Floating), \"web\": Web()",
        "5:50: services.lb.pair: `Floating` takes a value in parentheses",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", machines: 2, pair: Floating(every: \"0s\")), \"web\": Web()",
        "5:66: services.lb.pair.every: must be longer than 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", machines: 2, pair: Floating(down_after: 0)), \"web\": Web()",
        "5:71: services.lb.pair.down_after: must be from 1 to 1,000, not 0",
    ),
    // Weights and cookies.
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web/3\": 2}), \"web\": Web(machines: 2)",
        "5:41: services.lb.weights: a weight for \"web/3\", which is not there; there are web/1 to web/2",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web/0\": 2}), \"web\": Web()",
        "5:41: services.lb.weights: a weight for \"web/0\", which is not there; there is only web/1",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web/01\": 2}), \"web\": Web()",
        "5:41: services.lb.weights: a weight for \"web/01\", which is not there",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web\": 2}), \"web\": Web()",
        "5:41: services.lb.weights: a weight for \"web\", which is not there",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web/4\": 2}), \"web\": Web(scale: (max: 3, target: Requests(9)))",
        "5:41: services.lb.weights: a weight for \"web/4\", which is not there; there are web/1 to web/3",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", weights: {\"web/1\": 0}), \"web\": Web()",
        "5:50: services.lb.weights.web/1: must be above 0 and at most 1000, not 0",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", sticky: ()), \"web\": Web()",
        "5:39: services.lb.sticky.cookie: sticky needs the name of its cookie",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", sticky: (cookie: \"\")), \"web\": Web()",
        "5:48: services.lb.sticky.cookie: sticky needs the name of its cookie",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", sticky: (cookie: \"a;b\")), \"web\": Web()",
        "5:48: services.lb.sticky.cookie: \"a;b\" is no name of a cookie: it has 1 to 64 letters, digits, `_` and `-`",
    ),
    (
        "\"lb\": LoadBalancer(to: \"web\", sticky: (cookie: \"off\")), \"web\": Web()",
        "5:48: services.lb.sticky.cookie: a cookie can't be named \"off\"",
    ),
    (
        "\"lb\": LoadBalancer(to: \"fn\", sticky: (cookie: \"A\")), \"fn\": Serverless()",
        "5:30: services.lb: users stick to the servers of a web service, and \"fn\" is a service of functions",
    ),
    // Sessions.
    (
        "\"web\": Web(sessions: Store(\"sesions\")), \"sessions\": SessionStore()",
        "5:22: services.web.sessions: there is no service \"sesions\"; did you mean `sessions`?",
    ),
    (
        "\"web\": Web(sessions: Store(\"db\")), \"db\": Database()",
        "5:22: services.web.sessions: \"db\" is a database; a session store is needed here",
    ),
    (
        "\"web\": Web(sessions: Cookie)",
        "5:22: services.web.sessions: unknown kind `Cookie`; there are Off, Local, Store, Token",
    ),
    (
        "\"web\": Web(database: \"sessions\"), \"sessions\": SessionStore()",
        "5:22: services.web.database: \"sessions\" is a session store; a database is needed here",
    ),
    (
        "\"fn\": Serverless(sessions: Local)",
        "5:28: services.fn.sessions: functions forget all between requests, so sessions can't be Local",
    ),
    (
        "\"web\": Web(session_ttl: \"0s\")",
        "5:25: services.web.session_ttl: must be longer than 0",
    ),
    (
        "\"web\": Web(sign_in: Constant(\"0s\"))",
        "5:21: services.web.sign_in: the mean must be longer than 0",
    ),
    (
        "\"web\": Web(verify: Constant(\"2h\"))",
        "5:20: services.web.verify: must be from 0ns to 1h, not 2h",
    ),
    (
        "\"web\": Web(), \"sessions\": SessionStore(sessions: 0)",
        "5:50: services.sessions.sessions: must be from 1 to 50,000,000, not 0",
    ),
    (
        "\"web\": Web(), \"sessions\": SessionStore(machines: 2)",
        "5:40: services.sessions: unknown field `machines`",
    ),
    (
        "\"sessions\": SessionStore()",
        "4:15: services: there is no entry point",
    ),
    // Functions.
    (
        "\"fn\": Serverless(size: \"m\")",
        "5:18: services.fn: unknown field `size`",
    ),
    (
        "\"fn\": Serverless(limit: 0)",
        "5:25: services.fn.limit: must be from 1 to 1,000,000, not 0",
    ),
    (
        "\"fn\": Serverless(keep: \"0s\")",
        "5:24: services.fn.keep: must be longer than 0",
    ),
    (
        "\"fn\": Serverless(memory_gib: 0.1)",
        "5:30: services.fn.memory_gib: must be from 0.125 to 10, not 0.1",
    ),
    (
        "\"fn\": Serverless(cold_start: Constant(\"0s\"))",
        "5:30: services.fn.cold_start: the mean must be longer than 0",
    ),
    (
        "\"fn\": Serverless(database: \"lb\"), \"lb\": LoadBalancer(to: \"fn\")",
        "5:28: services.fn.database: \"lb\" is a load balancer; a database is needed here",
    ),
    // Autoscalers.
    (
        "\"web\": Web(scale: (target: Utilisation(0.6)))",
        "5:19: services.web.scale: the field `max` is missing: how many machines at most?",
    ),
    (
        "\"web\": Web(scale: (max: 4))",
        "5:19: services.web.scale: the field `target` is missing: what does it hold?",
    ),
    (
        "\"web\": Web(scale: (min: 5, max: 3, target: Utilisation(0.6)))",
        "5:25: services.web.scale.min: the fewest machines, 5, are more than the most, 3",
    ),
    (
        "\"web\": Web(scale: (min: 0, max: 3, target: Utilisation(0.6)))",
        "5:25: services.web.scale.min: must be from 1 to 100,000, not 0",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Utilisation(1.6)))",
        "5:36: services.web.scale.target: must be above 0 and at most 1, not 1.6",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Requests(0)))",
        "5:36: services.web.scale.target: must be above 0 and at most 10000000, not 0",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Utilization(0.6)))",
        "5:36: services.web.scale.target: unknown kind `Utilization`; did you mean `Utilisation`?",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Requests(9), every: \"0s\"))",
        "5:56: services.web.scale.every: must be longer than 0",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Requests(9), tolerance: 2))",
        "5:60: services.web.scale.tolerance: must be from 0 to 1, not 2",
    ),
    (
        "\"web\": Web(machines: 5, scale: (min: 2, max: 4, target: Requests(9)))",
        "5:22: services.web.machines: the autoscaler keeps from 2 to 4 machines, so it can't begin with 5",
    ),
    (
        "\"web\": Web(on: \"box\", scale: (max: 3, target: Requests(9)))",
        "5:23: services.web: `scale` and `on` exclude each other: the host is one machine",
    ),
    (
        "\"web\": Web(scale: (max: 100_000, target: Requests(9))), \"db\": Database()",
        "1:1: 100,001 machines in all when all is scaled up; at most 100,000 can be simulated",
    ),
    // Names of what the layout does not name.
    (
        "\"resolver\": Web()",
        "5:1: services: the name \"resolver\" is already that of the resolver that people asks; choose another",
    ),
    (
        "\"web\": Web(scale: (max: 3, target: Requests(9))), \"web-autoscaler\": Database()",
        "5:51: services: the name \"web-autoscaler\" is already that of the autoscaler of web; choose another",
    ),
];

#[test]
fn bad_tiers_are_refused_at_their_place() {
    assert_refused(
        BAD_SERVICES
            .iter()
            .map(|(services, expected)| (minimal(services), (*expected).to_owned())),
    );
}

/// Whole files and how they are refused.
const BAD_FILES: &[(&str, &str)] = &[
    (
        "(title: \"t\", users: {\"p\": (count: 1, site: \"dd\")}, services: {\"web\": Web()})",
        "1:44: users.p.site: there is no data center \"dd\"; did you mean `dc`?",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, site: \"b\")}, data_centers: {\"a\": (services: {\"web\": Web()}), \"b\": (services: {})})",
        "1:44: users.p.site: \"b\" has no entry point",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, stubs: 0)}, services: {\"web\": Web()})",
        "1:45: users.p.stubs: must be from 1 to 100,000, not 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1, calls: (timeout: \"0s\"))}, services: {\"web\": Web()})",
        "1:55: users.p.calls.timeout: must be longer than 0",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, dns: (health: (every: \"0s\")), services: {\"web\": Web()})",
        "1:62: dns.health.every: must be longer than 0",
    ),
    (
        "(title: \"t\", users: {\"resolver\": (count: 1)}, services: {\"web\": Web()})",
        "1:22: users: the name \"resolver\" is already that of the resolver that resolver asks",
    ),
    (
        "(title: \"t\", users: {\"a\": (count: 1), \"a-resolver\": (count: 1)}, services: {\"web\": Web()})",
        "1:39: users: the name \"a-resolver\" is already that of the resolver that a asks",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, data_centers: {\"resolver\": (services: {\"web\": Web()})})",
        "1:55: data_centers: the name \"resolver\" is already that of the resolver that p asks",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, hosts: {\"resolver\": ()}, services: {\"web\": Web()})",
        "1:48: hosts: the name \"resolver\" is already that of the resolver that p asks",
    ),
    (
        "(title: \"t\", users: {\"p\": (count: 1)}, hosts: {\"w-autoscaler\": ()}, services: {\"w\": Web(scale: (max: 2, target: Requests(1)))})",
        "1:48: hosts: the name \"w-autoscaler\" is already that of the autoscaler of w",
    ),
    (
        "(title: \"t\", users: {\"w-autoscaler\": (count: 1)}, services: {\"w\": Web(scale: (max: 2, target: Requests(1)))})",
        "1:71: services.w: its autoscaler is named \"w-autoscaler\", and that is already the name of a population of users",
    ),
];

#[test]
fn bad_files_of_tiers_are_refused_at_their_place() {
    assert_refused(
        BAD_FILES
            .iter()
            .map(|(source, expected)| ((*source).to_owned(), (*expected).to_owned())),
    );
}
