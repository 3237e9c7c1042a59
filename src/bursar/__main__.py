"""`python -m bursar` is the console script, of the Python that runs it."""

import sys

from bursar.cli import main

if __name__ == "__main__":
    sys.exit(main())
