//! `log`: the bot's own notes, together with what it prints.

use std::sync::Mutex;

use botyard_kernel::run::{LogLevel, LogLine};

use crate::bindings::v1::log::{Host, Level};
use crate::turn::Turn;

/// What a line takes besides its words where it is stored and shown, in bytes: without
/// that, a log of empty lines would be thirty times as long as its limit.
const LINE_BYTES: usize = 32;
/// How much of the standard error is kept for the message of a failure, in bytes.
const TAIL_BYTES: usize = 2 << 10;

impl Host for Turn {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.log.line(level.into(), &message);
        Ok(())
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// A standard stream of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// The log of one turn. Shared with the streams of WASI, hence the lock.
#[derive(Debug)]
pub(crate) struct TurnLog(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    lines: Vec<LogLine>,
    left: usize,
    cut: u64,
    /// Lines of the standard output and error that have no end yet.
    open: [Vec<u8>; 2],
    tail: Vec<u8>,
}

impl TurnLog {
    /// An empty log with room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Mutex::new(Inner {
            lines: Vec::new(),
            left: bytes,
            cut: 0,
            open: [Vec::new(), Vec::new()],
            tail: Vec::new(),
        }))
    }

    /// Adds a line.
    pub(crate) fn line(&self, level: LogLevel, message: &str) {
        self.lock().line(level, message);
    }

    /// Adds bytes of a standard stream: a line of the log for each line of it.
    pub(crate) fn print(&self, stream: Stream, bytes: &[u8]) {
        self.lock().print(stream, bytes);
    }

    /// The end of the standard error, where interpreters say what went wrong.
    pub(crate) fn tail(&self) -> String {
        clean(&String::from_utf8_lossy(&self.lock().tail)).trim().to_owned()
    }

    /// Takes the lines and the number of bytes that were cut.
    pub(crate) fn finish(&self) -> (Vec<LogLine>, u64) {
        let mut inner = self.lock();
        inner.close(Stream::Out);
        inner.close(Stream::Err);
        (std::mem::take(&mut inner.lines), inner.cut)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A panic elsewhere leaves the log as good as it was.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Inner {
    fn line(&mut self, level: LogLevel, message: &str) {
        if self.left < LINE_BYTES {
            self.left = 0;
            // An empty line is cut, too.
            self.cut += message.len().max(1) as u64;
            return;
        }
        self.left -= LINE_BYTES;
        let kept = message.floor_char_boundary(self.left.min(message.len()));
        self.cut += (message.len() - kept) as u64;
        // What is cut closes the log: a later, shorter line would look like the next one.
        self.left = if kept < message.len() { 0 } else { self.left - kept };
        self.lines.push(LogLine { level, message: clean(&message[..kept]) });
    }

    fn print(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Err {
            self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_BYTES)..]);
            let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
            self.tail.drain(..surplus);
        }
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let open = &mut self.open[stream as usize];
            let room = self.left.saturating_sub(open.len());
            let kept = &piece[..piece.len().min(room)];
            self.cut += (piece.len() - kept.len()) as u64;
            open.extend_from_slice(kept);
            if piece.ends_with(b"\n") {
                self.close(stream);
            }
        }
    }

    fn close(&mut self, stream: Stream) {
        let line = std::mem::take(&mut self.open[stream as usize]);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        let level = if stream == Stream::Out { LogLevel::Info } else { LogLevel::Error };
        // Programs print empty lines for looks; a list of lines needs none.
        if !text.is_empty() {
            self.line(level, text);
        }
    }
}

/// Without control characters, which could play tricks on a terminal.
fn clean(text: &str) -> String {
    let keep = |c: char| !c.is_control() || c == '\n' || c == '\t';
    text.chars().map(|c| if keep(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_cuts_and_counts() {
        let log = TurnLog::new(2 * LINE_BYTES + 8);
        log.line(LogLevel::Info, "1234");
        log.line(LogLevel::Info, "567890");
        log.line(LogLevel::Info, "x");
        let (lines, cut) = log.finish();
        let texts: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(texts, ["1234", "5678"]);
        assert_eq!(cut, 3);
    }

    #[test]
    fn empty_lines_are_not_free() {
        let log = TurnLog::new(10 * LINE_BYTES + 9);
        for _ in 0..1_000 {
            log.line(LogLevel::Info, "");
        }
        let (lines, cut) = log.finish();
        assert_eq!((lines.len(), cut), (10, 990));
    }

    #[test]
    fn printed_lines_keep_their_order_and_their_end() {
        let log = TurnLog::new(1_000);
        log.print(Stream::Out, b"one\n\ntw");
        log.print(Stream::Err, b"bad\n");
        log.print(Stream::Out, b"o\r\nthree");
        let (lines, cut) = log.finish();
        let texts: Vec<_> = lines.iter().map(|line| (line.level, line.message.as_str())).collect();
        let (info, error) = (LogLevel::Info, LogLevel::Error);
        assert_eq!(texts, [(info, "one"), (error, "bad"), (info, "two"), (info, "three")]);
        assert_eq!(cut, 0);
        assert_eq!(log.tail(), "bad");
    }

    #[test]
    fn the_tail_of_the_standard_error_survives_a_full_log() {
        let log = TurnLog::new(LINE_BYTES + 5);
        log.print(Stream::Err, &b"x".repeat(100_000));
        log.print(Stream::Err, b"\nReferenceError: y\n");
        assert!(log.tail().ends_with("ReferenceError: y"));
        let (lines, cut) = log.finish();
        assert_eq!(lines.len(), 1);
        assert!(cut > 99_000);
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let log = TurnLog::new(LINE_BYTES + 3);
        log.line(LogLevel::Info, "äöü");
        assert_eq!(log.finish().0[0].message, "ä");
    }

    #[test]
    fn control_characters_are_replaced() {
        let log = TurnLog::new(100);
        log.line(LogLevel::Info, "\u{1b}[31mred");
        assert_eq!(log.finish().0[0].message, "\u{fffd}[31mred");
    }
}
