"""How every figure of a report is worked out, in the words of docs/MEASURES.md.

Errors: none.
"""

from typing import Final

from bursar.measure.ratios import Conventions

CURVE: Final = (
    (
        "nav",
        (
            "100 at the first kept moment (at the first where none is); then"
            " nav × (E′ + out) ÷ (E + in): what came counts as there from the last complete moment"
            " on, what went until the next one; `in` is what more capital was there at any time"
            " of the link than at its start"
        ),
    ),
    ("made", "E at the end − E at the start − flows"),
    ("time-weighted return", "last nav ÷ first nav − 1, in percent"),
    (
        "money-weighted return",
        (
            "XIRR (pyxirr): the yearly rate at which flows and both ends come to"
            " 0; 365 days a year, whole days"
        ),
    ),
    ("daily return", "nav at a day's last moment over that of the day before; not across a gap"),
    (
        "drawdown",
        (
            "100 × (peak − value) ÷ peak; the peak is the highest value so far, at its latest"
            " instant"
        ),
    ),
)
RATIOS: Final = (
    ("volatility", "sd(r) × √y, sd over n − 1"),
    ("Sharpe", "mean(x) ÷ sd(x) × √y"),
    ("Sortino", "mean(x) ÷ √mean(min(x, 0)²) × √y"),
    ("yearly", "Π(1 + r)^(y/n) − 1"),
    ("Calmar", "yearly ÷ deepest fall of Π(1 + r)"),
    ("VaR 95 %", "−quantile(r, 5 %), linear between neighbours, of history; a loss is positive"),
    ("CVaR 95 %", "−mean of the ⌊(n − 1) × 5 %⌋ + 1 lowest r"),
    ("Kelly of trades", "W − (1 − W) ÷ R; W wins ÷ trips, R average win ÷ average loss; 20 trips"),
    ("Kelly of returns", "mean(x) ÷ var(x); half Kelly is half of either"),
)
TRIPS: Final = (
    ("win_rate", "percent of trips with profit, of all trips"),
    ("profit_factor", "gross profit ÷ gross loss; `null` without a loss"),
    ("expectancy", "mean PnL of a trip"),
    ("holding time", "from the average time of entry, by quantity, to the close"),
    ("streak", "wins (above 0) or losses (below 0) in a row"),
)
"""Figures by name, as the tables of docs/MEASURES.md have them; a test holds them against it."""

METHODS: Final = {
    "wac": "weighted average cost: what is sold costs its share of the pool",
    "fifo": "first in, first out: the oldest lot is sold first",
    "lifo": "last in, first out: the newest lot is sold first",
    "hifo": "highest in, first out: the dearest lot is sold first",
    "specific": "specific lots: those that the sale names are sold",
}
MONEY: Final = (
    (
        "Money and percentages of money are exact decimals; a quotient is rounded once, half-even,"
        " to 18 decimals. Every figure here is shown to the cent and kept with all of its digits."
    ),
    "Realised PnL has the fees of its trades taken off; fees are shown again beside it.",
    "Days, months and years are UTC. A figure that is not known is said to be, never a zero.",
)


def stands(rules: Conventions) -> str:
    """Return what r, n, y, F and x are under these conventions."""
    return (
        f"r are the daily returns, n how many, y = {rules.periods} periods a year,"
        f" F = {rules.risk_free_pct} % risk-free a year, x = r − the part of it that falls on a"
        f" period. They need {rules.least} returns; VaR and CVaR are at {rules.level_pct} %."
    )
