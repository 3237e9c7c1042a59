"""Sectors and risk buckets: a table that a user may edit, and exposure read under it.

The table is CSV: `symbol,sector,bucket`, lines that begin with # left out. A symbol counts under
any of its names. Two tables are joined by `plus`, the later line counting. What no table names is
`UNCLASSIFIED`, in the bucket MONITORING: nothing is guessed from a name.

Exposure by sector is signed: shorts are taken off the longs of their sector. Buckets are of gross
exposure, so that their shares add up to 100 %, and `deviation_pct` is the actual share less the
target's.

Errors: `Malformed` for a table that is none: line and field. `BadChoice` for targets that do not
add up.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec

from bursar.errors import BadChoice, Malformed
from bursar.exact import HUNDRED, ZERO, money
from bursar.ledger.names import canonical
from bursar.measure.measured import Measured, percent, unknown
from bursar.value.exposure import Exposure

UNCLASSIFIED: Final = "UNCLASSIFIED"
_HEAD: Final = ("symbol", "sector", "bucket")


class Bucket(Enum):
    """How much risk an asset may be trusted with: the base, the growth, and what is watched."""

    CORE = "CORE"
    EXPANSION = "EXPANSION"
    MONITORING = "MONITORING"


TARGETS: Final[Mapping[Bucket, Decimal]] = MappingProxyType(
    {Bucket.CORE: Decimal(60), Bucket.EXPANSION: Decimal(30), Bucket.MONITORING: Decimal(10)}
)


class Place(msgspec.Struct, frozen=True):
    """Where an asset belongs."""

    sector: str
    bucket: Bucket


_NOWHERE: Final = Place(UNCLASSIFIED, Bucket.MONITORING)


class Table(msgspec.Struct, frozen=True):
    """Which asset belongs where, by its one name."""

    places: dict[str, Place]

    def of(self, asset: str) -> Place:
        """Return where an asset belongs, under any of its names."""
        return self.places.get(canonical(asset), _NOWHERE)

    def plus(self, other: "Table") -> "Table":
        """Return both tables as one; where they differ, the other counts."""
        return Table({**self.places, **other.places})


class SectorExposure(msgspec.Struct, frozen=True):
    """One sector: signed and gross exposure, its share of equity, and the assets in it.

    `unvalued` are the assets of the sector without a value; they are in neither sum.
    """

    sector: str
    net: Decimal
    gross: Decimal
    pct_of_equity: Measured
    assets: tuple[str, ...]
    unvalued: tuple[str, ...] = ()


class BucketShare(msgspec.Struct, frozen=True):
    """One risk bucket: gross exposure, its share of all of it, and how far that is off target.

    `unvalued` are its assets without a value, which `gross` leaves out. While any bucket has some,
    no share of the whole is known.
    """

    bucket: Bucket
    gross: Decimal
    share_pct: Measured
    target_pct: Decimal
    deviation_pct: Measured
    unvalued: tuple[str, ...] = ()


def read(text: str, *, name: str = "sectors.csv") -> Table:
    """Read a table.

    Raises:
        Malformed: a line that is not symbol, sector, bucket.
    """
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if _says(line)]
    rows = csv.reader(line for _, line in lines)
    places: dict[str, Place] = {}
    for (number, _), cells in zip(lines, rows, strict=True):
        row = tuple(cell.strip() for cell in cells)
        if row == _HEAD:
            continue
        if len(row) != len(_HEAD) or not all(row):
            raise _fault(name, number, "symbol", ",".join(_HEAD))
        places[canonical(row[0].upper())] = Place(row[1].upper(), _bucket(name, number, row[2]))
    return Table(places)


@money
def by_sector(exposure: Exposure, table: Table, *, equity: Decimal) -> list[SectorExposure]:
    """Return exposure by sector, by name. The nets add up to the exposure's net."""
    groups: dict[str, list[tuple[str, Decimal | None]]] = {}
    for each in exposure.assets:
        sector = table.of(each.asset).sector
        groups.setdefault(sector, []).append((each.asset, each.value_base))
    return [_sector(name, groups[name], equity) for name in sorted(groups)]


@money
def sector_nets(values: Mapping[str, Decimal | None], table: Table) -> dict[str, Decimal]:
    """Return the net exposure of each sector, by name, of the exposure by asset. O(assets).

    A sector of which nothing has a value is not among them: it is no zero.
    """
    nets: dict[str, Decimal] = {}
    for asset, value in values.items():
        if value is not None:
            sector = table.of(asset).sector
            nets[sector] = nets.get(sector, ZERO) + value
    return {name: nets[name] for name in sorted(nets)}


@money
def by_bucket(
    exposure: Exposure, table: Table, *, targets: Mapping[Bucket, Decimal] = TARGETS
) -> list[BucketShare]:
    """Return the share of each bucket in gross exposure, beside its target."""
    targets = require_targets(targets)
    sums = dict.fromkeys(Bucket, ZERO)
    unvalued: dict[Bucket, list[str]] = {bucket: [] for bucket in Bucket}
    for each in exposure.assets:
        bucket = table.of(each.asset).bucket
        if each.value_base is None:
            unvalued[bucket].append(each.asset)
        else:
            sums[bucket] += abs(each.value_base)
    missing = [asset for assets in unvalued.values() for asset in assets]
    whole = sum(sums.values(), ZERO)
    shares = {
        bucket: unknown(f"{', '.join(missing)}: no price") if missing else percent(gross, whole)
        for bucket, gross in sums.items()
    }
    return [
        _share(bucket, sums[bucket], share, targets.get(bucket, ZERO), unvalued[bucket])
        for bucket, share in shares.items()
    ]


@money
def require_targets(targets: Mapping[Bucket, Decimal]) -> dict[Bucket, Decimal]:
    """Return targets that add up.

    Raises:
        BadChoice: they are below zero or do not add up to 100.
    """
    if sum(targets.values(), ZERO) != HUNDRED or min(targets.values()) < 0:
        raise BadChoice("the targets of the buckets must add up to 100, none below 0")
    return dict(targets)


def _share(
    bucket: Bucket, gross: Decimal, share: Measured, target: Decimal, unvalued: Sequence[str]
) -> BucketShare:
    off = share if share.value is None else Measured(share.value - target)
    return BucketShare(bucket, gross, share, target, off, tuple(unvalued))


def _sector(
    name: str, assets: Iterable[tuple[str, Decimal | None]], equity: Decimal
) -> SectorExposure:
    told = list(assets)
    values = [value for _, value in told if value is not None]
    net = sum(values, ZERO)
    return SectorExposure(
        sector=name,
        net=net,
        gross=sum((abs(value) for value in values), ZERO),
        pct_of_equity=percent(net, equity),
        assets=tuple(asset for asset, _ in told),
        unvalued=tuple(asset for asset, value in told if value is None),
    )


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _bucket(name: str, number: int, text: str) -> Bucket:
    try:
        return Bucket(text.upper())
    except ValueError:
        wanted = ", ".join(each.value for each in Bucket)
        raise _fault(name, number, "bucket", f"one of {wanted}, not {text!r}") from None


def _fault(name: str, number: int, field: str, wanted: str) -> Malformed:
    return Malformed(
        f"{name}, line {number}: {field}: expected {wanted}", file=name, line=number, field=field
    )
