"""What a plan starts from: what a book holds, or what a venue says it holds.

Quantities under the names that are wanted, a price of each, money, and what of either is not free.
What is not known is named in the snapshot's `gaps`, which every plan carries on: prices that are
old or only a last trade's, leveraged positions and excluded assets that no plan moves. A holding
without any price fails the plan.

Errors: `MissingMark`; `BadChoice` for an asset under two names; those of the venue.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bursar.errors import BadChoice, MissingMark
from bursar.exact import ONE, ZERO, money
from bursar.ledger import instant
from bursar.ledger.names import canonical
from bursar.plan import HoldingsSnapshot
from bursar.plan.holdings import require_prices
from bursar.portfolio import agreement
from bursar.value.convert import Missing, convert, find_path
from bursar.value.coverage import Coverage
from bursar.value.marks import FEE_CREDITS, Marks
from bursar.value.worth import EVERYTHING, Options

if TYPE_CHECKING:
    from bursar.ledger.terms import Terms
    from bursar.portfolio.portfolio import Portfolio
    from bursar.ports import Venue
    from bursar.reconcile.statement import Statement
    from bursar.value.equity import Valuation

_ORDERED: Final = ("auto-earn", "tokenised")
TRADEABLE: Final = frozenset({None, *_ORDERED})
"""Pockets that orders draw on: the main one, and two of Kraken's, which pays for what may be traded
at any time, and has no other place for stocks.
"""

_NO_MARKS: Final = Marks()
_Part = tuple[str, str, Decimal, Decimal]
"""An account, a name, how much of it is there, and what of that is not free."""


@money
def book_holdings(
    portfolio: Portfolio, valuation: Valuation, wanted: Collection[str]
) -> HoldingsSnapshot:
    """Return what a book holds at a valuation, under the names that are wanted."""
    spelled = _spelled(wanted, portfolio.terms, portfolio.options)
    worths = [each for each in valuation.assets if not each.is_cash and each.quantity]
    unpriced = [each.asset for each in worths if each.path is None]
    if unpriced:
        raise MissingMark(
            f"no price of {', '.join(unpriced)}, which the book holds", symbols=unpriced
        )
    prices = {each.asset: convert(ONE, each.path) for each in worths if each.path is not None}
    kept = [each for each in worths if prices[each.asset]]
    names = {each.asset: spelled.get(canonical(each.asset), each.asset) for each in worths}
    priced = {names[each.asset]: prices[each.asset] for each in kept}
    priced |= _prices(
        (symbol for symbol in wanted if symbol not in priced), valuation.marks, portfolio.terms
    )
    require_prices(priced, wanted)
    positions = {names[each.asset]: each.quantity for each in kept}
    purses = {each.asset for each in valuation.assets if each.is_cash}
    called = {canonical(asset): name for asset, name in names.items() if name in positions}
    called |= {canonical(asset): valuation.base for asset in purses}
    bound, free = _added_up(_parts(portfolio, called))
    bound.setdefault(valuation.base, (ZERO, ZERO))
    return HoldingsSnapshot(
        positions=positions,
        prices=priced,
        cash=bound[valuation.base][0],
        reserved=_reserved(bound, valuation.base),
        base=valuation.base,
        as_of=instant.show(valuation.at),
        source=f"book {portfolio.desk.store.portfolio} version {portfolio.desk.head.version}",
        gaps=(*_gaps(valuation), *_doubts(portfolio, valuation), *_bound(bound, valuation.base)),
        free=free,
    )


def _parts(portfolio: Portfolio, called: Mapping[str, str]) -> Iterator[_Part]:
    """Yield what each account holds of what a plan names: all of it, and what of it is not free.

    That is what open orders hold, as the venue's last statement tells, and what lies in another
    pocket than those that orders draw on.
    """
    pockets, kept = portfolio.book().pockets, agreement.reserved(portfolio)
    for each in portfolio.balances(by_account=True, reserved=kept):
        name, account = called.get(canonical(each.asset)), each.account or ""
        if name is not None:
            drawn_on = (pockets.get((account, each.asset, pocket), ZERO) for pocket in _ORDERED)
            bound = max(each.reserved - sum(drawn_on, ZERO), ZERO)
            yield account, name, each.total, min(bound, max(each.total, ZERO))


def _added_up(
    parts: Iterable[_Part],
) -> tuple[dict[str, tuple[Decimal, Decimal]], dict[str, dict[str, Decimal]]]:
    """Return by name all of it and what is not free, and by account and name what is free."""
    held: dict[str, tuple[Decimal, Decimal]] = {}
    free: dict[str, dict[str, Decimal]] = {}
    for account, name, there, bound in parts:
        total, kept = held.get(name, (ZERO, ZERO))
        held[name] = total + there, kept + bound
        own = free.setdefault(account, {})
        own[name] = own.get(name, ZERO) + there - bound
    return held, {
        account: {name: max(each, ZERO) for name, each in own.items()}
        for account, own in free.items()
    }


def _spelled(wanted: Collection[str], terms: Terms, options: Options) -> dict[str, str]:
    """Return the name by which each asset is wanted.

    Raises:
        BadChoice: an asset is wanted under two names, or is what counts as cash, or what the
            settings leave out: what is held of it a plan would not see, and buy it again.
    """
    spelled: dict[str, str] = {}
    for symbol in sorted(wanted):
        if not options.shows(symbol, terms.base, marks=_NO_MARKS):
            raise BadChoice(
                f"target_weights.{symbol}: the settings leave {symbol} out (exclude_assets,"
                " include_assets), so no plan trades it",
                symbol=symbol,
            )
        if symbol in terms.cash - {terms.base}:  # of the base itself the planner says so
            raise BadChoice(
                f"target_weights.{symbol}: {symbol} counts as cash, which is what the other"
                " weights leave",
                symbol=symbol,
            )
        other = spelled.setdefault(canonical(symbol), symbol)
        if other != symbol:
            raise BadChoice(
                f"target_weights.{symbol}: {symbol} and {other} are one asset; give it one weight",
                symbol=symbol,
            )
    return spelled


def _reserved(held: Mapping[str, tuple[Decimal, Decimal]], base: str) -> dict[str, Decimal]:
    """Return what is not free of (all, what is kept back): of a coin no more than is held.

    Of money it may be more, where one account owes and orders hold another's.
    """
    return {
        name: reserved if name == base else min(reserved, max(total, ZERO))
        for name, (total, reserved) in held.items()
        if reserved
    }


@money
def _purse(purses: Iterable[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    """Add up money: all of it, and what of it cannot be spent."""
    total = bound = ZERO
    for there, kept_back in purses:
        total, bound = total + there, bound + min(kept_back, max(there, ZERO))
    return total, bound


def _bound(held: Mapping[str, tuple[Decimal, Decimal]], base: str) -> Iterator[str]:
    if bound := held[base][1]:
        yield f"{bound:f} {base} is in open orders or in other pockets, and is not spent"


def _gaps(valuation: Valuation) -> Iterator[str]:
    """Say what a plan over this valuation does not know or leaves alone."""
    for worth in valuation.assets:
        if not worth.quantity:
            continue
        if worth.is_cash and worth.asset != valuation.base:
            yield f"{worth.asset} counts as cash, one {valuation.base} each"
        elif worth.path is not None and not convert(ONE, worth.path):
            yield f"{worth.asset} is worth nothing and left alone"
        elif worth.flags:
            yield f"{worth.asset}: {', '.join(worth.flags)}"
    for margin in valuation.margins:
        yield f"{margin.pair}: a leveraged position, left alone"
    if valuation.excluded or valuation.excluded_margins:
        left = sorted(
            {each.asset for each in valuation.excluded}
            | {each.asset for each in valuation.excluded_margins}
        )
        yield from _left_out(left)


def _left_out(names: Iterable[str]) -> Iterator[str]:
    if said := ", ".join(names):
        yield f"{said}: excluded by the settings, left alone"


def _doubts(portfolio: Portfolio, valuation: Valuation) -> Iterator[str]:
    """Say what may be held otherwise than the book says, and what money may not be worth."""
    for account, alarm in sorted(agreement.alarms_told(portfolio).items()):
        if alarm.is_flagged:
            yield f"{account} does not agree with its venue; `bursar drift` says where"
    coverage = valuation.coverage
    yield from Coverage(
        pending=coverage.pending,
        unseen=coverage.unseen,
        negative_cash=coverage.negative_cash,
        depegs=coverage.depegs,
    ).lines()


def _prices(symbols: Iterable[str], marks: Marks, terms: Terms) -> dict[str, Decimal]:
    """Return the price of one unit, for those that marks lead to the base currency."""
    found: dict[str, Decimal] = {}
    for symbol in symbols:
        path = find_path(symbol, terms.base, marks=marks, cash=terms.cash, pairs={})
        if not isinstance(path, Missing) and (price := convert(ONE, path)):
            found[symbol] = price
    return found


async def fetch_holdings(
    venue: Venue, wanted: Collection[str], terms: Terms, *, options: Options = EVERYTHING
) -> HoldingsSnapshot:
    """Ask a venue what lies in its account now, and what that and the wanted is worth.

    What the options leave out is left alone.

    Raises:
        MissingMark: the venue has no price of something that is held or wanted.
        VenueError: it could not be asked.
    """
    statement = await venue.statement()
    held = _held(statement, _spelled(wanted, terms, options))
    unseen = [name for name in held if not options.shows(name, terms.base, marks=_NO_MARKS)]
    left = sorted(name for name in unseen if held.pop(name)[0])
    credits_ = sorted(name for name in held if name in FEE_CREDITS)
    coins = {
        name: each
        for name, each in held.items()
        if each[0] and name not in terms.cash and name not in credits_
    }
    asked = sorted({*coins, *wanted})
    marks = Marks(await venue.marks(asked, terms.base))
    prices = money(_prices)(asked, marks, terms)
    require_prices(prices, asked)
    held[terms.base] = _purse(held[name] for name in held if name in terms.cash)
    return HoldingsSnapshot(
        positions={name: total for name, (total, _) in coins.items()},
        prices=prices,
        cash=held[terms.base][0],
        reserved=_reserved({**coins, terms.base: held[terms.base]}, terms.base),
        base=terms.base,
        as_of=instant.show(statement.as_of),
        source=f"statement of {statement.account}",
        gaps=(
            *(f"{name} is worth nothing and left alone" for name in credits_),
            *_bound(held, terms.base),
            *_left_out(left),
        ),
        free={statement.account: _free({**coins, terms.base: held[terms.base]})},
    )


@money
def _free(held: Mapping[str, tuple[Decimal, Decimal]]) -> dict[str, Decimal]:
    """Return what of (all, what is not free) may be sold or spent."""
    return {name: max(total - bound, ZERO) for name, (total, bound) in held.items()}


@money
def _held(statement: Statement, spelled: Mapping[str, str]) -> dict[str, tuple[Decimal, Decimal]]:
    """Add up what lies in every pocket, by asset: all of it, and what of it is not free.

    What lies in another pocket than the main one is staked, lent or margin, and an order has none
    of it, unless it is one of `TRADEABLE`.
    """
    held: dict[str, tuple[Decimal, Decimal]] = {}
    for each in statement.holdings:
        name = spelled.get(canonical(each.asset), each.asset)
        total, reserved = held.get(name, (ZERO, ZERO))
        bound = each.reserved if each.pocket in TRADEABLE else max(each.total, ZERO)
        held[name] = total + each.total, reserved + bound
    return held
