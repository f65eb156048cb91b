//! What the host writes.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The lines so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<String>>);

impl Log {
    /// Reads until the host has ended.
    pub(super) fn follow(written: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let lines = log.clone();
        thread::spawn(move || {
            for line in BufReader::new(written).lines().map_while(Result::ok) {
                let mut text = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
                text.push_str(&line);
                text.push('\n');
            }
        });
        log
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The address that the host listens on, once it has said so.
    pub(super) fn address(&self) -> Option<String> {
        address(&self.text())
    }
}

fn address(text: &str) -> Option<String> {
    let line = text.lines().find(|line| line.contains("listening on"))?;
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
    Some(format!("http://{}", &rest[..end.unwrap_or(rest.len())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_plain_and_in_json_logs() {
        let url = Some("http://127.0.0.1:4711".to_owned());
        assert_eq!(address("up\nlistening on http://127.0.0.1:4711\n"), url);
        assert_eq!(address(r#"{"message":"listening on","address":"http://127.0.0.1:4711"}"#), url);
        assert_eq!(address("starting\n"), None);
    }
}
