//! Uploads on the command line, with how far they are where somebody looks.

use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, StatusCode};
use serde_json::Value;

use super::operation::{self, Teller};
use super::{TenantApi, good};

const COMPONENT: (HeaderName, &str) = (CONTENT_TYPE, "application/wasm");
const ASYNCHRONOUS: (HeaderName, &str) = (HeaderName::from_static("prefer"), "respond-async");

/// Uploads a component as a version of a bot, whose path is given, and answers the
/// version. Its progress is told on standard error, if that is a terminal or where it is
/// asked for.
pub(super) async fn upload(
    of: &TenantApi,
    bot: &str,
    file: &Path,
    progress: bool,
) -> anyhow::Result<Value> {
    let wasm = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let versions = format!("{bot}/versions");
    let mut teller = Teller::new(operation::UPLOAD, progress);
    let told = [COMPONENT, ASYNCHRONOUS];
    let headers = if teller.tells() { &told[..] } else { &told[..1] };
    teller.tell("uploading", &Value::Null, &Value::Null);
    let sent = of.api.send(Method::POST, &versions, headers, Some(Bytes::from(wasm))).await?;
    if sent.status != StatusCode::ACCEPTED {
        // An earlier host answers at its end.
        return good(sent);
    }
    let done = operation::done(&of.api, &of.base().await?, good(sent)?, &mut teller).await?;
    let version = format!("{versions}/{}", operation::field(&done, "version")?);
    of.api.ask(Method::GET, &version, None).await
}
