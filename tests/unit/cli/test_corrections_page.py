"""What docs/CORRECTIONS.md shows is what the program says."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "CORRECTIONS.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def steps():
    """Each command of the page, and the lines that it is said to answer."""
    for block in blocks("console"):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, answer = step.partition("\n")
            yield shlex.split(command), answer.splitlines()


def test_every_command_of_the_page_answers_what_is_shown(bursar, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for (program, *line), shown in steps():
        assert program == "bursar"
        code = 5 if shown[-1:] == ["Nothing was written."] and "--yes" not in line else 0
        said = [each.rstrip() for each in bursar(*line, code=code).out.splitlines()]
        assert said[: len(shown)] == shown, line
        if "--by-account" not in line:  # shown in part
            assert len(said) == len(shown), line


def test_the_page_in_python(capsys, elsewhere):
    (block,) = blocks("python")
    exec(compile(block, PAGE.name, "exec"), {})  # noqa: S102
    (told,) = re.findall(r"# ([\d,.]+ EUR)", block)
    assert capsys.readouterr().out.splitlines() == [told, "['main']"]
