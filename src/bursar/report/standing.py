"""How it stands: what is held, whether venues agree, and how all of it is worked out.

Errors: none.
"""

from decimal import Decimal
from typing import Final

from bursar.report import conventions as rules
from bursar.report.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Lines,
    Section,
    Table,
    count,
    gain,
    minute,
    money,
    percent,
    price,
    quantity,
    word,
)
from bursar.report.records import Report

_NOTHING: Final = Cell("")


def exposure(found: Report) -> Section:
    """Return what is held and exposed at the end of the range."""
    table = Table(
        name="Holdings",
        columns=(
            Column("asset", is_text=True),
            *map(Column, ("quantity", "cost", "mark", "of", "worth", "unrealised", "share")),
        ),
        rows=tuple(
            (
                word(each.asset),
                quantity(each.quantity),
                money(each.cost, why="nothing of its cost is known"),
                price(each.mark),
                minute(each.marked_at),
                money(each.value, why="no price"),
                gain(each.unrealized, why="no price, or no known cost"),
                percent(each.share_pct) if each.share_pct is not None else _NOTHING,
            )
            for each in sorted(found.holdings, key=lambda e: (-(e.value or Decimal(0)), e.asset))
        ),
    )
    blocks: list[Block] = [table] if found.holdings else []
    if found.risk is not None:
        exposed = found.risk.exposure
        blocks.insert(
            0,
            Figures(
                (
                    Figure("Gross exposure", money(exposed.gross)),
                    Figure("Net", gain(exposed.net)),
                    Figure("Long", money(exposed.long)),
                    Figure("Short", money(exposed.short)),
                    Figure("Cash", money(found.worth.cash)),
                )
            ),
        )
        blocks.append(_sectors(found))
    at = minute(found.worth.at).text
    return Section("exposure", "Exposure", f"As of {at} UTC.", tuple(blocks))


def _sectors(found: Report) -> Table:
    assert found.risk is not None, "asked of the whole portfolio"
    return Table(
        name="By sector",
        columns=(Column("sector", is_text=True), *map(Column, ("net", "gross", "of equity"))),
        rows=tuple(
            (word(each.sector), gain(each.net), money(each.gross), percent(each.pct_of_equity))
            for each in found.risk.sectors
        ),
    )


def agreement(found: Report) -> Section:
    """Return what was certified of each account last."""
    lines = [each.sentence + "." for each in found.certificates]
    blocks: list[Block] = [Lines(tuple(lines))] if lines else []
    sealed = [each for each in found.certificates if each.certificate is not None]
    if sealed:
        blocks.append(
            Table(
                name="Certificates",
                columns=(
                    Column("account", is_text=True),
                    Column("as of", is_text=True),
                    Column("verdict", is_text=True),
                    Column("rows"),
                    Column("unexplained"),
                    Column("sha-256", is_text=True),
                ),
                rows=tuple(
                    (
                        word(each.account),
                        word(each.certificate.as_of),
                        word(each.certificate.verdict),
                        count(each.certificate.rows),
                        word(each.certificate.unexplained),
                        word((each.seal or "")[:16]),
                    )
                    for each in sealed
                    if each.certificate is not None
                ),
            )
        )
    note = "What was certified last: book against venue, row by row."
    return Section("agreement", "Does it agree", note, tuple(blocks))


def conventions(found: Report) -> Section:
    """Return how every figure is worked out."""
    tables = [
        ("Curve", rules.CURVE),
        ("Ratios", rules.RATIOS),
        ("Round trips", rules.TRIPS),
    ]
    lines = [*rules.MONEY]
    if found.performance is not None:
        lines.append(rules.stands(found.performance.conventions))
    blocks: list[Block] = [Lines(tuple(lines))]
    blocks += [
        Table(
            name=name,
            columns=(Column("figure", is_text=True), Column("formula", is_text=True)),
            rows=tuple(
                (word(figure.replace("_", " ")), word(formula.replace("`", "")))
                for figure, formula in told
            ),
        )
        for name, told in tables
    ]
    return Section("conventions", "Conventions", "", tuple(blocks))
