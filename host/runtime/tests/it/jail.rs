//! What a compiling process could do if a component took it over: nothing.
//! Each attempt is made in the jail, where it must fail, and without it, where
//! it must not, or it would show nothing.

use std::process::Command;

use botyard_runtime::{CompileCommand, LoadError, RuntimeConfig};

use crate::host::{Host, load};

const PROBE: &str = env!("CARGO_BIN_EXE_botyard-jail-probe");

/// What is refused from the very start, before a byte of the input is read.
const FROM_THE_START: [&str; 9] =
    ["read", "list", "write", "socket", "program", "thread", "signal", "environment", "priority"];

async fn attempted(
    mode: &str,
    attempt: &str,
    change: impl FnOnce(&mut RuntimeConfig),
) -> LoadError {
    let host = Host::start_with(|config| {
        config.compiler = CompileCommand::new(PROBE, [mode, attempt]);
        change(config);
    });
    load(&host.runtime, b"\0asm").await.expect_err("the probe compiles nothing")
}

/// How the probe ends without a jail.
fn free(attempt: &str) -> Option<i32> {
    let status = Command::new(PROBE).args(["free", attempt]).env("PROBE", "here").status();
    status.expect("the probe runs").code()
}

#[tokio::test]
async fn nothing_can_be_reached_from_the_start() {
    for attempt in FROM_THE_START {
        assert_eq!(free(attempt), Some(8), "{attempt} works without a jail");
        for mode in ["jailed", "working"] {
            let error = attempted(mode, attempt, |_| {}).await.to_string();
            assert!(error.contains("exit status: 7"), "{mode} {attempt}: {error}");
            assert!(error.contains("was refused"), "{mode} {attempt}: {error}");
        }
    }
}

#[tokio::test]
async fn the_limits_cannot_be_changed_once_they_are_set() {
    assert_eq!(free("limits"), Some(8));
    let error = attempted("working", "limits", |_| {}).await.to_string();
    assert!(error.contains("exit status: 7"), "{error}");
}

#[tokio::test]
async fn memory_and_processor_time_are_bounded() {
    assert_eq!(free("memory"), Some(8));
    let tight = |config: &mut RuntimeConfig| config.compile.memory_bytes = 256 << 20;
    let error = attempted("working", "memory", tight).await;
    let LoadError::TooMuchToCompile(what) = &error else { panic!("{error}") };
    assert!(what.contains("256 MiB of memory"), "{what}");

    assert_eq!(free("cpu"), Some(8));
    let tight = |config: &mut RuntimeConfig| config.compile.cpu_seconds = 1;
    let error = attempted("working", "cpu", tight).await;
    let LoadError::TooMuchToCompile(what) = &error else { panic!("{error}") };
    assert!(what.contains("1 s of CPU"), "{what}");
}
