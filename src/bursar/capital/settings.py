"""Every setting of capital allocation in one record, as a file may say them.

Errors: `BadChoice`, naming where, for a key that does not exist or a value that cannot hold.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

import msgspec

from bursar.capital.candidates import AllocatorSettings
from bursar.capital.capital_pressure import PressureSettings
from bursar.capital.deciding import Own, Rules
from bursar.capital.decision_memory import DecisionSettings
from bursar.capital.meta_strategy_brain import BrainSettings
from bursar.capital.profit_capture import CaptureSettings, CompoundingSettings
from bursar.capital.profit_target_tracker import ProfitTarget, ProfitTargetTracker
from bursar.capital.rebalancer import RebalancerSettings
from bursar.capital.smart_reinvestor import ReinvestSettings
from bursar.capital.strategy_memory import MemorySettings
from bursar.errors import BadChoice, InputError
from bursar.exact import ONE, ZERO
from bursar.ledger.entries import MANUAL
from bursar.ledger.told import record

MINUTES_A_DAY: Final = 1_440


class DetectorSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which market the built-in detector follows, such as BTC/USD, and how long a candle lasts."""

    symbol: str
    minutes: int = 60

    def __post_init__(self) -> None:
        """Refuse what is no pair, which would never have a price, and candles that fill no day."""
        is_pair = all(self.symbol.partition("/"))
        if not is_pair or self.minutes < 1 or MINUTES_A_DAY % self.minutes:
            raise BadChoice("detector: a symbol such as BTC/USD, minutes that divide a day")


class CapitalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What decides who gets how much, and what becomes of profit.

    `initial` is in base currency or a peg of it; with `begin` the service puts it in at its first
    start, where no venue is followed. `on_doubt` says whether figures in doubt, such as drift that
    is not explained, refuse a decision or only mark it. Without a `detector` the regime is what is
    told; without `profits_every_minutes` profit is looked after by who asks for it.
    """

    initial: Decimal = Decimal(300)
    begin: bool = False
    on_doubt: Literal["refuse", "mark"] = "refuse"
    allocator: AllocatorSettings = AllocatorSettings()
    pressure: PressureSettings = PressureSettings()
    memory: MemorySettings = MemorySettings()
    decisions: DecisionSettings = DecisionSettings()
    brain: BrainSettings = BrainSettings()
    moving: RebalancerSettings = RebalancerSettings()
    capture: CaptureSettings = CaptureSettings()
    compounding: CompoundingSettings = CompoundingSettings()
    reinvest: ReinvestSettings = ReinvestSettings()
    targets: tuple[ProfitTarget, ...] = ()
    strategies: Mapping[str, Own] = {}
    detector: DetectorSettings | None = None
    profits_every_minutes: int | None = None

    def __post_init__(self) -> None:
        """Refuse less than nothing, no time at all, and two targets for one period."""
        if self.initial < 0:
            raise BadChoice("initial capital is 0 or more", field="initial")
        if self.profits_every_minutes is not None and self.profits_every_minutes < 1:
            raise BadChoice("profits_every_minutes is 1 or more")
        ProfitTargetTracker(self.targets)
        for name, own in self.strategies.items():
            _judge(name, own)

    @property
    def rules(self) -> Rules:
        """What a decision depends on."""
        return Rules(
            allocator=self.allocator,
            pressure=self.pressure,
            memory=self.memory,
            decisions=self.decisions,
            brain=self.brain,
            strategies=self.strategies,
        )


def read_settings(told: object) -> CapitalSettings:
    """Read settings from plain values, any of them as text.

    Raises:
        BadChoice: a key or a value is not what it should be.
    """
    try:
        return record(told, CapitalSettings, strict=False)
    except InputError as error:
        raise BadChoice(error.message, field=error.context.get("field")) from None


def _judge(name: str, own: Own) -> None:
    """Refuse weights and fits that no strategy can have."""
    place = f"strategies.{name}"
    if not name or name == MANUAL:
        raise BadChoice(f"{place}: {name!r} is no strategy's name", field=place)
    least = ZERO if own.least is None else own.least
    most = ONE if own.most is None else own.most
    if not 0 <= least <= most <= 1:
        raise BadChoice(f"{place}: 0 ≤ least ≤ most ≤ 1 is expected", field=place)
    if not all(0 <= fit <= 1 for fit in own.fits.values()):
        raise BadChoice(f"{place}.fits: a fit is in [0, 1]", field=f"{place}.fits")
