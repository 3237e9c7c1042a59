"""Units: by which splits the kept moments were counted, and which of them missed one.

A split is told after its time: by a venue some hours later, by a file weeks later. What was kept
in between holds the old number of units. At a price of before the split that is its worth, at one
of after it the worth is as many times wrong as the split says, and what is kept does not tell which
price it was. So of such a moment nothing is known, and it counts as one at which the asset had no
price. The same holds where a split was taken back, or put right.

Whoever keeps a snapshot notes which splits its book knew, where they are others than at the
snapshot before. Against the splits that are known now, this gives the doubts.

Invariant: a stretch in which the splits of an asset come to the same, whoever tells them under
whatever name, is in no doubt.

Errors: none.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import msgspec

from bursar.ledger.entries import Split
from bursar.ledger.names import canonical

NAME: Final = "units of snapshots"
"""How the memo is called that keeps which splits they knew."""

END: Final = 2**63 - 1
_ENCODER: Final = msgspec.json.Encoder()


class Told(msgspec.Struct, frozen=True):
    """A split as a snapshot's book knew it: when, whose, of what, and how many became how many."""

    at: int
    account: str
    asset: str
    before: str
    after: str

    @property
    def growth(self) -> tuple[str, Fraction]:
        """Whose units became how many times as many."""
        return self.account, Fraction(self.after) / Fraction(self.before)


class Noted(msgspec.Struct, frozen=True, omit_defaults=True):
    """From an instant on, snapshots knew this split under this id; without one, no longer."""

    since: int
    id: str
    split: Told | None = None


class Doubt(msgspec.Struct, frozen=True):
    """What was kept from `since` until before `until` missed a split of an asset."""

    asset: str
    since: int
    until: int

    def covers(self, at: int) -> bool:
        """Tell whether an instant is of the stretch."""
        return self.since <= at < self.until


Doubts = tuple[Doubt, ...]
_DECODER: Final = msgspec.json.Decoder(tuple[Noted, ...])


class Seen(msgspec.Struct, frozen=True):
    """A look at a book: when, which assets it held, and which splits of them it knew."""

    at: int
    held: tuple[str, ...]
    splits: tuple[Told, ...]

    def has_missed(self, splits: Iterable[Split]) -> bool:
        """Tell whether, by the splits that are known now, an asset was held in other units."""
        now = _of_assets(splits, self.held)
        return any(
            _growth(asset, self.splits, self.at) != _growth(asset, now, self.at)
            for asset in self.held
        )


def seen(at: int, assets: Iterable[str], splits: Iterable[Split]) -> Seen:
    """Return a look at a book that holds assets and knows splits."""
    held = tuple(sorted({canonical(asset) for asset in assets}))
    return Seen(at, held, tuple(_of_assets(splits, held)))


def _of_assets(splits: Iterable[Split], held: Collection[str]) -> list[Told]:
    return [each for each in map(_told, splits) if each.asset in held]


def noted(text: str | None, splits: Iterable[Split], last: int | None) -> dict[str, str]:
    """Return the memo after a snapshot whose book knew these splits, if it is another than before.

    `last` is the instant of the snapshot before. Of what was kept before there was a memo, nobody
    knows better than that it knew what the first snapshot with one knew.
    """
    known = () if text is None else _DECODER.decode(text)
    since = 0 if text is None or last is None else last + 1
    now, then = {split.id: _told(split) for split in splits}, _standing(known, END)
    new = [Noted(since, name, each) for name, each in now.items() if then.get(name) != each]
    new += [Noted(since, name) for name in then if name not in now]
    if text is not None and not new:
        return {}
    return {NAME: _ENCODER.encode((*known, *new)).decode()}


def doubts(text: str | None, splits: Iterable[Split], until: int) -> Doubts:
    """Return which stretches before `until` missed a split, by what the memo says and by the splits
    that are known now. O(assets · splits + splits of an asset squared).
    """
    if text is None:
        return ()
    known, now = _DECODER.decode(text), [_told(split) for split in splits]
    assets = {each.asset for each in now} | {note.split.asset for note in known if note.split}
    return tuple(doubt for asset in sorted(assets) for doubt in _of(asset, known, now, until))


def _of(asset: str, known: Sequence[Noted], now: Sequence[Told], until: int) -> list[Doubt]:
    """Return the stretches of one asset, oldest first."""
    names = {note.id for note in known if note.split is not None and note.split.asset == asset}
    known = [note for note in known if note.id in names]
    now = [each for each in now if each.asset == asset]
    told = [note.split for note in known if note.split is not None] + now
    times = {each.at for each in told if each.asset == asset} | {note.since for note in known}
    found: list[Doubt] = []
    for since, end in pairwise(sorted({*(at for at in times if at < until), until})):
        believed = _standing(known, since).values()
        if _growth(asset, believed, since) == _growth(asset, now, since):
            continue
        if found and found[-1].until == since:
            since = found.pop().since  # noqa: PLW2901 (one stretch goes on)
        found.append(Doubt(asset, since, end))
    return found


def _standing(known: Iterable[Noted], at: int) -> Mapping[str, Told]:
    """Return the splits that snapshots of an instant knew."""
    found: dict[str, Told] = {}
    for note in known:
        if note.since <= at:
            found.pop(note.id, None)
            if note.split is not None:
                found[note.id] = note.split
    return found


def _growth(asset: str, splits: Iterable[Told], at: int) -> Counter[tuple[str, Fraction]]:
    """Return what units of an asset had been multiplied by at an instant, by account."""
    return Counter(each.growth for each in splits if each.asset == asset and each.at <= at)


def _told(split: Split) -> Told:
    return Told(
        split.executed_at,
        split.account,
        canonical(split.asset),
        str(split.denominator),
        str(split.numerator),
    )
