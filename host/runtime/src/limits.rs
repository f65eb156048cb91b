//! What one turn of a bot may use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Bytes of a bot's result, log and writes are counted in units of this.
const KIB: usize = 1 << 10;
/// Bytes of memory are counted in units of this.
const MIB: usize = 1 << 20;

/// What one turn of a bot may use. Every limit is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierLimits {
    /// CPU time, from the making of the instance to the last action; 50 ms
    /// native, 150 ms interpreted.
    pub cpu: Duration,
    /// Wall time; 2 s. A bot that waits spends none of it, its clock jumps.
    pub wall: Duration,
    /// Wall time of a turn that makes http calls, from its beginning; 10 s. Never
    /// less than [`TierLimits::wall`].
    pub wall_with_calls: Duration,
    /// Memory in bytes, summed over all memories; 32 and 128 MiB.
    pub memory_bytes: usize,
    /// Elements of a table; 20,000 and 100,000.
    pub table_elements: usize,
    /// Stack of the bot's own functions in bytes; 256 KiB and 1 MiB.
    pub stack_bytes: usize,
    /// Data that a bot can hand to the host in one call, in bytes: 1 MiB for the
    /// body of an http call, and 64 KiB.
    pub call_bytes: usize,
    /// Actions of a result; 32.
    pub actions: usize,
    /// All actions of a result together, as canonical JSON in bytes; 64 KiB.
    pub result_bytes: usize,
    /// The bot's log, its standard output and error included, in bytes; 16 KiB.
    pub log_bytes: usize,
    /// The component itself, in bytes; 8 and 32 MiB.
    pub component_bytes: usize,
}

impl TierLimits {
    /// The defaults for Rust, C and Go bots.
    pub fn native() -> Self {
        Self {
            cpu: Duration::from_millis(50),
            wall: Duration::from_secs(2),
            wall_with_calls: Duration::from_secs(10),
            memory_bytes: 32 * MIB,
            table_elements: 20_000,
            stack_bytes: 256 * KIB,
            call_bytes: MIB + 64 * KIB,
            actions: 32,
            result_bytes: 64 * KIB,
            log_bytes: 16 * KIB,
            component_bytes: 8 * MIB,
        }
    }

    /// The defaults for JavaScript and Python bots.
    pub fn interpreted() -> Self {
        Self {
            cpu: Duration::from_millis(150),
            memory_bytes: 128 * MIB,
            table_elements: 100_000,
            stack_bytes: MIB,
            component_bytes: 32 * MIB,
            ..Self::native()
        }
    }
}

/// Counts what an instance holds, over all its memories and tables.
#[derive(Debug)]
pub(crate) struct InstanceLimiter {
    memory_left: usize,
    table_elements: usize,
    refused: Option<Refused>,
}

/// What an instance asked for and did not get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// More memory.
    Memory,
    /// A larger table.
    Table,
}

impl InstanceLimiter {
    /// Counts from nothing.
    pub(crate) fn new(limits: &TierLimits) -> Self {
        Self {
            memory_left: limits.memory_bytes,
            table_elements: limits.table_elements,
            refused: None,
        }
    }

    /// The last thing that was refused. A program that is refused memory fails
    /// a little later and in its own words; this tells why.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for InstanceLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if more > self.memory_left {
            self.refused = Some(Refused::Memory);
            return Ok(false);
        }
        self.memory_left -= more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused = Some(Refused::Table);
            return Ok(false);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_summed_over_all_memories() {
        let mut limiter = InstanceLimiter::new(&TierLimits::native());
        assert!(limiter.memory_growing(0, 20 * MIB, None).unwrap());
        assert!(!limiter.memory_growing(0, 20 * MIB, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Memory));
        assert!(limiter.memory_growing(20 * MIB, 32 * MIB, None).unwrap());
        assert!(!limiter.memory_growing(32 * MIB, 32 * MIB + 1, None).unwrap());
    }

    #[test]
    fn a_table_has_its_own_bound() {
        let mut limiter = InstanceLimiter::new(&TierLimits::native());
        assert!(limiter.table_growing(0, 20_000, None).unwrap());
        assert!(!limiter.table_growing(20_000, 20_001, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Table));
    }
}
