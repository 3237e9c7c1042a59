"""Playing golden texts: questions and their answers, commits, and a book that does not close."""

from decimal import Decimal

import pytest

from bursar.errors import BrokenInvariant, Malformed
from bursar.ledger import audit, golden
from bursar.ledger.audit import Breach

TIME = "2026-01-05T10:00:00Z"


@pytest.mark.parametrize(
    "asked, found, expected",
    [
        ("XBT", "nothing", "a quantity"),
        ('"X', '"X', "a quoted word that ends"),
        ("XBT 1 cost", "nothing", "a cost"),
        ("XBT 1 cost 1", "nothing", "base currency"),
        ("realized", "nothing", "a sum"),
        ("realized 1", "nothing", "base currency"),
        ("fees", "nothing", "an asset"),
        ("fees XBT", "nothing", "an amount"),
        ("gap XBT", "nothing", "a flag"),
        ("gap XBT unpriced", "nothing", "a count"),
        ("owed", "nothing", "an asset"),
        ("owed XBT", "nothing", "a quantity"),
        ("lots", "nothing", "an asset"),
        ("pocket", "nothing", "a pocket"),
        ("pocket earn", "nothing", "an asset"),
        ("pocket earn XBT", "nothing", "a quantity"),
        ("sleeve", "nothing", "a strategy"),
        ("sleeve trend", "nothing", "an amount"),
        ("margin", "nothing", "a pair"),
        ("margin XBT/USD", "nothing", "a quantity"),
        ("margin XBT/USD 1", "nothing", "a notional"),
        ("size", "nothing", "a pair"),
        ("size XBT/USD", "nothing", "a quantity"),
        ("strategy", "nothing", "a strategy"),
        ("strategy trend", "nothing", "realised PnL"),
        ("in", "nothing", "an account"),
    ],
)
def test_a_question_that_is_not_whole_is_told_by_line(asked, found, expected):
    with pytest.raises(Malformed) as caught:
        golden.play(["# a comment", f"= {asked}"])
    assert caught.value.message == f"line 2: found {found}, expected {expected}"


def test_a_question_is_answered_whatever_figures_it_holds():
    text = [f"{TIME}  deposit  1.50 USD  #k:1", "= USD 0 cost 7 USD in k USD 9 contributed 0 USD"]
    assert golden.play(text) == [
        f"{TIME}  deposit  1.50 USD  #k:1  recorded",
        "= USD 1.5 cost 1.5 USD  in k  USD 1.5  contributed 1.5 USD",
    ]


def test_answers_quote_odd_names():
    rebate = 'fee -1 "A FEE" worth -2'
    text = [
        "@ method fifo",
        f'{TIME}  buy  1 "MY COIN"  @ 5 USD  {rebate}  #"k a:1"  recorded  realized 2 USD',
        '= "MY COIN" 1  fees "A FEE" -1  size "MY COIN/USD" 1  gap "MY COIN" unpriced 0',
        '= lots "MY COIN" "k a:1:1@5"  margin "MY/USD X" 0 0  pocket "my pocket" "MY COIN" 0',
    ]
    assert golden.play(text) == text


@pytest.mark.parametrize(
    "text, message",
    [
        (["begin", "begin"], "line 2: `begin` where none can be"),
        (["# a comment", "commit"], "line 2: `commit` where none can be"),
    ],
)
def test_begin_and_commit_come_in_turn(text, message):
    with pytest.raises(Malformed) as caught:
        golden.play(text)
    assert caught.value.message == message
    assert caught.value.context["line"] == 2


def test_a_commit_that_is_not_closed_is_told():
    with pytest.raises(Malformed, match=r"^line 2: .*`begin`"):
        golden.play(["begin", f"{TIME} deposit 1 USD #k:1"])


def test_an_empty_commit_is_recorded():
    assert golden.play(["begin", "commit"]) == ["begin", "commit  recorded"]


def test_a_book_that_does_not_close_stops_the_play(monkeypatch):
    off = Breach("money", "the whole book", Decimal(1))
    monkeypatch.setattr(audit, "breaches", lambda _book: [off])
    with pytest.raises(BrokenInvariant, match="money at the whole book: off by 1"):
        golden.play([f"{TIME} deposit 1 USD #k:1"])
