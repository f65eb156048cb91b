//! Whoever calls the host: the vendors' side of a webhook, operators' machines.

pub mod held;
pub mod metrics;
pub mod signals;
pub mod userlike;
