"""Damaged activities and generic lists: each is read or refused by name, and nothing else."""

import json
import re
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from random import Random

import pytest

import bursar
from bursar.errors import BursarError
from bursar.ledger import projection
from bursar.venue.files import read
from tests import figures
from tests.unit.test_files_page import PAGE
from tests.venue.test_mutants import DAMAGE

STORY = Path(str(files("bursar.samples") / "alpaca-story-a"))
(EXAMPLE,) = re.findall(r"^```csv\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
TEXTS = {
    "activities.all.json": (STORY / "activities.all.json").read_bytes(),
    "activities.csv": (STORY / "activities.csv").read_bytes(),
    "mine.csv": EXAMPLE.encode(),
}
VALUES = [
    b"NaN",
    b"-Infinity",
    b"1E999999",
    b"-1e-999999",
    b"9" * 10_000,
    b"0.1" + b"0" * 100,
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"[" * 600 + b"]" * 600,
    b'""',
    rb'"\ud800"',
    rb'"\u0000"',
    b'"a\x01b"',
    b'"1_000"',
    '"٣"'.encode(),
    b'"2025-02-30"',
    b'"FILL"',
    b'"canceled"',
    b'"SPLIT"',
    b'"MA"',
    b'"BTC/USD"',
    b"0",
    b"-1",
]


def another_value(data, random):
    """One value of one field is something else."""
    places = list(re.finditer(rb'": ("[^"]*")', data))
    chosen = random.choice(places)
    return data[: chosen.start(1)] + random.choice(VALUES) + data[chosen.end(1) :]


def a_field_twice(data, random):
    rows = json.loads(data)
    row = json.dumps(random.choice(rows))
    name = random.choice(sorted(json.loads(row)))
    return f'[{row[:-1]}, "{name}": "x"}}]'.encode()


def a_field_less(data, random):
    rows = json.loads(data)
    row = random.choice(rows)
    del row[random.choice(sorted(row))]
    return json.dumps(rows).encode()


def values_swapped(data, random):
    rows = json.loads(data)
    one, other = random.choice(rows), random.choice(rows)
    name, another = random.choice(sorted(one)), random.choice(sorted(other))
    one[name], other[another] = other[another], one[name]
    return json.dumps(rows).encode()


def brackets(data, random):
    changed = bytearray(data)
    for _ in range(random.randint(1, 3)):
        changed[random.randrange(len(changed))] = random.choice(b'[]{},:"\\')
    return bytes(changed)


JSON_DAMAGE = [another_value, a_field_twice, a_field_less, values_swapped, brackets]
CASES = [(name, damage) for name in TEXTS for damage in DAMAGE]
CASES += [("activities.all.json", damage) for damage in JSON_DAMAGE]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    example = tmp_path_factory.mktemp("mine") / "mine.csv"
    example.write_text(EXAMPLE)
    with bursar.open(":memory:") as portfolio:
        portfolio.import_files(STORY / "activities.all.json", example)
        yield portfolio


@pytest.mark.sweep
@pytest.mark.parametrize("name,damage", CASES, ids=lambda each: getattr(each, "__name__", each))
def test_a_damaged_file_is_refused_by_name_or_read_and_changes_nothing(
    name, damage, book, tmp_path
):
    before = projection.digest(book.timeline.book), book.desk.store.head()
    mutant = tmp_path / name
    for seed in range(figures.MUTANTS):
        random = Random(f"{figures.SEED} {seed} {name} {damage.__name__}")
        mutant.write_bytes(damage(TEXTS[name], random))
        refusal = name
        try:
            entries = book.read_files(mutant).entries()
        except BursarError as error:
            refusal, entries = error.message, []
        with suppress(BursarError):
            book.desk.stage(entries)
        assert name in refusal, f"seed {seed}: {refusal}"
        assert len(refusal) < 1000, f"seed {seed}"
    assert (projection.digest(book.timeline.book), book.desk.store.head()) == before


@pytest.mark.parametrize("name", TEXTS)
def test_another_spelling_of_the_same_file_is_the_same(name, tmp_path):
    made = tmp_path / name
    made.write_bytes(TEXTS[name])
    right = read(made)
    for number, spelling in enumerate(
        [
            b"\xef\xbb\xbf" + TEXTS[name],
            TEXTS[name].replace(b"\n", b"\r\n"),
            TEXTS[name].rstrip(b"\n"),
            TEXTS[name] + b"\n\n\n",
        ]
    ):
        made.write_bytes(spelling)
        assert read(made) == right, number


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_mutant_states_is_told_to_the_golden_language_and_back(name, tmp_path):
    """What is read from damaged text is still a statement that can be written down."""
    from bursar.ledger import golden

    mutant = tmp_path / name
    for seed in range(figures.MUTANTS):
        random = Random(f"{figures.SEED} {seed} {name}")
        mutant.write_bytes(random.choice(DAMAGE)(TEXTS[name], random))
        with suppress(BursarError):
            for said in read(mutant).statements:
                assert list(golden.read(["@ base USD", golden.write_line(said)])) == [said]
