"""Word of an account's own news: Kraken's private WebSocket says that something has happened.

What it says is not booked, nor even read: facts come from REST alone. It wakes whoever follows the
account, who then asks. A fill or a row of the ledger is news; orders that come and go are not.

States: `live` while it listens; `polling` otherwise, with the reason. Where the key may not listen,
or is refused, that is final, and whoever follows asks every so often, as ever.

Errors: none but our own. What goes wrong shows in `state`.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from bursar.errors import InputError, VenueDenied, VenueDown, VenueError
from bursar.venue.http import checked_url
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.socket import LOST, SILENCE_S, lost, messages, wait_ms
from bursar.venue.kraken.wire import Object
from bursar.venue.stream import StreamHealth, StreamState

URL: Final = "wss://ws-auth.kraken.com/v2"
_FILL: Final = "trade"


class AccountNews:
    """Wakes whoever follows an account, while `run` runs."""

    def __init__(
        self, client: KrakenRESTClient, *, url: str = URL, silence_s: int = SILENCE_S
    ) -> None:
        checked_url(url.replace("ws", "http", 1))
        self.state = StreamState(StreamHealth.STARTING, client.outside.clock.now())
        self._client = client
        self._url = url
        self._silence_s = silence_s
        self._failures = 0

    async def run(self, wake: Callable[[], None]) -> None:
        """Wake at each news, until cancelled, or until Kraken says that the key may not listen.

        After a while of not listening there may be news too.
        """
        while True:
            try:
                await self._listen(wake)
                reason = "the stream was closed"
            except VenueDenied as error:
                self._stand(StreamHealth.POLLING, error.message)
                return
            except LOST as error:
                reason = lost(error)
            except (VenueError, InputError) as error:  # the latter of our own file of nonces
                reason = error.message
            self._failures += 1
            self._stand(StreamHealth.POLLING, reason)
            await self._client.outside.pause(wait_ms(self._client.outside, self._failures))

    async def _listen(self, wake: Callable[[], None]) -> None:
        token = await self._client.websockets_token()
        asked = (
            {"channel": "executions", "token": token, "snap_orders": False, "snap_trades": False},
            {"channel": "balances", "token": token, "snapshot": False},
        )
        heard: set[str] = set()
        async with aclosing(messages(self._url, asked, silence_s=self._silence_s)) as told:
            async for message in told:
                if message.text_if_any("method") == "subscribe":
                    heard.add(_accepted(message))
                    if len(heard) == len(asked):
                        self._begin(wake)
                elif _is_news(message):
                    wake()

    def _begin(self, wake: Callable[[], None]) -> None:
        """Take note that both channels are heard, and wake for what happened until then."""
        self._failures = 0
        self._stand(StreamHealth.LIVE, None)
        wake()

    def _stand(self, health: StreamHealth, reason: str | None) -> None:
        if (self.state.health, self.state.reason) != (health, reason):
            is_same = self.state.health is health
            since = self.state.since if is_same else self._client.outside.clock.now()
            self.state = StreamState(health, since, reason)


def _accepted(reply: Object) -> str:
    """Return the channel that Kraken lets us hear; a token that it does not take is drawn anew."""
    if not reply.flag("success"):
        raise VenueDown(f"Kraken refuses a private channel: {reply.text_if_any('error')[:200]!r}")
    return reply.child("result").text("channel")


def _is_news(message: Object) -> bool:
    if message.text_if_any("type") != "update":
        return False
    match message.text_if_any("channel"):
        case "executions":
            told = message.objects("data")
            return any(each.text_if_any("exec_type") == _FILL for each in told)
        case "balances":
            return bool(message.objects("data"))
        case _:
            return False
