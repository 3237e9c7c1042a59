"""What the verbs answer."""

from decimal import Decimal

import msgspec

from bursar.desk import Receipt
from bursar.exact import show
from bursar.ledger.audit import Totals
from bursar.ledger.why import Why
from bursar.value.equity import Valuation
from bursar.value.pnl import PnL
from bursar.value.reasons import why_equity

_CENTS = 2


class Equity(msgspec.Struct, frozen=True):
    """What a portfolio is worth, in `base`, with the valuation behind it and what it is made of."""

    value: Decimal
    base: str
    valuation: Valuation
    totals: Totals

    def __str__(self) -> str:
        lacking = ", ".join(dict.fromkeys(each.asset for each in self.valuation.unvalued))
        without = f" without {lacking}" if lacking else ""
        return f"{show(self.value, places=_CENTS)} {self.base}{without}"

    def why(self) -> Why:
        """Return the assets, quantities and marks behind it."""
        return why_equity(self.valuation)


class FileImported(msgspec.Struct, frozen=True):
    """One file of an import. `unknown` are operations its reader does not know: unclassified."""

    name: str
    format: str
    rows: int
    pending: int
    unknown: tuple[str, ...] = ()


class ImportReport(msgspec.Struct, frozen=True):
    """What an import did: its files, and what came of all of them; `version` is the last.

    `ahead` is the instant that the book reaches to, where that is yet to come.
    """

    files: tuple[FileImported, ...]
    receipt: Receipt
    ahead: int | None = None


class MethodPnL(msgspec.Struct, frozen=True):
    """PnL under one cost rule. Rules differ only in how much is realised yet."""

    method: str
    pnl: PnL


class Check(msgspec.Struct, frozen=True):
    """One thing that `verify` looked at: what it is, what was seen, and what is wrong with it."""

    name: str
    seen: str
    faults: tuple[str, ...] = ()


class Verification(msgspec.Struct, frozen=True):
    """What `verify` looked at, and what it found wrong (nothing, it is hoped).

    `digest` is a hash of the book alone: two books of equal digest are equal in all they can tell.
    """

    rows: int
    facts: int
    lots: int
    head: str
    totals: Totals
    faults: tuple[str, ...]
    digest: str = ""
    checks: tuple[Check, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Tell whether the journal verifies, the projection is its fold, and the books close."""
        return not self.faults
