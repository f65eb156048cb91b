//! One person's thread with the page.

use std::time::Duration;

use serde_json::Value;

/// What a person can tap: its title and its payload.
pub(super) type Choice = (String, String);

/// A thread.
#[derive(Debug)]
pub(super) struct Thread {
    /// The app that controls it; none after a release.
    pub(super) owner: Option<String>,
    /// When the person last did something: the window counts from then.
    pub(super) heard: Option<Duration>,
    /// They have blocked the page.
    pub(super) is_gone: bool,
    /// Shown with the last message, and only until the next one.
    pub(super) quick_replies: Vec<Choice>,
    /// Buttons stay.
    pub(super) buttons: Vec<Choice>,
}

impl Thread {
    pub(super) fn new(owner: &str) -> Self {
        Self {
            owner: Some(owner.to_owned()),
            heard: None,
            is_gone: false,
            quick_replies: Vec::new(),
            buttons: Vec::new(),
        }
    }

    /// The bot said something.
    pub(super) fn said(&mut self, message: &Value) {
        let replies = message["quick_replies"].as_array().into_iter().flatten();
        self.quick_replies = replies.filter_map(option).collect();
        let payload = &message["attachment"]["payload"];
        let elements = payload["elements"].as_array().into_iter().flatten();
        let owners = std::iter::once(payload).chain(elements);
        let buttons = owners.flat_map(|owner| owner["buttons"].as_array().into_iter().flatten());
        let postbacks = buttons.filter(|button| button["type"] == "postback");
        self.buttons.extend(postbacks.filter_map(option));
    }

    /// The person did something.
    pub(super) fn heard(&mut self, at: Duration) {
        self.heard = Some(at);
        self.quick_replies.clear();
    }
}

fn option(value: &Value) -> Option<Choice> {
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    Some((word("title").unwrap_or_default(), word("payload")?))
}
