//! Option ids as numbers and back.

use proptest::prelude::*;
use serde_json::json;

use super::super::numbers::{option_id, token_number, whole};

/// The largest whole number that every JSON reader keeps.
const MOST: u64 = (1 << 53) - 1;

#[test]
fn numbers_stay_and_texts_get_one() {
    let rows = [
        ("0", 0, "0"),
        ("478137613", 478_137_613, "478137613"),
        ("4503599627370495", 4_503_599_627_370_495, "4503599627370495"),
        // The numbers of texts must stay: they wait in clients for a tap.
        ("yes", 5_148_590_195_469_670, "#5148590195469670"),
        ("", 7_058_491_690_823_162, "#7058491690823162"),
        ("007", 7_070_400_401_656_001, "#7070400401656001"),
        ("4503599627370496", 8_941_840_338_599_540, "#8941840338599540"),
    ];
    for (id, number, back) in rows {
        assert_eq!(token_number(id), number, "{id}");
        assert_eq!(option_id(i64::try_from(number).unwrap()), back, "{id}");
    }
}

#[test]
fn other_numbers_come_back_as_they_are() {
    assert_eq!(option_id(-5), "-5");
    assert_eq!(option_id(i64::MIN), i64::MIN.to_string());
    assert_eq!(option_id(i64::MAX), format!("#{}", i64::MAX));
}

#[test]
fn whole_numbers_are() {
    let rows = [
        (json!(478_137_613), Some(478_137_613)),
        (json!(478_137_613.0), Some(478_137_613)),
        (json!(-1), Some(-1)),
        (json!(i64::MAX), Some(i64::MAX)),
        (json!(u64::MAX), None),
        (json!(0.5), None),
        (json!(1e300), None),
        (json!(9_007_199_254_740_992.0), None),
        (json!("478137613"), None),
        (json!(true), None),
        (json!([1]), None),
    ];
    for (value, expect) in rows {
        assert_eq!(whole(&value), expect, "{value}");
    }
}

proptest! {
    #[test]
    fn every_id_has_a_number_that_comes_back(id in ".{0,40}|[0-9]{1,20}") {
        let number = token_number(&id);
        prop_assert!(number <= MOST);
        let float = number as f64;
        prop_assert_eq!(whole(&json!(float)), i64::try_from(number).ok());
        let back = option_id(i64::try_from(number).unwrap());
        prop_assert!(back == id || back == format!("#{number}") && number >= 1 << 52, "{back}");
    }

    #[test]
    fn other_ids_have_other_numbers(ids in prop::collection::btree_set(".{0,8}", 2..40)) {
        let numbers: std::collections::BTreeSet<_> = ids.iter().map(|id| token_number(id)).collect();
        prop_assert_eq!(numbers.len(), ids.len());
    }
}
