"""docs/ACCEPTANCE.md: every test that it names is there, and every number has its line."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ACCEPTANCE.md").read_text("utf-8")
FILES = dict(re.findall(r"^\| `([a-z-]+)` \| `(tests/[a-z_/]+\.py)` \|$", PAGE, re.MULTILINE))
NAMED = re.findall(r"`([a-z-]+)::(test_\w+)`", PAGE)
CASES = 60


def test_every_test_that_is_named_is_there():
    assert len(NAMED) > 100
    for short, name in NAMED:
        source = (ROOT / FILES[short]).read_text("utf-8")
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{short}::{name}"


def test_every_file_and_story_that_is_named_is_there():
    for path in FILES.values():
        assert (ROOT / path).is_file(), path
    for story in re.findall(r"`golden/([a-z-]+)`", PAGE):
        assert story == "x" or (ROOT / f"tests/golden/{story}.journal").is_file(), story


def test_every_short_name_is_used():
    used = {short for short, _ in NAMED} | set(re.findall(r"`([a-z-]+)`", PAGE.split("## ", 1)[1]))
    assert FILES.keys() <= used, FILES.keys() - used


def test_every_nasty_case_has_its_line():
    lines = re.findall(r"^\| ([0-9, ]+) \|", PAGE, re.MULTILINE)
    told = [int(each) for line in lines for each in line.split(",")]
    assert told == list(range(1, CASES + 1))
