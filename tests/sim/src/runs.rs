//! Many runs, over all cores.

use std::any::Any;
use std::ops::Range;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use botyard_kernel::time::Millis;

use crate::{Lived, live};

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many there were.
    pub runs: u64,
    /// Their steps.
    pub steps: u64,
    /// The time that passed in them, in milliseconds.
    pub passed_ms: Millis,
    /// How often hosts died.
    pub crashes: u64,
    /// The sum of the sums of their traces.
    pub trace: u64,
    /// Seeds that broke a promise, and which.
    pub broken: Vec<(u64, String)>,
}

/// One run that may break a promise: the error says which.
///
/// # Errors
/// The first line of what was found.
pub fn try_live(seed: u64, only: Option<&str>) -> Result<Lived, String> {
    panic::catch_unwind(|| live(seed, only, false))
        .map_err(|why| words_of(&*why).lines().take(3).collect::<Vec<_>>().join(" "))
}

/// What a panic says.
pub(crate) fn words_of(why: &(dyn Any + Send)) -> &str {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}

/// Which runs are made.
#[derive(Clone)]
pub struct Search<'a> {
    /// These.
    pub seeds: Range<u64>,
    /// With this vendor alone.
    pub only: Option<&'a str>,
    /// It ends early after so many that broke a promise.
    pub broken_max: usize,
    /// Which broken promises count; whoever breaks another one was there in vain.
    pub counts: fn(&str) -> bool,
}

/// Makes many runs. `progress` hears of the tally now and then.
pub fn many(search: &Search<'_>, progress: impl Fn(&Tally)) -> Tally {
    let Search { seeds, only, broken_max, counts } = search.clone();
    // What breaks is told in the tally, not where it happens.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let (next, tally) = (AtomicU64::new(seeds.start), Mutex::new(Tally::default()));
    let one_after_the_other = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let full = lock(&tally).broken.len() >= broken_max;
            if seed >= seeds.end || full {
                return;
            }
            let lived = try_live(seed, only);
            lock(&tally).add(seed, lived, counts);
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one_after_the_other)).collect();
        let mut waited = 0;
        while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(20));
            waited += 1;
            if waited % 250 == 0 {
                progress(&lock(&tally));
            }
        }
    });
    panic::set_hook(hook);
    let mut tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.broken.sort();
    tally
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tally {
    fn add(&mut self, seed: u64, lived: Result<Lived, String>, counts: fn(&str) -> bool) {
        self.runs += 1;
        match lived {
            Ok(lived) => {
                self.steps += lived.steps as u64;
                self.passed_ms += lived.passed_ms;
                self.crashes += u64::from(lived.crashes);
                self.trace = self.trace.wrapping_add(lived.trace);
            }
            Err(why) if counts(&why) => self.broken.push((seed, why)),
            Err(_) => {}
        }
    }
}
