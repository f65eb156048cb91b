//! What we render, put to the strict twins of the vendors.
//!
//! The twins' limits are typed from the vendors' documents and not read from our
//! profiles, so a limit that a profile has wrong shows here as a refusal.

mod menus;
mod raised;
mod side;
mod taps;
