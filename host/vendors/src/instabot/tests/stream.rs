//! Stream ids: made here, and nowhere else.

use std::collections::BTreeSet;

use botyard_kernel::session::Seed;
use proptest::prelude::*;

use super::super::stream::{StreamKeys, new_name};
use super::{BOT_ID, CHANCE, NAME, STREAM, STREAM_SECRET};

const OTHER_SECRET: &str = "another secret of 32 bytes, longer";

fn keys(secrets: &[&str], bot_id: u64) -> StreamKeys {
    let secrets: Vec<_> = secrets.iter().map(|&secret| secret.to_owned()).collect();
    StreamKeys::new(&secrets, bot_id).expect("keys")
}

#[test]
fn the_same_secret_and_chance_always_make_the_same_id() {
    let keys = keys(&[STREAM_SECRET], BOT_ID);
    assert_eq!(new_name(CHANCE), NAME);
    assert_eq!(keys.sign(NAME), STREAM);
    assert_eq!(keys.name(STREAM), Some(NAME));
}

#[test]
fn an_id_is_good_for_one_bot_and_one_secret() {
    assert!(keys(&[STREAM_SECRET], BOT_ID + 1).name(STREAM).is_none());
    assert!(keys(&[OTHER_SECRET], BOT_ID).name(STREAM).is_none());
    assert_ne!(keys(&[OTHER_SECRET], BOT_ID).sign(NAME), STREAM);
}

#[test]
fn while_the_secret_is_changed_the_new_one_makes_and_both_know() {
    let (old, new) = (keys(&[STREAM_SECRET], BOT_ID), keys(&[OTHER_SECRET], BOT_ID));
    let both = keys(&[OTHER_SECRET, STREAM_SECRET], BOT_ID);
    assert!(both.name(STREAM).is_some());
    let made = both.sign(NAME);
    assert!(new.name(&made).is_some() && both.name(&made).is_some() && old.name(&made).is_none());
}

#[test]
fn no_digit_can_be_changed() {
    let keys = keys(&[STREAM_SECRET], BOT_ID);
    for at in 0..STREAM.len() {
        for digit in "0123456789 a".chars().filter(|digit| !STREAM[at..].starts_with(*digit)) {
            let mut forged = STREAM.to_owned();
            forged.replace_range(at..=at, &digit.to_string());
            assert!(keys.name(&forged).is_none(), "{forged}");
        }
    }
}

#[test]
fn anything_else_is_none() {
    let keys = keys(&[STREAM_SECRET], BOT_ID);
    let half = &STREAM[..20];
    let rows = [
        String::new(),
        "478158890".to_owned(),
        half.to_owned(),
        format!("{STREAM}0"),
        format!("0{STREAM}"),
        format!(" {STREAM}"),
        format!("{half}{half}"),
        // 40 bytes that cannot be cut in the middle.
        "é".repeat(20),
        format!("a{}a", "é".repeat(19)),
    ];
    for stream_id in rows {
        assert!(keys.name(&stream_id).is_none(), "{stream_id}");
    }
}

proptest! {
    #[test]
    fn ids_have_40_digits_and_are_known(chance: [u64; 4]) {
        let keys = keys(&[STREAM_SECRET], BOT_ID);
        let stream_id = keys.sign(&new_name(Seed(chance)));
        prop_assert_eq!(stream_id.len(), 40);
        prop_assert!(stream_id.bytes().all(|byte| byte.is_ascii_digit()));
        prop_assert!(keys.name(&stream_id).is_some());
    }

    #[test]
    fn other_chance_makes_other_ids(chances in prop::collection::btree_set(any::<[u64; 2]>(), 20)) {
        let keys = keys(&[STREAM_SECRET], BOT_ID);
        let ids: BTreeSet<_> = chances.iter().map(|[a, b]| keys.sign(&new_name(Seed([*a, *b, 0, 0])))).collect();
        prop_assert_eq!(ids.len(), chances.len());
    }

    #[test]
    fn no_text_is_known(text in "\\PC{0,60}|[0-9]{40}") {
        prop_assert!(keys(&[STREAM_SECRET], BOT_ID).name(&text).is_none());
    }
}
