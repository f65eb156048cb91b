//! What `cargo xtask test` consists of, in the order in which it runs: the
//! cheap ones first, then each build once.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use crate::command::cargo;
use crate::repo::Repo;
use crate::setup::PURE_TARGET;

/// Suites that always run.
pub(crate) const NAMES: &[&str] = &[
    "setup",
    "format",
    "deny",
    "pure",
    "clippy",
    "plugins",
    "sim",
    "tests",
    "console",
    "schemathesis",
    "doctests",
    "docs",
    "template",
    "demo",
    "crash",
];

/// Suites that run with `--full`, after the others.
pub(crate) const FULL_NAMES: &[&str] =
    &["long-tests", "long-properties", "long-fuzz", "hostile", "bench-live"];

/// The commands of a suite, one after the other; the first that fails ends it.
pub(crate) fn commands(repo: &Repo, suite: &str) -> Vec<Command> {
    match suite {
        "setup" => vec![itself(&["setup"])],
        "format" => vec![words(repo, "fmt --all --check")],
        "deny" => vec![itself(&["deny"])],
        "pure" => vec![pure(repo)],
        "clippy" => vec![words(repo, "clippy --workspace --all-targets -- -D warnings")],
        "plugins" => vec![itself(&["plugins"])],
        "sim" => vec![itself(&["sim", "--seeds", "1000"]), itself(&["sim", "--broken", "all"])],
        // The suites start the host as a program, which `cargo test` alone does
        // not build. The fuzz targets are compiled and play their corpus here, too
        // (`tests/fuzz`).
        "tests" => vec![
            words(repo, "build --workspace --bins"),
            words(repo, "test --workspace --lib --bins --tests --no-fail-fast"),
        ],
        "console" => vec![itself(&["console", "--built"])],
        "schemathesis" => vec![itself(&["schemathesis", "--built"])],
        "doctests" => vec![words(repo, "test --workspace --doc")],
        "docs" => vec![docs(repo)],
        "template" => vec![itself(&["template"])],
        // What "plugins" and "tests" have built.
        "demo" => vec![itself(&["demo", "--once", "--built"])],
        // The second proves that the first would notice.
        "crash" => vec![
            itself(&["crash", "--kills", "45"]),
            itself(&["crash", "--built", "--kills", "45", "--broken", "all"]),
        ],
        "long-tests" => vec![words(repo, "test --workspace --tests -- --ignored")],
        "long-properties" => vec![properties(repo)],
        "long-fuzz" => vec![uploads(repo)],
        // The second proves that the first would notice.
        "hostile" => vec![itself(&["hostile"]), itself(&["hostile", "--unguarded"])],
        "bench-live" => vec![itself(&["bench", "live"])],
        unknown => unreachable!("`{unknown}` is in the lists above and has no commands"),
    }
}

/// This program again, so that a suite can be stopped when its time is over.
fn itself(arguments: &[&str]) -> Command {
    // Asked for once, because a suite may build this program anew: then the system
    // calls the file that runs here deleted, while the new one lies in its place.
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| std::env::current_exe().unwrap_or_else(|_| "xtask".into()));
    let mut command = Command::new(&*PROGRAM);
    command.args(arguments);
    command
}

fn words(repo: &Repo, words: &str) -> Command {
    let mut command = cargo(repo);
    command.args(words.split(' '));
    command
}

fn pure(repo: &Repo) -> Command {
    let mut check = words(repo, "check --package botyard-kernel --package botyard-vendors");
    check.args(["--target", PURE_TARGET]);
    check
}

fn docs(repo: &Repo) -> Command {
    let mut doc = words(repo, "doc --workspace --no-deps");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    doc
}

/// Arbitrary uploads again, far more of them. Those that bring their interpreter are among
/// the long tests.
fn uploads(repo: &Repo) -> Command {
    let mut test = words(repo, "test --workspace --test it -- fuzz::");
    test.env("BOTYARD_FUZZ_CASES", "2000");
    test
}

/// The property tests again, with far more cases.
fn properties(repo: &Repo) -> Command {
    let mut test = words(repo, "test --package botyard-kernel --package botyard-vendors");
    test.env("PROPTEST_CASES", "20000");
    test
}
