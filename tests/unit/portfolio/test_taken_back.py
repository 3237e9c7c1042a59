"""Which flows were put back, and by what: told without reading the whole journal."""

from bursar.desk import Desk
from bursar.portfolio.exports import table
from bursar.portfolio.taken_back import taken_back
from tests.unit.portfolio.places import opened

TOLD = "source=ledger group=kraken:main"
ROWS = (
    "2026-01-04T10:00:00Z deposit 50 EUR #kraken:main:D1",
    f"2026-01-06T10:00:00Z row deposit 7 EUR #kraken:main:L3 {TOLD}:R1",
    f"2026-01-07T10:00:00Z row deposit -7 EUR #kraken:main:L4 {TOLD}:R1",
    f"2026-01-08T10:00:00Z row withdrawal -3 EUR #kraken:main:L5 {TOLD}:R2",
    "2026-02-01T00:00:00Z deposit 5 EUR #manual:main:1",
    "2026-02-02T00:00:00Z deposit 5 EUR #manual:main:2",
    "2026-02-03T00:00:00Z deposit 6 EUR #manual:main:3",
)


def forbid_reading_whole(monkeypatch):
    def whole(_):
        raise AssertionError("every record of the journal was read")

    monkeypatch.setattr(Desk, "whole", whole)


def test_what_was_put_back_is_told_by_the_groups_alone(monkeypatch):
    book = opened(*ROWS)
    book.reverse("manual:main:1", time="2026-02-04")
    book.reverse("manual:main:2")  # never happened, so it is no flow any more
    facts = {name: getattr(f, "reversed_by", None) for name, f in book.timeline.facts.items()}
    expected = {name: by for name, by in facts.items() if by is not None}
    assert expected.keys() == {"kraken:main:L3", "manual:main:1"}
    forbid_reading_whole(monkeypatch)
    assert taken_back(book, book.each_flow()) == expected
    told = {row[0]: row[-1] for row in table(book, "flows").rows}
    assert {name: by for name, by in told.items() if by} == expected


def test_a_reversal_that_was_taken_back_itself_puts_nothing_back():
    book = opened(*ROWS)
    book.reverse("manual:main:1", time="2026-02-04")
    by = list(book.journal())[-1].entry().id
    assert taken_back(book, book.each_flow())["manual:main:1"] == by
    book.reverse(by)
    assert "manual:main:1" not in taken_back(book, book.each_flow())


def test_figures_of_the_book_itself_read_no_journal(monkeypatch):
    book = opened(*ROWS)
    forbid_reading_whole(monkeypatch)
    for figure in ("equity", "fees", "contributed", "income", "expenses", "identity"):
        assert book.why(figure).value is not None
