"""A second, naive bookkeeper: the same decisions in `fractions.Fraction`, sharing no code.

It reads the fields of priced facts in canonical order, keeps plain lists of lots, searches and
sorts them anew each time (O(n²)), and rounds only where the decisions name a rounding: half-even
to 18 digits for a product or a share, and a share is never more than the whole.
"""

from collections import defaultdict
from fractions import Fraction

from tests.auditor import renames
from tests.auditor.places import Lot, exact, half_even, part_of
from tests.auditor.stock import Stock

INCOME = {"reward", "dividend", "interest", "funding", "rebate", "airdrop"}
CAPITAL = {
    *("deposit", "withdrawal", "opening", "transfer", "adjustment", "unclassified"),
    *("unpaired", "staged_flow", "basis_adjustment"),
}


class Auditor:
    def __init__(self, *, base, cash, method, pooled, shorts=()):
        self.base, self.cash, self.method = base, set(cash), method
        self.stock = Stock(cash=cash, method=method, pooled=pooled, shorts=shorts)
        self.realized = defaultdict(Fraction)
        self.pegged = defaultdict(Fraction)
        self.sizes = defaultdict(Fraction)
        self.charged = defaultdict(Fraction)
        self.trades = defaultdict(int)
        self.fees: dict = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.flows: dict = defaultdict(lambda: [Fraction(0), Fraction(0), Fraction(0), 0])
        self.margins: dict = defaultdict(lambda: [Fraction(0), Fraction(0), Fraction(0)])
        self.pockets = defaultdict(Fraction)
        self.sleeves = defaultdict(Fraction)
        self.gaps = defaultdict(int)
        self.kept = {}
        self.births = {}

    def read(self, facts):
        for fact in facts:
            self.births[fact.id] = len(self.births)
            getattr(self, "_" + type(fact).__name__.lower())(fact)
            for asset in self._rests_on(fact):
                for flag in fact.flags:
                    # Money costs its face; what may be unknown of it is why it moved.
                    if asset not in self.cash or flag.value in ("unpaired", "unclassified"):
                        self.gaps[asset, flag.value] += 1
        return self

    # ------------------------------------------------------------------ sums

    def lot(self, fact, quantity, cost, part=""):
        """A lot that a fact brings; a second one of the same fact is named by its part."""
        name = fact.id + part
        return Lot((self.births[fact.id], name), name, exact(quantity), exact(cost))

    def bring(self, fact, key, quantity, cost, part=""):
        return self.stock.put(key[:2], [self.lot(fact, quantity, cost, part)])

    def gain(self, key, amount, *, peg=False):
        self.realized[key] += amount
        if peg:
            self.pegged[key] += amount

    def sell(self, fact, key, quantity, worth, named=()):
        """Dispose at a worth, and credit the gain to the cell."""
        taken = self.stock.take(fact, key[:2], quantity, worth, named=named)
        self.gain(key, worth - taken.deferred - taken.cost, peg=key[1] in self.cash)
        return taken

    def book(self, place, *changes):
        """Add (amount, booked, worth, count) to the flows of (account, kind, asset, strategy)."""
        for i, change in enumerate(changes):
            self.flows[place][i] += change

    def charge(self, account, pair, fee, sign=1):
        memo = self.fees[account, pair, fee.asset]
        memo[0] += sign * exact(fee.amount)
        memo[1] += sign * exact(fee.value)

    def pay(self, fact, fee, place, account=None):
        """Let a fee leave, or a rebate come, in its own asset."""
        key = (account or fact.account, fee.asset, *place)
        amount, worth = exact(fee.amount), exact(fee.value)
        if amount >= 0:
            return self.sell(fact, key, amount, worth)
        gain = self.bring(fact, key, -amount, -worth, "/rebate")
        self.gain(key, gain, peg=fee.asset in self.cash)
        return None

    def expense(self, fact, fee, strategy, account=None):
        account = account or fact.account
        taken = self.pay(fact, fee, ("none", strategy, ""), account)
        self.charge(account, "none", fee)
        worth = exact(fee.value)
        place = (account, "fee", fee.asset, strategy)
        self.book(place, -exact(fee.amount), worth, worth, 0)
        return taken

    def inside(self, fees, asset, came):
        """The fees that are kept back from the coins that come."""
        own = [f for f in fees if f.asset == asset and asset not in self.cash and f.amount > 0]
        return own if sum(exact(f.amount) for f in own) <= came else []

    # ------------------------------------------------------------------ facts

    def _fill(self, fill):
        if fill.delivers:
            self._deliver(fill)
        quantity, amount, value = exact(fill.quantity), exact(fill.amount), exact(fill.value)
        bought = fill.side.value == "buy"
        got, came = (fill.base, quantity) if bought else (fill.quote, amount)
        gave, went = (fill.quote, amount) if bought else (fill.base, quantity)
        account = fill.account
        pair = fill.pair or f"{fill.base}/{fill.quote}"
        place = (pair, fill.strategy or "manual", fill.regime or "")
        cell = (account, fill.base, *place)
        inside = self.inside(fill.fees, got, came)
        outside = [fee for fee in fill.fees if fee not in inside]
        cost = value
        for fee in inside:
            came, cost = came - exact(fee.amount), cost - min(exact(fee.value), cost)
        came_gain = self.bring(fill, (account, got), came, cost)
        self.gain((account, got, *place), came_gain, peg=got in self.cash)
        for fee in outside:
            if fee.amount < 0:
                self.pay(fill, fee, place)
        self.sell(fill, (account, gave, *place), went, value, fill.lots)
        self.sizes[cell] += quantity if bought else -quantity
        self.trades[cell] += 1
        charged = value - cost + sum(exact(fee.value) for fee in outside)
        self.realized[cell] -= charged
        self.charged[cell] += charged
        for fee in fill.fees:
            self.charge(account, place[0], fee)
        for fee in outside:
            if fee.amount > 0:
                self.pay(fill, fee, place)

    def _deliver(self, fill):
        position = self.margins[fill.account, f"{fill.base}/{fill.quote}"]
        sign = 1 if fill.side.value == "buy" else -1
        if position[0] * sign > 0:
            closing = min(abs(position[0]), exact(fill.quantity))
            paid = exact(fill.amount) if closing == exact(fill.quantity) else None
            position[1] -= self._entered(position, closing, paid)
            position[0] -= sign * closing

    def _entered(self, position, closing, stated):
        """What goes of the notional: what is stated of a part, if that can be, or its share."""
        size, notional, _ = position
        if stated is not None and closing < abs(size) and 0 <= stated <= notional:
            return stated
        return part_of(notional, closing, abs(size))

    def _marginfill(self, fill):
        pair = fill.pair or f"{fill.base}/{fill.quote}"
        place = (pair, fill.strategy or "manual", fill.regime or "")
        cell = (fill.account, fill.base, *place)
        computed = self._reposition(fill, pair)
        settled = computed if fill.settled is None else exact(fill.settled)
        in_cash = fill.quote in self.cash
        worth = settled if in_cash else half_even(settled * exact(fill.quote_rate))
        self.realized[cell] += worth
        self.trades[cell] += 1
        quote = (fill.account, fill.quote, *place)
        if settled > 0:
            gain = self.bring(fill, quote, settled, worth)
            self.gain(quote, gain, peg=True)
        elif settled < 0:
            self.sell(fill, quote, -settled, -worth)
        for fee in fill.fees:
            self.realized[cell] -= exact(fee.value)
            self.charged[cell] += exact(fee.value)
            self.charge(fill.account, pair, fee)
            self.pay(fill, fee, place)

    def _reposition(self, fill, pair):
        if fill.quantity is None or fill.side is None:
            return Fraction(0)
        position, left, pnl = self.margins[fill.account, pair], exact(fill.quantity), Fraction(0)
        price, sign = exact(fill.price), 1 if fill.side.value == "buy" else -1
        if position[0] * sign < 0:
            closing = min(abs(position[0]), left)
            worth, stated = half_even(closing * price), None
            made = fill.made if fill.is_elsewhere else fill.settled
            if made is not None and fill.price is not None and closing == left:
                stated = worth + sign * exact(made)
            entered = self._entered(position, closing, stated)
            pnl = -sign * (worth - entered)
            if fill.price is None:
                pnl = exact(fill.settled)
            position[0] += sign * closing
            position[1] -= entered
            left -= closing
        if fill.closes and left:  # it was opened before all that is known
            position[2] += left
            left = Fraction(0)
            if fill.settled is None:
                self.gaps[fill.base, "unsettled"] += 1
            else:
                pnl = exact(fill.settled)
        position[0] += sign * left
        position[1] += half_even(left * price)
        return pnl

    def _cashflow(self, flow):
        strategy, kind, amount = flow.strategy or "manual", flow.kind.value, exact(flow.amount)
        inside = self.inside(flow.fees, flow.asset, amount)
        outside = [fee for fee in flow.fees if fee not in inside]
        taken = came = None
        if amount > 0:
            came = self._come(flow, strategy, inside)
        elif amount < 0:
            taken = self._go(flow, strategy)
        else:
            self.book((flow.account, kind, flow.asset, strategy), 0, 0, 0, 1)
        paid = [(fee, self.expense(flow, fee, strategy)) for fee in outside]
        self._pocket(flow, 1)
        if flow.reversed_by is not None:
            self.kept[flow.id] = (flow, inside, came, taken, paid)

    def _pocket(self, flow, sign):
        if flow.pocket not in {None, "main"}:
            fees = sum(exact(fee.amount) for fee in flow.fees if fee.asset == flow.asset)
            key = (flow.account, flow.asset, flow.pocket)
            self.pockets[key] += sign * (exact(flow.amount) - fees)

    def _come(self, flow, strategy, inside):
        kind, asset, amount, worth = (
            flow.kind.value,
            flow.asset,
            exact(flow.amount),
            exact(flow.value),
        )
        given = kind in CAPITAL and asset not in self.cash and flow.basis is not None
        basis = exact(flow.basis) if given else worth
        key = (flow.account, asset, "none", strategy, "")
        kept, cost, lost = amount, basis, Fraction(0)
        for fee in inside:
            share = part_of(cost, exact(fee.amount), kept)
            kept, cost = kept - exact(fee.amount), cost - share
            lost += exact(fee.value) - share
            self.charge(flow.account, "none", fee)
            value = exact(fee.value)
            self.book((flow.account, "fee", asset, strategy), -exact(fee.amount), value, value, 0)
        self.gain(key, lost + self.bring(flow, key, kept, cost))
        booked = -basis if kind == "fee" else basis
        self.book((flow.account, kind, asset, strategy), amount, booked, worth, 1)
        return kept, lost, basis

    def _go(self, flow, strategy):
        kind, asset, amount, worth = (
            flow.kind.value,
            flow.asset,
            exact(flow.amount),
            exact(flow.value),
        )
        key = (flow.account, asset, "none", strategy, "")
        if kind in CAPITAL:
            taken = self.stock.take(flow, key[:2], -amount)
            booked = -taken.cost
        else:
            taken = self.stock.take(flow, key[:2], -amount, -worth)
            self.gain(key, -worth - taken.deferred - taken.cost)
            booked = -worth if kind == "fee" else worth
        self.book((flow.account, kind, asset, strategy), amount, booked, worth, 1)
        return taken

    def _reversal(self, reversal):
        flow, inside, came, taken, paid = self.kept.pop(reversal.target)
        strategy, kind, worth = flow.strategy or "manual", flow.kind.value, exact(flow.value)
        key = (flow.account, flow.asset, "none", strategy, "")
        booked = Fraction(0)
        if taken is not None:
            added = self.give_back(flow, flow.asset, taken)
            booked = taken.cost if kind in CAPITAL else -worth
            self.gain(key, added - booked)
            booked = -booked if kind == "fee" else booked
        elif came is not None:
            booked = self._send_back(reversal, flow, inside, came)
        place = (flow.account, kind, flow.asset, strategy)
        self.book(place, -exact(flow.amount), booked, -worth, -1)
        for fee, left in paid:
            self._refund(reversal, flow, fee, left)
        self._pocket(flow, -1)

    def give_back(self, flow, asset, taken, part=""):
        """Put back what an outflow took. Returns by how much the cost of what is held grew."""
        place = self.stock.place(flow.account, asset)
        before = place.cost
        if asset in self.cash:
            place.face += taken.cash
            self.stock.balances[flow.account, asset] += taken.cash
            return taken.cash
        parts, missing = list(taken.parts), taken.missing
        if missing and taken.debt in place.debts:
            lifted = taken.debt.cut(missing).quantity
            place.debts = [debt for debt in place.debts if debt.quantity]
            self.stock.balances[flow.account, asset] += lifted
            missing -= lifted
        if missing > 0:  # covered in the meantime: it comes back without cost
            parts.append(self.lot(flow, missing, 0, part))
        self.stock.put((flow.account, asset), parts)
        return place.cost - before

    def _send_back(self, reversal, flow, inside, came):
        """Everything that the inflow did is undone but what its coins cost by now."""
        kind, asset = flow.kind.value, flow.asset
        strategy = flow.strategy or "manual"
        kept, lost, basis = came
        worths = Fraction(0)
        for fee in inside:
            self.charge(flow.account, "none", fee, -1)
            value = exact(fee.value)
            worths += value
            place = (flow.account, "fee", asset, strategy)
            self.book(place, exact(fee.amount), -value, -value, 0)
        key = (flow.account, asset, "none", strategy, "")
        self.gain(key, -lost)
        cost = basis - (worths - lost)
        proceeds = Fraction(0) if kind in CAPITAL else cost
        taken = self.stock.take(reversal, key[:2], kept, proceeds, named=(flow.id,), own=True)
        if kind in CAPITAL:
            return -taken.cost - (worths - lost)
        self.gain(key, proceeds - taken.deferred - taken.cost)
        return basis if kind == "fee" else -basis

    def _refund(self, reversal, flow, fee, left):
        strategy, amount, worth = flow.strategy or "manual", exact(fee.amount), exact(fee.value)
        key = (flow.account, fee.asset, "none", strategy, "")
        if amount < 0:  # a rebate goes back
            taken = self.stock.take(flow, key[:2], -amount, -worth)
            self.gain(key, -worth - taken.deferred - taken.cost)
        else:
            self.gain(key, self.give_back(flow, fee.asset, left, "/fee") - worth)
        self.charge(flow.account, "none", fee, -1)
        self.book((flow.account, "fee", fee.asset, strategy), amount, -worth, -worth, 0)

    def _transfer(self, move):
        ends = (move.account, move.asset), (move.to_account, move.to_asset or move.asset)
        if move.to_account != move.account:
            self.carry(move, *ends, exact(move.quantity))
        for place, pocket, sign in zip(ends, (move.pocket, move.to_pocket), (-1, 1), strict=True):
            if pocket not in (None, "main"):
                self.pockets[(*place, pocket)] += sign * exact(move.quantity)
        for account, fees in ((move.account, move.fees), (move.to_account, move.to_fees)):
            for fee in fees:
                self.expense(move, fee, "manual", account)

    def carry(self, fact, source, target, quantity):
        """Lots go along; what was not there arrives without cost."""
        taken = self.stock.take(fact, source, quantity)
        parts = list(taken.parts)
        if source[1] in self.cash:
            parts = [self.lot(fact, quantity, quantity)]
        elif taken.missing:
            parts.append(self.lot(fact, taken.missing, 0))
        gain = self.stock.put(target, parts)
        self.gain((*target, "none", "manual", ""), gain, peg=target[1] in self.cash)

    def _sleevetransfer(self, move):
        self.sleeves[move.from_strategy] -= exact(move.amount)
        self.sleeves[move.to_strategy] += exact(move.amount)

    def _conversion(self, fact):
        for leg in fact.taken:
            key = (fact.account, leg.asset, "none", "manual", "")
            gain = self.bring(fact, key, leg.quantity, leg.value)
            self.gain(key, gain, peg=leg.asset in self.cash)
        for leg in fact.given:
            key = (fact.account, leg.asset, "none", "manual", "")
            self.sell(fact, key, leg.quantity, exact(leg.value))
        for fee in fact.fees:
            self.expense(fact, fee, "manual")

    def _rename(self, fact):
        renames.rename(self, fact)

    def _split(self, fact):
        renames.split(self, fact)

    def _stagedchange(self, change):
        account = change.account
        edited = {}
        for asset in {lot.asset for lot in change.lots} - self.cash:
            lots = self._lots_after(change, asset)
            there = self.stock.place(account, asset).lots
            grown = sum(lot.quantity for lot in lots) - sum(lot.quantity for lot in there)
            if grown == sum(exact(x.quantity) for x in change.lines if x.asset == asset):
                edited[asset] = lots
        value = Fraction(0)
        numbered = enumerate(change.lines)
        for number, line in sorted(numbered, key=lambda each: each[1].quantity < 0):
            worth = half_even(exact(line.quantity) * exact(line.price))
            value += worth
            if line.asset not in edited:
                self._staged_line(change, line, worth, f"/{number}" if number else "")
        for asset, lots in edited.items():
            self._staged_lots(change, asset, lots)
        cash, fees = exact(change.cash), exact(change.fees)
        self.stock.places[account, self.base].face += cash - fees
        self.stock.balances[account, self.base] += cash - fees
        if cash + value:
            flow = cash + value
            self.book((change.account, "staged_flow", self.base, "manual"), flow, flow, flow, 1)
        if fees:
            assets = {line.asset for line in change.lines}
            asset, pair = self.base, "none"
            if len(assets) == 1:
                asset, pair = change.lines[0].asset, f"{change.lines[0].asset}/{self.base}"
            memo = self.fees[account, pair, self.base]
            memo[0], memo[1] = memo[0] + fees, memo[1] + fees
            cell = (account, asset, pair, self._whose(change.lines), "")
            self.realized[cell] -= fees
            self.charged[cell] += fees

    def _whose(self, lines):
        named = {line.strategy or "manual" for line in lines}
        return "manual" if len(named) != 1 else min(named)

    def _staged_line(self, change, line, worth, part):
        quantity, strategy = exact(line.quantity), line.strategy or "manual"
        cell = (change.account, line.asset, f"{line.asset}/{self.base}", strategy, "")
        self.sizes[cell] += quantity
        self.trades[cell] += 1
        if quantity > 0:
            gain = self.bring(change, cell, quantity, worth, part)
            self.gain(cell, gain)
        elif quantity < 0:
            self.sell(change, cell, -quantity, -worth)

    def _lots_after(self, change, asset):
        """Copies of the lots as they would be after the edits; under wac there is one, `pool`."""
        lots = {}
        for each in self.stock.place(change.account, asset).lots:
            name = "pool" if self.method == "wac" else each.name
            lots[name] = Lot(each.born, name, each.quantity, each.cost)
        for edit in change.lots:
            if edit.asset != asset:
                continue
            known = lots.pop(edit.lot, None)
            if edit.action != "remove":
                born = known.born if known else (self.births[change.id], edit.lot)
                lots[edit.lot] = Lot(born, edit.lot, exact(edit.quantity), exact(edit.cost))
        return list(lots.values())

    def _staged_lots(self, change, asset, lots):
        account, place = change.account, self.stock.place(change.account, asset)
        lines = [line for line in change.lines if line.asset == asset]
        cell = (account, asset, f"{asset}/{self.base}", self._whose(lines), "")
        before, units_before = place.cost, place.quantity
        place.lots = []
        for lot in lots:
            self.stock.join(place, lot)
        self.stock.balances[account, asset] += place.quantity - units_before
        difference = place.cost - before
        units = sum((exact(line.quantity) for line in lines), Fraction(0))
        value = sum(
            (half_even(exact(line.quantity) * exact(line.price)) for line in lines), Fraction(0)
        )
        self.sizes[cell] += units
        rest = difference - value
        if units < 0:
            self.gain(cell, rest)
        elif rest:
            self.book((change.account, "basis_adjustment", asset, "manual"), 0, rest, rest, 1)

    def _rests_on(self, fact):
        named = [getattr(fact, "asset", None)]
        if type(fact).__name__ in ("Fill", "MarginFill"):
            named = [fact.base, fact.quote]
        if type(fact).__name__ == "Conversion":
            named = [leg.asset for leg in (*fact.given, *fact.taken)]
        return [asset for asset in named if asset is not None]

    # ------------------------------------------------------------------ results

    def totals(self):
        """(cost, contributed, realised, income, expenses)."""
        sums: dict = defaultdict(Fraction)
        for (_, kind, _, _), flow in self.flows.items():
            side = "income" if kind in INCOME else "expense" if kind == "fee" else "capital"
            sums[side] += flow[1]
        cost = sum((place.cost for place in self.stock.places.values()), Fraction(0))
        realized = sum(self.realized.values(), Fraction(0))
        return cost, sums["capital"], realized, sums["income"], sums["expense"]
