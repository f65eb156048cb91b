//! What follows a reply that was taken and not yet published: the question what became of it.

use http::Method;

use super::Khoros;
use super::place::in_url;
use crate::Call;

/// What stands before the id in the token of the question how a request stands.
const REQUEST: &str = "request:";

/// The token of the question how a request stands.
pub(super) fn question(request: String) -> String {
    format!("{REQUEST}{request}")
}

/// Whether a token is such a question.
pub(super) fn is_question(token: &str) -> bool {
    token.starts_with(REQUEST)
}

/// The call of such a token.
pub(super) fn call(khoros: &Khoros, token: &str) -> Option<Call> {
    let request = token.strip_prefix(REQUEST)?;
    Some(khoros.request(Method::GET, &format!("/request/{}", in_url(request)), None))
}
