"""How long the contract's answers take to build, and what a curve and trips cost.

    ./run bench measuring                 10, 100 and 1,000 positions
    ./run bench measuring --full          also a year of minutes and a million trade records

`snapshot`: the contract's snapshot of a valuation that is there, every row made anew.
`after_a_tick`: the same of one that is kept, where one asset has another price. `valuation`: the
whole valuation, beside them. `curve`: linking moments and walking their drawdown, a moment.
`trips`: closing round trips, a record. Processor time, the best of the passes: other jobs only add
to it.
"""

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.golden import read, read_terms
from bursar.ledger.planning import planned
from bursar.ledger.records import RealizedPnLRecord
from bursar.ledger.timeline import Timeline
from bursar.measure.curve import Moment, curve
from bursar.measure.drawdown import RunningDrawdown, drawdown
from bursar.measure.measured import known
from bursar.measure.trips import round_trips
from bursar.portfolio.views import Day, Shown, snapshot_view
from bursar.value.equity import Valuation, value_book
from bursar.value.figures import figures
from bursar.value.marks import Mark, Marks
from bursar.value.running import Running

_NOW = instant.parse("2026-03-01T12:00:00Z")
_AIMS = {10: 0.2, 100: 1.0, 1_000: 10.0}
_DAY = Day(ZERO, known(ZERO), known(ZERO))


def main() -> None:
    """Measure, print, and write JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [_positions(count, asked.repeats) for count in _AIMS]
    rows += [_curve(count) for count in ((10_000, 525_600) if asked.full else (10_000,))]
    rows += [_trips(count) for count in ((10_000, 1_000_000) if asked.full else (10_000,))]
    for row in rows:
        print("  ".join(f"{name} {figure}" for name, figure in row.items()))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


def _positions(count: int, repeats: int) -> dict[str, object]:
    """Build the views of so many positions."""
    lines = [f"2026-01-01T00:00:00Z deposit 1{n}.5 C{n} #k:{n} value={n + 7}" for n in range(count)]
    timeline = Timeline(read_terms(lines))
    timeline.land(planned(timeline, list(read(lines))))
    marks = Marks(Mark(f"C{n}", "USD", Decimal(n) + 1, "venue", _NOW) for n in range(count))

    def valued() -> Valuation:
        return value_book(timeline.book, marks, now=_NOW)

    def anew() -> None:
        shown = Shown(base="USD")
        shown.see(valuation.assets, valuation.margins)
        snapshot_view(figures(valuation), shown.positions, _DAY)

    def ticked() -> None:
        turns.append(1)
        running.mark(Mark("C3", "USD", Decimal(len(turns)), "venue", _NOW + len(turns)))
        kept.see(running.assets, running.margins)
        snapshot_view(running.figures(_NOW), kept.positions, _DAY)

    valuation, running, kept = valued(), Running(timeline.book, marks), Shown(base="USD")
    turns: list[int] = []
    return {
        "positions": count,
        "snapshot_ms": round(_best(anew, repeats), 3),
        "after_a_tick_ms": round(_best(ticked, repeats), 3),
        "aim_ms": _AIMS[count],
        "valuation_ms": round(_best(valued, repeats), 3),
    }


def _curve(count: int) -> dict[str, object]:
    """Link moments, and walk their drawdown."""
    moments = [
        Moment(n * 60 * instant.SECOND, Decimal(10_000 + n * 7919 % 997), Decimal(n // 1_000))
        for n in range(count)
    ]
    made = curve(moments)
    running = RunningDrawdown()

    def follow() -> None:
        for moment in moments:
            running.see(moment.at + (running.at or 0), moment.equity)

    return {
        "moments": count,
        "curve_us": round(1_000 * _best(lambda: curve(moments), 1) / count, 2),
        "drawdown_us": round(1_000 * _best(lambda: drawdown(made), 1) / count, 2),
        "tick_us": round(1_000 * _best(follow, 1) / count, 2),
    }


def _trips(count: int) -> dict[str, object]:
    """Close round trips."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    records = [
        RealizedPnLRecord(
            trade_id=f"t{n}",
            order_id=None,
            pair="XBT/USD",
            time=first + timedelta(minutes=n),
            side="sell" if n % 2 else "buy",
            base_delta=Decimal(-1 if n % 2 else 1),
            quote_delta=ZERO,
            fee_asset="USD",
            fee_amount=ZERO,
            pnl_quote=None,
            strategy_tag="trend",
            pnl_base=Decimal(n % 13 - 6),
        )
        for n in range(count)
    ]
    took = _best(lambda: round_trips(records, {}), 1)
    return {"records": count, "trips_us": round(1_000 * took / count, 2)}


def _best(work: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of so many passes, in milliseconds."""
    times = []
    for _ in range(repeats):
        began = process_time()
        work()
        times.append(process_time() - began)
    return 1_000 * min(times)


if __name__ == "__main__":
    main()
