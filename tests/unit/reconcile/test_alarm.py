"""Alarm: flagged at once, told after two cycles, again on news, silent about what is unknown."""

from decimal import Decimal

from bursar.ledger import instant
from bursar.reconcile import Comparison, Line, Signal, Verdict, heard
from bursar.reconcile.alarm import AGAIN_AFTER, QUIET, Alarm, decode, encode, size

D = Decimal
NOW = instant.parse("2026-03-01T12:00:00Z")
MINUTE = 60 * instant.SECOND


def seen(worth, *, verdict=Verdict.DRIFT, unpriced=()):
    amount = None if worth is None else D(worth)
    line = Line("XBT", None, D(1), D(2), D(1), amount)
    return Comparison(
        account="kraken:main",
        base="USD",
        as_of=NOW,
        verdict=verdict,
        lines=(line,),
        worth=amount,
        unpriced=unpriced,
    )


CLEAN = seen(0, verdict=Verdict.EQUAL)
UNKNOWN = seen(0, verdict=Verdict.UNKNOWN)


def play(*cycles, alarm=QUIET):
    """Feed (minutes after NOW, comparison) one by one; return the last alarm and all signals."""
    signals = []
    for minutes, comparison in cycles:
        alarm, signal = heard(alarm, comparison, now=NOW + minutes * MINUTE)
        signals.append(signal)
    return alarm, signals


def test_drift_is_flagged_at_once_and_told_at_the_second_cycle():
    alarm, signals = play((0, seen(500)))
    assert signals == [Signal.FLAGGED]
    assert (alarm.is_flagged, alarm.since, alarm.told_at) == (True, NOW, None)
    alarm, signals = play((1, seen(500)), alarm=alarm)
    assert signals == [Signal.NOTIFY]
    assert (alarm.since, alarm.told_at, alarm.told) == (NOW, NOW + MINUTE, D(500))


def test_the_same_drift_is_told_again_only_after_an_hour():
    _, signals = play((0, seen(500)), (1, seen(500)), (2, seen(500)), (60, seen(500)))
    assert signals[2:] == [Signal.NONE, Signal.NONE]
    _, signals = play((0, seen(500)), (1, seen(500)), (61, seen(500)))
    assert signals[-1] is Signal.NOTIFY
    assert AGAIN_AFTER == 60 * MINUTE


def test_a_drift_is_told_again_where_the_clock_was_set_back_since():
    two = (0, seen(500)), (1, seen(500))
    assert play(*two, (-58, seen(500)))[1][-1] is Signal.NONE
    assert play(*two, (-59, seen(500)), (-58, seen(500)))[1][2:] == [Signal.NOTIFY, Signal.NONE]
    assert play(*two, (-99_999, seen(500)))[1][-1] is Signal.NOTIFY


def test_a_change_of_more_than_a_tenth_is_told():
    two = (0, seen(500)), (1, seen(500))
    assert play(*two, (2, seen(550)))[1][-1] is Signal.NONE
    assert play(*two, (2, seen("550.01")))[1][-1] is Signal.NOTIFY
    assert play(*two, (2, seen("449.99")))[1][-1] is Signal.NOTIFY


def test_small_changes_add_up_to_news():
    _, signals = play(
        (0, seen(500)), (1, seen(500)), (2, seen(530)), (3, seen(560)), (4, seen(590))
    )
    assert signals[2:] == [Signal.NONE, Signal.NOTIFY, Signal.NONE]


def test_another_asset_without_a_mark_is_news():
    two = (0, seen(None, unpriced=("XBT",))), (1, seen(None, unpriced=("XBT",)))
    assert play(*two, (2, seen(None, unpriced=("XBT",))))[1][-1] is Signal.NONE
    assert play(*two, (2, seen(None, unpriced=("ETH", "XBT"))))[1][-1] is Signal.NOTIFY


def test_it_clears_when_the_books_agree_again():
    alarm, signals = play((0, seen(500)), (1, CLEAN))
    assert (alarm, signals[-1]) == (QUIET, Signal.CLEARED)
    within = seen("0.5", verdict=Verdict.WITHIN)
    assert play((0, seen(500)), (1, seen(500)), (2, within))[1][-1] is Signal.CLEARED
    assert play((0, CLEAN))[1] == [Signal.NONE]


def test_an_unknown_statement_neither_sets_nor_clears():
    assert play((0, UNKNOWN)) == (QUIET, [Signal.NONE])
    alarm, _ = play((0, seen(500)))
    after, signals = play((1, UNKNOWN), alarm=alarm)
    assert (after, signals) == (alarm, [Signal.NONE])
    assert play((2, seen(500)), alarm=after)[1] == [Signal.NOTIFY]


def test_differences_of_opposite_sign_do_not_hide_each_other():
    one = Line("XBT", None, D(1), D(2), D(1), D(500))
    other = Line("USD", None, D(1), D(2), D(1), D(-500))
    hidden = Line("ETH", None, D(1), D(2), D(1), D(9), is_shown=False)
    comparison = Comparison(
        account="a:b", base="USD", as_of=NOW, verdict=Verdict.DRIFT, lines=(one, other, hidden)
    )
    assert size(comparison) == D(1000)


def test_the_state_survives_as_json():
    alarm, _ = play((0, seen("500.00")), (1, seen("500.00")))
    assert decode(encode(alarm)) == alarm
    assert encode(QUIET) == "{}"
    assert decode('{"since":1,"cycles":2,"told":"0.1"}') == Alarm(1, 2, None, D("0.1"))
