//! What the API's description says of all operations alike.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, Schema};
use utoipa::{Modify, OpenApi as _};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Botyard",
        description = "Tenants, bots, versions, deployments and channels of a Botyard host.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

const PROBLEM: &str = "#/components/schemas/Problem";
const PROBLEM_TYPE: &str = "application/problem+json";
const COMPONENT_TYPE: &str = "application/wasm";

/// A description without operations.
pub(super) fn empty() -> OpenApi {
    Description::openapi()
}

/// The same, with what no operation has to say for itself: it has a name of its own,
/// problems have their own content type, the host may be to blame, and components are bytes.
pub(super) fn completed(mut openapi: OpenApi) -> OpenApi {
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        name(operation);
        if let Some(body) = &mut operation.request_body {
            body.content.iter_mut().for_each(bare_component);
        }
        let responses = &mut operation.responses.responses;
        if responses.contains_key("4XX") {
            let mut fault = Response::new("The host is to blame, or cannot do it now.");
            let problem = RefOr::<Schema>::Ref(Ref::new(PROBLEM));
            fault.content.insert(PROBLEM_TYPE.to_owned(), Content::new(Some(problem)));
            responses.insert("5XX".to_owned(), RefOr::T(fault));
        }
        for response in responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            type_problem(response);
            response.content.iter_mut().for_each(bare_component);
        }
    }
    openapi
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// Handlers of many resources have the same names: their tag tells them apart.
fn name(operation: &mut Operation) {
    if let (Some(id), Some([tag, ..])) = (&operation.operation_id, operation.tags.as_deref()) {
        operation.operation_id = Some(format!("{}_{id}", tag.replace(' ', "_")));
    }
}

/// A component is its bytes, and no JSON that a schema could describe.
fn bare_component((kind, content): (&String, &mut Content)) {
    if kind == COMPONENT_TYPE {
        content.schema = None;
    }
}

fn type_problem(response: &mut Response) {
    let is_problem = |content: &Content| matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location == PROBLEM);
    let content = std::mem::take(&mut response.content).into_iter();
    let typed = content.map(|(kind, content)| {
        let kind = if is_problem(&content) { PROBLEM_TYPE.to_owned() } else { kind };
        (kind, content)
    });
    response.content = typed.collect();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_operation_has_a_name_of_its_own_and_answers_with_problems() {
        let mut openapi = crate::api::described().1;
        let mut names = BTreeSet::new();
        for operation in openapi.paths.paths.values_mut().flat_map(operations) {
            let name = operation.operation_id.clone().unwrap();
            for (status, response) in &operation.responses.responses {
                let RefOr::T(response) = response else { panic!("{name}: {status}") };
                let is_problem = response.content.contains_key(PROBLEM_TYPE);
                assert_eq!(is_problem, !status.starts_with('2'), "{name}: {status}");
            }
            assert!(names.insert(name.clone()), "{name} is twice there");
        }
        assert!(names.contains("dead_letters_redrive"), "{names:?}");
    }
}
