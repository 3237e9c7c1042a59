"""A portfolio that is watched: what it is worth after every tick and every commit.

`mark` takes in a price and costs what that price touches; `commit` takes up what was committed
since. Each answers with what has changed: equity, unrealised PnL, exposure, and the fall from the
peaks. `valuation` is the whole of it, and what it says is what `Portfolio.valuation` would say.

Peaks begin with the snapshots and daily closes that are kept, so they survive a restart; they are
of all that is owned, whatever the view shows.

Errors: `NotExact` and `OutOfBounds` for a price, `Malformed` for a symbol that is none.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import Malformed
from bursar.exact import money, number
from bursar.portfolio.kept import symbols_of
from bursar.portfolio.views import Shown
from bursar.value.convert import Missing
from bursar.value.equity import Valuation
from bursar.value.figures import Figures
from bursar.value.marks import Mark
from bursar.value.peaks import Falls, falls, raised
from bursar.value.running import Running

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio

SOURCE: Final = "live"


class LiveFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a portfolio is worth after a tick or a commit, in base currency.

    `exposure` is the net notional of each asset that was valued anew, under its one name, base
    currency and pegs apart; `None` is unknown. Equity leaves out what `unvalued` names; then no
    `drawdown` is known.
    """

    at: int
    equity: Decimal
    unrealized: Decimal
    long: Decimal
    short: Decimal
    exposure: dict[str, Decimal | None]
    drawdown: Falls
    unvalued: tuple[Missing, ...] = ()

    @property
    @money
    def gross(self) -> Decimal:
        """Σ|notional|."""
        return self.long + self.short

    @property
    @money
    def net(self) -> Decimal:
        """Σ notional."""
        return self.long - self.short


class Live:
    """One portfolio's live figures. `peaks` are those so far."""

    def __init__(self, portfolio: "Portfolio") -> None:
        self._portfolio = portfolio
        self._kept = portfolio.kept_marks()
        self.running = Running(portfolio.book(), portfolio.marks(), options=portfolio.options)
        self._head, self._told = portfolio.desk.head, portfolio.told_version
        self._symbols: dict[str, tuple[str, str]] = {}
        self._shown = Shown(base=portfolio.terms.base)
        self._splits = dict(portfolio.desk.timeline.splits)
        self.peaks = portfolio.followed.peaks(portfolio, portfolio.desk.clock.now())

    def mark(self, symbol: str, price: object, at: int | None = None) -> LiveFigures:
        """Take in a live price, for this process alone: `live.mark("BTC/USD", "65000.1")`.

        `symbol` is a pair under any of its names, or an asset, priced in base currency. `at` is
        the price's own instant, in nanoseconds; without it, now.
        """
        when = self._portfolio.desk.clock.now() if at is None else at
        asset, quote = self._pair(symbol)
        return self.see(Mark(asset, quote, number(price, field=symbol), SOURCE, when))

    def see(self, mark: Mark) -> LiveFigures:
        """Take in a mark, for this process alone. O(what it prices); one from before a split of
        what it is of costs O(marks), and so does any while one is from the future.
        """
        changed, portfolio = self.follow(), self._portfolio
        portfolio.see((mark,))
        if portfolio.is_of_now(mark):
            self._told = portfolio.told_version
            return self._figures(changed | self.running.mark(mark))
        return self._figures(changed | self._take_up())

    def commit(self) -> LiveFigures:
        """Take up what was committed, imported or synced since. O(keys)."""
        return self._figures(self.refresh())

    def refresh(self) -> frozenset[str]:
        """Take up all that this process or another has kept since; tell what was valued anew."""
        self._portfolio.kept_marks()
        return self._take_up()

    def follow(self) -> frozenset[str]:
        """Take up what came in this process since; tell what was valued anew. What others have
        kept is taken up by `refresh`, which asks the store.
        """
        portfolio = self._portfolio
        if portfolio.desk.head is self._head and portfolio.told_version == self._told:
            return frozenset()
        return self._take_up()

    def _take_up(self) -> frozenset[str]:
        portfolio, changed = self._portfolio, frozenset[str]()
        kept = portfolio.kept_marks(looks=False)
        if portfolio.desk.head is not self._head:
            changed |= self.running.land(portfolio.book())
            self._look_back()
        if kept is not self._kept or portfolio.told_version != self._told:
            changed |= self.running.take(portfolio.marks(looks=False))
        self._kept, self._head = kept, portfolio.desk.head
        self._told = portfolio.told_version
        return changed

    def _look_back(self) -> None:
        """Begin anew with the peaks that were kept, where other splits are known than before: a
        peak of the units of another time is none.
        """
        portfolio, told = self._portfolio, self._portfolio.desk.timeline.splits
        if self._splits != told:
            self._splits, now = dict(told), portfolio.desk.clock.now()
            portfolio.followed.look(portfolio, now)
            self.peaks = portfolio.followed.peaks(portfolio, now)

    def valuation(self) -> Valuation:
        """Return the whole valuation of now, as of the last tick or refresh. O(keys)."""
        return self.running.valuation(self._portfolio.desk.clock.now())

    def figures(self) -> Figures:
        """Return the totals of now, as of the last tick or refresh. O(worths)."""
        return self.running.figures(self._portfolio.desk.clock.now())

    def shown(self) -> Shown:
        """Return what is held as the contract's rows; those are new whose worth is. O(worths)."""
        base, symbols = self._portfolio.terms.base, symbols_of(self._portfolio)
        if not self._shown.stands_for(base, symbols):
            self._shown = Shown(base=base, symbols=symbols)
        self._shown.see(self.running.assets, self.running.margins)
        return self._shown

    @money
    def _figures(self, changed: frozenset[str]) -> LiveFigures:
        running, at = self.running, self._portfolio.desk.clock.now()
        equity, unvalued = running.equity, running.unvalued
        fallen = Falls()
        if running.is_priced:
            self.peaks = raised(self.peaks, running.owned, at)
            fallen = falls(self.peaks, running.owned)
        return LiveFigures(
            at=at,
            equity=equity,
            unrealized=running.unrealized,
            long=running.long,
            short=running.short,
            exposure={
                name: running.exposure(name) for name in changed if not running.is_cash(name)
            },
            drawdown=fallen,
            unvalued=unvalued,
        )

    def _pair(self, symbol: str) -> tuple[str, str]:
        if symbol not in self._symbols:
            self._symbols[symbol] = self._read(symbol)
        return self._symbols[symbol]

    def _read(self, symbol: str) -> tuple[str, str]:
        """Read a symbol: a pair that has a mark, one with its slash, or else an asset."""
        known = self._kept.named(symbol)
        if known is not None:
            return known.asset, known.quote
        asset, slash, quote = symbol.replace("-", "/").partition("/")
        if not asset or bool(slash) is not bool(quote):
            raise Malformed(f"{symbol!r} is not a symbol like BTC/USD or BTC", field="symbol")
        if slash:
            return asset, quote
        book = self._portfolio.book()
        held = {name for _, name in book.holdings}
        for money_ in sorted(book.cash):
            if asset not in held and asset != money_ and asset.endswith(money_):
                return asset.removesuffix(money_), money_
        return asset, book.terms.base
