"""`bursar tx`: transactions of operators: look at one, commit it, see what was committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Group, Parameter

from bursar.cli.correcting import UNWRITTEN, asked
from bursar.cli.counts import whole
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.cli.screen import Cell, Screen
    from bursar.desk.metrics import Counts, Distribution
    from bursar.desk.transactions import PortfolioTransaction, TransactionReview
    from bursar.portfolio import Portfolio
    from bursar.portfolio.transaction_file import ToldTransaction
    from bursar.value.marks import Marks

DISCARDED = 1
_GIVEN = "\n  Only marks that are given count: mark_prices in the file, --price or --prices."


def review(file: Path, *, session: Annotated[Session, HIDDEN]) -> int:
    """Show what committing a transaction would do. Nothing is written.

    Exit code 1 says that it would be discarded, 5 that it was committed under its key and taken
    back. --price and --prices add marks to the file's.

    Args:
        file: The transaction, as JSON; docs/TRANSACTIONS.md has its form.

    """
    from bursar.portfolio import transaction_file

    session.require_present()
    told = transaction_file.read(file)
    with session.open() as portfolio:
        marks = _marks(session, portfolio, told)
        with transaction_file.begun(portfolio, told) as transaction:
            transaction_file.stage(told, transaction)
            seen = transaction.review(marks)
            transaction.drop()
        if session.wants_json:
            session.tell(answer(seen, is_written=False))
        else:
            show(session.screen, seen, portfolio.terms.base)
    if not seen.is_valid:
        return DISCARDED
    return 0 if seen.taken_back_by is None else UNWRITTEN


def commit(
    file: Path,
    *,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Commit a transaction: all of it, or nothing if its final state does not hold.

    Exit code 1 says that it was discarded, 5 that it was only shown.

    Args:
        file: The transaction, as JSON; docs/TRANSACTIONS.md has its form.
        yes: Write it without asking.

    """
    from bursar.portfolio import transaction_file

    session.require_present()
    told = transaction_file.read(file)
    with session.open() as portfolio:
        marks = _marks(session, portfolio, told)
        with transaction_file.begun(portfolio, told) as transaction:
            transaction_file.stage(told, transaction)
            seen = transaction.review(marks)
            is_wanted = yes
            if not session.wants_json:
                show(session.screen, seen, portfolio.terms.base)
                is_wanted = yes or (_is_good(seen) and asked(session.screen))
            if is_wanted:
                transaction.commit(marks)
                seen = transaction.review_made or seen
            else:
                transaction.drop()
        version = portfolio.desk.head.version
    is_written = is_wanted and _is_good(seen)
    if session.wants_json:
        session.tell({**answer(seen, is_written=is_written), "repeated": transaction.is_repeat})
    elif is_written:
        session.screen.print(_written(transaction, version))
    else:
        session.screen.print("Nothing was written.")
    if not seen.is_valid:
        return DISCARDED
    return 0 if is_written else UNWRITTEN


def log(
    *,
    tail: Annotated[int | None, Parameter(name=["--tail", "-n"], converter=whole)] = None,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Show the committed transactions, oldest first, with what they came to.

    Args:
        tail: Only the last so many.

    """
    session.require_count("--tail", tail)
    session.require_present()
    with session.open() as portfolio:
        found = list(_logged(portfolio))
    found = found if tail is None else found[len(found) - min(tail, len(found)) :]
    if session.wants_json:
        session.tell({"transactions": found})
        return 0
    for each in found:
        session.screen.raw(_line(each))
    if not found and tail != 0:
        session.screen.print("No transaction yet.")
    return 0


def stats(*, session: Annotated[Session, HIDDEN]) -> int:
    """Show how transactions went: commits, discards by reason, Δ, ε, latency, retries."""
    session.require_present()
    with session.open() as portfolio:
        counts = portfolio.transaction_counts()
    if session.wants_json:
        session.tell({**_counts(counts), **_distributions(counts)})
    else:
        _show_stats(session.screen, counts)
    return 0


def app(group: Group) -> App:
    """Return `tx` with its commands."""
    made = App(
        name="tx",
        help="Stage, review and commit transactions; see what was committed.",
        group=group,
        sort_key=5,
        group_commands="Commands",
        default_parameter=Parameter(negative="", show_default=False),
    )
    for command in (review, commit, log, stats):
        made.command(command)
    return made


def answer(seen: TransactionReview, *, is_written: bool) -> dict[str, object]:
    """Return a review as JSON has it."""
    from bursar.ledger.golden import write_line

    figures = ("cash", "positions", "total", "previous_equity", "delta", "epsilon")
    return {
        "id": seen.id,
        "written": is_written,
        "valid": seen.is_valid,
        "reason": seen.reason,
        "detail": seen.detail,
        "staged_on_version": seen.version,
        **{name: getattr(seen, name) for name in figures},
        "realized": seen.realized,
        "claimed": seen.claimed,
        "claim_difference": seen.claim_difference,
        "entries": [write_line(entry) for entry in seen.entries],
        "marks": seen.marks,
        "taken_back_by": seen.taken_back_by,
    }


def show(screen: Screen, seen: TransactionReview, base: str) -> None:
    """Show a review: the entries, the figures, the verdict."""
    from bursar.ledger.golden import write_line

    screen.title("To be recorded")
    for entry in seen.entries:
        screen.raw(f"  {write_line(entry)}")
    if not seen.entries:
        screen.print("  nothing")
    screen.print("")
    money = screen.figures.money
    rows: list[tuple[Cell, ...]] = [
        ("cash", money(seen.cash)),
        ("positions", money(seen.positions)),
        (f"total, {base}", money(seen.total)),
        ("previous equity", money(seen.previous_equity)),
        ("Δ", money(seen.delta)),
        ("ε", money(seen.epsilon)),
        ("realised by the lots, before fees", screen.figures.gain(seen.realized)),
    ]
    if seen.claimed is not None:
        rows.append(("claimed realised", screen.figures.gain(seen.claimed)))
        rows.append(("claimed less realised", screen.figures.gain(seen.claim_difference)))
    screen.list(rows)
    screen.print("", _verdict(seen), "")


def _written(transaction: PortfolioTransaction, version: int) -> str:
    made = transaction.review_made
    assert made is not None, "what is written was judged"
    if transaction.is_repeat:
        return f"The same was committed before: {made.id}. Nothing was written."
    return f"Written, version {version}. `bursar reverse {made.id}` takes it back."


def _is_good(seen: TransactionReview) -> bool:
    """Tell whether committing it, if only again, leaves it standing."""
    return seen.is_valid and seen.taken_back_by is None


def _verdict(seen: TransactionReview) -> str:
    if seen.taken_back_by is not None:
        gone = f"✗ {seen.id} was committed before, and taken back by {seen.taken_back_by}"
        return f"{gone}: it needs another idempotency_key."
    if seen.reason is None:
        return "✓ It holds."
    beside = f": {seen.detail}" if seen.detail else ""
    hint = _GIVEN if seen.reason.value == "missing_mark" else ""
    return f"✗ Discarded, {seen.reason.value}{beside}{hint}"


def _marks(session: Session, portfolio: Portfolio, told: ToldTransaction) -> Marks:
    """Return the file's marks, and those of the command line, which count for more."""
    from bursar.desk.transactions.prices import marks_of
    from bursar.value.marks import Marks

    filed = marks_of(told.mark_prices, portfolio.terms.base, portfolio.desk.clock.now())
    flags = session.marks(portfolio) or Marks()
    unsaid = (mark for mark in filed if flags.get(mark.asset, mark.quote) is None)
    return flags.plus(unsaid)


def _logged(portfolio: Portfolio) -> Iterator[dict[str, object]]:
    from bursar.cli.answers import told
    from bursar.ledger import instant
    from bursar.portfolio.logged import transactions

    for each in transactions(portfolio):
        fields = told(each)
        assert isinstance(fields, dict), "a record is told as a mapping"
        yield {**fields, "committed_at": instant.show(each.committed_at)}


def _line(each: dict[str, object]) -> str:
    names = ("cash", "positions", "total", "delta", "epsilon", "realized")
    figures = "  ".join(f"{name} {each[name]}" for name in names if each[name] is not None)
    return f"{each['version']:>6}  {each['committed_at']}  {each['id']}  {figures}"


def _counts(counts: Counts) -> dict[str, object]:
    return {
        "commits": counts.commits,
        "discards": counts.discards,
        "failures": counts.failures,
        "retries": counts.retries,
        "repeats": counts.repeats,
    }


def _distributions(counts: Counts) -> dict[str, object]:
    from bursar.desk.metrics import MONEY_BOUNDS, MS_BOUNDS

    return {
        "delta": _buckets(MONEY_BOUNDS, counts.delta),
        "epsilon": _buckets(MONEY_BOUNDS, counts.epsilon),
        "latency_ms": _buckets(MS_BOUNDS, counts.latency_ms),
    }


def _buckets(bounds: Sequence[object], told: Distribution) -> dict[str, int]:
    names = [*(f"<= {bound}" for bound in bounds), "more"]
    return dict(zip(names, told.counts or (0,) * len(names), strict=True))


def _show_stats(screen: Screen, counts: Counts) -> None:
    rows: list[tuple[Cell, ...]] = [("commits", f"{counts.commits:,}")]
    rows += [(f"discarded, {name}", f"{n:,}") for name, n in counts.discards.items()]
    rows += [(f"failed, {name}", f"{n:,}") for name, n in counts.failures.items()]
    rows += [("tried again", f"{counts.retries:,}"), ("told again", f"{counts.repeats:,}")]
    screen.list(rows)
    for name, told in _distributions(counts).items():
        assert isinstance(told, dict), "buckets by their bounds"
        if not any(told.values()):
            continue
        screen.print("")
        screen.title(name)
        screen.list([(bound, f"{n:,}") for bound, n in told.items() if n])
