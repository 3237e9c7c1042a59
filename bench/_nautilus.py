"""nautilus_trader's `Position.apply`: average price in doubles, one position a symbol."""

from decimal import Decimal

from _fills import BASE, SYMBOLS, Run
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import CurrencyType, LiquiditySide, OrderSide, OrderType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
    Symbol,
    TradeId,
    TraderId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Currency, Money, Price, Quantity
from nautilus_trader.model.position import Position

from bursar.ledger.entries import Fill, Side

_VENUE = Venue("KRAKEN")
_WHO = (TraderId("BENCH-001"), StrategyId("BENCH-001"))
_EVENT, _ACCOUNT = UUID4(), AccountId("KRAKEN-001")


def begin() -> Run:
    """Apply fills to a dict of positions. It keeps no sum over flat times, so none is compared."""
    instruments = {symbol: _instrument(symbol) for symbol in SYMBOLS}
    positions: dict[str, Position] = {}

    def records(fills: list[Fill]) -> list[tuple[str, OrderFilled]]:
        return [(fill.base, _event(fill, instruments[fill.base])) for fill in fills]

    def take(events: list[tuple[str, OrderFilled]]) -> None:
        for symbol, event in events:
            position = positions.get(symbol)
            if position is None:
                positions[symbol] = Position(instruments[symbol], event)
            else:
                position.apply(event)

    return Run(records, take, lambda: None)


def _instrument(symbol: str) -> CurrencyPair:
    return CurrencyPair(
        instrument_id=InstrumentId(Symbol(f"{symbol}{BASE}"), _VENUE),
        raw_symbol=Symbol(f"{symbol}{BASE}"),
        base_currency=Currency(symbol, 8, 0, symbol, CurrencyType.CRYPTO),
        quote_currency=USD,
        price_precision=8,
        size_precision=8,
        price_increment=Price(1e-8, 8),
        size_increment=Quantity(1e-8, 8),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
    )


def _event(fill: Fill, instrument: CurrencyPair) -> OrderFilled:
    name = fill.id.partition(":")[2]
    return OrderFilled(
        *_WHO,
        instrument.id,
        ClientOrderId(name),
        VenueOrderId(name),
        _ACCOUNT,
        TradeId(name),
        PositionId(instrument.id.value),
        OrderSide.BUY if fill.side is Side.BUY else OrderSide.SELL,
        OrderType.LIMIT,
        Quantity(fill.quantity, 8),
        Price(fill.price, 8),
        USD,
        Money(fill.fees[0].amount, USD),
        LiquiditySide.TAKER,
        _EVENT,
        fill.executed_at,
        fill.executed_at,
    )
