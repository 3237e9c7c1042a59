"""A flow that stood for a while is taken back as it was, or not at all."""

import pytest

from bursar.errors import BadChoice
from tests.unit.portfolio.places import opened

CAME = "2026-01-05T00:00:00Z deposit 4 ACME #kraken:main:1"


@pytest.mark.parametrize("account", ["kraken:main", "*"])
@pytest.mark.parametrize(
    "change, said", [("split ACME 2 for 1", "split"), ("rename ACME to NEWC", "renamed")]
)
def test_what_was_split_or_renamed_since_is_not_what_went_back(change, said, account):
    book = opened(CAME, f"2026-01-07T00:00:00Z {change} #kraken:main:2 account={account}")
    before = book.digest()
    with pytest.raises(BadChoice, match=f"ACME was {said} since kraken:main:1 happened, by kraken"):
        book.reverse("kraken:main:1", time="2026-01-07")
    assert book.digest() == before
    book.reverse("kraken:main:1", time="2026-01-06")
    assert book.balances() == []


def test_what_was_split_before_or_elsewhere_stands_in_no_ones_way():
    book = opened(
        "2026-01-04T00:00:00Z split ACME 3 for 1 #kraken:main:3",
        CAME,
        "2026-01-06T00:00:00Z split OTHR 2 for 1 #kraken:main:4",
        "2026-01-06T00:00:00Z split ACME 2 for 1 #binance:spot:1",
    )
    book.reverse("kraken:main:1", time="2026-01-07")
    assert book.balances() == []


def test_what_never_was_is_taken_back_whatever_became_of_it():
    book = opened(CAME, "2026-01-06T00:00:00Z split ACME 2 for 1 #kraken:main:2")
    book.reverse("kraken:main:1")
    assert book.balances() == []
