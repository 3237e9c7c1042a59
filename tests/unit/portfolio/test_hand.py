"""What is entered by hand: read from words, previewed, recorded once, and taken back exactly."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Unpack

import pytest

from bursar.errors import BadChoice, EntryNotFound, InputError, KeyReused, Oversold
from bursar.ledger import golden, instant
from bursar.ledger.entries import CashFlow, Fee, Fill, Transfer
from bursar.ledger.notes import targets
from bursar.ledger.projection import digest
from bursar.ledger.terms import Account, FactSource, Scope, Terms
from bursar.portfolio import hand
from tests.unit.portfolio.places import MINUTE, NOON, Clock, opened

D = Decimal
BOOK = (
    "2026-01-05T10:00:00Z deposit 50000 EUR #kraken:main:1",
    "2026-01-06T10:00:00Z buy 1 XBT @ 30000 EUR fee 10 EUR #kraken:main:2",
    "2026-01-07T10:00:00Z sell 0.25 XBT @ 40000 EUR fee 5 EUR #kraken:main:3",
    "2026-01-08T10:00:00Z withdrawal 0.5 XBT #kraken:main:4",
    "2026-01-08T11:00:00Z deposit 0.499 XBT #cold:wallet:1",
    "2026-01-09T10:00:00Z reward 1 ETH #kraken:main:5",
    "2026-01-08T10:45:00Z price XBT 45000 EUR #price:old",
    "2026-01-05T00:00:00Z deposit 1 XBT #manual:main:1 value=20000 basis=15000",
)


@pytest.fixture
def book():
    return opened(*BOOK)


def last_id(portfolio):
    return list(portfolio.journal())[-1].entry().id


def fact_of(portfolio):
    """The fact that was recorded last."""
    return portfolio.timeline.facts[last_id(portfolio)]


# ------------------------------------------------------------------------------------ reading


def test_a_deposit_by_hand_goes_to_the_account_kept_by_hand(book):
    receipt = book.add("deposit", "1000.50", "eur", time="2026-02-01T09:00:00Z", note="a gift")
    flow = fact_of(book)
    assert isinstance(flow, CashFlow)
    assert (flow.account, flow.asset, flow.amount) == ("manual:main", "EUR", D("1000.50"))
    assert (flow.note, instant.show(flow.executed_at)) == ("a gift", "2026-02-01T09:00:00Z")
    assert receipt.review.recorded == 1


@pytest.mark.parametrize(
    "verb, amount, recorded",
    [
        ("deposit", "2", "2"),
        ("withdrawal", "2", "-2"),
        ("fee", "2", "-2"),
        ("reward", "2", "2"),
        ("reward", "-2", "-2"),
        ("adjustment", "-2", "-2"),
        ("airdrop", "2", "2"),
    ],
)
def test_the_verb_says_which_way(book, verb, amount, recorded):
    book.add(verb, amount, "EUR")
    flow = fact_of(book)
    assert (flow.kind.value, flow.amount) == (verb, D(recorded))


def test_a_trade_is_read_from_its_price_or_its_amount(book):
    book.add("buy", "0.5", "XBT-EUR", price="40000", fee="8", strategy="trend", regime="calm")
    buy = fact_of(book)
    assert isinstance(buy, Fill)
    assert (buy.base, buy.quote, buy.amount, buy.price) == ("XBT", "EUR", D(20000), D(40000))
    assert buy.fees == (Fee("EUR", D(8), D(8)),)
    assert (buy.strategy, buy.regime) == ("trend", "calm")
    book.add("sell", "0.5", "XBT/EUR", amount=D("21000.01"), fee=["0.001 XBT", "1 EUR"])
    sale = fact_of(book)
    assert (sale.amount, [fee.asset for fee in sale.fees]) == (D("21000.01"), ["XBT", "EUR"])


def test_a_transfer_brings_a_coin_under_the_name_it_has_there():
    there = "binance:main"
    book = opened(*BOOK, f"2026-01-08T12:00:00Z deposit 1 BTC #{there}:1")
    book.add("transfer", "0.1", "XBT", account="manual:main", to=there)
    assert book.book().held(there, "BTC").quantity == D("1.1")
    assert book.book().held(there, "XBT").quantity == 0


def test_a_transfer_leads_to_another_account(book):
    book.add("transfer", "0.1", "BTC", account="manual:main", to="cold:wallet", fee="0.001")
    move = fact_of(book)
    assert isinstance(move, Transfer)
    assert (move.asset, move.to_account, move.fees[0].asset) == ("XBT", "cold:wallet", "XBT")
    with pytest.raises(BadChoice, match="to another account"):
        book.add("transfer", "0.1", "XBT")
    with pytest.raises(BadChoice, match="to another account"):
        book.add("transfer", "0.1", "XBT", to="manual:main")


def test_an_asset_goes_by_the_name_that_the_account_has_for_it(book):
    book.add("deposit", "1", "BTC", account="kraken:main")
    assert fact_of(book).asset == "XBT"
    book.add("deposit", "1", "doge")
    assert fact_of(book).asset == "DOGE"
    book.add("deposit", "1", "XDG")
    assert fact_of(book).asset == "DOGE"


def test_worth_and_cost_are_in_base_currency(book):
    book.add("deposit", "2", "ETH", worth="5000", cost="1000")
    flow = fact_of(book)
    assert (flow.value, flow.basis) == (D(5000), D(1000))
    book.add("fee", "0.5", "ETH", worth="1200")
    assert fact_of(book).value == D(-1200)
    book.add("buy", "1", "SOL/ETH", amount="0.1", worth="250")
    assert fact_of(book).value == D(250)


def test_times_are_text_or_aware_or_now():
    clock = Clock(NOON + 1_234_567)
    book = opened(clock=clock)
    for time, at in (
        ("now", NOON + 1_234_000),
        (None, NOON + 1_234_000),
        (datetime(2026, 5, 1, tzinfo=UTC), instant.parse("2026-05-01")),
        (NOON, NOON),
        ("2026-05-02", instant.parse("2026-05-02T00:00:00Z")),
    ):
        book.add("deposit", "1", "EUR", time=time, again=True)
        assert fact_of(book).executed_at == at


@pytest.mark.parametrize(
    "words, details, said",
    [
        (("gift", "1", "EUR"), {}, "nothing to enter; one of buy, sell, deposit"),
        (("deposit", "1,5", "EUR"), {}, "quantity: '1,5' is not a plain decimal"),
        (("deposit", "0", "EUR"), {}, "0 is not above zero"),
        (("deposit", "-5", "EUR"), {}, "-5 is not above zero"),
        (("reward", "0", "EUR"), {}, "0 moves nothing"),
        (("deposit", "1", "EU R"), {}, "'EU R' is no asset"),
        (("deposit", "1", "EUR"), {"time": "yesterday"}, "time: 'yesterday' is no UTC time"),
        (("deposit", "1", "EUR"), {"account": "mine"}, "'mine' is no account; write venue:name"),
        (("deposit", "1", "EUR"), {"price": "3"}, "price says nothing of a deposit"),
        (("deposit", "1", "EUR"), {"worth": "3"}, "worth: EUR counts at face"),
        (("deposit", "1", "ETH"), {"worth": "-3"}, "worth: -3 is below zero"),
        (("adjustment", "-1", "ETH"), {"cost": "3"}, "cost says nothing of what goes out"),
        (("fee", "1", "EUR"), {"fee": "1"}, "fee says nothing of a fee"),
        (("deposit", "1", "EUR"), {"fee": "1 2"}, "'1 2' is no fee"),
        (("deposit", "1", "EUR"), {"fee": ("1", "2 EUR")}, "EUR twice; add them up"),
        (("deposit", "1", "EUR"), {"id": "a b"}, "'a b' has blanks"),
        (("buy", "1", "XBT/EUR"), {}, "needs its price or its amount"),
        (("buy", "1", "XBTEUR"), {"price": "3"}, "'XBTEUR' is no pair; write it as XBT/EUR"),
        (("buy", "1", "EUR/eur"), {"price": "3"}, "one asset on both sides"),
        (("buy", "1", "XBT/EUR"), {"price": "3", "worth": "3"}, "worth: EUR counts at face"),
        (("buy", "1", "XBT/EUR"), {"price": "3", "to": "a:b"}, "to says nothing of a buy"),
    ],
)
def test_words_that_say_nothing_are_named_and_change_nothing(book, words, details, said):
    before = book.desk.head
    with pytest.raises(InputError, match=said):
        book.add(*words, **details)
    assert book.desk.head == before


# ----------------------------------------------------------------------------------------- ids


def test_the_same_words_twice_are_one_deed_unless_it_happened_again(book):
    said = {"time": "2026-02-01", "note": "first"}
    assert book.add("deposit", "5", "EUR", **said).review.recorded == 1
    twice = book.add("deposit", "5.00", "EUR", time="2026-02-01", note="second")
    assert (twice.review.recorded, twice.review.duplicates) == (0, 1)
    assert book.add("deposit", "5", "EUR", **said, again=True).review.recorded == 1
    assert book.add("deposit", "5", "EUR", **said).review.duplicates == 1
    assert len({row.entry().id for row in book.journal()}) == book.desk.head.seq


def test_now_said_twice_within_an_hour_is_seen():
    clock = Clock()
    book = opened(clock=clock)
    book.add("deposit", "5", "EUR")
    clock.at += 59 * MINUTE
    assert book.add("deposit", "5", "EUR").review.duplicates == 1
    assert book.add("deposit", "6", "EUR").review.recorded == 1
    clock.at += 2 * MINUTE
    assert book.add("deposit", "5", "EUR").review.recorded == 1


def test_an_id_of_ones_own_stands_for_one_thing():
    clock = Clock()
    book = opened(clock=clock)
    book.add("deposit", "5", "EUR", id="gift-1")
    assert last_id(book) == "manual:main:gift-1"
    clock.at += 90 * MINUTE
    assert book.add("deposit", "5", "EUR", id="gift-1").review.duplicates == 1
    with pytest.raises(KeyReused, match="gift-1 stands for something else"):
        book.add("deposit", "6", "EUR", id="gift-1")
    with pytest.raises(KeyReused, match="stands for something else"):
        book.add("buy", "1", "XBT/EUR", price="6", id="gift-1")
    with pytest.raises(KeyReused, match="stands for something else"):
        book.add("deposit", "5", "EUR", id="gift-1", time="2026-01-01")
    book.reverse("gift-1")
    with pytest.raises(KeyReused, match="was taken back"):
        book.add("deposit", "5", "EUR", id="gift-1")
    book.add("deposit", "5", "EUR", id="my:own")
    assert last_id(book) == "my:own"


def test_what_was_taken_back_can_be_entered_again(book):
    book.add("deposit", "5", "EUR", time="2026-02-01")
    first = last_id(book)
    book.reverse(first)
    assert book.add("deposit", "5", "EUR", time="2026-02-01").review.recorded == 1
    assert last_id(book) != first


def test_entries_of_one_instant_are_folded_in_the_order_of_entry():
    book = opened()
    for verb, quantity in (("deposit", "2"), ("withdrawal", "1"), ("deposit", "3")):
        book.add(verb, quantity, "ETH", time="2026-02-01")
    assert [fact.amount for fact in book.timeline] == [D(2), D(-1), D(3)]


# --------------------------------------------------------------------------------- taking back


def corrections(book):
    """One of each kind, with how many statements it makes."""
    late = {"time": "2026-03-01T00:00:00Z"}
    yield lambda: book.add("deposit", "1000", "EUR", **late)
    yield lambda: book.add("deposit", "1", "ETH", cost="2000", time="2026-01-01")
    yield lambda: book.add("withdrawal", "0.5", "XBT", fee="0.01", **late)
    yield lambda: book.add("buy", "0.3", "XBT/EUR", price="50000", fee="0.001 XBT", **late)
    yield lambda: book.add(
        "buy", "1", "XBT/EUR", amount="10000", account="kraken:main", time="2026-01-06"
    )
    yield lambda: book.add("sell", "0.1", "XBT/EUR", price="50000", account="kraken:main", **late)
    yield lambda: book.add("fee", "5", "EUR", **late)
    yield lambda: book.add("reward", "0.1", "XBT", worth="4000", **late)
    yield lambda: book.add("transfer", "0.2", "XBT", to="cold:wallet", fee="0.001", **late)
    yield lambda: book.price("ETH", "2026-01-09T09:30:00Z", "3000")
    yield lambda: book.price("XBT", "2026-01-08T10:50:00Z", "1", "EUR")
    yield lambda: book.tag("kraken:main:3", strategy="trend", regime="calm")
    yield lambda: book.link("kraken:main:4", "cold:wallet:1")
    yield lambda: book.reverse("manual:main:1")
    yield lambda: book.reverse("cold:wallet:1", time="2026-02-01")
    yield lambda: book.reverse("price:old")


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("place", range(16))
def test_every_correction_is_taken_back_exactly_and_can_be_made_again(place, scope):
    book = opened(*BOOK, terms=Terms(base="EUR", scope=scope))
    plain = digest(book.timeline.book)
    make = list(corrections(book))[place]
    assert make().review.recorded == 1
    corrected, name = digest(book.timeline.book), last_id(book)
    assert corrected != plain
    for _ in range(2):
        assert book.reverse(name).review.recorded == 1
        assert digest(book.timeline.book) == plain
        assert book.reverse(last_id(book)).review.recorded == 1
        assert digest(book.timeline.book) == corrected
    assert book.verify().is_sound


def test_taking_back_twice_is_taking_back_once(book):
    book.add("deposit", "5", "EUR", time="2026-02-01")
    name = last_id(book)
    book.reverse(name)
    assert book.reverse(name).review.duplicates == 1


def test_a_flow_may_have_stood_until_a_time(book):
    book.add("deposit", "5", "EUR", time="2026-02-01")
    name = last_id(book)
    with pytest.raises(BadChoice, match="happened at 2026-02-01"):
        book.reverse(name, time="2026-01-31")
    book.reverse(name, time="2026-02-03")
    assert book.at("2026-02-02").timeline.book.held("manual:main", "EUR").quantity == 5
    assert book.at("2026-02-02").timeline.facts[name].reversed_by is None  # nobody knew by then
    assert book.timeline.facts[name].reversed_by is not None
    assert book.timeline.book.held("manual:main", "EUR").quantity == 0
    with pytest.raises(BadChoice, match="it stands, or it never happened"):
        book.reverse("kraken:main:2", time="2026-02-03")


def test_what_cannot_be_taken_back_says_why():
    told = "source=ledger group=kraken:main"
    rows = [
        f"2026-01-05T10:00:00Z row trade 1 XBT #kraken:main:L1 {told}:T1",
        f"2026-01-05T10:00:00Z row trade -100 EUR #kraken:main:L2 {told}:T1",
        f"2026-01-06T10:00:00Z row deposit 7 EUR #kraken:main:L3 {told}:R1",
        f"2026-01-07T10:00:00Z row deposit -7 EUR #kraken:main:L4 {told}:R1",
        "2026-01-08T10:00:00Z sell 3 ETH @ 10 EUR #kraken:main:T2",
    ]
    book = opened(*rows)
    with pytest.raises(BadChoice, match="L1 is a part of kraken:main:T1; reverse that"):
        book.reverse("L1")
    with pytest.raises(BadChoice, match="the venue's own reversal of kraken:main:L3"):
        book.reverse("kraken:main:L4")
    with pytest.raises(BadChoice, match="worked out from the other entries"):
        book.reverse("opening:kraken:main:ETH")
    with pytest.raises(BadChoice, match="was taken back by kraken:main:L4"):
        book.reverse("L3", time="2026-02-01")
    with pytest.raises(EntryNotFound, match="no entry 'T9'"):
        book.reverse("T9")
    seen = hand.reversed_(book.desk, "T2")
    assert seen.remarks == (
        "kraken:main:T2 is what kraken:main itself says: its statements will go on saying it",
    )
    book.record(*seen.entries)
    assert book.balances() == opened(*rows[:-1]).balances()


def test_the_end_of_an_id_will_do_where_only_one_fits(book):
    (made,) = hand.reversed_(book.desk, "5").entries
    assert targets(made) == ("kraken:main:5",)
    with pytest.raises(BadChoice, match="'1' may be cold:wallet:1, kraken:main:1, manual:main:1"):
        book.reverse("1")


# ---------------------------------------------------------------------------- what is not there


def test_an_account_kept_by_hand_spends_only_what_it_has(book):
    with pytest.raises(Oversold, match="manual:main holds 1 XBT; 2 are to leave"):
        book.add("withdrawal", "2", "XBT")
    book.add("sell", "1", "XBT/EUR", price="50000")
    with pytest.raises(Oversold):
        book.reverse("manual:main:1")


def test_no_opening_comes_or_grows_by_hand():
    book = opened(*BOOK, "2026-02-01T00:00:00Z sell 5 ETH @ 10 EUR #kraken:main:9")
    assert [fact.id for fact in book.timeline.openings.values()] == ["opening:kraken:main:ETH"]
    before = book.digest()
    for words in (("withdrawal", "1", "XBT"), ("withdrawal", "0.5", "ETH"), ("fee", "9", "ADA")):
        with pytest.raises(Oversold, match="that nothing in the book brings; enter that first"):
            book.add(*words, account="kraken:main")
    assert book.digest() == before
    book.add("deposit", "4", "ETH", cost="20", account="kraken:main", time="2026-01-01")
    assert book.timeline.openings == {}


# --------------------------------------------------------------------------------------- notes


def test_a_price_decides_for_a_day_and_says_so_once(book):
    assert book.timeline.book.gaps["ETH", "unpriced"] == 1
    book.price("eth", "2026-01-09", "3000")
    assert book.why("income").value == 3000
    assert book.price("ETH", "2026-01-09", "3000.0", "EUR").review.duplicates == 1
    with pytest.raises(BadChoice, match="ETH is 3000 EUR at that instant already"):
        book.price("ETH", "2026-01-09", "3001")
    book.reverse(last_id(book))
    book.price("ETH", "2026-01-09", "3001")
    assert book.why("income").value == 3001
    with pytest.raises(BadChoice, match="below zero"):
        book.price("ETH", "2026-01-09", "-1")
    for asset, value, quote in (("XBT", "1", "BTC"), ("EUR", "1", "EURC"), ("EUR", "0", "USD")):
        with pytest.raises(BadChoice, match="says nothing"):
            book.price(asset, "now", value, quote)


def test_a_price_by_hand_goes_before_that_of_a_file(book):
    book.price("ETH", "2026-01-09T10:00:00Z", "3000")
    book.record(*golden.read(["2026-01-09T10:00:00Z price ETH 1 EUR #price:ETH:EUR:t"]))
    assert book.why("income").value == 3000


def test_the_latest_tag_counts_and_goes_before_what_an_event_says(book):
    clock = book.desk.clock
    said = "2026-01-07T10:00:00Z tag kraken:main:3 #b:1 source=event strategy=bot"
    book.record(*golden.read([said]))
    for strategy in ("trend", "carry"):
        clock.at += MINUTE
        book.tag("kraken:main:3", strategy=strategy)
        assert book.timeline.facts["kraken:main:3"].strategy == strategy
    assert book.tag("kraken:main:3", strategy="carry").review.recorded == 0
    book.reverse(last_id(book))
    assert book.timeline.facts["kraken:main:3"].strategy == "trend"
    with pytest.raises(BadChoice, match="a strategy, a regime, or both"):
        book.tag("kraken:main:3")
    with pytest.raises(BadChoice, match="kraken:main:4 is no trade"):
        book.tag("kraken:main:4", strategy="x")
    book.reverse("kraken:main:3")
    with pytest.raises(BadChoice, match="is no trade: it was taken back"):
        book.tag("kraken:main:3", strategy="x")


def test_what_a_fill_itself_says_needs_no_tag():
    book = opened("2026-01-05T10:00:00Z buy 1 XBT @ 10 EUR #kraken:main:1 strategy=own")
    assert book.tag("kraken:main:1", strategy="own").review.recorded == 0


@pytest.mark.parametrize("said", ["row deposit 5 EUR", "buy 1 XBT @ 10 EUR"])
def test_what_its_venue_corrected_can_be_taken_back_and_what_it_canceled_not(said):
    told = f"2026-01-05T10:00:00Z {said} #kraken:main:1 source="
    book = opened(f"{told}ledger", f"{told}correction")
    book.reverse("kraken:main:1")
    assert "kraken:main:1" not in book.timeline.facts
    book = opened(f"{told}ledger", f"{told}cancellation")
    with pytest.raises(BadChoice, match="was canceled by its venue: there is nothing to take"):
        book.reverse("kraken:main:1")


def test_a_link_joins_two_ends_in_either_order_and_fits(book):
    receipt = book.link("cold:wallet:1", "kraken:main:4")
    move = fact_of(book)
    assert isinstance(move, Transfer)
    assert (move.account, move.to_account, move.quantity) == (
        "kraken:main",
        "cold:wallet",
        D("0.499"),
    )
    assert (move.fees[0].amount, receipt.review.facts_changed) == (D("0.001"), 2)
    assert book.link("kraken:main:4", "cold:wallet:1").review.duplicates == 1
    with pytest.raises(BadChoice, match=r"kraken:main:4 is an end of \S+; reverse that first"):
        book.link("kraken:main:4", "manual:main:1")
    book.reverse(last_id(book))
    with pytest.raises(
        BadChoice, match=r"withdrawal 0.5 XBT of 2026-01-08T10:00:00Z and deposit 1"
    ):
        book.link("kraken:main:4", "manual:main:1")
    with pytest.raises(BadChoice, match="kraken:main:2 is no deposit or withdrawal"):
        book.link("kraken:main:4", "kraken:main:2")


# ------------------------------------------------------------------------------------- preview


def test_a_preview_says_what_would_change_and_changes_nothing(book):
    words: hand.Details = {
        "amount": "10000",
        "account": "kraken:main",
        "time": "2026-01-06",
    }
    correction = hand.entered(book.desk, "buy", "1", "XBT/EUR", words)
    staged = hand.stage(book.desk, correction)
    seen, before = book.preview(staged), book.digest()
    assert seen.statements == (
        f"2026-01-06T00:00:00Z  buy  1 XBT  for 10000 EUR  #{correction.id}  recorded",
    )
    assert [(each.change, each.id) for each in seen.facts] == [("added", correction.id)]
    assert seen.review.restated == ("XBT in XBT/EUR: 2485 → 4985",)
    held = {each.asset: each for each in seen.holdings}
    assert (held["XBT"].quantity, held["XBT"].quantity_after) == (D("0.25"), D("1.25"))
    assert (held["XBT"].cost, held["XBT"].cost_after) == (D(7500), D(25000))
    assert (seen.before.realized, seen.after.realized) == (D(2485), D(4985))
    assert (seen.after.gap, seen.is_empty) == (0, False)
    assert correction.remarks[0].startswith("kraken:main is told by its venue")
    assert book.digest() == before
    book.desk.commit(staged)
    assert book.digest() != before
    again = hand.entered(book.desk, "buy", "1", "XBT/EUR", words)
    assert again.is_known
    assert book.preview(book.stage(*again.entries)).is_empty


def test_a_preview_names_facts_that_change_and_go(book):
    correction = hand.linked(book.desk, "kraken:main:4", "cold:wallet:1")
    seen = book.preview(hand.stage(book.desk, correction))
    assert {(each.change, each.id) for each in seen.facts} == {
        ("removed", "kraken:main:4"),
        ("removed", "cold:wallet:1"),
        ("added", correction.id),
    }
    seen = book.preview(book.stage(*hand.tagged(book.desk, "kraken:main:3", strategy="s").entries))
    assert [(each.change, each.id) for each in seen.facts] == [("changed", "kraken:main:3")]


def test_remarks_say_what_may_not_have_been_meant():
    terms = Terms(base="EUR", accounts=(Account("bot:one", FactSource.MANUAL),))
    book = opened(*BOOK, terms=terms)

    def remarks(verb: str, quantity: str, what: str, **details: Unpack[hand.Details]):
        return hand.entered(book.desk, verb, quantity, what, details).remarks

    assert remarks("deposit", "1", "XBT") == ()
    assert remarks("deposit", "1", "XTB") == ("no XTB in the book so far",)
    assert remarks("deposit", "1", "EUR", account="bot:one") == ("bot:one is a new account",)
    assert remarks("deposit", "1", "EUR", time="2030-01-01") == (
        "2030-01-01T00:00:00Z is yet to come",
    )
    assert hand.priced(book.desk, "XTB", "now", "1").remarks == ("no XTB in the book so far",)
