//! The `botyard` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    botyard::cli::run()
}
