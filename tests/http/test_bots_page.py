"""What docs/BOTS.md shows is so: its Python runs, its requests are answered."""

import re
from pathlib import Path

import pytest

from bursar import Portfolio

PAGE = (Path(__file__).parents[2] / "docs" / "BOTS.md").read_text(encoding="utf-8")


def test_its_python_prints_what_it_says(capsys):
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "BOTS.md", "exec"), names)  # noqa: S102  # our own page
    assert isinstance(names["book"], Portfolio)
    names["book"].close()
    said = capsys.readouterr().out.splitlines()
    wanted = re.findall(r"^print\(.*\)  # (.*)$", PAGE, re.MULTILINE)
    assert len(wanted) == 2
    assert [line for line in said if line in wanted] == wanted


def test_each_request_is_answered(writer):
    asked = re.findall(r"```http\n(.*?)```", PAGE, re.DOTALL)
    assert len(asked) == 3
    for request in asked:
        head, _, body = request.partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split()
        headers = dict(line.split(": ") for line in lines if line)
        answer = writer.request(method, path, headers=headers, content=body.strip() or None)
        assert answer.status_code == (200 if method == "GET" else 201), answer.text


@pytest.mark.parametrize("word", ["?seq=", "1013"])
def test_the_words_of_the_wire_are_those_of_the_api(word):
    api = (Path(__file__).parents[2] / "docs" / "API.md").read_text(encoding="utf-8")
    assert word in api
    assert word in PAGE
