"""Made-up books for plans, what is known of them in fractions, and plans as venues tell them.

A book has several accounts at several venues, coins under either name, coins that are staked or in
open orders, pegs, coins that the settings leave out, and one of several bases.
"""

import random
from decimal import Decimal
from fractions import Fraction

import msgspec

import bursar
from bursar.ledger import instant
from bursar.ledger.entries import CashFlow, Fee, Fill, FlowKind, Side, Transfer
from bursar.plan import Constraints, Instrument, RoundingMode, SizingPolicy, StrategyAllocation
from bursar.portfolio import agreement
from bursar.reconcile import Holding, Statement
from bursar.value.worth import Options

DAY = instant.DAY
START = instant.parse("2026-01-01")
VENUES = ("alpaca:main", "binance:main", "cold:wallet", "kraken:main", "kraken:second")
COINS = {"ADA": ("0.4", 6), "ETH": ("3000", 8), "SOL": ("150", 8), "XBT": ("60000", 8)}
BASES = {"USD": ("1", 2), "EUR": ("1.1", 2), "JPY": ("0.0066", 0), "XBT": ("60000", 8)}
NAMES = {"XBT": ("XBT", "BTC")}
AGREED = Fraction(1, 10**12)
"""What rounding to 18 decimals may come to in all."""


def frac(value):
    return Fraction(str(value))


def decimal(value, places):
    """A fraction cut to so many decimals."""
    scale = 10**places
    return Decimal(int(value * scale)).scaleb(-places)


class World(msgspec.Struct):
    """A book and what the model knows of it: (account, coin) → units, of them bound."""

    portfolio: bursar.Portfolio
    base: str
    prices: dict[str, Decimal]
    excluded: set[str]
    held: dict[tuple[str, str], Fraction]
    bound: dict[tuple[str, str], Fraction]
    called: dict[tuple[str, str], str]


def world(seed):
    rng = random.Random(seed)
    base = rng.choice(list(BASES))
    portfolio = bursar.open(
        ":memory:",
        terms=bursar.Terms(
            base=base,
            method=bursar.Method(rng.choice(["wac", "fifo", "hifo"])),
            scope=bursar.Scope(rng.choice(["account", "pooled"])),
        ),
    )
    dollars, places = BASES[base]
    coins = [coin for coin in COINS if coin != base]
    prices = {
        coin: decimal(frac(COINS[coin][0]) / frac(dollars) * rng.randint(80, 120) / 100, 10)
        for coin in coins
    }
    accounts = rng.sample(VENUES, rng.randint(1, 4))
    excluded = {coin for coin in coins if rng.random() < 0.1}
    made = World(portfolio, base, prices, excluded, {}, {}, {})
    entries = list(_past(rng, made, accounts, places))
    portfolio.record(*entries)
    for account in accounts:
        _bind(rng, made, account)
    portfolio.options = Options(exclude_assets=frozenset(excluded))
    return rng, made


def _past(rng, made, accounts, places):
    """Yield deposits of money and coins, purchases, and coins that are staked."""
    number = 0
    for account in accounts:
        cash = [made.base]
        if made.base == "USD" and rng.random() < 0.5:
            cash.append("USDT")
        for asset in cash:
            amount = decimal(
                Fraction(rng.randint(0, 10**7), 1000) / frac(BASES[made.base][0]), places
            )
            if amount:
                yield _flow(account, asset, amount, number)
                number += 1
                _add(made, account, "cash", frac(amount))
                if rng.random() < 0.1:  # more than it has, perhaps
                    gone = decimal(frac(amount) * rng.randint(5, 15) / 10, places)
                    yield _flow(account, asset, -gone, number, kind=FlowKind.WITHDRAWAL)
                    number += 1
                    _add(made, account, "cash", -frac(gone))
        for coin in made.prices:
            if rng.random() < 0.3:
                continue
            called = rng.choice(NAMES.get(coin, (coin,)))
            made.called[account, coin] = called
            units = decimal(
                Fraction(rng.randint(1, 10**6), 100) / frac(COINS[coin][0]), COINS[coin][1]
            )
            value = decimal(frac(units) * frac(made.prices[coin]) * rng.randint(50, 150) / 100, 18)
            yield msgspec.structs.replace(
                _flow(account, called, units, number), value=value, basis=value
            )
            number += 1
            _add(made, account, coin, frac(units))
            if rng.random() < 0.2:
                part = decimal(frac(units) * rng.randint(1, 10) / 10, COINS[coin][1])
                pocket = rng.choice(["staked", "auto-earn"])
                yield Transfer(
                    id=f"{account}:{number}",
                    executed_at=START + number * DAY,
                    account=account,
                    to_account=account,
                    asset=called,
                    quantity=part,
                    to_pocket=pocket,
                )
                number += 1
                if pocket == "staked":
                    made.bound[account, coin] = frac(part)


def _flow(account, asset, amount, number, kind=FlowKind.DEPOSIT):
    return CashFlow(
        id=f"{account}:{number}",
        executed_at=START + number * DAY,
        account=account,
        kind=kind,
        asset=asset,
        amount=amount,
    )


def _add(made, account, coin, units):
    made.held[account, coin] = made.held.get((account, coin), Fraction(0)) + units


def _bind(rng, made, account):
    """Let the venue say what stands in open orders, perhaps of an older and larger holding."""
    lines = []
    for (place, coin), units in made.held.items():
        if place != account or rng.random() < 0.7:
            continue
        if coin == "cash" and made.portfolio.book().owned(account, "USDT"):
            continue  # an order in dollars draws on dollars alone
        name = made.base if coin == "cash" else made.called[place, coin]
        reserved = decimal(max(units, 0) * rng.randint(1, 12) / 10, 8)
        lines.append(Holding(asset=name, code=name, total=decimal(units, 8), reserved=reserved))
        there = made.portfolio.book().owned(account, name) if coin == "cash" else None
        most = units if there is None else frac(there)
        if coin == "cash":
            reserved = min(frac(reserved), max(most, 0))
        bound = made.bound.get((place, coin), 0) + frac(reserved)
        made.bound[place, coin] = min(bound, max(units, 0))
    if lines:
        agreement.remember(
            made.portfolio, Statement(account=account, as_of=START, holdings=tuple(lines))
        )


def wish(rng, made):
    """An allocation and a policy."""
    wanted = [c for c in made.prices if rng.random() < 0.7 and c not in made.excluded]
    cuts = sorted(rng.randint(0, 10_000) for _ in wanted)
    weights = {
        rng.choice(NAMES.get(coin, (coin,))): Decimal(after - before) / 10_000
        for coin, before, after in zip(wanted, [0, *cuts], cuts, strict=False)
    }
    limits = Constraints(
        reserve_weight=Decimal(rng.randint(0, 20)) / 100 if rng.random() < 0.3 else Decimal(0),
        cap=Decimal(rng.randint(5, 60)) / 100 if rng.random() < 0.3 else None,
        band=Decimal(rng.randint(0, 10)) / 100 if rng.random() < 0.3 else None,
        buys_only=rng.random() < 0.1,
    )
    called = {coin_of(name): name for name in weights}
    instruments = {}
    for coin in made.prices:
        own = {name for (_, each), name in made.called.items() if each == coin}
        name = called.get(coin) or (own.pop() if len(own) == 1 else None)
        if name is not None and rng.random() < 0.2:
            ten = decimal(Fraction(rng.choice([0, 10])) / frac(BASES[made.base][0]), 8)
            instruments[name] = Instrument(
                step=rng.choice([Decimal(0), Decimal("0.001")]),
                min_quantity=rng.choice([Decimal(0), Decimal("0.002")]),
                min_notional=ten,
            )
    policy = SizingPolicy(
        rounding=rng.choice([RoundingMode.DOLLAR, RoundingMode.LOT, RoundingMode.UNIT]),
        fee_rate=rng.choice([Decimal(0), Decimal("0.0026")]),
        instruments=instruments,
    )
    return StrategyAllocation(weights, None, "", limits), policy


def names(coin):
    """All names of a coin."""
    return NAMES.get(coin, (coin,))


def coin_of(symbol):
    return next((coin for coin, known in NAMES.items() if symbol in known), symbol)


def free(made, coin):
    """What of a coin is free in each account."""
    return {
        account: units - made.bound.get((account, coin), 0)
        for (account, each), units in made.held.items()
        if each == coin and units
    }


def fills(made, plan, at):
    """The trades of a plan as venues would tell them, sold and paid where things are free."""
    told: list[Fill] = []
    purse = free(made, "cash")
    for item in plan.items:
        if not item.priority:
            continue
        coin, is_sale = coin_of(item.symbol), item.quantity < 0
        places = free(made, coin) if is_sale else purse
        parts = _parts(item, places, is_sale=is_sale)
        for account, (units, amount, fee) in parts.items():
            places[account] -= frac(units) if is_sale else frac(amount + fee)
            if is_sale:
                purse[account] = purse.get(account, 0) + frac(amount - fee)
            told.append(
                Fill(
                    id=f"{account}:done{len(told)}",
                    executed_at=at + len(told),
                    account=account,
                    base=made.called.get((account, coin), item.symbol),
                    quote=made.base,
                    side=Side.SELL if is_sale else Side.BUY,
                    quantity=units,
                    amount=amount,
                    price=item.price,
                    fees=(Fee(made.base, fee, fee),),
                )
            )
    return told


def _parts(item, places, *, is_sale):
    """Units, amount and fee by account: for a sale by name, for a purchase the most money first."""
    whole = [frac(abs(item.quantity)), frac(abs(item.trade_amount)), frac(item.fee)]
    wanted = whole[0] if is_sale else whole[1] + whole[2]
    order = sorted(places) if is_sale else sorted(places, key=lambda name: (-places[name], name))
    left, rest, parts = wanted, list(whole), {}
    for account in order:
        part = min(places[account], left)
        if part > 0:
            here = rest if part == left else [each * part / wanted for each in whole]
            parts[account] = [decimal(each, 18) for each in here]
            rest = [each - frac(told) for each, told in zip(rest, parts[account], strict=True)]
            left -= part
    assert not left, (item, left)
    return parts
