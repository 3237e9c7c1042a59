"""When to move capital between strategies, and how much: a plan of sleeve transfers.

What a strategy should hold is its weight × all capital; what it holds is its sleeve's equity. A
plan is due when the capital that stands in the wrong place is at least `drift` of all capital, or
when the last one is `days` old. Each transfer goes from a strategy (or the reserve) that holds too
much to one that holds too little, the largest first (ties by name) and each done before the next,
so n strategies need fewer than n transfers; one smaller than `transfer_min` is left out. A strategy
gives no more than it has free: what its open positions bind stays with it, and is named in the
plan.

Transfers move capital, never PnL. Amounts are in base currency, cut to `places`. What settings
leave open is as the base currency has it: its own decimals, and a least transfer of 1 in what is
worth about a dollar, of a hundred-thousandth of all capital in any other base.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import FRACTION_DIGITS, ONE, ZERO, divide, money
from bursar.ledger import instant
from bursar.ledger.currencies import crumb, places
from bursar.ledger.entries import MANUAL

RESERVE: Final = MANUAL


class RebalancerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The misplaced part of all capital or the age that make a plan due; the least transfer.

    `transfer_min` is in base currency, `places` are decimals of it; `None` is what fits it. Profit
    that was set aside is divided among strategies again only with `divides_profit`.
    """

    drift: Decimal = Decimal("0.05")
    days: int = 7
    transfer_min: Decimal | None = None
    places: int | None = None
    divides_profit: bool = False

    def __post_init__(self) -> None:
        """Refuse what is never or always due."""
        least, places_ = self.transfer_min, self.places
        if not 0 < self.drift <= 1 or self.days < 1 or (least is not None and least <= 0):
            raise BadChoice("rebalancer: drift in (0, 1], days ≥ 1, transfer_min > 0")
        if places_ is not None and not 0 <= places_ <= FRACTION_DIGITS:
            raise BadChoice("rebalancer: places in 0 to 18")


class Sleeve(msgspec.Struct, frozen=True):
    """What a strategy holds: all of it, and the part that could be given away now."""

    equity: Decimal
    free: Decimal


class Move(msgspec.Struct, frozen=True):
    """Capital to move between two sleeves."""

    from_strategy: str
    to_strategy: str
    amount: Decimal


class MovePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan: whether it is due and why, its moves, and what open positions keep in place."""

    is_due: bool
    reason: str
    misplaced: Decimal
    moves: tuple[Move, ...]
    bound: Mapping[str, Decimal]


class PortfolioRebalancer(msgspec.Struct, frozen=True):
    """The rules of moving capital. O(n log n)."""

    settings: RebalancerSettings = RebalancerSettings()

    @money
    def plan(
        self,
        weights: Mapping[str, Decimal],
        sleeves: Mapping[str, Sleeve],
        *,
        at: int,
        last_at: int | None,
        base: str = "USD",
    ) -> MovePlan:
        """Return the plan that brings every sleeve to its weight; `manual` is the reserve.

        Amounts are in `base`. A strategy without a weight gives all it can; the reserve takes what
        no weight names.
        """
        capital = sum((sleeve.equity for sleeve in sleeves.values()), ZERO)
        names = sorted({*weights, *sleeves, RESERVE})
        gaps = {name: _target(weights, name, capital) - _held(sleeves, name) for name in names}
        misplaced = sum((gap for gap in gaps.values() if gap > 0), ZERO)
        is_due, reason = self._due(capital, misplaced, at=at, last_at=last_at)
        gives = {
            name: min(-gap, max(sleeves[name].free, ZERO))
            for name, gap in gaps.items()
            if gap < 0 and name in sleeves
        }
        bound = {name: -gaps[name] - give for name, give in gives.items() if give < -gaps[name]}
        takes = {name: gap for name, gap in gaps.items() if gap > 0}
        moves = _moves(gives, takes, self._least(base, capital), self._places(base))
        return MovePlan(
            is_due=is_due and bool(moves),
            reason=reason if moves else "nothing to move",
            misplaced=misplaced,
            moves=moves,
            bound=bound,
        )

    def _due(
        self, capital: Decimal, misplaced: Decimal, *, at: int, last_at: int | None
    ) -> tuple[bool, str]:
        if capital <= 0:
            return False, "there is no capital"
        if last_at is None:
            return True, "never done before"
        if misplaced >= self.settings.drift * capital:
            return True, "too much capital stands in the wrong place"
        if at - last_at >= self.settings.days * instant.DAY:
            return True, "the last one is old"
        return False, "near enough to the weights"

    def _places(self, base: str) -> int:
        own = self.settings.places
        return places(base) if own is None else own

    def _least(self, base: str, capital: Decimal) -> Decimal:
        own = self.settings.transfer_min
        return crumb(base, capital) if own is None else own


def _moves(
    gives: Mapping[str, Decimal], takes: Mapping[str, Decimal], least: Decimal, decimals: int
) -> tuple[Move, ...]:
    """Match the largest giver with the largest taker until one side is done."""
    givers = sorted(gives.items(), key=lambda pair: (pair[1], pair[0]))
    takers = sorted(takes.items(), key=lambda pair: (pair[1], pair[0]))
    moves = []
    while givers and takers:
        (giver, has), (taker, wants) = givers.pop(), takers.pop()
        amount = divide(min(has, wants), ONE, places=decimals)[0]
        if amount and amount >= least:
            moves.append(Move(giver, taker, amount))
        if has > wants:
            givers.append((giver, has - wants))
        elif wants > has:
            takers.append((taker, wants - has))
    return tuple(moves)


def _target(weights: Mapping[str, Decimal], name: str, capital: Decimal) -> Decimal:
    if name == RESERVE:
        return capital - sum((weight * capital for weight in weights.values()), ZERO)
    return weights.get(name, ZERO) * capital


def _held(sleeves: Mapping[str, Sleeve], name: str) -> Decimal:
    return sleeves[name].equity if name in sleeves else ZERO
