//! Calls within a turn, from the bot to the kernel and back. Bodies are moved
//! whole, not byte by byte.

use botyard_kernel::call as kernel;

use super::generated::botyard::bot::http as wit;
use super::{Convert, cases};

cases!(kernel::CallError => wit::Error { Timeout, TooLarge, Limit; Denied, Other });

impl Convert<kernel::CallRequest> for wit::Request {
    fn convert(self) -> kernel::CallRequest {
        let Self { method, url, headers, body, timeout_ms } = self;
        kernel::CallRequest { method, url, headers: headers.convert(), body, timeout_ms }
    }
}

impl Convert<wit::Response> for kernel::CallResponse {
    fn convert(self) -> wit::Response {
        let Self { status, headers, body } = self;
        wit::Response { status, headers: headers.convert(), body }
    }
}
