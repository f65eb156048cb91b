//! What the API's description says of all operations alike.

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Content, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, Schema, Server, Type,
};
use utoipa::{Modify, OpenApi as _};

use super::once;
use super::problem::Problem;
use crate::http::KEY_BYTES_MAX;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Botyard",
        description = "Tenants, bots, versions, deployments and channels of a Botyard host; and \
                       what a channel has beside its webhooks: the door for signals, and the desk.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Description;

struct Bearer;

/// What opens, and what it is.
const TOKENS: [(&str, &str); 3] = [
    ("token", "A token of the management API, as `botyard token create` gives it."),
    ("signal-token", "The `signal-token` of the channel's settings, for its tenant's own systems."),
    ("desk-token", "The `desk-token` of the channel's settings, for humans at the desk."),
];

impl Modify for Bearer {
    fn modify(&self, openapi: &mut OpenApi) {
        let components = openapi.components.get_or_insert_default();
        for (name, what) in TOKENS {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(what.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

const PROBLEM: &str = "#/components/schemas/Problem";
const COMPONENT_TYPE: &str = "application/wasm";

/// A description without operations.
pub(super) fn empty() -> OpenApi {
    Description::openapi()
}

/// The same, with what no operation has to say for itself: its answer is kept by a key, it
/// has a name of its own, problems have their own content type, the host may be to blame, and
/// components are bytes.
pub(super) fn completed(mut openapi: OpenApi) -> OpenApi {
    for (route, item) in &mut openapi.paths.paths {
        if let Some(post) = item.post.as_mut().filter(|_| once::keeps(route)) {
            let parameters = post.parameters.get_or_insert_default();
            // What stands beside the webhooks keeps its keys itself.
            if parameters.iter().all(|it| it.name != once::HEADER_NAME) {
                parameters.push(idempotency_key());
            }
        }
    }
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        name(operation);
        if let Some(body) = &mut operation.request_body {
            body.content.iter_mut().for_each(bare_component);
        }
        let responses = &mut operation.responses.responses;
        if responses.keys().any(|status| status.starts_with('4')) {
            let mut fault = Response::new("The host is to blame, or cannot do it now.");
            let problem = RefOr::<Schema>::Ref(Ref::new(PROBLEM));
            fault.content.insert(Problem::TYPE.to_owned(), Content::new(Some(problem)));
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

/// The description of what is reached where webhooks are, with their address.
pub(super) fn beside_webhooks(mut openapi: OpenApi, address: &str) -> OpenApi {
    let mut server = Server::new(address);
    server.description = Some(
        "Where webhooks come in: a host whose management API has a listener of its own \
         (`server.management-listen`) takes this there alone."
            .to_owned(),
    );
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        operation.servers = Some(vec![server.clone()]);
    }
    openapi
}

/// The header by which something is made once.
fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let text = text.min_length(Some(1)).max_length(Some(KEY_BYTES_MAX));
    ParameterBuilder::new()
        .name(once::HEADER_NAME)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "What comes with the same key, from the same token and with the same body, is done \
             once within a day: it gets the same answer.",
        ))
        .schema(Some(text))
        .build()
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
        let kind = if is_problem(&content) { Problem::TYPE.to_owned() } else { kind };
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
        let mut openapi = crate::api::described(crate::api::HERE).1;
        let mut names = BTreeSet::new();
        for operation in openapi.paths.paths.values_mut().flat_map(operations) {
            let name = operation.operation_id.clone().unwrap();
            for (status, response) in &operation.responses.responses {
                let RefOr::T(response) = response else { panic!("{name}: {status}") };
                let is_problem = response.content.contains_key(Problem::TYPE);
                assert_eq!(is_problem, !status.starts_with('2'), "{name}: {status}");
            }
            assert!(names.insert(name.clone()), "{name} is twice there");
        }
        assert!(names.contains("dead_letters_redrive"), "{names:?}");
    }

    #[test]
    fn what_takes_a_key_says_so_and_nothing_else_does() {
        let mut openapi = crate::api::described(crate::api::HERE).1;
        let named = |operation: &Operation| {
            let all = operation.parameters.iter().flatten();
            all.filter(|it| it.name == once::HEADER_NAME).map(|it| it.required.clone()).collect()
        };
        for route in [once::UPLOADS, once::SIGNALS] {
            let post = openapi.paths.paths.get(route).and_then(|item| item.post.as_ref());
            assert!(post.is_some(), "{route} is none: what is kept is not what is described");
        }
        for (route, item) in &mut openapi.paths.paths {
            let post: Option<Vec<Required>> = item.post.as_ref().map(named);
            let wanted = match route.as_str() {
                once::UPLOADS => vec![],
                // It does not go without.
                once::SIGNALS => vec![Required::True],
                beside if beside.starts_with("/v1/channels/") => vec![Required::True],
                _ => vec![Required::False],
            };
            assert!(post.is_none_or(|post| post == wanted), "POST {route}");
            item.post = None;
            let others = operations(item).map(|operation| named(operation));
            assert!(others.into_iter().all(|it: Vec<Required>| it.is_empty()), "{route}");
        }
    }
}
