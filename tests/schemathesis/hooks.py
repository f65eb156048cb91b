"""What Schemathesis does for us in this repository: it is led to objects that are there, what
it may take away is put back, and each answer is noted.

It is told by the environment: STAGE names a file with the objects (none: nothing is led
anywhere), ROLE who asks, ANSWERS a file for the answers, SEED where chance begins.
"""

import json
import os
import random
import threading
import time

import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation

from mutate import mutated
from stage import (
    CHANNEL, DESK, KEPT, OF_TENANT, PUT_BACK, SPARE_TENANT, TAKE_BACK, TALK, TENANT, Stage,
    component,
)

ROLE = os.environ["ROLE"]
CHANCE = random.Random(int(os.environ["SEED"]))
ANSWERS = open(os.environ["ANSWERS"], "a", encoding="utf-8")
# So many requests of a hundred keep what was made up for their path, or for their body; and
# of the other bodies so many are changed a little.
MADE_UP_PATHS, MADE_UP_BODIES, MUTATED_BODIES = 15, 30, 50
WASM = "application/wasm"
UNKNOWN_HEADER = "x-schemathesis-unknown-property"
# Nothing here fails where it is low.
LIMIT = "calls-per-minute"
TALKS = f"{OF_TENANT}/channels/{{channel}}/conversations"
LIVE = f"GET {OF_TENANT}/bots/{{bot}}/logs/live"

# Operations that were asked for what is right already: once each, whatever chance says.
ASKED = set()
# When the request that is under way began.
BEGAN = [0.0]

# Operations that change something, and the objects that they may change.
SPARE = {
    f"DELETE {OF_TENANT}": {"tenant": SPARE_TENANT},
    f"PATCH {OF_TENANT}": {},
    f"PUT {OF_TENANT}/limits/{{limit}}": {"limit": LIMIT},
    f"PUT {OF_TENANT}/bots/{{bot}}": {"bot": "tuned"},
    f"DELETE {OF_TENANT}/bots/{{bot}}": {"bot": "spare"},
    f"POST {OF_TENANT}/bots/{{bot}}/pause": {"bot": "tuned"},
    f"POST {OF_TENANT}/bots/{{bot}}/resume": {"bot": "tuned"},
    f"POST {OF_TENANT}/bots/{{bot}}/deployment": {"bot": "tuned"},
    f"POST {OF_TENANT}/bots/{{bot}}/grants": {"bot": "asking"},
    f"DELETE {OF_TENANT}/bots/{{bot}}/grants": {"bot": "asking"},
    f"POST {OF_TENANT}/bots/{{bot}}/versions": {"bot": "shelf"},
    f"DELETE {OF_TENANT}/bots/{{bot}}/versions/{{digest}}": {"bot": "shelf", "digest": "other"},
    f"PUT {OF_TENANT}/channels/{{channel}}": {"channel": "acme-spare"},
    f"DELETE {OF_TENANT}/channels/{{channel}}": {"channel": "acme-spare"},
    f"POST {OF_TENANT}/channels/{{channel}}/pause": {"channel": "acme-spare"},
    f"POST {OF_TENANT}/channels/{{channel}}/resume": {"channel": "acme-spare"},
    f"PUT {OF_TENANT}/relays/{{relay}}": {"relay": "spare"},
    f"DELETE {OF_TENANT}/relays/{{relay}}": {"relay": "spare"},
    f"PUT {OF_TENANT}/secrets/{{secret}}": {"secret": "spare"},
    f"DELETE {OF_TENANT}/secrets/{{secret}}": {"secret": "spare"},
    f"DELETE {OF_TENANT}/tokens/{{token}}": {},
    f"POST {OF_TENANT}/tokens/{{token}}/rotate": {},
    f"POST {OF_TENANT}/tokens": {},
    f"DELETE {OF_TENANT}/persons": {},
    f"POST {DESK}/replies": {"conversation": "desk"},
    f"POST {DESK}/take": {"conversation": "desk"},
    f"POST {DESK}/return": {"conversation": "desk"},
    # It changes nothing, but of other bots there is nothing to be told.
    LIVE: {},
}


def _stage():
    place = os.environ.get("STAGE")
    if not place:
        return None
    with open(place, encoding="utf-8") as file:
        return Stage(**json.load(file))


STAGE = _stage()
REAL = [component(name) for name in ("echo", "puppet")] if STAGE else []


def _there(name, spare):
    """The object that a parameter of a path names."""
    if name in ("digest", "conversation") and name in spare:
        return STAGE.names[spare[name]]
    fixed = {
        "tenant": TENANT, "bot": "bot", "channel": CHANNEL, "conversation": TALK,
        "relay": "desk", "secret": "api", "limit": LIMIT, "code": "not-found",
        "file": "world.wit",
    }
    # An operation that is new here finds nothing, never gets a 2xx and fails the run.
    return {**STAGE.names, **fixed, **spare}.get(name)


def _bodies():
    """Bodies that the operations take, of which chance alone makes none."""
    digest, other = STAGE.names["digest"], STAGE.names["other"]
    event = {"name": "message", "payload": {"text": "hello"}}
    signal = {"name": "order.shipped", "payload": {"id": 7}}
    bots = f"{OF_TENANT}/bots/{{bot}}"
    changes = [
        {"action": "deploy", "version": digest},
        {"action": "deploy", "version": other},
        {"action": "start-canary", "version": digest, "percent": 5},
        {"action": "roll-back"},
        {"action": "promote"},
        {"action": "withdraw", "version": digest},
    ]
    return {
        "POST /v1/tenants": [{"name": f"made-{next(STAGE.count)}"}],
        f"PATCH {OF_TENANT}": [{"label": "Limited"}],
        "PUT /v1/policy": [{}],
        f"PUT {OF_TENANT}/limits/{{limit}}": [{"value": 7}, {"value": None}],
        f"PUT {bots}": [{"settings": {}}],
        f"POST {bots}/deployment": changes,
        f"POST {bots}/grants": [{"version": STAGE.names["wishful"]}],
        f"POST {bots}/versions": REAL,
        f"POST {bots}/versions/{{digest}}/try": [{"events": [event]}],
        f"PUT {OF_TENANT}/channels/{{channel}}": [STAGE.channel("tuned")],
        f"PUT {OF_TENANT}/relays/{{relay}}": [STAGE.relay()],
        f"PUT {OF_TENANT}/secrets/{{secret}}": [{"value": "spare"}],
        f"POST {OF_TENANT}/tokens": [{"scope": "read"}],
        f"POST {TALKS}/{{conversation}}/signals": [signal],
        "POST /v1/channels/{channel}/conversations/{conversation}/signals": [signal],
        f"POST {DESK}/replies": [{"text": "Hello, I am Ada.", "agent": "Ada"}],
        f"POST {DESK}/take": [{"agent": "Ada"}],
        f"POST {DESK}/return": [{"reason": "done"}],
        f"POST {OF_TENANT}/tokens/{{token}}/rotate": [{"overlap_ms": 0}],
    }


def _lead(case, right):
    """Puts names of objects that are there into the path."""
    spare = SPARE.get(case.operation.label)
    made_up = CHANCE.randrange(100) < MADE_UP_PATHS or _is_negative(case, ParameterLocation.PATH)
    made_up = made_up and not right
    # What an earlier answer has told of may be a kept object as well.
    if made_up and (spare is None or KEPT.isdisjoint(map(str, case.path_parameters.values()))):
        return
    for name in case.path_parameters:
        there = _there(name, spare or {})
        if there:
            case.path_parameters[name] = there
    if "Idempotency-Key" in case.headers and not _is_negative(case, ParameterLocation.HEADER):
        # A key that came before answers as it did before.
        case.headers["Idempotency-Key"] = f"key-{next(STAGE.count)}"


def _is_negative(case, location):
    return case.meta is not None and case.meta.is_negative_at(location)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leads a request to what is there."""
    if STAGE is not None:
        _prepare(case)
    # Measured here, because a followed log goes on behind its head.
    BEGAN[0] = time.monotonic()


def _prepare(case):
    label = case.operation.label
    if ROLE != "nobody" and label in PUT_BACK:
        PUT_BACK[label](STAGE)
    fits = case.meta is not None and case.meta.generation.mode.is_positive
    right = fits and label not in ASKED
    if right:
        ASKED.add(label)
    _lead(case, right)
    # Whoever sends a header that the description does not know is not wrong.
    case.headers.pop(UNKNOWN_HEADER, None)
    if label == f"DELETE {OF_TENANT}/persons" and not _is_negative(case, ParameterLocation.QUERY):
        # Never the conversation that others look at.
        case.query = {"conversation": "erased"}
    if label == LIVE and ROLE != "nobody":
        # There is something to be told: the fuzzer listens to one event.
        threading.Timer(0.2, STAGE.write, [f"live-{next(STAGE.count)}"]).start()
    bodies = _bodies().get(label)
    if bodies and fits and (right or CHANCE.randrange(100) >= MADE_UP_BODIES):
        _give(case, CHANCE.choice(bodies), right)


def _give(case, body, right):
    is_json = not isinstance(body, bytes)
    if is_json and not right and CHANCE.randrange(100) < MUTATED_BODIES:
        body = mutated(body, CHANCE)
    case.body = body
    case.media_type = "application/json" if is_json else WASM


@schemathesis.hook
def after_call(context, case, response):
    """Notes how a request was answered, and takes back what would harm all others."""
    note = {"operation": case.operation.label, "status": response.status_code}
    note["seconds"] = time.monotonic() - BEGAN[0]
    ANSWERS.write(json.dumps(note) + "\n")
    ANSWERS.flush()
    if STAGE is not None and response.status_code < 300 and case.operation.label in TAKE_BACK:
        TAKE_BACK[case.operation.label](STAGE)


@schemathesis.check
def refuses_nobody(ctx, response, case):
    """Who shows no token is told so, and nothing else, wherever a token is wanted."""
    if ROLE != "nobody" or case.operation.definition.raw.get("security") == [{}]:
        return
    routed = not _is_negative(case, ParameterLocation.PATH) and response.status_code != 405
    assert response.status_code == 401 or not routed, "this was answered to who shows no token"


@schemathesis.check
def problem_tells_its_status(ctx, response, case):
    """A problem has the status of its answer, and a code."""
    if response.headers.get("content-type", [""])[0] == "application/problem+json":
        problem = response.json()
        assert problem["status"] == response.status_code and problem["code"], problem


def _components():
    cut = [wasm[: len(wasm) // 2] for wasm in REAL]
    some = strategies.binary(max_size=2048)
    return strategies.one_of(some, strategies.sampled_from(cut)) if cut else some


schemathesis.openapi.media_type(WASM, _components())


@schemathesis.serializer(WASM)
def as_it_is(context, value):
    """A component is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode()
