"""`bursar watch` on a real terminal: it draws, draws anew at a price, and leaves it as it was."""

import asyncio
import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread

from bursar.app import SystemClock
from bursar.sim.kraken import FakeKraken, Tier, invent, serve
from bursar.sim.kraken.ws import Live, serve_ws

DAY = 86_400 * 1_000_000_000
SOURCE = Path(__file__).parents[3] / "src"
LOGIN = """\
import os, runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # `./run test &` leaves it ignored
os.login_tty(0)
runpy.run_module("bursar.cli", run_name="__main__")
"""
OF_SYNC, LIVE = b"prices of the last sync", b"prices live"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"


class Terminal:
    """A program on a terminal of its own; what it draws is collected while it runs."""

    def __init__(self, *arguments, env):
        self.seen = b""
        self._ours, theirs = pty.openpty()
        command = (sys.executable, "-c", LOGIN, *arguments)
        self._program = subprocess.Popen(
            command, env={**os.environ, **env}, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self._reading = Thread(target=self._read)
        self._reading.start()

    def _read(self):
        with suppress(OSError):  # the terminal is gone once nobody holds its other end
            while told := os.read(self._ours, 65_536):
                self.seen += told

    def press(self, key):
        os.write(self._ours, key)

    def left(self):
        """Wait for the end; return the exit code."""
        code = self._program.wait()
        self._reading.join()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._program.kill()
        self.left()
        os.close(self._ours)

    async def shows(self, text, meanwhile=None):
        """Wait for a text; `meanwhile` is done again and again, for whoever comes late."""
        while text not in self.seen:
            assert self._program.poll() is None, self.seen
            if meanwhile is not None:
                await meanwhile()
            await asyncio.sleep(0.02)


def test_watch_draws_on_a_terminal_follows_prices_and_leaves_it_as_it_was(tmp_path):
    rows = invent(3, 100).rows
    start = SystemClock().now() - (rows[-1].time - rows[0].time) - DAY
    fake = FakeKraken(invent(3, 100, start=start), clock=SystemClock(), tier=Tier.PRO)
    live = Live(fake)
    env = {
        "KRAKEN_API_KEY": fake.key,
        "KRAKEN_API_SECRET": fake.secret,
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "BURSAR_CONFIG": str(tmp_path / "config.yaml"),
        "PYTHONPATH": str(SOURCE),
        "TERM": "xterm",
        "COLUMNS": "100",
        "LINES": "60",
    }

    async def main():
        async with serve(fake) as url, serve_ws(live) as stream:
            (tmp_path / "config.yaml").write_text(
                f"portfolio: {{book: '{tmp_path / 'book.db'}'}}\n"
                f"venues: [{{region: GLOBAL, tier: pro, url: '{url}',"
                f" stream_url: '{stream}', news_url: '{stream}'}}]\n"
            )
            with Terminal("watch", env=env) as terminal:
                await terminal.shows(OF_SYNC)
                await terminal.shows(LIVE, meanwhile=live.beat)
                terminal.press(b"\x03")
                code = await asyncio.get_running_loop().run_in_executor(None, terminal.left)
                return code, terminal.seen

    code, seen = asyncio.run(main())
    assert code == 0
    assert b"Traceback" not in seen
    assert b"equity" in seen[: seen.index(OF_SYNC)]
    assert b"equity" in seen[seen.index(OF_SYNC) : seen.index(LIVE)]  # drawn anew
    assert seen.rindex(SHOWN) > seen.rindex(HIDDEN)
