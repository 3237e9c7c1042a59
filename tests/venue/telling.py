"""An account told row by row in Kraken's own words, and the book that comes of it by either way:
asked over the wire, or exported and imported.
"""

import asyncio
import csv
from contextlib import asynccontextmanager
from decimal import Decimal

from bursar.desk import Desk
from bursar.ledger import audit, instant
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.store import MemoryStore
from bursar.venue import files
from tests.venue import kraken_model
from tests.venue.kraken_model import Model
from tests.venue.loopback import HandClock

WAYS = ("asked", "exported", "asked, then exported", "exported, then asked")
BEGIN = 1_767_607_200  # 2026-01-05T10:00:00Z
NAMES = {"XXBT": "XBT", "XETH": "ETH", "XXDG": "XDG", "ZUSD": "USD", "ZEUR": "EUR", "KFEE": "FEE"}


class Told(Model):
    """What happened, as the venue tells it: balances follow from the rows, prices stand still.

    `worth` is what a code costs in dollars, then as now; what is not in it has no market.
    """

    def __init__(self, **worth):
        super().__init__()
        self.at = BEGIN
        self.worth = worth
        self.left: dict[str, Decimal] = {}
        self.quotes: dict[str, tuple[str, str, str]] = {
            f"{code}ZUSD": (code, "ZUSD", price) for code, price in worth.items()
        }

    def row(self, refid, type_, code, amount, fee="0", *, subtype="", after=60):
        """Add a ledger row, so many seconds after the last, and return its id."""
        self.at += after
        self.left[code] = self.left.get(code, Decimal(0)) + Decimal(amount) - Decimal(fee)
        txid = f"L{len(self.ledger):05}"
        self.ledger[txid] = {
            "refid": refid,
            "time": self.at,
            "type": type_,
            "subtype": subtype,
            "aclass": "currency",
            "asset": code,
            "amount": amount,
            "fee": fee,
            "balance": f"{self.left[code]:f}",
        }
        return txid

    def deposit(self, code, amount):
        return self.row(f"D{len(self.ledger)}", "deposit", code, amount)

    def trade(self, txid, pair, side, volume, cost, *, fee="0", **more):
        """Add an execution, at the time of the last row; its rows are those of that reference."""
        self.trades[txid] = {
            "ordertxid": "O1",
            "pair": pair,
            "time": self.at,
            "type": side,
            "ordertype": "limit",
            "price": "0.00000" if Decimal(volume) == 0 else f"{Decimal(cost) / Decimal(volume):f}",
            "cost": cost,
            "fee": fee,
            "vol": volume,
            "margin": "0.00000",
            "misc": "",
            "ledgers": [row for row, told in self.ledger.items() if told["refid"] == txid],
            **more,
        }

    def result(self, endpoint, form):
        match endpoint:
            case "BalanceEx" if not self.balances and endpoint not in self.results:
                left = {code: f"{each:f}" for code, each in self.left.items()}
                return {c: {"balance": each, "hold_trade": "0"} for c, each in left.items()}
            case "Assets":
                codes = {*NAMES, *self.left, *self.worth}
                return {
                    code: {"altname": NAMES.get(code, code), "decimals": 10, "status": "enabled"}
                    for code in codes
                }
            case "AssetPairs":
                return {key: _market(base, quote) for key, (base, quote, _) in self.quotes.items()}
            case "Ticker":
                asked = [(key, self.quotes[key][2]) for key in form["pair"].split(",")]
                return {
                    key: {"b": [price, "1", "1.0"], "a": [price, "1", "1.0"]}
                    for key, price in asked
                }
            case "Trades":
                since = int(form["since"])
                at = Decimal(since + 1).scaleb(-9)
                price = self.quotes[form["pair"]][2]
                return {form["pair"]: [[price, "1", at, "b", "m", "", 1]], "last": str(since)}
            case _:
                return super().result(endpoint, form)

    def booked(self, folder, way="asked", *, base="USD", **options):
        """Return a service over what the venue tells, brought in by a way."""
        return asyncio.run(self._booked(folder, way, base, options))

    async def _booked(self, folder, way, base, options):
        async with self.following(folder, base=base, **options) as service:
            for step in way.split(", then "):
                if step == "asked":
                    service.done = await service.initialize()
                    assert service.done.is_whole, service.done
                    assert not any(each.conflicts for each in service.done.accounts)
                else:
                    service.report = service.portfolio.import_files(*self.exported(folder))
        assert service.portfolio.verify().is_sound
        return service

    @asynccontextmanager
    async def following(self, folder, *, base="USD", store=None, rules=None, **options):
        """Give a service over this venue, on the wire."""
        clock = HandClock()
        async with kraken_model.account(self, folder, clock=clock, **options) as account:
            store = store or MemoryStore(terms=Terms(base=base))
            portfolio = Portfolio(Desk(store, clock), self._read)
            yield PortfolioService(portfolio, (account,), rules)

    def exported(self, folder):
        """Write what the venue's exports would say: ledgers, trades if any, and the prices."""
        ledgers = [{"txid": txid, **_dated(row)} for txid, row in self.ledger.items()]
        made = [_written(folder / "ledgers.csv", ledgers)]
        if self.trades:
            trades = [
                {"txid": txid, **_dated(row), "ledgers": ",".join(row["ledgers"])}
                for txid, row in self.trades.items()
            ]
            made.append(_written(folder / "trades.csv", trades))
        if self.worth:
            times = sorted({instant.show(row["time"] * 10**9) for row in self.ledger.values()})
            prices = [
                {"asset": NAMES.get(code, code), "time": at, "price": price, "quote": "USD"}
                for code, price in self.worth.items()
                for at in times
            ]
            made.append(_written(folder / "prices.csv", prices))
        return made

    @staticmethod
    def _read(path, account, _progress):
        return files.read(path, account)


def held(service):
    """What is held of each asset, as text."""
    return {each.asset: f"{each.total:f}" for each in service.get_balances() if each.total}


def pockets(service):
    """What lies in each pocket that is not empty, as text."""
    book = service.portfolio.book()
    return {
        (asset, pocket): f"{quantity:f}"
        for (_, asset, pocket), quantity in book.pockets.items()
        if quantity
    }


def made(service):
    """Contributed, realised, income and expenses, as text."""
    totals = audit.totals(service.portfolio.book())
    return tuple(
        f"{each.normalize():f}"
        for each in (totals.contributed, totals.realized, totals.income, totals.expenses)
    )


def flows(service):
    """Kind, asset and amount of each flow, oldest first."""
    return [
        (each.type, each.asset, f"{each.amount:f}") for each in reversed(service.get_cash_flows())
    ]


def traded(service):
    """Kind, pair and side of each record, oldest first."""
    return [(each.kind, each.pair, each.side) for each in reversed(service.get_trade_history())]


def _market(base, quote):
    return {
        "altname": NAMES.get(base, base) + NAMES.get(quote, quote),
        "wsname": f"{NAMES.get(base, base)}/{NAMES.get(quote, quote)}",
        "base": base,
        "quote": quote,
        "pair_decimals": 5,
        "lot_decimals": 8,
        "status": "online",
    }


def _dated(row):
    text = instant.show(row["time"] * 10**9)
    return {**row, "time": text.replace("T", " ").removesuffix("Z")}


def _written(path, rows):
    with path.open("w", newline="") as file:
        names = dict.fromkeys(name for row in rows for name in row)
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(rows)
    return path
