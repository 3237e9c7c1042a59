"""Every row type the venue is known to write, and those it will invent."""

from decimal import Decimal

import pytest

from bursar.ledger.entries import MovementKind as Kind
from bursar.venue.kraken.kinds import kind

KNOWN = [
    ("trade", "tradespot", 1, Kind.TRADE),
    ("trade", "", -1, Kind.TRADE),
    ("spend", "", -1, Kind.TRADE),
    ("receive", "", 1, Kind.TRADE),
    ("settled", "", 1, Kind.TRADE),
    ("spend", "dustsweeping", -1, Kind.CONVERSION),
    ("receive", "dustsweeping", 1, Kind.CONVERSION),
    ("collateralconversion", "", -1, Kind.CONVERSION),
    ("conversion", "", -1, Kind.CONVERSION),
    ("adjustment", "", -1, Kind.ADJUSTMENT),
    ("transfer", "delistingconversion", -1, Kind.ADJUSTMENT),
    ("earn", "delistingconversion", 1, Kind.ADJUSTMENT),
    ("deposit", "", 1, Kind.DEPOSIT),
    ("deposit", "", -1, Kind.DEPOSIT),
    ("withdrawal", "", -1, Kind.WITHDRAWAL),
    ("withdrawal", "", 1, Kind.WITHDRAWAL),
    ("transfer", "", 1, Kind.AIRDROP),
    ("transfer", "", -1, Kind.UNCLASSIFIED),
    ("transfer", "airdrop", 1, Kind.AIRDROP),
    ("earn", "airdrop", 1, Kind.AIRDROP),
    ("transfer", "spottostaking", -1, Kind.INTERNAL),
    ("transfer", "stakingfromspot", 1, Kind.INTERNAL),
    ("transfer", "stakingtospot", -1, Kind.INTERNAL),
    ("transfer", "spotfromstaking", 1, Kind.INTERNAL),
    ("transfer", "spottofutures", -1, Kind.INTERNAL),
    ("transfer", "spotfromfutures", 1, Kind.INTERNAL),
    ("earn", "allocation", -1, Kind.INTERNAL),
    ("earn", "deallocation", 1, Kind.INTERNAL),
    ("earn", "autoallocation", 1, Kind.INTERNAL),
    ("earn", "autoallocate", 1, Kind.INTERNAL),
    ("earn", "migration", -1, Kind.INTERNAL),
    ("hybridearnwithdrawal", "", -1, Kind.INTERNAL),
    ("hybridearndeposit", "", 1, Kind.INTERNAL),
    ("staking", "", 1, Kind.REWARD),
    ("staking", "", -1, Kind.INTERNAL),
    ("earn", "reward", 1, Kind.REWARD),
    ("reward", "welcomebonus", 1, Kind.REWARD),
    ("reward", "", 1, Kind.REWARD),
    ("invite bonus", "", 1, Kind.REWARD),
    ("credit", "", 1, Kind.REBATE),
    ("dividend", "", 1, Kind.DIVIDEND),
    ("margin", "", 0, Kind.MARGIN),
    ("rollover", "", 0, Kind.FINANCING),
]
UNKNOWN = [
    ("sale", ""),
    ("nftsale", ""),
    ("nfttrade", "x"),
    ("custodytransfer", ""),
    ("none", ""),
    ("unknown", ""),
    ("earn", ""),
    ("earn", "somethingnew"),
    ("transfer", "somethingnew"),
    ("", ""),
    ("TRADE", ""),
]


@pytest.mark.parametrize("type_,subtype,sign,expected", KNOWN)
def test_a_known_row(type_, subtype, sign, expected):
    assert kind(type_, subtype, Decimal(sign)) is expected


@pytest.mark.parametrize("sign", [1, 0, -1])
@pytest.mark.parametrize("type_,subtype", UNKNOWN)
def test_an_unknown_row_is_unclassified(type_, subtype, sign):
    assert kind(type_, subtype, Decimal(sign)) is Kind.UNCLASSIFIED


@pytest.mark.parametrize("type_", ["transfer", "earn"])
def test_a_type_that_needs_its_subtype_is_unclassified_without_the_column(type_):
    assert kind(type_, None, Decimal(1)) is Kind.UNCLASSIFIED


@pytest.mark.parametrize("type_", ["trade", "deposit", "margin"])
def test_a_type_that_speaks_for_itself_needs_no_column(type_):
    assert kind(type_, None, Decimal(1)) is kind(type_, "", Decimal(1))
