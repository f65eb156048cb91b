//! Chat vendors: bytes to kernel values and back.
//!
//! Nothing here does IO, reads a clock or rolls dice. A vendor is one folder with
//! the same file names as every other: `mod` `verify` `receive` `acknowledge`
//! `render` `outcome` `upkeep` `profile` (and `dialect`, for what the evidence does
//! not prove); a file that a vendor has no use for is absent.

use std::fmt;
use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::id::{Digest, PartId};
use botyard_kernel::profile::{Delivery, Profile};
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use botyard_kernel::upkeep::{Chores, Ended};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

mod dialects;
pub mod external;
mod fields;
mod inbound;
pub mod instabot;
pub mod khoros;
mod known;
pub mod lexer;
pub mod messenger;
pub mod myalice;
mod paste;
mod profiles;
mod secrets;
pub mod userlike;
mod webhook;
mod written;

pub use dialects::{Described, page as dialects_page, toml as dialect_toml};
pub use inbound::{Damaged, Inbound, Incoming, Person, Received, Rejection};
pub use known::{Connect, Known, SamplePlace, SettingsError, VENDORS, connect, known};
pub use paste::Paste;
pub use profiles::{DOCUMENT, PICTURE, page as profiles_page, samples, usual_medium};

/// A channel of a vendor, with its secrets and its dialect.
pub trait Vendor: Send + Sync + fmt::Debug {
    /// The vendor's name.
    fn name(&self) -> &'static str;

    /// What a medium can carry; mediums that nobody told us of get the least.
    fn profile(&self, medium: &str) -> Profile;

    /// How deliveries are taken.
    fn delivery(&self) -> Delivery;

    /// Names the account whose token calls show, without telling the token. Channels
    /// with the same account share what the vendor allows it; absent where the vendor
    /// counts for each channel, or for each conversation.
    fn account(&self) -> Option<Digest> {
        None
    }

    /// The vendor says with every event who has the conversation, so that nobody else
    /// can take it: its agents answer in its own desk.
    fn states_owner(&self) -> bool {
        false
    }

    /// The names under which webhooks show secrets, in their bodies or in their queries:
    /// what stands there is never shown to anybody. Headers and the words of a path are
    /// not among them: those are secret whatever they are called.
    fn secret_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Why a bot to which only the host gives the conversation back is heard by nobody;
    /// absent where it is heard, or may be.
    fn returns_in_vain(&self) -> Option<&'static str> {
        None
    }

    /// What the vendor has to do, or to be told, before it hears a bot to which the host gives
    /// the conversation back; absent where there is nothing.
    fn takes_back(&self) -> Option<Action> {
        None
    }

    /// Whether a webhook comes from the vendor, by its raw bytes.
    ///
    /// # Errors
    /// It does not, or nobody knows.
    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection>;

    /// Reads a webhook that was verified.
    fn read(&self, request: &Inbound<'_>, now: Millis) -> Received;

    /// Verifies a webhook and reads it.
    fn receive(&self, request: &Inbound<'_>, now: Millis) -> Received {
        self.verify(request).map_or_else(Received::Rejected, |()| self.read(request, now))
    }

    /// The answer of a webhook, with the parts that ride in it. No parts give
    /// the vendor's empty answer. Takes only what [`Profile::carries`] and
    /// `passthrough` of this vendor.
    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply;

    /// Which actions may ride in an answer of this form, by their canonical names,
    /// where an answer takes only one of them; absent where it takes a list of what
    /// [`Profile::carries`]. They may be more than calls can carry, or less.
    /// `contact_update`, where it is among them, rides beside the one, so often as it
    /// comes. With them stand the names that [`botyard_kernel::degrade`] gives to what is
    /// carried of them. A form that no request has takes none.
    fn rides(&self, form: &str) -> Option<&'static [&'static str]> {
        let _ = form;
        None
    }

    /// Mediums on which a tap that comes late, a second one or one on an older menu,
    /// arrives as a message with the label.
    fn late_taps(&self) -> &'static [&'static str] {
        &[]
    }

    /// The answer of a webhook that is refused, where whoever calls reads its body.
    /// Absent where a line of text does.
    fn refusal(&self, rejection: &Rejection) -> Option<Reply> {
        let _ = rejection;
        None
    }

    /// The answer to [`Received::Asked`]: what is known of the person with this address,
    /// who may never have been here. Absent where the vendor's clients ask no such thing.
    fn person(&self, email: &str, known: Option<&Person>) -> Option<Reply> {
        let _ = (email, known);
        None
    }

    /// The call that delivers these parts: several only where the vendor takes lists.
    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call;

    /// The same call as it leaves at `now`, where a vendor wants to know in which time
    /// after the person's last word something is said.
    fn call_at(&self, to: &To<'_>, parts: &[Part<'_>], now: Millis) -> Call {
        let _ = now;
        self.call(to, parts)
    }

    /// The call that tells the vendor that an event was taken, or what follows from a
    /// delivery; the token is what [`Incoming::acknowledge`] or
    /// [`Outcome::Delivered`] said. Absent where the vendor wants none.
    fn acknowledge(&self, to: &To<'_>, token: &str) -> Option<Call> {
        let _ = (to, token);
        None
    }

    /// What the channel needs besides its conversations: tokens, a registration, a
    /// look at its health. Absent where the vendor wants none of it.
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        None
    }

    /// Whether an answer says "too many calls": whom it means by that,
    /// [`Delivery::limited`] tells.
    fn says_too_many(&self, status: StatusCode, body: &[u8]) -> bool {
        let _ = body;
        status == StatusCode::TOO_MANY_REQUESTS
    }

    /// What an answer to such a call means.
    fn outcome(&self, answer: &CallAnswer) -> Outcome;

    /// What an answer to the call of [`Vendor::acknowledge`] for this token means.
    fn outcome_of(&self, token: &str, answer: &CallAnswer) -> Outcome {
        let _ = token;
        self.outcome(answer)
    }

    /// What an answer to the call of these parts means, where a vendor's answers
    /// mean something else for some actions.
    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        let _ = parts;
        self.outcome(answer)
    }

    /// The same for an answer that came at `now`, where what follows from a delivery
    /// names the conversation or the time.
    fn outcome_at(
        &self,
        to: &To<'_>,
        parts: &[Part<'_>],
        answer: &CallAnswer,
        now: Millis,
    ) -> Outcome {
        let _ = (to, now);
        self.outcome_for(parts, answer)
    }
}

/// The upkeep of a channel. Its `state` is what the vendor itself keeps for the
/// channel, in a form of its own and empty at first; nobody else reads it, and it is
/// kept as secrets are.
pub trait Upkeep: Chores + Send + Sync {
    /// The call of a chore.
    fn call(&self, state: &str, chore: &str, now: Millis) -> Call;

    /// What an answer to this call means.
    fn ended(&self, state: &str, chore: &str, answer: &CallAnswer, now: Millis) -> Ended;

    /// Names the credential of this channel that an answer to any call of it refuses, as
    /// [`Chores::without`] takes it; absent where the answer refuses none. It is the name
    /// of the one that the call carried: meanwhile the channel may have another.
    fn refused(&self, answer: &CallAnswer) -> Option<String> {
        let _ = answer;
        None
    }

    /// Since when the vendor has called the channel's bot unwell, by the state; absent
    /// where it is well, or nobody knows.
    fn unwell_since(&self, state: &str) -> Option<Millis> {
        let _ = state;
        None
    }

    /// The same channel with this state.
    fn renewed(&self, state: &str) -> Arc<dyn Vendor>;
}

/// Whom something is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct To<'a> {
    /// The vendor's own key of the conversation; empty where an answer is for nobody,
    /// as nothing has happened.
    pub conversation: &'a str,
    /// The newest [`Incoming::reply_to`] of the conversation.
    pub reply_to: Option<&'a str>,
    /// The newest [`Incoming::desk_id`] of the conversation.
    pub desk_id: Option<&'a str>,
    /// The [`Incoming::form`] of the request that is answered; empty for calls.
    pub form: &'a str,
    /// The answer leaves before what the request brings is known or may ride. Where it
    /// is not late, nothing more comes than rides in it and what waits already.
    pub late: bool,
    /// What the channel tells a person when its bot fails, for an answer that is late
    /// and after which nothing can be said.
    pub failure_text: Option<&'a str>,
}

impl<'a> To<'a> {
    /// A conversation of which no more than the key is needed.
    pub fn conversation(conversation: &'a str) -> Self {
        Self { conversation, ..Self::default() }
    }
}

/// One action to deliver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<'a> {
    /// Its stable id.
    pub id: &'a PartId,
    /// What is to be done.
    pub action: &'a Action,
    /// The bot's context, to be mirrored at vendors that hold one.
    pub context: Option<&'a str>,
}

/// An HTTP answer of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// A call of ours.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: String,
    /// The headers: secrets are among them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What came back of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallAnswer {
    /// The vendor answered.
    Answered {
        /// The status.
        status: StatusCode,
        /// Its `Retry-After` in milliseconds, where there is one.
        retry_after_ms: Option<Millis>,
        /// Its headers.
        headers: HeaderMap,
        /// The body, at most 64 KiB of it.
        body: Bytes,
    },
    /// The call never left: refused by our own rules, not resolved, not connected.
    NotSent(String),
    /// The call left and no whole answer came: the vendor may have acted.
    Lost(String),
}

impl Outcome {
    /// They were taken, and nothing follows from it.
    pub const DELIVERED: Self = Self::Delivered { follow_ups: Vec::new(), asks: None };

    /// They were taken, and these tokens follow from it.
    pub fn delivered(follow_ups: Vec<String>) -> Self {
        Self::Delivered { follow_ups, asks: None }
    }
}

/// What an answer means for the parts of its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They were taken.
    Delivered {
        /// What the vendor is to be told because of that: tokens for
        /// [`Vendor::acknowledge`].
        follow_ups: Vec<String>,
        /// The token of a question whether they were delivered in the end, where they
        /// were only taken: [`Outcome::Fatal`] as its answer says that they were not.
        asks: Option<String>,
    },
    /// They were not, and trying again may help.
    Retry {
        /// Not before this time from now, where the vendor says so.
        after_ms: Option<Millis>,
        /// Whether the vendor may have acted all the same.
        ambiguous: bool,
        /// Why, for who must act.
        reason: String,
        /// Who must act if it goes on.
        blame: Blame,
        /// So many attempts at these parts are enough, this one included, where
        /// what stands in the way is one of them and not the vendor: what waits
        /// behind shall not wait until they are too old.
        tries_max: Option<u32>,
    },
    /// They were not and never will be.
    Fatal {
        /// Why, for who must act.
        reason: String,
        /// Who must act.
        blame: Blame,
    },
    /// They were not, as somebody else has the conversation: an agent, or another bot.
    Taken(String),
    /// The conversation is gone at the vendor: nothing more can be said in it.
    Gone(String),
}
