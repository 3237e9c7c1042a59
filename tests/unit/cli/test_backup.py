"""`bursar backup` and `bursar restore`."""

import hashlib
from pathlib import Path

import bursar as package


def test_both_say_the_same_of_a_backup(story, bursar, ask):
    made = ask("backup", "a.backup")
    proof = ask("verify")
    (kept,) = made["portfolios"]
    assert (kept["portfolio"], kept["hash"], kept["digest"]) == (
        "main",
        proof["head"],
        proof["digest"],
    )
    assert made["sha256"] == hashlib.sha256(Path("a.backup").read_bytes()).hexdigest()
    restored = ask("restore", "a.backup", "new.db")
    assert restored == {**made, "to": "new.db"}
    said = bursar("restore", "a.backup", "other.db").out
    for text in (kept["hash"], kept["digest"], made["sha256"], made["taken_at"]):
        assert text in said
    assert bursar("restore", "a.backup", "third.db", "--quiet").out == ""
    assert "nothing written" in bursar("restore", "a.backup", ":memory:").out


def test_what_cannot_be_done_is_told_and_leaves_nothing(story, bursar, ask):
    bursar("backup", "a.backup")
    before = sorted(path.name for path in Path().iterdir())
    assert "there already" in bursar("backup", "a.backup", code=2).err
    assert "there already" in bursar("restore", "a.backup", "bursar.db", code=2).err
    Path("a.backup").write_bytes(Path("a.backup").read_bytes()[:-9])
    assert "backup_damaged" in bursar("restore", "a.backup", "new.db", code=4).err
    assert ask("restore", "a.backup", "new.db", code=4)["error"]["code"] == "backup_damaged"
    bursar("restore", "none", "new.db", code=2)
    bursar("backup", "b", "--at", "2024-01-03", code=2)
    bursar("restore", "a.backup", "no/where.db", code=4)
    assert "no.db" in bursar("backup", "b", "--book", "no.db", code=3).err
    assert (
        "there is no portfolio 'tax'"
        in bursar("backup", "b", "--only", "--portfolio", "tax", code=3).err
    )
    assert sorted(path.name for path in Path().iterdir()) == before
    bursar("backup", "a.backup", "--force")
    bursar("restore", "a.backup", "new.db")


def test_only_one_portfolio_is_taken_when_told(story, bursar, ask):
    bursar("new", "--portfolio", "tax")
    both = ask("backup", "both")["portfolios"]
    assert [each["portfolio"] for each in both] == ["main", "tax"]
    one = ask("backup", "one", "--only", "--portfolio", "tax")["portfolios"]
    assert [each["portfolio"] for each in one] == ["tax"]


def test_a_book_of_an_older_bursar_says_that_it_was_brought_along(story, bursar, ask):
    before = ask("journal")
    with package.open("bursar.db") as book:
        book.desk.store.save_memos({"fold": None})
        cells = book.desk.store.load_state()
        name = next(each for each in cells if '"realized": "0"' in cells[each])
        cell = cells[name].replace('"realized": "0"', '"realized": "7"')
        book.desk.store.save_state({**cells, name: cell})
    said = bursar("status").err
    assert "An older bursar made this book." in said
    assert "7 → 0" in said
    assert bursar("status").err == ""
    assert ask("journal") == before
    assert ask("verify")["is_sound"]
