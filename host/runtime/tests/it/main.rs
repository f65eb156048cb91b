//! Runs real components, above all one that breaks every rule.

mod attacks;
mod calls;
mod compiler;
mod fuzz;
mod host;
mod hostile;
mod interpreted;
mod jail;
mod load;
mod permits;
mod residue;
mod safety;
mod world;
