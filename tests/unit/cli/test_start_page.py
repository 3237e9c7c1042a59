"""What docs/index.md has one type is what works, on files named as Kraken names them."""

import re
import shlex
from pathlib import Path
from shutil import copy

from tests.unit.cli.conftest import STORY

PAGE = (Path(__file__).parents[3] / "docs" / "index.md").read_text(encoding="utf-8")
FILES = {
    "ledgers.csv": "ledgers.gen4-16col.csv",
    "trades.csv": "trades.gen2-24col.csv",
    "prices.csv": "prices.csv",
}


def test_its_commands_run_in_their_order(bursar):
    for name, sample in FILES.items():
        copy(STORY / sample, name)
    lines = re.findall(r"^\$ bursar (.*)$", PAGE, re.MULTILINE)
    assert lines[0].startswith("import")
    assert lines[-1] == "init"
    for line in lines:
        assert bursar(*shlex.split(line)).out
