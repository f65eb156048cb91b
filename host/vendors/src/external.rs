//! External bots: programs of others that a conversation can be handed over to.

use std::fmt;
use std::sync::Arc;

use botyard_kernel::action::ContactUpdate;
use botyard_kernel::relay::{Ask, Heard};
use serde_json::Value;

use crate::instabot::client::Client;
use crate::{Call, CallAnswer, Outcome, SettingsError};

/// A program of somebody else that speaks to persons through us.
pub trait ExternalBot: Send + Sync + fmt::Debug {
    /// The vendor's name.
    fn vendor(&self) -> &'static str;

    /// The call that asks it something.
    fn ask(&self, ask: &Ask, to: &Asked<'_>) -> Call;

    /// What it said to that.
    ///
    /// # Errors
    /// What is to be done about it. [`Outcome::Gone`] says that the conversation is over.
    fn heard(&self, answer: &CallAnswer) -> Result<Heard, Outcome>;

    /// Whether it is asked, at its end, what it knows of the person.
    fn asks_who(&self) -> bool;

    /// What it knows of the person; nothing where it does not say.
    fn known(&self, answer: &CallAnswer) -> Option<ContactUpdate>;

    /// What it says by itself, as it is posted to the callback URL. Whoever knows the
    /// address may have posted it.
    ///
    /// # Errors
    /// When it is not as the vendor documents it, in words for the vendor.
    fn spoke(&self, body: &[u8]) -> Result<Heard, String>;
}

/// What a call needs besides what is asked.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Names the person where they have no address of their own; ASCII.
    pub guest: &'a str,
    /// Where it may speak by itself; absent where nobody can reach us. A secret.
    pub callback_url: Option<&'a str>,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_callback = self.callback_url.is_some();
        f.debug_struct("Asked").field("has_callback", &has_callback).finish_non_exhaustive()
    }
}

/// Makes an external bot out of its settings, a JSON object.
///
/// # Errors
/// When there is no such vendor or the settings are not its own, in words for the tenant.
pub fn connect_external(
    vendor: &str,
    settings: Value,
) -> Result<Arc<dyn ExternalBot>, SettingsError> {
    match vendor {
        "instabot" => Ok(Arc::new(Client::connect(settings)?)),
        _ => Err(SettingsError(format!(
            "no external bots of `{vendor}` are known; known are those of: instabot"
        ))),
    }
}
