//! What every engine must do. Each case gets an empty store of each engine.

mod catalog;
pub(crate) mod given;
mod log;
mod random;
mod values;

use crate::{MemoryStore, SqliteStore, Store};

macro_rules! contract {
    ($($module:ident: $($case:ident),* $(,)?;)*) => {
        mod in_memory {
            $($(
                #[tokio::test]
                async fn $case() {
                    super::$module::$case(super::MemoryStore::new().store()).await;
                }
            )*)*
        }
        mod in_sqlite {
            $($(
                #[tokio::test]
                async fn $case() {
                    let directory = tempfile::tempdir().unwrap();
                    let sqlite = super::SqliteStore::open(directory.path()).unwrap();
                    super::$module::$case(sqlite.store()).await;
                }
            )*)*
        }
    };
}

contract! {
    log:
        events_keep_their_order,
        nothing_is_no_conversation,
        a_turn_consumes_what_it_names,
        a_turn_conflicts_with_another_turn,
        a_turn_is_written_once,
        a_fused_turn_conflicts_with_an_event,
        other_entries_are_no_conflict,
        a_settlement_after_the_snapshot_is_loaded,
        a_settlement_brings_its_events,
        calls_of_open_events_are_loaded,
        conversations_are_due_in_time,
        conversations_of_humans_are_listed,
        conversations_are_found_by_address,
        channels_are_looked_through_apart,
        dead_letters_stay_until_they_are_revived,
        a_limit_leaves_the_rest_for_later,
        entries_are_read_page_by_page,
        of_two_turns_one_wins,
        leases_are_held_until_they_end,
        what_is_too_large_is_refused,
        tenants_are_apart;
    values:
        writes_take_effect_in_order,
        a_turn_that_conflicts_writes_nothing,
        a_full_bot_keeps_its_turns,
        values_belong_to_a_tenant_and_a_bot;
    catalog:
        records_come_back,
        a_record_is_replaced_by_whoever_knows_it,
        every_change_leaves_a_row,
        a_changed_row_is_found,
        a_large_record_is_refused,
        blobs_are_kept_by_their_hash;
}

/// Every engine's view of one tenant, for cases about what is shared.
fn acme(store: &Store) -> crate::TenantStore {
    store.tenant(&"acme".into())
}
