"""What is remembered between looks at profit, and how much profit was set aside so far.

Profit that was set aside lies in the reserve (`manual`) and is not divided among strategies again:
else the next move of capital would put back to work what was just taken out of it.

Errors: those of the store.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.capital.profit_capture import Compounded, Session
from bursar.capital.smart_reinvestor import Reinvested
from bursar.exact import ZERO, money
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.units import Seen

_MEMO: Final = "capital profits"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Kept(msgspec.Struct, frozen=True):
    """What is kept between looks: the session's day (by number), and what it began with.

    `moved` went to the reserve so far, of what `divided` says is to be kept. `seen` are the units
    that the last look counted in.
    """

    day: int | None = None
    session: Session = Session(ZERO)
    compounded: Compounded = Compounded(ZERO)
    capital: Decimal = ZERO
    realized: Decimal = ZERO
    divided: Mapping[str, Reinvested] = {}
    moved: Mapping[str, Decimal] = {}
    seen: Seen | None = None


_STATES: Final = msgspec.json.Decoder(Kept)


def kept(portfolio: Portfolio) -> Kept:
    """Return what is kept between looks."""
    text = portfolio.desk.store.memo(_MEMO)
    return Kept() if text is None else _STATES.decode(text)


def keeping(state: Kept) -> dict[str, str | None]:
    """Return the memo that keeps it, to be written with what it goes along with."""
    return {_MEMO: _ENCODER.encode(state).decode()}


@money
def set_aside(portfolio: Portfolio) -> Decimal:
    """Return how much profit was moved to the reserve so far, in base currency."""
    return sum(kept(portfolio).moved.values(), ZERO)
