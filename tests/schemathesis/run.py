"""Exercises the management API of a real host by its own description.

Three times: as the operator, as a tenant's administrator and without a token. Before that, a
server that breaks each promise shows that it would be noticed.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

import control
from host import Host, Refusing, serve
from stage import DOORS, OF_TENANT, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
# A host may be slow for a while; a run may not be endless.
ROLE_WITHIN_S = 4 * 3600
# Operations that an administrator of a tenant is never answered with 2xx, because they are
# the operator's.
OPERATORS_ONLY = {
    "GET /v1/policy",
    "PUT /v1/policy",
    "GET /v1/status",
    "POST /v1/status/release",
    "GET /v1/tenants",
    "POST /v1/tenants",
    f"DELETE {OF_TENANT}",
}
# Operations that need no token.
OPEN = {"GET /v1/errors", "GET /v1/errors/{code}", "GET /v1/wit", "GET /v1/wit/{file}"}


class Run:
    """One pass of Schemathesis over an API."""

    def __init__(self, role, url, tokens=None, stage=None, seed=1, examples=10):
        self.place = tempfile.TemporaryDirectory(prefix="botyard-schemathesis-run-")
        inside = lambda name: os.path.join(self.place.name, name)
        self.role, self.answers, self.report = role, inside("answers"), inside("report.json")
        self.environment = {
            **os.environ, "ROLE": role, "ANSWERS": self.answers, "SEED": str(seed),
            "PYTHONPATH": HERE, "PYTHONDONTWRITEBYTECODE": "1", "SCHEMATHESIS_HOOKS": "hooks",
        }
        if stage:
            self.environment["STAGE"] = inside("stage.json")
            with open(self.environment["STAGE"], "w", encoding="utf-8") as file:
                json.dump(stage, file)
        self.command = [
            os.path.join(os.path.dirname(sys.executable), "st"),
            "--config-file", inside("schemathesis.toml"), "--no-color",
            "run", f"{url}/v1/openapi.json", "--seed", str(seed),
            "--max-examples", str(examples), "--continue-on-failure", "--output-sanitize", "false",
            "--report", "json", "--report-json-path", self.report,
        ]
        with open(os.path.join(HERE, "schemathesis.toml"), encoding="utf-8") as file:
            config = file.read()
        # By the scheme that an operation wants: the doors of channels have tokens of their own.
        for scheme, token in (tokens or {}).items():
            config += f"\n[auth.openapi.{scheme}]\nbearer = {json.dumps(token)}\n"
        with open(inside("schemathesis.toml"), "w", encoding="utf-8") as file:
            file.write(config)

    def run(self):
        """Runs it, within its time; answers what it has written."""
        open(self.answers, "w", encoding="utf-8").close()
        ended = subprocess.run(
            self.command, env=self.environment, cwd=self.place.name, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=ROLE_WITHIN_S)
        self.status = ended.returncode
        return ended.stdout

    def told(self):
        """What Schemathesis says of itself: which failures it found in which operations."""
        with open(self.report, encoding="utf-8") as file:
            return json.load(file)

    def counts(self):
        """How often each operation was answered with each status; and how long they took."""
        counts = collections.defaultdict(collections.Counter)
        self.seconds = collections.Counter()
        with open(self.answers, encoding="utf-8") as file:
            for line in file:
                note = json.loads(line)
                counts[note["operation"]][note["status"]] += 1
                self.seconds[note["operation"]] += note["seconds"]
        return counts


def shortened(text):
    """A text without the bytes of components, which a terminal would not take well."""
    return "\n".join(line[:1000] for line in text.splitlines())


def never_well(operations, counts, but=frozenset()):
    """Operations that were never answered with 2xx and are not excused."""
    well = lambda name: any(200 <= status < 300 for status in counts[name])
    return [name for name in operations if name not in but and not well(name)]


def role(run, operations, excused):
    """One role; answers what is wrong, and how often which operation was answered how."""
    began = time.monotonic()
    said, wrong = run.run(), []
    counts = run.counts()
    if run.status != 0:
        print(shortened(said))
        wrong.append(f"{run.role}: Schemathesis has found the failures above")
    for name in never_well(operations, counts, excused):
        answers = ", ".join(f"{count} x {status}" for status, count in counts[name].items())
        wrong.append(f"{run.role}: {name} was never answered with 2xx ({answers or 'not asked'})")
    took = time.monotonic() - began
    asked = sum(sum(each.values()) for each in counts.values())
    print(f"{run.role}: {asked} requests to {len(counts)} operations in {took:.0f} s; the slowest:")
    for name, seconds in run.seconds.most_common(3):
        print(f"    {seconds:5.1f} s  {name}", flush=True)
    return wrong, counts


def table(operations, counts):
    """How many answers each operation had, by class of status and role."""
    print(f"\n{'':<90}" + "".join(f"{name + ' 2xx/4xx/5xx':>24}" for name in counts))
    for name in operations:
        cells = ""
        for each in counts.values():
            classes = [sum(n for status, n in each[name].items() if status // 100 == first)
                       for first in (2, 4, 5)]
            cells += f"{'/'.join(map(str, classes)):>24}"
        print(f"{name:<90}{cells}")


def exercise(host, seed, examples):
    """All roles against a host; answers what is wrong."""
    vendor = serve(Refusing)
    stage = Stage(host.url, host.token, vendor)
    admin = stage.set()
    description = stage.ask("GET", "/openapi.json")
    operations = [f"{method.upper()} {path}"
                  for path, item in description["paths"].items() for method in item]
    passed = {"url": host.url, "token": host.token, "vendor": vendor, "names": stage.names}
    closed = set(operations) - OPEN
    roles = [("operator", host.token, set()), ("admin", admin, OPERATORS_ONLY),
             ("nobody", None, closed)]
    wrong, counts = [], {}
    for name, token, excused in roles:
        tokens = {"token": token, **DOORS} if token else None
        run = Run(name, host.url, tokens, passed, seed, examples)
        more, counts[name] = role(run, operations, excused)
        wrong += more
        for operation in excused & set(operations):
            # Whoever is excused from getting through may not get through either.
            if operation not in never_well(operations, counts[name]):
                wrong.append(f"{name}: {operation} was answered with 2xx")
    table(operations, counts)
    if not host.is_ready():
        wrong.append("the host does not run any more, or is not ready")
    return wrong


def main():
    """Control, then the host; exits with 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="cargo xtask schemathesis", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="names one run")
    parser.add_argument("--examples", type=int, default=10,
                        help="so many made-up requests to each operation and phase")
    arguments = parser.parse_args()
    wrong = control.check(Run, never_well)
    if wrong:
        # What notices no lie proves nothing.
        sys.exit("\n".join(wrong))
    host = Host()
    try:
        wrong += exercise(host, arguments.seed, arguments.examples)
    finally:
        status = host.stop()
    log = host.logged()
    if status != 0:
        wrong.append(f"the host ended with {status}")
    wrong += [f"the host's log: {line}" for line in log.splitlines() if "panicked" in line]
    print()
    for line in wrong:
        print(f"wrong: {line}")
    if wrong:
        print(f"the host's log ends with:\n{log[-4000:]}")
        again = f"--seed {arguments.seed} --examples {arguments.examples}"
        print(f"again: cargo xtask schemathesis {again}")
        sys.exit(1)
    print("schemathesis: the API does what its description says, and nothing was answered with 5xx")


if __name__ == "__main__":
    main()
