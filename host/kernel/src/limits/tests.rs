use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::quota::{self, Account, Load};

fn set(limits: &mut Limits, limit: Limit, value: u64, by: Scope) -> Result<(), NotYours> {
    limits.set(limit, Some(value), by)
}

#[test]
fn every_limit_has_a_name_of_its_own_and_says_what_it_is() {
    let names: BTreeSet<&str> = Limit::ALL.iter().map(|limit| limit.row().name).collect();
    assert_eq!(names.len(), Limit::ALL.len());
    for limit in Limit::ALL {
        let row = limit.row();
        assert!(row.what.ends_with('.') && !row.enforced_by.is_empty(), "{limit}");
        assert!(row.default.is_some() || row.change == Change::Tenant, "{limit}: who sets it?");
        assert_eq!(serde_json::to_value(limit).unwrap(), row.name, "one name everywhere");
    }
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let defaults = Limits::default();
    for (limit, expected) in [
        (Limit::NativeCpuMs, 50),
        (Limit::InterpretedCpuMs, 150),
        (Limit::NativeWallMs, 2_000),
        (Limit::NativeWallWithCallsMs, 10_000),
        (Limit::NativeMemoryBytes, 33_554_432),
        (Limit::InterpretedMemoryBytes, 134_217_728),
        (Limit::NativeStackBytes, 262_144),
        (Limit::InterpretedStackBytes, 1_048_576),
        (Limit::TurnActions, 32),
        (Limit::TurnResultBytes, 65_536),
        (Limit::TurnTextCharacters, 5_000),
        (Limit::TurnCalls, 8),
        (Limit::CallBodyBytes, 1_048_576),
        (Limit::TurnLogBytes, 16_384),
        (Limit::BotValuesBytes, 16_777_216),
        (Limit::ConversationValuesBytes, 65_536),
        (Limit::NativeComponentBytes, 8_388_608),
        (Limit::InterpretedComponentBytes, 33_554_432),
        (Limit::ConversationTurnsPerMinute, 600),
        (Limit::ConversationUnpromptedPerMinute, 30),
    ] {
        assert_eq!(defaults.value(limit), Some(expected), "{limit}");
    }
    assert_eq!(defaults.value(Limit::TurnsPerSecond), None);
}

#[test]
fn rates_are_those_of_a_minute() {
    for rate in [crate::lane::TURN_RATE, crate::lane::UNPROMPTED_RATE] {
        assert_eq!(rate.window_ms, crate::time::MINUTE);
    }
}

#[test]
fn a_tenant_lowers_and_the_operator_raises() {
    let mut limits = Limits::default();
    let bots = Limit::Bots;
    assert_eq!(set(&mut limits, bots, 50, Scope::Admin), Ok(()));
    assert_eq!(limits.value(bots), Some(50));
    let refused = set(&mut limits, bots, 101, Scope::Admin).unwrap_err();
    assert_eq!(refused, NotYours::Raise { limit: bots, wanted: 101, given: 100 });
    assert_eq!(set(&mut limits, bots, 500, Scope::Operator), Ok(()));
    assert_eq!(limits.value(bots), Some(50), "the tenant's own word still counts");
    assert_eq!(limits.set(bots, None, Scope::Admin), Ok(()));
    assert_eq!(limits.value(bots), Some(500));
    assert_eq!(set(&mut limits, bots, 10, Scope::Operator), Ok(()), "an operator lowers, too");
    assert_eq!(limits.value(bots), Some(10));
    assert_eq!(set(&mut limits, bots, 5, Scope::Deploy), Err(NotYours::Scope { limit: bots }));
    assert_eq!(set(&mut limits, Limit::TurnsPerSecond, 5, Scope::Admin), Ok(()));
    assert_eq!(limits.value(Limit::TurnsPerSecond), Some(5));
}

#[test]
fn what_only_slows_is_not_set_to_nothing() {
    let mut limits = Limits::default();
    for limit in [Limit::TurnsPerSecond, Limit::CpuMsPerSecond, Limit::TurnsAtOnce] {
        for by in [Scope::Admin, Scope::Operator] {
            let refused = set(&mut limits, limit, 0, by).unwrap_err();
            assert!(refused.to_string().contains("at least 1"), "{refused}");
            assert_eq!(limits.value(limit), None);
            assert_eq!(set(&mut limits, limit, 1, by), Ok(()));
            assert_eq!(limits.set(limit, None, by), Ok(()));
        }
    }
    assert_eq!(set(&mut limits, Limit::EventsPerSecond, 0, Scope::Admin), Ok(()), "it refuses");
}

#[test]
fn a_turn_is_held_to_the_least_of_what_its_kind_and_its_tenant_have() {
    let mut limits = Limits::default();
    assert_eq!(limits.of_turns(), TurnBounds::default());
    let kind = Bound::of_kind(Limit::NativeCpuMs, 50);
    assert!(!kind.lowered(None).is_tenants());
    let cpu = |limits: &Limits| kind.lowered(limits.of_turns().cpu_ms);

    assert_eq!(set(&mut limits, Limit::TurnCpuMs, 80, Scope::Operator), Ok(()));
    assert_eq!(cpu(&limits), kind, "a tenant has never more than its kind");
    assert_eq!(
        kind.to_string(),
        "limit `native.cpu-ms`: the operator may raise it, for all tenants"
    );
    let refused = set(&mut limits, Limit::TurnCpuMs, 81, Scope::Admin).unwrap_err();
    assert!(matches!(refused, NotYours::Raise { given: 80, .. }), "{refused}");

    assert_eq!(set(&mut limits, Limit::TurnCpuMs, 20, Scope::Operator), Ok(()));
    let said = cpu(&limits).to_string();
    assert_eq!(said, "limit `turn-cpu-ms`: the operator may raise it for the tenant");
    assert_eq!(set(&mut limits, Limit::TurnCpuMs, 10, Scope::Admin), Ok(()));
    let held = cpu(&limits);
    assert!(held.most == 10 && held.is_tenants());
    assert_eq!(held.to_string(), "limit `turn-cpu-ms`: an admin of the tenant may raise it");
}

#[test]
fn no_limit_of_turns_is_so_small_that_none_could_keep_it() {
    let mut limits = Limits::default();
    for (limit, least) in
        [(Limit::TurnCpuMs, 1), (Limit::TurnWallMs, 100), (Limit::TurnMemoryBytes, 65_536)]
    {
        let refused = set(&mut limits, limit, least - 1, Scope::Operator).unwrap_err();
        assert!(refused.to_string().contains(&format!("at least {least}")), "{refused}");
        assert_eq!(set(&mut limits, limit, least, Scope::Admin), Ok(()));
    }
}

#[test]
fn what_is_the_same_for_all_is_not_set_for_one() {
    let mut limits = Limits::default();
    for limit in [Limit::TurnActions, Limit::NativeWallMs] {
        let refused = set(&mut limits, limit, 1, Scope::Operator).unwrap_err();
        assert!(refused.to_string().contains("same for all tenants"), "{refused}");
    }
    let values: Values = [(Limit::TurnActions, 99), (Limit::NativeWallMs, 99)].into();
    let forced = Limits { host: values.clone(), tenant: values.clone(), own: values };
    assert_eq!(forced.value(Limit::TurnActions), Some(32), "whatever is stored");
    assert_eq!(forced.value(Limit::NativeWallMs), Some(99), "the host's word");
}

#[test]
fn a_refusal_says_which_limit_how_much_and_when_to_come_again() {
    let limits = Limits::default();
    assert_eq!(limits.check(Limit::Bots, (99, 1), None), Ok(()));
    let said = |limit, of, after| limits.check(limit, of, after).unwrap_err().to_string();
    let room = "the limit `bots` is 100; 100 are used, this would make 101: make room, or ask the \
                operator to raise it";
    assert_eq!(said(Limit::Bots, (100, 1), None), room);
    let later = "the limit `calls-per-minute` is 6000; 5999 are used, this would make 6001: come \
                 again in 12 s, or ask the operator to raise it";
    assert_eq!(said(Limit::CallsPerMinute, (5_999, 2), Some(12)), later);
    assert!(said(Limit::TurnActions, (0, 33), None).ends_with("ask for less"));
    let all = (u64::MAX, u64::MAX);
    assert_eq!(limits.check(Limit::TurnsPerSecond, all, None), Ok(()), "nothing is bounded");
}

/// Bytes do not say what to take away.
#[test]
fn whoever_has_no_storage_left_reads_how_to_make_room() {
    let limits = Limits::default();
    let used = Limit::StorageBytes.preset();
    let said = |after| limits.check(Limit::StorageBytes, (used, 9), after).unwrap_err().to_string();
    let told = "the limit `storage-bytes` is 10737418240; 10737418240 are used, this would make \
                10737418249: ";
    let room = "take away versions and bots that nobody needs, keep conversations for less time \
                (`retention`), or ask the operator to raise it";
    assert_eq!(said(None), format!("{told}{room}"));
    assert_eq!(said(Some(60)), format!("{told}come again in 60 s, {room}"));
}

#[test]
fn refusals_of_the_backlog_name_limits_of_the_table() {
    let bounds = Load { requests: 1, events: 1, bytes: 1 };
    let loads = [
        (Load { requests: 1, ..Load::default() }, Limit::BacklogRequests),
        (Load { events: 1, ..Load::default() }, Limit::BacklogEvents),
        (Load { bytes: 1, ..Load::default() }, Limit::BacklogBytes),
    ];
    let host = Account { load: Load::default(), bounds, drained_per_second: 1 };
    for (load, limit) in loads {
        let tenant = Account { load, ..host };
        assert_eq!(quota::admit(&tenant, &host, 1).unwrap_err().limit(), limit);
    }
}

proptest! {
    /// Whatever a tenant sets, it has no more than the operator gives.
    #[test]
    fn a_tenant_never_has_more_than_it_is_given(
        sets in prop::collection::vec((0..Limit::ALL.len(), prop::option::of(0_u64..200_000)), 0..40),
        host in 0_u64..200_000,
    ) {
        let host: Values = Limit::ALL.iter().map(|limit| (*limit, host)).collect();
        let given = Limits { host, ..Limits::default() };
        let mut limits = given.clone();
        for (at, value) in sets {
            let _ = limits.set(Limit::ALL[at], value, Scope::Admin);
            for limit in Limit::ALL {
                prop_assert!(limits.value(*limit) <= given.value(*limit));
            }
        }
        let text = serde_json::to_string(&limits).unwrap();
        prop_assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
    }
}
