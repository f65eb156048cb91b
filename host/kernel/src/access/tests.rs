use proptest::prelude::*;

use super::*;

fn token(tenant: Option<&str>, scope: Scope, bot: Option<&str>) -> Grant {
    Grant {
        tenant: tenant.map(Into::into),
        scope,
        bot: bot.map(Into::into),
        expires_ms: None,
        texts: Texts::Full,
    }
}

fn may(
    grant: &Grant,
    permission: Permission,
    tenant: &str,
    bot: Option<&str>,
) -> Result<(), Denied> {
    grant.permits(permission, &tenant.into(), bot.map(Into::into).as_ref(), 1_000)
}

#[test]
fn each_scope_may_do_what_the_table_says_and_what_smaller_ones_may() {
    let counts = Scope::ALL.map(|scope| {
        let grant = token(Some("demo"), scope, None);
        let allowed = |permission: &&Permission| may(&grant, **permission, "demo", None).is_ok();
        Permission::ALL.iter().filter(allowed).count()
    });
    assert_eq!(counts, [2, 8, 17, 20]);
    assert!(Scope::ALL.is_sorted());
    let read = token(Some("demo"), Scope::Read, None);
    let denied = may(&read, Permission::ManageSecrets, "demo", None).unwrap_err();
    assert_eq!(denied, Denied::Forbidden { needs: Scope::Admin });
    assert!(denied.to_string().contains("`admin`"), "{denied}");
}

#[test]
fn every_permission_is_listed_once() {
    let names: std::collections::BTreeSet<String> =
        Permission::ALL.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
    assert_eq!(names.len(), Permission::ALL.len());
}

#[test]
fn what_is_another_tenants_is_not_there_whatever_is_asked() {
    let grant = token(Some("demo"), Scope::Admin, None);
    for permission in Permission::ALL {
        assert_eq!(may(&grant, permission, "other", None), Err(Denied::NotFound));
        assert_eq!(may(&grant, permission, OPERATOR, Some("shared")), Err(Denied::NotFound));
    }
}

#[test]
fn a_token_for_a_bot_reaches_nothing_else() {
    let grant = token(Some("demo"), Scope::Admin, Some("lead"));
    assert_eq!(may(&grant, Permission::Upload, "demo", Some("lead")), Ok(()));
    assert_eq!(may(&grant, Permission::Upload, "demo", Some("orders")), Err(Denied::NotFound));
    assert_eq!(may(&grant, Permission::ManageSecrets, "demo", None), Err(Denied::NotFound));
}

#[test]
fn the_operator_reaches_all_and_nobody_else_does_by_leaving_out_the_tenant() {
    let operator = token(None, Scope::Operator, None);
    assert_eq!(may(&operator, Permission::ManageTenants, "any", None), Ok(()));
    for scope in [Scope::Read, Scope::Deploy, Scope::Admin] {
        let grant = token(None, scope, None);
        assert_eq!(may(&grant, Permission::ReadObjects, "any", None), Err(Denied::NotFound));
    }
}

#[test]
fn a_token_ends_at_its_time() {
    let grant = Grant { expires_ms: Some(1_000), ..token(Some("demo"), Scope::Admin, None) };
    let at = |now| grant.permits(Permission::ReadObjects, &"demo".into(), None, now);
    assert_eq!((at(999), at(1_000)), (Ok(()), Err(Denied::Expired)));
    let foreign = grant.permits(Permission::ReadObjects, &"other".into(), None, 1_000);
    assert_eq!(foreign, Err(Denied::Expired), "it tells nothing any more");
}

#[test]
fn texts_are_shown_to_whom_they_are_granted() {
    let grant = token(Some("demo"), Scope::Admin, None);
    assert_eq!(may(&grant, Permission::ReadTexts, "demo", None), Ok(()));
    let redacted = Grant { texts: Texts::Redacted, ..grant };
    assert_eq!(may(&redacted, Permission::ReadTexts, "demo", None), Err(Denied::Redacted));
    assert_eq!(may(&redacted, Permission::ReadObjects, "demo", None), Ok(()));
    let read: Grant = serde_json::from_str(r#"{"tenant":"demo","scope":"read"}"#).unwrap();
    assert_eq!(read.texts, Texts::Redacted, "what is not said is not shown");
}

#[test]
fn nobody_makes_a_token_that_is_good_for_more_than_theirs() {
    let admin = token(Some("demo"), Scope::Admin, None);
    let redacted = Grant { texts: Texts::Redacted, ..admin.clone() };
    let of_bot = token(Some("demo"), Scope::Admin, Some("lead"));
    let operator = token(None, Scope::Operator, None);
    let table = [
        (&admin, &of_bot, true),
        (&admin, &redacted, true),
        (&redacted, &admin, false),
        (&of_bot, &admin, false),
        (&of_bot, &token(Some("demo"), Scope::Read, Some("orders")), false),
        (&admin, &token(Some("other"), Scope::Read, None), false),
        (&admin, &token(None, Scope::Read, None), false),
        (&admin, &token(Some("demo"), Scope::Operator, None), false),
        (&operator, &operator, true),
        (&operator, &admin, true),
    ];
    for (own, other, expected) in table {
        assert_eq!(own.includes(other), expected, "{own:?} makes {other:?}");
    }
}

fn grants() -> impl Strategy<Value = Grant> {
    let name = || prop::option::of("[ab]");
    let scope = prop::sample::select(Scope::ALL.to_vec());
    let expires = prop::option::of(0_u64..2_000);
    (name(), scope, name(), expires, any::<bool>()).prop_map(
        |(tenant, scope, bot, expires_ms, full)| Grant {
            tenant: tenant.map(Into::into),
            scope,
            bot: bot.map(Into::into),
            expires_ms,
            texts: if full { Texts::Full } else { Texts::Redacted },
        },
    )
}

proptest! {
    /// No token ever reaches another tenant's object, and what it does not reach does
    /// not even say that it is there.
    #[test]
    fn no_token_reaches_another_tenant(
        grant in grants(), at in 0..Permission::ALL.len(), bot in prop::option::of("[ab]"), now in 0_u64..2_000,
    ) {
        let permission = Permission::ALL[at];
        let bot = bot.map(BotId::from);
        let there = grant.permits(permission, &"c".into(), bot.as_ref(), now);
        if grant.tenant.is_some() || grant.scope < Scope::Operator {
            prop_assert!(matches!(there, Err(Denied::NotFound | Denied::Expired)), "{:?}", there);
        }
    }

    /// A token that another one may make is good for nothing that the other is not.
    #[test]
    fn what_is_included_may_do_no_more(
        own in grants(), other in grants(), at in 0..Permission::ALL.len(),
        tenant in "[abc]", bot in prop::option::of("[abc]"),
    ) {
        let (tenant, bot) = (TenantId::from(tenant), bot.map(BotId::from));
        let may = |grant: &Grant| {
            let for_ever = Grant { expires_ms: None, ..grant.clone() };
            for_ever.permits(Permission::ALL[at], &tenant, bot.as_ref(), 0).is_ok()
        };
        if own.includes(&other) && may(&other) {
            prop_assert!(may(&own));
        }
    }
}
