"""Kraken's exports as streams: the same statements, from either end, without holding the file."""

import os
import random
import tracemalloc
from pathlib import Path

import pytest

from bursar.errors import InputError
from bursar.ledger.entries import Movement
from bursar.venue.files import FileReading, Options, blocks, kraken_streams, read
from bursar.venue.files.kraken import LedgerCells
from bursar.venue.files.reading import Streamed
from bursar.venue.files.table import Table
from tests.property.kraken_exports import LEDGER, TRADE, Account, written

STORY = Path(__file__).parents[3] / "src/bursar/samples/kraken-story-a"
NOW = Options(stream_from=0)
SIZES = (1, 100, 1_000, blocks.BLOCK)


def account(deeds=60, *, by_wallet=False, seed=1):
    """A sound account."""
    chance = random.Random(seed)
    made = Account(chance, by_wallet=by_wallet)
    for _ in range(deeds):
        made.pass_time()
        chance.choice([made.trade, made.trade, made.deposit, made.reward, made.stake])()
    return made


@pytest.fixture
def given(tmp_path):
    def write(text):
        path = tmp_path / "export.csv"
        path.write_text(text, newline="")
        return path

    return write


def same(one: FileReading, other: FileReading):
    assert tuple(one.statements) == tuple(other.statements)
    assert len(one.statements) == len(other.statements)
    for name in ("format", "rows", "pending", "repeated", "breaks"):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", sorted(STORY.glob("*.csv")), ids=lambda path: path.name)
def test_the_story_as_a_stream_states_the_same(path, size, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", size)
    same(read(path, options=NOW), read(path))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("turned", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("by_wallet", [False, True], ids=["by code", "by wallet"])
def test_an_export_from_either_end_is_streamed_oldest_first(
    given, monkeypatch, size, turned, by_wallet
):
    monkeypatch.setattr(blocks, "BLOCK", size)
    made = account(by_wallet=by_wallet)
    for rows, columns in ((made.rows, LEDGER), (made.trades, TRADE)):
        path = given(written(rows[::-1] if turned else rows, columns))
        reading = read(path, options=NOW)
        assert isinstance(reading.statements, Streamed)
        times = [each.executed_at for each in reading.statements]
        assert times == sorted(times)
        same(reading, read(path))
        assert list(reading.statements) == list(reading.statements)  # as often as asked


@pytest.mark.parametrize("turned", [False, True], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("room", [0, 1_000, 10**6], ids=["nothing", "a part", "all"])
def test_what_was_kept_of_the_first_look_is_what_stands_there(given, monkeypatch, room, turned):
    monkeypatch.setattr(blocks, "BLOCK", 400)
    monkeypatch.setattr(kraken_streams, "KEPT_BYTES", room)
    made = account()
    announced = [{**row, "txid": "", "balance": ""} for row in made.rows[::7]]
    rows = sorted([*made.rows, *announced], key=lambda row: row["time"])
    path = given(written(rows[::-1] if turned else rows, LEDGER))
    reading, careful = read(path, options=NOW), read(path)
    assert isinstance(reading.statements, Streamed)
    assert reading.pending == len(announced) > 5
    same(reading, careful)
    assert tuple(reading.statements) == careful.statements  # as often as asked


def test_a_small_file_is_held_and_a_big_one_is_streamed(given):
    path = given(written(account().rows, LEDGER))
    size = path.stat().st_size
    assert isinstance(read(path).statements, tuple)
    assert isinstance(read(path, options=Options(stream_from=size + 1)).statements, tuple)
    assert isinstance(read(path, options=Options(stream_from=size)).statements, Streamed)


def test_a_stream_tells_the_first_rows_of_each_code_and_what_lies_far_apart(given, monkeypatch):
    monkeypatch.setattr(kraken_streams, "NEAR", 3)
    made = account()
    out = made.rows[5]["refid"]
    made.pass_time()
    made.row("withdrawal", "ZEUR", "1", ref=out)
    reading = read(given(written(made.rows, LEDGER)), options=NOW)
    assert reading.expected is not None
    told = [each for each in reading.statements if isinstance(each, Movement)]
    assert {row.code for row in reading.expected.firsts} == {each.code for each in told}
    assert all(row in told for row in reading.expected.firsts)
    second = 10**9
    last = told[-1].executed_at // second
    assert [end for _, end in reading.expected.spans][-1] == last
    assert reading.assets == {row.asset for row in told}


def test_a_stream_of_trades_names_the_assets(given):
    made = account()
    reading = read(given(written(made.trades, TRADE)), options=NOW)
    told = list(reading.statements)
    assert reading.assets == {getattr(each, side) for each in told for side in ("base", "quote")}


FAULTS = {
    "a row is missing": lambda rows: rows[:7] + rows[8:],
    "a row stands twice": lambda rows: [*rows[:9], rows[4], *rows[9:]],
    "a row is told in other words": lambda rows: [*rows, {**rows[4], "fee": "9"}],
    "a row is late": lambda rows: [*rows[:9], *rows[10:], rows[9]],
    "a cell is none": lambda rows: [*rows[:9], {**rows[9], "amount": "1,5"}, *rows[10:]],
    "a cell is of two lines": lambda rows: [*rows[:9], {**rows[9], "subtype": "a\nb"}, *rows[10:]],
    "a cell is long": lambda rows: [*rows[:9], {**rows[9], "subtype": "x" * 70_000}, *rows[10:]],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_plain_is_left_to_the_careful_reader(given, fault):
    path = given(written(FAULTS[fault](account().rows), LEDGER))
    assert answer(path, NOW) == answer(path, Options())


def answer(path, options):
    """What reading says: what is in the file, or what is wrong with it."""
    try:
        reading = read(path, options=options)
    except InputError as error:
        return type(error), error.message, error.context
    assert isinstance(reading.statements, tuple)
    return reading


@pytest.mark.parametrize("change", [b"\r", b"\0", b"\xff", b'\n"'], ids=repr)
def test_a_byte_that_is_not_plain_is_left_to_the_careful_reader(given, change):
    path = given(written(account().rows, LEDGER))
    data = path.read_bytes()
    path.write_bytes(data[:500] + change + data[500:])
    assert answer(path, NOW) == answer(path, Options())


BLANK = f"\n{',' * (len(LEDGER) - 1)}\n"


@pytest.mark.parametrize("ends", ["\r\n", "\n\n", BLANK], ids=repr)
def test_other_line_ends_and_blank_lines_are_plain(given, ends):
    path = given(written(account().rows, LEDGER, ends))
    assert isinstance(read(path, options=NOW).statements, Streamed)
    same(read(path, options=NOW), read(path))


def test_a_file_that_changes_after_the_first_look_is_refused(given):
    path = given(written(account().rows, LEDGER))
    reading = read(path, options=NOW)
    os.utime(path, ns=(0, 0))
    with pytest.raises(InputError, match="changed while it was read"):
        list(reading.statements)


def test_an_empty_export_is_an_empty_stream(given):
    path = given(written([], LEDGER))
    same(read(path, options=NOW), read(path))


def test_a_row_takes_a_few_bytes(given, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 10_000)

    def most(deeds):
        path = given(written(account(deeds).rows, LEDGER))
        tracemalloc.start()
        rows = sum(1 for _ in read(path, options=NOW).statements)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return rows, peak

    few, little = most(500)
    many, much = most(3_000)
    assert (much - little) / (many - few) < 300


HEADER = ["txid", "refid", "time", "type", "subtype", "asset", "wallet", "amount", "fee", "balance"]
PLAIN = ["L1", "T1", "2024-01-01 00:00:00", "trade", "", "XXBT", "spot / main", "1.0", "0", "2"]
ODD = {
    "nothing odd": ("amount", "-0.00"),
    "an exponent": ("amount", "1E-5"),
    "no number": ("fee", "1,5"),
    "a number too long": ("balance", "9" * 21),
    "no id": ("txid", ""),
    "no type": ("type", ""),
    "no asset": ("asset", ""),
    "a fraction of a second": ("time", "2024-01-01 00:00:00.25"),
    "a day alone": ("time", "2024-01-01"),
    "no time": ("time", "2024-13-01 00:00:00"),
    "no clock": ("time", "2024-01-01 00:61:00"),
    "a fee of its own": ("feecurrency", "ZEUR"),
    "a worth": ("amountusd", "12.5"),
    "a worth of none": ("amountusd", "-"),
}


@pytest.mark.parametrize("odd", ODD)
def test_rows_read_by_columns_are_what_each_row_is(odd):
    column, value = ODD[odd]
    columns = HEADER if column in HEADER else [*HEADER, column]
    rows = [[*PLAIN, ""][: len(columns)] for _ in range(3)]
    rows[0][8] = rows[1][8] = "0.5"
    rows[1][columns.index(column)] = value
    cells = LedgerCells(Table("x.csv", columns, iter(())))
    assert attempt(lambda: cells.read_all(rows)) == attempt(
        lambda: [cells.read(0, row) for row in rows]
    )
    assert cells.read_all([]) == []


def attempt(read):
    """What is read, digit for digit, or what is wrong."""
    try:
        return str(read())
    except InputError as error:
        return type(error), error.message
