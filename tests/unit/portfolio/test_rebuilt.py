"""The curve of a book of which no moment was kept, in a process that stays open."""

from tests.unit.portfolio.test_measures import begun


def test_a_rebuilt_curve_goes_on_with_the_days_while_the_book_stands():
    lines = (
        "2026-01-02T01:00:00Z buy 10 XBT @ 100 EUR #k:2",
        "2026-01-03T01:00:00Z price XBT 90 EUR #k:3",
    )
    stays = begun(*lines, at="2026-01-02T12:00:00Z")
    assert len(stays.history().points) == 3
    for at in ("2026-01-04T12:00:00Z", "2026-01-02T13:00:00Z"):  # also where a clock is set back
        stays.desk.clock.set(at)
        assert repr(stays.performance()) == repr(begun(*lines, at=at).performance())
