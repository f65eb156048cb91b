//! What every engine must do. Each case gets an empty store of each engine.

mod archive;
mod catalog;
mod erasure;
pub(crate) mod given;
mod log;
mod notes;
mod random;
mod records;
mod values;
mod weight;

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
        blobs_are_kept_by_their_hash,
        blobs_that_nobody_needs_are_swept;
    records:
        several_records_change_at_once,
        changes_are_made_whole_or_not_at_all,
        records_are_listed_page_by_page,
        tenants_are_those_with_records,
        a_tenant_is_deleted_whole;
    notes:
        notes_come_back_until_they_end,
        of_many_new_notes_one_is_put,
        notes_are_listed_page_by_page,
        notes_are_weighed_by_kind_and_tenant,
        weights_of_notes_follow_every_change,
        additions_are_all_counted,
        ended_notes_are_swept_in_steps,
        a_large_note_is_refused;
    archive:
        conversations_are_listed_by_activity,
        conversations_of_a_person_are_read_page_by_page,
        events_are_read_by_their_places,
        a_conversation_says_how_it_stands,
        persons_are_found_by_key_and_address,
        turns_are_read_page_by_page,
        turns_of_a_bot_are_listed_by_time,
        news_of_a_bot_come_as_they_were_written;
    weight:
        what_a_tenant_keeps_is_known,
        what_goes_weighs_nothing;
    erasure:
        nothing_of_a_person_stays,
        an_erased_conversation_knows_its_events,
        whoever_is_still_at_work_has_a_conflict,
        what_is_settled_late_brings_no_words_back,
        an_erased_conversation_goes_on_as_a_new_one,
        a_letter_that_was_erased_is_not_sent_again,
        a_turn_just_before_an_erasure_is_of_before,
        idle_conversations_are_swept_in_steps,
        what_is_still_to_be_done_is_not_swept,
        what_was_erased_is_forgotten_after_a_day,
        old_entries_are_trimmed_and_needed_ones_stay,
        old_letters_go_with_their_entries;
}

/// Every engine's view of one tenant, for cases about what is shared.
fn acme(store: &Store) -> crate::TenantStore {
    store.tenant(&"acme".into())
}
