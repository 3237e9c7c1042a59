"""Marks: prices that somebody stated, each with its source and time.

`Marks` keeps one mark for each (asset, quote). Of several, the one of higher standing counts: given
by the user (a flag, a file) > a venue > the last trade of the ledger; of equal standing the latest.
So the marks that remain do not depend on the order in which they came.

Rules
- An asset has several names (XBT = BTC, XDG = DOGE); a mark is found under any of them.
- A price is finite and not negative. Zero is a price only where somebody gives it, such as a fee
  credit, which is not money; a zero from a venue or a trade is no price and is left out.
- A mark more than 5 seconds ahead of `now` is from the future, and said to be. Who knows the time
  lets it count for less than any other of its standing: a clock that was wrong, ours or a sender's,
  must not keep out what comes after.

Errors: `OutOfBounds` for a price that is negative or not finite, `Malformed` for a flag that is not
`ASSET=PRICE`, `NotExact` and `OutOfBounds` for its number.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import IntEnum
from functools import cached_property
from typing import Final

import msgspec

from bursar.errors import Malformed, OutOfBounds
from bursar.exact import ZERO, money, number, parse, quotient18
from bursar.ledger import instant
from bursar.ledger.checkpoint import last_trades
from bursar.ledger.entries import Fill, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.names import ALIASES

LAST_TRADE: Final = "last trade"
FEE_CREDIT: Final = "fee credit: not money"
FEE_CREDITS: Final = ("KFEE",)
AHEAD_MAX: Final = 5 * instant.SECOND
_NONE: Final[frozenset[str]] = frozenset()


class Standing(IntEnum):
    """Whose word a mark is; the higher outranks the lower, whatever their times."""

    TRADE = 0
    VENUE = 1
    GIVEN = 2


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One unit of `asset` is believed to be worth `price` of `quote`; `source` said so at `at`.

    Where a split came since, `stated` is what was said, of the units before it, and `split_at` the
    instant of the last one.
    """

    asset: str
    quote: str
    price: Decimal
    source: str
    at: int
    standing: Standing = Standing.VENUE
    stated: Decimal | None = None
    split_at: int | None = None

    def __post_init__(self) -> None:
        if not self.price.is_finite() or self.price < 0:
            raise OutOfBounds(f"{self.pair}: {self.price} is not a price", pair=self.pair)

    @property
    def pair(self) -> str:
        """The pair that the mark prices."""
        return f"{self.asset}/{self.quote}"

    def age(self, now: int) -> int:
        """Return how old the mark is, in nanoseconds; negative only for one from the future."""
        old = now - self.at
        return old if old < -AHEAD_MAX else max(old, 0)

    def is_ahead(self, now: int) -> bool:
        """Tell whether the mark is from the future, beyond what clocks differ by."""
        return self.at - now > AHEAD_MAX


class Ways:
    """What leads where, whatever the prices: it stands as long as the same pairs have a mark, each
    of the same standing.

    `standings` are those there are, the highest first. `chains` is where `convert` remembers the
    paths it has found.
    """

    def __init__(self, marks: Mapping[tuple[str, str], Mark], aliases: Mapping[str, str]) -> None:
        self.chains: dict[tuple[str, frozenset[str], Standing], dict[str, tuple[str, ...]]] = {}
        self.standings = sorted({mark.standing for mark in marks.values()}, reverse=True)
        self._pairs = tuple(marks)
        self._aliases = aliases

    @cached_property
    def tied(self) -> dict[str, frozenset[str]]:
        """The assets that a mark ties to each asset."""
        tied: dict[str, set[str]] = {}
        for asset, quote in self._pairs:
            tied.setdefault(asset, set()).add(quote)
            tied.setdefault(quote, set()).add(asset)
        return {asset: frozenset(others) for asset, others in tied.items()}

    @cached_property
    def spelled(self) -> dict[str, tuple[str, str]]:
        """The pairs by every spelling of theirs."""
        spellings: dict[str, tuple[str, str]] = {}
        for pair in sorted(self._pairs):
            for spelling in pair_names(*pair, aliases=self._aliases):
                spellings.setdefault(spelling, pair)
        return spellings


class Marks:
    """The mark that counts for each (asset, quote).

    What has been handed out never changes: `plus` makes new ones. `put` is for who keeps them to
    himself.
    """

    def __init__(self, marks: Iterable[Mark] = (), *, aliases: Mapping[str, str] = ALIASES) -> None:
        self.aliases = aliases
        self._ways: Ways | None = None
        self._marks: dict[tuple[str, str], Mark] = {}
        for mark in marks:
            self.put(mark)

    def __iter__(self) -> Iterator[Mark]:
        """Yield the marks by asset and quote."""
        return (self._marks[key] for key in sorted(self._marks))

    def __len__(self) -> int:
        return len(self._marks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Marks) and self._marks == other._marks

    __hash__ = None  # type: ignore[assignment]  # equal by content, like a dict

    def plus(self, marks: Iterable[Mark], *, now: int | None = None) -> "Marks":
        """Return these marks and others, the higher standing and then the later one counting; with
        `now`, before one from the future any other.
        """
        joined = Marks(aliases=self.aliases)
        joined._marks.update(self._marks)
        joined._ways = self._ways
        for mark in marks:
            joined.put(mark, now=now)
        return joined

    def put(self, mark: Mark, *, now: int | None = None) -> bool:
        """Take in a mark here, and tell whether it counts: as `plus`. O(1)."""
        names = self.aliases.get  # spelled out: a commit puts every last trade in again
        key = names(mark.asset, mark.asset), names(mark.quote, mark.quote)
        if key[0] == key[1] or not (mark.price or mark.standing is Standing.GIVEN):
            return False
        known = self._marks.get(key)
        if known is not None and not _outweighs(mark, known, now):
            return False
        if known is None or not _leads_alike(mark, known):
            self._ways = None
        self._marks[key] = mark
        return True

    @property
    def by_pair(self) -> Mapping[tuple[str, str], Mark]:
        """The marks by the one names of asset and quote."""
        return self._marks

    def changed(self, before: "Marks") -> list[tuple[str, str]]:
        """Return the pairs whose mark is another one than before, or was not there."""
        known = before.by_pair
        return [pair for pair, mark in self._marks.items() if not _is_same(known.get(pair), mark)]

    def goes_as(self, before: "Marks", changed: Iterable[tuple[str, str]]) -> bool:
        """Tell whether these, of which some pairs have `changed`, lead where those did; if so, take
        over what those have found.
        """
        known, marks = before.by_pair, self._marks
        same = known.keys() == marks.keys() and all(
            _leads_alike(marks[pair], known[pair]) for pair in changed
        )
        if same:
            self._ways = before.ways
        return same

    @property
    def ways(self) -> Ways:
        """What leads where; the same object for as long as that stands."""
        if self._ways is None:
            self._ways = Ways(self._marks, self.aliases)
        return self._ways

    def name(self, asset: str) -> str:
        """Return the one name that stands for all names of an asset."""
        return self.aliases.get(asset, asset)

    def get(self, asset: str, quote: str) -> Mark | None:
        """Return the mark of an asset in that quote, as stated, if there is one."""
        return self._marks.get((self.name(asset), self.name(quote)))

    def between(self, asset: str, quote: str) -> Mark | None:
        """Return the mark that leads from an asset to a quote: stated so, or the other way round.

        The one of higher standing counts, of equal ones the later, and at one time the one stated
        so. A zero leads only one way.
        """
        direct, inverse = self.get(asset, quote), self.get(quote, asset)
        if inverse is None or not inverse.price:
            return direct
        if direct is None or (inverse.standing, inverse.at) > (direct.standing, direct.at):
            return inverse
        return direct

    def named(self, pair: str) -> Mark | None:
        """Return the mark of a pair under any of its names: `XBT/USD`, `XBTUSD`, `BTC-USD`."""
        key = self.ways.spelled.get(spelled(pair))
        return None if key is None else self._marks[key]

    def neighbours(self, asset: str) -> frozenset[str]:
        """Return the assets that a mark ties to this one."""
        return self.ways.tied.get(self.name(asset), _NONE)


def stale(mark: Mark, now: int, *, limit: int) -> bool:
    """Tell whether a mark is older than `limit` nanoseconds. What is not money does not age."""
    return mark.age(now) > limit and mark.source != FEE_CREDIT


def spelled(pair: str) -> str:
    """Return a pair's letters without what stands between them: `XBT/USD` → `XBTUSD`."""
    return pair.replace("/", "").replace("-", "").replace("_", "").upper()


def pair_names(asset: str, quote: str, *, aliases: Mapping[str, str] = ALIASES) -> list[str]:
    """Return every spelling of a pair under the names of its two assets."""
    firsts, seconds = _names(asset, aliases), _names(quote, aliases)
    return [spelled(first + second) for first in firsts for second in seconds]


def is_pair(name: str, asked: str) -> bool:
    """Tell whether a pair, spelled with its slash, is asked for under any of its names."""
    base, _, quote = name.partition("/")
    return spelled(asked) in (spelled(name), *pair_names(base, quote))


def from_fills(facts: Iterable[Fact]) -> Marks:
    """Return the last price at which each pair was traded, from facts in canonical order."""
    return Marks(map(mark_of, last_trades(facts)))


@money
def mark_of(last: Fill | MarginFill) -> Mark:
    """Return the mark that an execution makes; it tells a price, as the last trades do.

    A fill that states no price is taken at amount ÷ quantity.
    """
    price = _traded(last)
    return Mark(last.base, last.quote, price, LAST_TRADE, last.executed_at, Standing.TRADE)


@money
def given(
    prices: Mapping[str, object],
    base: str,
    *,
    at: int,
    source: str = "given",
    strict_numbers: bool = False,
) -> Marks:
    """Take prices at a door that outsiders call: `{"XBT": "65000", "ATOM/XBT": 0.0002}`.

    A name without a quote is priced in `base`. A float counts by its shortest text.
    """
    marks = []
    for pair, price in prices.items():
        asset, _, quote = pair.partition("/")
        value = number(price, field=pair, strict_numbers=strict_numbers)
        marks.append(Mark(asset, quote or base, value, source, at, Standing.GIVEN))
    return Marks(marks)


@money
def parse_flag(text: str, base: str, *, at: int) -> Mark:
    """Read `XBT=65000` (in base currency) or `ATOM/XBT=0.0002` from a command line."""
    pair, equals, price = text.partition("=")
    asset, slash, quote = pair.strip().partition("/")
    if not equals or not asset or (slash and not quote):
        raise Malformed(f"{text!r} is not a mark like XBT=65000 or ATOM/XBT=0.0002", field="mark")
    value = parse(price.strip(), field=pair.strip())
    return Mark(asset, quote or base, value, "flag", at, Standing.GIVEN)


def fee_credit(asset: str, base: str, *, at: int) -> Mark:
    """Return the mark of a venue's fee credit: it pays fees, it is not money."""
    return Mark(asset, base, ZERO, FEE_CREDIT, at, Standing.GIVEN)


def _traded(fill: Fill | MarginFill) -> Decimal:
    """Return the price of an execution that tells one, as the last trades do."""
    if fill.price:
        return fill.price
    assert isinstance(fill, Fill), "a leveraged execution without a price tells none"
    return quotient18(fill.amount or ZERO, fill.quantity)


def _outweighs(mark: Mark, known: Mark, now: int | None) -> bool:
    if mark.standing is not known.standing:  # as a venue's and a trade's, after each commit
        return mark.standing > known.standing
    if now is not None and mark.is_ahead(now) is not known.is_ahead(now):
        return known.is_ahead(now)
    return (mark.at, mark.source, mark.price) > (known.at, known.source, known.price)


def _leads_alike(mark: Mark, known: Mark) -> bool:
    """Tell whether ways go over two marks of a pair alike: a zero leads only one way, and what
    stands higher goes before.
    """
    return mark.standing is known.standing and bool(mark.price) is bool(known.price)


def _is_same(one: Mark | None, other: Mark) -> bool:
    """Tell whether two marks say the same in the same digits."""
    return one is other or (one == other and str(one.price) == str(other.price))


def _names(asset: str, aliases: Mapping[str, str]) -> list[str]:
    one = aliases.get(asset, asset)
    return [one, *sorted(name for name, known in aliases.items() if known == one)]
