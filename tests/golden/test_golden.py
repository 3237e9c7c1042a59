"""Every golden file plays back to itself, and its facts make one book however they arrive."""

import random
import re
from pathlib import Path

import pytest

from bursar.errors import BursarError
from bursar.ledger import audit, golden
from bursar.ledger.golden import read, read_line, read_terms, write, write_line
from bursar.ledger.journal import Outcome
from bursar.ledger.planning import planned
from bursar.ledger.projection import digest
from bursar.ledger.timeline import Timeline
from tests import figures

FILES = sorted(Path(__file__).parent.glob("*.journal"))
VERDICTS = re.compile(r"\s(conflict|refused)\s", re.ASCII)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def statements_of(path):
    return [line for line in lines_of(path) if line and line[0] not in "#@="]


def is_agreed(path):
    """Whether no statement of the file is refused or contradicts another: then order is free."""
    return not any(VERDICTS.search(line) for line in statements_of(path))


def commits(path):
    """The entries of a file, commit by commit."""
    held, inside = [], False
    for line in statements_of(path):
        word = line.split()[0]
        if word in {"begin", "commit"}:
            inside = word == "begin"
        else:
            held.append(read_line(line))
        if not inside:
            yield held
            held = []


def told(path):
    """The timeline of a file, and the entries that were not refused."""
    timeline = Timeline(read_terms(lines_of(path)))
    entries = []
    for commit in commits(path):
        try:
            timeline.land(planned(timeline, commit))
        except BursarError:
            continue
        entries += commit
    return timeline, entries


def words(lines):
    return [" ".join(line.split()) for line in lines]


def by_name(paths):
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def test_there_are_files_enough_and_each_says_what_it_shows():
    assert len(FILES) >= 64
    for path in FILES:
        assert path.read_text(encoding="utf-8").startswith("# "), path.name


@by_name(FILES)
def test_a_text_gives_back_itself(path):
    text = lines_of(path)
    assert words(golden.play(text)) == words(text)


@by_name(FILES)
def test_what_is_written_reads_the_same(path):
    text = lines_of(path)
    entries = list(read(text))
    written = list(write(read_terms(text), entries))
    assert list(read(written)) == entries
    assert read_terms(written) == read_terms(text)
    assert [write_line(entry) for entry in read(written)] == [write_line(each) for each in entries]


@by_name([path for path in FILES if is_agreed(path)])
def test_any_order_in_one_commit_makes_the_same_book(path):
    timeline, entries = told(path)
    expected = digest(timeline.book)
    rng = random.Random(f"{figures.SEED} {path.stem}")
    for _ in range(4):
        rng.shuffle(entries)
        other = Timeline(timeline.terms)
        other.land(planned(other, entries))
        assert list(other) == list(timeline)
        assert digest(other.book) == expected
        assert not audit.breaches(other.book)


@by_name([path for path in FILES if is_agreed(path) and "@ strict" not in lines_of(path)])
def test_any_order_one_by_one_makes_the_same_book(path):
    timeline, entries = told(path)
    if any(timeline.terms.account(each.account).source.value == "manual" for each in entries):
        entries.sort(key=lambda each: each.executed_at)
    else:
        random.Random(f"{figures.SEED} {path.stem}").shuffle(entries)
    other = Timeline(timeline.terms)
    for entry in entries:
        other.land(planned(other, [entry], trace=True))
    assert list(other) == list(timeline)
    assert digest(other.book) == digest(timeline.book)


@by_name(FILES)
def test_a_second_delivery_changes_nothing(path):
    timeline, entries = told(path)
    before = digest(timeline.book)
    for entry in entries:
        plan = planned(timeline, [entry])
        assert plan.ruled[0].verdict.outcome is not Outcome.RECORDED
        assert plan.recorded == []
        timeline.land(plan)
    assert digest(timeline.book) == before
