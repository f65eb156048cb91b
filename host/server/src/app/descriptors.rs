//! File descriptors: as many as the system lets us have, and caches that fit into them.
//!
//! A version that is loaded holds one, one that is linked holds another, and a host
//! without any takes no connection and writes no file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A connection that came in may wait for one that goes out.
const OF_A_CONNECTION: u64 = 2;
/// For the store, its blobs and logs, sockets, and the pipes of the compiler.
const OTHERS: u64 = 512;
/// So many versions are held in any case: fewer would be read again all the time.
const LEAST: usize = 64;

/// How many versions are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caches {
    /// Loaded, so that a run needs no look at the disk for them.
    pub(super) open: usize,
    /// And linked, so that it begins at once.
    pub(super) linked: usize,
}

/// What is held where there is room.
const WHOLE: Caches = Caches { open: 2_048, linked: 4_096 };

/// Asks the system for as many descriptors as it gives, and says how much can be held
/// with them beside so many connections.
pub(super) fn share(connections_max: usize) -> Caches {
    let limit = raise();
    let caches = fitting(limit, connections_max);
    if caches != WHOLE {
        let Caches { open, linked } = caches;
        let wanted = needed(WHOLE, connections_max);
        tracing::warn!(
            limit,
            wanted,
            open,
            linked,
            "few file descriptors: fewer versions stay loaded, and where connections are many, \
             some wait; raise the limit (`LimitNOFILE` of systemd, `--ulimit nofile` of a \
             container) or lower `server.connections-max`"
        );
    }
    caches
}

/// Every process begins with few, so that none is given what it does not know how to use.
fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        return current.unwrap_or(u64::MAX);
    }
    maximum.unwrap_or(u64::MAX)
}

fn fitting(limit: u64, connections_max: usize) -> Caches {
    let room = limit.saturating_sub(needed(Caches { open: 0, linked: 0 }, connections_max));
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    let open = WHOLE.open.min(room / 3).max(LEAST);
    Caches { open, linked: WHOLE.linked.min(room - room / 3).max(LEAST) }
}

fn needed(caches: Caches, connections_max: usize) -> u64 {
    OTHERS + OF_A_CONNECTION * connections_max as u64 + (caches.open + caches.linked) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_what_it_may() {
        let raised = raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!((current, raised), (maximum, maximum.unwrap_or(u64::MAX)));
    }

    #[test]
    fn caches_fit_beside_the_connections() {
        assert_eq!(fitting(u64::MAX, 4_096), WHOLE);
        assert_eq!(fitting(needed(WHOLE, 4_096), 4_096), WHOLE);
        for limit in [9_000, 10_000, 14_000] {
            let caches = fitting(limit, 4_096);
            assert_ne!(caches, WHOLE);
            assert!(needed(caches, 4_096) <= limit, "{caches:?}");
        }
        assert_eq!(fitting(1_024, 4_096), Caches { open: LEAST, linked: LEAST });
    }
}
