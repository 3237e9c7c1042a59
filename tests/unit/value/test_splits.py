"""A price from before a split is of other units than those that are held now."""

from decimal import Decimal

import pytest

from bursar.ledger import instant
from bursar.ledger.entries import Split
from bursar.value.marks import Mark, Standing
from bursar.value.splits import restated

D = Decimal
DAY = instant.parse("2026-01-05T00:00:00Z")
HOUR = 3600 * instant.SECOND


def split(new, old, *, asset="ACME", account="a:main", at=DAY + HOUR):
    return Split(
        id=f"{account}:{asset}:{at}:{new}",
        executed_at=at,
        account=account,
        asset=asset,
        numerator=D(new),
        denominator=D(old),
    )


def mark(price, at, asset="ACME", quote="USD"):
    return Mark(asset, quote, D(price), "last trade", at, Standing.TRADE)


def prices(told, *splits):
    return [each.price for each in restated([told], splits)]


def test_a_price_from_before_is_divided_by_what_a_unit_became_and_says_so():
    (found,) = restated([mark("100", DAY - HOUR)], [split(4, 1)])
    assert (found.price, found.stated) == (D(25), D(100))
    assert (found.at, found.split_at) == (DAY - HOUR, DAY + HOUR)


def test_a_price_of_the_split_or_later_is_the_same_object():
    for at in (DAY + HOUR, DAY + 2 * HOUR):
        told = mark("100", at)
        assert restated([told], [split(4, 1)])[0] is told


def test_a_price_of_another_asset_is_the_same_object():
    told = mark("100", DAY - HOUR, asset="OTHER")
    assert restated([told], [split(4, 1)])[0] is told


def test_splits_follow_each_other():
    later = split(1, 10, at=DAY + 5 * HOUR)
    assert prices(mark("100", DAY - HOUR), split(4, 1), later) == [250]
    assert prices(mark("25", DAY + 2 * HOUR), split(4, 1), later) == [250]


def test_a_third_is_rounded_once():
    assert prices(mark("100", DAY - HOUR), split(3, 1)) == [D("33.333333333333333333")]


def test_a_price_in_what_was_split_grows():
    assert prices(mark("2", DAY - HOUR, "OTHER", "ACME"), split(4, 1)) == [8]


def test_a_split_counts_under_every_name():
    assert prices(mark("100", DAY - HOUR, "BTC"), split(4, 1, asset="XBT")) == [25]


def test_what_several_accounts_tell_is_one_split():
    both = split(4, 1), split(4, 1, account="b:main", at=DAY + 2 * HOUR)
    assert prices(mark("100", DAY - HOUR), *both) == [25]
    told_by_all = split(4, 1, account="*")
    assert prices(mark("100", DAY - HOUR), told_by_all) == [25]


def test_where_accounts_disagree_no_price_is_known():
    both = split(4, 1), split(2, 1, account="b:main")
    assert prices(mark("100", DAY - HOUR), *both) == []


def test_a_price_between_what_two_accounts_tell_of_one_split_is_not_known():
    both = split(4, 1), split(4, 1, account="b:main", at=DAY + 20 * HOUR)
    assert prices(mark("25", DAY + 2 * HOUR), *both) == []
    assert prices(mark("25", DAY + 20 * HOUR), *both) == [25]
    assert prices(mark("2", DAY + 2 * HOUR, "OTHER", "ACME"), *both) == []


def test_splits_of_two_accounts_a_month_apart_are_two():
    both = split(4, 1), split(2, 1, account="b:main", at=DAY + 40 * 24 * HOUR)
    assert prices(mark("30", DAY + 2 * HOUR), *both) == [15]


def test_accounts_whose_units_were_rounded_agree_and_the_largest_says_it_best():
    both = split("3.333333333", 10), split("0.666666667", 2, account="b:main")
    assert prices(mark("100", DAY - HOUR), *both) == [D("300.000000030000000003")]
    assert prices(mark("100", DAY - HOUR), split(1, 3), split("0.34", 1, account="b:main")) == []


def test_a_split_of_all_counts_with_each_accounts_own():
    both = split(4, 1), split(2, 1, account="*", at=DAY + 2 * HOUR)
    assert prices(mark("100", DAY - HOUR), *both) == [D("12.5")]


def test_a_price_of_the_day_of_a_split_that_came_later_in_it_is_not_known():
    assert prices(mark("100", DAY), split(4, 1)) == []
    assert prices(mark("100", DAY), split(4, 1, at=DAY)) == [100]


def test_a_price_that_rounds_to_nothing_is_not_known():
    assert prices(mark("0.000000000000000001", DAY - HOUR), split(4, 1)) == []


LATER = split(2, 1, at=DAY + 9 * HOUR)


@pytest.mark.parametrize("again", [(), (split(4, 1),), (split(4, 1), LATER)])
def test_twice_is_once(again):
    told = mark("100", DAY - HOUR)
    once = restated([told], [split(4, 1)])
    assert restated(once, again) == restated([told], again)
