//! Bots and channels that are stopped for a while, by their tenant or an operator.

use botyard_store::Stamp;

use super::records::kind;
use super::{Change, ChangeError, Tenancy};
use crate::work::{Pausable, Pause, Subject};

/// At most so many characters of a reason: it stands in each answer about the object.
const REASON_CHARS_MAX: usize = 500;

impl Tenancy {
    /// Pauses a bot or a channel, also one of the settings file: a pause is no setting.
    /// Answers the pause that holds.
    ///
    /// # Errors
    /// There is no such bot or channel, or the reason is too long.
    pub async fn pause(
        &self,
        subject: &Subject,
        reason: Option<String>,
        stamp: &Stamp,
    ) -> Change<Pause> {
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
            let what = format!("a reason has at most {REASON_CHARS_MAX} characters");
            return Err(ChangeError::TooMany(what));
        }
        // Nobody takes it away meanwhile.
        let _turn = self.change(&subject.tenant).await;
        self.there(subject).await?;
        Ok(self.work.pause(subject, reason, stamp).await?)
    }

    /// Ends a pause; what waited goes on. `false` where there was none.
    ///
    /// # Errors
    /// There is no such bot or channel, and nothing of this name is paused.
    pub async fn resume(&self, subject: &Subject, stamp: &Stamp) -> Change<bool> {
        let _turn = self.change(&subject.tenant).await;
        // A channel may have been taken away in its pause.
        let ended = self.work.resume(subject, stamp).await?;
        if !ended {
            self.there(subject).await?;
        }
        Ok(ended)
    }

    async fn there(&self, subject: &Subject) -> Change<()> {
        let kind = match subject.what {
            Pausable::Bot => kind::BOT,
            Pausable::Channel => kind::CHANNEL,
        };
        let found = self.store(&subject.tenant).get(kind, &subject.name).await?;
        found.map(drop).ok_or(ChangeError::NotFound)
    }
}
