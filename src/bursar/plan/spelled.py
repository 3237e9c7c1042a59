"""Plans, and the requests for them, as JSON: decimals are strings in plain notation, exactly.

A request is an object with `target_weights` and `holdings`, and whatever else of `Request` it wants
to say; numbers may be strings or JSON numbers, which are read digit by digit and never as floats.
`answer` turns the bytes of a request into the bytes of its plan: a route needs nothing else.

Errors: `Malformed` for what is no such JSON, naming the place; those of `make_plan`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

import msgspec

from bursar.errors import Malformed
from bursar.exact import parse, parse_long, trimmed
from bursar.ledger.told import record, values
from bursar.plan.allocation import Attribution, Constraints, StrategyAllocation
from bursar.plan.holdings import HoldingsSnapshot
from bursar.plan.plan import RebalancePlan, invest, make_plan
from bursar.plan.policy import SizingPolicy

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")
_T = TypeVar("_T")
Told = str | int | bool | None | list["Told"] | dict[str, "Told"]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a plan is asked for with: weights, and what is there."""

    target_weights: Mapping[str, Decimal]
    holdings: HoldingsSnapshot
    portfolio_value: Decimal | None = None
    correlation_id: str = ""
    constraints: Constraints = Constraints()
    attribution: Attribution = {}
    policy: SizingPolicy = SizingPolicy()
    deposit: Decimal | None = None
    timestamp: str = ""

    @property
    def allocation(self) -> StrategyAllocation:
        """The weights, as a strategy's."""
        return StrategyAllocation(
            self.target_weights,
            self.portfolio_value,
            self.correlation_id,
            self.constraints,
            self.attribution,
        )

    def plan(self) -> RebalancePlan:
        """Work out the plan that is asked for."""
        if self.deposit is None:
            return make_plan(self.allocation, self.holdings, self.policy, timestamp=self.timestamp)
        return invest(
            self.deposit, self.allocation, self.holdings, self.policy, timestamp=self.timestamp
        )


def answer(request: bytes | str) -> bytes:
    """Turn a request into its plan, JSON to JSON.

    >>> asked = '{"target_weights": {"SPY": 1}, "holdings":'
    >>> asked += ' {"positions": {}, "prices": {"SPY": 500}, "cash": "1000"}}'
    >>> read_plan(answer(asked)).items[0].trade_amount
    Decimal('1000')
    """
    return write_plan(read_request(request).plan())


def read_request(text: bytes | str) -> Request:
    """Read a request."""
    return _read(text, Request, parse)


def read_plan(text: bytes | str) -> RebalancePlan:
    """Read a plan. Whether it is one that follows from its inputs, its `verify` says."""
    return _read(text, RebalancePlan, parse_long)


def write_plan(plan: RebalancePlan) -> bytes:
    """Write a plan, with every field of its inputs: equal plans have equal bytes."""
    return _ENCODER.encode(_told(plan))


def _read(text: bytes | str, kind: type[_T], text_number: Callable[[str], Decimal]) -> _T:
    name = kind.__name__
    try:
        told = values(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{name}: {error}", field=name) from None
    return record(told, kind, lambda _: (name, None), text_number=text_number)


def _told(value: object) -> Told:
    """Write every decimal without an exponent and without trailing zeros, and what has its default
    too: a request need not say it, an answer does.
    """
    match value:
        case Decimal():
            return trimmed(value)
        case Enum():
            return _told(value.value)
        case msgspec.Struct():
            return {name: _told(getattr(value, name)) for name in value.__struct_fields__}
        case Mapping():
            return {str(key): _told(each) for key, each in value.items()}
        case list() | tuple():
            return [_told(each) for each in value]
        case str() | int() | None:
            return value
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a plan")
