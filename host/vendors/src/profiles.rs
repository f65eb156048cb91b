//! What the mediums of all vendors carry, from the file `profile.toml` of each.
//!
//! A file has a table `[[medium]]` for mediums that are alike, the last of them
//! for all that no other names (`names = ["*"]`):
//!
//! - `names`: as the vendor names them.
//! - `native`: the actions that the vendor takes as they are, and the parts of
//!   them that [`botyard_kernel::degrade`] lists.
//! - `[medium.text]` with `limit`: any text of a message.
//! - a table for each action that has limits, by the keys of
//!   [`botyard_kernel::profile::ActionLimits`]: what the medium states of it. A key
//!   that is absent is not limited.
//! - `[medium.settings]`: what bots are told instead of what follows from the rest.
//!
//! A length is `{ max, unit, source, sure }`, with `characters` (Unicode scalar
//! values), `utf16`, `bytes` or `graphemes` as `unit`; a count has no unit. `source`
//! says where it is written, and `sure` is `documented`, `recalled` or `guessed`.

mod page;
mod samples;
mod told;

use std::sync::OnceLock;

use botyard_kernel::profile::{Medium, Mediums, Profile};

use crate::{instabot, khoros, lexer, messenger, myalice, userlike};

pub use page::page;
pub use samples::{DOCUMENT, PICTURE, samples};

/// The files of all vendors.
static FILES: &[&File] = &[
    &userlike::profile::FILE,
    &khoros::profile::FILE,
    &messenger::profile::FILE,
    &lexer::profile::FILE,
    &myalice::profile::FILE,
    &instabot::profile::FILE,
];

/// The medium that people of a vendor write on if nothing else is known: the first that its
/// file names, or the web.
pub fn usual_medium(vendor: &str) -> &'static str {
    let file = FILES.iter().find(|file| file.vendor == vendor);
    let mut names = file.into_iter().flat_map(|file| file.mediums().all()).flat_map(|it| &it.names);
    names.find(|name| *name != "*").map_or("web", String::as_str)
}

/// Forms of answers by their names, each with what a person is shown who gets one.
type Answers = &'static [(&'static str, fn() -> Profile)];

/// What a vendor's mediums carry, read when it is first asked for.
pub(crate) struct File {
    vendor: &'static str,
    text: &'static str,
    usual: fn(&str) -> Profile,
    /// What answers of each form carry besides, where they carry what calls do not.
    answers: Answers,
    read: OnceLock<Mediums>,
}

impl File {
    /// `usual` is what a medium carries for a channel that has set nothing.
    pub(crate) const fn new(
        vendor: &'static str,
        text: &'static str,
        usual: fn(&str) -> Profile,
    ) -> Self {
        Self { vendor, text, usual, answers: &[], read: OnceLock::new() }
    }

    /// The same, of a vendor whose answers have forms: each with its name.
    pub(crate) const fn with_answers(mut self, answers: Answers) -> Self {
        self.answers = answers;
        self
    }

    /// The same mediums for another vendor that rides on them.
    pub(crate) const fn of_vendor(&self, vendor: &'static str, usual: fn(&str) -> Profile) -> Self {
        Self::new(vendor, self.text, usual)
    }

    /// What the file says of a medium.
    pub(crate) fn profile(&self, medium: &str) -> Profile {
        self.changed(medium, |_| ())
    }

    /// What the file says of a medium, as far as the channel knows no better.
    pub(crate) fn changed(&self, medium: &str, change: impl FnOnce(&mut Medium)) -> Profile {
        let mut table = self.mediums().of(medium).clone();
        change(&mut table);
        let settings = told::settings(&table);
        let rides = Vec::new();
        Profile { native: table.native, rides, limits: table.limits, settings }
    }

    fn mediums(&self) -> &Mediums {
        self.read.get_or_init(|| {
            // The text is part of the program, and a test reads every one of them.
            toml::from_str(self.text).expect("the profile of a vendor is well-formed")
        })
    }
}

#[cfg(test)]
mod tests;
