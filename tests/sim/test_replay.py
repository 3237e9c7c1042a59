"""One integer replays everything: in another process, under another hash seed, from the shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bursar.cli import main
from tests import figures

ROOT = Path(__file__).parents[2]
EACH = 50
STORIES = """
import sys
from bursar.sim import play
for seed in sys.argv[1:]:
    print(seed, play(int(seed)).digest)
"""


def stories(seeds, hash_seed):
    environment = os.environ | {
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    command = [sys.executable, "-c", STORIES, *map(str, seeds)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


@pytest.mark.sweep
def test_every_fiftieth_world_has_one_story_whatever_the_hash_seed():
    seeds = [*range(figures.SEED, figures.SEED + figures.SEEDS, EACH), 3, 6]
    one, other = stories(seeds, 1), stories(seeds, 77)
    assert len(one) == len(seeds)
    assert one == other


def test_the_shell_tells_the_story_and_that_all_is_well(capsys):
    assert main(["sim", "--seed", "3", "--judge", "tests.sim.judging:last_word"]) == 0
    said = capsys.readouterr().out
    assert "opens at version" in said
    assert "recorded" in said
    assert "heals" in said
    assert "All is well" in said


def test_the_shell_replays_a_world_that_goes_wrong(capsys):
    arguments = ["sim", "--worlds", "12", "--bug", "dedupe_outside"]
    assert main(arguments) == 1
    said = capsys.readouterr().out
    seed = said.split("bursar sim --seed ")[1].split()[0]
    verdict = next(line for line in said.splitlines() if line.startswith("Wrong at step"))
    assert main(["sim", "--seed", seed, "--bug", "dedupe_outside"]) == 1
    assert verdict in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments,said",
    [
        (["--bug", "none"], "one of ack_before_commit"),
        (["--judge", "nowhere:at_all"], "MODULE:FUNCTION is expected"),
        (["--judge", "bursar.sim:nobody"], "MODULE:FUNCTION is expected"),
        (["--worlds", "0"], "Must be >= 1"),
    ],
)
def test_the_shell_refuses_what_it_does_not_know(arguments, said, capsys):
    assert main(["sim", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_the_shell_tells_programs_too(capsys):
    assert main(["sim", "--seed", "2", "--json"]) == 0
    assert '"wrong": 0' in capsys.readouterr().out
