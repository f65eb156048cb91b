//! What is remembered of the vendor and not proven by its pages, as data.
//!
//! Every field can be overridden in a channel's settings, under `dialect`. A list is
//! replaced as a whole.

use std::num::NonZeroUsize;

use botyard_kernel::profile::Rate;
use botyard_kernel::time::{HOUR, Millis, SECOND};
use serde::{Deserialize, Serialize};

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// Where calls go when the channel's `graph-url` says nothing, with the version.
    pub(super) graph_url: String,
    /// What messages within the window are called: `RESPONSE` or `UPDATE`.
    pub(super) messaging_type: String,
    /// For so long after the person's last word anything may be said.
    pub(super) window_ms: Millis,
    /// The tag of messages after that time. None where this is empty: the vendor then
    /// refuses them, as the page's permissions rarely cover any.
    pub(super) tag: String,
    /// Who gets a thread that is handed over: the page's inbox.
    pub(super) inbox_app_id: String,
    /// What the other app is told with a hand-off; nothing where this is empty.
    pub(super) hand_off_metadata: String,
    /// What the button below a card says; the card's own label where this is empty.
    pub(super) card_button: String,
    /// A link that opens an existing thread begins a session anew, else it is told as
    /// `other`.
    pub(super) referral_starts: bool,
    /// What comes in `messaging`, and not in `standby`, is the bot's to answer, even
    /// after a human wrote. For pages whose humans never pass control back.
    pub(super) messaging_means_ours: bool,
    /// Where the host gives the bot a conversation back, by `returns-after-ms` or at its
    /// desk, the app first takes control of the thread. For pages with handover roles
    /// whose primary receiver is the app: no other may take it. There what comes in
    /// `messaging` is the bot's, as with `messaging-means-ours`.
    pub(super) take_thread: bool,
    /// Apps whose messages on the page are no human's: automatic greetings and the like.
    pub(super) ignored_app_ids: Vec<String>,
    /// Calls of all conversations together in the window; no limit where `null`.
    pub(super) rate_calls: Option<NonZeroUsize>,
    /// The window.
    pub(super) rate_window_ms: Millis,
    /// What errors of calls mean.
    pub(super) errors: Errors,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            graph_url: "https://graph.facebook.com/v23.0".to_owned(),
            messaging_type: "RESPONSE".to_owned(),
            window_ms: 24 * HOUR,
            tag: String::new(),
            inbox_app_id: "263902037430900".to_owned(),
            hand_off_metadata: String::new(),
            card_button: String::new(),
            referral_starts: true,
            messaging_means_ours: false,
            take_thread: false,
            ignored_app_ids: Vec::new(),
            rate_calls: NonZeroUsize::new(300),
            rate_window_ms: SECOND,
            errors: Errors::default(),
        }
    }
}

impl Dialect {
    pub(super) fn token_rate(&self) -> Option<Rate> {
        let calls = self.rate_calls?.get();
        Some(Rate { calls, window_ms: self.rate_window_ms })
    }
}

/// Codes and subcodes of the vendor's errors by what they mean. A subcode says more
/// than the code that it stands below, so it is looked at first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Errors {
    /// The person's last word is too long ago.
    pub(super) window_subcodes: Vec<u64>,
    /// Another app has control of the thread.
    pub(super) control_subcodes: Vec<u64>,
    /// There is no such person, for this page.
    pub(super) no_person_subcodes: Vec<u64>,
    /// A file could not be fetched from its address.
    pub(super) file_subcodes: Vec<u64>,
    /// The token is not valid, or not any more.
    pub(super) token_codes: Vec<u64>,
    /// The person cannot be reached now.
    pub(super) unavailable_codes: Vec<u64>,
    /// Too many calls.
    pub(super) limited_codes: Vec<u64>,
    /// Not sent, and worth another try.
    pub(super) temporary_codes: Vec<u64>,
    /// Worth another try; whether it was sent is not known.
    pub(super) unready_codes: Vec<u64>,
    /// The app or the page may not do this.
    pub(super) permission_codes: Vec<u64>,
}

impl Default for Errors {
    fn default() -> Self {
        Self {
            window_subcodes: vec![2_018_278],
            control_subcodes: vec![2_018_300],
            no_person_subcodes: vec![2_018_001],
            file_subcodes: vec![2_018_007, 2_018_008],
            token_codes: vec![190],
            unavailable_codes: vec![551],
            limited_codes: vec![4, 17, 32, 613, 80_006],
            temporary_codes: vec![1_200],
            unready_codes: vec![1, 2],
            permission_codes: vec![3, 10, 200, 230, 368],
        }
    }
}
