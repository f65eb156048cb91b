//! Bots and channels that are stopped for a while, by their tenant or an operator.

use botyard_kernel::access::Scope;
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
    /// There is no such bot or channel, the reason is too long, or the operator has given
    /// another one.
    pub async fn pause(
        &self,
        subject: &Subject,
        reason: Option<String>,
        by: Scope,
        stamp: &Stamp,
    ) -> Change<Pause> {
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
            let what = format!("a reason has at most {REASON_CHARS_MAX} characters");
            return Err(ChangeError::TooMany(what));
        }
        // Nobody takes it away meanwhile.
        let _turn = self.change(&subject.tenant).await;
        self.there(subject).await?;
        let says = |held: &Pause| reason.is_some() && reason != held.reason;
        if let Some(held) = self.held(subject, by).filter(says) {
            return Err(paused_by_operator(subject, &held));
        }
        Ok(self.work.pause(subject, reason, by, stamp).await?)
    }

    /// Ends a pause; what waited goes on. `false` where there was none.
    ///
    /// # Errors
    /// There is no such bot or channel, and nothing of this name is paused; or the operator
    /// has paused it.
    pub async fn resume(&self, subject: &Subject, by: Scope, stamp: &Stamp) -> Change<bool> {
        let _turn = self.change(&subject.tenant).await;
        if let Some(held) = self.held(subject, by) {
            return Err(paused_by_operator(subject, &held));
        }
        // A channel may have been taken away in its pause.
        let ended = self.work.resume(subject, stamp).await?;
        if !ended {
            self.there(subject).await?;
        }
        Ok(ended)
    }

    /// The operator's pause that holds for whoever is not the operator.
    fn held(&self, subject: &Subject, by: Scope) -> Option<Pause> {
        self.work.pause_of(subject).filter(|pause| pause.by_operator && by < Scope::Operator)
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

fn paused_by_operator(subject: &Subject, held: &Pause) -> ChangeError {
    let why = held.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let what = subject.what.name();
    let told = format!(
        "the operator of the host has paused this {what}{why}, and nobody else ends or changes \
         that: ask them"
    );
    ChangeError::PausedByOperator(told)
}
