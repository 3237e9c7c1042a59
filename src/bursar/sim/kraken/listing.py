"""What the fake venue lists: coins with their decimals, pairs with theirs, and what each is about.

Names are the venue's own, with those that cannot be split or stripped: `DOGEUR` is DOG against EUR,
`XTZ` and `ZETA` begin like prefixed codes and are not. Some coins have no pair at all, some only
one against XBT. Worth is in pico-dollars, an int, and what a pair's price swings around.
"""

from functools import cache
from typing import Final, NamedTuple

PICO: Final = 10**12

# code, altname, decimals, shown decimals, worth in USD ("-": nobody trades it)
_COINS: Final = """
ZUSD USD 4 2 1            | ZEUR EUR 4 2 1.08        | ZGBP GBP 4 2 1.26       | ZARS ARS 4 2 0.001
ZAUD AUD 4 2 0.66         | ZCAD CAD 4 2 0.74        | ZCLP CLP 4 2 0.001      | ZCOP COP 4 2 0.0003
ZDKK DKK 4 2 0.14         | ZGEL GEL 4 2 0.37        | ZGHS GHS 4 2 0.08       | ZJPY JPY 4 2 0.007
ZMXN MXN 4 2 0.058 | ZPLN PLN 4 2 0.25 | ZSEK SEK 4 2 0.095 | ZVND VND 4 2 0.00004
ZXOF XOF 4 2 0.0017       | XXBT XBT 10 5 42000      | XETH ETH 10 5 2300      | XXDG XDG 8 2 0.08
XLTC LTC 10 5 70          | XXRP XRP 8 5 0.6         | XXLM XLM 8 5 0.12       | XETC ETC 10 5 25
XREP REP 10 5 1.1         | XXMR XMR 10 5 160        | XZEC ZEC 10 5 28        | KFEE FEE 2 2 -
USDT USDT 8 4 1           | USDC USDC 8 4 1          | DAI DAI 10 5 1          | EURT EURT 8 4 1.08
EURC EURC 8 4 1.08        | PYUSD PYUSD 8 5 1        | RLUSD RLUSD 8 5 1       | DOT DOT 10 8 7
SOL SOL 10 5 95           | ADA ADA 8 6 0.5          | ALGO ALGO 8 5 0.18      | XTZ XTZ 8 5 0.95
ATOM ATOM 8 6 9.5         | SNX SNX 10 5 3           | ICX ICX 8 5 0.25        | TRX TRX 8 5 0.11
CHZ CHZ 8 5 0.09          | BLZ BLZ 8 5 0.3          | REZ REZ 8 5 0.1         | AI16Z AI16Z 8 5 0.4
KINT KINT 8 5 0.6         | DOG DOG 5 5 0.004        | ZETA ZETA 8 5 1.9       | ZEUS ZEUS 8 5 0.5
ZK ZK 8 5 0.15            | ZRO ZRO 8 5 3            | ZRX ZRX 10 5 0.35       | XCN XCN 8 5 0.002
1INCH 1INCH 8 5 0.4 | LUNA LUNA 8 5 0.0001 | LUNA2 LUNA2 8 5 0.7 | MATIC MATIC 10 5 0.8
POL POL 10 5 0.8          | ETH2 ETH2 10 5 2300      | SGB SGB 5 5 -           | FLR FLR 5 5 0.03
TSLAx TSLAx 10 5 - | XTZ.S XTZ.S 8 5 - | DOT.S DOT.S 10 8 - | DOT28.S DOT28.S 10 8 -
SOL03.S SOL03.S 10 5 -    | ADA.S ADA.S 8 6 -        | ETH2.S ETH2.S 10 5 2300 | DOT.B DOT.B 10 8 -
SOL.B SOL.B 10 5 -        | XBT.M XBT.M 10 5 -       | USD.M USD.M 4 2 -       | XBT.F XBT.F 10 5 -
ETH.F ETH.F 10 5 -        | SOL.F SOL.F 10 5 -       | EUR.HOLD EUR.HOLD 4 2 - | DOT.P DOT.P 10 8 -
"""

# key, altname, name on the WebSocket, base, quote; decimals of price, volume, cost; least volume
_PAIRS: Final = """
XXBTZUSD XBTUSD XBT/USD XXBT ZUSD 1 8 5 0.00005 | XXBTZEUR XBTEUR XBT/EUR XXBT ZEUR 1 8 5 0.00005
XETHZUSD ETHUSD ETH/USD XETH ZUSD 2 8 5 0.002   | XETHZEUR ETHEUR ETH/EUR XETH ZEUR 2 8 5 0.002
XETHXXBT ETHXBT ETH/XBT XETH XXBT 5 8 10 0.002  | ZEURZUSD EURUSD EUR/USD ZEUR ZUSD 5 8 5 0.5
XDGUSD XDGUSD XDG/USD XXDG ZUSD 7 8 9 13        | XDGEUR XDGEUR XDG/EUR XXDG ZEUR 7 8 9 13
DOGEUR DOGEUR DOG/EUR DOG ZEUR 6 5 8 900        | XLTCZUSD LTCUSD LTC/USD XLTC ZUSD 2 8 5 0.04
XXRPZUSD XRPUSD XRP/USD XXRP ZUSD 5 8 8 2       | XXLMZUSD XLMUSD XLM/USD XXLM ZUSD 6 8 8 20
USDTZUSD USDTUSD USDT/USD USDT ZUSD 5 8 6 5     | USDCUSD USDCUSD USDC/USD USDC ZUSD 4 8 8 5
DOTUSD DOTUSD DOT/USD DOT ZUSD 4 8 6 0.6        | DOTEUR DOTEUR DOT/EUR DOT ZEUR 4 8 6 0.6
SOLUSD SOLUSD SOL/USD SOL ZUSD 2 8 5 0.02       | ADAUSD ADAUSD ADA/USD ADA ZUSD 6 8 8 7
ALGOUSD ALGOUSD ALGO/USD ALGO ZUSD 5 8 7 20     | XTZUSD XTZUSD XTZ/USD XTZ ZUSD 4 8 6 4
XTZEUR XTZEUR XTZ/EUR XTZ ZEUR 4 8 6 4          | XTZGBP XTZGBP XTZ/GBP XTZ ZGBP 4 8 6 4
ATOMXBT ATOMXBT ATOM/XBT ATOM XXBT 7 8 10 0.5   | SNXXBT SNXXBT SNX/XBT SNX XXBT 7 8 10 1.5
SNXETH SNXETH SNX/ETH SNX XETH 6 8 10 1.5       | ICXXBT ICXXBT ICX/XBT ICX XXBT 8 8 10 20
TRXXBT TRXXBT TRX/XBT TRX XXBT 9 8 10 50        | ZRXXBT ZRXXBT ZRX/XBT ZRX XXBT 8 8 10 14
ZRXUSD ZRXUSD ZRX/USD ZRX ZUSD 4 8 8 14         | CHZEUR CHZEUR CHZ/EUR CHZ ZEUR 4 8 8 60
CHZUSD CHZUSD CHZ/USD CHZ ZUSD 4 8 8 60         | BLZEUR BLZEUR BLZ/EUR BLZ ZEUR 4 8 8 40
REZEUR REZEUR REZ/EUR REZ ZEUR 5 8 8 100        | REZUSD REZUSD REZ/USD REZ ZUSD 5 8 8 100
AI16ZEUR AI16ZEUR AI16Z/EUR AI16Z ZEUR 4 8 8 10 | KINTUSD KINTUSD KINT/USD KINT ZUSD 3 8 7 7
ETH2.SETH ETH2.SETH ETH2.S/ETH ETH2.S XETH 4 8 10 0.01
ETHPYUSD ETHPYUSD ETH/PYUSD XETH PYUSD 2 8 8 0.002
XBTPYUSD XBTPYUSD XBT/PYUSD XXBT PYUSD 1 8 8 0.00005
XRPRLUSD XRPRLUSD XRP/RLUSD XXRP RLUSD 5 8 8 2
ZEUSUSD ZEUSUSD ZEUS/USD ZEUS ZUSD 4 8 8 10     | ZETAUSD ZETAUSD ZETA/USD ZETA ZUSD 4 8 8 4
ZETAEUR ZETAEUR ZETA/EUR ZETA ZEUR 4 8 8 4      | EURTUSD EURTUSD EURT/USD EURT ZUSD 4 8 8 5
LUNAUSD LUNAUSD LUNA/USD LUNA ZUSD 8 8 10 30000 | LUNA2USD LUNA2USD LUNA2/USD LUNA2 ZUSD 4 8 8 8
LUNA2EUR LUNA2EUR LUNA2/EUR LUNA2 ZEUR 4 8 8 8  | MATICUSD MATICUSD MATIC/USD MATIC ZUSD 4 8 8 6
POLUSD POLUSD POL/USD POL ZUSD 4 8 8 6          | POLEUR POLEUR POL/EUR POL ZEUR 4 8 8 6
MATICPOL MATICPOL MATIC/POL MATIC POL 5 8 10 6  | FLRUSD FLRUSD FLR/USD FLR ZUSD 5 5 8 150
"""

FIAT: Final = frozenset({"ZUSD", "ZEUR", "ZGBP"})
STABLE: Final = frozenset({"USDT", "USDC", "DAI", "EURT", "EURC", "PYUSD", "RLUSD"})
_BUSY: Final = frozenset(
    {"XXBTZUSD", "XXBTZEUR", "XETHZUSD", "XETHZEUR", "XETHXXBT", "ZEURZUSD", "SOLUSD"}
)


class Coin(NamedTuple):
    """A coin in one place. `worth` is 0 where there is no market."""

    code: str
    altname: str
    decimals: int
    display: int
    worth: int

    @property
    def aclass(self) -> str:
        """The class that the venue files it under."""
        return "tokenized_asset" if self.code == "TSLAx" else "currency"


class Pair(NamedTuple):
    """A market. `seconds` lie between its public trades."""

    key: str
    altname: str
    wsname: str
    base: Coin
    quote: Coin
    price_decimals: int
    lot_decimals: int
    cost_decimals: int
    ordermin: str
    seconds: int


@cache
def coins() -> dict[str, Coin]:
    """Return every coin by its code."""
    found = [_coin(*cell.split()) for cell in _cells(_COINS)]
    return {coin.code: coin for coin in found}


@cache
def pairs() -> dict[str, Pair]:
    """Return every pair by its key."""
    found = [_pair(cell.split()) for cell in _cells(_PAIRS)]
    return {pair.key: pair for pair in found}


@cache
def named() -> dict[str, Pair]:
    """Return every pair under each of its names."""
    return {
        name: pair for pair in pairs().values() for name in (pair.key, pair.altname, pair.wsname)
    }


@cache
def coded() -> dict[str, Coin]:
    """Return every coin under its code and its altname."""
    return {name: coin for coin in coins().values() for name in (coin.altname, coin.code)}


def ten(exponent: int) -> int:
    """Return a power of ten, ≥ 1."""
    power: int = 10**exponent
    return power


def text(atoms: int, decimals: int) -> str:
    """Write a number of atoms with all its decimals, as the venue does."""
    sign, digits = ("-", -atoms) if atoms < 0 else ("", atoms)
    whole, part = divmod(digits, ten(decimals))
    return f"{sign}{whole}.{part:0{decimals}d}" if decimals else f"{sign}{whole}"


def _cells(table: str) -> list[str]:
    return [cell for line in table.strip().splitlines() for cell in line.split("|")]


def _coin(code: str, altname: str, decimals: str, display: str, worth: str) -> Coin:
    whole, _, part = worth.partition(".")
    pico = 0 if worth == "-" else int(whole) * PICO + int(part.ljust(12, "0") or 0)
    return Coin(code, altname, int(decimals), int(display), pico)


def _pair(cells: list[str]) -> Pair:
    key, altname, wsname, base, quote, price, lot, cost, ordermin = cells
    sides = coins()[base], coins()[quote]
    seconds = 60 if key in _BUSY else 600
    return Pair(key, altname, wsname, *sides, int(price), int(lot), int(cost), ordermin, seconds)
