"""`bursar sync`, drift and watch over an account at Binance, over real sockets on this machine."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from bursar.app import SystemClock
from bursar.cli import main
from bursar.ledger import instant
from bursar.sim.binance import FakeBinance, Fault, Planting, invent, plant, serve

START = SystemClock().now() // instant.DAY * instant.DAY - 30 * instant.DAY


def config(text):
    Path("config.yaml").write_text(text)


@pytest.fixture
def venue(monkeypatch, capsys):
    """Make what runs a command line while a fake venue is served, and config.yaml leads there."""

    def made(account):
        fake = FakeBinance(account, clock=SystemClock())
        monkeypatch.setenv("BINANCE_API_KEY", fake.key)
        monkeypatch.setenv("BINANCE_API_SECRET", fake.secret)

        def run(*arguments):
            async def play():
                async with serve(fake) as url:
                    own = f"since: {instant.day(START)}, url: '{url}', futures_url: '{url}'"
                    stream = url.replace("http", "ws")
                    own += f", stream_url: '{stream}', futures_stream_url: '{stream}'"
                    config(f"venues: [{{venue: binance, {own}}}]\n")
                    loop = asyncio.get_running_loop()
                    return await loop.run_in_executor(None, main, list(arguments))

            capsys.readouterr()
            code = asyncio.run(play())
            return code, capsys.readouterr()

        return fake, run

    return made


def test_sync_drift_and_watch(venue):
    fake, run = venue(invent(3, 40, start=START))
    code, said = run("sync", "--json")
    assert code == 0, said.err
    told = json.loads(said.out)
    assert (told["drift_detected"], told["is_whole"], told["notices"]) == (False, True, [])
    assert told["new_trades_count"] > 10
    assert "books equal venue" in told["certificates"][0]
    code, said = run("drift")
    assert "are the same on both sides" in said.out
    code, said = run("watch", "--times", "1")
    assert code == 0, said.err
    assert "nothing new; agrees" in said.out
    fake.script.add(Fault.ERROR, value="-2015 Invalid API-key, IP, or permissions.", times=99)
    code, said = run("sync")
    assert code == 4
    assert "may it be used from this address" in said.out
    assert fake.secret not in said.out + said.err


def test_a_difference_is_drift_and_what_does_not_close_is_said(venue):
    _, run = venue(plant(invent(3, 40, start=START), Planting.EXTRA, seed=3).account)
    code, said = run("sync")
    assert code == 1
    assert "the spot wallet does not close: 0.875 BTC" in said.out
    code, said = run("drift", "--json")
    assert code == 1
    (found,) = json.loads(said.out)["accounts"]
    assert "XBT" in json.dumps(found["breaks"])


def test_a_key_that_may_do_more_than_look_is_refused(venue):
    account = msgspec.structs.replace(
        invent(3, 40, start=START), rights=frozenset({"enableWithdrawals"})
    )
    _, run = venue(account)
    code, said = run("sync")
    assert code != 0
    assert "may also withdraw; bursar only looks" in said.err
