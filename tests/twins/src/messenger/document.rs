//! What Meta's pages on the Messenger Platform say, as numbers and names. Beside each
//! stands the page, and "recalled" where it was not read again for this table.

/// "Send API reference", `message.text`: 2,000 characters. Recalled.
pub const TEXT_CHARACTERS_MAX: usize = 2_000;
/// "Instagram Platform, Send messages", `text`: UTF-8 of at most 1,000 bytes. The pages of
/// quick replies and templates there state the same numbers as those of Messenger.
pub const INSTAGRAM_TEXT_BYTES_MAX: usize = 1_000;
/// "Send API reference", `message.metadata`: 1,000 characters. Recalled.
pub const METADATA_CHARACTERS_MAX: usize = 1_000;
/// "Quick replies": at most 13.
pub const QUICK_REPLIES_MAX: usize = 13;
/// "Quick replies", `title`: 20 characters. The page says that longer ones are cut; a
/// cut label is a mistake all the same, so this side refuses it.
pub const QUICK_REPLY_TITLE_CHARACTERS_MAX: usize = 20;
/// "Quick replies" and "Buttons", `payload`: 1,000 characters. Recalled; counted in
/// bytes, which is never more.
pub const PAYLOAD_BYTES_MAX: usize = 1_000;
/// "Quick replies", `content_type`.
pub const QUICK_REPLY_TYPES: &[&str] = &["text", "user_phone_number", "user_email"];
/// "Button template", `text`: 640 characters. Recalled.
pub const BUTTON_TEXT_CHARACTERS_MAX: usize = 640;
/// "Button template", "Generic template": 1 to 3 buttons. Recalled.
pub const BUTTONS_MAX: usize = 3;
/// "Buttons", `title`: 20 characters. Recalled.
pub const BUTTON_TITLE_CHARACTERS_MAX: usize = 20;
/// "Generic template": 1 to 10 elements. Recalled.
pub const ELEMENTS_MAX: usize = 10;
/// "Generic template", `title` and `subtitle`: 80 characters. Recalled.
pub const ELEMENT_CHARACTERS_MAX: usize = 80;
/// "Send API reference", `attachment.type`, besides `template`.
pub const MEDIA: &[&str] = &["audio", "file", "image", "video"];
/// "Sender actions".
pub const SENDER_ACTIONS: &[&str] = &["mark_seen", "typing_off", "typing_on"];
/// "Send API reference", `messaging_type`: required with a message.
pub const MESSAGING_TYPES: &[&str] = &["MESSAGE_TAG", "RESPONSE", "UPDATE"];
/// "Message tags".
pub const TAGS: &[&str] =
    &["ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", "HUMAN_AGENT", "POST_PURCHASE_UPDATE"];
/// "Standard messaging window": 24 hours after what the person did last.
pub const WINDOW_HOURS: u64 = 24;
/// "Message tags", `HUMAN_AGENT`: 7 days. Recalled.
pub const HUMAN_AGENT_HOURS: u64 = 7 * 24;
/// "Handover protocol": the app id of the page's own inbox.
pub const PAGE_INBOX: &str = "263902037430900";
/// "Handover protocol", `metadata`: 1,000 characters. Recalled.
pub const CONTROL_METADATA_CHARACTERS_MAX: usize = 1_000;
/// "Webhooks": the header of the signature.
pub const SIGNATURE_HEADER: &str = "X-Hub-Signature-256";
