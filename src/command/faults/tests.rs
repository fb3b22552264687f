use std::collections::BTreeSet;

use super::super::VERBS;
use super::*;

#[test]
fn every_row_is_complete_and_its_example_is_read_and_written_back() {
    let mut names = BTreeSet::new();
    for fault in FAULTS {
        assert!(names.insert(fault.name), "{} stands twice", fault.name);
        assert!(fault.usage.starts_with(fault.name), "{}", fault.name);
        assert!(!fault.effect.is_empty() && !fault.undone.is_empty() && !fault.title.is_empty());
        let command = Command::parse(fault.example).unwrap_or_else(|error| panic!("{}: {error}", fault.example));
        assert_eq!(command.to_string(), fault.example);
        let is_verb = VERBS.iter().any(|verb| verb.name == fault.name);
        assert_eq!(is_verb, !fault.is_composite(), "{}", fault.name);
        let ron = ron::to_string(&command).expect("text");
        assert_eq!(ron::from_str::<Command>(&ron).as_ref(), Ok(&command), "{ron}");
        for param in fault.params {
            assert!(fault.usage.contains(param.name), "{}: {}", fault.name, param.name);
            param
                .parse(param.default)
                .unwrap_or_else(|error| panic!("{}: {error}", fault.name));
        }
    }
}

#[test]
fn a_line_has_the_defaults_and_is_read() {
    for fault in FAULTS {
        let target = if fault.hits == [Hit::Link] {
            "web <-> db"
        } else {
            "web/1"
        };
        let line = fault.line(target);
        Command::parse(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    assert_eq!(Fault::named("slow").expect("a row").line("db"), "slow db 10");
    assert_eq!(Fault::named("cut").expect("a row").line("a <-> b"), "cut a <-> b");
    assert_eq!(Fault::named("lose").expect("a row").line("dc"), "lose dc");
}

#[test]
fn what_lasts_takes_a_time_and_what_does_not_says_why() {
    for fault in FAULTS {
        let text = format!("{} for 30s", fault.example);
        let lasts = !matches!(fault.lasts, Lasts::Moment | Lasts::ItsSteps);
        match Command::parse(&text) {
            Ok(command) => {
                assert!(lasts, "{text}");
                assert_eq!(command.to_string(), text);
                let ron = ron::to_string(&command).expect("text");
                assert_eq!(ron::from_str::<Command>(&ron), Ok(command), "{ron}");
            }
            Err(error) => assert!(!lasts && error.0.contains("leave `for` out"), "{text}: {error}"),
        }
    }
    for (text, why) in [
        ("scale web 4 for 10s", "`scale` is no fault that ends by itself"),
        ("kill web for 0s", "a fault lasts longer than 0s"),
        ("kill web for 25h", "at most 24h, not 25h"),
        ("kill web for", "`for` needs a time"),
        ("kill web for 3s 4s", "a command ends with `for 3s`"),
        ("kill web for 3s for 4s", "`kill` is written"),
    ] {
        let error = Command::parse(text).expect_err(text);
        assert!(error.0.contains(why), "{text}: {error}");
    }
    assert!(Command::parse("set people hot 50% for 10s").is_ok());
}

#[test]
fn composites_are_read_with_and_without_their_figures() {
    for (typed, meant) in [
        ("crash-loop web/1", "crash-loop web/1 5s"),
        ("flapping web->db", "flapping web -> db 5s"),
        ("flapping web <-> db 2s", "flapping web <-> db 2s"),
        ("thundering-herd", "thundering-herd 3"),
        ("thundering-herd x4", "thundering-herd 4"),
        ("bad-deploy web 0.3", "bad-deploy web 30%"),
        ("disk db slow x5", "disk db slow 5"),
        ("bandwidth web -> db 0.5MB", "bandwidth web -> db 500kB"),
        ("fail web 20% checks", "fail web 20% checks"),
        ("chaos us-east every 30s", "chaos us-east every 30s mend 20s"),
        ("chaos every 60s mend 20s", "chaos on"),
    ] {
        let command = Command::parse(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        assert_eq!(command.to_string(), meant);
    }
    for (text, why) in [
        ("crash-loop", "`crash-loop` is written"),
        ("crash-loop web 5s 6s", "`crash-loop` is written"),
        ("crash-lop web", "did you mean `crash-loop`?"),
        ("bad-deploy web 120%", "the share is from 0% to 100%"),
        ("flapping web", "`flapping` is written"),
        ("fail web 101%", "of `fail` is from 0% to 100%"),
        ("disk db slow 0.5", "of `disk` is from 1 to 100000"),
        ("bandwidth web -> db 0B", "of `bandwidth` is from 1B"),
        ("bandwidth web -> db fast", "expected bytes a second"),
        ("chaos every 1ms", "the times of `chaos` are from 1s to 24h"),
        ("chaos us-east often 3s", "`chaos` is written"),
    ] {
        let error = Command::parse(text).expect_err(text);
        assert!(error.0.contains(why), "{text}: {error}");
    }
}

#[test]
fn steps_come_in_the_order_of_time_and_within_bounds() {
    let instances: Vec<Selector> = (1..=8).map(|number| Selector(format!("dc/web/{number}"))).collect();
    for fault in FAULTS.iter().filter(|fault| fault.is_composite()) {
        let Ok(Command::Inject(injection)) = Command::parse(fault.example) else {
            panic!("{} is no composite", fault.example);
        };
        for lasts in [injection.usually(), Some(Duration::from_secs(3_600))] {
            let steps = injection.steps(&instances, Duration::from_secs(2), lasts);
            assert!(
                !steps.is_empty() && steps.len() < 2_000,
                "{}: {}",
                fault.name,
                steps.len()
            );
            assert!(steps[0].after.is_zero(), "{}", fault.name);
            assert!(steps.is_sorted_by_key(|step| step.after), "{}", fault.name);
        }
    }
}
