"""How clerks work, as a record of functions. The right way stands here; `mutants` has wrong ones.

Errors: none.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final, cast

import msgspec

from bursar.ledger.entries import AnyEntry, CashFlow
from bursar.sim.shelf import Line

if TYPE_CHECKING:
    from bursar.ports import PortfolioStore


def _as_they_come(entries: Iterable[AnyEntry]) -> list[AnyEntry]:
    return list(entries)


def _the_same(entry: CashFlow, _tries: int) -> CashFlow:
    return entry


def _by_its_line(line: Line) -> "PortfolioStore":
    return cast("PortfolioStore", line)


class Practice(msgspec.Struct, frozen=True):
    """`take` a page, submit what is unknown `again`, reach the `store`; `planted` is around all."""

    take: Callable[[Iterable[AnyEntry]], list[AnyEntry]] = _as_they_come
    again: Callable[[CashFlow, int], CashFlow] = _the_same
    store: "Callable[[Line], PortfolioStore]" = _by_its_line
    planted: Callable[[], AbstractContextManager[None]] = nullcontext


RIGHT: Final = Practice()
