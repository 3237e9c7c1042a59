"""A venue's answer as a record: plain numbers, and a fault is told without its content."""

from decimal import Decimal

import msgspec
import pytest

from bursar.errors import VenueGarbled
from bursar.venue import record


class Told(msgspec.Struct, rename="camel"):
    free_amount: Decimal


def test_numbers_are_texts_or_json_numbers():
    said = {"freeAmount": "1.50", "new": "1_0"}
    assert str(record.read("V", "balance", Told, said).free_amount) == "1.50"
    assert record.read("V", "balance", Told, {"freeAmount": Decimal("1e-7")}).free_amount > 0


@pytest.mark.parametrize("said", ["1_0", "٥", " 5", "+5", "NaN"])
def test_what_is_a_number_to_python_alone_is_garbled(said):
    with pytest.raises(VenueGarbled, match="expected a number of at most 20") as refused:
        record.read("V", "balance", Told, {"freeAmount": said})
    assert said not in refused.value.message
