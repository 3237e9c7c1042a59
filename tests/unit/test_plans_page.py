"""What docs/PLANS.md says is true: its Python runs and prints that, its file is read."""

import re
from pathlib import Path

import pytest

from bursar.plan import Action, Reason
from bursar.portfolio import weights_file

PAGE = Path(__file__).parents[2] / "docs" / "PLANS.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_its_python_prints_what_it_says(capsys):
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102
        told = [line.partition("# ")[2] for line in block.splitlines() if "# " in line]
        said = [each for each in told if not each.startswith("or a portfolio")]
        assert capsys.readouterr().out.splitlines() == said


def test_its_file_is_read(tmp_path):
    (block,) = blocks("yaml")
    file = tmp_path / "weights.yaml"
    file.write_text(block)
    wanted = weights_file.read(file)
    assert wanted.constraints.relative_band is not None
    assert wanted.allocation.constraints == wanted.constraints


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_in_its_table(reason):
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", PAGE.read_text(), re.MULTILINE)
    assert dict(rows)[reason.value] in {each.value for each in Action}
    assert len(rows) == len(Reason)
