"""`bursar import`: files in, all of them or nothing."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bursar.cli.screen import Screen
    from bursar.desk import Receipt
    from bursar.ledger.terms import Terms
    from bursar.portfolio import ImportReport, Portfolio
    from bursar.portfolio.importing import ReadFiles

_STAYS: Final = (
    "the first statement stays; where the other is right, `bursar reverse` the fact and"
    " `bursar add` what it should be"
)
_FIAT: Final = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "USD"})


def import_files(
    *files: Path,
    account: str | None = None,
    base: str | None = None,
    dry_run: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Import exports: Kraken's, Binance's, Alpaca's, a generic CSV, prices, golden journals.

    All files are one transaction: every row, or nothing. Importing a file again, or the same
    account in another generation of the export, adds nothing. A book that is not there is made.

    Args:
        files: CSV or JSON files or golden journals, told apart by what stands in them.
        account: The account they belong to, such as kraken:second; by default the venue's main one.
        base: The base currency of a new book; by default what a journal names, what the settings
            say, or USD.
        dry_run: Show what would happen, and write nothing.

    """
    report, created = run(session, files, account=account, base=base, dry_run=dry_run)
    if session.wants_json:
        session.tell({**told(report), "dry_run": dry_run, "created": created is not None})
        return 0
    if created is not None:
        session.screen.remark(created)
    if not session.is_quiet or dry_run:
        show(session.screen, report, dry_run=dry_run)
    return 0


def run(
    session: Session,
    files: Sequence[Path],
    *,
    account: str | None = None,
    base: str | None = None,
    dry_run: bool = False,
) -> tuple[ImportReport, str | None]:
    """Import files; return the report, and what to say of a book that was made for them.

    A new book is made only once its files are read, so a bad file leaves nothing behind.
    """
    import bursar
    from bursar.errors import BadChoice, PortfolioNotFound

    session.require_present()
    if not files:
        raise BadChoice("no file to import; try `bursar import ledgers.csv trades.csv`")
    with ExitStack() as stack:
        terms, created = _terms(files, base, session), None
        is_stated = terms is not None or session.states_base
        try:
            portfolio = session.open(terms=terms)
        except PortfolioNotFound:
            terms = terms or session.terms
            portfolio, created = (
                bursar.open(":memory:", terms=terms),
                session.made(terms, is_stated=is_stated),
            )
        stack.callback(portfolio.close)
        stack.enter_context(session.bar.running())
        read = portfolio.read_files(*files, account=account, progress=session.bar.tell)
        if created is not None and not is_stated:
            _doubt(session, read.named(), terms)
        if created is not None and not dry_run:
            portfolio = session.open(terms=terms, create=True)
            stack.callback(portfolio.close)
        if dry_run:
            return _foretold(portfolio, read), None
        return portfolio.take(read, session.bar.tell), created


def told(report: ImportReport) -> dict[str, object]:
    """Return a report as JSON has it."""
    from bursar.ledger import instant

    review = report.receipt.review
    return {
        "files": report.files,
        "version": report.receipt.version,
        "recorded": review.recorded,
        "duplicates": review.duplicates,
        "conflicts": review.conflicts,
        "facts_added": review.facts_added,
        "facts_changed": review.facts_changed,
        "restated": review.restated,
        "flags": review.flags,
        "ahead": None if report.ahead is None else instant.show(report.ahead),
    }


def show(screen: Screen, report: ImportReport, *, dry_run: bool = False) -> None:
    """Show a report."""
    from bursar.cli.coverage import ahead
    from bursar.cli.screen import figure, name

    columns = [name("file"), name("format"), figure("rows")]
    rows = [[each.name, each.format, f"{each.rows:,}"] for each in report.files]
    if any(each.pending for each in report.files):
        columns.append(figure("announced only"))
        rows = [[*row, f"{each.pending:,}"] for row, each in zip(rows, report.files, strict=True)]
    screen.table(columns, rows)
    screen.print("")
    for each in report.files:
        if each.unknown:
            named = ", ".join(each.unknown)
            screen.print(f"! unclassified  {each.name}: {named}; counted, nobody knows as what")
    if report.ahead is not None:
        screen.print(f"! yet to come  {ahead(report.ahead)}")
    for line in _outcome(report.receipt, dry_run=dry_run):
        screen.print(line)


def _outcome(receipt: Receipt, *, dry_run: bool) -> Iterable[str]:
    from bursar.cli.coverage import MEANINGS

    review = receipt.review
    would = "would be " if dry_run else ""
    yield " · ".join(
        (
            f"{review.recorded:,} {would}recorded",
            _counted(review.duplicates, "duplicate"),
            _counted(len(review.conflicts), "conflict"),
        )
    )
    if review.facts_added or review.facts_changed:
        changed = f", {review.facts_changed:,} completed or changed" if review.facts_changed else ""
        yield f"{_counted(review.facts_added, 'new fact')}{changed}"
    if not (review.recorded or review.conflicts):
        yield "Nothing new: the book stays as it was."
    yield from (f"! conflict  {each}; {_STAYS}" for each in review.conflicts)
    yield from (f"! restated  {each}" for each in review.restated)
    for flag, count in sorted(review.flags.items()):
        meaning = f": {MEANINGS[flag]}" if flag in MEANINGS else ""
        yield f"! {flag.replace('_', ' ')}  {_counted(count, 'fact')}{meaning}"
    if dry_run:
        yield "Nothing was written."


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _foretold(portfolio: Portfolio, read: ReadFiles) -> ImportReport:
    from bursar.desk import Receipt
    from bursar.portfolio import ImportReport
    from bursar.value.coverage import reaches_ahead

    desk = portfolio.desk
    staged = desk.stage(read.entries())
    ahead = reaches_ahead(staged.plan.book, desk.clock.now())
    return ImportReport(read.files, Receipt(desk.head.version, staged.review), ahead)


def _doubt(session: Session, named: set[str], terms: Terms | None) -> None:
    """Say which money the files are in, where it is another than what nobody chose."""
    found = sorted(_FIAT & named)
    if terms is not None and found and terms.base not in found:
        session.screen.remark(
            f"These files are in {' and '.join(found)}, the book counts in {terms.base}, which"
            f" is fixed; start again with --base {found[0]}."
        )


def _terms(files: Sequence[Path], base: str | None, session: Session) -> Terms | None:
    """Return the terms of a new book: those that are asked for, or that a golden journal states."""
    import msgspec

    from bursar.ledger import golden

    for path in files:
        lines = _term_lines(path)
        if lines:  # of another base than asked for, the reader refuses it
            stated = golden.read_terms(lines)
            return stated if base is None else msgspec.structs.replace(stated, base=base.upper())
    return None if base is None else msgspec.structs.replace(session.terms, base=base.upper())


def _term_lines(path: Path) -> list[str]:
    """Return the `@` lines of a golden journal; none of any other file."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            first = next((line for line in file if line.strip() and line[0] != "#"), "")
            if not first.startswith("@"):
                return []
            return [first, *(line for line in file if line.startswith("@"))]
    except OSError:  # the reader says it better
        return []
