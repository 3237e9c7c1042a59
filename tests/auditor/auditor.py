"""A second, naive bookkeeper: the same decisions in `fractions.Fraction`, sharing no code.

It reads the fields of priced facts in canonical order, keeps plain lists of lots, searches and sorts
them anew each time (O(n²)), and rounds only where the decisions name a rounding: half-even to 18
digits for a product or a share, and a share is never more than the whole.
"""

from collections import defaultdict
from fractions import Fraction

from tests.auditor.places import Lot, Place, Taken, exact, half_even, part_of, shares

INCOME = {"reward", "dividend", "interest", "funding", "rebate", "airdrop"}
CAPITAL = {
    *("deposit", "withdrawal", "opening", "transfer", "adjustment", "unclassified"),
    *("unpaired", "staged_flow", "basis_adjustment"),
}


class Auditor:
    def __init__(self, *, base, cash, method, pooled, shorts=()):
        self.base, self.cash, self.method = base, set(cash), method
        self.pooled, self.shorts = pooled, set(shorts)
        self.places = defaultdict(Place)
        self.balances = defaultdict(Fraction)
        self.realized = defaultdict(Fraction)
        self.pegged = defaultdict(Fraction)
        self.sizes = defaultdict(Fraction)
        self.charged = defaultdict(Fraction)
        self.trades = defaultdict(int)
        self.fees = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.flows = defaultdict(lambda: [Fraction(0), Fraction(0), Fraction(0), 0])
        self.margins = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.pockets = defaultdict(Fraction)
        self.sleeves = defaultdict(Fraction)
        self.gaps = defaultdict(int)
        self.kept = {}
        self.births = {}

    def read(self, facts):
        for place, fact in enumerate(facts):
            self.births[fact.id] = (place, "")
            getattr(self, "_" + type(fact).__name__.lower())(fact)
            for asset in self._rests_on(fact):
                for flag in fact.flags:
                    self.gaps[asset, flag.value] += 1
        return self

    # ------------------------------------------------------------------ places

    def place(self, account, asset):
        pooled = self.pooled and asset not in self.cash
        return self.places["*" if pooled else account, asset]

    def put(self, account, asset, lots):
        """Bring lots in; what they settle of a debt is realised. Returns what was realised."""
        place = self.place(account, asset)
        self.balances[account, asset] += sum(lot.quantity for lot in lots)
        if asset in self.cash:
            gain = sum((lot.quantity - lot.cost for lot in lots), Fraction(0))
            place.face += sum(lot.quantity for lot in lots)
            return gain
        gain = Fraction(0)
        for lot in lots:
            if not lot.quantity:
                gain -= lot.cost
                continue
            gain += self.cover(account, place, lot)
            if lot.quantity:
                self.join(place, lot)
        return gain

    def cover(self, account, place, lot):
        gain = Fraction(0)
        while account in self.shorts and place.debts and lot.quantity:
            closed = place.debts[0].cut(lot.quantity)
            spent = lot.cut(closed.quantity)
            gain += closed.cost - spent.cost
            if not place.debts[0].quantity:
                place.debts.pop(0)
        return gain

    def join(self, place, lot):
        if self.method == "wac" and place.lots:
            place.lots[0].quantity += lot.quantity
            place.lots[0].cost += lot.cost
            return
        for known in place.lots:
            if known.name == lot.name:
                known.quantity += lot.quantity
                known.cost += lot.cost
                return
        place.lots.append(Lot(lot.born, lot.name, lot.quantity, lot.cost))
        place.lots.sort(key=lambda each: each.born)

    def bring(self, fact, account, asset, quantity, cost):
        lot = Lot(self.births[fact.id], fact.id, exact(quantity), exact(cost))
        return self.put(account, asset, [lot])

    def take(self, fact, account, asset, quantity, proceeds=0, named=(), *, own=False):
        """Take out by the rule. What is not there becomes a debt at its share of the proceeds."""
        place, quantity = self.place(account, asset), exact(quantity)
        self.balances[account, asset] -= quantity
        if asset in self.cash:
            place.face -= quantity
            return Taken([], None, quantity)
        parts, missing = [], quantity
        for lot in self.ordered(place.lots, named, own=own):
            if missing:
                parts.append(lot.cut(missing))
                missing -= parts[-1].quantity
        place.lots = [lot for lot in place.lots if lot.quantity]
        if not missing:
            return Taken(parts, None)
        owed = Lot(0, fact.id, quantity, exact(proceeds)).cut(missing)
        place.debts.append(owed)
        return Taken(parts, Lot(0, fact.id, owed.quantity, owed.cost))

    def ordered(self, lots, named, *, own):
        lots = sorted(lots, key=lambda lot: lot.born)
        if self.method == "lifo":
            lots.reverse()
        elif self.method == "hifo":
            lots.sort(key=lambda lot: -lot.cost / lot.quantity)
        if self.method == "specific" or own:
            wanted = list(named)
            last = len(wanted)
            if own and wanted:
                lots.sort(key=lambda lot: lot.born)
            lots.sort(key=lambda lot: wanted.index(lot.name) if lot.name in wanted else last)
        return lots

    # ------------------------------------------------------------------ sums

    def gain(self, key, amount, *, peg=False):
        self.realized[key] += amount
        if peg:
            self.pegged[key] += amount

    def sell(self, fact, key, quantity, worth, named=()):
        """Dispose at a worth, and credit the gain to the cell."""
        taken = self.take(fact, key[0], key[1], quantity, worth, named)
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
        gain = self.bring(fact, key[0], fee.asset, -amount, -worth)
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
        quantity, amount, value = exact(fill.quantity), exact(fill.amount), exact(fill.value)
        bought = fill.side.value == "buy"
        got, came = (fill.base, quantity) if bought else (fill.quote, amount)
        gave, went = (fill.quote, amount) if bought else (fill.base, quantity)
        account = fill.account
        place = (fill.pair or f"{fill.base}/{fill.quote}", fill.strategy or "manual")
        place = (*place, fill.regime or "")
        cell = (account, fill.base, *place)
        inside = self.inside(fill.fees, got, came)
        outside = [fee for fee in fill.fees if fee not in inside]
        cost = value
        for fee in inside:
            came, cost = came - exact(fee.amount), cost - min(exact(fee.value), cost)
        came_gain = self.bring(fill, account, got, came, cost)
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
            gain = self.bring(fill, fill.account, fill.quote, settled, worth)
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
            entered = part_of(position[1], closing, abs(position[0]))
            pnl = -sign * (half_even(closing * price) - entered)
            if fill.price is None:
                pnl = exact(fill.settled)
            position[0] += sign * closing
            position[1] -= entered
            left -= closing
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
        if flow.reversed_by is not None:
            self.kept[flow.id] = (flow, inside, came, taken, paid)

    def _come(self, flow, strategy, inside):
        kind, asset, amount, worth = flow.kind.value, flow.asset, exact(flow.amount), exact(flow.value)
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
        self.gain(key, lost + self.bring(flow, flow.account, asset, kept, cost))
        booked = -basis if kind == "fee" else basis
        self.book((flow.account, kind, asset, strategy), amount, booked, worth, 1)
        return kept, lost, basis

    def _go(self, flow, strategy):
        kind, asset, amount, worth = flow.kind.value, flow.asset, exact(flow.amount), exact(flow.value)
        key = (flow.account, asset, "none", strategy, "")
        if kind in CAPITAL:
            taken = self.take(flow, flow.account, asset, -amount)
            booked = -taken.cost
        else:
            taken = self.take(flow, flow.account, asset, -amount, -worth)
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

    def give_back(self, flow, asset, taken):
        """Put back what an outflow took. Returns by how much the cost of what is held grew."""
        place = self.place(flow.account, asset)
        before = place.cost
        if asset in self.cash:
            place.face += taken.cash
            self.balances[flow.account, asset] += taken.cash
            return taken.cash
        missing = taken.debt.quantity if taken.debt else Fraction(0)
        if missing:
            for debt in [debt for debt in place.debts if debt.name == flow.id]:
                place.debts.remove(debt)
                self.balances[flow.account, asset] += debt.quantity
                missing -= debt.quantity
        parts = list(taken.parts)
        if missing > 0:  # covered in the meantime: it comes back without cost
            parts.append(Lot(self.births[flow.id], flow.id, missing, Fraction(0)))
        self.put(flow.account, asset, parts)
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
        taken = self.take(reversal, flow.account, asset, kept, proceeds, (flow.id,), own=True)
        if kind in CAPITAL:
            return -taken.cost - (worths - lost)
        self.gain(key, proceeds - taken.deferred - taken.cost)
        return basis if kind == "fee" else -basis

    def _refund(self, reversal, flow, fee, left):
        strategy, amount, worth = flow.strategy or "manual", exact(fee.amount), exact(fee.value)
        key = (flow.account, fee.asset, "none", strategy, "")
        if amount < 0:  # a rebate goes back
            taken = self.take(flow, flow.account, fee.asset, -amount, -worth)
            self.gain(key, -worth - taken.deferred - taken.cost)
        else:
            self.gain(key, self.give_back(flow, fee.asset, left) - worth)
        self.charge(flow.account, "none", fee, -1)
        self.book((flow.account, "fee", fee.asset, strategy), amount, -worth, -worth, 0)

    def _transfer(self, move):
        if move.to_account != move.account:
            ends = (move.account, move.asset), (move.to_account, move.asset)
            self.carry(move, *ends, exact(move.quantity))
        ends = ((move.account, move.pocket, -1), (move.to_account, move.to_pocket, 1))
        for account, pocket, sign in ends:
            if pocket not in (None, "main"):
                self.pockets[account, move.asset, pocket] += sign * exact(move.quantity)
        for account, fees in ((move.account, move.fees), (move.to_account, move.to_fees)):
            for fee in fees:
                self.expense(move, fee, "manual", account)

    def carry(self, fact, source, target, quantity):
        """Lots go along; what was not there arrives without cost."""
        taken = self.take(fact, *source, quantity)
        parts = list(taken.parts)
        born = self.births[fact.id]
        if source[1] in self.cash:
            parts = [Lot(born, fact.id, quantity, quantity)]
        elif taken.debt:
            parts.append(Lot(born, fact.id, taken.debt.quantity, Fraction(0)))
        gain = self.put(*target, parts)
        self.gain((*target, "none", "manual", ""), gain, peg=target[1] in self.cash)

    def _sleevetransfer(self, move):
        self.sleeves[move.from_strategy] -= exact(move.amount)
        self.sleeves[move.to_strategy] += exact(move.amount)

    def _conversion(self, fact):
        for leg in fact.taken:
            key = (fact.account, leg.asset, "none", "manual", "")
            gain = self.bring(fact, fact.account, leg.asset, leg.quantity, leg.value)
            self.gain(key, gain, peg=leg.asset in self.cash)
        for leg in fact.given:
            key = (fact.account, leg.asset, "none", "manual", "")
            self.sell(fact, key, leg.quantity, exact(leg.value))
        for fee in fact.fees:
            self.expense(fact, fee, "manual")

    def _rename(self, rename):
        for account in self._where(rename.account, rename.asset):
            debts = self._lift_debts(account, rename.asset)
            quantity = self.owned(account, rename.asset)
            if quantity:
                ends = (account, rename.asset), (account, rename.to_asset)
                self.carry(rename, *ends, quantity)
            self._lay_debts(account, rename.to_asset, debts)

    def _split(self, split):
        factor = exact(split.numerator) / exact(split.denominator)
        for account in self._where(split.account, split.asset):
            debts = self._lift_debts(account, split.asset)
            quantity = self.owned(account, split.asset)
            if quantity > 0 and split.asset not in self.cash:
                taken = self.take(split, account, split.asset, quantity)
                gain = self.put(account, split.asset, self._scaled(taken.parts, factor))
                kept = [lot for lot in taken.parts if lot.quantity]
                lost = taken.cost - sum((lot.cost for lot in kept), Fraction(0))
                self.gain((account, split.asset, "none", "manual", ""), gain - lost)
            self._lay_debts(account, split.asset, self._scaled(debts, factor))

    def _scaled(self, lots, factor):
        """Multiply the units; a lot that comes to nothing leaves its cost to the last that stays."""
        if lots:
            whole = half_even(sum(lot.quantity for lot in lots) * factor)
            for lot, units in zip(lots, shares(whole, [x.quantity for x in lots]), strict=True):
                lot.quantity = units
        kept = [lot for lot in lots if lot.quantity]
        if kept:
            kept[-1].cost += sum(lot.cost for lot in lots if not lot.quantity)
        lots[:] = kept
        return [Lot(lot.born, lot.name, lot.quantity, lot.cost) for lot in kept]

    def owned(self, account, asset):
        if self.pooled and asset not in self.cash:
            return self.balances[account, asset]
        return self.places[account, asset].quantity

    def _lift_debts(self, account, asset):
        """Take the debts out of an account's own place; a pool's debts stay with the pool."""
        place = self.place(account, asset)
        if self.pooled:
            return []
        debts, place.debts = place.debts, []
        self.balances[account, asset] += sum(debt.quantity for debt in debts)
        return debts

    def _lay_debts(self, account, asset, debts):
        self.place(account, asset).debts += debts
        self.balances[account, asset] -= sum(debt.quantity for debt in debts)

    def _where(self, account, asset):
        if account != "*":
            return [account]
        pooled = self.pooled and asset not in self.cash
        known = self.balances if pooled else self.places
        return sorted({place for place, held in known if held == asset})

    def _stagedchange(self, change):
        account = change.account
        edited = {lot.asset for lot in change.lots} - self.cash
        value = Fraction(0)
        for line in sorted(change.lines, key=lambda line: line.quantity < 0):
            worth = half_even(exact(line.quantity) * exact(line.price))
            value += worth
            if line.asset not in edited:
                self._staged_line(change, line, worth)
        for asset in edited:
            self._staged_lots(change, asset)
        cash, fees = exact(change.cash), exact(change.fees)
        self.places[account, self.base].face += cash - fees
        self.balances[account, self.base] += cash - fees
        if cash + value:
            flow = cash + value
            self.book((change.account, "staged_flow", self.base, "manual"), flow, flow, flow, 1)
        if fees:
            memo = self.fees[account, "none", self.base]
            memo[0], memo[1] = memo[0] + fees, memo[1] + fees
            cell = (account, self.base, "none", "manual", "")
            self.realized[cell] -= fees
            self.charged[cell] += fees

    def _staged_line(self, change, line, worth):
        quantity, strategy = exact(line.quantity), line.strategy or "manual"
        cell = (change.account, line.asset, f"{line.asset}/{self.base}", strategy, "")
        self.sizes[cell] += quantity
        self.trades[cell] += 1
        if quantity > 0:
            self.gain(cell, self.bring(change, change.account, line.asset, quantity, worth))
        elif quantity < 0:
            self.sell(change, cell, -quantity, -worth)

    def _staged_lots(self, change, asset):
        account, place = change.account, self.place(change.account, asset)
        cell = (account, asset, f"{asset}/{self.base}", "manual", "")
        before, units_before = place.cost, place.quantity
        for edit in change.lots:
            if edit.asset != asset:
                continue
            name = edit.lot
            known = [lot for lot in place.lots if lot.name == name or self.method == "wac"]
            if self.method == "wac" and name != "pool":
                known = []
            place.lots = [lot for lot in place.lots if lot not in known]
            if edit.action != "remove":
                born = known[0].born if known else (self.births[change.id][0], name)
                lot = Lot(born, name, exact(edit.quantity), exact(edit.cost))
                self.join(place, lot)
        self.balances[account, asset] += place.quantity - units_before
        difference = place.cost - before
        lines = [line for line in change.lines if line.asset == asset]
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
        return [asset for asset in named if asset is not None and asset not in self.cash]

    # ------------------------------------------------------------------ results

    def totals(self):
        """(cost, contributed, realised, income, expenses)."""
        sums = defaultdict(Fraction)
        for (_, kind, _, _), flow in self.flows.items():
            side = "income" if kind in INCOME else "expense" if kind == "fee" else "capital"
            sums[side] += flow[1]
        cost = sum((place.cost for place in self.places.values()), Fraction(0))
        realized = sum(self.realized.values(), Fraction(0))
        return cost, sums["capital"], realized, sums["income"], sums["expense"]
