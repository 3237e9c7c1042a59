"""Alpaca's activities and generic lists, through the command line."""

import json
from importlib.resources import files
from pathlib import Path

STORY = Path(str(files("bursar.samples") / "alpaca-story-a"))
SHORT = {
    "id": "1::short",
    "activity_type": "FILL",
    "transaction_time": "2025-04-02T14:30:00Z",
    "type": "fill",
    "side": "sell_short",
    "symbol": "ACME",
    "qty": "10",
    "price": "50",
}


def test_activities_become_a_book_and_again_change_nothing(ask):
    done = ask("import", STORY / "activities.all.json")
    assert (done["recorded"], done["conflicts"], done["flags"]) == (14, [], {})
    assert done["files"][0]["format"] == "alpaca activities"
    said = ask("status", "--price", "AAPL=245", "--price", "BTC=60000")
    assert said["equity"] == "9442.96"
    digest = ask("verify")["digest"]
    assert ask("import", STORY / "activities.csv")["duplicates"] == 14
    assert ask("verify")["digest"] == digest


def test_the_golden_export_of_activities_makes_the_same_book(ask, bursar):
    bursar("import", STORY / "activities.all.json")
    bursar("export", "-o", "all.journal")
    bursar("import", "all.journal", "--book", "other.db")
    assert ask("verify", "--book", "other.db")["digest"] == ask("verify")["digest"]


def test_a_short_sale_wants_a_book_that_lets_its_account_sell_short(ask, bursar, tmp_path):
    path = tmp_path / "short.json"
    path.write_text(json.dumps([SHORT]))
    said = bursar("import", path, code=2).err
    assert "short.json, line 1, field side" in said
    assert "`bursar new --short alpaca:main`" in " ".join(said.split())
    assert not (tmp_path / "bursar.db").exists()
    assert ask("new", "--short", "alpaca:main")["short"] == ["alpaca:main"]
    assert ask("import", path)["flags"] == {}
    (held,) = [row for row in ask("status")["holdings"] if row["asset"] == "ACME"]
    assert (held["quantity"], held["cost"]) == ("-10", "-500")


def test_a_bad_list_of_events_leaves_no_book_behind(bursar, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("time,type,asset,quantity,fees\n2025-01-02,deposit,USD,5,1\n")
    said = " ".join(bursar("import", path, code=2).err.split())
    assert "mine.csv, line 1, column fees: 'fees', expected one of the columns" in said
    assert [each.name for each in tmp_path.iterdir()] == ["mine.csv"]
