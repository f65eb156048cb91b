//! `wasi:http`: present, because JavaScript engines import it, and denied.

use std::future::Future;

use wasmtime::component::Linker;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::turn::Turn;

/// What all headers of a request may have together, in bytes.
const FIELD_BYTES: usize = 16 << 10;

/// What `wasi:http` keeps for a turn.
pub(crate) struct TurnHttp {
    context: WasiHttpCtx,
    hooks: Deny,
}

impl Default for TurnHttp {
    fn default() -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELD_BYTES);
        Self { context, hooks: Deny }
    }
}

impl WasiHttpView for Turn {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http.context,
            table: &mut self.table,
            hooks: &mut self.http.hooks,
        }
    }
}

/// Puts `wasi:http` into a linker: requests can be made, and none is sent.
pub(super) fn add_to_linker(linker: &mut Linker<Turn>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)
}

/// Where every request ends.
struct Deny;

type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Result<(http::Response<WasiBody>, Sending), Error>;

impl WasiHttpHooks for Deny {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _body: Sending,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
