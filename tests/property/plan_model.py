"""A model of one-pass plans over a made-up book: fractions, and no code of the planner's."""

from fractions import Fraction

import msgspec

from bursar.plan import RoundingMode
from tests.property.planned_books import BASES, coin_of, decimal, frac, free

NONE = Fraction(0)


class Line(msgspec.Struct):
    """A line: what is held, what of it is free, what is wanted, and the trade."""

    coin: str
    held: Fraction
    free: Fraction
    price: Fraction
    target: Fraction = NONE
    amount: Fraction = NONE
    units: Fraction = NONE

    @property
    def gap(self):
        return self.target - self.held * self.price

    @property
    def is_closing(self):
        return not self.target and self.held > 0


class Model(msgspec.Struct):
    """What a plan should come to."""

    lines: dict[str, Line]
    cash: Fraction
    spendable: Fraction
    worth: Fraction
    reserve: Fraction


def model(made, allocation, policy):
    """Work out a plan."""
    weights = {coin_of(s): frac(w) for s, w in allocation.target_weights.items()}
    lines = {}
    for coin, price in made.prices.items():
        held = sum((u for (_, c), u in made.held.items() if c == coin), NONE)
        if coin not in made.excluded and (held or coin in weights):
            lines[coin] = Line(coin, held, sum(free(made, coin).values(), NONE), frac(price))
    cash = sum((u for (_, c), u in made.held.items() if c == "cash"), NONE)
    worth = cash + sum(line.held * line.price for line in lines.values())
    limits = allocation.constraints
    for line in lines.values():
        weight = weights.get(line.coin, NONE)
        line.target = (weight if limits.cap is None else min(weight, frac(limits.cap))) * worth
    spendable = sum(free(made, "cash").values(), NONE)
    reserve = frac(limits.reserve) + frac(limits.reserve_weight) * worth
    sizes = Sizes(made.base, policy, worth)
    sold = _sold(lines, sizes, limits, worth)
    _bought(_wanting(lines, sizes, limits, worth), sizes, spendable - reserve + sold)
    return Model(lines, cash, spendable, worth, reserve)


class Sizes:
    """To what trades are cut, and which are too small."""

    def __init__(self, base, policy, worth):
        places = BASES[base][1]
        is_like_dollar = base in {"USD", "EUR"}
        self.least = Fraction(1) if is_like_dollar else frac(decimal(worth / 100_000, places))
        self.cent = Fraction(1, 10**places)
        self.rate = frac(policy.fee_rate)
        self.rounding = policy.rounding
        self.own = {coin_of(symbol): each for symbol, each in policy.instruments.items()}

    def step(self, coin):
        step = frac(self.own[coin].step) if coin in self.own else NONE
        if self.rounding is RoundingMode.UNIT:
            return step if step and step.denominator == 1 else Fraction(1)
        return step or (Fraction(1, 10**8) if self.rounding is RoundingMode.LOT else NONE)

    def cut(self, line, amount):
        step = self.step(line.coin)
        if step:
            units = amount // (step * line.price) * step
            return units * line.price, units
        amount = amount // self.cent * self.cent
        return amount, Fraction(amount // (line.price / 10**9), 10**9)

    def fits(self, line, amount, units):
        if not amount or not units or (amount < self.least and not line.is_closing):
            return False
        own = self.own.get(line.coin)
        return own is None or (units >= frac(own.min_quantity) and amount >= frac(own.min_notional))

    def is_wanted(self, line, limits, worth):
        size = abs(line.gap)
        if not size or (size < self.least and not line.is_closing):
            return False
        return not line.target or limits.band is None or size > frac(limits.band) * worth


def _sold(lines, sizes, limits, worth):
    """Sell what is above its target; return what that brings after fees."""
    brought = NONE
    for line in lines.values():
        if line.gap >= 0 or limits.buys_only or not sizes.is_wanted(line, limits, worth):
            continue
        amount, units = sizes.cut(line, -line.gap)
        if line.is_closing or units > line.free:
            step = sizes.step(line.coin)
            units = line.free // step * step if step else line.free
            amount = units * line.price
        if sizes.fits(line, amount, units):
            line.amount, line.units = -amount, -units
            brought += amount * (1 - sizes.rate)
    return brought


def _wanting(lines, sizes, limits, worth):
    wanting = [
        line for line in lines.values() if line.gap > 0 and sizes.is_wanted(line, limits, worth)
    ]
    fitting = [line for line in wanting if sizes.fits(line, *sizes.cut(line, line.gap))]
    return sorted(fitting, key=lambda line: line.coin)


def _bought(lines, sizes, funds):
    """Buy what the funds pay: all, or in proportion and then what is left, largest gap first."""
    with_fee = 1 + sizes.rate
    whole = [sizes.cut(line, line.gap) for line in lines]
    if sum((amount for amount, _ in whole), NONE) * with_fee <= funds:
        for line, (amount, units) in zip(lines, whole, strict=True):
            line.amount, line.units = amount, units
        return
    if funds <= 0:
        return
    scale = funds / (sum((line.gap for line in lines), NONE) * with_fee)
    for line in lines:
        funds -= _buy(line, line.gap * scale, sizes)
    for line in sorted(lines, key=lambda line: line.amount - line.gap):
        funds -= _buy(line, min(line.gap, line.amount + funds / with_fee), sizes)


def _buy(line, amount, sizes):
    """Buy for at most an amount, or nothing; return what that costs more than before."""
    before = line.amount
    line.amount, line.units = sizes.cut(line, amount)
    if not sizes.fits(line, line.amount, line.units):
        line.amount = line.units = NONE
    return (line.amount - before) * (1 + sizes.rate)
