"""The service: one live truth for every other program, over HTTP and WebSocket.

    bursar serve                            embedded defaults: a SQLite file, loopback, port 8004
    uvicorn bursar.serve:app --port 8004    the same, by whoever runs ASGI applications

Views render; what is money is worked out below, in `portfolio` and `value`.

The rule of threads: the book belongs to one thread, the keeper's, and every verb runs there, one
after the other. The HTTP loop answers from published bytes that never change, or asks the keeper
and awaits bytes and frozen records. `keeper` says it in full. A service is one process; two of them
may serve one book, since commits are the store's, and each takes up what the other wrote.

Follow a request: `front` (guard, cached routes) → `service` (router) → `routes` (the table) →
`reading` or `writing` → `portfolio`. Follow a change: `keeper` → `publishing` → `shelf` →
`channel`.

Errors: `faults` has the one table from an error to a status.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bursar.serve.service import Service

    app: Service


def __getattr__(name: str) -> object:
    """Make `app`, of what config.yaml and the environment say, when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module 'bursar.serve' has no attribute {name!r}")
    from bursar.serve.running import application  # noqa: PLC0415 (whoever looks pays nothing)

    made = globals()["app"] = application()
    return made
