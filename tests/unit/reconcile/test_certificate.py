"""Certificate: one sentence, one text, one hash, and nothing is claimed that is not so."""

import json

import msgspec

from bursar.ledger import projection
from bursar.reconcile import certify
from bursar.reconcile.certificate import seal, sentence, text
from tests.unit.reconcile.venues import Venue, busy, found, timeline_of, without

DIGEST = "d" * 64


def test_equal_books_are_certified_in_one_sentence():
    venue = busy()
    certificate = certify(found(venue.statement(), venue.rows), DIGEST)
    assert sentence(certificate) == (
        "kraken:main: books equal venue as of 2026-03-02T04:00:26Z, 180 rows, 0 unexplained"
    )
    assert (certificate.verdict, certificate.unexplained) == ("equal", 0)
    assert {each.difference for each in certificate.assets} == {"0"}


def test_what_differs_is_named():
    venue = busy()
    certificate = certify(found(venue.statement(XBT="0.01"), venue.rows), DIGEST)
    assert "books differ from venue in XBT as of" in sentence(certificate)
    assert "1 unexplained" in sentence(certificate)
    (named,) = certificate.breaks
    assert (named.kind, named.amounts) == ("unknown", (("XBT", "0.01"),))


def test_rows_that_cancel_are_not_certified_away():
    venue = Venue()
    venue.deposit("USD", "100.0000")
    came = venue.later().deposit("USD", "50.0000")
    venue.later().deposit("USD", "1.0000")
    went = venue.later().withdraw("USD", "50.0000")
    venue.later().deposit("USD", "2.0000")
    result = found(venue.statement(), without(venue.rows, came, went))
    certificate = certify(result, DIGEST)
    assert not result.is_clean
    assert "equal venue in sum, not in rows" in sentence(certificate)
    assert certificate.verdict == "equal, with breaks that cancel or are assumed away"
    assert len(certificate.breaks) == 2


def test_what_is_assumed_and_under_way_is_said():
    venue = Venue()
    venue.deposit("USD", "100.0000")
    venue.later().withdraw("USD", "10.0000")
    certificate = certify(found(venue.statement(), venue.rows[1:]), DIGEST)
    assert sentence(certificate).endswith(
        "0 unexplained; assumed from before the first row: 100 USD; 1 under way"
    )
    assert certificate.underway == ("10 USD left; no deposit is linked to it (kraken:main:L0002)",)


def test_without_a_statement_nothing_is_certified():
    certificate = certify(found(None, busy().rows), DIGEST)
    assert sentence(certificate) == (
        "kraken:main: unknown: the venue gave no statement (180 rows here)"
    )
    assert (certificate.verdict, certificate.unexplained) == ("unknown", None)


def test_the_text_is_canonical_and_the_seal_covers_it():
    venue = busy()
    digest = projection.digest(timeline_of(venue.rows).book)
    certificate = certify(found(venue.statement(), venue.rows), digest)
    again = certify(found(venue.statement(), list(reversed(venue.rows))), digest)
    assert text(certificate) == text(again)
    assert seal(certificate) == seal(again)
    assert json.loads(text(certificate))["digest"] == digest
    other = msgspec.structs.replace(certificate, rows=181)
    assert seal(other) != seal(certificate)
