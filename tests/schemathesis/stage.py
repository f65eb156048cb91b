"""What there is on the host for the fuzzer to find, and how it is put back.

The fuzzer takes away and changes whatever it finds. So there is a set of objects that only
reading operations are led to, and one of spare ones for the others, which are made again
before each request that may take them away.
"""

import itertools
import json
import os
import time

import requests

WITHIN_S = 180
OF_TENANT = "/v1/tenants/{tenant}"
TENANT, SPARE_TENANT = "acme", "spare-tenant"
CHANNEL, TALK = "acme-web", "talk"
# Nothing that the fuzzer may take away or set has one of these names.
KEPT = {TENANT, "operator", CHANNEL, TALK, "bot"}
WEBHOOK_SECRET = "schemathesis-webhook-secret"
# What opens the doors of a channel, by the names of the description.
DOORS = {"signal-token": "schemathesis-signal-token", "desk-token": "schemathesis-desk-token"}
DESK = "/v1/channels/{channel}/desk/conversations/{conversation}"
WISHES = {"name": "wishful", "version": "2.0.0", "hosts": ["shop.example"]}


def component(name, manifest=None):
    """An example bot, with another manifest where one is given: the last one in it counts."""
    place = os.path.join(os.environ.get("BOTYARD_PLUGINS", ""), f"botyard_plugin_{name}.wasm")
    with open(place, "rb") as file:
        wasm = file.read()
    if manifest is None:
        return wasm
    text = b"botyard:manifest"
    content = _number(len(text)) + text + json.dumps(manifest).encode()
    return wasm + b"\0" + _number(len(content)) + content


def _number(value):
    """An unsigned number as WebAssembly writes it (LEB128)."""
    low = bytes([value & 127 | (128 if value > 127 else 0)])
    return low + _number(value >> 7) if value > 127 else low


class Stage:
    """The objects of a host. Another process goes on with those that `names` has."""

    def __init__(self, url, token, vendor, names=None):
        self.url, self.token, self.vendor = url, token, vendor
        self.names = names or {}
        self.session = requests.Session()
        self.count = itertools.count(int(time.time() * 1000))

    def ask(self, method, path, body=None, allow=(), headers=()):
        """Asks the management API as the operator; fails on what is not allowed."""
        kind = "application/wasm" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        sent = {"authorization": f"Bearer {self.token}", "content-type": kind, **dict(headers)}
        address = f"{self.url}/v1{path}"
        answer = self.session.request(method, address, data=data, headers=sent, timeout=WITHIN_S)
        if not answer.ok and answer.status_code not in allow:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def own(self, method, path, body=None, **more):
        """The same, of the tenant."""
        return self.ask(method, f"/tenants/{TENANT}{path}", body, **more)

    def set(self):
        """Makes everything; answers the tenant's own token."""
        self.ask("POST", "/tenants", {"name": TENANT})
        # The fuzzer makes more of these than a tenant usually may.
        for limit in ("tokens", "channels", "bots", "secrets", "components"):
            self.ask("PUT", f"/tenants/{TENANT}/limits/{limit}", {"value": 1_000_000})
        secrets = {"webhook": WEBHOOK_SECRET, "api": "schemathesis-api-token", **DOORS}
        for name, value in secrets.items():
            self.own("PUT", f"/secrets/{name}", {"value": value})
        names = self.names
        for bot in ("bot", "tuned", "asking"):
            self.own("PUT", f"/bots/{bot}", {})
            names["digest"] = self.upload(bot, component("echo"))
            self.deploy(bot, names["digest"])
        names["other"] = self.upload("tuned", component("puppet"))
        names["wishful"] = self.upload("asking", component("echo", WISHES))
        names["id"] = self.own("POST", "/bots/bot/versions", component("echo"),
                               headers={"prefer": "respond-async"})["id"]
        admin = self.own("POST", "/tokens", {"scope": "admin", "texts": "full"})["token"]
        names["admin"] = admin
        self.own("PUT", "/relays/desk", self.relay())
        self.own("PUT", f"/channels/{CHANNEL}", self.channel("bot"))
        for conversation in (TALK, *(f"letter-{number}" for number in range(8))):
            self.write(conversation)
        end = time.monotonic() + WITHIN_S
        while len(self.own("GET", "/dead-letters")["items"]) < 2:
            if time.monotonic() > end:
                raise RuntimeError("no message to the refusing vendor became a dead letter")
            time.sleep(0.1)
        self.letter()
        for put_back in PUT_BACK.values():
            put_back(self)
        return admin

    def upload(self, bot, wasm):
        """Uploads a version; answers its digest."""
        return self.own("POST", f"/bots/{bot}/versions", wasm)["digest"]

    def deploy(self, bot, version):
        """Deploys a version, unless it answers already or waits for a grant."""
        change = {"action": "deploy", "version": version}
        self.own("POST", f"/bots/{bot}/deployment", change, allow=(409,))

    def channel(self, bot):
        """Settings of a channel whose vendor refuses every call."""
        return {"settings": {
            "vendor": "userlike",
            "bot": bot,
            "webhook-header": "API-SECURITY-TOKEN",
            "webhook-secret": {"secret": "webhook"},
            "api-url": f"{self.vendor}/api",
            "api-token": {"secret": "api"},
            "inline": False,
            **{name: {"secret": name} for name in DOORS},
        }}

    def relay(self):
        """Settings of an external bot."""
        return {"settings": {
            "vendor": "instabot",
            "base-url": f"{self.vendor}/v1",
            "api-key": {"secret": "api"},
            "bot-id": 474960032,
        }}

    def write(self, conversation):
        """A person opens a conversation and says something, as Userlike tells it."""
        contact = {"state": "valid", "type": "web"}
        info = {
            "approach_mode": "normal", "cid": conversation, "contact": {}, "context": {},
            "conversation": {"id": 1, "url": "https://app.example.invalid/1", "subject": "",
                             "topics": [], "locale": "en", "contact_channel": contact},
            "widget": {"id": 1, "name": "Shop"},
        }
        for name, payload in (("start", {}), ("message", {"body": "hello"})):
            answer = self.session.post(
                f"{self.url}/webhooks/{CHANNEL}",
                json={"info": info, "packet": {"name": name, "payload": payload}},
                headers={"API-SECURITY-TOKEN": WEBHOOK_SECRET}, timeout=WITHIN_S)
            answer.raise_for_status()

    def letter(self):
        """Names a dead letter that is there; one that was sent again is away for a while."""
        items = self.own("GET", "/dead-letters")["items"]
        if items:
            self.names["part"] = items[0]["part"]
        else:
            self.write(f"letter-{next(self.count)}")

    def desk(self):
        """A conversation that humans may take, and in which nothing waits for the vendor."""
        self.names["desk"] = f"desk-{next(self.count)}"
        self.write(self.names["desk"])

    def pending(self):
        """A deployment of `asking` waits for a grant."""
        self.own("PUT", "/bots/asking", {"settings": {}})
        self.deploy("asking", self.names["digest"])
        self.deploy("asking", self.names["wishful"])

    def shelf(self):
        """A bot has a version that is not deployed."""
        self.own("PUT", "/bots/shelf", {})
        self.upload("shelf", component("puppet"))

    def tuned(self):
        """Two versions of `tuned` were deployed, one after the other."""
        found = self.own("GET", "/bots/tuned/deployment")
        if found.get("previous") is None or found.get("canary"):
            self.deploy("tuned", self.names["digest"])
            self.deploy("tuned", self.names["other"])

    def spare_tenant(self):
        """There is a tenant that nobody needs, and no earlier one of its name goes away."""
        end = time.monotonic() + WITHIN_S
        while True:
            made = self.ask("POST", "/tenants", {"name": SPARE_TENANT}, allow=(409,))
            if made.get("code") != "in-use":
                return
            if time.monotonic() > end:
                raise RuntimeError("a tenant that is deleted does not go")
            time.sleep(0.05)

    def spare_token(self):
        """There is a token that nobody shows."""
        made = self.own("POST", "/tokens", {"scope": "read"})
        self.names["token"] = made["token"].split("_")[1]



# By operation: what is taken back at once, because everything else would suffer from it.
TAKE_BACK = {
    "PUT /v1/policy": lambda stage: stage.ask("PUT", "/policy", {}),
    f"PATCH {OF_TENANT}": lambda stage: stage.own("PATCH", "", {"settings": {}}),
    f"PUT {OF_TENANT}/limits/{{limit}}": lambda stage: stage.own(
        "PUT", "/limits/calls-per-minute", {"value": None}),
}


def _spare_channel(stage):
    # Made anew: what the fuzzer has set of it may not run.
    stage.own("PUT", "/channels/acme-spare", stage.channel("tuned"))
    # What the operator has paused, the tenant's administrator could not resume.
    stage.own("POST", "/channels/acme-spare/resume")


def _paused(stage, path):
    # By whoever is to resume it.
    admin = {"authorization": f"Bearer {stage.names['admin']}"}
    stage.own("POST", f"{path}/pause", headers=admin)


def _paused_bot(stage):
    stage.own("POST", "/bots/tuned/resume")
    _paused(stage, "/bots/tuned")


def _paused_channel(stage):
    _spare_channel(stage)
    _paused(stage, "/channels/acme-spare")


# By operation: what has to be there before it is asked.
PUT_BACK = {
    f"DELETE {OF_TENANT}": Stage.spare_tenant,
    f"DELETE {OF_TENANT}/bots/{{bot}}": lambda stage: stage.own("PUT", "/bots/spare", {}),
    f"POST {OF_TENANT}/bots/{{bot}}/pause": lambda stage: stage.own(
        "POST", "/bots/tuned/resume"),
    f"POST {OF_TENANT}/bots/{{bot}}/resume": _paused_bot,
    f"POST {OF_TENANT}/bots/{{bot}}/deployment": Stage.tuned,
    f"POST {OF_TENANT}/bots/{{bot}}/grants": Stage.pending,
    f"DELETE {OF_TENANT}/bots/{{bot}}/grants": Stage.pending,
    f"POST {OF_TENANT}/bots/{{bot}}/versions": lambda stage: stage.own("PUT", "/bots/shelf", {}),
    f"DELETE {OF_TENANT}/bots/{{bot}}/versions/{{digest}}": Stage.shelf,
    f"DELETE {OF_TENANT}/channels/{{channel}}": _spare_channel,
    f"POST {OF_TENANT}/channels/{{channel}}/pause": _spare_channel,
    f"POST {OF_TENANT}/channels/{{channel}}/resume": _paused_channel,
    f"GET {OF_TENANT}/dead-letters/{{part}}": Stage.letter,
    f"POST {OF_TENANT}/dead-letters/{{part}}/redrive": Stage.letter,
    f"POST {DESK}/replies": Stage.desk,
    f"POST {DESK}/take": Stage.desk,
    f"POST {DESK}/return": Stage.desk,
    f"DELETE {OF_TENANT}/persons": lambda stage: stage.write("erased"),
    f"DELETE {OF_TENANT}/relays/{{relay}}": lambda stage: stage.own(
        "PUT", "/relays/spare", stage.relay()),
    f"DELETE {OF_TENANT}/secrets/{{secret}}": lambda stage: stage.own(
        "PUT", "/secrets/spare", {"value": "spare"}),
    f"DELETE {OF_TENANT}/tokens/{{token}}": Stage.spare_token,
    f"POST {OF_TENANT}/tokens/{{token}}/rotate": Stage.spare_token,
}
