"""Every route asked what its document allows and what it does not: never a mistake of ours.

What is answered with 200 or 201 must be what the document says.
"""

from shutil import copy

import pytest
from graphql import print_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis_graphql import queries
from schemathesis import GenerationMode
from schemathesis.openapi import from_dict
from starlette.testclient import TestClient

import bursar
from bursar.serve import tokens
from bursar.serve.graph import schema
from bursar.serve.openapi import document
from bursar.serve.routes import ROOT
from bursar.serve.service import Service
from tests import figures
from tests.http.conftest import HERE, told

SCHEMA = from_dict(document())
OPERATIONS = {
    f"{each.method} {each.path.removeprefix(ROOT)}": each
    for each in (found.ok() for found in SCHEMA.get_all_operations())  # type: ignore[union-attr]
}
SENT = ("Idempotency-Key", "Content-Type")
SAID = ("method", "url", "params", "json", "data")
FUZZ = settings(
    max_examples=figures.FUZZ,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def writer(written, tmp_path_factory):
    """Somebody who may write, in a book that nobody minds."""
    place = copy(written, tmp_path_factory.mktemp("fuzz") / "book.db")
    with bursar.open(place) as portfolio:
        token = tokens.new(portfolio.desk.store, portfolio.desk.clock, "fuzz", "write")
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(Service(told(place)), HERE, headers=headers) as asking:
        yield asking


@pytest.mark.sweep
@pytest.mark.parametrize(
    "name,mode",
    [
        (name, mode)
        for name, each in OPERATIONS.items()
        for mode in GenerationMode
        if mode.is_positive or each.query or each.body  # else nothing wrong can be asked
    ],
)
def test_no_request_is_our_own_mistake(writer, name, mode):
    operation = OPERATIONS[name]

    @FUZZ
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case):
        asked = case.as_transport_kwargs(base_url=HERE)
        own = {name: asked["headers"][name] for name in SENT if name in asked["headers"]}
        said = {name: asked[name] for name in SAID if asked.get(name)}
        if isinstance(asked.get("data"), bytes):
            said["content"] = said.pop("data", b"")
        answer = writer.request(**said, headers=own)
        assert answer.status_code < 500, answer.text
        assert answer.headers["x-request-id"]
        if answer.status_code in {200, 201}:
            operation.validate_response(answer)
        else:
            assert answer.status_code in {304, 422} or answer.json()["error"]["code"]

    ask()


@pytest.mark.sweep
def test_no_graphql_is_our_own_mistake(writer):
    @settings(FUZZ, max_examples=2 * figures.FUZZ)
    @given(queries(print_schema(schema.made())))
    def ask(query):
        answer = writer.post("/graphql", json={"query": query})
        assert answer.status_code in {200, 400}, answer.text
        for error in answer.json().get("errors", ()):
            assert error["extensions"]["code"] not in {"internal", "broken_invariant"}, query

    ask()
