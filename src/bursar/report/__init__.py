"""Reports: everything about a stretch of time in one file, for the screen and for paper.

    views ──▶ context ──▶ sections ──▶ html    Jinja2, one file without a script
              one record  a document   └▶ pdf  typst, of the same document

`report` puts one record together from what the verbs answer and works out nothing itself; the
document says how each figure is written; page and paper only set it. So the figures of a report,
of the command line and of the service are the same to the last digit.

`html` and `pdf` load Jinja2 and typst (extra `report`) when they are called.
"""

from bursar.report.context import report
from bursar.report.html import html
from bursar.report.pdf import pdf
from bursar.report.ranges import RANGES, YEAR_TO_DATE
from bursar.report.records import Asked, Report

__all__ = ["RANGES", "YEAR_TO_DATE", "Asked", "Report", "html", "pdf", "report"]
