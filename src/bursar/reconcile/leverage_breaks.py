"""What of leveraged positions does not agree, one break a pair, and what would close it.

It settles nothing, for the money of every fill is in the rows of the ledger already: it closes what
the venue has no more, and opens what it has, so that what is left was entered for what the venue
says. A position that is the other way round is closed first.

Errors: none.
"""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO, quotient18, trimmed
from bursar.ledger import instant
from bursar.ledger.entries import MarginFill, Side
from bursar.reconcile.breaks import Break, Kind, Place, Shift, Where
from bursar.reconcile.evidence import name_of
from bursar.reconcile.leverage import PositionLine


def broken(line: PositionLine, account: str, as_of: int) -> Break:
    """Return the break of a pair that differs; of when, nothing but positions tells."""
    shift = Shift(line.pair, line.difference, worth=line.worth)
    place = Place(Where.POSITION, after=line.pair, until=as_of)
    return Break(
        id=name_of(account, place, [shift]),
        kind=Kind.POSITION,
        shifts=(shift,),
        place=place,
        reason=_reason(line),
    )


def closing(line: PositionLine, broken: Break, account: str) -> list[MarginFill]:
    """Return what makes the book's position the venue's. There is nothing where the venue does not
    say what it was entered for.
    """
    is_turned = line.stated * line.booked < 0
    grows = is_turned or abs(line.stated) > abs(line.booked)
    if grows and line.entered is None:
        return []
    bare = MarginFill(
        id="",
        executed_at=broken.place.until or 0,
        account=account,
        note=f"{broken.kind.value}: {broken.reason}",
        base=line.base,
        quote=line.quote,
        pair=line.pair,
        settled=ZERO,
    )
    if is_turned:
        gone = _moved(bare, -line.booked, None, closes=True)
        return [gone, _moved(bare, line.stated, _entry(line, line.stated, ZERO))]
    if grows:
        return [_moved(bare, line.difference, _entry(line, line.difference, line.booked_entered))]
    return [_moved(bare, line.difference, _let_go(line), closes=True)]


def _moved(
    bare: MarginFill, quantity: Decimal, price: Decimal | None, *, closes: bool | None = None
) -> MarginFill:
    side = Side.BUY if quantity > 0 else Side.SELL
    return msgspec.structs.replace(
        bare, side=side, quantity=abs(quantity), price=price, closes=closes
    )


def _let_go(line: PositionLine) -> Decimal | None:
    """Return the price at which a part was entered, where what is left tells that."""
    if not line.stated or line.entered is None or line.entered > line.booked_entered:
        return None
    return quotient18(line.booked_entered - line.entered, abs(line.difference))


def _entry(line: PositionLine, come: Decimal, known: Decimal) -> Decimal:
    """Return the price at which the venue had in what is missing; the average if it cannot be."""
    assert line.entered is not None, "asked only where the venue says it"
    if line.entered < known:
        return quotient18(line.entered, abs(line.stated))
    return quotient18(line.entered - known, abs(come))


def _reason(line: PositionLine) -> str:
    held = f"the venue has {_called(line.stated, line)} open"
    if line.stated and line.since is not None:
        held += f" since {instant.show(line.since)}"
    return f"{held}, the fills in the book come to {_called(line.booked, line)}"


def _called(quantity: Decimal, line: PositionLine) -> str:
    if not quantity:
        return f"nothing of {line.pair}"
    way = "long" if quantity > 0 else "short"
    return f"{trimmed(abs(quantity))} {line.base} {way} of {line.pair}"
