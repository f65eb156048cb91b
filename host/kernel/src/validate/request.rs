//! The rules of `request`. Whether its host may be reached is the egress
//! rules' business.

use http::{HeaderName, HeaderValue};

use crate::action::Request;
use crate::event::Setting;
use crate::run::RunFailure;
use crate::validate::check::Check;

/// What a request may do.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Headers that the host sets itself.
const RESERVED_HEADERS: [&str; 2] = ["host", "idempotency-key"];
/// Requests of the host's own have names that begin so.
const RESERVED_NAMES: &str = "botyard.";
const HEADERS_MAX: usize = 64;
const HEADERS_MAX_BYTES: usize = 16 * 1024;
const BODY_MAX_BYTES: usize = 48 * 1024;
const TIMEOUT_MAX_MS: u32 = 120_000;

impl Check {
    pub(super) fn request(self, request: &Request) -> Result<(), RunFailure> {
        self.name("name", &request.name)?;
        if request.name.starts_with(RESERVED_NAMES) {
            let problem = format_args!("begins with `{RESERVED_NAMES}`: such names are the host's");
            return Err(self.fail("name", problem));
        }
        if !METHODS.contains(&request.method.as_str()) {
            let problem = format_args!("is none of {}", METHODS.join(", "));
            return Err(self.fail("method", problem));
        }
        self.link("url", &request.url)?;
        self.headers(&request.headers)?;
        let body = request.body.as_ref().map_or(0, String::len);
        self.at_most("body", body, BODY_MAX_BYTES, "bytes")?;
        if request.timeout_ms == Some(0) {
            let problem = format_args!("is 0, 1 to {TIMEOUT_MAX_MS} ms are needed");
            return Err(self.fail("timeout_ms", problem));
        }
        self.at_most("timeout_ms", request.timeout_ms.unwrap_or(0), TIMEOUT_MAX_MS, "ms")
    }

    fn headers(self, headers: &[Setting]) -> Result<(), RunFailure> {
        self.at_most("headers", headers.len(), HEADERS_MAX, "entries")?;
        let bytes = headers.iter().map(|header| header.name.len() + header.value.len()).sum();
        self.at_most("headers", bytes, HEADERS_MAX_BYTES, "bytes together")?;
        for (n, header) in headers.iter().enumerate() {
            let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else {
                return Err(self.fail(format_args!("headers[{n}].name"), "is no HTTP header name"));
            };
            if RESERVED_HEADERS.contains(&name.as_str()) {
                let problem = format_args!("is `{name}`, which only the host may set");
                return Err(self.fail(format_args!("headers[{n}].name"), problem));
            }
            if HeaderValue::from_str(&header.value).is_err() {
                let problem = "is no HTTP header value: only visible ASCII, blanks and tabs are";
                return Err(self.fail(format_args!("headers[{n}].value"), problem));
            }
        }
        Ok(())
    }
}
