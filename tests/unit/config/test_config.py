from decimal import Decimal

import pytest

from bursar.config import Tier, load
from bursar.errors import Malformed
from bursar.ledger.terms import Method


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in ("PORTFOLIO_BASE_CURRENCY", "PORTFOLIO_VALUATION_PAIRS__ETH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def filed(tmp_path):
    path = tmp_path / "config.yaml"

    def write(text):
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_without_a_file_the_defaults_of_the_contract_speak():
    own = load().portfolio
    assert own.base_currency == "USD"
    assert own.cost_basis_method is Method.WAC
    assert own.track_manual_trades
    assert own.snapshot_retention_days == 30
    assert own.reconciliation_tolerance == Decimal(1)
    assert (own.valuation_pairs, own.include_assets, own.exclude_assets) == ({}, (), ())


def test_the_service_is_at_home_on_its_port_by_default(monkeypatch):
    own = load().portfolio
    assert (own.http.host, own.http.port, own.book) == ("127.0.0.1", 8004, "bursar.db")
    monkeypatch.setenv("PORTFOLIO_HTTP__PORT", "9004")
    assert load().portfolio.http.port == 9004


def test_a_file_is_read_with_every_digit(filed):
    told = load(
        filed(
            "portfolio:\n"
            "  base_currency: EUR\n"
            "  reconciliation_tolerance: 0.100000000000000055\n"
            "  valuation_pairs: {BTC: XBTUSD}\n"
            "venues:\n"
            "  - region: GLOBAL\n"
            "    tier: pro\n"
            "    key: {keyring: kraken}\n"
        )
    )
    assert told.portfolio.reconciliation_tolerance == Decimal("0.100000000000000055")
    assert told.portfolio.valuation_pairs == {"BTC": "XBTUSD"}
    (kraken,) = told.venues
    assert (kraken.account, kraken.region, kraken.tier) == ("kraken:main", "GLOBAL", Tier.PRO)
    assert (kraken.key.keyring, kraken.secret.env) == ("kraken", "KRAKEN_API_SECRET")


def test_an_account_at_alpaca_has_its_own_names_and_addresses(filed):
    live, paper, own, worded = load(
        filed(
            "venues:\n"
            "  - venue: alpaca\n"
            "  - {venue: alpaca, account: 'alpaca:paper', paper: true, key: {env: A}}\n"
            "  - {venue: alpaca, paper: true, url: 'http://127.0.0.1:1'}\n"
            "  - {venue: alpaca, paper: 'on'}\n"
        )
    ).venues
    assert (worded.paper, worded.url) == (True, paper.url)
    assert (live.account, live.url) == ("alpaca:main", "https://api.alpaca.markets")
    assert (live.key.env, live.secret.env) == ("ALPACA_API_KEY", "ALPACA_API_SECRET")
    assert (paper.account, paper.url) == ("alpaca:paper", "https://paper-api.alpaca.markets")
    assert paper.key.env == "A"
    assert own.url == "http://127.0.0.1:1"


def test_an_account_at_binance_has_its_own_names_and_addresses(filed):
    own, since = load(
        filed(
            "venues:\n"
            "  - venue: binance\n"
            "  - {venue: binance, account: 'binance:second', since: 2023-05-01, stream_url: 'ws://x'}\n"
        )
    ).venues
    assert (own.account, own.url, own.since) == ("binance:main", "https://api.binance.com", None)
    assert own.futures_url == "https://fapi.binance.com"
    assert own.stream_url == "wss://ws-api.binance.com:443/ws-api/v3"
    assert (own.key.env, own.secret.env) == ("BINANCE_API_KEY", "BINANCE_API_SECRET")
    assert (since.account, str(since.since), since.stream_url) == (
        *("binance:second", "2023-05-01"),
        "ws://x",
    )


def test_flags_count_before_the_environment_and_that_before_the_file(filed, monkeypatch):
    path = filed("portfolio:\n  base_currency: EUR\n  valuation_pairs: {BTC: XBTUSD}\n")
    monkeypatch.setenv("PORTFOLIO_BASE_CURRENCY", "GBP")
    monkeypatch.setenv("PORTFOLIO_VALUATION_PAIRS__ETH", "ETH/GBP")
    told = load(path).portfolio
    assert told.base_currency == "GBP"
    assert told.valuation_pairs == {"BTC": "XBTUSD", "ETH": "ETH/GBP"}
    assert load(path, flags={"base_currency": "CHF"}).portfolio.base_currency == "CHF"


@pytest.mark.parametrize(
    "text,line,field,expected",
    [
        ("portfolio:\n  base_currncy: EUR\n", 2, "portfolio.base_currncy", "no such key"),
        ("portfolio:\n\n  snapshot_retention_days: 0\n", 3, "snapshot_retention_days", "1 or more"),
        (
            "portfolio:\n  reconciliation_tolerance: .nan\n",
            2,
            "tolerance",
            "is not a plain decimal number",
        ),
        ("portfolio:\n  reconciliation_tolerance: -1\n", 2, "tolerance", "0 or more"),
        ("portfolio: 3\n", 1, "portfolio", "keys with values"),
        ("portfolio: []\n", 1, "portfolio", "keys with values"),
        ("portfolio:\n  snapshot_retention_days: yes\n", 2, "days", "is not a whole number"),
        ("portfolio:\n  snapshot_retention_days: true\n", 2, "days", "is not a whole number"),
        ("portfolio:\n  snapshot_retention_days: 1:30\n", 2, "days", "is not a whole number"),
        ("portfolio:\n  snapshot_retention_days: 0x10\n", 2, "days", "is not a whole number"),
        ("portfolio:\n  snapshot_retention_days: 3_0\n", 2, "days", "is not a whole number"),
        (
            "portfolio:\n  reconciliation_tolerance: 1_0\n",
            2,
            "tolerance",
            "is not a plain decimal number",
        ),
        (
            "portfolio:\n  reconciliation_tolerance: ٥\n",
            2,
            "tolerance",
            "is not a plain decimal number",
        ),
        ("venues:\n  - tags: [{userref: 1_0, strategy: a}]\n", 2, "userref", "whole number"),
        ("portfolio:\n  snapshot_retention_days: 36501\n", 2, "days", "36500 or less"),
        ("portfolio:\n  reconciliation_tolerance: 1e1\n", 2, "tolerance", "is not a plain decimal"),
        ("portfolio:\n  reconciliation_tolerance: ' 1'\n", 2, "tolerance", "is not a plain"),
        ("portfolio:\n  risk_free_pct: 0.1000000000000000001\n", 2, "risk_free", "fractional"),
        ("portfolio:\n  reconciliation_tolerance: []\n", 2, "tolerance", "expected a number"),
        (
            "portfolio:\n  reconciliation_tolerance: 1:30\n",
            2,
            "tolerance",
            "is not a plain decimal number",
        ),
        ("portfolio:\n  Name: a\n  name: b\n", 3, "portfolio.name", "on line 2 already"),
        ("portfolio: &a\n  http: *a\n", 1, "portfolio.http", "holds itself"),
        ("portfolio:\n  exclude_assets: &a [*a]\n", 2, "exclude_assets.0", "holds itself"),
        ("venues:\n  - tags: [{userref: yes, strategy: a}]\n", 2, "userref", "whole number"),
        ("venues:\n  - {venue: binance, since: 2023}\n", 2, "since", "such as 2023-05-01"),
        ("venues:\n  - {venue: alpaca, paper: maybe}\n", 2, "paper", "true or false"),
        ("capital:\n  initial: 1:30\n", 2, "capital.initial", "'1:30' is not a plain"),
        ("capital:\n  memory: {losses: yes}\n", 2, "memory.losses", "'yes' is not a whole"),
        ("venues:\n  - venue: kraken\n  - regoin: X\n", 3, "venues.1.regoin", "no such key"),
        ("venues:\n  - venue: mtgox\n", 2, "venues.0.venue", "kraken, alpaca or binance"),
        ("venues:\n  - {venue: alpaca, region: EU}\n", 2, "venues.0", "no region: Alpaca knows"),
        ("venues:\n  - {venue: alpaca, account: 'kraken:x'}\n", 2, "venues.0", "of alpaca"),
        ("venues:\n  - {paper: true}\n", 2, "venues.0", "no paper"),
        ("venues:\n  - {venue: binance, tier: pro}\n", 2, "venues.0", "no tier: Binance knows"),
        ("venues:\n  - {venue: alpaca, since: 2023-05-01}\n", 2, "venues.0", "no since: Alpaca"),
        ("venues:\n  - key: {env: A, keyring: B}\n", 2, "venues.0.key", "either"),
        ("venues:\n  - key: {}\n", 2, "venues.0.key", "either"),
        ("venues:\n  - tags: [{userref: 1}]\n", 2, "venues.0.tags.0", "with the strategy"),
        ("venues:\n  - tags: [{userref: 1, client_id: a, strategy: b}]\n", 2, "tags.0", "or"),
        ("- a\n", 1, "", "sections"),
        ("a: [\n", 2, "", "no YAML"),
        ("portfolio:\n  name: !odd x\n", 2, "!odd", "no YAML"),
        ("portfolio:\n  ? [a]\n  : b\n", 2, "portfolio", "a name in front of every colon"),
        ("venues:\n  - venue: [kraken]\n", 2, "venues.0.venue", "kraken, alpaca or binance"),
        ("venues:\n  - {venue: alpaca, paper: [1]}\n", 2, "venues.0.paper", "true or false"),
        ("venues:\n  - {venue: binance, since: 2023-13-01}\n", 2, "venues.0.since", "a day such"),
        ("colour: red\n", 1, "colour", "no such key"),
        ("portfolio:\n  base_curency: EUR\n", 2, "base_curency", "did you mean base_currency?"),
        ("portfolio:\n  port: 1\n", 2, "portfolio.port", "did you mean portfolio.http.port?"),
        ("portfolio:\n  http:\n    port: abc\n", 3, "http.port", "is not a whole number"),
        ("portfolio:\n  cost_basis_method: x\n", 2, "method", "wac, fifo, lifo, hifo or specific"),
        ("portfolio:\n  tax_year_start: '13-01'\n", 2, "tax_year_start", "such as 04-06"),
        ("portfolio:\n  name: a\n  name: b\n", 3, "portfolio.name", "on line 2 already"),
        ("venues:\n  - acount: x\n", 2, "venues.0.acount", "did you mean account?"),
        ("venues:\n  venue: kraken\n", 1, "venues", "expected a list"),
        ("venues:\n  - {}\n  - {url: a, url: b}\n", 3, "venues.1.url", "stands on line 3"),
        ("capital:\n  allocator:\n    metod: x\n", 3, "capital.allocator.metod", "mean method?"),
        ("capital:\n  allocator:\n    cap: x\n", 3, "capital.allocator.cap", "'x' is not a plain"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_field(filed, text, line, field, expected):
    with pytest.raises(Malformed) as caught:
        load(filed(text))
    assert f"config.yaml, line {line}: {field}"[:20] in caught.value.message
    assert field in caught.value.message
    assert expected in caught.value.message
    assert caught.value.context["line"] == line


def test_what_yaml_takes_for_something_else_is_what_was_written(filed):
    told = load(
        filed(
            "\ufeffportfolio:\n"
            "  name: 2024-01-01\n"
            "  snapshot_retention_days: 010\n"
            "  exclude_assets: [NO, ON, 1]\n"
            "  valuation_pairs: {NO: A/B, 1: C/D}\n"
            "  timescale: off\n"
            "capital: {initial: 010, begin: true, memory: {losses: '4'}, strategies: {on: {}}}\n"
        )
    )
    own = told.portfolio
    assert (own.name, own.snapshot_retention_days, own.timescale) == ("2024-01-01", 10, False)
    assert own.exclude_assets == ("NO", "ON", "1")
    assert own.valuation_pairs == {"NO": "A/B", "1": "C/D"}
    assert (told.capital.initial, told.capital.begin) == (Decimal(10), True)
    assert told.capital.memory.losses == 4
    assert set(told.capital.strategies) == {"on"}


@pytest.mark.parametrize("said", ["yes", "'on'", "'True'", "1"])
def test_a_paper_account_is_one_in_whichever_words_that_is_said(filed, said):
    paper, live = load(
        filed(
            f"venues:\n  - {{venue: alpaca, paper: {said}}}\n  - {{venue: alpaca, paper: 'no'}}\n"
        )
    ).venues
    assert (paper.paper, paper.url) == (True, "https://paper-api.alpaca.markets")
    assert (live.paper, live.url) == (False, "https://api.alpaca.markets")


@pytest.mark.parametrize(
    "text, said",
    [
        ("name: !!int x", "a value is not what it says it is"),
        (f"include_assets: {'[' * 1_000}{']' * 1_000}", "this is no YAML: nested too deep"),
    ],
)
def test_what_cannot_be_made_is_told_with_its_file(filed, text, said):
    with pytest.raises(Malformed, match=f"^config.yaml: {said}"):
        load(filed(f"portfolio:\n  {text}\n"))


def test_a_secret_in_the_file_is_refused_and_not_repeated(filed):
    with pytest.raises(Malformed, match="never the secret itself") as caught:
        load(filed("venues:\n  - key: kSecretOfMine\n"))
    assert "kSecretOfMine" not in f"{caught.value.message} {caught.value.context}"


def test_a_file_that_is_not_there_is_no_file(tmp_path):
    with pytest.raises(Malformed, match=r"none\.yaml: No such file"):
        load(tmp_path / "none.yaml")


def test_a_variable_that_sets_nothing_is_named(monkeypatch):
    monkeypatch.setenv("PORTFOLIO_BASE_CURENCY", "EUR")
    with pytest.raises(Malformed, match=r"CURENCY sets nothing; did you mean PORTFOLIO_BASE_CUR"):
        load()


def test_a_variable_with_a_wrong_value_is_named(monkeypatch):
    monkeypatch.setenv("PORTFOLIO_SNAPSHOT_RETENTION_DAYS", "some")
    with pytest.raises(Malformed, match="the variable PORTFOLIO_SNAPSHOT_RETENTION_DAYS"):
        load()


@pytest.mark.parametrize(
    "name, value, said",
    [
        (
            "PORTFOLIO_HTTP__PORT",
            "abc",
            "the variable PORTFOLIO_HTTP__PORT: 'abc' is not a whole number",
        ),
        ("PORTFOLIO_HTTP__PRT", "1", "the variable PORTFOLIO_HTTP__PRT: .* did you mean port?"),
        ("PORTFOLIO_EXCLUDE_ASSETS", "DOT", "the variable PORTFOLIO_EXCLUDE_ASSETS: expected JSON"),
    ],
)
def test_a_wrong_variable_is_not_blamed_on_the_file(filed, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(Malformed, match=said):
        load(filed("portfolio:\n  http: {host: a}\n"))


def test_initial_capital_is_three_hundred_unless_file_or_environment_say_so(filed, monkeypatch):
    monkeypatch.delenv("INITIAL_CAPITAL", raising=False)
    assert load().capital.initial == 300
    path = filed("capital:\n  initial: 400\n")
    assert load(path).capital.initial == 400
    monkeypatch.setenv("INITIAL_CAPITAL", "512.25")
    assert load(path).capital.initial == load().capital.initial == Decimal("512.25")
    for said, message in (("-1", "initial capital is 0 or more"), ("NaN", "'NaN' is not a plain")):
        monkeypatch.setenv("INITIAL_CAPITAL", said)
        with pytest.raises(Malformed, match=f"^the variable INITIAL_CAPITAL: {message}"):
            load(path)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("portfolio: {base_currency: eur}\n", "expected a name in capitals, such as EUR"),
        ("venues:\n  - account: main\n", "such as kraken:main"),
        ("portfolio: {tax_year_start: 4/6}\n", "such as 04-06"),
        ("portfolio: {redis_prefix: a b}\n", "1 to 64 letters"),
        ("portfolio: {alerts: {webhook_url: hooks}}\n", "such as https://hooks.example/x"),
        ("portfolio: {alerts: {mail_to: [me]}}\n", "such as me@mail.example"),
        ("portfolio: {http: {origins: ['https://a/b']}}\n", "a site without a path"),
        ("portfolio: {risk_safety_service_url: 'http://a:b@c'}\n", "without a name or a password"),
    ],
)
def test_a_form_is_told_in_words(filed, text, expected):
    with pytest.raises(Malformed, match=expected):
        load(filed(text))
