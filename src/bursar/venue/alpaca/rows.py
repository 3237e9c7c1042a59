"""One of Alpaca's account activities: times and numbers read, its meaning still open."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An activity. `at` is the time of an execution, or midnight UTC of a day.

    `quantity` and `amount` are signed from the owner's side, but for the quantity of an execution;
    `amount` is in `currency`. What the venue leaves out is empty, or `None` where zero would mean
    another thing.
    """

    id: str
    type: str
    at: int
    sub_type: str = ""
    status: str = ""
    symbol: str = ""
    side: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    amount: Decimal = ZERO
    currency: str = "USD"
    per_share: Decimal | None = None
    filled: Decimal = ZERO
    order_id: str | None = None
    group_id: str = ""
    description: str = ""
