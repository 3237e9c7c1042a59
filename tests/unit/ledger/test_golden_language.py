"""The golden language: reading and writing are inverse, and every mistake is told by line."""

from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.errors import Malformed
from bursar.exact import ZERO
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
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
    encode,
)
from bursar.ledger.golden import read, read_line, read_terms, write, write_line, write_terms
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms

AT = 1_767_607_200_000_000_000
TIME = "2026-01-05T10:00:00Z"

ODD = (
    "MY COIN",
    'the "best" one',
    "größer",
    "größer als",
    "#1",
    "@home",
    "=",
    "a=b",
    "a|b",
    "back\\slash",
    "end\\",
    "\\|",
    "?",
    "fee",
    "for",
    "worth",
    "+",
    "into",
    "to",
    "-1",
    "line\nbreak",
    "tab\tstop",
    "line\u2028separator",
    "日本",
    "🪙 coin",
    " ",
    "",
    '"',
    "k:1:2",
)


def common(name="k:1", **fields):
    return {"id": name, "executed_at": AT, "account": "k", **fields}


def again(entry: AnyEntry) -> AnyEntry:
    return read_line(write_line(entry))


names = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"])))
maybe_names = st.none() | names


def decimals(digits):
    whole = st.integers(0, 10**20 - 1).map(str)
    fraction = st.text("0123456789", max_size=18)
    return st.builds(lambda w, f: Decimal(f"{w}.{f}" if f else w), whole, fraction).filter(digits)


positive = decimals(bool)
numbers = decimals(lambda _: True)
signed = st.one_of(numbers, positive.map(Decimal.copy_negate))
omitted_at_zero = positive | st.just(ZERO)
maybe = partial(st.one_of, st.none())
fees = st.lists(st.builds(Fee, names, signed, maybe(signed)), max_size=2).map(tuple)
times = st.integers(0, 4_000_000_000) | st.integers(0, 4_000_000_000 * 10**9)
rates = st.lists(st.builds(Rate, names, names, signed, names, times), max_size=2).map(tuple)
texts = st.lists(names, max_size=2).map(tuple)
legs = st.lists(st.builds(Leg, names, signed, maybe(signed)), min_size=1, max_size=3).map(tuple)
lines = st.lists(st.builds(StagedLine, names, signed, signed, maybe_names), max_size=2).map(tuple)
actions = st.sampled_from(["add", "remove", "update"])
edits = st.lists(st.builds(StagedLot, actions, names, names, signed, signed), max_size=2).map(tuple)


def entries_of(record, **fields):
    every = {
        "id": names,
        "executed_at": times,
        "account": names,
        "source": st.sampled_from(Source),
        "sequence": st.integers(0, 2**63 - 1),
        "group": maybe_names,
        "rows": texts,
        "note": maybe_names,
        "flags": st.lists(st.sampled_from(Flag), max_size=2).map(tuple),
    }
    return st.builds(record, **every, **fields)


who = {"pair": maybe_names, "order_id": maybe_names, "strategy": maybe_names, "regime": maybe_names}
sided = st.tuples(st.sampled_from(Side), maybe(signed)) | st.just((None, None))

KINDS = {
    "fill": entries_of(
        Fill,
        base=names,
        quote=names,
        side=st.sampled_from(Side),
        quantity=numbers,
        amount=maybe(signed),
        price=maybe(numbers),
        fees=fees,
        lots=texts,
        rates=rates,
        value=maybe(signed),
        **who,
    ),
    "margin": sided.flatmap(
        lambda told: entries_of(
            MarginFill,
            base=names,
            quote=names,
            side=st.just(told[0]),
            quantity=st.just(told[1]),
            price=maybe(numbers),
            settled=maybe(signed),
            fees=fees,
            leverage=maybe(numbers),
            rates=rates,
            quote_rate=maybe(signed),
            closes=st.sampled_from([None, True]),
            **who,
        )
    ),
    "flow": entries_of(
        CashFlow,
        kind=st.sampled_from(sorted(set(FlowKind) - {FlowKind.BASIS_ADJUSTMENT}, key=str)),
        asset=names,
        amount=signed,
        fees=fees,
        pocket=maybe_names,
        strategy=maybe_names,
        rates=rates,
        value=maybe(signed),
        basis=maybe(signed),
    ),
    "row": entries_of(
        Movement,
        kind=st.sampled_from(MovementKind),
        asset=names,
        amount=signed,
        fee=omitted_at_zero,
        balance=maybe(signed),
        code=maybe_names,
        pocket=maybe_names,
        label=maybe_names,
        rates=rates,
    ),
    "transfer": entries_of(
        Transfer,
        asset=names,
        quantity=signed,
        to_account=names,
        to_asset=maybe_names,
        pocket=maybe_names,
        to_pocket=maybe_names,
        fees=fees,
        to_fees=fees,
        rates=rates,
    ),
    "sleeve": entries_of(
        SleeveTransfer,
        from_strategy=names,
        to_strategy=names,
        amount=signed,
        asset=st.none() | names,
    ),
    "conversion": entries_of(Conversion, given=legs, taken=legs, fees=fees, rates=rates),
    "rename": entries_of(Rename, asset=names, to_asset=names, quantity=maybe(signed)),
    "split": entries_of(Split, asset=names, numerator=signed, denominator=signed),
    "staged": entries_of(
        StagedChange,
        cash=omitted_at_zero,
        fees=omitted_at_zero,
        lines=lines,
        lots=edits,
        claimed_realized=maybe(signed),
    ),
    "link": entries_of(Link, withdrawal=names, deposit=names),
    "price": entries_of(Price, asset=names, quote=names, value=signed),
    "tag": entries_of(Tag, target=names, strategy=maybe_names, regime=maybe_names),
    "reversal": entries_of(Reversal, target=names, void=st.booleans()),
}


def test_every_kind_of_entry_is_written_here():
    assert len(KINDS) == len(AnyEntry.__args__)


@pytest.mark.parametrize("kind", KINDS)
def test_reading_is_the_inverse_of_writing(kind):
    @given(KINDS[kind])
    def check(entry):
        assert again(entry) == entry
        assert encode(again(entry)) == encode(entry)

    check()


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_survives_wherever_it_stands(name):
    fill = Fill(
        **common(name, account=name, group=name, rows=(name, name), note=name),
        base=name,
        quote=name,
        side=Side.BUY,
        quantity=Decimal(1),
        amount=Decimal(2),
        price=Decimal(3),
        pair=name,
        fees=(Fee(name, Decimal(1)),),
        order_id=name,
        strategy=name,
        regime=name,
        lots=(name, name),
        rates=(Rate(name, name, Decimal(1), name, AT),),
    )
    convert = Conversion(
        **common(), given=(Leg(name, Decimal(1)),) * 2, taken=(Leg(name, Decimal(1), Decimal(2)),)
    )
    way = {"from_strategy": name, "to_strategy": name, "asset": name}
    sleeve = SleeveTransfer(**common(), **way, amount=Decimal(1))
    for entry in (fill, convert, sleeve):
        line = write_line(entry)
        assert "\n" not in line
        assert read_line(line) == entry


def test_what_stands_after_the_options_is_not_part_of_the_statement():
    line = f"{TIME} buy 2 XBT @ 40000 USD fee 8 USD #k:1 pair=XBT/USD recorded realized -8 USD"
    entry = read_line(line)
    assert write_line(entry).split() == line.split()[:12]
    assert isinstance(entry, Fill)
    assert entry.amount == 80000


def test_the_account_is_the_id_up_to_its_last_colon():
    assert read_line(f"{TIME} deposit 1 USD #kraken:main:L1").account == "kraken:main"
    assert read_line(f"{TIME} deposit 1 USD #L1").account == "main"
    assert read_line(f"{TIME} deposit 1 USD #kraken:L1 account=b").account == "b"


def test_a_withdrawal_and_a_fee_are_written_without_a_sign():
    for kind in (FlowKind.WITHDRAWAL, FlowKind.FEE):
        line = f"{TIME}  {kind.value}  1.50 XBT  #k:1  value=60000.0"
        flow = read_line(line)
        assert isinstance(flow, CashFlow)
        assert (flow.amount, flow.value) == (Decimal("-1.50"), Decimal("-60000.0"))
        assert write_line(flow) == line


def test_a_change_of_cost_is_no_row_that_moves_something():
    with pytest.raises(Malformed, match=r"found basis_adjustment, expected a `staged` change"):
        read_line(f"{TIME}  basis_adjustment  1 USD  #k:1  value=7")


def test_no_digit_is_lost_under_a_narrow_context():
    number = "12345678901234567890.123456789012345678"
    flow = read_line(f"{TIME} withdrawal {number} USD #k:1")
    assert isinstance(flow, CashFlow)
    assert str(flow.amount) == f"-{number}"
    assert number in write_line(flow)


def test_read_passes_over_what_is_no_statement():
    text = [
        "# a comment",
        "",
        "@ base EUR",
        "begin",
        f"  {TIME} deposit 1 EUR #k:1  recorded",
        "commit  recorded",
        "= EUR 1",
    ]
    assert [entry.id for entry in read(text)] == ["k:1"]


def test_a_whole_text_is_terms_and_statements():
    terms = Terms(base="EUR")
    entry = read_line(f"{TIME} deposit 1 EUR #k:1")
    text = list(write(terms, [entry]))
    assert text == ["@ base EUR", f"{TIME}  deposit  1 EUR  #k:1"]
    assert (read_terms(text), list(read(text))) == (terms, [entry])


@given(
    st.builds(
        Terms,
        base=st.from_regex(r"[A-H][A-Z0-9.]{0,15}", fullmatch=True),
        pegs=maybe(st.lists(st.from_regex(r"[A-H][A-Z0-9.]{0,15}", fullmatch=True)).map(tuple)),
        method=st.sampled_from(Method),
        scope=st.sampled_from(Scope),
        accounts=st.lists(
            st.builds(Account, names, st.sampled_from(FactSource), st.booleans()), max_size=2
        ).map(tuple),
        strict=st.booleans(),
    )
)
def test_terms_read_as_they_were_written(terms):
    assert read_terms(write_terms(terms)) == terms


def test_a_currency_that_is_none_is_told_by_line():
    with pytest.raises(Malformed, match=r"^line 2: 'e u r' is no currency"):
        read_terms(["# a comment", '@ base "e u r"'])


def test_terms_stand_anywhere_and_may_be_indented():
    text = ["# a comment", "  @ base EUR", f"{TIME} deposit 1 EUR #k:1", "@ method fifo", "@ pegs"]
    assert read_terms(text) == Terms(base="EUR", pegs=(), method=Method.FIFO)
    assert read_terms([]) == Terms()


@pytest.mark.parametrize(
    "line, found, expected",
    [
        ("@", "nothing", "a term"),
        ("@ colour red", "colour", "base, pegs, method, scope, strict or account"),
        ("@ base", "nothing", "a currency"),
        ("@ base US DOLLAR", "DOLLAR", "the end of the line"),
        ('@ base "US', '"US', "a quoted word that ends"),
        ("@ method best", "best", "one of wac, fifo, lifo, hifo, specific"),
        ("@ scope all", "all", "one of account, pooled"),
        ("@ strict yes", "yes", "the end of the line"),
        ("@ account", "nothing", "an account name"),
        ("@ account k wish", "wish", "one of venue, events, manual"),
        ("@ account k venue shorts", "shorts", "the end of the line"),
    ],
)
def test_a_wrong_term_is_told_by_line_word_and_expectation(line, found, expected):
    with pytest.raises(Malformed) as caught:
        read_terms(["# a comment", line])
    assert caught.value.message == f"line 2: found {found}, expected {expected}"
    assert caught.value.context == {"line": 2, "field": expected, "value": found}


@pytest.mark.parametrize(
    "statement, found, expected",
    [
        ("", "nothing", "a verb"),
        ("borrow 1 XBT #k:1", "borrow", "a verb such as buy, sell, deposit, transfer"),
        ("buy one XBT @ 5 USD #k:1", "one", "a quantity"),
        ("buy 1e3 XBT @ 5 USD #k:1", "1e3", "a quantity"),
        ("buy 0.1234567890123456789 XBT #k:1", "0.1234567890123456789", "a quantity"),
        ("buy 1", "nothing", "an asset"),
        ("buy 1 XBT #k:1", "#k:1", "`@ price` or `for amount`"),
        ("buy 1 XBT", "nothing", "`@ price` or `for amount`"),
        ("buy 1 XBT @ five USD #k:1", "five", "a price"),
        ("buy 1 XBT @ 5", "nothing", "a quote asset"),
        ("buy 1 XBT for x USD #k:1", "x", "an amount"),
        ("buy 1 XBT for 5", "nothing", "a quote asset"),
        ("buy 1 XBT @ 5 USD fee x USD #k:1", "x", "a fee"),
        ("buy 1 XBT @ 5 USD fee 1", "nothing", "the fee's asset"),
        ("buy 1 XBT @ 5 USD fee 1 BNB worth x #k:1", "x", "a value"),
        ("buy 1 XBT @ 5 USD", "nothing", "#id"),
        ("buy 1 XBT @ 5 USD k:1", "k:1", "#id"),
        ("buy 1 XBT @ 5 USD #", "#", "#id"),
        ('buy 1 XBT @ 5 USD #"k:1', '"k:1', "a quoted word that ends"),
        ('buy 1 XBT @ 5 USD #k:1 note="x', '"x', "a quoted word that ends"),
        ("buy 1 XBT @ 5 USD #k:1 colour=red", "colour=", "an option of this verb"),
        ("buy 1 XBT @ 5 USD #k:1 quantity=2", "quantity=", "an option of this verb"),
        ("transfer 1 XBT to b #k:1 lot=k:0", "lot=", "an option of this verb"),
        ("staged #k:1 lot=k:0", "lot=", "an option of this verb"),
        ("buy 1 XBT @ 5 USD #k:1 value=x", "x", "a number for value"),
        ("buy 1 XBT @ 5 USD #k:1 sequence=one", "sequence=one", "a whole number"),
        (
            "buy 1 XBT @ 5 USD #k:1 source=me",
            "source=me",
            "one of claim, event, trades, ledger, correction, cancellation",
        ),
        (
            "buy 1 XBT @ 5 USD #k:1 flag=odd",
            "odd",
            f"one of {', '.join(flag.value for flag in Flag)}",
        ),
        ("deposit 1 A #k:1 rate=A|USD", "rate=A|USD", "asset|quote|value|source|time"),
        ("deposit 1 A #k:1 rate=A|USD|x|candle|", "x", "a rate"),
        (
            "deposit 1 A #k:1 rate=A|USD|1|candle|noon",
            "rate=A|USD|1|candle|noon",
            "a UTC time at its end",
        ),
        ("deposit x XBT #k:1", "x", "an amount"),
        ("deposit 1", "nothing", "an asset"),
        (
            "row moved 1 XBT #k:1",
            "moved",
            "one of " + ", ".join(kind.value for kind in MovementKind),
        ),
        ("row deposit x XBT #k:1", "x", "an amount"),
        ("row deposit 1 XBT fee x #k:1", "x", "a fee"),
        ("row deposit 1 XBT balance x #k:1", "x", "a balance"),
        ("margin buy x XBT @ 5 USD #k:1", "x", "a quantity"),
        ("margin buy 1 XBT @ x USD #k:1", "x", "a price"),
        ("margin XBT", "nothing", "a quote asset"),
        ("margin XBT USD settled x #k:1", "x", "a settled amount"),
        ("transfer 1 XBT b #k:1", "b", "`to`"),
        ("transfer 1 XBT", "nothing", "`to`"),
        ("transfer 1 XBT to", "nothing", "an account"),
        ("transfer 1 XBT to b to-fee x XBT #k:1", "x", "a fee"),
        ("sleeve 5 to b #k:1", "to", "`from`"),
        ("sleeve 5 from a b #k:1", "b", "`to`"),
        ("rename some XBT to BTC #k:1", "some", "a quantity"),
        ("convert 1 XBT 2 ETH #k:1", "2", "`into`"),
        ("convert 1 XBT worth x into 2 ETH #k:1", "x", "a value"),
        ("convert 1 XBT into #k:1", "#k:1", "a quantity"),
        ("rename XBT BTC #k:1", "BTC", "`to`"),
        ("split XBT x for 1 #k:1", "x", "new units"),
        ("split XBT 2 to 1 #k:1", "to", "`for`"),
        ("split XBT 2 for x #k:1", "x", "old units"),
        ("staged cash x #k:1", "x", "a cash delta"),
        ("staged fees x #k:1", "x", "fees"),
        ("staged claim x #k:1", "x", "a claimed PnL"),
        ("staged position x XBT @ 5 #k:1", "x", "a quantity delta"),
        ("staged position 1 XBT 5 #k:1", "5", "`@`"),
        ("staged position 1 XBT @ 5 by", "nothing", "a strategy"),
        ("staged lot", "nothing", "add, remove or update"),
        ("staged lot add XBT", "nothing", "a lot id"),
        ("staged lot add XBT a x cost 5 #k:1", "x", "a quantity"),
        ("staged lot add XBT a 1 5 #k:1", "5", "`cost`"),
        ("staged lot add XBT a 1 cost x #k:1", "x", "a cost"),
        ("link a b #k:1", "b", "`to`"),
        ("link a to", "nothing", "a deposit id"),
        ("price XBT x USD #k:1", "x", "a price"),
        ("tag", "nothing", "a fact id"),
        ("reverse", "nothing", "a fact id"),
        ("void", "nothing", "a fact id"),
    ],
)
def test_a_mistake_is_told_by_line_word_and_expectation(statement, found, expected):
    with pytest.raises(Malformed) as caught:
        list(read(["# a comment", f"{TIME} {statement}"]))
    assert caught.value.message == f"line 2: found {found}, expected {expected}"
    assert caught.value.context == {"line": 2, "field": expected, "value": found}


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "2026-01-05T10:00:00+01:00", '"'])
def test_a_time_that_is_none_is_told_by_line(time):
    with pytest.raises(Malformed, match=r"^line 7: "):
        read_line(f"{time} deposit 1 USD #k:1", 7)


def test_an_absurd_number_is_told_by_line():
    with pytest.raises(Malformed, match=r"^line 3: "):
        read_line(f"{TIME} deposit 1 USD #k:1 sequence={'9' * 5_000}", 3)


def test_an_endless_word_is_cut_in_the_message():
    with pytest.raises(Malformed, match=r"^line 1: found ") as caught:
        read_line(f"{TIME} {'x' * 10_000}", 1)
    assert len(str(caught.value)) < 500
    assert "x…" in str(caught.value)
