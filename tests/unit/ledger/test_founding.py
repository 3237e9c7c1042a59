"""A rename takes along what may have been there: it makes no coins, and leaves none behind."""

from decimal import Decimal
from itertools import permutations

import pytest

from bursar.ledger import openings
from bursar.ledger.cutting import checkpoint_behind
from bursar.ledger.entries import Source
from bursar.ledger.planning import planned
from bursar.ledger.terms import Scope, Terms
from bursar.ledger.timeline import Timeline
from tests.unit.ledger.samples import HOUR, MAIN, OTHER, START, Pen, landed

D = Decimal
SCOPES = pytest.mark.parametrize("scope", list(Scope))


def claim(pen, held, asset, **named):
    return pen.row("adjustment", 0, asset, balance=D(held), source=Source.CLAIM, **named)


def opened(line):
    """Asset → [(quantity, when)] of the openings, in hours."""
    found: dict = {}
    for fact in line:
        if openings.is_opening(fact):
            hours = round(D(fact.executed_at - START) / HOUR)
            found.setdefault(fact.asset, []).append((fact.amount, hours))
    return found


def there(line, account=MAIN):
    """Asset → quantity, of what is not zero."""
    held = {asset: line.book.owned(account, asset) for _, asset in line.book.holdings}
    return {asset: quantity for asset, quantity in held.items() if quantity and asset != "USD"}


def landed_in_any_order(facts, under=None):
    """The timeline of the facts, which their order of arrival does not change."""
    line = landed(facts, under=under)
    for told in permutations(facts):
        other = landed(*([fact] for fact in told), under=under)
        assert list(other) == list(line)
        assert other.book.holdings == line.book.holdings
        assert other.prefixes.walked() == line.prefixes.walked()
    return line


@SCOPES
def test_what_is_sold_under_a_name_that_went_is_owed(scope):
    pen = Pen()
    facts = [
        pen.buy(4, "ACME", 4),
        pen.split("ACME", 2, 1),
        pen.rename("ACME", "NEWC"),
        pen.sell(6, "ACME", 6),
    ]
    line = landed_in_any_order(facts, under=Terms(scope=scope))
    assert opened(line) == {}
    assert there(line) == {"NEWC": 8, "ACME": -6}
    place = line.book.place(MAIN, "ACME")
    assert [lot.quantity for lot in line.book.holdings[place].owed] == [6]


@SCOPES
@pytest.mark.parametrize("account", [MAIN, "*"])
def test_what_was_sold_before_is_opened_and_what_is_left_of_it_goes_along(account, scope):
    pen = Pen()
    facts = [
        pen.sell(4, "ACME", 4),
        pen.rename("ACME", "NEWC", account=account),
        pen.buy(1, "ACME", 1),
        pen.sell(3, "ACME", 3),
    ]
    line = landed_in_any_order(facts, under=Terms(scope=scope))
    assert opened(line) == {"ACME": [(4, 1)]}
    assert there(line) == {"ACME": -2}


def test_a_name_that_all_accounts_lost_is_gone_where_it_was_never_held():
    pen = Pen()
    first = pen.buy(1, "XBT", 1, account=OTHER)
    facts = [first, pen.rename("ACME", "NEWC", account="*"), pen.sell(6, "ACME", 6, account=OTHER)]
    line = landed(facts)
    assert opened(line) == {}
    assert there(line, OTHER) == {"XBT": 1, "ACME": -6}
    late = pen.sell(6, "ACME", 6, account=MAIN)  # began after the rename: it was there before
    assert opened(landed(facts, [late])) == {"ACME": [(6, 4)]}


def test_an_account_that_begins_in_the_instant_of_a_rename_or_a_split_has_it_behind_its_opening():
    at = START + HOUR
    pen = Pen()
    renamed = pen.rename("ACME", "NEWC", account="*", executed_at=at)
    facts = [renamed, pen.sell(6, "ACME", 6, executed_at=at)]
    assert there(landed_in_any_order(facts)) == {"ACME": -6}
    split = pen.split("ACME", 2, 1, account="*", executed_at=at)
    line = landed_in_any_order([split, pen.sell(6, "ACME", 6, executed_at=at)])
    assert opened(line) == {"ACME": [(3, 1)]}
    assert there(line) == {}


def test_a_part_that_was_renamed_leaves_the_rest_and_its_opening():
    pen = Pen()
    renamed = pen.rename("ACME", "NEWC")
    part = type(renamed)(
        id="k:part",
        account=MAIN,
        executed_at=renamed.executed_at,
        asset="ACME",
        to_asset="NEWC",
        quantity=D(3),
    )
    line = landed_in_any_order([pen.buy(4, "ACME", 4), part, pen.sell(6, "ACME", 6)])
    assert opened(line) == {"ACME": [(5, 1)]}
    assert there(line) == {"NEWC": 3}


def test_a_name_that_came_back_is_opened_as_if_it_had_never_gone():
    pen = Pen()
    facts = [
        pen.buy(4, "ACME", 4),
        pen.rename("ACME", "NEWC"),
        pen.split("NEWC", 2, 1),
        pen.rename("NEWC", "ACME"),
        pen.sell(10, "ACME", 6),
    ]
    line = landed_in_any_order(facts)
    assert opened(line) == {"ACME": [(1, 1)]}
    assert there(line) == {}


def test_a_name_into_which_another_was_renamed_is_opened_under_that_one():
    pen = Pen()
    facts = [
        pen.buy(2, "A", 1),
        pen.buy(1, "C", 1),
        pen.rename("A", "B"),
        pen.rename("C", "A"),
        pen.sell(3, "A", 6),
    ]
    line = landed_in_any_order(facts)
    assert opened(line) == {"C": [(2, 1)]}
    assert there(line) == {"B": 2}


def test_what_two_names_were_opened_with_counts_under_the_one_they_came_to():
    pen = Pen()
    facts = [
        pen.sell(1, "OLD", 1),
        pen.sell(2, "NEW", 2),
        pen.split("OLD", 3, 1),
        pen.rename("OLD", "NEW"),
        pen.buy(4, "NEW", 4),
        pen.sell(5, "NEW", 5),
    ]
    line = landed(facts)
    assert opened(line) == {"OLD": [(1, 1)], "NEW": [(3, 1)]}
    assert there(line) == {}


@pytest.mark.parametrize("is_claim", [False, True])
@pytest.mark.parametrize("is_known", [False, True])
def test_what_a_balance_says_was_there_goes_along(is_claim, is_known):
    pen = Pen()
    told = claim(pen, 9, "ACME") if is_claim else pen.row("deposit", 1, "ACME", balance=D(10))
    facts = [told]
    facts += [pen.buy(1, "NEWC", 1)] if is_known else []
    facts += [pen.rename("ACME", "NEWC"), pen.sell(8, "NEWC", 8)]
    line = landed_in_any_order(facts)
    assert opened(line) == {"ACME": [(9, 1)]}
    assert there(line) == {"NEWC": 9 - 8 + (not is_claim) + is_known}
    line = landed_in_any_order([*facts, pen.sell(4, "NEWC", 4)])
    more = 3 - (not is_claim) - is_known
    assert opened(line) == {"ACME": [(9, 1)]} | ({"NEWC": [(D(more), 1)]} if more else {})
    assert there(line) == {}


def test_what_a_balance_says_was_there_of_a_name_that_went_is_opened_behind_the_rename():
    pen = Pen()
    facts = [
        pen.buy(2, "ACME", 2),
        pen.rename("ACME", "NEWC"),
        pen.sell(1, "ACME", 1),
        pen.split("ACME", 5, 1),
        claimed := claim(pen, 10, "ACME"),
    ]
    line = landed_in_any_order(facts)
    assert opened(line) == {"ACME": [(3, 2)]}
    assert there(line) == {"NEWC": 2, "ACME": 10}
    on = landed(facts, [pen.rename("ACME", "NEWC"), pen.sell(12, "NEWC", 12)])
    assert opened(on) == {"ACME": [(3, 2)]}
    assert there(on) == {}
    gone = landed(facts, [pen.reversal(claimed.id, void=True)])
    assert opened(gone) == {}


def test_what_a_balance_says_was_there_is_opened_where_nothing_else_was_sold_of_it():
    pen = Pen()
    facts = [
        pen.rename("B", "C"),
        pen.rename("C", "A"),
        pen.sell(6, "B", 6),
        pen.rename("B", "C"),
        claim(pen, 13, "C"),
    ]
    line = landed_in_any_order(facts)
    assert opened(line) == {"C": [(19, 2)]}  # the 6 that are owed went along
    assert there(line) == {"C": 13}


def test_a_first_balance_under_the_new_name_counts_what_came_under_the_old_one():
    pen = Pen()
    facts = [pen.sell(3, "ACME", 3), pen.rename("ACME", "NEWC"), pen.buy(1, "NEWC", 1)]
    facts.append(pen.row("withdrawal", -2, "NEWC", balance=D(4)))
    line = landed_in_any_order(facts)
    assert opened(line) == {"ACME": [(3, 1)], "NEWC": [(5, 1)]}
    assert there(line) == {"NEWC": 4}


def test_a_pocket_goes_along_with_what_lay_in_it():
    pen = Pen()
    stated = pen.row("opening", 0, "ACME", balance=D(5), pocket="futures")
    renamed = pen.rename("ACME", "NEWC")
    more = pen.row("opening", 0, "ACME", balance=D(2), pocket="futures", account=OTHER)
    line = landed_in_any_order([stated, renamed, pen.sell(5, "NEWC", 5), more])
    assert opened(line) == {"ACME": [(5, 1), (2, 3)]}
    assert there(line) == {}


def test_what_came_from_out_of_sight_is_opened_under_the_name_it_had():
    pen = Pen()

    def came(amount, asset):
        return pen.row("internal", amount, asset, pocket="main", label="transfer/spotfromfutures")

    facts = [came(3, "ACME"), pen.rename("ACME", "NEWC"), came(2, "NEWC"), pen.sell(5, "NEWC", 5)]
    line = landed_in_any_order(facts)
    assert sum(quantity for each in opened(line).values() for quantity, _ in each) == 5
    assert there(line) == {}
    line = landed([*facts, came(1, "ACME")])
    assert sum(quantity for each in opened(line).values() for quantity, _ in each) == 5


def test_an_early_fact_that_comes_late_is_followed_through_the_rename():
    pen = Pen()
    early = pen.buy(5, "ACME", 5)
    facts = [pen.sell(3, "ACME", 3), pen.rename("ACME", "NEWC"), pen.sell(1, "ACME", 1)]
    line = landed(facts)
    assert opened(line) == {"ACME": [(3, 2)]}
    line.land(planned(line, [early]))
    assert opened(line) == {}
    assert there(line) == {"NEWC": 2, "ACME": -1}


def test_a_checkpoint_knows_which_names_went(monkeypatch):
    pen = Pen()
    facts = [pen.buy(4, "ACME", 4), pen.rename("ACME", "NEWC"), pen.sell(1, "ACME", 1)]
    line = landed(*([fact] for fact in facts))
    monkeypatch.setattr("bursar.ledger.copies.SPACING", 1)
    line = landed(*([fact] for fact in facts))
    start = checkpoint_behind(line, 1)
    assert start is not None
    on = Timeline(line.terms, start)
    on.land(planned(on, facts[start.facts :]))
    sold = pen.sell(2, "ACME", 2)
    for each in (on, line):
        each.land(planned(each, [sold]))
    assert on.openings == line.openings == {}
    assert there(on) == there(line) == {"NEWC": 4, "ACME": -3}
