//! The catalogue of problems.

use serde::Serialize;
use utoipa::ToSchema;

use super::page::{Json, Path};
use super::problem::{Code, Problem};

/// A kind of problem.
#[derive(Serialize, ToSchema)]
pub(super) struct Kind {
    /// The stable code.
    code: &'static str,
    /// The HTTP status that it comes with.
    status: u16,
    /// What it means and who can mend it.
    title: &'static str,
}

/// All kinds of problems.
#[utoipa::path(get, path = "/v1/errors", tag = "errors", security(()),
    responses((status = 200, body = Vec<Kind>)))]
pub(super) async fn list() -> Json<Vec<Kind>> {
    Json(Code::ALL.iter().map(|code| kind(*code)).collect())
}

/// A kind of problem.
#[utoipa::path(get, path = "/v1/errors/{code}", tag = "errors", security(()),
    params(("code" = String, Path)),
    responses((status = 200, body = Kind), (status = 404, body = Problem)))]
pub(super) async fn show(Path(name): Path<String>) -> Result<Json<Kind>, Problem> {
    let code = Code::ALL.iter().find(|code| code.name() == name);
    Ok(Json(kind(*code.ok_or_else(Problem::not_found)?)))
}

fn kind(code: Code) -> Kind {
    Kind { code: code.name(), status: code.status().as_u16(), title: code.title() }
}
