//! A process that is copied while it runs, and a copy that is waited for. Where systems can't do that, it fails.

use std::io;

/// Which of the two a process is after it was copied.
#[cfg_attr(not(unix), allow(dead_code, reason = "none is copied"))]
pub(super) enum Copied {
    /// The one that there was, and what it knows of the other.
    Original(Twin),
    /// The other.
    Copy,
}

/// A copy of this process.
#[cfg(unix)]
pub(super) struct Twin(fork::ProcessId);

/// There is none.
#[cfg(not(unix))]
pub(super) struct Twin(std::convert::Infallible);

/// Copies this process with all that it holds. It must have one thread: others would be missing in the copy.
#[cfg(unix)]
pub(super) fn copy() -> io::Result<Copied> {
    Ok(match fork::fork_process()? {
        fork::ProcessFork::Parent(id) => Copied::Original(Twin(id)),
        fork::ProcessFork::Child => Copied::Copy,
    })
}

#[cfg(not(unix))]
pub(super) fn copy() -> io::Result<Copied> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Twin {
    /// Waits until it has ended. Says how, if not well.
    #[cfg(unix)]
    pub(super) fn wait(&self) -> Option<String> {
        loop {
            match fork::wait_event(self.0) {
                // Whoever started the program may have had its copies cleared away unseen: then it has ended, nobody knows how.
                Ok(fork::ChildEvent::Exited { code: 0, .. }) | Err(_) => return None,
                Ok(fork::ChildEvent::Exited { code, .. }) => return Some(format!("ended with exit code {code}")),
                Ok(fork::ChildEvent::Signalled { signal, .. }) => {
                    return Some(format!("was ended by signal {}", signal.get()));
                }
                // It was halted, or goes on.
                Ok(_) => {}
            }
        }
    }

    #[cfg(not(unix))]
    pub(super) fn wait(&self) -> Option<String> {
        match self.0 {}
    }
}
