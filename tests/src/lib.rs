//! The harness of the integration suites and of the demo: a host as a child
//! process, a vendor's side to talk to it, and the services around it, all on
//! this machine's own address.

pub mod client;
pub mod host;
pub mod load;
pub mod peers;
pub mod site;

pub use botyard_twins::wait;
