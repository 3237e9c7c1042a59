"""The tree of errors: drawn once, coded once, and each of them used."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from bursar import errors
from bursar.errors import BrokenInvariant, BursarError

ROOT = Path(__file__).parents[2]


def tree(kind=BursarError):
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


ALL = [*tree(), BrokenInvariant]


def drawing():
    """Every drawn class with the class it is drawn under."""
    found: dict = {}
    path: list = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?:  |$)", line)
        if match and hasattr(errors, match.group(2)):
            depth = len(match.group(1)) // 4
            path[depth:] = [match.group(2)]
            found[match.group(2)] = path[depth - 1] if depth else None
    return found


def test_the_drawing_is_the_tree():
    drawn = drawing()
    assert drawn.pop("BrokenInvariant") is None
    assert drawn == {
        kind.__name__: None if kind is BursarError else kind.__base__.__name__ for kind in tree()
    }


def test_every_public_class_of_the_module_is_in_the_tree():
    defined = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__
    }
    assert defined == set(ALL)


def test_every_error_has_a_code_of_its_own():
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all("code" in vars(kind) for kind in ALL)
    assert all(re.fullmatch(r"[a-z]+(?:_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.code)
def test_an_error_speaks_for_itself_and_keeps_its_context(kind):
    bare = kind()
    assert str(bare) == bare.message == kind.__doc__.partition("\n")[0]
    told = kind("what to do", account="kraken:main")
    assert (str(told), told.context) == ("what to do", {"account": "kraken:main"})


def test_a_broken_invariant_is_not_swallowed_with_the_worlds_faults():
    broken = BrokenInvariant("off by one", where="book")
    assert isinstance(broken, AssertionError)
    assert not isinstance(broken, BursarError)
    assert (str(broken), broken.context) == ("off by one", {"where": "book"})


def test_an_error_without_words_has_an_empty_message():
    class Silent(BursarError):
        pass

    Silent.__doc__ = None
    assert str(Silent()) == ""


# Named by the plan of the tree; the parts that raise them are still to come. Only ever shrinks.
AWAITED = {"Conflicted", "EntryNotFound", "FigureNotFound", "PositionNotFoundError"}


def used(names):
    """Those of the names that sources or tests use, apart from the tree itself and this file."""
    found: set[str] = set()
    for path in (*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        awaited = (name for name in names - found if name in text)  # parsing takes its time
        if path in {Path(errors.__file__), Path(__file__)} or not any(awaited):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
    return found & names


def test_every_leaf_of_the_tree_is_used_somewhere():
    leaves = {kind.__name__ for kind in ALL if not kind.__subclasses__()}
    unused = leaves - used(leaves)
    assert unused <= AWAITED, f"drawn, but used nowhere: {sorted(unused - AWAITED)}"
