"""Damaged files: each is read or refused by name. Nothing else may happen."""

from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

import bursar
from bursar.errors import BursarError
from bursar.ledger import golden, projection
from bursar.venue.files import read
from tests import figures

SAMPLES = Path(str(files("bursar.samples")))
STORY = SAMPLES / "kraken-story-a"
FILES = sorted([*STORY.glob("*.csv"), *(SAMPLES / "binance-story-a").glob("*history*.csv")])
IMPORTED = ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv", "prices.csv")
JOURNAL = "story.journal"


def nul(data, random):
    at = random.randrange(len(data))
    return data[:at] + b"\0" + data[at:]


def cut(data, random):
    return data[: random.randrange(len(data))]


def a_column_less(data, random):
    lines = data.splitlines(keepends=True)
    at = random.randrange(len(lines))
    lines[at] = lines[at].partition(b",")[2]
    return b"".join(lines)


def a_column_more(data, random):
    lines = data.splitlines(keepends=True)
    at = random.randrange(len(lines))
    lines[at] = b'"extra",' + lines[at]
    return b"".join(lines)


def a_huge_cell(data, random):
    at = random.randrange(len(data))
    return data[:at] + random.choice([b"9", b"x", b",", b'"', b"\n"]) * 100_000 + data[at:]


def other_bytes(data, random):
    changed = bytearray(data)
    for _ in range(random.randint(1, 20)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def other_text(data, random):
    changed = bytearray(data)
    for _ in range(random.randint(1, 5)):
        changed[random.randrange(len(changed))] = random.choice(b'0123456789-.,"eE:/ \r\n')
    return bytes(changed)


def lines_moved(data, random):
    lines = data.splitlines(keepends=True)
    random.shuffle(lines)
    return b"".join(lines[: random.randint(1, len(lines))])


def twice(data, random):
    return data + data


def another_alphabet(data, random):
    return data.decode().encode(random.choice(["utf-16", "utf-32", "utf-16-be"]))


DAMAGE = [
    nul,
    cut,
    a_column_less,
    a_column_more,
    a_huge_cell,
    other_bytes,
    other_text,
    lines_moved,
    twice,
    another_alphabet,
]


@pytest.fixture(scope="module")
def book():
    with bursar.open(":memory:", terms=bursar.Terms(base="EUR")) as portfolio:
        portfolio.import_files(*(STORY / name for name in IMPORTED))
        yield portfolio


@pytest.fixture(scope="module")
def texts(book):
    exported = "\n".join(golden.write(book.terms, (row.entry() for row in book.journal())))
    return {path.name: path.read_bytes() for path in FILES} | {JOURNAL: exported.encode()}


@pytest.mark.sweep
@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", [*(path.name for path in FILES), JOURNAL])
def test_a_damaged_file_is_refused_by_name_or_read_and_changes_nothing(
    name, damage, book, texts, tmp_path
):
    before = projection.digest(book.timeline.book), book.desk.store.head()
    mutant = tmp_path / name
    for seed in range(figures.MUTANTS):
        random = Random(f"{figures.SEED} {seed} {name} {damage.__name__}")
        mutant.write_bytes(damage(texts[name], random))
        refusal = name
        try:
            entries = book.read_files(mutant).entries()
        except BursarError as error:
            refusal, entries = error.message, []
        with suppress(BursarError):
            book.desk.stage(entries)
        assert name in refusal or "journal is kept in" in refusal, f"seed {seed}: {refusal}"
        assert len(refusal) < 1000, f"seed {seed}"
    assert (projection.digest(book.timeline.book), book.desk.store.head()) == before


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_another_spelling_of_the_same_file_is_the_same(path, tmp_path):
    right = read(path)
    data = path.read_bytes()
    random = Random(figures.SEED)
    lines = data.splitlines()
    spellings = [
        b"\xef\xbb\xbf" + data,
        data.replace(b"\n", b"\r\n"),
        data.replace(b"\n", b"\r"),
        b"".join(line + random.choice([b"\n", b"\r\n", b"\r"]) for line in lines),
        data.rstrip(b"\n"),
        data + b"\n\n\n",
    ]
    for number, spelling in enumerate(spellings):
        made = tmp_path / path.name
        made.write_bytes(spelling)
        assert read(made) == right, number
