"""Splits and renames in a ledger that states balances: what their rows say is what they moved."""

import msgspec
import pytest

from bursar.ledger import audit
from bursar.ledger.entries import Reversal
from bursar.ledger.planning import planned
from bursar.reconcile import Kind, certify
from bursar.reconcile.certificate import sentence
from tests.unit.reconcile.venues import ACCOUNT, K, Venue, accepted, found, only, without


@pytest.mark.parametrize("kind,became", [(K.SPLIT, "SOL"), (K.RENAME, "SOL2")])
def test_an_action_is_backed_by_its_rows(kind, became):
    venue = Venue()
    venue.deposit("SOL", "10.00000000")
    venue.later().row(kind, "SOL", "-10.00000000", group="A")
    venue.row(kind, became, "20.00000000" if kind is K.SPLIT else "10.00000000", group="A")
    assert found(venue.statement(), venue.rows).is_clean
    one = only(found(venue.statement(XBT="0.01000000"), venue.rows))
    assert {shift.asset for shift in one.shifts} == {"XBT"}


def renamed(*amounts, old="SOL", new="NEW", fee="0"):
    """A hundred coins for fifty dollars, and rows of a rename that bear their amount as reference;
    what comes is told an hour after what went."""
    venue = Venue()
    venue.deposit("USD", "50.0000")
    venue.later().trade("SOL", "100", "USD", "50.0000")
    for amount in amounts:
        code = old if amount.startswith("-") else new
        venue.later().row(K.RENAME, code, amount, fee=fee, group=amount.lstrip("-"))
    return venue


@pytest.mark.parametrize(
    "amounts", [("-40", "-20", "60"), ("-60", "20", "40"), ("-20", "-20", "20", "20")]
)
def test_rows_of_a_rename_that_only_add_up_are_one_rename(amounts):
    venue = renamed(*amounts)
    result = found(venue.statement(), venue.rows)
    one = only(result)
    assert (one.kind, one.shifts) == (Kind.RENAME, ())
    assert "books equal venue in sum, not in rows" in sentence(certify(result, "0" * 64))
    line = accepted(venue.rows, result)
    total = sum(-int(amount) for amount in amounts if amount.startswith("-"))
    assert result.proposals[0].says.endswith(f"; rename {total} SOL to NEW")
    held = {asset: line.book.held(ACCOUNT, asset).cost for asset in ("SOL", "NEW")}
    assert held == {"SOL": (100 - total) / 2, "NEW": total / 2}
    assert audit.totals(line.book).realized == 0
    assert found(venue.statement(), venue.rows, line=line).is_clean
    undone = [
        Reversal(
            id=f"{ACCOUNT}:undo{number}",
            executed_at=entry.executed_at,
            account=ACCOUNT,
            target=entry.id,
            void=True,
        )
        for number, entry in enumerate(result.proposals[0].entries)
    ]
    line.land(planned(line, undone))
    assert only(found(venue.statement(), venue.rows, line=line)).id == one.id


@pytest.mark.parametrize(
    "venue",
    [
        renamed("-40", "-20"),
        renamed("40", "20"),
        renamed("-40", "-20", "59"),
        renamed("30", "-40", "-20", "30"),
        renamed("-40", "-20", "60", fee="0.1"),
        renamed("-40", "-20", "60", new="NEW.S"),
        renamed("-40", "-20", "60", new="SOL"),
    ],
)
def test_a_rename_is_never_guessed_at(venue):
    result = found(venue.statement(), venue.rows)
    assert result.is_clean
    assert len(result.underway) >= 2


def test_a_rename_is_not_told_while_a_row_of_its_coins_is_missing_or_disputed():
    venue = renamed("-40", "-20", "60")
    went = venue.rows[3]
    gone = venue.later().withdraw("NEW", "1")
    kinds = [each.kind for each in found(venue.statement(), without(venue.rows, gone)).breaks]
    assert Kind.RENAME not in kinds
    disputed = [*venue.rows, msgspec.structs.replace(went, amount=went.amount - 1)]
    assert Kind.RENAME not in [each.kind for each in found(venue.statement(), disputed).breaks]
    assert only(found(venue.statement(), venue.rows)).kind is Kind.RENAME
