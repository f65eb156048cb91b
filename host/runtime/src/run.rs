//! One turn of a bot, in a fresh instance.

use botyard_kernel::action::Action;
use botyard_kernel::event::Event;
use botyard_kernel::id::Digest;
use botyard_kernel::json;
use botyard_kernel::limits::TurnBounds;
use botyard_kernel::run::{Blame, Cost, FailureKind, RunFailure, RunInput, RunOutput};
use botyard_kernel::session::Session;
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::bindings::v1::{BotPre, Convert as _, Failure};
use crate::blame::{CpuExceeded, Ending, Phase};
use crate::config::Features;
use crate::cpu::Metered;
use crate::limits::TurnLimits;
use crate::load_error::LoadError;
use crate::services::Services;
use crate::slice::next_slice;
use crate::turn::{Given, Turn};

/// What bounds the turns of a tier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) limits: TurnLimits,
    pub(crate) features: Features,
}

impl Rules {
    /// The same for a tenant that may use less.
    pub(crate) fn lowered(self, tenants: &TurnBounds) -> Self {
        Self { limits: self.limits.lowered(tenants), ..self }
    }

    /// Runs a turn in a fresh instance, to its end.
    pub(crate) async fn run(
        self,
        engine: &Engine,
        pre: &BotPre<Turn>,
        version: Digest,
        input: RunInput,
        services: Services,
    ) -> RunOutput {
        let RunInput { event, session, conversation_kv, config, calls } = input;
        let (now_ms, seed) = (session.now_ms, session.seed);
        let given = Given { version, calls, config, conversation_kv, now_ms, seed };
        let turn = Turn::new(given, services, &self.limits);
        let (meter, log, wall) = (turn.meter.clone(), turn.log.clone(), turn.wall.clone());
        let mut store = self.store(engine, turn);
        let handled = Metered::new(meter.clone(), handle(&mut store, pre, event, session));
        let result = match wall.bound(handled).await {
            Ok(Ok(answer)) => self.accept(answer),
            Ok(Err((phase, error))) => {
                let refused = store.data().limiter.refused();
                let ending = Ending { phase, limits: &self.limits, refused, tail: log.tail() };
                Err(ending.judge(&error))
            }
            Err(late) => Err(late),
        };
        let writes = match &result {
            Ok(_) => store.data_mut().kv.take_writes(),
            Err(_) => Vec::new(),
        };
        let (log, log_cut_bytes) = log.finish();
        let cpu_us = u64::try_from(meter.spent().as_micros()).unwrap_or(u64::MAX);
        let cost = Cost { cpu_us, memory_bytes: store.data().limiter.held() as u64 };
        RunOutput { result, writes, log, log_cut_bytes, cost }
    }

    /// Makes an instance and lets it go: what only shows then should show at the
    /// upload and not to the first person who writes.
    pub(crate) async fn rehearse(
        self,
        engine: &Engine,
        pre: &BotPre<Turn>,
    ) -> Result<(), LoadError> {
        let turn = Turn::new(Given::nothing(), Services::default(), &self.limits);
        let (meter, log, wall) = (turn.meter.clone(), turn.log.clone(), turn.wall.clone());
        let mut store = self.store(engine, turn);
        let made = Metered::new(meter, pre.instantiate_async(&mut store));
        match wall.bound(made).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let refused = store.data().limiter.refused();
                let phase = Phase::Instantiate;
                let ending = Ending { phase, limits: &self.limits, refused, tail: log.tail() };
                Err(ending.refuse(&error))
            }
            Err(late) => Err(LoadError::Host(late.message)),
        }
    }

    /// A store that holds the turn to its limits.
    pub(crate) fn store(self, engine: &Engine, turn: Turn) -> Store<Turn> {
        let mut store = Store::new(engine, turn);
        if self.features.memory_sum {
            store.limiter(|turn| &mut turn.limiter);
        }
        if self.features.hostcall_fuel {
            store.set_hostcall_fuel(self.limits.tier.call_bytes);
        }
        if self.features.epochs {
            store.set_epoch_deadline(1);
            let bound = self.limits.cpu;
            let budget = self.features.cpu_budget.then_some(self.limits.tier.cpu);
            store.epoch_deadline_callback(move |store| {
                let spent = store.data().meter.spent_with_this_poll();
                match budget {
                    Some(budget) if spent > budget => Err(CpuExceeded(bound).into()),
                    // The plain yield would put this very bot first in line again; so whose
                    // slice is next is asked.
                    _ => Ok(UpdateDeadline::YieldCustom(1, Box::pin(next_slice()))),
                }
            });
        }
        store
    }

    /// What the bot returned, if it is within the limits.
    fn accept(&self, answer: Result<Vec<Action>, Failure>) -> Result<Vec<Action>, RunFailure> {
        let actions = match answer {
            Ok(actions) => actions,
            Err(Failure::Reject(reason)) => return Err(bot(FailureKind::Rejected, reason)),
        };
        let (count, most) = (actions.len(), self.limits.tier.actions);
        if count > most {
            let message = format!("the bot returned {count} actions; a turn may have {most}");
            return Err(bot(FailureKind::Output, message));
        }
        let (bytes, most) = (json::bytes(&actions), self.limits.tier.result_bytes);
        if bytes > most {
            let kib = most >> 10;
            let message =
                format!("the bot returned {bytes} bytes of actions; a turn may have {kib} KiB");
            return Err(bot(FailureKind::Output, message));
        }
        Ok(actions)
    }
}

/// Makes the instance and lets the bot handle the event.
async fn handle(
    store: &mut Store<Turn>,
    pre: &BotPre<Turn>,
    event: Event,
    session: Session,
) -> Result<Result<Vec<Action>, Failure>, (Phase, wasmtime::Error)> {
    let (event, session) = (event.convert(), session.convert());
    let bot = pre.instantiate_async(&mut *store).await;
    let bot = bot.map_err(|error| (Phase::Instantiate, error))?;
    let answer = bot.botyard_bot_handler().call_handle(&mut *store, &event, &session).await;
    let answer = answer.map_err(|error| (Phase::Handle, error))?;
    Ok(answer.map(|actions| actions.convert()))
}

fn bot(kind: FailureKind, message: String) -> RunFailure {
    RunFailure { blame: Blame::Bot, kind, message }
}
