"""--at and --known-at: every view as it was, and nothing that writes."""

import re

from tests.unit.cli.conftest import STORY

VIEWS = [
    ("status",),
    ("status", "--by-account"),
    ("positions",),
    ("positions", "--by-account"),
    ("pnl", "--by", "asset", "--method", "wac,fifo"),
    ("pnl", "--by", "month"),
    ("lots", "--method", "fifo"),
    ("fees",),
    ("flows",),
    ("trades",),
    ("why", "realized", "XBT"),
    ("why", "equity"),
    ("journal",),
    ("export",),
    ("export", "--what", "trades"),
    ("export", "--what", "flows"),
    ("export", "--what", "holdings"),
]
WRITES = [
    ("import", STORY / "prices.csv"),
    ("new", "other"),
    ("demo",),
    ("verify",),
    ("add", "deposit", "1", "EUR"),
    ("price", "XBT", "now", "1"),
    ("tag", "x", "--strategy", "s"),
    ("link", "x", "y"),
    ("reverse", "x"),
    ("portfolio", "new", "other"),
]


def unaged(document):
    """A document without the instant of asking and what ages with it."""
    aging = {"at", "age_s", "mark_at", "coverage"}
    if isinstance(document, dict):
        return {key: unaged(each) for key, each in document.items() if key not in aging}
    if isinstance(document, list):
        return [unaged(each) for each in document]
    if isinstance(document, str):
        return re.sub(r"(fee credit: not money) of .*", r"\1", document)
    return document


def test_the_last_of_a_list_are_the_same_as_among_all_of_it(story, ask):
    for past in ((), ("--at", "2024-01-10"), ("--known-at", "#40"), ("--at", "now")):
        for line, name, limit in (("journal", "rows", "--tail"), ("trades", "trades", "--limit")):
            told = ask(line, *past)[name]
            shown = told[-2:] if line == "journal" else told[:2]
            assert len(shown) == 2
            assert ask(line, limit, "2", *past)[name] == shown
    last = ask("journal", "--tail", "2", "--after", "99")["rows"]
    assert [row["seq"] for row in last] == [100]


def test_now_is_the_plain_view_and_every_view_has_a_past(story, ask, bursar):
    for line in VIEWS:
        plain = unaged(ask(*line))
        assert unaged(ask(*line, "--at", "now", "--known-at", "now")) == plain, line
        assert unaged(ask(*line, "--at", "2024-01-10", "--known-at", "#40")) != plain, line
    for line in VIEWS[:4]:
        bursar(*line, "--at", "2024-01-10")


def test_nothing_is_written_into_the_past(story, bursar, ask):
    for line in WRITES:
        for option in ("--at", "--known-at"):
            said = bursar(*line, option, "2024-01-10", code=2).err
            assert "--at and --known-at only look" in said
    assert ask("status")["version"] == 1


def test_the_status_of_a_day(story, ask):
    found = ask("status", "--at", "2024-01-02T12:00:00Z")
    assert found["at"] == "2024-01-02T12:00:00Z"
    held = {each["asset"]: each["quantity"] for each in found["holdings"]}
    assert held == {
        "DOT": "40",
        "ETH": "1.3",
        "EUR": "1569.3533",
        "KFEE": "70",
        "XBT": "0.0602842764",
    }
    times = [each["time"] for each in ask("flows", "--at", "2024-01-02T12:00:00Z")["flows"]]
    assert max(times) <= "2024-01-02T12:00:00Z"


def test_a_mark_of_a_file_counts_only_if_it_is_of_then(story, ask, tmp_path):
    prices = tmp_path / "marks.csv"
    prices.write_text(
        "asset,time,price,quote\nXBT,2024-01-03T00:00:00Z,1000,EUR\nXBT,2024-01-20,9000,EUR\n"
    )
    for when, worth in (("2024-01-05", "1000"), ("2024-01-21", "9000")):
        held = ask("status", "--at", when, "--prices", prices)["holdings"]
        mark = next(each["mark"] for each in held if each["asset"] == "XBT")
        assert mark["price"] == worth
    flag = ask("status", "--at", "2024-01-05", "--price", "XBT=7")["holdings"]
    assert next(each["mark"]["price"] for each in flag if each["asset"] == "XBT") == "7"


def test_a_time_that_is_none_is_named(story, bursar):
    assert "'yesterday' is no UTC time" in bursar("status", "--at", "yesterday", code=2).err
    assert "is no UTC time" in bursar("status", "--known-at", "#x", code=2).err


def test_of_before_the_book_no_zero_is_told(story, bursar):
    for when in ("2020-01-01", "#0"):
        said = bursar("status", "--known-at", when, code=3).err
        assert "nothing was known then: the first row was recorded at 20" in said
    said = bursar("status", "--at", "2020-01-01", code=3).err
    assert "nothing is known of 2020-01-01T00:00:00Z: the first fact is of 2024-01-02T1" in said


def test_a_past_without_facts_of_its_own_is_told_where_something_was_known(bursar, ask):
    prices = f"{STORY / 'prices.csv'}"
    bursar("import", prices, "--base", "EUR", "--quiet")
    bursar("add", "deposit", "5", "EUR", "--yes", "--quiet")
    assert ask("status", "--known-at", "#2")["equity"] == "0"
    assert ask("journal", "--known-at", "#3")["rows"][-1]["seq"] == 3


def test_an_empty_book_has_an_empty_past(bursar, ask):
    bursar("new", "--quiet")
    assert ask("status", "--at", "2024-01-10")["equity"] == "0"


def test_a_past_that_there_is_not_is_refused(story, bursar):
    assert "there are #1 to #100" in bursar("status", "--known-at", "#101", code=3).err
    for option in ("--at", "--known-at"):
        said = bursar("status", option, "2261-01-01", code=2).err
        assert "2261-01-01T00:00:00Z is yet to come; it is 20" in said


def test_accounts_are_shown_apart(story, bursar, ask):
    exports = (STORY / "ledgers.gen1-10col.csv", STORY / "trades.gen1-13col.csv")
    bursar("import", "--account", "kraken:second", *exports, "--quiet")
    found = ask("status", "--by-account")
    accounts: dict[str, list[tuple[str, str]]] = {"kraken:main": [], "kraken:second": []}
    for each in found["by_account"]:
        accounts[each["account"]].append((each["asset"], each["quantity"]))
    assert accounts["kraken:main"] == accounts["kraken:second"]
    own = ask("positions", "--by-account")["positions"]
    assert {each["account"] for each in own} == set(accounts)
    assert bursar("status", "--by-account").out.count("kraken:second  XBT") == 1
    assert "kraken:second · amounts in EUR" in bursar("positions", "--by-account").out
    assert set(ask("pnl", "--by", "account")["methods"][0]["lines"]) >= set(accounts)
