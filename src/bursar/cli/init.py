"""`bursar init`: a config.yaml to begin with, every setting in it explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from bursar.cli.session import HIDDEN, Session

DEFAULT: Final = Path("config.yaml")


def init(
    file: Annotated[Path, Parameter(show_default=True)] = DEFAULT,
    *,
    force: bool = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Write a config.yaml with every setting and what it does. No key stands in it.

    Args:
        file: Where to write it.
        force: Replace the file if it is there.

    """
    from importlib.resources import files

    from bursar.store import whole

    session.require_present()
    text = (files("bursar.samples") / "config.yaml").read_bytes()
    with whole(file, replace=force) as out:
        out.write(text)
    if session.wants_json:
        session.tell({"file": file})
    elif not session.is_quiet:
        session.screen.print(
            f"Wrote {file}.",
            "Next: export KRAKEN_API_KEY and KRAKEN_API_SECRET, a key that may only look;"
            " then `bursar sync`.",
        )
    return 0
