"""The regime of a portfolio's market: told by an event, a person or the detector, and kept.

Every telling is kept with who told it and when, in one transaction with what it came with: the note
of its event, or the decision that was made in it. So a restart goes on in the same regime, and what
stood at any time can be asked, which is how a trade that names no regime gets the one it closed in.

Errors: `BadChoice` for a regime without a name; what the store raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from bursar.capital.regimes import Spell, Spells, Telling, named, standing, told

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import PortfolioStore

MEMO: Final = "capital regime"
PERSON: Final = "a person"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Spells)


def spells(store: PortfolioStore) -> Spells:
    """Return every regime that was told, in order of its time."""
    return read(store.memo(MEMO))


def read(text: str | None) -> Spells:
    """Return the spells that a memo holds; an earlier version kept a mere name."""
    if text is None:
        return ()
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        alone = Telling(name=text, at=0, by="an earlier version")
        return (Spell(alone, alone),)


def keeping(text: str | None, telling: Telling) -> dict[str, str | None]:
    """Return the memo that keeps one telling more, to be written with what it came with."""
    return {MEMO: _ENCODER.encode(told(read(text), telling)).decode()}


def regime(portfolio: Portfolio) -> str:
    """Return the regime that stands now."""
    return named(spells(portfolio.desk.store), portfolio.desk.clock.now())


def regime_told(portfolio: Portfolio) -> Telling | None:
    """Return who told the regime that stands now, and when; `None` before anybody did."""
    return standing(spells(portfolio.desk.store), portfolio.desk.clock.now())


def tell_regime(portfolio: Portfolio, name: str, *, by: str = PERSON, reason: str = "") -> None:
    """Say in which regime the market is from now on."""
    now, store = portfolio.desk.clock.now(), portfolio.writer.store
    telling = Telling(name=name, at=now, by=by, reason=reason)
    with store.grouped():
        store.save_memos(keeping(store.memo(MEMO), telling))
