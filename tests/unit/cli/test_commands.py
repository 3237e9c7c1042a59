"""Every command: what it says, in text and in JSON."""

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from bursar import __version__
from bursar.cli.commands import _COMMANDS, _NAMES
from tests.unit.cli.conftest import STORY

EVERY = [_NAMES.get(each, each.__name__) for group in _COMMANDS.values() for each in group]
ASKED = [
    ("status",),
    ("positions",),
    ("pnl",),
    ("pnl", "--by", "asset", "--method", "wac,fifo,hifo"),
    ("pnl", "--by", "month"),
    ("lots",),
    ("lots", "XBT", "--method", "fifo"),
    ("fees",),
    ("flows", "--asset", "XBT", "--limit", "1"),
    ("trades", "--pair", "XBTEUR", "--limit", "2"),
    ("journal", "--tail", "3"),
    ("why", "realized", "XBT"),
    ("why", "equity"),
    ("verify",),
    ("export",),
    ("export", "--what", "trades"),
    ("import", STORY / "prices.csv", "--dry-run"),
]


def leaves(document):
    match document:
        case dict():
            for each in document.values():
                yield from leaves(each)
        case list():
            for each in document:
                yield from leaves(each)
        case _:
            yield document


@pytest.mark.parametrize("line", ASKED, ids=lambda line: " ".join(map(str, line[:2])))
def test_every_answer_is_json_and_text(story, ask, bursar, line):
    document = ask(*line)
    assert bursar(*line).out.strip()
    for leaf in leaves(document):
        assert not isinstance(leaf, float)
        if isinstance(leaf, str):
            assert not re.fullmatch(r"-?\d+(\.\d+)?[eE][+-]?\d+", leaf)


def test_json_writes_one_value_one_way(story, ask):
    held = {row["asset"]: row for row in ask("status")["holdings"]}
    assert held["ETH"]["quantity"] == "1"
    assert held["EUR"]["unrealized"] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", ask("status")["at"])
    assert ask("flows", "-n", "1")["flows"][0]["time"] == "2024-01-22T03:40:00Z"


def test_help_names_every_command_and_the_exit_codes(bursar):
    said = bursar("--help").out
    assert set(EVERY) == {
        *("demo", "import", "new", "status", "positions", "pnl", "lots", "fees", "flows"),
        *(
            "performance",
            "report",
            "trades",
            "why",
            "verify",
            "journal",
            "export",
            "backup",
            "restore",
        ),
        *("plan", "profits"),
        *("add", "price", "tag", "link", "reverse", "init", "sync", "watch"),
        "serve",
    }
    for name in EVERY:
        assert re.search(rf"^│ {name} +\S", said, re.MULTILINE), name
    for code in (
        "0 fine",
        "1 a check",
        "2 wrong",
        "3 not found",
        "4 store or venue",
        "5 only",
        "70 broken",
    ):
        assert code in " ".join(said.split())
    for option in ("--book", "--portfolio", "--price", "--prices", "--json", "--quiet", "--exact"):
        assert option in said
    assert "--install-completion" in said


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_its_own_help(bursar, name):
    said = bursar(name, "--help").out
    assert f"bursar {name}" in said
    assert "Options of every command" in said


def test_version(bursar):
    assert bursar("--version").out.strip() == __version__


def test_the_book_is_found_by_flag_environment_and_folder(
    story, bursar, ask, monkeypatch, tmp_path
):
    (tmp_path / "bursar.db").rename(tmp_path / "elsewhere.db")
    bursar("status", code=3)
    assert ask("status", "--book", "elsewhere.db")["base"] == "EUR"
    monkeypatch.setenv("BURSAR_BOOK", "elsewhere.db")
    assert ask("status")["base"] == "EUR"
    assert json.loads(bursar("--json", "status").out)["portfolio"] == "main"


def test_status_reads_well(story, bursar):
    said = bursar("status").out
    assert re.search(r"equity +15,042\.04 +=  contributed +5,188\.09", said)
    assert re.search(
        r"^XBT +0\.0400899864 +1,627\.46 +38,410 +1,539\.86 +-87\.61 +10\.2 %", said, re.MULTILINE
    )
    assert re.search(r"^EUR +4,143\.3726 .* —  27\.5 %", said, re.MULTILINE)
    assert "old marks" in said
    assert "7,430.104977753576101784" in bursar("status", "--exact").out


def test_a_price_counts_and_a_slip_is_named(story, bursar, ask):
    given = ask("status", "--price", "xbt=65000")
    mark = next(row["mark"] for row in given["holdings"] if row["asset"] == "XBT")
    assert (mark["price"], mark["source"]) == ("65000", "flag")
    assert mark["age_s"] == 0
    assert "no ABC in the book" in bursar("status", "--price", "ABC=1").err
    assert bursar("status", "--price", "ABC=1", "--quiet").err == ""


def test_no_age_is_negative_but_that_of_a_price_from_ahead(story, bursar, ask, tmp_path):
    path = tmp_path / "ahead.csv"
    path.write_text("asset,time,price,quote\nXBT,2199-01-01,70000,EUR\n")
    row = next(row for row in ask("status", "--prices", path)["holdings"] if row["asset"] == "XBT")
    assert row["mark"]["age_s"] < 0
    assert "future" in row["flags"]
    assert re.search(r"^XBT .* y ahead *$", bursar("status", "--prices", path).out, re.MULTILINE)


def test_a_prices_file_is_looked_at_and_not_booked(story, ask, tmp_path):
    rows = ask("verify")["rows"]
    path = tmp_path / "now.csv"
    path.write_text("asset,time,price,quote\nXBT,2024-02-01,70000,EUR\nETH,2024-02-01,3000,EUR\n")
    marks = {
        row["asset"]: row["mark"]["price"]
        for row in ask("status", "--prices", path, "--price", "ETH=3100")["holdings"]
        if row["mark"]
    }
    assert (marks["XBT"], marks["ETH"], marks["DOT"]) == ("70000", "3100", "6.15")
    assert ask("verify")["rows"] == rows


@pytest.fixture
def unpriced(bursar):
    """The story without prices: SGB came for nothing that is known."""
    bursar("import", STORY / "ledgers.gen4-16col.csv", "--base", "EUR", "--quiet")


def test_what_has_no_mark_is_named_and_never_zero(unpriced, ask, bursar):
    said = ask("status")
    row = next(each for each in said["holdings"] if each["asset"] == "SGB")
    assert (row["value"], row["unrealized"], row["mark"]) == (None, None, None)
    assert row["unknown"] == "SGB: no mark (EUR)"
    assert not said["is_complete"]
    assert "SGB: no mark (EUR)" in [each["reason"] for each in said["coverage"]["unvalued"]]
    text = bursar("status").out
    assert re.search(r"^SGB ! +39\.99999 +unknown +— +unknown +unknown", text, re.MULTILINE)
    assert re.search(r"^! unknown +SGB: no mark \(EUR\)", text, re.MULTILINE)
    assert re.search(r"without +SGB", text)
    found = ask("pnl", "--by", "asset")["methods"][0]
    assert found["lines"]["SGB"]["unrealized"] is None
    assert not found["is_complete"]
    assert re.search(r"^SGB .*unknown +unknown", bursar("pnl", "--by", "asset").out, re.MULTILINE)
    beside = bursar("pnl", "--by", "asset", "--method", "wac,fifo").out
    assert re.search(r"^SGB .*unknown", beside, re.MULTILINE)
    assert bursar("why", "value", "SGB", code=3).err.startswith("bursar: SGB: no mark")
    assert re.search(r"unknown +39\.99999 SGB", bursar("why", "equity").out)
    priced = ask("status", "--price", "SGB=0.005")
    assert "SGB" not in [each["asset"] for each in priced["coverage"]["unvalued"]]


def test_a_gain_without_a_known_cost_is_not_known(unpriced, ask, bursar):
    price = ("--price", "SGB=0.5")
    said = ask("status", *price)
    row = next(each for each in said["holdings"] if each["asset"] == "SGB")
    assert (row["value"], row["cost"], row["unrealized"]) == ("19.999995", None, None)
    assert said["unfounded"] == "19.999995"
    right = sum(Decimal(said[each]) for each in ("contributed", "realized", "income", "unrealized"))
    assert Decimal(said["equity"]) == right + Decimal("19.999995") - Decimal(said["expenses"])
    text = bursar("status", *price).out
    assert re.search(r"of no known cost +\+20\.00$", text, re.MULTILINE)
    assert re.search(r"^SGB ! +39\.99999 +unknown +0\.5 +20\.00 +unknown", text, re.MULTILINE)
    assert re.search(r"^XBT ! +0\.0400899864 +1,627\.24", text, re.MULTILINE)
    found = ask("pnl", "--by", "asset", *price)["methods"][0]
    assert found["unfounded"] == ["SGB"]
    assert found["lines"]["SGB"]["unrealized"] is None
    assert not found["is_complete"]
    text = bursar("pnl", "--by", "asset", *price).out
    assert re.search(r"^! unknown +SGB: no known cost: in no unrealised", text, re.MULTILINE)
    at = {each["pair"]: each for each in ask("positions", *price)["positions"]}["SGB/EUR"]
    assert (at["avg_entry_price"], at["unrealized_pnl_base"]) == (None, None)
    assert re.search(r"^SGB/EUR ! .*unknown", bursar("positions", *price).out, re.MULTILINE)
    for figure in ("cost", "unrealized"):
        said = bursar("why", figure, "SGB", *price, code=3).err
        assert said.startswith("bursar: SGB: cost unknown, no part of it had a price")
    assert ask("why", "identity", *price)["value"] == "0"
    rows = csv.DictReader(io.StringIO(bursar("export", "--what", "holdings", *price).out))
    assert [each["cost"] for each in rows if each["asset"] == "SGB"] == [""]


def test_lots_without_a_known_cost_say_so(unpriced, ask, bursar):
    (lot,) = ask("lots", "SGB")["lots"]
    assert lot["cost"] is None
    assert "unpriced" in lot["flags"]
    assert re.search(r"^SGB ! +39\.99999 +unknown +—", bursar("lots", "SGB").out, re.MULTILINE)
    known = ask("lots", "XBT", "--method", "fifo")["lots"]
    assert [each["cost"] is None for each in known] == [False, False, False, True]
    assert ask("lots", "ETH")["lots"][0]["flags"] == []


@pytest.fixture
def dollars(bursar):
    """An account in EUR, in a book that counts in USD: nothing is known."""
    path = STORY / "ledgers.gen4-16col.csv"
    said = bursar("import", path).err
    assert "These files are in EUR, the book counts in USD" in said
    assert "start again with --base EUR" in said


@pytest.mark.parametrize("by", ["pair", "asset", "month"])
def test_pnl_of_what_nobody_priced_is_marked(dollars, ask, bursar, by):
    (found,) = ask("pnl", "--by", by)["methods"]
    gaps = {each["asset"]: each["count"] for each in found["gaps"] if each["flag"] == "unpriced"}
    assert gaps["EUR"] > 0
    if by != "month":
        name = "XBT/EUR" if by == "pair" else "XBT"
        assert found["lines"][name]["flags"] == found["lines"]["none"]["flags"] == ["unpriced"]
    said = bursar("pnl", "--by", by).out
    assert re.search(r"^total ! +0\.00", said, re.MULTILINE)
    assert re.search(r"^! unpriced .*EUR \d+×", said, re.MULTILINE)


@pytest.mark.parametrize("command", ["fees", "flows", "lots", "positions"])
def test_every_table_names_what_nobody_priced(dollars, ask, bursar, command):
    assert {"EUR", "XBT"} <= {each["asset"] for each in ask(command)["gaps"]}
    said = bursar(command).out
    assert re.search(r"^! unpriced .*EUR \d+×", said, re.MULTILINE)
    if command == "fees":
        assert re.search(r"^EUR ! +19\.5527 +unknown", said, re.MULTILINE)
        assert re.search(r"^XBT/EUR ! +0\.00", said, re.MULTILINE)


def test_lines_of_no_asset_carry_no_mark(dollars, ask):
    (found,) = ask("pnl", "--by", "strategy")["methods"]
    assert {tuple(line["flags"]) for line in found["lines"].values()} == {()}
    assert found["gaps"]


def test_a_pair_without_a_stroke_is_found_by_its_letters():
    from bursar.cli.coverage import touches

    assert touches("XBTUSD", {"BTC"})
    assert touches("ADAXBT", {"XBT"})
    assert touches("BTC/USD", {"XBT"})
    assert not touches("ETHUSD", {"XBT", ""})
    assert not touches("ETH/USD", {"XBT", ""})


def test_a_base_is_a_name_in_capitals(bursar, ask):
    assert ask("new", "--base", "eur", "--peg", "eurc")["pegs"] == ["EURC"]
    said = bursar("new", "--base", "E/U R", "--portfolio", "other", code=2).err
    assert "'E/U R' is no currency" in said
    assert "'NAN' is no currency" in bursar("new", "--base", "NaN", "--portfolio", "o", code=2).err
    said = bursar("new", "--short", "alpaca", "--portfolio", "o", code=2).err
    assert "'alpaca' is no account; write venue:name" in said
    path = STORY / "ledgers.gen4-16col.csv"
    said = bursar("import", path, "--base", "eur", "--book", "other.db").err
    assert "base currency EUR" in said
    assert "These files" not in said
    assert "These files" not in bursar("import", STORY / "prices.csv").err


def test_colours_carry_signs_and_can_be_left_out(story, bursar, monkeypatch):
    assert "\x1b" not in bursar("pnl").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert re.search(r"\x1b\[32m\+2,437\.00", bursar("pnl").out)
    assert re.search(r"\x1b\[31m *-87\.61", bursar("pnl").out)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", bursar("pnl").out)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_figures_are_never_cut(story, bursar, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    for line in ASKED[:7]:
        said = bursar(*line).out
        assert "…" not in said
    said = bursar("status").out
    assert max(map(len, said.splitlines())) <= width
    assert all(figure in said for figure in ("40.0812345677", "+7,499.75", "9,000.00"))


@pytest.mark.parametrize("width", [20, 40, 60])
def test_figures_are_never_broken_over_lines(story, bursar, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    assert "0.00000571" in bursar("flows").out
    said = bursar("trades").out
    assert all(figure in said for figure in ("quantity", "+2,242.90", "0.0003102764"))
    said = bursar("pnl", "--method", "wac,fifo,hifo").out
    assert all(name in said for name in ("ETH/EUR", "total")), "figures of nobody"
    said = bursar("status").out
    assert all(figure in said for figure in ("15,042.04", "+7,430.10", "contributed")), said
    assert "…" not in bursar("performance").out.replace(" …", "")


def test_a_mark_from_ahead_is_not_called_old(bursar):
    bursar("new", "--quiet")
    deed = ("add", "deposit", "1", "XBT", "--worth", "100", "--time", "2206-11-20", "--yes")
    bursar(*deed, "--quiet")
    bursar("price", "XBT", "2206-11-20", "100", "--yes", "--quiet")
    said = bursar("status").out
    assert "from ahead   XBT: of 2206-11-20, later than now; " in said
    assert "old or more" not in said


def test_an_empty_book_says_that_it_is_empty(bursar):
    bursar("new", "--quiet")
    assert "No entries." in bursar("journal").err
    assert bursar("strategies").out == "No strategy yet: nothing was recorded.\n"
    assert "to 0 days" not in bursar("allocate", "shadow").out
    assert "epsilon" not in bursar("tx", "stats").out
    assert "1 moment\n" in bursar("performance", "30d").out


def test_a_misspelt_asset_is_no_zero(story, bursar):
    for figure in ("realized", "income", "contributed"):
        assert "never was any XTB" in bursar("why", figure, "XTB", code=3).err


def test_what_is_meant_is_said_of_a_slip_of_the_pen(story, bursar, tmp_path):
    (tmp_path / "config.yaml").write_text("portfolo:\n  name: other\n")
    assert "is it portfolio:?" in bursar("status").err
    (tmp_path / "config.yaml").write_text("colour: red\n")
    assert "config.yaml" not in bursar("status").err
    assert "more than the command takes: a b" in bursar("status", "a", "b", code=2).err
    assert "30d" in bursar("performance", "3x", code=2).err


def test_lots(story, ask, bursar):
    found = ask("lots", "btc", "--method", "fifo")["lots"]
    assert [each["quantity"] for each in found] == [
        "0.0298",
        "0.009974",
        "0.0003102764",
        "0.00000571",
    ]
    held = next(row for row in ask("status")["holdings"] if row["asset"] == "XBT")
    assert sum(Decimal(each["quantity"]) for each in found) == Decimal(held["quantity"])
    pool = ask("lots", "XBT")["lots"]
    assert [(each["acquired_at"], each["entry"]) for each in pool] == [(None, "pool")]
    assert bursar("lots", "NONE").out == "No open lots of NONE: there never was any in the book.\n"


def test_pairs_and_assets_go_by_any_name(story, ask):
    assert len(ask("trades", "--pair", "BTC-EUR")["trades"]) == 3
    assert ask("trades", "--pair", "XBT/EUR") == ask("trades", "--pair", "XBTEUR")
    assert ask("flows", "--asset", "BTC") == ask("flows", "--asset", "xbt")
    assert len(ask("flows", "--limit", "2")["flows"]) == 2


def test_journal_filters(story, ask, bursar):
    assert [row["seq"] for row in ask("journal", "--tail", "2")["rows"]] == [99, 100]
    assert [row["seq"] for row in ask("journal", "--after", "98")["rows"]] == [99, 100]
    assert {row["kind"] for row in ask("journal", "--kind", "fill")["rows"]} == {"fill"}
    assert len(ask("journal", "--grep", "ROLLOVER")["rows"]) == 2
    assert bursar("journal", "--tail", "0").out == ""
    line = bursar("journal", "--tail", "1").out
    assert re.match(r" +100  recorded  2024-01-22T00:00:00Z  price  XTZ", line)


def test_conflicts_are_shown_and_kept_apart(story, ask, bursar, tmp_path):
    text = (STORY / "trades.gen2-24col.csv").read_text()
    assert "40000.00000" in text
    changed = tmp_path / "trades.csv"
    changed.write_text(text.replace("40000.00000", "40001.00000"))
    said = bursar("import", changed).out
    assert re.search(r"0 recorded · 11 duplicates · 1 conflict$", said, re.MULTILINE)
    assert "Nothing new" not in said
    assert "TA0001-AAAAA-000001: price differs" in said
    assert ask("journal", "--tail", "1")["rows"][0]["verdict"] == "conflict"
    assert ask("verify")["is_sound"]


def test_a_journal_that_is_ahead_of_the_clock_says_so(bursar, ask, tmp_path):
    path = tmp_path / "slip.journal"
    path.write_text("@ base EUR\n2206-11-20T08:00:00Z deposit 1000 EUR #manual:main:1\n")
    said = "yet to come  facts of up to 2206-11-20 08:00 UTC count as if they had been"
    for option in ("--dry-run", "--base=EUR"):
        assert f"! {said}" in bursar("import", path, option).out
    assert ask("import", path)["ahead"] == "2206-11-20T08:00:00Z"
    assert f"! {said}; --at now leaves them out" in bursar("status").out
    assert ask("status")["coverage"]["ahead"] == "2206-11-20T08:00:00Z"
    assert ask("status", "--at", "now")["coverage"]["ahead"] is None


def test_a_dry_run_writes_nothing(bursar, ask, tmp_path):
    path = STORY / "ledgers.gen4-16col.csv"
    assert "46 would be recorded" in bursar("import", path, "--dry-run", "--base", "EUR").out
    assert list(tmp_path.iterdir()) == []
    bursar("import", path, "--base", "EUR")
    done = ask("import", STORY / "trades.gen2-24col.csv", "--dry-run")
    assert (done["recorded"], done["version"], done["dry_run"]) == (12, 1, True)
    assert ask("status")["version"] == 1


def test_new(bursar, ask):
    made = ask("new", "--base", "EUR", "--method", "fifo")
    assert (made["base"], made["method"], made["scope"]) == ("EUR", "fifo", "account")
    assert "there is a portfolio 'main'" in bursar("new", code=2).err
    bursar("new", "--portfolio", "other", "--quiet")
    assert ask("status", "--portfolio", "other")["base"] == "USD"
    assert "Nothing is held" in bursar("status").out
    assert "total" in bursar("pnl").out


def test_why_is_a_tree_of_every_digit(story, bursar, ask):
    said = bursar("why", "realized", "XBT").out
    assert said.startswith("-7.041812133856515859  realised of XBT in EUR")
    assert re.search(
        r"^├── -5\.2 +2024-01-02T11:10:00Z buy 0\.05 XBT +\S+TA0001", said, re.MULTILINE
    )
    found = ask("why", "realized", "XBT")
    parts = sum(Decimal(each["value"]) for each in found["parts"])
    assert parts == Decimal(found["value"])
    assert ask("why", "identity")["value"] == "0"


def test_verify_ticks_every_check(story, bursar, ask):
    said = bursar("verify").out
    assert said.count("✓") == len(ask("verify")["checks"]) == 8
    assert "✗" not in said
    found = ask("verify")
    assert found["is_sound"]
    assert [each["name"] for each in found["checks"]] == [
        *("journal", "projection", "memory", "records", "store", "books", "lots", "marks"),
    ]


def test_export_csv_is_data_only(story, bursar, tmp_path):
    for what in ("journal", "trades", "flows", "holdings"):
        rows = list(
            csv.DictReader(io.StringIO(bursar("export", "--format", "csv", "--what", what).out))
        )
        assert rows
        assert json.loads(bursar("export", "--format", "json", "--what", what).out)[what]
    flows = list(csv.DictReader(io.StringIO(bursar("export", "--what", "flows").out)))
    assert next(row["amount"] for row in flows if row["type"] == "withdrawal") == "-0.02"
    said = bursar("export", "--what", "trades", "-o", tmp_path / "trades.csv")
    assert (said.out, said.err) == ("", f"Wrote {tmp_path / 'trades.csv'}.\n")
    assert [path.name for path in tmp_path.glob("*trades*")] == ["trades.csv"]
    bursar("export", "--format", "golden", "--what", "trades", code=2)
    bursar("export", "-o", tmp_path / "no" / "where.csv", code=2)
