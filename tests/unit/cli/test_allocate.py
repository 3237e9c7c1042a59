"""Capital divided on the command line."""

from decimal import Decimal

import pytest

import bursar as bursar_
from bursar.capital.deciding import FORMAT


@pytest.fixture
def traded(tmp_path):
    """A book in which two strategies traded and money waits."""
    with bursar_.open(tmp_path / "bursar.db", terms=bursar_.Terms("USD")) as book:
        book.add("deposit", "1000", "USD", time="2026-01-01")
        for verb, coin, price, strategy, day in (
            ("buy", "XBT", "100", "trend", 2),
            ("sell", "XBT", "150", "trend", 3),
            ("buy", "ETH", "100", "carry", 2),
            ("sell", "ETH", "80", "carry", 4),
        ):
            book.add(
                *(verb, "1", f"{coin}/USD"),
                price=price,
                strategy=strategy,
                time=f"2026-01-{day:02}",
            )


def test_a_preview_writes_nothing_and_apply_moves_capital(traded, bursar, ask):
    shown = bursar("allocate", code=5)
    assert "Nothing was written" in shown.out
    assert "50.00 %" in shown.out
    assert ask("strategies")["strategies"][0]["weight"] is None
    done = ask("allocate", "--apply")
    assert done["is_applied"]
    weights = [Decimal(line["weight"]) for line in done["allocation"]["lines"]]
    assert sum(weights) + Decimal(done["allocation"]["reserve"]) == 1
    equities = {each["strategy"]: each["equity"] for each in ask("strategies")["strategies"]}
    assert {name: Decimal(told) for name, told in equities.items()} == {
        "carry": 515,
        "manual": 0,
        "trend": 515,
    }
    assert "To move" not in bursar("allocate", code=5).out
    assert ask("verify")["is_sound"]


def test_why_explains_the_last_decision(traded, bursar, ask):
    assert "makes the first" in bursar("allocate", "why", "trend", code=3).err
    bursar("allocate", "--regime", "BEAR", code=5)
    assert ask("allocate", code=5)["allocation"]["regime"] == "NORMAL"  # only shown
    bursar("allocate", "--apply", "--regime", "BULL")
    said = bursar("allocate", "why", "trend").out
    assert "BULL" in said
    assert "an equal part" in said
    assert "0 trades, won 0.00, lost 0.00 in the window" in said
    assert ask("allocate", "why", "trend")["line"]["strategy"] == "trend"
    assert "It stands as it was made" not in said
    with bursar_.open("bursar.db") as book:
        ((name, text),) = book.desk.store.memos("capital decision ").items()
        book.desk.store.save_memos({name: text.replace(f'"format":{FORMAT}', '"format":1')})
    assert "It stands as it was made" in bursar("allocate", "why", "trend").out
    assert "there is carry, trend" in bursar("allocate", "why", "other", code=3).err


def test_whoever_is_to_be_revived_has_to_be_known(traded, bursar):
    said = bursar("allocate", "--apply", "--revive", "trned", code=2).err
    assert "no strategy 'trned' to revive; there is carry, trend" in said
    assert "makes the first" in bursar("allocate", "why", "trend", code=3).err


def test_a_bet_is_explained_as_one(traded, bursar, tmp_path):
    (tmp_path / "config.yaml").write_text("capital:\n  allocator: {method: kelly}\n")
    bursar("allocate", "--apply")
    assert "% = all of these" in bursar("allocate", "why", "trend").out


def test_strategies_are_shown_with_their_state(traded, bursar):
    bursar("allocate", "--apply")
    said = bursar("strategies").out
    assert "ACTIVE" in said
    assert "manual" in said


def test_whoever_has_a_weight_is_shown_though_nothing_was_given_yet(bursar, ask, tmp_path):
    (tmp_path / "config.yaml").write_text("capital: {strategies: {trend: {most: 0.4}, carry: {}}}")
    bursar("new")
    bursar("allocate", "--apply")
    found = {each["strategy"]: each for each in ask("strategies")["strategies"]}
    weights = {name: each["weight"] for name, each in found.items()}
    assert weights == {"carry": "0.5", "trend": "0.4"}
    assert {each["equity"] for each in found.values()} == {"0"}
    assert "50.00 %" in bursar("strategies").out


def test_whoever_is_switched_off_has_no_state(traded, bursar, ask, tmp_path):
    settings = tmp_path / "config.yaml"
    settings.write_text("capital: {strategies: {never: {is_enabled: false}}}")
    told = ask("allocate", "--apply")
    assert set(told["states"]) == {"carry", "trend"}
    assert told["set_aside"] == "0"
    settings.write_text("capital: {strategies: {carry: {is_enabled: false}}}")
    assert set(ask("allocate", "--apply")["states"]) == {"trend"}
    said = bursar("allocate", "why", "carry", code=3).err
    assert "the last decision gave carry no weight; there is trend" in said


def test_settings_come_from_the_file(traded, bursar, ask, tmp_path):
    (tmp_path / "config.yaml").write_text(
        "portfolio:\n  name: main\ncapital:\n  allocator: {cap: 0.3}\n"
    )
    lines = ask("allocate", code=5)["allocation"]["lines"]
    assert [line["weight"] for line in lines] == ["0.3", "0.3"]
    (tmp_path / "config.yaml").write_text("portfolio: {}\ncapital:\n  alocator: {}\n")
    assert "alocator" in bursar("allocate", code=2).err


def test_without_strategies_it_says_what_to_do(bursar):
    bursar("new", "--base", "USD")
    bursar("add", "deposit", "10", "USD", "--time", "2026-01-01", "--yes")
    assert "no strategy yet" in bursar("allocate", code=2).err


def test_shadow_says_when_it_is_too_early(traded, bursar, ask):
    bursar("allocate", "--apply")
    assert "too early to say" in bursar("allocate", "shadow").out
    assert ask("allocate", "shadow")["days"] == 0


def test_what_is_kept_of_profits_goes_to_the_reserve(traded, bursar, ask, tmp_path):
    shown = bursar("profits", code=5)
    assert "Nothing was written" in shown.out
    assert "trend" in shown.out
    bursar("allocate", "--apply")
    done = ask("profits", "--apply")
    assert Decimal(done["profits"]["divisions"]["trend"]["keep"]) > 0
    assert ask("profits", code=5)["profits"]["kept_back"] == {}
    (tmp_path / "config.yaml").write_text("capital:\n  targets: [{period: month, amount: 5}]\n")
    said = bursar("profits", code=5).out
    assert said.count("unknown") == 1  # nothing more is due; that is known, and is 0
    assert "Target of the month: unknown, since no equity was kept as it began." in said
    assert ask("verify")["is_sound"]


def test_the_initial_capital_is_put_in_once_and_not_beside_a_venue(bursar, ask, tmp_path):
    bursar("new", "--base", "USD")
    (tmp_path / "config.yaml").write_text("capital:\n  initial: 512.25\n")
    assert "equity is 512.25 USD" in bursar("allocate", "begin").out
    assert ask("allocate", "begin") == {"is_begun": False, "equity": "512.25"}
    assert "Nothing was put in" in bursar("allocate", "begin").out
    (tmp_path / "config.yaml").write_text("portfolio: {}\nvenues:\n  - account: kraken:main\n")
    assert "kraken:main says what is held" in bursar("allocate", "begin", code=2).err
