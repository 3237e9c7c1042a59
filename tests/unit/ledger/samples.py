"""Short ways to write facts for tests of the ledger."""

from decimal import Decimal

from bursar.ledger.book import Book
from bursar.ledger.entries import (
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    MarginFill,
    Movement,
    MovementKind,
    Price,
    Rename,
    Reversal,
    Side,
    Source,
    Split,
    StagedChange,
    StagedLine,
    StagedLot,
    Transfer,
)
from bursar.ledger.fold import fold, traced
from bursar.ledger.planning import planned
from bursar.ledger.prices import Prices
from bursar.ledger.pricing import priced
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms
from bursar.ledger.timeline import Timeline

START = 1_767_600_000_000_000_000
HOUR = 3_600_000_000_000
MAIN, OTHER, SHORT = "kraken:main", "binance:spot", "alpaca:margin"


def terms(method="wac", *, pooled=False, strict=False):
    """Accounts whose histories are whole, one of which may sell short."""
    source = FactSource.MANUAL if strict else FactSource.EVENTS
    return Terms(
        method=Method(method),
        scope=Scope.POOLED if pooled else Scope.ACCOUNT,
        accounts=(
            Account(MAIN, source),
            Account(OTHER, source),
            Account(SHORT, FactSource.EVENTS, may_short=True),
        ),
    )


class Pen:
    """Writes facts one hour apart, with ids that count."""

    def __init__(self):
        self.count = 0

    def common(self, named):
        self.count += 1
        named.setdefault("id", f"{named.get('account', MAIN)}:{self.count}")
        named.setdefault("account", MAIN)
        named.setdefault("executed_at", START + self.count * HOUR)
        return named

    def buy(self, quantity, asset, amount, quote="USD", **named):
        return self.fill(Side.BUY, (quantity, asset), (amount, quote), named)

    def sell(self, quantity, asset, amount, quote="USD", **named):
        return self.fill(Side.SELL, (quantity, asset), (amount, quote), named)

    def fill(self, side, base, quote, named):
        legs = {"base": base[1], "quantity": Decimal(base[0])}
        legs |= {"quote": quote[1], "amount": Decimal(quote[0])}
        return Fill(**self.common(named), **legs, side=side)

    def flow(self, kind, amount, asset, value=None, **named):
        basis = named.pop("basis", None)
        return CashFlow(
            **self.common(named),
            kind=FlowKind(kind),
            asset=asset,
            amount=Decimal(amount),
            value=None if value is None else Decimal(value),
            basis=None if basis is None else Decimal(basis),
        )

    def move(self, quantity, asset, to_account=OTHER, **named):
        pieces = {"asset": asset, "quantity": Decimal(quantity), "to_account": to_account}
        called = {"to_asset": named.pop("to_asset", None)}
        return Transfer(**self.common(named), **pieces, **called)

    def rename(self, asset, to_asset, **named):
        return Rename(**self.common(named), asset=asset, to_asset=to_asset)

    def split(self, asset, numerator, denominator, **named):
        common, up, down = self.common(named), Decimal(numerator), Decimal(denominator)
        return Split(**common, asset=asset, numerator=up, denominator=down)

    def convert(self, given, taken, **named):
        return Conversion(**self.common(named), given=legs(given), taken=legs(taken))

    def margin(self, side, quantity, price, settled=None, **named):
        named.setdefault("base", "XBT")
        named.setdefault("quote", "USD")
        return MarginFill(
            **self.common(named),
            side=None if side is None else Side(side),
            quantity=None if quantity is None else Decimal(quantity),
            price=None if price is None else Decimal(price),
            settled=None if settled is None else Decimal(settled),
        )

    def staged(self, cash="0", fees="0", lines=(), lots=(), **named):
        return StagedChange(
            **self.common(named),
            cash=Decimal(cash),
            fees=Decimal(fees),
            lines=tuple(
                StagedLine(asset, Decimal(quantity), Decimal(price), *strategy)
                for asset, quantity, price, *strategy in lines
            ),
            lots=tuple(
                StagedLot(action, asset, lot, *map(Decimal, numbers))
                for action, asset, lot, *numbers in lots
            ),
        )

    def reversal(self, target, **named):
        return Reversal(**self.common(named), target=target)

    def row(self, kind, amount, asset, **named):
        named.setdefault("source", Source.LEDGER)
        pieces = {"kind": MovementKind(kind), "asset": asset, "amount": Decimal(amount)}
        return Movement(**self.common(named), **pieces)

    def price(self, asset, quote, value, **named):
        named.setdefault("account", "prices:file")
        return Price(**self.common(named), asset=asset, quote=quote, value=Decimal(value))


def legs(pieces):
    return tuple(
        Leg(asset, Decimal(quantity), *(Decimal(value) for value in rest))
        for quantity, asset, *rest in pieces
    )


def fees(*pieces):
    return tuple(
        Fee(asset, Decimal(amount), *(Decimal(value) for value in rest))
        for amount, asset, *rest in pieces
    )


def folded(*facts, under=None):
    """The book of facts that are priced from themselves alone."""
    chosen = under or terms()
    prices = Prices(chosen.base, chosen.cash)
    return fold([priced(fact, prices) for fact in facts], Book(chosen))


def told(*facts, under=None):
    """The last fact's lines: (kind, asset, realised)."""
    chosen = under or terms()
    prices = Prices(chosen.base, chosen.cash)
    book = fold([priced(fact, prices) for fact in facts[:-1]], Book(chosen))
    lines = traced(book, priced(facts[-1], prices))
    return [(line.kind, line.asset, line.realized) for line in lines]


def landed(*batches, under=None):
    """A timeline that took the batches one after the other."""
    line = Timeline(under or Terms())
    for batch in batches:
        line.land(planned(line, batch))
    return line


def held(book, asset, account=MAIN):
    """(quantity, cost) of an asset."""
    holding = book.held(account, asset)
    return holding.quantity, holding.cost


def lots(book, asset, account=MAIN):
    """(number of the fact that brought it, quantity, cost) of each open lot."""
    kept = book.lots(account, asset)
    return [(lot.id.rpartition(":")[2], lot.quantity, lot.cost) for lot in kept]


def realized(book, asset=None):
    """What was realised on an asset, or on all."""
    cells = book.cells.items()
    return sum((cell.realized for key, cell in cells if asset in {None, key[1]}), Decimal(0))


def booked(book, kind):
    """What the flows of a kind booked."""
    flows = book.flows.items()
    return sum((flow.booked for key, flow in flows if key[1] == kind), Decimal(0))
