//! What is sent, how often, and what is taken of the answers.

use super::*;

#[tokio::test]
async fn a_webhook_shows_the_contact_and_the_last_context_that_was_not_empty() {
    let userlike = start(quick());
    let bot = Bot::echo().await;
    let conversation = open(&userlike, &bot);
    let mut update = event(&conversation.cid, "contact_update", json!({ "name": "Mara" }));
    update["info"]["context"] = json!({ "state": "name" });
    let mut message = event(&conversation.cid, "message", json!({ "body": "Hello Mara" }));
    message["info"]["context"] = json!({});
    // A single event is taken like a list of one.
    assert_eq!(call(&userlike, &update).await.0, 200);
    assert_eq!(call(&userlike, &json!([message])).await.0, 200);
    let body = conversation.body("message", json!({ "body": "yes" }));
    assert_eq!(body["info"]["cid"], json!(conversation.cid));
    assert_eq!(body["info"]["context"], json!({ "state": "name" }));
    assert_eq!(body["info"]["contact"]["name"], "Mara");
    assert_eq!(body["info"]["conversation"]["contact_channel"]["type"], "web");
    assert_eq!(body["packet"], json!({ "name": "message", "payload": { "body": "yes" } }));
}

#[tokio::test]
async fn a_webhook_comes_again_until_it_is_answered() {
    let bot = Bot::start(|number, webhook| match number {
        1 => (503, String::new()),
        2 => (202, String::new()),
        _ => (200, echo(&webhook)),
    })
    .await;
    let userlike = start(quick());
    let conversation = open(&userlike, &bot);
    let delivery = conversation.deliver(Step::message("hello")).await;
    let statuses: Vec<_> = delivery.sendings.iter().map(|sent| sent.status).collect();
    assert_eq!(statuses, [Some(503), Some(202), Some(200)], "200 alone is success");
    assert_eq!(delivery.texts(), ["message hello"]);
    let bodies: std::collections::BTreeSet<_> =
        delivery.sendings.iter().map(|sent| &sent.body).collect();
    assert_eq!(bodies.len(), 1, "the same bytes");
    assert_eq!(texts(userlike.account(), &conversation.cid), ["message hello"]);

    let none = Options { redeliver: Vec::new(), ..quick() };
    let bot = Bot::start(|_, _| (500, String::new())).await;
    let userlike = start(none);
    let delivery = open(&userlike, &bot).deliver(Step::message("hello")).await;
    assert!(!delivery.is_answered());
    assert_eq!((bot.heard(), delivery.reason()), (1, "answered 500, not 200"));
}

#[tokio::test]
async fn each_fault_of_a_webhook_does_what_it_says() {
    // (fault, sendings until it is answered, answers that were taken)
    let rows = [(Fault::SlowRead, 1, 1), (Fault::Tear, 3, 0), (Fault::Duplicate, 2, 2)];
    for (fault, sendings, taken) in rows {
        let bot = Bot::echo().await;
        let options = Options { redeliver: vec![Duration::from_millis(5); 2], ..quick() };
        let userlike = start(options);
        userlike.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        let conversation = open(&userlike, &bot);
        let delivery = conversation.deliver(Step::message("hello")).await;
        assert_eq!(delivery.sendings.len(), sendings, "{fault:?}");
        assert_eq!(bot.heard(), sendings, "{fault:?}");
        assert_eq!(texts(userlike.account(), &conversation.cid).len(), taken, "{fault:?}");
        assert_eq!(delivery.is_answered(), taken > 0, "{fault:?}");
    }
}

#[tokio::test]
async fn who_leaves_was_not_answered_and_comes_again() {
    let bot = Bot::late(Duration::from_secs(1), |_, webhook| (200, echo(&webhook))).await;
    let userlike = start(quick());
    let mut faults = Faults::seeded(1).with(Fault::Leave, 1.0);
    faults.patience = Duration::from_millis(1);
    userlike.account().set_faults(faults);
    let conversation = open(&userlike, &bot);
    let play = conversation.deliver(Step::message("hello"));
    let (delivery, ()) = tokio::join!(play, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        userlike.account().set_faults(Faults::none());
    });
    assert!(delivery.sendings.len() > 1);
    assert_eq!(delivery.sendings[0].reason, "left before the answer");
    assert_eq!(texts(userlike.account(), &conversation.cid), ["message hello"]);
}

#[tokio::test]
async fn pairs_change_places() {
    let bot = Bot::echo().await;
    let userlike = start(quick());
    userlike.account().set_faults(Faults::seeded(1).with(Fault::Reorder, 1.0));
    let conversation = open(&userlike, &bot);
    conversation.play(["a", "b", "c", "d", "e"].map(Step::message)).await;
    let expected = ["b", "a", "d", "c", "e"].map(|text| format!("message {text}"));
    assert_eq!(texts(userlike.account(), &conversation.cid), expected);
}

#[tokio::test]
async fn a_refused_answer_is_taken_in_no_part() {
    let message = || ("message", json!({ "body": "x" }));
    let file = |link: &str| ("media", json!({ "link": link }));
    let rows = [
        (CID, vec![message()], "an answer for"),
        ("", vec![message(), ("shout", json!({}))], "no event is called shout"),
        ("", vec![message(), ("end", json!({})), message()], "after the session was over"),
        ("", vec![message(), file("https://files.example/gone")], "cannot be fetched"),
    ];
    for (cid, packets, words) in rows {
        let bot = Bot::start(move |_, webhook| {
            let own = webhook["info"]["cid"].as_str().unwrap();
            let cid = if cid.is_empty() { own } else { cid };
            let list: Vec<_> =
                packets.iter().map(|(name, payload)| event(cid, name, payload.clone())).collect();
            (200, Value::from(list).to_string())
        })
        .await;
        let userlike = start(quick());
        userlike.account().set_fetches(|link| !link.contains("gone"));
        let conversation = open(&userlike, &bot);
        let error = conversation.message("hello").await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(texts(userlike.account(), &conversation.cid), [""; 0]);
        assert_eq!(texts(userlike.account(), CID), [""; 0]);
    }
}

#[tokio::test]
async fn a_failed_hand_off_is_told_where_the_bot_asked_for_it() {
    let rows = [
        ("forward_any", json!({ "on_failure": "feedback" }), true),
        ("forward_group", json!({ "group_id": 1, "on_failure": "feedback" }), true),
        ("forward_any", json!({}), false),
        ("forward_skills", json!({ "skills": [1], "on_failure": "feedback" }), false),
    ];
    for (name, payload, told) in rows {
        let bot = Bot::echo().await;
        let userlike = start(Options { operators: Operators::Away, ..quick() });
        let conversation = open(&userlike, &bot);
        assert_eq!(call(&userlike, &event(&conversation.cid, name, payload)).await.0, 200);
        let account = userlike.account();
        if told {
            crate::wait::until("forward_failed", Duration::from_secs(10), || {
                (texts(account, &conversation.cid) == ["forward_failed {}"]).then_some(())
            })
            .await
            .unwrap();
            assert_eq!(account.state(&conversation.cid), Some(State::Open));
        } else {
            assert_eq!(account.state(&conversation.cid), Some(State::Unassigned), "{name}");
            assert_eq!(bot.heard(), 0, "{name}");
        }
    }
}
