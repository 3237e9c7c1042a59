"""Legs that no reference ties together: which of them are one trade, and what cannot be known."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.ledger import golden, projection
from bursar.ledger.entries import CashFlow, Conversion, Fill, Flag, Movement, Transfer
from bursar.ledger.openings import deltas, is_opening
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline

GROUP = "group=k:trades"


def leg(name, second, amount, kind="leg", more=""):
    at = f"2026-01-05T10:00:{second:02}Z"
    return f"{at} row {kind} {amount} #k:{name} source=ledger {GROUP} {more}"


def fee(name, second, charged, more=""):
    amount, asset = charged.split()
    return leg(name, second, f"0 {asset} fee {amount}", more=more)


def fill(name, second, traded, fee=""):
    at = f"2026-01-05T10:00:{second:02}Z"
    charged = f"fee {fee}" if fee else ""
    return f"{at} {traded} {charged} #k:{name} source=trades {GROUP}"


def landed(*batches):
    line = Timeline(Terms())
    for batch in batches:
        line.land(planned(line, golden.read(batch)))
    return line


def facts(*lines):
    return [fact for fact in landed(lines) if not is_opening(fact)]


def told(fact):
    """What a fact is, in a line."""
    fees = "".join(f" fee {each.amount} {each.asset}" for each in getattr(fact, "fees", ()))
    flags = "".join(f" {flag.value}" for flag in fact.flags if flag is not Flag.UNPRICED)
    match fact:
        case Fill():
            what = f"{fact.side.value} {fact.quantity} {fact.base} for {fact.amount} {fact.quote}"
        case Conversion():
            given = " + ".join(f"{each.quantity} {each.asset}" for each in fact.given)
            taken = " + ".join(f"{each.quantity} {each.asset}" for each in fact.taken)
            what = f"{given} into {taken}"
        case CashFlow():
            what = f"{fact.kind.value} {fact.amount} {fact.asset}"
        case _:
            what = f"{fact.quantity} {fact.asset} from {fact.pocket} to {fact.to_pocket}"
    return what + fees + flags


def said(*lines):
    return sorted(told(fact) for fact in facts(*lines))


ONE = [leg("a", 0, "0.004 BTC"), leg("b", 0, "-240 USDT"), fee("c", 0, "0.0003 BNB")]
TWO = [leg("d", 0, "0.006 BTC"), leg("e", 0, "-361 USDT"), fee("f", 0, "0.0005 BNB")]
ONE_FILL = fill("1", 0, "buy 0.00400 BTC for 240.0 USDT", "0.00030 BNB")
TWO_FILL = fill("2", 0, "buy 0.006 BTC for 361 USDT", "0.0005 BNB")


def test_a_second_without_a_trade_history_is_one_trade_and_nothing_is_guessed():
    assert said(*ONE, *TWO) == ["buy 0.010 BTC for 601 USDT fee 0.0008 BNB"]


def test_the_trade_history_says_which_legs_are_whose():
    assert said(*ONE, *TWO, ONE_FILL, TWO_FILL) == [
        "buy 0.004 BTC for 240 USDT fee 0.0003 BNB",
        "buy 0.006 BTC for 361 USDT fee 0.0005 BNB",
    ]


def test_a_fill_takes_only_its_own_and_leaves_the_rest_together():
    assert said(*ONE, *TWO, *[leg("g", 0, "1 ETH"), leg("h", 0, "-9 USDT")], TWO_FILL) == [
        "249 USDT into 0.004 BTC + 1 ETH fee 0.0003 BNB assumed_split",
        "buy 0.006 BTC for 361 USDT fee 0.0005 BNB",
    ]


def test_alone_the_trade_history_is_provisional():
    assert said(ONE_FILL) == ["buy 0.00400 BTC for 240.0 USDT fee 0.00030 BNB provisional"]


def test_equal_trades_of_one_second_stay_as_many_as_they_are():
    twice = [leg(f"{name}{n}", 0, amount) for n in (1, 2) for name, amount in TWIN]
    fills = [fill(f"{n}", 0, "buy 1 BTC for 5 USDT") for n in (1, 2)]
    assert said(*twice, *fills) == ["buy 1 BTC for 5 USDT"] * 2
    assert said(*twice, fills[0]) == ["buy 1 BTC for 5 USDT"] * 2
    assert said(*twice) == ["buy 2 BTC for 10 USDT"]


TWIN = [("a", "1 BTC"), ("b", "-5 USDT")]


def test_legs_may_be_a_second_late():
    late = [leg("a", 0, "1 BTC"), leg("b", 1, "-5 USDT"), fee("c", 1, "0.1 BNB")]
    one = "buy 1 BTC for 5 USDT fee 0.1 BNB"
    assert said(*late) == [one]
    assert said(*late, fill("1", 0, "buy 1 BTC for 5 USDT", "0.1 BNB")) == [one]


def test_a_charge_alone_belongs_to_the_second_beside_it():
    trade = [leg("a", 5, "1 BTC"), leg("b", 5, "-5 USDT")]
    one = ["buy 1 BTC for 5 USDT fee 0.1 BNB"]
    assert said(*trade, fee("c", 6, "0.1 BNB")) == one
    assert said(*trade, fee("c", 4, "0.1 BNB")) == one
    assert said(*trade, fee("c", 7, "0.1 BNB")) == [
        "buy 1 BTC for 5 USDT",
        "unpaired 0 BNB fee 0.1 BNB unpaired",
    ]


def test_whole_seconds_beside_each_other_are_two_trades():
    rows = [leg("a", 0, "1 BTC"), leg("b", 0, "-5 USDT"), leg("c", 1, "1 BTC")]
    assert said(*rows, leg("d", 1, "-6 USDT")) == ["buy 1 BTC for 5 USDT", "buy 1 BTC for 6 USDT"]


def test_a_run_of_equal_late_trades_finds_its_rows():
    rows = [leg(f"{name}{n}", n, amount) for n in range(1, 5) for name, amount in TWIN]
    fills = [fill(f"{n}", n - 1, "buy 1 BTC for 5 USDT") for n in range(1, 5)]
    assert said(*rows, *fills) == ["buy 1 BTC for 5 USDT"] * 4


def test_a_leg_too_many_is_marked():
    assert said(*ONE, leg("d", 0, "0.006 BTC")) == [
        "buy 0.010 BTC for 240 USDT fee 0.0003 BNB unpaired"
    ]


def test_legs_of_one_direction_are_unpaired():
    assert said(leg("a", 0, "1 BTC"), leg("b", 9, "-5 USDT")) == [
        "unpaired -5 USDT unpaired",
        "unpaired 1 BTC unpaired",
    ]


def test_buying_and_selling_in_one_second_are_two_and_how_they_share_is_assumed():
    rows = [
        *[leg("a", 0, "1 BTC"), leg("b", 0, "-5 USDT"), fee("c", 0, "0.01 BTC")],
        *[leg("d", 0, "-2 BTC"), leg("e", 0, "12 USDT"), fee("f", 0, "0.02 USDT")],
        fee("g", 0, "0.1 BNB"),
    ]
    assert said(*rows) == [
        "buy 1 BTC for 5 USDT fee 0.01 BTC fee 0.1 BNB assumed_split",
        "sell 2 BTC for 12 USDT fee 0.02 USDT assumed_split",
    ]


def test_several_pairs_of_one_second_are_exchanged_as_a_whole():
    rows = [leg("a", 0, "1 BTC"), leg("b", 0, "2 ETH")]
    rows += [leg("c", 0, "-5 USDT"), leg("d", 0, "-6 USDT")]
    assert said(*rows) == ["11 USDT into 1 BTC + 2 ETH assumed_split"]


def test_what_comes_and_goes_of_one_asset_is_no_trade():
    assert said(leg("a", 0, "1 BTC"), leg("b", 0, "-1 BTC")) == [
        "unpaired -1 BTC unpaired",
        "unpaired 1 BTC unpaired",
    ]


def test_of_a_fill_with_some_rows_the_rest_is_the_trade_histories_word():
    assert said(ONE[1], ONE_FILL) == ["buy 0.00400 BTC for 240 USDT fee 0.00030 BNB provisional"]
    assert said(ONE[2], ONE_FILL) == ["buy 0.00400 BTC for 240.0 USDT fee 0.0003 BNB provisional"]


def test_where_amounts_disagree_the_ledger_decides_and_the_name_stays():
    rounded = fill("1", 0, "buy 0.004 BTC for 240.000001 USDT", "0.0003 BNB")
    (only,) = facts(*ONE, rounded)
    assert told(only) == "buy 0.004 BTC for 240 USDT fee 0.0003 BNB"
    assert (only.id, only.rows) == ("k:1", ("k:a", "k:b", "k:c"))


def test_a_ledger_that_adds_trades_up_is_not_counted_beside_them():
    rows = [leg("a", 0, "0.010 BTC"), leg("b", 0, "-601 USDT"), fee("c", 0, "0.0008 BNB")]
    assert said(*rows, ONE_FILL, TWO_FILL) == ["buy 0.010 BTC for 601 USDT fee 0.0008 BNB"]


def test_a_fill_of_another_pair_is_not_touched_by_what_is_left():
    other = fill("3", 0, "buy 1 ETH for 7 USDT")
    assert said(*ONE, other) == [
        "buy 0.004 BTC for 240 USDT fee 0.0003 BNB",
        "buy 1 ETH for 7 USDT provisional",
    ]


def test_a_disagreement_without_the_other_side_decides_nothing():
    assert said(leg("a", 0, "0.005 BTC"), ONE_FILL) == [
        "buy 0.00400 BTC for 240.0 USDT fee 0.00030 BNB provisional",
        "unpaired 0.005 BTC unpaired",
    ]


def test_a_leg_that_rounded_to_nothing_may_be_left_out():
    dust = fill("1", 0, "buy 0.001 BTC for 0 USDT")
    assert said(leg("a", 0, "0.001 BTC"), dust) == ["buy 0.001 BTC for 0 USDT"]
    nothing = fill("1", 0, "buy 0 BTC for 0 USDT")
    assert said(nothing, *ONE) == [
        "buy 0 BTC for 0 USDT provisional",
        "buy 0.004 BTC for 240 USDT fee 0.0003 BNB",
    ]


def test_a_trade_in_another_pocket_moves_what_it_brought_there():
    rows = [leg("a", 0, "1 BTC", more='pocket="cross margin"')]
    rows += [leg("b", 0, "-5 USDT", more='pocket="cross margin"')]
    rows += [fee("c", 0, "0.1 BNB", more='pocket="cross margin"')]
    assert said(*rows) == [
        "0.1 BNB from cross margin to main",
        "1 BTC from main to cross margin",
        "5 USDT from cross margin to main",
        "buy 1 BTC for 5 USDT fee 0.1 BNB",
    ]
    book = landed(rows).book
    assert {key[1:]: value for key, value in book.pockets.items()} == {
        ("BNB", "cross margin"): Decimal("-0.1"),
        ("BTC", "cross margin"): Decimal(1),
        ("USDT", "cross margin"): Decimal(-5),
    }


def test_swaps_of_a_second_are_one_conversion():
    rows = [leg("a", 0, "-3 XRP", "swap"), leg("b", 0, "-4 ADA", "swap")]
    rows += [leg("c", 1, "1 BNB", "swap")]
    assert said(*rows) == ["3 XRP + 4 ADA into 1 BNB"]
    assert said(*rows[:2]) == ["unpaired -3 XRP unpaired", "unpaired -4 ADA unpaired"]


def test_swaps_in_pockets_go_out_of_theirs():
    rows = [leg("a", 0, "-50 USDT", "swap", "pocket=funding"), leg("b", 0, "1 ETH", "swap")]
    assert said(*rows) == ["50 USDT from funding to main", "50 USDT into 1 ETH"]
    assert said(leg("c", 0, "0 ETH", "swap", "pocket=funding"), *rows[:1]) == [
        "unpaired -50 USDT unpaired",
        "unpaired 0 ETH unpaired",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [ONE_FILL, TWO_FILL, *ONE[:2], *TWO[1:]],
        [*ONE, leg("d", 1, "0.006 BTC"), leg("e", 1, "-5 ETH"), ONE_FILL],
    ],
)
def test_however_they_come_the_book_is_the_same(lines):
    digests = {
        projection.digest(landed(*([each] for each in order)).book)
        for order in list(permutations(lines))[::7]
    }
    assert len(digests) == 1


PAIRS = (("BTC", "USDT"), ("ETH", "USDT"), ("ETH", "BTC"))


@st.composite
def histories(draw):
    """True trades, what a ledger says of them (its legs up to a second late), and their fills."""
    rows, fills = [], []
    for number in range(draw(st.integers(1, 7))):
        second, pair = draw(st.integers(0, 6)), draw(st.sampled_from(PAIRS))
        base, amount = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        charged = draw(st.sampled_from(["", "1 BNB", f"1 {pair[0]}"]))
        is_buy = draw(st.booleans())
        sign = 1 if is_buy else -1
        moves = [f"{sign * base} {pair[0]}", f"{-sign * amount} {pair[1]}"]
        late = [draw(st.integers(0, 1)) for _ in range(3)]
        rows += [leg(f"{number}{n}", second + late[n], move) for n, move in enumerate(moves)]
        if charged:
            rows.append(fee(f"{number}f", second + late[2], charged))
        traded = f"{'buy' if is_buy else 'sell'} {base} {pair[0]} for {amount} {pair[1]}"
        fills.append(fill(f"x{number}", second, traded, charged))
    return rows, fills


def summed(moves):
    sums: dict[str, Decimal] = {}
    for asset, change in moves:
        sums[asset] = sums.get(asset, 0) + change
    return {asset: total for asset, total in sums.items() if total}


def charges(of):
    return [(each.asset, each.amount) for each in of.fees]


def booked(*lines):
    """What moved in all, without the openings."""
    return summed((place[1], change) for fact in facts(*lines) for place, change in deltas(fact))


@given(histories(), st.randoms())
def test_with_any_part_of_the_trade_history_the_ledger_is_what_moved(history, random):
    rows, fills = history
    legs = [row for row in golden.read(rows) if isinstance(row, Movement)]
    right = summed((row.asset, row.amount - row.fee) for row in legs)
    known = random.sample(fills, random.randint(0, len(fills)))
    made = facts(*rows, *known)
    assert booked(*rows, *known) == right
    names = {fact.id: fact for fact in made}
    for said_of in golden.read(known):
        fact = names[said_of.id]
        assert Flag.PROVISIONAL not in fact.flags
        for field in ("side", "quantity", "amount"):
            assert getattr(fact, field) == getattr(said_of, field)
        assert charges(fact) == charges(said_of)


@settings(max_examples=60)
@given(histories(), st.randoms(), st.booleans())
def test_in_any_order_and_parts_it_is_one_book(history, random, is_whole):
    rows, fills = history
    kept = rows if is_whole else random.sample(rows, len(rows) * 2 // 3)
    lines = [*kept, *fills]
    right = projection.digest(landed(lines).book)
    random.shuffle(lines)
    cut = random.randint(0, len(lines))
    assert projection.digest(landed(lines[:cut], lines[cut:], lines[:1]).book) == right


@given(histories(), st.randoms())
def test_no_row_is_lost_or_counted_twice(history, random):
    rows, fills = history
    kept = random.sample(rows, random.randint(1, len(rows)))
    listed = [
        row for fact in facts(*kept, *fills) if not isinstance(fact, Transfer) for row in fact.rows
    ]
    assert sorted(listed) == sorted(row.id for row in golden.read(kept))
