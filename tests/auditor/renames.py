"""How the naive bookkeeper renames and splits: by account, or a whole pool at once."""

from fractions import Fraction

from tests.auditor.places import Lot, Place, exact, half_even, shares


def rename(own, fact):
    for owner, asset, pocket in list(own.pockets):
        if asset == fact.asset and fact.account in {"*", owner}:
            own.pockets[owner, fact.to_asset, pocket] += own.pockets.pop((owner, asset, pocket))
    if own.stock.everything_of(fact.account, fact.asset):
        _rename_everything(own, fact)
        return
    for account in own.stock.accounts_with(fact.account, fact.asset):
        debts = own.stock.lift_debts(account, fact.asset)
        quantity = own.stock.owned(account, fact.asset)
        ends = (account, fact.asset), (account, fact.to_asset)
        if quantity > 0 or fact.asset in own.cash:
            own.carry(fact, *ends, quantity)
        elif quantity < 0:  # in a pool: what the account lacks goes on under the new name
            gain = own.bring(fact, ends[0], -quantity, 0, f"/{account}")
            gain -= own.stock.take(fact, ends[1], -quantity).cost
            own.gain((*ends[1], "none", "manual", ""), gain)
        own.stock.lay_debts(account, fact.to_asset, debts)


def _rename_everything(own, fact):
    """A pool is poured into that of the new name; what becomes money is worth its face."""
    old, new, cash = fact.asset, fact.to_asset, fact.to_asset in own.cash
    pool = own.stock.places.pop(("*", old), Place())
    owners = own.stock.accounts_with(fact.account, old)
    owners.sort(key=lambda owner: not own.stock.owned(owner, old))
    for owner in owners:
        units = own.stock.balances.pop((owner, old), Fraction(0))
        own.stock.balances[owner, new] += units
        if cash:
            own.stock.places[owner, new].face += units
    if cash:
        for owner in owners[:1]:
            key = (owner, new, "none", "manual", "")
            own.gain(key, pool.quantity - pool.cost, peg=True)
        return
    for lot in pool.lots:
        own.stock.join(own.stock.places["*", new], lot)
    own.stock.places["*", new].debts += pool.debts


def split(own, fact):
    if fact.asset in own.cash:
        return
    factor = exact(fact.numerator) / exact(fact.denominator)
    for owner, asset, pocket in list(own.pockets):
        if asset == fact.asset and fact.account in {"*", owner}:
            own.pockets[owner, asset, pocket] = half_even(
                own.pockets[owner, asset, pocket] * factor
            )
    for cell, size in own.sizes.items():
        if cell[1] == fact.asset and fact.account in {"*", cell[0]}:
            own.sizes[cell] = half_even(size * factor)
    owners = own.stock.accounts_with(fact.account, fact.asset)
    if not own.stock.pooled:
        for owner in owners:
            place = own.stock.places[owner, fact.asset]
            units = {owner: place.quantity}
            _multiply(own, fact, place, units, {})
    else:
        everybody = own.stock.accounts_with("*", fact.asset)
        units = {owner: own.stock.owned(owner, fact.asset) for owner in owners}
        others = {
            owner: own.stock.owned(owner, fact.asset) for owner in everybody if owner not in owners
        }
        _multiply(own, fact, own.stock.places["*", fact.asset], units, others)


def _multiply(own, fact, place, units, others):
    """`units` are the balances that the split is about, `others` those that stay.

    Each balance is rounded by itself. Debts follow the sum of balances without sign; lots are
    what the balances and the debts leave. Where they would be nothing while others' coins are
    still to be split, they stay, and what is too much is owed for nothing.
    """
    factor = exact(fact.numerator) / exact(fact.denominator)
    after = {owner: half_even(each * factor) for owner, each in units.items()}
    alone = not any(others.values())
    if not units or (after == units and not alone):
        return
    cost = place.cost
    mine, rest = (sum(map(abs, each.values()), Fraction(0)) for each in (units, others))
    if not alone:
        place.debts = [debt for debt in place.debts if debt.name != "split"]
    growth = factor if alone else (mine * factor + rest) / (mine + rest)
    place.debts = _scaled(place.debts, growth)
    owed = sum((debt.quantity for debt in place.debts), Fraction(0))
    wanted = sum(after.values()) + sum(others.values()) + owed
    held = sum((lot.quantity for lot in place.lots), Fraction(0))
    paid = any(lot.cost for lot in place.lots)
    keep = held if wanted <= 0 and paid and not alone else max(wanted, Fraction(0))
    if keep > wanted:
        place.debts.append(Lot(0, "split", keep - wanted, Fraction(0)))
    if place.lots:
        place.lots = _shared(place.lots, keep)
    elif keep:
        place.lots = [own.lot(fact, keep, 0)]
    for owner, each in after.items():
        own.stock.balances[owner, fact.asset] = each
    first = min(units, key=lambda owner: (not units[owner], owner))
    own.gain((first, fact.asset, "none", "manual", ""), place.cost - cost)


def _scaled(lots, factor):
    """Multiply the units, rounded once in all."""
    whole = sum((lot.quantity for lot in lots), Fraction(0))
    return _shared(lots, half_even(whole * factor))


def _shared(lots, whole):
    """Share units out by size; a lot that comes to nothing leaves its cost to the last one."""
    if lots:
        for lot, units in zip(lots, shares(whole, [x.quantity for x in lots]), strict=True):
            lot.quantity = units
    kept = [lot for lot in lots if lot.quantity]
    if kept:
        kept[-1].cost += sum(lot.cost for lot in lots if not lot.quantity)
    return kept
