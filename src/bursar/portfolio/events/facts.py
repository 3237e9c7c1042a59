"""What an event states. Whether it may state anything is the account's business.

An account whose facts come from events believes one family of them: `trade` (trade.opened and
trade.closed) or `order` (order.filled), never both, since both tell of the same executions. Other
accounts learn from an event only whose trade it was; `order.executed` is never a fact.

A fact's id is the account and the sender's own ids, so a sender that tells the same twice, even
under another event id, tells one fact. A position that opens settles nothing; what its closing
settled is what the event says.

Errors: `UnknownAsset` for a symbol that cannot be split.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from bursar.events import Envelope
from bursar.events.incoming import (
    Incoming,
    Name,
    OrderExecuted,
    OrderFilled,
    TradeClosed,
    TradeOpened,
    moment,
)
from bursar.exact import ZERO
from bursar.ledger.entries import AnyEntry, Fee, Fill, MarginFill, Side, Source, Tag
from bursar.ledger.terms import FactSource, Terms

Pairs = Callable[[str], tuple[str, str]]
"""Splits a symbol into base and quote."""

DEFAULT_ACCOUNT: Final = "events:main"
_OTHER_SIDE: Final = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
Telling = TradeOpened | TradeClosed | OrderFilled | OrderExecuted


class Family(Enum):
    """Which events state the facts of an account; `none` of them where its venue does."""

    TRADE = "trade"
    ORDER = "order"
    NONE = "none"


class Believed(msgspec.Struct, frozen=True):
    """Whose events are believed: the family of each account, and whose an event is that names none.

    Accounts that are not named go by the portfolio's terms: those of source `events` believe
    `trade` events.
    """

    families: Mapping[str, Family] = msgspec.field(default_factory=dict)
    account: str = DEFAULT_ACCOUNT

    def family(self, account: str, terms: Terms) -> Family:
        """Return which events state the facts of an account."""
        named = self.families.get(account)
        if named is not None:
            return named
        by_events = terms.account(account).source is FactSource.EVENTS
        return Family.TRADE if by_events else Family.NONE


def account_of(told: Incoming, otherwise: str) -> str:
    """Return whose account an event is about."""
    return getattr(told, "account", None) or otherwise


def stated(
    event: Envelope, told: Telling, account: str, family: Family, pairs: Pairs
) -> AnyEntry | None:
    """Return the statement that an event makes, if it makes one."""
    match told:
        case TradeOpened() | TradeClosed() if family is Family.TRADE:
            return _traded(event, told, account, pairs(told.symbol))
        case OrderFilled() if family is Family.ORDER:
            return _filled(event, told, account, pairs(told.symbol))
        case _:
            return _tagged(event, told, account) if family is Family.NONE else None


def _traded(
    event: Envelope, told: TradeOpened | TradeClosed, account: str, pair: tuple[str, str]
) -> MarginFill:
    opens = isinstance(told, TradeOpened)
    side = told.side.side
    names = ("opened",) if opens else ("closed", getattr(told, "close_id", None))
    return MarginFill(
        id=_id(account, "trade", told.trade_id, *names),
        executed_at=moment(told.timestamp, event.time),
        account=account,
        source=Source.EVENT,
        sequence=0 if opens else 1,  # of one instant, positions open before they close
        base=pair[0],
        quote=pair[1],
        side=side if opens else _OTHER_SIDE[side],
        quantity=told.quantity,
        price=told.entry_price if isinstance(told, TradeOpened) else told.exit_price,
        settled=ZERO if isinstance(told, TradeOpened) else told.realized_pnl,
        fees=_fees(told, pair[1]),
        leverage=told.leverage,
        order_id=str(told.trade_id),
        strategy=told.strategy,
        regime=told.regime,
    )


def _filled(
    event: Envelope, told: OrderFilled, account: str, pair: tuple[str, str]
) -> Fill | MarginFill:
    own: dict[str, Any] = {
        "id": _id(account, "order", told.order_id, told.fill_id),
        "executed_at": moment(told.timestamp, event.time),
        "account": account,
        "source": Source.EVENT,
        "base": pair[0],
        "quote": pair[1],
        "side": told.side.side,
        "quantity": told.quantity,
        "price": told.price,
        "fees": _fees(told, pair[1]),
        "order_id": str(told.order_id),
        "strategy": told.strategy,
        "regime": told.regime,
    }
    if told.leverage is None:
        return Fill(**own)
    return MarginFill(**own, leverage=told.leverage, settled=told.realized_pnl)


def _tagged(event: Envelope, told: Telling, account: str) -> Tag | None:
    """Say whose a venue's trade was, where the event knows the venue's id of it."""
    if told.fill_id is None or not (told.strategy or told.regime):
        return None
    return Tag(
        id=_id(account, "tag", event.source, event.id),
        executed_at=moment(told.timestamp, event.time),
        account=account,
        source=Source.EVENT,
        target=f"{account}:{told.fill_id}",
        strategy=told.strategy,
        regime=told.regime,
    )


def _fees(told: TradeOpened | TradeClosed | OrderFilled, quote: str) -> tuple[Fee, ...]:
    return (Fee(told.fee_asset or quote, told.fee),) if told.fee else ()


def _id(account: str, kind: str, *names: Name | None) -> str:
    """Join names so that no two lists of them give one id."""
    own = (str(name).replace("%", "%25").replace(":", "%3A") for name in names if name is not None)
    return ":".join((account, kind, *own))
