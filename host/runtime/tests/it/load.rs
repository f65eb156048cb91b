//! What is loaded, and what is refused and why.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use botyard_runtime::{CompileCommand, LoadError, Phase, Runtime, RuntimeConfig, Tier};

use crate::host::{Host, component, config, load, text};

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

/// A program that must not be needed.
fn no_compiler() -> CompileCommand {
    CompileCommand::new("/nowhere/botyard", ["compile"])
}

#[tokio::test]
async fn a_bot_is_loaded_with_its_name_and_tier() {
    let host = Host::start();
    let bytes = component("hostile");
    let version = load(&host.runtime, &bytes).await.expect("loads");
    assert_eq!(version.tier(), Tier::Native);
    assert_eq!(version.component_bytes(), bytes.len());
    assert_eq!(*version.digest(), Digest::of(&bytes));
    assert_eq!(
        version.imports(),
        [
            "config",
            "http",
            "kv",
            "log",
            "wasi:cli",
            "wasi:clocks",
            "wasi:filesystem",
            "wasi:io",
            "wasi:random",
            "wasi:sockets"
        ]
    );
}

#[tokio::test]
async fn a_version_is_opened_by_its_digest_without_its_bytes() {
    let host = Host::start();
    let bytes = component("hostile");
    let digest = Digest::of(&bytes);
    let opened = host.runtime.open(digest).await.expect("nothing is broken");
    assert!(opened.is_none(), "it was not compiled so far");
    let loaded = load(&host.runtime, &bytes).await.expect("loads");
    let mut without = config(host.directory.path());
    without.compiler = no_compiler();
    let later = Host { runtime: Runtime::new(without).expect("a runtime"), ..host };
    let opened = later.runtime.open(digest).await.expect("sound").expect("compiled before");
    assert_eq!(opened.imports(), loaded.imports());
    assert_eq!((opened.tier(), opened.component_bytes()), (loaded.tier(), bytes.len()));
    let values = std::sync::Arc::new(crate::host::Values::default());
    let output = later.run(&opened, crate::host::input("echo opened"), values).await;
    assert_eq!(text(&output), "opened");
}

#[tokio::test]
async fn each_phase_is_told_as_it_begins() {
    let host = Host::start();
    let told = async || {
        let phases = std::sync::Mutex::new(Vec::new());
        let tell = |phase| phases.lock().expect("whole").push(phase);
        let loaded = host.runtime.load(&component("hostile"), &"tenant".into(), &tell).await;
        loaded.expect("loads");
        phases.into_inner().expect("whole")
    };
    let all = [Phase::Waiting, Phase::Checking, Phase::Compiling, Phase::Rehearsing];
    assert_eq!(told().await, all);
    assert_eq!(told().await, [Phase::Rehearsing], "it was compiled before");
}

#[tokio::test]
async fn what_is_precompiled_disturbs_no_other_engine() {
    let host = Host::start();
    host.load("hostile").await;
    let mut next = config(host.directory.path());
    next.native.limits.memory_bytes /= 2;
    let upgraded = Runtime::new(next.clone()).expect("a runtime");
    let bytes = component("hostile");
    let loaded = upgraded.load_deployed(&bytes, &"tenant".into()).await.expect("loads");
    let digest = *loaded.digest();
    for mut config in [config(host.directory.path()), next] {
        config.compiler = no_compiler();
        let runtime = Runtime::new(config).expect("a runtime");
        assert!(runtime.open(digest).await.expect("sound").is_some());
    }
    let listed = upgraded.artefacts().expect("readable");
    assert!(listed.iter().all(|one| one.component == digest && one.bytes > 0));
    let mut ours: Vec<_> = listed.iter().map(|one| one.ours).collect();
    ours.sort_unstable();
    assert_eq!(ours, [false, true]);
    let keep = BTreeSet::from([digest]);
    let swept = upgraded.sweep_artefacts(&keep, Duration::ZERO).expect("readable");
    assert!(swept.artefacts.is_empty(), "both are of use");
    let swept = upgraded.sweep_artefacts(&BTreeSet::new(), Duration::ZERO).expect("writable");
    assert_eq!(swept.artefacts.len(), 2);
    for runtime in [&host.runtime, &upgraded] {
        assert!(runtime.open(digest).await.expect("sound").is_none(), "it was swept");
    }
}

#[tokio::test]
async fn a_component_is_compiled_once_and_found_again() {
    let host = Host::start();
    host.load("hostile").await;
    let mut again = config(host.directory.path());
    again.compiler = no_compiler();
    let runtime = Runtime::new(again.clone()).expect("a runtime");
    load(&runtime, &component("hostile")).await.expect("found without compiling");
    // Another key, another engine: then it must be compiled again.
    let mut other_key = again.clone();
    other_key.artefact_key = [8; 32];
    let mut other_engine = again;
    other_engine.native.limits.memory_bytes /= 2;
    for config in [other_key, other_engine] {
        let runtime = Runtime::new(config).expect("a runtime");
        let error = load(&runtime, &component("hostile")).await.expect_err("must compile");
        assert!(matches!(error, LoadError::Host(_)), "{error}");
        assert_eq!(error.blame(), Blame::Host);
    }
}

#[tokio::test]
async fn a_forged_artefact_is_compiled_anew() {
    let host = Host::start();
    host.load("hostile").await;
    let artefacts = host.directory.path().join("artefacts");
    for entry in std::fs::read_dir(&artefacts).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            let mut bytes = std::fs::read(&path).expect("an artefact");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            // As the host itself does it: a file that is mapped is replaced, not changed.
            std::fs::remove_file(&path).expect("removed");
            std::fs::write(&path, bytes).expect("written");
        }
    }
    let mut without = config(host.directory.path());
    without.compiler = no_compiler();
    let runtime = Runtime::new(without).expect("a runtime");
    assert!(load(&runtime, &component("hostile")).await.is_err(), "the forgery was loaded");
    let again =
        Host { runtime: Runtime::new(config(host.directory.path())).expect("a runtime"), ..host };
    assert_eq!(text(&again.hostile("echo sound").await), "sound");
}

#[tokio::test]
async fn versions_beyond_the_cache_are_linked_again() {
    for change in [
        (|config: &mut RuntimeConfig| config.linked_versions = 1) as fn(&mut RuntimeConfig),
        |config| config.linked_bytes = 1,
    ] {
        versions_run_in_turns(&Host::start_with(change)).await;
    }
}

async fn versions_run_in_turns(host: &Host) {
    // A custom section makes other bytes of the same program.
    let mut other = component("hostile");
    other.extend_from_slice(b"\0\x02\x01x");
    let hostile = host.load("hostile").await;
    let other = load(&host.runtime, &other).await.expect("loads");
    assert_ne!(hostile.digest(), other.digest());
    for _ in 0..2 {
        for version in [&hostile, &other] {
            let values = std::sync::Arc::new(crate::host::Values::default());
            let output = host.run(version, crate::host::input("echo hello"), values).await;
            assert!(output.result.is_ok(), "{output:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_bot_is_refused_in_words() {
    let host = Host::start();
    let refused = async |bytes: &[u8]| load(&host.runtime, bytes).await.expect_err("refused");
    assert_eq!(refused(b"not wasm at all").await, LoadError::NotWasm);
    assert_eq!(refused(&wat("(module)")).await, LoadError::CoreModule);
    let error = refused(&wat("(component)")).await;
    assert!(error.to_string().contains("exports no botyard:bot/handler@1.0.0"), "{error}");
    assert_eq!(error.blame(), Blame::Bot);
    let cut = &component("hostile")[..10_000];
    assert!(matches!(refused(cut).await, LoadError::Malformed(_)));
    let import = r#"(component (import "wasi:keyvalue/store@0.2.0" (instance)))"#;
    assert!(matches!(refused(&wat(import)).await, LoadError::ForeignImports { .. }));
}

#[tokio::test]
async fn a_handler_of_another_shape_is_refused() {
    let component = r#"(component
        (core module $m (func (export "handle")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "handle")))
        (instance $handler (export "handle" (func $f)))
        (export "botyard:bot/handler@1.0.0" (instance $handler)))"#;
    let error = load(&Host::start().runtime, &wat(component)).await.expect_err("refused");
    assert!(matches!(error, LoadError::WrongType(_)), "{error}");
}

#[tokio::test]
async fn a_component_that_cannot_start_is_refused() {
    let host = Host::start();
    let bot = |module: &str| {
        wat(&format!(
            r#"(component
                (core module $first {module})
                (core instance (instantiate $first))
                (core module $m (func (export "handle")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "handle")))
                (instance $handler (export "handle" (func $f)))
                (export "botyard:bot/handler@1.0.0" (instance $handler)))"#
        ))
    };
    for (module, word) in [
        ("(func $f unreachable) (start $f)", "unreachable"),
        ("(func $f (loop br 0)) (start $f)", "500 ms of CPU"),
        ("(memory 600)", "memor"),
        ("(table 30000 funcref)", "table"),
    ] {
        let error = load(&host.runtime, &bot(module)).await.expect_err("refused");
        assert_eq!(error.blame(), Blame::Bot, "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let left = std::fs::read_dir(host.directory.path().join("artefacts")).expect("a directory");
    assert_eq!(left.count(), 0, "what is refused leaves nothing on disk");
}

#[tokio::test]
async fn a_feature_that_is_off_is_named() {
    let component = r#"(component
        (core module (memory i64 1))
        (instance $handler)
        (export "botyard:bot/handler@1.0.0" (instance $handler)))"#;
    let error = load(&Host::start().runtime, &wat(component)).await.expect_err("refused");
    assert!(matches!(error, LoadError::Feature(_)), "{error}");
}

#[tokio::test]
async fn a_component_beyond_its_size_is_refused() {
    let host = Host::start_with(|config| config.native.limits.component_bytes = 100_000);
    let error = load(&host.runtime, &component("hostile")).await.expect_err("refused");
    assert!(matches!(error, LoadError::TooLarge { limit: 100_000, .. }), "{error}");
    let said = "may have 100000 (limit `native.component-bytes`: the operator may raise it, for all \
                tenants; it does not have the code of an interpreter)";
    assert!(error.to_string().contains(said), "{error}");
    let error = load(&host.runtime, &vec![0; 33 << 20]).await.expect_err("refused");
    assert!(matches!(error, LoadError::TooLarge { tier: Tier::Interpreted, .. }), "{error}");
}

#[tokio::test]
async fn a_compilation_is_bounded() {
    let memory = Host::start_with(|config| config.compile.memory_bytes = 32 << 20);
    let error = load(&memory.runtime, &component("hostile")).await.expect_err("refused");
    assert!(matches!(error, LoadError::TooMuchToCompile(_)), "{error}");
    let said = memory.directory.path().join("process");
    let script = format!("echo $$ >> {}; exec sleep 60", said.display());
    let wall = Host::start_with(|config| {
        config.compile.wall = Duration::from_millis(900);
        config.compiler = CompileCommand::new("/bin/sh", ["-c", &script]);
    });
    let error = load(&wall.runtime, &component("hostile")).await.expect_err("refused");
    assert_eq!((&error, error.blame()), (&LoadError::Late(0), Blame::Host));
    // One that was asked for its jail, and one that was to compile.
    let said = std::fs::read_to_string(said).expect("both said so");
    let processes: Vec<i32> = said.lines().map(|line| line.parse().expect("a process")).collect();
    assert_eq!(processes.len(), 2);
    for process in processes {
        assert!(crate::jail::ends(process, Duration::from_secs(20)), "it was not ended");
    }
}

#[tokio::test]
async fn a_broken_compiler_is_the_hosts_fault() {
    for program in ["/bin/false", "/bin/true", "/nowhere/botyard"] {
        let host = Host::start_with(|config| {
            config.compiler = CompileCommand::new(program, ["compile"]);
        });
        let error = load(&host.runtime, &component("hostile")).await.expect_err("refused");
        assert_eq!(error.blame(), Blame::Host, "{program}: {error}");
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let config = config(Path::new("/proc/nowhere"));
    let error = Runtime::new(config).err().expect("refused");
    assert!(format!("{error:#}").contains("/proc/nowhere"), "{error:#}");
}
