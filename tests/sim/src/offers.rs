//! Menus that bots offer, some with more than one message can say of them.

use botyard_kernel::action::{Action, Bubbles, Card, Carousel, Choice, TextFormat};

/// Puts none, one or two menus among these, where nothing has ended yet.
pub(crate) fn offer(actions: &mut Vec<Action>, token: &str, dice: u64) {
    let count = [0, 1, 1, 2][pick(dice, 4)];
    for n in 0..count {
        let own = dice >> (8 + 24 * n);
        let ends = |it: &Action| matches!(it, Action::Forward(_) | Action::End);
        let room = actions.iter().position(ends).unwrap_or(actions.len());
        actions.insert(pick(own, room + 1), menu(&format!("{token}/menu{n}"), own >> 8));
    }
}

fn menu(name: &str, dice: u64) -> Action {
    let (count, long) = [(30, true), (14, true), (14, true), (3, false)][pick(dice, 4)];
    let more = if long { " and more of it".repeat(12) } else { String::new() };
    let label = |n: usize| format!("{name} offers {n}{more}");
    let id = |n: usize| format!("option{n}");
    let text = format!("{name} asks?");
    if dice >> 2 & 1 == 0 {
        let option = |n| Choice { id: id(n), label: label(n), short_label: None };
        let options = (0..count).map(option).collect();
        return Action::Bubbles(Bubbles {
            text,
            format: TextFormat::Plain,
            options,
            fallback: None,
        });
    }
    let card = |n: usize| {
        let image = n.is_multiple_of(2).then(|| format!("https://pictures.example/{name}/{n}"));
        Card { id: id(n), label: label(n), short_label: None, image, description: None }
    };
    Action::Carousel(Carousel { text, cards: (0..count).map(card).collect(), fallback: None })
}

/// The place of one of so many.
fn pick(dice: u64, count: usize) -> usize {
    usize::try_from(dice & 0xff).unwrap_or_default() % count
}
