"""A report as PDF, set by typst from the document that the page is set from.

typst is loaded here, when it is asked for, and nowhere else. It brings its fonts, and reads no file
but the template, so the same record gives the same bytes.

Errors: `BadChoice` without typst.
"""

import re
from importlib.resources import files
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.ledger import instant
from bursar.report.document import Block, Drawing
from bursar.report.records import Report
from bursar.report.sections import document

TEMPLATE: Final = files("bursar.report").joinpath("report.typ")
_STYLE: Final = """<style>
text { font: 136px "Libertinus Serif"; fill: #5b6270; } .time { text-anchor: middle; }
.rule { stroke: #e3e3dd; stroke-width: 8; fill: none; }
.line { fill: none; stroke-width: 16; stroke-linejoin: round; }
.line.one { stroke: #2457d6; } .line.two { stroke: #7a808c; stroke-dasharray: 60 34; }
.line.water { stroke: #b3480b; stroke-width: 12; }
.fill { fill-opacity: .13; } .fill.one { fill: #2457d6; } .fill.water { fill: #b3480b; }
.dot.one { fill: #2457d6; } .dot.two { fill: #7a808c; } .dot.water { fill: #b3480b; }
.flag { fill: #fff; stroke: #16181d; stroke-width: 10; }
.cell { fill: #f1f1ee; } .cell.gain { fill: #2457d6; } .cell.loss { fill: #b3480b; }
.minus { stroke: #16181d; stroke-width: 20; }
HEATS</style>"""
_HEATS: Final = " ".join(f".h{heat} {{ fill-opacity: .{16 + heat * 8}; }}" for heat in range(1, 10))
_OPENING: Final = re.compile(r"(<svg [^>]*>)")


def pdf(found: Report) -> bytes:
    """Set a report as PDF.

    Raises:
        BadChoice: typst is not installed.
    """
    try:
        import typst  # noqa: PLC0415 (an extra)
    except ImportError:
        raise BadChoice("a PDF needs typst; install bursar[report], or ask for .html") from None
    return typst.compile(
        TEMPLATE.read_bytes(),
        format="pdf",
        sys_inputs=inputs(found),
        ignore_system_fonts=True,
        timestamp=found.made_at // instant.SECOND,
    )


def inputs(found: Report) -> dict[str, str]:
    """Return what the template is told: the document, with the colours of its drawings."""
    made = document(found)
    sections = tuple(
        msgspec.structs.replace(each, blocks=tuple(map(_coloured, each.blocks)))
        for each in made.sections
    )
    told = msgspec.structs.replace(made, sections=sections)
    return {"told": msgspec.json.encode(told).decode()}


def _coloured(block: Block) -> Block:
    """Say in a drawing itself what its classes look like: on paper there is no page around it."""
    if not isinstance(block, Drawing):
        return block
    style = _STYLE.replace("HEATS", _HEATS)
    wide = _OPENING.sub(lambda opening: opening.group(1) + style, block.wide, count=1)
    return msgspec.structs.replace(block, wide=wide, narrow="")
