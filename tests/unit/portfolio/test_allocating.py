"""Capital is divided by what strategies did, in the book itself."""

from decimal import Decimal

import msgspec
import pytest

from bursar.capital.allocator import Bound
from bursar.capital.candidates import AllocatorSettings
from bursar.capital.deciding import FORMAT, Own, Rules
from bursar.capital.trades import Tally
from bursar.desk import Desk
from bursar.errors import BadChoice, Doubtful, StaleVersion
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio, agreement, allocating
from bursar.reconcile import Limits, Statement
from bursar.reconcile.statement import Holding
from bursar.store import MemoryStore

DAY = 86_400 * 10**9
START = 20454 * DAY  # 2026-01-01


class At:
    """A clock that stands where it is put."""

    def __init__(self, day):
        self.day = day

    def now(self):
        return START + self.day * DAY


def unread(*_):
    """No file is read here."""
    raise AssertionError


def portfolio(*lines, day=20, store=None):
    made = Portfolio(Desk(store or MemoryStore(), At(day)), unread)
    made.desk.submit(golden.read(lines))
    return made


TWO = (
    "2026-01-01T10:00:00Z deposit 1000 USD #k:main:1",
    "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:2 strategy=trend",
    "2026-01-03T10:00:00Z sell 1 XBT @ 150 USD #k:main:3 strategy=trend",
    "2026-01-02T11:00:00Z buy 1 ETH @ 100 USD #k:main:4 strategy=carry",
    "2026-01-04T10:00:00Z sell 1 ETH @ 80 USD #k:main:5 strategy=carry",
)


def test_strategies_stand_as_they_did():
    found = {each.strategy: each for each in allocating.strategies(portfolio(*TWO))}
    assert {name: each.made for name, each in found.items()} == {
        "carry": -20,
        "manual": 0,
        "trend": 50,
    }
    assert sum(each.equity for each in found.values()) == 1030


def test_what_strategies_are_worth_adds_up_to_the_last_digit():
    made = portfolio(
        "2026-01-01T10:00:00Z deposit 1000 USD #k:main:1",
        "2026-01-02T10:00:00Z buy 0.333333333333333333 XBT @ 90 USD #k:main:2 strategy=one",
        "2026-01-02T11:00:00Z buy 0.333333333333333333 XBT @ 90 USD #k:main:3 strategy=two",
        "2026-01-02T12:00:00Z buy 0.333333333333333333 XBT @ 90 USD #k:main:4",
    )
    prices = {"XBT": "0.5"}
    found = allocating.strategies(made, prices)
    assert sum(each.equity for each in found) == made.equity(prices).value
    assert sum(each.unrealized for each in found) == made.valuation(prices).unrealized
    assert all(each.contributed + each.made + each.unrealized == each.equity for each in found)


def test_the_first_decision_is_equal_and_moves_capital_out_of_the_reserve():
    made = portfolio(*TWO)
    proposal = allocating.propose(made)
    weights = {line.strategy: line.weight for line in proposal.decision.allocation.lines}
    assert weights == {"carry": Decimal("0.5"), "trend": Decimal("0.5")}
    assert made.desk.head.version == 1
    allocating.apply(made, proposal)
    after = {each.strategy: each.equity for each in allocating.strategies(made)}
    assert after == {"carry": 515, "manual": 0, "trend": 515}
    assert made.equity().value == 1030
    assert allocating.decision(made) == proposal.decision
    assert made.verify().is_sound


def test_capital_that_lies_in_a_peg_is_divided_too():
    """The initial 300 USDT and 40 dollars; the dollars go first, and a strategy gives both back."""
    made = portfolio("2026-01-01T10:00:00Z deposit 40 USD #k:main:1")
    made.record(*golden.read(["2026-01-01T11:00:00Z deposit 300 USDT #events:main:initial"]))
    rules = Rules(strategies={"carry": Own(), "trend": Own()})
    allocating.apply(made, allocating.propose(made, rules))
    after = {each.strategy: each.cash for each in allocating.strategies(made)}
    assert after == {"carry": 170, "manual": 0, "trend": 170}
    made.desk.clock.day = 29
    only = Rules(strategies={"trend": Own(is_enabled=False), "carry": Own(most=Decimal(1))})
    allocating.apply(made, allocating.propose(made, only))
    after = {each.strategy: each.cash for each in allocating.strategies(made)}
    assert after["trend"] == 0
    assert sum(after.values()) == 340
    assert made.verify().is_sound


def test_a_transfer_is_no_return():
    made = portfolio(*TWO)
    before = {each.strategy: each.made for each in allocating.strategies(made)}
    allocating.apply(made, allocating.propose(made))
    assert {each.strategy: each.made for each in allocating.strategies(made)} == before


def test_a_restart_goes_on_as_if_it_had_not_been():
    store = MemoryStore()
    made = portfolio(*TWO, store=store)
    allocating.apply(made, allocating.propose(made))
    later = (
        "2026-01-20T10:00:00Z buy 1 XBT @ 100 USD #k:main:6 strategy=carry",
        "2026-01-21T10:00:00Z sell 1 XBT @ 90 USD #k:main:7 strategy=carry",
    )
    made.desk.submit(golden.read(later))
    again = Portfolio(Desk(store, At(25)), unread)
    made.desk.clock.day = 25
    one, other = allocating.propose(made), allocating.propose(again)
    assert one.decision == other.decision
    assert [trade.pnl for trade in one.decision.cause.trades] == [-10]
    allocating.apply(again, other)
    assert len(allocating.decisions(again)) == 2
    assert allocating.propose(again).decision.cause.trades == ()


def test_another_writer_in_between_is_told():
    made = portfolio(*TWO)
    proposal = allocating.propose(made)
    made.desk.submit(golden.read(["2026-01-05T10:00:00Z deposit 1 USD #k:main:9"]))
    with pytest.raises(StaleVersion, match="propose again"):
        allocating.apply(made, proposal)
    assert allocating.decision(made) is None


def test_of_two_proposals_on_one_state_the_second_is_told_although_nothing_moved():
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    made.desk.clock.day = 21
    revived = allocating.propose(made, asked=allocating.Asked(revived=("trend",)))
    made.desk.clock.day = 22
    other = allocating.propose(made)
    assert not revived.plan.is_due
    assert not other.plan.is_due
    allocating.apply(made, revived)
    with pytest.raises(StaleVersion, match="another decision"):
        allocating.apply(made, other)
    assert allocating.decision(made) == revived.decision


def test_what_another_desk_wrote_is_told_and_then_taken_up():
    made = portfolio(*TWO)
    proposal = allocating.propose(made)
    other = Desk(made.desk.store, At(20))
    other.submit(golden.read(["2026-01-05T10:00:00Z deposit 1 USD #k:main:9"]))
    with pytest.raises(StaleVersion, match="propose again"):
        allocating.apply(made, proposal)
    allocating.apply(made, allocating.propose(made))
    assert made.desk.head.version == 3


def test_a_window_made_longer_again_brings_no_trade_up_twice():
    made = portfolio(*TWO)
    short = Rules(allocator=AllocatorSettings(window_days=5, recent_days=2))
    looked = []
    for rules in (Rules(), short, Rules()):
        proposal = allocating.propose(made, rules)
        allocating.apply(made, proposal)
        looked += [trade.id for trade in proposal.decision.cause.trades]
        made.desk.clock.day += 1
    assert sorted(looked) == ["k:main:3", "k:main:5"]


def test_orders_of_one_id_are_two_trades_in_two_pairs():
    """Venues count orders pair by pair; which were looked at is known of each."""
    sold = "2026-01-0{} sell 1 {} @ 90 USD #k:main:{} strategy=trend order_id=77"
    made = portfolio(
        TWO[0],
        "2026-01-02T10:00:00Z buy 1 XBT @ 100 USD #k:main:2 strategy=trend",
        "2026-01-02T10:00:00Z buy 1 ETH @ 100 USD #k:main:3 strategy=trend",
        sold.format("3T10:00:00Z", "XBT", 4),
    )
    first = allocating.propose(made)
    allocating.apply(made, first)
    made.desk.submit(golden.read([sold.format("4T10:00:00Z", "ETH", 5)]))
    again = allocating.propose(made)
    allocating.apply(made, again)
    counted = [len(each.decision.cause.trades) for each in (first, again)]
    assert (counted, allocating.propose(made).decision.cause.trades) == ([1, 1], ())
    older = msgspec.structs.replace(allocating.kept(made), seen=("77",))
    made.desk.store.save_memos(allocating.keeping(older))
    assert allocating.propose(made).decision.cause.trades == ()


def test_what_is_not_due_keeps_the_decision_and_moves_nothing():
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    version = made.desk.head.version
    made.desk.clock.day = 21
    proposal = allocating.propose(made)
    assert not proposal.plan.is_due
    allocating.apply(made, proposal)
    assert made.desk.head.version == version
    assert len(allocating.decisions(made)) == 2


def test_doubt_is_refused_or_marked():
    made = portfolio(*TWO)
    with pytest.raises(Doubtful, match="kraken does not agree"):
        allocating.propose(made, asked=allocating.Asked(doubt="kraken does not agree"))
    marked = allocating.propose(
        made, asked=allocating.Asked(doubt="kraken does not agree", is_doubt_allowed=True)
    )
    assert marked.decision.cause.marked == "kraken does not agree"


def test_a_venue_that_does_not_agree_refuses_a_decision_unless_it_may_be_marked():
    """The account holds 1,030 and its venue says 1,000; more than a dollar is too much."""
    made = portfolio(*TWO)
    held = Holding(asset="USD", code="USD", total=Decimal(1000))
    at = made.desk.clock.now()
    agreement.remember(made, Statement(account="k:main", as_of=at, holdings=(held,)))
    with pytest.raises(Doubtful, match="k:main does not agree with its venue"):
        allocating.propose(made)
    wide = allocating.Asked(limits=Limits(asset=Decimal(50), total=Decimal(50)))
    assert allocating.propose(made, asked=wide).decision.cause.marked is None
    marked = allocating.propose(made, asked=allocating.Asked(is_doubt_allowed=True))
    assert "k:main does not agree" in str(marked.decision.cause.marked)


def test_a_strategy_that_holds_what_has_no_price_is_in_doubt():
    unpriced = "2026-01-05T10:00:00Z reward 1 ODD #k:main:9 strategy=trend"
    with pytest.raises(Doubtful, match="trend holds what has no price: ODD"):
        allocating.propose(portfolio(*TWO, unpriced))


def test_without_strategies_there_is_nothing_to_divide():
    made = portfolio("2026-01-01T10:00:00Z deposit 1000 USD #k:main:1")
    with pytest.raises(BadChoice, match="no strategy yet"):
        allocating.propose(made)
    named = allocating.propose(made, Rules(strategies={"new": Own()}))
    assert [line.strategy for line in named.decision.allocation.lines] == ["new"]


def test_a_regime_is_told_and_kept():
    made = portfolio(*TWO)
    assert allocating.regime(made) == "NORMAL"
    allocating.tell_regime(made, "BULL")
    assert allocating.propose(made).decision.cause.regime == "BULL"
    with pytest.raises(BadChoice, match="has a name"):
        allocating.tell_regime(made, " ")


def told(made, **asked):
    """What a decision is made from, and the line of each strategy."""
    rules = Rules(allocator=AllocatorSettings(prior=1))
    decision = allocating.propose(made, rules, asked=allocating.Asked(**asked)).decision
    return decision.cause, {line.strategy: line for line in decision.allocation.lines}


def test_only_trades_of_the_last_thirty_days_feed_the_profit_factor():
    """Trend won 50 on 3 January and loses 10 on 25 January."""
    lost = (
        "2026-01-24T10:00:00Z buy 1 XBT @ 100 USD #k:main:6 strategy=trend",
        "2026-01-25T10:00:00Z sell 1 XBT @ 90 USD #k:main:7 strategy=trend",
    )
    cause, lines = told(portfolio(*TWO, *lost, day=26))
    assert cause.figures["trend"].results == Tally(2, Decimal(50), Decimal(10))
    assert lines["trend"].method > 1
    cause, lines = told(portfolio(*TWO, *lost, day=40))
    assert cause.figures["trend"].results == Tally(1, Decimal(0), Decimal(10))
    assert lines["trend"].method < 1
    cause, lines = told(portfolio(*TWO, *lost, day=90))
    assert cause.figures["trend"].results == Tally()
    assert lines["trend"].method == 1


def test_a_coin_that_paid_for_another_was_entered_in_no_pair_that_is_known():
    bought = "2026-01-15T10:00:00Z buy 1 XBT @ 100 USD #k:main:6 strategy=trend"
    swapped = "2026-01-16T10:00:00Z buy 10 ETH @ 0.1 XBT #k:main:7 strategy=trend value=110"
    made = portfolio(*TWO, bought, swapped, day=18)
    fresh = allocating.lately(made, Rules()).fresh
    assert ("k:main:7", "", Decimal(10)) in [(each.id, each.symbol, each.pnl) for each in fresh]
    assert all(each.symbol for each in fresh if each.id != "k:main:7")


def test_the_regime_of_a_trade_comes_with_it_and_is_held_against_the_one_of_now():
    """Trend loses three times in a falling market: it is blocked there, and only there."""
    losses = [
        f"2026-01-{day}T{hour}:00:00Z {deed} USD #k:main:{day}{hour} strategy=trend regime=BEAR"
        for day in (15, 16, 17)
        for hour, deed in ((10, "buy 1 XBT @ 100"), (11, "sell 1 XBT @ 99"))
    ]
    made = portfolio(*TWO, *losses, day=18)
    cause, lines = told(made, regime="BEAR")
    assert {trade.regime for trade in cause.trades} == {"NORMAL", "BEAR"}
    assert cause.figures["trend"].in_regime == Tally(3, Decimal(0), Decimal(3))
    assert (lines["trend"].weight, lines["trend"].bound) == (0, Bound.BLOCKED)
    cause, lines = told(made, regime="BULL")
    assert cause.figures["trend"].in_regime == Tally()
    assert lines["trend"].weight > 0


def test_money_in_several_accounts_is_moved_where_it_lies():
    made = portfolio(
        *TWO,
        "2026-01-05T10:00:00Z deposit 500 USD #b:main:1",
    )
    allocating.apply(made, allocating.propose(made))
    assert made.verify().is_sound
    after = {each.strategy: each.equity for each in allocating.strategies(made)}
    assert after == {"carry": 765, "manual": 0, "trend": 765}


def test_a_decision_that_its_inputs_do_not_give_is_in_doubt():
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    stored = made.desk.store.memos("capital decision ")
    name, text = stored.popitem()
    made.desk.store.save_memos({name: text.replace('"reserve":"0', '"reserve":"1', 1)})
    with pytest.raises(Doubtful, match="not what its inputs give"):
        allocating.decision(made)


def test_settings_bound_what_is_given():
    rules = Rules(
        allocator=AllocatorSettings(cap=Decimal("0.3"), reserve=Decimal("0.2")),
        strategies={"trend": Own(is_enabled=False)},
    )
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made, rules))
    after = {each.strategy: each.equity for each in allocating.strategies(made)}
    assert after == {"carry": 309, "manual": 721, "trend": 0}


def test_decided_weights_are_compared_with_equal_ones():
    assert allocating.shadow(portfolio(*TWO)).days == 0
    made = portfolio(*TWO)
    rules = Rules(allocator=AllocatorSettings(cap=Decimal("0.3")))
    allocating.apply(made, allocating.propose(made, rules))
    made.desk.clock.day = 60
    made.desk.submit(
        golden.read(
            [
                "2026-01-25T10:00:00Z buy 1 XBT @ 100 USD #k:main:6 strategy=trend",
                "2026-01-26T10:00:00Z sell 1 XBT @ 110 USD #k:main:7 strategy=trend",
            ]
        )
    )
    found = allocating.shadow(made)
    assert found.days == 40
    assert found.adaptive_pct.value is not None
    assert found.equal_pct.value is not None
    assert 0 < found.adaptive_pct.value < found.equal_pct.value
    allocating.apply(made, allocating.propose(made, Rules()))
    assert allocating.shadow(made).days == 40


def last(made):
    """The last decision, as it was stored and made again."""
    return allocating.decision(made)


def test_two_decisions_in_one_nanosecond_are_two_and_a_clock_that_goes_back_is_no_earlier():
    made = portfolio(*TWO)
    for day, revived in ((20, ()), (20, ("trend",)), (19, ("carry",))):
        made.desk.clock.day = day
        asked = allocating.Asked(revived=revived)
        allocating.apply(made, allocating.propose(made, asked=asked))
    assert [each.cause.revived for each in allocating.decisions(made)] == [
        *((), ("trend",), ("carry",))
    ]
    assert last(made).cause.revived == ("carry",)


def stored(made, change):
    """Change the text of the one decision that is stored, as another version would have it."""
    ((name, text),) = made.desk.store.memos("capital decision ").items()
    assert change(text) != text
    made.desk.store.save_memos({name: change(text)})


def test_a_decision_of_an_older_form_is_made_again_or_says_why_not():
    """Fields of later versions are missing in it; it may be of other rules, or unreadable."""
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    kept = last(made)
    stored(made, lambda text: text.replace(',"marked":null', ""))
    assert last(made) == kept
    stored(made, lambda text: text.replace(f',"format":{FORMAT}', ""))
    assert last(made).format == 1 < FORMAT
    assert last(made).allocation == kept.allocation
    stored(made, lambda text: text.replace('"allocation"', '"division"'))
    with pytest.raises(Doubtful, match=r"of another form.*missing required field `allocation`"):
        last(made)
    made.desk.clock.day = 21
    allocating.apply(made, allocating.propose(made))
    assert last(made).cause.at == made.desk.clock.now()


def test_a_state_without_the_place_of_the_last_decision_goes_on_after_it():
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    text = made.desk.store.memo("capital state")
    made.desk.store.save_memos({"capital state": text.replace(f',"place":{START + 20 * DAY}', "")})
    assert allocating.kept(made).place is None
    assert last(made) is not None
    allocating.apply(made, allocating.propose(made))
    assert len(allocating.decisions(made)) == 2


def test_a_trade_told_after_its_window_is_booked_and_feeds_no_memory():
    """Forty days late, trend's loss is in what it made; no streak and no profit factor has it."""
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    made.desk.clock.day = 50
    late = (
        "2026-01-08T10:00:00Z buy 1 XBT @ 100 USD #k:main:6 strategy=trend",
        "2026-01-09T10:00:00Z sell 1 XBT @ 60 USD #k:main:7 strategy=trend",
    )
    made.desk.submit(golden.read(late))
    proposal = allocating.propose(made)
    assert {each.strategy: each.made for each in proposal.strategies}["trend"] == 10
    assert proposal.decision.cause.trades == ()
    assert proposal.decision.cause.figures["trend"].results == Tally()


class Cut(Exception):
    """The process is gone."""


class Dying(MemoryStore):
    """A store whose process dies at its nth write, before it or after it."""

    left = 10**9

    def commit(self, commit):
        self._die()
        made = super().commit(commit)
        self._die()
        return made

    def save_memos(self, memos, *, is_lasting=True):
        self._die()
        super().save_memos(memos, is_lasting=is_lasting)
        self._die()

    def _die(self):
        self.left -= 1
        if self.left == 0:
            raise Cut


def allocated(moment, *, moves):
    """What is kept where the process dies at a moment of applying a decision, and then goes on."""
    store = Dying(terms=Terms(base="USD"))
    made = portfolio(*TWO, store=store)
    if not moves:
        allocating.apply(made, allocating.propose(made))
        made.desk.clock.day += 1
    before = store.memos("capital")
    asked = allocating.Asked(regime="BULL")
    proposal = allocating.propose(made, asked=asked)
    assert proposal.plan.is_due is moves
    store.left = moment
    try:
        allocating.apply(made, proposal)
        assert store.left > 0
    except Cut:
        assert store.memos("capital") == before
        again = Portfolio(Desk(store, made.desk.clock), unread)
        allocating.apply(again, allocating.propose(again, asked=asked))
    return store.memos("capital"), store.head().hash


@pytest.mark.parametrize("moves", [True, False])
def test_a_death_at_any_moment_leaves_all_or_nothing_and_the_next_goes_on_the_same(moves):
    whole = allocated(10**9, moves=moves)
    assert [allocated(moment, moves=moves) for moment in (1, 2)] == [whole, whole]


def test_a_thousand_strategies_of_which_nothing_is_known_have_equal_parts():
    rules = Rules(
        allocator=AllocatorSettings(floor=Decimal(0)),
        strategies={f"s{number:03}": Own() for number in range(1000)},
    )
    made = portfolio("2026-01-01T10:00:00Z deposit 1000 USD #k:main:1")
    allocation = allocating.propose(made, rules).decision.allocation
    assert {line.weight for line in allocation.lines} == {Decimal("0.001")}
    assert allocation.reserve == 0
