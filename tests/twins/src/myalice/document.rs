//! What `MyAlice`'s pages say, as numbers and names. Beside each stands the page; what
//! the pages leave open says so.

use std::time::Duration;

/// "Create an API", step 4: an answer within 5 seconds.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// "Create an API", step 4: what an answer may hold.
pub const ANSWER_KEYS: &[&str] = &["data", "success", "message", "attributes", "status"];
/// "Send text message": the header of calls.
pub const TOKEN_HEADER: &str = "x-myalice-api-key";
/// "REST API": where its calls begin.
pub const BASE: &str = "/stable/open";
/// A wrong key. No page names the answer.
pub const STATUS_TOKEN: u16 = 401;
/// A customer that does not exist. No page names the answer.
pub const STATUS_UNKNOWN: u16 = 404;
/// A call that lacks something. No page names the answer.
pub const STATUS_WRONG: u16 = 400;
