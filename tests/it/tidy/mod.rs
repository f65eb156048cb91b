//! The invariants of the source tree, as tests.

mod arms;
mod cargo;
mod egress;
mod failure_table;
mod files;
mod mirror;
mod points;
mod pure;
mod store;
mod tree;
mod walls;
mod wit;
