"""Made-up accounts in Kraken's own words: balances that follow, ties, trades with their rows."""

from decimal import Decimal
from random import Random

from tests.venue.kraken_model import Model

EPOCH = 1_790_000_000
STEPS = (Decimal(0), Decimal(0), Decimal("0.0001"), Decimal("0.3"), Decimal(5), Decimal(4000))


class Teller:
    """Adds rows to a model as time goes on."""

    def __init__(self, model: Model, seed: int, *, at: Decimal = Decimal(EPOCH), tag=None) -> None:
        self.model = model
        self.chance = Random(seed)
        self.at = at
        self.tag = tag
        self.balances: dict[str, Decimal] = {}
        self.number = 0

    def go(self, rows: int, steps=STEPS) -> None:
        """Let at least so many rows happen."""
        end = len(self.model.ledger) + rows
        while len(self.model.ledger) < end:
            self.at += self.chance.choice(steps)
            self.chance.choice((self.deposit, self.trade, self.reward))()
        self.settle()

    def settle(self) -> None:
        """Let the venue's clock and balances agree with what happened."""
        self.model.now = max(self.model.now, int(self.at) + 1)
        self.model.balances = {
            code: {"balance": str(left), "hold_trade": "0"} for code, left in self.balances.items()
        }

    def deposit(self) -> None:
        self.row(self.name("FT"), "deposit", "ZUSD", Decimal(self.chance.randint(100, 999)))

    def reward(self) -> None:
        gross = Decimal(self.chance.randint(1, 99)).scaleb(-6)
        self.row(self.name("ST"), "earn", "XETH", gross, fee=gross / 4, subtype="reward")

    def trade(self) -> None:
        trade, cost = self.name("T"), Decimal(self.chance.randint(1, 50))
        volume = cost.scaleb(-4)
        ids = [
            self.row(trade, "trade", "ZUSD", -cost, fee=cost.scaleb(-2), subtype="tradespot"),
            self.row(trade, "trade", "XXBT", volume, subtype="tradespot"),
        ]
        order = self.name("O")
        self.model.trades[trade] = {
            "ordertxid": order,
            "pair": "XXBTZUSD",
            "time": self.at,
            "type": "buy",
            "ordertype": "market",
            "price": "10000.0",
            "cost": str(cost),
            "fee": str(cost.scaleb(-2)),
            "vol": str(volume),
            "margin": "0.00000",
            "misc": "",
            "ledgers": ids,
        }
        self.model.closed[order] = {
            "refid": None,
            "userref": self.chance.choice((0, None, 7)),
            "status": "closed",
            "opentm": self.at,
            "closetm": self.at,
            "descr": {"pair": "XBTUSD", "leverage": "none"},
            "trades": [trade],
            **({} if self.tag is None else {"cl_ord_id": self.tag}),
        }

    def row(self, refid, type_, code, amount, *, fee=Decimal(0), subtype="") -> str:
        txid = self.name("L")
        self.balances[code] = self.balances.get(code, Decimal(0)) + amount - fee
        self.model.ledger[txid] = {
            "refid": refid,
            "time": self.at,
            "type": type_,
            "subtype": subtype,
            "aclass": "currency",
            "asset": code,
            "amount": str(amount),
            "fee": str(fee),
            "balance": str(self.balances[code]),
        }
        return txid

    def name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}{self.chance.randrange(10**6):06}-{self.number:06}"


def made(seed: int, rows: int, **more) -> tuple[Model, Teller]:
    """A model with an account of at least so many rows."""
    model = Model(now=EPOCH)
    teller = Teller(model, seed, **more)
    teller.go(rows)
    return model, teller
