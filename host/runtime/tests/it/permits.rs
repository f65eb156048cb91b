//! The gate before the pool, with real turns behind it.

use botyard_kernel::id::TenantId;
use botyard_runtime::Services;

use crate::host::{Host, input, text};

#[tokio::test]
async fn a_full_pool_makes_turns_wait_and_never_fail() {
    let host = Host::start_with(|config| {
        config.native.slots = 2;
        config.guest_threads = 2;
    });
    let version = host.load("hostile").await;
    let mut turns = tokio::task::JoinSet::new();
    for index in 0..200 {
        let (runtime, version) = (host.runtime.clone(), version.clone());
        turns.spawn(async move {
            let tenant = TenantId(format!("tenant {}", index % 7));
            let permit = runtime.permit(&version, &tenant).await;
            let message = input(&format!("echo {index}"));
            let output = runtime.run(&version, permit, message, Services::default()).await;
            assert_eq!(text(&output), index.to_string());
        });
    }
    while let Some(turn) = turns.join_next().await {
        turn.expect("every turn succeeds");
    }
}

#[tokio::test]
async fn a_permit_comes_back_when_its_turn_has_ended() {
    let host = Host::start_with(|config| config.native.slots = 1);
    let version = host.load("hostile").await;
    let tenant = TenantId::from("tenant");
    let permit = host.runtime.try_permit(&version, &tenant).expect("one is free");
    assert!(host.runtime.try_permit(&version, &tenant).is_none());
    let output = host.runtime.run(&version, permit, input("panic"), Services::default()).await;
    assert!(output.result.is_err());
    assert!(host.runtime.try_permit(&version, &tenant).is_some());
}
