"""Profit is taken once, and put to work once."""

from decimal import Decimal

import pytest

from bursar.capital.profit_capture import (
    CaptureSettings,
    Compounded,
    CompoundingSettings,
    Intent,
    IntraSessionCompounding,
    ProfitCapture,
    Session,
)
from bursar.errors import BadChoice
from bursar.exact import ZERO

BASE = Decimal(1000)


def captured(*equities, settings=CaptureSettings(), flows=0):  # noqa: B008  # frozen
    session, found = Session(BASE), []
    for equity in equities:
        session, capture = ProfitCapture(settings).look(
            session, Decimal(equity), flows=Decimal(flows)
        )
        found.append(capture)
    return session, found


def test_below_the_target_nothing_happens():
    assert captured(1049, 1000, 1049)[1] == [None] * 3


def test_a_fall_from_the_start_triggers_nothing():
    session, found = captured(990, 900, 500, 100)
    assert found == [None] * 4
    assert not session.is_armed


def test_a_quarter_of_the_peak_given_back_is_taken_once():
    _, found = captured(1050, 1100, 1080, 1075, 1060)
    assert found[:3] == [None, None, None]
    assert found[3].intent is Intent.CLOSE_ALL
    assert (found[3].profit, found[3].peak, found[3].target) == (75, 100, 50)
    assert found[4] is None


def test_without_a_trail_it_is_taken_at_the_target():
    settings = CaptureSettings(target=Decimal(30), trail=ZERO, intent=Intent.PAUSE)
    assert captured(1029, 1030, settings=settings)[1][1].intent is Intent.PAUSE


def test_a_deposit_is_no_profit():
    assert captured(1100, flows=100)[1] == [None]
    assert not captured(1100, flows=100)[0].is_armed


def test_a_reset_begins_anew_from_here():
    settings = CaptureSettings(trail=ZERO, intent=Intent.RESET_BASELINE)
    session, found = captured(1060, settings=settings)
    assert found[0].intent is Intent.RESET_BASELINE
    assert session == Session(Decimal(1060))


def test_percent_of_nothing_is_no_target():
    session, capture = ProfitCapture().look(Session(ZERO), Decimal(100))
    assert capture is None
    assert not session.is_armed


@pytest.mark.parametrize(
    "settings", [{"target_pct": None}, {"target": ZERO}, {"trail": Decimal(1)}]
)
def test_no_target_is_refused(settings):
    with pytest.raises(BadChoice, match="profit capture"):
        CaptureSettings(**settings)


def compounded(*looks):
    state, amounts = Compounded(BASE), []
    for equity, realized in looks:
        state, amount = IntraSessionCompounding().look(state, Decimal(equity), Decimal(realized))
        amounts.append(amount)
    return state, amounts


def test_half_of_what_was_realised_since_the_last_step_is_reinvested():
    assert compounded((1049, 40), (1050, 40), (1090, 80), (1100, 90))[1] == [0, 20, 0, 25]


def test_a_step_reached_again_uses_nothing_again():
    assert compounded((1050, 40), (1000, 0), (1050, 40))[1] == [20, 0, 0]


def test_a_profit_lost_and_made_again_is_not_used_twice():
    state, amounts = compounded((1050, 40), (1100, 10), (1150, 60))
    assert amounts == [20, 0, 10]
    assert state.reinvested == 30


def test_a_step_without_realised_profit_reinvests_nothing():
    assert compounded((1050, -5))[1] == [0]


def test_of_no_capital_there_are_no_steps():
    assert IntraSessionCompounding().look(Compounded(ZERO), BASE, BASE)[1] == 0


@pytest.mark.parametrize("settings", [{"step_pct": ZERO}, {"share": Decimal(2)}])
def test_steps_of_nothing_are_refused(settings):
    with pytest.raises(BadChoice, match="compounding"):
        CompoundingSettings(**settings)
