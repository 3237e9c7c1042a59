"""The text of a cell: what the encoder of JSON says of it, in fewer steps."""

import json
from decimal import Decimal

import pytest

from bursar.ledger import projection
from bursar.ledger.lots import Lot
from bursar.ledger.state import Cell, FeeTotal, FlowTotal, Holding, Margin

LOT = Lot('é"\\', 7, Decimal("1.50"), Decimal("-0.0"))


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1.500"),
        Decimal("-0"),
        Decimal("1E-7"),
        Decimal("1E+3"),
        Cell(Decimal("0.10"), Decimal(-3), Decimal("2E+1"), 4),
        FeeTotal(Decimal(1), Decimal(2)),
        FlowTotal(Decimal(1), Decimal(2), Decimal("3.0"), 1),
        FlowTotal(Decimal(1), Decimal(2), Decimal(0), 1, unknown=1),
        Holding(Decimal(1), Decimal(2), None, (LOT,)),
        Margin("XBT", "USD", Decimal(1), Decimal(2)),
        Margin("XBT", "USD", Decimal(1), Decimal(2), Decimal("5.0")),
        Margin("XBT", "USD", unseen=Decimal("1.0")),
        LOT,
        (LOT, LOT),
        "é\u2028",
        None,
        7,
    ],
)
def test_a_cell_says_what_json_says(value):
    said = json.dumps(projection._plain(value), ensure_ascii=False)
    assert projection._text(value) == said
