"""Corrections on the command line: shown first, written on a yes, taken back."""

import builtins
import re
import sys

import pytest

import bursar as package
from bursar.desk import Desk
from bursar.portfolio import hand
from tests.unit.cli.conftest import STORY

DEPOSIT = ("add", "deposit", "1000", "EUR", "--time", "2024-01-02")


@pytest.fixture
def book(bursar):
    bursar("new", "--base", "EUR", "--quiet")


@pytest.fixture
def terminal(monkeypatch):
    """A terminal whose user gives these answers."""

    def sit(*answers):
        left = list(answers)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", lambda _prompt: left.pop(0))

    return sit


def test_without_a_yes_nothing_is_written(book, bursar, ask):
    ran = bursar(*DEPOSIT, code=5)
    assert "To be recorded" in ran.out
    assert ran.out.endswith("Nothing was written.\n")
    assert ran.err == "Nobody to ask here; --yes writes it.\n"
    found = ask(*DEPOSIT, code=5)
    assert (found["written"], found["version"], found["remarks"]) == (
        *(False, 0),
        ["manual:main is a new account"],
    )
    assert ask("status")["version"] == 0


def test_a_yes_writes_and_tells_how_to_take_it_back(book, bursar, ask):
    said = bursar(*DEPOSIT, "--yes").out
    found = ask("journal")["rows"][0]["id"]
    assert f"Written, version 1. `bursar reverse {found}` takes it back.\n" in said
    assert ask("status")["equity"] == "1000"
    again = bursar(*DEPOSIT, "-y").out
    assert again == f"The same was recorded before: {found}. Nothing was written.\n"
    assert ask(*DEPOSIT, "--yes")["known"]
    assert ask("status")["version"] == 1
    bursar(*DEPOSIT, "--again", "-y")
    assert ask("status")["equity"] == "2000"
    bursar("reverse", found.rpartition(":")[2], "-y")
    assert ask("status")["equity"] == "1000"
    assert bursar("verify").out.count("✓") == 8


def test_a_terminal_that_goes_away_says_no(book, bursar, ask, terminal, monkeypatch):
    terminal()

    def gone(_prompt):
        raise EOFError

    monkeypatch.setattr(builtins, "input", gone)
    assert bursar(*DEPOSIT, code=5).out.endswith("Nothing was written.\n")
    assert ask("status")["version"] == 0


def test_a_terminal_is_asked(book, bursar, ask, terminal):
    terminal("", "no", "Yes ")
    for _ in range(2):
        said = bursar(*DEPOSIT, code=5)
        assert said.out.endswith("Nothing was written.\n")
        assert said.err == ""
    assert "Written, version 1." in bursar(*DEPOSIT).out
    assert ask("status")["version"] == 1


def test_json_writes_only_on_a_yes_and_says_what_changed(book, ask):
    found = ask(*DEPOSIT, "--yes")
    assert (found["written"], found["version"]) == (True, 1)
    assert found["holdings"] == [
        {
            "account": "manual:main",
            "asset": "EUR",
            "quantity": "0",
            "quantity_after": "1000",
            "cost": "0",
            "cost_after": "1000",
        }
    ]
    assert (found["before"]["contributed"], found["after"]["contributed"]) == ("0", "1000")
    assert [each["change"] for each in found["facts"]] == ["added"]
    assert found["statements"] == [
        f"2024-01-02T00:00:00Z  deposit  1000 EUR  #{found['id']}  recorded"
    ]


def test_words_of_a_deed(book, ask):
    for words, line in (
        ("buy 0.5 XBT/EUR @ 40000", "buy 0.5 XBT @ 40000 EUR"),
        ("trade buy 0.5 XBT/EUR @ 40000", "buy 0.5 XBT @ 40000 EUR"),
        ("buy 0.5 XBT for 20000 EUR", "buy 0.5 XBT for 20000 EUR"),
        ("buy 0.5 XBT-EUR @ 40000 for 20001", "buy 0.5 XBT @ 40000 EUR for 20001 EUR"),
        ("reward -0.1 EUR", "reward -0.1 EUR"),
        ("fee 5 EUR", "fee 5 EUR"),
        ("fee 5 EUR --strategy trend", "fee 5 EUR"),
    ):
        found = ask("add", *words.split(), "--time", "2024-01-02", code=5)
        assert f"Z {line} #" in " ".join(found["statements"][0].split())


def test_a_rebate_is_a_fee_below_zero(book, ask):
    line = ("add", "buy", "0.5", "XBT/EUR", "@", "40000", "--fee", "-8 EUR", "--fee", "-1 BNB")
    found = ask(*line, code=5)
    assert "fee -8 EUR  fee -1 BNB" in found["statements"][0]
    assert (found["before"]["realized"], found["after"]["realized"]) == ("0", "8")


def test_words_that_are_not_understood(book, bursar):
    for words, said in (
        ("", "add nothing: say what, how much, of what"),
        ("deposit 1000", "add deposit 1000: say what"),
        ("buy 1 XBT/EUR at 5", "'at' is not understood; write @ PRICE or for AMOUNT"),
        ("buy 1 XBT/EUR @", "'@' is not understood"),
        ("buy 1 XBT/EUR @ 5 USD", "XBT/EUR is priced in EUR, not in USD"),
        ("gift 1 EUR", "'gift' is nothing to enter"),
    ):
        assert said in bursar("add", *words.split(), code=2).err


def test_a_correction_of_the_story_is_previewed_with_what_it_restates(story, bursar, ask):
    line = ("add", "buy", "0.1", "XBT/EUR", "@", "20000", "--time", "2024-01-02T11:20:00Z")
    said = bursar(*line, "--account", "kraken:main", code=5).out
    for part in (
        r"kraken:main +EUR +4,143\.3726 +2,143\.3726 +4,143\.37 +2,143\.37",
        r"contributed +5,188\.09 +5,445\.08 +\+256\.99",
        r"! restated  XBT: -0\.467112133856515859 → 2\.102766974919568592",
        r"! kraken:main is told by its venue",
    ):
        assert re.search(part, said), part
    assert ask("status")["version"] == 1


def test_tags_links_and_prices_are_entered_and_taken_back(story, bursar, ask):
    before = ask("verify")["digest"]
    trade = ask("trades", "--limit", "1", "--pair", "XBT/EUR")["trades"][0]["trade_id"]
    bursar("tag", trade, "--strategy", "trend", "--regime", "calm", "-y", "--quiet")
    assert "trend" in ask("pnl", "--by", "strategy")["methods"][0]["lines"]
    tag = ask("journal", "--tail", "1")["rows"][0]["id"]
    assert "says so already" in bursar("tag", trade, "--strategy", "trend").out
    bursar("price", "ETH", "2024-01-10", "2500", "-y", "--quiet")
    price = ask("journal", "--kind", "price", "--tail", "1")["rows"][0]["id"]
    bursar("add", "deposit", "0.019", "BTC", "--id", "back", "-y", "--quiet")
    said = bursar("link", "LA0029-AAAAA-000029", "back", code=2).err
    assert "was taken back by kraken:main:LA0030-AAAAA-000030" in said
    bursar("link", "LA0031-AAAAA-000031", "back", "-y", "--quiet")
    link = ask("journal", "--tail", "1")["rows"][0]["id"]
    for name in (link, "back", price, tag):
        assert bursar("reverse", name, "-y", "--quiet").out == ""
    assert ask("verify")["digest"] == before


def test_a_long_preview_is_cut_and_says_so(bursar, tmp_path):
    lines = [f"2024-01-01T10:{n}:00Z deposit 1 ETH #k:{n}" for n in range(10, 30)]
    (tmp_path / "a.journal").write_text("@ base EUR\n" + "\n".join(lines))
    bursar("import", tmp_path / "a.journal", "--quiet")
    said = bursar("price", "ETH", "2024-01-01", "2500", code=5).out
    assert "What else changes\n~ 2024-01-01T10:10:00Z  deposit  1 ETH" in said
    assert said.count("~ ") == 12
    assert "  and 8 more\n" in said
    said = bursar("add", "deposit", "1", "ADA", code=5).out
    assert "! unpriced  1 fact: worth nothing until its price" in said
    assert "What else changes" not in said


def test_errors_have_their_codes(book, bursar, ask):
    assert "bursar new" in bursar("add", "deposit", "1", "EUR", "--portfolio", "x", code=3).err
    bursar(*DEPOSIT, "--id", "one", "-y", "--quiet")
    line = ("add", "deposit", "7", "EUR", "--id", "one", "--time", "2024-01-02")
    assert ask(*line, "-y", code=4)["error"]["code"] == "key_reused"
    assert ask("reverse", "nothing", code=3)["error"]["code"] == "entry_not_found"
    assert ask("add", "withdrawal", "7", "XBT", "-y", code=2)["error"]["code"] == "oversold"
    assert ask("status")["equity"] == "1000"


# ------------------------------------------------------------------------------ others at the book


@pytest.fixture
def meanwhile(monkeypatch):
    """Have another process enter something between look and commit, once."""

    def enter(looker=hand, deposit=("deposit", "7", "EUR"), **told):
        left = [True]
        real = looker.stage

        def stage(*asked):
            staged = real(*asked)
            if left:
                left.pop()
                with package.open("bursar.db") as other:
                    other.add(*deposit, **told or {"again": True})
            return staged

        monkeypatch.setattr(looker, "stage", stage)

    return enter


def test_what_was_said_yes_to_is_written_though_another_writer_was_first(
    book, bursar, ask, meanwhile
):
    bursar("add", "deposit", "5", "EUR", "--id", "mine", "--yes", "--quiet")
    for line in (
        (*DEPOSIT, "--yes"),
        ("price", "XBT", "2024-01-02", "41000", "--yes"),
        ("reverse", "mine", "--yes"),
    ):
        before = ask("status")["version"]
        meanwhile()
        ran = bursar(*line)
        assert f"Written, version {before + 2}." in ran.out
        assert ran.out.count("To be recorded") == 2  # what was written was shown, not only before
        assert "Another writer was first. This is what it has done:" in ran.err
    meanwhile()
    assert ask("add", "deposit", "1", "EUR", "--yes")["written"]
    assert ask("status")["equity"] == str(1000 + 1 + 4 * 7)
    assert bursar("verify").out.count("✓") == 8


def test_who_is_asked_sees_what_it_would_do_by_now(book, bursar, ask, meanwhile, terminal):
    terminal("y", "y")
    meanwhile()
    ran = bursar(*DEPOSIT)
    assert ran.out.count("To be recorded") == 2
    assert "Another writer was first. This is what it would do now:" in ran.err
    assert "Written, version 2." in ran.out
    terminal("y", "n")
    meanwhile()
    assert "Nothing was written." in bursar("add", "deposit", "2", "EUR", code=5).out


def test_what_another_process_entered_under_the_same_id_is_known(book, bursar, ask, meanwhile):
    meanwhile(hand, ("deposit", "1000", "EUR"), time="2024-01-02", id="k")
    assert "The same was recorded before" in bursar(*DEPOSIT, "--id", "k", "--yes").out
    assert ask("status")["equity"] == "1000"


def test_files_are_imported_though_another_writer_was_first(book, bursar, ask, meanwhile):
    meanwhile(Desk)
    exports = (STORY / "ledgers.gen4-16col.csv", STORY / "trades.gen2-24col.csv")
    assert ask("import", *exports)["recorded"] == 58
    assert ask("import", *exports)["duplicates"] == 58
    assert ask("status")["version"] == 2
