"""Bodies that are nearly right: what chance alone makes of a free object is refused at its
first key, and nothing behind that key is ever tried."""

import copy

# Values that are often forgotten.
ODD = [
    None, True, 0, -1, 1, 5e-324, 1e308, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 0.5,
    "", " ", "a" * 64, "a" * 70_000, "../..", "\x00", "\ud7ff\u202e", "💥" * 100, "*",
    "http://127.0.0.1:1/", "https://[::1]/", "file:///etc/passwd", "http://a:b@c", "*.example.com",
    [], [[]], {}, [None], {"": ""}, {"secret": "api"}, {"secret": "none"}, {"file": "/etc/passwd"},
    {"env": "HOME"},
]
# Keys of settings, which the description leaves free.
KEYS = [
    "config", "hosts", "overlap", "coalesce-ms", "degrade", "choices", "http-headers", "alert-url", "rate",
    "retention", "vendor", "bot", "signal-token", "desk-token", "failure-texts",
    "failure-hand-off", "session-idle-ms", "dialect", "inline", "hold-ambiguous", "api-url",
    "forbidden-hosts", "imports", "locale", "medium", "channel", "payload", "expires_ms", "texts",
]
VENDORS = ["userlike", "khoros", "messenger", "lexer", "myalice", "instabot"]


def mutated(value, chance):
    """A copy of a value with one to three changes somewhere in it."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 3)):
        value = _changed(value, chance)
    return value


def _changed(value, chance):
    deeper = isinstance(value, (dict, list)) and value and chance.random() < 0.7
    if deeper:
        place = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if isinstance(value, dict) and chance.random() < 0.1:
            del value[place]
        else:
            value[place] = _changed(value[place], chance)
        return value
    if isinstance(value, dict):
        value[chance.choice(KEYS)] = _odd(chance)
        return value
    if isinstance(value, list):
        return value * chance.choice([0, 2, 21])
    return chance.choice(VENDORS) if value in VENDORS else _odd(chance)


def _odd(chance):
    return copy.deepcopy(chance.choice(ODD))
