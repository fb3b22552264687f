//! What people's browsers and apps keep of the site: static files, each on the device of one person.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::observe::CacheProbe;
use crate::protocol::{Answer, Ask, Http, Layer, PassNews, Reply, Status};
use crate::sim::{InstanceId, SimTime, mix};

use super::copies::{Copies, Held};

/// Files that are remembered for all people of a population together; past that those go that were not used for longest. So a population
/// takes at most 34 MB for them, and browsers forget sooner than in life where millions of people use a site for long.
const MOST: usize = 1 << 20;

/// The browsers of a population.
pub(super) struct Browsers {
    copies: RefCell<Copies>,
    probe: Rc<CacheProbe>,
    /// Evictions that were counted.
    evicted: Cell<u64>,
}

impl Browsers {
    /// Browsers that hold nothing.
    pub(super) fn new(probe: Rc<CacheProbe>) -> Browsers {
        probe.hold(0, 0);
        Browsers {
            copies: RefCell::new(Copies::new(MOST)),
            probe,
            evicted: Cell::new(0),
        }
    }

    /// The answer to a request for a static file from the person's own device. It takes no time.
    pub(super) fn find(&self, now: SimTime, wish: &Http, by: InstanceId) -> Option<Reply> {
        let edition = self.look_up(now, wish);
        self.probe.count(|tally| {
            tally.lookups += 1;
            let bytes = u64::from(wish.bytes);
            match edition {
                Some(_) => {
                    tally.hits += 1;
                    tally.served_bytes += bytes;
                    tally.hit_bytes += bytes;
                }
                None => tally.loads += 1,
            }
        });
        Some(Reply::answer(Answer::Page {
            status: Status::Static { edition: edition? },
            format: wish.format,
            by,
            cookie: None,
            pass: PassNews::NotAsked,
            remember: false,
            copy: Some(Layer::Browser),
            fresh_until: None,
        }))
    }

    fn look_up(&self, now: SimTime, wish: &Http) -> Option<u32> {
        let key = place(wish);
        let mut copies = self.copies.borrow_mut();
        let copy = copies.get(key).filter(|copy| copy.file == wish.key as u32)?;
        if now < copy.until {
            return Some(copy.edition);
        }
        copies.remove(key);
        drop(copies);
        self.probe.count(|tally| tally.expired += 1);
        self.show();
        None
    }

    /// Keeps a file that was fetched. Its age begins when it was asked for, if it comes straight from the site (RFC 9111, section 4.2.3);
    /// what comes by way of a CDN is as old as it was there.
    pub(super) fn learn(&self, now: SimTime, wish: &Http, latest: SimTime, reply: &Reply) {
        debug_assert_eq!(wish.ask, Ask::Asset, "browsers keep files");
        let Ok(answer) = &reply.outcome else {
            self.probe.count(|tally| tally.failed_loads += 1);
            return;
        };
        let bytes = u64::from(wish.bytes);
        self.probe.count(|tally| tally.served_bytes += bytes);
        let Answer::Page {
            status: Status::Static { edition },
            fresh_until,
            ..
        } = *answer
        else {
            return;
        };
        let until = fresh_until.unwrap_or(latest);
        if until <= now {
            return;
        }
        let copy = Held {
            until,
            file: wish.key as u32,
            edition,
            bytes: wish.bytes,
        };
        self.copies.borrow_mut().put(place(wish), copy);
        self.probe.count(|tally| tally.stored += 1);
        self.show();
    }

    /// Forgets one file, or all, on all devices.
    pub(super) fn purge(&self, file: Option<u64>) {
        let gone = {
            let mut copies = self.copies.borrow_mut();
            if let Some(file) = file {
                copies.remove_file(file as u32)
            } else {
                let all = copies.len();
                copies.clear();
                all
            }
        };
        self.probe.count(|tally| tally.invalidated += gone);
        self.show();
    }

    /// The time of all files is over, on all devices.
    pub(super) fn expire(&self, now: SimTime) {
        self.copies.borrow_mut().expire(now);
    }

    fn show(&self) {
        let copies = self.copies.borrow();
        let gone = copies.evicted() - self.evicted.replace(copies.evicted());
        self.probe.count(|tally| tally.evicted += gone);
        self.probe.hold(copies.len(), copies.bytes());
    }
}

/// The key of a person's copy of a file under a name.
fn place(wish: &Http) -> u64 {
    let name = mix(wish.key ^ u64::from(wish.edition) << 40);
    mix(name ^ wish.user.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Format, Owner, Pass, Reason, Stamp};

    fn wish(person: u64, file: u64, edition: u32) -> Http {
        Http {
            ask: Ask::Asset,
            key: file,
            bytes: 100,
            row: 1,
            edition,
            format: Format::Html,
            user: Owner::new(0, person),
            cookie: None,
            pass: Pass::None,
            once: false,
            wrote: (0, Stamp::ORIGINAL),
        }
    }

    fn file(edition: u32, fresh_until: Option<SimTime>) -> Reply {
        Reply::answer(Answer::Page {
            status: Status::Static { edition },
            format: Format::Html,
            by: InstanceId(9),
            cookie: None,
            pass: PassNews::NotAsked,
            remember: false,
            copy: None,
            fresh_until,
        })
    }

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000_000)
    }

    #[test]
    fn a_person_has_a_file_until_its_time_is_over() {
        let probe = Rc::new(CacheProbe::default());
        let browsers = Browsers::new(Rc::clone(&probe));
        let shown = |now, wish: Http| {
            let reply = browsers.find(at(now), &wish, InstanceId(1))?;
            match reply.outcome {
                Ok(Answer::Page {
                    status: Status::Static { edition },
                    copy: Some(Layer::Browser),
                    ..
                }) => Some(edition),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(shown(1, wish(1, 5, 0)), None);
        browsers.learn(at(2), &wish(1, 5, 0), at(11), &file(1, None));
        assert_eq!(shown(3, wish(1, 5, 0)), Some(1));
        assert_eq!(shown(3, wish(2, 5, 0)), None, "it is another person's");
        assert_eq!(shown(3, wish(1, 6, 0)), None, "it is another file");
        assert_eq!(shown(3, wish(1, 5, 2)), None, "it has another name");
        assert_eq!(shown(11, wish(1, 5, 0)), None);
        // What a CDN has kept for long is fresh for less, or not at all.
        browsers.learn(at(12), &wish(1, 5, 0), at(21), &file(1, Some(at(13))));
        browsers.learn(at(12), &wish(1, 6, 0), at(21), &file(1, Some(at(12))));
        browsers.learn(
            at(12),
            &wish(1, 7, 0),
            at(21),
            &Reply::failure(Reason::Refused, InstanceId(9)),
        );
        assert_eq!(shown(12, wish(1, 5, 0)), Some(1));
        assert_eq!((shown(13, wish(1, 5, 0)), shown(12, wish(1, 6, 0))), (None, None));
        let tally = probe.tally.get();
        assert_eq!(
            (tally.lookups, tally.hits, tally.loads, tally.failed_loads),
            (9, 2, 7, 1)
        );
        assert_eq!(
            (tally.stored, tally.expired, tally.served_bytes, tally.hit_bytes),
            (2, 2, 500, 200)
        );
        assert_eq!((probe.entries.get(), probe.bytes.get()), (0, 0));
    }

    #[test]
    fn a_purge_reaches_all_devices() {
        let probe = Rc::new(CacheProbe::default());
        let browsers = Browsers::new(Rc::clone(&probe));
        for person in 0..10 {
            browsers.learn(at(1), &wish(person, person % 2, 0), at(100), &file(1, None));
        }
        browsers.purge(Some(1));
        assert_eq!((probe.entries.get(), probe.tally.get().invalidated), (5, 5));
        assert!(browsers.find(at(2), &wish(3, 1, 0), InstanceId(1)).is_none());
        assert!(browsers.find(at(2), &wish(4, 0, 0), InstanceId(1)).is_some());
        browsers.purge(None);
        assert_eq!((probe.entries.get(), probe.tally.get().invalidated), (0, 10));
    }
}
