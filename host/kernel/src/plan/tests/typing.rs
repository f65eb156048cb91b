//! Signs of typing that stay on behind a message.

use std::collections::BTreeSet;

use super::*;
use crate::action::{NoteCreate, Typing};

fn says(world: &mut World, actions: Vec<Action>) -> Vec<&'static str> {
    let before = world.state.rows.len();
    let turn = world.says(actions);
    turn.state.rows[before..].iter().map(|row| row.action.name()).collect()
}

const STAYS: &[&str] =
    &["message", "typing", "typing_until_stopped", "forward_any", "end", "note_create"];

#[test]
fn what_a_bot_says_ends_the_sign_of_typing_that_it_gave_and_no_other() {
    let mut world = World::new();
    world.native = STAYS;
    assert_eq!(says(&mut world, vec![say("Hello")]), ["message"], "nobody types");
    let start = || Action::Typing(Typing::Start);
    assert_eq!(says(&mut world, vec![start()]), ["typing"]);
    let note = Action::NoteCreate(NoteCreate { text: "x".to_owned(), contact_id: None });
    assert_eq!(says(&mut world, vec![note]), ["note_create"], "the person sees none of it");
    assert_eq!(says(&mut world, vec![say("A"), say("B")]), ["message", "typing", "message"]);
    assert_eq!(says(&mut world, vec![say("C")]), ["message"]);
    let stops = vec![start(), Action::Typing(Typing::Stop), say("D")];
    assert_eq!(says(&mut world, stops), ["typing", "typing", "message"]);
    world.native = &["message", "typing"];
    assert_eq!(says(&mut world, vec![start(), say("E")]), ["typing", "message"], "it ends there");
}

#[test]
fn who_gives_the_conversation_away_ends_the_sign_before() {
    for end in [Action::End, Action::Abort] {
        let mut world = World::new();
        world.native = STAYS;
        let turn = world.says(vec![Action::Typing(Typing::Start), end.clone()]);
        let rows = &turn.state.rows;
        assert_eq!(rows[1].action, Action::Typing(Typing::Stop), "{end:?}");
        let ids: BTreeSet<_> = rows.iter().map(|row| &row.id).collect();
        assert_eq!(ids.len(), rows.len());
    }
}
