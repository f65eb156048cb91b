//! The webhooks of `fixtures`, as they stand in the golden tests of each vendor.

use std::path::{Path, PathBuf};

use botyard_vendors::{Inbound, VENDORS};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::samples::Sample;

/// A webhook out of a fixture.
#[derive(Clone, Debug)]
pub(crate) struct Golden {
    pub(crate) vendor: &'static str,
    pub(crate) method: Method,
    pub(crate) rest: String,
    pub(crate) query: Option<String>,
    pub(crate) body: Value,
}

impl Golden {
    /// The same with these bytes as its body.
    pub(crate) fn inbound<'a>(&'a self, headers: &'a HeaderMap, body: &'a Bytes) -> Inbound<'a> {
        let (method, rest, query) = (&self.method, &*self.rest, self.query.as_deref());
        Inbound { method, rest, query, headers, body, chance: Default::default() }
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Golden> {
    let mut all = Vec::new();
    for known in VENDORS {
        let sample = crate::samples::all().into_iter().find(|it| it.vendor == known.name).unwrap();
        for file in files(known.name) {
            let text = std::fs::read_to_string(&file).unwrap();
            let fixture: Value = serde_json::from_str(&text).unwrap();
            all.extend(golden(known.name, &sample, &fixture));
        }
    }
    all
}

fn files(vendor: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(vendor);
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let is_webhook = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("in."))
    };
    let mut files: Vec<_> = files.filter(is_webhook).collect();
    files.sort();
    files
}

/// A fixture is a webhook's body, or a request of which it says more.
fn golden(vendor: &'static str, sample: &Sample, fixture: &Value) -> Option<Golden> {
    let request = &fixture["request"];
    let word = |key: &str| request[key].as_str().map(str::to_owned);
    let body = [&fixture["webhook"], &request["body"]].into_iter().find(|it| !it.is_null());
    let method = word("method").unwrap_or_else(|| "POST".to_owned());
    (body.is_some() || request.is_object()).then(|| Golden {
        vendor,
        method: method.parse().unwrap(),
        rest: word("rest").or_else(|| word("path")).unwrap_or_else(|| sample.rest.to_owned()),
        query: word("query"),
        body: body.cloned().unwrap_or_default(),
    })
}
