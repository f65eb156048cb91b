//! The host's side of the compiling child.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::compile::{Answer, Facts, HEADER_BYTES, Task, header};
use crate::config::{CompileCommand, CompileLimits};
use crate::load_error::LoadError;

/// The largest artefact, in bytes: JavaScript engines have about 50 MiB.
const ARTEFACT_BYTES: u64 = 512 << 20;
/// How much of the child's standard error is quoted, in bytes.
const COMPLAINT_BYTES: u64 = 2 << 10;

/// Compiles a component in a child process.
pub(crate) async fn compile_in_child(
    command: &CompileCommand,
    limits: &CompileLimits,
    task: &Task,
    component: &[u8],
) -> Result<(Facts, Vec<u8>), LoadError> {
    let talk = talk(command, task, component);
    let heard = match tokio::time::timeout(limits.wall, talk).await {
        Ok(heard) => heard.map_err(LoadError::host)?,
        Err(_) => {
            let wall = limits.wall.as_secs();
            return Err(LoadError::TooMuchToCompile(format!("more than {wall} s")));
        }
    };
    heard.judge(limits)
}

/// What the child said and how it ended.
struct Heard {
    output: Vec<u8>,
    complaint: String,
    status: ExitStatus,
}

async fn talk(command: &CompileCommand, task: &Task, component: &[u8]) -> anyhow::Result<Heard> {
    let mut child = Command::new(&command.program)
        .args(&command.arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start the compiler {}", command.program.display()))?;
    let mut input = child.stdin.take().context("the compiler has no input")?;
    let output = child.stdout.take().context("the compiler has no output")?;
    let complaint = child.stderr.take().context("the compiler has no error output")?;
    let head = header(task)?;
    let write = async {
        // A child that ends early closes its input; its answer or status says why.
        let _ = input.write_all(&head).await;
        let _ = input.write_all(component).await;
        drop(input);
    };
    let read = async {
        let mut bytes = Vec::new();
        output.take(ARTEFACT_BYTES).read_to_end(&mut bytes).await.map(|_| bytes)
    };
    let listen = async {
        let mut bytes = Vec::new();
        let mut complaint = complaint;
        // What goes beyond is read too, or the child would wait to be heard.
        (&mut complaint).take(COMPLAINT_BYTES).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut complaint, &mut tokio::io::sink()).await.map(|_| bytes)
    };
    let ((), output, complaint) = tokio::join!(write, read, listen);
    let status = child.wait().await?;
    let complaint = String::from_utf8_lossy(&complaint?).trim().to_owned();
    Ok(Heard { output: output?, complaint, status })
}

impl Heard {
    fn judge(mut self, limits: &CompileLimits) -> Result<(Facts, Vec<u8>), LoadError> {
        if !self.status.success() {
            return Err(self.failed(limits));
        }
        let answer = self.take_answer().map_err(LoadError::host)?;
        match answer {
            Answer::Compiled(facts) => Ok((facts, self.output)),
            Answer::Refused(refusal) => Err(refusal),
        }
    }

    /// Takes the answer from the front of the output.
    fn take_answer(&mut self) -> anyhow::Result<Answer> {
        let (length, rest) =
            self.output.split_first_chunk().context("the compiler answered nothing")?;
        let length = u32::from_le_bytes(*length) as usize;
        anyhow::ensure!(
            length <= HEADER_BYTES && length <= rest.len(),
            "the compiler's answer is cut off"
        );
        let answer = serde_json::from_slice(&rest[..length])?;
        self.output.drain(..4 + length);
        Ok(answer)
    }

    /// A child that did not answer: by its limits or by a fault of the compiler,
    /// both of which another component would not have met.
    fn failed(self, limits: &CompileLimits) -> LoadError {
        const SIGABRT: i32 = 6;
        const SIGKILL: i32 = 9;
        const SIGXCPU: i32 = 24;
        let memory = limits.memory_bytes >> 20;
        match self.status.signal() {
            // Linux sends the second one where soft and hard limit are the same.
            Some(SIGXCPU | SIGKILL) => {
                LoadError::TooMuchToCompile(format!("more than {} s of CPU", limits.cpu_seconds))
            }
            Some(SIGABRT) => {
                LoadError::TooMuchToCompile(format!("more than {memory} MiB of memory"))
            }
            Some(signal) => LoadError::Unsupported(format!("the compiler died of signal {signal}")),
            None if self.status.code() == Some(101) => {
                LoadError::Unsupported(format!("the compiler panicked: {}", self.complaint))
            }
            None => LoadError::Host(format!(
                "the compiler ended with {}: {}",
                self.status, self.complaint
            )),
        }
    }
}
