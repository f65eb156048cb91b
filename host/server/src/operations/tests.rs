use botyard_kernel::access::OPERATOR;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Outcome, SkipReason};
use botyard_store::{MemoryStore, Stamp};
use tokio::sync::oneshot;

use super::*;
use crate::app::scratch::{scratch, stamp, tenant, turn};
use crate::tenancy::{ChangeError, Who};

const OWNER: &str = "acme";

fn operations() -> Arc<Operations> {
    Operations::new(MemoryStore::new().store())
}

fn backup(into: &str) -> Task {
    Task::Backup { into: into.to_owned() }
}

fn erasure() -> Task {
    let who = Who::new(Some("ada@x.example".to_owned()), None, None);
    Durable::Erasure(who.unwrap()).into()
}

/// Begins what ends as it is told to.
async fn begun(
    operations: &Arc<Operations>,
    task: Task,
) -> Result<(Begun, oneshot::Sender<Result<Option<Value>, Problem>>), Problem> {
    let (tell, told) = oneshot::channel();
    let work = |report: Arc<Report>| async move {
        report.phase("copying");
        report.progress(1, Some(2));
        told.await.expect("somebody ends it")
    };
    Ok((operations.begin(&OWNER.into(), task, "test", work).await?, tell))
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_asked_for_twice_is_one_operation_until_it_ends() {
    let operations = operations();
    let (first, end) = begun(&operations, backup("/a")).await.unwrap();
    let (second, _) = begun(&operations, backup("/a")).await.unwrap();
    let (other, _end) = begun(&operations, backup("/b")).await.unwrap();
    assert_eq!(first.id, second.id);
    assert_ne!(first.id, other.id);
    let elsewhere = operations.same(&"other".into(), &backup("/a")).await;
    assert!(elsewhere.is_none(), "it is another tenant's");
    end.send(Ok(Some(json!({ "pages": 2 })))).unwrap();
    let ended = second.within(LONG).await;
    assert_eq!((ended.is_done(), &ended.result), (true, &Some(json!({ "pages": 2 }))));
    while operations.same(&OWNER.into(), &backup("/a")).await.is_some() {
        tokio::task::yield_now().await;
    }
    let (third, _end) = begun(&operations, backup("/a")).await.unwrap();
    assert_ne!(first.id, third.id);
    // It can be asked for when it has ended.
    let found = operations.find(&OWNER.into(), &first.id).await.unwrap().unwrap();
    assert_eq!(found.phase, ended.phase);
    assert!(operations.find(&"other".into(), &first.id).await.unwrap().is_none());
}

#[tokio::test]
async fn how_far_it_is_can_be_asked_for_and_waited_for() {
    let operations = operations();
    let (begun, end) = begun(&operations, backup("/a")).await.unwrap();
    let id = begun.id.clone();
    let waited = begun.within(Duration::from_millis(200)).await;
    assert_eq!((waited.phase.as_str(), waited.is_ended()), ("copying", false));
    assert_eq!(waited.progress, Some(Progress { done: 1, total: Some(2) }));
    end.send(Err(Problem::new(Code::InUse, "it is not empty"))).unwrap();
    let same = operations.same(&OWNER.into(), &backup("/a")).await.unwrap();
    assert!(!same.within(LONG).await.is_done());
    let failed = operations.find(&OWNER.into(), &id).await.unwrap().unwrap();
    assert_eq!(
        (failed.phase.as_str(), &failed.problem.unwrap()["code"]),
        ("failed", &json!("in-use"))
    );
}

#[tokio::test]
async fn what_breaks_down_has_failed_and_can_be_asked_for_again() {
    let operations = operations();
    let broken = |_| async { panic!("on purpose") };
    let owner = TenantId::from(OWNER);
    let begun = operations.begin(&owner, backup("/a"), "test", broken).await.unwrap();
    let failed = begun.within(LONG).await;
    assert_eq!(failed.problem.unwrap()["code"], "host-fault");
    while operations.same(&owner, &backup("/a")).await.is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tenant_has_so_many_at_once() {
    let operations = operations();
    let most = Limit::OperationsAtOnce.preset_size();
    let mut ends = Vec::new();
    for number in 0..most {
        ends.push(begun(&operations, backup(&number.to_string())).await.unwrap());
    }
    let Err(refused) = begun(&operations, backup("more")).await else { panic!("one too many") };
    assert_eq!((refused.code, refused.retry_after_s), ("over-limit", Some(RETRY_AFTER_S)));
    assert!(begun(&operations, backup("0")).await.is_ok(), "it is under way already");
}

#[tokio::test]
async fn what_was_promised_is_found_until_it_is_done_and_nothing_of_a_tenant_that_is_gone() {
    let operations = operations();
    let host = operations.store.host();
    let notes = async || host.notes(kept::KIND, None, 9, clock::now()).await.unwrap();
    let promised = async || kept::unfinished(notes().await).count();
    let (_, end) = begun(&operations, erasure()).await.unwrap();
    let (_begun, _end) = begun(&operations, backup("/a")).await.unwrap();
    assert_eq!(promised().await, 1, "a copy does not go on by itself");
    let same = operations.same(&OWNER.into(), &erasure()).await.unwrap();
    end.send(Ok(None)).unwrap();
    assert!(same.within(LONG).await.is_done());
    assert_eq!(promised().await, 0);

    let (begun, end) = begun(&operations, erasure()).await.unwrap();
    let stamp = Stamp { at_ms: 1, actor: "test".to_owned() };
    host.delete_tenant(&OWNER.into(), &stamp, |_| ()).await.unwrap();
    end.send(Ok(None)).unwrap();
    assert!(begun.within(LONG).await.is_done());
    assert!(!host.keeps_any(&OWNER.into(), clock::now()).await.unwrap(), "its name is free");
}

/// What an earlier run of a host has noted and not done.
async fn promised(operations: &Operations, owner: &str, durable: Durable) -> String {
    let (id, store) = ("op_1".to_owned(), operations.store.tenant(&owner.into()));
    Kept::begun(durable.into(), "token 7").put(&store, &id).await.unwrap();
    id
}

async fn done(operations: &Operations, owner: &str, id: &str) {
    let until = tokio::time::Instant::now() + LONG;
    while !operations.find(&owner.into(), id).await.unwrap().unwrap().is_done() {
        assert!(tokio::time::Instant::now() < until, "it is not done");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_erasure_that_was_promised_goes_on_after_a_restart() {
    let (app, _directory) = scratch("").await;
    tenant(&app, OWNER, json!({})).await;
    let store = app.tenancy.store_of(&OWNER.into());
    let key = |name: &str| ConversationKey {
        tenant: OWNER.into(),
        channel: "web".into(),
        vendor_key: name.to_owned(),
    };
    for (name, email) in [("a", "ada@x.example"), ("b", "eve@x.example"), ("c", "ada@x.example")] {
        let mut said = turn(Outcome::Skipped(SkipReason::NotOwner));
        said.state.facts.contact.email = Some(email.to_owned());
        store.commit(&key(name), &said).await.unwrap();
    }
    let who = Who::new(Some("ada@x.example".to_owned()), None, None).unwrap();
    let id = promised(&app.operations, OWNER, Durable::Erasure(who)).await;
    resume(&app.operations, &app.tenancy).await.unwrap();
    done(&app.operations, OWNER, &id).await;
    let mut left = Vec::new();
    for name in ["a", "b", "c"] {
        left.push(store.summary(&key(name)).await.unwrap().is_some());
    }
    assert_eq!(left, [false, true, false]);
    let rows = store.audit(0, 100).await.unwrap().into_iter();
    let erased: Vec<_> = rows.filter(|row| row.action == "erase").map(|row| row.actor).collect();
    assert_eq!(erased, ["token 7", "token 7"], "in the name of whoever asked");
}

#[tokio::test]
async fn a_tenant_whose_deletion_was_promised_is_not_there_when_a_host_starts() {
    let (app, _directory) = scratch("").await;
    tenant(&app, OWNER, json!({})).await;
    let id = promised(&app.operations, OPERATOR, Durable::TenantDeletion(OWNER.into())).await;
    // As a start does it, before anything of a tenant runs.
    assert_eq!(deletions(&app.tenancy).await, Ok(vec![OWNER.into()]));
    app.tenancy.begin_deleting(&OWNER.into());
    let found = app.tenancy.tenant(&OWNER.into()).await;
    assert!(matches!(found, Err(ChangeError::NotFound)), "{found:?}");
    let made = app.tenancy.create_tenant(&OWNER.into(), Default::default(), &stamp()).await;
    assert!(matches!(made, Err(ChangeError::InUse(_))), "{made:?}");
    resume(&app.operations, &app.tenancy).await.unwrap();
    done(&app.operations, OPERATOR, &id).await;
    assert_eq!(deletions(&app.tenancy).await, Ok(Vec::new()));
    tenant(&app, OWNER, json!({})).await;
}

#[tokio::test]
async fn what_the_settings_file_has_again_is_not_taken_away() {
    let (app, _directory) = scratch("[tenants.acme]\n").await;
    let id = promised(&app.operations, OPERATOR, Durable::TenantDeletion("acme".into())).await;
    app.tenancy.begin_deleting(&"acme".into());
    resume(&app.operations, &app.tenancy).await.unwrap();
    let owner = TenantId::from(OPERATOR);
    let failed = async || app.operations.find(&owner, &id).await.unwrap().unwrap();
    while !failed().await.is_ended() {
        tokio::task::yield_now().await;
    }
    assert_eq!(failed().await.problem.unwrap()["code"], "managed-by-settings");
    app.tenancy.tenant(&"acme".into()).await.unwrap();
}
