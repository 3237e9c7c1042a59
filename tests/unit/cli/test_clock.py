"""A machine whose clock is far off: no mistake of ours, and nothing is misdated."""

from pathlib import Path

import pytest

from bursar.ledger import instant

LINES = [
    ("status",),
    ("add", "deposit", "5", "EUR", "--yes"),
    ("performance", "30d"),
    ("backup", "b.backup"),
    ("token", "new", "x"),
    ("new", "--book", "other.db"),
    ("import", "prices.csv", "--book", "third.db"),
]


@pytest.mark.parametrize("year", [1677, 2262, 2426, 33_658])
def test_a_clock_that_is_off_by_centuries_is_named_and_dates_nothing(
    bursar, ask, story, monkeypatch, year
):
    Path("prices.csv").write_bytes((story / "prices.csv").read_bytes())
    before = ask("journal")
    told = round((year - 1970) * 365.2425) * instant.DAY
    with monkeypatch.context() as patch:
        patch.setattr("time.time_ns", lambda: told)
        for line in LINES:
            assert "the clock of this machine says" in bursar(*line, code=2).err, line
    assert ask("journal") == before
    assert not Path("b.backup").exists()


def test_a_clock_that_was_never_set_still_works(bursar, story, monkeypatch):
    monkeypatch.setattr("time.time_ns", lambda: 5 * instant.SECOND)
    bursar("add", "deposit", "5", "EUR", "--yes")
    assert "yet to come" in bursar("status").out
    bursar("performance", "30d")
    bursar("backup", "b.backup")
