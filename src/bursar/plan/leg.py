"""A leg: one symbol while its plan is being worked out, and how a wanted amount becomes a trade."""

from decimal import Decimal

import msgspec

from bursar.exact import ZERO, truncate, whole
from bursar.plan.policy import NINTH, SizingPolicy
from bursar.plan.reasons import Action, Reason


class Leg(msgspec.Struct, gc=False):
    """A symbol on its way to a line. `gap` is target less value; trades are signed like it.

    `step` is what a trade is a multiple of, in units; 0 where money is cut instead. `free` is how
    many units may be sold, `None` where a short position is allowed; `most` is the value that
    no purchase may pass, `None` where there is no cap. A leg is closing if all of it is to go.
    """

    symbol: str
    held: Decimal
    price: Decimal
    value: Decimal
    weight: Decimal
    target: Decimal
    gap: Decimal
    action: Action = Action.HOLD
    reason: Reason = Reason.ON_TARGET
    amount: Decimal = ZERO
    quantity: Decimal = ZERO
    step: Decimal = ZERO
    free: Decimal | None = ZERO
    most: Decimal | None = None
    is_capped: bool = False
    is_closing: bool = False

    @property
    def unit(self) -> Decimal:
        """What one step is worth."""
        return self.price * self.step

    def why_sold(self, *, is_short_of: bool) -> Reason:
        """Return why it is sold, and whether less than wanted."""
        if is_short_of:
            return Reason.NOT_ALL_FREE
        if self.is_closing:
            return Reason.NOT_TARGETED
        return Reason.OVER_CAP if self.is_capped else Reason.OVERWEIGHT

    def buy(self, amount: Decimal, units: Decimal, reason: Reason) -> None:
        """Make it a purchase."""
        self.action, self.reason = Action.BUY, reason
        self.amount, self.quantity = amount, units

    def sell(self, amount: Decimal, units: Decimal, reason: Reason) -> None:
        """Make it a sale."""
        self.action, self.reason = Action.SELL, reason
        self.amount, self.quantity = -amount, -units

    def hold(self, reason: Reason) -> None:
        """Leave it as it is."""
        self.action, self.reason = Action.HOLD, reason
        self.amount = self.quantity = ZERO


def sized(leg: Leg, amount: Decimal, policy: SizingPolicy) -> tuple[Decimal, Decimal]:
    """Cut an amount (≥ 0) to what can be traded: (amount, units)."""
    if leg.step:
        units = whole(amount, leg.unit) * leg.step
        return units * leg.price, units
    amount = truncate(amount, policy.cent)
    return amount, whole(amount, leg.price * NINTH) * NINTH


def too_small(leg: Leg, amount: Decimal, units: Decimal, policy: SizingPolicy) -> Reason | None:
    """Return who finds a trade of that size too small: the policy, the venue, or nobody.

    What no target wants may go however little it is, as far as the venue takes it.
    """
    if amount < policy.least and not leg.is_closing:
        return Reason.BELOW_MINIMUM
    own = policy.instruments.get(leg.symbol)
    if own is None:
        return None
    if units < own.min_quantity or amount < own.min_notional:
        return Reason.DUST if leg.is_closing else Reason.BELOW_VENUE
    return None


def size_sale(leg: Leg, policy: SizingPolicy) -> None:
    """Make a leg above its target a sale, as far as steps, minima and free units allow.

    What no target wants goes whole, the units that are free, whatever the policy's own minimum.
    """
    wanted, closing = -leg.gap, leg.is_closing
    if closing:
        free = leg.free or ZERO
        units = truncate(free, leg.step) if leg.step else free
        amount, is_short_of = units * leg.price, free < leg.held
    else:
        amount, units = sized(leg, wanted, policy)
        is_short_of = leg.free is not None and units > leg.free
        if leg.free is not None and is_short_of:
            units = truncate(leg.free, leg.step) if leg.step else leg.free
            amount = units * leg.price
    if not units or not amount:
        none_free = leg.free is not None and not leg.free
        small = Reason.DUST if closing else Reason.BELOW_STEP
        leg.hold(Reason.NONE_FREE if none_free else small)
    elif (why := too_small(leg, amount, units, policy)) is not None:
        leg.hold(why)
    else:
        leg.sell(amount, units, leg.why_sold(is_short_of=is_short_of))


def size_purchase(leg: Leg, amount: Decimal, policy: SizingPolicy) -> bool:
    """Make a leg below its target a purchase of at most `amount`; else say why not."""
    amount, units = sized(leg, amount, policy)
    if not units or not amount:
        leg.hold(Reason.BELOW_STEP)
    elif (why := too_small(leg, amount, units, policy)) is not None:
        leg.hold(why)
    else:
        leg.buy(amount, units, Reason.UNDERWEIGHT)
    return leg.action is Action.BUY
