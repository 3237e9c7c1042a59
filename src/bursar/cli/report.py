"""`bursar report`: everything about a stretch of time in one file, for the screen and for paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import Parameter, validators

from bursar.cli.counts import Whole
from bursar.cli.new import Method
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.report import Report

Stretch = Literal["1D", "1W", "1M", "3M", "YTD", "1Y", "All"]
Days = Annotated[Whole, Parameter(validator=validators.Number(gte=1, lte=36_500))]
_UNASKED: Final = Path("bursar-report.html")


def report(  # noqa: PLR0913 (the options of a command)
    *,
    range: Stretch = "All",  # noqa: A002 (the option's name)
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    to: str | None = None,
    strategy: str | None = None,
    method: Annotated[Method | None, Parameter(name=["--method", "--lots"])] = None,
    benchmark: str | None = None,
    tax_year: str | None = None,
    long_after: Days | None = None,
    out: Annotated[tuple[Path, ...], Parameter(name=["--output", "-o"])] = (),
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write a report: one HTML file that needs nothing else, a PDF, or both, of the same figures.

    Summary, curve, underwater, periods, round trips, strategies, exposure, fees, flows, gains by
    year with holding periods, certificates, and how every figure is worked out. docs/REPORTS.md.

    Args:
        range: Which stretch of time, as the page has them.
        from_: The first day, instead of a range: 2026-01-01.
        to: The day it ends before.
        strategy: Of one strategy alone.
        method: The cost rule, by default the portfolio's own.
        benchmark: An asset to hold it against: bought at the start, and held.
        tax_year: Month and day on which a tax year begins: 04-06 in the United Kingdom. By default
            what config.yaml says, or 01-01.
        long_after: Gains are long after more than so many days, by default 365.
        out: FILE.html or FILE.pdf; say it twice for both. By default bursar-report.html.

    """
    from bursar.errors import BadChoice
    from bursar.portfolio.gains import year_start
    from bursar.report import Asked
    from bursar.report import report as made

    if range != "All" and (from_ or to):
        raise BadChoice("--range or --from and --to, not both", value=range)
    asked = Asked(
        period=(from_, to) if from_ or to else range,
        strategy=strategy,
        method=method,
        benchmark=session.asset(benchmark),
        tax_year=None if tax_year is None else year_start(tax_year),
        long_after=long_after,
    )
    wanted = _checked(out or (() if session.wants_json else (_UNASKED,)))
    with session.open() as portfolio:
        marks = session.marks(portfolio, () if benchmark is None else (asked.benchmark or "",))
        found = made(portfolio, asked, marks)
    for path in wanted:
        _write(path, found)
        session.screen.remark(f"Wrote {path}.")
    if session.wants_json:
        session.tell(found)
    else:
        for said in found.remarks:
            session.screen.print(f"! {said}")
    return 0


def _checked(paths: Sequence[Path]) -> Sequence[Path]:
    """Refuse a file that is neither, before any work is done."""
    from bursar.errors import BadChoice

    for path in paths:
        if path.suffix not in {".html", ".pdf"}:
            raise BadChoice(f"{path}: a report is a .html or a .pdf", value=str(path))
    return paths


def _write(path: Path, found: Report) -> None:
    from bursar.store.whole import whole

    if path.suffix == ".pdf":
        from bursar.report.pdf import pdf

        content = pdf(found)
    else:
        from bursar.report.html import html

        content = html(found).encode()
    with whole(path) as file:
        file.write(content)
