"""What is not known, told under a table: grouped, the gravest first, each with what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from bursar.cli.figures import age, day, minute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bursar.cli.screen import Screen
    from bursar.value.coverage import Coverage, Seen
    from bursar.value.worth import Gap

MEANINGS: Final = {
    "assumed_basis": "history begins later; what it cost before is assumed",
    "assumed_split": "proceeds were split by an assumed rule",
    "conflicted": "one source told it twice in different words; the first stays",
    "provisional": "told by a trade file only; the ledger has not confirmed it",
    "unclassified": "the venue's word for it is not known; it counts as capital",
    "unpaired": "the other side of the movement is not here yet",
    "unsettled": "what closing it made is unknown, as its opening is; a ledger row would state it",
    "unpriced": "worth nothing until its price of then is told: bursar price, a file, sync --full",
}


def told(coverage: Coverage) -> dict[str, object]:
    """Return coverage as JSON has it."""
    from bursar.ledger import instant

    return {
        "is_complete": coverage.is_complete,
        "assets": coverage.assets,
        "valued": coverage.valued,
        "valued_pct": coverage.valued_pct,
        "unvalued": [{"asset": each.asset, "reason": str(each)} for each in coverage.unvalued],
        "gaps": coverage.gaps,
        "stale": coverage.stale_assets,
        "future": sorted({each.asset for each in coverage.future}),
        "last_trade": sorted({each.asset for each in coverage.last_trade}),
        "negative_cash": coverage.negative_cash,
        "pending": coverage.pending,
        "unseen": coverage.unseen,
        "depegs": [{"asset": each.asset, "rate": each.rate} for each in coverage.depegs],
        "ahead": None if coverage.ahead is None else instant.show(coverage.ahead),
        "lines": coverage.lines(),
    }


def show(screen: Screen, coverage: Coverage, now: int) -> None:
    """Show what is not known; nothing where all is."""
    lines = list(_lines(coverage, now))
    if lines:
        screen.print("")
        screen.list(
            (
                Text(f"{'!' if is_grave else '·'} {kind}", style="yellow" if is_grave else "dim"),
                said,
            )
            for is_grave, kind, said in lines
        )


def show_gaps(screen: Screen, gaps: Sequence[Gap]) -> None:
    """Show what a table's figures rest on and do not know."""
    from bursar.value.coverage import Coverage

    show(screen, Coverage(gaps=tuple(gaps)), 0)


def ahead(at: int) -> str:
    """Say that a book reaches beyond now: a slip of the pen, a zone, a clock, or meant so."""
    return f"facts of up to {minute(at)} UTC count as if they had been; --at now leaves them out"


def unpriced(gaps: Iterable[Gap]) -> frozenset[str]:
    """Return the names of the assets of which something had no price."""
    from bursar.value.coverage import UNPRICED
    from bursar.value.marks import Marks

    names = Marks()
    return frozenset(names.name(gap.asset) for gap in gaps if gap.flag == UNPRICED)


def is_of(asset: str, assets: Iterable[str]) -> bool:
    """Tell whether an asset is one of those that `unpriced` names."""
    from bursar.value.marks import Marks

    return Marks().name(asset) in assets


def touches(heading: str, assets: Iterable[str]) -> bool:
    """Tell whether one of the assets that `unpriced` names is in a pair, however spelled."""
    from bursar.value.marks import Marks

    names = Marks()
    first, slash, second = heading.partition("/")
    own = {names.name(each) for each in (first, second) if each}
    return any(each in own or (not slash and _is_in(first, each)) for each in assets)


def marked(heading: str, *, is_marked: bool) -> str:
    """Set a mark beside the name of a row that does not have every figure."""
    return f"{heading} !" if is_marked else heading


def _is_in(pair: str, asset: str) -> bool:
    """Look for an asset in a pair whose name does not say where it parts: `XBTUSD`."""
    from bursar.value.marks import pair_names, spelled

    letters = spelled(pair)
    spellings = [each for each in pair_names(asset, "") if each]
    return any(letters.startswith(each) or letters.endswith(each) for each in spellings)


def _lines(coverage: Coverage, now: int) -> Iterator[tuple[bool, str, str]]:
    for missing in coverage.unvalued:
        yield True, "unknown", f"{missing}; --price {missing.asset}=… gives it one"
    yield from _unfounded(coverage)
    for flag in sorted({gap.flag for gap in coverage.gaps}):
        of_flag = [gap for gap in coverage.gaps if gap.flag == flag]
        whose = ", ".join(f"{gap.asset or 'of no asset'} {gap.count}×" for gap in of_flag)
        meaning = f": {MEANINGS[flag]}" if flag in MEANINGS else ""
        yield True, flag.replace("_", " "), f"{whose}{meaning}"
    for each in coverage.negative_cash:
        yield True, "below zero", str(each)
    for peg in coverage.depegs:
        yield True, "depeg", f"{peg.asset} at {peg.rate.normalize():f}, counted at face"
    if coverage.ahead is not None:
        yield True, "yet to come", ahead(coverage.ahead)
    if coverage.future:
        others = "--price and --prices give some of now"
        yield True, "from ahead", f"{_marks(coverage.future)}, later than now; {others}"
    if coverage.last_trade:
        yield False, "last trade", f"{_names(coverage.last_trade)}: no mark, the last trade counts"
    if coverage.stale:
        old = age(min(now - each.mark.at for each in coverage.stale))
        others = "--price and --prices give newer ones"
        yield False, "old marks", f"{_marks(coverage.stale)}, {old} old or more; {others}"


def _unfounded(coverage: Coverage) -> Iterator[tuple[bool, str, str]]:
    """Tell what went, of coins and of leveraged positions, and nobody knows to have come."""
    for each in coverage.pending:
        yield True, "pending", f"{each} was sold, its acquisition is not known"
    for each in coverage.unseen:
        yield True, "unseen", f"{each} was closed, its opening lies before what is known"


def _marks(seen: Sequence[Seen]) -> str:
    days = sorted({day(each.mark.at) for each in seen})
    span = days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"
    return f"{_names(seen)}: of {span}"


def _names(seen: Iterable[Seen]) -> str:
    return ", ".join(dict.fromkeys(each.asset for each in seen))
