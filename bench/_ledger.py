"""A ledger export of any length, as Kraken writes one: a deposit, then trades of two rows each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random

HEADER = (
    '"txid","refid","time","type","subtype","aclass","asset","amount","fee","balance"\n'
    '"L0","Q0","2020-01-01 00:00:00","deposit","","currency","ZEUR","{0}","0.0000","{0}"\n'
)
COINS = ("XXBT", "XETH", "SOL", "ADA", "DOT", "ATOM", "ALGO", "LINK", "UNI", "AAVE")
_START = datetime(2020, 1, 1, tzinfo=UTC)
_PLACES = Decimal("0.0001")
_FEE = Decimal("0.0026")
_LINE = '"{}","{}","{}","trade","","currency","{}","{}","{}","{}"\n'


def write(path: Path, rows: int, *, in_order: bool = False) -> None:
    """Write an export of about that many rows; a short one is the beginning of a long one.

    Its ids are in no order, as the venue's are, unless they are asked for `in_order`.
    """
    named = _numbered if in_order else _name
    rng = Random(20260105)  # noqa: S311 (the same export in every run)
    cash, held = Decimal(10**8), dict.fromkeys(COINS, Decimal(0))
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER.format(cash))
        for count in range(1, rows // 2):
            coin = COINS[rng.randrange(len(COINS))]
            units = Decimal(rng.randrange(1, 10**10)).scaleb(-8)
            amount = (units * rng.randrange(1, 10**6) / 100).quantize(_PLACES)
            sign = 1 if held[coin] < units or rng.random() < 0.5 else -1  # noqa: PLR2004
            fee = (amount * _FEE).quantize(_PLACES)
            cash, held[coin] = cash - sign * amount - fee, held[coin] + sign * units
            at = (_START + timedelta(seconds=60 * count)).strftime("%Y-%m-%d %H:%M:%S")
            trade = named("T", count)
            legs = (("ZEUR", -sign * amount, fee, cash), (coin, sign * units, 0, held[coin]))
            for place, leg in enumerate(legs):
                file.write(_LINE.format(named("L", 2 * count + place), trade, at, *leg))


def _numbered(kind: str, number: int) -> str:
    return f"{kind}{number:018}"


def _name(kind: str, number: int) -> str:
    """Return an id as the venue gives them: in no order, which is what indexes have to bear."""
    said = sha256(f"{kind}{number}".encode()).hexdigest().upper()
    return f"{kind}{said[:5]}-{said[5:10]}-{said[10:16]}"
