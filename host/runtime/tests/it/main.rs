//! Runs real components, above all one that breaks every rule.

mod attacks;
mod host;
mod interpreted;
mod load;
mod permits;
mod safety;
mod world;
