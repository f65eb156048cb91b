//! A compiling process that does what none should: it tries one thing, in the
//! jail that [`compile_main`](botyard_runtime::compile_main) makes or without it.
//!
//! `jailed ATTEMPT`: as soon as the jailed compiler asks for its task.
//! `working ATTEMPT`: as soon as it asks for the component, its task read.
//! `gapped ATTEMPT`: as soon as a stranger's byte arrives, in a jail that files can be
//! reached from.
//! `only-PART ATTEMPT`: behind one part of the jail, as parts hide one another.
//! `parent MODE`: starts itself so that it lingers in another mode, says which process
//! that is and lingers itself.
//! `free ATTEMPT`: without a jail, to see that the attempt itself works.
//!
//! It ends with 7 where the attempt was refused and with 8 where it was not.

use std::io::{Read, Stdin};
use std::net::TcpListener;
use std::process::{Command, ExitCode, Stdio, exit};
use std::time::Duration;

use botyard_runtime::JailPart;
use rustix::process::{Pid, Resource, Rlimit, getppid, setrlimit, test_kill_process};
use rustix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_default();
    let attempt = arguments.next().unwrap_or_default();
    // Asked now: later there is nobody who answers.
    let attempt = Attempt { name: attempt, parent: getppid() };
    let when = match mode.as_str() {
        "free" => attempt.report(),
        "parent" => have_a_child(&attempt.name),
        "jailed" => When::AtOnce,
        "working" => When::TaskRead,
        "gapped" => {
            exhaust_landlock();
            When::ComponentCame
        }
        other => {
            let part = other.strip_prefix("only-").and_then(part);
            let part = part.unwrap_or_else(|| panic!("no mode is called {other}"));
            part.enter().unwrap_or_else(|error| panic!("{part:?}: {error}"));
            attempt.report()
        }
    };
    let input = Input { inner: std::io::stdin(), attempt, head: Vec::new(), when };
    botyard_runtime::compile_main(input, std::io::stdout())
}

/// A part of the jail by the last word of its name.
fn part(name: &str) -> Option<JailPart> {
    JailPart::ALL.into_iter().find(|part| part.name().ends_with(name))
}

/// Starts itself and never looks after the child.
fn have_a_child(mode: &str) -> ! {
    let itself = std::env::current_exe().expect("it knows itself");
    let child = Command::new(itself).args([mode, "linger"]).stdin(Stdio::piped()).spawn();
    println!("{}", child.as_ref().expect("it starts").id());
    std::thread::sleep(Duration::from_secs(60));
    exit(8)
}

/// Lays rules on one another until the kernel takes no more: then the jail cannot.
fn exhaust_landlock() {
    for _ in 0..64 {
        if JailPart::Files.enter().is_err() {
            return;
        }
    }
    panic!("the kernel takes rules without end");
}

/// When the attempt is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    TaskRead,
    ComponentCame,
}

/// The compiler's input; reading it is what makes the attempt.
struct Input {
    inner: Stdin,
    attempt: Attempt,
    /// The length of the task and the task, as far as they were read.
    head: Vec<u8>,
    when: When,
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let task_read = self.task_was_read();
        if self.when == When::AtOnce || (self.when == When::TaskRead && task_read) {
            self.attempt.report();
        }
        let count = self.inner.read(buffer)?;
        if self.when == When::ComponentCame && task_read && count > 0 {
            self.attempt.report();
        }
        self.head.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

impl Input {
    fn task_was_read(&self) -> bool {
        let length = self.head.first_chunk().map(|length| u32::from_le_bytes(*length) as usize);
        length.is_some_and(|length| self.head.len() >= 4 + length)
    }
}

/// What is tried.
struct Attempt {
    name: String,
    parent: Option<Pid>,
}

impl Attempt {
    /// Makes the attempt and ends the process with what came of it.
    fn report(&self) -> ! {
        match self.make() {
            Ok(()) => {
                eprintln!("{} was allowed", self.name);
                exit(8)
            }
            Err(error) => {
                eprintln!("{} was refused: {error}", self.name);
                exit(7)
            }
        }
    }

    fn make(&self) -> std::io::Result<()> {
        match self.name.as_str() {
            "read" => std::fs::read("/etc/passwd").map(drop),
            "list" => std::fs::read_dir("/").map(drop),
            "write" => write(),
            "socket" => TcpListener::bind("127.0.0.1:0").map(drop),
            "program" => Command::new("/bin/true").status().map(drop),
            "thread" => std::thread::Builder::new().spawn(|| {}).map(drop),
            "signal" => Ok(test_kill_process(self.parent.expect("somebody started it"))?),
            "limits" => raise(),
            "environment" => environment(),
            "nothing" => Ok(()),
            "stack" => {
                std::hint::black_box(nest(1));
                Ok(())
            }
            "memory" => eat(),
            "cpu" => spin(),
            "linger" => {
                println!("lingers");
                std::thread::sleep(Duration::from_secs(60));
                Ok(())
            }
            other => panic!("no attempt is called {other}"),
        }
    }
}

fn write() -> std::io::Result<()> {
    let path = std::env::temp_dir().join(format!("botyard-probe-{}", std::process::id()));
    std::fs::write(&path, b"here")?;
    std::fs::remove_file(path)
}

/// Gives itself an address space of a tebibyte.
fn raise() -> std::io::Result<()> {
    let tebibyte = Some(1 << 40);
    Ok(setrlimit(Resource::As, Rlimit { current: tebibyte, maximum: tebibyte })?)
}

fn environment() -> std::io::Result<()> {
    match std::env::vars_os().next() {
        Some(_) => Ok(()),
        None => Err(std::io::ErrorKind::NotFound.into()),
    }
}

/// Half a gibibyte, every page of it touched.
fn eat() -> std::io::Result<()> {
    let mut blocks = Vec::new();
    for index in 0..32_u8 {
        blocks.push(std::hint::black_box(vec![index | 1; 16 << 20]));
    }
    Ok(())
}

/// Calls itself without end.
#[expect(unconditional_recursion, reason = "the stack is what is tried")]
fn nest(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 64]);
    nest(depth + 1) + here[0]
}

/// Three seconds of processor time.
fn spin() -> std::io::Result<()> {
    let spent = || Duration::from_secs(clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64);
    while spent() < Duration::from_secs(3) {
        std::hint::spin_loop();
    }
    Ok(())
}
