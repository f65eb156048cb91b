//! What one turn of a bot may use.

use std::time::Duration;

use botyard_kernel::limits::{Bound, Limit, TurnBounds};
use wasmtime::ResourceLimiter;

use crate::tier::Tier;

/// What goes to the host beside the body of a call, or without one, in bytes.
const HANDED_BYTES: usize = 64 << 10;

/// What one turn of a bot may use. Every limit is enforced; the defaults are those of
/// the table of all limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierLimits {
    /// CPU time, from the making of the instance to the last action.
    pub cpu: Duration,
    /// Wall time. A bot that waits spends none of it, its clock jumps.
    pub wall: Duration,
    /// Wall time of a turn that makes http calls, from its beginning. Never less than
    /// [`TierLimits::wall`].
    pub wall_with_calls: Duration,
    /// Memory in bytes, summed over all memories.
    pub memory_bytes: usize,
    /// Elements of a table.
    pub table_elements: usize,
    /// Stack of the bot's own functions in bytes.
    pub stack_bytes: usize,
    /// Data that a bot can hand to the host in one call, in bytes: the body of an http
    /// call, and 64 KiB.
    pub call_bytes: usize,
    /// Actions of a result.
    pub actions: usize,
    /// All actions of a result together, as canonical JSON in bytes.
    pub result_bytes: usize,
    /// The bot's log, its standard output and error included, in bytes.
    pub log_bytes: usize,
    /// The component itself, in bytes.
    pub component_bytes: usize,
}

impl TierLimits {
    /// The defaults for Rust, C and Go bots.
    pub const fn native() -> Self {
        Self {
            cpu: time(Limit::NativeCpuMs),
            wall: time(Limit::NativeWallMs),
            wall_with_calls: time(Limit::NativeWallWithCallsMs),
            memory_bytes: Limit::NativeMemoryBytes.preset_size(),
            table_elements: Limit::NativeTableElements.preset_size(),
            stack_bytes: Limit::NativeStackBytes.preset_size(),
            call_bytes: Limit::CallBodyBytes.preset_size() + HANDED_BYTES,
            actions: Limit::TurnActions.preset_size(),
            result_bytes: Limit::TurnResultBytes.preset_size(),
            log_bytes: Limit::TurnLogBytes.preset_size(),
            component_bytes: Limit::NativeComponentBytes.preset_size(),
        }
    }

    /// The defaults for JavaScript and Python bots.
    pub const fn interpreted() -> Self {
        Self {
            cpu: time(Limit::InterpretedCpuMs),
            wall: time(Limit::InterpretedWallMs),
            wall_with_calls: time(Limit::InterpretedWallWithCallsMs),
            memory_bytes: Limit::InterpretedMemoryBytes.preset_size(),
            table_elements: Limit::InterpretedTableElements.preset_size(),
            stack_bytes: Limit::InterpretedStackBytes.preset_size(),
            component_bytes: Limit::InterpretedComponentBytes.preset_size(),
            ..Self::native()
        }
    }
}

const fn time(limit: Limit) -> Duration {
    Duration::from_millis(limit.preset())
}

/// What a turn may use, and which limit says so where that may be the tenant's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TurnLimits {
    /// All of them, those of the tenant put in.
    pub(crate) tier: TierLimits,
    /// CPU time in milliseconds.
    pub(crate) cpu: Bound,
    /// Wall time without calls, in milliseconds.
    pub(crate) wall: Bound,
    /// Wall time with calls, in milliseconds. Never less than without.
    pub(crate) wall_with_calls: Bound,
    /// Memory in bytes.
    pub(crate) memory: Bound,
}

impl TurnLimits {
    /// What bots of a kind may use, whoever runs them.
    pub(crate) fn of(kind: Tier, tier: TierLimits) -> Self {
        let [cpu, wall, wall_with_calls, memory] = match kind {
            Tier::Native => [
                Limit::NativeCpuMs,
                Limit::NativeWallMs,
                Limit::NativeWallWithCallsMs,
                Limit::NativeMemoryBytes,
            ],
            Tier::Interpreted => [
                Limit::InterpretedCpuMs,
                Limit::InterpretedWallMs,
                Limit::InterpretedWallWithCallsMs,
                Limit::InterpretedMemoryBytes,
            ],
        };
        let longer = tier.wall_with_calls.max(tier.wall);
        Self {
            cpu: Bound::of_kind(cpu, millis(tier.cpu)),
            wall: Bound::of_kind(wall, millis(tier.wall)),
            wall_with_calls: Bound::of_kind(wall_with_calls, millis(longer)),
            memory: Bound::of_kind(memory, tier.memory_bytes as u64),
            tier,
        }
    }

    /// The same for a tenant that may use less.
    pub(crate) fn lowered(self, tenants: &TurnBounds) -> Self {
        let cpu = self.cpu.lowered(tenants.cpu_ms);
        let wall = self.wall.lowered(tenants.wall_ms);
        let wall_with_calls = self.wall_with_calls.lowered(tenants.wall_ms);
        let memory = self.memory.lowered(tenants.memory_bytes);
        let tier = TierLimits {
            cpu: Duration::from_millis(cpu.most),
            wall: Duration::from_millis(wall.most),
            wall_with_calls: Duration::from_millis(wall_with_calls.most),
            memory_bytes: usize::try_from(memory.most).unwrap_or(usize::MAX),
            ..self.tier
        };
        Self { tier, cpu, wall, wall_with_calls, memory }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Counts what an instance holds, over all its memories and tables.
#[derive(Debug)]
pub(crate) struct InstanceLimiter {
    memory_bytes: usize,
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
            memory_bytes: limits.memory_bytes,
            memory_left: limits.memory_bytes,
            table_elements: limits.table_elements,
            refused: None,
        }
    }

    /// How much memory it holds, in bytes. It never gives any back, so this is the most.
    pub(crate) fn held(&self) -> usize {
        self.memory_bytes - self.memory_left
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

    const MIB: usize = 1 << 20;

    #[test]
    fn memory_is_summed_over_all_memories() {
        let mut limiter = InstanceLimiter::new(&TierLimits::native());
        assert!(limiter.memory_growing(0, 20 * MIB, None).unwrap());
        assert!(!limiter.memory_growing(0, 20 * MIB, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Memory));
        assert_eq!(limiter.held(), 20 * MIB, "what was refused is not held");
        assert!(limiter.memory_growing(20 * MIB, 32 * MIB, None).unwrap());
        assert_eq!(limiter.held(), 32 * MIB);
        assert!(!limiter.memory_growing(32 * MIB, 32 * MIB + 1, None).unwrap());
    }

    #[test]
    fn a_tenant_has_what_it_may_use_of_what_its_kind_may_use() {
        let native = TurnLimits::of(Tier::Native, TierLimits::native());
        let interpreted = TurnLimits::of(Tier::Interpreted, TierLimits::interpreted());
        let bound = |limit, most| Some(Bound { most, limit, is_own: true });
        let tenants = TurnBounds {
            cpu_ms: bound(Limit::TurnCpuMs, 100),
            wall_ms: bound(Limit::TurnWallMs, 3_000),
            memory_bytes: bound(Limit::TurnMemoryBytes, 16 << 20),
        };
        let (native, interpreted) = (native.lowered(&tenants), interpreted.lowered(&tenants));
        assert_eq!((native.cpu.most, native.cpu.limit), (50, Limit::NativeCpuMs));
        assert_eq!((interpreted.cpu.most, interpreted.cpu.limit), (100, Limit::TurnCpuMs));
        assert_eq!(interpreted.tier.cpu, Duration::from_millis(100));
        assert_eq!((native.wall.most, native.wall_with_calls.most), (2_000, 3_000));
        assert_eq!(native.tier.wall_with_calls, Duration::from_secs(3));
        for limits in [native, interpreted] {
            assert_eq!(
                (limits.tier.memory_bytes, limits.memory.limit),
                (16 * MIB, Limit::TurnMemoryBytes)
            );
        }
        assert_eq!(native.tier.component_bytes, TierLimits::native().component_bytes);
    }

    #[test]
    fn a_table_has_its_own_bound() {
        let mut limiter = InstanceLimiter::new(&TierLimits::native());
        assert!(limiter.table_growing(0, 20_000, None).unwrap());
        assert!(!limiter.table_growing(20_000, 20_001, None).unwrap());
        assert_eq!(limiter.refused(), Some(Refused::Table));
    }
}
