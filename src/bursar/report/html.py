"""A report as one HTML file: no script, no other file, no other host.

Jinja2 is loaded here, when it is asked for, and nowhere else. It escapes every text; only drawings
and the style, which are our own, go in as they are.

Errors: `BadChoice` without Jinja2.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from bursar.errors import BadChoice
from bursar.report.records import Report
from bursar.report.sections import document

if TYPE_CHECKING:
    from jinja2 import Template

_ROOM: Final = files("bursar.report")


def html(found: Report) -> str:
    """Set a report as HTML.

    Raises:
        BadChoice: Jinja2 is not installed.
    """
    style = _ROOM.joinpath("report.css").read_text("utf-8")
    return _page().render(told=document(found), style=style)


@cache
def _page() -> Template:
    """Read the page; once, since reading it takes longer than setting it."""
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 (an extra)
        from markupsafe import Markup  # noqa: PLC0415 (comes with it)
    except ImportError:
        raise BadChoice("a report needs Jinja2; install bursar[report]") from None
    setting = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    setting.filters["drawn"] = Markup
    return setting.from_string(_ROOM.joinpath("report.html").read_text("utf-8"))
