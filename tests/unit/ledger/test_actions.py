"""Corporate actions told in two rows."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.actions import paired
from bursar.ledger.entries import CashFlow, Conversion, Flag, Rate, Rename, Split
from bursar.ledger.facts import resolve
from tests.unit.ledger.samples import Pen, held, landed, lots

CASH = frozenset({"USD"})


def rows(kind, *legs, group="kraken:main:action"):
    pen = Pen()
    return [
        pen.row(kind, amount, asset, group=group, label=label or None)
        for amount, asset, label in ((*leg, "")[:3] for leg in legs)
    ]


def resolved(told):
    return resolve(told, CASH)


def test_the_old_units_out_and_the_new_ones_in_are_a_split():
    told = rows("split", ("-10", "ACME"), ("30", "ACME"))
    (split,) = resolved(told)
    assert isinstance(split, Split)
    assert (split.asset, split.numerator, split.denominator) == ("ACME", Decimal(30), Decimal(10))
    assert (split.id, split.rows) == (told[0].id, (told[0].id, told[1].id))


def test_as_many_units_under_another_name_are_a_rename():
    told = rows("rename", ("7.5", "NEW"), ("-7.5", "OLD"))
    (rename,) = resolved(told)
    assert isinstance(rename, Rename)
    assert (rename.asset, rename.to_asset, rename.id) == ("OLD", "NEW", told[1].id)


def test_the_same_name_under_a_new_number_changes_nothing():
    (split,) = resolved(rows("rename", ("-4", "ACME"), ("4", "ACME")))
    assert (split.numerator, split.denominator) == (4, 4)


@pytest.mark.parametrize(
    "label_going,label_coming", [("SPLIT/ADD", ""), ("", "SPLIT/REMOVE"), ("x/ADD", "x/REMOVE")]
)
def test_a_short_position_goes_the_other_way_round(label_going, label_coming):
    told = rows("split", ("-2", "ACME", label_going), ("25", "ACME", label_coming))
    (split,) = resolved(told)
    assert (split.numerator, split.denominator) == (2, 25)


@pytest.mark.parametrize(
    "kind,legs",
    [
        ("split", [("-10", "ACME")]),
        ("split", [("10", "ACME"), ("30", "ACME")]),
        ("split", [("-10", "ACME"), ("30", "ACME"), ("5", "ACME")]),
        ("split", [("-8", "UNIT"), ("8", "STOCK"), ("2", "WARRANT")]),
        ("rename", [("-7", "OLD"), ("8", "NEW")]),
        ("rename", [("-7", "OLD"), ("7", "NEW"), ("7", "ALSO"), ("-7", "ELSE")]),
        ("split", [("0", "ACME"), ("3", "ACME")]),
        ("split", [("-1", "USD"), ("3", "USD")]),
        ("rename", [("-3", "USD"), ("3", "ACME")]),
        ("rename", [("-3", "ACME"), ("3", "USD")]),
    ],
)
def test_rows_that_are_no_clear_pair_stay_apart_and_are_seen(kind, legs):
    facts = resolved(rows(kind, *legs))
    assert len(facts) == len(legs)
    assert all(isinstance(fact, CashFlow) and Flag.UNPAIRED in fact.flags for fact in facts)


def test_words_are_of_one_rename_whichever_of_its_rows_they_say_that_they_are():
    told = rows("rename", ("-7", "A"), ("7", "Y"), ("-7", "X"), ("7", "B"))
    words = ("REMOVE, worth 3", "ADD, worth 5", "REMOVE, worth 5", "ADD, worth 3")
    for place, said in enumerate(words):
        told[place] = msgspec.structs.replace(told[place], note=said)
    renames = {(fact.asset, fact.to_asset) for fact in resolved(told)}
    assert renames == {("A", "B"), ("X", "Y")}


@pytest.mark.parametrize("said", ["note", "rates"])
def test_two_renames_of_as_many_units_are_told_apart_by_what_both_rows_say(said):
    told = rows("rename", ("-7", "A"), ("7", "Y"), ("-7", "X"), ("7", "B"))
    one, other = (
        ("A is B", "X is Y")
        if said == "note"
        else (
            (Rate(name, "USD", Decimal(price), "alpaca"),) for name, price in (("A", 3), ("X", 5))
        )
    )
    for row, words in zip(told, (one, other, other, one), strict=True):
        named = msgspec.structs.replace(row, **{said: words})
        told[told.index(row)] = named
    renames = {(fact.asset, fact.to_asset) for fact in resolved(told)}
    assert renames == {("A", "B"), ("X", "Y")}


def test_two_renames_of_one_day_are_told_apart_by_their_quantities():
    told = rows("rename", ("-7", "A"), ("-3", "X"), ("3", "Y"), ("7", "B"))
    renames = {(fact.asset, fact.to_asset) for fact in resolved(told)}
    assert renames == {("A", "B"), ("X", "Y")}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 3, 1), (2, 0, 1, 3)])
def test_a_rename_and_the_one_that_follows_it_need_no_words(order):
    legs = [("-7", "A"), ("7", "B"), ("-7", "B"), ("7", "C")]
    facts = resolved(rows("rename", *(legs[place] for place in order)))
    assert {(fact.asset, fact.to_asset) for fact in facts} == {("A", "B"), ("B", "C")}


@pytest.mark.parametrize("names", ["ABBA", "ABBCCA"])
def test_names_that_come_back_to_where_they_began_are_seen_and_not_guessed_at(names):
    legs = [(f"{'-' * (place % 2 == 0)}{place // 2 + 7}", each) for place, each in enumerate(names)]
    facts = resolved(rows("rename", *legs, ("-3", "X"), ("3", "A")))
    assert {type(fact) for fact in facts} == {CashFlow, Rename}
    assert len([fact for fact in facts if isinstance(fact, CashFlow)]) == len(names)


def test_other_rows_are_none_of_its_business():
    assert paired(rows("deposit", ("1", "ACME")), CASH) == ([], [])


def test_lots_keep_their_cost_whichever_row_comes_first():
    pen = Pen()
    bought = pen.buy(10, "ACME", 100)
    out = pen.row("split", "-10", "ACME", group="kraken:main:s")
    come = pen.row("split", "1.25", "ACME", group="kraken:main:s", executed_at=out.executed_at)
    for order in ([[bought], [out], [come]], [[come, out], [bought]], [[bought, out, come]]):
        book = landed(*order).book
        assert held(book, "ACME") == (Decimal("1.25"), 100)
        assert lots(book, "ACME") == [("pool", Decimal("1.25"), 100)]


REBRANDED = "Token Swap - Redenomination/Rebranding"


def at_once(*legs):
    told = rows("swap", *legs)
    return [msgspec.structs.replace(row, executed_at=told[0].executed_at) for row in told]


GONE, CAME = "Asset Recovery", "Token Swap - Distribution"
PLAN = "Auto-Invest Transaction"


def test_a_token_that_goes_by_one_operation_and_comes_by_another_is_a_rename():
    (rename,) = resolved(rows("swap", ("-10", "MATIC", GONE), ("10", "POL", CAME)))
    assert isinstance(rename, Rename)
    assert (rename.asset, rename.to_asset) == ("MATIC", "POL")


def test_what_a_plan_buys_minutes_later_is_bought_with_what_it_took():
    (bought,) = resolved(rows("swap", ("-10", "USD", PLAN), ("0.1", "ETH", PLAN)))
    assert isinstance(bought, Conversion)
    (several,) = resolved(
        rows("swap", ("-10", "USD", PLAN), ("0.1", "ETH", PLAN), ("2", "ADA", PLAN))
    )
    assert isinstance(several, Conversion)
    assert [leg.asset for leg in several.taken] == ["ETH", "ADA"]


@pytest.mark.parametrize(
    "legs",
    [
        [("-10", "MATIC", GONE), ("9", "POL", CAME), ("1", "ETH", CAME)],
        [("-10", "USD", PLAN), ("-10", "EUR", PLAN), ("0.1", "ETH", PLAN)],
        [("-10", "USD", PLAN), ("0.1", "ETH", "Binance Convert")],
        [("-10", "USD", "Binance Convert"), ("0.1", "ETH", "Binance Convert")],
        [("-10", "MATIC", GONE)],
        [("10", "POL", CAME)],
    ],
)
def test_what_may_be_of_several_or_is_no_plan_stays_unpaired_where_it_is_late(legs):
    assert all(fact.flags == (Flag.UNPAIRED,) for fact in resolved(rows("swap", *legs)))


def test_a_swap_that_is_called_a_rebranding_is_a_rename():
    (rename,) = resolved(at_once(("10", "POL", REBRANDED), ("-10", "MATIC", REBRANDED)))
    assert isinstance(rename, Rename)
    assert (rename.asset, rename.to_asset) == ("MATIC", "POL")


@pytest.mark.parametrize(
    "legs",
    [
        [("-10", "MATIC"), ("10", "POL")],
        [("-10", "MATIC", "Binance Convert"), ("10", "POL", "Binance Convert")],
        [("-10", "MATIC", REBRANDED), ("9", "POL", REBRANDED)],
        [("-10", "USD", REBRANDED), ("10", "POL", REBRANDED)],
        [("-10", "MATIC", REBRANDED), ("5", "POL", REBRANDED), ("5", "ETH", REBRANDED)],
    ],
)
def test_any_other_swap_is_an_exchange(legs):
    assert not any(isinstance(fact, Rename) for fact in resolved(at_once(*legs)))
