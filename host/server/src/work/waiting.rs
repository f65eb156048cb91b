//! Requests that brought events and wait for their answers.

use std::time::{Duration, Instant};

use botyard_kernel::lane::Input;
use botyard_kernel::outbox::{OFFER_BACKSTOP_MS, RequestId};
use botyard_vendors::Reply;
use tokio::sync::{mpsc, oneshot};

use super::Message;

/// What the request that brought events is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The events are stored; this is the vendor's answer.
    Reply(Reply),
    /// Nothing is stored: come again later.
    Refused,
}

/// A request that waits for its answer. Dropping it before the answer was handed over
/// tells the lane that the client has left.
#[derive(Debug)]
pub(crate) struct Waiting {
    request: RequestId,
    lane: mpsc::UnboundedSender<Message>,
    answer: oneshot::Receiver<Answer>,
    /// Since when there is an answer to hand over.
    answered: Option<Instant>,
    /// The lane knows already what became of it.
    is_over: bool,
}

impl Waiting {
    pub(super) fn new(
        request: RequestId,
        lane: mpsc::UnboundedSender<Message>,
        answer: oneshot::Receiver<Answer>,
    ) -> Self {
        Self { request, lane, answer, answered: None, is_over: false }
    }

    /// The answer. A lane that ended without one counts as a refusal.
    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = (&mut self.answer).await.unwrap_or(Answer::Refused);
        self.is_over |= matches!(answer, Answer::Refused);
        self.answered = Some(Instant::now());
        answer
    }

    /// Tells the lane whether the answer was handed over whole. One that took so long that
    /// the lane has given it up changes nothing any more, and the log says so.
    pub(crate) fn handed_over(mut self, whole: bool) {
        self.is_over = true;
        if whole && self.is_given_up(Instant::now()) {
            let request = self.request;
            tracing::warn!(
                request,
                "an answer was handed over more than {} s after it was made: what it carries was \
                 sent by calls, too",
                OFFER_BACKSTOP_MS / 1_000
            );
        }
        self.tell(Input::Answered { request: self.request, whole });
    }

    fn is_given_up(&self, now: Instant) -> bool {
        let patience = Duration::from_millis(OFFER_BACKSTOP_MS);
        self.answered.is_some_and(|since| now.duration_since(since) >= patience)
    }

    /// A lane that is gone counts the answer as failed.
    fn tell(&self, input: Input) {
        let _ = self.lane.send(Message::Input(input));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(Input::ClientLeft(self.request));
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::StatusCode;

    use super::*;

    /// What a lane is told of a request that got this answer.
    async fn told(answer: Option<Answer>, then: impl FnOnce(Waiting)) -> Vec<String> {
        let (lane, mut inbox) = mpsc::unbounded_channel();
        let (sender, receiver) = oneshot::channel();
        let mut waiting = Waiting::new(7, lane, receiver);
        if let Some(answer) = answer {
            sender.send(answer).unwrap();
            waiting.answer().await;
        }
        then(waiting);
        let mut told = Vec::new();
        while let Some(message) = inbox.recv().await {
            let Message::Input(input) = message else { panic!("{message:?}") };
            told.push(format!("{input:?}"));
        }
        told
    }

    #[tokio::test]
    async fn an_answer_on_its_way_for_too_long_is_given_up() {
        let (lane, _inbox) = mpsc::unbounded_channel();
        let (sender, receiver) = oneshot::channel();
        let mut waiting = Waiting::new(7, lane, receiver);
        let later = || Instant::now() + Duration::from_secs(30);
        assert!(!waiting.is_given_up(later()), "there is none yet");
        sender.send(Answer::Refused).unwrap();
        waiting.answer().await;
        assert!(!waiting.is_given_up(Instant::now()));
        assert!(waiting.is_given_up(later()));
    }

    #[tokio::test]
    async fn a_lane_hears_once_what_became_of_a_request() {
        let vendors =
            || Reply { status: StatusCode::OK, content_type: "text/plain", body: Bytes::new() };
        let reply = || Some(Answer::Reply(vendors()));
        let left = ["ClientLeft(7)"];
        assert_eq!(told(None, drop).await, left);
        assert_eq!(told(reply(), drop).await, left, "answered, and never handed over");
        assert_eq!(told(Some(Answer::Refused), drop).await, [""; 0], "it refused it itself");
        for whole in [true, false] {
            let expected = [format!("Answered {{ request: 7, whole: {whole} }}")];
            assert_eq!(told(reply(), |waiting| waiting.handed_over(whole)).await, expected);
        }
    }
}
