"""Random histories: statements of every kind, drawn from anything that behaves like `Random`.

With a seeded `random.Random` a history replays from its number; with Hypothesis's own source it
shrinks. No id is ever told in two different ways, so a history has one meaning in any order.
"""

from decimal import Context, Decimal, localcontext

from bursar.ledger.entries import (
    CAPITAL,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    Link,
    MarginFill,
    Movement,
    MovementKind,
    Price,
    Rate,
    Rename,
    Reversal,
    Side,
    SleeveTransfer,
    Source,
    Split,
    StagedChange,
    StagedLine,
    StagedLot,
    Tag,
    Transfer,
)
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms

START = 1_767_600_000_000_000_000
SECOND = 1_000_000_000
VENUE, SECOND_VENUE, EVENTS, SHORTS = "kraken:main", "binance:spot", "kraken:bot", "alpaca:margin"
ACCOUNTS = (VENUE, SECOND_VENUE, EVENTS)
COINS = ("XBT", "ETH", "ADA")
GAPS = (0, 1, 1, 250_000_000, SECOND, SECOND, 60 * SECOND, 3600 * SECOND, 40_000 * SECOND)
ATOM = Decimal(1).scaleb(-18)
UNITS = ("1", "2", "10", "0.5", "0.00000001", "3.33333333", "0.000000000000000001", "7", "250")
PRICES = ("1", "0.1", "30000", "1999.99", "0.000012345678", "3", "97.123456789012345678")
FLOWS = tuple(kind for kind in FlowKind if kind is not FlowKind.OPENING)
ROWS = tuple(kind for kind in MovementKind if kind.value in {each.value for each in FlowKind})
FACES = (VENUE, EVENTS)


def terms(rng, *, method=None, scope=None):
    """Random terms with one account of each nature."""
    return Terms(
        base="USD",
        method=method or rng.choice(list(Method)),
        scope=scope or rng.choice([Scope.ACCOUNT, Scope.ACCOUNT, Scope.POOLED]),
        accounts=(
            Account(EVENTS, FactSource.EVENTS),
            Account(SHORTS, FactSource.EVENTS, may_short=True),
        ),
    )


def history(rng, length, terms):
    """About `length` happenings, each one or several statements, in order of time."""
    with localcontext(Context(prec=60)):
        return _Maker(rng, terms).run(length)


def batches(rng, entries):
    """Cut a list at random places, now and then with nothing between two cuts."""
    cuts = sorted(rng.randint(0, len(entries)) for _ in range(rng.randint(0, 6)))
    return [entries[a:b] for a, b in zip([0, *cuts], [*cuts, len(entries)], strict=True)]


def atoms(amount):
    """An amount with as many decimals as any door takes, and never nothing."""
    return max(amount.quantize(ATOM), ATOM)


class _Maker:
    def __init__(self, rng, terms):
        self.rng, self.terms = rng, terms
        self.at, self.count = START, 0
        self.flows, self.fills, self.told, self.notes = [], [], [], []

    def run(self, length):
        happenings = [
            *([self.fill] * 8),
            *([self.sale] * 3),
            *([self.flow] * 4),
            *([self.rows_of_trade] * 3),
            *([self.short_fill] * 2),
            self.short_move,
            *([self.staged] * 2),
            *([self.margin] * 3),
            *([self.price] * 2),
            self.row,
            self.cancelled_row,
            self.linked,
            self.transfer,
            self.pocket,
            self.conversion,
            self.rename,
            self.split,
            self.unseen,
            self.sleeve,
            self.tag,
            self.reversal,
        ]
        entries = []
        for _ in range(length):
            self.at += self.rng.choice(GAPS)
            made = self.rng.choice(happenings)()
            entries += made
        return entries

    # -------------------------------------------------------------- values

    def name(self, kind, account):
        """An id as venues give them: its place in the alphabet says nothing about its time."""
        self.count += 1
        return f"{account}:{self.rng.choice('abcxyz')}{kind}{self.count}"

    def units(self):
        if self.rng.random() < 0.6:
            return Decimal(self.rng.choice(UNITS))
        digits = self.rng.choice([0, 2, 8, 8, 18])
        return Decimal(self.rng.randint(1, 10**9)).scaleb(-digits)

    def money(self, units):
        """An amount near units × price, cut as venues cut: it need not be a multiple."""
        price = Decimal(self.rng.choice(PRICES))
        places = self.rng.choice([2, 4, 8, 18])
        return max((units * price).quantize(Decimal(1).scaleb(-places)), Decimal("0.01"))

    def maybe(self, chance, value):
        return value if self.rng.random() < chance else None

    def quote(self):
        return self.rng.choice(["USD", "USD", "USD", "USDT", "EUR", "XBT", "ETH"])

    def common(self, kind, account=None):
        account = account or self.rng.choice(ACCOUNTS)
        return {
            "id": self.name(kind, account),
            "executed_at": self.at,
            "account": account,
            "sequence": self.rng.choice([0, 0, 1, 2]),
        }

    def rates(self, *assets, chance=0.8):
        return tuple(
            Rate(asset, "USD", Decimal(self.rng.choice(PRICES)), "file", self.at)
            for asset in assets
            if asset not in self.terms.cash and self.rng.random() < chance
        )

    def fees(self, *assets):
        if self.rng.random() < 0.4:
            return ()
        found = []
        for asset in self.rng.sample(assets, self.rng.choice([1, 1, min(2, len(assets))])):
            amount = Decimal(self.rng.choice(["0.1", "0.26", "0.000000000000000001", "0.33"]))
            found.append(Fee(asset, -amount if self.rng.random() < 0.15 else amount))
        return tuple(found)

    # -------------------------------------------------------------- trades

    def fill(self, *, side=None, account=None, base=None):
        base = base or self.rng.choice(COINS)
        quote = self.quote()
        if self.rng.random() < 0.06:
            base, quote = "USDT", "USD"
        if quote == base:
            quote = "USD"
        units = self.units()
        amount = self.money(units)
        if base == "USDT":
            amount = (units * Decimal("0.9983")).quantize(Decimal("0.000001"))
        fee_assets = [quote, base, "BNB"]
        price = Decimal(self.rng.choice(PRICES))
        fill = Fill(
            **self.common("f", account),
            source=self.rng.choice([Source.CLAIM, Source.EVENT, Source.TRADES]),
            base=base,
            quote=quote,
            side=side or self.rng.choice([Side.BUY, Side.BUY, Side.SELL]),
            quantity=units,
            amount=amount if self.rng.random() < 0.9 else None,
            price=price,
            fees=self.fees(*fee_assets),
            strategy=self.maybe(0.5, self.rng.choice(["trend", "grid"])),
            regime=self.maybe(0.3, self.rng.choice(["calm", "wild"])),
            lots=tuple(self.rng.sample(self.fills, min(2, len(self.fills)))),
            rates=self.rates(base, quote, "BNB"),
        )
        self.fills.append(fill.id)
        return [fill]

    def sale(self):
        return self.fill(side=Side.SELL)

    def short_fill(self):
        side = self.rng.choice([Side.BUY, Side.SELL])
        return self.fill(account=SHORTS, side=side, base=self.rng.choice(["AAPL", "MSFT"]))

    def short_move(self):
        """What is or was short comes, or goes, by no trade."""
        asset = self.rng.choice(["AAPL", "MSFT"])
        if self.rng.random() < 0.4:
            return self.transfer(ends=(VENUE, SHORTS), asset=asset)
        return self.flow(account=SHORTS, asset=asset)

    def rows_of_trade(self):
        """The ledger rows of a trade, its trade statement, or both; sometimes a leg is missing."""
        common = self.common("t", VENUE)
        name, base, quote = common["id"], self.rng.choice(COINS), self.rng.choice(["USD", "EUR"])
        units = self.units()
        amount = self.money(units)
        bought = self.rng.random() < 0.6
        legs = [(base, units if bought else -units), (quote, -amount if bought else amount)]
        rows = [
            Movement(
                id=f"{name}/{asset}",
                executed_at=self.at,
                account=VENUE,
                source=Source.LEDGER,
                sequence=place,
                group=name,
                kind=MovementKind.TRADE,
                asset=asset,
                amount=change,
                fee=Decimal("0.16") if asset == quote and self.rng.random() < 0.7 else Decimal(0),
                rates=self.rates(asset),
            )
            for place, (asset, change) in enumerate(legs)
        ]
        trade = Fill(
            **common,
            source=Source.TRADES,
            base=base,
            quote=quote,
            side=Side.BUY if bought else Side.SELL,
            quantity=units,
            amount=amount + Decimal("0.01"),
            rows=tuple(row.id for row in rows),
            strategy=self.maybe(0.5, "grid"),
        )
        choice = self.rng.random()
        if choice < 0.4:
            return [*rows, trade]
        if choice < 0.7:
            return rows
        return [self.rng.choice(rows), *([trade] if self.rng.random() < 0.5 else [])]

    def margin(self):
        units, quote = self.units(), self.rng.choice(["USD", "USD", "USDT", "EUR"])
        settled = self.maybe(0.4, Decimal(self.rng.choice(["-12.5", "0", "3.33", "7.00000001"])))
        return [
            MarginFill(
                **self.common("m", self.rng.choice(FACES)),
                base=self.rng.choice(["XBT", "ETH"]),
                quote=quote,
                side=self.rng.choice(list(Side)),
                quantity=units if self.rng.random() < 0.9 else None,
                price=Decimal(self.rng.choice(PRICES)),
                settled=settled,
                fees=self.fees(quote, "BNB"),
                strategy=self.maybe(0.4, "perp"),
                rates=self.rates(quote, "BNB"),
                closes=self.maybe(0.3, True),
            )
        ]

    # -------------------------------------------------------------- flows

    def flow(self, *, account=None, asset=None):
        kind = self.rng.choice(FLOWS)
        asset = asset or self.rng.choice([*COINS, "USD", "USDT", "EUR"])
        sign = self.rng.choice([1, 1, -1])
        amount = sign * self.units()
        value = basis = None
        if kind in CAPITAL and sign > 0 and self.rng.random() < 0.3:
            basis = self.money(amount)
        if asset not in self.terms.cash and self.rng.random() < 0.2:
            value = sign * self.money(abs(amount))
        flow = CashFlow(
            **self.common("c", account),
            kind=kind,
            asset=asset,
            amount=amount,
            fees=self.fees(asset, "BNB"),
            strategy=self.maybe(0.2, "trend"),
            rates=self.rates(asset, "BNB"),
            pocket=self.maybe(0.2, "staked"),
            value=value,
            basis=basis,
        )
        self.flows.append(flow.id)
        return [flow]

    def row(self, *, kind=None):
        kind = kind or self.rng.choice(ROWS)
        asset = self.rng.choice(["XBT", "ETH", "USD"])
        amount = self.units() * self.rng.choice([1, 1, -1])
        row = Movement(
            **self.common("r", self.rng.choice([VENUE, SECOND_VENUE])),
            source=Source.LEDGER,
            kind=kind,
            asset=asset,
            amount=amount,
            fee=self.rng.choice([Decimal(0), atoms(abs(amount) / 10)]),
            balance=self.maybe(0.2, max(amount, Decimal(0)) + 5),
            pocket=self.maybe(0.2, "staked"),
            rates=self.rates(asset),
        )
        self.flows.append(row.id)
        return [row]

    def cancelled_row(self):
        """A withdrawal that the venue gives back under the same reference."""
        first = self.common("w", VENUE)
        amount, fee = self.units(), self.rng.choice([Decimal(0), Decimal("0.5")])
        asset = self.rng.choice(["XBT", "USD"])
        rest = {"source": Source.LEDGER, "kind": MovementKind.WITHDRAWAL, "asset": asset}
        rest |= {"group": first["id"] + "/ref", "rates": self.rates(asset)}
        rows = [Movement(**first, **rest, amount=-amount, fee=fee)]
        self.at += self.rng.choice(GAPS)
        rows.append(Movement(**self.common("w", VENUE), **rest, amount=amount, fee=-fee))
        return rows

    def linked(self):
        """A withdrawal here, a deposit there, and the word that they are one transfer."""
        asset, sent = self.rng.choice(["XBT", "USDT"]), self.units()
        came = sent if self.rng.random() < 0.5 else atoms(sent / 2)
        out = CashFlow(
            **self.common("o", VENUE),
            kind=FlowKind.WITHDRAWAL,
            asset=asset,
            amount=-sent,
            rates=self.rates(asset),
        )
        self.at += self.rng.choice(GAPS)
        back = CashFlow(
            **self.common("i", SECOND_VENUE),
            kind=FlowKind.DEPOSIT,
            asset=asset,
            amount=came,
            fees=(Fee(asset, atoms(came / 10)),) if self.rng.random() < 0.3 else (),
        )
        self.flows += [out.id, back.id]
        links = [
            Link(**self.common("l", VENUE), withdrawal=out.id, deposit=back.id)
            for _ in range(self.rng.choice([1, 1, 2]))
        ]
        self.notes += [link.id for link in links]
        return [out, back, *links]

    # -------------------------------------------------------------- moves

    def transfer(self, *, ends=ACCOUNTS, asset=None):
        source, target = self.rng.sample(ends, 2)
        asset = asset or self.rng.choice([*COINS, "USD"])
        fees, rates = self.fees(asset, "BNB"), self.rates(asset, "BNB")
        common = self.common("v", source)
        return [
            Transfer(
                **common,
                asset=asset,
                quantity=self.units(),
                to_account=target,
                to_asset="BTC" if asset == "XBT" and self.rng.random() < 0.3 else None,
                fees=fees,
                rates=rates,
            )
        ]

    def pocket(self):
        account, units = self.rng.choice(ACCOUNTS), self.units()
        pockets = self.rng.choice([("main", "staked"), ("staked", "main"), (None, "earn")])
        move = {"asset": "ETH", "quantity": units, "to_account": account}
        move |= dict(zip(("pocket", "to_pocket"), pockets, strict=True))
        return [Transfer(**self.common("p", account), **move)]

    def conversion(self):
        given = self.rng.sample(["XBT", "ETH", "ADA", "USD", "EUR"], self.rng.choice([1, 1, 2, 3]))
        rest = [each for each in ["XBT", "BNB", "USDT", "SOL"] if each not in given]
        taken = self.rng.sample(rest, self.rng.choice([1, 1, 2]))
        stated = self.rng.random() < 0.3
        return [
            Conversion(
                **self.common("k"),
                given=tuple(Leg(asset, self.units()) for asset in given),
                taken=tuple(
                    Leg(asset, units, self.money(units) if stated else None)
                    for asset, units in ((asset, self.units()) for asset in taken)
                ),
                fees=self.fees(given[0], taken[0]),
                rates=self.rates(*given, *taken),
            )
        ]

    def unseen(self):
        """Coins bought here and sold there, as many or more, and then split or renamed."""
        coin = self.rng.choice(["ETH", "ADA"])
        told = self.fill(side=Side.BUY, base=coin)
        for _ in range(self.rng.choice([1, 1, 2])):
            self.at += self.rng.choice(GAPS)
            told += self.fill(side=Side.SELL, account=EVENTS, base=coin)
        for _ in range(self.rng.choice([1, 2, 3])):
            self.at += self.rng.choice(GAPS)
            told += self.rng.choice([self.split, self.split, self.rename])()
        return told

    def rename(self):
        account = self.rng.choice(["*", VENUE, EVENTS, SHORTS])
        asset, to_asset = self.rng.choice([("ADA", "ADA2"), ("AAPL", "APL"), ("ADA2", "ADA")])
        return [Rename(**self.common("n", account), asset=asset, to_asset=to_asset)]

    def split(self):
        account = self.rng.choice(["*", VENUE, EVENTS, SHORTS])
        up, down = self.rng.choice([("2", "1"), ("3", "2"), ("1", "10"), ("7", "3")])
        asset = self.rng.choice(["ETH", "AAPL", "ADA"])
        numerator, denominator = Decimal(up), Decimal(down)
        common = self.common("s", account)
        return [Split(**common, asset=asset, numerator=numerator, denominator=denominator)]

    def sleeve(self):
        common, amount = self.common("e", VENUE), self.units()
        return [SleeveTransfer(**common, from_strategy="trend", to_strategy="grid", amount=amount)]

    def staged(self):
        """A committed transaction of deltas; some edit lots, the rest leave them to the rule."""
        account = self.rng.choice(FACES)
        lines = tuple(
            StagedLine(
                asset,
                self.units() * self.rng.choice([1, -1]),
                Decimal(self.rng.choice(PRICES)),
                self.maybe(0.3, "trend"),
            )
            for asset in self.rng.sample(COINS, self.rng.choice([0, 1, 2]))
        )
        common = self.common("g", account)
        lots: tuple[StagedLot, ...] = ()
        if self.rng.random() < 0.3:
            asset, units = self.rng.choice(COINS), self.units()
            lots = (StagedLot("add", asset, common["id"] + "/lot", units, self.money(units)),)
            if self.rng.random() < 0.8:  # the others set lots that no position explains
                lines += (StagedLine(asset, units, Decimal(self.rng.choice(PRICES))),)
        return [
            StagedChange(
                **common,
                cash=Decimal(self.rng.choice(["0", "-100", "250.55"])),
                fees=Decimal(self.rng.choice(["0", "0", "1.5"])),
                lines=lines,
                lots=lots,
                claimed_realized=self.maybe(0.3, Decimal("9.99")),
            )
        ]

    # -------------------------------------------------------------- notes

    def price(self):
        asset, quote = self.rng.choice(
            [
                ("XBT", "USD"),
                ("ETH", "USD"),
                ("EUR", "USD"),
                ("ADA", "EUR"),
                ("BNB", "USDT"),
                ("ETH", "XBT"),
                ("XBT", "EUR"),
            ]
        )
        common = self.common("q", "prices:file") | {"sequence": 0}
        value = Decimal(self.rng.choice(PRICES))
        self.notes.append(common["id"])
        return [Price(**common, asset=asset, quote=quote, value=value)]

    def tag(self):
        target = self.rng.choice(self.fills) if self.fills else "later"
        source = self.rng.choice([Source.CLAIM, Source.EVENT])
        regime, strategy = self.maybe(0.6, "wild"), self.rng.choice(["tagged", "other"])
        common = self.common("h", VENUE)
        self.notes.append(common["id"])
        return [Tag(**common, source=source, target=target, strategy=strategy, regime=regime)]

    def reversal(self):
        """A fact or a note undone by hand, a reversal too, at once or as if it had never been."""
        known = self.flows * 3 + self.fills + self.notes
        target = self.rng.choice(known) if known else "never"
        account = self.rng.choice([VENUE, "bursar:hand"])
        void = self.rng.random() < 0.3
        common = self.common("u", account)
        self.notes.append(common["id"])
        return [Reversal(**common, target=target, void=void)]
