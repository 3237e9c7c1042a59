"""What MEASURES and REPORTS say is true: their Python runs and prints what stands beside it."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = [
    block
    for name in ("MEASURES.md", "REPORTS.md")
    for block in re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_its_python_prints_what_it_says(block, capsys):
    exec(compile(block, "the page", "exec"), {})  # noqa: S102
    said = re.findall(r"^print\(.*\) +# (.+)$", block, re.MULTILINE)
    assert len(said) == block.count("print(")
    assert capsys.readouterr().out.splitlines() == said
