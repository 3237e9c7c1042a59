"""`./run sweep`: the checks too long for every commit, and their record in docs/SWEEPS.md.

A sweep is a set of tests with larger figures (tests/figures.py). With no name, every sweep runs
that has not yet passed on the present source, so an interrupted run goes on where it stopped; a
named sweep always runs. A failure is recorded as plainly as a pass, with the seed that replays it.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.check import pytest_command

PAGE = Path("docs/SWEEPS.md")
MEMORY = Path(".sweep")
PAGE_HEAD = """\
# Sweeps

The last run of each long check: `./run sweep`, or `./run sweep NAME --seed N` to repeat a row.

| date (UTC) | commit | sweep | figures | seed | result | duration |
|---|---|---|---|---|---|---|
"""
NO_TESTS = 5  # pytest's exit code
NAME_COLUMN = 3  # counted in the pieces of a row split at "|"


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A set of tests, and how large to make them."""

    asks: str
    tests: str
    figures: dict[str, int]
    options: tuple[str, ...] = ()


SWEEPS = {
    "properties": Sweep(
        asks="do the identities hold, whatever the input?",
        tests="tests/property",
        figures={"EXAMPLES": 2_000},
        options=("--hypothesis-profile=sweep",),
    ),
    "allocation": Sweep(
        asks="is capital divided within every bound, and used once, whatever happens?",
        tests="tests/property/test_allocation.py",
        figures={"ALLOCATIONS": 10_000},
        options=("--timeout=0",),
    ),
    "auditor": Sweep(
        asks="does an independent auditor agree after random histories?",
        tests="tests/auditor",
        figures={"HISTORIES": 2_000},
        options=("-m", "sweep"),
    ),
    "crash": Sweep(
        asks="is nothing lost by kill −9 at every step, and at random moments?",
        tests="tests/crash",
        figures={"KILLS": 200, "SERVER_KILLS": 10},
    ),
    "accounts": Sweep(
        asks="does a book equal the venue's truth after a sync, and is every difference found?",
        tests="tests/venue/test_kraken_sync.py",
        figures={"ACCOUNTS": 500, "ACCOUNT_ROWS": 200_000},
        options=("-m", "sweep"),
    ),
    "backup": Sweep(
        asks="does every backup of a book under load restore to a moment of it?",
        tests="tests/crash/test_backup_under_load.py",
        figures={"BACKUPS": 100},
    ),
    "exports": Sweep(
        asks="does beancount hold the same lots after random histories?",
        tests="tests/auditor/test_beancount.py",
        figures={"EXPORTS": 300},
        options=("-m", "sweep"),
    ),
    "figures": Sweep(
        asks="are figures on page, API, command line and report equal, to the digit?",
        tests="tests/http/test_figures.py",
        figures={"FIGURES": 200},
        options=("-m", "sweep", "--timeout=0"),
    ),
    "medium": Sweep(
        asks="is every damage to a book found, and does a full or failing disk leave it whole?",
        tests="tests/crash",
        figures={"DAMAGES": 500},
        options=("-k", "test_medium"),
    ),
    "mutants": Sweep(
        asks="is every damaged file refused or read right?",
        tests="tests/venue",
        figures={"MUTANTS": 100},
        options=("-m", "sweep"),
    ),
    "page": Sweep(
        asks="does a page that is told 10,000 updates a second draw ten frames, and keep its size?",
        tests="tests/browser",
        figures={"PAGE_SECONDS": 600, "COLOURS": 1},
        options=("-k", "any_pace or any_theme", "--timeout=0"),
    ),
    "plans": Sweep(
        asks="does every plan keep its promises, and is none better by another's search?",
        tests="tests/property",
        figures={"EXAMPLES": 10_000, "PLANS": 10_000},
        options=(
            "--hypothesis-profile=sweep",
            "-k",
            "test_plans or test_planned_books",
            "--timeout=0",
        ),
    ),
    "redis": Sweep(
        asks="do killed consumers, repeated deliveries or a lost Redis lose or double an event?",
        tests="tests/crash/test_kill_bus.py",
        figures={"MESSAGES": 100_000},
        options=("--timeout=0",),
    ),
    "service": Sweep(
        asks="does a request make a mistake of ours, or get another answer than documented?",
        tests="tests/http/test_fuzz.py",
        figures={"FUZZ": 200},
        options=("--timeout=0",),
    ),
    "transactions": Sweep(
        asks="are transactions what a naive model says, whatever happens to them?",
        tests="tests/property/test_transactions.py",
        figures={"TRANSACTIONS": 5_000, "TRANSACTION_STEPS": 60},
        options=("--timeout=0",),
    ),
    "writers": Sweep(
        asks="do 32 writers of one book lose no update, and do all finish?",
        tests="tests/crash/test_kill_transactions.py",
        figures={"WRITERS": 32, "WRITES": 500},
        options=("-k", "many_writers", "--timeout=0"),
    ),
    "sim": Sweep(
        asks="does every simulated world end well, and is every planted bug found?",
        tests="tests/sim",
        figures={"SEEDS": 1_000, "HUNT": 2_000},
        options=("-m", "sweep"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is remembered of the last run of a sweep."""

    source: str
    seed: int
    state: str  # started, passed or failed


def source_version() -> str:
    """The last commit that changed anything but the record; '+' if there is uncommitted work."""
    others = ["--", ".", f":!{PAGE}"]
    log = ["git", "log", "-1", "--format=%h", *others]
    commit = subprocess.run(log, check=False, capture_output=True, text=True)
    status = ["git", "status", "--porcelain", *others]
    work = subprocess.run(status, check=False, capture_output=True, text=True)
    return (commit.stdout.strip() or "none") + ("+" if work.stdout or work.returncode else "")


def recall(name: str) -> Run | None:
    """The last run of a sweep in this work tree, if there was one."""
    path = MEMORY / f"{name}.json"
    return Run(**json.loads(path.read_text())) if path.exists() else None


def remember(name: str, run: Run) -> None:
    """Keep a run for the next start."""
    MEMORY.mkdir(exist_ok=True)
    (MEMORY / f"{name}.json").write_text(json.dumps(asdict(run)))


def measure(sweep: Sweep, seed: int) -> tuple[int, str]:
    """Run the tests of a sweep; pytest's exit code and its closing words."""
    options = [f"--randomly-seed={seed}", f"--hypothesis-seed={seed}", "--timeout=7200"]
    command = pytest_command(sweep.tests, "-q", *options, *sweep.options, parallel=True)
    figures = {f"BURSAR_SWEEP_{name}": str(figure) for name, figure in sweep.figures.items()}
    environment = os.environ | figures | {"BURSAR_SWEEP_SEED": str(seed)}
    process = subprocess.Popen(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True
    )
    last = ""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        last = line.strip(" =\n") or last
    return process.wait(), last.split(" in ")[0]


def record(name: str, *cells: str) -> None:
    """Put a row into the page, in place of the sweep's older row."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else PAGE_HEAD
    date, commit, *rest = cells
    row = f"| {date} | {commit} | {name} | {' | '.join(rest)} |"
    kept = [line for line in text.splitlines() if not _is_row_of(name, line)]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join([*kept, row]) + "\n", encoding="utf-8")


def _is_row_of(name: str, line: str) -> bool:
    pieces = [piece.strip() for piece in line.split("|")]
    return len(pieces) > NAME_COLUMN and pieces[NAME_COLUMN] == name


def run(name: str, seed: int) -> bool:
    """Run one sweep and record it; whether it passed."""
    sweep = SWEEPS[name]
    source = source_version()
    remember(name, Run(source=source, seed=seed, state="started"))
    print(f"sweep {name}, seed {seed}: {sweep.asks}", flush=True)
    date, began = datetime.now(UTC), time.monotonic()
    code, words = measure(sweep, seed)
    if code == NO_TESTS:
        print(f"sweep {name}: {sweep.tests} has no tests for it yet", flush=True)
        return False
    passed = code == 0
    duration = f"{time.monotonic() - began:.0f} s"
    figures = ", ".join(f"{name.lower()} {figure:,}" for name, figure in sweep.figures.items())
    result = words if passed else f"**failed**: {words or 'pytest did not finish'}"
    record(name, f"{date:%Y-%m-%d %H:%M}", source, figures, str(seed), result, duration)
    remember(name, Run(source=source, seed=seed, state="passed" if passed else "failed"))
    if not passed:
        print(f"to repeat it: ./run sweep {name} --seed {seed}", flush=True)
    return passed


def choose_seed(name: str, asked: int | None) -> int:
    """The seed asked for, or that of the same sweep when it was interrupted, or a new one."""
    last = recall(name)
    if asked is not None:
        return asked
    if last and last.state == "started" and last.source == source_version():
        return last.seed
    return secrets.randbelow(2**31)


def is_done(name: str, seed: int | None) -> bool:
    """Whether the sweep passed on the present source (uncommitted work is never done)."""
    last, source = recall(name), source_version()
    same = last is not None and last.source == source and seed in (None, last.seed)
    return same and last is not None and last.state == "passed" and not source.endswith("+")


def main() -> int:
    """Run the sweep named, or all that are not done; 0 if none failed."""
    parser = argparse.ArgumentParser(prog="./run sweep", description=__doc__.split("\n")[0])
    parser.add_argument("name", nargs="?", choices=list(SWEEPS))
    parser.add_argument("--seed", type=int, help="repeat a run with its seed")
    arguments = parser.parse_args()
    verdicts = []
    for name in [arguments.name] if arguments.name else SWEEPS:
        if not Path(SWEEPS[name].tests).exists():
            print(f"sweep {name}: {SWEEPS[name].tests} has no tests yet", flush=True)
            verdicts.append(arguments.name is None)
        elif arguments.name is None and is_done(name, arguments.seed):
            print(f"sweep {name}: passed on this source already", flush=True)
        else:
            verdicts.append(run(name, choose_seed(name, arguments.seed)))
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
