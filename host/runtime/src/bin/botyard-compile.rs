//! Compiles one component from standard input to standard output, and nothing
//! else: for hosters who put their compiler into a jail of its own, and for the
//! tests of this crate. `botyard compile` is the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    botyard_runtime::compile_main(std::io::stdin().lock(), std::io::stdout().lock())
}
