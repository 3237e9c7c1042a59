"""What docs/CAPITAL.md shows is so."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "CAPITAL.md"


def test_every_example_holds():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 10
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102  # our own page
