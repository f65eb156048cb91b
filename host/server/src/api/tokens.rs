//! Tokens of tenants, and of the operator.

use axum::extract::Path;
use botyard_kernel::access::token::TokenText;
use botyard_kernel::access::{Grant, OPERATOR, Permission, Scope, Texts};
use botyard_kernel::id::BotId;
use botyard_kernel::time::{DAY, Millis};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::problem::{Code, Problem};
use crate::tenancy::TokenRecord;

/// The secret before a rotation counts for at most so long.
const OVERLAP_MS_MAX: Millis = 30 * DAY;

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    id: String,
    /// `read`, `deploy`, `admin` or `operator`: each includes those before it.
    #[schema(value_type = String)]
    scope: Scope,
    /// It reaches nothing but this bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<String>,
    /// `full`, or `redacted`: then it shows only the lengths of what people say.
    #[schema(value_type = String)]
    texts: Texts,
    /// It is good for nothing from then on (Unix milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    created_ms: Millis,
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated_ms: Option<Millis>,
}

/// A token with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct Shown {
    /// The whole token. It cannot be had again.
    token: String,
    #[serde(flatten)]
    about: Token,
}

/// What a token is made with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    #[schema(value_type = String, pattern = "^(read|deploy|admin|operator)$")]
    scope: Scope,
    #[serde(default)]
    bot: Option<String>,
    /// `redacted` by default.
    #[serde(default)]
    #[schema(value_type = String, pattern = "^(full|redacted)$")]
    texts: Texts,
    #[serde(default)]
    expires_ms: Option<Millis>,
    #[serde(default)]
    label: Option<String>,
}

/// How a token is rotated.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotation {
    /// For so long the old secret counts, too; 0 by default, at most 30 days.
    #[serde(default)]
    overlap_ms: Millis,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The tenant that the token belongs to; absent for the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[schema(value_type = String)]
    scope: Scope,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<String>,
    #[schema(value_type = String)]
    texts: Texts,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<Millis>,
}

/// What the shown token is good for.
#[utoipa::path(get, path = "/v1/whoami", tag = "tokens",
    responses((status = 200, body = Me), (status = "4XX", body = Problem)))]
pub(super) async fn whoami(caller: Caller) -> Json<Me> {
    let Grant { tenant, scope, bot, expires_ms, texts } = caller.grant;
    Json(Me { tenant: tenant.map(|it| it.0), scope, bot: bot.map(|it| it.0), texts, expires_ms })
}

/// The tokens of a tenant; of the tenant `operator`: those that reach all.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/tokens", tag = "tokens",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Token>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Token>>, Problem> {
    let allowed = of.may(Permission::ManageTokens, None)?;
    let all = allowed.tenancy().tokens_of(&allowed.tenant).into_iter();
    let all = all.map(|(id, record)| about(id, record)).collect();
    Ok(Json(Page::of(all, &paging, |token| &token.id)))
}

/// Make a token. Nobody gives away more than they have.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/tokens", tag = "tokens",
    params(("tenant" = String, Path)), request_body = NewToken,
    responses((status = 201, body = Shown), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    of: OfTenant,
    Json(new): Json<NewToken>,
) -> Result<(StatusCode, Json<Shown>), Problem> {
    let bot = new.bot.map(BotId);
    let allowed = of.may(Permission::ManageTokens, bot.as_ref())?;
    let of_host = allowed.tenant.as_str() == OPERATOR;
    let grant = Grant {
        tenant: (!of_host).then(|| allowed.tenant.clone()),
        scope: new.scope,
        bot,
        expires_ms: new.expires_ms,
        texts: new.texts,
    };
    if of_host && grant.scope != Scope::Operator || !of_host && grant.scope == Scope::Operator {
        let detail = "tokens of the tenant `operator` have the scope `operator`, and no others do";
        return Err(Problem::bad(detail));
    }
    if !allowed.grant.includes(&grant) {
        let detail = "a token gives no more than the one that makes it: ask for less";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let made = allowed.tenancy().put_token(grant, new.label, &allowed.stamp).await?;
    Ok((StatusCode::CREATED, Json(shown(made))))
}

/// Take a token away.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/tokens/{token}", tag = "tokens",
    params(("tenant" = String, Path), ("token" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn revoke(
    of: OfTenant,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ManageTokens, None)?;
    allowed.tenancy().revoke_token(&allowed.tenant, &id, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a token another secret.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/tokens/{token}/rotate", tag = "tokens",
    params(("tenant" = String, Path), ("token" = String, Path)), request_body = Rotation,
    responses((status = 200, body = Shown), (status = "4XX", body = Problem)))]
pub(super) async fn rotate(
    of: OfTenant,
    Path((_, id)): Path<(String, String)>,
    Json(rotation): Json<Rotation>,
) -> Result<Json<Shown>, Problem> {
    // Whoever holds a token may change its secret: nobody gets more than they had.
    let own = of.caller.token.as_deref() == Some(id.as_str());
    let needs = if own { Permission::ReadObjects } else { Permission::ManageTokens };
    let bot = of.caller.grant.bot.clone().filter(|_| own);
    let allowed = of.may(needs, bot.as_ref())?;
    if rotation.overlap_ms > OVERLAP_MS_MAX {
        return Err(Problem::bad("`overlap_ms` is at most 30 days: 2592000000"));
    }
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let known = tenancy.token(tenant, &id).ok_or_else(Problem::not_found)?;
    if !own && !allowed.grant.includes(&known.grant) {
        let detail = "it is good for more than yours: only its holder, or who may do as much, \
                      gives it another secret";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let overlap_ms = rotation.overlap_ms;
    Ok(Json(shown(tenancy.rotate_token(tenant, &id, overlap_ms, &allowed.stamp).await?)))
}

fn shown((text, record): (TokenText, TokenRecord)) -> Shown {
    Shown { about: about(text.id().to_owned(), record), token: text.reveal() }
}

fn about(id: String, record: TokenRecord) -> Token {
    let TokenRecord { grant, label, created_ms, created_by, rotated_ms, .. } = record;
    let Grant { scope, bot, expires_ms, texts, .. } = grant;
    let bot = bot.map(|bot| bot.0);
    Token { id, scope, bot, texts, expires_ms, label, created_ms, created_by, rotated_ms }
}
