//! `http`: calls within a turn. What an earlier run on the same event has
//! recorded is not called again.

use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::call::{
    Ask, CALL_READS_BYTES_MAX, CALLS_MAX, CallAnswer, CallError, CallRequest, Journal,
    config_digest, read_answer,
};
use botyard_kernel::id::Digest;
use botyard_kernel::log::Call;

use crate::bindings::v1::Convert as _;
use crate::bindings::v1::wit_http::{Error, Host, Request, Response};
use crate::blame::HostFault;
use crate::services::HttpCalls;
use crate::turn::Turn;
use crate::wall::Wall;

/// What is left to a bot after a call that took all the time that it may.
const RESERVE: Duration = Duration::from_millis(500);

/// The calls of one turn.
pub(crate) struct TurnCalls {
    service: Arc<dyn HttpCalls>,
    version: Digest,
    /// By index, without gaps.
    recorded: Vec<Call>,
    made: u32,
    wall: Arc<Wall>,
}

impl TurnCalls {
    /// A turn of this version, with what earlier runs have recorded.
    pub(crate) fn new(
        service: Arc<dyn HttpCalls>,
        version: Digest,
        recorded: Vec<Call>,
        wall: Arc<Wall>,
    ) -> Self {
        Self { service, version, recorded, made: 0, wall }
    }

    /// The next call's recorded answer, if it has one.
    fn replay(
        &self,
        index: u32,
        request: &CallRequest,
        config: &Digest,
    ) -> Result<Option<CallAnswer>, HostFault> {
        let Some(call) = self.recorded.get(index as usize) else { return Ok(None) };
        if call.index != index {
            let at = call.index;
            return Err(HostFault(format!("of this turn's calls {at} was recorded, not {index}")));
        }
        if let Some(why) = call.mismatch(&request.digest(), &self.version, config) {
            return Err(HostFault(why));
        }
        let answer = read_answer(&call.answer);
        let damaged = |error| HostFault(format!("the recorded call {index} is damaged: {error}"));
        answer.map(Some).map_err(damaged)
    }
}

impl Turn {
    async fn call(&mut self, request: CallRequest) -> Result<CallAnswer, HostFault> {
        if let Err(refused) = request.check() {
            return Ok(Err(refused));
        }
        let calls = &mut self.calls;
        if calls.made == CALLS_MAX {
            return Ok(Err(CallError::Limit));
        }
        let index = calls.made;
        let _in_call = calls.wall.call();
        let config = config_digest(&self.config);
        if let Some(answer) = calls.replay(index, &request, &config)? {
            calls.made += 1;
            return Ok(answer);
        }
        if self.kv.reads_bytes() > CALL_READS_BYTES_MAX {
            let kib = CALL_READS_BYTES_MAX >> 10;
            let why = format!("more than {kib} KiB of the bot's values were read before this call");
            return Ok(Err(CallError::Other(why)));
        }
        let left = calls.wall.left().saturating_sub(RESERVE).as_millis();
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        let timeout_ms = request.timeout_ms.map_or(left, |asked| left.min(asked.into()));
        if timeout_ms == 0 {
            return Ok(Err(CallError::Timeout));
        }
        calls.made += 1;
        let (version, reads) = (Some(calls.version), self.kv.take_reads());
        let journal = Journal { version, config: Some(config), reads };
        let asked = calls.service.call(Ask { index, request, timeout_ms, journal }).await;
        asked.map_err(|error| HostFault(format!("a call within the turn broke down: {error:#}")))
    }
}

impl Host for Turn {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        match self.call(request.convert()).await {
            Ok(answer) => Ok(answer.map(|it| it.convert()).map_err(|it| it.convert())),
            Err(fault) => Err(wasmtime::Error::new(fault)),
        }
    }
}
