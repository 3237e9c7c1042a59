"""Pair names are looked up; splitting them by rule goes wrong in every one of these."""

import pytest

from bursar.errors import UnknownAsset
from bursar.venue.kraken.pairs import pair

TRAPS = str.split("""
DOGEUR DOG/EUR      KINTUSD KINT/USD    ETH2.SETH ETH2/ETH  XTZUSD XTZ/USD      XTZGBP XTZ/GBP
TRXXBT TRX/XBT      SNXXBT SNX/XBT      ICXXBT ICX/XBT      CHZEUR CHZ/EUR      BLZEUR BLZ/EUR
REZEUR REZ/EUR      AI16ZEUR AI16Z/EUR  ETHPYUSD ETH/PYUSD  XRPRLUSD XRP/RLUSD  XDGUSD XDG/USD
XETHXXBT ETH/XBT    ZEUSUSD ZEUS/USD    ZETAUSD ZETA/USD    LUNA2EUR LUNA2/EUR  POLEUR POL/EUR
EURTUSD EURT/USD    XTZEUR XTZ/EUR      ZRXXBT ZRX/XBT      SNXETH SNX/ETH      CHZUSD CHZ/USD
REZUSD REZ/USD      XBTPYUSD XBT/PYUSD  XDGEUR XDG/EUR      ZETAEUR ZETA/EUR    MATICPOL MATIC/POL
MONAUSD MON/AUSD    MERLUSD MERL/USD    2ZEUR 2Z/EUR        XICNXXBT ICN/XBT    USDTZUSD USDT/USD
ZEURZUSD EUR/USD    XETHZEUR.d ETH/EUR  XXBTZEUR XBT/EUR    XBTEUR XBT/EUR      EURUSD EUR/USD
""")


@pytest.mark.parametrize("name,said", list(zip(TRAPS[::2], TRAPS[1::2], strict=True)))
def test_a_name_is_looked_up(name, said):
    assert str(pair(name)) == said


@pytest.mark.parametrize(
    "name,said",
    [
        ("BTC/EUR", "XBT/EUR"),
        ("XBT/EUR", "XBT/EUR"),
        ("DOGE/USD", "XDG/USD"),
        ("ETH2.S/ETH", "ETH2/ETH"),
        ("NEVERSEEN/USD", "NEVERSEEN/USD"),
    ],
)
def test_a_name_with_a_slash_is_split_there(name, said):
    assert str(pair(name)) == said


@pytest.mark.parametrize("name", ["XYZZYEUR", "", "/", "A/", "/B", "A/B/C", "xbteur"])
def test_an_unknown_name_is_refused_by_name(name):
    with pytest.raises(UnknownAsset, match="not a pair") as caught:
        pair(name)
    assert caught.value.context["value"] == name
