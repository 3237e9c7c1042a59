"""No statement may say what no fact can be; each refusal names the entry and the field."""

from decimal import Decimal

import msgspec
import pytest

from bursar.errors import BadChoice, OutOfBounds
from bursar.ledger import door
from bursar.ledger.entries import SleeveTransfer
from tests.unit.ledger.samples import MAIN, START, Pen, landed

D = Decimal
pen = Pen()


def sleeve(amount):
    return SleeveTransfer(
        id="s",
        executed_at=START,
        account=MAIN,
        from_strategy="a",
        to_strategy="b",
        amount=D(amount),
    )


@pytest.mark.parametrize(
    "entry, field",
    [
        (pen.buy(-1, "XBT", 1), "quantity"),
        (pen.buy(1, "XBT", -1), "amount"),
        (pen.buy(1, "XBT", 1, price=D(-1)), "price"),
        (pen.margin("buy", -1, 1), "quantity"),
        (pen.move(0, "XBT"), "quantity"),
        (sleeve(-1), "amount"),
        (msgspec.structs.replace(sleeve(1), executed_at=2**63), "executed_at"),
        (msgspec.structs.replace(sleeve(1), executed_at=-(2**63)), "executed_at"),
        (pen.price("XBT", "USD", -1), "value"),
        (pen.rename("A", "B", quantity=D(0)), "quantity"),
        (pen.split("A", 0, 1), "numerator"),
        (pen.split("A", 1, 0), "denominator"),
        (pen.convert([(0, "A")], [(1, "B")]), "given A"),
        (pen.convert([(1, "A")], [(-1, "B")]), "taken B"),
        (pen.staged(lines=[("A", 1, -1)]), "price A"),
        (pen.staged(lots=[("add", "A", "l", -1, 1)]), "lot l"),
        (pen.staged(lots=[("add", "A", "l", 1, -1)]), "cost l"),
    ],
)
def test_a_number_outside_its_domain_is_refused(entry, field):
    with pytest.raises(OutOfBounds, match=entry.id) as caught:
        landed([entry])
    assert caught.value.context["field"] == field


@pytest.mark.parametrize(
    "entry, field",
    [
        (
            pen.move(1, "XBT", to_account="kraken:main", account="kraken:main", to_asset="BTC"),
            "to_asset",
        ),
        (pen.move(1, "XBT", to_asset="ETH"), "to_asset"),
        (pen.convert([], [(1, "B")]), "given"),
        (pen.convert([(1, "A")], [(1, "B"), (2, "B")]), "taken"),
        (pen.rename("A", "A"), "to_asset"),
        (msgspec.structs.replace(pen.rename("A", "B"), turn=1), "turn"),
        (msgspec.structs.replace(pen.split("A", 2, 1), turn=1), "turn"),
        (msgspec.structs.replace(pen.convert([(1, "A")], [(1, "B")]), turn=1), "turn"),
        (pen.margin(None, 1, 1), "side"),
        (pen.staged(lots=[("frobnicate", "A", "l", 1, 1)]), "lots"),
    ],
)
def test_a_word_outside_its_set_is_refused(entry, field):
    with pytest.raises(BadChoice) as caught:
        landed([entry])
    assert caught.value.context["field"] == field


@pytest.mark.parametrize(
    "entry",
    [
        pen.buy(0, "XBT", 0, fees=()),
        pen.margin(None, None, None, "-5"),
        pen.flow("withdrawal", -5, "USD"),
        pen.rename("A", "B"),
        pen.staged("-5", lines=[("A", -1, 0)], lots=[("remove", "A", "l")]),
        sleeve(0),
    ],
)
def test_what_can_be_a_fact_passes(entry):
    door.check(entry)
