//! The vendor's side: takes every call and counts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const POLLED_EVERY: Duration = Duration::from_millis(1);

pub(crate) struct Vendor {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    first: OnceLock<Instant>,
    calls: AtomicU64,
}

impl Vendor {
    pub(crate) fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, seen) = (listener.local_addr()?, Arc::new(Seen::default()));
        let counted = Arc::clone(&seen);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&counted);
                // It ends with its connection.
                thread::spawn(move || serve(connection, &seen));
            }
        });
        Ok(Self { address, seen })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn calls(&self) -> u64 {
        self.seen.calls.load(Ordering::Relaxed)
    }

    /// When the first call came; waits for it.
    pub(crate) fn first_call(&self, patience: Duration) -> Option<Instant> {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Some(first) = self.seen.first.get() {
                return Some(*first);
            }
            thread::sleep(POLLED_EVERY);
        }
        None
    }
}

/// Answers one call after the other until the host hangs up.
fn serve(connection: TcpStream, seen: &Seen) -> Option<()> {
    // Answers are small and awaited.
    connection.set_nodelay(true).ok()?;
    let mut writer = connection.try_clone().ok()?;
    let mut reader = BufReader::new(connection);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        seen.first.get_or_init(Instant::now);
        seen.calls.fetch_add(1, Ordering::Relaxed);
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        writer.write_all(answer.as_bytes()).ok()?;
    }
}
