"""A real host with an empty store, and a vendor that refuses every call."""

import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time

import requests

READY_WITHIN_S = 120
STOPPED_WITHIN_S = 60
TOKEN_SHOWN = "the operator's token, shown only now: "


class Host:
    """The program that BOTYARD_BIN names, on a free port of 127.0.0.1."""

    def __init__(self):
        program = os.environ.get("BOTYARD_BIN")
        if not program:
            raise SystemExit("BOTYARD_BIN names no host: run `cargo xtask schemathesis`")
        self.directory = tempfile.TemporaryDirectory(prefix="botyard-schemathesis-")
        place = self.directory.name
        settings = os.path.join(place, "botyard.toml")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f'[server]\nlisten = "127.0.0.1:0"\n[store]\ndirectory = "{place}/store"\n')
            # However full this machine's disk is, it is not what is exercised here.
            file.write("disk.counted-bytes = 268435456\n")
            # The vendor is on this machine.
            file.write("[egress]\nallow-loopback = true\n")
        # Into files, because nobody reads while the fuzzer runs.
        self.said, self.log = (open(os.path.join(place, name), "w+") for name in ("out", "log"))
        command = [program, "serve", "--config", settings]
        self.process = subprocess.Popen(command, stdout=self.said, stderr=self.log)
        try:
            self._wait()
        except BaseException:
            self.process.kill()
            raise

    def _wait(self):
        end = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"listening on.*?(http://[\d.:]+)", self.logged())
            shown = self._text(self.said).partition(TOKEN_SHOWN)[2].split()
            if found and shown:
                self.url, self.token = found[1], shown[0]
                if self.is_ready():
                    return
            time.sleep(0.05)
        raise SystemExit(f"the host was not ready:\n{self.logged()}")

    def is_ready(self):
        """Whether it is the same process still, and takes webhooks."""
        try:
            ready = requests.get(f"{self.url}/readyz", timeout=10).ok
        except requests.RequestException:
            return False
        return ready and self.process.poll() is None

    def logged(self):
        """What it has written into its log, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._text(self.log))

    @staticmethod
    def _text(file):
        with open(file.name, encoding="utf-8", errors="replace") as again:
            return again.read()

    def stop(self):
        """Ends it as a supervisor does; answers its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Quiet(http.server.BaseHTTPRequestHandler):
    """A server that writes nothing about its requests and answers in JSON."""

    protocol_version = "HTTP/1.1"
    # Head and body are two packets: the second does not wait for the first one's receipt.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Says nothing."""

    def read(self):
        """Reads the body, so that the connection can be used again."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status, body, kind="application/json", headers=()):
        """Answers with a value, as JSON."""
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


class Refusing(Quiet):
    """A vendor that takes no call: what is sent there becomes a dead letter."""

    def do_POST(self):
        self.read()
        self.answer(400, {"error": "no"})


def serve(handler):
    """Serves at a free port of 127.0.0.1 until this process ends; answers the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
