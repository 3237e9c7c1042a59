"""The service as a process of its own: start, WebSocket, another writer, kill, stop."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

import bursar
from bursar.config import HttpSettings, PortfolioSettings, Settings
from bursar.errors import BadChoice, Unguarded
from bursar.ledger.golden import read
from bursar.serve import running
from bursar.serve.service import Service

SOURCE = Path(bursar.__file__).parents[1]
LATER = "2026-03-01T10:00:00Z deposit 500 USD #m:9"
STOP_S = 5


@contextmanager
def serving(place):
    """The address of a service, and its process."""
    command = [sys.executable, "-m", "bursar.cli", "serve", "--port", "0", "--json"]
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "BURSAR_BOOK": str(place)}
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out = process.stdout
            assert out is not None
            yield json.loads("".join(out.readline() for _ in range(3)))["url"], process
        finally:
            process.kill()


def get(url, path):
    return httpx2.get(f"{url}{path}", trust_env=False)


async def told(url, count, *, after=None):
    """The first messages of a WebSocket."""
    query = "" if after is None else f"?seq={after}"
    where = url.replace("http", "ws") + "/ws/portfolio" + query
    async with connect(where, proxy=None) as channel:
        return [json.loads(await channel.recv()) for _ in range(count)]


def test_a_service_lives_is_killed_and_lives_again(place):
    with serving(place) as (url, process):
        assert get(url, "/health").status_code == 200
        (first,) = asyncio.run(told(url, 1))
        assert first["type"] == "portfolio.snapshot"
        snapshot = get(url, "/api/portfolio/snapshot").json()
        assert first["data"]["snapshot"]["positions"] == snapshot["positions"]

        with bursar.open(place) as other:  # another process commits
            other.record(*read((LATER,)))
        resumed, *news = asyncio.run(told(url, 2, after=first["seq"]))
        assert (resumed["type"], resumed["seq"]) == ("portfolio.resumed", first["seq"])
        assert (news[0]["type"], news[0]["seq"]) == ("portfolio.delta", first["seq"] + 1)
        before = first["data"]["snapshot"]["cash_balance"]
        assert news[0]["data"]["snapshot"]["set"]["cash_balance"] == pytest.approx(before + 500)
        process.kill()
        process.wait()
    with serving(place) as (url, process):
        (again,) = asyncio.run(told(url, 1, after=first["seq"]))
        assert again["type"] == "portfolio.snapshot"  # of another life: all of it
        assert again["seq"] > first["seq"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
        assert "Traceback" not in process.stderr.read()


def test_uvicorn_serves_the_application_by_its_name(place):
    command = [sys.executable, "-m", "uvicorn", "bursar.serve:app", "--port", "0"]
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "BURSAR_BOOK": str(place)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = next(each for each in process.stderr if "running on" in each)
            url = line.partition("running on ")[2].split()[0]
            assert get(url, "/api/portfolio/snapshot").json()["num_positions"] == 2
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)
        finally:
            process.kill()


def settings_of(place, **http):
    return Settings(portfolio=PortfolioSettings(book=str(place), http=HttpSettings(**http)))


def test_others_are_not_let_in_without_a_token(place):
    open_to_all = settings_of(place, host="0.0.0.0", port=0)  # noqa: S104 (to be refused)
    with pytest.raises(Unguarded):
        asyncio.run(running._run(open_to_all, print))


def test_a_port_that_is_taken_is_said(place):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadChoice, match=f"port {port} cannot be had"):
            asyncio.run(running._run(settings_of(place, port=port), print))


def test_a_port_that_another_took_meanwhile_is_said_too(place):
    with socket.socket() as rival:  # both have the port, until one of them listens
        rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rival.bind(("127.0.0.1", 0))
        port = rival.getsockname()[1]
        service = Service(settings_of(place, port=port), beside=(_listens(rival),))
        with pytest.raises(BadChoice, match=f"port {port} cannot be had"):
            asyncio.run(running._run(settings_of(place, port=port), print, service=service))
        assert not service.keeper.is_alive


def _listens(rival):
    async def listen(_opened):
        rival.listen()

    return listen
