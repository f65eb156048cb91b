//! The `botyard` binary of the crash test.

use std::process::ExitCode;

fn main() -> ExitCode {
    botyard::cli::run()
}
