//! What the vendor's pages do not prove, as data: names of networks, header of
//! signatures, paths and switches.
//!
//! Every field can be overridden in a channel's settings, under `dialect`. A list is
//! replaced as a whole.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use botyard_kernel::time::{Millis, SECOND};
use serde::{Deserialize, Serialize};

/// Everything that may differ from what we believe.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Dialect {
    /// How webhooks are signed where the registration says `HMAC`.
    pub(super) hmac: HmacForm,
    /// What an event says where.
    pub(super) incoming: Incoming,
    /// What we call networks, and what each can do.
    pub(super) networks: Networks,
    /// Replies wait for the network's answer; else Khoros answers 202 at once and
    /// keeps no order, and is asked afterwards what became of each.
    pub(super) synchronous: bool,
    /// The header of an answer of 202 that names the request.
    pub(super) request_header: String,
    /// Where a bot has shown that it types, the next message is followed by `typing_stop`.
    pub(super) stop_typing: bool,
    /// A public comment of a network of `sub-comments` is answered below itself.
    pub(super) answer_below_comments: bool,
    /// A file carries its name as `title`. The page of the call names only `url` and
    /// `mediaType`.
    pub(super) media_title: bool,
    /// What stands in list pickers besides what the bot wrote.
    pub(super) list: ListWords,
    /// The comment beside a secure form for which the bot wrote none: it is required.
    pub(super) form_comment: String,
    /// The author's attributes, by the names that Khoros configured for the company.
    pub(super) attributes: Attributes,
    /// How registrations are written.
    pub(super) registration: RegistrationForm,
    /// How fast and how often.
    pub(super) timing: Timing,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            hmac: HmacForm::default(),
            incoming: Incoming::default(),
            networks: Networks::default(),
            synchronous: true,
            request_header: "x-amzn-requestid".to_owned(),
            stop_typing: true,
            answer_below_comments: true,
            media_title: false,
            list: ListWords::default(),
            form_comment: "Please fill in this form.".to_owned(),
            attributes: Attributes::default(),
            registration: RegistrationForm::default(),
            timing: Timing::default(),
        }
    }
}

/// How webhooks are signed: nothing of it is proven but that it is an HMAC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct HmacForm {
    /// The header.
    pub(super) header: String,
    /// The hash.
    pub(super) algorithm: Algorithm,
    /// How its bytes are written.
    pub(super) encoding: Encoding,
    /// What stands before them.
    pub(super) prefix: String,
}

impl Default for HmacForm {
    fn default() -> Self {
        Self {
            header: "x-hmac-signature".to_owned(),
            algorithm: Algorithm::Sha256,
            encoding: Encoding::Base64,
            prefix: String::new(),
        }
    }
}

/// The hash of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// As the setting spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    Hex,
    /// Of either alphabet, with or without padding.
    Base64,
}

impl Encoding {
    pub(super) const ALL: [Self; 2] = [Self::Hex, Self::Base64];

    /// As the setting spells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

/// What an event says where: JSON pointers, from the object that is named on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Incoming {
    /// In `list`: the sections of an answer to a list picker.
    pub(super) list_sections: String,
    /// In a section: what was chosen.
    pub(super) list_choices: String,
    /// In what was chosen: its id and its label.
    pub(super) list_id: String,
    pub(super) list_label: String,
    /// In `location`: stated are both numbers in `geoDSL`, latitude first.
    pub(super) latitude: String,
    pub(super) longitude: String,
    /// In an event of an agent's answer: who it was.
    pub(super) agent: String,
    /// Which events of an answer are the bot's own come back, while the bot owns the
    /// conversation.
    pub(super) echoes: Echoes,
    /// A message whose author is the brand's own page or account is no person's.
    pub(super) page_is_no_person: bool,
    /// `coordinate.botId` is the `appId` of the registration, as the page on events says: a
    /// webhook for another one is kept and not handled.
    pub(super) bot_is_app: bool,
    /// An agent who answers the person in public while the bot has the conversation gets it,
    /// as the only other client that we know does it.
    pub(super) agents_take_over: bool,
}

impl Default for Incoming {
    fn default() -> Self {
        Self {
            list_sections: "/sections".to_owned(),
            list_choices: "/choices".to_owned(),
            list_id: "/id".to_owned(),
            list_label: "/message/title".to_owned(),
            latitude: "/geoDSL/0".to_owned(),
            longitude: "/geoDSL/1".to_owned(),
            agent: "/agent/fullName".to_owned(),
            echoes: Echoes::Private,
            page_is_no_person: true,
            bot_is_app: true,
            agents_take_over: true,
        }
    }
}

/// Events of an answer that are nobody's but the bot's, while it owns the conversation.
/// No page says whether Khoros tells a bot of its own answers. An agent takes a private
/// conversation before they answer; a public one, a client's code shows, they answer
/// while the bot owns it. While an agent owns it, every answer is a human's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Echoes {
    /// None, but those whose author is the bot or the brand's page.
    None,
    /// Those of private conversations besides.
    Private,
    /// All of them.
    All,
}

/// Networks by their `networkKey`, and what each can do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Networks {
    /// That Brand Messenger, Facebook, Google Business Messages and Apple have it is
    /// stated; the keys are stated for none but Apple, Facebook and Brand Messenger.
    pub(super) typing: Vec<String>,
    /// List pickers: stated for Apple alone.
    pub(super) lists: Vec<String>,
    /// Buttons that come back. No page says where they show.
    pub(super) buttons: Vec<String>,
    /// Secure forms: stated for Khoros' own messenger alone.
    pub(super) forms: Vec<String>,
    /// Comments below comments: stated for Facebook alone.
    pub(super) sub_comments: Vec<String>,
    /// Characters of a text, where not as in the profile.
    pub(super) text_characters: BTreeMap<String, NonZeroUsize>,
}

impl Default for Networks {
    fn default() -> Self {
        let named = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            typing: named(&["apple", "brandmessenger", "facebook", "gbm", "smooch"]),
            lists: named(&["apple"]),
            buttons: named(&["brandmessenger", "facebook", "smooch"]),
            forms: named(&["brandmessenger", "smooch"]),
            sub_comments: named(&["facebook"]),
            text_characters: BTreeMap::new(),
        }
    }
}

/// What stands in list pickers besides what the bot wrote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ListWords {
    /// `LARGE`, `SMALL` or `ICON`.
    pub(super) request_style: String,
    pub(super) response_style: String,
    /// What the person's answer is headed; where empty, as the question.
    pub(super) response_title: String,
    pub(super) response_subtitle: String,
    /// The picture of a choice stands in a list, as the one beside a text does: that it may
    /// have one is documented, and the form is not.
    pub(super) picture_in_list: bool,
}

impl Default for ListWords {
    fn default() -> Self {
        Self {
            request_style: "SMALL".to_owned(),
            response_style: "SMALL".to_owned(),
            response_title: String::new(),
            response_subtitle: String::new(),
            picture_in_list: false,
        }
    }
}

/// How the author's attributes are written. That there is such a call is stated; its
/// body was not seen, so all of it is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Attributes {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) mobile_number: String,
    pub(super) external_customer_id: String,
    /// The `type` of the body; absent where this is empty.
    pub(super) kind: String,
    /// In the body: where the attributes stand, a JSON pointer.
    pub(super) place: String,
    /// Each value is a list of texts, not a text.
    pub(super) lists: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            name: "name".to_owned(),
            email: "email".to_owned(),
            mobile_number: "phone".to_owned(),
            external_customer_id: "customerid".to_owned(),
            kind: "author_attributes".to_owned(),
            place: "/payload/attributes".to_owned(),
            lists: true,
        }
    }
}

/// How registrations are written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RegistrationForm {
    /// `PUT` registers or updates, so it can be repeated.
    pub(super) method: Method,
    /// The mode that a registration of a channel that is live begins with. Where it is
    /// not `LIVE`, the bot goes live right after it. Beginning with `MAINTENANCE` hands all conversations of a
    /// bot that is live already over to agents.
    pub(super) mode: String,
}

impl Default for RegistrationForm {
    fn default() -> Self {
        Self { method: Method::Put, mode: "LIVE".to_owned() }
    }
}

/// The method of registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Post,
    Put,
}

/// How fast and how often.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Timing {
    /// At most so many calls with one token in the window; absent where none is stated, as
    /// for this API. The only other client that we know keeps to 2 a second.
    pub(super) rate_calls: Option<NonZeroUsize>,
    /// The window.
    pub(super) rate_window_ms: Millis,
    /// Where a conversation does not exist yet, the call is made again after so long,
    /// and so often in all: stated for the API's version 2.
    pub(super) early_wait_ms: Millis,
    pub(super) early_tries: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            rate_calls: None,
            rate_window_ms: SECOND,
            early_wait_ms: 10 * SECOND,
            early_tries: 6,
        }
    }
}
