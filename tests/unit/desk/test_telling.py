"""What is said of a commit, in words."""

from decimal import Decimal

import pytest

from bursar.desk.telling import in_words
from bursar.ledger.course import Restated


@pytest.mark.parametrize(
    "asset, pair, said",
    [("XBT", "XBT/EUR", "XBT in XBT/EUR"), ("XBT", "none", "XBT"), ("", "/EUR", "leverage in EUR")],
)
def test_a_restated_figure_has_the_name_that_it_has(asset, pair, said):
    told = Restated("kraken:main", asset, pair, "manual", "", Decimal("1.50"), Decimal(0), ())
    assert in_words([told]) == (f"{said}: 1.5 → 0",)
