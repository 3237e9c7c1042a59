"""docs/ACCEPTANCE*.md: every test that is named is there, and every nasty case has its line."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("ACCEPTANCE*.md"))
CASES = 60


def text_of(page):
    return page.read_text("utf-8")


def files_of(text):
    return dict(re.findall(r"^\| `([a-z-]+)` \| `(tests/[a-z_/]+\.py)` \|$", text, re.MULTILINE))


def named_in(text):
    return re.findall(r"`([a-z-]+)::(test_\w+)`", text)


def rows_of(text):
    """The rows of all tables but that of short names, without their heads."""
    for table in re.findall(r"^\|.*\n\|[-|]+\|\n((?:\|.*\n?)*)", text, re.MULTILINE):
        for row in table.splitlines():
            if not re.fullmatch(r"\| `[a-z-]+` \| `tests/\S+` \|", row):
                yield row


pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pages
def test_every_test_that_is_named_is_there(page):
    text = text_of(page)
    files, named = files_of(text), named_in(text)
    assert len(named) > 30
    for short, name in named:
        source = (ROOT / files[short]).read_text("utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{short}::{name}"


@pages
def test_every_file_and_story_that_is_named_is_there(page):
    text = text_of(page)
    for path in files_of(text).values():
        assert (ROOT / path).is_file(), path
    for story in re.findall(r"`golden/([a-z-]+)`", text):
        assert story == "x" or (ROOT / f"tests/golden/{story}.journal").is_file(), story
    for path in re.findall(r"`((?:bench|examples|deploy)/[\w.]+)`", text):
        assert (ROOT / path).is_file(), path


@pages
def test_every_short_name_is_used(page):
    text = text_of(page)
    used = {short for short, _ in named_in(text)}
    used |= set(re.findall(r"`([a-z-]+)`", text.split("## ", 1)[1]))
    assert files_of(text).keys() <= used, files_of(text).keys() - used


@pages
def test_every_line_is_shown_or_says_that_it_is_not(page):
    text = text_of(page)
    shown = re.compile(r"`[a-z/-]+(?:::test_\w+)?`|`bench/|not built|not shown|open|next table")
    for row in rows_of(text):
        assert shown.search(row.rsplit("|", 2)[1]), row


def test_every_nasty_case_has_its_line():
    text = text_of(ROOT / "docs/ACCEPTANCE.md")
    lines = re.findall(r"^\| ([0-9, ]+) \|", text, re.MULTILINE)
    told = [int(each) for line in lines for each in line.split(",")]
    assert told == list(range(1, CASES + 1))
