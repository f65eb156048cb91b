//! Who runs when: tenants share a host by the CPU time that their bots really
//! use, and none of them can hold what the others need.
//!
//! Two machines without IO. [`Permits`] says who may begin a turn: a turn needs
//! memory from its first step to its last, also while it waits, so no tenant may
//! hold it all; and who is over its rate waits there. [`Slices`] says who computes
//! next: a turn that needs long is interrupted every millisecond, and the next
//! millisecond belongs to the tenant whose turn it is.

mod length;
mod permits;
mod rate;
mod slices;

pub use length::{LONG_US, Length, Paces};
pub use permits::Permits;
pub use rate::TenantRate;
pub use slices::{QUANTUM_US, Slices};

/// Names who waits, within one machine. Smaller ones came earlier.
pub type Ticket = u64;

#[cfg(test)]
mod tests;
