//! Stories of conversations that an external bot has, over crashes.

use botyard_kernel::action::{Action, Forward, ForwardTarget};
use botyard_kernel::event::{Answer, EventBody};
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Outcome, SkipReason};
use botyard_kernel::outbox::Requested;
use botyard_kernel::owner::Owner;
use botyard_kernel::relay::{Heard, Text};
use botyard_kernel::time::SECOND;

use crate::jobs::Job;
use crate::scenarios::{say, userlike};
use crate::vendor::Kind;
use crate::world::World;

fn hand_over() -> Action {
    let target = ForwardTarget::Bot("care".to_owned());
    Action::Forward(Forward { target, on_failure: None })
}

impl World {
    fn external_says(&mut self, text: &str, over: bool) {
        let is_request = |job: &Job| matches!(job, Job::Request { .. });
        let at = self.jobs.iter().position(is_request).expect("it is asked");
        let Job::Request { call, .. } = self.jobs.remove(at) else { unreachable!() };
        let heard = Heard {
            stream: Some("77".to_owned()),
            texts: vec![Text { text: text.to_owned(), options: Vec::new() }],
            over: over.then(|| "it is done".to_owned()),
        };
        let body = serde_json::to_string(&heard).unwrap();
        let answer = Answer { status: 200, headers: Vec::new(), body, truncated: false };
        self.feed(Input::Requested { call, requested: Requested::Answered(answer) });
    }

    fn all_but_requests(&mut self) {
        self.end_all_but(|job| matches!(job, Job::Request { .. }));
    }

    fn turns_of(&self, skipped: SkipReason) -> usize {
        let turns = self.log.turns().filter(|(_, turn)| turn.outcome == Outcome::Skipped(skipped));
        turns.count()
    }
}

#[test]
fn an_external_bot_is_asked_again_after_a_crash_and_gives_back() {
    let mut world = userlike([("w1p0", vec![say("One moment."), hand_over()])]);
    world.settled_rules(|rules| {
        rules.policy.relays.insert("care".to_owned());
    });
    world.say(Kind::Message);
    world.all_but_requests();
    assert_eq!(world.lane.state().owner, Owner::Relay);
    world.crash();
    world.all_but_requests();
    world.external_says("I am the other one.", false);
    world.all_but_requests();
    world.say(Kind::Message);
    world.all_but_requests();
    world.crash();
    world.all_but_requests();
    world.external_says("Good bye.", true);
    world.all_but_requests();
    world.sleep_until(world.now + SECOND);
    world.end_all();
    assert_eq!(world.lane.state().owner, Owner::Bot);
    // Two answers, and what the person said between them.
    assert_eq!(world.turns_of(SkipReason::Relayed), 3);
    let returned = world.log.turns().map(|(_, turn)| turn).filter(|turn| {
        turn.event.as_str().starts_with("returns.") && matches!(turn.outcome, Outcome::Ran { .. })
    });
    assert_eq!(returned.count(), 1, "the bot is told once");
    let told =
        world.log.arrivals().filter(|(_, it)| matches!(it.event.body, EventBody::Response(_)));
    assert_eq!(told.count(), 2);
}
