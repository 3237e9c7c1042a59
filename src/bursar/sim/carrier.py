"""A fake venue without sockets: a transport for httpx2, good in virtual time.

    httpx2.AsyncClient(transport=carrier(fake), base_url="http://venue.test")

What a socket would do to a client is done by httpx2's own errors: a silence lasts for the read
time-out of the request and is then a `ReadTimeout`, a broken connection is a `ReadError`.
"""

import asyncio

import httpx2

from bursar.sim.http import Fake, Request


class Carrier(httpx2.AsyncBaseTransport):
    """Brings requests to a fake venue. With a latency each takes so many seconds of the loop."""

    def __init__(self, fake: Fake, *, latency_s: float = 0) -> None:
        self._fake = fake
        self._latency_s = latency_s

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        body = await request.aread()
        await asyncio.sleep(self._latency_s)
        answer = self._fake.answer(
            Request(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode("ascii"),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )
        )
        if answer.manner.is_never:
            patience = request.extensions.get("timeout", {}).get("read")
            await (asyncio.Event().wait() if patience is None else asyncio.sleep(patience))
            raise httpx2.ReadTimeout("no answer", request=request)
        if answer.manner.is_reset:
            raise httpx2.ReadError("connection reset", request=request)
        body_sent = httpx2.ByteStream(answer.body)
        return httpx2.Response(
            answer.status, headers=list(answer.headers), stream=body_sent, request=request
        )


def carrier(fake: Fake, *, latency_s: float = 0) -> Carrier:
    """Return a transport that ends at a fake venue."""
    return Carrier(fake, latency_s=latency_s)
