"""The progress bar: only on a terminal, only for what takes a while."""

import io

from rich.console import Console

from bursar.cli import progress
from bursar.cli.progress import Bar
from bursar.cli.session import Session


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


class AtOnce:
    """A timer whose time has come."""

    def __init__(self, _, action):
        self.start = action

    def cancel(self):
        pass


def test_the_bar_makes_way_for_an_answer_on_the_terminal_alone(monkeypatch):
    monkeypatch.setattr(progress, "Timer", AtOnce)
    for is_terminal in (True, False):
        session = Session("none.db")
        screen = session.screen
        screen.remarks = Console(file=io.StringIO(), force_terminal=True, width=80)
        screen._console = Console(file=io.StringIO(), force_terminal=is_terminal)
        session.bar.start()
        session.bar.start()  # as often as one likes
        session.bar.tell("reading the journal", 2, 2)
        assert session.bar._step[0] == "working"  # what follows has no measure
        assert session.bar._shown is not None
        screen.print("an answer")
        assert (session.bar._shown is None) is is_terminal
        session.rest()
        assert session.bar._shown is None


def test_a_bar_whose_time_comes_when_all_is_over_is_not_shown(monkeypatch):
    late = []

    class Late(AtOnce):
        def __init__(self, _, action):
            late.append(action)

        def start(self):
            pass

    monkeypatch.setattr(progress, "Timer", Late)
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True), is_quiet=False)
    with bar.running():
        pass
    late[0]()
    assert bar._shown is None
    assert out.getvalue() == ""
