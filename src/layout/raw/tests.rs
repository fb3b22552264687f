//! Every default, and what each field makes of what it is given.

mod database;

use std::time::Duration;

use crate::layout;
use crate::layout::model::*;
use crate::layout::policies::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn site(services: &str) -> Map<Service> {
    let source = format!("(title: \"t\", users: {{\"people\": (count: 1)}}, services: {{{services}}})");
    let layout = layout::parse(&source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
    layout.data_centers["dc"].services.clone()
}

fn balancer(fields: &str) -> LoadBalancer {
    let services = site(&format!(
        "\"lb\": LoadBalancer(to: \"web\"{fields}), \"web\": Web(machines: 3)"
    ));
    let Service::LoadBalancer(balancer) = &services["lb"] else {
        panic!("a balancer")
    };
    balancer.clone()
}

/// A web tier with a database and a session store beside it.
fn web(fields: &str) -> Web {
    let others = "\"db\": Database(), \"sessions\": SessionStore()";
    let services = site(&format!("\"web\": Web({fields}), {others}"));
    let Service::Web(web) = &services["web"] else {
        panic!("a web tier")
    };
    web.clone()
}

fn pages() -> Pages {
    Pages {
        work: Distribution::Exponential(ms(4)),
        json: 0.5,
        asset: 0.1,
        database: None,
        cache: None,
        upload: 1.0,
        publish: None,
        sessions: Sessions::Off,
        session_ttl: seconds(1_800),
        sign_in: Distribution::Constant(ms(5)),
        verify: Distribution::Constant(Duration::from_micros(50)),
        calls: Map::new(),
    }
}

fn calls(to: &[&str]) -> Map<Calls> {
    to.iter().map(|to| ((*to).to_owned(), Calls::to_service())).collect()
}

#[test]
fn users_and_dns_have_their_defaults() {
    let source = "(title: \"t\", users: {\"people\": (count: 5)}, services: {\"web\": Web()})";
    let layout = layout::parse(source, "l.ron").unwrap();
    let expected = Users {
        count: 5,
        every: seconds(10),
        mobile: 0.4,
        asks: Asks {
            page: 80.0,
            asset: 0.0,
            create: 5.0,
            update: 10.0,
            delete: 5.0,
            search: 0.0,
            upload: 0.0,
        },
        keys: Keys::Zipf {
            count: 100_000,
            exponent: 0.9,
        },
        assets: Keys::Zipf {
            count: 1_000,
            exponent: 1.0,
        },
        edge: None,
        browser: true,
        region: None,
        resolver: None,
        resolvers: 16,
        stubs: 256,
        patience: seconds(10),
        calls: Calls {
            timeout: seconds(10),
            retries: 0,
            retry_writes: false,
            budget: None,
            backoff: ms(25),
            backoff_most: seconds(1),
            breaker: None,
            hedge: None,
            connections: None,
        },
        site: None,
        look_back: None,
        hot: 0.0,
    };
    assert_eq!(layout.users["people"], expected);
    let expected = Dns {
        ttl: seconds(60),
        timeout: seconds(2),
        attempts: 3,
        health: None,
        origin_fallback: true,
        routing: Routing::RoundRobin,
    };
    assert_eq!(layout.dns, expected);
}

#[test]
fn what_users_and_the_network_are_given_they_have() {
    let source = "(title: \"t\", users: {\"people\": (count: 5, asks: (page: 1, search: 2), look_back: (share: 0.5), hot: 0.25),
        \"others\": (count: 5, look_back: Some((share: 1, after: \"0s\")))}, network: (between: \"30ms\"), services: {\"web\": Web()})";
    let layout = layout::parse(source, "l.ron").unwrap_or_else(|error| panic!("{error}"));
    let people = &layout.users["people"];
    let asks = Asks {
        page: 1.0,
        asset: 0.0,
        create: 0.0,
        update: 0.0,
        delete: 0.0,
        search: 2.0,
        upload: 0.0,
    };
    assert_eq!((people.asks, people.hot.to_bits()), (asks, 0.25_f64.to_bits()));
    let look_back = |share, after| Some(LookBack { share, after });
    assert_eq!(people.look_back, look_back(0.5, ms(200)));
    assert_eq!(layout.users["others"].look_back, look_back(1.0, Duration::ZERO));
    let expected = Network {
        local: Duration::from_micros(250),
        access: ms(20),
        edge: ms(5),
        between: Some(ms(30)),
        zone: Duration::from_micros(500),
        round_trips: std::collections::BTreeMap::new(),
        jitter: Duration::ZERO,
        loss: 0.0,
    };
    assert_eq!(layout.network, expected);
    let source = "(title: \"t\", users: {\"people\": (count: 5)}, services: {\"web\": Web()})";
    assert_eq!(layout::parse(source, "l.ron").unwrap().network.between, None);
}

#[test]
fn dns_checks_as_route_53_does() {
    let source =
        "(title: \"t\", users: {\"people\": (count: 5)}, dns: (health: (timeout: \"1s\")), services: {\"web\": Web()})";
    let expected = HealthCheck {
        every: seconds(10),
        timeout: seconds(1),
        down_after: 3,
        up_after: 3,
    };
    assert_eq!(layout::parse(source, "l.ron").unwrap().dns.health, Some(expected));
}

#[test]
fn a_balancer_has_its_defaults() {
    let expected = LoadBalancer {
        to: "web".to_owned(),
        machines: 1,
        pair: Pair::Dns,
        balance: Balance::LeastConnections,
        weights: Map::new(),
        sticky: None,
        health: HealthCheck {
            every: seconds(2),
            timeout: seconds(1),
            down_after: 3,
            up_after: 2,
        },
        outlier: None,
        slow_start: Duration::ZERO,
        calls: Calls {
            timeout: seconds(5),
            retries: 1,
            retry_writes: false,
            budget: None,
            backoff: Duration::ZERO,
            backoff_most: seconds(1),
            breaker: None,
            hedge: None,
            connections: None,
        },
        rate_limit: None,
        work: Distribution::Constant(Duration::from_micros(30)),
        slots: 20_000,
        on: None,
        size: "m".to_owned(),
        boot: seconds(2),
    };
    assert_eq!(balancer(""), expected);
}

#[test]
fn what_a_balancer_is_given_it_has() {
    let outlier = Outlier {
        errors: 5,
        eject: seconds(30),
        most: 0.5,
    };
    assert_eq!(balancer(", outlier: ()").outlier, Some(outlier));
    let floating = |every, down_after| Pair::Floating { every, down_after };
    assert_eq!(
        balancer(", machines: 2, pair: Floating()").pair,
        floating(seconds(1), 3)
    );
    let pair = balancer(", machines: 2, pair: Floating(every: \"5s\", down_after: 1)").pair;
    assert_eq!(pair, floating(seconds(5), 1));
    let weights = balancer(", balance: Weighted, weights: {\"web/1\": 3.0, \"web/3\": 2}").weights;
    assert_eq!(
        weights,
        Map::from([("web/1".to_owned(), 3.0), ("web/3".to_owned(), 2.0)])
    );
    let sticky = balancer(", sticky: (cookie: \"SERVER-1_id\")").sticky;
    assert_eq!(sticky.map(|sticky| sticky.cookie).as_deref(), Some("SERVER-1_id"));
    assert_eq!(
        balancer(", sticky: None, outlier: None, rate_limit: None"),
        balancer("")
    );
    for (name, balance) in [
        ("RoundRobin", Balance::RoundRobin),
        ("Weighted", Balance::Weighted),
        ("Random", Balance::Random),
        ("LeastConnections", Balance::LeastConnections),
        ("PowerOfTwo", Balance::PowerOfTwo),
        ("SourceHash", Balance::SourceHash),
        ("ConsistentHash", Balance::ConsistentHash),
    ] {
        assert_eq!(balancer(&format!(", balance: {name}")).balance, balance);
    }
}

#[test]
fn a_limit_lets_a_tenth_of_a_second_through_at_once() {
    for (limit, rate, burst) in [
        ("(rate: 500)", 500.0, 50),
        ("(rate: 500, burst: 7)", 500.0, 7),
        ("(rate: 0.5)", 0.5, 1),
        ("(rate: 10_000_000)", 1e7, 1_000_000),
        ("Some((rate: 91))", 91.0, 10),
    ] {
        let expected = Some(RateLimit { rate, burst });
        assert_eq!(
            balancer(&format!(", rate_limit: {limit}")).rate_limit,
            expected,
            "{limit}"
        );
        assert_eq!(web(&format!("rate_limit: {limit}")).rate_limit, expected, "{limit}");
    }
}

#[test]
fn a_web_tier_has_its_defaults() {
    let expected = Web {
        machines: 1,
        on: None,
        size: "m".to_owned(),
        slots: 64,
        backlog: 256,
        pages: Pages {
            calls: calls(&["sessions"]),
            ..pages()
        },
        rate_limit: None,
        shed: None,
        drain: seconds(30),
        scale: None,
        boot: seconds(5),
    };
    assert_eq!(web(""), expected);
}

#[test]
fn functions_and_session_stores_have_their_defaults() {
    let services = site("\"fn\": Serverless(), \"sessions\": SessionStore()");
    let functions = Serverless {
        limit: 1_000,
        cold_start: Distribution::LogNormal { mean: ms(400), cv: 0.5 },
        keep: seconds(300),
        memory_gib: 1.0,
        pages: Pages {
            calls: calls(&["sessions"]),
            ..pages()
        },
    };
    let store = SessionStore {
        on: None,
        size: "s".to_owned(),
        slots: 256,
        backlog: 10_000,
        work: Distribution::Exponential(Duration::from_micros(20)),
        sessions: 1_000_000,
        durable: false,
        boot: seconds(2),
    };
    assert_eq!(services["fn"], Service::Serverless(functions));
    assert_eq!(services["sessions"], Service::SessionStore(store));
}

#[test]
fn calls_differ_from_their_defaults_by_what_is_given() {
    let default = Calls {
        timeout: seconds(2),
        retries: 1,
        retry_writes: false,
        budget: Some(0.2),
        backoff: ms(25),
        backoff_most: seconds(1),
        breaker: Some(Breaker {
            errors: 0.5,
            calls: 20,
            window: seconds(10),
            open: seconds(5),
            probes: 1,
        }),
        hedge: None,
        connections: None,
    };
    let read = |fields: &str| {
        let web = web(&format!("database: \"db\", calls: {{\"db\": ({fields})}}"));
        assert_eq!(web.pages.calls["sessions"], default);
        web.pages.calls["db"]
    };
    let but = |change: &dyn Fn(&mut Calls)| {
        let mut calls = default;
        change(&mut calls);
        calls
    };
    assert_eq!(read(""), default);
    assert_eq!(read("breaker: ()"), default);
    assert_eq!(read("breaker: Some(())"), default);
    assert_eq!(read("budget: 0.2, hedge: None, connections: None"), default);
    assert_eq!(read("timeout: \"1s\""), but(&|calls| calls.timeout = seconds(1)));
    assert_eq!(read("retries: 0"), but(&|calls| calls.retries = 0));
    assert_eq!(read("retry_writes: true"), but(&|calls| calls.retry_writes = true));
    assert_eq!(read("budget: None"), but(&|calls| calls.budget = None));
    assert_eq!(read("budget: Some(0.1)"), but(&|calls| calls.budget = Some(0.1)));
    assert_eq!(read("backoff: \"0s\""), but(&|calls| calls.backoff = Duration::ZERO));
    assert_eq!(
        read("backoff_most: \"9s\""),
        but(&|calls| calls.backoff_most = seconds(9))
    );
    assert_eq!(read("breaker: None"), but(&|calls| calls.breaker = None));
    assert_eq!(read("hedge: \"50ms\""), but(&|calls| calls.hedge = Some(ms(50))));
    assert_eq!(read("hedge: Some(\"50ms\")"), but(&|calls| calls.hedge = Some(ms(50))));
    assert_eq!(read("connections: 20"), but(&|calls| calls.connections = Some(20)));
    let errors = |calls: &mut Calls| {
        calls.breaker = Some(Breaker {
            errors: 0.3,
            ..Breaker::default()
        });
    };
    assert_eq!(read("breaker: (errors: 0.3)"), but(&errors));
    assert_eq!(
        balancer(", calls: (breaker: ())").calls.breaker,
        Some(Breaker::default())
    );
}

#[test]
fn what_may_be_called_has_an_entry() {
    let names = |web: &Web| web.pages.calls.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&web("")), ["sessions"]);
    assert_eq!(names(&web("database: \"db\"")), ["db", "sessions"]);
    assert_eq!(
        names(&web("database: \"db\", sessions: Store(\"sessions\")")),
        ["db", "sessions"]
    );
    let web = web("calls: {\"sessions\": (retries: 5)}");
    assert_eq!(web.pages.calls["sessions"].retries, 5);
}

#[test]
fn sessions_are_said_by_kind() {
    for (text, sessions) in [
        ("Off", Sessions::Off),
        ("Local", Sessions::Local),
        ("Store(\"sessions\")", Sessions::Store("sessions".to_owned())),
        ("Token", Sessions::Token),
    ] {
        assert_eq!(web(&format!("sessions: {text}")).pages.sessions, sessions);
    }
}

#[test]
fn an_autoscaler_has_its_defaults_and_begins_with_its_least() {
    let read = web("scale: (max: 9, target: Utilisation(0.6))");
    let expected = Autoscaler {
        min: 1,
        max: 9,
        target: Target::Utilisation(0.6),
        every: seconds(15),
        tolerance: 0.1,
        up_window: Duration::ZERO,
        down_window: seconds(300),
        counts_booting: true,
    };
    assert_eq!((read.machines, read.scale), (1, Some(expected)));
    assert_eq!(web("scale: (min: 3, max: 9, target: Requests(50))").machines, 3);
    assert_eq!(
        web("machines: 5, scale: (min: 3, max: 9, target: Requests(50))").machines,
        5
    );
}
