"""How large the sized tests are: small by default, larger in `./run sweep`."""

import os


def _figure(name: str, default: int) -> int:
    return int(os.environ.get(f"BURSAR_SWEEP_{name}", default))


DAMAGES = _figure("DAMAGES", 60)  # single bits flipped in a book's file
EXAMPLES = _figure("EXAMPLES", 200)  # Hypothesis examples for each property
HISTORIES = _figure("HISTORIES", 300)  # random histories for the auditor
KILLS = _figure("KILLS", 20)  # random kills, beside one at every step
MUTANTS = _figure("MUTANTS", 20)  # mutated files for each file format
SEED = _figure("SEED", 1)  # the first seed of a seeded run
