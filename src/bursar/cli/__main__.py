"""`python -m bursar.cli` is the console script without an installation."""

import sys

from bursar.cli import main

if __name__ == "__main__":
    sys.exit(main())
