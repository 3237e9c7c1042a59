"""How large the sized tests are: small by default, larger in `./run sweep`."""

import os


def _figure(name: str, default: int) -> int:
    return int(os.environ.get(f"BURSAR_SWEEP_{name}", default))


ACCOUNTS = _figure("ACCOUNTS", 30)  # invented accounts that a sync must agree with
ACCOUNT_ROWS = _figure("ACCOUNT_ROWS", 2_000)  # ledger rows of the largest of them
ALLOCATIONS = _figure("ALLOCATIONS", 100)  # histories over which capital is divided
BACKUPS = _figure("BACKUPS", 3)  # backups of a book that another process writes to
EXPORTS = _figure("EXPORTS", 30)  # random histories that another program reads
DAMAGES = _figure("DAMAGES", 60)  # single bits flipped in a book's file
EXAMPLES = _figure("EXAMPLES", 200)  # Hypothesis examples for each property
FIGURES = _figure("FIGURES", 5)  # random portfolios asked in every way there is
FUZZ = _figure("FUZZ", 10)  # requests to each route of the service, allowed and not
HISTORIES = _figure("HISTORIES", 300)  # random histories for the auditor
HUNT = _figure("HUNT", 250)  # simulated worlds in which a planted bug must be found
KILLS = _figure("KILLS", 20)  # random kills, beside one at every step
SERVER_KILLS = _figure("SERVER_KILLS", 2)  # kills of a whole Postgres server under load
MESSAGES = _figure("MESSAGES", 3_000)  # events over a real Redis
MUTANTS = _figure("MUTANTS", 20)  # mutated files for each file format
PAGE_SECONDS = _figure("PAGE_SECONDS", 1)  # how long a page is told 10,000 updates a second
COLOURS = _figure("COLOURS", 0)  # 1: the page's colours are looked at in each theme at each size
PLANS = _figure("PLANS", 200)  # random plans made in two processes
TRANSACTIONS = _figure("TRANSACTIONS", 200)  # lives of a portfolio under transactions
TRANSACTION_STEPS = _figure("TRANSACTION_STEPS", 50)  # steps of each of them
WRITERS = _figure("WRITERS", 8)  # writers of one book at once
WRITES = _figure("WRITES", 50)  # what each of them adds
SEEDS = _figure("SEEDS", 50)  # simulated worlds
SEED = _figure("SEED", 1)  # the first seed of a seeded run
