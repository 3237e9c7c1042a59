"""Tags, links and prices: said of facts, in any order, and applied when both are there."""

from decimal import Decimal
from itertools import permutations

import msgspec
import pytest

from bursar.ledger.entries import CashFlow, Fee, Fill, Link, Source, Tag, Transfer
from bursar.ledger.notes import Notes, linked, targets
from bursar.ledger.planning import planned
from bursar.ledger.prices import PRICE_AGE_MAX, Prices
from tests.unit.ledger.samples import (
    HOUR,
    MAIN,
    OTHER,
    START,
    Pen,
    booked,
    fees,
    held,
    landed,
    lots,
    realized,
    terms,
)

D = Decimal
USD = frozenset({"USD", "USDT"})


def link(name, withdrawal, deposit):
    ends = {"withdrawal": withdrawal.id, "deposit": deposit.id}
    return Link(id=name, executed_at=START, account=MAIN, **ends)


def tag(name, target, source=Source.CLAIM, **said):
    return Tag(id=name, executed_at=START, account=MAIN, source=source, target=target.id, **said)


# -------------------------------------------------------------------------------------- tags


def test_of_several_tags_the_most_authoritative_wins_field_by_field():
    pen = Pen()
    buy = pen.buy(1, "XBT", 10, strategy="own")
    line = landed(
        [tag("b", buy, strategy="claimed", regime="calm"), tag("c", buy, strategy="late")],
        [buy],
        [
            tag("d", buy, Source.EVENT, strategy="told"),
            tag("d", buy, Source.EVENT, strategy="told"),
        ],
    )
    (fact,) = line
    assert (fact.strategy, fact.regime) == ("told", "calm")


def test_a_tag_that_tells_nothing_leaves_what_the_fill_says():
    pen = Pen()
    buy = pen.buy(1, "XBT", 10, strategy="own", regime="wild")
    (fact,) = landed([buy, tag("t", buy)])
    assert (fact.strategy, fact.regime) == ("own", "wild")


def test_only_trades_are_tagged():
    pen = Pen()
    flow = pen.flow("deposit", 5, "USD")
    (fact,) = landed([flow, tag("t", flow, strategy="s")])
    assert fact.strategy is None


# ------------------------------------------------------------------------------------- links


def ends(pen, sent=10, came=9, **named):
    buy = pen.buy(20, "XBT", 200)
    out = pen.flow("withdrawal", -sent, "XBT", **named)
    return buy, out, pen.flow("deposit", came, "XBT", account=OTHER)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_a_link_makes_one_transfer_and_the_difference_is_a_fee(order):
    pen = Pen()
    buy, out, back = ends(pen, fees=fees((1, "XBT")))
    entries = [buy, out, back, link("l", out, back)]
    line = landed(*([entries[i]] for i in order), under=terms("fifo"))
    assert [type(fact).__name__ for fact in line] == ["Fill", "Transfer"]
    assert line.facts["l"].fees == (Fee("XBT", D(2)),)
    assert line.facts["l"].executed_at == out.executed_at
    assert lots(line.book, "XBT", OTHER) == [("1", D(9), D(90))]
    assert held(line.book, "XBT") == (D(9), D(90))


def test_a_deposits_own_fee_is_paid_where_it_arrived():
    pen = Pen()
    buy, out, _ = ends(pen)
    back = pen.flow("deposit", 10, "XBT", account=OTHER, fees=fees((1, "XBT")))
    line = landed([buy, out, back, link("l", out, back)], under=terms())
    assert held(line.book, "XBT")[0] == 10
    assert held(line.book, "XBT", OTHER)[0] == 9


def test_coins_leave_when_the_earlier_end_was_booked():
    pen = Pen()
    early = pen.flow("deposit", 5, "XBT", account=OTHER)
    late = pen.flow("withdrawal", -5, "XBT")
    move = linked(link("l", late, early), late, early)
    assert getattr(move, "executed_at", None) == early.executed_at


@pytest.mark.parametrize(
    "withdrawal, deposit",
    [
        (-5, None),
        (None, 5),
        (-5, 6),
        (-5, -5),
        (5, 5),
        (-5, 0),
    ],
)
def test_ends_that_do_not_fit_make_no_transfer(withdrawal, deposit):
    pen = Pen()
    out = None if withdrawal is None else pen.flow("withdrawal", withdrawal, "XBT")
    back = None if deposit is None else pen.flow("deposit", deposit, "XBT", account=OTHER)
    some = out or back
    assert linked(link("l", some, some), out, back) is None
    if out is not None and back is not None:
        other = pen.flow("deposit", 5, "ETH", account=OTHER)
        assert linked(link("l", out, other), out, other) is None


@pytest.mark.parametrize("order", [("l1", "l2"), ("l2", "l1")])
def test_of_two_links_for_one_end_the_first_by_name_stands(order):
    pen = Pen()
    buy, out, back = ends(pen)
    other = pen.flow("deposit", 9, "XBT", account=OTHER)
    links = {"l1": link("l1", out, back), "l2": link("l2", out, other)}
    line = landed([buy, out, back, other], *([links[name]] for name in order), under=terms())
    assert isinstance(line.facts["l1"], Transfer)
    assert "l2" not in line.facts
    assert isinstance(line.facts[other.id], CashFlow)


def test_a_link_waits_for_its_ends():
    pen = Pen()
    _, out, back = ends(pen)
    line = landed([link("l", out, back)], [back])
    assert [fact.id for fact in line if fact.account == OTHER] == [back.id]
    assert "l" not in line.facts


def test_a_reversed_end_frees_the_other():
    pen = Pen()
    buy, out, back = ends(pen)
    line = landed([buy, out, back, link("l", out, back)], [pen.reversal(back.id)], under=terms())
    assert "l" not in line.facts
    assert isinstance(line.facts[out.id], CashFlow)
    assert booked(line.book, "deposit") == 0


def test_a_note_speaks_of_its_targets():
    pen = Pen()
    _, out, back = ends(pen)
    assert targets(link("l", out, back)) == (out.id, back.id)
    assert targets(tag("t", out)) == (out.id,)
    assert targets(pen.reversal("x")) == ("x",)
    assert targets(pen.price("XBT", "USD", 1)) == ()


# ------------------------------------------------------------------------------------ prices


def prices(*told):
    found = Prices("USD", USD)
    for price in told:
        found.add(price)
    return found


def test_the_latest_price_of_the_last_day_counts():
    pen = Pen()
    found = prices(
        pen.price("XBT", "USD", 10, executed_at=START),
        pen.price("XBT", "USD", 12, executed_at=START + HOUR),
    )
    assert found.at("XBT", START - 1) is None
    assert found.at("XBT", START).value == 10
    assert found.at("XBT", START + 2 * HOUR).value == 12
    assert found.at("XBT", START + HOUR + PRICE_AGE_MAX).value == 12
    assert found.at("XBT", START + HOUR + PRICE_AGE_MAX + 1) is None
    assert found.at("USDT", START).value == 1
    assert found.at("ETH", START) is None


def test_of_two_prices_of_one_instant_the_smaller_name_counts():
    pen = Pen()
    for names in (("a", "b"), ("b", "a")):
        told = [pen.price("XBT", "USD", ord(n), id=n, executed_at=START) for n in names]
        assert prices(*told, *told).at("XBT", START).value == ord("a")


def test_a_price_in_a_coin_follows_that_coin_at_most_three_deep():
    pen = Pen()
    chain = [
        pen.price(asset, quote, 2, executed_at=START)
        for asset, quote in (("A", "USD"), ("B", "A"), ("C", "B"), ("D", "C"))
    ]
    found = prices(*chain)
    assert found.at("C", START).value == 8
    assert found.at("D", START) is None
    assert found.decided_by("A") == {"A", "B", "C", "D"}
    assert prices(chain[1]).at("B", START) is None


def test_a_fork_keeps_its_prices_to_itself():
    pen = Pen()
    parent = prices(pen.price("XBT", "USD", 10, executed_at=START))
    child = parent.fork()
    child.add(pen.price("XBT", "USD", 20, executed_at=START + 1))
    child.add(pen.price("XBT", "USD", 30, executed_at=START + 2))
    assert child.at("XBT", START + 5).value == 30
    assert parent.at("XBT", START + 5).value == 10
    assert [price.value for price in child.latest()] == [30]
    notes = Notes(parent).fork()
    notes.add(pen.price("ETH", "USD", 5, executed_at=START))
    assert parent.at("ETH", START) is None


@pytest.mark.parametrize("is_late", [False, True])
def test_a_price_that_arrives_later_prices_the_fact_again(is_late):
    pen = Pen()
    price = pen.price("EUR", "USD", "1.1")
    buy = pen.buy(2, "XBT", 10, quote="EUR")
    batches = [[buy], [price]] if is_late else [[price], [buy]]
    book = landed(*batches, under=terms()).book
    assert held(book, "XBT") == (D(2), D(11))
    assert realized(book) == 0


def test_an_opening_is_priced_by_what_is_known():
    pen = Pen()
    old, new = pen.price("XBT", "USD", 6), pen.price("XBT", "USD", 7)
    sale = pen.sell(10, "XBT", 100)
    for batches in ([[sale], [new], [old]], [[old, new, sale]]):
        book = landed(*batches).book
        assert booked(book, "opening") == 70
        assert realized(book) == 30


def test_the_same_note_twice_is_one_note():
    notes, pen = Notes(prices()), Pen()
    told = tag("t", pen.buy(1, "XBT", 10), strategy="s")
    for _ in range(2):
        notes.add(told)
    assert notes._tags[told.target] == (told,)


# ---------------------------------------------------------------------------- notes undone


def test_of_two_tags_of_one_source_the_later_one_counts():
    pen = Pen()
    buy = pen.buy(1, "XBT", 10)
    early, late = tag("b", buy, strategy="early"), tag("c", buy, strategy="late")
    late = msgspec.structs.replace(late, executed_at=START + HOUR)
    for batches in ([[early], [late]], [[late], [early]]):
        (fact,) = landed([buy], *batches)
        assert isinstance(fact, Fill)
        assert fact.strategy == "late"


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
@pytest.mark.parametrize("void", [True, False])
def test_a_chain_of_reversals_counts_from_its_end_in_any_order(order, void):
    pen = Pen()
    buy = pen.buy(1, "XBT", 10)
    said = tag("t", buy, strategy="s")
    first = pen.reversal("t", id="r1", void=void)
    second = pen.reversal("r1", id="r2", void=void)
    entries = [buy, said, first, second]
    line = landed(*([entries[place]] for place in order))
    assert getattr(line.facts[buy.id], "strategy", None) == "s"
    line.land(planned(line, [pen.reversal("r2", id="r3")]))
    assert getattr(line.facts[buy.id], "strategy", "") is None
    assert [note.id for note in line.notes.tags(buy.id)] == []


def test_reversals_that_undo_each_other_both_count_as_undone():
    pen = Pen()
    flow = pen.flow("deposit", 5, "USD")
    ring = [
        pen.reversal(flow.id, id="a", void=True),
        pen.reversal("b", id="a2"),
        pen.reversal("a2", id="b"),
    ]
    for batch in (ring, ring[::-1]):
        notes = Notes(prices())
        for note in batch:
            notes.add(note)
        assert (notes.is_undone("a2"), notes.is_undone("b")) == (True, True)
        assert notes.is_undone(flow.id)
        assert not notes.is_undone("a")
        assert notes.spoken_of(ring[1]) == ["b", "a2"]


def test_a_price_counts_again_when_its_void_is_void():
    pen = Pen()
    price = pen.price("XBT", "USD", 10, executed_at=START, id="p")
    notes = Notes(prices(price))
    notes.add(pen.reversal("p", id="r1", void=True))
    assert notes.prices.at("XBT", START) is None
    notes.add(pen.reversal("r1", id="r2", void=True))
    assert getattr(notes.prices.at("XBT", START), "value", None) == 10


def test_prices_until_an_instant_leave_out_what_is_later_or_void():
    pen = Pen()
    told = [
        pen.price("XBT", "USD", n, executed_at=START + n * HOUR, id=f"p{n}") for n in range(1, 4)
    ]
    found = prices(*told)
    found.void("p1")
    past = found.until(START + 2 * HOUR)
    assert [price.id for price in past.latest()] == ["p2"]
    assert past.at("XBT", START + HOUR) is None
    assert [price.id for price in found.latest()] == ["p3"]


@pytest.mark.parametrize("said", [{"note": "mine"}, {"sequence": 3}, {"source": Source.EVENT}])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_link_that_is_told_again_stays(said, is_first):
    pen = Pen()
    came = pen.flow("deposit", 2, "XBT", value=50)
    ends = pen.flow("withdrawal", -1, "XBT"), pen.flow("deposit", 1, "XBT", account=OTHER)
    known = link("l", *ends)
    again = msgspec.structs.replace(known, **said)
    told = [again, known] if is_first else [known, again]
    line = landed([came, *ends], *([each] for each in told))
    assert [type(fact) for fact in line] == [CashFlow, Transfer]
    assert list(landed([*told, came, *ends])) == list(line)


def test_of_two_sources_the_weightier_says_which_ends_a_link_has():
    pen = Pen()
    came = pen.flow("deposit", 2, "XBT", value=50)
    out = pen.flow("withdrawal", -1, "XBT")
    one, other = (pen.flow("deposit", 1, "XBT", account=OTHER) for _ in range(2))
    claim = link("l", out, one)
    truth = msgspec.structs.replace(link("l", out, other), source=Source.LEDGER)
    for told in permutations([claim, truth]):
        line = landed([came, out, one, other], *([each] for each in told))
        assert [fact.rows for fact in line if isinstance(fact, Transfer)] == [(out.id, other.id)]


def test_of_two_sources_the_weightier_says_what_a_price_is():
    claim = Pen().price("XBT", "USD", 100, executed_at=START)
    truth = msgspec.structs.replace(claim, source=Source.EVENT, value=D(200))
    for told in permutations([claim, truth]):
        prices = Prices("USD", USD)
        for each in told:
            prices.add(each)
        assert getattr(prices.at("XBT", START), "value", None) == 200
