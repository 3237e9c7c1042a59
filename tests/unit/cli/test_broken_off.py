"""A listing as JSON that fails midway: no second document on stdout, and stderr says why."""

from collections.abc import Iterator

import pytest

from bursar.cli import faults
from bursar.cli.session import Session
from bursar.errors import StoreError


def _items() -> Iterator[str]:
    yield "first"
    raise StoreError("the disk went away")


def test_an_error_midway_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreError) as caught:
        Session(book="nowhere.db", wants_json=True).tell({"items": _items()})
    code = faults.told(caught.value, wants_json=True)
    out, err = capsys.readouterr()
    assert code == faults.STORE
    assert "first" in out
    assert "error" not in out
    assert faults.BROKEN_OFF in err
    assert "the disk went away" in err
