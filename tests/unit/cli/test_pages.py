"""Every example of every page runs, or the page says why it does not.

A fence with a language is an example. What cannot run where the tests do has a line before it,
`<!-- not run: why -->`; its commands are still read as the program reads them. Commands run in this
process, in a folder as the reader would have it. What is `text` shows something and asks nobody.
"""

import ast
import re
import shlex
import subprocess
from pathlib import Path
from shutil import copy

import msgspec
import pytest
from graphql import build_schema, parse, validate
from starlette.testclient import TestClient

import bursar as package
from bursar.cli import commands, main
from bursar.config import PortfolioSettings, Settings, load
from bursar.serve import tokens
from bursar.serve.service import Service
from tests.unit.cli.conftest import STORY

HOME = Path(__file__).parents[3]
PAGES = (HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").glob("*.md")))
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<why>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INDENTED = re.compile(r"(?:^|\n)\n(?: {4}|\t)(?![*+-] )\S.*")
CODES = re.compile(r"exit code (.*)")
CODE = re.compile(r"\b([1-5]):")
# Pages whose examples are held to what they say they answer, by tests of their own.
OWN = {
    ("BOTS.md", "python"): "tests/http/test_bots_page.py",
    ("BOTS.md", "http"): "tests/http/test_bots_page.py",
    ("CAPITAL.md", "python"): "tests/unit/test_capital_page.py",
    ("CORRECTIONS.md", "console"): "tests/unit/cli/test_corrections_page.py",
    ("CORRECTIONS.md", "python"): "tests/unit/cli/test_corrections_page.py",
    ("EVENTS.md", "json"): "tests/unit/events/test_events_page.py",
    ("FILES.md", "csv"): "tests/unit/test_files_page.py",
    ("MEASURES.md", "python"): "tests/unit/test_measures_page.py",
    ("PLANS.md", "python"): "tests/unit/test_plans_page.py",
    ("PLANS.md", "yaml"): "tests/unit/test_plans_page.py",
    ("REPORTS.md", "python"): "tests/unit/test_measures_page.py",
    ("TRANSACTIONS.md", "python"): "tests/unit/test_transactions_page.py",
    ("TRANSACTIONS.md", "json"): "tests/unit/test_transactions_page.py",
}
# These ask before they write, and nobody is there to say yes.
ASKS = {"add", "allocate", "price", "tag", "link", "reverse", "commit"}
ONLY_SHOWN = 5

TOOLS = {"cmp", "sha256sum"}
TRADE = ("buy", "0.5", "XBT/USD", "@", "100", "--strategy", "trend")


def fences(page):
    """The examples of a page that are run here."""
    for found in FENCE.finditer(page.read_text("utf-8")):
        if found["language"] != "text" and (page.name, found["language"]) not in OWN:
            yield found


RUN = [page for page in PAGES if any(True for _ in fences(page))]


def lines(text):
    """The commands of a block, each as its words and as it stands."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ ").removeprefix("./run "), comments=True)
        while words and "=" in words[0]:  # a variable: those of the pages are in NAMED
            del words[0]
        if words:
            yield words, line


def understood(words):
    """Read a command line as the program does, and stop there."""
    program, *rest = words
    if program != "bursar":
        return
    app = commands._app()  # the commands themselves
    _, bound, _ = app.meta.parse_args(rest, print_error=False, exit_on_error=False)
    app.parse_args(bound.args, print_error=False, exit_on_error=False)


@pytest.fixture(scope="module")
def story_book(tmp_path_factory):
    """The sample account in a book, and some deeds by hand for what the pages name in capitals."""
    place = tmp_path_factory.mktemp("told") / "bursar.db"
    files = ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv", "prices.csv")
    with package.open(place, terms=package.Terms(base="EUR")) as portfolio:
        portfolio.import_files(*(STORY / name for name in files))
        portfolio.add("deposit", "50000", "EUR", time="2024-01-03")
        portfolio.add("deposit", "3", "XBT", time="2024-01-03")
        portfolio.add("deposit", "5000", "USD", time="2024-01-03")
        portfolio.price("USD", "2024-01-03", "0.9")
        portfolio.add("buy", "0.02", "XBT/EUR", price="4000", strategy="trend")
        portfolio.add("withdrawal", "0.01", "XBT", id="away")
        portfolio.add("deposit", "0.01", "XBT", account="manual:cold", id="there")
    return place


NAMED = {
    "ID": "kraken:main:TA0060-PARTI-000001",
    "WITHDRAWAL": "manual:main:away",
    "DEPOSIT": "manual:cold:there",
    "$S": str(STORY),
}


@pytest.fixture
def place(tmp_path, story_book, page):
    """A folder as the reader of a page has it."""
    for name in ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv", "prices.csv"):
        copy(STORY / name, tmp_path / f"{name.partition('.')[0]}.csv")
    (tmp_path / "weights.yaml").write_text("XBT: 0.5\nETH: 0.2\n")
    (tmp_path / "weights.json").write_text('{"XBT": 0.5, "ETH": 0.2}')
    (tmp_path / "weights.csv").write_text("symbol,weight\nXBT,0.5\nETH,0.2\n")
    cycle = {"cash": {"delta": "-5", "fees": "1"}, "validation_epsilon": "1000000"}
    for name in ("change.json", "cycle.json"):
        (tmp_path / name).write_bytes(msgspec.json.encode(cycle))
    if page.name == "FILES.md":
        for file in (STORY.parent / "binance-story-a").glob("*.csv"):
            copy(file, tmp_path / file.name.replace(".new", ""))
    elif page.name == "CAPITAL.md":
        package.open(tmp_path / "bursar.db").close()
    elif page.name != "README.md":
        copy(story_book, tmp_path / "bursar.db")
    return tmp_path


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_every_example_of_a_page_runs(page, place, request):
    names: dict[str, object] = {}
    for found in fences(page):
        language, text = found["language"], found["text"]
        if language in {"sh", "console"}:
            for words, line in lines(text):
                if found["why"]:
                    understood(words)
                else:
                    command(words, line, request, codes=codes(text))
        elif found["why"]:
            shown_elsewhere(language, text, found["why"])
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)  # noqa: S102  # our own page
        elif language == "yaml":
            (place / "settings.yaml").write_text(text)
            load(place / "settings.yaml")
        else:
            assert language == "graphql", f"{page.name}: who reads {language!r}?"
            schema = build_schema((HOME / "docs" / "schema.graphql").read_text("utf-8"))
            assert validate(schema, parse(text)) == []
    for each in names.values():
        if isinstance(each, package.Portfolio):
            each.close()


def shown_elsewhere(language, text, why):
    """Look at what is not run here as far as that goes; a question in SQL has a test of its own."""
    if language == "sql":
        assert "tests/unit/store/test_timescale.py" in why
    else:
        assert language == "python"
        compile(text, "page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def codes(text):
    """Return the exit codes that a block speaks of; 0 is always one."""
    return {0, *(int(code) for line in CODES.findall(text) for code in CODE.findall(line))}


def command(words, line, request, *, codes):
    """Run a command of a page. Exit codes other than 0 are those that its block speaks of."""
    program, *rest = (NAMED.get(each, each).replace("$S/", f"{STORY}/") for each in words)
    if program == "bursar":
        asked = {ONLY_SHOWN} if ASKS & set(rest[:2]) else set()
        assert main(rest) in codes | asked, (line, request.getfixturevalue("capsys").readouterr())
    elif program == "curl":
        request.getfixturevalue("served")(*rest)
    else:
        assert program in TOOLS, f"who runs {program}?"
        subprocess.run(["/bin/sh", "-c", line], check=True, stdout=subprocess.DEVNULL)
    if rest[:2] == ["allocate", "begin"]:
        assert main(["add", *TRADE, "--yes"]) == 0  # what a bot has done meanwhile


@pytest.fixture
def served(place):
    """Ask a service as curl does."""
    (bearer,) = bearers(place)
    service = Service(
        Settings(portfolio=PortfolioSettings(book=str(place / "bursar.db"), base_currency="EUR"))
    )
    client = TestClient(service, "http://localhost:8004", client=("127.0.0.1", 1))

    def curl(*words):
        left = [each.replace("$TOKEN", bearer) for each in words if each != "-s"]
        headers, body = {"authorization": f"Bearer {bearer}"}, None
        while left[1:]:
            option, value = left[1:3]
            del left[1:3]
            if option == "-H":
                headers |= [value.split(": ", 1)]
            else:
                assert option == "-d"
                body = value
        answer = client.request(
            "POST" if body else "GET", f"http://{left[0]}", headers=headers, content=body
        )
        assert answer.is_success, answer.text
        assert "errors" not in answer.json()

    with client:
        yield curl


def bearers(place):
    with package.open(place / "bursar.db") as portfolio:
        yield tokens.new(portfolio.desk.store, portfolio.desk.clock, "page", "write")


def test_every_block_is_run_here_or_by_its_own_or_says_why_not():
    for page in PAGES:
        text = page.read_text("utf-8")
        found = list(FENCE.finditer(text))
        assert all(each["language"] for each in found), f"{page.name}: a fence of no language"
        assert text.count("```") == 2 * len(found), f"{page.name}: a fence that is none"
        marks = sum(bool(each["why"]) for each in found)
        assert text.count("<!-- not run") == marks, f"{page.name}: a mark that is before no fence"
        bare = INDENTED.search(FENCE.sub("", text))
        assert bare is None, f"{page.name}: a block without a fence: {bare}"
    for (name, language), test in OWN.items():
        source = (HOME / test).read_text("utf-8")
        assert name in source, test
        assert language in source, test
