"""GraphQL: the figures of REST, what is refused, and who may ask."""

import json
import re
import sys
from importlib import import_module
from pathlib import Path
from shutil import copy

import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLUnionType, print_schema
from starlette.testclient import TestClient

from bursar.app import SystemClock
from bursar.config import HttpSettings, PortfolioSettings, Settings
from bursar.ledger import instant
from bursar.portfolio import agreement, allocating
from bursar.reconcile import Statement
from bursar.reconcile.statement import Holding
from bursar.serve.graph import limits, operations, schema
from bursar.serve.graph.socket import PROTOCOL
from bursar.serve.opening import open_book
from bursar.serve.routes import READS, ROOT
from bursar.serve.service import Service
from bursar.serve.views import NAMES
from tests.http.conftest import HERE, told

SCHEMA = schema.made()
FIELDS = SCHEMA.query_type.fields if SCHEMA.query_type else {}
PAGE = Path(__file__).parents[2] / "docs" / "schema.graphql"
DEEPEST = 8
EXPONENT = re.compile(r'"-?\d[\d.]*[eE][-+]?\d+"')


class Still(SystemClock):
    """A clock that stands, so that two answers are of one moment."""

    def now(self):
        return instant.parse("2026-03-01")


@pytest.fixture(scope="module")
def sample(written, tmp_path_factory):
    """A book that was snapshot, whose capital was divided, and that a venue does not agree with."""
    place = copy(written, tmp_path_factory.mktemp("graph") / "book.db")
    service = open_book(told(place), Still()).service
    with service.portfolio as portfolio:
        held = portfolio.book().holdings["m", "XBT"].quantity
        stated = Holding(asset="XBT", code="XBT", total=held)
        at = instant.parse("2026-02-04")
        agreement.remember(portfolio, Statement(account="m", as_of=at, holdings=(stated,)))
        doubtful = allocating.Asked(is_doubt_allowed=True)
        allocating.apply(portfolio, allocating.propose(portfolio, asked=doubtful))
        service.create_snapshot()
    return place


@pytest.fixture(scope="module")
def client(sample):
    with TestClient(
        Service(told(sample), clock=Still()), HERE, client=("127.0.0.1", 50_000)
    ) as asking:
        yield asking


def ask(client, query, *, status=200, **variables):
    answer = client.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == status, answer.text
    return answer.json()


def refusal(client, query, **variables):
    errors = ask(client, query, status=400, **variables)["errors"]
    (code,) = {each["extensions"]["code"] for each in errors}
    return code


def bare(kind):
    while isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    return kind


def whole(kind, depth=0):
    """The selection of every field of a type, as far down as a document may go."""
    kind = bare(kind)
    if isinstance(kind, GraphQLList):
        return whole(kind.of_type, depth)
    if isinstance(kind, GraphQLUnionType):
        parts = "".join(
            f"... on {each.name} {{ {each.name}_value: value {rest(each, depth, but='value')} }}"
            for each in kind.types
        )
        return f"{{ type: __typename {parts} }}"
    return f"{{ {rest(kind, depth)} }}" if isinstance(kind, GraphQLObjectType) else ""


def rest(kind, depth, but=None):
    skipped = {but} if depth < DEEPEST else {but, "parts"}  # `why` has parts that have parts
    held = {name: each.type for name, each in kind.fields.items() if name not in skipped}
    return " ".join(f"{name} {whole(each, depth + 1)}" for name, each in held.items())


def as_rest(kind, value):
    """An answer as REST has it: entries are one object by name, a union bears its tag."""
    kind = bare(kind)
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        inner = bare(kind.of_type)
        if str(inner).endswith("Entry"):
            held = inner.fields["value"].type
            return {each["name"]: as_rest(held, each["value"]) for each in value}
        return [as_rest(inner, each) for each in value]
    if isinstance(kind, GraphQLUnionType):
        found = next(each for each in kind.types if each.name == value["type"])
        plain = {name.removeprefix(f"{found.name}_"): each for name, each in value.items()}
        return {"type": found.name.lower(), **as_rest(found, plain)}
    if isinstance(kind, GraphQLObjectType):
        return {
            name: as_rest(each.type, value[name])
            for name, each in kind.fields.items()
            if name in value
        }
    return value


def whole_parts(read, field):
    """Everything about a field; of a report, which is too much for one operation, part by part."""
    if read.name != "report":
        return [whole(field.type)]
    held = bare(field.type).fields.items()
    return [f"{{ {name} {whole(each.type, 2)} }}" for name, each in held]


@pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
def test_every_field_is_what_rest_answers(client, read):
    name = read.name.replace("-", "_")
    field = FIELDS[name]
    said = '(figure: "realized")' if name == "why" else ""
    found: dict[str, object] = {}
    for asked in whole_parts(read, field):
        (part,) = ask(client, f"{{ {name}{said} {asked} }}")["data"].values()
        found |= part
    params = {"decimals": "string"} | ({"figure": "realized"} if said else {})
    params |= {"detail": "full"} if read.full else {}
    rest = client.get(ROOT + read.name, params=params).json()
    rest = {**rest["view"], "coverage": rest["coverage"]} if read.full else rest
    rest.pop("type", None)
    assert as_rest(field.type, found) == rest
    assert not EXPONENT.search(json.dumps(found))


def test_the_live_views_are_those_of_rest(client):
    assert SCHEMA.subscription_type
    live = SCHEMA.subscription_type.fields["live"].type
    query = f"subscription {{ live {whole(live)} }}"
    with client.websocket_connect("/graphql", [PROTOCOL], headers={"host": "localhost"}) as talk:
        talk.send_json({"type": "connection_init"})
        talk.send_json({"type": "subscribe", "id": "a", "payload": {"query": query}})
        assert talk.receive_json()["type"] == "connection_ack"
        told = as_rest(live, talk.receive_json()["payload"]["data"]["live"])
    params = {"decimals": "string", "detail": "full"}
    for name in NAMES:
        rest = client.get(ROOT + name, params=params).json()
        assert told[name] == {**rest["view"], "coverage": rest["coverage"]}


def test_one_operation_is_of_one_version_and_names_its_parts_as_it_likes(client):
    query = """
        query Desk($n: Int) {
          snapshot { total_equity coverage { is_complete stale } }
          first: trades(limit: $n) { items { trade_id pnl_base } next }
          ...Money
        }
        fragment Money on Query { fees { total_base } cash_flows(type: "deposit") { items { id } } }
    """
    found = ask(client, query, n=2)["data"]
    assert found["snapshot"]["coverage"] == {"is_complete": True, "stale": ["ETH", "XBT"]}
    assert [each["trade_id"] for each in found["first"]["items"]] == ["m:4", "m:3"]
    assert found["first"]["items"][1]["pnl_base"] == "4995"
    assert found["fees"] == {"total_base": "13"}
    assert found["cash_flows"]["items"] == [{"id": "m:1"}]


def test_pages_follow_each_other_as_in_rest(client):
    query = "query($c: String) { trades(limit: 1, cursor: $c) { items { trade_id } next } }"
    found: list[dict] = []
    after = None
    while not found or after is not None:
        page = ask(client, query, c=after)["data"]["trades"]
        found += page["items"]
        after = page["next"]
    assert [each["trade_id"] for each in found] == ["m:4", "m:3", "m:2"]


def test_a_field_that_cannot_be_answered_leaves_the_others(client):
    told = ask(client, '{ positions(pair: "DOGE/USD") { next } fees { total_base } }')
    assert told["data"] == {"positions": None, "fees": {"total_base": "13"}}
    (error,) = told["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["positions"], "position_not_found")
    (error,) = ask(client, "{ trades(limit: 0) { next } }")["errors"]
    assert error["extensions"]["code"] == "bad_choice"


def chain(levels, body, times=2):
    """Fragments each of which spreads the next one twice."""
    links = [f"fragment f{n} on Query {{ {f'...f{n + 1} ' * times} }}" for n in range(levels)]
    return "{ ...f0 }" + " ".join(links) + f" fragment f{levels} on Query {{ {body} }}"


BOMB = chain(20, "fees { total_base }")
DEEP = '{ why(figure: "equity") ' + "{ parts { ... on Why " * 20 + "{ value }" + "} }" * 20 + " }"
MANY = " ".join(f"a{n}: total_base" for n in range(limits.ALIASES_MAX + 1))
TOO_MUCH = {
    "a bomb": (BOMB, "fields"),
    "aliases": (f"{{ fees {{ {MANY} }} }}", "aliases"),
    "aliases in fragments": (chain(5, "a: __typename"), "aliases"),
    "tokens": ("{ fees { " + "total_base " * limits.TOKENS_MAX + "} }", "tokens"),
    "fields": ("{ fees { " + "total_base " * limits.FIELDS_MAX + "} }", "fields"),
    "depth": (DEEP, "depth"),
    "a chain of fragments": (chain(30, "__typename", times=1), "depth"),
    "inline fragments": ("{ " + "... { " * 30 + "__typename" + " }" * 31, "depth"),
    "too deep to be read": ("{a" * 999, "tokens"),
    "rows": ("{ trades(limit: 500) { items { " + "trade_id pair " * 20 + "} } }", "cost"),
    "fields of Query": ("{ " + "fees { total_base } " * 20 + "}", "cost"),
}
NOT_MEANT = {
    "nothing": ("", "malformed"),
    "no text of it": ("{ fees {", "malformed"),
    "no such field": ("{ fees { total } }", "bad_choice"),
    "no such operation": ("query a { __typename } query b { __typename }", "bad_choice"),
    "a circle": (
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "bad_choice",
    ),
    "a circle that nobody spreads": ("{ __typename } fragment a on Query { ...a }", "bad_choice"),
    "introspection that goes in circles": (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "bad_choice",
    ),
    "a subscription": ("subscription { live { seq } }", "bad_choice"),
    "a change": ("mutation { fees }", "bad_choice"),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused_before_the_book_is_asked(client, name):
    query, limit = TOO_MUCH[name]
    (error,) = ask(client, query, status=400)["errors"]
    assert error["extensions"]["code"] == "out_of_bounds"
    assert error["extensions"]["context"]["limit"] == limit


@pytest.mark.parametrize("name", NOT_MEANT)
def test_what_means_nothing_is_refused(client, name):
    query, code = NOT_MEANT[name]
    assert refusal(client, query) == code


def test_a_page_whose_size_a_variable_says_costs_what_that_says(client):
    query = "query($n: Int = 500) { trades(limit: $n) { items { " + "trade_id pair " * 20 + "} } }"
    assert refusal(client, query) == "out_of_bounds"
    assert ask(client, query, n=10)["data"]


def test_a_variable_that_is_none_is_refused(client):
    query = "query($n: Int!) { trades(limit: $n) { next } }"
    assert refusal(client, query) == "bad_choice"
    assert refusal(client, query, n="ten") == "bad_choice"


def test_an_answer_with_too_many_rows_is_none(client, monkeypatch):
    monkeypatch.setattr(limits, "ROWS_MAX", 2)
    told = ask(client, "{ trades { items { trade_id } } }")
    assert (told["data"], told["errors"][0]["extensions"]["code"]) == (
        {"trades": None},
        "out_of_bounds",
    )


@pytest.mark.parametrize("body", ["", "[]", '{"query": 1}', "[" * 20_000, '{"query": "{ fees'])
def test_a_body_that_is_no_request_is_refused(client, body):
    answer = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "malformed" in answer.text


def test_only_a_post_of_json_is_heard(client):
    asked = {"query": "{ fees { total_base } }"}
    assert client.get("/graphql", params=asked).status_code == 405
    assert client.post("/graphql", data=asked).json()["error"]["code"] == "bad_choice"
    assert client.post("/graphql?x=1", json=asked).json()["error"]["code"] == "bad_choice"


def test_the_page_has_the_schema(client):
    text = print_schema(SCHEMA) + "\n"
    assert PAGE.read_text("utf-8") == text, (
        "write docs/schema.graphql anew: python -m tests.http.test_graph"
    )


def test_what_the_schema_is_is_told_only_where_the_settings_say_so(place):
    http = HttpSettings(graphql_introspection=False)
    service = Service(Settings(portfolio=PortfolioSettings(book=str(place), http=http)))
    with TestClient(service, HERE, client=("127.0.0.1", 50_000)) as asking:
        assert refusal(asking, "{ __schema { types { name } } }") == "bad_choice"
        (error,) = ask(asking, "{ fees { total_bas } }", status=400)["errors"]
        assert "total_base" not in error["message"]
        assert ask(asking, "{ __typename fees { total_base } }")["data"]["__typename"] == "Query"


def test_a_token_is_asked_for_before_anything_else(token, client_of):
    bearer = token("read")
    query = {"query": "{ fees { total_base } }"}
    refused = client_of(None).post("/graphql", json={"query": BOMB})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_needed")
    asking = client_of(bearer)
    assert asking.post("/graphql", json=query).json()["data"] == {"fees": {"total_base": "13"}}
    foreign = asking.post("/graphql", json=query, headers={"origin": "https://evil.example"})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "origin_denied")
    led = asking.post("/graphql", json=query, headers={"host": "evil.example"})
    assert (led.status_code, led.json()["error"]["code"]) == (421, "host_denied")


def test_a_service_starts_without_the_extra_and_says_what_to_install(settings, monkeypatch):
    for name in list(sys.modules):
        if name == "bursar.serve.service" or name.startswith("bursar.serve.graph"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "graphql", None)
    fresh = import_module("bursar.serve.service").Service(settings)
    with TestClient(fresh, HERE, client=("127.0.0.1", 50_000)) as asking:
        answer = asking.post("/graphql", json={"query": "{ fees { total_base } }"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_installed")
        assert "bursar[graphql]" in answer.json()["error"]["message"]


def test_what_nobody_foresaw_tells_nothing(client, monkeypatch):
    def broken(self, route, query):
        raise ZeroDivisionError("the book of somebody")

    monkeypatch.setattr(operations.Looking, "read", broken)
    told = ask(client, "{ fees { total_base } }")
    assert told["errors"][0]["extensions"]["code"] == "internal"
    assert "somebody" not in json.dumps(told)


if __name__ == "__main__":
    PAGE.write_text(print_schema(SCHEMA) + "\n", "utf-8")
