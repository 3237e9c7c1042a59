"""Signatures as Kraken published them, and nonces that only rise, whoever takes them."""

import asyncio
import errno
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bursar.errors import BadChoice, InputError
from bursar.venue.kraken.nonce import Nonces
from bursar.venue.kraken.signing import Keys, sign
from tests.venue.kraken_model import KEY, SECRET, Model
from tests.venue.loopback import START, HandClock, served
from tests.venue.test_kraken_public import KRAKEN

ROOT = Path(__file__).parents[2]


def test_the_published_signature():
    path = KRAKEN / "own-made" / "sign-vector.json"
    if not path.is_file():
        pytest.skip(f"NOT RUN: the published example is not at {path}")
    vector = json.loads(path.read_text())
    keys = Keys("key", vector["private_key"])
    headers = keys.headers(vector["path"], int(vector["nonce"]), vector["body"].encode())
    assert headers["API-Sign"] == vector["api_sign"]


def test_a_signature_covers_path_nonce_and_body():
    signatures = {
        sign(b"secret", path, nonce, body)
        for path in ("/a", "/b")
        for nonce in (1, 2)
        for body in (b"x", b"y")
    }
    assert len(signatures) == 8


@pytest.mark.parametrize("secret", ["", "canary!", "canäry", "canary=canary"])
def test_a_secret_that_is_none_is_refused_unseen(secret):
    with pytest.raises(BadChoice) as caught:
        Keys("key", secret)
    assert "can" not in caught.value.message


def test_the_name_of_a_key_does_not_tell_it():
    assert "canary" not in Keys("canary-key", SECRET).name


def test_a_nonce_never_goes_back_with_the_clock_or_a_restart(tmp_path):
    async def go():
        taken = []
        for step in (0, -(10**15), 5, -(10**18)):
            clock = HandClock(START + step)
            nonces = Nonces(tmp_path, "k", clock)
            for _ in range(3):
                async with nonces.turn() as nonce:
                    taken.append(nonce.take())
        return taken

    taken = asyncio.run(go())
    assert taken == sorted(set(taken))
    assert taken[0] == START
    assert max(taken) < 2**64


def test_the_file_of_nonces_is_the_users_own(tmp_path):
    home = tmp_path / "state"

    async def go():
        async with Nonces(home, "k", HandClock()).turn() as nonce:
            nonce.take()

    asyncio.run(go())
    (path,) = home.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content", [b"x", b"123", b"00000000000000000001", b"-0000000000000000001\n"]
)
def test_a_damaged_file_of_nonces_is_no_reason_to_guess(tmp_path, content):
    (tmp_path / "kraken-k.nonce").write_bytes(content)

    async def go():
        async with Nonces(tmp_path, "k", HandClock()).turn() as nonce:
            nonce.take()

    with pytest.raises(InputError, match="damaged"):
        asyncio.run(go())


def test_a_file_of_nonces_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "kraken-k.nonce").symlink_to(tmp_path / "elsewhere")

    async def go():
        async with Nonces(tmp_path, "k", HandClock()).turn():
            pass

    with pytest.raises(InputError, match="cannot be used"):
        asyncio.run(go())


def test_a_disk_that_refuses_the_file_of_nonces_is_named(tmp_path, monkeypatch):
    async def go():
        async with Nonces(tmp_path, "k", HandClock()).turn() as nonce:
            nonce.take()

    monkeypatch.setattr(os, "pwrite", refused)
    with pytest.raises(InputError, match=r"kraken-k\.nonce: .* cannot be used: No space left"):
        asyncio.run(go())


def refused(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_64_threads_take_nonces_that_rise(tmp_path):
    taken: list[int] = []
    faults: list[BaseException] = []

    def work():
        async def go():
            nonces = Nonces(tmp_path, "k", HandClock())
            for _ in range(5):
                async with nonces.turn() as nonce:
                    taken.append(nonce.take())

        try:
            asyncio.run(go())
        except BaseException as error:  # noqa: BLE001 (a thread's fault is the test's)
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(taken) == 320
    assert taken == sorted(set(taken))


PROCESS = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = sys.argv[4:]
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.pace import Tier
from bursar.venue.kraken.signing import Keys
from tests.venue.loopback import outside

async def go():
    keys = Keys(sys.argv[1], sys.argv[2])
    url, state = sys.argv[3].split(" ")
    client = KrakenRESTClient(outside(), keys, state=Path(state), url=url, tier=Tier.PRO)
    for _ in range(20):
        await client.balance_ex()
    await client.close()

asyncio.run(go())
"""


def test_four_processes_with_one_key_never_meet_a_refused_nonce(tmp_path):
    model = Model()

    async def go():
        async with served(model) as url:
            paths = [str(ROOT / "src"), str(ROOT)]
            command = [sys.executable, "-c", PROCESS, KEY, SECRET, f"{url} {tmp_path}", *paths]
            workers = [
                await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
                for _ in range(4)
            ]
            return [(await worker.communicate())[1].decode() for worker in workers]

    faults = asyncio.run(go())
    assert faults == [""] * 4
    assert len(model.asked) == len(model.nonces) == 80
