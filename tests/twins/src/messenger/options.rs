//! How a page is set up.

use std::time::Duration;

use super::document::{HUMAN_AGENT_HOURS, WINDOW_HOURS};
use super::medium::Medium;

/// Everything that can be set about a page.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where people write.
    pub medium: Medium,
    /// The page, or the account on Instagram.
    pub page_id: String,
    /// The app that answers for it: digits.
    pub app_id: String,
    /// What webhooks are signed with.
    pub app_secret: String,
    /// What the webhook's check carries.
    pub verify_token: String,
    /// The page's access token.
    pub token: String,
    /// How long after what a person did the app may write: shorter in tests that
    /// cannot wait.
    pub window: Duration,
    /// As `window`, for messages with the tag `HUMAN_AGENT`.
    pub human_agent_window: Duration,
    /// Whether the app may take control or has to ask for it.
    pub role: Role,
    /// What the webhooks tell besides what persons do.
    pub noise: Noise,
    /// The payload of the button "Get started".
    pub get_started: String,
}

/// The app's part in the handover protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes control.
    Primary,
    /// It asks for control.
    Secondary,
    /// The page has no handover roles: all control of threads is refused.
    Absent,
}

/// What comes of each message of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// The message itself, `is_echo`.
    pub echoes: bool,
    /// That it was delivered.
    pub deliveries: bool,
    /// That it was read.
    pub reads: bool,
}

impl Noise {
    /// Nothing.
    pub const NONE: Self = Self { echoes: false, deliveries: false, reads: false };
    /// All that a page can subscribe to.
    pub const ALL: Self = Self { echoes: true, deliveries: true, reads: true };
}

impl Options {
    /// The document's numbers, a primary receiver, and echoes of what it sends.
    pub fn new(app_secret: &str, verify_token: &str, token: &str) -> Self {
        Self {
            medium: Medium::Facebook,
            page_id: "410088123456789".to_owned(),
            app_id: "205552219930699".to_owned(),
            app_secret: app_secret.to_owned(),
            verify_token: verify_token.to_owned(),
            token: token.to_owned(),
            window: Duration::from_secs(WINDOW_HOURS * 60 * 60),
            human_agent_window: Duration::from_secs(HUMAN_AGENT_HOURS * 60 * 60),
            role: Role::Primary,
            noise: Noise { echoes: true, ..Noise::NONE },
            get_started: "GET_STARTED".to_owned(),
        }
    }
}
