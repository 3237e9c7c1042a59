"""The door: who is let in, decided from the headers of a request before anything else is.

    Host      must be one of the service's own names, so no page of another site can be led here
              by a name that it owns (DNS rebinding)
    Origin    absent (no browser), the service's own, or one of `http.origins`
    bearer    a token; `write` for whatever changes something

Invariants
- As long as there is no token, whoever sits at this machine may look, and nobody may write. As soon
  as there is one, every route but `/health` and the bare status page asks for one.
- A token is read from the `Authorization` header (over WebSocket also from the first message),
  never from an address, which ends up in logs.
- A request that came from another machine needs a token whatever the settings say.

Errors: `HostDenied`, `OriginDenied`, `TokenNeeded`, `ScopeTooNarrow`.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from bursar.errors import HostDenied, OriginDenied, ScopeTooNarrow, TokenNeeded, Unguarded
from bursar.serve.tokens import Ring, Scope, Token

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")
_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 (to be refused)


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What the headers of a request say that matters here."""

    host: bytes = b""
    origin: bytes = b""
    bearer: bytes = b""
    tag: bytes = b""
    request_id: bytes = b""


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks: the bearer of a token, or somebody at this machine."""

    token: Token | None = None

    def require_write(self) -> None:
        """Refuse to change anything for whoever may only look."""
        if self.token is None:
            raise TokenNeeded(
                "a change needs a token with scope write; `bursar token new` makes one"
            )
        if self.token.scope is not Scope.WRITE:
            raise ScopeTooNarrow(f"the token {self.token.name} may look, and not write")


SOMEBODY: Final = Caller()


class Door:
    """Knows the names of the service, the sites that may ask, and the tokens."""

    def __init__(self, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        own = (*LOOPBACK_NAMES, *hosts)
        self._hosts = frozenset(each.lower().encode() for each in own)
        self._origins = frozenset(each.lower().encode() for each in origins)
        self.ring = Ring({})

    def require_place(self, heard: Heard, scheme: str = "http") -> None:
        """Refuse whoever asks under another name, or from the page of another site."""
        if _name(heard.host) not in self._hosts:
            raise HostDenied
        if heard.origin and (origin := heard.origin.lower()) not in self._origins:
            own = f"{scheme}://".encode() + heard.host.lower()
            if origin != own:
                raise OriginDenied

    def allows_site(self, heard: Heard) -> bool:
        """Tell whether the answer may be read by the page that asks."""
        return heard.origin.lower() in self._origins

    def caller(self, heard: Heard, client: tuple[str, int] | None) -> Caller:
        """Return who asks, if that may look."""
        if heard.bearer:
            token = self.ring.bearer(heard.bearer)
            if token is None:
                raise TokenNeeded("this token is none of ours, or was revoked")
            return Caller(token)
        if self.ring or not self.is_here(heard.host, client):
            raise TokenNeeded
        return SOMEBODY

    def greet(self, scope: Mapping[str, Any]) -> Caller | None:
        """Return who opens a WebSocket; nobody yet, where a token may still be said in a message.

        Raises:
            AccessError: whoever asks is not let in.
        """
        heard = hear(scope["headers"])
        self.require_place(heard, {"wss": "https"}.get(scope["scheme"], "http"))
        try:
            return self.caller(heard, scope["client"])
        except TokenNeeded:
            if heard.bearer:
                raise
            return None

    def is_here(self, host: bytes, client: tuple[str, int] | None) -> bool:
        """Tell whether a request came from this machine, and was made to it.

        One that names another host may have come through a proxy on this machine, from anybody.
        """
        if _name(host).decode("latin-1") not in LOOPBACK_NAMES:
            return False
        return client is None or client[0] in {"127.0.0.1", "::1"} or is_loopback(client[0])


def hear(headers: Iterable[tuple[bytes, bytes]]) -> Heard:
    """Read the headers of a request, once."""
    host = origin = bearer = tag = request_id = b""
    for name, value in headers:
        if name == b"host":
            host = value
        elif name == b"authorization":
            bearer = value
        elif name == b"if-none-match":
            tag = value
        elif name == b"origin":
            origin = value
        elif name == b"x-request-id":
            request_id = value
    return Heard(host, origin, bearer, tag, request_id)


def require_guarded(host: str, ring: Ring) -> None:
    """Refuse to listen where others can reach, as long as there is no token.

    Raises:
        Unguarded: saying what to do.
    """
    if not ring and not is_loopback(host):
        raise Unguarded(
            f"listening on {host} lets others in, and there is no token yet: make one with"
            " `bursar token new NAME`, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address. A name is one if it says so."""
    if host in _EVERYWHERE:
        return False
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@lru_cache(maxsize=64)  # a service is asked by a handful of names, again and again
def _name(host: bytes) -> bytes:
    """Return the name that a Host header says, without its port."""
    host = host.lower()
    if host.startswith(b"["):
        return host.partition(b"]")[0] + b"]"
    return host.partition(b":")[0]
