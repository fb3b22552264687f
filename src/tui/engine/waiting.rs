//! Where worlds wait, so that no way through the past is long.
//!
//! A world cannot be copied: it is made of running tasks. So a moment can be gone back to only by a world that was run to it, or to one before it,
//! and waits there. When it is used it moves on, and another one is run to its place: in the background, and only while no other world is in a hurry.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::replay::Place;

use super::deck::Deck;
use super::director::Engine;
use super::errand::Travel;
use super::ghost::Ghost;

/// Worlds at most where there is one core: the one that is shown, and the one where the person came from.
const FEWEST_DECKS: usize = 2;
/// Worlds that wait at moments spread over the run: with two of them a way back is rarely longer than half of the run, and the worlds that are run
/// to them cost less than the one that is shown does.
pub(super) const PARKED: usize = 2;
/// Worlds at most where there are more cores: the one that is shown, the one before the last act, the one where the person came from, and those that
/// are parked.
const MOST_DECKS: usize = 3 + PARKED;
/// Nearer to the start than this no world is parked: this much is simulated again in a moment.
const LEAST_SPACING: Duration = Duration::from_secs(15);
/// Worlds are parked while the program with one more of them takes no more memory than this, in bytes, or than a quarter of what is free: whoever has a
/// browser open beside it is not to notice. The shipped layouts take from 10 to 200 MB a world, 16 more.
const MODEST_MEMORY: u64 = 512 << 20;
/// The share of the free memory that may be taken.
const OF_FREE: u64 = 4;
/// Between two looks at how much memory there is, on the wall.
const LOOK: Duration = Duration::from_secs(1);
/// How far the world that waits for an act may be behind the one that is shown.
const LAG: Duration = Duration::from_secs(1);

/// The moments at which worlds are parked in a run of this length: multiples of a spacing that doubles as the run gets longer, so that of each two
/// worlds one stays where it is when it does.
fn parking(length: Duration) -> impl Iterator<Item = Duration> {
    let mut spacing = LEAST_SPACING;
    while spacing * 2 * PARKED as u32 <= length {
        spacing *= 2;
    }
    (1..=PARKED as u32)
        .map(move |number| spacing * number)
        .filter(move |at| *at <= length)
}

impl Engine {
    /// The world that is nearest before a place on its own way, but none of those that are to stay where they are.
    pub(super) fn nearest(&self, place: Place, kept: &[Option<usize>]) -> Option<usize> {
        let all = self.decks.iter().enumerate();
        all.filter(|(index, deck)| !kept.contains(&Some(*index)) && self.leads_to(deck, place))
            .max_by_key(|(_, deck)| deck.now())
            .map(|(index, _)| index)
    }

    /// Whether a world can go on to a place from where it is. What it was sent to do and has not done yet does not count.
    fn leads_to(&self, deck: &Deck, place: Place) -> bool {
        let (now, on_its_way) = (deck.now(), deck.progress().is_some());
        let (went, way) = (self.history.before(deck.place), self.history.before(place));
        let same = went.iter().zip(way).take_while(|(a, b)| a == b).count();
        let undone = |at: Duration| on_its_way && now < at;
        now <= place.at
            && went.get(same).is_none_or(|act| undone(act.at))
            && way.get(same).is_none_or(|act| act.at >= now)
    }

    /// A world that nobody needs where it is, or a new one; if there can be no more, one that is parked.
    pub(super) fn spare(&mut self, kept: &[Option<usize>]) -> Option<usize> {
        let parked = self.parkers();
        let all = 0..self.decks.len();
        let free: Vec<usize> = all.filter(|deck| !kept.contains(&Some(*deck))).collect();
        let idle = free.iter().find(|deck| !parked.contains(&Some(**deck)));
        let most = if self.followers { MOST_DECKS } else { FEWEST_DECKS };
        if idle.is_some() || self.decks.len() >= most {
            return idle.or(free.first()).copied();
        }
        self.decks.push(Deck::start(&self.make).ok()?);
        Some(self.decks.len() - 1)
    }

    /// Where worlds are to be parked.
    fn parking(&self) -> impl Iterator<Item = Place> {
        let length = self.history.recording().duration;
        parking(length).map(|at| self.history.at(at))
    }

    /// The worlds that are parked or on their way there, one for each place; none where there is none.
    fn parkers(&self) -> Vec<Option<usize>> {
        let stands = |deck: &Deck, place: Place| {
            deck.place.at == place.at && self.history.before(deck.place) == self.history.before(place)
        };
        let find = |place| {
            let mut others = self.decks.iter().enumerate().filter(|(deck, _)| *deck != self.shown);
            others.find(|(_, deck)| stands(deck, place)).map(|(deck, _)| deck)
        };
        self.parking().map(find).collect()
    }

    /// The moments at which worlds are parked by now.
    pub fn parked(&self) -> Vec<Duration> {
        let decks = self.parkers().into_iter().flatten();
        let there = decks
            .map(|deck| &self.decks[deck])
            .filter(|deck| deck.progress().is_none());
        there.map(|deck| deck.place.at).collect()
    }

    /// Worlds that there are.
    pub fn worlds(&self) -> usize {
        self.decks.len()
    }

    /// From where the world that is shown set out on its last way.
    pub fn set_out(&self) -> Duration {
        self.decks[self.shown].set_out()
    }

    /// Keeps worlds where the person may want to go: just before the last act, and at moments spread over the run.
    pub(super) fn steer_followers(&mut self) {
        if !self.followers {
            return;
        }
        let came_from = self.came_from.map(|from| from.deck);
        let mut kept = vec![Some(self.shown), came_from];
        if let Some((place, slack)) = self.before_the_act() {
            let Some(deck) = self.waits_before(place, slack) else {
                self.send_to_wait(place, &kept, false);
                return;
            };
            kept.push(Some(deck));
        }
        let hurry = self.decks.iter().any(Deck::hurries);
        for deck in &self.decks {
            deck.let_wait(hurry);
        }
        if !hurry && !self.decks.iter().any(Deck::strolls) {
            self.park(kept);
        }
    }

    /// Lets the twin without the person's acts go on to where they are, once they have acted.
    pub(super) fn steer_ghost(&mut self) {
        let here = self.history.here().at;
        if self.ghost.is_none() {
            let acted = self.history.recording().commands.iter().any(|act| act.at <= here);
            if !acted || !self.followers || self.no_ghost || !self.has_room() {
                return;
            }
            self.ghost = Ghost::start(&self.make);
        }
        if self.ghost.as_ref().is_some_and(Ghost::has_died) {
            (self.ghost, self.no_ghost) = (None, true);
        }
        // A computer that cannot keep pace with the world that is shown has nothing to spare.
        let behind = self
            .last
            .as_ref()
            .is_some_and(|view| view.running && view.behind.is_some());
        let waits = behind || self.decks.iter().any(Deck::hurries);
        let Some(ghost) = &self.ghost else { return };
        ghost.aim(here, waits);
        let news = ghost.news(self.without.len());
        if !news.is_empty() {
            Arc::make_mut(&mut self.without).extend(news);
            self.twin = ghost.latest();
        }
    }

    /// Just before the last act; while there was none, not far behind the world that is shown. How much earlier than that will do.
    fn before_the_act(&self) -> Option<(Place, Duration)> {
        match self.history.before_last() {
            Some((place, _)) => Some((place, Duration::ZERO)),
            None if self.replayed || self.history.is_past() => None,
            None => Some((self.history.here(), LAG)),
        }
    }

    fn waits_before(&self, place: Place, slack: Duration) -> Option<usize> {
        let waits = |deck: &Deck| {
            let stands = deck.place;
            stands.branch == place.branch
                && stands.acts == place.acts
                && stands.at + slack >= place.at
                && stands.at <= place.at
        };
        let mut others = self.decks.iter().enumerate().filter(|(deck, _)| *deck != self.shown);
        others.find(|(_, deck)| waits(deck)).map(|(deck, _)| deck)
    }

    /// Sends a world to the first place where one should be parked and none is.
    fn park(&mut self, mut kept: Vec<Option<usize>>) {
        let parked = self.parkers();
        let Some(free) = parked.iter().position(Option::is_none) else {
            return;
        };
        let place = self.parking().nth(free);
        kept.extend(parked);
        if let Some(place) = place.filter(|_| self.has_room()) {
            self.send_to_wait(place, &kept, true);
        }
    }

    fn send_to_wait(&mut self, place: Place, kept: &[Option<usize>], gentle: bool) {
        let nearest = self.nearest(place, kept);
        let Some(chosen) = nearest.or_else(|| self.spare(kept)) else {
            return;
        };
        self.errands += 1;
        let travel = Travel {
            number: self.errands,
            acts: self.history.before(place).to_vec(),
            until: place.at,
            gentle,
            then: None,
        };
        self.decks[chosen].travel(place, travel);
    }

    /// Whether there is memory for one more world, if it takes as much as those that there are.
    fn has_room(&mut self) -> bool {
        if let Some((looked, room)) = self.room
            && looked.elapsed() < LOOK
        {
            return room;
        }
        let worlds = (self.decks.len() + usize::from(self.ghost.is_some())) as u64;
        let most = MODEST_MEMORY.max(free().unwrap_or(0) / OF_FREE);
        let room = resident().is_some_and(|bytes| bytes / worlds * (worlds + 1) <= most);
        self.room = Some((Instant::now(), room));
        room
    }
}

/// The memory that this program has in use, in bytes, where the system says so as Linux does; see proc(5).
fn resident() -> Option<u64> {
    kilobytes("/proc/self/status", "VmRSS:")
}

/// The memory that programs can still get without swapping, this one's own counted as taken, in bytes: of the machine, or of the container if that has
/// less; see proc(5) and the kernel's documentation of cgroups.
fn free() -> Option<u64> {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let limits = [
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    ];
    let left = limits
        .into_iter()
        .filter_map(|(most, used)| Some(number(most)?.saturating_sub(number(used)?)));
    kilobytes("/proc/meminfo", "MemAvailable:")
        .into_iter()
        .chain(left)
        .min()
}

/// A line of a file of the system, in bytes.
fn kilobytes(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_are_parked_so_that_no_way_is_longer_than_half_of_the_run() {
        let seconds = |length| -> Vec<u64> { parking(Duration::from_secs(length)).map(|at| at.as_secs()).collect() };
        assert_eq!(seconds(14), Vec::<u64>::new());
        assert_eq!(
            (seconds(15), seconds(59), seconds(60)),
            (vec![15], vec![15, 30], vec![30, 60])
        );
        assert_eq!(seconds(600), [240, 480]);
        for length in 30..10_000 {
            let parked = seconds(length);
            let stops = [0]
                .into_iter()
                .chain(parked.clone())
                .zip(parked.into_iter().chain([length]));
            let longest = stops.map(|(from, to)| to - from).max();
            assert!(longest <= Some(length.div_ceil(2)), "{length}: {longest:?}");
        }
    }
}
