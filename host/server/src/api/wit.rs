//! What bots are written against, for download.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::page::Json;
use super::problem::Problem;

/// The files of the package, by their names.
const FILES: [(&str, &str); 6] = [
    ("action.wit", include_str!("../../../../wit/v1/action.wit")),
    ("event.wit", include_str!("../../../../wit/v1/event.wit")),
    ("imports.wit", include_str!("../../../../wit/v1/imports.wit")),
    ("session.wit", include_str!("../../../../wit/v1/session.wit")),
    ("types.wit", include_str!("../../../../wit/v1/types.wit")),
    ("world.wit", include_str!("../../../../wit/v1/world.wit")),
];

/// A file of WIT.
#[derive(Serialize, ToSchema)]
pub(super) struct File {
    name: &'static str,
    text: &'static str,
}

/// The WIT package of bots, file by file.
#[utoipa::path(get, path = "/v1/wit", tag = "wit", security(()),
    responses((status = 200, body = Vec<File>)))]
pub(super) async fn list() -> Json<Vec<File>> {
    Json(FILES.iter().map(|(name, text)| File { name, text }).collect())
}

/// A file of the WIT package, as it is.
#[utoipa::path(get, path = "/v1/wit/{file}", tag = "wit", security(()),
    params(("file" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 404, body = Problem)))]
pub(super) async fn show(Path(file): Path<String>) -> Result<Response, Problem> {
    let found = FILES.iter().find(|(name, _)| *name == file);
    let (_, text) = found.ok_or_else(Problem::not_found)?;
    Ok(text.into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_file_is_missing() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v1");
        let there: BTreeSet<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(there, FILES.map(|(name, _)| name.to_owned()).into());
    }
}
