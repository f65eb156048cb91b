"""A server that breaks each promise at a place of its own, to see that it is noticed."""

import json

from host import Quiet, serve

JSON = "application/json"
PROBLEM = {"type": "object", "required": ["status", "code"]}
# By path: what Schemathesis calls the failure that must be found there, and there alone.
LIES = {
    "/v1/fault": ["ServerError"],
    "/v1/status": ["UndefinedStatusCode"],
    "/v1/kind": ["UndefinedContentType"],
    "/v1/body": ["JsonSchemaError"],
    "/v1/open": ["IgnoredAuth", "MissingHeaderNotRejected", "AcceptedNegativeData"],
    "/v1/lenient": ["AcceptedNegativeData"],
    "/v1/honest": [],
}
# It is never answered with 2xx, which the count must tell.
NEVER = "GET /v1/never"


def _operation():
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 200}}
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    content = lambda kind, schema: {"description": "", "content": {kind: {"schema": schema}}}
    return {"get": {
        "parameters": [limit],
        "responses": {"200": content(JSON, named),
                      "4XX": content("application/problem+json", PROBLEM),
                      "5XX": content("application/problem+json", PROBLEM)},
    }}


DESCRIPTION = {
    "openapi": "3.1.0",
    "info": {"title": "Lies", "version": "1"},
    "paths": {path: _operation() for path in [*LIES, NEVER.partition(" ")[2]]},
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "security": [{"token": []}],
}


class Lying(Quiet):
    """It does what its description says but for the path's own lie."""

    def do_GET(self):
        path, _, query = self.path.partition("?")
        fine = {"name": "control"}
        if path == "/v1/openapi.json":
            self.answer(200, DESCRIPTION)
        elif self.headers.get("authorization") != "Bearer control" and path != "/v1/open":
            self.problem(401)
        elif path not in LIES:
            self.problem(404)
        elif not self.fits(query) and path != "/v1/lenient":
            self.problem(400)
        elif path == "/v1/fault":
            self.problem(500)
        elif path == "/v1/status":
            self.answer(302, fine)
        elif path == "/v1/kind":
            self.answer(200, fine, "text/html")
        else:
            self.answer(200, {} if path == "/v1/body" else fine)

    @staticmethod
    def fits(query):
        """Whether it is a small number, or nothing at all."""
        name, _, value = query.partition("=")
        try:
            return not query or name == "limit" and int(value) <= 200
        except ValueError:
            return False

    def problem(self, status, headers=()):
        """A problem, as the host tells them."""
        self.answer(status, {"status": status, "code": "c"}, "application/problem+json", headers)

    def other(self):
        """There is nothing but GET."""
        self.read()
        self.problem(405, [("allow", "GET, HEAD")])

    do_POST = do_PUT = do_PATCH = do_DELETE = do_TRACE = do_OPTIONS = do_QUERY = other


def check(make, never_well):
    """Answers which lies were not noticed, and which truths were called lies."""
    run = make("control", serve(Lying), {"token": "control"})
    said, wrong = run.run(), []
    found = {(operation, failure["type"])
             for failure in run.told()["failures"] for operation in failure["operations"]}
    expected = {(f"GET {path}", kind) for path, kinds in LIES.items() for kind in kinds}
    for operation, kind in sorted(expected - found):
        wrong.append(f"control: {kind} at {operation} was not noticed")
    for operation, kind in sorted(found - expected):
        wrong.append(f"control: {kind} at {operation} is none")
    if NEVER not in never_well([NEVER, "GET /v1/honest"], run.counts()):
        wrong.append(f"control: {NEVER} was never answered with 2xx, which was not noticed")
    if wrong:
        print(said)
    print(f"control: {len(expected)} lies of a server, {len(expected & found)} noticed", flush=True)
    return wrong
