"""The demo as a process, a browser with one page, and a wire between them that can be cut.

All live as long as one module: the driver keeps an event loop that others may not meet, and a page
is dear to open. Every test gets the page as it was opened, at the size and theme that it asks for.

Where no Chromium is here the tests are skipped, and that is said loudly: ci/apt.txt installs it.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import warnings
from contextlib import suppress

import pytest

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class Wire:
    """Hands a port on to another, until it is cut; mended, it does so again."""

    def __init__(self, port):
        self._to = port
        self._ends = set()
        self._is_cut = False
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._is_cut = True
        for end in list(self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._is_cut = False

    def close(self):
        self.cut()
        self._door.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                if self._is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._ends |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, one, other):
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
        for end in (one, other):
            self._ends.discard(end)
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture(scope="module")
def browser():
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        warnings.warn("no Chromium is here: NOTHING of the page is tested", stacklevel=1)
        pytest.skip("no Chromium is here; ci/apt.txt names the package")
    driver = pytest.importorskip("playwright.sync_api", reason="no driver of browsers is installed")
    with driver.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=binary, args=[*FLAGS])
        yield running
        running.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The port of a demo that runs as somebody would start it, in a folder of its own."""
    place = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "bursar.cli", "demo", "--port", "0", "--seconds", "90"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            found = next(filter(None, (re.search(r":(\d+)$", line) for line in running.stdout)))
            yield int(found[1])
        finally:
            running.terminate()
    assert not list(place.iterdir())  # nothing is left where it was started


@pytest.fixture(scope="module")
def wire(demo):
    made = Wire(demo)
    yield made
    made.close()


@pytest.fixture(scope="module")
def opened(browser, wire):
    """The page and what is wrong with it: its complaints, and requests to anybody else."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    shown, wrong = context.new_page(), []
    here = f"127.0.0.1:{wire.port}"

    def asked(request):
        wrong.extend([] if here in request.url else [request.url])

    def said(message):  # that the wire was cut is no complaint, nor that weights were refused
        expected = "ERR_" in message.text or "rebalance-plan" in message.location["url"]
        wrong.extend([message.text] if message.type == "error" and not expected else [])

    shown.on("request", asked)
    shown.on("console", said)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.goto(f"http://{here}/")
    yield shown, wrong
    context.close()


@pytest.fixture
def page(opened, wire):
    """The page as it was opened; whatever is wrong with it by the end is a failure."""
    shown, wrong = opened
    wire.mend()
    see(shown, "light", (1440, 900))
    shown.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    shown.wait_for_selector("body[data-state=live] #feed li[data-id]")
    yield shown
    shown.evaluate("() => document.getElementById('why').close()")
    found, wrong[:] = wrong[:], []
    assert found == []


def see(page, theme, size):
    """Show the page in a theme, at a size."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
