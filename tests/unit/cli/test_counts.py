"""Numbers on a command line are plain digits, of every command."""

import inspect
from typing import get_args

import pytest
from cyclopts import Parameter

from bursar.cli.commands import _app

COUNTS = {int, float, int | None, float | None}


def commands(app):
    for name in app:
        if name.startswith("-"):
            continue
        inner = app[name]
        if inner.default_command is not None:
            yield inner.default_command
        yield from commands(inner)


def test_no_command_leaves_a_number_to_the_library():
    seen = 0
    for command in commands(_app()):
        for param in inspect.signature(command, eval_str=True).parameters.values():
            kinds = get_args(param.annotation) or (param.annotation,)
            parts = {*kinds, *(part for each in kinds for part in get_args(each))}
            if parts & {int, float}:
                seen += 1
                told = [each for each in kinds if isinstance(each, Parameter)]
                optional = [p for each in kinds for p in get_args(each) if isinstance(p, Parameter)]
                assert any(each.converter for each in (*told, *optional)), (command, param)
    assert seen > 10


@pytest.mark.parametrize("said", ["1_0", "0x5", "2.6", "5.0", "٥", " 3", "1e1", "+3"])
def test_what_is_a_number_to_the_library_alone_is_refused(bursar, said):
    assert "is not a whole number such as 10" in bursar("flows", "--limit", said, code=2).err


@pytest.mark.parametrize("said", ["1_0", "nan", "inf", "1e1", ".5"])
def test_so_it_is_of_spans_of_time(bursar, said):
    assert "is not a plain decimal number" in bursar("demo", "--speed", said, code=2).err
