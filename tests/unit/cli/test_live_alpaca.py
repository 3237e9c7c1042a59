"""`bursar sync`, drift and watch over an account at Alpaca, over real sockets on this machine."""

import asyncio
import json
from pathlib import Path

import pytest

from bursar.app import SystemClock
from bursar.cli import main
from bursar.sim.alpaca import FakeAlpaca, Fault, Planting, invent, plant, serve


def config(text):
    Path("config.yaml").write_text(text)


@pytest.fixture
def venue(monkeypatch, capsys):
    """Make what runs a command line while a fake venue is served, and config.yaml leads there."""

    def made(account):
        fake = FakeAlpaca(account, clock=SystemClock())
        monkeypatch.setenv("ALPACA_API_KEY", fake.key)
        monkeypatch.setenv("ALPACA_API_SECRET", fake.secret)

        def run(*arguments):
            async def play():
                async with serve(fake) as url:
                    config(f"venues: [{{venue: alpaca, url: '{url}', data_url: '{url}'}}]\n")
                    loop = asyncio.get_running_loop()
                    return await loop.run_in_executor(None, main, list(arguments))

            capsys.readouterr()
            code = asyncio.run(play())
            return code, capsys.readouterr()

        return fake, run

    return made


def test_sync_drift_watch_and_status(venue):
    fake, run = venue(invent(3, 120))
    code, said = run("sync", "--json")
    told = json.loads(said.out)
    assert (code, told["drift_detected"], told["is_whole"]) == (0, False, True)
    assert told["new_trades_count"] > 10
    assert "books equal venue" in told["certificates"][0]
    assert "may trade; bursar never does" in told["notices"][0]
    code, said = run("sync")
    assert code == 0
    assert "nothing new; agrees" in said.out
    code, said = run("drift")
    assert "are the same on both sides" in said.out
    code, said = run("watch", "--times", "1")
    assert code == 0, said.err
    assert "nothing new; agrees" in said.out
    _, said = run("status", "--json")
    assert json.loads(said.out)["equity"] is not None
    fake.script.add(Fault.STATUS, value=401, times=99)
    code, said = run("sync")
    assert code == 4
    assert "is the key right, and of this kind of account?" in said.out
    assert fake.secret not in said.out + said.err


def test_a_difference_is_drift(venue):
    _, run = venue(plant(invent(3, 120), Planting.EXTRA_SHARES, seed=3).account)
    code, _ = run("sync", "--quiet")
    assert code == 1
    code, said = run("drift", "--json")
    assert code == 1
    (found,) = json.loads(said.out)["accounts"]
    assert "MSFT" in json.dumps(found["breaks"])


def test_without_a_key_nothing_is_opened(venue, monkeypatch):
    _, run = venue(invent(3, 60))
    monkeypatch.delenv("ALPACA_API_SECRET")
    code, said = run("sync")
    assert code == 2
    assert "ALPACA_API_SECRET holds no key" in said.err
    assert not Path("bursar.db").exists()


def test_an_account_may_sell_short_where_the_book_says_so(venue):
    from tests.venue.test_alpaca_sync import short_rows

    account, _ = short_rows(invent(3, 120))
    _, run = venue(account)
    code, said = run("sync")
    assert code == 4
    assert "bursar new --short alpaca:main" in said.out
    Path("bursar.db").unlink()
    assert main(["new", "--short", "alpaca:main"]) == 0
    code, said = run("sync")
    assert code == 0, said.out


def test_a_plan_is_made_over_what_the_account_holds(venue):
    fake, run = venue(invent(3, 120))
    Path("weights.yaml").write_text("SPY: 0.4\nBTC: 0.1\n")
    assert run("new", "--quiet")[0] == 0
    code, said = run("plan", "weights.yaml", "--venue", "alpaca:main", "--json")
    assert code == 1, said.err
    told = json.loads(said.out)
    assert told["inputs"]["holdings"]["source"] == "statement of alpaca:main"
    assert {each.path for each in fake.asked} >= {"/v2/account", "/v2/positions"}
