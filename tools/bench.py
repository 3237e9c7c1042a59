"""`./run bench [NAME] [OPTIONS]`: run bench/NAME.py, or every question in bench/ in turn.

Options go to the benchmark, so they need a name: `./run bench fold --full`.
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the benchmarks asked for; 0 if none failed."""
    files = {path.stem: path for path in sorted(Path("bench").glob("[!_]*.py"))}
    name, *options = sys.argv[1:] or [""]
    wanted = [name] if name else list(files)
    if unknown := [name for name in wanted if name not in files]:
        print(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(files) or 'none'}")
        return 2
    return max((subprocess.call([sys.executable, files[name]]) for name in wanted), default=0)


if __name__ == "__main__":
    sys.exit(main())
