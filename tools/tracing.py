"""A plugin of pytest: which lines of the pure rows run, in the tests that are there to take them.

Tracing makes a test half as fast. So it is on while these rows are loaded and in the tests named
here, and off in all others. It is off in property tests too: of what their two hundred examples
take, every branch has an example that somebody has chosen, or the gate says that it has none.
"""

import importlib
import os
import pkgutil
from collections.abc import Generator
from pathlib import Path

import pytest
from coverage import Coverage

# Rows 0–3b of the floor plan: pure, so every branch can be reached, and must be.
COVERED = ("exact", "errors", "ledger", "value", "measure", "plan", "capital", "reconcile")
_TESTS = Path("tests")
# The folders and files whose tests take these branches.
_TAKING = {
    *(_TESTS / "unit" / name for name in COVERED),
    *(_TESTS / "unit" / f"test_{name}.py" for name in COVERED),
    *(_TESTS / "unit" / name for name in ("desk", "portfolio")),
    _TESTS / "golden",
}
# Of those, the dear ones that take no branch which no other takes.
_NOTHING_NEW = {
    *(_TESTS / "unit" / "portfolio" / f"test_{name}.py" for name in ("hand", "past", "portfolio")),
    _TESTS / "unit" / "portfolio" / "test_spelled.py",
    _TESTS / "unit" / "ledger" / "test_fold_fast_path.py",
    _TESTS / "unit" / "ledger" / "test_lots_complexity.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before anything of ours is loaded, in the processes that run tests: with workers, in
    those alone.
    """
    has_workers = getattr(early_config.known_args_namespace, "numprocesses", None)
    if not has_workers or "PYTEST_XDIST_WORKER" in os.environ:
        early_config.pluginmanager.register(Tracing(early_config.rootpath))


class Tracing:
    """A tracer that is on or off."""

    def __init__(self, root: Path) -> None:
        self._root, self._is_on = root, False
        self._coverage = Coverage()
        self._turn(is_on=True)
        self._kept = _loaded()

    def pytest_collection_finish(self) -> None:
        """What is loaded from now on is none of these rows."""
        self._turn(is_on=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Be on for a test that is there to take a branch, and off for another."""
        path = item.path.relative_to(self._root)
        is_taking = not _TAKING.isdisjoint((path, *path.parents)) and path not in _NOTHING_NEW
        self._turn(is_on=is_taking and item.get_closest_marker("hypothesis") is None)
        if self._is_on:
            for function in self._kept:  # what was found by a test untraced would hide its lines
                function.cache_clear()  # type: ignore[attr-defined]
        return (yield)

    def pytest_sessionfinish(self) -> None:
        """Write down what ran."""
        self._turn(is_on=False)
        self._coverage.save()

    def _turn(self, *, is_on: bool) -> None:
        if is_on is self._is_on:
            return
        self._is_on = is_on
        if is_on:
            self._coverage.start()
        else:
            self._coverage.stop()


def _loaded() -> list[object]:
    """Load these rows, so that no test is the first to; return the functions that keep answers."""
    modules = []
    for name in COVERED:
        module = importlib.import_module(f"bursar.{name}")
        found = pkgutil.walk_packages(getattr(module, "__path__", []), f"{module.__name__}.")
        modules += [module, *(importlib.import_module(each.name) for each in found)]
    values = {id(value): value for module in modules for value in vars(module).values()}
    return [value for value in values.values() if hasattr(value, "cache_clear")]
