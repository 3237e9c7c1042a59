"""A transaction as a JSON document, for operators.

    {
      "previous_equity": "100000", "validation_epsilon": "20", "idempotency_key": "cycle-7",
      "cash": {"delta": "-1000", "fees": "5"},
      "positions": [{"symbol": "BTC/USDT", "quantity_delta": "0.02", "entry_price": "50000"}],
      "lots": [{"action": "add", "symbol": "BTC", "quantity": "0.02", "cost": "1000"}],
      "realized_pnl_delta": "50",
      "mark_prices": {"BTC/USDT": "51000"}
    }

Everything may be left out. Numbers are plain text or JSON numbers, and every digit of them counts.
A name that is not known is refused, and so is one that comes twice.

Errors: `Malformed` for what is no such document, and those of staging.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

import msgspec

from bursar.desk.transactions import Options, PortfolioTransaction, Prices
from bursar.errors import Malformed, OutOfBounds
from bursar.portfolio.document import document
from bursar.portfolio.portfolio import Portfolio

BYTES_MAX: Final = 4 << 20


class ToldCash(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of cash."""

    delta: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    declared: bool = False


class ToldPosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a position."""

    symbol: str
    quantity_delta: Decimal
    entry_price: Decimal | None = None
    current_price: Decimal | None = None
    strategy: str | None = None


class ToldLot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edit of a lot."""

    action: Literal["add", "remove", "update"]
    symbol: str
    lot_id: str | None = None
    quantity: Decimal | None = None
    cost: Decimal | None = None


class ToldTransaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transaction as it stands in a file."""

    previous_equity: Decimal | None = None
    validation_epsilon: Decimal | None = None
    against: str = "previous"
    account: str = "manual:main"
    idempotency_key: str | None = None
    correlation_id: str | None = None
    strict: bool = False
    cash: ToldCash = ToldCash()
    positions: tuple[ToldPosition, ...] = ()
    lots: tuple[ToldLot, ...] = ()
    realized_pnl_delta: Decimal | None = None
    mark_prices: Mapping[str, Decimal] = msgspec.field(default_factory=dict)


def read(path: Path) -> ToldTransaction:
    """Read the document of a file.

    Raises:
        Malformed: naming the place.
        OutOfBounds: it is too large.
    """
    body = path.read_bytes()
    if len(body) > BYTES_MAX:
        raise OutOfBounds(f"{path.name}: over {BYTES_MAX} bytes", file=path.name)
    return read_text(body, path.name)


def read_text(body: bytes, name: str = "transaction") -> ToldTransaction:
    """Read a document."""
    return document(body, ToldTransaction, name)


def begun(portfolio: Portfolio, told: ToldTransaction) -> PortfolioTransaction:
    """Return a transaction by the document's rules, to be begun; `stage` fills it."""
    return portfolio.transaction(told.previous_equity, **_options(told))


def committed(portfolio: Portfolio, told: ToldTransaction, marks: Prices) -> PortfolioTransaction:
    """Stage what a document says and commit it, anew if another writer was first; return the
    transaction with its verdict.
    """
    return portfolio.transact(
        lambda transaction: stage(told, transaction),
        marks,
        previous_equity=told.previous_equity,
        **_options(told),
    )


def _options(told: ToldTransaction) -> Options:
    return {
        "validation_epsilon": told.validation_epsilon,
        "against": told.against,
        "account": told.account,
        "idempotency_key": told.idempotency_key,
        "correlation_id": told.correlation_id,
        "strict": told.strict,
    }


def stage(told: ToldTransaction, transaction: PortfolioTransaction) -> None:
    """Stage what a document says."""
    cash = told.cash
    if cash != ToldCash():
        transaction.stage_cash_delta(cash.delta, cash.fees, declared=cash.declared)
    for line in told.positions:
        transaction.stage_position_delta(
            line.symbol, line.quantity_delta, line.entry_price, line.current_price, line.strategy
        )
    for lot in told.lots:
        _stage_lot(lot, transaction)
    if told.realized_pnl_delta is not None:
        transaction.stage_realized_pnl_delta(told.realized_pnl_delta)


def _stage_lot(lot: ToldLot, transaction: PortfolioTransaction) -> None:
    if lot.action == "add":
        quantity, cost = lot.quantity or Decimal(0), lot.cost
        transaction.stage_lot_add(lot.symbol, quantity, cost=cost, lot_id=lot.lot_id)
        return
    if lot.lot_id is None:
        raise Malformed(f"to {lot.action} a lot of {lot.symbol}, name it: lot_id", field="lot_id")
    if lot.action == "remove":
        transaction.stage_lot_remove(lot.symbol, lot.lot_id)
    else:
        transaction.stage_lot_update(lot.symbol, lot.lot_id, quantity=lot.quantity, cost=lot.cost)
