"""How finely money is divided: a state's by ISO 4217, a stable coin as what it stands for.

Everything else (coins, metals) is divided as bitcoin is, into eight decimals.
"""

from decimal import Decimal
from typing import Final

from bursar.exact import ONE, money, truncate

_COIN: Final = 8
_WHOLE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THOUSANDTHS: Final = "BHD IQD JOD KWD LYD OMR TND"
_DOLLARS: Final = (
    "USD EUR GBP CHF CAD AUD NZD SGD"
    " USDT USDC BUSD DAI FDUSD PYUSD RLUSD TUSD USD1 USDE USDG USDP USDS AEUR EURC EURI EURQ EURT"
)
_HUNDREDTHS: Final = (
    f"{_DOLLARS} AED AFN ALL AMD AOA ARS AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN"
    " BZD CDF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB FJD FKP GEL GHS GIP GMD GTQ GYD HKD"
    " HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD"
    " MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR PAB PEN PGK PHP PKR PLN QAR RON"
    " RSD RUB SAR SBD SCR SDG SEK SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD"
    " TZS UAH UYU UZS VES WST XCD YER ZAR ZMW"
)
_PLACES: Final = {
    name: places
    for places, names in ((0, _WHOLE), (3, _THOUSANDTHS), (2, _HUNDREDTHS))
    for name in names.split()
}
NAMES: Final = frozenset(_PLACES)
_LIKE_DOLLARS: Final = frozenset(_DOLLARS.split())
_CRUMB: Final = ONE.scaleb(-5)


def places(currency: str) -> int:
    """Return how many decimals amounts of it have.

    >>> places("USD"), places("JPY"), places("XBT")
    (2, 0, 8)
    """
    return _PLACES.get(currency, _COIN)


def smallest(currency: str) -> Decimal:
    """Return the smallest amount of it: a cent, a yen, a satoshi."""
    return ONE.scaleb(-places(currency))


@money
def trifle(currency: str) -> Decimal:
    """Return what is as little of it as 1.00 is of dollars: a hundred of its smallest part.

    >>> trifle("EUR"), trifle("JPY"), trifle("XBT")
    (Decimal('1'), Decimal('1E+2'), Decimal('0.000001'))
    """
    return ONE.scaleb(2 - places(currency))


@money
def crumb(currency: str, whole: Decimal) -> Decimal:
    """Return the least amount of it that is worth moving, of a whole of that size.

    That is 1 of what is worth about a dollar, and of any other a hundred-thousandth of the whole,
    cut to its decimals.
    """
    return ONE if is_like_dollar(currency) else truncate(whole * _CRUMB, smallest(currency))


def is_currency(asset: str) -> bool:
    """Tell whether an asset is a state's money or a coin that stands for it, also where a book
    keeps lots of it.
    """
    return asset in _PLACES


def is_like_dollar(currency: str) -> bool:
    """Tell whether one of it is about as much as a dollar, so that figures meant in dollars fit."""
    return currency in _LIKE_DOLLARS
