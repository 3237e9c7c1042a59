"""`./run bench [NAME...] [OPTIONS]`: run bench/NAME.py, or every question in bench/ in turn.

What begins with the first `-` goes on to the benchmarks: `./run bench fold --full`.
"""

import subprocess
import sys
from itertools import takewhile
from pathlib import Path


def main() -> int:
    """Run the benchmarks asked for; 0 if none failed."""
    files = {path.stem: path for path in sorted(Path("bench").glob("[!_]*.py"))}
    names = list(takewhile(lambda word: not word.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(names) :]
    wanted = names or list(files)
    if unknown := [name for name in wanted if name not in files]:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(files) or 'none'}")
        return 2
    calls = ([sys.executable, str(files[name]), *options] for name in wanted)
    return max((subprocess.call(call) for call in calls), default=0)


if __name__ == "__main__":
    sys.exit(main())
