//! Going back, branching and returning, on real worlds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use blastradius::command::{Applied, Command, CommandError};
use blastradius::layout::{self, find_shipped};
use blastradius::observe::Frame;
use blastradius::replay::{Act, BRANCHES, Checkpoint, Digest, Head, Recording, Session, replayed};
use blastradius::sim::SimTime;
use blastradius::tui::Speed;
use blastradius::tui::engine::{Answer, Engine, Order, Simulation, Start, View};

/// An engine on a shipped layout, paused at its start.
fn engine(name: &str, followers: bool) -> Engine {
    let source = find_shipped(name).expect("a shipped layout").source;
    let layout = layout::parse(source, name).expect("a layout");
    let start = Start {
        recording: Recording::new(Head::new(name, source, None, 7)),
        followers,
        ..Start::bare(false, Speed::MAX)
    };
    Engine::start(move || Session::scheduled(&layout, 7, &[]), start).expect("a thread")
}

fn wait_for<T>(engine: &mut Engine, mut what: impl FnMut(&mut Engine) -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what(engine) {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What came of an order.
fn answered(engine: &mut Engine, order: Order) -> Answer {
    assert!(engine.order(order));
    wait_for(engine, |engine| engine.take_answers().pop())
}

/// Waits until the world that is shown is there, and gives what it shows.
fn settled(engine: &mut Engine) -> View {
    // A world that stands still shows itself anew when it is told to stand still.
    wait_for(engine, |engine| engine.timeline().arriving.is_none().then_some(()));
    while engine.take_view().is_some() {}
    assert!(engine.order(Order::Run(false)));
    wait_for(engine, |engine| {
        engine
            .take_view()
            .filter(|view| view.frame.at.elapsed() == engine.timeline().at)
    })
}

/// Lets time pass at full speed until a moment is over, then stops it.
fn run_past(engine: &mut Engine, at: Duration) -> Duration {
    assert!(engine.order(Order::Run(true)));
    wait_for(engine, |engine| {
        engine.take_view();
        (engine.timeline().at >= at).then_some(())
    });
    assert!(engine.order(Order::Run(false)));
    let view = wait_for(engine, |engine| engine.take_view().filter(|view| !view.running));
    wait_for(engine, |engine| {
        engine.take_view();
        (engine.timeline().at == view.frame.at.elapsed()).then_some(view.frame.at.elapsed())
    })
}

fn act(line: &str) -> Order {
    Order::Do(Command::parse(line).expect("a command"))
}

fn done(answer: &Answer) -> &str {
    match answer {
        Answer::Done(words) | Answer::Here(words) => words,
        Answer::Refused(why) => panic!("refused: {why}"),
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn going_back_leads_to_before_the_act_and_returning_to_where_one_came_from() {
    for followers in [false, true] {
        let mut engine = engine("04", followers);
        settled(&mut engine);
        assert!(matches!(answered(&mut engine, Order::Rewind), Answer::Refused(_)));
        assert!(matches!(answered(&mut engine, Order::Return), Answer::Refused(_)));
        let killed = run_past(&mut engine, 5 * SECOND);
        let before = settled(&mut engine).frame;
        done(&answered(&mut engine, act("kill web/1")));
        let end = run_past(&mut engine, 20 * SECOND);
        let after = settled(&mut engine).frame;
        assert!(after.total.retried > 0);

        let words = answered(&mut engine, Order::Rewind);
        assert!(done(&words).contains("before `kill web/1`"), "{words:?}");
        let back = settled(&mut engine);
        assert!(!back.running);
        assert_eq!(back.frame, before, "all is as it was before the act");
        let timeline = engine.timeline();
        assert_eq!((timeline.at, timeline.end, timeline.branches.len()), (killed, end, 1));
        assert!(matches!(answered(&mut engine, Order::Rewind), Answer::Refused(_)));

        done(&answered(&mut engine, Order::Return));
        assert_eq!(settled(&mut engine).frame, after, "all is as it was before going back");
        done(&answered(&mut engine, Order::Return));
        assert_eq!(settled(&mut engine).frame, before, "there and back again");

        // Time repeats what happened, and goes on from the end.
        assert!(engine.order(Order::GoTo(end)));
        assert_eq!(settled(&mut engine).frame, after, "the same history again");
        run_past(&mut engine, end + SECOND);
        assert_eq!(engine.timeline().branches.len(), 1);
        assert!(engine.end().is_ok());
    }
}

#[test]
fn acting_in_the_past_begins_a_branch_and_leaves_the_other_as_it_was() {
    let mut engine = engine("04", true);
    run_past(&mut engine, 5 * SECOND);
    done(&answered(&mut engine, act("kill web/1")));
    run_past(&mut engine, 15 * SECOND);
    let first = settled(&mut engine).frame;
    done(&answered(&mut engine, Order::Rewind));
    settled(&mut engine);
    done(&answered(&mut engine, act("kill web/2")));
    let timeline = engine.timeline();
    assert_eq!((timeline.branch, timeline.branches.len()), (1, 2));
    assert_eq!(timeline.branches[1].last.as_deref(), Some("kill web/2"));
    run_past(&mut engine, 15 * SECOND);
    let second = settled(&mut engine).frame;
    assert_ne!(first.services, second.services);
    let (one, other) = engine.compared(0, 1).expect("both were seen");
    assert_eq!(
        (one.at, other.at.elapsed() >= 15 * SECOND),
        (other.at, true),
        "of one moment"
    );
    done(&answered(&mut engine, Order::Switch(0)));
    assert_eq!(settled(&mut engine).frame, first, "the first branch is as it was left");
    done(&answered(&mut engine, Order::Return));
    assert_eq!(settled(&mut engine).frame, second);
    // An act at the end of a branch belongs to it.
    done(&answered(&mut engine, act("mend web/2")));
    assert_eq!(engine.timeline().branches.len(), 2);
    assert!(engine.end().is_ok());
}

#[test]
fn several_acts_of_one_moment_are_taken_back_one_by_one() {
    let mut engine = engine("04", true);
    let at = run_past(&mut engine, 3 * SECOND);
    for line in ["kill web/1", "kill web/2", "slow lb 2"] {
        done(&answered(&mut engine, act(line)));
    }
    run_past(&mut engine, 6 * SECOND);
    let down = |view: &View| {
        let services = view.frame.services.iter().flat_map(|service| &service.instances);
        services
            .filter(|instance| instance.health == blastradius::observe::Health::Down)
            .count()
    };
    for (left, count) in [("slow", 2), ("kill web/2", 1), ("kill web/1", 0)] {
        let words = answered(&mut engine, Order::Rewind);
        assert!(done(&words).contains(left), "{words:?}");
        let view = settled(&mut engine);
        assert_eq!((down(&view), view.frame.at.elapsed()), (count, at), "{left}");
    }
    assert!(engine.end().is_ok());
}

#[test]
fn a_moment_is_reached_whatever_was_asked_before() {
    let mut engine = engine("04", true);
    run_past(&mut engine, 30 * SECOND);
    // Nobody waits for an answer.
    for at in [20, 3, 27, 10] {
        assert!(engine.order(Order::GoTo(Duration::from_secs(at))));
    }
    let view = settled(&mut engine);
    assert_eq!(view.frame.at.elapsed(), 10 * SECOND);
    engine.take_answers();
    assert!(matches!(
        answered(&mut engine, Order::GoTo(31 * 60 * SECOND)),
        Answer::Refused(_)
    ));
    assert!(engine.end().is_ok());
}

#[test]
fn nobody_needs_to_wait_between_orders() {
    let folder = crate::cli::Folder::new();
    let mut engine = engine("04", true);
    run_past(&mut engine, 4 * SECOND);
    for round in 0..12 {
        assert!(engine.order(Order::Run(round % 3 == 0)));
        let file = folder.path(&format!("{round}.replay.ron"));
        let orders = [
            act("kill web/1"),
            Order::Write(file),
            Order::Rewind,
            act("hang web/2"),
            Order::Return,
            Order::Mark("here".to_string()),
            Order::Switch(0),
            act("mend all"),
            Order::Return,
        ];
        for order in orders {
            assert!(engine.order(order));
        }
        let mut answers = Vec::new();
        wait_for(&mut engine, |engine| {
            engine.take_view();
            answers.extend(engine.take_answers());
            (answers.len() >= 9).then_some(())
        });
    }
    // Whatever was written is the run up to its last act: it runs again to the same digest.
    for round in 0..12 {
        let file = folder.path(&format!("{round}.replay.ron"));
        let (recording, layout) = Recording::load(file.as_ref()).expect("a recording");
        let mut session = replayed(&recording, &layout);
        session.advance_to(recording.duration);
        session.do_what_is_due();
        assert_eq!(Some(session.digest()), recording.digest, "{file}");
    }
    assert!(engine.end().is_ok());
}

#[test]
fn a_world_that_waits_is_shown_without_being_made_again() {
    use std::sync::atomic::AtomicUsize;

    let source = find_shipped("04").expect("a shipped layout").source;
    let layout = layout::parse(source, "04").expect("a layout");
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let start = Start {
        recording: Recording::new(Head::new("04", source, None, 7)),
        followers: true,
        ..Start::bare(false, Speed::MAX)
    };
    let world = move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Session::scheduled(&layout, 7, &[])
    };
    let mut engine = Engine::start(world, start).expect("a thread");
    run_past(&mut engine, 5 * SECOND);
    done(&answered(&mut engine, act("kill web/1")));
    run_past(&mut engine, 20 * SECOND);
    wait_for(&mut engine, |_| (made.load(Ordering::SeqCst) >= 2).then_some(()));
    let before = made.load(Ordering::SeqCst);
    done(&answered(&mut engine, Order::Rewind));
    settled(&mut engine);
    done(&answered(&mut engine, Order::Return));
    settled(&mut engine);
    done(&answered(&mut engine, Order::Return));
    settled(&mut engine);
    assert_eq!(made.load(Ordering::SeqCst), before, "the worlds that waited were shown");
    assert!(engine.end().is_ok());
}

#[test]
fn a_moment_far_back_is_reached_from_a_world_that_is_parked_before_it() {
    let mut engine = engine("01", true);
    run_past(&mut engine, 65 * SECOND);
    // Worlds are parked at 30 s and 60 s.
    wait_for(&mut engine, |engine| {
        engine.take_view();
        (engine.parked() == [30 * SECOND, 60 * SECOND]).then_some(())
    });
    done(&answered(&mut engine, Order::GoTo(62 * SECOND)));
    settled(&mut engine);
    done(&answered(&mut engine, Order::GoTo(31 * SECOND)));
    let there = settled(&mut engine);
    assert_eq!(
        engine.set_out(),
        30 * SECOND,
        "from the parked world, not from the start"
    );
    assert_eq!(there.frame.at.elapsed(), 31 * SECOND);
    // Others are run to where those were.
    wait_for(&mut engine, |engine| {
        engine.take_view();
        (engine.parked() == [30 * SECOND, 60 * SECOND]).then_some(())
    });
    // What is seen there is what a world sees that was run from the start.
    let source = find_shipped("01").expect("a shipped layout").source;
    let layout = layout::parse(source, "01").expect("a layout");
    let mut again = Session::scheduled(&layout, 7, &[]);
    again.advance_to(31 * SECOND);
    assert_eq!(*there.frame, again.frame());
    assert!(engine.worlds() <= 5);
    assert!(engine.end().is_ok());
}

#[test]
fn where_there_is_one_core_there_are_two_worlds_at_most() {
    let mut engine = engine("01", false);
    run_past(&mut engine, 40 * SECOND);
    for at in [35, 10, 20, 5] {
        done(&answered(&mut engine, Order::GoTo(at * SECOND)));
        settled(&mut engine);
    }
    assert!(matches!(answered(&mut engine, Order::Return), Answer::Here(_)));
    settled(&mut engine);
    assert_eq!(engine.worlds(), 2);
    assert!(engine.end().is_ok());
}

/// A session that crawls while somebody wants it to: half a second on the wall for each that is simulated.
struct Crawling(Session, Arc<AtomicBool>);

impl Simulation for Crawling {
    fn apply(&mut self, command: &Command) -> Result<Applied, CommandError> {
        Simulation::apply(&mut self.0, command)
    }

    fn advance(&mut self, by: Duration) {
        if self.1.load(Ordering::SeqCst) {
            std::thread::sleep(by.min(100 * Duration::from_millis(1)) / 2);
        }
        Simulation::advance(&mut self.0, by);
    }

    fn now(&self) -> SimTime {
        Simulation::now(&self.0)
    }

    fn frame(&mut self) -> Frame {
        Session::frame(&mut self.0)
    }

    fn acts(&self) -> &[Act] {
        Session::acts(&self.0)
    }

    fn checkpoints(&self) -> &[Checkpoint] {
        Session::checkpoints(&self.0)
    }

    fn digest(&self) -> Digest {
        Session::digest(&self.0)
    }

    fn plan(&mut self, acts: &[Act]) {
        Session::plan(&mut self.0, acts);
    }

    fn do_what_is_due(&mut self) {
        Session::do_what_is_due(&mut self.0);
    }

    fn to_come(&self) -> usize {
        Session::to_come(&self.0)
    }
}

/// All answers until one of them says this.
fn told(engine: &mut Engine, what: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    wait_for(engine, |engine| {
        engine.take_view();
        answers.extend(engine.take_answers());
        answers.iter().any(|answer| words(answer).contains(what)).then_some(())
    });
    answers
}

fn words(answer: &Answer) -> &str {
    match answer {
        Answer::Done(words) | Answer::Here(words) | Answer::Refused(words) => words,
    }
}

#[test]
fn a_long_way_is_called_off_and_what_waited_for_its_end_is_not_done() {
    let source = find_shipped("01").expect("a shipped layout").source;
    let layout = layout::parse(source, "01").expect("a layout");
    let crawl = Arc::new(AtomicBool::new(false));
    let start = Start {
        recording: Recording::new(Head::new("01", source, None, 7)),
        ..Start::bare(false, Speed::MAX)
    };
    let (of, crawls) = (layout.clone(), Arc::clone(&crawl));
    let make = move || Crawling(Session::scheduled(&of, 7, &[]), Arc::clone(&crawls));
    let mut engine = Engine::start(make, start).expect("a thread");
    let end = run_past(&mut engine, 200 * SECOND);
    crawl.store(true, Ordering::SeqCst);
    let began = Instant::now();

    // By esc: back to where it began, where a world waits.
    assert!(engine.order(Order::GoTo(190 * SECOND)));
    assert!(engine.order(act("kill web")));
    assert!(engine.order(Order::CallOff));
    let answers = told(&mut engine, "`kill web` was not done");
    assert!(
        answers
            .iter()
            .any(|answer| words(answer).contains("called off: back at")),
        "{answers:?}"
    );
    settled(&mut engine);
    assert_eq!(engine.timeline().at, end);

    // By another way: the act does not hold it up.
    assert!(engine.order(Order::GoTo(190 * SECOND)));
    assert!(engine.order(act("kill web")));
    assert!(engine.order(Order::Return));
    told(&mut engine, "`kill web` was not done");
    settled(&mut engine);
    assert_eq!((engine.timeline().at, engine.timeline().branches.len()), (end, 1));
    assert!(began.elapsed() < 30 * SECOND, "nobody waited for the whole way");

    // Where no world waits at the beginning of the way, it goes no further.
    crawl.store(false, Ordering::SeqCst);
    done(&answered(&mut engine, Order::GoTo(SECOND)));
    settled(&mut engine);
    crawl.store(true, Ordering::SeqCst);
    assert!(engine.order(Order::GoTo(150 * SECOND)));
    std::thread::sleep(Duration::from_millis(200));
    assert!(engine.order(Order::CallOff));
    told(&mut engine, "called off at");
    crawl.store(false, Ordering::SeqCst);
    let halted = settled(&mut engine);
    let at = halted.frame.at.elapsed();
    assert!((SECOND..150 * SECOND).contains(&at), "{at:?}");
    let mut again = Session::scheduled(&layout, 7, &[]);
    again.advance_to(at);
    assert_eq!(*halted.frame, again.frame());
    assert!(engine.end().is_ok());
}

#[test]
fn the_list_of_branches_has_an_end() {
    let mut engine = engine("01", true);
    run_past(&mut engine, SECOND);
    let mut limits = 0;
    let mut hears = |answers: Vec<Answer>| {
        limits += answers
            .iter()
            .filter(|answer| words(answer).contains("the oldest ones leave"))
            .count();
    };
    for _ in 0..BRANCHES + 4 {
        assert!(engine.order(act("slow web 2")));
        hears(told(&mut engine, "slow"));
        assert!(engine.order(Order::Rewind));
        hears(told(&mut engine, "before `slow web 2`"));
    }
    assert_eq!(limits, 1, "once is enough");
    let timeline = engine.timeline();
    let known = timeline.branches.iter().filter(|branch| !branch.forgotten).count();
    assert_eq!((known, timeline.branches.len()), (BRANCHES, BRANCHES + 4));
    assert!(matches!(answered(&mut engine, Order::Switch(0)), Answer::Refused(_)));
    assert!(engine.end().is_ok());
}

#[test]
fn a_look_for_what_comes_next_stops_at_a_chapter() {
    let mut engine = engine("01", true);
    run_past(&mut engine, 9 * SECOND);
    done(&answered(&mut engine, Order::GoTo(5 * SECOND)));
    settled(&mut engine);
    done(&answered(&mut engine, Order::Mark("the middle".to_string())));
    done(&answered(&mut engine, Order::GoTo(SECOND)));
    settled(&mut engine);
    assert_eq!(
        answered(&mut engine, Order::Seek),
        Answer::Here("the middle".to_string())
    );
    assert_eq!(settled(&mut engine).frame.at.elapsed(), 5 * SECOND);
    // Behind it there is nothing.
    assert!(matches!(answered(&mut engine, Order::Seek), Answer::Refused(_)));
    assert!(engine.end().is_ok());
}

#[test]
fn beside_a_run_in_which_somebody_acted_there_is_one_in_which_nobody_did() {
    let mut engine = engine("04", true);
    run_past(&mut engine, Duration::from_secs(4));
    assert!(engine.without().is_empty(), "nobody has acted yet");
    let kill = Command::parse("kill db").expect("a command");
    assert!(matches!(answered(&mut engine, Order::Do(kill)), Answer::Done(_)));
    run_past(&mut engine, Duration::from_secs(12));
    let seconds = wait_for(&mut engine, |engine| {
        engine.take_view();
        Some(engine.without()).filter(|seconds| seconds.len() >= 11)
    });
    let source = find_shipped("04").expect("a shipped layout").source;
    let layout = layout::parse(source, "04").expect("a layout");
    let mut undisturbed = Session::scheduled(&layout, 7, &[]);
    undisturbed.advance_to(Duration::from_secs(11));
    assert_eq!(seconds[..11], undisturbed.frame().history[..11]);
    // It stays what it is, whatever the person does.
    assert!(engine.order(Order::Rewind));
    settled(&mut engine);
    assert_eq!(engine.without()[..11], undisturbed.frame().history[..11]);
    engine.end().expect("no panic");
}

#[test]
fn time_stops_at_exactly_the_moment_that_was_wanted() {
    let mut engine = engine("04", false);
    let end = Duration::from_micros(7_300_250);
    assert!(engine.order(Order::StopAt(Some(end))));
    assert!(engine.order(Order::Run(true)));
    let view = wait_for(&mut engine, |engine| {
        engine
            .take_view()
            .filter(|view| !view.running && view.frame.at.elapsed() >= end)
    });
    assert_eq!(view.frame.at.elapsed(), end);
    // It goes on from there.
    run_past(&mut engine, Duration::from_secs(9));
    engine.end().expect("no panic");
}
