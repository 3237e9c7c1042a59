"""`bursar demo kraken`, sync and drift, over real sockets on this machine."""

import ast
import asyncio
import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

import bursar as package
from bursar.app import SystemClock
from bursar.app.following import Follower
from bursar.cli import main
from bursar.errors import StoreBusy
from bursar.portfolio import hand
from bursar.portfolio.service import PortfolioService
from bursar.sim.kraken import FakeKraken, Fault, Planting, Tier, invent, plant, serve

README = Path(__file__).parents[3] / "README.md"
DAY = 86_400 * 1_000_000_000


@pytest.fixture(autouse=True)
def _at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("KRAKEN_API_KEY", "KRAKEN_API_SECRET", "BURSAR_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_demonstration_ends_in_agreement(bursar):
    said = bursar("demo", "kraken").out
    for part in ("bursar init", "45 trades", "missing flow", "closed by: deposit", "to the last"):
        assert part in said
    assert said.index("missing flow") < said.rindex("are the same on both sides")


@pytest.fixture
def venue(tmp_path, monkeypatch):
    """Run a command line while a fake venue is served, with a config.yaml that leads there."""
    now = SystemClock().now()
    span = invent(3, 100).rows[-1].time - invent(3, 100).rows[0].time
    account = invent(3, 100, start=now - span - DAY)

    @contextmanager
    def made(planting=None):
        shown = account if planting is None else plant(account, planting, seed=3).account
        fake = FakeKraken(shown, clock=SystemClock(), tier=Tier.PRO)
        monkeypatch.setenv("KRAKEN_API_KEY", fake.key)
        monkeypatch.setenv("KRAKEN_API_SECRET", fake.secret)
        yield Served(fake, tmp_path)

    return made


class Served:
    def __init__(self, fake, folder):
        self.fake, self.folder = fake, folder

    def run(self, capsys, *arguments):
        """Run a command line in a thread of its own while the venue is served."""

        async def play():
            async with serve(self.fake) as url:
                (self.folder / "config.yaml").write_text(
                    f"portfolio: {{base_currency: USD}}\n"
                    f"venues: [{{region: GLOBAL, tier: pro, url: '{url}'}}]\n"
                )
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(None, main, list(arguments))

        capsys.readouterr()
        code = asyncio.run(play())
        return code, capsys.readouterr()


def test_sync_says_what_came_and_whether_it_agrees(venue, capsys):
    with venue() as served:
        code, said = served.run(capsys, "sync", "--json")
        told = json.loads(said.out)
        assert (code, told["drift_detected"], told["is_whole"]) == (0, False, True)
        assert told["accounts"][0]["new_trades"] == told["new_trades_count"] > 10
        assert "books equal venue" in told["certificates"][0]
        code, said = served.run(capsys, "sync")
        assert code == 0
        assert "nothing new; agrees" in said.out
        code, said = served.run(capsys, "drift")
        assert code == 0
        assert "are the same on both sides" in said.out
        served.fake.script.add(Fault.ERROR, value="EAPI:Invalid key", times=99)
        code, said = served.run(capsys, "sync")
        assert code == 4
        assert "not reached" in said.out
        assert served.fake.secret not in said.out + said.err


def test_drift_is_shown_accepted_and_taken_back(venue, capsys, bursar, ask):
    with venue(Planting.EXTRA_BALANCE) as served:
        for _ in range(2):  # as long as it differs, also where nothing is new
            code, said = served.run(capsys, "sync")
            assert code == 1
            assert "DRIFT" in said.out
    before = ask("drift", code=1)["accounts"][0]
    assert len(before["breaks"]) == 1
    assert ask("drift", "--whole", code=1)["accounts"][0]["breaks"] == before["breaks"]
    assert bursar("drift", "accept", "1", "--whole", code=5).out
    assert "no break number 2" in bursar("drift", "accept", "2", code=2).err
    for said in ("1.2", "0x1", "1_0", "٢"):
        assert "is not a whole number" in bursar("drift", "accept", said, code=2).err
    assert "nothing is proposed" in bursar("drift", "accept", "a:drift-1", code=3).err
    (break_,) = before["breaks"]
    assert f"id: {break_['id']}" in bursar("drift", code=1).out
    bursar("drift", "accept", break_["id"], "--yes")
    assert ask("drift")["accounts"][0]["is_clean"]
    assert "closed already" in bursar("drift", "accept", break_["id"], "--yes", code=3).err
    bursar("reverse", break_["entries"][0], "--yes")
    assert len(ask("drift", code=1)["accounts"][0]["breaks"]) == 1


def test_a_leveraged_position_that_differs_is_shown_accepted_and_taken_back(
    venue, capsys, bursar, ask
):
    opened = next(each for each in invent(3, 300, on_margin=True).trades if each.opens)
    with venue() as served:
        account = served.fake.house.account
        late = opened._replace(time=account.rows[-1].time)
        served.fake.house.account = msgspec.structs.replace(
            account, trades=(*account.trades, late), shown_trades=account.history
        )
        code, said = served.run(capsys, "sync")
        assert (code, "DRIFT" in said.out) == (1, True)
    (before,) = ask("drift", code=1)["accounts"]
    assert [line["booked"] for line in before["positions"]] == ["0"]
    (break_,) = before["breaks"]
    assert break_["kind"] == "leveraged position"
    said = bursar("drift", code=1).out
    assert "leveraged" in said
    assert f"closed by: {break_['proposal']}" in said
    bursar("drift", "accept", "1", "--yes")
    assert ask("drift")["accounts"][0]["is_clean"]
    assert "Leveraged positions are the same as well; open are 1." in bursar("drift").out
    bursar("reverse", break_["entries"][0], "--yes")
    assert ask("drift", code=1)["accounts"][0]["breaks"][0]["kind"] == "leveraged position"


def test_what_was_accepted_is_taken_back_whole_by_the_command_it_names(venue, capsys, bursar, ask):
    with venue(Planting.SIDE_FLIPPED) as served:
        served.run(capsys, "sync", "--quiet", "--allow-breaks")
    (before,) = ask("drift", code=1)["accounts"]
    digest = ask("verify")["digest"]
    (wrong,) = before["breaks"]
    assert len(wrong["entries"]) == 2  # a void, and the trade as it was
    said = bursar("drift", "accept", "1", "--yes").out
    assert ask("drift")["accounts"][0]["is_clean"]
    (command,) = re.findall(r"`bursar (reverse \S+)` takes it back", said)
    said = bursar(*command.split(), "--yes").out
    assert "will go on saying it" not in said
    assert ask("verify")["digest"] == digest
    assert len(ask("drift", code=1)["accounts"][0]["breaks"]) == 1
    (command,) = re.findall(r"`bursar (reverse \S+)` takes it back", said)
    bursar(*command.split(), "--yes")
    assert ask("drift")["accounts"][0]["is_clean"]


def test_what_closes_a_break_is_looked_for_anew_where_another_writer_was_first(
    venue, capsys, bursar, ask, monkeypatch
):
    with venue(Planting.EXTRA_BALANCE) as served:
        served.run(capsys, "sync", "--quiet")
    real, left = hand.stage, [1]

    def stage(desk, correction):
        staged = real(desk, correction)
        if left:
            with package.open("bursar.db") as other:
                other.add("deposit", str(left.pop()), "USD")
        return staged

    monkeypatch.setattr(hand, "stage", stage)
    assert "Written" in bursar("drift", "accept", "1", "--yes").out
    assert ask("drift")["accounts"][0]["is_clean"]
    assert ask("verify")["is_sound"]


def test_watch_writes_a_line_a_sync_where_nobody_looks(venue, capsys):
    with venue() as served:
        code, said = served.run(capsys, "watch", "--times", "1", "--json")
        assert code == 0, said.err
        (line,) = said.out.splitlines()
        assert json.loads(line)["is_whole"]
        code, said = served.run(capsys, "watch", "--times", "1")
        assert "nothing new; agrees" in said.out
        code, said = served.run(capsys, "status")
        assert "kraken:main: equal with the venue as of" in said.out
        served.fake.script.add(Fault.ERROR, value="EAPI:Invalid key", times=99)
        assert served.run(capsys, "watch", "--times", "1")[0] == 4


def test_watch_waits_while_another_keeps_the_book(venue, capsys, monkeypatch):
    left: list[BaseException | None] = []
    real = PortfolioService.sync

    async def sync(service, *told, **options):
        error = left.pop(0)
        if error is not None:
            raise error
        return await real(service, *told, **options)

    async def rest(_):
        pass

    monkeypatch.setattr(PortfolioService, "sync", sync)
    monkeypatch.setattr(Follower, "_rest", rest)
    with venue() as served:
        left += [StoreBusy("somebody writes"), None, KeyboardInterrupt()]
        code, said = served.run(capsys, "watch", "--json")
        assert code == 0
        error, done = map(json.loads, said.out.splitlines())
        assert (error["error"]["code"], done["is_whole"]) == ("store_busy", True)
        left += [StoreBusy("somebody writes"), KeyboardInterrupt()]
        code, said = served.run(capsys, "watch")
        assert code == 0
        assert "somebody writes; it is tried again" in said.err
        left += [StoreBusy("somebody writes")]
        assert served.run(capsys, "watch", "--times", "1")[0] == 4


def test_what_the_readme_says_of_python_works(venue, capsys):
    _, block, *_ = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(block, "README.md", "exec", flags=flags)
    names: dict[str, Any] = {}

    async def play():
        async with serve(served.fake) as url:
            (served.folder / "config.yaml").write_text(
                f"venues: [{{region: GLOBAL, url: '{url}'}}]"
            )
            await eval(code, names)  # noqa: S307 (it is ours)
            await names["live"].close()

    with venue() as served:
        asyncio.run(play())
    assert "drift_flag=False" in capsys.readouterr().out


def test_without_a_venue_or_a_key_sync_says_what_is_missing(bursar, tmp_path):
    assert "bursar init" in bursar("sync", code=2).err
    bursar("init", "--quiet")
    assert "KRAKEN_API_KEY holds no key" in bursar("sync", code=2).err
    assert not (tmp_path / "bursar.db").exists()


def test_drift_before_any_sync_says_so(bursar, story):
    assert "`bursar sync` asks" in bursar("drift", code=2).err


def test_a_key_that_may_too_much_or_sees_too_little_and_a_warning_are_told(venue, capsys):
    with venue() as served:
        key = served.fake.door.keys[served.fake.key]
        key.permissions = (*key.permissions, "modify-trades")
        key.query_from = served.fake.house.account.rows[0].time
        served.fake.script.add(Fault.WARNING, endpoint="BalanceEx")
        code, said = served.run(capsys, "sync")
        assert code == 2
        assert "the key may also modify-trades; bursar only looks" in said.err
        served.fake.script.clear()
        served.fake.script.add(Fault.WARNING, endpoint="BalanceEx")
        code, said = served.run(capsys, "sync", "--allow-trade")
        assert code == 0
        assert "! kraken:main: the key sees nothing before 20" in said.out
        assert "! kraken:main: BalanceEx: W" in said.out
        _, said = served.run(capsys, "sync", "--full", "--allow-trade", "--json")
        assert len(json.loads(said.out)["notices"]) == 1
        _, said = served.run(capsys, "sync", "--json")
        again = [each for each in json.loads(said.out)["notices"] if "Rate limit" not in each]
        assert again == []  # so many in a row may well be too many for the account's counter


def test_what_is_asked_for_anew_brings_nothing_twice(venue, capsys):
    with venue() as served:
        served.run(capsys, "sync", "--quiet")
        pages = [each.endpoint for each in served.fake.asked].count("Ledgers")
        _, said = served.run(capsys, "sync", "--anew", "--json")
        assert json.loads(said.out)["accounts"][0]["new_entries"] == 0
        assert [each.endpoint for each in served.fake.asked].count("Ledgers") > pages + 1
