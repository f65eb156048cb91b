//! What strangers do all at once: uploads that must be refused, and bots that break a rule
//! every other time, which no breaker stops.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use botyard_hostile::refused;
use botyard_tests::host::plugin;
use botyard_tests::load::{Offer, Outcome};
use clap::ValueEnum;
use tokio::task::JoinSet;

use crate::corpus;
use crate::stage::{Attacker, Stage};

/// What bots are told that does harm, or tries to, by its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Word {
    Spin,
    Allocate,
    Recurse,
    Lines,
    Result,
    Log,
}

impl Word {
    fn text(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Allocate => "allocate 40",
            Self::Recurse => "recurse",
            Self::Lines => "lines 20000",
            Self::Result => "result 66000",
            Self::Log => "log 200000",
        }
    }
}

/// What they are told as often that does none.
const HARMLESS: [&str; 2] = ["echo well", "allocate 8"];

/// Tenants with bots that break any rule on demand.
pub(crate) struct Attack<'a> {
    uploader: Attacker<'a>,
    channels: Vec<String>,
    words: Vec<&'static str>,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Done {
    /// Webhooks that were taken.
    pub(crate) taken: usize,
    /// Webhooks that were refused, with when to come again.
    pub(crate) refused: usize,
    /// Uploads that were refused.
    pub(crate) uploads: usize,
}

impl<'a> Attack<'a> {
    pub(crate) async fn prepare(stage: &'a Stage, only: &[Word]) -> Result<Self> {
        let bad = if only.is_empty() { Word::value_variants() } else { only };
        // As many again that do no harm, so that no breaker takes the others out of the way.
        let good = HARMLESS.into_iter().cycle().take(bad.len());
        let words = bad.iter().map(|word| word.text()).chain(good).collect();
        let hostile = std::fs::read(plugin("hostile")?)?;
        let mut channels = Vec::new();
        for number in 0..3 {
            let attacker = stage.attacker(&format!("attacker-{number}")).await?;
            channels.push(attacker.deploy("bot", &hostile).await?);
        }
        Ok(Self { uploader: stage.attacker("uploader").await?, channels, words })
    }

    /// Goes on for so long, with so many webhooks a second.
    pub(crate) async fn run(&self, rate: f64, time: Duration) -> Result<Done> {
        let each = rate / (self.words.len() * self.channels.len()) as f64;
        let mut offers = JoinSet::new();
        for channel in &self.channels {
            for (number, word) in self.words.iter().enumerate() {
                let offer = Offer {
                    target: Stage::target(channel, &format!("word-{number}")),
                    text: (*word).to_owned(),
                    conversations: 20,
                    rate: each,
                    time,
                };
                let connections = self.uploader.stage().connections.clone();
                offers.spawn(async move { offer.send(&connections).await });
            }
        }
        let uploads = self.upload_for(time).await?;
        let mut done = Done { uploads, ..Done::default() };
        for Outcome { taken, refused, wrong, .. } in offers.join_all().await {
            ensure!(wrong.is_none(), "an event of the attack went wrong: {wrong:?}");
            done.taken += taken.count();
            done.refused += refused;
        }
        Ok(done)
    }

    /// Waits until the last upload is done with: one behind it gets its answer.
    pub(crate) async fn ended(&self) -> Result<()> {
        let (status, body) = self.uploader.upload("refused", b"").await?;
        ensure!(status.is_client_error(), "an upload was not refused: {status} {body}");
        Ok(())
    }

    /// Uploads one refused component after the other, each third a compile bomb.
    async fn upload_for(&self, time: Duration) -> Result<usize> {
        let start = Instant::now();
        let (rows, bomb) = (refused(), corpus::bomb());
        let bytes = rows.iter().flat_map(|row| [&row.bytes, &row.bytes, &bomb]).cycle();
        let mut uploads = 0;
        for bytes in bytes {
            let left = time.saturating_sub(start.elapsed());
            let upload = self.uploader.upload("refused", bytes);
            let Ok(answered) = tokio::time::timeout(left, upload).await else { break };
            let (status, body) = answered.context("an upload got no answer")?;
            ensure!(status.is_client_error(), "an upload was not refused: {status} {body}");
            uploads += 1;
        }
        Ok(uploads)
    }
}
