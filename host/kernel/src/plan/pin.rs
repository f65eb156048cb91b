//! The version that a session keeps; see [`crate::deployment`].

use crate::deployment::Pinned;
use crate::event::EventBody;
use crate::id::Digest;
use crate::plan::{Draft, Plan};

impl Plan<'_> {
    /// What the version of the event's run is bound to: the session that it belongs to,
    /// as it was before the event.
    pub fn pinned(&self) -> Option<Pinned> {
        let begins = matches!(self.arrival.event.body, EventBody::Start(_));
        let session = self.session().filter(|_| !begins)?;
        Some(Pinned::Session { version: session.version?, active_ms: session.active_ms })
    }
}

impl Draft<'_> {
    /// The session goes on with the version that ran in it.
    pub(super) fn pin(&mut self, version: Digest) {
        if let Some(session) = &mut self.state.session {
            session.version = Some(version);
        }
    }
}
