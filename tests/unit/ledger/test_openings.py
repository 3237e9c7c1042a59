"""What an account must have held before its history begins."""

from decimal import Decimal
from itertools import permutations

import msgspec
import pytest

from bursar.errors import Oversold
from bursar.exact import money
from bursar.ledger import copies, founding, openings, planning
from bursar.ledger.entries import Link, Source
from bursar.ledger.firsts import Firsts
from bursar.ledger.openings import deltas
from bursar.ledger.planning import planned
from bursar.ledger.terms import Account, Scope, Terms
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
    terms,
)

D = Decimal


def opened(line):
    """(account, asset) → quantity of every opening."""
    return {(fact.account, fact.asset): fact.amount for fact in line if openings.is_opening(fact)}


def test_the_smallest_quantity_that_keeps_every_prefix_at_zero():
    pen = Pen()
    line = landed(
        [pen.sell(3, "XBT", 30), pen.buy(2, "XBT", 20), pen.sell(4, "XBT", 40)],
    )
    assert opened(line) == {(MAIN, "XBT"): D(5)}
    assert held(line.book, "XBT")[0] == 0
    first = next(iter(line))
    assert openings.is_opening(first)
    assert first.executed_at == min(fact.executed_at for fact in line if fact != first) - 1


def test_an_opening_shrinks_when_the_acquisition_arrives():
    pen = Pen()
    buy, sell = pen.buy(3, "XBT", 30), pen.sell(5, "XBT", 50)
    line = landed([sell])
    assert opened(line) == {(MAIN, "XBT"): D(5)}
    line.land(planned(line, [buy]))
    assert opened(line) == {(MAIN, "XBT"): D(2)}
    line.land(planned(line, [pen.buy(2, "XBT", 1, executed_at=START)]))
    assert opened(line) == {}


def test_the_first_stated_balance_may_ask_for_more():
    pen = Pen()
    row = pen.row("reward", 1, "XBT", balance=D("8.9"), fee=D("0.1"))
    assert opened(landed([row])) == {(MAIN, "XBT"): D(8)}
    assert opened(landed([pen.row("reward", 5, "XBT", balance=D(5))])) == {}
    assert opened(landed([pen.row("reward", 5, "XBT")])) == {}


def test_of_several_codes_of_one_coin_the_balances_add_up():
    pen = Pen()
    rows = [
        pen.row("reward", 1, "ETH", code=code, balance=D(balance))
        for code, balance in (("ETH", 4), ("ETH.S", 3), ("ETH", 9))
    ]
    assert opened(landed(rows)) == {(MAIN, "ETH"): D(5)}
    assert opened(landed(rows[::-1])) == {(MAIN, "ETH"): D(5)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_finer_time_decides_which_row_was_first(order):
    pen = Pen()
    exported = [
        pen.row("deposit", 5, "XBT", id="z", executed_at=START, balance=D(5)),
        pen.row("withdrawal", -2, "XBT", id="a", executed_at=START, balance=D(3)),
    ]
    fetched = [
        msgspec.structs.replace(row, executed_at=START + part)
        for row, part in zip(exported, (200_000_000, 500_000_000), strict=True)
    ]
    batches = (exported, fetched)
    assert opened(landed(*(batches[i] for i in order))) == {}


def test_a_row_that_never_was_opens_nothing():
    pen = Pen()
    row = pen.row("deposit", 5, "XBT", balance=D(9))
    line = landed([row, pen.reversal(row.id, void=True)])
    assert opened(line) in ({}, {(MAIN, "XBT"): D(4)})


def test_money_may_be_negative_without_an_opening_but_not_against_its_balance():
    pen = Pen()
    assert opened(landed([pen.buy(1, "XBT", 10)])) == {}
    row = pen.row("withdrawal", -1, "USD", balance=D(4))
    assert opened(landed([row])) == {(MAIN, "USD"): D(5)}


@pytest.mark.parametrize("under", [terms(), Terms(accounts=(Account(MAIN, may_short=True),))])
def test_only_a_venues_history_begins_late(under):
    sale = Pen().sell(1, "XBT", 10)
    line = landed([sale], under=under)
    assert opened(line) == {}
    assert held(line.book, "XBT")[0] == -1


@pytest.mark.parametrize("under", [terms(strict=True), Terms(strict=True)])
def test_strict_terms_refuse_instead_of_opening(under):
    with pytest.raises(Oversold):
        landed([Pen().sell(1, "XBT", 10)], under=under)


@pytest.mark.parametrize("is_split", [False, True])
def test_an_account_of_a_pool_is_opened_on_its_own(is_split):
    pen = Pen()
    facts = [pen.buy(10, "XBT", 30), pen.sell(4, "XBT", 30, account=OTHER)]
    batches = [[fact] for fact in facts] if is_split else [facts]
    line = landed(*batches, under=Terms(scope=Scope.POOLED))
    assert opened(line) == {(OTHER, "XBT"): D(4)}


def test_a_rename_and_a_split_are_followed():
    pen = Pen()
    facts = [
        pen.buy(10, "OLD", 100),
        pen.rename("OLD", "NEW"),
        pen.split("NEW", 2, 1),
        pen.sell(20, "NEW", 100),
    ]
    assert opened(landed(facts)) == {}
    more = pen.sell(4, "NEW", 10)
    line = landed([*facts, more])
    assert sum(opened(line).values()) in (2, 4)
    assert held(line.book, "NEW")[0] >= 0
    everywhere = [pen.buy(1, "OLD", 1), pen.rename("OLD", "NEW", account="*")]
    assert opened(landed([*everywhere, pen.sell(1, "NEW", 1)])) == {}


def test_what_was_short_before_a_split_is_opened_in_the_first_units():
    pen = Pen()
    facts = [pen.buy(1, "A", 1), pen.split("A", 3, 1), pen.sell(4, "A", 4)]
    line = landed(facts)
    (quantity,) = opened(line).values()
    assert D("0.333") < quantity < D("0.334")
    assert held(line.book, "A")[0] >= 0


def test_every_kind_of_fact_says_how_it_moves_balances():
    pen = Pen()
    place = (MAIN, "XBT")
    moves = {
        "sale": (pen.sell(1, "XBT", 10, fees=fees((2, "XBT"))), -3),
        "conversion": (pen.convert([(1, "XBT")], [(5, "ETH")]), -1),
        "transfer": (pen.move(4, "XBT"), -4),
        "margin": (pen.margin(None, None, None, "6", quote="XBT"), 6),
        "open margin": (pen.margin("buy", 1, 1, quote="XBT"), 0),
        "rename": (pen.rename("XBT", "BTC"), 0),
    }
    for name, (fact, change) in moves.items():
        found = sum((moved for where, moved in deltas(fact) if where == place), D(0))
        assert found == change, name


def test_a_withdrawal_that_came_back_needs_no_opening_twice():
    pen = Pen()
    out = pen.row("withdrawal", -5, "XBT", group="g")
    back = pen.row("withdrawal", 5, "XBT", group="g")
    again = pen.row("withdrawal", -5, "XBT", group="h")
    line = landed([out, back, again])
    assert opened(line) == {(MAIN, "XBT"): D(5)}
    assert booked(line.book, "opening") == 0


def test_a_staged_change_counts_too():
    pen = Pen()
    change = pen.staged("-5", "1", lines=[("XBT", 2, 1)])
    assert opened(landed([change, pen.sell(2, "XBT", 9)])) == {}


def test_a_balance_that_is_told_later_counts_what_came_before_its_row():
    pen = Pen()
    buy = pen.buy(1, "XBT", 25)
    row = pen.row("reward", -7, "USD", balance=D(5))
    bare = msgspec.structs.replace(row, balance=None)
    for batches in ([[buy], [row]], [[bare], [buy], [row]], [[bare, buy], [row]], [[row], [buy]]):
        assert opened(landed(*batches)) == {(MAIN, "USD"): D(37)}


def test_the_balance_of_a_linked_withdrawal_may_be_told_later():
    pen = Pen()
    buy = pen.buy(10, "XBT", 100)
    row = pen.row("withdrawal", -4, "XBT", balance=D(30))
    bare = msgspec.structs.replace(row, balance=None)
    back = pen.flow("deposit", 4, "XBT", account=OTHER)
    link = Link(id="l", executed_at=START, account=MAIN, withdrawal=row.id, deposit=back.id)
    for batches in ([[buy, row, back, link]], [[buy, bare, back, link], [row]]):
        assert opened(landed(*batches)) == {(MAIN, "XBT"): D(24)}


def test_a_first_row_of_a_trade_that_was_told_before_counts_what_went_before_it():
    pen = Pen()
    spent = pen.flow("fee", -3, "USD")
    named = {"id": "t", "executed_at": START + 9 * HOUR}
    trade = pen.sell(2, "XBT", 100, rows=("r1", "r2"), source=Source.TRADES, **named)
    row = pen.row("trade", 100, "USD", balance=D(500), group="t", **(named | {"id": "r1"}))
    expected = {(MAIN, "XBT"): D(2), (MAIN, "USD"): D(403)}
    for batches in permutations([[spent], [trade], [row]]):
        assert opened(landed(*batches)) == expected


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_an_opening_that_moves_every_place_spoils_no_kept_balances(order, monkeypatch):
    for module in (planning, copies):
        monkeypatch.setattr(module, "SPACING", 1)
    pen = Pen()
    facts = [
        pen.sell(1, "ETH", 9),
        pen.sell(2, "ADA", 9),
        pen.buy(6, "ADA", 9),
        pen.buy(1, "SOL", 1),
    ]
    line = landed(*([facts[i]] for i in order))
    assert opened(line) == {(MAIN, "ETH"): D(1), (MAIN, "ADA"): D(2)}


def test_a_sale_that_the_sequence_puts_before_a_purchase_of_its_instant_needs_an_opening():
    pen = Pen()
    named = {"executed_at": START}
    sale, purchase = pen.sell(2, "XBT", 2, **named), pen.buy(2, "XBT", 2, sequence=1, **named)
    assert opened(landed([purchase, sale])) == {(MAIN, "XBT"): D(2)}
    assert opened(landed([msgspec.structs.replace(purchase, sequence=0), sale])) == {}


def test_what_comes_and_what_goes_of_one_instant_needs_no_opening_in_any_order_of_arrival():
    pen = Pen()
    facts = [
        pen.flow("withdrawal", -2, "ETH", id="kraken:a", executed_at=START),
        pen.sell(5, "XBT", 5, id="kraken:b", executed_at=START),
        pen.buy(5, "XBT", 5, quote="ETH", id="kraken:c", executed_at=START),
        pen.flow("deposit", 7, "ETH", id="kraken:d", executed_at=START),
    ]
    for order in permutations(facts):
        assert opened(landed(*([fact] for fact in order))) == {}


def test_what_may_be_simultaneous_with_a_first_row_explains_nothing_of_what_was_there_before_it():
    pen = Pen()
    named = {"executed_at": START}
    row = pen.row("withdrawal", -1, "XBT", balance=D(2), id="a", **named)
    for order in permutations([row, pen.buy(7, "XBT", 7, **named), pen.buy(1, "XBT", 1, **named)]):
        assert opened(landed(*([each] for each in order))) == {(MAIN, "XBT"): D(3)}
    before = pen.buy(2, "XBT", 2, executed_at=START - 1)
    assert opened(landed([row, before])) == {(MAIN, "XBT"): D(1)}
    assert opened(landed([msgspec.structs.replace(row, sequence=1), before])) == {
        (MAIN, "XBT"): D(1)
    }


def unseen(pen, amount, asset="XBT"):
    way = "transfer/spotfromfutures" if amount > 0 else "transfer/spottofutures"
    return pen.row("internal", amount, asset, label=way)


@pytest.mark.parametrize("asset, moves", [("XBT", (-4, 6, -1, 3)), ("USD", (-4, 8))])
def test_what_comes_from_out_of_sight_beyond_what_went_was_there_before(asset, moves):
    pen = Pen()
    rows = [pen.flow("deposit", 10, asset), *(unseen(pen, q, asset) for q in moves)]
    spent = pen.flow("withdrawal", -14, asset)
    line = landed([*rows, spent])
    for order in permutations([*rows, spent]):
        line = landed(*([each] for each in order))
        assert [(fact.id, fact.amount) for fact in line if openings.is_opening(fact)] == [
            (f"opening:{MAIN}:out of sight:{asset}", D(4))
        ]
    assert held(line.book, asset)[0] == 0
    assert all(not each for each in line.book.pockets.values())


def test_what_a_vault_gives_back_beyond_what_went_in_is_not_lost():
    pen = Pen()
    moves = ((-4, "hybridearnwithdrawal"), (6, "hybridearndeposit"))
    rows = [pen.row("internal", q, "XBT", label=way) for q, way in moves]
    line = landed([pen.flow("deposit", 10, "XBT"), *rows])
    assert opened(line) == {(MAIN, "XBT"): D(2)}
    assert held(line.book, "XBT")[0] == 12


def test_what_was_spent_before_it_came_from_out_of_sight_was_there_before_as_well():
    pen = Pen()
    line = landed([pen.sell(3, "XBT", 3), unseen(pen, 2), pen.sell(1, "XBT", 1)])
    assert {fact.id: fact.amount for fact in line if openings.is_opening(fact)} == {
        f"opening:{MAIN}:XBT": D(3),
        f"opening:{MAIN}:out of sight:XBT": D(2),
    }
    assert held(line.book, "XBT")[0] == 1


def test_a_pocket_whose_rows_are_told_is_not_opened_by_a_move():
    pen = Pen()
    assert opened(landed([pen.row("internal", 2, "XBT", pocket="staked")])) == {}


def began(pen, held, asset="USD", **named):
    """What lay in a pocket when its list begins, stated by a row that moves nothing."""
    named = {"pocket": "futures", "amount": 0, **named}
    return pen.row("opening", named.pop("amount"), asset, balance=D(held), **named)


@pytest.mark.parametrize("asset", ["USD", "XBT"])
def test_a_pocket_whose_list_begins_late_is_opened_with_what_nothing_older_explains(asset):
    pen = Pen()
    came = pen.row("reward", 3, asset, pocket="futures")
    moved = pen.row("internal", 2, asset, pocket="futures")
    settled = pen.row("margin", D("-0.5"), asset, pocket="futures", fee=D("0.25"))
    elsewhere = pen.row("reward", 7, asset)
    row = began(pen, 10, asset)
    later = pen.row("reward", 5, asset, pocket="futures")
    name = f"opening:{MAIN}:futures:{asset}"
    for told, left in (((), 10), ((came,), 7), ((came, moved, settled), "5.75")):
        entries = [*told, elsewhere, row, later]
        for order in (entries, entries[::-1], [row, *entries]):
            line = landed(*([each] for each in order))
            assert {fact.id: fact.amount for fact in line.openings.values()} == {name: D(left)}
            assert line.book.pockets[MAIN, asset, "futures"] == 15
    assert landed([came, row, later]).firsts.assets(MAIN) == frozenset()


def test_older_facts_that_explain_more_than_was_there_open_nothing():
    pen = Pen()
    line = landed([pen.row("reward", 3, "USD", pocket="futures"), began(pen, 2)])
    assert line.openings == {}
    assert line.book.pockets[MAIN, "USD", "futures"] == 3


def test_what_was_in_a_pocket_may_be_spent_outside_of_it():
    pen = Pen()
    row, sale = began(pen, 2, "XBT"), pen.sell(3, "XBT", 30)
    for order in ([row, sale], [sale, row]):
        line = landed(*([each] for each in order))
        assert {fact.id: fact.amount for fact in line.openings.values()} == {
            f"opening:{MAIN}:futures:XBT": D(2),
            f"opening:{MAIN}:XBT": D(1),
        }
        assert held(line.book, "XBT")[0] == 0


def test_of_two_beginnings_of_one_pocket_the_earlier_counts():
    pen = Pen()
    early, gain, late = began(pen, 4), pen.row("reward", 3, "USD", pocket="futures"), began(pen, 7)
    for order in permutations((early, gain, late)):
        line = landed(*([each] for each in order))
        assert [fact.amount for fact in line.openings.values()] == [4]


def test_a_beginning_without_a_pocket_is_the_balance_of_a_row():
    assert opened(landed([began(Pen(), 4, "XBT", pocket=None)])) == {(MAIN, "XBT"): D(4)}


def test_the_assets_of_an_account_are_those_whose_balance_was_told():
    pen, firsts = Pen(), Firsts()
    for row in (
        pen.row("reward", 1, "XBT", balance=D(1)),
        pen.row("reward", 1, "ETH"),
        pen.row("reward", 1, "SOL", balance=D(1), account=OTHER),
    ):
        firsts.see(row)
    assert firsts.assets(MAIN) == {"XBT"}


def test_a_scale_of_very_many_digits_is_rounded():
    third, scaled = (D(1), D(3)), money(founding.scaled)
    assert scaled((D(10**29), D(10**30 - 1)), third) == (D("0.033333333333333333"), D(1))
    assert scaled((D(1), D(7 * 10**29)), third) == (D("1E-18"), D(1))


def kept(pen, quantity, asset="XBT", pocket="earn", at=0):
    """A move into (> 0) or out of a pocket of the account, so many hours on."""
    ends = {"to_pocket": pocket} if quantity > 0 else {"pocket": pocket}
    return pen.move(abs(quantity), asset, MAIN, executed_at=START + at * HOUR, **ends)


@pytest.mark.parametrize("asset", ["XBT", "USD"])
@pytest.mark.parametrize("pocket", ["earn", "funding"])
def test_what_comes_out_of_a_pocket_that_lends_none_was_in_it(asset, pocket):
    pen = Pen()
    moves = [kept(pen, q, asset, pocket, at) for at, q in enumerate((2, -5, 4, -2), 1)]
    spent = pen.flow("withdrawal", -3, asset, executed_at=START + 9 * HOUR)
    for order in permutations([*moves, spent]):
        line = landed(*([each] for each in order))
        assert {fact.id: fact.amount for fact in line if openings.is_opening(fact)} == {
            f"opening:{MAIN}:{pocket}:{asset}": D(3)
        }
        assert held(line.book, asset)[0] == 0


def test_a_pocket_that_may_be_below_zero_calls_for_nothing():
    pen = Pen()
    assert opened(landed([kept(pen, -5, pocket="usd-m futures")])) == {}


@pytest.mark.parametrize("first, second", [(-5, 5), (5, -5)])
def test_of_two_moves_of_one_second_neither_proves_a_shortage(first, second):
    pen = Pen()
    moves = [kept(pen, first), kept(pen, second)]
    assert opened(landed(moves)) == {}
    assert opened(landed([*moves, kept(pen, -1, at=1)])) == {(MAIN, "XBT"): D(1)}


def test_what_a_pocket_lacked_is_counted_in_the_units_of_then():
    pen = Pen()
    split = pen.split("XBT", 2, 1, executed_at=START + 2 * HOUR)
    line = landed([kept(pen, -5, at=1), split, kept(pen, -4, at=3)])
    assert opened(line) == {(MAIN, "XBT"): D(7)}
    assert held(line.book, "XBT")[0] == 14


def test_what_a_pocket_lacked_before_a_rename_is_of_the_old_name():
    pen = Pen()
    rename = pen.rename("REP", "REPV2", executed_at=START + 2 * HOUR)
    line = landed([kept(pen, -5, "REP", at=1), rename, kept(pen, 1, "REPV2", at=3)])
    assert opened(line) == {(MAIN, "REP"): D(5)}
    assert held(line.book, "REPV2")[0] == 5
