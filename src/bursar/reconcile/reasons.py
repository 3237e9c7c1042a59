"""Why a difference is what it is: the breaks that it comes from, and what the book assumes.

Errors: `FigureNotFound` for an asset that neither side names.
"""

from bursar.errors import FigureNotFound
from bursar.exact import ZERO, money, trimmed
from bursar.ledger.names import canonical
from bursar.ledger.why import Amount, Why
from bursar.reconcile.reconciliation import Reconciliation


@money
def why_difference(found: Reconciliation, asset: str) -> Why:
    """Explain the difference of an asset: stated − booked = Σ breaks − what openings cover.

    Raises:
        FigureNotFound: neither the statement nor the book names the asset.
    """
    name = canonical(asset)
    line = next((each for each in found.comparison.assets if each.asset == name), None)
    if line is None:
        raise FigureNotFound(f"neither side names {asset}", name=asset)
    parts = [
        Amount(f"{each.kind.value} {each.place}", shift.amount, each.id)
        for each in found.breaks
        if not each.is_covered
        for shift in each.shifts
        if shift.asset == name
    ]
    told = sum((part.value for part in parts if part.value is not None), ZERO)
    if told != line.difference:
        parts.append(Amount("covered by an opening", line.difference - told, _opened(found, name)))
    formula = (
        f"difference of {name} = stated {trimmed(line.stated)} − booked {trimmed(line.booked)}"
        " = Σ of its breaks"
    )
    return Why(line.difference, formula, tuple(parts))


def _opened(found: Reconciliation, asset: str) -> str:
    return ", ".join(each.entry for each in found.assumed if each.asset == asset)
