//! Jobs on several threads, each with a world of its own. What comes out does not depend on how many there are.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

/// Does the jobs on so many threads, in any order. Whoever calls hears of each that is done, as it is done, with its index. A job that gives nothing was
/// interrupted. No further one is begun once `stop` is set.
///
/// A panic of a job is a panic of whoever calls.
pub fn each<J: Sync, R: Send>(
    jobs: &[J],
    threads: NonZeroUsize,
    stop: &AtomicBool,
    work: impl Fn(&J) -> Option<R> + Sync,
    mut done: impl FnMut(usize, R),
) {
    let next = AtomicUsize::new(0);
    let threads = threads.get().min(jobs.len());
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(threads.max(1));
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { break };
                    let Some(result) = work(job) else { break };
                    // Nobody listens any more only if whoever calls has panicked.
                    if sender.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            done(index, result);
        }
    });
}

/// As many threads as there are cores for this process.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(threads: usize) -> Vec<(usize, u64)> {
        let jobs: Vec<u64> = (0..100).collect();
        let mut all = Vec::new();
        let threads = NonZeroUsize::new(threads).unwrap();
        each(
            &jobs,
            threads,
            &AtomicBool::new(false),
            |job| Some(job * job),
            |index, square| all.push((index, square)),
        );
        all.sort_unstable();
        all
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let expected: Vec<(usize, u64)> = (0..100).map(|number| (number as usize, number * number)).collect();
        for threads in [1, 2, 7, 1_000] {
            assert_eq!(squares(threads), expected);
        }
    }

    #[test]
    fn what_is_done_is_kept_when_it_is_stopped() {
        let stop = AtomicBool::new(false);
        let mut all = Vec::new();
        each(
            &[1, 2, 3, 4],
            NonZeroUsize::MIN,
            &stop,
            |job| {
                stop.store(*job == 2, Ordering::Relaxed);
                Some(*job)
            },
            |_, job| all.push(job),
        );
        assert_eq!(all, [1, 2]);
    }

    #[test]
    #[should_panic(expected = "scoped thread panicked")]
    fn a_panic_is_not_swallowed() {
        let work = |(): &()| -> Option<()> { panic!("a flaw of ours") };
        each(&[()], NonZeroUsize::MIN, &AtomicBool::new(false), work, |_, ()| {});
    }
}
