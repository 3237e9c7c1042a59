"""Settings as a file says them."""

from decimal import Decimal

import pytest

from bursar.capital.candidates import Method
from bursar.capital.deciding import Own
from bursar.capital.settings import CapitalSettings, read_settings
from bursar.errors import BadChoice


def test_what_is_told_is_read_and_the_rest_is_usual():
    told = {
        "initial": "500",
        "allocator": {"method": "kelly", "cap": "0.4"},
        "strategies": {"trend": {"least": "0.1", "fits": {"BULL": "0.9"}}},
        "targets": [{"period": "day", "percent": 1}],
    }
    found = read_settings(told)
    assert found.initial == 500
    assert found.rules.allocator.method is Method.KELLY
    assert found.rules.strategies["trend"] == Own(
        least=Decimal("0.1"), fits={"BULL": Decimal("0.9")}
    )
    assert read_settings({}) == CapitalSettings()


@pytest.mark.parametrize(
    "told, message",
    [
        ({"alocator": {}}, "^alocator: there is no such field; did you mean allocator"),
        ({"allocator": {"cap": "much"}}, r"^allocator\.cap: 'much' is not a plain decimal"),
        ({"allocator": {"cap": "3"}}, "0 ≤ floor ≤ cap ≤ 1"),
        ({"on_doubt": "shrug"}, "^on_doubt: 'shrug' is none of mark, refuse"),
        ({"allocator": {"method": "pf"}}, "'pf' is none of profit_factor, equal, sharpe"),
        ({"targets": [{"period": "hour", "amount": 1}]}, "'hour' is none of day, week, month"),
        ({"initial": "-1"}, "0 or more"),
        ({"profits_every_minutes": 0}, "1 or more"),
        ({"targets": [{"period": "day", "amount": 1}] * 2}, "at most one a period"),
        ([], "Expected `object`"),
        ({"detector": {"symbol": "BTC"}}, "a symbol such as BTC/USD"),
        ({"initial": "NaN"}, "^initial: 'NaN' is not a plain decimal number"),
        ({"allocator": {"slope": "Infinity"}}, r"^allocator\.slope: 'Infinity'"),
        ({"decisions": {"spreads": ["1", "sNaN"]}}, r"^decisions\.spreads\[1\]: 'sNaN'"),
        ({"capture": {"target": "1e400"}}, r"^capture\.target: '1e400' is not"),
        ({"strategies": {"t": {"most": "40"}}}, r"^strategies\.t: 0 ≤ least ≤ most ≤ 1"),
        ({"strategies": {"t": {"most": "-0.1"}}}, "0 ≤ least ≤ most ≤ 1"),
        ({"strategies": {"t": {"least": "0.6", "most": "0.4"}}}, "0 ≤ least ≤ most ≤ 1"),
        ({"strategies": {"t": {"fits": {"BULL": "7"}}}}, r"^strategies\.t\.fits: a fit is in"),
        ({"strategies": {"manual": {"most": "0.1"}}}, "'manual' is no strategy's name"),
    ],
)
def test_what_is_not_so_is_told_with_its_place(told, message):
    with pytest.raises(BadChoice, match=message):
        read_settings(told)
