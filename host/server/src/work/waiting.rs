//! Requests that brought events and wait for their answers.

use botyard_kernel::lane::Input;
use botyard_kernel::outbox::RequestId;
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
    /// The lane knows already what became of it.
    is_over: bool,
}

impl Waiting {
    pub(super) fn new(
        request: RequestId,
        lane: mpsc::UnboundedSender<Message>,
        answer: oneshot::Receiver<Answer>,
    ) -> Self {
        Self { request, lane, answer, is_over: false }
    }

    /// The answer. A lane that ended without one counts as a refusal.
    pub(crate) async fn answer(&mut self) -> Answer {
        let answer = (&mut self.answer).await.unwrap_or(Answer::Refused);
        self.is_over |= matches!(answer, Answer::Refused);
        answer
    }

    /// Tells the lane whether the answer was handed over whole.
    pub(crate) fn handed_over(mut self, whole: bool) {
        self.is_over = true;
        self.tell(Input::Answered { request: self.request, whole });
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
