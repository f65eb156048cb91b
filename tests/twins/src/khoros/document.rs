//! What Khoros' pages on the Care Automation Framework say, as numbers and names.
//! Beside each stands the page; what the pages leave open says so.

use std::ops::RangeInclusive;

/// "Bot API v3": where its calls begin.
pub const BASE: &str = "/bots/v3/";
/// "Getting started": where a token comes from, followed by the app's id.
pub const TOKEN_BASE: &str = "/api/v2/tokens/khorosapi/ownerId/";
/// "Respond to an incoming message": where typing can be shown. The page gives the
/// networks' names; the spelling of their keys is inferred, for Brand Messenger but
/// for its `smooch`.
pub const TYPING_NETWORKS: &[&str] = &[
    "apple",
    "brandmessenger",
    "facebook",
    "gbm",
    "google",
    "googlebusinessmessages",
    "khorosmessaging",
    "smooch",
];
/// "Respond to an incoming message": the list picker is of Apple alone.
pub const LIST_NETWORK: &str = "apple";
/// "Respond to an incoming message": the fields of a message.
pub const MESSAGE_KEYS: &[&str] = &[
    "actions",
    "author",
    "coordinate",
    "list",
    "media",
    "owner",
    "payload",
    "processSynchronously",
    "publishedTS",
    "receivedTS",
    "richContent",
    "text",
    "type",
];
/// "Respond to an incoming message": at most one of them in a message.
pub const EXCLUSIVE: &[&str] = &["list", "media", "payload", "richContent"];
/// "Create a note", "Tag a message", "Untag a message", "Update priority", "Change work
/// queue", "Resolve": what their bodies name besides `type`, `coordinate` and `author`.
pub const ACTION_KEYS: &[(&str, &[&str])] = &[
    ("note", &["note"]),
    ("tag", &["entityType", "tagIds"]),
    ("remove_tag", &["entityType", "tagIds"]),
    ("priority", &["newPriority"]),
    ("workqueue", &["newWorkQueue", "comment", "conversationDisplayId"]),
    ("resolve", &["comment"]),
];
/// "Coordinate object".
pub const SCOPES: &[&str] = &["PRIVATE", "PUBLIC"];
/// "Rich content object": all required.
pub const RICH_CONTENT_KEYS: &[&str] = &["mediaType", "url", "title", "mediaUrl", "mimeType"];
/// "Respond to an incoming message": the sizes of a preview.
pub const STYLES: &[&str] = &["ICON", "LARGE", "SMALL"];
/// "Messenger Platform, Send API reference", `message.text`: what Facebook takes of what
/// Khoros hands on. Recalled.
pub const FACEBOOK_TEXT_CHARACTERS_MAX: usize = 2_000;
/// "Messenger Platform, Quick replies": at most 13.
pub const FACEBOOK_REPLIES_MAX: usize = 13;
/// "Messenger Platform, Button template": 1 to 3 buttons. Recalled.
pub const FACEBOOK_BUTTONS_MAX: usize = 3;
/// "Messenger Platform, Button template", `text`: 640 characters. Recalled.
pub const FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX: usize = 640;
/// "Messenger Platform, Quick replies", "Buttons": titles of 20 characters; the page says
/// that longer ones are cut, which this side refuses.
pub const FACEBOOK_LABEL_CHARACTERS_MAX: usize = 20;
/// "Messenger Platform, Quick replies", "Buttons": payloads of 1,000 characters. Recalled;
/// counted in bytes, which is never more.
pub const FACEBOOK_PAYLOAD_BYTES_MAX: usize = 1_000;
/// "Sunshine Conversations, Message schema", `text`, which Brand Messenger builds on.
/// Recalled.
pub const SMOOCH_TEXT_CHARACTERS_MAX: usize = 4_096;
/// "X, Counting characters": a post. Recalled.
pub const X_POST_CHARACTERS_MAX: usize = 280;
/// "X, Counting characters": of these code points each counts one, of all others two.
/// Recalled.
pub const X_NARROW: [RangeInclusive<char>; 4] = [
    '\u{0}'..='\u{10ff}',
    '\u{2000}'..='\u{200d}',
    '\u{2010}'..='\u{201f}',
    '\u{2032}'..='\u{2037}',
];
/// "X, Direct messages": 10,000 characters. Recalled.
pub const X_MESSAGE_CHARACTERS_MAX: usize = 10_000;
/// "Update priority": 0 is the highest. The lowest is of a client's code.
pub const PRIORITY_LOWEST: u64 = 5;
/// "Refresh a token": the old one stays valid for so many minutes.
pub const OLD_TOKEN_MINUTES: u64 = 10;
/// "Registration payload": what may not be empty.
pub const REGISTRATION_KEYS: &[&str] =
    &["platform", "companyKey", "networkKey", "externalId", "appId", "name", "callbackUrl"];
/// "Bot registration".
pub const MODES: &[&str] = &["LIVE", "MAINTENANCE"];
