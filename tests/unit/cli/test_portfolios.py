"""`bursar portfolio`: several portfolios in one book."""

import re


def test_portfolios_are_listed_and_made(bursar, ask, story):
    made = ask("portfolio", "new", "second", "--method", "fifo")
    assert (made["portfolio"], made["base"], made["method"]) == ("second", "USD", "fifo")
    found = ask("portfolio", "list")
    assert [each["name"] for each in found["portfolios"]] == ["main", "second"]
    main, second = found["portfolios"]
    assert (main["base"], main["method"], main["version"], main["entries"]) == (
        "EUR",
        "wac",
        1,
        100,
    )
    assert (second["entries"], second["committed_at"]) == (0, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", main["committed_at"])
    assert ask("portfolio") == found
    said = bursar("portfolio").out
    assert re.search(r"^main +EUR +wac +account +1 +100 +\d{4}-", said, re.MULTILINE)
    assert re.search(r"^second +USD +fifo +account +0 +0 +—", said, re.MULTILINE)
    assert "there is a portfolio 'second'" in bursar("portfolio", "new", "second", code=2).err


def test_a_book_that_is_not_there_lists_nothing(bursar):
    assert "code  portfolio_not_found" in bursar("portfolio", "list", code=3).err


def test_a_book_without_portfolios_says_so(bursar, tmp_path):
    import sqlite3

    bursar("new", "--quiet")
    with sqlite3.connect(tmp_path / "bursar.db") as connection:
        connection.execute("DELETE FROM portfolios")
    connection.close()
    assert bursar("portfolio").out.startswith("No portfolio yet.")


def test_help_of_the_group(bursar):
    said = bursar("portfolio", "--help").out
    assert "list" in said
    assert "new" in said
