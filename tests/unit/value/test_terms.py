"""Terms: a base or a peg that no asset is called by is refused."""

import msgspec
import pytest

from bursar.errors import BadChoice
from bursar.ledger.terms import Terms, method

NUMBERS = ("0", "12", ".", "..", "1.5", "1E5", "NAN", "SNAN", "INF", "INFINITY")


@pytest.mark.parametrize("name", ["eur", "E/U R", "", "EUR ", "ÄÖ", "A" * 17, *NUMBERS])
def test_what_is_no_name_is_neither_base_nor_peg(name):
    with pytest.raises(BadChoice, match="is no currency"):
        Terms(name)
    with pytest.raises(BadChoice, match="is no currency"):
        Terms("USD", ("USDT", name))
    with pytest.raises(BadChoice, match="is no currency"):
        msgspec.structs.replace(Terms(), base=name)


@pytest.mark.parametrize("name", ["EUR", "USD.HOLD", "1INCH", "INFRA", "E5", "A" * 16])
def test_letters_digits_and_dots_are_a_name(name):
    assert name in Terms(name).cash
    assert name in Terms("USD", (name,)).cash


def test_a_rule_has_a_name():
    with pytest.raises(BadChoice, match="no cost rule"):
        method("best")
