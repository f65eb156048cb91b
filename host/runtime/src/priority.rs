//! Where threads stand when processors are scarce.

use std::io;
use std::time::Duration;

use rustix::process::setpriority_process;

/// How far the calling thread, and those that it starts, stand behind others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Priority {
    /// Its share where others want to run as well: 0 is the usual, 19 the least.
    pub(crate) nice: i32,
    /// For how long it may go on before others have their turn, from 0.1 to 100 ms. A
    /// thread that wakes up takes the processor at once from one whose slice is longer
    /// than its own (on Linux 6.12 and later), and does not wait for the end of it.
    pub(crate) slice: Duration,
}

impl Priority {
    /// Takes this place, for good. Where the kernel knows no slices, the share alone counts.
    ///
    /// # Errors
    ///
    /// Where the system forbids it.
    pub(crate) fn take(self) -> io::Result<()> {
        // On Linux this is about the calling thread alone.
        setpriority_process(None, self.nice)?;
        self.take_slice();
        Ok(())
    }

    fn take_slice(self) {
        let attributes = libc::sched_attr {
            size: size_of::<libc::sched_attr>() as u32,
            sched_policy: libc::SCHED_OTHER as u32,
            sched_flags: libc::SCHED_FLAG_KEEP_POLICY as u64,
            sched_nice: self.nice,
            sched_priority: 0,
            sched_runtime: u64::try_from(self.slice.as_nanos()).unwrap_or(u64::MAX),
            sched_deadline: 0,
            sched_period: 0,
        };
        #[expect(unsafe_code, reason = "no library offers this call; it only reads its argument")]
        // Its answer is not needed: without slices, others only wait longer.
        unsafe {
            libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel says of this thread.
    fn told(name: &str) -> Option<String> {
        let told = std::fs::read_to_string("/proc/thread-self/sched").ok()?;
        let mut lines = told.lines().filter_map(|line| line.split_once(" :"));
        let (_, value) = lines.find(|(known, _)| known.trim() == name)?;
        Some(value.trim().to_owned())
    }

    #[test]
    fn a_thread_stands_back_with_its_share_and_its_slice() {
        let priority = Priority { nice: 3, slice: Duration::from_millis(7) };
        let seen = std::thread::spawn(move || {
            let before = told("se.slice");
            priority.take().unwrap();
            (before, told("prio"), told("se.slice"))
        });
        let (before, prio, slice) = seen.join().unwrap();
        // Some kernels do not tell.
        let Some(before) = before else { return };
        assert_eq!(prio.as_deref(), Some("123"));
        assert_ne!(before, "7000000");
        assert_eq!(slice.as_deref(), Some("7000000"));
    }
}
