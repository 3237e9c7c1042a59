"""A fake Binance: an invented account behind the venue's own wire, for tests.

    account = invent(7, 300)                            # the truth: truth(account, at)
    fake = FakeBinance(account, clock=clock)            # key and secret: fake.key, fake.secret
    async with serve(fake) as base_url: ...             # or a transport for httpx2: carrier(fake)

`market` is what is traded, `account` what happened, `house` what is answered, `server` the door.
Faults, sockets and the carrier are those of every fake venue; `plant` makes one difference.
"""

from bursar.sim.binance.account import Account, invent, truth
from bursar.sim.binance.planting import Planted, Planting, plant
from bursar.sim.binance.server import FakeBinance
from bursar.sim.binance.ws import Doings, serve_ws
from bursar.sim.carrier import carrier
from bursar.sim.kraken.faults import Fault
from bursar.sim.serving import serve

__all__ = [
    "Account",
    "Doings",
    "FakeBinance",
    "Fault",
    "Planted",
    "Planting",
    "carrier",
    "invent",
    "plant",
    "serve",
    "serve_ws",
    "truth",
]
