//! Hostile uploads, as data: each row is a component and what must become of it.
//! None may stop the runtime, and what they took must come back.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use botyard_hostile::{Expect, Row, build, refused, turns};
use botyard_kernel::run::Blame;
use botyard_runtime::LoadError;

use crate::host::{Host, Values, failure, input, load, own_bytes, text};

/// A fresh host for rows, with little to compile with.
fn host() -> Host {
    Host::start_with(|config| {
        config.native.slots = 2;
        config.compile.cpu_seconds = 4;
    })
}

async fn check(host: &Host, Row { name, bytes, expect }: &Row) {
    let version = match (load(&host.runtime, bytes).await, expect) {
        (Err(error), Expect::Refused(kind, words)) => {
            assert_eq!(kind_of(&error), *kind, "{name}: {error}");
            assert_eq!(error.blame(), Blame::Bot, "{name}: {error}");
            return assert!(error.to_string().contains(words), "{name}: {error}");
        }
        (Ok(version), Expect::Fails(..) | Expect::Harmless) => version,
        (Err(error), _) => panic!("{name} was refused: {error}"),
        (Ok(_), Expect::Refused(kind, _)) => panic!("{name} was loaded; it should be {kind}"),
    };
    let output = host.run(&version, input("go"), Arc::new(Values::default())).await;
    match expect {
        Expect::Fails(kind, words) => {
            let failure = failure(&output);
            assert_eq!((failure.blame, failure.kind), (Blame::Bot, *kind), "{name}: {failure}");
            assert!(failure.message.contains(words), "{name}: {failure}");
        }
        Expect::Harmless | Expect::Refused(..) => {
            assert!(output.result.is_ok(), "{name}: {:?}", output.result);
        }
    }
}

/// The name of an error's case.
fn kind_of(error: &LoadError) -> String {
    match serde_json::to_value(error).expect("errors are data") {
        serde_json::Value::String(kind) => kind,
        serde_json::Value::Object(fields) => fields.into_iter().next().expect("a case").0,
        other => panic!("not an error: {other}"),
    }
}

#[test]
fn there_are_sixty_of_them() {
    let rows: Vec<_> = refused().into_iter().chain(turns()).collect();
    let names: std::collections::BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "each has a name of its own");
    println!("{} hostile uploads", rows.len());
    assert!(rows.len() >= 60, "{} rows", rows.len());
}

#[tokio::test]
async fn what_must_not_be_loaded_is_refused_by_its_name() {
    let host = host();
    for row in refused() {
        check(&host, &row).await;
    }
    assert_eq!(text(&host.hostile("echo still here").await), "still here");
}

#[tokio::test]
async fn what_breaks_a_rule_fails_by_its_own_fault() {
    let host = host();
    for row in turns() {
        check(&host, &row).await;
    }
    assert_eq!(text(&host.hostile("echo still here").await), "still here");
}

/// In a process of its own, because the other tests of this one take memory, too.
#[test]
fn what_they_took_comes_back() {
    let this = std::env::current_exe().expect("a program");
    let alone = ["--ignored", "--exact", "hostile::laps_that_take_no_memory"];
    let status = Command::new(this).args(alone).status().expect("it runs");
    assert!(status.success());
}

#[tokio::test]
#[ignore = "run by `what_they_took_comes_back`"]
async fn laps_that_take_no_memory() {
    let host = host();
    let rows: Vec<Row> =
        turns().into_iter().filter(|row| !matches!(row.expect, Expect::Harmless)).collect();
    let mut versions = Vec::new();
    for row in &rows {
        versions.push(load(&host.runtime, &row.bytes).await.expect("loads"));
    }
    let mut resident = Vec::new();
    for _ in 0..4 {
        for version in &versions {
            host.run(version, input("go"), Arc::new(Values::default())).await;
        }
        resident.push(own_bytes());
    }
    // The first lap fills the pool and maps code; from then on nothing may be added.
    let (first, last) = (resident[1], resident[3]);
    assert!(last < first + (4 << 20), "{resident:?} bytes of its own after each lap");
    println!("{resident:?} bytes of its own after each lap");
}

/// A compilation that takes too long or too much is ended, and only that.
#[tokio::test]
async fn compile_bombs_end_at_their_limits() {
    let bomb = build::compile_bomb(150, 1_500);
    let slow = Host::start_with(|config| config.compile.cpu_seconds = 1);
    let error = load(&slow.runtime, &bomb).await.expect_err("too slow");
    assert!(matches!(error, LoadError::TooMuchToCompile(_)), "{error}");
    let large = Host::start_with(|config| config.compile.memory_bytes = 96 << 20);
    let error = load(&large.runtime, &build::compile_bomb(1, 50_000)).await.expect_err("too large");
    assert!(matches!(error, LoadError::TooMuchToCompile(_)), "{error}");
    let late = Host::start_with(|config| config.compile.wall = Duration::from_millis(200));
    let error = load(&late.runtime, &bomb).await.expect_err("too late");
    assert!(matches!(error, LoadError::Late(_)), "{error}");
    for host in [slow, late] {
        let compiler = host.runtime.safety().into_iter().find(|f| f.name == "compile_child");
        assert!(compiler.expect("listed").active, "a bomb is no fault of the compiler");
    }
}
