//! One module for each version of the contract with bots, with conversions only.

pub(crate) mod v1;
