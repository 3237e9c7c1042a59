"""The contract's four answers: exactly its fields, in its units, with every digit."""

import json
from decimal import Decimal

import pytest

from tests.http.conftest import HERE

D = Decimal
FIELDS = {
    "snapshot": (
        "total_equity cash_balance total_exposure num_positions positions unrealized_pnl"
        " realized_pnl_today daily_pnl daily_drawdown_pct timestamp"
    ),
    "pnl": (
        "realized_pnl_total realized_pnl_today realized_pnl_week realized_pnl_month unrealized_pnl"
        " total_pnl best_trade_pnl worst_trade_pnl win_rate profit_factor timestamp"
    ),
    "exposure": (
        "total_exposure long_exposure short_exposure net_exposure exposure_by_symbol"
        " exposure_by_sector exposure_pct_of_equity timestamp"
    ),
    "drawdown": (
        "daily_drawdown_pct weekly_drawdown_pct max_drawdown_pct peak_equity current_equity"
        " days_since_peak recovery_progress_pct timestamp"
    ),
}
POSITION = (
    "symbol side size entry_price current_price unrealized_pnl unrealized_pnl_pct exposure leverage"
)


def exact(answer):
    return json.loads(answer.content, parse_float=D, parse_int=D)


@pytest.mark.parametrize("name", FIELDS)
def test_an_answer_has_exactly_the_fields_of_the_contract(client, name):
    answer = client.get(f"/api/portfolio/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == FIELDS[name].split()


def test_a_position_has_exactly_the_fields_of_the_contract(client):
    for position in client.get("/api/portfolio/snapshot").json()["positions"]:
        assert list(position) == POSITION.split()


def test_the_snapshot_has_every_digit(client):
    told = exact(client.get("/api/portfolio/snapshot"))
    # cash 100,000 − 80,008 + 24,995 − 6,246.913578024691356 − 1,000; 1.5 XBT at its last trade
    cash = D("37740.086421975308644")
    assert told["cash_balance"] == cash
    assert told["total_equity"] == cash + D(75_000) + D("6246.913578024691356")
    assert told["num_positions"] == 2
    found = {each["symbol"]: each for each in told["positions"]}
    (eth,) = (each for name, each in found.items() if name.startswith("ETH"))
    assert (eth["side"], eth["size"]) == ("LONG", D("3.123456789012345678"))
    (xbt,) = (each for name, each in found.items() if name.startswith("XBT"))
    assert (xbt["entry_price"], xbt["current_price"]) == (D(40_000), D(50_000))
    assert (xbt["unrealized_pnl"], xbt["unrealized_pnl_pct"]) == (D(15_000), D(25))


def test_numbers_are_numbers_and_strings_where_strings_are_wanted(client):
    plain = client.get("/api/portfolio/snapshot").text
    assert '"size":3.123456789012345678' in plain
    told = client.get("/api/portfolio/snapshot", params={"decimals": "string"}).text
    assert '"size":"3.123456789012345678"' in told
    assert '"num_positions":2' in told


def test_the_parts_of_pnl_add_up(client):
    told = exact(client.get("/api/portfolio/pnl"))
    assert told["realized_pnl_total"] == D(4_987)
    assert told["total_pnl"] == told["realized_pnl_total"] + told["unrealized_pnl"]


def test_exposure_is_gross_beside_net_and_signed_by_symbol(client):
    told = exact(client.get("/api/portfolio/exposure"))
    assert told["total_exposure"] == told["long_exposure"] + told["short_exposure"]
    assert told["net_exposure"] == sum(told["exposure_by_symbol"].values())
    assert told["net_exposure"] == sum(told["exposure_by_sector"].values())


def test_a_view_can_say_what_it_does_not_know(client):
    told = client.get("/api/portfolio/snapshot", params={"detail": "full"}).json()
    assert list(told) == ["view", "coverage"]
    assert list(told["view"]) == FIELDS["snapshot"].split()
    assert told["coverage"]["unvalued"] == []
    assert told["coverage"]["stale"] == ["ETH", "XBT"]  # last trades of long ago


def test_an_answer_that_has_not_changed_is_not_sent_again(client):
    first = client.get("/api/portfolio/snapshot")
    tag = first.headers["etag"]
    again = client.get("/api/portfolio/snapshot", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/api/portfolio/snapshot", headers={"if-none-match": '"other"'})
    assert other.status_code == 200
    fresh = client.get("/api/portfolio/fees")
    tag = fresh.headers["etag"]
    assert client.get("/api/portfolio/fees", headers={"if-none-match": tag}).status_code == 304
    assert fresh.headers["x-portfolio-version"] == first.headers["x-portfolio-version"]
    for path in ("/", "/page.css", "/openapi.json"):
        same = {"if-none-match": client.get(path).headers["etag"]}
        assert client.get(path, headers=same).status_code == 304


def test_a_view_is_looked_at_as_it_is_published(client):
    told, head = (client.request(m, "/api/portfolio/pnl") for m in ("GET", "HEAD"))
    for name in ("etag", "content-length", "x-portfolio-version", "content-type"):
        assert told.headers[name] == head.headers[name]
    assert (head.status_code, head.content) == (200, b"")


def test_every_answer_bears_the_id_of_its_request(client):
    assert client.get("/health").headers["x-request-id"]
    own = client.get("/api/portfolio/pnl", headers={"x-request-id": "mine-1"})
    assert own.headers["x-request-id"] == "mine-1"
    bad = client.get("/api/portfolio/pnl", headers={"x-request-id": "a b\t<script>"})
    assert bad.headers["x-request-id"] != "a b\t<script>"
    assert HERE.endswith("8004")


def test_health_tells_each_part(client):
    told = client.get("/health").json()
    assert told["status"] == "degraded"  # prices of last trades are old
    parts = {name: part["status"] for name, part in told["components"].items()}
    assert parts == {
        "keeper": "ok",
        "store": "ok",
        "book": "ok",
        "prices": "degraded",
        "publication": "ok",
        "bus": "ok",
    }
    assert told["components"]["prices"]["reason"] == "old price: ETH, XBT"
