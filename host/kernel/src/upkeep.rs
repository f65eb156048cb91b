//! What a channel needs besides its conversations: tokens, a registration, a look
//! at its health. One machine for each channel on each host.
//!
//! What was done is kept in the store. A call leaves only after its host has
//! written there that it is under way, over exactly what it had read: so there is
//! one call at a time, across hosts, and what a host does not live to tell is done
//! again when its time is over. Of several chores the one that is due longest goes
//! first, and one that failed steps aside for the others until it is tried again. The
//! machine does nothing itself: [`Upkeep::on`] says what is to be done.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::destination::Admission;
use crate::id::Digest;
use crate::retry;
use crate::time::{HOUR, MINUTE, Millis};

/// The call of a chore and the writing of what came of it have so long; then another
/// host may make it again.
pub const CALL_MAX_MS: Millis = MINUTE;
/// A call is announced for so long, because the writing of that takes time, too.
const ANNOUNCED_MS: Millis = 2 * CALL_MAX_MS;
/// A chore that cannot succeed by itself is tried again after so long: somebody may
/// have mended what stood in its way.
pub const HOPELESS_MS: Millis = HOUR;
/// A host looks so often at what others have done, whatever is due here.
pub const LOOK_MS: Millis = 5 * MINUTE;

/// A channel's upkeep as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What the vendor keeps for the channel, in its own form; empty at first.
    /// Secrets may be in it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// A call is under way, until then at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under_way_until_ms: Option<Millis>,
    /// Chores that were tried in vain, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, Failed>,
}

/// A chore that was tried in vain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// So often.
    #[serde(default)]
    pub tries: u32,
    /// The pause after the last try.
    #[serde(default)]
    pub wait_ms: Millis,
    /// No further one before this.
    #[serde(default)]
    pub next_ms: Millis,
}

/// Something that is to be done for a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chore {
    /// Its name, one of the vendor's own closed set.
    pub name: &'static str,
    /// When.
    pub due_ms: Millis,
}

/// What a vendor wants done next, as far as its state tells.
pub trait Chores {
    /// What is to be done, of what is due at once the more urgent first; nothing where
    /// there is nothing until the state changes.
    fn wanted(&self, state: &str) -> Vec<Chore>;

    /// The state that knows that the vendor has refused a credential, by the vendor's
    /// own name for it; absent where the state holds another one by now, or knows it
    /// already, or nothing would follow from it.
    fn without(&self, state: &str, refused: &str, now: Millis) -> Option<String> {
        let _ = (state, refused, now);
        None
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The end of [`Effect::Read`].
    Read(Kept),
    /// The store did not answer, or took nothing.
    StoreFailed,
    /// The end of [`Effect::Write`]: it stands in the store.
    Written,
    /// Another end of it: somebody else wrote first, and nothing was written.
    Outrun,
    /// The end of [`Effect::Ask`].
    Admitted(Admission),
    /// The end of [`Effect::Call`].
    Called(Ended),
    /// A call of a conversation was refused for this credential; see
    /// [`Chores::without`].
    Refused(String),
    /// Time has passed.
    Wake,
}

/// How the call of a chore ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is done: this is the vendor's new state.
    Done(String),
    /// It was not, and trying again may help.
    Retry {
        /// Not before so long from now.
        after_ms: Option<Millis>,
        /// Why.
        reason: String,
    },
    /// It was not, and somebody must act.
    Hopeless(String),
    /// As [`Ended::Hopeless`], where the vendor's new state says when it is tried again:
    /// for one of several things that the chore is about, while the others go on, or
    /// because of what was found out.
    PutOff {
        /// The vendor's new state.
        state: String,
        /// Why.
        reason: String,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read what is kept.
    Read,
    /// Write this, if what stands there is what was read or written last.
    Write(Kept),
    /// The vendor's state is this from now on.
    Use(String),
    /// Ask the vendor's destination whether a call may leave now.
    Ask {
        /// The time that an earlier answer kept a place for.
        ticket: Option<Millis>,
    },
    /// Make the call of a chore.
    Call {
        /// The vendor's state.
        state: String,
        /// Which.
        chore: &'static str,
    },
    /// Tell the operator: a chore was not done.
    Failed {
        /// Which.
        chore: &'static str,
        /// Why.
        reason: String,
        /// Tries so far.
        tries: u32,
        /// When it is tried again.
        next_ms: Millis,
        /// It cannot succeed unless somebody acts.
        hopeless: bool,
    },
}

/// The machine of one channel on one host.
#[derive(Debug)]
pub struct Upkeep {
    /// Differs between channels and hosts, so that they do not try in step.
    chance: Digest,
    kept: Kept,
    used: Option<String>,
    stage: Stage,
    read_ms: Millis,
    held_until_ms: Millis,
    ticket: Option<Millis>,
    /// A credential that was refused and of which the store is not told yet.
    refused: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is known of what is kept; it is read again at this time.
    Unknown(Millis),
    Reading,
    /// It is known, and nothing is under way here.
    Idle,
    Asking(&'static str),
    /// That this chore is under way is being written.
    Claiming(&'static str),
    Calling(&'static str),
    /// What came of a call is being written.
    Writing,
    /// It could not be, as far as this host knows. Nobody else has what the vendor
    /// gave, so it is written again at this time and not read anew.
    Unwritten(Millis),
}

impl Upkeep {
    /// A machine that knows nothing yet; wake it.
    pub fn new(chance: Digest) -> Self {
        Self {
            chance,
            kept: Kept::default(),
            used: None,
            stage: Stage::Unknown(0),
            read_ms: 0,
            held_until_ms: 0,
            ticket: None,
            refused: None,
        }
    }

    /// Takes what happened and says what is to be done, in this order.
    pub fn on(&mut self, input: Input, chores: &dyn Chores, now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        match (input, &self.stage) {
            (Input::Read(kept), Stage::Reading) => {
                self.read_ms = now;
                self.settle(kept, &mut effects);
            }
            (Input::StoreFailed, Stage::Reading | Stage::Claiming(_)) => {
                // A write may stand all the same.
                self.stage = Stage::Unknown(self.soon(now));
            }
            (Input::StoreFailed, Stage::Writing) => {
                self.employ(&mut effects);
                self.stage = Stage::Unwritten(self.soon(now));
            }
            (Input::Outrun, Stage::Claiming(_) | Stage::Writing) => {
                self.stage = Stage::Unknown(now)
            }
            (Input::Written, Stage::Claiming(chore)) => {
                let chore = *chore;
                let until_ms = self.kept.under_way_until_ms.unwrap_or(0);
                if now.saturating_add(CALL_MAX_MS) <= until_ms {
                    let state = self.kept.state.clone();
                    effects.push(Effect::Call { state, chore });
                    self.stage = Stage::Calling(chore);
                } else {
                    self.claim(chore, now, &mut effects);
                }
            }
            (Input::Written, Stage::Writing) => {
                let kept = self.kept.clone();
                self.settle(kept, &mut effects);
            }
            (Input::Admitted(admission), Stage::Asking(chore)) => {
                let chore = *chore;
                self.on_admitted(admission, chore, now, &mut effects);
            }
            (Input::Called(ended), Stage::Calling(chore)) => {
                let chore = *chore;
                self.on_called(ended, chore, chores, now, &mut effects);
            }
            (Input::Refused(credential), _) => self.refused = Some(credential),
            // Of what is no longer waited for, nothing is to be learned.
            (
                Input::Read(_)
                | Input::StoreFailed
                | Input::Outrun
                | Input::Written
                | Input::Admitted(_)
                | Input::Called(_)
                | Input::Wake,
                _,
            ) => {}
        }
        self.advance(chores, now, &mut effects);
        effects
    }

    /// When [`Upkeep::on`] next has something to do by itself.
    pub fn wake_at(&self, chores: &dyn Chores) -> Option<Millis> {
        match &self.stage {
            Stage::Unknown(at) | Stage::Unwritten(at) => Some(*at),
            Stage::Idle => {
                let look = self.read_ms.saturating_add(LOOK_MS);
                let told = self.refused.as_ref().map(|_| self.free_at());
                let due = self.due(chores).map(|(_, at)| at);
                Some(told.into_iter().chain(due).fold(look, Millis::min))
            }
            Stage::Reading
            | Stage::Asking(_)
            | Stage::Claiming(_)
            | Stage::Calling(_)
            | Stage::Writing => None,
        }
    }

    /// Whether nothing is under way that has to be told to the store.
    pub fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Unknown(_) | Stage::Idle)
    }

    fn on_admitted(
        &mut self,
        admission: Admission,
        chore: &'static str,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        match admission {
            Admission::Go => {
                self.ticket = None;
                self.claim(chore, now, effects);
            }
            Admission::Wait { until_ms, ticket } => {
                self.held_until_ms = until_ms;
                self.ticket = ticket.then_some(until_ms);
                self.stage = Stage::Idle;
            }
        }
    }

    fn claim(&mut self, chore: &'static str, now: Millis, effects: &mut Vec<Effect>) {
        self.kept.under_way_until_ms = Some(now.saturating_add(ANNOUNCED_MS));
        effects.push(Effect::Write(self.kept.clone()));
        self.stage = Stage::Claiming(chore);
    }

    fn on_called(
        &mut self,
        ended: Ended,
        chore: &'static str,
        chores: &dyn Chores,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let chance = self.chance(now);
        let mut failed = |wait_ms: &dyn Fn(Millis) -> Millis, reason, hopeless| {
            let failed = self.kept.failed.entry(chore.to_owned()).or_default();
            failed.tries = failed.tries.saturating_add(1);
            failed.wait_ms = wait_ms(failed.wait_ms);
            failed.next_ms = now.saturating_add(failed.wait_ms);
            let (tries, next_ms) = (failed.tries, failed.next_ms);
            Effect::Failed { chore, reason, tries, next_ms, hopeless }
        };
        match ended {
            Ended::Done(state) => {
                let wanted = chores.wanted(&state);
                self.kept.state = state;
                // Of what nobody wants any more, no failure is worth knowing.
                let stays = |name: &str| wanted.iter().any(|it| it.name == name);
                self.kept.failed.retain(|name, _| name != chore && stays(name));
            }
            Ended::Retry { after_ms, reason } => {
                let wait_ms = |before| retry::wait(before, after_ms, chance);
                effects.push(failed(&wait_ms, reason, false));
            }
            Ended::Hopeless(reason) => effects.push(failed(&|_| HOPELESS_MS, reason, true)),
            Ended::PutOff { state, reason } => {
                self.kept.state = state;
                self.kept.failed.remove(chore);
                let next_ms = now.saturating_add(HOPELESS_MS);
                effects.push(Effect::Failed { chore, reason, tries: 1, next_ms, hopeless: true });
            }
        }
        self.kept.under_way_until_ms = None;
        effects.push(Effect::Write(self.kept.clone()));
        self.stage = Stage::Writing;
    }

    /// This is what is kept, for sure.
    fn settle(&mut self, kept: Kept, effects: &mut Vec<Effect>) {
        self.kept = kept;
        self.employ(effects);
        self.stage = Stage::Idle;
    }

    fn employ(&mut self, effects: &mut Vec<Effect>) {
        if self.used.as_ref() != Some(&self.kept.state) {
            effects.push(Effect::Use(self.kept.state.clone()));
            self.used = Some(self.kept.state.clone());
        }
    }

    fn advance(&mut self, chores: &dyn Chores, now: Millis, effects: &mut Vec<Effect>) {
        let read = match &self.stage {
            Stage::Unknown(at) => now >= *at,
            Stage::Unwritten(at) => {
                if now >= *at {
                    effects.push(Effect::Write(self.kept.clone()));
                    self.stage = Stage::Writing;
                }
                false
            }
            Stage::Idle => {
                if self.tells_refused(chores, now, effects) {
                    return;
                }
                if let Some((chore, at)) = self.due(chores)
                    && now >= at
                {
                    effects.push(Effect::Ask { ticket: self.ticket });
                    self.stage = Stage::Asking(chore);
                    return;
                }
                now >= self.read_ms.saturating_add(LOOK_MS)
            }
            Stage::Reading
            | Stage::Asking(_)
            | Stage::Claiming(_)
            | Stage::Calling(_)
            | Stage::Writing => false,
        };
        if read {
            effects.push(Effect::Read);
            self.stage = Stage::Reading;
        }
    }

    /// Tells the store that a credential was refused, where that is news: then a chore
    /// follows from it. What a call of another host brings must not be overwritten, so
    /// it waits for that.
    fn tells_refused(
        &mut self,
        chores: &dyn Chores,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let Some(refused) = self.refused.as_ref().filter(|_| now >= self.free_at()) else {
            return false;
        };
        let Some(state) = chores.without(&self.kept.state, refused, now) else {
            self.refused = None;
            return false;
        };
        self.kept.state = state;
        effects.push(Effect::Write(self.kept.clone()));
        self.stage = Stage::Writing;
        true
    }

    /// The next chore and when its call may be made.
    fn due(&self, chores: &dyn Chores) -> Option<(&'static str, Millis)> {
        let at = |chore: &Chore| {
            let next_ms = self.kept.failed.get(chore.name).map_or(0, |failed| failed.next_ms);
            chore.due_ms.max(next_ms)
        };
        // Of equals the first.
        let next = chores.wanted(&self.kept.state).into_iter().min_by_key(at)?;
        let at = at(&next).max(self.free_at()).max(self.held_until_ms);
        Some((next.name, at))
    }

    /// No call of any host is under way from then on.
    fn free_at(&self) -> Millis {
        self.kept.under_way_until_ms.unwrap_or(0)
    }

    /// When the store is tried again.
    fn soon(&self, now: Millis) -> Millis {
        now.saturating_add(retry::wait(0, None, self.chance(now)))
    }

    fn chance(&self, now: Millis) -> u64 {
        Digest::of_parts([self.chance.as_bytes().as_slice(), &now.to_be_bytes()]).chance()
    }
}
