"""Running: the service under uvicorn, from settings to the last goodbye.

The socket is bound and the book opened before anybody is let in, so what is wrong is told in words
and not in a traceback. SIGTERM and SIGINT end it: connections are let go, the job that runs is
finished, the book is closed; all of that within five seconds.

Errors: `Unguarded`, `BadChoice` for an address that cannot be had, what opening a book raises.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from bursar.config import Settings, load
from bursar.errors import BadChoice
from bursar.serve import logs
from bursar.serve.door import require_guarded
from bursar.serve.service import Service

GRACE_S: Final = 2
KEEP_ALIVE_S: Final = 65  # whoever polls once a minute keeps its connection
MESSAGE_MAX: Final = 1 << 16
CONNECTIONS_MAX: Final = 1_000
BACKLOG: Final = 2048
SWITCH_S: Final = 0.001  # how long an answer may wait for the keeper's thread at work (5 by Python)
_CONFIG: Final = "BURSAR_CONFIG"
_BOOK: Final = "BURSAR_BOOK"


def application() -> Service:
    """Return the service of config.yaml (or BURSAR_CONFIG), BURSAR_BOOK and the environment."""
    here = Path("config.yaml")
    told, book = _variable(_CONFIG), _variable(_BOOK)
    path = Path(told) if told else here if here.is_file() else None
    return Service(load(path, flags={"book": book} if book else None))


def _variable(name: str) -> str | None:
    told = os.environ.get(name)
    if told == "":  # it must not mean the usual one
        raise BadChoice(f"the variable {name} is empty; leave it out, or say which", variable=name)
    return told


def run(
    settings: Settings,
    *,
    told: Callable[[str], None],
    service: Service | None = None,
    seconds: float | None = None,
    level: str = "INFO",
) -> None:
    """Serve until a signal ends it, or for some seconds. `told` hears the address once it answers.

    A `service` of one's own may do more beside; without one, it is made from the settings.
    """
    logs.configure(level)
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # what is loaded stays: looking through it again and again only makes answers wait
    factory = uvicorn.Config("bursar.serve:app", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:  # uvloop, where that is here
        runner.run(_run(settings, told, service=service, seconds=seconds))


async def _run(
    settings: Settings,
    told: Callable[[str], None],
    *,
    service: Service | None = None,
    seconds: float | None = None,
) -> None:
    own = settings.portfolio.http
    bound = _bound(own.host, own.port)
    service = service or Service(settings)
    try:
        await service.start()
        require_guarded(own.host, service.door.ring)
        _listen(bound, own.host, own.port)
    except BaseException:
        bound.close()
        await service.stop()
        raise
    config = uvicorn.Config(
        service,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        ws_max_size=MESSAGE_MAX,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # uvicorn hears them, and hands them on to us
    host, port = bound.getsockname()[:2]
    told(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    if seconds is not None:
        asyncio.get_running_loop().call_later(seconds, server.handle_exit, signal.SIGTERM, None)
    await server.serve(sockets=[bound])
    await service.stop()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio would leave small answers to wait for each other (Nagle).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _not_had(host, port, error) from None
    except (TypeError, UnicodeError):  # so says Python of a name that cannot be one
        bound.close()
        raise BadChoice(f"{host!r} is no address to listen on", host=host) from None
    return bound


def _listen(bound: socket.socket, host: str, port: int) -> None:
    """Let others in. Of two that began at once both may have the port until one listens."""
    try:
        bound.listen(BACKLOG)
    except OSError as error:
        raise _not_had(host, port, error) from None


def _not_had(host: str, port: int, error: OSError) -> BadChoice:
    return BadChoice(
        f"{host} port {port} cannot be had: {error.strerror}; --port chooses another",
        host=host,
        port=port,
    )
