"""The progress bar: only on a terminal, only for what takes a while."""

import io

from rich.console import Console

from bursar.cli import progress
from bursar.cli.progress import Bar


def test_nothing_is_shown_off_a_terminal_or_when_quiet():
    for is_terminal, is_quiet in ((False, False), (True, True)):
        out = io.StringIO()
        bar = Bar(Console(file=out, force_terminal=is_terminal), is_quiet=is_quiet)
        with bar.running():
            bar.tell("reading", 1, 2)
            assert bar._shown is None
        assert out.getvalue() == ""


def test_what_is_quick_shows_nothing():
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True), is_quiet=False)
    with bar.running():
        bar.tell("reading", 1, 2)
    assert out.getvalue() == ""


def test_what_takes_longer_shows_what_is_done(monkeypatch):
    class AtOnce:
        """A timer whose time has come."""

        def __init__(self, seconds, action):
            assert seconds == 2
            self.action = action

        def start(self):
            self.action()

        def cancel(self):
            pass

    monkeypatch.setattr(progress, "Timer", AtOnce)
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=80), is_quiet=False)
    with bar.running():
        bar.tell("reading ledgers.csv", 1, 2)
        bar.tell("folding", 0, 9)
    assert "folding" in out.getvalue()
