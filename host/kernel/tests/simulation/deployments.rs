//! Versions that are deployed, tried, rolled back and withdrawn while a conversation
//! goes on.

use std::collections::BTreeMap;

use botyard_chance::Chance;
use botyard_kernel::deployment::{Deployment, Pinned};
use botyard_kernel::id::{Digest, SessionId};
use botyard_kernel::lane::Input;
use botyard_kernel::log::Outcome;
use botyard_kernel::run::RunOutput;
use botyard_kernel::session::Session;

use crate::World;
use crate::world::key;

/// What is deployed, and what each run got.
pub(crate) struct Deployments {
    /// Of its own, so that the rest of a story stays what it was.
    chance: Chance,
    deployment: Deployment,
    uploads: u64,
    runs: BTreeMap<u64, Digest>,
}

impl Deployments {
    pub(crate) fn new(seed: u64) -> Self {
        let chance = Chance::of(seed, 5);
        let deployment = Deployment::first(Digest::of(b"bot"), 0);
        Self { chance, deployment, uploads: 0, runs: BTreeMap::new() }
    }

    /// Whoever runs the bots changes something; digests never come again.
    fn change(&mut self, now: u64) {
        self.uploads += 1;
        let (next, version) = (&self.deployment, Digest::of(&self.uploads.to_be_bytes()));
        let current = next.current;
        let changed = match self.chance.below(30) {
            0..=2 => next.deploy(version, now),
            3 => next.start_canary(version, 50, now),
            4 => next.promote(now),
            5 => next.roll_back(now),
            6 => next.withdraw(current, now),
            _ => return,
        };
        // What is refused changes nothing.
        self.deployment = changed.unwrap_or_else(|_| self.deployment.clone());
    }
}

impl World {
    /// The version that a run gets.
    pub(crate) fn version(
        &mut self,
        run: u64,
        pinned: Option<Pinned>,
        session: &Session,
    ) -> Digest {
        self.deployments.change(session.now_ms);
        let deployment = &self.deployments.deployment;
        let version = deployment.version_for(pinned, &"bot".into(), &key(), session.now_ms);
        self.tell(|| format!("run {run} has version {} by {pinned:?}", version.short()));
        self.deployments.runs.insert(run, version);
        version
    }

    /// A run has come to something.
    pub(crate) fn ran_to(&self, run: u64, output: RunOutput) -> Input {
        let version = self.deployments.runs[&run];
        Input::Ran { run, output: Box::new(output), version, profile: Box::new(self.profile()) }
    }

    /// A session has one version, unless that was withdrawn.
    pub(crate) fn check_versions(&self) {
        let mut known: BTreeMap<&SessionId, Digest> = BTreeMap::new();
        for (_, turn) in self.log.turns() {
            let Some(session) = &turn.state.session else { continue };
            let Outcome::Ran { version, .. } = &turn.outcome else { continue };
            assert_eq!(session.version, Some(*version), "the session of {} forgets", turn.event);
            if let Some(before) = known.insert(&session.id, *version)
                && before != *version
            {
                let withdrawn = self.deployments.deployment.withdrawn.contains(&before);
                assert!(withdrawn, "the session of {} has another version", turn.event);
            }
        }
    }
}
