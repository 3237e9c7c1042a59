"""`./run test`: the linters, the types and the floors beside pytest, then one short summary.

With arguments, only pytest runs, with those arguments. Everything must pass; what fails is shown
in full. pytest's own closing line is kept back and printed last.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.tracing import COVERED

BIN = Path(sys.executable).parent
SOURCE = Path("src/bursar")

CHECKS = {
    "ruff check": ["ruff", "check", "--quiet"],
    "ruff format": ["ruff", "format", "--check", "--quiet"],
    "mypy": ["mypy", "--no-error-summary"],
    "import-linter": ["lint-imports", "--no-logo"],
}

MEMORY, ROOM = Path("/dev/shm"), 2**31  # noqa: S108 (mkdtemp makes the folder in it)
PREFIX = "bursar-tests-"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One tool at work beside pytest, its output put aside."""

    name: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]


def workers() -> int:
    """Test processes to use: one a core, at most eight."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(cores, 8)


def pytest_command(*arguments: str, parallel: bool) -> list[str]:
    """pytest, in parallel if asked for and if there is more than one core."""
    spread = [f"-n{workers()}", "--dist=worksteal"] if parallel and workers() > 1 else []
    return ["-m", "pytest", *spread, *arguments]


def start(name: str, command: list[str]) -> Check:
    """Start one tool with its output going to a file."""
    output = tempfile.TemporaryFile()  # noqa: SIM115  # closed by finish
    tool, *arguments = command
    process = subprocess.Popen([BIN / tool, *arguments], stdout=output, stderr=output)
    return Check(name=name, process=process, output=output)


def finish(check: Check) -> bool:
    """Wait for a tool, report it in one line, and in full if it failed."""
    passed = check.process.wait() == 0
    check.output.seek(0)
    report("ok" if passed else "FAILED", check.name)
    if not passed:
        print(check.output.read().decode(errors="replace"), flush=True)
    check.output.close()
    return passed


def report(verdict: str, name: str) -> None:
    """One line of the summary."""
    print(f"{verdict:8}{name}", flush=True)


@contextmanager
def folder_in_memory() -> Iterator[list[str]]:
    """Have pytest make its folders in memory where there is room: a book is synced at each commit,
    and what a kill leaves behind is the same there.

    Beside them lies a file that is locked while their owner lives; what others left is removed.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield []
        return
    for old in MEMORY.glob(f"{PREFIX}*/owner"):
        with suppress(OSError), old.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever made it is gone
            shutil.rmtree(old.parent, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=MEMORY, ignore_cleanup_errors=True) as at,
        Path(at, "owner").open("wb") as owner,
    ):
        fcntl.flock(owner, fcntl.LOCK_EX)
        yield [f"--basetemp={at}/tests"]


def run_tests() -> tuple[bool, str]:
    """Run all tests, passing on what is said; the last line is given back unprinted."""
    color = "yes" if sys.stdout.isatty() else "no"
    with folder_in_memory() as place:
        options = ("-q", f"--color={color}", "-p", "tools.tracing", *place)
        command = [sys.executable, *pytest_command(*options, parallel=True)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
        held = ""
        for line in process.stdout or ():
            if line.startswith("bringing up nodes"):
                continue
            print(held, end="", flush=True)
            held = line
        return process.wait() == 0, held.rstrip()


def covered_paths() -> list[str]:
    """The files and folders, of those that must be covered, that exist."""
    files = [f"{SOURCE}/{name}.py" for name in COVERED if (SOURCE / f"{name}.py").is_file()]
    return files + [f"{SOURCE}/{name}/*" for name in COVERED if (SOURCE / name).is_dir()]


def check_coverage() -> bool:
    """Every branch of the pure rows ran."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], check=False)
    gate = [*coverage, "report", "--fail-under=100", f"--include={','.join(covered_paths())}"]
    result = subprocess.run(gate, check=False, capture_output=True, text=True)
    passed = result.returncode == 0
    report("ok" if passed else "FAILED", "coverage: every branch of rows 0–3b")
    if not passed:
        print(result.stdout + result.stderr, flush=True)
    return passed


def main() -> int:
    """Run everything; 0 if all passed."""
    if sys.argv[1:]:
        return subprocess.call([sys.executable, *pytest_command(*sys.argv[1:], parallel=False)])
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "coverage", "erase"], check=True)
    checks = [start(name, command) for name, command in CHECKS.items()]
    tests_passed, closing_line = run_tests()
    verdicts = [finish(check) for check in checks]
    if tests_passed:
        verdicts.append(check_coverage())
    report("ok" if tests_passed else "FAILED", f"pytest, {time.monotonic() - began:.0f} s in all")
    print(closing_line, flush=True)
    return 0 if tests_passed and all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
