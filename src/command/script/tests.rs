//! What scripts say, and what they may not.

use super::*;
use crate::layout;

const LAYOUT: &str = r#"(title: "t", users: {"people": (count: 10)},
        databases: {"orders": (machines: {"east": 2, "west": 1}, replication: PrimaryReplicas(), sharding: (shards: 2))},
        data_centers: {
            "east": (hosts: {"box": ()}, services: {
                "lb": LoadBalancer(to: "web"), "web": Web(machines: 2, database: "db"), "db": Database(on: "box"),
                "outer": LoadBalancer(to: "lb"), "fn": Serverless(), "sessions": SessionStore(),
                "copies": Database(replication: PrimaryReplicas(failover: Manual)), "ring": Database(replication: Circular()),
            }),
            "west": (services: {"web": Web(), "app": Web(scale: (max: 4, target: Utilisation(0.6)))}),
        })"#;

fn check(script: &str) -> Result<(), ScriptError> {
    let layout = layout::parse(LAYOUT, "l.ron").unwrap_or_else(|error| panic!("{error}"));
    Script::parse(script, "s.ron")
        .unwrap_or_else(|error| panic!("{error}"))
        .check(&layout)
}

#[test]
fn both_forms_are_read_and_timed_in_a_stable_order() {
    let source = "[\n(at: \"40s\", do: Mend(\"web/1\")),\n(at: \"10s\", do: \"kill web/1\"),\n  (at: \"10s\", do: Slow(\"db\", 10)),\n\
                  (at: \"0s\", do: Surge(\"people\", 2)), (at: \"1s\", do: Surge(None, 3.5)), (at: \"2s\", do: MendAll),\n\
                  (at: \"3s\", do: Cut(\"web -> db\")), (at: \"4s\", do: Delay(\"web <-> db\", \"5ms\")),\n\
                  (at: \"5s\", do: Balance(\"lb\", Random)), (at: \"6s\", do: Surge(Some(\"people\"), 1))]";
    let script = Script::parse(source, "s.ron").unwrap_or_else(|error| panic!("{error}"));
    let steps: Vec<String> = script
        .steps
        .iter()
        .map(|step| format!("{}:{} {}", step.line, step.column, step.what))
        .collect();
    assert_eq!(
        steps,
        [
            "2:17 mend web/1",
            "3:17 kill web/1",
            "4:19 slow db 10",
            "5:16 surge people 2",
            "5:52 surge 3.5",
            "5:86 mend all",
            "6:16 cut web -> db",
            "6:50 delay web <-> db 5ms",
            "7:16 balance lb random",
            "7:55 surge people 1",
        ]
    );
    let timed: Vec<String> = script.timed().iter().map(|(_, act)| act.to_string()).collect();
    assert_eq!(timed[0], "surge people 2");
    assert_eq!(timed[7..], ["kill web/1", "slow db 10", "mend web/1"]);
}

#[test]
fn a_surge_of_nobody_in_particular_is_one_of_all() {
    for surge in ["Surge(2)", "Surge(2.0)", "Surge(None, 2)"] {
        let source = format!("[(at: \"1s\", do: {surge})]");
        let script = Script::parse(&source, "s.ron").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(script.steps[0].command(), Some(&Command::Surge(None, 2.0)), "{surge}");
    }
    let error = Script::parse("[(at: \"1s\", do: Surge(-2))]", "s.ron").unwrap_err();
    assert!(error.message.contains("from 0 to 1,000, not -2"), "{error}");
}

#[test]
fn what_ron_writes_is_read_as_a_step() {
    for text in [
        "surge people 2",
        "surge 2",
        "drop web -> db 5%",
        "balance lb random",
        "resize web l",
        "mend all",
        "set web sessions store:sessions",
        "set web hedge off",
        "revoke people 5%",
        "promote db/2",
        "recover db/1",
        "replicate db",
        "shard db",
        "skew db/2 -300ms",
        "close db/3",
        "set db mode semi-synchronous",
        "set db failover off",
        "set db rule keep-both",
        "set db rule site-priority:a,b",
        "set people hot 20%",
    ] {
        let command = Command::parse(text).unwrap();
        let source = format!("[(at: \"1s\", do: {})]", ron::to_string(&command).unwrap());
        assert_eq!(
            Script::parse(&source, "s.ron").unwrap().steps[0].what,
            What::Do(command),
            "{source}"
        );
    }
}

#[test]
fn bad_scripts_are_refused_at_their_place() {
    for (source, expected) in [
        ("(at: \"1s\")", "1:1: a script is a list of steps"),
        (
            "[(at: \"1s\")]",
            "1:2: [0]: a step says what: one of `do`, `mark` and `note` is missing",
        ),
        (
            "[(do: MendAll)]",
            "1:2: [0]: a step says when: `at: \"10s\"`, or `after:",
        ),
        (
            "[(at: \"1s\", do: MendAll, note: \"x\")]",
            "1:26: [0]: a step has one of `do`, `mark` and `note`: after `do`, make `note` a step of its own",
        ),
        (
            "[(at: \"1s\", after: \"ok < 1%\", do: MendAll)]",
            "1:13: [0]: a step has `at` or `after`, not both; time after a condition is `wait: \"5s\"`",
        ),
        (
            "[(at: \"1s\", wait: \"1s\", do: MendAll)]",
            "1:13: [0]: `wait` is time after a condition, and this step has none",
        ),
        (
            "[(after: 5, do: MendAll)]",
            "1:10: [0].after: expected a text in double quotes, found `5`",
        ),
        (
            "[(at: \"1s\", mark: None)]",
            "1:19: [0].mark: expected a text in double quotes, found the name `None`",
        ),
        (
            "[(at: 5, do: MendAll)]",
            "1:7: [0].at: expected a text in double quotes, found `5`",
        ),
        (
            "[(at: \"1s\", act: MendAll)]",
            "1:13: [0]: unknown field `act`; did you mean `at`?",
        ),
        (
            "[(at: \"1s\", do: \"kil web\")]",
            "1:17: [0].do: unknown command `kil`; did you mean `kill`?",
        ),
        (
            "[(at: \"1s\", do: Kil(\"web\"))]",
            "1:17: [0].do: unknown kind `Kil`; did you mean `Kill`?",
        ),
        (
            "[(at: \"1s\", do: Kill(web))]",
            "1:22: [0].do: expected a text in double quotes, found the name `web`",
        ),
        (
            "[(at: \"1s\", do: Kill(\"a b\"))]",
            "1:22: [0].do: `a b` is not a selector",
        ),
        (
            "[(at: \"1s\", do: Slow(\"db\"))]",
            "1:17: [0].do: `Slow` takes 2 values in parentheses, found 1",
        ),
        (
            "[(at: \"1s\", do: Slow(\"db\", 0))]",
            "1:17: [0].do: the factor of `slow` is from 1 to 1,000, not 0",
        ),
        (
            "[(at: \"1s\", do: MendAll(1))]",
            "1:17: [0].do: `MendAll` takes nothing in parentheses",
        ),
        (
            "[(at: \"1s\", do: Set(\"web\", Retries(101)))]",
            "1:17: [0].do: `retries` must be from 0 to 100, not 101",
        ),
        (
            "[(at: \"1s\", do: Set(\"web\", Retires(3)))]",
            "1:28: [0].do: unknown kind `Retires`; did you mean `Retries`?",
        ),
        (
            "[(at: \"1s\", do: \"set web retires 3\")]",
            "1:17: [0].do: unknown setting `retires`; did you mean `retries`?",
        ),
        ("[(at: \"1s\", do: Cut(\"a\"))]", "1:21: [0].do: `a` names no link"),
    ] {
        let error = Script::parse(source, "s.ron").expect_err(source).to_string();
        assert!(
            error.starts_with(&format!("s.ron:{expected}")),
            "{source}\n  is   {error}\n  not  {expected}"
        );
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let many = format!("[{}]", "(at:\"1s\",do:MendAll),".repeat(100_001));
    let error = Script::parse(&many, "s.ron").unwrap_err();
    assert_eq!(error.message, "[100000]: a script has at most 100,000 steps");
    let many = format!("[{}]", "(after:\"ok < 1%\",do:MendAll),".repeat(1_001));
    let error = Script::parse(&many, "s.ron").unwrap_err().message;
    assert!(
        error.starts_with("[1000].after: a script has at most 1,000 steps that wait"),
        "{error}"
    );
    let long = |count| format!("[(at:\"1s\",note:\"{}\")]", "é".repeat(count));
    assert!(Script::parse(&long(LONGEST_WORDS), "s.ron").is_ok());
    let error = Script::parse(&long(LONGEST_WORDS + 1), "s.ron").unwrap_err();
    assert_eq!(
        error.to_string(),
        "s.ron:1:16: [0].note: marks and notes have at most 500 characters"
    );
}

#[test]
fn conditions_are_checked_against_the_layout() {
    for good in [
        "up(east/web) == 0",
        " ok >=  99% ",
        "p99 < 200ms",
        "primaries(orders) == 2",
    ] {
        check(&format!("[(after: \"{good}\", do: MendAll)]")).unwrap_or_else(|error| panic!("{error}"));
    }
    for (bad, expected) in [
        ("up(wbe) == 0", "there is no service \"wbe\"; did you mean `web`?"),
        ("up(web) == 0", "`up(web)` names several"),
        ("", "`` compares nothing"),
        ("ok", "`ok` compares nothing"),
        ("ok < 5ms", "expected a share"),
        ("ok < 5%, grace 5s", "nothing after a comma; found `ok < 5%, grace 5s`"),
        ("\\u{1b}[2J < 5", "unknown measure `\\u{1b}[2J`"),
    ] {
        let error = check(&format!("[(do: MendAll, after: \"{bad}\")]"))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("s.ron:1:23: after: "), "{error}");
        assert!(error.contains(expected) || bad == "up(web) == 0", "{error}");
    }
}

/// A script without its places in the file.
fn bare(script: Script) -> Script {
    let step = |step: Step| Step {
        line: 0,
        column: 0,
        when: match step.when {
            When::After(awaited) => When::After(Awaited {
                line: 0,
                column: 0,
                ..awaited
            }),
            at @ When::At(_) => at,
        },
        ..step
    };
    let expected = |expected: Expected| Expected {
        line: 0,
        column: 0,
        ..expected
    };
    Script {
        file: String::new(),
        length: script.length,
        steps: script.steps.into_iter().map(step).collect(),
        expect: script.expect.into_iter().map(expected).collect(),
    }
}

#[test]
fn a_script_is_read_back_from_its_text() {
    let source = "(for: \"90s\", steps: [
        (at: \"12345678ns\", do: Slow(\"web/2\", 1.7)), (after: \"up(web) == 0\", wait: \"250ms\", do: \"kill db for 30s\"),
        (wait: \"0s\", mark: \"the \\\"outage\\\" \\\\ \\u{1b}[2J\\n東京\", after: \"ok <  5%\"), (at: \"1.5s\", note: \"\"), (at: \"2s\", do: Surge(None, 3.5)),
        (at: \"3s\", do: Set(\"carts\", Rule(SitePriority([\"west\"])))), (at: \"4s\", do: \"rolling-restart web\"),
        ], expect: [At(\"50s\", \"ok >= 99%\"), Always(\"p99 < 1s, grace 5s\"), Sometimes(\"lost > 0\"), Eventually(\"ok >= 1%\")])";
    let script = Script::parse(source, "s.ron").unwrap_or_else(|error| panic!("{error}"));
    let text = script.to_text("from \u{1b}[2J\nnowhere");
    assert!(
        text.starts_with("// from \\u{1b}[2J\\nnowhere\nScript(\n    for: \"90s\",\n"),
        "{text}"
    );
    assert!(
        text.contains("(at: \"4s\", do: \"rolling-restart web 5s\"),\n"),
        "{text}"
    );
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    let again = Script::parse(&text, "t.ron").unwrap_or_else(|error| panic!("{}", error.render(&text)));
    assert_eq!(bare(again), bare(script));
}

#[test]
fn selectors_that_name_something_pass() {
    for command in [
        "kill east",
        "kill lb",
        "kill east/web",
        "kill east/web/2",
        "kill west/web/1",
        "kill */web",
        "kill */web/2",
        "kill db/1",
        "kill box",
        "destroy east/box",
        "kill dns",
        "kill dns/1",
        "kill east/web/*",
        "kill east/*",
        "kill *",
        "cut people -> dns",
        "cut people <-> lb",
        "surge people 2",
        "surge 2",
        "scale west/web 3",
        "balance lb random",
        "mend all",
        "resize east l",
        "cut east/web/1 -> db",
        "kill resolver",
        "slow resolver/1 10",
        "cut people -> resolver",
        "kill app-autoscaler",
        "kill west/app-autoscaler/1",
        "kill app/4",
        "kill fn",
        "kill sessions/1",
        "set west/web retries 3",
        "set */web retries 3",
        "set people retries 3",
        "set lb rate-limit 500",
        "set lb sticky SERVER",
        "set outer sticky off",
        "set east/web sessions store:sessions",
        "set fn sessions token",
        "set dns ttl 5s",
        "set lb check-every 500ms",
        "set app max 20",
        "set app-autoscaler max 20",
        "set */web sessions store:sessions",
        "revoke people 50%",
        "promote east/orders/4",
        "promote copies/2",
        "recover copies/1",
        "recover copies",
        "replicate copies",
        "replicate orders",
        "replicate west/orders",
        "shard orders",
        "shard east/orders",
        "skew db 5s",
        "skew db/1 -300ms",
        "skew orders 0s",
        "close ring/3",
        "kill orders",
        "kill west/orders/2",
        "kill west/orders-monitor/2",
        "kill east/orders-monitor",
        "set orders mode quorum",
        "set */orders failover off",
        "set copies reads any",
        "set copies recovery off",
        "set ring rule site-priority:west",
        "set ring close off",
        "set db copy-rate 10",
        "set people hot 50%",
    ] {
        check(&format!("[(at: \"1s\", do: \"{command}\")]")).unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

#[test]
fn selectors_that_name_nothing_or_too_much_are_refused() {
    for (command, expected) in [
        ("kill bd", "kill bd: nothing is named `bd`; did you mean `db`?"),
        (
            "kill eats/web",
            "kill eats/web: nothing is named `eats/web`; did you mean `east/web`?",
        ),
        ("kill people", "kill people: nothing is named `people`"),
        (
            "kill web",
            "kill web: `web` names several things: east/web, west/web; write the data center in front",
        ),
        (
            "kill web/1",
            "kill web/1: `web/1` names several things: east/web/1, west/web/1; write the data center in front",
        ),
        (
            "kill east/web/3",
            "kill east/web/3: `east/web` has the instances east/web/1 to east/web/2",
        ),
        ("kill db/2", "kill db/2: `db` has a single instance, db/1"),
        ("kill db/0", "kill db/0: `db` has a single instance, db/1"),
        ("kill box/1", "kill box/1: nothing is named `box/1`"),
        (
            "surge peple 2",
            "surge peple 2: no population of users is named `peple`; did you mean `people`?",
        ),
        (
            "surge lb 2",
            "surge lb 2: no population of users is named `lb`; there is only people",
        ),
        ("scale db 2", "scale db 2: no web service and no workers is named `db`"),
        (
            "balance east/web random",
            "balance east/web random: no load balancer is named `east/web`",
        ),
        ("kill app/5", "kill app/5: `app` has the instances app/1 to app/4"),
        (
            "revoke lb",
            "revoke lb: no population of users is named `lb`; there is only people",
        ),
        ("resize fn l", "resize fn l: no machine of yours is named `fn`"),
        ("resize dns l", "resize dns l: no machine of yours is named `dns`"),
        (
            "set db retries 3",
            "set db retries 3: nothing with a setting `retries` is named `db`",
        ),
        (
            "set lb/1 retries 3",
            "set lb/1 retries 3: nothing with a setting `retries` is named `lb/1`",
        ),
        (
            "set lb ttl 5s",
            "set lb ttl 5s: nothing with a setting `ttl` is named `lb`; there is only dns",
        ),
        (
            "set web retries 3",
            "set web retries 3: `web` names several things: east/web, west/web; write the data center in front",
        ),
        (
            "set west/web max 3",
            "set west/web max 3: west/web has no autoscaler; give it `scale` in the layout",
        ),
        (
            "set dns down-after 3",
            "set dns down-after 3: dns checks nothing; give it `health` in the layout",
        ),
        (
            "set east/web sessions store:sesions",
            "set east/web sessions store:sesions: there is no session store \"sesions\" beside east/web; did you mean \
             `sessions`?",
        ),
        (
            "set app sessions store:sessions",
            "set app sessions store:sessions: there is no session store \"sessions\" beside west/app",
        ),
        (
            "set fn sessions local",
            "set fn sessions local: east/fn are functions, which forget all between requests",
        ),
        (
            "set outer sticky A",
            "set outer sticky A: users stick to servers, and east/outer has none behind it",
        ),
        (
            "promote db/1",
            "promote db/1: east/db has no primary with replicas; give it `replication: PrimaryReplicas()` in the layout",
        ),
        (
            "promote copies",
            "promote copies: `copies` is not a single node; name one, as in east/copies/1",
        ),
        (
            "promote copies/*",
            "promote copies/*: `copies/*` is not a single node; name one, as in east/copies/1",
        ),
        (
            "promote copies/4",
            "promote copies/4: `copies` has the instances copies/1 to copies/3",
        ),
        ("promote web/1", "promote web/1: no database is named `web/1`"),
        (
            "promote orders/1",
            "promote orders/1: `orders/1` is not a single node; name one, as in east/orders/1",
        ),
        (
            "recover ring/1",
            "recover ring/1: east/ring has no primary with replicas",
        ),
        (
            "replicate db",
            "replicate db: east/db keeps no copies; give it `replication` in the layout",
        ),
        (
            "replicate copies/1",
            "replicate copies/1: no database is named `copies/1`",
        ),
        (
            "shard copies",
            "shard copies: east/copies has no shards; give it `sharding: (shards: 1)` in the layout",
        ),
        ("shard lb", "shard lb: no database is named `lb`; did you mean `db`?"),
        (
            "close copies/1",
            "close copies/1: east/copies is no ring; give it `replication: Circular()` in the layout",
        ),
        ("skew people 5s", "skew people 5s: no database is named `people`"),
        (
            "kill orders/1",
            "kill orders/1: `orders/1` names several things: east/orders/1, west/orders/1; write the data center in front",
        ),
        (
            "kill west/orders/3",
            "kill west/orders/3: `west/orders` has the instances west/orders/1 to west/orders/2",
        ),
        (
            "kill copies-monitor",
            "kill copies-monitor: nothing is named `copies-monitor`",
        ),
        (
            "kill east/orders-monitor/2",
            "kill east/orders-monitor/2: `east/orders-monitor` has a single instance, east/orders-monitor/1",
        ),
        (
            "set db mode quorum",
            "set db mode quorum: east/db has no primary with replicas",
        ),
        (
            "set copies fencing off",
            "set copies fencing off: east/copies has no monitors; give its replication `failover: Automatic()` in the layout",
        ),
        (
            "set copies rule keep-both",
            "set copies rule keep-both: east/copies has not several primaries; give it `replication: MultiPrimary()` or",
        ),
        ("set copies close 5s", "set copies close 5s: east/copies is no ring"),
        (
            "set ring rule site-priority:wets",
            "set ring rule site-priority:wets: there is no data center \"wets\"; did you mean `west`?",
        ),
        (
            "set db hot 5%",
            "set db hot 5%: nothing with a setting `hot` is named `db`; there is only people",
        ),
        ("cut lb -> nowhere", "cut lb -> nowhere: nothing is named `nowhere`"),
    ] {
        let error = check(&format!("[\n  (at: \"1s\", do: \"{command}\")]"))
            .expect_err(command)
            .to_string();
        assert!(
            error.starts_with(&format!("s.ron:2:18: {expected}")),
            "is   {error}\n  not  {expected}"
        );
    }
}

#[test]
fn instances_that_the_script_adds_have_names() {
    check("[(at: \"1s\", do: \"scale east/web 4\"), (at: \"9s\", do: \"kill east/web/4\")]").unwrap();
    assert!(check("[(at: \"1s\", do: \"scale east/web 4\"), (at: \"9s\", do: \"kill east/web/5\")]").is_err());
    for max in [
        "set app max 9",
        "set app-autoscaler max 9",
        "set west/app-autoscaler max 9",
    ] {
        check(&format!(
            "[(at: \"1s\", do: \"{max}\"), (at: \"9s\", do: \"kill app/9\")]"
        ))
        .unwrap();
        assert!(
            check(&format!(
                "[(at: \"1s\", do: \"{max}\"), (at: \"9s\", do: \"kill app/10\")]"
            ))
            .is_err()
        );
    }
}

#[test]
fn nodes_that_the_script_adds_have_names() {
    let kill = |grow: &str, node: &str| {
        check(&format!(
            "[(at: \"1s\", do: \"{grow}\"), (at: \"9s\", do: \"kill {node}\")]"
        ))
    };
    for (grow, last, next) in [
        ("replicate copies", "copies/4", "copies/5"),
        ("replicate west/orders", "west/orders/4", "west/orders/5"),
        ("replicate west/orders", "east/orders/4", "east/orders/5"),
        ("shard west/orders", "east/orders/6", "east/orders/7"),
        ("shard orders", "west/orders/3", "west/orders/4"),
    ] {
        kill(grow, last).unwrap_or_else(|error| panic!("{error}"));
        assert!(kill(grow, next).is_err(), "{grow}: {next}");
    }
}

#[test]
fn an_error_shows_its_line() {
    let source = "[\n  (at: \"1s\", do: \"kil web\"),\n]";
    let error = Script::parse(source, "s.ron").unwrap_err();
    assert!(
        error
            .render(source)
            .ends_with("2 |   (at: \"1s\", do: \"kil web\"),\n  |                  ^")
    );
}
