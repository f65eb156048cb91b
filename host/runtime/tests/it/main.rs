//! Runs real components, above all one that breaks every rule.

mod attacks;
mod calls;
mod host;
mod hostile;
mod interpreted;
mod jail;
mod load;
mod permits;
mod safety;
mod world;
