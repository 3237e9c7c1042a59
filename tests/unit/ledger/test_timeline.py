"""Plans: what a batch would change, what it restates, what it refuses."""

from decimal import Decimal
from itertools import permutations

import msgspec
import pytest

from bursar.errors import Oversold
from bursar.ledger import audit
from bursar.ledger.course import Restated
from bursar.ledger.draft import drafted
from bursar.ledger.entries import CashFlow, Flag, Source, Tag
from bursar.ledger.journal import Outcome
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline
from tests.auditor.picture import picture
from tests.unit.ledger.samples import (
    MAIN,
    START,
    Pen,
    booked,
    fees,
    held,
    landed,
    realized,
    terms,
)

D = Decimal


def test_a_plan_shows_the_book_and_changes_nothing_until_it_lands():
    pen, line = Pen(), Timeline(terms())
    plan = planned(line, [pen.buy(2, "XBT", 100)])
    assert held(plan.book, "XBT") == (D(2), D(100))
    assert not line.book.holdings
    line.land(plan)
    assert held(line.book, "XBT") == (D(2), D(100))


def test_an_empty_batch_is_no_change():
    line = landed([Pen().buy(2, "XBT", 100)])
    plan = planned(line, [])
    assert (plan.recorded, plan.course.tail, plan.restated, plan.lines) == ([], [], [], [])
    line.land(plan)
    assert len(list(line)) == 1


@pytest.mark.parametrize("told", list(permutations(range(4))))
def test_a_batch_laid_in_two_steps_is_the_batch_at_once(told):
    pen = Pen()
    buy = pen.buy(2, "XBT", 100)
    batch = [
        buy,
        msgspec.structs.replace(buy, quantity=D(3)),
        Tag(id="t", executed_at=START, account=MAIN, target=buy.id, strategy="trend"),
        pen.sell(1, "XBT", 150),
    ]
    first, *rest = (batch[place] for place in told)
    line, once = Timeline(terms()), landed([first, *rest])
    draft = drafted(line, [first])
    assert draft.lacking() == []
    line.land(planned(line, rest, over=draft))
    assert picture(line.book) == picture(once.book)
    assert [line.facts[name].flags for name in line.facts] == [
        once.facts[name].flags for name in line.facts
    ]


def test_what_lacks_a_price_is_known_before_it_is_folded():
    pen, line = Pen(), Timeline(terms())
    reward = pen.flow("reward", 3, "ETH")
    draft = drafted(line, [reward, pen.buy(2, "XBT", 100)])
    assert [fact.id for fact in draft.lacking()] == [reward.id]
    price = pen.price("ETH", "USD", 50, executed_at=reward.executed_at)
    plan = planned(line, [price], over=draft)
    assert [fact.value for fact in plan.course.added if isinstance(fact, CashFlow)] == [D(150)]


def test_the_last_trades_are_known_whatever_comes_late():
    pen, line = Pen(), Timeline(terms())
    early, late = pen.buy(1, "XBT", 90), pen.buy(1, "ETH", 40)
    first, second, other = pen.buy(2, "XBT", 100), pen.buy(1, "XBT", 110), pen.buy(1, "SOL", 9)

    def lasts(*batch):
        line.land(planned(line, batch))
        return [each.id for each in line.last_trades()]

    assert lasts(first, second, other) == [other.id, second.id]
    assert lasts(late, early) == [late.id, other.id, second.id]  # before all others
    assert lasts(pen.reversal(second.id, void=True)) == [late.id, other.id, first.id]
    assert lasts(pen.reversal(other.id, void=True)) == [late.id, first.id]


def test_verdicts_of_one_batch_see_each_other():
    buy = Pen().buy(2, "XBT", 100)
    other = msgspec.structs.replace(buy, quantity=D(3))
    finer = msgspec.structs.replace(buy, executed_at=buy.executed_at + 5)
    plan = planned(Timeline(terms()), [buy, buy, other, other, finer])
    outcomes = [str(ruled.verdict) for ruled in plan.ruled]
    assert outcomes == ["recorded", "duplicate", *["conflict quantity"] * 2, "recorded"]
    keys = [key for key, _, _ in plan.recorded]
    assert len(keys) == len(set(keys)) == 3
    assert plan.recorded[1][1] is Outcome.CONFLICT


def test_a_conflict_keeps_the_first_and_marks_the_fact():
    buy = Pen().buy(2, "XBT", 100)
    other = msgspec.structs.replace(buy, quantity=D(3))
    line = landed([buy], [other], [other])
    (fact,) = line
    assert (fact.quantity, fact.flags) == (2, (Flag.CONFLICTED,))
    assert line.book.gaps["XBT", "conflicted"] == 1
    line.land(planned(line, [msgspec.structs.replace(buy, regime="calm")]))
    (fact,) = line
    assert (fact.regime, fact.flags) == ("calm", (Flag.CONFLICTED,))


def test_a_disputed_change_without_an_asset_of_its_own_leaves_no_gap():
    change = Pen().staged("5")
    line = landed([change], [msgspec.structs.replace(change, cash=D(6))])
    assert [fact.flags for fact in line] == [(Flag.CONFLICTED,)]
    assert not line.book.gaps


def test_a_row_of_a_disputed_statement_marks_its_trade():
    pen = Pen()
    rows = [pen.row("trade", 2, "XBT", group="t"), pen.row("trade", -9, "USD", group="t")]
    line = landed(rows, [msgspec.structs.replace(rows[1], amount=D(-8))])
    assert [fact.flags for fact in line] == [(Flag.CONFLICTED,)]
    line.land(planned(line, [pen.flow("deposit", 1, "USD")]))
    assert [fact.flags for fact in line] == [(Flag.CONFLICTED,), ()]


@pytest.mark.parametrize("is_first", [False, True])
def test_a_group_may_be_told_later(is_first):
    pen = Pen()
    rows = [pen.row("trade", 2, "XBT", group="t"), pen.row("trade", -9, "USD", group="t")]
    bare = [msgspec.structs.replace(row, group=None) for row in rows]
    line = landed(bare, rows) if is_first else landed(rows, bare)
    (fact,) = line
    assert (fact.quantity, fact.amount) == (2, 9)
    assert audit.breaches(line.book) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_group_told_later_keeps_its_facts_whatever_else_comes_with_it(order):
    pen = Pen()
    rows = [pen.row("deposit", 2, "XBT", group="t"), pen.row("deposit", 9, "USD", group="t")]
    bare = msgspec.structs.replace(rows[1], group=None)
    line = landed([bare], [rows[place] for place in order])
    assert [fact.id for fact in line] == [row.id for row in rows]
    assert list(landed([bare, *rows])) == list(line)


def test_a_late_fact_names_what_it_restates():
    pen = Pen()
    early, buy, sell = pen.buy(1, "XBT", 10), pen.buy(1, "XBT", 30), pen.sell(1, "XBT", 50)
    line = landed([buy, sell], under=terms("fifo"))
    plan = planned(line, [early], trace=True)
    assert plan.restated == [
        Restated(MAIN, "XBT", "XBT/USD", "manual", "", D(20), D(40), (early.id,))
    ]
    assert [fact.id for fact, _ in plan.lines] == [early.id, buy.id, sell.id]
    line.land(plan)
    assert realized(line.book) == 40


def test_a_late_fact_that_changes_no_figure_restates_nothing():
    pen = Pen()
    early = pen.sell(1, "XBT", 50, fees=fees((1, "USD")))
    line = landed([pen.buy(1, "ETH", 30), pen.sell(1, "ETH", 40)], under=terms())
    assert planned(line, [early], trace=True).restated == []


def test_a_figure_that_vanishes_is_restated_too():
    pen = Pen()
    buy, sell = pen.buy(1, "XBT", 30), pen.sell(1, "XBT", 50)
    line = landed([buy, sell], under=terms())
    plan = planned(line, [pen.reversal(buy.id, void=True), pen.reversal(sell.id)], trace=True)
    assert [(each.old, each.new) for each in plan.restated] == [(D(20), D(0))]
    line.land(plan)
    assert list(line) == []


def test_strategies_of_staged_lines_are_not_restated_by_their_own_arrival():
    pen = Pen()
    early = pen.staged("20", lines=[("XBT", -1, 20, "grid")])
    buy = pen.buy(10, "XBT", 100, executed_at=START)
    later = [pen.staged("20", lines=[("XBT", -1, 20, "grid")]), pen.buy(1, "ETH", 5)]
    line = landed([buy, *later], under=terms())
    assert planned(line, [early], trace=True).restated == []


def test_a_refused_batch_is_refused_as_a_whole():
    pen = Pen()
    line = landed([pen.buy(1, "XBT", 10)], under=terms(strict=True))
    before = picture(line.book)
    with pytest.raises(Oversold):
        planned(line, [pen.buy(5, "ETH", 10), pen.sell(2, "XBT", 30)])
    assert picture(line.book) == before
    line.land(planned(line, [pen.sell(2, "XBT", 30), pen.buy(1, "XBT", 5, executed_at=START)]))
    assert held(line.book, "XBT") == (0, 0)


@pytest.mark.parametrize("method", list(Method))
def test_another_rule_refolds_the_same_facts(method):
    pen = Pen()
    facts = [pen.buy(1, "XBT", 10), pen.buy(1, "XBT", 30), pen.sell(1, "XBT", 50)]
    line = landed(facts)
    book = line.refold(method)
    assert held(book, "XBT")[1] - realized(book) == 10 + 30 - 50
    assert line.terms.method is Method.WAC


# ------------------------------------------------------------------------------------ reversals


def test_a_trade_undone_by_hand_never_happened():
    pen = Pen()
    buy = pen.buy(1, "XBT", 10)
    for void in (False, True):
        line = landed([buy], [pen.reversal(buy.id, void=void)])
        assert list(line) == []


def test_a_void_flow_never_happened_and_a_reversed_one_did():
    pen = Pen()
    flow = pen.flow("deposit", 10, "USD")
    assert list(landed([flow, pen.reversal(flow.id, void=True)])) == []
    line = landed([pen.reversal(flow.id, id="z"), pen.reversal(flow.id, id="r")], [flow])
    assert [fact.id for fact in line] == [flow.id, "r"]
    assert booked(line.book, "deposit") == 0


def test_a_reversal_before_its_target_undoes_nothing():
    pen = Pen()
    early = pen.reversal("kraken:main:2")
    flow = pen.flow("deposit", 10, "USD")
    line = landed([early, flow])
    assert [fact.id for fact in line] == [flow.id]
    assert held(line.book, "USD") == (D(10), D(10))


def test_a_reversal_of_the_same_instant_follows_its_target():
    pen = Pen()
    flow = pen.flow("deposit", 10, "USD", sequence=4)
    line = landed([flow, pen.reversal(flow.id, executed_at=flow.executed_at, account="bursar")])
    assert [type(fact).__name__ for fact in line] == ["CashFlow", "Reversal"]
    assert held(line.book, "USD") == (0, 0)


def test_a_flow_that_the_venue_gave_back_is_not_given_back_by_hand_as_well():
    pen = Pen()
    rows = [pen.row("withdrawal", amount, "USD", group="g") for amount in (-5, 5)]
    line = landed(rows, [pen.reversal(rows[0].id)])
    assert held(line.book, "USD") == (0, 0)
    assert [fact.id for fact in line] == [row.id for row in rows]


def test_a_flow_that_never_happened_was_not_given_back_by_the_venue_either():
    pen = Pen()
    came = pen.flow("deposit", 5, "XBT", value=50)
    out = pen.row("withdrawal", -1, "XBT", group="w", fee=D("0.5"))
    back = pen.row("withdrawal", 1, "XBT", group="w", fee=D("-0.5"))
    void = pen.reversal(out.id, id="v", void=True)
    again = pen.reversal("v", id="again", void=True)
    for batches in permutations([[came], [out, back], [void]]):
        line = landed(*batches)
        assert [fact.id for fact in line] == [came.id]
        line.land(planned(line, [again]))
        assert [fact.id for fact in line] == [came.id, out.id, back.id]
        assert held(line.book, "XBT") == (D(5), D(50))


def test_a_reversal_of_the_unknown_waits():
    line = landed([Pen().reversal("never")])
    assert list(line) == []


def test_a_partner_that_arrives_late_takes_the_place_of_the_lone_leg():
    pen = Pen()
    first = pen.row("trade", 2, "XBT", group="t")
    second = pen.row("trade", -9, "USD", group="t")
    line = landed([first])
    assert [type(fact) for fact in line] == [CashFlow]
    line.land(planned(line, [second]))
    assert [type(fact).__name__ for fact in line] == ["Fill"]
    assert held(line.book, "XBT") == (D(2), D(9))


def test_an_event_adds_its_tag_to_what_the_venue_says():
    pen = Pen()
    buy = pen.buy(2, "XBT", 100, source=Source.TRADES)
    event = msgspec.structs.replace(buy, source=Source.EVENT, strategy="grid")
    tag = Tag(id="n", executed_at=START, account=MAIN, target=buy.id, regime="calm")
    line = landed([event], [tag], [buy])
    (fact,) = line
    assert (fact.strategy, fact.regime, fact.flags) == ("grid", "calm", (Flag.PROVISIONAL,))
    assert Terms().strict is False


def test_what_lacks_a_price_does_so_when_it_is_told_again():
    pen = Pen()
    reward, bought = pen.flow("reward", 3, "ETH"), pen.buy(2, "XBT", 100)
    line = landed([reward, bought])
    assert [fact.id for fact in drafted(line, [reward, bought]).lacking()] == [reward.id]
    tag = Tag(id="t", executed_at=START, account=MAIN, target=reward.id, strategy="trend")
    assert [fact.id for fact in drafted(line, [reward, tag]).lacking()] == [reward.id]


def test_the_rest_of_an_event_that_is_told_again_has_its_prices_from_the_whole():
    pen = Pen()
    came = pen.row("trade", 2, "XBT", group="t")
    paid = pen.row("trade", -9, "USD", group="t")
    line = landed([came])
    assert [fact.id for fact in drafted(line, [came]).lacking()] == [came.id]
    assert [*drafted(line, [came, paid]).lacking()] == []
