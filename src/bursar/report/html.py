"""A report as one HTML file: no script, no other file, no other host.

Jinja2 is loaded here, when it is asked for, and nowhere else. It escapes every text; only drawings,
which are our own, go in as they are.

Errors: `BadChoice` without Jinja2.
"""

from importlib.resources import files
from typing import Final

from bursar.errors import BadChoice
from bursar.report.context import Report
from bursar.report.sections import document

_ROOM: Final = "bursar.report"


def html(found: Report) -> str:
    """Set a report as HTML.

    Raises:
        BadChoice: Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 (an extra)
        from markupsafe import Markup  # noqa: PLC0415 (comes with it)
    except ImportError:
        raise BadChoice("a report needs Jinja2; install bursar[report]") from None
    room = files(_ROOM)
    setting = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    setting.filters["drawn"] = Markup
    page = setting.from_string(room.joinpath("report.html").read_text("utf-8"))
    style = room.joinpath("report.css").read_text("utf-8")
    return page.render(told=document(found), style=style)
