"""A coin that Kraken gives another name: what is held goes on, or it is shown that it did not."""

from decimal import Decimal

import pytest

from bursar.portfolio import agreement
from bursar.reconcile import Kind, Verdict
from tests.venue.telling import WAYS, Told, flows, held, made, pockets


@pytest.fixture(params=WAYS)
def way(request):
    """The way by which the rows come in."""
    return request.param


def matic():
    """An account that bought 100 MATIC for 50 dollars, when all of it is worth 200."""
    told = Told(MATIC="2", POL="2")
    told.deposit("ZUSD", "50")
    told.row("T1", "trade", "ZUSD", "-50")
    told.row("T1", "trade", "MATIC", "100", after=0)
    return told


@pytest.mark.parametrize("kind,subtype", [("adjustment", ""), ("transfer", "delistingconversion")])
@pytest.mark.parametrize("after", [1, 3 * 86_400])
def test_a_coin_that_gets_another_name_goes_on_at_its_cost(tmp_path, way, kind, subtype, after):
    told = matic()
    told.row("A1", kind, "MATIC", "-100.00", subtype=subtype)
    told.row("A2", kind, "POL", "100", subtype=subtype, after=after)
    told.row("T2", "trade", "POL", "-40")
    told.row("T2", "trade", "ZUSD", "80", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"POL": "60", "USD": "80"}
    assert flows(service) == [("deposit", "USD", "50")]
    assert made(service) == ("50", "60", "0", "0")
    assert not service.portfolio.gaps()
    if way == "asked":
        (found,) = service.get_drift()
        assert (found.verdict, found.breaks) == (Verdict.EQUAL, ())


def test_a_part_that_gets_another_name_goes_on_at_its_cost(tmp_path, way):
    told = matic()
    told.row("A1", "adjustment", "MATIC", "-60")
    told.row("A2", "adjustment", "POL", "60", after=1)
    service = told.booked(tmp_path, way)
    assert held(service) == {"MATIC": "40", "POL": "60"}
    assert made(service) == ("50", "0", "0", "0")
    book = service.portfolio.book()
    assert [book.held("kraken:main", coin).cost for coin in ("MATIC", "POL")] == [20, 30]
    assert not service.portfolio.gaps()


@pytest.mark.parametrize("old,new,fee", [("-100", "99", "0"), ("-100", "100", "1")])
def test_where_a_new_name_is_not_all_that_happened_nothing_is_gained_and_it_is_shown(
    tmp_path, way, old, new, fee
):
    told = matic()
    told.row("A1", "transfer", "MATIC", old, subtype="delistingconversion")
    told.row("A2", "transfer", "POL", new, fee, subtype="delistingconversion", after=1)
    service = told.booked(tmp_path, way)
    assert held(service).get("POL") == f"{Decimal(new) - Decimal(fee):f}"
    assert made(service)[1] == "0"
    assert {(gap.asset, gap.flag) for gap in service.portfolio.gaps()} == {
        ("MATIC", "unpaired"),
        ("POL", "unpaired"),
    }


def test_rows_of_a_new_name_that_only_add_up_are_joined_by_who_accepts_it(tmp_path):
    told = matic()
    told.row("A1", "adjustment", "MATIC", "-70")
    told.row("A2", "adjustment", "MATIC", "-30", after=9)
    told.row("A3", "adjustment", "POL", "100", after=86_400)
    told.row("T2", "trade", "POL", "-40")
    told.row("T2", "trade", "ZUSD", "80", after=0)
    service = told.booked(tmp_path)
    assert {gap.flag for gap in service.portfolio.gaps()} == {"unpaired"}
    (found,) = service.get_drift()
    assert (found.verdict, [each.kind for each in found.breaks]) == (Verdict.EQUAL, [Kind.RENAME])
    agreement.accept(service.portfolio, found, 1)
    assert held(service) == {"POL": "60", "USD": "80"}
    assert made(service) == ("50", "60", "0", "0")
    assert not service.portfolio.gaps()
    assert service.portfolio.verify().is_sound
    (found,) = service.get_drift()
    assert found.is_clean


def test_a_coin_that_gets_another_name_where_it_is_staked_stays_there(tmp_path, way):
    told = matic()
    told.row("M1", "transfer", "MATIC", "-30", subtype="spottostaking")
    told.row("M2", "transfer", "MATIC.S", "30", subtype="stakingfromspot", after=9)
    told.row("A1", "transfer", "MATIC", "-70", subtype="delistingconversion")
    told.row("A2", "transfer", "POL", "70", subtype="delistingconversion", after=1)
    told.row("A3", "earn", "MATIC.S", "-30", subtype="delistingconversion")
    told.row("A4", "earn", "POL.S", "30", subtype="delistingconversion", after=1)
    service = told.booked(tmp_path, way)
    assert held(service) == {"POL": "100"}
    assert pockets(service) == {("POL", "staked"): "30"}
    assert made(service) == ("50", "0", "0", "0")
