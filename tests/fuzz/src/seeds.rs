//! What vendors really send: their fixtures, in the form that the targets read.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The webhooks of a vendor.
pub(crate) fn of(vendor: &str) -> Vec<Vec<u8>> {
    let folder = root().join("host/vendors/fixtures").join(vendor);
    let files = std::fs::read_dir(&folder).expect("fixtures of the vendor");
    let mut files: Vec<_> = files.map(|file| file.expect("a fixture").path()).collect();
    files.retain(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("in.")));
    files.sort();
    files.iter().filter_map(|file| seed(&read(file))).collect()
}

/// Writes them where cargo-fuzz finds them.
pub(crate) fn write(vendor: &str, seeds: &[Vec<u8>]) {
    let folder = root().join("fuzz/seeds").join(vendor);
    std::fs::create_dir_all(&folder).expect("a folder for the seeds");
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(number.to_string()), seed).expect("a seed");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &Path) -> Value {
    let text = std::fs::read(file).expect("a fixture");
    serde_json::from_slice(&text).expect("a fixture is JSON")
}

/// A line of its head, an empty line, its body: a fixture is a webhook's body, or a request
/// of which it says more.
fn seed(fixture: &Value) -> Option<Vec<u8>> {
    let request = &fixture["request"];
    let word = |key: &str| request[key].as_str();
    let body = [&fixture["webhook"], &request["body"]].into_iter().find(|it| !it.is_null());
    if body.is_none() && !request.is_object() {
        return None;
    }
    let method = word("method").unwrap_or("POST");
    let rest = word("rest").or_else(|| word("path")).unwrap_or_default();
    let query = word("query").map(|query| format!("?{query}")).unwrap_or_default();
    let body = body.map(Value::to_string).unwrap_or_default();
    Some(format!("{method} {rest}{query}\n\n{body}").into_bytes())
}
