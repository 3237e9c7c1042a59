"""The page: which files it is made of. They lie in `page/` and are served as they are.

Errors: none.
"""

from importlib import resources
from typing import Final

_SCRIPT: Final = "text/javascript; charset=utf-8"
_MODULES: Final = (
    "app",
    "calendar",
    "capital",
    "charts",
    "exact",
    "exports",
    "feed",
    "live",
    "panels",
    "plan",
    "quality",
    "why",
)

FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/favicon.svg": ("favicon.svg", "image/svg+xml"),
    **{f"/page/{name}.js": (f"{name}.js", _SCRIPT) for name in _MODULES},
}
"""By path: the file, and what it is."""


def read(name: str) -> bytes:
    """Return a file of the page."""
    return resources.files("bursar.serve").joinpath("page", name).read_bytes()
