"""What is read besides the contract's four: pages, filters, errors, the document of it all."""

import json
from decimal import Decimal

import polars as pl
import pytest

import bursar
from bursar.cli import main
from bursar.ledger.golden import read
from bursar.plan import read_plan, write_plan
from bursar.portfolio import weights_file
from bursar.serve.asking import cursor
from bursar.serve.routes import READS, ROOT, WRITES


def items(client, path, **params):
    answer = client.get(f"/api/portfolio/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.parametrize("read", READS, ids=lambda read: read.name)
def test_every_route_answers(client, read):
    said = {param.name: "equity" for param in read.params if param.is_required}
    assert client.get(ROOT + read.name, params=said).status_code == 200


def test_trades_are_paged_newest_first_and_none_is_left_out_or_told_twice(client):
    whole = items(client, "trades")
    assert [each["trade_id"] for each in whole] == ["m:4", "m:3", "m:2"]
    found, after = [], None
    while True:
        params = {"limit": 1} | ({"cursor": after} if after else {})
        page = client.get("/api/portfolio/trades", params=params).json()
        assert len(page["items"]) == 1
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    assert found == whole


def test_trades_can_be_asked_for_by_pair_strategy_and_time(client):
    assert [e["trade_id"] for e in items(client, "trades", pair="btc/usd")] == ["m:3", "m:2"]
    assert [e["trade_id"] for e in items(client, "trades", strategy="trend")] == ["m:3", "m:2"]
    assert [e["trade_id"] for e in items(client, "trades", since="2026-02-02")] == ["m:4"]
    assert [e["trade_id"] for e in items(client, "trades", until="2026-02-01")] == ["m:2"]


def test_cash_flows_can_be_asked_for_by_asset_and_type(client):
    assert [each["id"] for each in items(client, "cash-flows")] == ["m:5", "m:1"]
    assert [each["id"] for each in items(client, "cash-flows", type="deposit")] == ["m:1"]
    assert items(client, "cash-flows", asset="EUR") == []


def test_a_position_is_found_under_any_of_its_names(client):
    (found,) = items(client, "positions", pair="BTC-USD")
    assert found["base_size"] == 1.5
    answer = client.get("/api/portfolio/positions", params={"pair": "DOGE/USD"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "position_not_found")
    assert items(client, "positions", pair="BTC-USD", account="m") == [found]
    elsewhere = {"pair": "BTC-USD", "account": "manual:main"}
    answer = client.get("/api/portfolio/positions", params=elsewhere)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "position_not_found")


def test_strategies_have_their_own_lines(client):
    told = client.get("/api/portfolio/strategies").json()
    assert told["by"] == "strategy"
    assert told["parts"]["trend"]["realized"] == 4987


def test_a_decision_is_told_once_there_is_one(client):
    assert client.get("/api/portfolio/decision").json() == {"decision": None}


def test_a_figure_can_be_asked_why(client):
    told = client.get("/api/portfolio/why", params={"figure": "equity"}).json()
    assert told["type"] == "why"
    assert {part["type"] for part in told["parts"]} <= {"why", "amount"}


def test_the_first_snapshot_is_kept_when_the_service_starts(client):
    assert len(items(client, "snapshots")) == 1
    assert len(items(client, "closes")) == 1


@pytest.mark.parametrize(
    "path,status,code",
    [
        ("/api/portfolio/snapshot?colour=red", 400, "bad_choice"),
        ("/api/portfolio/trades?limit=0", 400, "bad_choice"),
        ("/api/portfolio/trades?limit=501", 400, "bad_choice"),
        ("/api/portfolio/trades?limit=²", 400, "bad_choice"),
        ("/api/portfolio/trades?limit=1&limit=2", 400, "bad_choice"),
        ("/api/portfolio/trades?cursor=%ff", 400, "bad_choice"),
        ("/api/portfolio/trades?cursor=e30", 400, "bad_choice"),
        ("/api/portfolio/trades?since=yesterday", 400, "malformed"),
        ("/api/portfolio/trades?pair=", 400, "bad_choice"),
        ("/api/portfolio/strategies?period=year", 400, "bad_choice"),
        ("/api/portfolio/why?figure=fame", 404, "figure_not_found"),
        ("/api/portfolio/why", 400, "bad_choice"),
        ("/api/portfolio/nothing", 404, "route_not_found"),
        ("/api/portfolio/snapshot/", 404, "route_not_found"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(client, path, status, code):
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers["x-request-id"]


def test_what_cannot_be_done_there_says_what_can(client):
    answer = client.delete("/api/portfolio/snapshot")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "wrong_method")
    assert answer.headers["allow"] == "GET, HEAD"
    both = client.put("/api/portfolio/transactions")  # one route reads, another writes
    assert both.headers["allow"] == "GET, HEAD, POST"


def test_a_cursor_of_another_time_begins_there(client):
    far = cursor(0, "", "")
    assert items(client, "trades", cursor=far) == []


def test_the_document_tells_every_route(client):
    told = client.get("/openapi.json").json()
    assert told["openapi"] == "3.1.0"
    asked = {ROOT + each.name for each in (*READS, *WRITES)}
    assert set(told["paths"]) == {"/health", ROOT + "export", ROOT + "report/file", *asked}
    schemas = told["components"]["schemas"]
    assert schemas["SnapshotView"]["properties"]["total_equity"] == {"type": ["number", "string"]}
    assert "format" not in str(schemas["ToldEntry"]["properties"]["quantity"])


@pytest.mark.parametrize(
    "asked,kind,says",
    [
        ({}, "text/plain", "deposit  100000 USD"),
        ({"format": "csv", "what": "trades"}, "text/csv", "m:3"),
        ({"format": "ndjson", "what": "flows"}, "application/x-ndjson", "m:5"),
        ({"format": "json", "what": "lots"}, "application/json", '"lots"'),
        ({"format": "beancount"}, "text/plain", "commodity"),
        ({"format": "hledger"}, "text/plain", "XBT"),
    ],
)
def test_the_book_can_be_taken_away(client, asked, kind, says):
    answer = client.get("/api/portfolio/export", params=asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert says in answer.text


def test_a_table_is_taken_away_as_parquet_with_every_digit(client):
    asked = {"format": "parquet", "what": "holdings"}
    answer = client.get("/api/portfolio/export", params=asked)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    held = dict(pl.read_parquet(answer.content).select("asset", "quantity").rows())
    assert held["ETH"] == Decimal("3.123456789012345678")


def test_what_another_process_wrote_is_in_the_next_answer_and_in_all_of_it(place, client_of):
    asking = client_of("")
    words = "{ equity { cash_base } cash_flows(limit: 1) { items { amount } } }"
    for number in range(2, 6):
        with bursar.open(place) as other:
            line = f"2026-03-0{number}T10:00:00Z deposit {number} USD #m:1{number}"
            version = other.record(*read([line])).version
            cash = other.equity().valuation.cash_base
        told = asking.get("/api/portfolio/cash-flows")
        assert told.headers["x-portfolio-version"] == str(version)
        assert told.json()["items"][0]["amount"] == number
        answer = asking.post("/graphql", json={"query": words}).json()["data"]
        assert Decimal(answer["equity"]["cash_base"]) == cash
        assert answer["cash_flows"]["items"] == [{"amount": str(number)}]


def test_the_whole_book_is_no_table(client):
    asked = {"format": "golden", "what": "trades"}
    answer = client.get("/api/portfolio/export", params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_choice")


def test_a_plan_is_worked_out_and_nothing_is_written(client):
    body = {"target_weights": {"XBT": "0.5", "ETH": 0.25}}
    answer = client.post("/api/portfolio/rebalance-plan", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {each["symbol"] for each in told["items"]} == {"XBT", "ETH"}
    assert (
        client.post("/api/portfolio/rebalance-plan", json=body).json()["plan_id"]
        == (told["plan_id"])
    )
    assert read_plan(answer.content).verify() == ()
    unknown = client.post("/api/portfolio/rebalance-plan", json={"DOGE": "0.5", "ADA": "0.1"})
    assert unknown.json()["error"]["context"]["symbols"] == ["ADA", "DOGE"]
    bad = client.post("/api/portfolio/rebalance-plan", json={"XBT": "2"})
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "bad_choice"), bad.text


def test_a_plan_is_the_same_document_over_the_service_in_a_terminal_and_in_python(
    client, place, tmp_path, capsys
):
    file = tmp_path / "weights.json"
    body = {"target_weights": {"XBT": "0.50", "ETH": 0.25}, "policy": {"min_trade_amount": "25.0"}}
    file.write_text(json.dumps(body))
    answer = client.post("/api/portfolio/rebalance-plan", json=body, params={"decimals": "string"})
    assert main(["plan", str(file), "--book", str(place), "--json"]) == 1
    with bursar.open(place) as portfolio:
        wanted = weights_file.read(file)
        made = portfolio.plan(wanted.allocation, policy=wanted.policy)
    plans = answer.json(), json.loads(capsys.readouterr().out), json.loads(write_plan(made))
    for each in plans:  # when it was asked, and what is there as of then
        assert each.pop("timestamp")
        assert each["inputs"]["holdings"].pop("as_of")
    assert plans[0] == plans[1] == plans[2]
    assert plans[0]["inputs"]["allocation"]["constraints"]["buys_only"] is False
    assert plans[0]["inputs"]["policy"]["money_step"] is None


def test_the_status_page_asks_nobody_else(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    for path in ("/", "/page/app.js", "/page.css", "/favicon.svg"):
        text = client.get(path).text
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text
    assert "<script>" not in page.text
    assert "style=" not in page.text


def test_metrics_count_what_was_asked(client):
    line = 'bursar_http_requests_total{method="GET",route="/api/portfolio/pnl",status="200"} '

    def counted():
        lines = client.get("/metrics").text.splitlines()
        return sum(float(each.removeprefix(line)) for each in lines if each.startswith(line))

    before = counted()
    client.get("/api/portfolio/pnl")
    client.get("/api/portfolio/pnl", params={"decimals": "string"})
    assert counted() == before + 2
    client.options("/api/portfolio/pnl")
    told = client.get("/metrics").text
    assert 'method="OPTIONS",route="preflight",status="204"} 1.0' in told
    assert 'bursar_component{component="store",status="ok"} 1.0' in told
    assert "bursar_publications_total" in told
    assert "process_resident_memory_bytes" in told


def test_metrics_say_how_transactions_went(place, client_of, token):
    with bursar.open(place) as portfolio:
        for epsilon in ("100000", "1"):
            with portfolio.transaction(previous_equity=0, validation_epsilon=epsilon) as tx:
                tx.stage_cash_delta(-5)
                tx.commit({"XBT": 20_000, "ETH": 2_000})
    told = client_of(token("read")).get("/metrics").text.splitlines()
    assert "bursar_transactions_committed_total 1.0" in told
    assert 'bursar_transactions_discarded_total{reason="validation_failed"} 1.0' in told
    assert "bursar_transactions_retried_total 0.0" in told
    assert 'bursar_transaction_delta_bucket{le="10000"} 0.0' in told
    assert 'bursar_transaction_delta_bucket{le="100000"} 2.0' in told
    assert 'bursar_transaction_epsilon_bucket{le="1"} 1.0' in told
    assert 'bursar_transaction_seconds_bucket{le="+Inf"} 2.0' in told


def test_a_bound_within_a_microsecond_loses_no_record(client_of, place):
    """Records tell their time to the microsecond: one of the very instant was not found."""
    at = "2026-03-01T00:00:00.000000001Z"
    with bursar.open(place) as portfolio:
        portfolio.record(*read([f"{at} deposit 1 USD #m:90"]))
    here = client_of(None)
    later = "2026-03-02"
    found = [
        [each["id"] for each in items(here, "cash-flows", since=one, until=other)]
        for one, other in ((at, later), ("2026-02-28", at))
    ]
    assert found == [["m:90"], []]
