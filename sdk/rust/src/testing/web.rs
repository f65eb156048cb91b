//! Web services, as a test plays them.

use super::limits::check_headers;
use crate::http::{Error, Request, Response};

const CALLS_MAX: usize = 8;
const BODY_BYTES_MAX: usize = 1024 * 1024;
const URL_BYTES_MAX: usize = 8 * 1024;
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

type Answers = Box<dyn FnMut(&Request) -> Result<Response, Error>>;

/// Web services, as a test plays them.
#[derive(Default)]
pub(super) struct Web {
    answers: Option<Answers>,
    /// Calls of the running turn.
    calls: usize,
}

impl Web {
    pub(super) fn answer(&mut self, answers: Answers) {
        self.answers = Some(answers);
    }

    /// Begins a turn.
    pub(super) fn begin(&mut self) {
        self.calls = 0;
    }

    /// Answers a call as the host would.
    pub(super) fn send(&mut self, request: &Request) -> Result<Response, Error> {
        check(request).map_err(Error::Other)?;
        if self.calls == CALLS_MAX {
            return Err(Error::Limit);
        }
        self.calls += 1;
        let Some(answers) = &mut self.answers else {
            let why = "this test answers no calls: say what comes back with `Chat::web`";
            return Err(Error::Denied(why.to_owned()));
        };
        let answer = answers(request)?;
        if answer.body.len() > BODY_BYTES_MAX { Err(Error::TooLarge) } else { Ok(answer) }
    }
}

fn check(request: &Request) -> Result<(), String> {
    let rule = if !METHODS.contains(&request.method.as_str()) {
        "the method of a call is one of those that the WIT names"
    } else if request.url.len() > URL_BYTES_MAX {
        "the address of a call has at most 8 KiB"
    } else if request.body.as_ref().is_some_and(|body| body.len() > BODY_BYTES_MAX) {
        "the body of a call has at most 1 MiB"
    } else if request.timeout_ms == Some(0) {
        "a call waits at least 1 ms"
    } else {
        return check_headers(&request.headers);
    };
    Err(rule.to_owned())
}
