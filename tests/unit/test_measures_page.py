"""What docs/MEASURES.md says is true: its Python runs and prints what stands beside it."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "MEASURES.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_its_python_prints_what_it_says(block, capsys):
    exec(compile(block, PAGE.name, "exec"), {})  # noqa: S102
    said = re.findall(r"^print\(.*\) +# (.+)$", block, re.MULTILINE)
    assert len(said) == block.count("print(")
    assert capsys.readouterr().out.splitlines() == said
