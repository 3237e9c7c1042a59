"""What the linters cannot say: lengths, banned calls row by row, docstrings, clean texts.

Forbidden words are put together from pieces, so that this file can be read by its own checks.
"""

import ast
import re
import subprocess
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "bursar"
FILE_LINES, FUNCTION_LINES, LINE_LENGTH = 500, 70, 100

PURE = {"exact", "errors", "events", "ledger", "value", "measure", "plan", "capital", "reconcile"}
INSIDE = PURE | {"ports", "config", "desk"}  # rows 0–4
# The money path. The time of an event may be a float of seconds; its amounts never are.
NO_FLOATS = (INSIDE - {"measure", "events"}) | {"store", "venue"}

BANNED_INSIDE = {
    "asyncio.create_task",
    "asyncio.to_thread",
    "date.today",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "os.urandom",
    "time.monotonic",
    "time.time",
    "uuid.uuid1",
    "uuid.uuid4",
}
BANNED_IMPORTS_INSIDE = {"random", "secrets", "uuid"}
BANNED_IMPORTS_PURE = BANNED_IMPORTS_INSIDE | {
    *("asyncio", "subprocess", "threading", "time"),
    *("logging", "os", "structlog"),
    *("sqlalchemy", "sqlite3"),
    *("aiohttp", "httpx", "httpx2", "requests", "socket", "urllib"),
}
PATTERN_WORDS = {
    *("helper", "helpers", "util", "utils", "common", "misc"),
    *("adapters", "manager", "service_layer"),
}
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
NOT_OURS_TO_TELL = {
    "a path of one machine": re.compile(r"/(?:ro" + r"ot\b|wo" + r"rk/|ho" + r"me/)"),
    "a package registry": re.compile(
        r"files\.python" + r"hosted|py" + r"pi\.org/simple|registry\.np" + r"mjs|(?:--|_)index-"
        r"u" + r"rl|--find-" + r"links|\.inter" + r"nal\b"
    ),
    "a local proxy": re.compile(r"(?i)proxy\S*\s*[=:]\s*\S*(?:local" + r"host|127\.0\.0\.1)"),
    "a private address": re.compile(
        r"(?<![\d.])(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+(?![\d.])"
    ),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tracked() -> list[Path]:
    """Every file of the project: what git knows and what it would not ignore."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, check=False, capture_output=True, text=True)
    if found.returncode == 0:
        paths = [ROOT / name for name in found.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [path for path in ROOT.rglob("*") if not in_hidden_folder(path)]
    return sorted({path for path in paths if path.is_file()})


def in_hidden_folder(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts[:-1]
    return any(part.startswith((".", "__pycache__")) and part != ".ci" for part in parts)


def text_of(path: Path) -> str | None:
    """The text of a file, or None for a picture and the like."""
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def row(path: Path) -> str:
    """The part of the floor plan that a module belongs to: its first name below bursar."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and path.is_relative_to(PACKAGE)]
SCRIPTS = [path for path in FILES if path.suffix == ".py" and path not in MODULES]


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a module, which many judges look at and none changes."""
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """The nodes of a tree, likewise."""
    return tuple(ast.walk(tree))


@pytest.fixture(scope="module", autouse=True)
def trees():
    """Trees are kept while this file is looked at: they are large."""
    yield
    for kept in (tree_of, nodes_of, calls):
        kept.cache_clear()


def in_rows(rows: set[str]) -> list[Path]:
    return [path for path in MODULES if row(path) in rows]


def complaints(paths: list[Path], judge) -> list[str]:
    """What a judge of syntax trees says of each file, with the place."""
    found = []
    for path in paths:
        found += [f"{name(path)}:{line}: {word}" for line, word in judge(tree_of(path))]
    return found


def functions(tree: ast.AST) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def spelled(node: ast.AST) -> str:
    """What `ast.unparse` says; names and dotted names, which are most, take it a moment."""
    match node:
        case ast.Name(id=said):
            return said
        case ast.Attribute(value=ast.Name() | ast.Attribute() as value, attr=said):
            return f"{spelled(value)}.{said}"
        case _:
            return ast.unparse(node)


@cache
def calls(tree: ast.AST) -> list[tuple[int, str]]:
    """Every dotted name that is called or mentioned."""
    dotted = (node for node in nodes_of(tree) if isinstance(node, ast.Name | ast.Attribute))
    return [(node.lineno, spelled(node)) for node in dotted]


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """The first name of every module imported."""
    found = []
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name.split(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, (node.module or "").split(".")[0]))
    return found


def banned_calls(tree: ast.AST) -> list[tuple[int, str]]:
    """Names that are, or end in, a banned name; `from x import y` counts as `x.y`."""
    origin = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in nodes_of(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = []
    for line, said in calls(tree):
        full = origin.get(said, said)
        if any(full == banned or full.endswith("." + banned) for banned in BANNED_INSIDE):
            found.append((line, full))
        elif said.endswith(".create_task"):
            found.append((line, said))
    return found


def floats(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in nodes_of(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append((node.lineno, f"float literal {node.value!r}"))
        elif isinstance(node, ast.Call) and spelled(node.func) == "float":
            found.append((node.lineno, "float()"))
    return found


def undocumented(tree: ast.Module) -> list[tuple[int, str]]:
    found = [] if ast.get_docstring(tree) else [(1, "the module has no docstring")]
    for node in tree.body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if not is_overload(node) and not ast.get_docstring(node):
            found.append((node.lineno, f"{node.name} has no docstring"))
    return found


def is_overload(node: Function | ast.ClassDef) -> bool:
    return any(ast.unparse(each).endswith("overload") for each in node.decorator_list)


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=name)
def test_files_and_functions_are_short_or_say_why_not(path):
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) <= FILE_LINES or any(line.startswith("# long: ") for line in lines)
    read = tree_of if path.is_relative_to(PACKAGE) else tree_of.__wrapped__  # one look each
    for function in functions(read(path)):
        body = lines[function.lineno - 1 : function.end_lineno]
        excused = any(line.strip().startswith("# long: ") for line in body)
        assert len(body) <= FUNCTION_LINES or excused, function.name


def test_lines_are_short():
    numbered = ((path, enumerate(path.read_text("utf-8").splitlines(), 1)) for path in MODULES)
    long = [
        f"{name(path)}:{number}"
        for path, lines in numbered
        for number, line in lines
        if len(line) > LINE_LENGTH
    ]
    assert not long


def test_no_float_in_the_money_path():
    assert not complaints(in_rows(NO_FLOATS), floats)


def test_the_inside_takes_time_chance_and_tasks_from_its_ports():
    assert not complaints(in_rows(INSIDE), banned_calls)

    def unwanted(tree):
        return [each for each in imports(tree) if each[1] in BANNED_IMPORTS_INSIDE]

    assert not complaints(in_rows(INSIDE), unwanted)


def test_the_pure_rows_import_nothing_of_the_world():
    def unwanted(tree):
        return [each for each in imports(tree) if each[1] in BANNED_IMPORTS_PURE]

    assert not complaints(in_rows(PURE), unwanted)


def test_only_the_command_line_prints():
    def prints(tree):
        return [(line, said) for line, said in calls(tree) if said == "print"]

    others = [path for path in MODULES if row(path) != "cli"]
    assert not complaints(others, prints)


def test_nothing_inside_imports_the_front_door():
    """`from bursar import name` is fine for a module of ours, not for what the door re-exports."""
    rooms = {row(path) for path in MODULES}

    def through_the_door(tree):
        froms = [node for node in nodes_of(tree) if isinstance(node, ast.ImportFrom)]
        names = [(n.lineno, alias.name) for n in froms if n.module == "bursar" for alias in n.names]
        return [(line, said) for line, said in names if said not in rooms]

    inside = [path for path in MODULES if row(path) not in {"__init__", "__main__", "cli"}]
    assert not complaints(inside, through_the_door)


def test_modules_and_public_names_have_docstrings():
    written = [path for path in MODULES if path.parent.name != "versions"]  # alembic's form
    assert not complaints(written, undocumented)


def test_nothing_is_left_for_later():
    for path in MODULES + SCRIPTS:
        assert not UNFINISHED.search(path.read_text("utf-8")), name(path)


def test_folders_are_named_for_what_they_hold():
    folders = chain.from_iterable(path.relative_to(PACKAGE).parts for path in MODULES)
    assert not {folder.removesuffix(".py") for folder in folders} & PATTERN_WORDS


@pytest.mark.parametrize("secret", NOT_OURS_TO_TELL)
def test_no_text_tells_of_the_machine_it_was_written_on(secret):
    found = [
        f"{name(path)}: {match.group()}"
        for path in FILES
        if (text := text_of(path)) is not None
        for match in NOT_OURS_TO_TELL[secret].finditer(text)
    ]
    assert not found
