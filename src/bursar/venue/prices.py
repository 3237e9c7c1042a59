"""What a venue says of prices, as every venue's words come to it: the middle of a book, and a past
price as a statement.

Errors: none.
"""

from decimal import Decimal
from typing import Final

from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.entries import Price, Source

_HALF: Final = Decimal("0.5")


@money
def middle(bid: Decimal, ask: Decimal) -> Decimal | None:
    """Return the middle of a book; `None` where a side is empty or they cross."""
    return (bid + ask) * _HALF if ZERO < bid <= ask else None


def past_price(asset: str, quote: str, value: Decimal, *, at: int, venue: str) -> Price:
    """Return what a venue's trades tell of an instant; a price of its own, not of an account."""
    return Price(
        # It sorts behind what a prices file says of that instant, so the file counts.
        id=f"price:{asset}:{quote}:{instant.show(at)}:{venue}",
        executed_at=at,
        account=f"prices:{venue}",
        source=Source.CLAIM,
        asset=asset,
        quote=quote,
        value=value,
    )
