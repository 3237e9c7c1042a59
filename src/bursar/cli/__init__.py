"""The command line: one file per verb group, everything heavy loaded when a command needs it.

`main` is the console script. It returns the exit code, which every error has one of:

    0  fine                                      3  not found, or not known
    1  a check failed (verify)                   4  the store refuses, or someone was first
    2  wrong usage or input; nothing written     5  only shown: nobody said yes
                                                70  a broken invariant: our own mistake
                                                74  done, but stdout takes no answer
                                               130  stopped by the user

With `--json`, stdout holds one JSON document and nothing else; messages go to stderr, always.
"""

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line, by default the process's own, and return its exit code."""
    try:
        from bursar.cli.loading import unbroken

        with unbroken():
            from bursar.cli.commands import run
            from bursar.exact import money
    except KeyboardInterrupt:  # nothing has begun yet, so there is nothing to tell
        return 130
    return money(run)(sys.argv[1:] if arguments is None else arguments)
