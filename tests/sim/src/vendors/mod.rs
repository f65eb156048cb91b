//! Vendors as a run plays them, each at its own end of a channel: what they post, what
//! they take, and how they answer, by rules that are written down here and not read
//! from our profiles.

mod batch;
mod instabot;
mod khoros;
mod lexer;
mod messenger;
mod myalice;
mod userlike;

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::log::Row;
use botyard_kernel::plan::{Reach, reach};
use botyard_kernel::time::Millis;
use botyard_vendors::{Call, Vendor};
use bytes::Bytes;
use http::HeaderMap;

use crate::desk::Desk;
use crate::external;
use crate::webhook::Saying;

/// A vendor at its end of a channel.
pub(crate) trait Line {
    /// The host's end, made of settings as a server makes it.
    fn vendor(&self) -> Arc<dyn Vendor>;

    /// What is unlike other vendors, as data.
    fn manner(&self) -> &'static Manner;

    /// What it calls the conversation of this number.
    fn key(&self, number: usize) -> String;

    /// Writes a webhook down.
    fn post(&self, said: &Said<'_>) -> Posted;

    /// Whether somebody can say this now.
    fn can_say(&self, saying: Saying, desk: &Desk) -> bool {
        let _ = (saying, desk);
        true
    }

    /// The same start again begins another conversation.
    fn starts_anew(&self) -> bool {
        false
    }

    /// What stands in the way of a call before anything is done about it.
    fn objects(&self, came: &Came<'_>, desk: &Desk) -> Option<Trouble> {
        let _ = (came, desk);
        None
    }

    /// Takes what came in: it must be what these rows say, and as the vendor wants it.
    ///
    /// # Panics
    /// When it is not.
    fn take(&self, came: &Came<'_>, desk: &mut Desk);

    /// Its answer to a call that it took: status and body.
    fn thanks(&self, rows: &[Row]) -> (u16, String) {
        let _ = rows;
        (200, String::new())
    }

    /// Its answer to a call that it did not take.
    fn complains(&self, trouble: Trouble) -> (u16, String) {
        let status = match trouble {
            Trouble::TooMany => 429,
            Trouble::NotNow => 503,
            Trouble::Broken => 500,
            Trouble::Refused => 400,
            Trouble::Gone => 410,
            Trouble::NotOwner => 403,
            Trouble::Early => 404,
            Trouble::Conflict => 409,
            Trouble::Unfetched | Trouble::Late => 400,
        };
        (status, String::new())
    }

    /// A trouble that no other vendor has with such a call.
    fn own_trouble(&self, rows: &[Row], chance: &mut Chance) -> Option<Trouble> {
        let _ = (rows, chance);
        None
    }

    /// It may say that a conversation is over.
    fn tells_gone(&self) -> bool {
        false
    }

    /// Hears that an event was taken, or of what followed from a delivery: what `token`
    /// stands for must be what the call says.
    ///
    /// # Panics
    /// When it is not, or when the vendor wants to hear of nothing.
    fn hear(&self, token: &str, call: &Call) {
        panic!("{token} was told to who does not want to hear of it: {call:?}");
    }

    /// Its answer to that.
    fn nods(&self) -> (u16, String) {
        (200, String::new())
    }

    /// Its answer where it did not hear.
    fn shakes_head(&self) -> (u16, String) {
        self.complains(Trouble::Broken)
    }

    /// By what it must hear of this part of a webhook, if the bot takes it.
    fn awaits(&self, saying: Saying, number: usize, part: usize) -> Option<String> {
        let _ = (saying, number, part);
        None
    }

    /// What a token says was taken, as [`Line::awaits`] has it.
    fn taken_of(&self, token: &str) -> Option<String> {
        let _ = token;
        None
    }

    /// It must hear that this was delivered.
    fn awaits_echo(&self, row: &Row) -> bool {
        let _ = row;
        false
    }

    /// How often it refuses to hear of something before nobody needs to try again.
    fn refusals_max(&self) -> u32 {
        5
    }

    /// What comes late waits until the person asks again, for so long.
    fn waits_for_person(&self, desk: &Desk) -> Option<Millis> {
        let _ = desk;
        None
    }

    /// The part whose delivery this tells of, where it says so.
    fn echo_of(&self, token: &str) -> Option<String> {
        let _ = token;
        None
    }

    /// Done twice it is as if done once: so it may come again, and nobody says so.
    fn is_repeatable(&self, row: &Row) -> bool {
        let _ = row;
        false
    }

    /// An answer carries one action, which overtakes what waits before it.
    fn one_rides(&self) -> bool {
        false
    }

    /// Of a hundred answers so many more than those of others are not handed over whole.
    fn loses(&self) -> u64 {
        0
    }

    /// Bots show menus to its persons.
    fn shows_menus(&self) -> bool {
        false
    }

    /// What has a place in the answer to whatever is posted to this path, and nowhere else:
    /// the canonical name of the action.
    fn has_place_for(&self, rest: &str) -> Option<&'static str> {
        let _ = rest;
        None
    }

    /// Whoever does not have a conversation is refused: no other than the vendor can give
    /// it back.
    fn keeps_out(&self) -> bool {
        false
    }

    /// So many calls of one conversation it takes in the time.
    fn rate(&self) -> Option<(usize, Millis)> {
        None
    }
}

/// What is unlike other vendors.
pub(crate) struct Manner {
    /// What a conversation begins with.
    pub(crate) opening: Saying,
    /// What else is said, and how often.
    pub(crate) sayings: &'static [(u64, Saying)],
    /// What lets the bot hear what was said while it did not have the conversation.
    pub(crate) gives_back: Saying,
    /// Events have ids, so that the vendor may repeat a webhook at any time, and the
    /// host needs no more of what waits than it can read at once.
    pub(crate) has_ids: bool,
    /// One webhook tells of several conversations.
    pub(crate) batches: bool,
}

/// Something that is said, for its vendor to write down.
pub(crate) struct Said<'a> {
    /// The number of the webhook.
    pub(crate) number: usize,
    pub(crate) saying: Saying,
    /// Of whom each of its events is.
    pub(crate) of: Vec<Whose<'a>>,
    /// The vendor's clock.
    pub(crate) at_ms: Millis,
}

/// A conversation as its vendor knows it.
pub(crate) struct Whose<'a> {
    /// Its number.
    pub(crate) number: usize,
    pub(crate) key: &'a str,
    pub(crate) desk: &'a Desk,
}

impl Said<'_> {
    /// Words that are said only once.
    pub(crate) fn words(&self, part: usize) -> String {
        format!("words {}.{part}", self.number)
    }

    /// What whoever posts this takes for the secret.
    pub(crate) fn secret<'a>(&self, secret: &'a str) -> &'a str {
        if self.saying == Saying::Forged { "a guess" } else { secret }
    }
}

/// A webhook as it is posted.
#[derive(Clone)]
pub(crate) struct Posted {
    /// What follows the channel's name in the URL.
    pub(crate) rest: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Posted {
    /// One without a path of its own, with one header.
    pub(crate) fn with(name: &'static str, value: &str, body: impl ToString) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("these are values of headers"));
        Self { rest: "", headers, body: Bytes::from(body.to_string()) }
    }
}

/// Something that came in at the vendor.
pub(crate) struct Came<'a> {
    pub(crate) way: Way<'a>,
    /// What it shall bring.
    pub(crate) rows: &'a [Row],
    /// The conversation.
    pub(crate) key: &'a str,
    /// When it left.
    pub(crate) left_ms: Millis,
    /// When it came in, by the vendor's clock.
    pub(crate) at_ms: Millis,
}

/// How it came in.
#[derive(Clone, Copy)]
pub(crate) enum Way<'a> {
    /// In the answer of a webhook.
    Answer {
        /// To which path that was posted.
        rest: &'a str,
        body: &'a [u8],
        /// What comes later was not waited for.
        late: bool,
    },
    Call(&'a Call),
}

impl<'a> Came<'a> {
    /// Whether the person would notice something of it.
    pub(crate) fn speaks(&self) -> bool {
        self.rows.iter().any(|row| reach(&row.action) == Reach::Person)
    }

    /// The bytes.
    pub(crate) fn body(&self) -> &'a [u8] {
        match self.way {
            Way::Answer { body, .. } => body,
            Way::Call(call) => &call.body,
        }
    }

    /// The one row of a call, for vendors that read no answers and take one action a
    /// call; nothing where an answer came, which must bring nothing.
    pub(crate) fn row_of_call(&self) -> Option<(&'a Row, &'a Call)> {
        match (self.way, self.rows) {
            (Way::Call(call), [row]) => Some((row, call)),
            (Way::Answer { .. }, []) => None,
            (Way::Call(_), rows) => panic!("{} actions in one call", rows.len()),
            (Way::Answer { .. }, _) => panic!("actions in an answer that nobody reads"),
        }
    }
}

/// What may be wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    TooMany,
    /// Turned away before anybody looked at it.
    NotNow,
    /// The vendor broke down over it, and may have acted.
    Broken,
    Refused,
    /// The conversation is over.
    Gone,
    /// Somebody else has the conversation.
    NotOwner,
    /// The conversation does not exist at the vendor's desk yet.
    Early,
    /// Somebody else is at it.
    Conflict,
    /// A file could not be fetched from its address.
    Unfetched,
    /// The person's last word is too long ago.
    Late,
}

/// Makes the vendor of a channel by chance.
type Draw = fn(u64, &mut Chance) -> Box<dyn Line>;

/// How often each vendor has a channel.
const DRAWN: &[(u64, (&str, Draw))] = &[
    (25, ("userlike", userlike::draw)),
    (15, ("batch", batch::draw)),
    (15, ("khoros", khoros::draw)),
    (12, ("messenger", messenger::draw)),
    (12, ("lexer", lexer::draw)),
    (11, ("myalice", myalice::draw)),
    (10, ("instabot", instabot::draw)),
];

/// The names of all vendors, and of whoever stands for external bots.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DRAWN.iter().map(|(_, (name, _))| *name).chain([external::NAME])
}

/// The vendor of the channel of this number: the one that is asked for, or any.
pub(crate) fn draw(number: u64, only: Option<&str>, chance: &mut Chance) -> Box<dyn Line> {
    let (_, any) = weighed(DRAWN, chance);
    let asked_for = DRAWN.iter().find(|(_, (name, _))| only == Some(*name));
    let draw = asked_for.map_or(any, |(_, (_, draw))| *draw);
    draw(number, chance)
}

/// One of these by chance, each so often as it weighs.
pub(crate) fn weighed<T: Copy>(choices: &[(u64, T)], chance: &mut Chance) -> T {
    let mut at = chance.below(choices.iter().map(|(weight, _)| weight).sum());
    for (weight, choice) in choices {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return *choice,
        }
    }
    unreachable!("chance stays below the sum")
}
