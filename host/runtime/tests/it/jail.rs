//! What a compiling process could do if a component took it over: nothing.
//! Each attempt is made in the jail, where it must fail, and without it, where
//! it must not, or it would show nothing.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use botyard_kernel::run::Blame;
use botyard_runtime::{CompileCommand, LoadError, RuntimeConfig};
use rustix::process::{Pid, Signal, kill_process};

use crate::host::{Host, load};

const PROBE: &str = env!("CARGO_BIN_EXE_botyard-jail-probe");

/// What is refused from the very start, before a byte of the input is read.
const FROM_THE_START: [&str; 8] =
    ["read", "list", "write", "socket", "program", "thread", "signal", "environment"];

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

/// In the whole jail one part may hold up what another one lets through.
#[test]
fn each_part_holds_by_itself() {
    let rows: [(&str, &[&str]); 3] = [
        ("files", &["read", "list", "write", "program"]),
        ("limits", &["read", "list", "socket"]),
        ("calls", &["read", "list", "write", "socket", "program", "thread", "signal"]),
    ];
    for (part, attempts) in rows {
        for attempt in attempts {
            assert_eq!(free(attempt), Some(8), "{attempt} works without a jail");
            let mode = format!("only-{part}");
            let tried = Command::new(PROBE).args([&mode, *attempt]).output().expect("it runs");
            let words = String::from_utf8_lossy(&tried.stderr);
            assert_eq!(tried.status.code(), Some(7), "{part} {attempt}: {words}");
        }
    }
    let mut child = Lingering::start(&["only-privileges", "linger"]);
    assert_eq!(child.line(), "lingers");
    let process = format!("/proc/{}", child.0.id());
    assert_eq!(
        (status(&process, "NoNewPrivs").as_str(), status(&process, "Seccomp").as_str()),
        ("1", "0")
    );
}

#[test]
fn the_compiler_dies_with_the_host() {
    for (mode, dies) in [("jailed", true), ("only-parent", true), ("free", false)] {
        let mut parent = Lingering::start(&["parent", mode]);
        let mut lines = [parent.line(), parent.line()];
        lines.sort();
        let [child, lingers] = lines;
        assert_eq!(lingers, "lingers", "{mode}");
        drop(parent);
        let child: i32 = child.parse().expect("a process");
        assert_eq!(ends(child, Duration::from_secs(if dies { 20 } else { 1 })), dies, "{mode}");
        if !dies {
            let child = Pid::from_raw(child).expect("a process");
            kill_process(child, Signal::KILL).expect("it can be ended");
        }
    }
}

/// Whether a process ends within a time; who has ended may wait for its parent.
pub(crate) fn ends(process: i32, within: Duration) -> bool {
    let start = Instant::now();
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
        let state =
            stat.ok().and_then(|stat| stat.rsplit_once(')').map(|(_, rest)| rest.to_owned()));
        if state.is_none_or(|state| state.starts_with(" Z")) {
            return true;
        }
        if start.elapsed() > within {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A probe that says something and stays, until this is dropped.
struct Lingering(Child, BufReader<ChildStdout>);

impl Lingering {
    fn start(arguments: &[&str]) -> Self {
        let started = Command::new(PROBE).args(arguments).stdout(Stdio::piped()).spawn();
        let mut child = started.expect("the probe runs");
        let said = child.stdout.take().expect("it says something");
        Self(child, BufReader::new(said))
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).expect("it says something");
        line.trim().to_owned()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        self.0.kill().expect("it can be ended");
        self.0.wait().expect("it ends");
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

#[tokio::test]
async fn what_another_component_would_meet_as_well_is_not_the_bots_fault() {
    let told = async |script: &str| {
        let host = Host::start_with(|config| {
            config.compiler = CompileCommand::new("/bin/sh", ["-c", script]);
            config.compile.wall = Duration::from_millis(500);
        });
        load(&host.runtime, b"\0asm").await.expect_err("no compiler")
    };
    let killed = told("kill -KILL $$").await;
    assert_eq!(killed.blame(), Blame::Host, "{killed}");
    assert!(killed.to_string().contains("somebody killed the compiler"), "{killed}");
    let late = told("sleep 60").await;
    assert_eq!((late.blame(), &late), (Blame::Host, &LoadError::Late(0)));

    let deep = attempted("working", "stack", |_| {}).await;
    assert!(matches!(&deep, LoadError::Unsupported(words) if words.contains("nested")), "{deep}");
}

#[tokio::test]
async fn nothing_is_compiled_where_a_part_of_the_jail_is_missing() {
    let error = attempted("gapped", "nothing", |_| {}).await;
    assert_eq!(error.blame(), Blame::Host);
    let words = error.to_string();
    assert!(words.contains("compile_jail_files (failed to restrict"), "{words}");
    assert!(words.contains("`runtime.compile.require-jail`"), "{words}");
    // Who allows it gets it: the component was held back and not lost.
    let allow = |config: &mut RuntimeConfig| config.compile.require_jail = false;
    let words = attempted("gapped", "nothing", allow).await.to_string();
    assert!(words.contains("nothing was allowed"), "{words}");
}

#[tokio::test]
async fn a_compiler_gets_no_component_before_its_jail_is_known_to_be_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let [said, got] = ["said", "got"].map(|name| directory.path().join(name));
    let open = r#"{"jailed":[{"part":"files","active":false,"detail":"it says so"}]}"#;
    for (words, require_jail, given) in
        [("", true, false), (open, true, false), (open, false, true)]
    {
        let mut bytes = (words.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(words.as_bytes());
        std::fs::write(&said, if words.is_empty() { &[] } else { bytes.as_slice() }).expect("room");
        // It says what it is to say, and keeps what it gets.
        let script = format!("cat {}; exec >&-; cat > {}", said.display(), got.display());
        let host = Host::start_with(|config| {
            config.compiler = CompileCommand::new("/bin/sh", ["-c", script.as_str()]);
            config.compile.require_jail = require_jail;
        });
        let error = load(&host.runtime, b"\0asm a stranger's").await.expect_err("no compiler");
        assert_eq!(error.blame(), Blame::Host, "{error}");
        let got = std::fs::read(&got).expect("it got something");
        let came = got.windows(10).any(|part| part == b"a stranger");
        assert_eq!(came, given, "{words} {require_jail}");
    }
}

/// What the kernel itself says of a process that lingers.
#[test]
fn the_kernel_says_so_too() {
    let shown = |mode: &str| {
        let mut child = Command::new(PROBE).args([mode, "linger"]).spawn().expect("the probe runs");
        let process = format!("/proc/{}", child.id());
        // A jailed process is done with its jail when its calls are filtered.
        let seccomp = || status(&process, "Seccomp");
        let start = Instant::now();
        while mode == "jailed" && seccomp() != "2" && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let stat = std::fs::read_to_string(format!("{process}/stat")).expect("it lives");
        let nice = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(16));
        let limits = std::fs::read_to_string(format!("{process}/limits")).expect("it lives");
        let files = limits.lines().find(|line| line.starts_with("Max open files"));
        let files = files.and_then(|line| line.split_whitespace().nth(4)).map(str::to_owned);
        let oom = std::fs::read_to_string(format!("{process}/oom_score_adj")).expect("it lives");
        let (nice, oom) = (nice.map(str::to_owned), oom.trim().to_owned());
        let shown = (nice, status(&process, "NoNewPrivs"), seccomp(), files, oom);
        child.kill().expect("it can be ended");
        child.wait().expect("it ends");
        shown
    };
    let is = |text: &str| Some(text.to_owned());
    let [one, two, first] = ["1", "2", "1000"].map(str::to_owned);
    assert_eq!(shown("jailed"), (is("19"), one, two, is("3"), first));
    let free = shown("free");
    assert_ne!(free.0, is("19"));
    assert_eq!((free.1.as_str(), free.2.as_str()), ("0", "0"));
    assert_ne!(free.3, is("3"));
    assert_ne!(free.4, "1000");
}

/// A line of a process's status.
fn status(process: &str, name: &str) -> String {
    let status = std::fs::read_to_string(format!("{process}/status")).expect("it lives");
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.expect("the kernel says it").trim().to_owned()
}
