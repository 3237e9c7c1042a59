"""Whatever happens to strategies, capital is divided within every bound, in every order.

Histories are made up from a seed: `./run sweep allocation` goes through 10,000 of them, and a
failure names its own.
"""

import random
from decimal import Decimal

import msgspec
import pytest

from bursar.capital.allocator import Bound
from bursar.capital.candidates import AllocatorSettings, Method
from bursar.capital.deciding import (
    AllocationState,
    Cause,
    Decision,
    Figures,
    Own,
    Rules,
    decide,
    made_again,
)
from bursar.capital.decision_memory import DecisionsPast
from bursar.capital.meta_strategy_brain import BrainSettings
from bursar.capital.profit_capture import Compounded, CompoundingSettings, IntraSessionCompounding
from bursar.capital.regimes import Spells, Telling, named, told
from bursar.capital.smart_reinvestor import Reinvested, ReinvestSettings, SmartReinvestor
from bursar.capital.trades import ClosedTrade, tally
from bursar.exact import ATOM, ONE, ZERO
from bursar.ledger.instant import DAY, HOUR
from tests.figures import ALLOCATIONS, SEED

NAMES = tuple("abcde")
REGIMES = ("BULL", "BEAR")
BEGIN = 100 * DAY
SEEDS = range(SEED, SEED + ALLOCATIONS)
encode = msgspec.json.Encoder(order="deterministic").encode

pytestmark = pytest.mark.sweep


class Chance(random.Random):
    """Everything a history is made of, from one seed."""

    def part(self):
        """A fraction in [0, 1], often one of its ends."""
        return Decimal(self.choice((0, 100, self.randint(0, 100)))) / 100

    def maybe(self, value):
        return value if self.random() < 0.7 else None

    def statistic(self):
        return self.maybe(Decimal(self.randint(-400, 400)) / 100)

    def pnls(self, most=14):
        return [Decimal(self.randint(-50, 50)) for _ in range(self.randint(0, most))]

    def some(self, names):
        return [name for name in names if self.random() < 0.7]

    def rules(self, **own):
        """Settings of every kind; the brain judges early, so that states move."""
        floor, cap = sorted((self.part(), self.part()))
        allocator = AllocatorSettings(
            method=self.choice(list(Method)),
            cap=cap,
            floor=floor if self.random() < 0.5 else min(floor, Decimal("0.05")),
            change=self.part(),
            reserve=self.choice((ZERO, self.part())),
            prior=self.randint(1, 10),
        )
        brain = BrainSettings(trades_min=self.choice((1, 10)), hours_min=self.choice((0, 2)))
        return Rules(allocator=allocator, brain=brain, strategies=own)

    def own(self):
        """What a person set for one strategy."""
        least, most = sorted((self.part(), self.part()))
        return Own(
            is_enabled=self.random() < 0.9,
            is_frozen=self.random() < 0.1,
            least=self.maybe(least),
            most=self.maybe(most),
        )

    def figures(self):
        """How a strategy did: what was lately is part of the whole."""
        older, lately = self.pnls(), self.pnls(6)
        return Figures(
            results=tally([*older, *lately]),
            recent=tally(lately),
            in_regime=tally(self.choice((older, lately, []))),
            drawdown=self.part(),
            sharpe=self.statistic(),
            volatility=self.maybe(self.part()),
            kelly=self.statistic(),
        )

    def trades(self, at, names):
        """Trades since the last look, many of them of the same instant."""
        return tuple(
            ClosedTrade(
                id=f"{at} {number}",
                strategy=self.choice(names),
                at=at - self.randint(0, 2) * HOUR,
                pnl=Decimal(self.randint(-5, 5)),
                regime=self.choice(REGIMES),
                context=self.choice(("", "calm", "wild")),
            )
            for number in range(self.randint(0, 8))
        )

    def causes(self, names=NAMES, most=6):
        """Some looks, one after the other, often within a day."""
        at = BEGIN
        for _ in range(self.randint(1, most)):
            at += self.choice((1, 3, 20, 80)) * HOUR
            yield Cause(
                at=at,
                regime=self.choice(REGIMES),
                figures={name: self.figures() for name in self.some(names)},
                trades=self.trades(at, names),
                revived=tuple(self.some(names)) if self.random() < 0.1 else (),
            )


def decided(causes, rules):
    """Decide look by look."""
    state = AllocationState()
    for cause in causes:
        decision = decide(state, cause, rules)
        yield decision
        state = decision.after


def histories():
    """Each seed with the decisions of its history, and the rules they follow."""
    for seed in SEEDS:
        chance = Chance(seed)
        rules = chance.rules(**{name: chance.own() for name in chance.some(NAMES)})
        for decision in decided(chance.causes(), rules):
            yield seed, decision, rules


def test_every_bound_holds_for_the_final_weights():
    """The strongest first: blocked, frozen, cap, change of a day, floor; and the sum is 1."""
    for seed, decision, rules in histories():
        lines, allocation = decision.allocation.lines, decision.allocation
        assert sum((line.weight for line in lines), ZERO) + allocation.reserve == 1, seed
        assert allocation.reserve >= 0, seed
        for line in lines:
            assert rules.strategies.get(line.strategy, Own()).is_enabled, seed
            if line.bound is Bound.BLOCKED:
                assert line.weight == 0, seed
            elif line.bound is Bound.FROZEN:
                assert line.weight == line.previous, seed
            else:
                assert within(line, rules, len(lines)), seed
        assert have_floors(lines, rules), seed


def within(line, rules, count):
    """Whether a weight keeps its cap, and the change of a day as far as the cap lets it."""
    own = rules.strategies.get(line.strategy, Own())
    cap = (rules.allocator.cap if own.most is None else own.most) * line.share
    step = rules.allocator.change * max(line.opening, ONE / count) + 2 * ATOM
    fallen = line.weight >= min(line.opening - step, line.previous, cap)
    return line.weight <= min(cap + ATOM, line.opening + step) and fallen


def have_floors(lines, rules):
    """Whether every floor that a cap and a day's change let be reached is, or the room is used."""
    missed = ZERO
    for line in lines:
        if line.bound not in {Bound.BLOCKED, Bound.FROZEN}:
            own = rules.strategies.get(line.strategy, Own())
            floor = rules.allocator.floor if own.least is None else own.least
            missed = max(missed, min(floor, line.most) - line.weight)
    least = sum((line.least for line in lines), ZERO)
    most = ONE - rules.allocator.reserve
    if rules.allocator.method is Method.KELLY:
        most = min(most, sum((line.wish for line in lines), ZERO))
    return missed <= 0 or least >= most - len(lines) * ATOM


def test_the_blocked_and_the_terminated_have_nothing():
    seen = 0
    for seed, decision, _ in histories():
        for line in decision.allocation.lines:
            if not (line.memory and line.share):
                seen += 1
                assert (line.weight, line.bound) == (0, Bound.BLOCKED), seed
    assert seen > ALLOCATIONS // 20


def test_a_stored_decision_is_made_again_to_the_byte():
    for seed, decision, _ in histories():
        read = msgspec.json.decode(encode(decision), type=Decision)
        assert encode(made_again(read)) == encode(decision), seed


def test_the_order_of_telling_changes_no_byte():
    """Of trades, of which many are of one instant, and of everything that has a name."""
    for seed in SEEDS:
        chance = Chance(seed)
        rules, causes = chance.rules(), list(chance.causes())
        shuffled = [
            msgspec.structs.replace(
                cause,
                trades=tuple(chance.sample(cause.trades, len(cause.trades))),
                figures=dict(chance.sample(list(cause.figures.items()), len(cause.figures))),
            )
            for cause in causes
        ]
        for one, other in zip(decided(causes, rules), decided(shuffled, rules), strict=True):
            assert encode(one.allocation) == encode(other.allocation), seed
            assert encode(one.after) == encode(other.after), seed


def twins(chance):
    """Looks at which `a` and `b` are told the same, and `c` and `d` anything."""
    for cause in chance.causes(names=("a", "c", "d"), most=4):
        mine = [trade for trade in cause.trades if trade.strategy == "a"]
        same = [msgspec.structs.replace(e, id=f"{e.id} twin", strategy="b") for e in mine]
        one = cause.figures.get("a") or chance.figures()
        yield msgspec.structs.replace(
            cause,
            figures={**cause.figures, "a": one, "b": one},
            trades=(*cause.trades, *same),
            revived=("a", "b") if "a" in cause.revived else cause.revived,
        )


def better(chance, figures):
    """The figures of one that won more lately, fell less, or swung less."""
    more = Decimal(chance.randint(1, 100))

    def won(results):
        return msgspec.structs.replace(results, profit=results.profit + more)

    has_won = figures.recent.trades and chance.random() < 0.8
    lately = {name: won(getattr(figures, name)) for name in ("results", "recent") if has_won}
    statistics = {
        "drawdown": figures.drawdown * chance.part(),
        "sharpe": None if figures.sharpe is None else figures.sharpe + more / 50,
        "volatility": figures.volatility and figures.volatility * Decimal("0.5"),
        "kelly": None if figures.kelly is None else figures.kelly + more / 50,
    }
    chosen = {name: statistics[name] for name in chance.some(statistics)}
    return msgspec.structs.replace(figures, **lately, **chosen)


def test_of_two_alike_the_better_never_gets_less():
    """Whatever came before, where it left both with the same weight and the same memories.

    Between two that are the same in everything the brain decides by name.
    """
    compared = 0
    for seed in SEEDS:
        chance = Chance(seed)
        rules = chance.rules(c=chance.own())
        *earlier, last = twins(chance)
        state = AllocationState()
        for decision in decided(earlier, rules):
            state = decision.after
        names = chance.sample(("a", "b"), 2)
        figures = {**last.figures, names[0]: better(chance, last.figures["a"])}
        cause = msgspec.structs.replace(last, figures=figures)
        lines = {each.strategy: each for each in decide(state, cause, rules).allocation.lines}
        best, worse = (lines[name] for name in names)
        is_alike = state.minds.get("a") == state.minds.get("b") and figures["a"] != figures["b"]
        if is_alike and (best.previous, best.opening) == (worse.previous, worse.opening):
            compared += 1
            assert best.weight >= worse.weight, seed
    assert compared > ALLOCATIONS // 4


def test_a_strategy_at_nothing_can_come_back():
    """Blocked by its losses, it has nothing; the list is over after three days, and it rises."""
    for seed in SEEDS:
        chance = Chance(seed)
        change = Decimal(chance.randint(1, 100)) / 100
        rules = Rules(allocator=AllocatorSettings(cap=ONE, change=change))
        trades = tuple(
            ClosedTrade(id=str(number), strategy="a", at=BEGIN, pnl=-ONE, regime="BULL")
            for number in range(3 * chance.randint(1, 5))
        )
        figures = dict.fromkeys("ab", Figures())
        cause = Cause(at=BEGIN + HOUR, regime="BULL", figures=figures, trades=trades)
        gone = decide(AllocationState(decisions=DecisionsPast()), cause, rules)
        assert gone.allocation.lines[0].weight == 0, seed
        back = decide(gone.after, Cause(at=BEGIN + 4 * DAY, regime="BULL", figures=figures), rules)
        assert back.allocation.lines[0].weight > 0, seed


def amounts(chance):
    """Money with every digit there may be, up and down."""
    return [
        Decimal(chance.randint(-(10**21), 3 * 10**21)).scaleb(-18)
        for _ in range(chance.randint(0, 12))
    ]


def test_all_that_is_reinvested_is_no_more_than_the_share_of_the_peak_profit():
    for seed in SEEDS:
        chance = Chance(seed)
        share, made = chance.part(), amounts(chance)
        peak = max([ZERO, *made])
        compounding = IntraSessionCompounding(CompoundingSettings(share=share))
        steps, reinvested = Compounded(Decimal(1000)), ZERO
        for realized in made:
            steps, amount = compounding.look(steps, 1000 + abs(realized) * 2, realized)
            assert amount >= 0, seed
            reinvested += amount
        assert reinvested == steps.reinvested <= share * peak, seed


def test_each_profit_is_divided_once_and_reinvested_by_no_more_than_its_share():
    for seed in SEEDS:
        chance = Chance(seed)
        least, most = sorted((chance.part(), chance.part()))
        reinvestor = SmartReinvestor(
            initial=Decimal(100), settings=ReinvestSettings(least=least, most=most)
        )
        state, peak = Reinvested(), ZERO
        for profit in amounts(chance):
            peak = max(peak, profit)
            state, division = reinvestor.divide(
                state,
                profit,
                equity=Decimal(chance.randint(0, 300)),
                drawdown=chance.part() / 4,
                profit_factor=chance.statistic(),
            )
            assert min(division.reinvest, division.keep) >= 0, seed
        assert state.divided == state.reinvested + state.kept == peak, seed
        assert state.reinvested <= most * peak, seed


def heard(tellings):
    spells: Spells = ()
    for each in tellings:
        spells = told(spells, each)
    return spells


def test_the_order_in_which_regimes_are_told_changes_nothing_about_what_stands():
    """Also of those of one instant, and of those told twice."""
    for seed in SEEDS:
        chance = Chance(seed)
        tellings = [
            Telling(name=chance.choice("ABC"), at=chance.randint(0, 4), by=chance.choice("xy"))
            for _ in range(chance.randint(1, 8))
        ]
        again = [*tellings, *tellings[:2]]
        chance.shuffle(again)
        last = max(tellings, key=lambda each: (each.at, each.by, each.name))
        for spells in (heard(tellings), heard(again)):
            ends = [end for spell in spells for end in (spell.first.at, spell.last.at)]
            assert ends == sorted(ends), seed
            assert spells[-1].last == last, seed
            assert named(spells, 9) == last.name, seed
