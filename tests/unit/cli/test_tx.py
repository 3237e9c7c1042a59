"""`bursar tx`: a transaction as a document, shown, committed, logged."""

import json

import pytest

from bursar.errors import Malformed, NotExact, OutOfBounds
from bursar.portfolio import transaction_file

FIRST = {"previous_equity": 0, "validation_epsilon": "100000", "cash": {"delta": "100000"}}
CYCLE = {
    "previous_equity": "100000",
    "validation_epsilon": "20",
    "idempotency_key": "cycle-7",
    "cash": {"delta": "-1000", "fees": 5},
    "positions": [{"symbol": "BTC/USDT", "quantity_delta": "0.02", "entry_price": "50000"}],
    "realized_pnl_delta": "50",
    "mark_prices": {"BTC/USDT": "51000"},
}


@pytest.fixture
def tell(tmp_path, bursar):
    """Writes a document to a file; the book has 100,000 dollars."""

    def write(document, name="tx.json"):
        file = tmp_path / name
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return file

    bursar("new", "--quiet")
    bursar("tx", "commit", write(FIRST), "--yes", "--quiet")
    return write


def test_a_review_writes_nothing(tell, bursar, ask):
    before = ask("status")["version"]
    seen = ask("tx", "review", tell(CYCLE))
    assert (seen["valid"], seen["total"], seen["delta"], seen["epsilon"]) == (
        *(True, "100015", "15", "20"),
    )
    assert seen["claim_difference"] == "50"
    assert "position 0.02 BTC @ 50000" in seen["entries"][0]
    assert "✓ It holds." in bursar("tx", "review", tell(CYCLE)).out
    assert ask("status")["version"] == before
    assert ask("tx", "stats")["commits"] == 1
    assert ask("tx", "stats")["discards"] == {}


def test_a_commit_needs_a_yes(tell, bursar, ask):
    ran = bursar("tx", "commit", tell(CYCLE), code=5)
    assert ran.out.endswith("Nothing was written.\n")
    assert ask("tx", "commit", tell(CYCLE), code=5)["written"] is False
    ran = bursar("tx", "commit", tell(CYCLE), "--yes")
    assert "Written, version 2. `bursar reverse manual:main:tx-cycle-7` takes it back." in ran.out
    assert ask("positions", "--price", "BTC=51000")["positions"][0]["base_size"] == "0.02"


def test_what_was_taken_back_is_not_said_to_stand(tell, bursar, ask):
    bursar("tx", "commit", tell(CYCLE), "--yes")
    bursar("reverse", "tx-cycle-7", "--yes", "--quiet")
    ran = bursar("tx", "commit", tell(CYCLE), "--yes", code=5)
    gone = "tx-cycle-7 was committed before, and taken back by manual:main:hand-"
    assert gone in ran.out
    assert ran.out.endswith("Nothing was written.\n")
    told = ask("tx", "commit", tell(CYCLE), "--yes", code=5)
    assert (told["written"], told["repeated"]) == (False, True)
    assert gone in bursar("tx", "review", tell(CYCLE), code=5).out
    assert ask("tx", "review", tell(CYCLE), code=5)["taken_back_by"] == told["taken_back_by"]
    assert ask("positions", "--price", "BTC=51000")["positions"] == []


def test_the_same_document_twice_is_one_transaction(tell, bursar, ask):
    bursar("tx", "commit", tell(CYCLE), "--yes")
    ran = bursar("tx", "commit", tell(CYCLE), "--yes")
    assert "The same was committed before: manual:main:tx-cycle-7." in ran.out
    assert ask("tx", "commit", tell(CYCLE), "--yes")["repeated"] is True
    other = tell({**CYCLE, "realized_pnl_delta": "51"})
    assert ask("tx", "commit", other, "--yes", code=4)["error"]["code"] == "key_reused"
    assert ask("status")["version"] == 2


def test_what_does_not_hold_is_discarded_with_exit_code_1(tell, bursar, ask):
    wrong = tell({**CYCLE, "validation_epsilon": "10"})
    assert "✗ Discarded, validation_failed" in bursar("tx", "review", wrong, code=1).out
    seen = ask("tx", "commit", wrong, "--yes", code=1)
    assert (seen["written"], seen["reason"]) == (False, "validation_failed")
    assert ask("status")["version"] == 1
    assert ask("tx", "stats")["discards"] == {"validation_failed": 1}


def test_marks_of_the_command_line_count_for_more_than_the_files(tell, bursar, ask):
    assert ask("tx", "review", tell(CYCLE), "--price", "BTC/USDT=51001")["delta"] == "15.02"
    unmarked = tell({**CYCLE, "mark_prices": {}})
    assert ask("tx", "review", unmarked, code=1)["reason"] == "missing_mark"
    said = bursar("tx", "review", unmarked, code=1).out
    assert "mark_prices in the file, --price or --prices" in said
    assert ask("tx", "review", unmarked, "--price", "BTC=51000")["delta"] == "15"


def test_the_log_and_the_journal_have_it(tell, bursar, ask):
    bursar("tx", "commit", tell(CYCLE), "--yes", "--quiet")
    first, second = ask("tx", "log")["transactions"]
    assert (first["version"], second["key"], second["delta"]) == (1, "cycle-7", "15")
    assert ask("tx", "log", "--tail", "1")["transactions"] == [second]
    assert "manual:main:tx-cycle-7" in bursar("tx", "log").out
    assert "fees 5" in bursar("journal", "--kind", "staged", "-n", "1").out
    assert bursar("tx", "stats").out.splitlines()[0].split() == ["commits", "2"]
    bursar("verify")
    bursar("reverse", "manual:main:tx-cycle-7", "--yes")
    assert [row["asset"] for row in ask("status")["holdings"]] == ["USD"]
    assert ask("tx", "log", "-n", "-1", code=2)["error"]["code"] == "bad_choice"


def test_an_empty_log_says_so(bursar):
    bursar("new", "--quiet")
    assert bursar("tx", "log").out == "No transaction yet.\n"


def test_lots_stand_in_a_document_too(tell, bursar, ask):
    lot = {"action": "add", "symbol": "BTC", "quantity": 0.02, "cost": 990, "lot_id": "mine"}
    bursar("tx", "commit", tell({**CYCLE, "lots": [lot]}), "--yes", "--quiet")
    more = {"mark_prices": {"BTC": 51000}, "validation_epsilon": 10_000}
    update = {"action": "update", "symbol": "BTC", "lot_id": "pool", "cost": "991"}
    bursar("tx", "commit", tell({**more, "lots": [update]}), "--yes", "--quiet")
    sale = [{"symbol": "BTC", "quantity_delta": "-0.02"}]
    remove = [{"action": "remove", "symbol": "BTC", "lot_id": "pool"}]
    seen = ask("tx", "commit", tell({**more, "positions": sale, "lots": remove}), "--yes")
    assert (seen["reason"], seen["realized"]) == (None, "29")  # 0.02 × 51000 − 991


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"cash": {"delta": "1", "delta": "2"}}',
        '{"cash": {"dleta": "1"}}',
        '{"cash": {"delta": "nan"}}',
        '{"cash": {"delta": NaN}}',
        '{"cash": {"delta": true}}',
        '{"positions": [{"symbol": "BTC"}]}',
        '{"lots": [{"action": "buy", "symbol": "BTC"}]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_such_document_is_refused(tell, ask, text):
    found = ask("tx", "review", tell(text), code=2)["error"]["code"]
    assert found in {"malformed", "not_exact", "out_of_bounds"}


def test_a_lot_without_a_name_cannot_go(tell, ask):
    lots = [{"action": "remove", "symbol": "BTC"}]
    assert ask("tx", "review", tell({"lots": lots}), code=2)["error"]["code"] == "malformed"


def test_every_digit_of_a_number_counts():
    told = transaction_file.read_text(b'{"cash": {"delta": 0.100000000000000001, "fees": 1e-3}}')
    assert [str(told.cash.delta), str(told.cash.fees)] == ["0.100000000000000001", "0.001"]
    with pytest.raises(OutOfBounds, match=r"cycle\.json: cash\.delta: 0\.1"):
        transaction_file.read_text(b'{"cash": {"delta": 0.1000000000000000001}}', "cycle.json")
    with pytest.raises(Malformed, match="comes twice"):
        transaction_file.read_text(b'{"mark_prices": {"A": 1, "A": 2}}')


@pytest.mark.parametrize("text", ["1_000", " 5", "5\n", "1e2", "+5", "٣"])
@pytest.mark.parametrize(
    "document, place",
    [
        ('{"cash": {"delta": "%s"}}', "file: cash.delta: "),
        ('{"mark_prices": {"BTC": "%s"}}', "file: mark_prices.BTC: "),
        (
            '{"positions": [{"symbol": "BTC", "quantity_delta": "%s"}]}',
            r"file: positions\[0\].quantity_delta: ",
        ),
    ],
)
def test_text_that_only_python_takes_for_a_number_is_refused(text, document, place):
    said = document % text.replace("\n", "\\n")
    with pytest.raises(NotExact, match=place):
        transaction_file.read_text(said.encode(), "file")


def test_a_document_of_any_size_is_not_read(tell):
    with pytest.raises(OutOfBounds):
        transaction_file.read(tell(" " * (transaction_file.BYTES_MAX + 1)))
