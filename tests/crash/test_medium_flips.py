"""One bit of a book's file flipped, or its end cut off: it is found, or it changes nothing.

A flip counts as harmless only where `bursar verify` is content and every value of every table is
what it was. Anything else must be told in plain words, and then nothing is written any more.
"""

import random
import re
import signal
import sqlite3
from contextlib import closing

import pytest

import bursar
from tests import figures
from tests.crash import damaged

pytestmark = pytest.mark.sweep
PAGE = 4096
HEADER = 100  # opening in WAL mode may set its own bytes right


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "book.db"
    damaged.make(path)
    assert damaged.faults(path) == []
    assert not path.with_name("book.db-wal").exists()  # all of it is in the one file
    return path


@pytest.fixture(scope="module")
def before(sound):
    return damaged.values(sound)


def judge(path, content, before):
    """Lay the bytes down as a book and tell whether the damage was found, or is none."""
    path.write_bytes(content)
    found = damaged.faults(path)
    if not found:
        assert damaged.values(path) == before, "a value changed, and nobody noticed"
        return False
    assert path.read_bytes()[HEADER:] == content[HEADER:]
    assert damaged.refuses_to_write(path), found
    assert path.read_bytes()[HEADER:] == content[HEADER:]
    return True


def flipped(content, at, bit):
    bad = bytearray(content)
    bad[at] ^= 1 << bit
    return bytes(bad)


@pytest.mark.slow("each flip is a file, a proof of it and a comparison of every value")
def test_a_flipped_bit_anywhere_is_found_or_changes_nothing(
    sound, before, tmp_path, record_property
):
    content, choices = sound.read_bytes(), random.Random(figures.SEED)
    found = 0
    for n in range(figures.DAMAGES):
        at, bit = choices.randrange(len(content)), choices.randrange(8)
        try:
            found += judge(tmp_path / f"{n}.db", flipped(content, at, bit), before)
        except AssertionError as error:
            raise AssertionError(f"seed {figures.SEED}, byte {at}, bit {bit}") from error
    record_property("found", found)
    assert found > figures.DAMAGES / 10


def test_a_flipped_bit_of_a_journal_row_is_always_found(sound, before, tmp_path):
    content, choices = sound.read_bytes(), random.Random(figures.SEED + 1)
    places = journal_bytes(sound, content)
    for n in range(figures.DAMAGES // 2):
        at, bit = choices.choice(places), choices.randrange(8)
        if not judge(tmp_path / f"{n}.db", flipped(content, at, bit), before):
            raise AssertionError(f"seed {figures.SEED}, byte {at}, bit {bit} was not found")


def journal_bytes(path, content):
    """Where the texts of the journal's rows stand in the file, and those of the two heads."""
    with closing(sqlite3.connect(path)) as raw:
        texts = [
            *raw.execute("SELECT key, fact, body, outcome || body, previous, hash FROM journal"),
            *raw.execute("SELECT name || base || terms, hash FROM portfolios"),
        ]
    places: set[int] = set()
    for text in {text.encode() for row in texts for text in row}:
        at = content.find(text)
        while at >= 0:
            places.update(range(at, at + len(text)))
            at = content.find(text, at + 1)
    assert len(places) > 5_000
    return sorted(places)


def test_a_file_cut_off_at_any_page_is_found(sound, before, tmp_path):
    content = sound.read_bytes()
    for pages in range(1, len(content) // PAGE):
        assert judge(tmp_path / f"{pages}.db", content[: pages * PAGE], before), pages


def test_a_file_cut_to_nothing_is_no_book_and_none_is_made_of_it(tmp_path):
    path = tmp_path / "book.db"
    path.touch()
    for portfolio in damaged.PORTFOLIOS:
        code, told = damaged.proof(path, portfolio)
        assert code == 1
        assert told["faults"] == ["book.db is empty: there is no book in it, or none any more"]
    assert path.read_bytes() == b""


def test_a_file_cut_inside_a_page_is_found(sound, before, tmp_path):
    content = sound.read_bytes()
    assert judge(tmp_path / "last.db", content[: len(content) - PAGE // 2], before)
    assert judge(tmp_path / "header.db", content[:50], before)


def test_a_page_of_zeros_or_of_another_place_is_found_or_was_empty(sound, before, tmp_path):
    content = sound.read_bytes()
    pages = [content[at : at + PAGE] for at in range(0, len(content), PAGE)]
    for n in range(1, len(pages)):
        page = bytes(PAGE) if n % 2 else pages[n - 1]
        bad = b"".join([*pages[:n], page, *pages[n + 1 :]])
        assert judge(tmp_path / f"{n}.db", bad, before), n


def test_a_schema_that_is_no_text_any_more_is_found(sound, before, tmp_path):
    content = sound.read_bytes()
    for n, word in enumerate((b"CREATE TABLE", b"CREATE INDEX", b"STRICT", b"bursar_schema")):
        at = next(each for each in found_in(content, word) if lives(tmp_path, content, each))
        for bad in (at, at + len(word) - 1):
            assert judge(tmp_path / f"{n}-{bad}.db", flipped(content, bad, 7), before), word


def found_in(content, word):
    return (match.start() for match in re.finditer(re.escape(word), content))


def lives(folder, content, at):
    """Tell whether a byte is one of the schema as it is read, and not left over in a page."""

    def read(path):
        with closing(sqlite3.connect(path)) as database:
            try:
                return database.execute("SELECT sql FROM sqlite_schema").fetchall()
            except (sqlite3.DatabaseError, UnicodeError) as error:
                return str(error)

    asked = folder / "asked.db"
    said = []
    for written in (content, flipped(content, at, 7)):
        asked.write_bytes(written)
        said.append(read(asked))
    return said[0] != said[1]


def test_a_damaged_wal_after_a_kill_gives_an_earlier_whole_book(nursery, tmp_path):
    """SQLite takes the log up to the first frame that does not hold; the rest is as if unsaid."""
    path = tmp_path / "book.db"
    damaged.make(path)
    told, code = nursery.run("desk", path=str(path), seed=figures.SEED, step="before_commit")
    assert (len(told), code) == (2, -signal.SIGKILL)
    book, log = path.read_bytes(), path.with_name("book.db-wal").read_bytes()
    choices, lost = random.Random(figures.SEED), 0
    for n in range(figures.DAMAGES // 3):
        bad = tmp_path / f"{n}.db"
        bad.write_bytes(book)
        at, bit = choices.randrange(len(log)), choices.randrange(8)
        bad.with_name(f"{n}.db-wal").write_bytes(flipped(log, at, bit))
        code, told_now = damaged.proof(bad, "main")
        assert code == 0, (f"seed {figures.SEED}, byte {at}, bit {bit}", told_now)
        with bursar.open(bad, create=False) as opened:
            lost += told[-1][0] - opened.desk.head.version
            assert opened.desk.head.version >= told[0][0] - 1
    assert lost > 0  # which is why a backup keeps the head beside it
