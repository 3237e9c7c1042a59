"""The certificate: one sentence and one record that say how book and venue stood at one moment.

"Books equal venue as of T, n rows, 0 unexplained" is said only where there was a statement, every
asset agrees to the last digit and no break is left. What the book assumes or waits for is said in
the same breath. The text is canonical JSON, so its hash certifies it.

Errors: none.
"""

from decimal import Decimal
from hashlib import sha256

import msgspec

from bursar.exact import trimmed
from bursar.ledger import instant
from bursar.reconcile.compare import Verdict
from bursar.reconcile.reconciliation import Reconciliation


class Agreed(msgspec.Struct, frozen=True):
    """One asset on both sides, as text: one text for one value."""

    asset: str
    booked: str
    stated: str
    difference: str


class Open(msgspec.Struct, frozen=True):
    """One leveraged position on both sides, as text; below zero where it is short."""

    pair: str
    booked: str
    stated: str
    difference: str


class Named(msgspec.Struct, frozen=True):
    """One break in words."""

    id: str
    kind: str
    where: str
    amounts: tuple[tuple[str, str], ...]
    reason: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """How book and venue stood. `digest` is the book's, `as_of` the statement's instant."""

    account: str
    as_of: str | None
    verdict: str
    unexplained: int | None
    rows: int
    seq: int
    digest: str
    assets: tuple[Agreed, ...] = ()
    breaks: tuple[Named, ...] = ()
    assumed: tuple[tuple[str, str], ...] = ()
    underway: tuple[str, ...] = ()
    positions: tuple[Open, ...] = ()


def certify(found: Reconciliation, digest: str) -> Certificate:
    """Return the certificate of a reconciliation; `digest` is that of the book it looked at."""
    comparison = found.comparison
    is_known = comparison.as_of is not None
    verdict = comparison.verdict.value
    if found.breaks and comparison.verdict is Verdict.EQUAL:
        verdict = "equal, with breaks that cancel or are assumed away"
    return Certificate(
        account=comparison.account,
        as_of=None if comparison.as_of is None else instant.show(comparison.as_of),
        verdict=verdict,
        unexplained=len(found.breaks) if is_known else None,
        rows=found.rows,
        seq=found.seq,
        digest=digest,
        assets=tuple(
            Agreed(line.asset, *(trimmed(n) for n in (line.booked, line.stated, line.difference)))
            for line in comparison.assets
        ),
        breaks=tuple(
            Named(
                each.id,
                each.kind.value,
                str(each.place),
                tuple((shift.asset, trimmed(shift.amount)) for shift in each.shifts),
                each.reason,
            )
            for each in found.breaks
        ),
        assumed=tuple((each.asset, trimmed(each.quantity)) for each in found.assumed),
        underway=tuple(str(each) for each in found.underway),
        positions=tuple(
            Open(line.pair, *(trimmed(n) for n in (line.booked, line.stated, line.difference)))
            for line in comparison.positions
        ),
    )


def sentence(certificate: Certificate) -> str:
    """Return a certificate in one sentence."""
    said = f"{certificate.account}: "
    if certificate.as_of is None:
        return f"{said}unknown: the venue gave no statement ({certificate.rows:,} rows here)"
    counts = f"{certificate.rows:,} rows, {certificate.unexplained:,} unexplained"
    differing = [each.asset for each in certificate.assets if Decimal(each.difference)]
    differing += [each.pair for each in certificate.positions if Decimal(each.difference)]
    if differing:
        said += f"books differ from venue in {', '.join(differing)} as of {certificate.as_of}"
    elif certificate.unexplained:
        said += f"books equal venue in sum, not in rows, as of {certificate.as_of}"
    else:
        said += f"books equal venue as of {certificate.as_of}"
    said += f", {counts}"
    if certificate.assumed:
        named = ", ".join(f"{quantity} {asset}" for asset, quantity in certificate.assumed)
        said += f"; assumed from before the first row: {named}"
    if certificate.underway:
        said += f"; {len(certificate.underway):,} under way"
    return said


def text(certificate: Certificate) -> str:
    """Return the canonical JSON text of a certificate."""
    return msgspec.json.encode(certificate, order="deterministic").decode()


def seal(certificate: Certificate) -> str:
    """Return the hash of a certificate's text."""
    return sha256(text(certificate).encode()).hexdigest()
