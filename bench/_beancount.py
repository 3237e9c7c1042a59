"""beancount's booking of lots, first in first out: exact decimals, transactions ready parsed."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

from _fills import ACCOUNT, BASE, Run
from beancount.core.amount import Amount
from beancount.core.data import Booking, Posting, Transaction, new_metadata
from beancount.core.inventory import Inventory
from beancount.core.number import MISSING
from beancount.core.position import CostSpec
from beancount.parser import booking
from beancount.parser.options import OPTIONS_DEFAULTS

from bursar.ledger.entries import Fill, Side

_CASH = "Assets:Cash"
_FEES, _GAINS = "Expenses:Fees", "Income:Gains"


def begin() -> Run:
    """Book chunk after chunk on top of the balances so far."""
    options = {**OPTIONS_DEFAULTS, "booking_method": Booking.FIFO}
    balances: dict[str, Inventory] = defaultdict(Inventory)

    def take(entries: list[Transaction]) -> None:
        _, errors = booking.book(entries, options, balances)
        assert not errors, errors[0]

    def realized() -> Decimal:
        gains = balances[_GAINS].get_currency_units(BASE).number
        fees = balances[_FEES].get_currency_units(BASE).number
        return Decimal(-gains - fees)

    return Run(lambda fills: [_transaction(fill) for fill in fills], take, realized)


def _transaction(fill: Fill) -> Transaction:
    buys = fill.side is Side.BUY
    fee, amount, price = fill.fees[0].amount, fill.amount, fill.price
    assert amount is not None
    units = Amount(fill.quantity if buys else -fill.quantity, fill.base)
    lot, each = (fill.id, price) if buys else (None, MISSING)
    cost = CostSpec(each, None, BASE, None, lot, merge=False)
    cash = Amount((-amount if buys else amount) - fee, BASE)
    postings = [
        _posting(f"Assets:{fill.base}", units, cost),
        _posting(_CASH, cash),
        _posting(_FEES, Amount(fee, BASE)),
        *([] if buys else [_posting(_GAINS, MISSING)]),
    ]
    day = datetime.fromtimestamp(fill.executed_at // 10**9, UTC).date()
    meta = new_metadata(ACCOUNT, fill.sequence)
    return Transaction(meta, day, "*", None, fill.id, frozenset(), frozenset(), postings)


def _posting(account: str, units: object, cost: object = None) -> Posting:
    return Posting(account, units, cost, None, None, None)
