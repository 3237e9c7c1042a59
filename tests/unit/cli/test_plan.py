"""`bursar plan`: weights in a file become a table, or JSON, and an exit code."""

import asyncio
import json
from decimal import Decimal

import pytest

from bursar.app import SystemClock
from bursar.cli import main
from bursar.errors import Malformed, NotExact, UnknownFormat
from bursar.plan import RoundingMode, read_plan
from bursar.portfolio import weights_file
from bursar.sim.kraken import FakeKraken, Tier, invent, serve

MARKS = ("--price", "XBT=5000", "--price", "ETH=100")


@pytest.fixture
def weights(tmp_path):
    def write(text, name="weights.yaml"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


@pytest.fixture
def book(bursar):
    """2 XBT of 2024 and 1 of 2026, bought at 2,000 and 4,400; 6,600 dollars."""
    bursar("new", "--method", "fifo", "--quiet")
    for words in (
        ("deposit", "15000", "USD", "--time", "2023-01-01"),
        ("buy", "2", "XBT/USD", "@", "2000", "--time", "2024-01-05"),
        ("buy", "1", "XBT/USD", "@", "4400", "--time", "2026-10-05"),
    ):
        bursar("add", *words, "--yes", "--quiet")


def test_a_table_to_act_on(book, bursar, weights):
    file = weights("XBT: 0.5\nETH: 0.3\n")
    said = bursar("plan", file, *MARKS, code=1).out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "SELL XBT 4,200.00 0.84 5,000 69.4 % 50.0 % 0.00 above its target" in lines
    assert "BUY ETH 6,480.00 64.8 100 0.0 % 30.0 % 0.00 below its target" in lines
    assert "cash after 4,320.00 reserve 0.00" in lines
    assert "turnover 5,340.00 24.7 %" in lines


def test_a_base_of_a_large_unit_is_traded_and_shown_in_its_own_parts(bursar, weights):
    bursar("new", "--base", "XBT")
    bursar("add", "deposit", "0.25", "XBT", "--time", "2024-01-01", "--yes")
    marks = ("--price", "ETH/XBT=0.03", "--price", "ADA/XBT=0.0000123")
    said = bursar(*marks, "plan", weights("ETH: 0.1\nADA: 0.01\n"), code=1).out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "BUY ETH 0.02500000 0.833333333 0.03 0.0 % 10.0 % 0.00000000 below its target" in lines
    assert "cash after 0.22250000 reserve 0.00000000" in lines
    assert "0.25000000 XBT" in said


def test_nothing_to_do_is_exit_code_zero(book, bursar, weights):
    idle = weights("target_weights: {XBT: 0.7}\nconstraints: {band: 0.05}\n")
    said = bursar("plan", idle, *MARKS)
    assert said.out.endswith("Nothing to do.\n")
    assert "inside its band" in said.out


def test_the_lots_a_sale_takes(book, bursar, weights):
    said = bursar("plan", weights("ETH: 0.5\n"), *MARKS, "--lots", code=1).out
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert any(line.startswith("XBT 2 4,000.00 +6,000.00 long 2024-01-05") for line in lines)
    assert any(line.startswith("XBT 1 4,400.00 +600.00 short 2026-10-05") for line in lines)
    assert "Realised: +6,600.00 USD (short +600.00, long +6,000.00, unknown 0.00)" in lines
    idle = bursar("plan", weights("XBT: 0.9\n"), *MARKS, "--lots", code=1).out
    assert "No sale touches a lot." in idle


def test_json_is_the_plan_and_a_proof(book, ask, weights):
    file = weights('{"target_weights": {"XBT": 0.5}, "policy": {"rounding": "unit"}}', "w.json")
    told = ask("plan", file, *MARKS, "--lots")
    assert told["items"][0]["quantity"] == "0"
    assert told["items"][0]["reason"] == "below_step"
    assert told["lots"] == []
    told = ask("plan", file, *MARKS, "--rounding", "optimal", code=1)
    assert told["items"][0]["quantity"] == "-1"
    assert told["search"]["proof"] == "exact"
    assert read_plan(json.dumps(told)).verify() == ()


def test_whole_units_say_how_near_they_are(book, bursar, weights):
    said = bursar("plan", weights("XBT: 0.5\n"), *MARKS, "--rounding", "optimal", code=1).out
    assert "least possible" in said
    assert "exact" in said


def test_a_deposit_is_invested(book, ask, weights):
    told = ask(
        "plan",
        weights("symbol,weight\nXBT,0.5\nETH,0.5\n", "w.csv"),
        *MARKS,
        "--invest",
        "1000",
        code=1,
    )
    assert told["totals"]["buys"] == "1000"
    assert told["totals"]["sells"] == "0"


def test_what_cannot_be_planned_says_why(book, bursar, weights):
    said = bursar("plan", weights("XBT: 0.5\nADA: 0.1\n"), *MARKS, code=3).err
    assert "no price of ADA" in said
    assert "code  portfolio" in said
    assert "above 1" in bursar("plan", weights("XBT: 1.5\n"), code=2).err
    assert "no venue" in bursar("plan", weights("XBT: 0.5\n"), "--venue", "k", code=2).err
    assert (
        "--at"
        in bursar("plan", weights("XBT: 0.5\n"), "--venue", "k", "--at", "2025-01-01", code=2).err
    )


def test_the_past_can_be_planned_too(book, ask, weights):
    told = ask("plan", weights("XBT: 0.5\n"), "--price", "XBT=5000", "--at", "2025-01-01", code=1)
    assert told["inputs"]["holdings"]["positions"] == {"XBT": "2"}


def test_a_venue_is_asked_for_what_it_holds(tmp_path, weights, monkeypatch, capsys):
    now = SystemClock().now()
    rows = invent(3, 100).rows
    account = invent(3, 100, start=now - (rows[-1].time - rows[0].time) - 86_400 * 10**9)
    fake = FakeKraken(account, clock=SystemClock(), tier=Tier.PRO)
    monkeypatch.setenv("KRAKEN_API_KEY", fake.key)
    monkeypatch.setenv("KRAKEN_API_SECRET", fake.secret)
    file = weights("XBT: 0.2\n")

    async def play(*arguments):
        async with serve(fake) as url:
            (tmp_path / "config.yaml").write_text(
                f"portfolio: {{base_currency: USD}}\n"
                f"venues: [{{region: GLOBAL, tier: pro, url: '{url}'}}]\n"
            )
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, main, list(arguments))

    assert asyncio.run(play("new", "--quiet")) == 0
    capsys.readouterr()
    asked = ("plan", str(file), "--venue", "kraken:main", "--json")
    code = asyncio.run(play(*asked))
    said = capsys.readouterr()
    assert code == 1, said.out + said.err
    plan = read_plan(said.out)
    assert plan.inputs.holdings.source == "statement of kraken:main"
    assert plan.verify() == ()
    assert asyncio.run(play("plan", str(file), "--venue", "kraken:other")) == 2
    assert "there are kraken:main" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, name",
    [
        ("SPY: 0.10\nNO: 0.2\n", "w.yaml"),
        ("target_weights:\n  SPY: 0.10\n  NO: '0.2'\n", "w.yml"),
        ('{"SPY": 0.10, "NO": "0.2"}', "w.json"),
        ("Symbol, Weight\nSPY, 0.10\n\nNO, 0.2\n", "w.csv"),
    ],
)
def test_weights_are_read_digit_by_digit_from_any_form(weights, text, name):
    wanted = weights_file.read(weights(text, name))
    assert wanted.target_weights == {"SPY": Decimal("0.10"), "NO": Decimal("0.2")}
    assert str(wanted.target_weights["SPY"]) == "0.10"
    assert wanted.allocation.target_weights["SPY"] == Decimal("0.1")


def test_all_that_may_be_said(weights):
    wanted = weights_file.read(
        weights(
            "target_weights: {SPY: 0.6, TSLA: -0.1}\n"
            "portfolio_value: 1000\n"
            "constraints: {shorts: [TSLA], buys_only: true, cap: ~}\n"
            "policy: {rounding: optimal, instruments: {SPY: {step: 1}}, node_limit: 7}\n"
        )
    )
    assert wanted.policy.rounding is RoundingMode.OPTIMAL
    assert wanted.policy.node_limit == 7
    assert wanted.constraints.buys_only
    assert wanted.constraints.cap is None
    assert wanted.allocation.portfolio_value == 1000


@pytest.mark.parametrize(
    "text, name, says",
    [
        ("", "w.yaml", "an object of symbols"),
        ("[1, 2]", "w.yaml", "an object of symbols"),
        ("SPY: 0.6\nSPY: 0.5\n", "w.yaml", "'SPY' comes twice"),
        ("SPY: [", "w.yaml", "w.yaml: while parsing"),
        ("SPY: &own [*own]\n", "w.yaml", "nested too deep"),
        ("target_weigths: {SPY: 1}\n", "w.yaml", "target_weigths: is no section"),
        (
            "target_weights: {SPY: 1}\nconstraints: {reserv: 3}\n",
            "w.yaml",
            "line 2: constraints.reserv: .* mean reserve",
        ),
        (
            "target_weights: {SPY: 1}\npolicy: {rounding: lot, min: 1}\n",
            "w.yaml",
            "policy.min: there is no such",
        ),
        ("target_weights: {A: 1}\nwhat: 1\n", "w.yaml", "what"),
        ('{"SPY": 0.6, "SPY": 0.5}', "w.json", "'SPY' comes twice"),
        ("{", "w.json", "w.json"),
        ("a,b\n", "w.csv", "line 1: the columns are symbol,weight"),
        ("", "w.csv", "line 1"),
        ("symbol,weight\nA\n", "w.csv", "row 2: 1 cells"),
        ("symbol,weight\nA,1\nA,0\n", "w.csv", "'A' comes twice"),
    ],
)
def test_what_is_no_weights_file_is_refused_by_name(weights, text, name, says):
    with pytest.raises(Malformed, match=says):
        weights_file.read(weights(text, name)).allocation  # noqa: B018


def test_other_endings_and_huge_files_are_refused(weights, monkeypatch):
    with pytest.raises(UnknownFormat, match=r"w\.txt: target weights are"):
        weights_file.read(weights("SPY: 1", "w.txt"))
    monkeypatch.setattr(weights_file, "BYTES_MAX", 3)
    with pytest.raises(Malformed, match="over 3 bytes"):
        weights_file.read(weights("SPY: 1"))


@pytest.mark.parametrize(
    "said", ["0_5", "٠.٥", "０.5", "+0.5", ".5", "NaN", "Infinity", "half", "50%", "1e-1"]
)
@pytest.mark.parametrize(
    "of, at",
    [
        (("A: 1\n'B': '{}'\n", "w.yaml"), (2, "B")),
        (("target_weights:\n  B: '{}'\n", "w.yml"), (2, "target_weights.B")),
        (
            ("target_weights: {{B: 1}}\nconstraints:\n  band: '{}'\n", "w.yaml"),
            (3, "constraints.band"),
        ),
        (('{{"A": 0,\n "B": "{}"}}', "w.json"), (2, "B")),
        (("symbol,weight\n\nA,0\nB,{}\n", "w.csv"), (4, "B")),
    ],
)
def test_what_is_a_number_to_python_alone_is_refused_with_its_place(weights, said, of, at):
    (text, name), (line, field) = of, at
    with pytest.raises(NotExact) as refused:
        weights_file.read(weights(text.format(said), name))
    assert refused.value.message == (
        f"{name}, line {line}: {field}: {said!r} is not a plain decimal number"
    )
    assert refused.value.context == {"file": name, "line": line, "field": field}


def test_what_is_no_number_is_none(weights):
    with pytest.raises(NotExact, match=r"w\.json, line 1: SPY: 'NaN' is not a plain"):
        weights_file.read(weights('{"SPY": NaN}', "w.json"))
    with pytest.raises(NotExact, match="weights, line 1: SPY: '1_0' is not a plain"):
        weights_file.read_json(b'{"SPY": "1_0"}')


@pytest.mark.parametrize(
    "text, name, says",
    [
        (
            "target_weights: {XBT: 0.5}\npolicy: {rounding: up}\n",
            "w.yaml",
            "w.yaml, line 2: policy.rounding: 'up' is none of dollar, unit, lot, optimal",
        ),
        ("XBT: 0.5\nETH: [1]\n", "w.yaml", "w.yaml, line 2: ETH: expected a number"),
        ("XBT: 0.5\nETH:\n", "w.yaml", "w.yaml, line 2: ETH: expected a number"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_was_expected(weights, text, name, says):
    with pytest.raises(Malformed) as caught:
        weights_file.read(weights(text, name))
    assert says in caught.value.message


def test_a_narrow_terminal_keeps_why_a_line_is_what_it_is(book, bursar, weights, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = bursar("plan", weights("XBT: 0.5\nETH: 0.3\n"), *MARKS, code=1).out
    assert "above its target" in said
    assert max(map(len, said.splitlines())) <= 80
