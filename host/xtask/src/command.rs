//! Starting other programs, with progress and within a time.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;

/// How often a running program is looked at.
const POLL: Duration = Duration::from_millis(50);
/// A quiet program says that it is still at work this often.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A `cargo` that works on this repository. It is the same cargo that runs
/// this program.
pub(crate) fn cargo(repo: &Repo) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(repo.root()).env("CARGO_TARGET_DIR", repo.target());
    // What `cargo run` told this program about itself: build scripts that look
    // at it would run again, and all that depends on them would be rebuilt.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a program whose output the reader sees; fails unless it exits with 0.
pub(crate) fn visible(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    check(command, status)
}

/// Runs a program whose output matters only when it fails: one line says what
/// it does, one more every ten seconds that it is still at it.
pub(crate) fn quiet(repo: &Repo, what: &str, command: &mut Command) -> Result<()> {
    eprintln!("      {what} ...");
    let log = repo.tools().join("last-step.log");
    fs::create_dir_all(repo.tools())?;
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let start = Instant::now();
    let mut spoken = start;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if spoken.elapsed() >= HEARTBEAT {
            spoken = Instant::now();
            eprintln!("      {what}: {} s", start.elapsed().as_secs());
        }
        thread::sleep(POLL);
    };
    if !status.success() {
        eprint!("{}", fs::read_to_string(&log).unwrap_or_default());
    }
    check(command, status)
}

/// How a program ended that had a time to keep.
pub(crate) enum Ended {
    /// By itself.
    Exited(ExitStatus),
    /// It was still running and has been stopped.
    OutOfTime,
}

/// Runs a program whose output the reader sees, and stops it and all that it
/// has started when the time is over.
pub(crate) fn within(limit: Duration, command: &mut Command) -> Result<Ended> {
    // At a terminal the program stays in our process group, so that Ctrl-C
    // reaches it.
    let own_group = !std::io::stdin().is_terminal();
    if own_group {
        set_process_group(command);
    }
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| cannot_start(command))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::Exited(status));
        }
        if start.elapsed() >= limit {
            stop(&mut child, own_group)?;
            return Ok(Ended::OutOfTime);
        }
        thread::sleep(POLL);
    }
}

/// Answers whether a program can be started at all.
pub(crate) fn exists(program: impl AsRef<OsStr>) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The program and its arguments as one would type them.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words =
        program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed: {status}", words(command));
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`: is it installed?", words(command))
}

#[cfg(unix)]
fn set_process_group(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn set_process_group(_command: &mut Command) {}

fn stop(child: &mut Child, own_group: bool) -> Result<()> {
    if cfg!(unix) && own_group {
        // The shell's own `kill` reaches the group; std knows single processes only.
        let group = format!("-{}", child.id());
        Command::new("kill").args(["-KILL", "--", &group]).status()?;
    }
    // A child that has just ended by itself cannot be stopped, and need not be.
    child.kill().ok();
    child.wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_program_that_runs_out_of_time_is_stopped() {
        let mut command = Command::new("sleep");
        let start = Instant::now();
        let ended = within(Duration::from_millis(100), command.arg("60")).unwrap();
        assert!(matches!(ended, Ended::OutOfTime));
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    #[cfg(unix)]
    fn a_program_that_ends_in_time_keeps_its_status() {
        let mut command = Command::new("false");
        let Ended::Exited(status) = within(Duration::from_secs(60), &mut command).unwrap() else {
            panic!("`false` ran out of time");
        };
        assert!(!status.success());
    }
}
