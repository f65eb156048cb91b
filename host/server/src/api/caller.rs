//! Who asks, and for which tenant: no handler gets at a tenant's store but through here.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use botyard_kernel::access::{Denied, Grant, OPERATOR, Permission, Scope, Texts};
use botyard_kernel::id::{BotId, TenantId};
use botyard_store::{Stamp, TenantStore};
use http::header::AUTHORIZATION;
use serde_json::Value;

use super::problem::{Code, Problem};
use crate::app::App;
use crate::clock;
use crate::tenancy::Tenancy;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What they may do.
    pub grant: Grant,
    /// How the audit names them.
    pub actor: String,
    /// The token's id; absent for the operator at the host's own socket.
    pub token: Option<String>,
}

/// Whoever speaks through the host's own socket is its operator.
#[derive(Clone, Debug)]
pub struct AtSocket(pub String);

impl Caller {
    /// Fails where the caller may not do this with the host as a whole.
    ///
    /// # Errors
    /// [`Code::Forbidden`] and the like.
    pub fn may(&self, permission: Permission) -> Result<(), Problem> {
        Ok(self.grant.permits(permission, &OPERATOR.into(), None, clock::now())?)
    }

    /// The caller's mark on a change.
    pub fn stamp(&self) -> Stamp {
        Stamp { at_ms: clock::now(), actor: self.actor.clone() }
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if let Some(AtSocket(actor)) = parts.extensions.get::<AtSocket>() {
            let grant = Grant {
                tenant: None,
                scope: Scope::Operator,
                bot: None,
                expires_ms: None,
                texts: Texts::Full,
            };
            return Ok(Self { grant, actor: actor.clone(), token: None });
        }
        let shown = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let text = shown.and_then(|shown| shown.strip_prefix("Bearer "));
        let holder = text.and_then(|text| app.tenancy.holder(text.trim()));
        let unknown = || {
            let detail = "show a token of this host: `Authorization: Bearer botyard_…`";
            Problem::new(Code::Unauthorized, detail)
        };
        let holder = holder.ok_or_else(unknown)?;
        if holder.grant.expires_ms.is_some_and(|at| at <= clock::now()) {
            return Err(Denied::Expired.into());
        }
        let actor = format!("token {}", holder.id);
        Ok(Self { grant: holder.grant, actor, token: Some(holder.id) })
    }
}

/// A tenant that a path names, and who asks for it.
pub(super) struct OfTenant {
    app: Arc<App>,
    tenant: TenantId,
    /// Who asks.
    pub(super) caller: Caller,
}

/// A tenant's things, for whoever may do with them what was asked.
pub(super) struct Allowed {
    /// The host.
    pub(super) app: Arc<App>,
    /// Whose.
    pub(super) tenant: TenantId,
    /// The caller's mark on a change.
    pub(super) stamp: Stamp,
    /// What the caller may do.
    pub(super) grant: Grant,
    /// The id of the token that is shown, if one is.
    pub(super) token: Option<String>,
}

impl OfTenant {
    /// The tenant's things, if the caller may do this with them: with one bot's, or with
    /// those that belong to no bot.
    ///
    /// # Errors
    /// What the caller does not reach is not there.
    pub(super) fn may(
        self,
        permission: Permission,
        bot: Option<&BotId>,
    ) -> Result<Allowed, Problem> {
        let Self { app, tenant, caller } = self;
        caller.grant.permits(permission, &tenant, bot, clock::now())?;
        let stamp = caller.stamp();
        Ok(Allowed { app, tenant, stamp, grant: caller.grant, token: caller.token })
    }
}

impl Allowed {
    /// Fails where the caller may not do this besides.
    ///
    /// # Errors
    /// As [`OfTenant::may`].
    pub(super) fn also(&self, permission: Permission) -> Result<(), Problem> {
        Ok(self.grant.permits(permission, &self.tenant, None, clock::now())?)
    }

    /// Tenants and what they have.
    pub(super) fn tenancy(&self) -> &Arc<Tenancy> {
        &self.app.tenancy
    }

    /// What the catalog and the log have of the tenant.
    pub(super) fn store(&self) -> TenantStore {
        self.app.tenancy.store_of(&self.tenant)
    }

    /// What is set, for whoever may set it: keys of services may stand there openly.
    pub(super) fn settings(&self, settings: Value) -> Option<Value> {
        (self.grant.scope >= Scope::Admin).then_some(settings)
    }

    /// Whether people's texts are shown to the caller.
    pub(super) fn shows_texts(&self) -> bool {
        self.grant.texts == Texts::Full
    }
}

impl FromRequestParts<Arc<App>> for OfTenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, app).await;
        let Path(mut path) = path.map_err(|error| Problem::bad(error.body_text()))?;
        let tenant = TenantId(path.remove("tenant").ok_or_else(Problem::not_found)?);
        // A tenant that is not there looks to everybody like one that they do not reach.
        app.tenancy.tenant(&tenant).await?;
        Ok(Self { app: Arc::clone(app), tenant, caller })
    }
}
