"""A made-up year of three strategies in a real book, and a picture of how capital followed.

    python examples/allocation_year.py [picture.svg]

`trend` earns in a bull market and loses in a bear market, `carry` earns a little all the time, and
`grid` earns until summer and then dies. Every second week capital is divided anew; the decision and
its transfers are facts in the book. The year comes from a formula, so every run draws the same.
"""

import random
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bursar.capital.deciding import Own, Rules
from bursar.desk import Desk
from bursar.ledger import golden
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio, allocating
from bursar.ports import Progress
from bursar.store import MemoryStore
from bursar.venue import files

DAY = 86_400 * 10**9
START = 20454  # 2026-01-01, in days since 1970
NAMES = ("carry", "grid", "trend")
FONT = 'font-family="system-ui, sans-serif" font-size="13"'
COLOURS = {"carry": "#4c78a8", "grid": "#e45756", "trend": "#54a24b", "reserve": "#bab0ac"}
RULES = Rules(strategies={name: Own() for name in NAMES})
CYCLE, BULL_DAYS, GRID_DIES, WEEKS = 120, 70, 180, 14
WIDTH, LEFT, PLOT = 900, 70, 790


class Calendar:
    """A clock that stands where it is put."""

    day = 0

    def now(self) -> int:
        """Return midnight of the day."""
        return (START + self.day) * DAY


def year() -> list[dict[str, object]]:
    """Live the year and return how things stood after each decision."""
    clock, rng = Calendar(), random.Random(2026)  # noqa: S311  # a made-up market
    book = Portfolio(Desk(MemoryStore(terms=Terms(base="USD")), clock), _unread)
    book.record(*golden.read([f"{_time(0)} deposit 10000 USD #demo:main:capital"]))
    weeks: list[dict[str, object]] = []
    capital = dict.fromkeys(NAMES, Decimal(0))
    for day in range(1, 365):
        clock.day = day
        regime = "BULL" if day % CYCLE < BULL_DAYS else "BEAR"
        for name in NAMES:
            if capital[name] > 0 and day % 2 == len(name) % 2:
                book.record(*golden.read(_trade(day, name, regime, capital[name], rng)))
        if day % WEEKS == 1:
            asked = allocating.Asked(regime=regime)
            proposal = allocating.propose(book, RULES, asked=asked)
            allocating.apply(book, proposal)
            standing = {each.strategy: each.equity for each in allocating.strategies(book)}
            capital = {name: standing.get(name, Decimal(0)) for name in NAMES}
            weeks.append(_week(day, regime, proposal, standing))
    assert book.verify().is_sound
    return weeks


def _trade(day: int, name: str, regime: str, capital: Decimal, rng: random.Random) -> list[str]:
    """Buy and sell a quarter of the capital; what that makes depends on name, regime and chance."""
    edge = {"trend": 0.02 if regime == "BULL" else -0.016, "carry": 0.004, "grid": 0.012}[name]
    if name == "grid" and day > GRID_DIES:
        edge = -0.06
    price = Decimal(str(round(100 * (1 + edge + rng.gauss(0, 0.012)), 2)))
    coins = (capital / 400).quantize(Decimal("0.0001"))
    tags = f"strategy={name} regime={regime}"
    return [
        f"{_time(day, 9)} buy {coins} XBT @ 100 USD #demo:main:{day}{name}b {tags}",
        f"{_time(day, 15)} sell {coins} XBT @ {price} USD #demo:main:{day}{name}s {tags}",
    ]


def _week(
    day: int, regime: str, proposal: allocating.Proposal, standing: dict[str, Decimal]
) -> dict[str, object]:
    decision = proposal.decision
    lines = {line.strategy: line.weight for line in decision.allocation.lines}
    minds = decision.after.minds
    return {
        "day": day,
        "regime": regime,
        "weights": {name: lines.get(name, Decimal(0)) for name in NAMES},
        "reserve": decision.allocation.reserve,
        "equity": standing,
        "states": {
            name: minds[name].standing.state.value if lines[name] else "BLOCKED" for name in NAMES
        },
    }


def picture(weeks: list[dict[str, object]]) -> str:
    """Draw weights, equity and states over the year."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 640" {FONT}>',
        f'<rect width="{WIDTH}" height="640" fill="#ffffff"/>',
        *_title(26, "Weights, and what stays in reserve"),
        *_stack(weeks, 40, 200),
        *_title(292, "Equity of each strategy, USD"),
        *_lines(weeks, 306, 180),
        *_title(524, "States"),
        *_states(weeks, 540),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _title(y: int, text: str) -> list[str]:
    return [f'<text x="{LEFT}" y="{y}" font-weight="600" fill="#222">{text}</text>']


def _x(day: object) -> float:
    return LEFT + PLOT * int(str(day)) / 365


def _stack(weeks: list[dict[str, object]], top: int, height: int) -> list[str]:
    drawn, below = [], [Decimal(0)] * len(weeks)
    for name in (*NAMES, "reserve"):
        above = [base + _weight(week, name) for base, week in zip(below, weeks, strict=True)]
        there = [(week["day"], part) for week, part in zip(weeks, above, strict=True)]
        back = [(week["day"], part) for week, part in zip(weeks, below, strict=True)][::-1]
        points = " ".join(
            f"{_x(day):.1f},{top + height * float(1 - part):.1f}" for day, part in [*there, *back]
        )
        drawn.append(f'<polygon points="{points}" fill="{COLOURS[name]}" fill-opacity="0.85"/>')
        below = above
    for share in (0, 50, 100):
        y = top + height * (100 - share) / 100
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share} %</text>')
    return [*drawn, *_legend(top + height + 18)]


def _weight(week: dict[str, object], name: str) -> Decimal:
    if name == "reserve":
        return Decimal(str(week["reserve"]))
    weights = week["weights"]
    assert isinstance(weights, dict)
    return Decimal(weights[name])


def _legend(y: int) -> list[str]:
    drawn = []
    for place, name in enumerate((*NAMES, "reserve")):
        x = LEFT + 110 * place
        drawn.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{COLOURS[name]}"/>')
        drawn.append(f'<text x="{x + 18}" y="{y}">{name}</text>')
    return drawn


def _lines(weeks: list[dict[str, object]], top: int, height: int) -> list[str]:
    equities = [week["equity"] for week in weeks]
    most = max(float(each[name]) for each in equities if isinstance(each, dict) for name in each)
    drawn = []
    for name in NAMES:
        points = []
        for week, each in zip(weeks, equities, strict=True):
            assert isinstance(each, dict)
            value = float(each.get(name, 0))
            points.append(f"{_x(week['day']):.1f},{top + height * (1 - value / most):.1f}")
        drawn.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{COLOURS[name]}"'
            ' stroke-width="2"/>'
        )
    for value in (0, most):
        y = top + height * (1 - value / most)
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{value:,.0f}</text>')
    return drawn


def _states(weeks: list[dict[str, object]], top: int) -> list[str]:
    drawn = []
    shades = {"ACTIVE": 0.9, "REDUCED": 0.5, "HIBERNATED": 0.22, "TERMINATED": 0.04, "BLOCKED": 0.0}
    wide = PLOT * WEEKS / 365
    for row, name in enumerate(NAMES):
        y = top + 26 * row
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{name}</text>')
        for week in weeks:
            states = week["states"]
            assert isinstance(states, dict)
            shade = shades[states[name]]
            drawn.append(
                f'<rect x="{_x(week["day"]):.1f}" y="{y}" height="20" width="{wide:.1f}"'
                f' fill="{COLOURS[name]}" fill-opacity="{shade}"/>'
            )
    drawn.append(
        f'<text x="{LEFT}" y="{top + 94}" fill="#555">full: ACTIVE, half: REDUCED, faint:'
        " HIBERNATED, empty: blocked; the market is a bull for 70 days of 120</text>"
    )
    return drawn


def _time(day: int, hour: int = 0) -> str:
    at = datetime(2026, 1, 1, hour, tzinfo=UTC) + timedelta(days=day)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _unread(_path: Path, _account: str | None, _progress: Progress | None) -> files.FileReading:
    raise NotImplementedError("no file is read here")


if __name__ == "__main__":
    drawn = picture(year())
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "allocation-year.svg")
    target.write_text(drawn, encoding="utf-8")
    print(f"drawn: {target}")
