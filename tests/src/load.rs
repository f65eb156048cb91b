//! A load generator that costs little itself: prepared webhooks over HTTP/1
//! connections that stay open, sent at a pace of its own whatever the host does.

mod connection;
mod latency;
mod pairs;

pub use connection::{Answer, Connections, Target};
pub use latency::{Latencies, median};
pub use pairs::{Pairs, ms};

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// Webhooks that are sent at a steady rate.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Where to.
    pub target: Target,
    /// What every message says.
    pub text: String,
    /// In so many conversations, one after the other.
    pub conversations: usize,
    /// In a second.
    pub rate: f64,
    /// For so long.
    pub time: Duration,
}

/// What came of webhooks.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Answers with 200, from the moment at which each webhook was due.
    pub taken: Latencies,
    /// Answers with 429 or 503 and a `Retry-After`.
    pub refused: usize,
    /// Answers with 429 or 503 without one, and all others: the first of them.
    pub wrong: Option<String>,
    /// How many of the taken were answered before the last webhook was due.
    pub in_time: usize,
    /// From the first webhook until the last was due.
    pub time: Duration,
}

impl Outcome {
    /// Webhooks that were taken in each second of the offer.
    pub fn goodput(&self) -> f64 {
        self.in_time as f64 / self.time.as_secs_f64()
    }

    fn note(&mut self, answer: anyhow::Result<Answer>, took: Duration, in_time: bool) {
        match answer {
            Ok(Answer { status: 200, .. }) => {
                self.taken.note(took);
                self.in_time += usize::from(in_time);
            }
            Ok(Answer { status: 429 | 503, retry_after: Some(_) }) => self.refused += 1,
            Ok(answer) => {
                self.wrong.get_or_insert_with(|| format!("{answer:?}"));
            }
            Err(error) => {
                self.wrong.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.taken.extend(other.taken);
        self.in_time += other.in_time;
        self.refused += other.refused;
        self.wrong = self.wrong.take().or(other.wrong);
    }
}

impl Offer {
    /// Sends everything at its time and waits for all answers. A webhook that is
    /// due is sent even where others have no answer yet, and its time counts from
    /// when it was due: a host that stands still cannot make the sender wait.
    pub async fn send(self, connections: &Arc<Connections>) -> Outcome {
        let start = Instant::now();
        let count = (self.rate * self.time.as_secs_f64()) as u32;
        let (mut waiting, mut outcome) = (JoinSet::new(), Outcome::default());
        let time = self.time;
        for number in 0..count {
            let due = start + self.time * number / count;
            tokio::time::sleep_until(due.into()).await;
            let number = number as usize;
            let conversation = number % self.conversations;
            let request = self.target.message(conversation, number, &self.text);
            let connections = Arc::clone(connections);
            waiting.spawn(async move {
                let answer = connections.send(&request).await;
                (answer, due.elapsed(), start.elapsed() <= time)
            });
            while let Some(done) = waiting.try_join_next() {
                note(&mut outcome, done);
            }
        }
        outcome.time = time.max(start.elapsed());
        while let Some(done) = waiting.join_next().await {
            note(&mut outcome, done);
        }
        outcome
    }

    /// Sends as fast as the host takes them: one webhook after the other in each
    /// conversation.
    pub async fn saturate(self, connections: &Arc<Connections>) -> Outcome {
        let start = Instant::now();
        let mut people = JoinSet::new();
        for conversation in 0..self.conversations {
            let (connections, time) = (Arc::clone(connections), self.time);
            let offer = self.clone();
            people.spawn(async move {
                let mut outcome = Outcome::default();
                for number in 0.. {
                    if start.elapsed() >= time {
                        break;
                    }
                    let request = offer.target.message(conversation, number, &offer.text);
                    let due = Instant::now();
                    let answer = connections.send(&request).await;
                    outcome.note(answer, due.elapsed(), true);
                }
                outcome
            });
        }
        let mut all = Outcome::default();
        while let Some(outcome) = people.join_next().await {
            all.add(outcome.unwrap_or_default());
        }
        all.time = start.elapsed();
        all
    }
}

fn note(
    outcome: &mut Outcome,
    done: Result<(anyhow::Result<Answer>, Duration, bool), tokio::task::JoinError>,
) {
    match done {
        Ok((answer, took, in_time)) => outcome.note(answer, took, in_time),
        Err(error) => outcome.note(Err(error.into()), Duration::ZERO, false),
    }
}
