"""What a line of a plan does, and why: two closed sets, so that a program can switch on them."""

from enum import Enum


class Action(Enum):
    """What to do with a symbol."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class Reason(Enum):
    """Why a line is what it is. Every line has exactly one, a HOLD too."""

    UNDERWEIGHT = "underweight"  # BUY: it is below its target
    SCALED = "scaled_to_cash"  # BUY: less than wanted, since the cash does not reach
    OVERWEIGHT = "overweight"  # SELL: it is above its target
    NOT_TARGETED = "not_targeted"  # SELL: it is held and no target wants it
    OVER_CAP = "over_cap"  # SELL: it is above what one symbol may be
    NOT_ALL_FREE = "not_all_free"  # SELL: less than wanted, the rest is not free
    ON_TARGET = "on_target"  # HOLD: nothing to do
    WITHIN_BAND = "within_band"  # HOLD: off its target, and inside the bands
    BUYS_ONLY = "buys_only"  # HOLD: above its target, and this plan does not sell
    BELOW_MINIMUM = "below_minimum_trade"  # HOLD: the policy finds it too small
    BELOW_VENUE = "below_venue_minimum"  # HOLD: the venue would refuse it as too small
    BELOW_STEP = "below_step"  # HOLD: it rounds to nothing
    DUST = "dust"  # HOLD: not targeted, and too little to sell
    NONE_FREE = "none_free"  # HOLD: to be sold, and none of it is free
    CASH_SHORT = "cash_short"  # HOLD: to be bought, and no cash is left for it


SAYS = {
    Reason.UNDERWEIGHT: "below its target",
    Reason.SCALED: "as much as the cash allows",
    Reason.OVERWEIGHT: "above its target",
    Reason.NOT_TARGETED: "held, and no target wants it",
    Reason.OVER_CAP: "above the cap of one symbol",
    Reason.NOT_ALL_FREE: "the rest is in open orders or staked",
    Reason.ON_TARGET: "on its target",
    Reason.WITHIN_BAND: "inside its band",
    Reason.BUYS_ONLY: "above its target; nothing is sold",
    Reason.BELOW_MINIMUM: "smaller than the minimum trade",
    Reason.BELOW_VENUE: "smaller than the venue takes",
    Reason.BELOW_STEP: "less than one step",
    Reason.DUST: "too little to sell",
    Reason.NONE_FREE: "all of it is in open orders or staked",
    Reason.CASH_SHORT: "no cash is left for it",
}
