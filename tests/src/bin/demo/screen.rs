//! The conversation on the left, the calls behind it on the right.

use std::io::IsTerminal as _;

use botyard_tests::client::userlike::Answer;
use botyard_tests::peers::userlike::{Call, Packet};
use serde_json::Value;

const LEFT: usize = 40;
const RIGHT: usize = 60;

/// Where the demo is shown.
pub(crate) struct Screen {
    color: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let color = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { color }
    }

    pub(crate) fn note(&self, text: &str) {
        println!("{}", self.dim(text));
    }

    pub(crate) fn title(&self, text: &str) {
        let line = "-".repeat((LEFT + RIGHT).saturating_sub(text.chars().count() + 1));
        println!("\n{} {}\n", self.bold(text), self.dim(&line));
    }

    /// The person did something: Userlike calls the webhook.
    pub(crate) fn heard(&self, person: &str, text: &str, name: &str, payload: &Value) {
        let call = format!("-> POST webhook: {name} {payload}");
        self.beside(&format!("{person}: {text}"), true, &call);
    }

    /// The person wrote at another vendor.
    pub(crate) fn heard_at(&self, person: &str, text: &str) {
        self.beside(&format!("{person}: {text}"), true, "");
    }

    /// They were told something there.
    pub(crate) fn said_at(&self, text: &str) {
        for line in text.lines() {
            self.beside(&format!("  Bot: {line}"), false, "");
        }
    }

    /// The host answered the webhook.
    pub(crate) fn answered(&self, answer: &Answer) {
        let took = answer.took.as_secs_f64() * 1_000.0;
        let count = answer.packets.len();
        let events = if count == 1 { "1 event" } else { &format!("{count} events") };
        self.beside("", false, &format!("<- {} after {took:.1} ms with {events}", answer.status));
        for packet in &answer.packets {
            self.said(packet);
        }
        println!();
    }

    /// The host called the API URL.
    pub(crate) fn called(&self, call: &Call) {
        let line = format!("=> POST API URL, answered {} {}", call.status, call.reason);
        self.beside("", false, line.trim_end());
        for packet in &call.packets {
            self.said(packet);
        }
        println!();
    }

    fn said(&self, packet: &Packet) {
        self.beside(&spoken(packet), false, &format!("   {} {}", packet.name, packet.payload));
    }

    fn beside(&self, left: &str, person: bool, right: &str) {
        let left = wrap(left, LEFT - 2);
        let right = wrap(right, RIGHT);
        for row in 0..left.len().max(right.len()) {
            let left = left.get(row).map_or("", String::as_str);
            let right = right.get(row).map_or("", String::as_str);
            let padding = " ".repeat(LEFT - left.chars().count());
            let left = if person { self.bold(left) } else { left.to_owned() };
            println!("{}", format!("{left}{padding}{}", self.dim(right)).trim_end());
        }
    }

    fn bold(&self, text: &str) -> String {
        if self.color { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn dim(&self, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\x1b[2m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// What the person sees of a packet.
fn spoken(packet: &Packet) -> String {
    let text = packet.text().unwrap_or_default();
    let labels = |key: &str| -> String {
        let options = packet.payload[key].as_array().into_iter().flatten();
        options.filter_map(|option| option["label"].as_str()).fold(
            String::new(),
            |mut line, label| {
                line.push_str(&format!(" [{label}]"));
                line
            },
        )
    };
    match &*packet.name {
        "message" => format!("  Bot: {text}"),
        "bubbles" | "carousel" | "list_template" => format!("  Bot: {text}{}", labels("options")),
        "button_template" => format!("  Bot: {text}{}", labels("buttons")),
        name if name.starts_with("forward") => "  (a human takes over)".to_owned(),
        name => format!("  ({})", name.replace('_', " ")),
    }
}

/// Lines of at most `width` characters, broken between words where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    let indent = text.chars().take_while(|letter| *letter == ' ').count();
    for word in text.split_inclusive(' ') {
        if length > indent && length + word.trim_end().chars().count() > width {
            lines.push(" ".repeat(indent + 2));
            length = indent + 2;
        }
        for letter in word.chars() {
            if length >= width {
                lines.push(" ".repeat(indent + 2));
                length = indent + 2;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            length += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_column_and_no_word_is_lost() {
        let text = "  Bot: Welcome! I can look up an order, and averyveryverylongword too.";
        let lines = wrap(text, 20);
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        let squeeze = |text: &str| text.replace(' ', "");
        assert_eq!(squeeze(&lines.concat()), squeeze(text));
    }
}
