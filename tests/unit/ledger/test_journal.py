"""Verdicts, keys and the hash chain."""

from decimal import Decimal
from hashlib import sha256

import msgspec
import pytest

from bursar.errors import SchemaNewer, StoreCorrupt
from bursar.ledger import journal
from bursar.ledger.entries import Fee, Flag, Source, decode, encode, venue
from bursar.ledger.journal import DUPLICATE, GENESIS, RECORDED, Outcome, Verdict
from tests.unit.ledger.samples import MAIN, OTHER, START, Pen

D = Decimal
SECOND = 1_000_000_000


def fill(**changes):
    return msgspec.structs.replace(Pen().buy(2, "XBT", 100, executed_at=START), **changes)


# ------------------------------------------------------------------------------------ verdicts


def test_the_same_again_is_a_duplicate():
    assert journal.judge(fill(), []) == RECORDED
    assert journal.judge(fill(), [fill()]) == DUPLICATE
    assert journal.judge(fill(quantity=D("2.0")), [fill()]) == DUPLICATE


DIFFERENT = {
    "executed_at": START + SECOND,
    "account": OTHER,
    "group": "h",
    "rows": ("r",),
    "flags": (Flag.PROVISIONAL,),
    "base": "ETH",
    "quote": "EUR",
    "side": None,
    "quantity": D(3),
    "amount": D(101),
    "price": D(51),
    "pair": "XBTUSD",
    "fees": (Fee("USD", D(1)),),
    "order_id": "p",
    "strategy": "trend",
    "regime": "wild",
    "lots": ("l",),
    "value": D(101),
}
WHOLE = {
    "group": "g",
    "rows": ("q",),
    "flags": (Flag.UNPAIRED,),
    "price": D(50),
    "pair": "XBT/USD",
    "fees": (Fee("USD", D(2)),),
    "order_id": "o",
    "strategy": "grid",
    "regime": "calm",
    "lots": ("k",),
    "value": D(100),
}


@pytest.mark.parametrize("name", [name for name in DIFFERENT if name != "side"])
def test_one_field_in_different_words_is_a_conflict_that_names_it(name):
    told = fill(**(WHOLE | {name: DIFFERENT[name]}))
    verdict = journal.judge(told, [fill(**WHOLE)])
    assert verdict == Verdict(Outcome.CONFLICT, name)
    assert str(verdict) == f"conflict {name}"


def test_of_several_disagreements_the_first_field_is_named():
    told = fill(amount=D(1), quantity=D(1), base="ETH")
    assert journal.judge(told, [fill()]).field == "base"


def test_another_kind_of_fact_under_the_same_id_is_a_conflict():
    flow = Pen().flow("deposit", 5, "USD")
    assert journal.judge(flow, [fill()]) == Verdict(Outcome.CONFLICT, "kind")


def test_more_digits_and_absent_fields_refine():
    finer = fill(executed_at=START + 250_000_000)
    assert journal.judge(finer, [fill()]) == RECORDED
    assert journal.judge(fill(), [finer]) == DUPLICATE
    assert journal.judge(fill(strategy="grid"), [fill()]) == RECORDED
    assert journal.judge(fill(), [fill(strategy="grid")]) == DUPLICATE
    other = fill(executed_at=START + 300_000_000)
    assert journal.judge(other, [finer]).field == "executed_at"


def test_what_two_statements_say_together_is_a_duplicate_of_neither():
    known = [fill(strategy="grid"), fill(regime="calm")]
    assert journal.judge(fill(strategy="grid", regime="calm"), known) == RECORDED
    assert journal.judge(fill(regime="wild"), known).field == "regime"


@pytest.mark.parametrize("one, other", [(0, 7), ("a", "b"), (None, "b")])
def test_soft_fields_disagree_without_a_conflict_and_the_larger_counts(one, other):
    name = "sequence" if isinstance(one, int) else "note"
    first, second = fill(**{name: one}), fill(**{name: other})
    assert journal.judge(second, [first]) == RECORDED
    assert journal.judge(first, [second]) == DUPLICATE
    for order in ([first, second], [second, first]):
        assert getattr(journal.merge(order), name) == other


def test_merging_does_not_depend_on_the_order():
    told = [
        fill(strategy="grid"),
        fill(executed_at=START + 5, note="n"),
        fill(regime="calm", sequence=3),
    ]
    merged = {encode(journal.merge(order)) for order in (told, told[::-1], told[1:] + told[:1])}
    assert len(merged) == 1
    joint = decode(merged.pop())
    assert joint == fill(
        executed_at=START + 5, strategy="grid", regime="calm", sequence=3, note="n"
    )


def test_keys_are_the_source_the_id_and_a_digest_of_what_is_new():
    assert journal.key(fill(id="x")) == "claim|x"
    assert journal.key(fill(id="x", source=Source.LEDGER)) == "ledger|x"
    first, second = journal.refinement_key(fill(note="a")), journal.refinement_key(fill(note="b"))
    assert first != second
    assert first.startswith(journal.key(fill()) + "|")


# --------------------------------------------------------------------------------------- chain


def chained(count=4):
    told = [(f"k{i}", Outcome.RECORDED, fill(id=f"x{i}")) for i in range(count)]
    first = journal.chain(told[:2], head=GENESIS, seq=0, at=7)
    return first + journal.chain(told[2:], head=first[-1].hash, seq=2, at=8)


def test_a_journal_that_was_left_alone_verifies():
    rows = chained()
    assert list(journal.check(rows)) == rows
    assert list(journal.check(rows[2:], head=rows[1].hash, seq=2)) == rows[2:]
    assert [row.seq for row in rows] == [1, 2, 3, 4]
    assert rows[0].entry() == fill(id="x0")
    assert journal.chain([], head=GENESIS, seq=0, at=1) == []


@pytest.mark.parametrize(
    "name, value",
    [
        ("key", "other"),
        ("outcome", Outcome.CONFLICT),
        ("recorded_at", 9),
        ("body", encode(fill(id="forged")).decode()),
        ("hash", "0" * 64),
    ],
)
def test_a_row_that_was_changed_is_found(name, value):
    rows = chained()
    rows[1] = msgspec.structs.replace(rows[1], **{name: value})
    with pytest.raises(StoreCorrupt, match="row 2 was changed"):
        list(journal.check(rows))


def test_a_row_that_is_gone_swapped_or_from_elsewhere_is_found():
    rows = chained()
    with pytest.raises(StoreCorrupt, match="row 2 is missing"):
        list(journal.check(rows[:1] + rows[2:]))
    with pytest.raises(StoreCorrupt, match="row 1 is missing"):
        list(journal.check([rows[1], rows[0]]))
    with pytest.raises(StoreCorrupt, match="row 2 does not follow"):
        list(journal.check([rows[0], msgspec.structs.replace(rows[1], previous=GENESIS)]))


# ------------------------------------------------------------------------------------- entries


def test_an_entry_comes_back_from_its_bytes_with_every_digit():
    entry = fill(quantity=D("1.2300"), amount=D("0.000000000000000001"))
    assert encode(decode(encode(entry))) == encode(entry)
    assert b'"1.2300"' in encode(entry)
    assert decode(encode(entry).decode()) == entry


def test_the_venue_is_the_first_part_of_an_account():
    assert (venue(MAIN), venue("binance")) == ("kraken", "binance")


# ------------------------------------------------------------------- what a newer bursar wrote


@pytest.mark.parametrize(
    "old, new, what",
    [
        ('"type":"fill"', '"type":"decree"', "decree"),
        ('"source":2', '"source":99', "enum value 99"),
        ('"quantity":"2"', '"quantity":{"of":"2"}', "quantity"),
    ],
)
def test_a_statement_that_only_a_newer_bursar_knows_is_said_to_be_one(old, new, what):
    (row,) = journal.chain(
        [("k", Outcome.RECORDED, fill(source=Source.TRADES))], head=GENESIS, seq=0, at=1
    )
    assert old in row.body
    changed = msgspec.structs.replace(row, body=row.body.replace(old, new))
    told = f"{GENESIS}\n1\nk\n{Outcome.RECORDED.value}\n1\n{changed.body}"
    written = msgspec.structs.replace(changed, hash=sha256(told.encode()).hexdigest())
    with pytest.raises(SchemaNewer, match=f"journal row 1, .*{what}.*upgrade") as caught:
        written.entry()
    assert caught.value.context == {"seq": 1}
    with pytest.raises(StoreCorrupt, match="journal row 1 was changed after it was written"):
        changed.entry()  # damage that looks like it


def test_a_row_that_is_no_statement_is_damage():
    (row,) = journal.chain([("k", Outcome.RECORDED, fill())], head=GENESIS, seq=0, at=1)
    with pytest.raises(StoreCorrupt, match="row 1 is no statement"):
        msgspec.structs.replace(row, body=row.body[:-1]).entry()
