"""A file is there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from bursar.errors import BadChoice
from bursar.store.whole import whole


def test_a_file_appears_when_it_is_whole_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "a"
    with whole(path) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def broken_off(file):
    file.write(b"half")
    raise ZeroDivisionError


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), whole(path) as file:
        broken_off(file)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with (
        pytest.raises(BadChoice, match=r"no folder .*nowhere to write a"),
        whole(tmp_path / "nowhere" / "a"),
    ):
        pass


def test_a_file_is_replaced_only_when_that_is_meant(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(BadChoice, match="there already"), whole(path, replace=False):
        raise AssertionError("nothing may be written")
    with whole(path) as file:
        file.write(b"after")
    assert path.read_text() == "after"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(BadChoice), whole(path, replace=False):
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_dangling_link_is_a_name_that_is_taken(tmp_path):
    path = tmp_path / "a"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BadChoice), whole(path, replace=False):
        raise AssertionError("nothing may be written")


def test_without_hard_links_it_works_as_well(tmp_path, monkeypatch):
    def refused(self, target):
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refused)
    path = tmp_path / "a"
    with whole(path, replace=False) as file:
        file.write(b"one")
    assert path.read_bytes() == b"one"
    with pytest.raises(BadChoice), whole(path, replace=False):
        raise AssertionError("nothing may be written")
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a", []

    def sync(handle):
        seen.append((stat.S_ISDIR(os.fstat(handle).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    with whole(path, replace=False) as file:
        file.write(b"one")
    assert seen == [(False, False), (True, True)]


def test_a_file_that_cannot_be_made_is_named_by_its_own_name(tmp_path):
    path = tmp_path / ("a" * 250)  # the name of the one beside it is too long for the disk
    with pytest.raises(OSError, match="too long") as caught, whole(path):
        pytest.fail("there is no file to write to")
    assert caught.value.filename == str(path)
