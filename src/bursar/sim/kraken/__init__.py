"""A fake Kraken: an invented account behind the venue's own wire, for the demo and for tests.

    account = invent(7, 1_000)                          # the truth: truth(account)
    fake = FakeKraken(account, clock=clock)             # key and secret: fake.key, fake.secret
    async with serve(fake) as base_url: ...             # or a transport for httpx2: carrier(fake)

chance ─▶ life: deeds ─▶ account ─▶ house ─▶ public, private ─▶ server ─▶ serving · carrier · ws
                            └─▶ truth · planting: differences between ledger and balances

`fake.script` says what goes wrong and when; `plant` makes one difference between the balances and
the ledger that tells of them, and knows which. `serve_ws` adds live prices and wake-ups.
"""

from bursar.sim.carrier import carrier
from bursar.sim.http import Request
from bursar.sim.kraken.account import Account, Truth, invent, moved, truth
from bursar.sim.kraken.faults import ERRORS, Fault, Script
from bursar.sim.kraken.keys import Key, Tier
from bursar.sim.kraken.planting import Planted, Planting, plant
from bursar.sim.kraken.rows import Flow
from bursar.sim.kraken.server import FakeKraken
from bursar.sim.kraken.ws import Live, serve_ws
from bursar.sim.serving import serve

__all__ = [
    "ERRORS",
    "Account",
    "FakeKraken",
    "Fault",
    "Flow",
    "Key",
    "Live",
    "Planted",
    "Planting",
    "Request",
    "Script",
    "Tier",
    "Truth",
    "carrier",
    "invent",
    "moved",
    "plant",
    "serve",
    "serve_ws",
    "truth",
]
