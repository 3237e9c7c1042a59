"""Statements: what one source said of one fact. All kinds stand in this file.

An entry is frozen. `id` names the fact, derived from the venue's own id; `source` says who speaks;
several entries of one id are several statements of one fact (`facts` merges them). `group` ties
rows that a venue files under one reference, such as the legs of a trade. Times are UTC nanoseconds
(`instant`), numbers are exact decimals, account names are `venue:name`.

Every conversion into base currency that an entry rests on is written in it as a `Rate`, with
source and time, so folding never asks a price. `value` is always in base currency, rounded once to
18 decimals; `None` means unpriced.

Sign rule: amounts of a `Movement` and a `CashFlow` are signed from the owner's side (in is
positive); a `Fill` holds both amounts unsigned with a side; a fee is positive when paid, negative
when it is a rebate.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Final

import msgspec

from bursar.errors import Malformed
from bursar.exact import ZERO, number


class Source(IntEnum):
    """Who states it, the most authoritative last.

    A venue that puts its own word right makes a `correction`: of that fact, nothing that was said
    before counts. Of what it takes back, by a `cancellation`, nothing counts at all.
    """

    CLAIM = 0
    EVENT = 1
    TRADES = 2
    LEDGER = 3
    CORRECTION = 4
    CANCELLATION = 5


class Side(Enum):
    """Which way the base asset went."""

    BUY = "buy"
    SELL = "sell"


class MovementKind(Enum):
    """What a row of a venue's ledger is a part of.

    A `leg` is a part of a trade and a `swap` one of a conversion, where the venue gives the rows no
    common reference: their group is only a stretch of time. An `opening` moves nothing: it says
    what lay in its pocket when the list of that begins.
    """

    TRADE = "trade"
    CONVERSION = "conversion"
    LEG = "leg"
    SWAP = "swap"
    MARGIN = "margin"
    FINANCING = "financing"
    INTERNAL = "internal"
    SPLIT = "split"
    RENAME = "rename"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    REWARD = "reward"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    FUNDING = "funding"
    REBATE = "rebate"
    AIRDROP = "airdrop"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    OPENING = "opening"
    UNCLASSIFIED = "unclassified"


class FlowKind(Enum):
    """A movement that is not a trade: capital, income, or expense."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    OPENING = "opening"
    TRANSFER = "transfer"
    ADJUSTMENT = "adjustment"
    UNCLASSIFIED = "unclassified"
    UNPAIRED = "unpaired"
    STAGED_FLOW = "staged_flow"
    BASIS_ADJUSTMENT = "basis_adjustment"
    REWARD = "reward"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    FUNDING = "funding"
    REBATE = "rebate"
    AIRDROP = "airdrop"
    FEE = "fee"


INCOME: Final = frozenset(
    {
        FlowKind.REWARD,
        FlowKind.DIVIDEND,
        FlowKind.INTEREST,
        FlowKind.FUNDING,
        FlowKind.REBATE,
        FlowKind.AIRDROP,
    }
)
EXPENSE: Final = frozenset({FlowKind.FEE})
CAPITAL: Final = frozenset(FlowKind) - INCOME - EXPENSE


MAIN: Final = "main"
TRANSIT: Final = "in transit"
"""The pocket that all of an account lies in unless it is said, and that of coins on their way."""


class Flag(Enum):
    """Why a fact is not yet the last word."""

    PROVISIONAL = "provisional"
    UNPAIRED = "unpaired"
    UNCLASSIFIED = "unclassified"
    CONFLICTED = "conflicted"
    UNPRICED = "unpriced"
    ASSUMED_BASIS = "assumed_basis"
    ASSUMED_SPLIT = "assumed_split"
    UNSETTLED = "unsettled"


class Rate(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One unit of `asset` was worth `value` units of `quote`, says `source`, at that instant."""

    asset: str
    quote: str
    value: Decimal
    source: str
    at: int = 0


class Fee(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was charged (negative: given back), and its worth in base currency then."""

    asset: str
    amount: Decimal
    value: Decimal | None = None


class Leg(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One asset of a conversion: quantity > 0 and its worth in base currency then."""

    asset: str
    quantity: Decimal
    value: Decimal | None = None


class StagedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A staged change of one position, priced per unit in base currency."""

    asset: str
    quantity: Decimal
    price: Decimal
    strategy: str | None = None


class StagedLot(msgspec.Struct, frozen=True, omit_defaults=True):
    """One staged lot edit (`add`, `remove`, `update`): the quantity and total cost it leaves."""

    action: str
    asset: str
    lot: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The fields that every statement carries. It has no behaviour of its own."""

    id: str
    executed_at: int
    account: str
    source: Source = Source.CLAIM
    sequence: int = 0
    group: str | None = None
    rows: tuple[str, ...] = ()
    note: str | None = None
    flags: tuple[Flag, ...] = ()


class Movement(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="movement"):
    """One row of a venue's own ledger: one asset moved, one fee charged, one balance left.

    `worth` is what the venue says the amount was worth then, signed, in `worth_asset`.
    """

    kind: MovementKind
    asset: str
    amount: Decimal
    fee: Decimal = ZERO
    balance: Decimal | None = None
    code: str | None = None
    pocket: str | None = None
    label: str | None = None
    worth: Decimal | None = None
    worth_asset: str | None = None
    rates: tuple[Rate, ...] = ()


class Fill(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="fill"):
    """One execution on the spot market.

    `quantity` of `base` against `amount` of `quote`, as booked; `price` is for show and is used
    only where no amount is stated. `rows` lists the venue's ledger rows it consists of. `lots`
    names the lots a sale takes under the `specific` rule. One that `delivers` is how a leveraged
    position was settled: it closes that, and realises nothing by doing so.
    """

    base: str
    quote: str
    side: Side
    quantity: Decimal
    amount: Decimal | None = None
    price: Decimal | None = None
    pair: str | None = None
    fees: tuple[Fee, ...] = ()
    order_id: str | None = None
    strategy: str | None = None
    regime: str | None = None
    lots: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    value: Decimal | None = None
    delivers: bool = False


class MarginFill(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="margin"):
    """One execution of a leveraged position: no asset moves but the settled PnL and the fee.

    `settled` is the PnL that the venue states, in `quote`; `None` asks the book to derive it. A
    statement without quantity settles money and leaves the position alone. `pocket` is where the
    money lies. `closes` is true where the venue says that it opened nothing, whatever is known to
    be open; `None` where it says nothing of the kind. Where `is_elsewhere`, its rows settled it in
    other coins, at least in part: then `made` is the PnL, in `quote`, if that is known.
    """

    base: str
    quote: str
    side: Side | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    settled: Decimal | None = None
    pair: str | None = None
    fees: tuple[Fee, ...] = ()
    pocket: str | None = None
    leverage: Decimal | None = None
    order_id: str | None = None
    strategy: str | None = None
    regime: str | None = None
    rates: tuple[Rate, ...] = ()
    quote_rate: Decimal | None = None
    closes: bool | None = None
    made: Decimal | None = None
    is_elsewhere: bool = False


class CashFlow(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="flow"):
    """A movement that is not a trade. `basis` is a given cost, kept where it differs from the
    value.

    `reversed_by` names the fact that puts it back, so that the book remembers what it moved.
    """

    kind: FlowKind
    asset: str
    amount: Decimal
    fees: tuple[Fee, ...] = ()
    pocket: str | None = None
    strategy: str | None = None
    rates: tuple[Rate, ...] = ()
    value: Decimal | None = None
    basis: Decimal | None = None
    reversed_by: str | None = None


class Transfer(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="transfer"):
    """The owner's own coins changed place: `account` → `to_account`, or pocket → pocket in one
    account.

    The lots go along. `fees` are charged where the coins came from, `to_fees` where they went. Of
    one that is `unseen` no ledger tells what the coins do at the other end. `to_asset` is what the
    coin is called there, if not the same: Kraken's XBT is BTC at Binance.
    """

    asset: str
    quantity: Decimal
    to_account: str
    to_asset: str | None = None
    pocket: str | None = None
    to_pocket: str | None = None
    fees: tuple[Fee, ...] = ()
    to_fees: tuple[Fee, ...] = ()
    rates: tuple[Rate, ...] = ()
    unseen: bool = False


class SleeveTransfer(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="sleeve"):
    """Capital moved from one strategy's sleeve to another's. Never PnL.

    `asset` is a peg of base currency; without it, base currency itself.
    """

    from_strategy: str
    to_strategy: str
    amount: Decimal
    asset: str | None = None


class Conversion(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="conversion"):
    """n assets exchanged for m at once, outside the market: dust sweeps, forced conversions.

    `turn` is worked out (`order`), and no statement has one.
    """

    given: tuple[Leg, ...]
    taken: tuple[Leg, ...]
    fees: tuple[Fee, ...] = ()
    rates: tuple[Rate, ...] = ()
    turn: int | None = None


class Rename(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="rename"):
    """An asset goes on under another name, one for one, lots and cost unchanged.

    All that is held of it does, in every pocket, unless a `quantity` is stated. `turn` is worked
    out (`order`), and no statement has one.
    """

    asset: str
    to_asset: str
    quantity: Decimal | None = None
    turn: int | None = None


class Split(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="split"):
    """Every `denominator` units of an asset become `numerator` units; total cost unchanged.

    `turn` is worked out (`order`), and no statement has one.
    """

    asset: str
    numerator: Decimal
    denominator: Decimal
    turn: int | None = None


class StagedChange(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="staged"):
    """A committed transaction of staged deltas: cash, positions, lots, a claim of realised PnL."""

    cash: Decimal = ZERO
    fees: Decimal = ZERO
    lines: tuple[StagedLine, ...] = ()
    lots: tuple[StagedLot, ...] = ()
    claimed_realized: Decimal | None = None


class Link(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="link"):
    """A withdrawal and a deposit are two ends of one transfer; `id` is the link's own."""

    withdrawal: str
    deposit: str


class Price(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="price"):
    """One unit of `asset` was worth `value` of `quote` at `executed_at`. A fact, not a mark."""

    asset: str
    quote: str
    value: Decimal


class Tag(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="tag"):
    """Who did a fill, and in which regime, told by someone who knows."""

    target: str
    strategy: str | None = None
    regime: str | None = None


class Reversal(Entry, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="reversal"):
    """A fact undone by a new fact.

    With `void` the target counts as never having happened; otherwise it stands until
    `executed_at`, when what it moved is put back, lots and all.
    """

    target: str
    void: bool = False


AnyEntry = (
    Movement
    | Fill
    | MarginFill
    | CashFlow
    | Transfer
    | SleeveTransfer
    | Conversion
    | Rename
    | Split
    | StagedChange
    | Link
    | Price
    | Tag
    | Reversal
)

MANUAL: Final = "manual"
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(AnyEntry, strict=True)


def encode(entry: AnyEntry) -> bytes:
    """Write the canonical bytes of an entry: JSON, fields in order, every digit kept."""
    return _ENCODER.encode(entry)


def require_readable(entries: Iterable[AnyEntry]) -> None:
    """Refuse statements made by hand that the journal could not be read back from: it would be
    damaged for good. Nor may a number be longer than any door lets in: plans would refuse it, and
    an import of what was exported.

    Raises:
        Malformed, OutOfBounds, NotExact: naming the field.
    """
    for entry in entries:
        try:
            _DECODER.decode(_ENCODER.encode(entry))
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise Malformed(f"{entry.id!r:.80}: {error}", id=str(entry.id)) from None
        for field, told in _numbers(entry):
            number(told, field=f"{field} of {entry.id!r:.80}")


def _numbers(told: msgspec.Struct) -> Iterator[tuple[str, Decimal]]:
    for field in told.__struct_fields__:
        value = getattr(told, field)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Decimal):
                yield field, part
            elif isinstance(part, msgspec.Struct):
                yield from _numbers(part)


def decode(body: bytes | str) -> AnyEntry:
    """Read an entry back from its canonical bytes."""
    entry: AnyEntry = _DECODER.decode(body)
    return entry


@lru_cache(maxsize=256)
def venue(account: str) -> str:
    """Return the venue of an account name: `kraken` of `kraken:main`."""
    return account.partition(":")[0]
