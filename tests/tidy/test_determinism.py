"""What a simulation rests on: time, chance, threads and tasks come from few places, and no order
comes from a set.

The judge of set order sees what one function shows: literals, `set(…)`, unions and the like, names
that were given one, and names declared as one. Where the order cannot matter (`sorted`, `sum`,
`any`, another set) it is content.
"""

import ast

import pytest

from tests.tidy.test_tidy import INSIDE, MODULES, PACKAGE, in_rows, spelled

# Anything of these modules, and these names; a file may have what is written beside it.
OUTSIDE_MODULES = ("time.", "secrets.", "uuid.")
OUTSIDE = {
    *("date.today", "datetime.date.today", "datetime.datetime.now", "datetime.datetime.today"),
    *("datetime.now", "datetime.today", "datetime.utcnow", "datetime.datetime.utcnow"),
    *("os.urandom", "asyncio.to_thread", "asyncio.create_task", "asyncio.ensure_future"),
    *("threading.Thread", "threading.Timer", "concurrent.futures.ThreadPoolExecutor"),
}
OUTSIDE_METHODS = {"create_task", "run_in_executor"}
ALLOWED = {
    "app/__init__.py": {"time.time_ns", "time.sleep"},  # the system clock; waiting for a server
    "app/events.py": {"group.create_task"},  # hearing and telling, side by side
    "app/following.py": {"group.create_task"},  # prices and news that come between syncs
    "app/live.py": {"random.SystemRandom"},  # how long to wait before a venue is asked again
    "serve/channel.py": {"asyncio.ensure_future"},  # what a client is told
    "venue/binance/stream.py": {
        "group.create_task",  # spot and futures, side by side
        "asyncio.create_task",  # a key that is asked for again
    },
    "bus/posting.py": {"threading.Thread"},  # a mail server that is waited for
    "serve/carrying.py": {"group.create_task"},  # what is heard, and what is told
    "serve/front.py": {"secrets.token_hex", "time.perf_counter_ns"},  # request ids; how long
    "serve/keeper.py": {
        "threading.Thread",  # the one that owns the book
        "group.create_task",  # what goes on while it is open
        "loop.run_in_executor",  # waiting for its end
    },
    "serve/graph/endpoint.py": {"asyncio.to_thread"},  # loading what answers
    "serve/graph/socket.py": {
        "asyncio.ensure_future",  # what a client is told
        "asyncio.to_thread",  # picking what it wants of what is published
    },
    "serve/watching.py": {"group.create_task"},  # each way that alerts leave by
    "serve/tokens.py": {"secrets.token_urlsafe"},  # a new token
    "cli/lines.py": {"time.monotonic"},  # lines that come slowly are shown one by one
    "cli/progress.py": {"threading.Timer"},  # a bar after two seconds
    # the thread that writes one part of a stream while the next is worked out
    "desk/carrying.py": {"concurrent.futures.ThreadPoolExecutor"},
    # the thread in which a transaction's disk is waited for
    "desk/transactions/waiting.py": {
        "concurrent.futures.ThreadPoolExecutor",
        "asyncio.get_running_loop().run_in_executor",
    },
    "sim/chance.py": {"random.Random"},  # every stream of a world
    "sim/loop.py": {"self.create_task"},  # every task of a world
    "store/backup/take.py": {"time.time_ns"},  # when a backup was taken
    "store/opening.py": {"time.time_ns"},  # when a portfolio was made
    "store/dialect.py": {"time.sleep"},  # waiting for who is just making the book
}

# Sets that are walked through in any order, since what comes of it has none.
ANY_ORDER = {
    "ledger/planning.py: rows": "the least of the places counts",
    "ledger/notes.py: reached": "what is reached is a set again",
    "ledger/openings.py: firsts": "each is noted under its own key",
    "value/convert.py: marks.neighbours(here) | (face if here in face else _NO_CASH)": (
        "they go into a heap, whole and comparable"
    ),
}

ORDERLESS = {"all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum"}
ORDERING = {"enumerate", "iter", "list", "next", "tuple", "zip", "dict.fromkeys"}
UNIONS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
COMBINING = {"union", "intersection", "difference", "symmetric_difference", "copy"}


def origins(tree):
    """What each imported name stands for, in full."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.asname: a.name for a in node.names if a.asname}
    return found


def outside(tree):
    """Every mention of the world's time, entropy and threads, and every draw from `random`."""
    known = origins(tree)

    def full(node):
        said = spelled(node)
        first, dot, rest = said.partition(".")
        return known.get(first, first) + dot + rest

    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = full(node)
            if name in OUTSIDE or name.startswith(OUTSIDE_MODULES):
                found.append((node.lineno, name))
        if isinstance(node, ast.Call):
            name = full(node.func)
            starts = name.rpartition(".")[2] in OUTSIDE_METHODS and name not in OUTSIDE
            if name.startswith("random.") or starts:
                found.append((node.lineno, name))
    return found


def unordered(tree):
    """Every place where the order of a set becomes the order of something."""
    scopes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inner = {id(each) for scope in scopes for each in ast.walk(scope)}
    found = [place for scope in scopes for place in leaks(list(ast.walk(scope)))]
    return found + leaks([node for node in ast.walk(tree) if id(node) not in inner])


def leaks(nodes):
    names = set_names(nodes)
    fine = {id(argument) for node in nodes for argument in orderless_arguments(node)}
    found = []
    for node in nodes:
        found += [each for each in iterated(node, fine) if is_set(each, names)]
    return [(node.lineno, ast.unparse(node)) for node in found]


def orderless_arguments(node):
    is_call = isinstance(node, ast.Call) and spelled(node.func) in ORDERLESS
    return node.args if is_call else ()


def iterated(node, fine):
    """The expressions whose order a node takes over."""
    match node:
        case ast.For():
            return [node.iter]
        case ast.ListComp() | ast.DictComp() | ast.GeneratorExp() if id(node) not in fine:
            return [each.iter for each in node.generators]
        case ast.Call() if spelled(node.func) in ORDERING or joins(node.func):
            return node.args
        case ast.List() | ast.Tuple():
            return [each.value for each in node.elts if isinstance(each, ast.Starred)]
        case _:
            return []


def joins(function):
    return isinstance(function, ast.Attribute) and function.attr in {"join", "extend"}


def is_set(node, names):  # noqa: PLR0911 (one case a line)
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name():
            return node.id in names
        case ast.BinOp(op=op) if isinstance(op, UNIONS):
            return is_set(node.left, names) or is_set(node.right, names)
        case ast.IfExp():
            return is_set(node.body, names) or is_set(node.orelse, names)
        case ast.Call(func=ast.Name(id=name)):
            return name in {"set", "frozenset"}
        case ast.Call(func=ast.Attribute(value=value, attr=attr)):
            return attr in COMBINING and is_set(value, names)
        case _:
            return False


def set_names(nodes):
    """Names that hold a set, by what they are given or declared as."""
    names = set()
    for node in nodes:
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as said) if declares_set(said):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=said) if declares_set(said):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_set(value, names):
                names.add(name)
    return names


def declares_set(annotation):
    return ast.unparse(annotation).startswith(("set[", "frozenset["))


def test_time_chance_threads_and_tasks_come_from_named_places():
    for path in MODULES:
        place = path.relative_to(PACKAGE).as_posix()
        said = {name for _, name in outside(ast.parse(path.read_text("utf-8")))}
        assert said <= ALLOWED.get(place, set()), place
        assert said == ALLOWED.get(place, said), f"{place}: allowed more than it does"


def test_no_order_comes_from_a_set():
    found = {
        f"{path.relative_to(PACKAGE).as_posix()}: {said}"
        for path in in_rows(INSIDE | {"sim", "store"})
        for _, said in unordered(ast.parse(path.read_text("utf-8")))
    }
    assert found == set(ANY_ORDER), "sort it, or say why its order cannot matter"


@pytest.mark.parametrize(
    "text,names",
    [
        ("from datetime import datetime\ndatetime.now()", {"datetime.datetime.now"}),
        ("import datetime as d\nd.datetime.utcnow()", {"datetime.datetime.utcnow"}),
        ("import time\ntime.sleep(1)", {"time.sleep"}),
        ("from time import time_ns as t\nclock = t", {"time.time_ns"}),
        ("import random\nrandom.random()", {"random.random"}),
        ("from random import Random\ndef f(r: Random): r.random()", set()),
        ("from random import Random\nRandom(1)", {"random.Random"}),
        ("import uuid, os\nuuid.uuid4(); os.urandom(3)", {"uuid.uuid4", "os.urandom"}),
        ("import asyncio\nasyncio.create_task(x)", {"asyncio.create_task"}),
        (
            "loop.create_task(x); loop.run_in_executor(None, f)",
            {"loop.create_task", "loop.run_in_executor"},
        ),
        ("from threading import Lock, Thread\nLock(); Thread()", {"threading.Thread"}),
        ("time = 1\nfact.time", set()),
    ],
)
def test_the_judge_of_the_outside_knows_it(text, names):
    assert {name for _, name in outside(ast.parse(text))} == names


@pytest.mark.parametrize(
    "text,lines",
    [
        ("for x in {1, 2}: pass", [1]),
        ("for x in set(y): pass", [1]),
        ("for x in sorted(set(y)): pass", []),
        ("a = {1} | b\nc = [x for x in a]", [2]),
        ("a = {1}\nc = {x for x in a}", []),
        ("a = {1}\nc = any(x for x in a)", []),
        ("a = {1}\nc = ''.join(a)", [2]),
        ("a = {1}\nc = [*a, 2]", [2]),
        ("def f(a: set[str]):\n    return list(a)", [2]),
        ("def f(a: set[str]):\n    return {x: 1 for x in a}", [2]),
        ("def f(a: list[str]):\n    return list(a)", []),
        ("a = {1}.union(b)\nfor x in a: pass", [2]),
    ],
)
def test_the_judge_of_set_order_sees_it(text, lines):
    assert [line for line, _ in unordered(ast.parse(text))] == lines
