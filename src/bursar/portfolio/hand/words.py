"""Words at the door: numbers, times, names and ids, as a user enters them."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final, TypedDict

import msgspec

from bursar.desk import Desk, Staged, require_covered
from bursar.errors import BadChoice, EntryNotFound, KeyReused
from bursar.exact import number, plain
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, Fee, Link, Price, Tag, encode, require_readable
from bursar.ledger.homonyms import is_homonym
from bursar.ledger.names import canonical, known_as
from bursar.ledger.terms import FactSource
from bursar.ledger.timeline import Timeline

MAIN: Final = "manual:main"
NOW: Final = "now"
HAND: Final = "hand-"
TWICE_WITHIN: Final = instant.HOUR
AHEAD_MAX: Final = 5 * instant.SECOND

Number = str | int | Decimal
Time = str | int | datetime | None

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.$]{0,31}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[a-z0-9_-]{1,32}:[A-Za-z0-9_.-]{1,64}", re.ASCII)
_OWN_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_FEE: Final = re.compile(r"\s*(\S+?)\s*([A-Za-z][A-Za-z0-9.$]*)?\s*", re.ASCII)
_SHOWN_MAX: Final = 5
_LABEL_MAX: Final = 100


class Details(TypedDict, total=False):
    """What may be said of a deed besides its verb, quantity and asset.

    `price` is of one unit and `amount` the total, both in the quote; `fee` is such as `8 EUR`;
    `worth` and `cost` are in base currency; `time` is `now` unless stated; `to` is the account
    that a transfer leads to; `id` is an id of the user's own.
    """

    price: Number | None
    amount: Number | None
    fee: str | Iterable[str]
    worth: Number | None
    cost: Number | None
    time: Time
    account: str | None
    to: str | None
    strategy: str | None
    regime: str | None
    note: str | None
    id: str | None
    again: bool


class Correction(msgspec.Struct, frozen=True):
    """What is to be stated, under which id, and whether the very same was stated before."""

    id: str
    entries: tuple[AnyEntry, ...]
    is_known: bool = False
    remarks: tuple[str, ...] = ()


def stage(desk: Desk, correction: Correction) -> Staged:
    """Stage a correction.

    Raises:
        Oversold: it would spend what the account does not have.
        Malformed: it could not be read back.
    """
    require_readable(correction.entries)
    staged = desk.stage(correction.entries)
    if not all(isinstance(entry, Link | Price | Tag) for entry in correction.entries):
        require_covered(desk.timeline, staged.plan)
    return staged


def at(desk: Desk, time: Time, *, field: str = "time") -> int:
    """Read a time: text, `now`, an aware datetime, or nanoseconds."""
    if time is None or time == NOW:
        now = desk.clock.now()
        return now - now % instant.MICROSECOND
    return instant.read(time, field=field)


def account_of(name: str | None) -> str:
    """Read an account, such as `kraken:main`; by default the one that is kept by hand."""
    if name is None:
        return MAIN
    if _ACCOUNT.fullmatch(_text(name, "account")) is None:
        raise BadChoice(f"{name!r} is no account; write venue:name, such as {MAIN}", account=name)
    return name


def asset_of(timeline: Timeline, account: str, text: str) -> str:
    """Return the name that the account, or else the book, has for an asset: BTC may be XBT."""
    name = text.upper() if _text(text, "asset").islower() else text
    if _NAME.fullmatch(name) is None:
        raise BadChoice(f"{text!r} is no asset; write a name such as EUR or XBT", asset=text)
    known = known_as(name, account, timeline.book.spellings)
    return name if is_homonym(known, account) else known


def label_of(name: str | None, field: str) -> str | None:
    """Read a strategy or a regime; one that is empty is not said."""
    if not name:
        return None
    text = str(name)  # what is none cannot be read back, and is refused for that
    if len(text) > _LABEL_MAX or text != text.strip() or not text.isprintable():
        raise BadChoice(
            f"{field}: {text!r:.40} is no name; it has 1 to {_LABEL_MAX} printable characters and"
            " no space at its ends",
            field=field,
        )
    return name


def _text(value: object, field: str) -> str:
    """Take a word that only text can be."""
    if not isinstance(value, str):
        raise BadChoice(f"{field}: {value!r} is no text", field=field)
    return value


def amount_of(value: Number, field: str, *, instead: str = "") -> Decimal:
    """Read a number above zero; `instead` says what one below zero would be called."""
    read = number(value, field=field)
    if read <= 0:
        hint = f"; {instead}" if instead and read else ""
        raise BadChoice(f"{field}: {plain(read)} is not above zero{hint}", field=field)
    return read


def worth_of(value: Number | None, field: str) -> Decimal | None:
    """Read a number that may be missing, and is not below zero."""
    if value is None:
        return None
    read = number(value, field=field)
    if read < 0:
        raise BadChoice(f"{field}: {plain(read)} is below zero", field=field)
    return read


def fees_of(
    timeline: Timeline, account: str, fees: str | Iterable[str], default: str
) -> tuple[Fee, ...]:
    """Read fees such as `8 EUR`; one without an asset is in `default`."""
    found: dict[str, Fee] = {}
    for text in _texts(fees):
        match = _FEE.fullmatch(text)
        if match is None:
            raise BadChoice(f"fee: {text!r} is no fee; write it as '8 EUR'", field="fee")
        said = match.group(2)
        asset = default if said is None else asset_of(timeline, account, said)
        if asset in found:
            raise BadChoice(f"fee: {asset} twice; add them up", field="fee")
        found[asset] = Fee(asset, number(match.group(1), field="fee"))
    return tuple(found.values())


def _texts(fees: object) -> list[str]:
    several = fees if isinstance(fees, Iterable) and not isinstance(fees, str) else (fees,)
    return [_text(each, "fee, such as 8 EUR") for each in several]


def named(
    desk: Desk, entry: AnyEntry, details: Details, *, is_now: bool, remarks: Iterable[str] = ()
) -> Correction:
    """Give a statement its id, or find that it was made before.

    Raises:
        KeyReused: the id that was asked for stands for something else.
    """
    told = tuple(remarks)
    own = details.get("id")
    if own is not None:
        return _under(desk, entry, own, is_now=is_now, remarks=told)
    earlier = None if details.get("again") else _same(desk.timeline, entry, is_now=is_now)
    if earlier is not None:
        return Correction(earlier.id, (earlier,), is_known=True, remarks=told)
    made = msgspec.structs.replace(
        entry, id=fresh_id(desk.timeline, entry), sequence=_turn(desk.timeline, entry)
    )
    return Correction(made.id, (made,), remarks=told)


def fresh_id(timeline: Timeline, entry: AnyEntry) -> str:
    """Return the id that follows from what is stated, and from how often it was stated before."""
    require_readable((entry,))
    body = encode(msgspec.structs.replace(entry, id="", sequence=0, note=None))
    count = 1
    while True:
        digest = sha256(body + str(count).encode()).hexdigest()[:12]
        name = f"{entry.account}:{HAND}{digest}"
        if name not in timeline.homes:
            return name
        count += 1


def found(timeline: Timeline, text: str) -> str:
    """Return the id that is meant: the whole of it, or its end after a colon if only one fits.

    Raises:
        EntryNotFound: there is none.
        BadChoice: there are several.
    """
    known = {*timeline.homes, *timeline.facts}
    if text in known:
        return text
    fits = sorted(name for name in known if name.endswith(f":{text}"))
    if not fits:
        raise EntryNotFound(f"no entry {text!r} in the book", id=text)
    if len(fits) > 1:
        shown = ", ".join(fits[:_SHOWN_MAX])
        raise BadChoice(f"{text!r} may be {shown}; write the whole id", id=text)
    return fits[0]


def statements_of(timeline: Timeline, name: str) -> list[AnyEntry]:
    """Return what was stated under an id."""
    home = timeline.homes.get(name)
    return [] if home is None else [each for each in timeline.groups[home] if each.id == name]


def doubts(desk: Desk, entry: AnyEntry, assets: Iterable[str]) -> Iterator[str]:
    """Say what a user may not have meant."""
    timeline, account = desk.timeline, entry.account
    known = {place for place, _ in (*timeline.book.holdings, *timeline.book.balances)}
    if timeline.terms.account(account).source is not FactSource.MANUAL:
        yield (
            f"{account} is told by its venue: what you enter there is a correction that its own"
            " statements do not know"
        )
    if account not in known:
        yield f"{account} is a new account"
    held = {canonical(asset) for _, asset in timeline.book.holdings}
    for asset in dict.fromkeys(assets):
        if canonical(asset) not in held | {canonical(each) for each in timeline.terms.cash}:
            yield f"no {asset} in the book so far"
    if entry.executed_at - desk.clock.now() > AHEAD_MAX:
        yield f"{instant.show(entry.executed_at)} is yet to come"


def _under(
    desk: Desk, entry: AnyEntry, own: str, *, is_now: bool, remarks: tuple[str, ...]
) -> Correction:
    if _OWN_ID.fullmatch(_text(own, "id")) is None:
        raise BadChoice(f"id: {own!r} has blanks or is too long", id=own)
    name = own if ":" in own else f"{entry.account}:{own}"
    told = statements_of(desk.timeline, name)
    if not told:
        sequence = _turn(desk.timeline, entry)
        made = msgspec.structs.replace(entry, id=name, sequence=sequence)
        return Correction(name, (made,), remarks=remarks)
    same = [each for each in told if _alike(each, entry, is_now=is_now)]
    if not same:
        raise KeyReused(f"{name} stands for something else; choose another id", key=name)
    if desk.timeline.notes.reversal(name) is not None:
        raise KeyReused(f"{name} was taken back; choose another id", key=name)
    return Correction(name, (same[0],), is_known=True, remarks=remarks)


def _same(timeline: Timeline, entry: AnyEntry, *, is_now: bool) -> AnyEntry | None:
    """Return what says the same and still stands; of `now`, only what was entered just before."""
    stem = f"{entry.account}:{HAND}"
    for told in timeline.groups.values():
        for each in told:
            if not each.id.startswith(stem) or not _alike(each, entry, is_now=is_now):
                continue
            is_near = abs(entry.executed_at - each.executed_at) <= TWICE_WITHIN
            if is_near and timeline.notes.reversal(each.id) is None:
                return each
    return None


def _alike(one: AnyEntry, other: AnyEntry, *, is_now: bool) -> bool:
    """Tell whether two statements say the same; of `now` the time is not what was said."""
    if type(one) is not type(other):
        return False
    at = one.executed_at if is_now else other.executed_at
    plain_one, plain_other = (
        msgspec.structs.replace(each, id="", sequence=0, note=None) for each in (one, other)
    )
    return plain_one == msgspec.structs.replace(plain_other, executed_at=at)


def _turn(timeline: Timeline, entry: AnyEntry) -> int:
    """Return the place of a statement among those of its account and instant."""
    turns = [
        each.sequence
        for told in timeline.groups.values()
        for each in told
        if (each.account, each.executed_at) == (entry.account, entry.executed_at)
    ]
    return max(turns) + 1 if turns else 0
