use proptest::prelude::*;

use super::*;
use crate::run::Blame;

fn hosts(hosts: &[&str]) -> BTreeSet<Pattern> {
    hosts.iter().map(|host| host.parse().unwrap()).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn powers(imports: &[&str], of: &[&str]) -> Powers {
    Powers { hosts: hosts(of), imports: names(imports) }
}

/// What a component with http has that wishes for these hosts, under a grant.
fn has(wishes: &[&str], grant: &[&str], policy: &Policy) -> Vec<String> {
    let (component, wishes) =
        (names(&["http", "log"]), Powers::with_hosts(hosts(wishes), names(&[])));
    let grant = powers(&["http"], grant);
    let sides = Sides { component: &component, wishes: Some(&wishes), grant: &grant, policy };
    sides.effective().hosts.iter().map(Pattern::to_string).collect()
}

#[test]
fn all_four_must_agree_on_an_import() {
    let http = powers(&["http"], &["a.test"]);
    let (with, without) = (names(&["http", "kv", "log"]), names(&["kv"]));
    let closed = Policy { imports: Some(names(&[])), ..Policy::default() };
    let (open, nothing) = (Policy::default(), Powers::default());
    let table = [
        (&with, &http, &http, &open, true),
        (&without, &http, &http, &open, false),
        (&with, &nothing, &http, &open, false),
        (&with, &http, &nothing, &open, false),
        (&with, &http, &http, &closed, false),
    ];
    for (component, wishes, grant, policy, expected) in table {
        let effective = Sides { component, wishes: Some(wishes), grant, policy }.effective();
        assert_eq!(effective.imports.contains(HTTP), expected);
        assert!(effective.imports.contains("kv"), "every bot has what reaches nothing");
        assert!(!effective.imports.contains("config"), "which it must import all the same");
    }
}

#[test]
fn a_host_is_as_narrow_as_the_narrowest_side() {
    let open = Policy::default();
    assert_eq!(has(&["*.a.test"], &["shop.a.test"], &open), ["shop.a.test"]);
    assert_eq!(has(&["shop.a.test"], &["*.a.test"], &open), ["shop.a.test"]);
    assert_eq!(has(&["*.a.test"], &["b.test"], &open), [""; 0]);
    let only = Policy { hosts: Some(hosts(&["x.a.test", "b.test"])), ..Policy::default() };
    assert_eq!(
        has(&["*.a.test", "b.test"], &["*.a.test", "b.test"], &only),
        ["b.test", "x.a.test"]
    );
    let forbidden = Policy { forbidden_hosts: hosts(&["*.a.test"]), ..Policy::default() };
    assert_eq!(has(&["shop.a.test", "a.test"], &["shop.a.test", "a.test"], &forbidden), ["a.test"]);
    let one = Policy { forbidden_hosts: hosts(&["x.a.test"]), ..Policy::default() };
    assert_eq!(
        has(&["*.a.test"], &["*.a.test"], &one),
        [""; 0],
        "it would reach the forbidden one"
    );
}

#[test]
fn a_forbidden_host_is_not_reached_by_a_port_or_a_name_under_it() {
    let forbidden =
        ["corp.test", "corp.test:8443", "x.corp.test", "*.corp.test", "a.x.corp.test:1"];
    let near = ["acorp.test", "corp.test.other.test"];
    let all = [&forbidden[..], &near].concat();
    let left = |no: &str, asked: &[&str]| {
        let policy = Policy { forbidden_hosts: hosts(&[no]), ..Policy::default() };
        has(asked, asked, &policy)
    };
    assert_eq!(left("corp.test", &all), near);
    let itself = ["acorp.test", "corp.test", "corp.test:8443", "corp.test.other.test"];
    assert_eq!(left("*.corp.test", &all), itself);
    let ports = ["corp.test", "corp.test:8443", "*.corp.test:8443", "x.corp.test:1"];
    assert_eq!(left("corp.test:8443", &ports), ["corp.test", "x.corp.test:1"]);
    assert_eq!(left("corp.test", &["*.other.corp.test:1", "192.0.2.1"]), ["192.0.2.1"]);
    assert_eq!(left("x.corp.test", &["*.corp.test:8443"]), [""; 0], "it would reach it");
}

#[test]
fn hosts_are_called_without_the_import_too() {
    let (component, wishes) = (names(&["log"]), powers(&["http"], &["a.test"]));
    let (grant, policy) = (powers(&["http"], &["a.test"]), Policy::default());
    let closed = Policy { imports: Some(names(&[])), ..Policy::default() };
    for policy in [policy, closed] {
        let wishes = Some(&wishes);
        let sides = Sides { component: &component, wishes, grant: &grant, policy: &policy };
        assert_eq!(sides.effective(), powers(&["log"], &["a.test"]));
        assert_eq!(sides.pending(), [], "what it does not import is nothing to wait for");
    }
}

#[test]
fn a_manifest_without_hosts_leaves_it_to_the_grant() {
    let component = names(&["http", "log"]);
    let (grant, nothing) = (powers(&["http"], &["a.test", "b.test"]), Powers::default());
    let policy = Policy { forbidden_hosts: hosts(&["b.test"]), ..Policy::default() };
    let sides = Sides { component: &component, wishes: None, grant: &grant, policy: &policy };
    assert_eq!(sides.effective(), powers(&["http", "log"], &["a.test"]));
    assert_eq!((sides.pending(), sides.unwished()), (vec![], vec![]));
    let sides = Sides { grant: &nothing, ..sides };
    assert_eq!(sides.effective(), powers(&["log"], &[]));
    assert_eq!((sides.pending(), sides.unwished()), (vec![], vec![]));
}

#[test]
fn a_refusal_names_the_side_that_says_no() {
    let component = names(&["http"]);
    let wishes = powers(&["http"], &["a.test", "b.test", "c.test"]);
    let grant = powers(&["http"], &["a.test", "b.test", "d.test"]);
    let policy = Policy { forbidden_hosts: hosts(&["b.test"]), ..Policy::default() };
    let wishes = Some(&wishes);
    let sides = Sides { component: &component, wishes, grant: &grant, policy: &policy };
    let rows = [
        ("a.test", None),
        ("b.test", Some(Refusal::Forbidden)),
        ("c.test", Some(Refusal::Ungranted)),
        ("d.test", Some(Refusal::Unwished)),
    ];
    for (host, expected) in rows {
        let refusal = sides.refusal(&Wish::Host(host.parse().unwrap()));
        assert_eq!(refusal, expected, "{host}");
    }
    let closed = Policy { imports: Some(names(&[])), ..policy.clone() };
    let http = Wish::Import(HTTP.to_owned());
    assert_eq!(sides.refusal(&http), None);
    assert_eq!(Sides { policy: &closed, ..sides }.refusal(&http), Some(Refusal::Forbidden));
    let blames = [Refusal::Unwished, Refusal::Ungranted, Refusal::Forbidden].map(Refusal::blame);
    assert_eq!(blames, [Blame::Bot, Blame::Tenant, Blame::Host]);
}

#[test]
fn of_two_policies_the_narrower_holds() {
    let policy = |hosts: Option<&[&str]>, imports: Option<&[&str]>, forbidden: &[&str]| Policy {
        hosts: hosts.map(self::hosts),
        forbidden_hosts: self::hosts(forbidden),
        imports: imports.map(names),
    };
    let one = policy(Some(&["*.a.test", "b.test"]), None, &["x.test"]);
    let two = policy(Some(&["shop.a.test", "c.test"]), Some(&["http"]), &["y.test"]);
    let both = policy(Some(&["shop.a.test"]), Some(&["http"]), &["x.test", "y.test"]);
    assert_eq!(one.and(&two), both);
    assert_eq!(two.and(&one), both);
    assert_eq!(one.and(&Policy::default()), one);
    let none = policy(None, Some(&["mail"]), &[]);
    assert_eq!(two.and(&none).imports, Some(names(&[])));
}

#[test]
fn a_wish_beyond_the_grant_names_who_may_approve_it() {
    let component = names(&["http", "log"]);
    let wishes =
        Powers::with_hosts(hosts(&["a.test", "b.test", "c.test", "d.test"]), names(&["log"]));
    let grant = powers(&["http"], &["a.test", "b.test"]);
    let policy = Policy { hosts: Some(hosts(&["a.test", "c.test"])), ..Policy::default() };
    let sides =
        Sides { component: &component, wishes: Some(&wishes), grant: &grant, policy: &policy };
    let said: Vec<String> = sides.pending().iter().map(Pending::to_string).collect();
    let expected = [
        "calls to b.test: granted, but the operator's policy does not allow it",
        "calls to c.test: an admin of the tenant may grant it",
        "calls to d.test: the operator's policy does not allow it; where it does, an admin of the \
         tenant may grant it",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_wish_that_is_covered_only_in_part_is_pending_and_has_its_part() {
    let (component, wishes) =
        (names(&["http"]), Powers::with_hosts(hosts(&["*.a.test"]), names(&[])));
    let (grant, policy) = (powers(&["http"], &["shop.a.test"]), Policy::default());
    let sides =
        Sides { component: &component, wishes: Some(&wishes), grant: &grant, policy: &policy };
    let wish = Wish::Host("*.a.test".parse().unwrap());
    assert_eq!(sides.pending(), [Pending { wish, approver: Approver::Tenant }]);
    assert_eq!(sides.effective().hosts, hosts(&["shop.a.test"]));
}

#[test]
fn an_import_without_a_wish_is_named() {
    let (component, wishes) = (names(&["http", "kv"]), Powers::default());
    let (grant, policy) = (powers(&["http"], &[]), Policy::default());
    let sides =
        Sides { component: &component, wishes: Some(&wishes), grant: &grant, policy: &policy };
    assert_eq!(sides.unwished(), ["http"]);
    assert!(sides.effective().imports.contains("kv") && !sides.effective().imports.contains(HTTP));
}

#[test]
fn only_what_is_new_is_shown_as_new() {
    let old = powers(&["http"], &["*.a.test", "b.test"]);
    let new = powers(&["http", "mail"], &["shop.a.test", "c.test"]);
    let said = diff(&old, &new);
    let texts = |wishes: &[Wish]| wishes.iter().map(Wish::to_string).collect::<Vec<_>>();
    assert_eq!(texts(&said.added), ["the import `mail`", "calls to c.test"]);
    assert_eq!(texts(&said.removed), ["calls to *.a.test", "calls to b.test"]);
    assert_eq!(diff(&old, &old), Diff::default());
}

#[test]
fn what_is_never_used_can_be_taken_away() {
    let granted = powers(&["http", "kv", "mail"], &["*.a.test", "b.test"]);
    let used = Used {
        hosts: [("shop.a.test", 3), ("x.a.test", 4), ("other.test", 9)]
            .map(|(host, count)| (host.parse().unwrap(), Use { count, last_ms: 10 * count }))
            .into(),
        imports: [("http".to_owned(), Use { count: 7, last_ms: 1 })].into(),
    };
    let report = used_against_granted(&granted, &used);
    let all = |(wish, of): &(Wish, Use)| format!("{wish} {} until {}", of.count, of.last_ms);
    let said: Vec<String> = report.used.iter().map(all).collect();
    assert_eq!(said, ["the import `http` 7 until 1", "calls to *.a.test 7 until 40"]);
    let unused: Vec<String> = report.unused.iter().map(Wish::to_string).collect();
    assert_eq!(unused, ["the import `mail`", "calls to b.test"]);
    assert_eq!(report.enough, powers(&["http"], &["shop.a.test", "x.a.test"]));
}

fn any_hosts() -> impl Strategy<Value = BTreeSet<Pattern>> {
    let host = "(\\*\\.)?([ab]\\.){0,2}x\\.test(:8443)?".prop_map(|text| text.parse().unwrap());
    prop::collection::btree_set(host, 0..4)
}

fn any_names() -> impl Strategy<Value = BTreeSet<String>> {
    let name = prop::sample::select(vec!["http", "kv", "log", "mail"]);
    prop::collection::btree_set(name.prop_map(str::to_owned), 0..4)
}

prop_compose! {
    fn any_policy()(
        hosts in prop::option::of(any_hosts()), forbidden_hosts in any_hosts(),
        imports in prop::option::of(any_names()),
    ) -> Policy {
        Policy { hosts, forbidden_hosts, imports }
    }
}

proptest! {
    /// Nothing is linked that one of the four has not said, and nothing that was wished
    /// for is missing without being told.
    #[test]
    fn nobody_has_more_than_all_say(
        component in any_names(), wishes in (any_hosts(), any_names()),
        grant in (any_hosts(), any_names()), policy in any_policy(),
    ) {
        let wishes = Powers::with_hosts(wishes.0, wishes.1);
        let grant = Powers { hosts: grant.0, imports: grant.1 };
        let sides = Sides { component: &component, wishes: Some(&wishes), grant: &grant, policy: &policy };
        let effective = sides.effective();
        prop_assert!(effective.imports.is_subset(&component));
        for wish in effective.each() {
            let basic = matches!(&wish, Wish::Import(it) if BASIC.contains(&it.as_str()));
            prop_assert!(basic || wishes.cover(&wish) && grant.cover(&wish) && policy.allows(&wish));
            if let Wish::Host(host) = &wish {
                prop_assert!(policy.forbidden_hosts.iter().all(|no| no.both(host).is_none()));
            }
        }
        if sides.pending().is_empty() && component.is_superset(&wishes.imports) {
            prop_assert!(wishes.each().all(|wish| effective.cover(&wish)));
        }
    }
}
