"""The demo as a process, a browser with one page, and a wire between them that can be cut.

All live as long as one module: the driver keeps an event loop that others may not meet, and a page
is dear to open. Every test gets the page as it was opened, at the size and theme that it asks for.
Beside the demo there is a book of one's own, served from this process, for what no demo does.

Where no Chromium is here the tests are skipped, and that is said loudly: ci/apt.txt installs it.
"""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager, suppress

import pytest
import uvicorn

import bursar
from bursar.config import HttpSettings, PortfolioSettings, Settings
from bursar.serve.service import Service

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
                far = None if self._is_cut else self._reached()
                if far is None:
                    near.close()
                    continue
                self._ends |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _reached(self):
        """The other port, or nothing where nobody is there any more."""
        try:
            return socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            return None

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
        told = running.stdout.read()
    assert "the books close" in " ".join(told.split()), told  # it says what came to pass
    assert not list(place.iterdir())  # nothing is left where it was started


@pytest.fixture(scope="module")
def wire(demo):
    made = Wire(demo)
    yield made
    made.close()


class Own:
    """A book served from this process, and the thread in which it is written to."""

    def __init__(self, settings, clock=None):
        self.service = Service(settings, clock=clock, beside=(self._begin,))
        self._begun = threading.Event()
        config = uvicorn.Config(self.service, log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([self._door],))
        self._thread.start()
        assert self._begun.wait(20)

    async def _begin(self, opened):
        self._opened, self._loop = opened, asyncio.get_running_loop()
        self._begun.set()

    def do(self, deed):
        """Do something with the portfolio, in the thread that owns it, and publish it."""

        async def done():
            found = deed(self._opened.service.portfolio)
            self.service.publisher.touch()
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def close(self):
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture
def own(tmp_path):
    place = str(tmp_path / "book.db")
    bursar.open(place).close()
    http = HttpSettings(publish_every_ms=10)  # more often than any page may draw
    made = Own(Settings(portfolio=PortfolioSettings(book=place, http=http)))
    yield made
    made.close()


@contextmanager
def looking(browser, port):
    """A page, and what is wrong with it: its complaints, and requests to anybody else."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", accept_downloads=True
    )
    shown, wrong = context.new_page(), []
    here = f"127.0.0.1:{port}"

    def asked(request):
        wrong.extend([] if here in request.url else [request.url])

    def said(message):  # that the wire was cut is no complaint, nor what a test has refused
        asked = message.location["url"]
        expected = "ERR_" in message.text or "rebalance-plan" in asked or "report/file" in asked
        wrong.extend([message.text] if message.type == "error" and not expected else [])

    shown.on("request", asked)
    shown.on("console", said)
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.goto(f"http://{here}/")
    shown.wait_for_selector("body[data-state=live]")
    yield shown, wrong
    context.close()


@pytest.fixture(scope="module")
def opened(browser, wire):
    with looking(browser, wire.port) as found:
        yield found


@pytest.fixture
def page(opened, wire):
    """The page of the demo as it was opened; whatever is wrong with it by the end is a failure."""
    shown, wrong = opened
    wire.mend()
    see(shown, "light", (1440, 900))
    shown.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    shown.wait_for_selector("body[data-state=live] #feed li[data-id]")
    yield shown
    shown.evaluate("() => document.getElementById('why').close()")
    found, wrong[:] = wrong[:], []
    assert found == []


@pytest.fixture
def own_page(browser, own):
    """The page of one's own book, likewise."""
    with looking(browser, own.port) as (shown, wrong):
        yield shown
        assert wrong == []


@pytest.fixture
def refused_page(browser, own):
    """Likewise; what it asks for before it has a token may be refused."""
    with looking(browser, own.port) as (shown, wrong):
        yield shown
        assert [each for each in wrong if "401 (Unauthorized)" not in each] == []


def see(page, theme, size):
    """Show the page in a theme, at a size."""
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": size[0], "height": size[1]})
