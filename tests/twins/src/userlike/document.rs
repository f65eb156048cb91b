//! What Userlike's page "Chatbot API" says, as numbers and names. Beside each
//! stands the heading of that page under which it is found; what the page leaves
//! open says so.

/// "Rate limits": 20 requests a minute with the same `cid`, then 429.
pub const REQUESTS_PER_MINUTE: usize = 20;
/// "Keeping state with the context object": not bigger than 10 KB. The page does
/// not say which kilobyte; this is the smaller one.
pub const CONTEXT_BYTES_MAX: usize = 10_000;
/// "message": up to 5,000 characters. The page names no other number for the
/// texts of choices, which are messages as well.
pub const TEXT_CHARACTERS_MAX: usize = 5_000;
/// "`button_template`": up to three buttons.
pub const BUTTONS_MAX: usize = 3;
/// "`list_template`": up to ten options.
pub const LIST_OPTIONS_MAX: usize = 10;
/// "Bubbles and carousel": each option's title at most 20 characters, on Facebook
/// and `WhatsApp`; longer ones make the message a text.
pub const LABEL_CHARACTERS_MAX: usize = 20;
/// "Bubbles and carousel": a maximum of 13 options on Facebook.
pub const FACEBOOK_OPTIONS_MAX: usize = 13;
/// "Bubbles and carousel": a maximum of 10 options on `WhatsApp`.
pub const WHATSAPP_OPTIONS_MAX: usize = 10;

/// "Messenger Platform, Button template": what up to three options become on Facebook.
/// Recalled.
pub const FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX: usize = 640;
/// "Messenger Platform, Send API reference": the text above quick replies. Recalled.
pub const FACEBOOK_TEXT_CHARACTERS_MAX: usize = 2_000;
/// "`WhatsApp` Cloud API, interactive messages": the body.
pub const WHATSAPP_TEXT_CHARACTERS_MAX: usize = 1_024;
/// "`WhatsApp` Cloud API, interactive messages": header and footer.
pub const WHATSAPP_EDGE_CHARACTERS_MAX: usize = 60;
/// "`WhatsApp` Cloud API, interactive lists": titles of rows and sections.
pub const WHATSAPP_ROW_CHARACTERS_MAX: usize = 24;
/// "`WhatsApp` Cloud API, interactive lists": the second line of a row.
pub const WHATSAPP_DESCRIPTION_CHARACTERS_MAX: usize = 72;
/// "`WhatsApp` Cloud API, interactive lists": the button that opens one. Recalled.
pub const WHATSAPP_BUTTON_CHARACTERS_MAX: usize = 20;

/// "Triggerable events": the names.
pub const ACTIONS: &[&str] = &[
    "abort",
    "addon_dispatch",
    "bubbles",
    "button",
    "button_template",
    "buttons",
    "carousel",
    "contact_update",
    "conversation_update",
    "delay",
    "email_dispatch",
    "end",
    "forward_any",
    "forward_group",
    "forward_skills",
    "list_template",
    "media",
    "message",
    "navigate",
    "note_create",
];

/// "Webhook events": the names.
pub const EVENTS: &[&str] =
    &["campaign_unsubscribe", "click", "forward_failed", "location", "media", "message", "start"];

/// "Text fallback": all choice messages require a `fallback`.
pub const CHOICES: &[&str] = &["bubbles", "button_template", "carousel", "list_template"];

/// "abort", "end" and the three hand-offs terminate the bot session.
pub const LAST_WORDS: &[&str] = &["abort", "end", "forward_any", "forward_group", "forward_skills"];

/// "Detecting channel conversations": the values of `contact_channel.type`.
pub const MEDIUMS: &[&str] =
    &["web", "facebook", "telegram", "threema", "sms", "whatsapp_business", "custom"];

/// "`contact_update`": at least one of them.
pub const CONTACT_KEYS: &[&str] =
    &["name", "email", "mobile_number", "external_customer_id", "custom_fields"];
/// "`conversation_update`": at least one of them.
pub const CONVERSATION_KEYS: &[&str] = &["subject", "topics", "locale", "custom_fields"];

/// "API security token": the header of calls.
pub const TOKEN_HEADER: &str = "security-token";
/// "Versioning": the one version; without it the latest, which is the same.
pub const PATHS: &[&str] = &["/v1/", "/v1", "/"];
