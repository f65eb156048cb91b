//! `http`: calls within a turn. This host grants none.

use crate::bindings::v1::http::{Error, Host, Request, Response};
use crate::turn::Turn;

impl Host for Turn {
    fn send(&mut self, _request: Request) -> wasmtime::Result<Result<Response, Error>> {
        Ok(Err(Error::Denied(
            "this host does not grant http calls within a turn: return a `request` action, its \
             answer comes as a `response` event"
                .to_owned(),
        )))
    }
}
