//! The web page for third parties, on the management API: plain files that are compiled in,
//! so that a hoster has nothing to build and nothing to serve beside the host.
//!
//! The page is at `/console/`. Its files lie behind a hash of them all, so that they are
//! kept for ever by whoever has them and never mixed between two releases. All addresses
//! in it are relative: it works behind a proxy that puts a path in front.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use botyard_kernel::id::Digest;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// Nothing but the page's own files, nothing inline, nobody else's frames or forms. The
/// last two directives let no script make elements out of text, not even by mistake.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; \
    base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Goes out with every answer, also with those that find nothing.
const GUARDS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// Stands in the page where the hash of its files belongs.
const PLACEHOLDER: &str = "{files}";

struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($kind:ident $name:literal,)+) => {
        &[$(File { name: $name, kind: $kind, text: include_str!(concat!("page/", $name)) },)+]
    };
}

const FILES: &[File] = files! {
    CSS "console.css",
    PICTURE "icon.svg",
    SCRIPT "actions.js",
    SCRIPT "api.js",
    SCRIPT "bot.js",
    SCRIPT "bots.js",
    SCRIPT "channels.js",
    SCRIPT "conversations.js",
    SCRIPT "deployment.js",
    SCRIPT "differences.js",
    SCRIPT "dom.js",
    SCRIPT "format.js",
    SCRIPT "letters.js",
    SCRIPT "grants.js",
    SCRIPT "list.js",
    SCRIPT "logs.js",
    SCRIPT "main.js",
    SCRIPT "pause.js",
    SCRIPT "problem.js",
    SCRIPT "session.js",
    SCRIPT "shell.js",
    SCRIPT "signin.js",
    SCRIPT "stream.js",
    SCRIPT "sums.js",
    SCRIPT "trial.js",
    SCRIPT "turns.js",
    SCRIPT "upload.js",
    SCRIPT "usage.js",
    SCRIPT "versions.js",
};

const INDEX: &str = include_str!("page/index.html");

/// Names what is compiled in: the page and its files.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let parts = FILES.iter().flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]);
    Digest::of_parts(parts.chain([INDEX.as_bytes()])).short()
});

static PAGE: LazyLock<String> = LazyLock::new(|| INDEX.replace(PLACEHOLDER, &HASH));

/// The console's paths.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/console", get(|| async { guarded(to_the_page()) }))
        .route("/console/", get(|headers: HeaderMap| async move { guarded(page(&headers)) }))
        .route("/console/{hash}/{file}", get(|Path((hash, name)): Path<(String, String)>| async move {
            guarded(file(&hash, &name))
        }))
}

/// Relative, as everything here.
fn to_the_page() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "console/")]).into_response()
}

/// It is asked for each time, and sent when it is another one.
fn page(headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", *HASH);
    let known = headers.get(IF_NONE_MATCH).and_then(|known| known.to_str().ok());
    let caching = [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag.clone())];
    if known.is_some_and(|known| known.split(',').any(|one| one.trim().ends_with(&tag))) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, HTML)], PAGE.as_str()).into_response()
}

/// A file never changes under its hash.
fn file(hash: &str, name: &str) -> Response {
    let found = FILES.iter().find(|file| hash == *HASH && file.name == name);
    let Some(File { kind, text, .. }) = found else {
        let gone = "There is no such file in this release: load the page again.\n";
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], gone).into_response();
    };
    let headers = [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, *text).into_response()
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in GUARDS {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests;
