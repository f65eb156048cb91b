//! The host's side of the compiling child.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdout, Command};
use tokio::sync::oneshot;

use crate::compile::{Facts, HEADER_BYTES, Said, Task, header};
use crate::config::{CompileCommand, CompileLimits};
use crate::jail::Bar;
use crate::load_error::LoadError;
use crate::phase::Phase;
use crate::upload::Upload;

/// The largest artefact, in bytes: JavaScript engines have about 50 MiB.
const ARTEFACT_BYTES: u64 = 512 << 20;
/// How much of the child's standard error is quoted, in bytes.
const COMPLAINT_BYTES: u64 = 2 << 10;

/// A program that compiles, and what it may use.
pub(crate) struct Compiler<'a> {
    pub(crate) command: &'a CompileCommand,
    pub(crate) limits: &'a CompileLimits,
    pub(crate) task: &'a Task,
}

/// What came of a compilation.
pub(crate) struct Heard {
    /// What the child's jail consists of; nothing where it did not come to that.
    pub(crate) jail: Vec<Bar>,
    /// The artefact, or why there is none.
    pub(crate) compiled: Result<(Facts, Vec<u8>), LoadError>,
}

impl Compiler<'_> {
    /// Compiles a component in a child process.
    pub(crate) async fn compile(
        &self,
        component: &Upload,
        progress: &(impl Fn(Phase) + Sync),
    ) -> Heard {
        let mut jail = Vec::new();
        let talk = self.talk(component, &mut jail, progress);
        let compiled = match tokio::time::timeout(self.limits.wall, talk).await {
            Ok(Ok(end)) => end.judge(self.limits),
            Ok(Err(error)) => Err(LoadError::host(error)),
            Err(_) => {
                // Who is last in line for the processor cannot help being late.
                Err(LoadError::Late(self.limits.wall.as_secs()))
            }
        };
        Heard { jail, compiled }
    }

    async fn talk(
        &self,
        component: &Upload,
        jail: &mut Vec<Bar>,
        progress: &(impl Fn(Phase) + Sync),
    ) -> anyhow::Result<End> {
        let program = &self.command.program;
        let mut child = Command::new(program)
            .args(&self.command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the compiler {}", program.display()))?;
        let mut input = child.stdin.take().context("the compiler has no input")?;
        let mut output = child.stdout.take().context("the compiler has no output")?;
        let mut complaint = child.stderr.take().context("the compiler has no error output")?;
        let head = header(self.task)?;
        let (jailed, is_jailed) = oneshot::channel();
        let write = async {
            input.write_all(&head).await.or_else(closed)?;
            // Nothing of a stranger's goes to a compiler of whose jail nothing is known.
            if is_jailed.await.is_ok() {
                component.copy_to(&mut input).await.or_else(closed)?;
            }
            drop(input);
            std::io::Result::Ok(())
        };
        let read = async {
            let answer = self.answer(&mut output, jail, jailed, progress).await;
            // Whatever else it says must not hold it up.
            let more = tokio::io::copy(&mut output, &mut tokio::io::sink()).await?;
            let answer = answer?;
            // What it says behind a refusal harms nobody; where it is ours, that was on its way.
            anyhow::ensure!(answer.is_err() || more == 0, "{more} bytes follow the artefact");
            Ok(answer)
        };
        let listen = async {
            let mut bytes = Vec::new();
            // What goes beyond is read too, or the child would wait to be heard.
            (&mut complaint).take(COMPLAINT_BYTES).read_to_end(&mut bytes).await?;
            tokio::io::copy(&mut complaint, &mut tokio::io::sink()).await.map(|_| bytes)
        };
        let (written, answer, complaint) = tokio::join!(write, read, listen);
        let status = child.wait().await?;
        written.context("the upload cannot be read again")?;
        let complaint = String::from_utf8_lossy(&complaint?).trim().to_owned();
        Ok(End { answer, complaint, status })
    }

    /// Hears the child out: its jail, its progress, its answer and the artefact.
    async fn answer(
        &self,
        output: &mut ChildStdout,
        jail: &mut Vec<Bar>,
        jailed: oneshot::Sender<()>,
        progress: &(impl Fn(Phase) + Sync),
    ) -> anyhow::Result<Result<(Facts, Vec<u8>), LoadError>> {
        let mut jailed = Some(jailed);
        loop {
            match hear(output).await? {
                Said::Jailed(bars) => {
                    let refusal = self.task.open_jail(&bars);
                    *jail = bars;
                    if let Some(refusal) = refusal {
                        return Ok(Err(refusal));
                    }
                    // Where nobody waits, the child has closed its input already.
                    jailed.take().map(|jailed| jailed.send(()));
                }
                Said::Checked => progress(Phase::Compiling),
                Said::Refused(refusal) => return Ok(Err(refusal)),
                Said::Compiled { facts, artefact_bytes: bytes } => {
                    if bytes > ARTEFACT_BYTES {
                        let words = format!("{bytes} bytes of machine code");
                        return Ok(Err(LoadError::TooMuchToCompile(words)));
                    }
                    let mut artefact = Vec::new();
                    output.take(bytes).read_to_end(&mut artefact).await?;
                    let came = artefact.len() as u64;
                    anyhow::ensure!(
                        came == bytes,
                        "the artefact ends after {came} of {bytes} bytes"
                    );
                    return Ok(Ok((*facts, artefact)));
                }
            }
        }
    }
}

/// A child that ends early closes its input; its answer or status says why.
fn closed(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    }
}

async fn hear(output: &mut ChildStdout) -> anyhow::Result<Said> {
    let length = output.read_u32_le().await.context("the compiler answered nothing")? as usize;
    anyhow::ensure!(length <= HEADER_BYTES, "the compiler's answer is too long");
    let mut json = vec![0; length];
    output.read_exact(&mut json).await.context("the compiler's answer is cut off")?;
    Ok(serde_json::from_slice(&json)?)
}

/// What the child said last and how it ended.
struct End {
    answer: anyhow::Result<Result<(Facts, Vec<u8>), LoadError>>,
    complaint: String,
    status: ExitStatus,
}

impl End {
    fn judge(self, limits: &CompileLimits) -> Result<(Facts, Vec<u8>), LoadError> {
        if !self.status.success() {
            return Err(self.failed(limits));
        }
        self.answer.map_err(LoadError::host)?
    }

    /// A child that did not answer: by its limits or by a fault of the compiler,
    /// both of which another component would not have met; or killed by somebody.
    fn failed(self, limits: &CompileLimits) -> LoadError {
        const SIGABRT: i32 = 6;
        const SIGKILL: i32 = 9;
        const SIGXCPU: i32 = 24;
        let memory = limits.memory_bytes >> 20;
        match self.status.signal() {
            Some(SIGXCPU) => {
                LoadError::TooMuchToCompile(format!("more than {} s of CPU", limits.cpu_seconds))
            }
            Some(SIGKILL) => LoadError::Host(
                "somebody killed the compiler: most likely the system, as memory ran out"
                    .to_owned(),
            ),
            Some(SIGABRT) if self.complaint.contains("has overflowed its stack") => {
                LoadError::Unsupported("it is nested too deeply for the compiler".to_owned())
            }
            Some(SIGABRT) if self.complaint.contains("memory allocation of") => {
                LoadError::TooMuchToCompile(format!("more than {memory} MiB of memory"))
            }
            Some(signal) => LoadError::Unsupported(format!("the compiler died of signal {signal}")),
            None if self.status.code() == Some(101) => {
                let words = panic_message(&self.complaint);
                LoadError::Unsupported(format!("the compiler panicked: {words}"))
            }
            None => LoadError::Host(format!(
                "the compiler ended with {}: {}",
                self.status, self.complaint
            )),
        }
    }
}

/// What a panic says, without where it was: the line behind the one with the place.
fn panic_message(complaint: &str) -> &str {
    let mut lines = complaint.lines().skip_while(|line| !line.contains("panicked at"));
    lines.nth(1).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_panic_the_message_is_told_and_no_place() {
        let complaint = "\nthread 'main' (7) panicked at /home/ada/.cargo/x.rs:1:2:\nit is too \
                         deep\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(panic_message(complaint), "it is too deep");
        assert_eq!(panic_message(""), "it does not say why");
    }
}
