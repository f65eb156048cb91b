use super::*;

fn get() -> CallRequest {
    CallRequest {
        method: "GET".to_owned(),
        url: "https://shop.example/orders/1".to_owned(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    }
}

fn with(change: impl FnOnce(&mut CallRequest)) -> CallRequest {
    let mut request = get();
    change(&mut request);
    request
}

fn header(name: &str, value: &str) -> Setting {
    Setting::new(name, value)
}

#[test]
fn answers_survive_being_written_down() {
    let headers = vec![header("content-type", "application/octet-stream")];
    let body = (0..=255).collect();
    let answers: [CallAnswer; 6] = [
        Ok(CallResponse { status: 503, headers, body }),
        Err(CallError::Denied("not on a list".to_owned())),
        Err(CallError::Timeout),
        Err(CallError::TooLarge),
        Err(CallError::Limit),
        Err(CallError::Other("broke off".to_owned())),
    ];
    for answer in answers {
        assert_eq!(read_answer(&write_answer(&answer)).unwrap(), answer);
    }
    assert!(read_answer("{}").is_err());
}

#[test]
fn everything_that_is_asked_for_is_in_the_digest() {
    let requests = [
        get(),
        with(|r| r.method = "HEAD".to_owned()),
        with(|r| r.url.push('2')),
        with(|r| r.headers = vec![header("a", "b")]),
        with(|r| r.headers = vec![header("ab", "")]),
        with(|r| r.body = Some(Vec::new())),
        with(|r| r.body = Some(b"x".to_vec())),
        with(|r| r.timeout_ms = Some(1)),
    ];
    for (n, one) in requests.iter().enumerate() {
        for other in &requests[..n] {
            assert_ne!(one.digest(), other.digest(), "{one:?} {other:?}");
        }
        assert_eq!(one.digest(), one.clone().digest());
    }
}

#[test]
fn what_no_server_should_get_is_refused_in_words() {
    let rows = [
        (with(|r| r.method = "TRACE".to_owned()), "method"),
        (with(|r| r.url = "x".repeat(CALL_URL_BYTES_MAX + 1)), "address"),
        (with(|r| r.body = Some(vec![0; CALL_BODY_BYTES_MAX + 1])), "body"),
        (with(|r| r.timeout_ms = Some(0)), "0 ms"),
        (with(|r| r.headers = vec![header("a", "b"); 65]), "64 headers"),
        (with(|r| r.headers = vec![header("a", &"b".repeat(16 * 1024))]), "16 KiB"),
        (with(|r| r.headers = vec![header("a b", "")]), "header 0"),
        (with(|r| r.headers = vec![header("a", "b\nc")]), "`a`"),
        (with(|r| r.headers = vec![header("Idempotency-Key", "mine")]), "idempotency-key"),
        (with(|r| r.headers = vec![header("Host", "other")]), "host"),
    ];
    for (request, expected) in rows {
        let Err(CallError::Other(why)) = request.check() else { panic!("{expected}") };
        assert!(why.contains(expected), "{why}");
    }
    let full = with(|r| r.body = Some(vec![0; CALL_BODY_BYTES_MAX]));
    assert_eq!(full.check(), Ok(()));
}

#[test]
fn a_key_names_one_call_of_one_event() {
    let conversation = |vendor_key: &str| ConversationKey {
        tenant: "t".into(),
        channel: "c".into(),
        vendor_key: vendor_key.to_owned(),
    };
    let key = |vendor_key, event: &str, index| {
        idempotency_key(&conversation(vendor_key), &event.into(), index)
    };
    let keys = [key("1", "e", 0), key("1", "e", 1), key("1", "f", 0), key("2", "e", 0)];
    for (n, one) in keys.iter().enumerate() {
        assert!(!keys[..n].contains(one));
        assert_eq!(one.len(), 32);
    }
    assert_eq!(keys[0], key("1", "e", 0));
}

#[test]
fn a_mismatch_says_what_differs() {
    let digest = |text: &str| Digest::of(text.as_bytes());
    let call = Call {
        event: "e".into(),
        of_start: false,
        index: 3,
        request: digest("request"),
        answer: String::new(),
        journal: Journal {
            version: Some(digest("version")),
            config: Some(digest("config")),
            reads: BTreeMap::new(),
        },
    };
    let told = |call: &Call, request, version, config| {
        call.mismatch(&digest(request), &digest(version), &digest(config)).unwrap_or_default()
    };
    assert_eq!(told(&call, "request", "version", "config"), "");
    assert!(told(&call, "other", "version", "config").contains("asks for something else"));
    assert!(told(&call, "request", "other", "config").contains("another version"));
    assert!(told(&call, "request", "version", "other").contains("configuration"));
    assert!(told(&call, "request", "other", "config").starts_with("call 3 "));
    // What was not written down is not compared.
    let old = Call { journal: Journal::default(), ..call };
    assert_eq!(told(&old, "request", "other", "other"), "");
}
