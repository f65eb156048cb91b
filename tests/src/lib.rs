//! The harness of the integration suites and of the demo: a host as a child
//! process, a vendor's side to talk to it, and the services around it, all on
//! this machine's own address.

pub mod client;
pub mod host;
pub mod load;
pub mod peers;
pub mod site;

pub use botyard_twins::wait;

use std::process::ExitCode;

/// How a program that measures ends: with whether its aims were reached, or with what went
/// wrong, of which it says first what it is.
pub fn verdict(what: &str, outcome: anyhow::Result<bool>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("\n{what}: {error:#}");
            ExitCode::FAILURE
        }
    }
}
