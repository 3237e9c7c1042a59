"""The made-up account of the shared data, as the fake Binance tells it.

What the story's lists leave out, its transaction history says: what went into Simple Earn, and what
was moved to the futures wallet.
"""

import json
import os
from pathlib import Path

from bursar.ledger import instant
from bursar.sim.binance import account as told
from bursar.sim.binance.account import Account, Row

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared")) / "venues" / "binance"
STORY = SHARED / "own-made" / "story-a"
END = instant.parse("2025-03-10T12:00:00Z")
MS = 1_000_000


def story():
    """Return the account of the story."""
    rows = [
        *_rows(told.DEPOSITS, "capital-deposit-hisrec.json", "insertTime"),
        *_rows(told.WITHDRAWALS, "capital-withdraw-history.json", "applyTime"),
        *_rows(told.CONVERSIONS, "convert-tradeFlow.json", "createTime", "list"),
        *_rows(told.DUST, "asset-dribblet.json", "operateTime", "userAssetDribblets"),
        *_rows(f"{told.FLEXIBLE}/rewardsRecord", "simple-earn-rewards.json", "time", within="rows"),
        _row(f"{told.FLEXIBLE}/subscriptionRecord", SUBSCRIPTION, "time"),
        _row(told.TRANSFERS, TRANSFER, "timestamp"),
        *_rows(told.INCOME, "fapi-income.json", "time"),
        *_rows(told.FUTURES_TRADES, "fapi-userTrades.json", "time", symbol="BTCUSDT"),
    ]
    for symbol in ("BTCUSDT", "BNBUSDT"):
        rows += _rows(told.TRADES, f"myTrades.{symbol}.json", "time", symbol=symbol)
    stated = json.loads((STORY / "account.json").read_text())
    return Account(
        seed=1,
        rows=tuple(rows),
        stated=stated,
        stated_futures=json.loads((STORY / "fapi-account-v3.json").read_text()),
        stated_positions=json.loads((STORY / "fapi-positionRisk.json").read_text()),
    )


SUBSCRIPTION = {
    "amount": "100",
    "asset": "USDT",
    "time": instant.parse("2025-03-05T09:00:00Z") // MS,
    "purchaseId": 26055,
    "type": "NORMAL",
    "sourceAccount": "SPOT",
    "status": "SUCCESS",
}
TRANSFER = {
    "asset": "USDT",
    "amount": "200",
    "type": "MAIN_UMFUTURE",
    "status": "CONFIRMED",
    "tranId": 9689322390,
    "timestamp": instant.parse("2025-03-08T09:00:00Z") // MS,
}


def _rows(path, name, time, within=None, *, symbol=""):
    said = json.loads((STORY / name).read_text())
    return [_row(path, each, time, symbol) for each in (said[within] if within else said)]


def _row(path, said, time, symbol=""):
    at = said[time]
    at = instant.parse(at) if isinstance(at, str) else at * MS
    return Row(path=path, at=at, told=said, symbol=symbol)
