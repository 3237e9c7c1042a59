"""Writing over HTTP: once under a key, never without a token, and seen at once by a reader."""

import json
from decimal import Decimal

import pytest

import bursar
from bursar.ledger import instant
from bursar.portfolio import agreement
from bursar.reconcile import Statement
from bursar.reconcile.statement import Holding

DEPOSIT = {"verb": "deposit", "quantity": "250.50", "what": "USD", "time": "2026-03-01"}
CYCLE = {
    "previous_equity": "118987",
    "validation_epsilon": "100",
    "cash": {"delta": "-10", "fees": "0.5"},
    "mark_prices": {"XBT": "50000", "ETH": 2000.0},
}


def post(client, path, body, key="k-1", **params):
    headers = {"idempotency-key": key} if key else {}
    return client.post(f"/api/portfolio/{path}", json=body, headers=headers, params=params)


def test_a_deed_is_entered_once_however_often_it_is_asked(writer):
    first = post(writer, "entries", DEPOSIT)
    assert first.status_code == 201, first.text
    told = first.json()
    assert (told["written"], told["repeated"]) == (True, False)
    again = post(writer, "entries", DEPOSIT)
    assert again.status_code == 200
    assert again.json() == {**told, "written": False, "repeated": True}
    other = post(writer, "entries", DEPOSIT, key="k-2")  # it did happen twice
    assert other.status_code == 201
    assert other.json()["id"] != told["id"]


def test_a_key_stands_for_one_request(writer):
    post(writer, "entries", DEPOSIT)
    other = post(writer, "entries", {**DEPOSIT, "quantity": "1"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    elsewhere = post(writer, "reversals", DEPOSIT | {"id": "x"})
    assert elsewhere.status_code in {400, 409}
    whole = post(writer, "transactions", CYCLE)
    assert (whole.status_code, whole.json()["error"]["code"]) == (409, "key_reused")
    wide = {**CYCLE, "validation_epsilon": "1000"}
    assert post(writer, "transactions", wide, key="cycle").status_code == 201
    part = post(writer, "entries", DEPOSIT, key="cycle")
    assert (part.status_code, part.json()["error"]["code"]) == (409, "key_reused")


def test_what_was_entered_is_seen_and_can_be_taken_back(writer):
    before = writer.get("/api/portfolio/equity").json()["equity_base"]
    made = post(writer, "entries", DEPOSIT).json()
    assert writer.get("/api/portfolio/equity").json()["equity_base"] == before + 250.5
    taken = post(writer, "reversals", {"id": made["id"]}, key="k-9")
    assert taken.status_code == 201, taken.text
    assert writer.get("/api/portfolio/equity").json()["equity_base"] == before


def test_a_preview_writes_nothing_and_needs_no_key(client):
    answer = post(client, "entries", DEPOSIT, key=None, preview="true")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["written"], told["version"]) == (False, 1)
    assert "deposit" in told["statements"][0]
    assert client.get("/api/portfolio/cash-flows").json()["items"][0]["id"] == "m:5"


def test_prices_tags_and_links_are_corrections_too(writer):
    price = {"asset": "XBT", "time": "2026-01-10", "price": "41000.5"}
    assert post(writer, "prices", price, key="p").status_code == 201
    tag = {"id": "m:4", "strategy": "swing"}
    assert post(writer, "tags", tag, key="t").status_code == 201
    (found,) = writer.get("/api/portfolio/trades", params={"strategy": "swing"}).json()["items"]
    assert found["trade_id"] == "m:4"
    out = {"verb": "withdrawal", "quantity": "5", "what": "USD", "time": "2026-03-01"}
    back = {**out, "verb": "deposit", "account": "cold:wallet", "time": "2026-03-02"}
    ids = [
        post(writer, "entries", each, key=f"l-{n}").json()["id"]
        for n, each in enumerate((out, back))
    ]
    link = post(writer, "links", {"one": ids[0], "other": ids[1]}, key="l")
    assert link.status_code == 201, link.text


def test_a_transaction_commits_or_says_why_not(writer):
    made = post(writer, "transactions", CYCLE)
    assert made.status_code == 201, made.text
    told = json.loads(made.content, parse_float=Decimal)
    assert (told["written"], told["valid"], told["reason"]) == (True, True, None)
    assert told["total"] == Decimal("118976.5")
    again = post(writer, "transactions", CYCLE)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    far = post(writer, "transactions", {**CYCLE, "previous_equity": "1"}, key="far")
    assert far.status_code == 422
    assert (far.json()["written"], far.json()["valid"]) == (False, False)
    assert far.json()["reason"]


def test_the_key_in_the_document_will_do(writer):
    body = {**CYCLE, "idempotency_key": "doc-1"}
    assert post(writer, "transactions", body, key=None).status_code == 201
    both = post(writer, "transactions", body, key="other")
    assert (both.status_code, both.json()["error"]["code"]) == (409, "key_reused")


@pytest.mark.parametrize(
    "path,body,key,refused",
    [
        ("entries", DEPOSIT, None, "400 bad_choice"),
        ("entries", DEPOSIT, "a b", "400 bad_choice"),
        ("entries", {**DEPOSIT, "colour": "red"}, "k", "400 malformed"),
        ("entries", {**DEPOSIT, "quantity": "many"}, "k", "400 not_exact"),
        ("entries", {**DEPOSIT, "quantity": "NaN"}, "k", "400 not_exact"),
        ("entries", {**DEPOSIT, "verb": "steal"}, "k", "400 bad_choice"),
        ("entries", {**DEPOSIT, "verb": "withdrawal", "what": "XBT"}, "k", "422 oversold"),
        ("entries", [], "k", "400 malformed"),
        ("reversals", {"id": "nobody"}, "k", "404 entry_not_found"),
        ("transactions", {"cash": {"delta": "x"}}, "k", "400 not_exact"),
        ("transactions", {"account": "nowhere"}, "k", "400 bad_choice"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(writer, path, body, key, refused):
    answer = post(writer, path, body, key)
    assert f"{answer.status_code} {answer.json()['error']['code']}" == refused, answer.text
    assert writer.get("/api/portfolio/cash-flows").json()["items"][0]["id"] == "m:5"


def test_text_that_cannot_be_written_is_named(writer):
    half = b'{"verb": "deposit", "quantity": "1", "what": "USD", "note": "\\ud800"}'
    headers = {"idempotency-key": "k"}
    answer = writer.post("/api/portfolio/entries", content=half, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["context"] == {"file": "entry", "field": "note"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"verb":1,"verb":2}', b'{"verb":NaN,}', b"[" * 2000]
)
def test_a_body_that_is_no_document_is_refused(writer, body):
    headers = {"idempotency-key": "k"}
    answer = writer.post("/api/portfolio/entries", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "malformed"


@pytest.mark.parametrize(
    "path, body", [("entries", DEPOSIT), ("transactions", {**CYCLE, "previous_equity": "118987"})]
)
def test_a_repeat_of_what_was_taken_back_says_so(writer, path, body):
    made = post(writer, path, body).json()
    assert (made["written"], made["taken_back_by"]) == (True, None)
    gone = post(writer, "reversals", {"id": made["id"]}, key="k-9").json()["id"]
    again = post(writer, path, body)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert again.json()["taken_back_by"] == gone


def test_a_body_that_is_too_large_is_not_read(writer):
    body = b'{"note":"' + b"x" * (1 << 20) + b'"}'
    headers = {"idempotency-key": "k"}
    answer = writer.post("/api/portfolio/entries", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_a_write_that_was_done_is_known_to_the_next_service(token, client_of, place):
    told = token("write")
    made = post(client_of(told), "entries", DEPOSIT).json()
    with bursar.open(place) as portfolio:
        assert portfolio.flows()[0].id == made["id"]
    again = post(client_of(told), "entries", DEPOSIT)
    assert again.json() == {**made, "written": False, "repeated": True}


def test_a_transaction_stands_in_the_log_with_what_it_came_to(writer):
    assert writer.get("/api/portfolio/transactions").json() == {"items": [], "next": None}
    made = post(writer, "transactions", CYCLE, key="cycle-1").json()
    (found,) = items(writer, "transactions", decimals="string")
    assert (found["id"], found["key"], found["version"]) == (made["id"], "cycle-1", 2)
    assert found["entries"]
    assert (found["epsilon"], found["marks"]) == ("100", {"ETH/USD": "2000", "XBT/USD": "50000"})
    assert Decimal(found["delta"]) == Decimal(str(made["delta"]))
    assert items(writer, "transactions", key="cycle-2") == []


def test_a_trade_goes_from_open_to_closed(writer):
    symbols = [each["symbol"] for each in items(writer, "open-trades")]
    assert symbols == ["ETH/USD", "XBT/USD"]  # the last opened first
    (xbt,) = items(writer, "open-trades", symbol="XBT/USD", decimals="string")
    assert (xbt["quantity"], xbt["open_quantity"], xbt["closed_at"]) == ("2", "1.5", None)
    assert (xbt["entry_price"], xbt["exit_price"], xbt["strategy"]) == ("40000", "50000", "trend")
    assert items(writer, "closed-trades") == []
    deed = {"quantity": "0.01", "what": "XBT/USD", "strategy": "calm"}
    bought = {**deed, "verb": "buy", "price": "50000", "time": "2026-03-01"}
    assert post(writer, "entries", bought).status_code == 201
    (mine,) = items(writer, "open-trades", strategy="calm")
    sold = {**deed, "verb": "sell", "price": "60000", "time": "2026-03-02"}
    assert post(writer, "entries", sold, key="k-2").status_code == 201
    (closed,) = items(writer, "closed-trades", decimals="string")
    assert (closed["trade_id"], closed["account"]) == (mine["trade_id"], "manual:main")
    assert (closed["open_quantity"], closed["realized_pnl"]) == ("0", "100")
    assert closed["closed_at"] == "2026-03-02T00:00:00Z"
    assert [each["symbol"] for each in items(writer, "open-trades")] == symbols
    assert items(writer, "closed-trades", since="2026-03-03") == []
    assert items(writer, "closed-trades", strategy="trend") == []


def test_what_closes_a_break_is_entered_once(writer, place):
    with bursar.open(place) as portfolio:
        held = {name[1]: each.quantity for name, each in portfolio.book().holdings.items()}
        told = {**held, "XBT": held["XBT"] + 1}
        stated = tuple(Holding(asset=n, code=n, total=total) for n, total in told.items())
        at = instant.parse("2026-02-04")
        agreement.remember(portfolio, Statement(account="m", as_of=at, holdings=stated))
    (found,) = items(writer, "breaks")
    (broken,) = found["breaks"]
    assert broken["proposal"]
    asked = {"account": "m", "id": broken["id"]}
    seen = post(writer, "breaks", asked, key=None, preview="true").json()
    assert (seen["written"], len(seen["statements"])) == (False, 1)
    made = post(writer, "breaks", asked)
    assert made.status_code == 201, made.text
    (found,) = items(writer, "breaks")
    assert (found["verdict"], found["breaks"]) == ("equal", [])
    again = post(writer, "breaks", asked)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    gone = post(writer, "breaks", asked, key="k-2")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "break_not_found")
    assert post(writer, "reversals", {"id": made.json()["id"]}, key="k-3").status_code == 201
    (found,) = items(writer, "breaks")
    assert [each["id"] for each in found["breaks"]] == [broken["id"]]


def items(client, path, **params):
    answer = client.get(f"/api/portfolio/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_a_store_that_takes_no_writes_is_told_until_it_takes_one(writer, place):
    away = place.with_name("away.db")
    place.rename(away)
    refused = post(writer, "entries", DEPOSIT)
    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "store")
    store = writer.get("/health").json()["components"]["store"]
    assert (store["status"], "moved, replaced or deleted" in store["reason"]) == ("degraded", True)
    away.rename(place)
    assert post(writer, "entries", DEPOSIT).status_code == 201
    assert writer.get("/health").json()["components"]["store"]["status"] == "ok"


@pytest.mark.parametrize(
    "body, field",
    [
        ({"verb": "deposit", "quantity": "5"}, "what"),
        ({"verb": "deposit", "quantity": "5", "what": "USD", "tiem": "2026-01-01"}, "tiem"),
        ({"verb": "deposit", "quantity": "five", "what": "USD"}, "quantity"),
        ({"verb": "buy", "quantity": "5", "what": "XBT/USD"}, "price"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_with_its_field(writer, body, field):
    answer = writer.post("/api/portfolio/entries", json=body, params={"preview": "true"})
    assert answer.status_code == 400
    assert answer.json()["error"]["context"]["field"] == field
