"""Exposure: how much of what moves with the market is held, and which way.

Every holding of every account and every leveraged position is one notional at its mark, signed.
Gross is Σ|notional|, net is Σ notional, long and short are its two parts (both ≥ 0). Base currency
and pegs do not move and are left out, unless asked for. What has no value is in no sum; `unvalued`
names it.

Errors: none.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import msgspec

from bursar.exact import ZERO, money, percent18
from bursar.value.convert import Missing
from bursar.value.equity import Valuation
from bursar.value.worth import AssetWorth, MarginWorth


class AssetExposure(msgspec.Struct, frozen=True):
    """Net exposure to one asset, spot and leveraged. `None`: no value, or no equity."""

    asset: str
    amount: Decimal
    value_base: Decimal | None
    percentage_of_equity: Decimal | None


class Exposure(msgspec.Struct, frozen=True):
    """Exposure by asset and in all, in base currency; `gross_pct` is gross as percent of equity."""

    assets: tuple[AssetExposure, ...]
    gross: Decimal
    net: Decimal
    long: Decimal
    short: Decimal
    gross_pct: Decimal | None
    unvalued: tuple[Missing, ...] = ()


class _Notional(msgspec.Struct, frozen=True):
    asset: str
    amount: Decimal
    value: Decimal | None


@money
def exposure(valuation: Valuation, *, with_cash: bool = False) -> Exposure:
    """Return the exposure of a valuation, by asset in order of name."""
    notionals = _notionals(valuation.assets, valuation.margins, with_cash=with_cash)
    values = [each.value for each in notionals if each.value is not None]
    long = sum((value for value in values if value > 0), ZERO)
    short = -sum((value for value in values if value < 0), ZERO)
    return Exposure(
        assets=_by_asset(notionals, valuation.equity),
        gross=long + short,
        net=long - short,
        long=long,
        short=short,
        gross_pct=_percent(long + short, valuation.equity),
        unvalued=valuation.unvalued,
    )


@money
def asset_exposures(
    assets: Iterable[AssetWorth], margins: Iterable[MarginWorth], equity: Decimal
) -> tuple[AssetExposure, ...]:
    """Return the exposure to each asset, base currency and pegs too, in order of name."""
    return _by_asset(_notionals(assets, margins, with_cash=True), equity)


def _notionals(
    assets: Iterable[AssetWorth], margins: Iterable[MarginWorth], *, with_cash: bool
) -> list[_Notional]:
    spot = [
        _Notional(each.asset, row.quantity, row.value)
        for each in assets
        if with_cash or not each.is_cash
        for row in each.holdings
    ]
    return spot + [_Notional(each.asset, each.quantity, each.value) for each in margins]


def _by_asset(notionals: Iterable[_Notional], equity: Decimal) -> tuple[AssetExposure, ...]:
    own: dict[str, list[_Notional]] = {}
    for each in notionals:
        own.setdefault(each.asset, []).append(each)
    return tuple(_asset(name, own[name], equity) for name in sorted(own))


def _asset(name: str, own: Sequence[_Notional], equity: Decimal) -> AssetExposure:
    values = [each.value for each in own]
    value: Decimal | None = ZERO
    for each in values:
        value = None if value is None or each is None else value + each
    amount = sum((each.amount for each in own), ZERO)
    return AssetExposure(name, amount, value, _percent(value, equity))


def _percent(value: Decimal | None, equity: Decimal) -> Decimal | None:
    return percent18(value, equity) if value is not None and equity > 0 else None
