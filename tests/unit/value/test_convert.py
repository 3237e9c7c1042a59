"""Conversion: which path is taken, that it is exact, and what is said where there is none."""

from decimal import localcontext
from fractions import Fraction
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import MissingMark, NoRatePath
from bursar.value import convert as module
from bursar.value.convert import Missing, Path, Reason, rate
from bursar.value.marks import Mark, Marks, Standing, fee_credit
from tests.unit.value.books import NOW, D, loose, marks

find_path, convert = loose(module.find_path), loose(module.convert)

USD = frozenset({"USD", "USDT", "USDC"})


def test_the_direct_mark_is_taken():
    path = find_path("XBT", "USD", marks=marks(XBT_USD="50000", XBT_EUR="45000", EUR_USD="1.1"))
    assert str(path) == "XBT → USD"
    assert path.pair == "XBT/USD"
    assert path.rate == 50000


def test_the_inverse_is_divided_by_and_rounded_once():
    path = find_path("USD", "XBT", marks=marks(XBT_USD="3"))
    assert path.steps[0].is_inverse
    assert path.rate == D("0.333333333333333333")
    assert convert(D(3), path) == 1
    assert convert(D(2), path) == D("0.666666666666666667")


def test_a_cross_is_shown_step_by_step():
    path = find_path("ATOM", "EUR", marks=marks(ATOM_XBT="0.0002", XBT_EUR="50000"))
    assert str(path) == "ATOM → XBT → EUR"
    assert path.pair == "ATOM/XBT → XBT/EUR"
    assert [mark.price for mark in path.marks] == [D("0.0002"), D(50000)]
    assert convert(D("1.5"), path) == 15


def test_a_cross_may_turn_marks_round():
    path = find_path("ATOM", "EUR", marks=marks(XBT_ATOM="4", EUR_XBT="0.5"))
    assert convert(D(1), path) == D("0.5")


def test_what_is_given_goes_before_a_venue_and_that_before_a_trade_over_any_steps():
    trade = Mark("ATOM", "USD", D(1), "last trade", NOW, Standing.TRADE)
    venue = [Mark("ATOM", "USDT", D(2), "binance mid", NOW)]
    told = [
        Mark("ATOM", "EUR", D(3), "given", NOW, Standing.GIVEN),
        Mark("EUR", "USD", D(4), "given", NOW, Standing.GIVEN),
    ]
    known = Marks([trade])
    for more, rate_now in ((venue, 2), (told[:1], 2), (told[1:], 12)):
        known = known.plus(more)
        assert rate("ATOM", "USD", marks=known, cash=USD) == rate_now
    assert rate("ATOM", "USD", marks=Marks([trade, *told[:1]]), cash=USD) == 1


def test_of_equal_paths_the_first_by_name_is_taken_whatever_the_order():
    prices = {"ATOM_XBT": "1", "ATOM_ETH": "2", "ETH_EUR": "3", "XBT_EUR": "4"}
    turned = dict(reversed(prices.items()))
    for chosen in (prices, turned):
        assert str(find_path("ATOM", "EUR", marks=marks(**chosen))) == "ATOM → ETH → EUR"


def test_pegs_are_worth_each_other_and_their_own_marks_are_not_used():
    known = marks(USDT_USD="0.9", XBT_USDT="50000")
    assert find_path("USDT", "USD", marks=known, cash=USD).rate == 1
    path = find_path("XBT", "USD", marks=known, cash=USD)
    assert str(path) == "XBT → USDT → USD"
    assert path.pair == "XBT/USDT"
    assert path.rate == 50000
    assert find_path("USDC", "USDT", marks=Marks(), cash=USD).rate == 1


def test_a_price_in_a_peg_is_nearer_than_a_cross():
    known = marks(XBT_USDT="50000", XBT_EUR="40000", EUR_USD="2")
    assert find_path("XBT", "USD", marks=known, cash=USD).rate == 50000


def test_names_of_one_asset_are_worth_one_another():
    path = find_path("BTC", "XBT", marks=Marks())
    assert (path.rate, path.pair, str(path)) == (1, None, "BTC")
    assert str(find_path("BTC", "USD", marks=marks(XBT_USD="5"))) == "BTC → USD"
    assert str(find_path("USD", "BTC", marks=marks(XBT_USD="5"))) == "USD → BTC"


def test_a_valuation_pair_decides_the_first_step():
    known = marks(ATOM_USD="9", ATOM_XBT="0.0002", XBT_USD="50000")
    path = find_path("ATOM", "USD", marks=known, pairs={"ATOM": "ATOMXBT"})
    assert str(path) == "ATOM → XBT → USD"
    assert path.rate == 10


def test_a_valuation_pair_may_be_named_for_an_alias_and_go_backwards():
    known = marks(USD_XBT="0.00002")
    path = find_path("BTC", "USD", marks=known, pairs={"BTC": "USD/XBT"})
    assert path.rate == 50000


def test_a_valuation_pair_of_another_asset_lends_its_price():
    path = find_path("WBTC", "USD", marks=marks(XBT_USD="50000"), pairs={"WBTC": "XBTUSD"})
    assert str(path) == "WBTC → USD"
    assert path.pair == "XBT/USD"
    assert path.rate == 50000


def test_a_valuation_pair_without_a_mark_is_missing_though_another_way_exists():
    known = marks(ATOM_USD="9")
    missing = find_path("ATOM", "USD", marks=known, pairs={"ATOM": "ATOM/XBT"})
    assert missing == Missing("ATOM", Reason.NO_PAIR, "ATOM/XBT")
    zero = Marks([fee_credit("USD", "KFEE", at=NOW)])
    assert find_path("KFEE", "USD", marks=zero, pairs={"KFEE": "USD/KFEE"}).reason is Reason.NO_PAIR


def test_a_valuation_pair_that_leads_nowhere_is_no_path():
    known = marks(ATOM_XBT="0.0002")
    missing = find_path("ATOM", "USD", marks=known, pairs={"ATOM": "ATOM/XBT"})
    assert missing == Missing("ATOM", Reason.NO_PATH, "USD")


def test_a_valuation_pair_of_cash_or_of_the_quote_is_not_looked_at():
    pairs = {"USDT": "USDT/EUR", "USD": "USD/EUR"}
    assert find_path("USDT", "USD", marks=Marks(), cash=USD, pairs=pairs).rate == 1
    assert find_path("USD", "USD", marks=Marks(), pairs=pairs).rate == 1


def test_what_is_missing_says_why():
    known = marks(XBT_EUR="50000")
    assert find_path("ADA", "EUR", marks=known) == Missing("ADA", Reason.NO_MARK, "EUR")
    assert str(find_path("XBT", "USD", marks=known)) == "XBT: no path (USD)"
    assert find_path("USD", "XBT", marks=known, cash=USD).reason is Reason.NO_PATH


def test_a_path_has_at_most_three_marks():
    prices = {"A_B": "1", "B_C": "1", "C_D": "1", "D_E": "1"}
    assert isinstance(find_path("A", "D", marks=marks(**prices)), Path)
    assert find_path("A", "E", marks=marks(**prices)).reason is Reason.NO_PATH


def test_prices_of_too_many_digits_are_no_path():
    wide = "12345678901234567890.123456789012345678"
    known = marks(A_B=wide, B_C=wide, C_D=wide)
    assert isinstance(find_path("A", "C", marks=known), Path)
    assert "too many digits" in str(find_path("A", "D", marks=known))


def test_nothing_leads_out_of_zero():
    known = Marks([fee_credit("KFEE", "USD", at=NOW), Mark("XBT", "KFEE", D(3), "x", NOW)])
    assert find_path("KFEE", "USD", marks=known).rate == 0
    assert find_path("USD", "XBT", marks=known).reason is Reason.NO_PATH


def test_rate_raises_for_those_who_want_an_error():
    known = marks(XBT_EUR="50000")
    assert rate("XBT", "EUR", marks=known) == 50000
    with pytest.raises(MissingMark, match="ADA/EUR=PRICE"):
        rate("ADA", "EUR", marks=known)
    with pytest.raises(MissingMark, match="valuation pair"):
        rate("XBT", "EUR", marks=known, pairs={"XBT": "XBT/USD"})
    with pytest.raises(NoRatePath):
        rate("XBT", "USD", marks=known)


def test_a_conversion_does_not_touch_the_callers_context():
    with localcontext() as context:
        context.prec = 3
        path = find_path("XBT", "USD", marks=marks(XBT_USD="50000.123456"))
        assert str(convert(D("1.00000001"), path)) == "50000.12395600123456"
        assert str(path.rate) == "50000.123456"


PRICES = st.decimals("0.000001", "999999", places=6)


@given(st.decimals(-(10**12), 10**12, places=18), PRICES, PRICES, PRICES)
def test_a_conversion_is_the_exact_product_rounded_once(amount, first, second, third):
    path = find_path("A", "D", marks=marks(A_B=first, C_B=second, C_D=third))
    exact = Fraction(amount) * Fraction(first) / Fraction(second) * Fraction(third)
    assert Fraction(convert(amount, path)) == Fraction(round(exact * 10**18), 10**18)


NAMES = "ABCDE"
FACE = frozenset("AB")


STANDINGS = st.sampled_from(Standing)


@given(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), STANDINGS), max_size=7))
def test_the_path_is_the_best_of_all_there_are(told):
    known = Marks(Mark(asset, quote, D(2), "x", NOW, standing) for asset, quote, standing in told)

    def cost(names):
        steps = list(pairwise(names))
        paid = [step for step in steps if not FACE.issuperset(step)]
        over = [mark for step in paid if (mark := known.between(*step)) is not None]
        if len(over) < len(paid):
            return None
        least = min((mark.standing for mark in over), default=Standing.GIVEN)
        return -least, len(over), len(steps), names

    for start, goal in permutations(NAMES, 2):
        between = [name for name in NAMES if name not in (start, goal)]
        chains = [
            (start, *middle, goal) for size in range(4) for middle in permutations(between, size)
        ]
        costs = [found for chain in chains if (found := cost(chain)) and found[1] <= 3]
        path = find_path(start, goal, marks=known, cash=FACE)
        found = None if isinstance(path, Missing) else (start, *(s.quote for s in path.steps))
        assert found == (min(costs)[3] if costs else None)
