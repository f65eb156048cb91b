//! Which call a call is.

use http::Method;

use super::document::{BASE, TOKEN_BASE};
use super::options::Options;

/// A call that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    MakeToken,
    RefreshToken,
    DropToken,
    Respond,
    Form,
    Control,
    WhoOwns(&'a str),
    /// `note`, `tag`, `tag/remove`, `priority`, `workqueue`, `resolve`,
    /// `authors/attributes`.
    Action(&'static str),
    Request(&'a str),
    Requests,
    Register,
    ShowRegistration,
    ListRegistrations,
    DropRegistration,
    Mode(&'a str),
    Health,
}

/// What a method and a path mean; nothing for what is not there. Ids of others are
/// not there either.
pub(super) fn route<'a>(options: &Options, method: &Method, path: &'a str) -> Option<Route<'a>> {
    let own = |app: &str| app == options.app_id;
    if let Some(app) = path.strip_prefix(TOKEN_BASE) {
        return (method == Method::POST && own(app)).then_some(Route::MakeToken);
    }
    let parts: Vec<_> = path.strip_prefix(BASE)?.split('/').collect();
    let here = |network: &str, external: &str| {
        network == options.network_key && external == options.external_id
    };
    Some(match (method.as_str(), &*parts) {
        ("PUT", ["tokens", "appId", app]) if own(app) => Route::RefreshToken,
        ("DELETE", ["tokens", "appId", app]) if own(app) => Route::DropToken,
        ("POST", ["respond"]) => Route::Respond,
        ("POST", ["form"]) => Route::Form,
        ("PUT", ["control"]) => Route::Control,
        ("GET", ["control", "network", n, "externalId", e, "author", author]) if here(n, e) => {
            Route::WhoOwns(author)
        }
        ("PUT", ["note"]) => Route::Action("note"),
        ("PUT", ["tag"]) => Route::Action("tag"),
        ("PUT", ["tag", "remove"]) => Route::Action("remove_tag"),
        ("PUT", ["priority"]) => Route::Action("priority"),
        ("PUT", ["workqueue"]) => Route::Action("workqueue"),
        ("PUT", ["resolve"]) => Route::Action("resolve"),
        ("PUT", ["authors", "attributes"]) => Route::Action("attributes"),
        ("GET", ["request", "appId", app]) if own(app) => Route::Requests,
        ("GET", ["request", id]) => Route::Request(id),
        ("POST" | "PUT", ["registrations"]) => Route::Register,
        ("GET", ["registrations", "network", n, "externalId", e]) if here(n, e) => {
            Route::ListRegistrations
        }
        (method, ["registrations", "network", n, "externalId", e, "appId", app, rest @ ..])
            if here(n, e) && own(app) =>
        {
            match (method, rest) {
                ("GET", []) => Route::ShowRegistration,
                ("DELETE", []) => Route::DropRegistration,
                ("PUT", ["mode", mode]) => Route::Mode(mode),
                _ => return None,
            }
        }
        ("GET", ["health", "appId", app]) if own(app) => Route::Health,
        _ => return None,
    })
}
