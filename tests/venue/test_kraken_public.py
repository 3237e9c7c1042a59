"""Kraken's own lists of coins and pairs, recorded by others; they stand outside the repository.

`BURSAR_SHARED` names the folder that holds `venues/`, by default `shared` beside the repository.
"""

import csv
import json
import os
from pathlib import Path

import pytest

from bursar.venue.files import read
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.pairs import pair

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared"))
KRAKEN = SHARED / "venues" / "kraken"

pytestmark = pytest.mark.skipif(
    not KRAKEN.is_dir(), reason=f"NOT RUN: recorded Kraken data is not at {KRAKEN} (BURSAR_SHARED)"
)


def results(name):
    return json.loads((KRAKEN / name).read_text())["result"]


def test_every_pair_of_the_symbol_list():
    with (KRAKEN / "reference/symbol-properties-kraken.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 1200
    for row in rows:
        assert pair(row["market_ticker"]) == pair(row["description"]), row
        assert pair(row["description"].replace("/", "")) == pair(row["description"]), row


def test_every_pair_of_2020_under_all_its_names():
    for key, said in results("rest/xchange/AssetPairs-2020-86-pairs.json").items():
        base, quote = coin(said["base"]).asset, coin(said["quote"]).asset
        for name in (key, said["altname"], said.get("wsname", key)):
            assert (pair(name).base, pair(name).quote) == (base, quote), name


@pytest.mark.parametrize(
    "name", ["rest/xchange/Assets-2019.json", "rest/ccxt/Assets-subset-2025.json"]
)
def test_every_asset_has_the_venues_short_name(name):
    for key, said in results(name).items():
        assert coin(key).asset == ("KFEE" if key == "KFEE" else said["altname"]), key


def test_a_delisted_pair_is_still_known():
    trades = results("rest/xchange/TradesHistory-delisted-pair.json")["trades"]
    assert [str(pair(trade["pair"])) for trade in trades.values()] == ["ICN/XBT"]


def test_the_lists_of_codes_and_traps():
    for said in json.loads((KRAKEN / "own-made/asset-codes.json").read_text()):
        assert coin(said["code"]).asset == coin(said["asset"]).asset, said
        if said["kind"] in {"staked", "rewards", "auto-earn", "hold"}:
            assert (coin(said["code"]).pocket or "").split(":")[0] == said["kind"]
        else:
            assert coin(said["code"]).pocket is None
    for said in json.loads((KRAKEN / "own-made/pair-traps.json").read_text()):
        assert pair(said["pair_key"]) == pair(said["wsname"]), said


def test_the_shipped_story_is_the_recorded_one():
    for path in sorted((KRAKEN / "own-made/story-a").glob("*.csv")):
        shipped = ROOT / "src/bursar/samples/kraken-story-a" / path.name
        assert read(path) == read(shipped)
